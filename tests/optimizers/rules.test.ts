// The slots and the execution of rules: slots of other shapes, scalars, separate weights, instructions.
// rules.golden.test.ts has the formulas.
import { describe, expect, it } from 'vitest'
import {
  Adadelta,
  Adafactor,
  Adagrad,
  Adam,
  Adamax,
  Dense,
  Ftrl,
  Lamb,
  Lion,
  MultiOptimizer,
  Muon,
  Nadam,
  Optimizer,
  ScheduleFreeAdamW,
  Sequential,
  Variable,
  jit,
  loadModel,
  ops,
  optimizers,
  runtimeInfo,
  schedules,
  tensor,
  disassemble,
  type OptimizerOptions,
  type Slot,
  type UpdateInput,
  type UpdateResult,
} from '../../src'
import { ContinualBackprop } from '../../src/entries/balance'
import { pruneUnits } from '../../src/entries/thrift'
import { expectNear } from '../helpers/golden'

const quiet = { verbose: 0, shuffle: false } as const
const x = ops.reshape(ops.sin(ops.cast(tensor(Int32Array.from({ length: 32 }, (_, i) => i * i)), 'float32')), [8, 4])
const y = ops.slice(x, [0, 0], [8, 1])

function model(optimizer: Optimizer | string): Sequential {
  const made = new Sequential([
    new Dense({ units: 6, inputShape: [4], activation: 'tanh', name: 'hidden' }),
    new Dense({ units: 3, activation: 'tanh', name: 'narrow' }),
    new Dense({ units: 1, name: 'out' }),
  ])
  made.compile({ optimizer, loss: 'mse' })
  return made
}

const train = (own: Sequential, steps: number) => {
  for (let i = 0; i < steps; i++) own.trainOnBatch(x, y)
}
const weightsOf = (own: Sequential) => own.getWeights().map(String)
/** The instructions of the update, by opcode. */
const instructions = (optimizer: Optimizer): string[] => {
  const own = model(optimizer)
  train(own, 1)
  return [...disassemble(own).values()][0]!
    .split('\n')
    .flatMap((line) => /^ *\d+ +(\w+) +optimizer: /.exec(line)?.[1] ?? [])
}

const makers: [string, (options?: OptimizerOptions) => Optimizer][] = [
  ['Adadelta', (options) => new Adadelta({ learningRate: 1, ...options })],
  ['Adafactor', (options) => new Adafactor({ learningRate: 0.1, ...options })],
  ['Adagrad', (options) => new Adagrad({ learningRate: 0.1, ...options })],
  ['Adamax', (options) => new Adamax({ learningRate: 0.1, ...options })],
  ['Ftrl', (options) => new Ftrl({ learningRate: 0.1, ...options })],
  ['Lamb', (options) => new Lamb({ learningRate: 0.1, ...options })],
  ['Lion', (options) => new Lion({ learningRate: 0.01, ...options })],
  ['Muon', (options) => new Muon({ learningRate: 0.1, ...options })],
  ['Nadam', (options) => new Nadam({ learningRate: 0.1, ...options })],
  ['ScheduleFreeAdamW', (options) => new ScheduleFreeAdamW({ learningRate: 0.1, ...options })],
]

describe.each(makers)('%s', (name, make) => {
  it('lowers the loss; is registered by name', async () => {
    const own = model(make())
    const { history } = await own.fit(x, y, { ...quiet, epochs: 30 })
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]!)
    expect(model(name.toLowerCase()).optimizer).toBeInstanceOf(make().constructor)
  })

  it('continues unchanged after loading, also in the middle of accumulation', async () => {
    const own = model(make({ gradientAccumulationSteps: 3, useEma: true }))
    train(own, 7)
    const copy = (await loadModel(await own.save())) as Sequential
    const state = ({ optimizer }: Sequential) => optimizer.variables.map(({ value }) => String(value))
    expect(state(copy)).toEqual(state(own))
    for (const each of [own, copy]) train(each, 5)
    expect(weightsOf(copy)).toEqual(weightsOf(own))
    expect(state(copy)).toEqual(state(own))
  })

  it('does the same with groups of equal settings, and as one of several', () => {
    const alone = model(make())
    const others = [
      model(make({ groups: [{ match: 'narrow/bias' }, { match: 'narrow' }] })),
      model(new MultiOptimizer({ optimizers: [[make(), 'hidden'], [make()]] })),
    ]
    for (const each of others) each.setWeights(alone.getWeights())
    for (const each of [alone, ...others]) train(each, 4)
    for (const each of others)
      each.getWeights().forEach(({ data }, i) => expectNear(data, alone.getWeights()[i]!.data, `weight ${i}`, 1e-6))
  })

  it('leaves weights unchanged at a learning rate of 0, and continues from there', () => {
    const own = model(make())
    own.optimizer.learningRate = 0
    const before = weightsOf(own)
    train(own, 3)
    expect(weightsOf(own)).toEqual(before)
    own.optimizer.learningRate = 0.01
    train(own, 1)
    expect(weightsOf(own)).not.toEqual(before)
    expect(
      own
        .getWeights()
        .flatMap(({ data }) => Array.from(data))
        .every(Number.isFinite),
    ).toBe(true)
  })

  it('is finite for gradients that are 0, huge and tiny', () => {
    const weights = [
      new Variable(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        { name: 'w' },
      ),
      new Variable(tensor([1, -1]), { name: 'b' }),
    ]
    const optimizer = make()
    const step = jit((a, b) => (optimizer.apply([a, b], weights), ops.zeros([])))
    for (const size of [0, 1, 2 ** 63, 1e-30, 0]) {
      step(
        [
          [size, size, 0],
          [0, 0, 0],
        ],
        [size, 0],
      )
      expect(weights.flatMap(({ view }) => [...view]).every(Number.isFinite), `size ${size}`).toBe(true)
    }
  })
})

