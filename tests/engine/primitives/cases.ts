// The table that drives the op tests: for every primitive its operands, attributes and tolerances. tsc finds a
// primitive without a row. cases.test.ts runs it.

import { GraphBuilder } from '../../../src/engine/transforms/builder'
import type { Emitter } from '../../../src/engine/primitives/emitter'
import type { Value } from '../../../src/engine/ir/graph'
import { Body } from '../../../src/engine/ir/region'
import { loopPasses } from '../../../src/engine/tape/loop-passes'
import type { NoAttributes, PrimitiveAttributes, PrimitiveName } from '../../../src/engine/ir/attributes'
import { sizeOf, type Shape } from '../../../src/core/shapes'
import { bools, distinct, exactly, floats, integers, wholeFloats, type TensorContent } from '../../helpers/data'
import { SPECIAL, TAILS, boolean, elementwiseCases, inner, reversed, transposed, type Make } from './elementwise-cases'
import { routineCases } from './routine-cases'
import { windowCases } from './window-cases'

/** An operand; `through` is the view of it that the primitive gets. */
export interface CaseInput extends TensorContent {
  readonly through?: (e: Emitter, x: Value) => Value
}

export interface CaseOptions {
  /** Allowed error of the result, in units in the last place. Default 0.5: the nearest float32. */
  readonly ulp?: number
  /** Additional allowed error, for sums whose terms cancel. Default 0. */
  readonly absolute?: number
  /** Whether 0 and −0 must be distinguished. Default false. */
  readonly signedZero?: boolean
  /** Whether gradients are compared with finite differences. Default false. */
  readonly gradient?: boolean
  /** Whether gradients of gradients are, too. Default false. */
  readonly secondGradient?: boolean
  /** Reads the result; default: the result itself. */
  readonly reader?: (builder: GraphBuilder, y: Value) => Value
}

export interface CaseOf<Attributes> extends CaseOptions {
  readonly title: string
  readonly inputs: readonly CaseInput[]
  readonly attributes: Attributes
}

export type OpCase<Name extends PrimitiveName> = CaseOf<PrimitiveAttributes[Name]>

type Cases<Attributes> = readonly CaseOf<Attributes>[]

const matmulCase = (title: string, a: CaseInput, b: CaseInput, more: CaseOptions = {}): OpCase<'matmul'> => ({
  title,
  inputs: [a, b],
  attributes: {},
  ulp: 1,
  absolute: 2e-7 * a.shape[a.shape.length - (a.through === transposed ? 2 : 1)]! + 1e-6,
  ...more,
})

const LAYOUTS = [
  { name: 'A·B', left: false, right: false },
  { name: 'Aᵀ·B', left: true, right: false },
  { name: 'A·Bᵀ', left: false, right: true },
  { name: 'Aᵀ·Bᵀ', left: true, right: true },
]

function matrix(batch: Shape, rows: number, columns: number, swap: boolean, seed: number): CaseInput {
  if (!swap) return floats([...batch, rows, columns], -1, 1, seed)
  return { ...floats([...batch, columns, rows], -1, 1, seed), through: transposed }
}

/** m, k, n in every layout. */
function products(m: number, k: number, n: number, more: CaseOptions = {}, batch: Shape = []) {
  return LAYOUTS.map(({ name, left, right }) =>
    matmulCase(
      `${name} ${batch.join('×')} [${m}, ${k}, ${n}]`,
      matrix(batch, m, k, left, 1),
      matrix(batch, k, n, right, 2),
      more,
    ),
  )
}

/** @param bias a row, or null for a matrix as large as y */
const activated =
  (name: 'relu' | 'tanh' | 'sigmoid', bias: readonly number[] | null) =>
  (builder: GraphBuilder, y: Value): Value => {
    const data = Float32Array.from(bias ?? Array.from({ length: sizeOf(y.shape) }, (_, i) => (i % 7) - 3))
    const row = builder.emitOne('constant', [], {
      data,
      shape: bias === null ? y.shape : [bias.length],
      dtype: 'float32',
    })
    return builder.emitOne(name, [builder.e.add(y, row)], {})
  }
const BIAS = [0.5, -0.25, 0.125, -1, 2, 0.75, -0.5]

const matmulCases: Cases<NoAttributes> = [
  ...TAILS.flatMap((n, i) => products(TAILS[(i * 3 + 2) % 10]!, TAILS[(i * 7 + 5) % 10]!, n)),
  ...products(3, 4, 5, { gradient: true, secondGradient: true }),
  ...products(1, 1, 1, { gradient: true }),
  ...products(1, 9, 17),
  ...products(17, 9, 1),
  ...products(16, 1, 16),
  ...products(33, 47, 29),
  ...products(101, 300, 65),
  ...products(7, 20, 530),
  ...products(4, 3, 2, { gradient: true }, [3]),
  ...products(13, 9, 11, {}, [2, 2]),
  matmulCase('batched · one matrix', floats([3, 2, 4]), floats([4, 5], -1, 1, 2), { gradient: true }),
  matmulCase('one matrix · batched', floats([2, 4]), floats([3, 4, 5], -1, 1, 2), { gradient: true }),
  matmulCase('batches broadcast both ways', floats([2, 1, 2, 3]), floats([3, 3, 2], -1, 1, 2), { gradient: true }),
  matmulCase(
    'batch axes swapped',
    { ...floats([2, 3, 4, 5]), through: (e, x) => e.transpose(x, [1, 0, 2, 3]) },
    floats([3, 2, 5, 2]),
  ),
  matmulCase(
    'inner parts of a batch · one matrix',
    { ...floats([4, 3, 5]), through: inner },
    floats([4, 3], -1, 1, 2),
    { gradient: true },
  ),
  matmulCase(
    'a transposed batch · one matrix',
    { ...floats([3, 4, 2]), through: transposed },
    floats([4, 5], -1, 1, 2),
    { gradient: true },
  ),
  // The matrices lie apart, and the kernel packs the one on the right once for all.
  ...[false, true].map((isTransposed) =>
    matmulCase(
      `steps of a batch · one ${isTransposed ? 'transposed ' : ''}matrix`,
      { ...floats([9, 6, 70]), through: (e, x) => e.transpose(x, [1, 0, 2]) },
      isTransposed ? { ...floats([61, 70], -1, 1, 2), through: transposed } : floats([70, 61], -1, 1, 2),
    ),
  ),
  matmulCase(
    'inner parts',
    { ...floats([6, 8]), through: inner },
    { ...floats([8, 6], -1, 1, 2), through: inner },
    { gradient: true },
  ),
  matmulCase('rows reversed', { ...floats([5, 7]), through: reversed }, floats([7, 3], -1, 1, 2)),
  matmulCase(
    'a row repeated',
    { ...floats([1, 4]), through: (e, x) => e.broadcastTo(x, [3, 4]) },
    floats([4, 5], -1, 1, 2),
    { gradient: true },
  ),
  matmulCase('no inner elements', floats([3, 0]), floats([0, 4])),
  matmulCase('no rows', floats([0, 3]), floats([3, 4])),
  matmulCase('no matrices', floats([0, 2, 3]), floats([3, 4])),
  ...(['relu', 'tanh', 'sigmoid'] as const).flatMap((name) =>
    [4, 9].map((m) =>
      matmulCase(`bias and ${name}, ${m} rows`, floats([m, 5], -1, 1), floats([5, 7], -1, 1, 2), {
        gradient: m === 4,
        absolute: 4e-6,
        reader: activated(name, BIAS),
      }),
    ),
  ),
  ...[
    [1, 5, 7],
    [5, 7, 1],
    [2, 9, 6],
    [3, 4, 8],
    [9, 5, 7],
    [6, 600, 9],
    [100, 300, 40],
    [40, 64, 96],
  ].flatMap(([m, k, n]) => products(m!, k!, n!, { gradient: false, absolute: 2e-5, reader: activated('relu', null) })),
  ...products(3, 4, 5, { gradient: true, absolute: 4e-6, reader: activated('sigmoid', null) }, [2]),
  matmulCase('batched · one matrix, a matrix for each', floats([3, 2, 4]), floats([4, 5], -1, 1, 2), {
    absolute: 4e-6,
    reader: activated('tanh', null),
  }),
  matmulCase('batches broadcast both ways, a matrix for each', floats([2, 1, 2, 3]), floats([3, 3, 2], -1, 1, 2), {
    absolute: 4e-6,
    reader: activated('tanh', null),
  }),
  matmulCase(
    'special values',
    exactly([NaN, 1, 1, Infinity, 0, 2, 1, -Infinity, 3], 'float32', [3, 3]),
    exactly([1, 0, 1, 1, 2, 0], 'float32', [3, 2]),
  ),
  matmulCase(
    'special values, bias and relu',
    exactly([NaN, 1, 1, Infinity, 0, 2], 'float32', [3, 2]),
    wholeFloats([2, 7]),
    { reader: activated('relu', BIAS) },
  ),
]

