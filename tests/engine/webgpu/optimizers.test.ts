// Every optimizer with its options, and every schedule, on the GPU: the rows of the tables that are compared with Keras, with weights of
// several shapes. The gradients are exactly those of the tables, so only the optimizers compute.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Adam,
  Input,
  Layer,
  LossScaleOptimizer,
  Model,
  MultiOptimizer,
  RMSprop,
  SGD,
  ops,
  tensor,
  type BatchShape,
  type Optimizer,
  type Tensor,
} from '../../../src'
import { getOptimizer, optimizers } from '../../../src/optimizers/registry'
import type { Described, FixtureTensor, OptimizersFile, RulesFile } from '../../golden/format'
import { readFixture, serialized } from '../../helpers/golden'
import { compareBoth, expectOnGpu, stateOf, web, type Outcome } from './both'

const rules = readFixture<RulesFile>('rules')
const others = readFixture<OptimizersFile>('optimizers')
const { schedules: oneCycles } = readFixture<Pick<OptimizersFile, 'schedules'>>('one-cycle')

interface Weights {
  readonly names: readonly string[]
  readonly parameters: readonly FixtureTensor[]
  /** For each step, those of all weights. */
  readonly gradients: readonly (readonly FixtureTensor[])[]
}

/** The sum of the products of its inputs and its weights, so that the gradient of each weight is its input. */
class Products extends Layer<Tensor[]> {
  constructor(private readonly of: Weights) {
    super()
  }
  override build(_shapes: readonly BatchShape[]): void {
    const { names, parameters } = this.of
    parameters.forEach(({ shape, data }, i) =>
      this.addWeight({ name: names[i]!, shape, initializer: () => tensor([...data], [...shape]) }),
    )
  }
  override call(inputs: Tensor[]): Tensor {
    const products = inputs.map((input, i) => ops.sum(ops.multiply(input, this.weights[i]!)))
    return ops.reshape(
      products.reduce((sum, each) => ops.add(sum, each)),
      [1, 1],
    )
  }
  override computeOutputShape([first]: readonly BatchShape[]): BatchShape {
    return [first![0]!, 1]
  }
}

/** The weights after a step for each row of gradients, and the optimizer's variables. */
async function trained(of: Weights, optimizer: Optimizer): Promise<Outcome> {
  const inputs = of.parameters.map(({ shape }) => Input({ shape: [...shape] }))
  const model = new Model({ inputs, outputs: new Products(of).apply(inputs) })
  model.compile({ optimizer, loss: (_y, product) => product })
  const steps = of.gradients.length
  const x = of.parameters.map(({ shape }, i) =>
    tensor(
      of.gradients.flatMap((gradients) => [...gradients[i]!.data]),
      [steps, ...shape],
    ),
  )
  const history = await model.fit(x, ops.zeros([steps, 1]), { batchSize: 1, shuffle: false, verbose: 0 })
  const outcome = { ...stateOf(model), loss: history.history['loss']! }
  model.dispose()
  return outcome
}

/** An optimizer with the weights that it updates. */
type Row = readonly [title: string, of: Weights, make: () => Optimizer]

const rulesRow = (title: string, make: () => Optimizer): Row => [title, rules, make]
/** The steps that the tables compare. */
const first = (of: Weights, { length }: readonly unknown[]): Weights => ({
  ...of,
  gradients: of.gradients.slice(0, length),
})
const named: Weights = { ...others, names: others.parameters.map((_, i) => `v${i}`) }
const described = (optimizer: Described, exclude?: readonly string[]): Optimizer => {
  const made = getOptimizer(serialized(optimizer))
  if (exclude !== undefined) made.excludeFromWeightDecay({ names: [...exclude] })
  return made
}

const rows: readonly Row[] = [
  ...rules.cases.map(({ name, optimizer, exclude, steps }): Row => [
    name,
    first(rules, steps),
    () => described(optimizer, exclude),
  ]),
  ...others.cases.map(({ name, optimizer, exclude, steps }): Row => [
    name,
    first(named, steps),
    () => described(optimizer, exclude),
  ]),
  ...[...others.schedules, ...oneCycles].map(({ name, schedule }) =>
    rulesRow(`SGD with the schedule ${name}`, () => described({ class: 'SGD', config: { learningRate: schedule } })),
  ),
  rulesRow('LossScaleOptimizer', () => new LossScaleOptimizer(new SGD({ learningRate: 0.1, momentum: 0.9 }), 16)),
  rulesRow(
    'MultiOptimizer',
    () => new MultiOptimizer({ optimizers: [[new RMSprop(0.01), 'kernel'], [new Adam(0.1)]] }),
  ),
  rulesRow(
    'groups of weights',
    () =>
      new Adam({
        learningRate: 0.1,
        groups: [
          { match: 'bias', learningRate: 0.01 },
          { match: 'kernel', weightDecay: 0.2 },
        ],
      }),
  ),
]

it('has a row for every optimizer', () => {
  const made = new Set(rows.map(([, , make]) => make().constructor))
  expect(Object.values(optimizers.all).filter((each) => !made.has(each))).toEqual([])
})

describe.skipIf(web === null)('on the GPU', () => {
  it.each(rows)('%s', async (_title, of, make) => {
    expectOnGpu(await compareBoth(() => trained(of, make())))
  })
})
