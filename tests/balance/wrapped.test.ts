// Units of both directions of a Bidirectional, and of layers in a TimeDistributed: measured, reinitialized, balanced.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import {
  Bidirectional,
  Dense,
  GRU,
  initializers,
  LSTM,
  SGD,
  Sequential,
  TimeDistributed,
  ops,
  setRandomSeed,
  tensor,
  type CallbackMethods,
  type Layer,
  type Tensor,
} from '../../src'
import { ContinualBackprop, ReDo, UnitHealth, balanceSynapses, type LayerHealth } from '../../src/entries/balance'

beforeEach(() => setRandomSeed(5))

const x = tensor(
  Float32Array.from({ length: 48 }, (_, i) => Math.sin(1.3 * i)),
  [4, 6, 2],
)
const y = ops.zeros([4, 1])

/** One step without training, of a model that ends in a Dense of one unit. */
async function step(layers: readonly Layer[], callbacks: CallbackMethods[]): Promise<Sequential> {
  const model = new Sequential([...layers, new Dense({ units: 1, name: 'out' })] as never)
  model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' })
  await model.fit(x, y, { batchSize: 4, verbose: 0, callbacks })
  return model
}
const both = (options: object = {}): Layer =>
  new Bidirectional({ layer: new LSTM({ units: 3 }), inputShape: [6, 2], name: 'both', ...options }) as never
const each = (options: object): Layer[] =>
  [
    new TimeDistributed({ layer: new Dense({ units: 4, ...options }), inputShape: [6, 2], name: 'each' }),
    new GRU({ units: 2, name: 'gru' }),
  ] as never
const outputsOf = (model: Sequential): Tensor => model.layers[0]!.apply(x as never) as Tensor
const sizes = (values: ArrayLike<number>): number[] => Array.from(values, Math.abs)
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

describe('units of a Bidirectional', () => {
  const healthOf = async (options: object): Promise<[LayerHealth, Sequential]> => {
    const health = new UnitHealth({ every: 1 })
    const model = await step([both(options)], [health])
    expect(Object.keys(health.leftOut)).toEqual(['out'])
    return [health.health[0]!.layers[0]!, model]
  }

  it.each(['concat', 'sum', 'ave', 'mul'])('are measured in both directions, merged by %s', async (mergeMode) => {
    const [found, model] = await healthOf({ mergeMode })
    expect(found).toMatchObject({ layer: 'both', units: 3, dead: 0 })
    expect(found.activity).toBeCloseTo(mean(sizes(outputsOf(model).data)), 6)
    // The sum of two units in −1 … 1 has other limits.
    expect(found.saturated).toBe(mergeMode === 'sum' ? null : 0)
  })

  it('have one utility, from all their outputs and all outgoing weights', async () => {
    const callback = new ContinualBackprop({ replacementRate: 0 })
    const model = await step([both()], [callback])
    const [given, out] = [sizes(outputsOf(model).data), sizes(model.getLayer('out').weights[0]!.view)]
    // The weights by which other units of the same direction use a unit.
    const recurrent = model.layers[0]!.weights.filter(({ name }) => name.endsWith('recurrent_kernel')).map(({ view }) =>
      sizes(view),
    )
    const expected = [0, 1, 2].map((unit) => {
      const activity = mean(given.filter((_, i) => i % 3 === unit))
      const strength =
        out[unit]! +
        out[3 + unit]! +
        recurrent.flatMap((all) => all.slice(12 * unit, 12 * unit + 12)).reduce((a, b) => a + b)
      return activity * strength
    })
    callback.utilities['both']!.forEach((utility, unit) => expect(utility).toBeCloseTo(expected[unit]!, 5))
  })

  it('are reinitialized in both directions', async () => {
    const callback = new ReDo({ every: 1, threshold: 0.1 })
    const silent = {
      kernelInitializer: 'zeros',
      biasInitializer: 'zeros',
      recurrentInitializer: 'zeros',
      unitForgetBias: false,
    }
    const layer = both({ layer: new LSTM({ units: 3, ...silent }) })
    const model = await step([layer], [callback])
    expect(callback.replaced).toEqual({ both: 3 })
    expect([...model.getLayer('out').weights[0]!.view]).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('units of a TimeDistributed layer', () => {
  it('are measured, including saturation', async () => {
    const health = new UnitHealth({ every: 1 })
    await step(each({ activation: 'tanh', biasInitializer: 'ones', kernelInitializer: 'zeros' }), [health])
    expect(health.health[0]!.layers[0]).toMatchObject({
      layer: 'each',
      units: 4,
      saturated: 0,
      activity: expect.closeTo(Math.tanh(1), 6),
    })
    const full = new UnitHealth({ every: 1 })
    await step(
      each({ activation: 'tanh', biasInitializer: new initializers.Constant(9), kernelInitializer: 'zeros' }),
      [full],
    )
    expect(full.health[0]!.layers[0]!.saturated).toBe(1)
  })

  it('are reinitialized', async () => {
    const callback = new ReDo({ every: 1, layers: ['each'] })
    const model = await step(each({ activation: 'relu', kernelInitializer: 'zeros' }), [callback])
    expect(callback.replaced['each']).toBe(4)
    expect([...model.getLayer('gru').weights[0]!.view].every((value) => value === 0)).toBe(true)
  })

  it('are balanced if homogeneous, and not with tanh', () => {
    const model = (activation: string): Sequential =>
      new Sequential([
        new TimeDistributed({ layer: new Dense({ units: 4, activation }), inputShape: [6, 2], name: 'each' }),
        new Dense({ units: 5, activation: 'relu', name: 'wide' }),
        new Dense({ units: 1, name: 'out' }),
      ])
    const relu = model('relu')
    relu.layers[0]!.weights[0]!.view.forEach((value, i, view) => (view[i] = 3 * value))
    const before = [...(relu.predictOnBatch(x) as Tensor).data]
    const balanced = balanceSynapses(relu)
    expect(balanced.layers).toEqual(['each', 'wide'])
    expect(balanced.after).toBeLessThan(balanced.before)
    ;[...(relu.predictOnBatch(x) as Tensor).data].forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 5))
    expect(balanceSynapses(model('tanh')).left).toMatchObject({
      each: 'TimeDistributed "each" is not homogeneous: f(c x) ≠ c f(x)',
    })
  })
})