const foldCase = (
  shape: Shape,
  axes: readonly number[],
  input: CaseInput,
  more: CaseOptions & { title?: string } = {},
): OpCase<'sum'> => ({ title: `[${shape.join()}] over ${axes.join()}`, inputs: [input], attributes: { axes }, ...more })

const SPECIAL_FOLD = [NaN, Infinity, -Infinity, -0]

function folds(make: Make, tolerance: CaseOptions, empty: boolean): Cases<PrimitiveAttributes['sum']> {
  const over = (shape: Shape, axes: readonly number[], more: CaseOptions = {}) =>
    foldCase(shape, axes, make(shape), { ...tolerance, ...more })
  return [
    ...TAILS.map((n) => over([n], [0])),
    ...TAILS.map((n) => over([3, n], [1])),
    // four rows at a time, and the rest
    ...TAILS.map((n) => over([9, n], [1])),
    over([6, 100], [1]),
    ...TAILS.map((n) => over([3, n], [0])),
    over([], [], { gradient: true }),
    over([2, 3, 4], [0], { gradient: true }),
    over([2, 3, 4], [1], { gradient: true }),
    over([2, 3, 4], [2], { gradient: true }),
    over([2, 3, 4], [0, 1], { gradient: true }),
    over([2, 3, 4], [1, 2], { gradient: true }),
    over([2, 3, 2, 3], [0, 1, 2, 3], { gradient: true }),
    over([2, 3, 2, 3], [1, 2], { gradient: true }),
    over([2, 3, 4], [0, 2], { gradient: true }),
    over([2, 3, 2, 3], [0, 2, 3], { gradient: true }),
    over([2, 3, 2, 3, 2], [0, 2, 4], { gradient: true }),
    over([5, 1, 3], [1], { gradient: true }),
    over([2, 3], [], { gradient: true }),
    over([3, 1030], [1]),
    over([1030, 3], [0]),
    over([70, 40], [0]),
    // so large that columns are processed side by side: in one block of rows, in two, and in blocks of blocks
    over([9, 8201], [0]),
    over([2, 70, 1001], [1]),
    over([4199, 400], [0]),
    over([2, 19, 21], [1]),
    over([0, 3], [1]),
    ...(empty ? [over([3, 0], [1]), over([0, 3], [0])] : []),
    foldCase(
      [5, 4],
      [1],
      { ...make([4, 5]), through: transposed },
      { ...tolerance, title: 'transposed', gradient: true },
    ),
    foldCase([3, 5], [0], { ...make([4, 6]), through: inner }, { ...tolerance, title: 'inner part' }),
    ...[NaN, Infinity, -Infinity].flatMap((x) =>
      [
        [0, 1, x, 2],
        [x, -1, 3, 0],
        [x, -x, 1, NaN],
        [x, x, x, x],
      ].map((row) => foldCase([4], [0], exactly(row), { ...tolerance, title: `[${row.join()}]` })),
    ),
    foldCase(
      [70, 1001],
      [0],
      exactly(
        Array.from({ length: 70 * 1001 }, (_, i) => SPECIAL_FOLD[(i * i) % 1009] ?? i % 3),
        'float32',
        [70, 1001],
      ),
      { ...tolerance, title: 'special wide columns' },
    ),
    foldCase(
      [23, 7],
      [1],
      exactly(
        Array.from({ length: 23 * 7 }, (_, i) => SPECIAL_FOLD[(i * i) % 29] ?? i % 3),
        'float32',
        [23, 7],
      ),
      { ...tolerance, title: 'special short rows' },
    ),
    foldCase([3, 2], [0], exactly([NaN, 1, 2, Infinity, -1, -Infinity], 'float32', [3, 2]), {
      ...tolerance,
      title: 'special columns',
    }),
  ]
}

const anyInteger: Make = (shape, seed) => integers(shape, -2147483648, 2147483647, seed)

/** Integers of all sizes: a sum wraps, and neither sums nor extremes would survive float32. */
function integerFolds(make: Make): Cases<PrimitiveAttributes['sum']> {
  const over = (shape: Shape, axes: readonly number[], more: CaseOptions & { title?: string } = {}) => {
    const input = make(shape)
    return foldCase(shape, axes, input, { title: `${input.dtype} [${shape.join()}] over ${axes.join()}`, ...more })
  }
  return [
    ...TAILS.map((n) => over([n], [0])),
    ...TAILS.map((n) => over([3, n], [1])),
    ...TAILS.map((n) => over([3, n], [0])),
    ...TAILS.map((n) => over([5, 30 + n], [0])),
    over([], []),
    over([2, 3], []),
    over([2, 3, 4], [1]),
    over([2, 3, 4], [0, 2]),
    over([2, 3, 2, 3], [0, 1, 2, 3]),
    over([3, 1030], [1]),
    over([1030, 3], [0]),
    over([2, 19, 21], [1]),
    over([0, 3], [1]),
    over([3, 0], [1]),
    over([0, 3], [0]),
    foldCase([5, 4], [1], { ...make([4, 5]), through: transposed }, { title: `${make([]).dtype} transposed` }),
  ]
}

