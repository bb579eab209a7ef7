import { describe, expect, it } from 'vitest'
import {
  Adam,
  ArgumentError,
  BatchNormalization,
  Bidirectional,
  Conv2D,
  Dense,
  Flatten,
  LSTM,
  LayerNormalization,
  ReLU,
  SGD,
  Sequential,
  ops,
  setRandomSeed,
  tensor,
  type History,
  type Tensor,
} from '../../src'
import { UnitHealth } from '../../src/entries/balance'
import { effectiveRank } from '../../src/balance/unit-health'
import { plotHealth } from '../../src/entries/plot'
import { checked } from '../helpers/svg'
import { errorOf, samples, weightsOf } from '../helpers/training'

const { x, yes } = samples(40)

function network(activation = 'relu', learningRate = 0.05) {
  setRandomSeed(2)
  const model = new Sequential([
    new Dense({ units: 8, activation, inputShape: [4], name: 'first' }),
    new Dense({ units: 6, activation, name: 'second' }),
    new Dense({ units: 1, name: 'out' }),
  ])
  model.compile({ optimizer: new SGD({ learningRate }), loss: 'meanSquaredError' })
  return model
}

async function healthOf(
  model: Sequential,
  options = {},
  data: Tensor | number[][] = x,
): Promise<{ health: UnitHealth; history: History }> {
  const health = new UnitHealth({ every: 1, ...options })
  const history = await model.fit(data, yes, {
    batchSize: 10,
    epochs: 3,
    verbose: 0,
    shuffle: false,
    callbacks: [health],
  })
  return { health, history }
}

