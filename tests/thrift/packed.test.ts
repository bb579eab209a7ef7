// Embeddings, recurrent layers and attention with int8 in files, and all layers with int4: close to the original, small, and the
// same after loading.
// modes: simd
import { describe, expect, it, vi } from 'vitest'
import {
  Bidirectional,
  Conv2D,
  Conv3D,
  Dense,
  EinsumDense,
  Embedding,
  Flatten,
  GRU,
  GlobalAveragePooling1D,
  GroupedQueryAttention,
  Input,
  LSTM,
  Model,
  MultiHeadAttention,
  Sequential,
  SimpleRNN,
  TimeDistributed,
  loadModel,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { lowRank, quantizationReport, quantize, quantizedLayers } from '../../src/entries/thrift'
import { fromIntegers, nearest, pairs, toStored, unpaired } from '../../src/thrift/integers'
import { floats } from '../helpers/data'

const WORDS = 200
const words = (rows: number, steps: number): Tensor =>
  tensor(
    Int32Array.from({ length: rows * steps }, (_, i) => (i * 37 + (i >> 3)) % WORDS),
    [rows, steps],
    'int32',
  )

function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape)
  const largest = Math.max(...Array.from(b.data, Math.abs))
  return Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!))) / largest
}

const embedding = () => new Embedding({ inputDim: WORDS, outputDim: 32, maskZero: true, inputShape: [9] })
const texts: [string, () => Sequential][] = [
  ['SimpleRNN', () => new Sequential([embedding(), new SimpleRNN({ units: 24 }), new Dense({ units: 3 })])],
  ['LSTM', () => new Sequential([embedding(), new LSTM({ units: 24 }), new Dense({ units: 3 })])],
  [
    'GRU',
    () =>
      new Sequential([
        embedding(),
        new GRU({ units: 24, returnSequences: true }),
        new GRU({ units: 16, resetAfter: false }),
        new Dense({ units: 3 }),
      ]),
  ],
  [
    'Bidirectional',
    () => new Sequential([embedding(), new Bidirectional(new LSTM({ units: 24 })), new Dense({ units: 3 })]),
  ],
  [
    'TimeDistributed and EinsumDense',
    () =>
      new Sequential([
        embedding(),
        new TimeDistributed(new Dense({ units: 24, activation: 'tanh' })),
        new EinsumDense({ equation: 'abc,cd->abd', outputShape: [null, 24], biasAxes: 'd' }),
        new GlobalAveragePooling1D(),
        new Dense({ units: 3 }),
      ]),
  ],
]
const attentions: [string, () => Model][] = (
  [
    ['MultiHeadAttention', () => new MultiHeadAttention({ numHeads: 4, keyDim: 12 })],
    ['GroupedQueryAttention', () => new GroupedQueryAttention({ headDim: 12, numQueryHeads: 4, numKeyValueHeads: 2 })],
  ] as const
).map(([name, make]) => [
  name,
  () => {
    const input = Input({ shape: [9], dtype: 'int32' })
    const x = new Embedding({ inputDim: WORDS, outputDim: 32 }).apply(input)
    const seen = make().apply(x, { useCausalMask: true })
    return new Model({ inputs: input, outputs: new Dense({ units: 3 }).apply(new Flatten().apply(seen)) }) as Model
  },
])

describe.each([...texts, ...attentions] as [string, () => Model][])('%s', (_name, make) => {
  it.each([
    [8, 0.03, 0.32],
    [4, 0.4, 0.22],
  ] as const)('in %s bits: close, small, covered, and the same after loading', async (bits, most, share) => {
    setRandomSeed(1)
    const model = make()
    const x = words(7, 9)
    const small = quantize(model, { bits })
    expect(difference(await small.predict(x), await model.predict(x))).toBeLessThan(most)
    const [large, bytes] = [await model.save(), await small.save()]
    const report = quantizationReport(small)
    expect(report.rows.every(({ why }) => why === null)).toBe(true)
    expect(report.bytes / report.bytesBefore).toBeLessThan(share)
    // Besides the weights, files have a header.
    expect(large.length - bytes.length).toBeGreaterThan(0.9 * (report.bytesBefore - report.bytes))
    const again = await loadModel(bytes, { customObjects: quantizedLayers })
    expect((await again.predict(x)).data).toEqual((await small.predict(x)).data)
    expect(await again.save()).toEqual(bytes)
    expect(quantizationReport(again).toJSON()).toEqual(report.toJSON())
    const weights = await small.saveWeights()
    const other = quantize(make(), { bits })
    await other.loadWeights(weights)
    expect((await other.predict(x)).data).toEqual((await small.predict(x)).data)
  })
})

