// Estimates the cost of each instruction: threads share instructions that are worth it. Results do not depend
// on these numbers.

import { Access, Opcode } from '../../../assembly/shared/opcodes'
import * as layouts from '../../../assembly/shared/instructions'
import { fieldOf } from '../ir/instruction'
import type { TapeInstruction } from './encode'

/** An estimate for one thread, and the largest useful number of parts. */
export interface Work {
  readonly nanoseconds: number
  readonly pieces: number
}

/** A field of the instruction by its offset, if it is a plain number. */
type Field = (offset: number) => number
type WorkRule = (field: Field, instruction: TapeInstruction) => Work

// Nanoseconds per element, or per multiply-add, in optimized code on one core of about 3 GHz. Factors of two do
// not matter: they only shift the size at which a second thread helps.
const MULTIPLY_ADD = 0.04
const STREAMED = 0.12
const PLAIN_STEP = 0.2
/** The cost of a step of a chain, and of each operation that its primitive declares. */
const STEP = 0.08
const OPERATION = 0.12
const SLOW_STEP = 1
const REDUCED = 0.12
const COMPARED = 0.25
const MOVED = 0.2
const SCATTERED = 0.4
const SORTED = 20
const FILLED = 0.1
const RANDOM = 1.2

// Parts are multiples of 16 elements, one cache line, so that no two threads write to the same line.
const runsOf = (count: number): number => Math.ceil(count / 16)

const elements =
  (count: number, cost: number): WorkRule =>
  (field) => ({ nanoseconds: field(count) * cost, pieces: runsOf(field(count)) })

function reduction(cost: number): WorkRule {
  const { outer, axis, inner } = layouts.Reduce
  return (field) => ({
    nanoseconds: field(outer) * field(axis) * field(inner) * cost,
    pieces: field(outer) * (field(inner) === 1 ? 1 : runsOf(field(inner))),
  })
}

function gemmWork(field: Field): Work {
  const { m, n, k, batch } = layouts.Gemm
  const isVector = field(m) < 4 || field(n) === 1
  return {
    nanoseconds: field(m) * field(n) * field(k) * field(batch) * (isVector ? STREAMED : MULTIPLY_ADD),
    pieces: field(batch) * (isVector ? Math.ceil((field(m) * field(n)) / 24) : Math.max(field(m) / 4, field(n) / 8)),
  }
}

function chainWork(field: Field, { lists, flops = 0 }: TapeInstruction): Work {
  const { rank, count, operandCount, stepCount } = layouts.Chain
  const operandWords = 2 + field(rank)
  let cost = STEP * field(stepCount) + OPERATION * flops
  for (let at = field(rank), i = 0; i < field(operandCount); i++, at += operandWords) {
    if (lists[at + 1] === Access.Strided) cost += PLAIN_STEP
  }
  return { nanoseconds: field(count) * cost, pieces: runsOf(field(count)) }
}

// Places × elements of a window × channels of the result.
function windowWork(
  layout: {
    readonly places: number
    readonly taps: number
    readonly channels: number
    readonly run?: number
    readonly groups?: number
  },
  cost: number,
): WorkRule {
  return (field) => {
    const places = field(layout.places)
    const depth = field(layout.taps) * (layout.run === undefined ? 1 : field(layout.run))
    const channels = field(layout.channels) * (layout.groups === undefined ? 1 : field(layout.groups))
    return { nanoseconds: places * depth * channels * cost, pieces: Math.max(1, places / 4) }
  }
}

/** Parts are strips or groups of columns. A single row waits for the weights. */
function packedWork(
  layout: { readonly rows: number; readonly outputs: number; readonly inputs: number },
  cost: number,
  block: number,
): WorkRule {
  return (field) => {
    const rows = field(layout.rows),
      outputs = field(layout.outputs),
      inputs = field(layout.inputs)
    const columns = Math.min(outputs, inputs)
    return { nanoseconds: (1 + rows) * outputs * inputs * cost, pieces: Math.ceil(columns / block) }
  }
}

/**
 * @param products the number of matrix products of the size scores × features
 * @param block the rows of the smallest part; Infinity: whole heads of keys
 */
