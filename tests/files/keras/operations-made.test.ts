// Models that are made here of every op that Keras has, with constants in the place of each operand: written and read again, they
// compute the same. What cannot be written is an error that says why. KERAS_FILES=FOLDER keeps the files for the real Keras.
// modes: simd

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FormatError, Input, Model, Tensor, Variable, activations, ops, random, tensor } from '../../../src'
import { flatten, typed, type Tree } from '../../../src/core/tree'
import { readKeras, writeKeras } from '../../../src/entries/keras'
import { REFUSED, classOfOp } from '../../../src/files/keras/operation-table'
import { complexOf } from '../../../src/files/keras/write-operations'
import { parametersOfOps } from '../../helpers/op-parameters'
import { needed, own, samples } from '../../ops/samples'

type Op = (...given: readonly unknown[]) => unknown
type AnyModel = Model<never, unknown>

const folder = process.env['KERAS_FILES']

interface Case {
  readonly title: string
  readonly op: Op
  readonly given: readonly unknown[]
  /** The argument that is the input of the model. */
  readonly at: number
}

const isArray = (value: unknown): value is Tensor => value instanceof Tensor && value.rank > 0

/** Arguments of a call with another operand as numbers in lists. */
const asLists = (given: readonly unknown[], at: number): unknown[] =>
  given.map((each, i) => (i !== at && isArray(each) && each.dtype === 'float32' ? each.toArray() : each))

function casesOf(path: string, namespace: object, prefix: string): Case[] {
  return [...parametersOfOps(path)].flatMap(([name, text]): Case[] => {
    const found = classOfOp(`${prefix}${name}`)
    if (found === undefined || text === '' || name === 'einsum' || Object.hasOwn(REFUSED, found.className)) return []
    const names = text
      .split(' ')
      .filter((each) => !each.startsWith('?'))
      .map((each) => each.replace('*', ''))
    const chosen = { ...samples, ...own[name] }
    const options = needed[name] === undefined ? [] : [needed[name]]
    const given = [...names.map((each) => chosen[each]), ...options]
    const op = Reflect.get(namespace, name) as Op
    return given.flatMap((each, at) => {
      if (!isArray(each)) return []
      const title = `${prefix}${name}_${names[at]!}`
      const lists = asLists(given, at)
      const hasLists = lists.some((other, i) => other !== given[i])
      return [{ title, op, given, at }, ...(hasLists ? [{ title: `${title}_lists`, op, given: lists, at }] : [])]
    })
  })
}

const all = [
  ...casesOf('ops', ops, ''),
  ...casesOf('ops.image', ops.image, 'image.'),
  ...casesOf('activations', activations, 'activations.'),
]

/** Results that depend on the data of a traced tensor, or on chance, and functions that look at a symbol. */
const LEFT_OUT = /^(?:nonzero|unique|bincount|where|size|ndim|ldexp_x2|image.elasticTransform)/

const numbersOf = (result: unknown): { shape: readonly number[]; dtype: string; data: number[] }[] =>
  flatten(result as Tree<Tensor>).map(({ shape, dtype, data }) => ({ shape, dtype, data: Array.from(data) }))

const plainOf = ({ shape, dtype, data }: Tensor): object => ({
  shape,
  dtype,
  data: Array.from(data, (each) =>
    Number.isFinite(each) ? each : String(each).replace('Infinity', 'inf').toLowerCase(),
  ),
})

/**
 * Outputs as Keras has them: records in the order of their keys, but complex tensors as their real and imaginary parts.
 * @param symbols those of the outputs
 */
function leavesOf(tree: Tree<Tensor>, symbols: Tree<Tensor>): Tensor[] {
  if (tree instanceof Tensor) return [tree]
  const entries = Object.entries(tree as Readonly<Record<string, Tree<Tensor>>>)
  const parts = symbols as Readonly<Record<string, Tree<Tensor>>>
  const isSorted = !Array.isArray(tree) && complexOf(parts['real'], parts['imag']) === null
  if (isSorted) entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.flatMap(([key, each]) => leavesOf(each, parts[key]!))
}

function modelOf({ op, given, at }: Case): { readonly model: AnyModel; readonly x: Tensor } {
  const x = given[at] as Tensor
  const [batchSize, ...shape] = x.shape
  const input = Input({ shape, batchSize: batchSize!, dtype: x.dtype, name: 'input' })
  const outputs = op(...given.with(at, input)) as Tensor
  return { model: typed(new Model({ inputs: input, outputs, name: 'model' })), x }
}

