// The namespace utils: progress, batches by index, and small helpers.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Input, PyDataset, Sequential, ops, setRandomSeed, tensor, utils } from '../../src'
import { Dataset, splitDataset, timeseriesDataset, timeseriesDatasetFromArray } from '../../src/entries/data'

/** Batches [[index]] whose uses are recorded. */
class Numbers extends PyDataset<[number[][], number[]]> {
  readonly asked: number[] = []
  readonly events: string[] = []
  pending = 0
  mostPending = 0
  constructor(
    private readonly count: number,
    private readonly isLate = false,
    options = {},
  ) {
    super(options)
  }
  get length(): number {
    return this.count
  }
  async later(index: number): Promise<[number[][], number[]]> {
    this.mostPending = Math.max(this.mostPending, ++this.pending)
    await new Promise((resolve) => setTimeout(resolve, (index * 7) % 3))
    this.pending--
    return [[[index]], [index]]
  }
  getItem(index: number): [number[][], number[]] | Promise<[number[][], number[]]> {
    this.asked.push(index)
    return this.isLate ? this.later(index) : [[[index]], [index]]
  }
  override onEpochBegin(): void {
    this.events.push(`begin ${this.asked.length}`)
  }
  override onEpochEnd(): void {
    this.events.push(`end ${this.asked.length}`)
  }
}

function model(): Sequential {
  const made = new Sequential([new Dense(1, { inputShape: [1], kernelInitializer: 'ones' })])
  made.compile({ optimizer: 'sgd', loss: 'mse' })
  return made
}
const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b)

describe('PyDataset', () => {
  it('is shuffled by fit, in another order for each epoch', async () => {
    setRandomSeed(3)
    const data = new Numbers(10)
    await model().fit(data, { epochs: 2, verbose: 0 })
    const [first, second] = [data.asked.slice(0, 10), data.asked.slice(10)]
    expect([sorted(first), sorted(second)]).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ])
    expect(first).not.toEqual(sorted(first))
    expect(first).not.toEqual(second)
    expect(data.events).toEqual(['begin 0', 'end 10', 'begin 10', 'end 20'])
    setRandomSeed(3)
    const again = new Numbers(10)
    await model().fit(again, { epochs: 2, verbose: 0 })
    expect(again.asked).toEqual(data.asked)
  })

  it('keeps its order with shuffle: false, in evaluate, predict and validation', async () => {
    const order = [0, 1, 2, 3, 4]
    const data = new Numbers(5)
    await model().fit(data, { shuffle: false, verbose: 0 })
    expect(data.asked).toEqual(order)
    const [tested, predicted, validated] = [new Numbers(5), new Numbers(5, true, { workers: 3 }), new Numbers(5)]
    await model().evaluate(tested)
    expect((await model().predict(predicted)).toArray()).toEqual(order.map((i) => [i]))
    await model().fit(new Numbers(2), { validationData: validated, verbose: 0 })
    for (const each of [tested, predicted, validated]) expect(each.asked).toEqual(order)
  })

  it('makes batches ahead, as many as workers and maxQueueSize allow', async () => {
    for (const [options, most] of [
      [{}, 1],
      [{ workers: 4 }, 4],
      [{ workers: 4, maxQueueSize: 2 }, 2],
    ] as const) {
      const data = new Numbers(12, true, options)
      await model().fit(data, { shuffle: false, verbose: 0 })
      expect(data.asked).toEqual(Array.from({ length: 12 }, (_, i) => i))
      expect(data.mostPending).toBe(most)
    }
  })

  it('continues over epochs with stepsPerEpoch, and may be endless', async () => {
    const data = new Numbers(Infinity)
    await model().fit(data, { epochs: 2, stepsPerEpoch: 3, verbose: 0 })
    expect(data.asked.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5])
    await expect(model().fit(new Numbers(Infinity), { verbose: 0 })).rejects.toThrow('stepsPerEpoch')
  })

  it('passes errors of getItem on, and refuses wrong options and lengths', async () => {
    class Broken extends Numbers {
      override getItem(index: number): [number[][], number[]] {
        if (index === 2) throw new Error('broken batch')
        return [[[1]], [1]]
      }
    }
    await expect(model().fit(new Broken(4), { verbose: 0 })).rejects.toThrow('broken batch')
    class Late extends Numbers {
      override async later(index: number): Promise<[number[][], number[]]> {
        if (index === 2) throw new Error('late error')
        return [[[1]], [1]]
      }
    }
    await expect(model().fit(new Late(4, true, { workers: 3 }), { shuffle: false, verbose: 0 })).rejects.toThrow(
      'late error',
    )
    for (const options of [{ workers: 0 }, { maxQueueSize: 0 }, { useMultiprocessing: 1 }, { wrokers: 2 }])
      expect(() => new Numbers(1, false, options)).toThrow()
    for (const length of [-1, 1.5, NaN, 'x'])
      await expect(model().fit(new Numbers(length as number), { verbose: 0 })).rejects.toThrow(
        'length must be an integer',
      )
  })
})