function attentionWork(products: number, block: number): WorkRule {
  const { batch, heads, keyHeads, rows, columns, depth, width } = layouts.Attention
  return (field) => {
    const scores = field(batch) * field(heads) * field(rows) * field(columns)
    const parts = block === Infinity ? field(keyHeads) : field(heads) * Math.ceil(field(rows) / block)
    return {
      nanoseconds: scores * ((products * (field(depth) + field(width)) * MULTIPLY_ADD) / 2 + SLOW_STEP),
      pieces: field(batch) * parts,
    }
  }
}

const ofRows =
  (rows: number, columns: number, cost: number): WorkRule =>
  (field) => ({ nanoseconds: field(rows) * field(columns) * cost, pieces: field(rows) })

function copyWork(_field: Field, { lists }: TapeInstruction): Work {
  let count = 1
  for (let at = 0; at < lists.length; at += layouts.CopyDimension.size / 4) count *= Number(lists[at])
  return { nanoseconds: count * MOVED, pieces: runsOf(count) }
}

function crossEntropyWork(field: Field): Work {
  return {
    nanoseconds: field(layouts.CrossEntropy.rows) * field(layouts.CrossEntropy.columns) * (SLOW_STEP + PLAIN_STEP),
    pieces: runsOf(field(layouts.CrossEntropy.rows)),
  }
}

function gatherWork(field: Field): Work {
  const { outer, count, inner } = layouts.Gather
  return {
    nanoseconds: field(outer) * field(count) * (2 + field(inner) * MOVED),
    pieces: runsOf(field(outer) * field(count)),
  }
}

function scatterWork(field: Field): Work {
  const { outer, axis, count, inner } = layouts.Scatter
  const zeros = field(outer) * field(axis) * field(inner) * FILLED
  const added = field(outer) * field(count) * field(inner) * SCATTERED
  return { nanoseconds: zeros + added, pieces: field(outer) * runsOf(field(inner)) }
}

function insertWork(field: Field): Work {
  const { outer, axis, inner } = layouts.Insert
  return { nanoseconds: field(outer) * field(axis) * field(inner) * MOVED, pieces: field(outer) }
}

function sortWork(field: Field): Work {
  return {
    nanoseconds: field(layouts.Sort.outer) * field(layouts.Sort.axis) * field(layouts.Sort.inner) * SORTED,
    pieces: 1,
  }
}

function runningWork(field: Field): Work {
  const { outer, axis, inner } = layouts.Running
  return { nanoseconds: field(outer) * field(axis) * field(inner), pieces: 1 }
}

function searchWork(field: Field): Work {
  return {
    nanoseconds: field(layouts.Search.count) * Math.log2(2 + field(layouts.Search.length)),
    pieces: 1,
  }
}

// Matrices are small, so one thread factorizes each.
function factorizeWork(field: Field): Work {
  const { batch, rows, columns } = layouts.Factorize
  return { nanoseconds: field(batch) * field(rows) * field(columns) ** 2, pieces: 1 }
}

function substituteWork(field: Field): Work {
  const { batch, n, columns } = layouts.Substitute
  return { nanoseconds: field(batch) * field(n) ** 2 * field(columns) * PLAIN_STEP, pieces: 1 }
}

function fourierWork(field: Field): Work {
  const { outer, axis, inner } = layouts.Fourier
  return {
    nanoseconds: field(outer) * field(axis) * field(inner) * Math.log2(2 * field(axis)) * PLAIN_STEP,
    pieces: 1,
  }
}

// Shared through the instructions of its body: see dealOut.
function loopWork(field: Field, { body = [] }: TapeInstruction): Work {
  const turn = body.reduce((sum, each) => sum + workOf(each).nanoseconds, 0)
  return { nanoseconds: field(layouts.Loop.count) * turn, pieces: 1 }
}

const leading: WorkRule = () => ({ nanoseconds: 0, pieces: 1 })