const argCase = (title: string, input: CaseInput, axis: number): OpCase<'argMax'> => ({
  title,
  inputs: [input],
  attributes: { axis },
})

/** Neighbours that float32 cannot tell apart, ties, and both ends of the range. */
const closeIntegers: Make = (shape, seed) => {
  const steps = integers(shape, -3, 3, seed)
  return { ...steps, data: steps.data.map((x) => [-2147483648, 16777216 + x, x, 2147483644 + x][(x + 4) % 4]!) }
}

const argCases: readonly OpCase<'argMax'>[] = [
  ...[closeIntegers, boolean].flatMap((make) => [
    ...TAILS.map((n) => argCase(`${make([]).dtype} [${n}]`, make([n]), 0)),
    ...TAILS.map((n) => argCase(`${make([]).dtype} [4, ${n}] along rows`, make([4, n]), 1)),
    ...TAILS.map((n) => argCase(`${make([]).dtype} [4, ${n}] along columns`, make([4, n]), 0)),
    argCase(`${make([]).dtype} middle axis`, make([3, 5, 7]), 1),
    argCase(`${make([]).dtype} long row`, make([2, 1000]), 1),
    argCase(`${make([]).dtype} transposed`, { ...make([5, 4]), through: transposed }, 1),
  ]),
  argCase('int32 all the smallest', exactly(new Array<number>(7).fill(-2147483648), 'int32'), 0),
  argCase('int32 all the largest', exactly(new Array<number>(7).fill(2147483647), 'int32'), 0),
  ...TAILS.map((n) => argCase(`[${n}]`, distinct([n]), 0)),
  ...TAILS.map((n) => argCase(`[4, ${n}] along rows`, floats([4, n]), 1)),
  ...TAILS.map((n) => argCase(`[4, ${n}] along columns`, floats([4, n]), 0)),
  argCase('middle axis', floats([3, 5, 7]), 1),
  argCase('long row', floats([2, 1000]), 1),
  argCase('ties in rows', wholeFloats([20, 13], -1, 1), 1),
  argCase('ties in columns', wholeFloats([13, 20], -1, 1), 0),
  argCase('all equal', exactly(new Array<number>(11).fill(3)), 0),
  argCase('0 and −0 are equal', exactly([-0, 0, -0, 0, -0]), 0),
  argCase('first NaN in rows', exactly([1, NaN, 3, NaN, 0, 5, -1, Infinity, 2, NaN], 'float32', [2, 5]), 1),
  argCase('first NaN in columns', exactly([1, NaN, 3, NaN, 0, 5, -1, Infinity, 2, NaN], 'float32', [5, 2]), 0),
  argCase('NaN first', exactly([NaN, 9, NaN, -9, 2, 3, 4, 5, 6]), 0),
  argCase('only infinities', exactly([-Infinity, Infinity, -Infinity, Infinity]), 0),
  argCase('only −Inf', exactly([-Infinity, -Infinity, -Infinity]), 0),
  argCase('only +Inf', exactly([Infinity, Infinity, Infinity, Infinity, Infinity]), 0),
  argCase('no rows', floats([0, 3]), 1),
  argCase('transposed', { ...floats([5, 4]), through: transposed }, 1),
]

function softmaxes(ulp: number, absolute: number): Cases<NoAttributes> {
  const of = (title: string, input: CaseInput, more: CaseOptions = {}) => ({
    title,
    inputs: [input],
    attributes: {},
    ulp,
    absolute,
    ...more,
  })
  return [
    ...TAILS.map((n) => of(`[${n}]`, floats([n], -4, 4))),
    ...TAILS.map((n) => of(`[3, ${n}]`, floats([3, n], -4, 4))),
    of('[3, 5]', floats([3, 5], -3, 3), { gradient: true, secondGradient: true }),
    of('[2, 2, 3]', floats([2, 2, 3], -3, 3), { gradient: true }),
    of('long row', floats([2, 2050], -5, 5)),
    of('large inputs', exactly([1000, 1001, 999, -1000, -1001, -1002, 3e38, 1, 2], 'float32', [3, 3])),
    of('transposed', { ...floats([4, 5]), through: transposed }, { gradient: true }),
    of('empty rows', floats([3, 0])),
    of('no rows', floats([0, 3])),
    of('one NaN', exactly([1, NaN, 2, 1, 2, 3], 'float32', [2, 3])),
    of('one +Inf', exactly([1, Infinity, 2, 1, 2, 3], 'float32', [2, 3])),
    of('one −Inf', exactly([1, -Infinity, 2, 4, 5], 'float32', [1, 5])),
    of('only −Inf', exactly([-Infinity, -Infinity, -Infinity, 1, 2, 3], 'float32', [2, 3])),
  ]
}

const ENTROPY_SHAPES: readonly Shape[] = [
  ...TAILS.map((n) => [n]),
  ...TAILS.map((n) => [n, 10]),
  ...TAILS.map((n) => [3, n]),
  ...TAILS.map((n) => [6, 30 + n]),
  [70, 40],
  [130, 7],
  [2, 2, 3],
  [2, 2050],
]

/** Class numbers for all but the last axis. */
const classesFor = (shape: Shape): CaseInput => integers(shape.slice(0, -1), 0, shape[shape.length - 1]! - 1)
const oneRow = (x: TensorContent): CaseInput => ({ ...x, shape: [2, 3] })
/** Rows of 3 with non-finite values, for targets of either kind. */
const ODD_ROWS = [
  [1, NaN, 2, 1, 2, 3],
  [1, Infinity, 2, 1, 2, 3],
  [1, -Infinity, 2, 4, 5, 6],
  [-Infinity, -Infinity, -Infinity, 1, 2, 3],
  [3e38, 1, 2, 1000, 1001, -1000],
]

function entropies(targetsFor: (shape: Shape) => CaseInput): Cases<NoAttributes> {
  const of = (title: string, x: CaseInput, targets: CaseInput, more: CaseOptions = {}) => ({
    title,
    inputs: [x, targets],
    attributes: {},
    ulp: 12,
    absolute: 1e-6,
    ...more,
  })
  return [
    ...ENTROPY_SHAPES.map((shape) => of(`[${shape.join()}]`, floats(shape, -4, 4), targetsFor(shape))),
    ...ODD_ROWS.map((row) => of(`[${row.join()}]`, oneRow(exactly(row)), targetsFor([2, 3]))),
    of('with gradients', floats([3, 5], -3, 3), targetsFor([3, 5]), { gradient: true, secondGradient: true }),
    of('no rows', floats([0, 3]), targetsFor([0, 3])),
    of('transposed', { ...floats([4, 5]), through: transposed }, targetsFor([5, 4]), { gradient: true }),
  ]
}