describe('splitDataset', () => {
  it('splits by shares and by numbers, as Keras does', async () => {
    const sizes = async (count: number, options: object): Promise<number[]> =>
      (await splitDataset(Dataset.range(count), options)).map(({ size }) => size!)
    expect(await sizes(10, { leftSize: 0.8 })).toEqual([8, 2])
    expect(await sizes(5, { leftSize: 0.5 })).toEqual([2, 3])
    expect(await sizes(7, { right_size: 0.5 })).toEqual([3, 4])
    expect(await sizes(10, { leftSize: 3, rightSize: 4 })).toEqual([3, 4])
    const [left, right] = await splitDataset([1, 2, 3, 4, 5], { leftSize: 2 })
    expect([await left.toArray(), await right.toArray()]).toEqual([
      [1, 2],
      [3, 4, 5],
    ])
  })

  it('shuffles by a seed', async () => {
    const make = async (seed: number): Promise<number[][]> =>
      Promise.all(
        (await splitDataset(Dataset.range(20), { leftSize: 0.5, shuffle: true, seed })).map((part) => part.toArray()),
      )
    expect(await make(1)).toEqual(await make(1))
    expect(await make(1)).not.toEqual(await make(2))
    expect(sorted((await make(1)).flat())).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it.each([
    {},
    { leftSize: 0 },
    { leftSize: 20 },
    { leftSize: 10 },
    { leftSize: 6, rightSize: 5 },
    { leftSize: 1.5 },
    { size: 1 },
  ])('refuses %o', async (options) => {
    await expect(splitDataset(Dataset.range(10), options)).rejects.toThrow()
  })
})

describe('helpers', () => {
  it('normalize rows, and leave zeros', () => {
    expect(
      utils
        .normalize([
          [3, 4],
          [0, 0],
        ])
        .toArray(),
    ).toEqual([
      [expect.closeTo(0.6), expect.closeTo(0.8)],
      [0, 0],
    ])
    expect(
      utils
        .normalize(
          [
            [3, 4],
            [1, 0],
          ],
          0,
          1,
        )
        .toArray(),
    ).toEqual([
      [0.75, 1],
      [0.25, 0],
    ])
    expect(utils.normalize([3, 4]).toArray()).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)])
    expect(utils.normalize([3, 4], { order: Infinity }).toArray()).toEqual([0.75, 1])
  })

  it('timeseriesDatasetFromArray is timeseriesDataset', async () => {
    const series = [0, 1, 2, 3, 4, 5, 6]
    const own = await timeseriesDatasetFromArray(series, series.slice(2), 2, { batchSize: 3 }).toArray()
    const other = await timeseriesDataset(series, {
      targets: series.slice(2),
      sequenceLength: 2,
      batchSize: 3,
    }).toArray()
    expect(own.map(([x, y]) => [x.toArray(), y.toArray()])).toEqual(other.map(([x, y]) => [x.toArray(), y.toArray()]))
    expect((await timeseriesDatasetFromArray(series, null, 3).toArray()).length).toBe(1)
  })

  it('are in the namespace', () => {
    expect(utils.toCategorical([0, 2]).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ])
    expect(utils.padSequences([[1], [2, 3]]).toArray()).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(utils.registerKerasSerializable).toBeTypeOf('function')
  })
})

describe('Progbar', () => {
  const printed = (use: (bar: utils.Progbar) => void, bar: utils.Progbar): string[] => {
    const lines: string[] = []
    const { write } = process.stdout
    process.stdout.write = ((text: string) => lines.push(text) > 0) as typeof write
    try {
      use(bar)
    } finally {
      process.stdout.write = write
    }
    return lines
  }

  it('shows means of values, weighted by steps, at the end', () => {
    const use = (bar: utils.Progbar): void => {
      bar.update(1, { loss: 4, accuracy: 0.1 })
      bar.add(3, [
        ['loss', 2],
        ['accuracy', 0.9],
      ])
    }
    const [line, ...more] = printed(
      use,
      new utils.Progbar(4, 8, 2, { statefulMetrics: ['accuracy'], unitName: 'batch' }),
    )
    expect(more).toEqual([])
    expect(line).toMatch(/^4\/4 ━{8} .*\/batch - loss: 2\.5000 - accuracy: 0\.9000\n$/)
    expect(printed(use, new utils.Progbar(4, { verbose: 0 }))).toEqual([])
    expect(printed((bar) => bar.update(2, {}, true), new utils.Progbar(null, { verbose: 2 }))[0]).toMatch(/^2\/\? /)
  })

  it('refuses what it cannot show', () => {
    expect(() => new utils.Progbar(-1)).toThrow('target')
    expect(() => new utils.Progbar(2).update(NaN)).toThrow('number of steps')
    expect(() => new utils.Progbar(2).update(1, { loss: 'x' } as never)).toThrow("the value of 'loss'")
  })
})

it('isKerasTensor knows the symbols of functional models', () => {
  const symbol = Input([2])
  for (const x of [symbol, new Dense(1).apply(symbol), ops.add(symbol, 1)]) expect(utils.isKerasTensor(x)).toBe(true)
  for (const x of [tensor([1]), [1], 1, null, {}]) expect(utils.isKerasTensor(x)).toBe(false)
})