/** The files of a model, which is checked to compute the same after it was read. */
async function checked(title: string, model: AnyModel, x: readonly Tensor[]): Promise<void> {
  const inputs = (x.length === 1 ? x[0] : x) as never
  const expected = model.predictOnBatch(inputs)
  const files = { keras: await writeKeras(typed(model)), h5: await writeKeras(typed(model), null, { format: 'h5' }) }
  for (const bytes of Object.values(files)) {
    const again = await readKeras<never, unknown>(bytes)
    expect(numbersOf(again.predictOnBatch(inputs))).toEqual(numbersOf(expected))
  }
  if (folder === undefined) return
  const name = `op_made_${title.replaceAll(/[^\w]+/g, '_')}`
  for (const [extension, bytes] of Object.entries(files)) writeFileSync(join(folder, `${name}.${extension}`), bytes)
  const y = leavesOf(expected as Tree<Tensor>, model.output as Tree<Tensor>).map(plainOf)
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ x: x.map(plainOf), y }))
}

describe('models of one op that are made here', () => {
  it('are many', () => {
    expect(all.length).toBeGreaterThan(450)
  })

  it.each(all.filter(({ title }) => !LEFT_OUT.test(title)))('$title', async (each) => {
    const { model, x } = modelOf(each)
    await checked(each.title, model, [x])
  })
})

const range = (...shape: number[]): Tensor =>
  tensor({
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((37 * i) % 101) / 50 - 1.01),
    shape,
  })
const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values))
const row = tensor([1, 2, 3, 4])

