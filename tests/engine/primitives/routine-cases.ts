// The rows of the routines: kernels that come with their ops.

import { sizeOf, type Shape } from '../../../src/core/shapes'
import type { Value } from '../../../src/engine/ir/graph'
import type { Emitter } from '../../../src/engine/primitives/emitter'
import { BitOperation } from '../../../src/engine/primitives/bits'
import { BitCast } from '../../../src/engine/primitives/bitcast'
import { Cholesky, Eigen, Lu, Qr, Singular, SingularValues } from '../../../src/engine/primitives/factorization'
import { After } from '../../../src/engine/primitives/after'
import { FactoredSolve, TriangularSolve } from '../../../src/engine/primitives/solutions'
import { FourierTransform } from '../../../src/engine/primitives/fourier'
import { InsertBlock, ScatterMax } from '../../../src/engine/primitives/indexing'
import { QuantizedContraction, packWeights, packedShape, type Sight } from '../../../src/engine/primitives/quantized'
import { RunningResult } from '../../../src/engine/primitives/running'
import { ArgSort, SearchSorted, SortedValues } from '../../../src/engine/primitives/sorting'
import { bools, distinct, exactly, floats, integers, wholeFloats } from '../../helpers/data'
import { attentionCases } from './attention-cases'
import { normalizationCases } from './normalization-cases'
import { packedCases } from './packed-cases'
import type { CaseInput, OpCase } from './cases'

type RoutineCase = OpCase<'routine'>

const TAILS = [1, 2, 3, 4, 5, 7, 8, 47, 48, 49, 300]

const order = (title: string, input: CaseInput, axis: number): RoutineCase[] => [
  ...[false, true].map((descending) => ({
    title: `argsort ${title}${descending ? ', falling' : ''}`,
    inputs: [input],
    attributes: { routine: new ArgSort(axis, descending) },
  })),
  {
    title: `sort ${title}`,
    inputs: [input],
    attributes: { routine: new SortedValues(axis) },
    signedZero: true,
  },
]

/** The k largest of each row. */
const largest = (k: number, input: CaseInput, axis = 1): RoutineCase => ({
  title: `the ${k} first of [${input.shape.join()}], falling`,
  inputs: [input],
  attributes: { routine: new ArgSort(axis, true, k) },
})

const repeated = (row: readonly number[], times: number): number[] => Array.from({ length: times }, () => row).flat()

const UNORDERED = [NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-45, 3.4e38, -3.4e38, NaN, 1, -1, -0, 0]
const INT_EXTREMES = [2147483647, -2147483648, 0, -1, 1, 2147483647, -2147483648]

const sorts: readonly RoutineCase[] = [
  ...TAILS.flatMap((n) => order(`[${n}]`, floats([n]), 0)),
  ...order('scalar-like', floats([1, 1]), 1),
  ...order('nothing', floats([0, 3]), 0),
  ...order('no rows', floats([0, 3]), 1),
  ...order('[9, 60] along rows', floats([9, 60]), 1),
  ...order('[60, 9] along columns', floats([60, 9]), 0),
  ...order('middle axis', floats([3, 50, 2]), 1),
  ...order('ties', wholeFloats([200], -2, 2), 0),
  ...order('few ties', wholeFloats([20], -2, 2), 0),
  ...order('all equal', exactly(new Array<number>(70).fill(3)), 0),
  ...order('special values', exactly(UNORDERED), 0),
  ...order('many special values', exactly(repeated(UNORDERED, 6)), 0),
  ...order('int32', integers([100], -9, 9), 0),
  ...order('int32 extremes', exactly(INT_EXTREMES, 'int32'), 0),
  ...order('many int32 extremes', exactly(repeated(INT_EXTREMES, 9), 'int32'), 0),
  ...order('bool', bools([100]), 0),
  // beyond the networks
  ...order('[2, 1500]', floats([2, 1500]), 1),
  ...order('[1500, 2], int32', integers([1500, 2], -9, 9), 0),
  ...order('[5000]', floats([5000]), 0),
  ...order('[5000], int32', integers([5000], -1000000, 1000000), 0),
  ...order('[4100] with special values', exactly([...repeated(UNORDERED, 292), ...UNORDERED.slice(0, 12)]), 0),
  ...order('[1024, 5]', floats([1024, 5]), 0),
  ...order('[6, 1024]', floats([6, 1024]), 1),
  largest(1, floats([3, 9])),
  largest(3, floats([5, 100])),
  largest(64, floats([2, 257])),
  largest(65, floats([2, 300])),
  largest(4, wholeFloats([4, 50], -2, 2)),
  largest(5, exactly(UNORDERED), 0),
  largest(3, exactly(repeated(UNORDERED, 3)), 0),
  largest(9, exactly(repeated(UNORDERED, 9)), 0),
  largest(5, exactly(new Array<number>(40).fill(-Infinity)), 0),
  largest(2, exactly(repeated(INT_EXTREMES, 3), 'int32'), 0),
  largest(4, exactly(new Array<number>(30).fill(-2147483648), 'int32'), 0),
  largest(6, bools([3, 70])),
  largest(2, floats([9, 40]), 0),
  ...order('transposed', { ...floats([60, 3]), through: (e, x) => e.transposeMatrix(x) }, 1),
]

