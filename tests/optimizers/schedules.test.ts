// Functions as learning rates, and errors of schedules. golden.test.ts has their values.
import { describe, expect, it } from 'vitest'
import {
  Adam,
  ArgumentError,
  CosineDecayRestarts,
  Dense,
  InverseTimeDecay,
  LambdaSchedule,
  NonFiniteError,
  OneCycle,
  PolynomialDecay,
  SGD,
  Sequential,
  StateError,
  Variable,
  jit,
  loadModel,
  ops,
  tensor,
  type Tensor,
} from '../../src'
import { pruneUnits } from '../../src/entries/thrift'
import { expectNear } from '../helpers/golden'
import { errorOf } from '../helpers/training'

const halving = (step: Tensor) => ops.power(0.5, ops.cast(step, 'float32'))
const x = [
  [1, 2],
  [3, 4],
]
const y = [[1], [0]]

function model(optimizer: SGD | Adam): Sequential {
  const made = new Sequential([new Dense({ units: 1, inputShape: [2], kernelInitializer: 'ones', name: 'out' })])
  made.compile({ optimizer, loss: 'mse' })
  return made
}

describe('a function as learning rate', () => {
  it('is traced into the step and reported by learningRate', () => {
    const weight = new Variable(tensor([10]), { name: 'w' })
    let calls = 0
    const optimizer = new SGD({ learningRate: (step) => (calls++, halving(step)) })
    const step = jit(() => (optimizer.apply([tensor([1])], [weight]), ops.zeros([])))
    for (let i = 0; i < 4; i++) step()
    expectNear(weight.view, [10 - 1 - 0.5 - 0.25 - 0.125], 'weight')
    expect(calls).toBe(1)
    expect(optimizer.learningRate).toBe(0.0625)
    expect(() => (optimizer.learningRate = 1)).toThrow(StateError)
  })

  it('may belong to a group, and may return a number', () => {
    const [a, b] = [new Variable(tensor([1]), { name: 'a' }), new Variable(tensor([1]), { name: 'b' })]
    const optimizer = new SGD({ learningRate: 0.5, groups: [{ match: 'a', learningRate: () => 0.25 }] })
    optimizer.apply([tensor([1]), tensor([1])], [a, b])
    expect([a.view[0], b.view[0]]).toEqual([0.75, 0.5])
  })

  it('is saved by name, as an argument and as a LambdaSchedule', async () => {
    for (const learningRate of [halving, new LambdaSchedule(halving)]) {
      const own = model(new Adam({ learningRate }))
      own.trainOnBatch(x, y)
      const bytes = await own.save()
      expect((await errorOf(() => loadModel(bytes))).message).toContain(
        "Unknown function 'halving' that is a learning rate",
      )
      const copy = await loadModel(bytes, { customObjects: { halving } })
      expect(copy.optimizer.getConfig()['learningRate']).toEqual({
        className: 'LambdaSchedule',
        config: { schedule: 'halving', name: null },
      })
      for (const each of [own, copy]) each.trainOnBatch(x, y)
      expect(copy.getWeights().map(String)).toEqual(own.getWeights().map(String))
    }
    const nameless = model(new SGD({ learningRate: [() => 0.5][0]! }))
    expect((await errorOf(() => nameless.save())).message).toContain(
      'A function without a name that is a learning rate cannot be saved',
    )
  })

  it('must return a scalar', () => {
    const train = (learningRate: never) => () =>
      new SGD({ learningRate }).apply([tensor([1])], [new Variable([1], { name: 'w' })])
    expect(train((() => tensor([1, 2])) as never)).toThrow(
      'LambdaSchedule: the function must return a scalar, received shape [2]',
    )
    expect(train((() => 'fast') as never)).toThrow("LambdaSchedule: the function must return a scalar, received 'fast'")
    expect(() => new LambdaSchedule(5 as never)).toThrow(
      'LambdaSchedule: schedule must be a function that is a learning rate, received 5',
    )
    expect(() => new SGD({ learningRate: OneCycle as never })).toThrow('Pass an instance: new OneCycle()')
  })

  it('written inline has only the name of its option, and is not saved', async () => {
    const own = model(new SGD({ learningRate: (step) => ops.divide(1, ops.add(ops.cast(step, 'float32'), 1)) }))
    expect((await errorOf(() => own.save())).message).toContain(
      'A function without a name that is a learning rate cannot be saved',
    )
  })

  it.each([NaN, Infinity, 1e16])('that returns %s ends a step before any update', async (rate) => {
    const weight = () => new Variable([2], { name: 'w' })
    const sgd = new SGD({ learningRate: (step) => ops.where(ops.equal(step, 1), rate, 0.5), groups: [] })
    const own = model(sgd)
    own.trainOnBatch(x, y)
    const before = own.getWeights().map(String)
    expect(await errorOf(() => own.fit(x, y, { verbose: 0 }))).toBeInstanceOf(NonFiniteError)
    expect(own.getWeights().map(String)).toEqual(before)
    expect(sgd.iterations.view[0]).toBe(1)
    const [eager, traced] = [weight(), weight()]
    expect(() => new SGD({ learningRate: () => rate }).apply([[1, 1]] as never, [eager])).toThrow(NonFiniteError)
    const inJit = new SGD({ learningRate: () => rate })
    const step = jit((g) => (inJit.apply([g], [traced]), ops.sum(g)))
    expect(() => step([1, 1])).toThrow(NonFiniteError)
    for (const each of [eager, traced]) expect([...each.view]).toEqual([0, 0])
  })

  it("may have the name of a schedule's option", () => {
    const schedule = (step: Tensor) => halving(step)
    expect(new SGD({ learningRate: schedule }).getConfig()['learningRate']).toEqual({
      className: 'LambdaSchedule',
      config: { schedule: 'schedule', name: null },
    })
  })

  it('is kept by a smaller model, too', async () => {
    const own = new Sequential([new Dense({ units: 4, inputShape: [2], name: 'hidden' }), new Dense({ units: 1 })])
    own.compile({
      optimizer: new SGD({
        learningRate: (step) => halving(step),
        groups: [{ match: 'hidden', learningRate: () => 0.25 }],
      }),
      loss: 'mse',
    })
    own.trainOnBatch(x, y)
    const nameless = await pruneUnits(own, { keep: 0.5 })
    // Each is restored as itself, although both are called learningRate.
    expect([
      nameless.optimizer.learningRate,
      nameless.optimizer.groups[0]!.rate?.schedule?.call(tensor(0)).item(),
    ]).toEqual([0.5, 0.25])
    own.compile({
      optimizer: new SGD({
        learningRate: halving,
        groups: [{ match: 'hidden', learningRate: new LambdaSchedule(halving) }],
      }),
      loss: 'mse',
    })
    own.trainOnBatch(x, y)
    const small = await pruneUnits(own, { keep: 0.5 })
    expect([small.optimizer.learningRate, small.optimizer.groups[0]!.learningRate]).toEqual([
      0.5,
      expect.any(LambdaSchedule),
    ])
  })
})