/** Calls on a batch [3, 4] of floats, [3, 4] of integers from 0 to 4, and [3, 4] of bool. */
const calls: Readonly<Record<string, (x: Tensor, i: Tensor, b: Tensor) => unknown>> = {
  'constants right': (x) => ops.multiply(x, row),
  'constants left': (x) => ops.subtract(row, x),
  'lists right': (x) => ops.multiply(x, [1, 2, 3, 4]),
  'lists left': (x) => ops.divide([1, 2, 3, 4], x),
  'typed arrays': (x) => ops.add(x, Float32Array.of(1, 2, 3, 4)),
  'arrays with a shape': (x) => ops.add(x, { data: [1, 2, 3, 4], shape: [1, 4] }),
  numbers: (x) => ops.add(ops.multiply(2, x), 0.5),
  'integers and integers': (_x, i) => ops.multiply(i, ints(1, 2, 3, 4)),
  'integers and numbers': (_x, i) => ops.add(ops.multiply(i, 3), 1),
  'integers and floats': (_x, i) => ops.multiply(i, row),
  'bool constants': (_x, _i, b) => ops.logicalAnd(b, [true, false, true, true]),
  'bool tensors': (_x, _i, b) => ops.logicalOr(tensor([true, false, true, false]), b),
  'scalars as tensors': (x) => ops.multiply(x, tensor(3)),
  'a nested list': (x) =>
    ops.matmul(x, [
      [1, 0],
      [0, 2],
      [3, 0],
      [0, 4],
    ]),
  'average with weights': (x) => ops.average(x, 1, [1, 2, 3, 4]),
  'average by names': (x) => ops.average(x, { axis: -1, weights: row }),
  'average with weights of a symbol': (x, i) => ops.average(x, { axis: 1, weights: ops.add(i, 1) }),
  'matmul left': (x) => ops.matmul(range(3, 3), x),
  'where with constants': (_x, _i, b) => ops.where(b, row, 0),
  'where with two constants': (_x, _i, b) => ops.where(b, row, tensor([5, 6, 7, 8])),
  'where with a constant condition': (x) => ops.where([true, false, true, false], x, -1),
  'where by names': (x, _i, b) => ops.where(b, { x1: x, x2: row }),
  'where with numbers': (_x, _i, b) => ops.where(b, 1, 0),
  'where with infinity': (x, _i, b) => ops.where(b, x, -Infinity),
  'where with NaN': (x, _i, b) => ops.nanToNum(ops.where(b, x, NaN), { nan: 5 }),
  'a constant with infinity': (x) => ops.minimum(x, [0, Infinity, -Infinity, 0.5]),
  concatenate: (x) => ops.concatenate([x, range(3, 2)], 1),
  'concatenate of lists': (x) =>
    ops.concatenate(
      [
        x,
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ],
      { axis: -1 },
    ),
  'stack with constants': (x) => ops.stack([x, range(3, 4), x], 1),
  'hstack with a constant': (x) => ops.hstack([x, range(3, 1)]),
  select: (x) => ops.select([ops.less(x, -0.3), ops.greater(x, 0.3)], [row, x], 7),
  'select by name': (x, _i, b) => ops.select([b], [x], { default: 2 }),
  einsum: (x) => ops.einsum('ij,jk,k->i', x, range(4, 2), [1, 2]),
  'einsum with a first constant': (x) => ops.einsum('jk,ij->ik', range(4, 2), x),
  tensordot: (x) => ops.tensordot(x, range(4, 2), { axes: 1 }),
  'take of a constant': (_x, i) => ops.take(range(5, 2), i, { axis: 0 }),
  'take of a list': (x) => ops.take(x, [0, 3], 1),
  'take by names': (x) => ops.take({ x, indices: [3, 0], axis: 1 }),
  'takeAlongAxis with a list': (x) => ops.takeAlongAxis(x, [[0], [3], [1]], 1),
  'clip with numbers': (x) => ops.clip(x, -0.5, 0.5),
  'clip with tensors': (x) => ops.clip(x, tensor([-1, 0, -0.5, 0]), [0.5, 0.5, 1, 1]),
  'clip with symbols': (x, i) => ops.clip({ x, xMin: -0.5, xMax: i }),
  'isin with a list': (_x, i) => ops.isin(i, [1, 3]),
  'digitize with a list': (x) => ops.digitize(x, [-0.5, 0, 0.5]),
  'searchsorted with a list': (x) => ops.searchsorted([-0.5, 0, 0.5], x, { side: 'right' }),
  'pad with a value': (x) =>
    ops.pad(
      x,
      [
        [0, 0],
        [1, 2],
      ],
      { constantValues: 7 },
    ),
  'pad with infinity': (x) =>
    ops.pad(
      x,
      [
        [0, 0],
        [1, 2],
      ],
      'constant',
      -Infinity,
    ),
  'repeat by names': (x) => ops.repeat(x, { repeats: 2, axis: 1 }),
  'oneHot of bool': (_x, i) => ops.oneHot(i, 5, { dtype: 'int32' }),
  'fullLike with a list': (x) => ops.fullLike(x, [1, 2, 3, 4]),
  'linspace with a list': (x) => ops.linspace(x, [1, 2, 3, 4], { num: 3, axis: 1 }),
  'quantile by names': (x) => ops.percentile(x, { q: 25, axis: 1, keepDims: true }),
  'getItem with parts': (x) => ops.getItem(x, [':', '::-2']),
  'getItem with a new axis': (x) => ops.getItem(x, ['...', null, 0]),
  'getItem by name': (x) => ops.getItem({ x, key: [1] }),
  'getItem with a list': (x) => ops.getItem(x, [':', [2, 0]]),
  'getItem with a list and others': (x) => ops.getItem(x, [null, '0:2', ints(3, 0, 1)]),
  'slice with a list': (x) => ops.slice(x, [1, 0], [2, 3]),
  'sliceUpdate with a list': (x) =>
    ops.sliceUpdate(
      x,
      [1, 1],
      [
        [7, 8],
        [9, 6],
      ],
    ),
  'scatter with lists': (x) => ops.scatter([[0], [3], [1]], x, [5, 4]),
  'scatterUpdate with lists': (x) =>
    ops.scatterUpdate(
      x,
      [
        [0, 1],
        [2, 2],
      ],
      [7, 8],
      'add',
    ),
  scatterAdd: (x) => ops.scatterAdd(x, ints(0, 2, 0), 5),
  segmentSum: (x) => ops.segmentSum(x, [0, 2, 0], 4),
  rearrange: (x) => ops.rearrange(x, 'b (h w) -> (b h) w', { h: 2 }),
  'rearrange of axes': (x) => ops.rearrange(x, 'b c -> c b'),
  batchNorm: (x) => ops.batchNorm(x, [0, 1, 2, 3], [1, 2, 3, 4]),
  'batchNorm by names': (x) => ops.batchNormalization(x, row, row, { axis: -1, scale: [2, 2, 1, 1], epsilon: 0.01 }),
  layerNorm: (x) => ops.layerNorm(x, { beta: row }),
  rmsNorm: (x) => ops.rmsNorm(x, [1, 2, 3, 4]),
  conv: (x) => ops.conv(ops.expandDims(x, -1), range(2, 1, 3), { strides: 1, padding: 'same' }),
  'fft of real numbers': (x) => ops.fft(x).real,
  'rfft and back': (x) => ops.irfft(ops.rfft(x)),
  'complex numbers': (x) => ops.imag(ops.viewAsComplex(ops.reshape(x, [-1, 2, 2]))),
  'complex outputs': (x) => ops.polar(ops.abs(x), x),
  'activations with options': (x) => activations.relu(x, { negativeSlope: 0.1, maxValue: 0.5 }),
  'activations without options': (x) => [
    activations.gelu(x),
    activations.linear(x),
    activations.swish(x),
    activations.exponential(x),
    activations.mish(x),
  ],
  'average pooling': (x) => ops.averagePool(ops.expandDims(x, -1), 2),
  'max pooling of images': (x) => ops.maxPool(ops.reshape(x, [-1, 2, 2, 1]), [2, 2]),
  'resize by a number': (x) => ops.image.resize(ops.reshape(x, [-1, 2, 2, 1]), 3),
  'attention with a mask': (x) => {
    const heads = ops.reshape(x, [-1, 2, 1, 2])
    return ops.dotProductAttention(heads, heads, heads, {
      mask: [
        [
          [
            [true, false],
            [true, true],
          ],
        ],
      ],
      isCausal: false,
    })
  },
  'stopGradient and a cast': (x) => ops.cast(ops.stopGradient(ops.multiply(x, 10)), 'int32'),
  'top k by names': (x) => ops.topK({ x, k: 2, sorted: true }),
  'nan to num': (x) => ops.nanToNum(ops.log(x), { nan: 0, posinf: 1, neginf: -1 }),
  normalize: (x) => ops.normalize(x, { axis: 1, order: 1 }),
  'max with an initial value': (x) => [ops.amax(x, 1), ops.max(x, { axis: 1, initial: 0.5 })],
  trapezoid: (x) => ops.trapezoid(x, { dx: 0.5, axis: 1 }),
  bincount: (_x, i) => ops.bincount(i, { minlength: 5 }),
}