const running = (title: string, input: CaseInput, axis: number): RoutineCase[] =>
  (['sum', 'product', 'affine'] as const).flatMap((kind) =>
    [false, true].map((isBackwards) => ({
      title: `running ${kind} ${title}${isBackwards ? ', backwards' : ''}`,
      inputs: kind === 'affine' ? [input, input] : [input],
      attributes: { routine: new RunningResult(axis, kind, isBackwards) },
      gradient: input.dtype === 'float32' && sizeOf(input.shape) < 100,
    })),
  )
const isInteger = ({ attributes: { routine } }: RoutineCase): boolean =>
  routine instanceof RunningResult && routine.kind !== 'affine'

const runnings: readonly RoutineCase[] = [
  ...[1, 2, 3, 4, 5, 9, 300].flatMap((n) => running(`[${n}]`, floats([n]), 0)),
  ...running('nothing', floats([0, 3]), 0),
  ...running('no rows', floats([0, 3]), 1),
  ...running('[3, 4] along rows', floats([3, 4]), 1),
  ...running('[4, 3] along columns', floats([4, 3]), 0),
  ...running('[5, 9] along columns', floats([5, 9]), 0),
  ...running('middle axis', floats([2, 3, 6]), 1),
  ...running('with zeros', exactly([2, 0, 3, 0, -1]), 0),
  ...running('transposed', { ...floats([4, 3]), through: (e, x) => e.transposeMatrix(x) }, 1),
  ...running('int32', integers([6, 7], -9, 9), 0).filter(isInteger),
  ...running('int32 along rows', integers([6, 7], -1000000, 1000000), 1).filter(isInteger),
]

const SHIFTS = [0, 1, 2, 30, 31, 32, 33, -1, -32, 2147483647, -2147483648]
const bits: readonly RoutineCase[] = (['xor', 'shiftLeft', 'shiftRight'] as const).flatMap((kind) =>
  [1, 3, 4, 7, 77].map((n) => ({
    title: `${kind} [${n}]`,
    inputs: [
      exactly(repeated([-7, 2147483647, -2147483648, 5, 1234567, 0, -1], 11).slice(0, n), 'int32'),
      exactly(repeated(SHIFTS, 7).slice(0, n), 'int32'),
    ],
    attributes: { routine: new BitOperation(kind) },
  })),
)

const bitcast = (title: string, input: CaseInput): RoutineCase => ({
  title: `bitcast ${title}`,
  inputs: [input],
  attributes: { routine: new BitCast(input.dtype === 'int32' ? 'float32' : 'int32') },
})

const bitcasts: readonly RoutineCase[] = [
  ...[0, ...TAILS].map((n) => bitcast(`[${n}]`, floats([n]))),
  bitcast('int32', integers([9, 5], 0x3f000000, 0x40800000)),
  bitcast('special values', exactly([Infinity, -Infinity, 0, -0, 1e-45, -3.4e38])),
  bitcast('transposed', { ...floats([7, 3]), through: (e, x) => e.transposeMatrix(x) }),
]

