// The rows of products and tables of packed weights.

import { sizeOf } from '../../../src/core/shapes'
import {
  PackedMatmul,
  PackedRows,
  packRows,
  packedShape,
  type PackedFormat,
  type PackedKind,
} from '../../../src/engine/primitives/packed'
import { exactly, floats } from '../../helpers/data'
import type { CaseInput, OpCase } from './cases'

type RoutineCase = OpCase<'routine'>

/** Random weights, packed. */
function packed(format: PackedFormat, seed: number, scale = 1): CaseInput {
  const bytes = new Int8Array(sizeOf(packedShape(format)))
  const weights = floats([format.outputs, format.inputs], -1, 1, seed).data
  packRows(
    bytes,
    format,
    0,
    Float32Array.from(weights, (each) => each * scale),
  )
  return exactly([...bytes], 'int8', packedShape(format))
}

const KINDS: readonly PackedKind[] = ['rounded', 'exact', 'transposed']
const BITS = [4, 8] as const

/** The sums of a group are exact integers, and groups are added in order. */
function product(
  kind: PackedKind,
  format: PackedFormat,
  leading: readonly number[],
  x: CaseInput | null = null,
  scale = 1,
): RoutineCase {
  const from = kind === 'transposed' ? format.outputs : format.inputs
  const operand = x ?? floats([...leading, from], -2, 2, from + sizeOf(leading))
  const most = Array.from(operand.data).reduce((most, each) => Math.max(most, Math.abs(each)), 0)
  return {
    title: `packedMatmul ${kind}, ${format.bits} bits, [${[...leading, from].join()}] by [${format.outputs}, ${format.inputs}], scale ${scale}`,
    inputs: [operand, packed(format, format.outputs, scale)],
    attributes: { routine: new PackedMatmul(format, kind) },
    ulp: 1,
    absolute: 3e-7 * (from + 8) * most * scale,
    // rounding has no slope
    gradient: kind !== 'rounded' && scale === 1 && format.outputs < 20 && sizeOf(leading) < 9,
    secondGradient: kind !== 'rounded' && scale === 1 && format.outputs < 20 && sizeOf(leading) < 9,
  }
}

const of = (outputs: number, inputs: number, bits: 4 | 8): PackedFormat => ({ outputs, inputs, bits })

/** Deterministic sizes: outputs 1 … 70, inputs 1 … 200, rows 0 … 20. */
const SIZES = Array.from({ length: 24 }, (_, i): [number, number, number] => [
  1 + ((i * 29) % 70),
  1 + ((i * 83) % 200),
  (i * 8) % 21,
])

const both = <T>(make: (kind: PackedKind, bits: 4 | 8) => T): T[] =>
  KINDS.flatMap((kind) => BITS.map((bits) => make(kind, bits)))

const products: readonly RoutineCase[] = [
  ...SIZES.flatMap(([outputs, inputs, rows]) => both((kind, bits) => product(kind, of(outputs, inputs, bits), [rows]))),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((rows) => both((kind, bits) => product(kind, of(9, 40, bits), [rows]))),
  ...both((kind, bits) => product(kind, of(5, 33, bits), [2, 3])),
  ...both((kind, bits) => product(kind, of(5, 33, bits), [])),
  // more than a block of rows, of columns and of the sum
  ...both((kind, bits) => product(kind, of(64, 520, bits), [300])),
  ...both((kind, bits) => product(kind, of(1100, 300, bits), [26])),
  ...both((kind, bits) => product(kind, of(300, 1100, bits), [7])),
  // many tiles of a GPU, and more groups of a row than a workgroup keeps
  ...BITS.flatMap((bits) => [product('rounded', of(800, 40, bits), [100]), product('rounded', of(9, 2100, bits), [1])]),
  // extreme numbers
  ...[1e-30, 1e30].flatMap((scale) => both((kind, bits) => product(kind, of(9, 70, bits), [5], null, scale))),
  ...[
    new Array<number>(64).fill(0),
    new Array<number>(64).fill(-0),
    Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? 1e30 : -1e-30)),
    Array.from({ length: 64 }, (_, i) => 1e-45 * (i % 5)),
    // ties
    Array.from({ length: 64 }, (_, i) => (i === 0 || i === 32 ? 127 : (i % 9) - 4.5)),
  ].flatMap((numbers) =>
    BITS.map((bits) => product('rounded', of(11, 32, bits), [2], exactly(numbers, 'float32', [2, 32]))),
  ),
]

function rows(format: PackedFormat, ids: readonly number[], shape: readonly number[] = [ids.length]): RoutineCase {
  return {
    title: `packedTake ${ids.join()} of [${format.outputs}, ${format.inputs}], ${format.bits} bits`,
    inputs: [packed(format, 3), exactly(ids, 'int32', shape)],
    attributes: { routine: new PackedRows(format) },
    ulp: 0,
  }
}

const tables: readonly RoutineCase[] = BITS.flatMap((bits) => [
  ...[1, 3, 4, 15, 31, 32, 33, 47, 64, 100].map((inputs) => rows(of(19, inputs, bits), [0, 18, 7, 8, 7, -1, -19])),
  rows(of(19, 40, bits), [19, -20, 3, 2147483647, -2147483648]),
  rows(of(19, 40, bits), [1, 2, 3, 4, 5, 6], [2, 3]),
  rows(of(19, 40, bits), [5], []),
  rows(of(19, 40, bits), [], [0]),
])

export const packedCases: readonly RoutineCase[] = [...products, ...tables]
