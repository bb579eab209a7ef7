// Every public member of Keras's objects is here under its name in camelCase, or under another stated name, or stands in a
// table with the reason for which it has none. Its methods take the arguments of Keras's.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { camelCase } from '../../scripts/keras-table.mjs'
import { OTHER_NAMES, WITHOUT } from '../../scripts/members-table.mjs'
import {
  Callback,
  Dense,
  Input,
  Layer,
  LambdaCallback,
  Loss,
  Metric,
  Model,
  SGD,
  SeedGenerator,
  Sequential,
  Variable,
  callbacks,
  constraints,
  initializers,
  layers,
  ops,
  regularizers,
  schedules,
  type Tensor,
} from '../../src'
import { subjects } from '../helpers/subjects'

/** The members by their names: a method is the list of its parameters, all else is null. */
type Members = Readonly<Record<string, readonly string[] | null>>
const golden = JSON.parse(readFileSync(new URL('../golden/members.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, Members>>>
>

class OwnLayer extends Layer {
  call(x: Tensor): Tensor {
    return x
  }
}
class OwnMetric extends Metric {
  updateState(): void {}
  result(): Tensor {
    return ops.zeros([])
  }
}
class OwnLoss extends Loss {
  call(yTrue: Tensor): Tensor {
    return yTrue
  }
}
class OwnCallback extends Callback {}

const symbol = Input({ shape: [4] })
const functional = new Model({ inputs: symbol, outputs: new Dense({ units: 2 }).apply(symbol) })
const bases: Readonly<Record<string, object>> = {
  Layer: new OwnLayer(),
  Optimizer: new SGD(),
  Loss: new OwnLoss(),
  Metric: new OwnMetric(),
  Callback: new OwnCallback(),
  Initializer: new initializers.Zeros(),
  Regularizer: new regularizers.L2(),
  Constraint: new constraints.NonNeg(),
  Schedule: new schedules.ExponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 1 }),
  Variable: new Variable([2]),
  KerasTensor: symbol,
  SeedGenerator: new SeedGenerator(1),
  DTypePolicy: new OwnLayer().dtypePolicy,
  Model: functional,
  Sequential: new Sequential([new Dense({ units: 2, inputShape: [4] })]),
  Functional: functional,
}

/** The kind of subjects for each space of the golden file. */
const KINDS: Readonly<Record<string, string>> = {
  layers: 'layer',
  losses: 'loss',
  metrics: 'metric',
  optimizers: 'optimizer',
  schedules: 'schedule',
  callbacks: 'callback',
  initializers: 'initializer',
  regularizers: 'regularizer',
  constraints: 'constraint',
}
/** Objects that no subject makes. */
const others: Readonly<Record<string, () => object>> = {
  HashedCrossing: () => new layers.HashedCrossing({ numBins: 2 }),
  Wrapper: () => Reflect.construct(layers.Wrapper, [{ layer: new Dense({ units: 1 }) }]) as object,
  History: () => new callbacks.History(),
  LambdaCallback: () => new LambdaCallback({}),
}
const known = subjects()

function objectOf(space: string, name: string): object | undefined {
  const made = others[name]
  if (made !== undefined) return made()
  const subject = known.find((each) => each.kind === KINDS[space] && each.name === name)
  return subject === undefined ? undefined : new subject.of(subject.options())
}

const withoutWhy = (of: readonly string[], name: string): string | undefined =>
  WITHOUT.find((each) => each.names.includes(name) && each.of.some((one) => of.includes(one)))?.why
const ownName = (of: readonly string[], name: string): string =>
  OTHER_NAMES.find((each) => each.names[name] !== undefined && each.of.some((one) => of.includes(one)))?.names[name] ??
  camelCase(name)

/** Whether an object or its class has a member. */
const has = (object: object, name: string): boolean => name in object || name in object.constructor

/** The members that an object lacks without a reason. */
function lacking(of: readonly string[], object: object, members: Members): string[] {
  return Object.keys(members).filter((name) => !has(object, ownName(of, name)) && withoutWhy(of, name) === undefined)
}

describe('a base has the members of Keras', () => {
  it.each(Object.entries(golden['bases']!))('%s', (name, members) => {
    const of = ['Sequential', 'Functional'].includes(name) ? ['Model', name] : [name]
    expect(lacking(of, bases[name]!, members)).toEqual([])
  })
})

const spaces = Object.keys(KINDS).flatMap((space) =>
  Object.entries(golden[space]!).map(([name, members]) => ({ space, name, members })),
)
describe('a class has the members of Keras', () => {
  it.each(spaces)('$space.$name', ({ space, name, members }) => {
    const object = objectOf(space, name)
    expect(object).toBeDefined()
    expect(lacking([space, name], object!, members)).toEqual([])
  })
})

it('each entry of the tables is the reason of an object', () => {
  const objects = [
    ...Object.entries(golden['bases']!).map(([name, members]) => {
      return {
        of: ['Sequential', 'Functional'].includes(name) ? ['Model', name] : [name],
        object: bases[name]!,
        members,
      }
    }),
    ...spaces.map(({ space, name, members }) => ({ of: [space, name], object: objectOf(space, name)!, members })),
  ]
  const isUsed = (of: readonly string[], name: string, isThere: (object: object) => boolean): boolean =>
    objects.some((each) => name in each.members && of.some((one) => each.of.includes(one)) && isThere(each.object))
  const stale = [
    ...WITHOUT.flatMap(({ of, names }) =>
      names.filter((name) => !isUsed(of, name, (object) => !has(object, camelCase(name)))),
    ),
    ...OTHER_NAMES.flatMap(({ of, names }) =>
      Object.entries(names).flatMap(([name, own]) => (isUsed(of, name, (object) => has(object, own)) ? [] : [name])),
    ),
  ]
  expect(stale).toEqual([])
})

/** Parameters of Keras's methods that have another form here, for all methods. */
const ELSEWHERE = new Set(['*args', '**kwargs', 'custom_objects'])
/** Methods that take options by name in Keras, and as one object here; those of `call` depend on the class. */
const TAKES_OPTIONS =
  /^(?:call|fit|evaluate|predict|compile|save|save_weights|load_weights|summary|export|test_on_batch|train_on_batch|to_json|add_weight|add_variable|enable_lora|quantize|get_state_tree|get_layer|add|pop|exclude_from_weight_decay|adapt|compute_loss|build)$/

describe('a method takes the arguments of Keras', () => {
  const methodsOf = (of: readonly string[], title: string, members: Members, object: () => object) =>
    Object.entries(members).flatMap(([name, parameters]) => {
      if (parameters === null || withoutWhy(of, name) !== undefined || TAKES_OPTIONS.test(name)) return []
      return [{ title: `${title}.${name}`, own: ownName(of, name), object, parameters }]
    })
  const methods = [
    ...Object.entries(golden['bases']!).flatMap(([base, members]) =>
      methodsOf(
        ['Sequential', 'Functional'].includes(base) ? ['Model', base] : [base],
        base,
        members,
        () => bases[base]!,
      ),
    ),
    ...spaces.flatMap(({ space, name, members }) =>
      methodsOf([space, name], `${space}.${name}`, members, () => objectOf(space, name)!),
    ),
  ]
  it.each(methods)('$title', ({ own, object, parameters }) => {
    const made = object()
    const method: unknown = Reflect.get(made, own) ?? Reflect.get(made.constructor, own)
    expect(typeof method).toBe('function')
    // What the method requires, Keras's method takes, too. Those of steps have one record instead of a state and data.
    const count = parameters.filter((each) => !ELSEWHERE.has(each)).length
    const isOpen = parameters.some((each) => each.startsWith('*'))
    expect((method as () => unknown).length <= count || isOpen).toBe(true)
  })
})