const search = (title: string, sorted: CaseInput, values: CaseInput): RoutineCase[] =>
  [false, true].map((isRight) => ({
    title: `searchsorted ${title}${isRight ? ', right' : ''}`,
    inputs: [sorted, values],
    attributes: { routine: new SearchSorted(isRight) },
  }))

const searches: readonly RoutineCase[] = [
  ...search(
    'among several',
    exactly([-1, 0, 0, 2, 2, 5]),
    exactly([-2, -1, 0, -0, 1, 2, 5, 6, NaN, Infinity, -Infinity]),
  ),
  ...search('with NaN and infinities', exactly([-Infinity, -0, 0, Infinity, NaN, NaN]), exactly(UNORDERED)),
  ...search('among none', exactly([]), exactly([1, 2])),
  ...search('of none', exactly([1, 2]), exactly([])),
  ...search('int32', exactly([-2147483648, -1, 3, 3, 2147483647], 'int32'), exactly([...INT_EXTREMES, 3, 4], 'int32')),
  ...search('a matrix of values', { ...distinct([1]), shape: [1] }, floats([3, 4])),
]

/** Differences of −∞ are NaN. */
const finite: OpCase<'routine'>['reader'] = (builder, y) => builder.emitOne('maximum', [y, builder.e.scalar(-100)], {})

const most = (
  title: string,
  updates: CaseInput,
  indices: CaseInput,
  axis: number,
  size: number,
  gradient = true,
): RoutineCase => ({
  title: `scatterMax ${title}`,
  inputs: [updates, indices],
  attributes: { routine: new ScatterMax(axis, size) },
  ...(gradient ? { gradient, reader: finite } : {}),
})

const maxima: readonly RoutineCase[] = [
  ...[1, 2, 3, 4, 5, 8, 9].map((n) => most(`slices of ${n}`, distinct([4, n]), exactly([4, 0, 0, 2], 'int32'), 0, 5)),
  most('middle axis', distinct([2, 3, 3]), exactly([3, 3, 1], 'int32'), 1, 4),
  most('last axis', distinct([2, 5]), exactly([0, 3, 3, 2, 0], 'int32'), 1, 4),
  most('negative, and outside', distinct([4, 3]), exactly([-1, 4, 100, -100], 'int32'), 0, 4),
  most('no indices', floats([0, 3]), exactly([], 'int32'), 0, 4, false),
  most(
    'special values',
    exactly([NaN, 1, Infinity, -Infinity, 2, -0]),
    exactly([0, 0, 1, 2, 2, 3], 'int32'),
    0,
    5,
    false,
  ),
  most('int32', integers([9, 5]), integers([9], 0, 3), 0, 5, false),
]

/** Sums of n terms, relative to elements around 1. */
const near = (n: number): { ulp: number; absolute: number } => ({ ulp: 8, absolute: 1e-6 * (n + 2) })

/** x xᵀ + n: symmetric, and positive definite. */
const definite = (e: Emitter, x: Value): Value => e.add(e.matmul(x, e.transposeMatrix(x)), diagonal(e, x.shape.at(-1)!))
const symmetric = (e: Emitter, x: Value): Value => e.add(x, e.transposeMatrix(x))
/** Far from singular. */
const dominant = (e: Emitter, x: Value): Value => e.add(x, diagonal(e, x.shape.at(-1)!))

/** n on the diagonal. */
function diagonal(e: Emitter, n: number): Value {
  return e.constant(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? n : 0)),
    [n, n],
    'float32',
  )
}

const SIZES = [1, 2, 3, 4, 5, 8, 9, 13]
/** Several blocks of four columns, with and without a rest. */
const LARGE = [33, 40, 67]
const SQUARES: readonly Shape[] = [...[...SIZES, ...LARGE].map((n) => [n, n]), [3, 4, 4], [2, 1, 3, 3]]
const differentiated = (shape: Shape): { gradient: boolean; secondGradient: boolean } => ({
  gradient: sizeOf(shape) < 50,
  secondGradient: sizeOf(shape) < 20,
})
const named = (title: string, shape: Shape): string => `${title} [${shape.join()}]`

