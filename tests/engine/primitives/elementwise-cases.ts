// The rows of the table for elementwise primitives of one operand and of two. They follow from the record: which dtypes it
// accepts, whether it has gradients, the error of its kernel, the operands between which it is defined. MORE has the rows
// that do not follow from a record.

import type { DType } from '../../../src/core/dtypes'
import type { Shape, TensorType } from '../../../src/core/shapes'
import type { NoAttributes } from '../../../src/engine/ir/attributes'
import type { Value } from '../../../src/engine/ir/graph'
import { elementwise, type BinaryName, type UnaryName } from '../../../src/engine/primitives/elementwise'
import type { Emitter } from '../../../src/engine/primitives/emitter'
import {
  bools,
  distinct,
  exactly,
  floats,
  integers,
  nonZero,
  wholeFloats,
  type TensorContent,
} from '../../helpers/data'
import type { CaseInput, CaseOf, CaseOptions } from './cases'

type Cases = readonly CaseOf<NoAttributes>[]
export type Make = (shape: Shape, seed?: number) => TensorContent
type Pair = readonly [number, number]

export const transposed = (e: Emitter, x: Value): Value => e.transposeMatrix(x)
export const reversed = (e: Emitter, x: Value): Value =>
  e.reverse(
    x,
    x.shape.map((_, axis) => axis),
  )
/** All but the first along every axis. */
export const inner = (e: Emitter, x: Value): Value =>
  e.slice(
    x,
    x.shape.map(() => 1),
    x.shape.map((extent) => extent - 1),
  )

export const TAILS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31]

export const SPECIAL = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1e-40,
  -1e-40,
  1e-45,
  1e30,
  -1e30,
  3.4028235e38,
]
const EXTREMES = [2147483647, -2147483648, 0, 1, -1, 65536, 123456789]
const pairsOf = (a: readonly number[], b = a): readonly Pair[] => a.flatMap((x) => b.map((y): Pair => [x, y]))

export const boolean: Make = (shape, seed) => bools(shape, seed)
const positive: Make = (shape, seed) => floats(shape, 0.2, 3, seed)
const within =
  (low: number, high: number): Make =>
  (shape, seed) =>
    floats(shape, low, high, seed)
const away: Make = (shape, seed) => nonZero(shape, 0.1, 2, seed)
const whole: Make = (shape, seed) => wholeFloats(shape, -2, 2, seed)
const multiples =
  (offset: number): Make =>
  (shape, seed) =>
    distinct(shape, 0.25, offset, seed)
const tenths: Make = (shape) => distinct(shape, 0.25, 0.1)
/** Never an integer, nor halfway between two. */
const betweenSteps: Make = (shape, seed) => distinct(shape, 0.125, 0.0625, seed)
const divisors: Make = (shape) => ({
  ...floats(shape),
  data: floats(shape).data.map((_, i) => [1.75, -1.25, 2.5][i % 3]!),
})
const HALVES = [1.5, 2.5, -1.5, -2.5, 0.49999997, 8388609, 2147483648]
/** Outputs of tanh and sigmoid, and any gradient: with large numbers for both, float32 overflows and float64 does not. */
const OUTPUT_PAIRS = pairsOf([NaN, 0, -0, 1, -1, 0.5, 0.99999994], SPECIAL)
const MOD_PAIRS = pairsOf(
  [...SPECIAL, 5, -5, 4, -4],
  [2, -2, 3, -3, 0.1, -7e-41, 0, -0, 2.5e35, Infinity, -Infinity, NaN],
)

/** What the rows for float32 have in addition to, or in place of, what follows from the record. */
interface More extends CaseOptions {
  /** The operands. Default: within the range of the record, but not far from 0. */
  readonly operands?: readonly Make[]
  /** More operands than the usual special ones. */
  readonly special?: readonly number[]
  /** In place of all pairs of the usual special ones. */
  readonly pairs?: readonly Pair[]
  readonly rows?: Cases
}