describe('Ftrl', () => {
  it('sets a weight without a gradient to 0 and not NaN, whatever its initial sums', () => {
    for (const initialAccumulatorValue of [0, 0.1]) {
      const weight = new Variable(tensor([1, 1]), { name: 'w' })
      new Ftrl({ learningRate: 0.1, initialAccumulatorValue }).apply([tensor([0, 1])], [weight])
      expect(weight.view[0]).toBe(0)
      expect(weight.view[1]).toBeLessThan(1)
    }
  })
})

describe('instructions', () => {
  it
    .skipIf(runtimeInfo().backend === 'interpreter' || runtimeInfo().fuse === false)
    .each<[string, () => Optimizer, number]>([
      // The number of instructions that update weights, and one for scalars; that of Ftrl is guarded.
      ['Adadelta', () => new Adadelta(), 1],
      ['Adagrad', () => new Adagrad(), 1],
      ['Lion', () => new Lion(), 1],
      ['Ftrl', () => new Ftrl(), 2],
      ['Adamax', () => new Adamax(), 2],
      ['ScheduleFreeAdamW', () => new ScheduleFreeAdamW(), 4],
    ])('%s has one for all weights', (_name, make, expected) => {
    expect(instructions(make()).filter((name) => name !== 'Guard')).toEqual(
      Array.from({ length: expected + 1 }, () => 'Chain'),
    )
  })

  it.skipIf(runtimeInfo().backend === 'interpreter')('Muon updates all weights that are not matrices with one', () => {
    const own = instructions(new Muon({ excludeLayers: ['out'] }))
    expect(own.filter((each) => each === 'Adam')).toHaveLength(1)
    expect(own.filter((each) => each === 'Gemm')).toHaveLength(2 * 5 * 3)
  })
})

