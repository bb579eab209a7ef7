// The kernels of packed weights, and the graphs that test them. A program with such weights loads this file.

import { sizeOf } from '../../core/shapes'
import { isNodeOf, type Node } from '../ir/graph'
import { PackedMatmul, PackedRows, packRows, packedShape, type PackedFormat } from '../primitives/packed'
import { routineOf } from '../primitives/routine'
import type { Family, TestInput } from './family'
import type { KernelsOf } from './kernel'
import { packedMatmul, packedTake } from './kernels/packed'

export const packedKernels: KernelsOf<PackedMatmul | PackedRows> = { packedMatmul, packedTake }

/** Neither whole strips of outputs nor whole groups of inputs. */
const [OUTPUTS, INPUTS] = [21, 70]

function floats(rows: number, columns: number, number: (row: number, column: number) => number): TestInput {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => number(Math.floor(i / columns), i % columns))
  return { shape: [rows, columns], dtype: 'float32', data }
}

/** Numbers that are far from the middle between two integers when a group, whose largest is 127 / 64, is rounded: so no device rounds them otherwise. */
const roundable = (rows: number): TestInput =>
  floats(rows, INPUTS, (row, column) => (column % 32 === 0 ? 127 : ((37 * column + 11 * row) % 125) - 62 + 0.2) / 64)

function packed(format: PackedFormat): TestInput {
  const { data: weights } = floats(OUTPUTS, INPUTS, (row, column) => Math.sin(78.233 * (INPUTS * row + column + 1)))
  const shape = packedShape(format)
  const data = new Int8Array(sizeOf(shape))
  packRows(data, format, 0, Float32Array.from(weights))
  return { shape, dtype: 'int8', data }
}

/** The format of the packed weights of a node; null for other nodes. */
function formatOf(node: Node): PackedFormat | null {
  if (!isNodeOf(node, 'routine')) return null
  const routine = routineOf(node.attributes)
  return routine instanceof PackedMatmul || routine instanceof PackedRows ? routine.format : null
}

function familyOf(bits: 4 | 8): Family {
  const format: PackedFormat = { outputs: OUTPUTS, inputs: INPUTS, bits }
  return {
    name: `packed products of ${bits} bits`,
    has: (node) => formatOf(node)?.bits === bits,
    // Few rows and many have kernels of their own.
    inputs: [
      packed(format),
      roundable(3),
      roundable(17),
      { shape: [4], dtype: 'int32', data: Int32Array.of(20, 0, 7, 13) },
    ],
    body: (builder, [weights, few, many, ids]) => {
      const product = (x: typeof few, kind: PackedMatmul['kind']) =>
        builder.emitOne('routine', [x!, weights!], { routine: new PackedMatmul(format, kind) })
      return [
        product(few, 'rounded'),
        product(many, 'rounded'),
        product(many, 'exact'),
        builder.emitOne('routine', [weights!, ids!], { routine: new PackedRows(format) }),
      ]
    },
  }
}

export const packedFamilies: readonly Family[] = [familyOf(8), familyOf(4)]