function entropyGradients(targetsFor: (shape: Shape) => CaseInput): Cases<NoAttributes> {
  const of = (title: string, shape: Shape, targets: CaseInput, scale: CaseInput, more: CaseOptions = {}) => ({
    title,
    inputs: [floats(shape, 0, 1), targets, scale],
    attributes: {},
    ulp: 2,
    absolute: 1e-5,
    ...more,
  })
  const scaleFor = (shape: Shape): CaseInput => floats(shape.slice(0, -1), 0.1, 2, 3)
  return [
    ...ENTROPY_SHAPES.map((shape) => of(`[${shape.join()}]`, shape, targetsFor(shape), scaleFor(shape))),
    of(
      'the same scale for all rows',
      [3, 5],
      targetsFor([3, 5]),
      { ...floats([]), through: (e, x) => e.broadcastTo(x, [3]) },
      { gradient: true },
    ),
    of('every second scale', [3, 5], targetsFor([3, 5]), {
      ...floats([3, 2]),
      through: (e, x) => e.reshape(e.slice(x, [0, 1], [3, 1]), [3]),
    }),
    of('with gradients', [3, 5], targetsFor([3, 5]), scaleFor([3, 5]), { gradient: true, secondGradient: true }),
    of('no rows', [0, 3], targetsFor([0, 3]), scaleFor([0, 3])),
  ]
}

const NO_CLASS = exactly([-1, 5, 2, 2147483647], 'int32')
const distributionsFor = (shape: Shape): CaseInput => floats(shape, 0, 1, 2)

const pick = (title: string, x: CaseInput, indices: CaseInput, axis: number, gradient = true): OpCase<'gather'> => ({
  title,
  inputs: [x, indices],
  attributes: { axis },
  gradient,
})

const gatherCases: readonly OpCase<'gather'>[] = [
  ...TAILS.map((n) => pick(`slices of ${n}`, floats([5, n]), exactly([4, 0, 0, 2], 'int32'), 0, n < 6)),
  ...TAILS.map((n) => pick(`${n} indices`, floats([7]), integers([n], 0, 6), 0, n < 6)),
  pick('middle axis', floats([2, 4, 3]), exactly([3, 3, 1], 'int32'), 1),
  pick('last axis', floats([2, 4]), exactly([0, 3, 3, 2, 0], 'int32'), 1),
  pick('matrix of indices', floats([4, 2]), integers([2, 3], 0, 3), 0),
  pick('one index', floats([4, 3]), exactly([2], 'int32', []), 0),
  pick('no indices', floats([4, 3]), exactly([], 'int32'), 0, false),
  pick(
    'negative, and outside',
    floats([4, 3]),
    exactly([-1, 4, 100, -100, 2147483647, -2147483648], 'int32'),
    0,
    false,
  ),
  pick('int32', integers([4, 3]), exactly([3, 0], 'int32'), 0, false),
  pick('bool', bools([4, 3]), exactly([3, 0, 0], 'int32'), 0, false),
  pick('transposed', { ...floats([3, 4]), through: transposed }, exactly([3, 0], 'int32'), 0),
  pick('special values', exactly([NaN, -0, Infinity, 1e-45]), exactly([0, 1, 2, 3, 0], 'int32'), 0, false),
]

const put = (
  title: string,
  updates: CaseInput,
  indices: CaseInput,
  axis: number,
  size: number,
  gradient = true,
): OpCase<'scatterAdd'> => ({
  title,
  inputs: [updates, indices],
  attributes: { axis, size },
  gradient,
  ulp: 1,
  absolute: 1e-6,
})

const scatterCases: readonly OpCase<'scatterAdd'>[] = [
  ...TAILS.map((n) => put(`slices of ${n}`, floats([4, n]), exactly([4, 0, 0, 2], 'int32'), 0, 5, n < 6)),
  ...TAILS.map((n) => put(`${n} updates`, floats([n]), integers([n], 0, 6), 0, 7, n < 6)),
  put('middle axis', floats([2, 3, 3]), exactly([3, 3, 1], 'int32'), 1, 4),
  put('last axis', floats([2, 5]), exactly([0, 3, 3, 2, 0], 'int32'), 1, 4),
  put('matrix of indices', floats([2, 3, 2]), integers([2, 3], 0, 3), 0, 4),
  put('one index', floats([3]), exactly([2], 'int32', []), 0, 4),
  put('all to one place', floats([40, 3]), exactly(new Array<number>(40).fill(1), 'int32'), 0, 3, false),
  put('no indices', floats([0, 3]), exactly([], 'int32'), 0, 4, false),
  put('negative, and outside', floats([4, 3]), exactly([-1, 4, 100, -100], 'int32'), 0, 4),
  put(
    'int32, which wraps',
    exactly([2147483647, 1, 5, 6, -7], 'int32'),
    exactly([0, 0, 1, 3, 3], 'int32'),
    0,
    4,
    false,
  ),
  put('int32 slices', integers([4, 9]), exactly([4, 0, 0, 2], 'int32'), 0, 5, false),
  put(
    'NaN and Inf stay in their slice',
    exactly([NaN, Infinity, -Infinity, 1]),
    exactly([0, 1, 1, 2], 'int32'),
    0,
    4,
    false,
  ),
]

const view = <Attributes>(
  title: string,
  input: CaseInput,
  attributes: Attributes,
  more: CaseOptions = {},
): CaseOf<Attributes> => ({
  title,
  inputs: [input],
  attributes,
  gradient: input.dtype === 'float32' && input.data.every(Number.isFinite),
  signedZero: true,
  ...more,
})

/** Elementwise on both sides, so that the view is read with its strides. */
const doubled = (builder: GraphBuilder, y: Value): Value => builder.e.add(y, y)
const summedRows = (builder: GraphBuilder, y: Value): Value => builder.e.sum(y, [y.shape.length - 1])
const timesItself = (builder: GraphBuilder, y: Value): Value => builder.e.matmul(y, builder.e.transposeMatrix(y))
const loose = { ulp: 1, absolute: 1e-5 }

const SPECIAL_MATRIX = exactly([NaN, Infinity, -Infinity, -0, 0, 1e-45], 'float32', [2, 3])

const join = (title: string, inputs: readonly CaseInput[], axis: number, more: CaseOptions = {}) => ({
  title,
  inputs,
  attributes: { axis },
  gradient: true,
  ...more,
})

