// economize, pruneUnits and energyLabel read what evaluate reads: arrays in every form, and batches, once.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Concatenate,
  DataError,
  Dense,
  Input,
  Model,
  PyDataset,
  Sequential,
  ShapeError,
  StringLookup,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { economize, energyLabel, pruneUnits } from '../../src/entries/thrift'
import { gatherRows, takeGathered } from '../../src/training/gathered'
import { floats } from '../helpers/data'

const ROWS = 60
const data = (width: number, seed: number): Tensor =>
  tensor([...floats([ROWS, width], -1, 1, seed).data], [ROWS, width])
const [a, b] = [data(3, 1), data(2, 2)]
const y = Int32Array.from({ length: ROWS }, (_, i) => Number(a.data[3 * i]! + b.data[2 * i]! > 0))
const x = tensor(
  Array.from({ length: ROWS }, (_, i) => [...a.data.subarray(3 * i, 3 * i + 3), ...b.data.subarray(2 * i, 2 * i + 2)]),
)

function network(isNamed = false) {
  setRandomSeed(1)
  const hidden = new Dense({ units: 8, activation: 'relu' })
  const out = new Dense({ units: 1, activation: 'sigmoid' })
  const inputs = isNamed
    ? [Input({ shape: [3], name: 'a' }), Input({ shape: [2], name: 'b' })]
    : [Input({ shape: [5], name: 'x' })]
  const first = isNamed ? new Concatenate().apply(inputs) : inputs[0]!
  const model = new Model({ inputs: isNamed ? inputs : inputs[0]!, outputs: out.apply(hidden.apply(first)) })
  model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model as Model<never, never>
}

const part = (from: number, to: number) =>
  [tensor([...x.data.subarray(5 * from, 5 * to)], [to - from, 5]), y.subarray(from, to)] as const

class Parts extends PyDataset<readonly [Tensor, Int32Array]> {
  reads = 0
  get length() {
    return 4
  }
  getItem(i: number) {
    this.reads++
    return part(15 * i, 15 * i + 15)
  }
}

function* generated() {
  // The memory of a batch is reused, and the last batch is smaller.
  const memory = new Float32Array(5 * 16)
  for (let from = 0; from < ROWS; from += 16) {
    const to = Math.min(ROWS, from + 16)
    memory.set(x.data.subarray(5 * from, 5 * to))
    yield [{ data: memory.subarray(0, 5 * (to - from)), shape: [to - from, 5] }, y.subarray(from, to)]
  }
}

const sources: Readonly<Record<string, () => unknown>> = {
  'a Dataset': () => Dataset.fromTensorSlices([x, y]).batch(16),
  'a PyDataset': () => new Parts(),
  'a generator that runs once': () => generated(),
  'a function that makes one': () => generated,
  'an asynchronous generator': () =>
    (async function* () {
      for (const batch of generated()) yield batch
    })(),
  'batches by name': () =>
    [0, 30].map((from) => ({ x: part(from, from + 30)[0], y: part(from, from + 30)[1] })).values(),
}