describe('UnitHealth', () => {
  it('measures dead, saturated and dormant units and their activity', async () => {
    const model = network('relu', 0)
    const hidden = model.layers[0] as Dense
    hidden.bias!.assign(tensor([0.1, 0.1, -100, 0.1, 0.1, 0.1, 0.1, 0.1]))
    const { health, history } = await healthOf(model)
    expect(history.reports.health!).toEqual(health.records)
    expect(history.reports.health!.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
    const [first, second] = history.reports.health![2]!.layers
    expect([first!.layer, first!.units, second!.layer, second!.units]).toEqual(['first', 8, 'second', 6])
    const h = ops.relu(ops.add(ops.matmul(tensor(x), hidden.kernel.value), hidden.bias!.value))
    const each = [...ops.mean(h, 0).data]
    const mean = each.reduce((a, b) => a + b) / 8
    expect(first!.dead).toBe(each.filter((value) => value === 0).length / 8)
    expect(first!.dead).toBeGreaterThanOrEqual(1 / 8)
    expect(first!.activity).toBeCloseTo(mean, 5)
    expect(first!.spread).toBeCloseTo(Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8), 5)
    const outgoing = Array.from((model.layers[1] as Dense).kernel.view)
    const worth = each.map(
      (value, i) => value * outgoing.slice(6 * i, 6 * i + 6).reduce((sum, w) => sum + Math.abs(w), 0),
    )
    const meanWorth = worth.reduce((a, b) => a + b) / 8
    expect(first!.utility).toBeCloseTo(meanWorth, 5)
    expect(first!.utilitySpread).toBeCloseTo(
      Math.sqrt(worth.reduce((sum, value) => sum + (value - meanWorth) ** 2, 0) / 8),
      5,
    )
    expect(health.table()).toMatch(/mean \|h\| +utility +rank/)
    expect(first!.dormant).toBe(each.filter((value) => value / (mean + 1e-9) <= 0.025).length / 8)
    expect(first!.saturated).toBeNull()
    expect(first!.weightNorm).toBeCloseTo(Math.hypot(...hidden.kernel.view, ...hidden.bias!.view), 3)
    expect(first!.updateNorm).toBe(0)
    // Only the rows of this epoch, whose weights are alike.
    expect(first!.rank).toBe(effectiveRank(h))
    expect(first!.rankRows).toBe(40)
    expect(JSON.parse(JSON.stringify(history)).reports.health[2].layers[0]).toEqual({ ...first })
  })

  it('measures gradients and updates', async () => {
    const model = network('tanh', 0.1)
    const before = weightsOf(model)
    const health = new UnitHealth()
    await model.fit(x, yes, { batchSize: 40, verbose: 0, callbacks: [health] })
    const after = weightsOf(model)
    const change = Math.hypot(...[0, 1].flatMap((i) => after[i]!.map((value, j) => value - before[i]![j]!)))
    const [first] = health.records[0]!.layers
    expect(first!.updateNorm).toBeCloseTo(change, 6)
    expect(first!.gradientNorm! * 0.1).toBeCloseTo(change, 6)
    expect(first!.updateRatio).toBeCloseTo(change / first!.weightNorm, 6)
  })

  it('does not change training', async () => {
    const [plain, watched] = [network(), network()]
    await plain.fit(x, yes, { batchSize: 10, epochs: 3, verbose: 0, shuffle: false })
    await healthOf(watched, { every: 2 })
    expect(weightsOf(watched)).toEqual(weightsOf(plain))
  })

  it('reports unhealthy units, and nothing else', async () => {
    const well = (await healthOf(network())).health
    expect(well.advice).toEqual([])
    const lines = well.table().split('\n')
    expect(lines.slice(3)).toEqual(['', 'Left out: out (they are an output of the model)'])

    const dead = network()
    ;(dead.layers[1] as Dense).bias!.assign(tensor(new Float32Array(6).fill(-100)))
    const { health } = await healthOf(dead)
    expect(health.records[0]!.layers[1]!.dead).toBe(1)
    // A layer whose units never fire gets no second message about gradients.
    expect(health.advice).toEqual([expect.stringMatching(/^second: 100 % of the units never fire\. Lower/)])
    expect(health.table()).toMatch(/second +6 +100 %[^]*never fire/)

    const saturated = network('tanh')
    ;(saturated.layers[0] as Dense).kernel.assign(ops.multiply((saturated.layers[0] as Dense).kernel.value, 1000))
    expect((await healthOf(saturated)).health.advice.join()).toMatch(/first: \d+ % of the units are saturated/)
    const sigmoid = network('sigmoid')
    expect((await healthOf(sigmoid)).health.advice).toEqual([])
    ;(sigmoid.layers[1] as Dense).bias!.assign(tensor(new Float32Array(6).fill(9)))
    expect((await healthOf(sigmoid)).health.advice.join()).toMatch(/second: 100 % of the units are saturated/)

    const wild = network('linear')
    wild.compile({ optimizer: new Adam({ learningRate: 1 }), loss: 'meanAbsoluteError' })
    expect((await healthOf(wild)).health.advice.join()).toMatch(/a step changes the weights by \d+ % of their norm/)
  })

  it('finds units with proportional outputs', async () => {
    const model = network('linear', 0)
    ;(model.layers[0] as Dense).kernel.assign(ops.ones([4, 8]))
    const { health } = await healthOf(model)
    expect(health.records[0]!.layers[0]!.rank).toBe(1)
    expect(health.advice.join()).toMatch(/first: all 8 units have proportional outputs/)
    expect((await healthOf(network(), { samples: 0 })).health.records[0]!.layers[0]!.rank).toBeNull()
  })

  it('shows the rank of few rows as a lower bound', async () => {
    const wide = () => {
      const model = new Sequential([
        new Dense({ units: 50, activation: 'tanh', inputShape: [40], name: 'wide' }),
        new Dense({ units: 1 }),
      ])
      model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' })
      return model
    }
    const many = new Array(400)
      .fill(0)
      .map((_, i) => Array.from({ length: 40 }, (__, j) => Math.sin(i * i + 7 * i * j)))
    const rankOf = async (count: number) => {
      const health = new UnitHealth()
      await wide().fit(many.slice(0, count), new Array(count).fill(0), {
        batchSize: count,
        verbose: 0,
        callbacks: [health],
      })
      const [layer] = health.records[0]!.layers
      return { rank: layer!.rank!, rows: layer!.rankRows, table: health.table() }
    }
    const few = await rankOf(16)
    expect(few.rows).toBe(16)
    expect(few.rank).toBeLessThanOrEqual(16)
    expect(few.table).toMatch(new RegExp(`wide .* ≥ ${few.rank} `))
    const enough = await rankOf(400)
    expect(enough.rows).toBe(200)
    expect(enough.rank).toBeGreaterThan(30)
    expect(enough.table).toMatch(new RegExp(`wide .* ${enough.rank} `))
    expect(enough.table).not.toContain('≥')
  })

  it('counts singular values to 99 % of their sum', () => {
    expect(effectiveRank(ops.eye(5))).toBe(5)
    expect(effectiveRank(ops.zeros([4, 3]))).toBe(0)
    expect(effectiveRank(ops.diag(tensor([10, 1, 0.1])) as Tensor)).toBe(2)
    expect(effectiveRank(ops.diag(tensor([10, 1, 0.2])) as Tensor)).toBe(3)
  })

  it('measures after normalisation, in convolutions and sequences, and units that cannot be exchanged', async () => {
    const images = ops.reshape(tensor(Float32Array.from({ length: 40 * 16 }, (_, i) => Math.sin(i * i))), [40, 4, 4, 1])
    const vision = new Sequential([
      new Conv2D({ filters: 3, kernelSize: 2, inputShape: [4, 4, 1], name: 'conv' }),
      new BatchNormalization(),
      new ReLU(),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    vision.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const [conv] = (await healthOf(vision, {}, images)).health.records[0]!.layers
    expect(conv!.activity).toBeGreaterThan(0.2)
    expect(conv!.rank).toBeGreaterThan(1)

    const sequences = new Sequential([
      new LSTM({ units: 4, inputShape: [2, 2], returnSequences: true, name: 'lstm' }),
      new LayerNormalization(),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    sequences.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const [lstm] = (await healthOf(sequences, {}, ops.reshape(tensor(x), [40, 2, 2]) as Tensor)).health.records[0]!
      .layers
    expect([lstm!.layer, lstm!.saturated]).toEqual(['lstm', 0])
  })

  it('measures every n steps, also with batches of one, and restarts with each fit', async () => {
    const model = network()
    const health = new UnitHealth({ every: 7 })
    for (let fit = 0; fit < 2; fit++) {
      const history = await model.fit(x, yes, { batchSize: 1, epochs: 2, verbose: 0, callbacks: [health] })
      expect(history.reports.health!).toHaveLength(2)
    }
    expect(health.records).toHaveLength(4)
    expect(health.records[3]!.layers[0]!.rank).toBeGreaterThan(1)
    expect((await model.fit(x, yes, { verbose: 0 })).reports).toEqual({})
    // Two steps per epoch: fewer than the default interval between measurements.
    const short = new UnitHealth()
    const { reports } = await model.fit(x, yes, { batchSize: 20, epochs: 3, verbose: 0, callbacks: [short] })
    expect(reports.health!.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
  })

  it('draws a picture', async () => {
    const { health } = await healthOf(network(), { layers: ['second'] })
    const svg = health.toSVG()
    expect(svg).toBe(plotHealth(health).svg)
    expect(checked(svg).descriptionText).toContain('second, dormant units')
    expect(svg).not.toContain('first')
    expect(checked(new UnitHealth().toSVG()).descriptionText).toBe('no epoch is recorded yet')
    expect(new UnitHealth().table()).toBe('No health recorded yet.')
  })

  it('lists the layers it skips, with reasons', async () => {
    expect((await healthOf(network(), { layers: ['second'] })).health.leftOut).toEqual({
      first: 'not among the chosen layers',
      out: 'they are an output of the model',
    })
    class Own extends Dense {
      override call(x: Tensor): Tensor {
        return super.call(x)
      }
    }
    const inner = new Sequential(
      [
        new Dense({ units: 4, inputShape: [4], name: 'hidden' }),
        new BatchNormalization(),
        new Own({ units: 3, name: 'own' }),
      ],
      { name: 'inner' },
    )
    const model = new Sequential([inner, new Dense({ units: 1, name: 'out' })])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const { health } = await healthOf(model)
    expect(Object.keys(health.leftOut)).toEqual(['inner/own', 'out'])
    expect(health.leftOut['inner/own']).toMatch(/Own "own" overrides call/)
    const sequences = new Sequential([
      new LSTM({ units: 3, returnSequences: true, inputShape: [2, 2] }),
      new Bidirectional({ layer: new LSTM(2), backwardLayer: new LSTM({ units: 3, goBackwards: true }), name: 'both' }),
      new Dense({ units: 1, name: 'out' }),
    ])
    sequences.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect((await healthOf(sequences, {}, ops.reshape(tensor(x), [40, 2, 2]))).health.leftOut).toMatchObject({
      both: 'Bidirectional "both" does not declare its units',
    })
    expect(new UnitHealth().leftOut).toEqual({})
  })

  it('refuses layers without hidden units', async () => {
    const flat = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    flat.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect((await errorOf(() => healthOf(flat))).message).toMatch(/UnitHealth: the model .* has no hidden units/)
    expect((await errorOf(() => healthOf(network(), { layers: ['out'] }))).message).toMatch(
      /'out': they are an output of the model. Possible: first, second/,
    )
    for (const options of [{ every: 0 }, { tau: -1 }, { tau: 2 }, { samples: -1 }])
      expect(() => new UnitHealth(options)).toThrow(ArgumentError)
  })
})