const factorizations: readonly RoutineCase[] = [
  ...SQUARES.flatMap((shape): RoutineCase[] => {
    const n = shape.at(-1)!
    return [
      {
        title: named('cholesky', shape),
        inputs: [{ ...floats(shape), through: definite }],
        attributes: { routine: new Cholesky() },
        ...near(n),
        ...differentiated(shape),
      },
      {
        title: named('lu', shape),
        inputs: [{ ...floats(shape), through: dominant }],
        attributes: { routine: new Lu() },
        ...near(n),
        ...differentiated(shape),
      },
      {
        title: named('lu that exchanges rows', shape),
        inputs: [{ ...floats(shape), through: (e, x) => e.reverse(dominant(e, x), [shape.length - 2]) }],
        attributes: { routine: new Lu() },
        ...near(n),
        ...differentiated(shape),
      },
      {
        title: named('eigh', shape),
        inputs: [{ ...floats(shape), through: symmetric }],
        attributes: { routine: new Eigen() },
        ...near(n),
        ...differentiated(shape),
      },
    ]
  }),
  ...[
    [3, 3],
    [5, 3],
    [13, 4],
    [2, 4, 2],
    [1, 1],
    [6, 1],
    [33, 33],
    [41, 40],
    [67, 34],
  ].flatMap((shape): RoutineCase[] => [
    {
      title: named('qr', shape),
      inputs: [floats(shape)],
      attributes: { routine: new Qr(false) },
      ...near(3),
      ...differentiated(shape),
    },
    {
      title: named('svd', shape),
      inputs: [floats(shape)],
      attributes: { routine: new Singular(false) },
      ...near(3),
      ...differentiated(shape),
    },
    {
      title: named('svdvals', shape),
      inputs: [floats(shape)],
      attributes: { routine: new SingularValues() },
      ...near(3),
      ...differentiated(shape),
    },
    { title: named('qr, complete', shape), inputs: [floats(shape)], attributes: { routine: new Qr(true) }, ...near(3) },
    {
      title: named('svd, full', shape),
      inputs: [floats(shape)],
      attributes: { routine: new Singular(true) },
      ...near(3),
    },
  ]),
  {
    title: 'qr of more columns than rows',
    inputs: [floats([3, 5])],
    attributes: { routine: new Qr(false) },
    ...near(5),
  },
  {
    title: 'qr of zeros',
    inputs: [exactly([0, 0, 0, 0, 0, 0], 'float32', [3, 2])],
    attributes: { routine: new Qr(true) },
  },
  {
    title: 'svd of zeros',
    inputs: [exactly([0, 0, 0, 0, 0, 0], 'float32', [3, 2])],
    attributes: { routine: new Singular(true) },
  },
  {
    // Only the values: the left vectors of vanishing ones are not unique.
    title: 'svdvals of rank 1',
    inputs: [exactly([1, 2, 2, 4, 3, 6], 'float32', [3, 2])],
    attributes: { routine: new SingularValues() },
    ...near(3),
  },
  {
    title: 'eigh of the identity',
    inputs: [exactly([1, 0, 0, 1], 'float32', [2, 2])],
    attributes: { routine: new Eigen() },
  },
  {
    title: 'cholesky of a matrix that is not positive definite',
    inputs: [exactly([1, 2, 2, 1], 'float32', [2, 2])],
    attributes: { routine: new Cholesky() },
  },
  {
    title: 'cholesky of zeros',
    inputs: [exactly([0, 0, 0, 0], 'float32', [2, 2])],
    attributes: { routine: new Cholesky() },
  },
  {
    title: 'cholesky of a NaN',
    inputs: [exactly([1, 0, 0, NaN], 'float32', [2, 2])],
    attributes: { routine: new Cholesky() },
  },
  {
    title: 'lu of a singular matrix',
    inputs: [exactly([1, 2, 3, 2, 4, 6, 1, 1, 1], 'float32', [3, 3])],
    attributes: { routine: new Lu() },
  },
  ...[NaN, Infinity, -Infinity].flatMap((bad): RoutineCase[] =>
    [new Eigen(), new Singular(true), new SingularValues(), new Qr(true)].map((routine) => ({
      title: `${routine.name} of matrices, one of which contains ${bad}`,
      inputs: [exactly([4, 1, 1, 2, 1, bad, bad, 1, 1, 0, 0, 3], 'float32', [3, 2, 2])],
      attributes: { routine },
      ...near(2),
    })),
  ),
  {
    title: 'lu with several pivots of 0',
    inputs: [
      {
        ...floats([9, 9]),
        through: (e, x) => e.multiply(x, e.constant(Float32Array.of(1, 0, 1, 1, 0, 1, 1, 0, 1), [9], 'float32')),
      },
    ],
    attributes: { routine: new Lu() },
    ...near(9),
  },
  ...[new Cholesky(), new Lu(), new Eigen(), new Singular(true), new SingularValues(), new Qr(true)].flatMap(
    (routine): RoutineCase[] => [
      { title: `${routine.name} of nothing`, inputs: [floats([0, 0])], attributes: { routine } },
      { title: `${routine.name} of no matrices`, inputs: [floats([0, 2, 2])], attributes: { routine } },
    ],
  ),
]