describe('gatherRows', () => {
  const read = (
    model: Model<never, never>,
    given: unknown,
    targets: unknown = null,
    signal: AbortSignal | null = null,
  ) => gatherRows(model.training, given, targets, { where: 'mine', needsTargets: true, signal })

  it.each(Object.entries(sources))('reads %s, once', async (_, make) => {
    const source = make()
    const { x: rows, y: targets, size } = await read(network(), source)
    expect(size).toBe(ROWS)
    expect([...(rows as Tensor).data]).toEqual([...x.data])
    expect([...(targets as Tensor).data]).toEqual([...y])
    if (source instanceof Parts) expect(source.reads).toBe(4)
  })

  it('reads inputs by position, by name, as rows of objects, and strings', async () => {
    const objects = Array.from({ length: ROWS }, (_, i) => ({
      a: [...a.data.subarray(3 * i, 3 * i + 3)],
      b: [...b.data.subarray(2 * i, 2 * i + 2)],
      label: y[i]!,
    }))
    for (const [given, targets] of [
      [[a, b], y],
      [{ a, b }, y],
      [objects, 'label'],
    ] as const) {
      const { x: tree, y: read_, size } = await read(network(true), given, targets)
      expect(size).toBe(ROWS)
      expect((tree as readonly Tensor[]).map(({ data: own }) => [...own])).toEqual([[...a.data], [...b.data]])
      expect([...(read_ as Tensor).data]).toEqual([...y])
    }
    const words = new Sequential([
      new StringLookup({ vocabulary: ['a', 'b'], outputMode: 'oneHot', inputShape: [1] }),
      new Dense({ units: 1 }),
    ])
    words.compile({ optimizer: 'sgd', loss: 'mse' })
    const rows = await read(
      words as unknown as Model<never, never>,
      [[['a'], ['b']], [['b']]].map((own) => [own, own.map(() => 1)]).values(),
    )
    expect((rows.x as Tensor).toArray()).toEqual([['a'], ['b'], ['b']])
    expect((takeGathered(rows, [2, 0]).x as Tensor).toArray()).toEqual([['b'], ['a']])
  })

  it('refuses what it does not read', async () => {
    const model = network()
    const once = generated()
    await read(model, once)
    const batches = Dataset.fromTensorSlices([x, y]).batch(16)
    type Refused = readonly [given: () => unknown, targets: unknown, kind: new () => Error, message: RegExp]
    const refused: readonly Refused[] = [
      [() => batches.repeat(), null, ArgumentError, /^mine: the data are endless\. Use take/],
      [() => batches, y, ArgumentError, /^mine: targets come with the batches/],
      [() => Dataset.fromTensorSlices([x]).batch(16), null, ArgumentError, /^mine, batch 0: y: targets are missing/],
      [() => Dataset.fromTensorSlices([x, y, y]).batch(16), null, ArgumentError, /^mine: all rows count the same/],
      [() => [].values(), null, DataError, /^mine: the data have no batches/],
      [() => once, null, DataError, /^mine: the data have no batches/],
      [() => x, null, ArgumentError, /^mine: y: targets are missing/],
      [() => x, y.subarray(1), ShapeError, /59/],
      [() => [part(0, 2), [a, y]].values(), null, ShapeError, /^mine: x: rows must have one shape and type/],
    ]
    for (const [given, targets, kind, message] of refused) {
      const error: unknown = await read(model, given(), targets).catch((each: unknown) => each)
      expect(error).toBeInstanceOf(kind)
      expect((error as Error).message).toMatch(message)
    }
    await expect(read(model, generated(), null, AbortSignal.abort())).rejects.toThrow(/abort/i)
  })
})

describe('functions that measure rows', () => {
  it('have the same figures for arrays and batches', async () => {
    const model = network()
    const label = async (given: unknown, targets?: unknown) =>
      (await energyLabel(model, { x: given as never, y: targets as never, seconds: 0.01 })).figures
    const wanted = await label(x, y)
    for (const make of [sources['a Dataset']!, sources['a generator that runs once']!]) {
      const { quality, calibrationError, units, rows } = await label(make())
      expect([quality, calibrationError, units, rows]).toEqual([
        wanted.quality,
        wanted.calibrationError,
        wanted.units,
        ROWS,
      ])
    }
    const { report } = await economize(model, { maxLoss: 0.5, seconds: 0.01, x: generated as never })
    expect([report.judges, report.tests]).toEqual([15, 15])
    for (const options of [
      { dead: true },
      { keep: 0.5, by: 'taylor' },
      { keep: 0.5, by: 'utility' },
      { maxLoss: 0.5 },
    ]) {
      const [one, other] = [
        await pruneUnits(model, { ...options, x, y } as never),
        await pruneUnits(model, { ...options, x: generated } as never),
      ] as Model<never, never>[]
      expect(other!.getWeights().map((each) => [...each.data])).toEqual(one!.getWeights().map((each) => [...each.data]))
    }
  })

  it('take several inputs in a list', async () => {
    const model = network(true)
    const given = { x: [a, b] as never, y: y as never }
    const { figures } = await energyLabel(model, { ...given, seconds: 0.01 })
    expect(figures.rows).toBe(ROWS)
    expect(figures.quality.value).toBeCloseTo((await model.evaluate([a, b] as never, y as never))['accuracy']!, 6)
    expect((await economize(model, { ...given, maxLoss: 0.5, seconds: 0.01 })).report.tests).toBe(15)
    await pruneUnits(model, { targetLatency: 50, x: [a, b] as never })
  })
})