describe('schedules', () => {
  const at = (schedule: { call(step: Tensor): Tensor }, ...steps: number[]) =>
    steps.map((step) => schedule.call(tensor({ data: Int32Array.of(step), shape: [] })).item())

  it('restart exactly when they should', () => {
    for (const [tMul, firstDecaySteps] of [
      [2, 10],
      [3, 7],
      [1.5, 8],
      [2, 1000],
    ] as const) {
      const schedule = new CosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps, tMul })
      let start = 0
      for (let i = 0; i < 5; i++) {
        expectNear(
          at(schedule, Math.ceil(start)),
          [1],
          `tMul ${tMul}, restart ${i}`,
          Number.isInteger(start) ? 1e-4 : 0.1,
        )
        start += firstDecaySteps * tMul ** i
        expect(at(schedule, Math.ceil(start) - 1)[0]).toBeLessThan(0.3)
      }
    }
  })

  it('are constant after their end', () => {
    expectNear(
      at(new OneCycle({ maxLearningRate: 1, totalSteps: 10 }), 9, 10, 1000),
      [4e-6, 4e-6, 4e-6],
      'OneCycle',
      1e-7,
    )
    expectNear(
      at(new PolynomialDecay({ initialLearningRate: 1, decaySteps: 10, endLearningRate: 0.5 }), 10, 1000),
      [0.5, 0.5],
      'PolynomialDecay',
    )
  })

  it.each<[() => unknown, string]>([
    [
      () => new OneCycle({ maxLearningRate: 1, totalSteps: 3 }),
      'OneCycle: the phases must have increasing ends; with totalSteps 3',
    ],
    [
      () => new OneCycle({ maxLearningRate: 1, totalSteps: 20, warmupFraction: 0.6, threePhase: true }),
      'they end at updates 11, 22, 19',
    ],
    [
      () => new OneCycle({ maxLearningRate: 1, totalSteps: 20, anneal: 'cos' as never }),
      "anneal must be 'cosine' or 'linear'",
    ],
    [() => new OneCycle({ totalSteps: 20 } as never), 'OneCycle: needs maxLearningRate'],
    [
      () => new PolynomialDecay({ initialLearningRate: 1, decaySteps: 0 }),
      'PolynomialDecay: decaySteps must be a finite number > 0',
    ],
    [
      () => new InverseTimeDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: -1 }),
      'decayRate must be a finite number ≥ 0',
    ],
    [
      () => new CosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1, tMul: 0.5 }),
      'tMul must be a finite number ≥ 1',
    ],
  ])('refuse %#', (make, message) => {
    expect(make).toThrow(ArgumentError)
    expect(make).toThrow(message)
  })
})