const x = range(3, 4)
const i = tensor({ data: Int32Array.from({ length: 12 }, (_, k) => (k * 7) % 5), shape: [3, 4] })
const b = tensor(
  { data: Int8Array.from({ length: 12 }, (_, k) => Number(k % 3 === 0)), shape: [3, 4] },
  undefined,
  'bool',
)

const made = (call: (typeof calls)[string], batchSize: number | null): AnyModel => {
  const inputs = (['float32', 'int32', 'bool'] as const).map((dtype) =>
    Input({ shape: [4], dtype, name: `in_${dtype}`, ...(batchSize === null ? {} : { batchSize }) }),
  ) as [Tensor, Tensor, Tensor]
  return typed(new Model({ inputs, outputs: typed<Tensor>(call(...inputs)), name: 'model' }))
}

/** Keras needs these extents. */
const OF_FIXED = ['matmul left', 'slice with a list']

describe.each([
  ['an open batch', null],
  ['a fixed batch', 3],
])('calls on %s', (title, batchSize) => {
  it.each(Object.keys(calls))('%s', async (name) => {
    if (batchSize === null && OF_FIXED.includes(name)) return
    await checked(`${name} on ${title}`, made(calls[name]!, batchSize), [x, i, b])
  })
})

const weight = new Variable(row, { name: 'weight' })

describe('calls that Keras does not have are one error, before anything is written', () => {
  const refused: Readonly<Record<string, readonly [call: (typeof calls)[string], why: RegExp]>> = {
    'a symbol as an option': [(x, k) => ops.repeat(x, ops.sum(k) as never), /./],
    'an average that keeps axes': [(x) => ops.average(x, { axis: 1, keepDims: true }), /ops\.average.*keepDims/],
    'a variable': [(x) => ops.add(x, weight), /ops\.add.*variable/],
    'random numbers': [(x) => random.dropout(x, 0.5), /random\.dropout.*Keras has no such op/],
    'a part of a complex number': [(x) => ops.viewAsComplex(ops.reshape(x, [-1, 2, 2])).real, /used alone/],
    'adaptive pooling': [(x) => ops.adaptiveAveragePool(ops.expandDims(x, -1), 2), /AdaptiveAveragePooling1D/],
    'a transposed convolution': [(x) => ops.convTranspose(ops.expandDims(x, -1), range(2, 3, 1)), /Conv1DTranspose/],
    ifft: [(x) => ops.ifft(x).real, /ops\.ifft.*Keras has no such op/],
  }
  it.each(Object.keys(refused))('%s', async (name) => {
    const [call, why] = refused[name]!
    let model: AnyModel
    try {
      model = made(call, null)
    } catch {
      // The op itself refuses symbols there.
      return
    }
    for (const format of ['keras', 'h5'] as const) {
      const written = writeKeras(typed(model), null, { format })
      await expect(written).rejects.toThrow(FormatError)
      await expect(writeKeras(typed(model), null, { format })).rejects.toThrow(why)
    }
  })
})