const systems: readonly RoutineCase[] = [
  ...[
    [1, 1],
    [3, 1],
    [4, 5],
    [5, 16],
    [9, 17],
    [7, 40],
  ].flatMap(([n, k]): RoutineCase[] => {
    const shape = [n!, k!]
    const triangles = [true, false].flatMap((lower) =>
      [true, false].flatMap((transposed) =>
        [true, false].map((unit): RoutineCase => ({
          title: `${named('solveTriangular', shape)}${lower ? ' lower' : ' upper'}${transposed ? ' transposed' : ''}${unit ? ' unit' : ''}`,
          inputs: [{ ...floats([n!, n!], -0.5, 0.5), through: dominant }, floats(shape, -1, 1, 2)],
          attributes: { routine: new TriangularSolve(lower, transposed, unit) },
          ...near(n!),
          ...differentiated(shape),
        })),
      ),
    )
    return [
      ...triangles,
      ...[true, false].map((transposed) => solved(named('solve', shape), [n!, n!], shape, transposed)),
    ]
  }),
  solved('solve a batch', [3, 4, 4], [3, 4, 2], false),
  solved('solve a batch, transposed', [3, 4, 4], [3, 4, 2], true),
  {
    title: 'solveTriangular a batch',
    inputs: [{ ...floats([3, 4, 4], -0.5, 0.5), through: dominant }, floats([3, 4, 2])],
    attributes: { routine: new TriangularSolve(true, false, false) },
    ...near(4),
    gradient: true,
    secondGradient: true,
  },
  {
    title: 'solveTriangular for no columns',
    inputs: [floats([3, 3]), floats([3, 0])],
    attributes: { routine: new TriangularSolve(true, false, false) },
  },
  {
    title: 'solveTriangular with 0 on the diagonal',
    inputs: [exactly([0, 0, 1, 2], 'float32', [2, 2]), exactly([1, 1], 'float32', [2, 1])],
    attributes: { routine: new TriangularSolve(true, false, false) },
  },
]

/** The results of Lu are used together. Its gradient is compared with JAX's: see ops/golden.test.ts. */
function solved(title: string, matrix: Shape, right: Shape, isTransposed: boolean): RoutineCase {
  const exchanged = (e: Emitter, x: Value): Value => e.reverse(dominant(e, x), [matrix.length - 2])
  const factor = (i: number): CaseInput => ({
    ...floats(matrix),
    through: (e, x) => e.routine(new Lu(), [exchanged(e, x)])[i]!,
  })
  return {
    title: isTransposed ? `${title}, transposed` : title,
    inputs: [{ ...floats(matrix), through: exchanged }, factor(0), factor(2), floats(right, -1, 1, 2)],
    attributes: { routine: new FactoredSolve(isTransposed) },
    ...near(matrix.at(-1)!),
  }
}

const fourierCases: readonly RoutineCase[] = [1, 2, 4, 8, 16, 32, 64, 512].flatMap((n) =>
  [[n], [3, n], [n, 5], [2, n, 3]].flatMap((shape) =>
    [false, true].map((backwards): RoutineCase => ({
      title: `${named('fourier', shape)}${backwards ? ' backwards' : ''}`,
      inputs: [floats(shape), floats(shape, -2, 2, 2)],
      attributes: { routine: new FourierTransform(shape.indexOf(n), backwards) },
      ulp: 2,
      absolute: 2e-6 * Math.sqrt(n) + 1e-6,
      gradient: sizeOf(shape) < 50,
    })),
  ),
)