const MORE: { readonly [Name in UnaryName | BinaryName]?: More } = {
  abs: { operands: [away] },
  sign: { operands: [away] },
  exp: { special: [88, -87.5, -100, 200] },
  expm1: { operands: [within(-3, 3)], special: [88, -30, 200] },
  log1p: { special: [-0.99999994] },
  reciprocal: { operands: [away] },
  sin: { operands: [within(-8, 8)] },
  cos: { operands: [within(-8, 8)] },
  tanh: { operands: [within(-4, 4)], special: [100, -100] },
  sigmoid: { special: [-90, 104] },
  softplus: { special: [-90] },
  relu: { operands: [away] },
  // the sign of y decides: kept away from 0 for the finite differences
  reluGradient: { operands: [away, floats] },
  tanhGradient: { pairs: OUTPUT_PAIRS },
  flushFactor: { special: [2 ** -63, -(2 ** -63), 1.08e-19, -1.08e-19] },
  flushState: { special: [2 ** -100, -(2 ** -100), 7.8e-31, -7.8e-31] },
  sigmoidGradient: { pairs: OUTPUT_PAIRS },
  erf: { special: [10] },
  geluTanh: { operands: [within(-4, 6)], special: [-9, -10, -10.2] },
  tanhSoftplus: { special: [-90] },
  gated: { pairs: [...pairsOf(SPECIAL), [-87.5, 1e-38], [-91, 0], [-104, 0], [-300, 1]] },
  gelu: { operands: [within(-4, 6)], special: [-9, -13.1, -13.3, 10, 20] },
  geluGradient: {
    // ½ − ½ is 0, where the truth is a tiny negative number.
    signedZero: false,
    pairs: [...pairsOf([NaN, 0, -0, 1, -1, Infinity, 13, -13, 30, -30], [1.5]), [1, NaN]],
  },
  erfInv: { special: [0.99999994, -0.99999994] },
  floor: { operands: [betweenSteps], special: HALVES },
  ceil: { operands: [betweenSteps], special: HALVES },
  round: { operands: [betweenSteps], special: HALVES },
  divide: { operands: [floats, away] },
  power: {
    operands: [positive, floats],
    rows: [
      {
        title: 'negative base and integer exponent',
        inputs: [exactly([-2, -2, -2, -1, -1.5, -1.5, -0.5, -3]), exactly([3, 2, -3, 5, 0, -2, 1, 0.5])],
        attributes: {},
        ulp: elementwise.power.ulp!,
      },
      {
        title: 'integer powers of negative numbers have gradients',
        inputs: [away([6]), { ...exactly([3], 'int32', []), through: (e, x) => e.cast(x, 'float32') }],
        attributes: {},
        ulp: elementwise.power.ulp!,
        gradient: true,
      },
    ],
  },
  arctan2: { operands: [floats, away] },
  mod: { operands: [tenths, divisors], pairs: MOD_PAIRS },
  floorDivide: { operands: [tenths, divisors], pairs: [...MOD_PAIRS, [6, 0.1], [1e38, 0.3]] },
  maximum: { operands: [multiples(0), multiples(0.125)] },
  minimum: { operands: [multiples(0), multiples(0.125)] },
  // Small integers make equal operands common.
  less: { operands: [whole, whole] },
  lessEqual: { operands: [whole, whole] },
  equal: { operands: [whole, whole] },
  notEqual: { operands: [whole, whole] },
}

type Options = CaseOptions & { readonly special: readonly number[] }

/** One operand in every form: lengths with tails, ranks 0 … 4, empty, and as views. */
function unary(
  [make]: readonly Make[],
  { special, gradient = false, secondGradient = false, ...more }: Options,
): Cases {
  const of = (title: string, input: CaseInput, own: CaseOptions = {}) => ({
    title,
    inputs: [input],
    attributes: {},
    ...more,
    ...own,
  })
  const first = make!
  return [
    ...TAILS.map((n) => of(`[${n}]`, first([n], n))),
    of('scalar', first([]), { gradient }),
    of('[3, 5, 7]', first([3, 5, 7])),
    of('[2, 3, 2, 3]', first([2, 3, 2, 3]), { gradient, secondGradient }),
    of('long enough for several tiles', first([3001])),
    of('empty', first([0, 3])),
    of('transposed', { ...first([5, 6]), through: transposed }, { gradient }),
    of('reversed', { ...first([13]), through: reversed }),
    of('inner part', { ...first([4, 6]), through: inner }, { gradient }),
    of('special values', exactly(special, first([]).dtype), { signedZero: true }),
  ]
}