describe('slots', () => {
  it('are rows and columns of matrices with Adafactor, of larger weights those of the last two axes', () => {
    const weights = [
      new Variable([2, 3], { name: 'w' }),
      new Variable([3], { name: 'b' }),
      new Variable([5, 4, 2, 3], { name: 'f' }),
    ]
    const optimizer = new Adafactor({ useEma: true })
    optimizer.build(weights)
    expect(optimizer.variables.slice(2).map(({ name, shape }) => `${name} [${shape.join()}]`)).toEqual([
      'w/average [2,3]',
      'b/average [3]',
      'f/average [5,4,2,3]',
      'w/rows [2]',
      'f/rows [5,4,2]',
      'w/columns [3]',
      'f/columns [5,4,3]',
      'b/variance [3]',
    ])
  })

  it('start as the rule defines, also for weights that are added later', () => {
    const [a, b] = [new Variable([2], { name: 'a' }), new Variable([2], { name: 'b' })]
    const optimizer = new Adagrad({ initialAccumulatorValue: 0.5 })
    optimizer.build([a])
    optimizer.build([a, b])
    expect(optimizer.slots.get('accumulator')!.map(({ view }) => [...view])).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ])
  })

  it('include a scalar with Nadam that changes once per update, however weights are grouped', () => {
    const own = model(new Nadam({ groups: [{ match: 'narrow', learningRate: 0.1 }] }))
    train(own, 2)
    const at = (t: number) => 0.9 * (1 - 0.5 * 0.96 ** t)
    const product = own.optimizer.variables.find(({ name }) => name === 'momentumProduct')!
    expect(product.value.item()).toBeCloseTo(at(1) * at(2), 6)
  })

  it('of removed units are removed: rows and columns are sliced along', async () => {
    const own = model(new Adafactor({ learningRate: 0.1 }))
    await own.fit(x, y, { ...quiet, epochs: 3 })
    const small = (await pruneUnits(own, { keep: 0.5 })) as unknown as Sequential
    const [kernel, , next] = small.weights
    const units = [0, 1, 2].map((unit) =>
      [...Array(6).keys()].find((each) => own.weights[0]!.view[each] === kernel!.view[unit])!,
    )
    const slot = ({ optimizer, weights }: Sequential, i: number, kind: string) => [
      ...optimizer.slotsOf(weights[i]!).get(kind)!.view,
    ]
    expect(next!.shape).toEqual([3, 2])
    expect(slot(small, 0, 'columns')).toEqual(units.map((unit) => slot(own, 0, 'columns')[unit]))
    expect(slot(small, 0, 'rows')).toEqual(slot(own, 0, 'rows'))
    expect(slot(small, 2, 'rows')).toEqual(units.map((unit) => slot(own, 2, 'rows')[unit]))
    expect(slot(small, 1, 'variance')).toEqual(units.map((unit) => slot(own, 1, 'variance')[unit]))
    train(small, 3)
  })

  it.each([new Adagrad(), new Adafactor()])('of reinitialized units are as at the start (%#)', async (optimizer) => {
    const own = model(optimizer)
    await own.fit(x, y, {
      ...quiet,
      callbacks: [new ContinualBackprop({ replacementRate: 1, maturity: 0, layers: ['hidden'] })],
    })
    const slots = [...optimizer.slotsOf(own.weights[0]!)].map(([kind, { view }]) => [kind, new Set(view)] as const)
    if (optimizer instanceof Adagrad) return expect(slots).toEqual([['accumulator', new Set([Math.fround(0.1)])]])
    // Rows are inputs, columns are units.
    expect(slots[1]).toEqual(['columns', new Set([0])])
    expect([...slots[0]![1]].every((value) => value > 0)).toBe(true)
  })
})

describe('Muon', () => {
  const weights = () =>
    [
      ['dense/kernel', [2, 3]],
      ['dense/bias', [3]],
      ['Embedding/embeddings', [4, 2]],
      ['output/kernel', [3, 2]],
    ].map(([name, shape]) => new Variable(shape as number[], { name: name as string }))
  const matrices = (optimizer: Muon) => {
    const all = weights()
    optimizer.build(all)
    return all.filter((weight) => optimizer.slotsOf(weight).has('momentum')).map(({ name }) => name)
  }

  it('applies to matrices that are not excluded', () => {
    expect(matrices(new Muon())).toEqual(['dense/kernel', 'output/kernel'])
    expect(matrices(new Muon({ excludeEmbeddings: false }))).toEqual([
      'dense/kernel',
      'Embedding/embeddings',
      'output/kernel',
    ])
    expect(matrices(new Muon({ excludeLayers: ['^out.ut'] }))).toEqual(['dense/kernel'])
    expect(matrices(new Muon({ excludeLayers: [/DENSE/i, ({ shape }) => shape[0] === 3] }))).toEqual([])
  })

  it('is saved with its exclusions', () => {
    const own = new Muon({ excludeLayers: ['^out', /a/i] })
    const again = new Muon(JSON.parse(JSON.stringify(own.getConfig())))
    expect(again.excludeLayers).toEqual(['^out', /a/i])
    expect(() => new Muon({ excludeLayers: ['('] })).toThrow(
      "Muon: excludeLayers[0] must be a regular expression, received '('",
    )
    expect(() => new Muon({ excludeLayers: [5 as never] })).toThrow(
      "excludeLayers[0] must be a part of a weight's name",
    )
  })
})

/**
 * Steps along the gradient's direction, each a little shorter; keeps the initial value of a weight and the size of each
 * row.
 */
class Shrinking extends Optimizer {
  static readonly className = 'Shrinking'

  protected declareSlots(): readonly (string | Slot)[] {
    return ['seen', { name: 'first', start: 'weight' }, { name: 'sizes', axes: [0], start: 2 }]
  }

  protected override seesApart({ shape }: Variable): boolean {
    return shape.length === 2
  }

  protected override declareScalars() {
    return { scale: 1 }
  }

  protected override advance([scale]: readonly [ReturnType<typeof ops.ones>]) {
    return [ops.multiply(scale, 0.5)]
  }

