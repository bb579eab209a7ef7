// Which weights an optimizer updates, and how: groups, several optimizers, subsets of weights, frozen weights, several
// updates in one traced step. golden.test.ts has the formulas.
import { describe, expect, it } from 'vitest'
import {
  Adam,
  AdamW,
  ArgumentError,
  CosineDecay,
  Dense,
  Lamb,
  LossScaleOptimizer,
  MultiOptimizer,
  OptimizerMap,
  ParameterGroup,
  RMSprop,
  SGD,
  Sequential,
  StateError,
  Variable,
  grad,
  jit,
  loadModel,
  ops,
  optimizers,
  runtimeInfo,
  setRandomSeed,
  tensor,
  disassemble,
  type Optimizer,
  type Tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { errorOf } from '../helpers/training'

const x = [
  [1, 2],
  [3, 4],
  [-1, 0.5],
  [0, 1],
]
const y = [[1], [0], [1], [0]]
const quiet = { verbose: 0, shuffle: false } as const

const make = (...names: string[]) => names.map((name, i) => new Variable(tensor([1 + i, 2 + i]), { name }))
const valuesOf = (variables: readonly Variable[]) => variables.map(({ value }) => Array.from(value.data))
const ones = (count: number) => Array.from({ length: count }, () => tensor([1, 1]))

function model(name: string): Sequential {
  return new Sequential(
    [
      new Dense({ units: 3, inputShape: [2], activation: 'tanh', kernelInitializer: 'ones', name: 'encoder' }),
      new Dense({ units: 1, kernelInitializer: 'ones', name: 'head' }),
    ],
    { name },
  )
}

describe('groups of weights', () => {
  it('have their own learning rate and weight decay; the first match counts', () => {
    const optimizer = new SGD({
      learningRate: 0.5,
      weightDecay: 0.5,
      groups: [
        { match: 'a/', learningRate: 0.25 },
        { match: /bias$/, weightDecay: 0 },
        { match: (variable) => variable.name === 'c/kernel', learningRate: 0 },
      ],
    })
    const variables = make('a/bias', 'b/kernel', 'b/bias', 'c/kernel')
    optimizer.apply(ones(4), variables)
    // p − rate · decay · p − rate
    const after = (p: number, rate: number, decay: number) => p - rate * decay * p - rate
    expect(valuesOf(variables)).toEqual([
      [after(1, 0.25, 0.5), after(2, 0.25, 0.5)],
      [after(2, 0.5, 0.5), after(3, 0.5, 0.5)],
      [after(3, 0.5, 0), after(4, 0.5, 0)],
      [4, 5],
    ])
  })

  it('may have their learning rate set, or a schedule', () => {
    const schedule = new CosineDecay({ initialLearningRate: 1, decaySteps: 2 })
    const optimizer = new SGD({
      learningRate: 0.5,
      groups: [
        { match: 'a', learningRate: 0.25 },
        { match: 'b', learningRate: schedule },
      ],
    })
    const variables = make('a', 'b', 'c')
    const step = jit(() => (optimizer.apply(ones(3), variables), ops.zeros([])))
    step()
    expect(valuesOf(variables)).toEqual([
      [0.75, 1.75],
      [1, 2],
      [2.5, 3.5],
    ])
    optimizer.groups[0]!.learningRate = 0
    optimizer.learningRate = 1
    step()
    expectNear(valuesOf(variables).flat(), [0.75, 1.75, 0.5, 1.5, 1.5, 2.5], 'values')
    expect(optimizer.groups[0]).toBeInstanceOf(ParameterGroup)
    expect(() => (optimizer.groups[1]!.learningRate = 1)).toThrow('follows a schedule')
    expect(optimizer.groups.map(({ learningRate }) => learningRate)).toEqual([0, schedule])
  })

  it('are one instruction each', () => {
    const count = (groups: ConstructorParameters<typeof Adam>[0]) => {
      const own = model('own')
      own.compile({ optimizer: new Adam(groups), loss: 'mse' })
      own.trainOnBatch(x, y)
      return [...disassemble(own).values()][0]!.match(/^ *\d+ +Adam /gm)?.length
    }
    if (runtimeInfo().backend === 'interpreter') return
    expect(count({})).toBe(1)
    expect(count({ groups: [{ match: 'bias', weightDecay: 0 }] })).toBe(2)
    expect(
      count({
        groups: [
          { match: 'encoder', learningRate: 0 },
          { match: 'head/kernel', learningRate: 1 },
        ],
      }),
    ).toBe(3)
  })

  it('and excluded weights are saved with the model', async () => {
    const own = model('own')
    const optimizer = new AdamW({
      learningRate: 0.125,
      weightDecay: 0.5,
      groups: [{ match: /^enc/i, learningRate: 0.5 }],
      noWeightDecay: ['head/bias'],
    })
    own.compile({ optimizer, loss: 'mse' })
    own.weights.forEach((weight) =>
      weight.name.startsWith('encoder/bias') ? optimizer.excludeFromWeightDecay({ variables: [weight] }) : undefined,
    )
    await own.fit(x, y, quiet)
    optimizer.groups[0]!.learningRate = 0.25
    const copy = await loadModel(await own.save())
    expect((copy.optimizer as AdamW).groups[0]!.learningRate).toBe(0.25)
    for (const each of [own, copy]) await each.fit(x, y, quiet)
    expect(copy.getWeights().map(String)).toEqual(own.getWeights().map(String))
    expect(copy.optimizer.getConfig()).toMatchObject({
      groups: [{ match: { className: 'RegExp', config: { source: '^enc', flags: 'i' } } }],
    })
  })

  it('chosen by a function are saved by its name', async () => {
    const own = model('own')
    const isHead = (variable: Variable) => variable.name.startsWith('head')
    own.compile({ optimizer: new SGD({ groups: [{ match: isHead, learningRate: 0.5 }] }), loss: 'mse' })
    own.trainOnBatch(x, y)
    const bytes = await own.save()
    expect((await errorOf(() => loadModel(bytes))).message).toContain("Unknown function 'isHead'")
    const copy = await loadModel(bytes, { customObjects: { isHead } })
    expect(copy.trainOnBatch(x, y)).toEqual(own.trainOnBatch(x, y))
    own.compile({ optimizer: new SGD({ groups: [{ match: [() => true] }] }), loss: 'mse' })
    expect((await errorOf(() => own.save())).message).toContain(
      'A function without a name that chooses weights cannot be saved',
    )
  })

  it.each<[unknown, string]>([
    [{ names: 'bias' }, "names must be an array, received 'bias'"],
    ['bias', "expected an object of options, { variables: … }, received 'bias'"],
    [['bias'], "received ['bias']"],
    [{ varNames: ['bias'] }, "Unknown option of excludeFromWeightDecay 'varNames'. Did you mean 'names'?"],
    [{ names: [''] }, "names[0] must be a part of a weight's name"],
    [{ names: [3] }, "names[0] must be a part of a weight's name"],
    [{ variables: ['bias'] }, "variables[0] must be a weight, received 'bias'"],
    [undefined, 'names no weights'],
  ])('excluding %j is refused', (which, message) => {
    expect(() => new AdamW().excludeFromWeightDecay(which as never)).toThrow(message)
  })

  it('exclusion must come before the first update', () => {
    const optimizer = new SGD()
    optimizer.build(make('a'))
    expect(() => optimizer.excludeFromWeightDecay({ names: ['a'] })).toThrow(StateError)
  })
})

describe('MultiOptimizer', () => {
  it('updates weights like each optimizer alone', () => {
    const together = make('a/kernel', 'b/kernel', 'c/bias')
    const alone = make('a/kernel', 'b/kernel', 'c/bias')
    const multi = new MultiOptimizer({
      optimizers: [[new SGD({ learningRate: 0.25 }), 'a/'], ['rmsprop', /bias/], [new Adam({ learningRate: 0.5 })]],
    })
    const single = [new SGD({ learningRate: 0.25 }), new Adam({ learningRate: 0.5 }), new RMSprop()]
    for (let i = 0; i < 3; i++) {
      multi.apply(ones(3), together)
      single.forEach((optimizer, j) => optimizer.apply(ones(1), [alone[j]!]))
    }
    expect(valuesOf(together)).toEqual(valuesOf(alone))
    expect(multi.iterations.value.item()).toBe(3)
    expect(multi.learningRate).toBe(0.25)
    expect(() => (multi.learningRate = 1)).toThrow(StateError)
    expect([...multi.slots.keys()]).toEqual(['square', 'mean', 'variance'])
    expect(multi.variables).toHaveLength(1 + 2 + 2 + 1 + 2 + 2)
  })

  it('trains a model, is saved and continues', async () => {
    const own = model('own')
    own.compile({
      optimizer: new MultiOptimizer({
        optimizers: [[new SGD({ learningRate: 0.125, momentum: 0.5 }), own.layers[0]!], [new Adam()]],
      }),
      loss: 'mse',
    })
    await own.fit(x, y, { ...quiet, epochs: 3 })
    const copy = await loadModel(await own.save())
    expect(copy.optimizer).toBeInstanceOf(MultiOptimizer)
    for (const each of [own, copy]) await each.fit(x, y, { ...quiet, epochs: 2 })
    expect(copy.getWeights().map(String)).toEqual(own.getWeights().map(String))
    expect(copy.optimizer.iterations.value.item()).toBe(5)
  })

  it('needs an optimizer for every weight', () => {
    const multi = new MultiOptimizer({
      optimizers: [
        ['sgd', 'a'],
        ['adam', ['b', 'c']],
      ],
    })
    expect(() => multi.build(make('a', 'b', 'd'))).toThrow(
      "no optimizer matches d. End the list with one for all other weights: ['adam']",
    )
    const again = optimizers.deserialize({ className: 'MultiOptimizer', config: multi.getConfig() })
    expect(again.getConfig()).toEqual(multi.getConfig())
  })

  it.each(
    Object.entries({
      learningRate: 0.001,
      weightDecay: 0.1,
      clipnorm: 1,
      clipvalue: 1,
      globalClipnorm: 1,
      useEma: true,
      emaMomentum: 0.99,
      emaOverwriteFrequency: 2,
      lossScaleFactor: 2,
      gradientAccumulationSteps: 2,
      groups: [{ match: 'bias', weightDecay: 0 }],
      noWeightDecay: ['bias'],
    }),
  )('refuses %s, which belongs to the single optimizers', (name, value) => {
    const make = (): Optimizer => new MultiOptimizer({ optimizers: [['sgd']], [name]: value })
    expect(make).toThrow(ArgumentError)
    expect(make).toThrow(`multiOptimizer: ${name} has no effect here`)
  })

  it.each(['learningRate', 'learning_rate'])('is read from a configuration with %s, which had no effect', (name) => {
    const config = new MultiOptimizer({ optimizers: [[new SGD({ learningRate: 0.25 })]] }).getConfig()
    const multi = optimizers.deserialize({ className: 'MultiOptimizer', config: { ...config, [name]: 0.5 } })
    expect(multi.learningRate).toBe(0.25)
    expect(multi.getConfig()).toEqual(config)
  })
})

describe('OptimizerMap', () => {
  const [sgd, adam, rmsprop] = [new SGD(0.25), new Adam(0.5), new RMSprop(0.125)]
  const map = (): OptimizerMap =>
    new OptimizerMap(rmsprop, { 'encoder/.*': sgd, decoder: adam }).set('encoder/dense/bias', adam)

  it('prefers a name to an expression, which matches whole names', () => {
    const names = ['encoder/dense/bias', 'encoder/dense/kernel', 'decoder', 'decoder/kernel', 'my/encoder/kernel']
    expect(names.map((name) => map().get(name))).toEqual([adam, sgd, adam, rmsprop, rmsprop])
    expect([...map().keys()]).toEqual(['encoder/.*', 'decoder', 'encoder/dense/bias'])
    const less = map()
    expect([less.delete('decoder'), less.delete('decoder'), less.size]).toEqual([true, false, 2])
    expect(less.get('decoder')).toBe(rmsprop)
  })

  it('gives MultiOptimizer the same choice, also after it was saved', () => {
    const names = ['encoder/a', 'encoder/dense/bias', 'decoder', 'head/kernel']
    const [together, alone, loaded] = [make(...names), make(...names), make(...names)]
    const multi = new MultiOptimizer(map())
    const again = optimizers.deserialize({ className: 'MultiOptimizer', config: multi.getConfig() })
    multi.apply(ones(4), together)
    again.apply(ones(4), loaded)
    const single = [new SGD(0.25), new Adam(0.5), new Adam(0.5), new RMSprop(0.125)]
    single.forEach((optimizer, i) => optimizer.apply(ones(1), [alone[i]!]))
    expect(valuesOf(together)).toEqual(valuesOf(alone))
    expect(valuesOf(loaded)).toEqual(valuesOf(alone))
    expect(new MultiOptimizer(new OptimizerMap(new SGD(), { a: new Adam() })).build(make('a'))).toBeUndefined()
  })

  it('is given in order or under the name of Keras', () => {
    const inOrder = new MultiOptimizer(map()).getConfig()
    expect(new MultiOptimizer({ optimizerMap: map() }).getConfig()).toEqual(inOrder)
    const spelled = { optimizer_map: map(), name: 'both' } as never
    expect(new MultiOptimizer(spelled).getConfig()).toEqual({ ...inOrder, name: 'both' })
    const twice = { optimizerMap: map(), optimizers: [['sgd']] } as never
    expect(() => new MultiOptimizer(twice)).toThrow('are two names of one option')
  })

  it('continues after a file as if the run had not been interrupted', async () => {
    const made = (): Sequential => {
      setRandomSeed(3)
      const layers = [
        new Dense({ units: 4, inputShape: [2], name: 'encoder', activation: 'tanh' }),
        new Dense({ units: 1, name: 'head' }),
      ]
      const model = new Sequential(layers)
      const optimizer = new MultiOptimizer(
        new OptimizerMap(new SGD({ learningRate: 0.1, momentum: 0.9 }), { 'head/.*': new Adam() }),
      )
      model.compile({ optimizer, loss: 'mse' })
      return model
    }
    const y = [[1], [0], [2], [-1]]
    const whole = await made().fit(x, y, { epochs: 4, batchSize: 2, shuffle: false, verbose: 0 })
    const first = made()
    await first.fit(x, y, { epochs: 2, batchSize: 2, shuffle: false, verbose: 0 })
    const again = await loadModel<Tensor, Tensor>(await first.save())
    const rest = await again.fit(x, y, { epochs: 2, batchSize: 2, shuffle: false, verbose: 0 })
    expect(rest.history['loss']).toEqual(whole.history['loss']!.slice(2))
  })

  it('refuses a weight that several expressions match, unknown expressions, and keys given twice', () => {
    const both = new OptimizerMap(new SGD(), { 'encoder/.*': new Adam(), '.*/kernel': new RMSprop() })
    expect(() => new MultiOptimizer(both).build(make('encoder/kernel'))).toThrow(
      "'encoder/.*' and '.*/kernel' match encoder/kernel",
    )
    expect(() => map().set('decoder', new Adam())).toThrow("the key 'decoder' is already present")
    expect(() => map().set('(', new Adam())).toThrow("the key '(' is not a regular expression")
  })

  it.each([
    ['MultiOptimizer', () => new MultiOptimizer([['sgd']])],
    ['LossScaleOptimizer', () => new LossScaleOptimizer('adam')],
  ])('refuses a %s inside, which would scale or split the gradients twice', (name, inner) => {
    expect(() => new MultiOptimizer(new OptimizerMap(new SGD(), { a: inner() }))).toThrow(
      `must be a single optimizer, received a ${name}`,
    )
    if (name === 'LossScaleOptimizer') expect(() => new LossScaleOptimizer(inner())).toThrow('the loss is scaled once')
  })
})

describe('apply', () => {
  it('updates some of the weights; the others and their slots are unchanged', () => {
    const [a, b, c] = make('a', 'b', 'c')
    const optimizer = new SGD({ learningRate: 0.5, momentum: 0.5 })
    optimizer.build([a!, b!, c!])
    optimizer.apply(ones(2), [a!, c!])
    expect(valuesOf([a!, b!, c!])).toEqual([
      [0.5, 1.5],
      [2, 3],
      [2.5, 3.5],
    ])
    expect(valuesOf(optimizer.slots.get('velocity')!)).toEqual([
      [-0.5, -0.5],
      [0, 0],
      [-0.5, -0.5],
    ])
    optimizer.apply(ones(3))
    expect(valuesOf([a!, b!, c!])).toEqual([
      [-0.25, 0.75],
      [1.5, 2.5],
      [1.75, 2.75],
    ])
    optimizer.applyGradients([[tensor([2, 2]), b!]])
    expect(valuesOf([a!, b!, c!])).toEqual([
      [-0.25, 0.75],
      [0.25, 1.25],
      [1.75, 2.75],
    ])
    expect(optimizer.iterations.value.item()).toBe(3)
  })

  it('keeps variables in one order: counters, then slots by kind and weight, in the shapes of the weights', () => {
    const weights = [new Variable([2, 3], { name: 'w' }), new Variable([3], { name: 'b' })]
    const optimizer = new Adam({
      useEma: true,
      gradientAccumulationSteps: 2,
      groups: [{ match: 'b', learningRate: 1 }],
    })
    optimizer.build(weights)
    expect(optimizer.variables.map(({ name, shape }) => `${name} [${shape.join()}]`)).toEqual([
      'iterations []',
      'learningRate []',
      'learningRate []',
      'gathered []',
      'w/average [2,3]',
      'b/average [3]',
      'w/gradientAccumulator [2,3]',
      'b/gradientAccumulator [3]',
      'w/mean [2,3]',
      'b/mean [3]',
      'w/variance [2,3]',
      'b/variance [3]',
    ])
  })

  it.each<[string, () => Optimizer]>([
    ['SGD', () => new SGD({ learningRate: 0.5 })],
    ['Adam', () => new Adam()],
    ['Lamb', () => new Lamb()],
  ])('%s takes gradients of other types as numbers, also nested arrays', (_name, make) => {
    const given = [tensor([1, -2]), tensor([1, -2], [2], 'int32'), [1, -2] as never]
    const [first, ...others] = given.map((gradient) => {
      const weight = new Variable(tensor([1, 1]), { name: 'w' })
      make().apply([gradient], [weight])
      return [...weight.view]
    })
    expect(first).not.toEqual([1, 1])
    for (const each of others) expect(each).toEqual(first)
  })

  it('refuses gradients with other shapes, and swapped pairs', () => {
    const [w, v] = [new Variable([2], { name: 'w' }), new Variable([2, 3], { name: 'v' })]
    const sgd = new SGD()
    expect(() => sgd.apply([ops.ones([3]), ops.ones([5])], [w, v])).toThrow(
      'sgd: the gradient of w must have the shape of the weight, [2], received [3]',
    )
    expect(() => sgd.apply([ops.ones([2]), ops.ones([3, 2])], [w, v])).toThrow(
      'sgd: the gradient of v must have the shape of the weight, [2, 3], received [3, 2]',
    )
    expect(() => sgd.applyGradients([[w, ops.ones([2])]] as never)).toThrow(
      'In pairs the gradient comes first: [gradient, weight]',
    )
    expect([...w.view, ...v.view].every((each) => each === 0)).toBe(true)
  })

  it('refuses weights that it was not built for, and another number of gradients', () => {
    const [a, b] = make('a', 'b')
    const optimizer = new SGD()
    optimizer.apply(ones(1), [a!])
    expect(() => optimizer.apply(ones(1), [b!])).toThrow(
      'sgd: it is not built for b. Call build with all weights first.',
    )
    expect(() => optimizer.apply(ones(2))).toThrow('apply needs a gradient for each weight, received 2 for 1')
    expect(() => optimizer.apply(ones(2), [a!])).toThrow(ArgumentError)
    expect(() => new SGD().build([new Variable([1], { name: 'i', dtype: 'int32' })])).toThrow(
      'i: only float32 weights can be trained',
    )
  })

  it('keeps its slots when weights are added later, without recompiling programs', () => {
    const [a, b] = make('a', 'b')
    const optimizer = new SGD({ learningRate: 0.5, momentum: 0.5 })
    optimizer.build([a!])
    const step = jit(() => (optimizer.apply(ones(1), [a!]), ops.zeros([])))
    step()
    optimizer.build([b!, a!])
    step()
    expect(valuesOf([a!, b!])).toEqual([
      [-0.25, 0.75],
      [2, 3],
    ])
    optimizer.apply(ones(2))
    expect(valuesOf(optimizer.slots.get('velocity')!)).toEqual([
      [-0.875, -0.875],
      [-0.5, -0.5],
    ])
  })
})

describe('within one traced step', () => {
  it('two optimizers train two players, the second against the updated first', () => {
    const [critic, generator] = [
      new Variable(tensor([2]), { name: 'critic' }),
      new Variable(tensor([3]), { name: 'generator' }),
    ]
    const [first, second] = [new SGD({ learningRate: 0.5 }), new Adam({ learningRate: 0.25 })]
    const play = () => {
      first.apply([ops.multiply(generator.value, critic.value)], [critic])
      // d (critic · generator) / d generator
      const gradient = critic.value
      second.apply([ops.multiply(gradient, generator.value)], [generator])
      return ops.concatenate([gradient, generator.value, critic.value])
    }
    const step = jit(play)
    const seen = [step(), step()].map(({ data }) => Array.from(data))
    // 2 − ½ · 6 = −1, then 3 + ¼ (the gradient is negative)
    expectNear(seen[0]!, [-1, 3.25, -1], 'the first step')
    expectNear(seen[1]!.slice(0, 1), [-1 + 0.5 * 3.25], 'the second step')
    expectNear(critic.value.data, seen[1]!.slice(2), 'critic')
    expectNear(generator.value.data, seen[1]!.slice(1, 2), 'generator')
  })

  it('a weight may be assigned after its update, as when a critic is clipped', () => {
    const [a, b, c] = make('a', 'b', 'c')
    const optimizer = new SGD({ learningRate: 0.5 })
    optimizer.build([a!, b!, c!])
    const step = jit((bound: Tensor) => {
      optimizer.apply(ones(3))
      for (const weight of [a!, c!]) weight.assign(ops.minimum(weight.value, bound))
      return ops.add(a!.value, b!.value)
    })
    expect(Array.from(step(1).data)).toEqual([0.5 + 1.5, 1 + 2.5])
    expect(valuesOf([a!, b!, c!])).toEqual([
      [0.5, 1],
      [1.5, 2.5],
      [1, 1],
    ])
    step(0.75)
    expect(valuesOf([a!, b!, c!])).toEqual([
      [0, 0.5],
      [1, 2],
      [0.5, 0.5],
    ])
  })

  it('a weight assigned before is updated from its new value', () => {
    const [a, b] = make('a', 'b')
    const optimizer = new SGD({ learningRate: 0.5 })
    optimizer.build([a!, b!])
    jit(() => {
      a!.assign(tensor([10, 20]))
      optimizer.apply(ones(2))
      return ops.zeros([])
    })()
    expect(valuesOf([a!, b!])).toEqual([
      [9.5, 19.5],
      [1.5, 2.5],
    ])
  })

  it('the same weights may be updated twice, also in other groups', () => {
    const [a, b, c] = make('a', 'b', 'c')
    const optimizer = new SGD({ learningRate: 0.5, momentum: 0.5 })
    optimizer.build([a!, b!, c!])
    const whole = jit(() => {
      optimizer.apply(ones(3))
      optimizer.apply(ones(2), [b!, c!])
      return ops.zeros([])
    })
    whole()
    expect(valuesOf([a!, b!, c!])).toEqual([
      [0.5, 1.5],
      [2 - 0.5 - 0.75, 3 - 0.5 - 0.75],
      [3 - 1.25, 4 - 1.25],
    ])
    expect(optimizer.iterations.value.item()).toBe(2)
  })
})

describe('alternating weights', () => {
  it.each([
    () => new Adam(),
    () => new MultiOptimizer({ optimizers: [[new SGD({ momentum: 0.5 }), 'head'], ['adam']] }),
  ])('keep their slots (%#)', async (make) => {
    const own = model('own')
    own.compile({ optimizer: make(), loss: 'mse' })
    const [encoder, head] = own.layers
    const train = async (layer: typeof encoder) => {
      encoder!.trainable = layer === encoder
      head!.trainable = layer === head
      const before = own.layers.map((each) => String(each.getWeights()))
      await own.fit(x, y, quiet)
      return own.layers.map((each, i) => String(each.getWeights()) !== before[i])
    }
    expect(await train(head)).toEqual([false, true])
    const slots = () =>
      [...own.optimizer.slots.values()]
        .flat()
        .filter(({ name }) => name.startsWith('head'))
        .map(({ value }) => String(value))
    const kept = slots()
    expect(await train(encoder)).toEqual([true, false])
    expect(slots()).toEqual(kept)
    expect(await train(head)).toEqual([false, true])
    expect(own.optimizer.iterations.value.item()).toBe(3)
  })
})

describe('options of updates in a model', () => {
  const train = async (optimizer: SGD, steps: number, batchSize: number) => {
    const own = model('own')
    own.compile({ optimizer, loss: 'mse' })
    await own.fit(x, y, { ...quiet, epochs: steps, batchSize })
    return own
  }

  it('accumulated gradients of two halves equal those of the whole', async () => {
    const halves = await train(new SGD({ learningRate: 0.5, gradientAccumulationSteps: 2 }), 3, 2)
    const whole = await train(new SGD({ learningRate: 0.5 }), 3, 4)
    halves.getWeights().forEach(({ data }, i) => expectNear(data, whole.getWeights()[i]!.data, `weight ${i}`))
    expect(halves.optimizer.iterations.value.item()).toBe(3)
  })

  it('are saved in the middle of accumulation', async () => {
    const own = await train(
      new SGD({ learningRate: 0.5, gradientAccumulationSteps: 4, useEma: true, emaMomentum: 0.5 }),
      3,
      2,
    )
    const copy = await loadModel(await own.save())
    for (const each of [own, copy]) await each.fit(x, y, { ...quiet, epochs: 2, batchSize: 2 })
    expect(copy.getWeights().map(String)).toEqual(own.getWeights().map(String))
  })

  it('lossScaleFactor changes only rounding', async () => {
    const [scaled, plain] = [
      await train(new SGD({ learningRate: 0.5, lossScaleFactor: 64 }), 3, 4),
      await train(new SGD({ learningRate: 0.5 }), 3, 4),
    ]
    scaled.getWeights().forEach(({ data }, i) => expectNear(data, plain.getWeights()[i]!.data, `weight ${i}`))
  })

  it('useEma replaces the weights by their average when fit ends', async () => {
    const optimizer = new SGD({ learningRate: 0.5, useEma: true, emaMomentum: 0.5 })
    const own = await train(optimizer, 3, 4)
    expect(own.getWeights().map(String)).toEqual(optimizer.slots.get('average')!.map(({ value }) => String(value)))
    const plain = await train(new SGD({ learningRate: 0.5 }), 3, 4)
    expect(own.getWeights().map(String)).not.toEqual(plain.getWeights().map(String))
  })

  it('a centered RMSprop with a constant gradient is finite, although its variance is 0', () => {
    const variable = new Variable(tensor([0, 0, 0, 0, 0]), { name: 'v' })
    const optimizer = new RMSprop({ centered: true, learningRate: 0.5 })
    const step = jit((gradient: Tensor) => (optimizer.apply([gradient], [variable]), ops.zeros([])))
    for (let i = 0; i < 200; i++) step([1e4, 3333.3, 1e6, 12345.678, 1e9])
    expect(valuesOf([variable]).flat().every(Number.isFinite)).toBe(true)
  })

  it('an optimizer works without a trace, too', () => {
    const variable = new Variable(tensor([3]), { name: 'v' })
    const optimizer = new SGD({ learningRate: 0.25 })
    for (let i = 0; i < 3; i++) optimizer.apply([grad((v) => ops.sum(ops.square(v)))(variable.value)], [variable])
    expect(variable.value.item()).toBe(3 / 8)
  })
})