describe('int4', () => {
  it('packs two per byte', () => {
    const integers = Int8Array.from([7, -7, 0, -1, 3])
    expect(pairs(integers)).toHaveLength(3)
    expect(unpaired(pairs(integers), 5)).toEqual(integers)
  })

  it.each([0, 1] as const)('has scales of groups along axis %s, and quantizing again changes nothing', (axis) => {
    const [rows, columns] = [7, 10]
    const groups = { rows, columns, axis, size: 3 }
    const numbers = floats([rows, columns], -1, 1, 3).data
    const back = nearest(numbers, groups, 4)
    const found = toStored(back, groups, 4)
    expect(found.scales).toHaveLength(axis === 0 ? 3 * columns : rows * 4)
    expect(fromIntegers(found, groups)).toEqual(back)
    expect(nearest(back, groups, 4)).toEqual(back)
    const plain = fromIntegers(toStored(numbers, groups, 4), groups)
    const error = (made: Float32Array): number => made.reduce((sum, x, i) => sum + (x - numbers[i]!) ** 2, 0)
    expect(error(back)).toBeLessThan(error(plain))
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const group = (at: number): boolean =>
          axis === 0
            ? at % columns === column && Math.floor(Math.floor(at / columns) / 3) === Math.floor(row / 3)
            : Math.floor(at / columns) === row && Math.floor((at % columns) / 3) === Math.floor(column / 3)
        const largest = Math.max(...Array.from(numbers, (x, at) => (group(at) ? Math.abs(x) : 0)))
        const at = row * columns + column
        expect(Math.abs(plain[at]! - numbers[at]!)).toBeLessThanOrEqual((largest / 14) * 1.001)
      }
  })

  it('of all kinds of layers; smaller groups are closer', async () => {
    const model = new Sequential([
      new Conv2D({ filters: 8, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 4] }),
      new Conv2D({ filters: 8, kernelSize: 3, groups: 2 }),
      new Flatten(),
      new Dense({ units: 5 }),
    ])
    const x = tensor([...floats([6, 8, 8, 4], -1, 1).data], [6, 8, 8, 4])
    const expected = await model.predict(x)
    const far = quantize(model, { bits: 4, groupSize: 1000 })
    const near = quantize(model, { bits: 4, groupSize: 8 })
    expect(difference(await near.predict(x), expected)).toBeLessThan(difference(await far.predict(x), expected))
    expect(quantizationReport(near).rows.map(({ bits }) => bits)).toEqual([4, 4, 4])
    // Grouped convolutions have int8, too.
    expect(quantizationReport(quantize(model)).rows.map(({ multipliesIntegers }) => multipliesIntegers)).toEqual([
      true,
      false,
      true,
    ])
  })
})

describe('the report', () => {
  it('gives the reason for each layer that stays float32, and a warning if they are large', () => {
    class Own extends Dense {
      override call(x: Tensor): Tensor {
        return super.call(x)
      }
    }
    const model = new Sequential([
      new Conv3D({ filters: 4, kernelSize: 2, inputShape: [3, 3, 3, 2], name: 'space' }),
      new Flatten(),
      new Own({ units: 8, name: 'own' }),
      new Dense({ units: 2, name: 'answer' }),
    ])
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const small = quantize(model)
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('space (Conv3D has no form with integers), own (it overrides'),
    )
    warn.mockRestore()
    const report = quantizationReport(small)
    expect(report.rows.map(({ name, bits }) => [name, bits])).toEqual([
      ['space', 32],
      ['own', 32],
      ['answer', 8],
    ])
    expect(report.rows[2]!.bytesBefore).toBe(4 * (8 * 2 + 2))
    expect(String(report)).toMatch(/answer \(QuantizedDense\) .*int8, multiplies integers/)
    expect(String(report)).toContain('float32: Conv3D has no form with integers')
    expect(() =>
      quantize(new Sequential([new Conv3D({ filters: 1, kernelSize: 1, inputShape: [2, 2, 2, 1] })])),
    ).toThrow('has no form with integers')
  })

  it('refuses options that nothing would read', () => {
    const model = new Sequential([embedding(), new LSTM({ units: 4 })])
    expect(() => quantize(model, { groupSize: 32 })).toThrow('needs bits: 4')
    expect(() => quantize(model, { calibration: words(2, 9) })).toThrow('Leave it out')
    expect(() => quantize(model, { calibration: words(2, 9), bits: 4 })).toThrow('activations stay float32')
    expect(() => quantize(model, { bits: 2 })).toThrow('must be 4 or 8')
  })
})

it('packed layers are not trained, and other functions keep them', async () => {
  const model = new Sequential([
    embedding(),
    new LSTM({ units: 24 }),
    new Dense({ units: 30 }),
    new Dense({ units: 3 }),
  ])
  const small = quantize(model, { bits: 4 })
  small.compile({ optimizer: 'adam', loss: 'mse' })
  const x = words(4, 9)
  await expect(small.fit(x, floats([4, 3]), { verbose: 0 })).rejects.toThrow('int4 layers are not trained')
  const mixed = new Sequential([quantize(model).layers[0]!, ...model.layers.slice(1)])
  const thin = lowRank(mixed, { rank: 2, layers: [model.layers[2]!.name] })
  expect(difference(thin.layers[0]!.weights[0]!.value, small.layers[0]!.weights[0]!.value)).toBeLessThan(0.2)
  expect(quantizationReport(thin).rows[0]!.bits).toBe(8)
})

it('says that a quantized model has integers already', () => {
  const model = new Sequential([embedding(), new LSTM({ units: 24 }), new Dense({ units: 3 })])
  for (const bits of [8, 4] as const)
    expect(() => quantize(quantize(model, { bits }))).toThrow(
      /embedding\w*: its weights are integers already; lstm\w*: its weights are integers already; dense\w*: its/,
    )
})