  protected update({
    parameters,
    gradient,
    learningRate,
    scalars: [scale],
    slots: [seen, first, sizes],
  }: UpdateInput): UpdateResult {
    const isMatrix = parameters.rank === 2
    const direction = isMatrix ? ops.divide(gradient, ops.norm(gradient)) : gradient
    const rows = isMatrix ? ops.add(sizes!, ops.sum(gradient, 1)) : sizes!
    return {
      parameters: ops.subtract(parameters, ops.multiply(direction, ops.multiply(learningRate, scale!))),
      slots: [ops.add(seen!, 1), first!, rows],
    }
  }
}

describe('a custom rule', () => {
  it('may keep slots of other shapes and scalars, and see weights in their shapes', () => {
    const weights = [
      new Variable(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        { name: 'w' },
      ),
      new Variable(tensor([5, 6]), { name: 'a' }),
      new Variable(tensor([7]), { name: 'b' }),
    ]
    const optimizer = new Shrinking({ learningRate: 1 })
    const step = jit(() => {
      optimizer.apply(
        [
          tensor([
            [3, 0],
            [0, 4],
          ]),
          tensor([1, 1]),
          tensor([1]),
        ],
        weights,
      )
      return ops.zeros([])
    })
    step()
    step()
    // Steps of ½ and ¼.
    expectNear(
      weights.flatMap(({ view }) => [...view]),
      [1 - 0.75 * 0.6, 2, 3, 4 - 0.75 * 0.8, 4.25, 5.25, 6.25],
      'weights',
    )
    const slots = [...optimizer.slots].map(([kind, all]) => [kind, all.map(({ value }) => value.toArray())])
    expect(slots).toEqual([
      [
        'seen',
        [
          [
            [2, 2],
            [2, 2],
          ],
          [2, 2],
          [2],
        ],
      ],
      [
        'first',
        [
          [
            [1, 2],
            [3, 4],
          ],
          [5, 6],
          [7],
        ],
      ],
      ['sizes', [[8, 10], [2, 2], [2]]],
    ])
    expect(optimizer.scalars.at(-1)!.value.item()).toBe(0.25)
  })
})

describe('options', () => {
  it.each<[() => unknown, string]>([
    [
      () => new Adagrad({ initialAccumulatorValue: -1 }),
      'Adagrad: initialAccumulatorValue must be a finite number ≥ 0',
    ],
    [() => new Adadelta({ rho: 1 }), 'rho must be a finite number in [0, 1)'],
    [() => new Lion({ beta1: 0 }), 'beta1 must be a finite number in (0, 1]'],
    [() => new Nadam({ beta2: -1 }), 'Nadam: beta2'],
    [() => new Adamax({ epsilon: -1 }), 'Adamax: epsilon'],
    [() => new Lamb({ beta3: 1 } as never), "Did you mean 'beta1'?"],
    [() => new Ftrl({ learningRatePower: 0.5 }), 'learningRatePower must be a finite number ≤ 0'],
    [() => new Ftrl({ l1RegularizationStrength: -0.5 }), 'l1RegularizationStrength'],
    [() => new Adafactor({ beta2Decay: 0.8 }), 'beta2Decay must be a finite number ≤ 0'],
    [() => new Adafactor({ clipThreshold: 0 }), 'clipThreshold must be a finite number > 0'],
    [() => new Muon({ nsSteps: 0 }), 'nsSteps must be an integer ≥ 1'],
    [() => new Muon({ rmsRate: -1 }), 'rmsRate'],
    [() => new Adam({ clipnorm: 1, clipvalue: 1 }), 'only one of'],
    [() => new Lamb({ clipnorm: 1, clipvalue: 1 }), 'only one of'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })

  it('take Keras’s spellings and are written as they were read', () => {
    const own = new Ftrl({ l2_shrinkage_regularization_strength: 0.5, learning_rate_power: -0.25 } as never)
    expect(own).toMatchObject({ l2ShrinkageRegularizationStrength: 0.5, learningRatePower: -0.25 })
    expect(new Adafactor({ beta_2_decay: -0.5, epsilon_1: 0 } as never)).toMatchObject({
      beta2Decay: -0.5,
      epsilon1: 0,
    })
    for (const [, make] of makers) {
      const { constructor } = make()
      const again: unknown = Reflect.construct(constructor, [JSON.parse(JSON.stringify(make().getConfig()))])
      expect((again as Optimizer).getConfig()).toEqual(make().getConfig())
    }
  })

  it('are in namespaces, too', () => {
    expect(optimizers.Muon).toBe(Muon)
    expect(Object.keys(schedules)).toContain('PolynomialDecay')
  })
})
