// A loop as one kernel. If each row of the carries needs no other row, a workgroup computes a row in all turns: its threads divide
// the elements of the row, and wait for each other before a kernel that reads what others have written. WGSL cannot let workgroups
// wait for each other, and they need not: rows may be in different turns at the same time.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Node, Value } from '../ir/graph'
import { isAddress, type Word } from '../ir/instruction'
import { offsetBy, type Address } from '../ir/operand'
import { ChainKernel } from '../plan/chain'
import { SingleKernel, type Kernel } from '../plan/kernel'
import type { Legal, Locations } from '../plan/locations'
import { isPlaced, type LoopIdentity } from '../plan/memory'
import { ruleOf } from '../primitives'
import { RECORD_BYTES } from './device'
import type { KernelText } from './dispatch'
import { suffixed, renamed, THREADS, type SharedMemory } from './module'
import { gpuKernelOf } from './target'
import { areIndependent, type Placed } from './uses'

// When a loop is one kernel. These numbers are estimates: nothing was measured on a GPU.

/**
 * The most floating-point operations of a row in a turn. A workgroup reads all matrices that its row is multiplied with, in every turn.
 * If they are larger, this takes longer than a dispatch for each kernel, whose workgroups divide the matrices. 2¹⁹ operations are
 * those of an LSTM with 256 units.
 */
const MOST_OF_ROW = 2 ** 19
/** The most operations of all rows in a turn, because each row reads the matrices again: 128 rows of an LSTM with 128 units. */
const MOST_OF_TURN = 2 ** 24
/** The most operations of a row in all turns: a browser ends a dispatch that takes some seconds. */
const MOST_OF_LOOP = 2 ** 31
const MOST_THREADS = 256
/** The words that a dispatch adds to the record of a kernel. */
const OTHER_WORDS = 2

/** The rows of a loop that is one kernel; null if it is not. */
export function rowsOf({ attributes, outputs }: Node<'loop'>, body: Legal, kernels: readonly Kernel[]): number | null {
  const { carries, length, runs } = attributes
  const rows = outputs[0]?.shape[carries > 0 ? 0 : 1] ?? 0
  if (runs !== undefined || rows === 0) return null
  const changing = new Set([...body.graph.parameters.slice(0, carries), ...kernels.flatMap(({ writes }) => writes)])
  const context = { rows, changing, locations: body.locations }
  const areRows = [...changing].every(({ shape }) => shape[0] === rows)
  if (!areRows || !kernels.every((kernel) => isByRow(kernel, context))) return null
  const flops = kernels.reduce((sum, kernel) => sum + flopsOf(kernel), 0)
  const isSmall = flops <= Math.min(rows * MOST_OF_ROW, MOST_OF_TURN) && flops * length <= rows * MOST_OF_LOOP
  return isSmall ? rows : null
}

/** The operations of a kernel, without those that are elementwise. */
function flopsOf({ nodes }: Kernel): number {
  const { name, inputs, outputs, attributes } = nodes[0]!
  const rule = ruleOf(name)
  return rule.kind === 'kernel' ? rule.flops({ inputs, outputs, attributes }) : 0
}

interface Rows {
  readonly rows: number
  /** The values that the loop writes. */
  readonly changing: ReadonlySet<Value>
  readonly locations: Locations
}

/** Whether a kernel computes each row of its result from the same row of the values that the loop writes. */
function isByRow(kernel: Kernel, context: Rows): boolean {
  const result = kernel.nodes[0]!.outputs[0]!
  const isAllowed = (operand: Value, needsOnlyRow: boolean): boolean =>
    !context.changing.has(context.locations.baseOf(operand)) || (needsOnlyRow && hasRowsOf(result, operand, context))
  if (kernel instanceof ChainKernel) return kernel.operands.every((operand) => isAllowed(operand, true))
  if (!(kernel instanceof SingleKernel)) return false
  const { node, bias } = kernel
  const byRow = gpuKernelOf(node.name).byRow?.(node.inputs, node.attributes) ?? null
  return (
    byRow !== null &&
    node.inputs.every((input, i) => isAllowed(input, byRow[i]!)) &&
    (bias === null || isAllowed(bias.operand, true))
  )
}