const added = (
  title: string,
  base: CaseInput,
  block: CaseInput,
  starts: readonly number[],
  more: CaseOptions = {},
) => ({ title, inputs: [base, block], attributes: { starts }, gradient: true, ...more })

/** c, x, w → c·w + x, and c again */
const turn = (): Body => {
  const builder = new GraphBuilder()
  const [c, x, w] = [
    [2, 3],
    [2, 3],
    [3, 3],
  ].map((shape) => builder.parameter({ shape, dtype: 'float32' })) as [Value, Value, Value]
  return new Body(builder.finish([builder.e.add(builder.e.matmul(c, w), x), c]), loopPasses)
}

const update = <Attributes>(
  title: string,
  inputs: readonly CaseInput[],
  attributes: Attributes,
  more: CaseOptions = {},
) => ({ title, inputs, attributes, ulp: 4, absolute: 1e-6, ...more })

// parameters, gradient, learningRate, then `slots` non-negative buffers
function updateInputs(count: number, slots: number, learningRate = 0.1): CaseInput[] {
  const slot = (_: unknown, i: number) => floats([count], 0.1, 1, 5 + i)
  return [
    floats([count], -2, 2, 3),
    floats([count], -1, 1, 4),
    exactly([learningRate], 'float32', []),
    ...Array.from({ length: slots }, slot),
  ]
}

const SGD = { momentum: 0, nesterov: false, weightDecay: 0 }
const RMSPROP = { rho: 0.75, momentum: 0, epsilon: 2 ** -20, centered: false, weightDecay: 0 }
const ADAM = { beta1: 0.875, beta2: 0.984375, epsilon: 2 ** -20, weightDecay: 0 }
/** 0.999 is not a float32: 1 − β₂ differs by 1.3e-5 of itself between float32 and float64. */
const KERAS_ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.004 }

function adamInputs(count: number, iterations: number): CaseInput[] {
  return [...updateInputs(count, 2), exactly([iterations], 'int32', [])]
}

/** Average² must not exceed the mean square. */
function centeredInputs(count: number, velocity: boolean): CaseInput[] {
  const [parameters, gradient, rate] = updateInputs(count, 0) as [CaseInput, CaseInput, CaseInput]
  return [
    parameters,
    gradient,
    rate,
    floats([count], 1, 2, 6),
    floats([count], -0.5, 0.5, 7),
    ...(velocity ? [floats([count], -1, 1, 8)] : []),
  ]
}

const guarded = (title: string, inputs: readonly CaseInput[], limits?: readonly number[]): OpCase<'guard'> => ({
  title,
  inputs,
  attributes: limits === undefined ? {} : { limits },
})

function guardAt(length: number, position: number, bad: number): CaseInput {
  return exactly(Array.from({ length }, (_, i) => (i === position ? bad : i - 3)))
}

const seeds = (a: number, b: number) => [exactly([a, b], 'int32')]
const drawn = (title: string, key: readonly CaseInput[], shape: Shape, stream = 0): OpCase<'uniform'> => ({
  title,
  inputs: key,
  attributes: { shape, stream },
  ulp: 0,
})

const clauses = (title: string, condition: CaseInput, a: CaseInput, b: CaseInput): OpCase<'select'> => ({
  title,
  inputs: [condition, a, b],
  attributes: {},
  signedZero: true,
  gradient: a.dtype === 'float32' && a.data.every(Number.isFinite),
})

const convert = (
  title: string,
  input: CaseInput,
  dtype: 'float32' | 'int32' | 'bool',
  gradient = false,
): OpCase<'cast'> => ({ title, inputs: [input], attributes: { dtype }, gradient, signedZero: true })