const rules = (): Readonly<Record<Opcode, WorkRule>> => ({
  [Opcode.Chain]: chainWork,
  [Opcode.Gemm]: gemmWork,
  [Opcode.Convolution]: windowWork(layouts.Convolution, MULTIPLY_ADD),
  [Opcode.ConvolutionKernel]: windowWork(layouts.ConvolutionKernel, MULTIPLY_ADD),
  [Opcode.DepthwiseConvolution]: windowWork(layouts.DepthwiseConvolution, STREAMED),
  [Opcode.DepthwiseConvolutionKernel]: windowWork(layouts.DepthwiseConvolutionKernel, STREAMED),
  [Opcode.Pool]: windowWork(layouts.Pool, MOVED),
  [Opcode.Unpool]: windowWork(layouts.Unpool, SCATTERED),
  [Opcode.Reduce]: reduction(REDUCED),
  [Opcode.ArgReduce]: reduction(COMPARED),
  [Opcode.Softmax]: ofRows(layouts.Softmax.rows, layouts.Softmax.columns, SLOW_STEP + PLAIN_STEP),
  [Opcode.CrossEntropy]: crossEntropyWork,
  [Opcode.CrossEntropyGradient]: ofRows(
    layouts.CrossEntropyGradient.rows,
    layouts.CrossEntropyGradient.columns,
    PLAIN_STEP,
  ),
  [Opcode.Attention]: attentionWork(2, layouts.ATTENTION_ROWS),
  [Opcode.AttentionGradient]: attentionWork(5, Infinity),
  // of the rows of one group
  [Opcode.Normalize]: ofRows(layouts.Normalize.rows, layouts.Normalize.columns, PLAIN_STEP),
  [Opcode.NormalizeGradient]: ofRows(layouts.Normalize.rows, layouts.Normalize.columns, PLAIN_STEP),
  [Opcode.NormalizeWeights]: ofRows(layouts.Normalize.rows, layouts.Normalize.columns, PLAIN_STEP),
  [Opcode.Gather]: gatherWork,
  [Opcode.Scatter]: scatterWork,
  [Opcode.Insert]: insertWork,
  [Opcode.Sort]: sortWork,
  [Opcode.Running]: runningWork,
  [Opcode.Bits]: elements(layouts.Bits.count, PLAIN_STEP),
  [Opcode.Search]: searchWork,
  [Opcode.Factorize]: factorizeWork,
  [Opcode.Substitute]: substituteWork,
  [Opcode.Quantize]: ofRows(layouts.Quantize.rows, layouts.Quantize.columns, PLAIN_STEP * 2),
  [Opcode.QuantizedProduct]: windowWork(layouts.QuantizedProduct, MULTIPLY_ADD / 2),
  [Opcode.PackedQuantize]: ofRows(layouts.PackedQuantize.rows, layouts.PackedQuantize.columns, PLAIN_STEP * 2),
  [Opcode.PackedProduct]: packedWork(layouts.PackedProduct, MULTIPLY_ADD / 2, layouts.PACKED_STRIP),
  [Opcode.PackedGemm]: packedWork(layouts.PackedGemm, MULTIPLY_ADD, layouts.PACKED_GROUP),
  [Opcode.PackedTake]: ofRows(layouts.PackedTake.count, layouts.PackedTake.inputs, PLAIN_STEP),
  [Opcode.Fourier]: fourierWork,
  [Opcode.Copy]: copyWork,
  [Opcode.Accumulate]: copyWork,
  [Opcode.Fill]: elements(layouts.Fill.count, FILLED),
  [Opcode.Random]: elements(layouts.Random.count, RANDOM),
  // They control the tape, so they run on the leading thread.
  [Opcode.Guard]: leading,
  [Opcode.SetCount]: leading,
  [Opcode.Sgd]: elements(layouts.Sgd.count, 0.3),
  [Opcode.RmsProp]: elements(layouts.RmsProp.count, 1),
  [Opcode.Adam]: elements(layouts.Adam.count, 0.7),
  [Opcode.Loop]: loopWork,
})

const table = /* @__PURE__ */ rules()

/** The estimated cost of an instruction, from its opcode and sizes. */
export function workOf(instruction: TapeInstruction): Work {
  const field: Field = (offset) => Number(fieldOf(instruction, offset))
  return table[instruction.opcode](field, instruction)
}