const insertions: readonly RoutineCase[] = [
  ...[0, 1, 4].map((start): RoutineCase => ({
    title: `insert one at ${start}`,
    inputs: [floats([2, 5, 3]), floats([2, 1, 3], -2, 2, 2), exactly([start], 'int32', [])],
    attributes: { routine: new InsertBlock(1) },
  })),
  {
    title: 'insert several',
    inputs: [floats([3, 7, 2, 5]), floats([3, 3, 2, 5], -2, 2, 2), exactly([2], 'int32', [])],
    attributes: { routine: new InsertBlock(1) },
  },
  {
    title: 'insert along the first axis',
    inputs: [floats([6]), floats([2], -2, 2, 2), exactly([3], 'int32', [])],
    attributes: { routine: new InsertBlock(0) },
  },
  {
    title: 'insert beyond the end, and before the beginning',
    inputs: [floats([4, 3]), floats([2, 3], -2, 2, 2), exactly([9], 'int32', [])],
    attributes: { routine: new InsertBlock(0) },
  },
  {
    title: 'insert before the beginning',
    inputs: [floats([4, 3]), floats([2, 3], -2, 2, 2), exactly([-9], 'int32', [])],
    attributes: { routine: new InsertBlock(0) },
  },
  {
    title: 'insert all of it',
    inputs: [floats([2, 3]), floats([2, 3], -2, 2, 2), exactly([0], 'int32', [])],
    attributes: { routine: new InsertBlock(0) },
  },
  {
    title: 'insert nothing',
    inputs: [floats([2, 3]), floats([0, 3]), exactly([1], 'int32', [])],
    attributes: { routine: new InsertBlock(0) },
  },
  {
    title: 'insert bool',
    inputs: [bools([2, 5]), bools([2, 1], 2), exactly([3], 'int32', [])],
    attributes: { routine: new InsertBlock(1) },
  },
  {
    title: 'insert into what is made there',
    inputs: [
      { ...floats([2, 5]), through: (e, x) => e.multiply(x, 2) },
      floats([2, 1], -2, 2, 2),
      exactly([3], 'int32', []),
    ],
    attributes: { routine: new InsertBlock(1) },
  },
]

/** The sums are exact, and their rounding is specified: only an error of the last bit is allowed. */
function quantized(
  title: string,
  x: CaseInput,
  sight: Sight,
  { relu = false, fixed }: { relu?: boolean; fixed?: number } = {},
): RoutineCase {
  const own = Int8Array.from(integers([sizeOf(sight.window) * sight.channels, sight.filters], -127, 127, 3).data)
  const inputs = [
    x,
    exactly([...packWeights(own, sight)], 'int8', packedShape(sight)),
    floats([sight.filters], 0.001, 0.01, 5),
    floats([sight.filters], -1, 1, 6),
  ]
  return {
    title: `quantized ${title}${relu ? ', relu' : ''}${fixed === undefined ? '' : ', calibrated'}`,
    inputs: fixed === undefined ? inputs : [...inputs, exactly([fixed])],
    attributes: { routine: new QuantizedContraction(sight, relu) },
  }
}
const rowsBy = (channels: number, filters: number): Sight => ({
  window: [],
  channels,
  filters,
  strides: [],
  dilation: [],
})
const windowOf = (window: Shape, channels: number, filters: number, stride = 1, dilation = 1): Sight => ({
  window,
  channels,
  filters,
  strides: window.map(() => stride),
  dilation: window.map(() => dilation),
})