/** Whether row i of an operand, which is row i of its base, belongs to row i of the result. */
function hasRowsOf(result: Value, operand: Value, { rows, locations }: Rows): boolean {
  const { base, layout } = locations.of(operand)
  const [apart, ...strides] = layout.strides
  const size = sizeOf(base.shape) / rows
  const ends = strides.map((stride, i) => stride * (operand.shape[i + 1]! - 1))
  const first = ends.reduce((sum, end) => sum + Math.min(0, end), layout.offset)
  const last = ends.reduce((sum, end) => sum + Math.max(0, end), layout.offset)
  return (
    operand.shape.length === result.shape.length &&
    operand.shape[0] === rows &&
    (rows === 1 || apart === size) &&
    first >= 0 &&
    last < size
  )
}

/** What finds an address that changes from turn to turn, for `inTurn`; null for other words. */
function streamOf(word: Word, loop: LoopIdentity): Readonly<Record<string, Word>> | null {
  if (!isAddress(word) || !isPlaced(word.buffer)) return null
  const { home } = word.buffer
  if (home.kind !== 'moving' || home.stream.loop !== loop) return null
  const { first, odd, even, step } = home.stream
  const at = (start: Address): Address => offsetBy(start, word.offset)
  return { First: at(first), Odd: at(odd), Even: at(even), Step: step / BYTES_PER_ELEMENT }
}

/** The address of a stream in a turn, like `streamAt` in plan/memory.ts. */
const inTurn = `fn inTurn(turn: u32, first: u32, odd: u32, even: u32, step: u32) -> u32 {
return select(select(even, odd, turn % 2u == 1u) + turn / 2u * step, first, turn == 0u);
}`

/** The words of a kernel for all turns, and the code of a function that calls it for one element in one turn. */
interface Turned {
  readonly words: readonly [name: string, word: Word][]
  readonly code: string
}

/** A kernel as the function `name` of an element and a turn. */
function turned(name: string, words: readonly [string, Word][], body: string, loop: LoopIdentity): Turned {
  const fixed: [string, Word][] = []
  const lines: string[] = []
  const names = new Map<string, string>()
  for (const [field, word] of words) {
    const stream = streamOf(word, loop)
    if (stream === null) fixed.push([field, word])
    else {
      const own = Object.entries(stream).map(([part, each]): [string, Word] => [field + part, each])
      fixed.push(...own)
      lines.push(`let ${field}_now = inTurn(turn, ${own.map(([part]) => `p.${part}`).join(', ')});`)
      names.set(`p.${field}`, `${field}_now`)
    }
  }
  return { words: fixed, code: `fn ${name}(index: u32, turn: u32) {\n${lines.join('\n')}\n${renamed(body, names)}\n}` }
}

/** The least power of 2 of threads that have an element each. */
function threadsFor(elements: number): number {
  let threads = THREADS
  while (threads < elements && threads < MOST_THREADS) threads *= 2
  return threads
}

/**
 * A loop as a kernel with a workgroup for each row; null if its record is too large.
 * @param pieces the kernels of a turn, which have a thread for each element
 */
export function scanOf(loop: LoopIdentity, turns: number, rows: number, pieces: readonly Placed[]): KernelText | null {
  const widths = pieces.map(({ size }) => size / rows)
  const threads = threadsFor(Math.max(...widths))
  const fields: Record<string, Word> = { turns }
  const functions: Record<string, string> = { inTurn }
  const memory: SharedMemory = new Map()
  const statements: string[] = []
  let together: Placed[] = []
  pieces.forEach((piece, i) => {
    const { words, functions: own, body } = suffixed(piece.text, `_in${i}`, memory)
    const kernel = turned(`kernel${i}`, words, body, loop)
    Object.assign(fields, Object.fromEntries(kernel.words), { [`width${i}`]: widths[i]! })
    Object.assign(functions, own, { [`kernel${i}`]: kernel.code })
    if (!together.every(({ uses }) => areIndependent(uses, piece.uses))) {
      statements.push('storageBarrier();')
      together = []
    }
    together.push(piece)
    const call = `kernel${i}(group * p.width${i} + i, turn);`
    statements.push(`for (var i = thread; i < p.width${i}; i += ${threads}u) { ${call} }`)
  })
  const body = `for (var turn = 0u; turn < p.turns; turn++) {\n${statements.join('\n')}\nstorageBarrier();\n}`
  const shared = Object.fromEntries(memory)
  return 4 * (Object.keys(fields).length + OTHER_WORDS) > RECORD_BYTES
    ? null
    : { fields, threads, shared, functions, body }
}