const opCases = {
  ...elementwiseCases,
  cast: [
    ...TAILS.map((n) => convert(`float32 → int32 [${n}]`, floats([n], -9, 9), 'int32')),
    ...TAILS.map((n) => convert(`int32 → float32 [${n}]`, integers([n]), 'float32')),
    convert('float32 → float32', floats([5]), 'float32', true),
    convert('int32 → int32', integers([5]), 'int32'),
    convert('large int32 → float32', exactly([2147483647, -2147483648, 16777217, 33554431], 'int32'), 'float32'),
    convert('special float32 → int32', exactly([...SPECIAL, 2147483648, -2147483904, 0.99, -0.99, -1.5]), 'int32'),
    ...[16, 40, 71].map((n) => {
      const outside = [NaN, 2147483648, -2147483648, -Infinity, -2147483520, 2147483520]
      const values = Array.from({ length: n }, (_, i) => (i % 5 === 1 && i > 15 ? outside[i % 6]! : i * 1.75 - 30))
      return convert(`float32 → int32, some of ${n} outside`, exactly(values), 'int32')
    }),
    convert('special float32 → bool', exactly(SPECIAL), 'bool'),
    convert('int32 → bool', exactly([0, 1, -1, 2, 256, -2147483648], 'int32'), 'bool'),
    convert('bool → int32', bools([9]), 'int32'),
    convert('bool → float32', bools([9]), 'float32'),
    convert('transposed', { ...floats([3, 5], -9, 9), through: transposed }, 'int32'),
  ],
  select: [
    ...TAILS.map((n) => clauses(`[${n}]`, bools([n]), floats([n]), floats([n], -2, 2, 2))),
    clauses('scalar condition', bools([]), floats([2, 3]), floats([2, 3], -2, 2, 2)),
    clauses('column condition, row and scalar', bools([3, 1]), floats([4]), floats([])),
    clauses('operands of three shapes', bools([2, 1, 3]), floats([4, 1]), floats([3])),
    clauses('int32', bools([5]), integers([5]), integers([5], -9, 9, 2)),
    clauses('bool', bools([5]), bools([5], 2), bools([5], 3)),
    clauses(
      'transposed',
      { ...bools([3, 5]), through: transposed },
      { ...floats([3, 5]), through: transposed },
      floats([3]),
    ),
    clauses(
      'the clause not taken does not matter',
      exactly([1, 0, 1, 0, 1], 'bool'),
      exactly([1, NaN, -0, Infinity, 1e-45]),
      exactly([NaN, -0, Infinity, 2, -Infinity]),
    ),
    clauses('empty', bools([0]), floats([0]), floats([])),
  ],
  matmul: matmulCases,
  matmulStrips: [
    [1, 3, 1],
    [1, 130, 5],
    [1, 300, 64],
    [4, 3, 1],
    [4, 64, 2],
    [5, 7, 3],
    [6, 1, 2],
    [7, 300, 3],
    [32, 64, 8],
    [100, 20, 5],
    [131, 270, 2],
  ].flatMap(([m, k, strips]): OpCase<'matmulStrips'>[] => {
    const [a, b] = [wholeFloats([m!, k!], -3, 3, 1), wholeFloats([strips!, k!, 8], -3, 3, 2)]
    const of = (title: string, left: CaseInput, more: CaseOptions = {}) => ({
      title: `${title} [${m}, ${k}] · ${strips} strips`,
      inputs: [left, b],
      attributes: {},
      gradient: false,
      ...more,
    })
    return [
      of('straight', a),
      of('transposed', { ...wholeFloats([k!, m!], -3, 3, 1), through: transposed }),
      of('bias and relu', a, {
        reader: activated(
          'relu',
          Array.from({ length: 8 * strips! }, (_, i) => (i % 5) - 2),
        ),
      }),
      of('a matrix and relu', a, { reader: activated('relu', null) }),
    ]
  }),
  ...windowCases,
  routine: routineCases,
  sum: [...folds(floats, { ulp: 2, absolute: 1e-4 }, true), ...integerFolds(anyInteger), ...integerFolds(boolean)],
  mean: folds(floats, { ulp: 2, absolute: 1e-6 }, true),
  max: [
    ...folds((shape, seed) => distinct(shape, 0.25, 0, seed), {}, true),
    ...integerFolds(anyInteger),
    ...integerFolds(boolean),
  ],
  min: [
    ...folds((shape, seed) => distinct(shape, 0.25, 0, seed), {}, true),
    ...integerFolds(anyInteger),
    ...integerFolds(boolean),
  ],
  argMax: argCases,
  argMin: argCases,
  softmax: softmaxes(12, 1e-37),
  logSoftmax: softmaxes(4, 1e-6),
  classCrossEntropy: [
    ...entropies(classesFor),
    {
      title: 'classes that do not exist',
      inputs: [floats([4, 5]), NO_CLASS],
      attributes: {},
      ulp: 12,
      absolute: 1e-6,
      gradient: true,
      secondGradient: true,
    },
  ],
  classCrossEntropyGradient: [
    ...entropyGradients(classesFor),
    {
      title: 'classes that do not exist',
      inputs: [floats([4, 5], 0, 1), NO_CLASS, floats([4])],
      attributes: {},
      ulp: 2,
      gradient: true,
    },
  ],
  crossEntropy: entropies(distributionsFor),
  crossEntropyGradient: entropyGradients(distributionsFor),
  gather: gatherCases,
  scatterAdd: scatterCases,
  reshape: [
    view('[2, 3, 4] → [6, 4]', floats([2, 3, 4]), { shape: [6, 4] }),
    view('[6] → [1, 2, 1, 3]', floats([6]), { shape: [1, 2, 1, 3] }),
    view('scalar → [1, 1]', floats([]), { shape: [1, 1] }),
    view('[1] → scalar', floats([1]), { shape: [] }),
    view('[0, 3] → [2, 0]', floats([0, 3]), { shape: [2, 0] }),
    view('int32', integers([2, 3]), { shape: [3, 2] }),
    view('of a transpose, which needs a copy', { ...floats([3, 4]), through: transposed }, { shape: [2, 6] }),
    view(
      'of a transpose by ones alone',
      { ...floats([3, 4]), through: transposed },
      { shape: [4, 1, 3] },
      { reader: doubled },
    ),
    view('of an inner part', { ...floats([3, 5]), through: inner }, { shape: [8] }, { reader: doubled }),
    view('of a repeated row', { ...floats([3]), through: (e, x) => e.broadcastTo(x, [2, 3]) }, { shape: [6] }),
    view('special values', SPECIAL_MATRIX, { shape: [6] }),
  ],
  transpose: [
    ...[
      [3, 5],
      [4, 4],
      [8, 9],
      [1, 7],
      [18, 3],
      [19, 22],
      [33, 17],
    ].map((shape) => view(`[${shape.join()}]`, floats(shape), { permutation: [1, 0] }, { gradient: shape[0]! < 8 })),
    ...[
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ].map((permutation) => view(`[2, 3, 5] by ${permutation.join()}`, floats([2, 3, 5]), { permutation })),
    view('rank 4', floats([2, 3, 2, 3]), { permutation: [3, 1, 0, 2] }),
    view('scalar', floats([]), { permutation: [] }),
    view('int32', integers([3, 5]), { permutation: [1, 0] }),
    view('into a sum', floats([3, 5]), { permutation: [1, 0] }, { reader: summedRows, ...loose }),
    view('into a product', floats([3, 5]), { permutation: [1, 0] }, { reader: timesItself, ...loose }),
    view('into a chain', floats([2, 3, 5]), { permutation: [2, 0, 1] }, { reader: doubled }),
    view('special values', SPECIAL_MATRIX, { permutation: [1, 0] }),
  ],
  slice: [
    ...TAILS.map((n) => view(`${n} from 1 on`, floats([n + 2]), { starts: [1], sizes: [n] })),
    view('columns', floats([4, 7]), { starts: [0, 2], sizes: [4, 3] }),
    view('rows', floats([5, 3]), { starts: [2, 0], sizes: [2, 3] }),
    view('a block', floats([3, 4, 5]), { starts: [1, 0, 3], sizes: [2, 3, 2] }),
    view('nothing', floats([3, 4]), { starts: [3, 0], sizes: [0, 4] }),
    view('of a transpose', { ...floats([3, 5]), through: transposed }, { starts: [1, 1], sizes: [3, 2] }),
    view('into a sum', floats([4, 7]), { starts: [1, 2], sizes: [2, 5] }, { reader: summedRows, ...loose }),
    view('into a product', floats([4, 7]), { starts: [1, 2], sizes: [2, 5] }, { reader: timesItself, ...loose }),
    view('into a chain', floats([4, 7]), { starts: [1, 2], sizes: [2, 5] }, { reader: doubled }),
    view('bool', bools([4, 5]), { starts: [1, 1], sizes: [2, 3] }),
    view('special values', SPECIAL_MATRIX, { starts: [0, 1], sizes: [2, 2] }),
  ],
  reverse: [
    ...TAILS.map((n) => view(`[${n}]`, floats([n]), { axes: [0] })),
    view('rows', floats([3, 5]), { axes: [0] }),
    view('columns', floats([3, 5]), { axes: [1] }),
    view('both', floats([3, 5]), { axes: [0, 1] }),
    view('none', floats([3, 5]), { axes: [] }),
    view('empty', floats([0, 5]), { axes: [0, 1] }),
    view('middle of rank 3', floats([2, 3, 4]), { axes: [1] }),
    view('of a transpose', { ...floats([3, 5]), through: transposed }, { axes: [0] }),
    view('into a sum', floats([3, 5]), { axes: [1] }, { reader: summedRows, ...loose }),
    view('into a product', floats([3, 5]), { axes: [1] }, { reader: timesItself, ...loose }),
    view('into a chain', floats([3, 5]), { axes: [0] }, { reader: doubled }),
    view('int32', integers([3, 5]), { axes: [1] }),
    view('special values', SPECIAL_MATRIX, { axes: [0, 1] }),
  ],
  broadcastTo: [
    view('scalar → [3, 4]', floats([]), { shape: [3, 4] }),
    view('row', floats([5]), { shape: [3, 5] }),
    view('column', floats([3, 1]), { shape: [3, 5] }),
    view('both sides', floats([2, 1, 3, 1]), { shape: [2, 2, 3, 2] }),
    view('to more axes', floats([3, 1]), { shape: [2, 1, 3, 4] }),
    view('to nothing', floats([1, 3]), { shape: [0, 3] }),
    view('of a transpose', { ...floats([1, 5]), through: transposed }, { shape: [5, 3] }),
    view('into a sum', floats([3, 1]), { shape: [3, 5] }, { reader: summedRows, ...loose }),
    view('into a product', floats([3, 1]), { shape: [3, 5] }, { reader: timesItself, ...loose }),
    view('into a chain', floats([5]), { shape: [3, 5] }, { reader: doubled }),
    view('int32', integers([3, 1]), { shape: [3, 5] }),
    view('special values', SPECIAL_MATRIX, { shape: [2, 2, 3] }),
  ],
  // Its gradient is zero by definition, not by finite differences: see grad.test.ts.
  stopGradient: [view('[3, 5]', floats([3, 5]), {}, { gradient: false }), view('int32', integers([4]), {})],
  concat: [
    ...TAILS.map((n) => join(`${n} and 3`, [floats([n]), floats([3], -2, 2, 2)], 0, { gradient: n < 6 })),
    join('rows', [floats([2, 5]), floats([1, 5], -2, 2, 2), floats([3, 5], -2, 2, 3)], 0),
    join('columns', [floats([3, 2]), floats([3, 5], -2, 2, 2)], 1),
    join('middle axis', [floats([2, 1, 3]), floats([2, 2, 3], -2, 2, 2)], 1),
    join('one operand', [floats([2, 3])], 0),
    join('with an empty one', [floats([2, 3]), floats([0, 3])], 0),
    join(
      'transposed operands',
      [
        { ...floats([3, 2]), through: transposed },
        { ...floats([3, 4]), through: transposed },
      ],
      0,
    ),
    join(
      'views along columns',
      [
        { ...floats([3, 4]), through: inner },
        { ...floats([2, 3], -2, 2, 2), through: reversed },
      ],
      1,
    ),
    join('a repeated row', [{ ...floats([3]), through: (e, x) => e.broadcastTo(x, [2, 3]) }, floats([1, 3])], 0),
    join(
      'computed operands, written in place',
      [
        { ...floats([2, 3]), through: (e, x) => e.multiply(x, 2) },
        { ...floats([1, 3], -2, 2, 2), through: (e, x) => e.exp(x) },
      ],
      0,
      { ulp: 2.5 },
    ),
    join('into a sum', [floats([2, 3]), floats([2, 4], -2, 2, 2)], 1, { reader: summedRows, ...loose }),
    join('int32', [integers([3]), integers([4], -9, 9, 2)], 0, { gradient: false }),
    join('bool', [bools([3]), bools([4], 2)], 0, { gradient: false }),
    join('special values', [SPECIAL_MATRIX, SPECIAL_MATRIX], 1, { gradient: false, signedZero: true }),
  ],
  sliceAdd: [
    ...TAILS.map((n) => added(`${n} of ${n + 3}`, floats([n + 3]), floats([n], -2, 2, 2), [2], { gradient: n < 6 })),
    added('rows', floats([5, 3]), floats([2, 3], -2, 2, 2), [2, 0]),
    added('columns', floats([4, 7]), floats([4, 3], -2, 2, 2), [0, 2]),
    added('a block', floats([3, 4, 9]), floats([2, 3, 6], -2, 2, 2), [1, 0, 2]),
    added('all of it', floats([3, 4]), floats([3, 4], -2, 2, 2), [0, 0]),
    added('nothing', floats([3, 4]), floats([0, 4]), [3, 0], { gradient: false }),
    added('a scalar', floats([]), floats([], -2, 2, 2), []),
    added('a transposed block', floats([4, 7]), { ...floats([3, 2], -2, 2, 2), through: transposed }, [1, 3]),
    added(
      'a repeated row',
      floats([4, 7]),
      { ...floats([5], -2, 2, 2), through: (e, x) => e.broadcastTo(x, [3, 5]) },
      [1, 2],
    ),
    added('to a transpose', { ...floats([3, 5]), through: transposed }, floats([2, 3], -2, 2, 2), [1, 0]),
    added('to zeros', { ...floats([]), through: (e, x) => e.broadcastTo(x, [4, 3]) }, floats([2, 2], -2, 2, 2), [1, 1]),
    added('in place', { ...floats([4, 5]), through: (e, x) => e.exp(x) }, floats([2, 3], -2, 2, 2), [1, 1], {
      ulp: 2.5,
      absolute: 1e-6,
    }),
    added('many rows', floats([90, 70]), floats([60, 33], -2, 2, 2), [20, 30], { gradient: false }),
    added('special values', SPECIAL_MATRIX, floats([2, 2]), [0, 1], { gradient: false }),
  ],
  pad: [
    ...TAILS.map((n) => view(`[${n}]`, floats([n]), { before: [1], after: [2], value: 0 }, { gradient: n < 6 })),
    view('after only', floats([3]), { before: [0], after: [5], value: 0 }),
    view('rows and columns', floats([2, 3]), { before: [1, 2], after: [0, 3], value: 7 }),
    view('middle axis', floats([2, 3, 2]), { before: [0, 1, 0], after: [0, 1, 0], value: -1.5 }),
    view('nothing', floats([2, 3]), { before: [0, 0], after: [0, 0], value: 7 }),
    ...[0, -0, 1].map((value) =>
      view(`hundreds of ${Object.is(value, -0) ? '-0' : value}`, floats([17, 19]), {
        before: [3, 1],
        after: [2, 0],
        value,
      }),
    ),
    view('of an empty tensor', floats([0, 2]), { before: [1, 0], after: [1, 0], value: 3 }),
    view('of a transpose', { ...floats([3, 2]), through: transposed }, { before: [1, 1], after: [1, 1], value: 0 }),
    view(
      'of a reversed part',
      { ...floats([7]), through: (e, x) => e.reverse(e.slice(x, [2], [4]), [0]) },
      { before: [3], after: [1], value: 0 },
    ),
    view('into a sum', floats([2, 3]), { before: [1, 2], after: [0, 3], value: 1 }, { reader: summedRows, ...loose }),
    view('scalar', floats([]), { before: [], after: [], value: 0 }),
    view('int32', integers([3]), { before: [2], after: [1], value: -7 }),
    view('with NaN', floats([3]), { before: [2], after: [1], value: NaN }, { gradient: false }),
    view('with −0', floats([3]), { before: [2], after: [1], value: -0 }),
    view('special values', SPECIAL_MATRIX, { before: [1, 0], after: [0, 1], value: -Infinity }),
  ],
  // Everything else about loops: ir/loops.test.ts.
  loop: [true, false].map((reverse) => {
    const [x, w] = [floats([4, 2, 3]), floats([3, 3], -1, 1, 2)]
    return {
      title: `a product in turn, reverse ${reverse}`,
      inputs: [floats([2, 3], -1, 1, 3), x, w],
      attributes: { body: turn(), length: 4, carries: 1, scanned: 1, reverse },
      ulp: 64,
      absolute: 1e-6,
    }
  }),
  constant: [
    {
      title: 'float32',
      inputs: [],
      attributes: { data: Float32Array.of(1, NaN, -0, Infinity, 1e-45), shape: [5], dtype: 'float32' },
      signedZero: true,
    },
    {
      title: 'int32',
      inputs: [],
      attributes: { data: Int32Array.of(1, -5, 2147483647), shape: [3, 1], dtype: 'int32' },
    },
    { title: 'bool', inputs: [], attributes: { data: Int32Array.of(1, 0), shape: [2], dtype: 'bool' } },
    { title: 'empty', inputs: [], attributes: { data: new Float32Array(0), shape: [0, 2], dtype: 'float32' } },
    {
      title: 'large',
      inputs: [],
      attributes: { data: Float32Array.from(floats([1000]).data), shape: [10, 100], dtype: 'float32' },
      reader: doubled,
    },
  ],
  uniform: [
    ...[...TAILS, 0, 1000].map((n) => drawn(`[${n}]`, seeds(12345, 7), [n])),
    drawn('scalar', seeds(1, 2), []),
    drawn('[3, 5]', seeds(-1, 2147483647), [3, 5]),
    drawn('another stream', seeds(12345, 7), [9], 3),
    drawn('all zero', seeds(0, 0), [9]),
    drawn('after 2¹⁶ pairs', [exactly([12345, 7, 2 ** 16], 'int32')], [1000]),
  ],
  guard: [
    guarded('finite', [floats([7]), floats([2, 3])]),
    guarded('large and tiny numbers are finite', [exactly([3.4028235e38, -3.4028235e38, 1e-45, -0, 3.4028235e38])]),
    guarded('empty', [floats([0]), floats([3])]),
    ...[NaN, Infinity, -Infinity].flatMap((bad) =>
      [
        [1, 0],
        [5, 4],
        [17, 0],
        [17, 15],
        [17, 16],
        [64, 33],
        [67, 66],
      ].map(([length, position]) => guarded(`${bad} at ${position} of ${length}`, [guardAt(length!, position!, bad)])),
    ),
    guarded('NaN in the second of three', [floats([5]), guardAt(9, 8, NaN), floats([3])]),
    guarded(
      'below a limit',
      [exactly([1e38, 3]), guardAt(17, 16, 9e18), guardAt(5, 2, -9e18)],
      [Infinity, 2 ** 63, 2 ** 63],
    ),
    ...[1e19, -1e19, NaN].map((bad) =>
      guarded(`${bad} is above a limit`, [exactly([1e38]), guardAt(21, 20, bad)], [Infinity, 2 ** 63]),
    ),
    guarded('above the limit of another', [guardAt(5, 1, 1e30), floats([3])], [Infinity, 2 ** 63]),
  ],
  sgd: [
    ...TAILS.map((n) => update(`plain [${n}]`, updateInputs(n, 0), SGD)),
    ...TAILS.map((n) => update(`momentum [${n}]`, updateInputs(n, 1), { ...SGD, momentum: 0.9 })),
    update('nesterov', updateInputs(13, 1), { ...SGD, momentum: 0.9, nesterov: true }),
    update('weight decay', updateInputs(13, 0), { ...SGD, weightDecay: 0.01 }),
    update('momentum and weight decay', updateInputs(13, 1), { ...SGD, momentum: 0.5, weightDecay: 0.01 }),
    update('learning rate 0', updateInputs(13, 1, 0), { ...SGD, momentum: 0.5 }),
    update('many', updateInputs(1001, 1), { ...SGD, momentum: 0.9 }),
  ],
  rmsprop: [
    ...TAILS.map((n) => update(`plain [${n}]`, updateInputs(n, 1), RMSPROP)),
    ...TAILS.map((n) => update(`momentum [${n}]`, updateInputs(n, 2), { ...RMSPROP, momentum: 0.9 })),
    ...TAILS.map((n) => update(`centered [${n}]`, centeredInputs(n, false), { ...RMSPROP, centered: true })),
    ...TAILS.map((n) =>
      update(`centered and momentum [${n}]`, centeredInputs(n, true), { ...RMSPROP, centered: true, momentum: 0.9 }),
    ),
    update('weight decay', updateInputs(13, 1), { ...RMSPROP, weightDecay: 0.01 }),
    update("Keras's defaults", updateInputs(13, 1, 0.001), { ...RMSPROP, rho: 0.9, epsilon: 1e-7 }),
  ],
  adam: [
    ...TAILS.map((n) => update(`[${n}]`, adamInputs(n, 0), ADAM)),
    ...[1, 10, 1000, 1_000_000].map((t) => update(`after ${t} iterations`, adamInputs(13, t), ADAM)),
    update('weight decay', adamInputs(13, 3), { ...ADAM, weightDecay: 0.01 }),
    update("Keras's defaults", adamInputs(1001, 0), KERAS_ADAM, { absolute: 2e-5 }),
  ],
} satisfies { readonly [Name in PrimitiveName]: readonly OpCase<Name>[] }

/** A case with its primitive bound, ready for a graph. */
export interface PreparedCase extends Omit<CaseOf<unknown>, 'attributes'> {
  readonly name: PrimitiveName
  /** The primitive's results, or the result of `reader`. */
  emit(builder: GraphBuilder, inputs: readonly Value[]): readonly Value[]
}

function prepare<Name extends PrimitiveName>(name: Name, opCase: OpCase<Name>): PreparedCase {
  const { attributes, ...rest } = opCase
  return {
    ...rest,
    name,
    emit(builder, inputs) {
      const operands = inputs.map((input, i) => opCase.inputs[i]!.through?.(builder.e, input) ?? input)
      const results = builder.emit(name, operands, attributes)
      return opCase.reader === undefined ? results : results.map((y) => opCase.reader!(builder, y))
    },
  }
}

export function casesOf<Name extends PrimitiveName>(name: Name): PreparedCase[] {
  const table: { readonly [N in PrimitiveName]: readonly OpCase<N>[] } = opCases
  return table[name].map((opCase) => prepare(name, opCase))
}

export const primitiveNames = Object.keys(opCases) as PrimitiveName[]