const quantizedCases: readonly RoutineCase[] = [
  ...[1, 2, 3, 4, 5, 7, 8, 12, 33].map((rows) =>
    quantized(`[${rows}, 19] to 13`, floats([rows, 19], -2, 2, rows), rowsBy(19, 13)),
  ),
  ...[1, 2, 7, 8, 9, 16, 17, 31, 40].map((channels) =>
    quantized(`[6, ${channels}] to 8`, floats([6, channels], -2, 2, channels), rowsBy(channels, 8)),
  ),
  ...[1, 2, 3, 4, 5, 7, 9, 16].map((filters) =>
    quantized(`[5, 12] to ${filters}`, floats([5, 12]), rowsBy(12, filters), { relu: filters % 2 === 0 }),
  ),
  quantized('[2, 3, 10] to 5', floats([2, 3, 10]), rowsBy(10, 5)),
  quantized('a vector', floats([10]), rowsBy(10, 5)),
  quantized('no rows', floats([0, 10]), rowsBy(10, 5)),
  quantized('zeros', exactly(new Array<number>(20).fill(0), 'float32', [2, 10]), rowsBy(10, 3)),
  quantized(
    'numbers too small to distinguish from zeros',
    exactly([1e-31, -1e-40, 1e-45, 0], 'float32', [2, 2]),
    rowsBy(2, 3),
  ),
  quantized('ties', exactly([127, 0.5, 1.5, -0.5, -1.5, 2.5, -2.5, 126.5], 'float32', [1, 8]), rowsBy(8, 3)),
  quantized('values out of range', floats([4, 10], -5, 5), rowsBy(10, 3), { fixed: 1 / 127 }),
  quantized('more rows than a block', floats([101, 40]), rowsBy(40, 9), { fixed: 0.01 }),
  quantized('long sums', floats([5, 1500]), rowsBy(1500, 17)),
  ...[3, 4, 9].map((rows) =>
    quantized(`[${rows}, 50] without negative numbers`, floats([rows, 50], 0, 3, rows), rowsBy(50, 11)),
  ),
  quantized('the largest everywhere', exactly(new Array<number>(5 * 40).fill(2), 'float32', [5, 40]), rowsBy(40, 9)),
  quantized(
    'one negative row among others',
    exactly(
      Array.from({ length: 10 * 21 }, (_, i) => (Math.floor(i / 21) === 5 ? -1 : 1) * (i % 13)),
      'float32',
      [10, 21],
    ),
    rowsBy(21, 9),
  ),
  quantized(
    'samples with negative numbers and without',
    exactly(
      Array.from({ length: 3 * 72 }, (_, i) => (i < 144 && i >= 72 ? -1 : 1) * (i % 11)),
      'float32',
      [3, 6, 6, 2],
    ),
    windowOf([3, 3], 2, 10),
  ),
  quantized('a convolution without negative numbers', floats([2, 7, 6, 3], 0, 2), windowOf([3, 3], 3, 10), {
    fixed: 0.01,
  }),
  quantized('a convolution', floats([2, 7, 6, 3]), windowOf([3, 3], 3, 10)),
  quantized('a convolution of one channel', floats([3, 9, 8, 1]), windowOf([3, 3], 1, 8), { relu: true }),
  quantized('a convolution with strides', floats([2, 9, 8, 2]), windowOf([3, 2], 2, 5, 2)),
  quantized('a dilated convolution', floats([2, 9, 8, 3]), windowOf([3, 2], 3, 5, 1, 2), { fixed: 0.02 }),
  quantized('a convolution with one tap', floats([2, 4, 5, 6]), windowOf([1, 1], 6, 9)),
  quantized('a convolution as wide as its input', floats([2, 6, 3, 2]), windowOf([2, 3], 2, 4)),
  quantized('a convolution of sequences', floats([3, 20, 5]), windowOf([4], 5, 12)),
  quantized('a convolution of many places', floats([2, 20, 20, 4]), windowOf([3, 3], 4, 8)),
]

const later: readonly RoutineCase[] = [
  { title: 'after', inputs: [floats([3, 5]), floats([2], -1, 1, 2)], attributes: { routine: new After() } },
  { title: 'after, of integers', inputs: [integers([7]), floats([2])], attributes: { routine: new After() } },
]

export const routineCases: readonly RoutineCase[] = [
  ...attentionCases,
  ...normalizationCases,
  ...sorts,
  ...runnings,
  ...bits,
  ...searches,
  ...bitcasts,
  ...insertions,
  ...maxima,
  ...factorizations,
  ...systems,
  ...fourierCases,
  ...quantizedCases,
  ...packedCases,
  ...later,
]