/** Two operands in every form of broadcasting. */
function binary(
  [left, right]: readonly Make[],
  {
    pairs,
    gradient = false,
    secondGradient = false,
    signedZero = true,
    ...more
  }: CaseOptions & { readonly pairs: readonly Pair[] },
): Cases {
  const of = (title: string, a: CaseInput, b: CaseInput, own: CaseOptions = {}) => ({
    title,
    inputs: [a, b],
    attributes: {},
    ...more,
    ...own,
  })
  const [first, second] = [left!, right!]
  const shapes = (a: Shape, b: Shape, own: CaseOptions = {}) =>
    of(`[${a.join()}] and [${b.join()}]`, first(a), second(b, 2), own)
  const checked = { gradient }
  const special = [0, 1].map((side) => pairs.map((pair) => pair[side]!)) as [number[], number[]]
  return [
    ...TAILS.map((n) => shapes([n], [n])),
    shapes([], [], checked),
    shapes([7], [], checked),
    shapes([], [7], checked),
    shapes([3, 5], [5], checked),
    shapes([5], [3, 5], checked),
    shapes([3, 5], [3, 1], checked),
    shapes([3, 1], [3, 5], checked),
    shapes([4, 1], [3], { gradient, secondGradient }),
    shapes([2, 1, 3], [4, 1], checked),
    shapes([2, 3, 2, 3], [3, 1, 3], checked),
    shapes([1, 300, 1], [5, 1, 9]),
    shapes([0, 4], [4]),
    shapes([1], [0]),
    of('transposed and straight', { ...first([5, 3]), through: transposed }, second([3, 5], 2), checked),
    of('reversed and a row', { ...first([3, 5]), through: reversed }, second([5], 2)),
    of('both inner parts', { ...first([4, 6]), through: inner }, { ...second([4, 6], 2), through: inner }, checked),
    of('special values', exactly(special[0], first([]).dtype), exactly(special[1], second([]).dtype), { signedZero }),
  ]
}

/** The operands that are tested: a twentieth away from the ends of the range, and at most 6. */
function rangeOf([low, high]: readonly [low: number, high: number] = [-2, 2]): Make {
  const [from, to] = [Math.max(low, -6), Math.min(high, 6)]
  const margin = (to - from) / 20
  return low === -2 && high === 2 ? floats : within(from + margin, to - margin)
}

/** The rows of a primitive. @param record what is tested: elementwise[name] */
export function rowsOf(record: (typeof elementwise)[UnaryName | BinaryName], more: More = {}): Cases {
  const { operands, ulp = 0.5, absolute = 0, range } = record
  const accepts = (dtype: DType): boolean => {
    const type: TensorType = { shape: [], dtype }
    try {
      record.infer(
        Array.from({ length: operands }, () => type),
        {},
        'copy',
      )
      return true
    } catch {
      return false
    }
  }
  const inTitle = (dtype: DType, cases: Cases) => cases.map((each) => ({ ...each, title: `${dtype} ${each.title}` }))
  const of = (makes: readonly Make[], options: CaseOptions, special: readonly number[], pairs: readonly Pair[]) =>
    operands === 1 ? unary(makes, { ...options, special }) : binary(makes, { ...options, pairs })

  const { operands: makes = [rangeOf(range), floats], special = [], pairs = pairsOf(SPECIAL), rows = [], ...own } = more
  const gradient = record.vjp !== null
  const ends = range === undefined ? [] : [...range, 2 * range[0], 2 * range[1]]
  const float = { ulp, absolute, gradient, secondGradient: gradient, ...own }
  const int: Make = (shape, seed) => integers(shape, -5, 5, seed)
  return [
    ...(accepts('float32') ? [...of(makes, float, [...SPECIAL, ...ends, ...special], pairs), ...rows] : []),
    ...(accepts('int32') ? inTitle('int32', of([int, int], {}, EXTREMES, pairsOf(EXTREMES))) : []),
    ...(accepts('bool') ? inTitle('bool', of([boolean, boolean], {}, [0, 1], pairsOf([0, 1]))) : []),
  ]
}

type Rule = (typeof elementwise)[keyof typeof elementwise]
const isPlain = (entry: readonly [string, Rule]): entry is [UnaryName | BinaryName, (typeof elementwise)[UnaryName]] =>
  entry[0] !== 'cast' && entry[1].operands < 3

/** The rows of all elementwise primitives without attributes that have one operand or two. */
export const elementwiseCases = Object.fromEntries(
  Object.entries(elementwise)
    .filter(isPlain)
    .map(([name, record]) => [name, rowsOf(record, MORE[name])]),
) as { readonly [Name in UnaryName | BinaryName]: Cases }
