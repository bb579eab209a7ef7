// A model as a .wasm file for any language: without imports, with its weights.
//
//   memory
//   input(i), output(i)   the address of the rows of an input or output; −1 if there is none
//   run(rows)             computes the first rows of all inputs; traps for more than maxRows
//   section "myelin"      JSON: { inputs, outputs, maxRows, classes }

import { dtypes } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { ClassValue } from '../../tables/table-model'
import { blocksOf, type MemoryImage, type Place } from '../image'
import type { Port, TracedModel } from '../traced'
import { sized, signed, unsigned, type Piece } from './bytes'
import { Op } from './code'
import { runOf, startsOf } from './engine'
import { kernelsFor } from './kernels'
import { moduleOf, type WrittenFunction } from './module'

const PAGE = 65536
const [I32, NO_RESULT] = [0x7f, 0x40]
const [EQUAL, GREATER, GREATER_OR_EQUAL, ADD, MULTIPLY] = [0x46, 0x4b, 0x4e, 0x6a, 0x6c]
const MEMORY_COPY = [0xfc, 10, 0, 0]
const ALIGNMENT = 64

export interface StandaloneOptions {
  readonly maxRows: number
  readonly classes: readonly ClassValue[] | null
}

export function standaloneWasm(
  image: MemoryImage,
  traced: TracedModel,
  { maxRows, classes }: StandaloneOptions,
): Uint8Array<ArrayBuffer> {
  const kernels = kernelsFor(image)
  let end = image.byteLength
  const rowsOf = (places: readonly Place[]): Rows[] =>
    places.map((place) => {
      const bytes = dtypes[place.dtype].bytes * sizeOf(place.shape)
      const address = Math.ceil(end / ALIGNMENT) * ALIGNMENT
      end = address + maxRows * bytes
      return { place: place.address, address, bytes }
    })
  const [inputs, outputs] = [rowsOf(image.inputs), rowsOf(image.outputs)]
  const one = kernels.functions.length
  const starts = startsOf(kernels)
  return moduleOf({
    functions: [
      ...kernels.functions,
      runOf(image, kernels),
      addressOf(inputs),
      addressOf(outputs),
      runRows(one, maxRows, inputs, outputs),
      ...starts,
    ],
    table: kernels.steps,
    pages: Math.ceil(end / PAGE),
    data: [...kernels.data, ...image.segments, ...blocksOf(image.cells)],
    globals: kernels.globals,
    start: starts.length === 0 ? null : one + 4,
    exports: { input: one + 1, output: one + 2, run: one + 3 },
    custom: { myelin: JSON.stringify(descriptionOf(traced, maxRows, classes)) },
  })
}

/** The rows of an input or output, and where the tape has one of them. */
interface Rows {
  readonly place: number
  readonly address: number
  /** Of one row. */
  readonly bytes: number
}

function descriptionOf(
  { inputs, outputs }: TracedModel,
  maxRows: number,
  classes: readonly ClassValue[] | null,
): object {
  const told = ({ name, shape, dtype }: Port): Port => ({ name, shape, dtype })
  return { inputs: inputs.map(told), outputs: outputs.map(told), maxRows, ...(classes === null ? {} : { classes }) }
}

function constant(value: number): Piece {
  return [Op.i32Const, signed(value)]
}

/** (i) => the address of the rows i */
function addressOf(all: readonly Rows[]): WrittenFunction {
  const cases = all.map(({ address }, i) => [
    [Op.localGet, 0, constant(i), EQUAL, Op.if, NO_RESULT],
    [constant(address), Op.return, Op.end],
  ])
  return { type: { parameters: [I32], results: [I32] }, code: () => sized([0], cases, constant(-1), Op.end) }
}

/** for (row = 0; row < rows; row++) { copy the inputs' row to the tape; run; copy its outputs to their row } */
function runRows(one: number, maxRows: number, inputs: readonly Rows[], outputs: readonly Rows[]): WrittenFunction {
  const [rows, row] = [0, 1]
  const placeOf = ({ address, bytes }: Rows): Piece => [
    constant(address),
    Op.localGet,
    row,
    constant(bytes),
    MULTIPLY,
    ADD,
  ]
  const body = [
    [Op.localGet, rows, constant(maxRows), GREATER, Op.if, NO_RESULT, Op.unreachable, Op.end],
    [Op.block, NO_RESULT, Op.loop, NO_RESULT],
    [Op.localGet, row, Op.localGet, rows, GREATER_OR_EQUAL, Op.brIf, 1],
    inputs.map((each) => [constant(each.place), placeOf(each), constant(each.bytes), MEMORY_COPY]),
    [Op.call, unsigned(one)],
    outputs.map((each) => [placeOf(each), constant(each.place), constant(each.bytes), MEMORY_COPY]),
    [Op.localGet, row, constant(1), ADD, Op.localSet, row, Op.br, 0, Op.end, Op.end],
  ]
  return { type: { parameters: [I32], results: [] }, code: () => sized([1, 1, I32], body, Op.end) }
}
