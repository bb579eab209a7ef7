// The rows of the routines: kernels that come with their ops.

import { ScatterMax } from '../../src/primitives/indexing'
import { ArgSort, SearchSorted } from '../../src/primitives/sorting'
import { bools, distinct, exactly, floats, integers, wholeFloats } from '../helpers/data'
import type { CaseInput, OpCase } from './cases'

type RoutineCase = OpCase<'routine'>

const TAILS = [1, 2, 3, 4, 5, 7, 8, 47, 48, 49, 300]

const order = (title: string, input: CaseInput, axis: number): RoutineCase[] =>
  [false, true].map((descending) => ({ title: `argsort ${title}${descending ? ', falling' : ''}`, inputs: [input], attributes: { routine: new ArgSort(axis, descending) } }))

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
  ...order('transposed', { ...floats([60, 3]), through: (e, x) => e.transposeMatrix(x) }, 1),
]

const search = (title: string, sorted: CaseInput, values: CaseInput): RoutineCase[] =>
  [false, true].map((isRight) => ({ title: `searchsorted ${title}${isRight ? ', right' : ''}`, inputs: [sorted, values], attributes: { routine: new SearchSorted(isRight) } }))

const searches: readonly RoutineCase[] = [
  ...search('among several', exactly([-1, 0, 0, 2, 2, 5]), exactly([-2, -1, 0, -0, 1, 2, 5, 6, NaN, Infinity, -Infinity])),
  ...search('with NaN and infinities', exactly([-Infinity, -0, 0, Infinity, NaN, NaN]), exactly(UNORDERED)),
  ...search('among none', exactly([]), exactly([1, 2])),
  ...search('of none', exactly([1, 2]), exactly([])),
  ...search('int32', exactly([-2147483648, -1, 3, 3, 2147483647], 'int32'), exactly([...INT_EXTREMES, 3, 4], 'int32')),
  ...search('a matrix of values', { ...distinct([1]), shape: [1] }, floats([3, 4])),
]

/** Differences of −∞ are no numbers. */
const finite: OpCase<'routine'>['reader'] = (builder, y) => builder.emitOne('maximum', [y, builder.e.scalar(-100)], {})

const most = (title: string, updates: CaseInput, indices: CaseInput, axis: number, size: number, gradient = true): RoutineCase =>
  ({ title: `scatterMax ${title}`, inputs: [updates, indices], attributes: { routine: new ScatterMax(axis, size) }, ...(gradient ? { gradient, reader: finite } : {}) })

const maxima: readonly RoutineCase[] = [
  ...[1, 2, 3, 4, 5, 8, 9].map((n) => most(`slices of ${n}`, distinct([4, n]), exactly([4, 0, 0, 2], 'int32'), 0, 5)),
  most('middle axis', distinct([2, 3, 3]), exactly([3, 3, 1], 'int32'), 1, 4),
  most('last axis', distinct([2, 5]), exactly([0, 3, 3, 2, 0], 'int32'), 1, 4),
  most('outside goes to the nearest', distinct([4, 3]), exactly([-1, 4, 100, -100], 'int32'), 0, 4),
  most('no indices', floats([0, 3]), exactly([], 'int32'), 0, 4, false),
  most('special values', exactly([NaN, 1, Infinity, -Infinity, 2, -0]), exactly([0, 0, 1, 2, 2, 3], 'int32'), 0, 5, false),
  most('int32', integers([9, 5]), integers([9], 0, 3), 0, 5, false),
]

export const routineCases: readonly RoutineCase[] = [...sorts, ...searches, ...maxima]
