// Fills the weights of a model from files, a block of rows at a time. The next blocks are read while one is written.

import { FormatError, internalError, quoted } from '../../core/errors'
import { exactly } from '../../core/tuples'
import { STRIP_OUTPUTS } from '../../engine/primitives/packed'
import { F32, type GroupedIntegers, type NumberKind } from '../../files/containers/numbers'
import { writeIntegers, writeRows } from '../layers/packed-weight'
import type { StoredTensor } from '../presets/open-weights'
import { keepingOpen, readAhead, type RowBlock } from '../presets/rows/read-ahead'
import { RowKernel } from '../presets/rows/row-kernel'
import type { PlacedWeight } from './weights'

/** A weight and the tensor that fills it. */
export interface FilledWeight {
  readonly weight: PlacedWeight
  readonly tensor: StoredTensor
}

interface Events {
  /** Before a block is written; may throw. */
  readonly onBlock: () => void
  /** After a weight is filled. */
  readonly onWeight: () => void
}

/** Bytes that are read at once. */
const BLOCK = 2 ** 20
/** Blocks that are read at a time. */
const SLOTS = 3

/** A part of a weight. */
interface Block extends RowBlock {
  readonly weight: PlacedWeight
  /** The row of the weight that row `from` becomes. */
  readonly row: number
  readonly isLast: boolean
}

/**
 * Fills weights.
 * @throws FormatError for a number that is not finite
 */
export async function fillWeights(weights: readonly FilledWeight[], { onBlock, onWeight }: Events): Promise<void> {
  const blocks = weights.flatMap(blocksOf)
  const largest = Math.max(0, ...blocks.map(({ tensor, from, to }) => (to - from) * tensor.rowBytes))
  const inputs = Math.max(1, ...weights.map(({ weight }) => weight.matrix.inputs))
  const kernel = RowKernel.make({ block: largest, inputs }, SLOTS)
  const slots = kernel?.slots ?? Array.from({ length: SLOTS }, () => new Uint8Array(largest))
  const writer = new WeightWriter(kernel)
  const files = new Set(weights.map(({ tensor }) => tensor.file))
  await keepingOpen(files, () =>
    readAhead(blocks, slots, (block, bytes) => {
      onBlock()
      writer.write(block, bytes)
      if (block.isLast) onWeight()
    }),
  )
}

/** The blocks of a weight in the order of the file; at least one. */
function blocksOf({ weight, tensor }: FilledWeight): Block[] {
  const blocks: Omit<Block, 'isLast'>[] = []
  const rows = weight.isTransposed ? [[0, tensor.shape[0]!] as const] : weight.rows
  const most = Math.max(1, Math.floor(BLOCK / Math.max(1, tensor.rowBytes)))
  // Whole strips of packed weights where rows allow.
  const step = most > STRIP_OUTPUTS ? most - (most % STRIP_OUTPUTS) : most
  let row = 0
  for (const [first, end] of rows)
    for (let from = first; from < end; from += step) {
      const to = Math.min(end, from + step)
      blocks.push({ weight, tensor, from, to, row })
      row += to - from
    }
  return blocks.map((block, i) => ({ ...block, isLast: i === blocks.length - 1 }))
}

class WeightWriter {
  /** The numbers of a transposed weight whose integers need whole rows, while its columns are read. */
  private columns = new Float32Array(0)

  constructor(private readonly kernel: RowKernel | null) {}

  write(block: Block, bytes: Uint8Array<ArrayBuffer>): void {
    const { weight, tensor, row } = block
    const { matrix, offset } = weight
    const kind = kindOf(tensor)
    const readIntegers = matrix.format === null ? undefined : kind.asIntegers?.[matrix.format.bits]
    if (weight.isTransposed) this.writeColumns(block, finite(kind.read(bytes), tensor.name))
    else if (readIntegers !== undefined) writeIntegers(matrix, row, finiteScales(readIntegers(bytes), tensor.name))
    else if (offset === 0 && this.kernel?.takes(kind) === true) {
      const refused = this.kernel.write(matrix, row, { kind, bytes })
      // Names the number.
      if (refused >= 0) finite(kind.read(bytes.subarray(refused * tensor.rowBytes)), tensor.name)
    } else {
      const numbers = finite(kind.read(bytes), tensor.name)
      if (offset !== 0) for (let i = 0; i < numbers.length; i++) numbers[i]! += offset
      writeRows(matrix, row, numbers)
    }
  }

  /** From [inputs, outputs] to [outputs, inputs], of which the rows are columns of the file. */
  private writeColumns({ weight: { matrix, rows }, tensor, from, isLast }: Block, numbers: Float32Array): void {
    const [inputs, all] = exactly(tensor.shape, 2)
    if (matrix.format !== null && from === 0) this.columns = new Float32Array(matrix.outputs * inputs)
    const view = matrix.format === null ? matrix.variable.view : this.columns
    const count = numbers.length / all
    let output = 0
    for (const [first, end] of rows)
      for (let column = first; column < end; column++, output++)
        for (let i = 0; i < count; i++) view[output * inputs + from + i] = numbers[i * all + column]!
    if (matrix.format === null || !isLast) return
    if (this.kernel === null) writeRows(matrix, 0, this.columns)
    else this.kernel.write(matrix, 0, { kind: F32, bytes: new Uint8Array(this.columns.buffer) })
    this.columns = new Float32Array(0)
  }
}

function kindOf({ kind, name }: StoredTensor): NumberKind {
  if (kind === null) throw internalError(`the kind of numbers of ${name} was not checked`)
  return kind
}

function finiteScales(grouped: GroupedIntegers, name: string): GroupedIntegers {
  finite(grouped.scales, name)
  if (grouped.minima !== null) finite(grouped.minima, name)
  return grouped
}

function finite(numbers: Float32Array, name: string): Float32Array {
  for (let i = 0; i < numbers.length; i++)
    // Of NaN and infinity the difference with itself is NaN.
    if (numbers[i]! - numbers[i]! !== 0)
      throw new FormatError(`The tensor ${quoted(name)} has the number ${numbers[i]}, weights must be finite`)
  return numbers
}
