// The memory of a program that runs alone: its tape, constants and weights at addresses that never change.

import { ALIGNMENT, CONSTANTS, CONSTANTS_SIZE, GEMM_SCRATCH, READ_SLACK } from '../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT, type NumericArray } from '../core/dtypes'
import { internalError } from '../core/errors'
import type { TensorType } from '../core/shapes'
import type { Cell, CellStorage, Graph } from '../engine/ir/graph'
import type { Address } from '../engine/ir/operand'
import { placed, streamAt } from '../engine/plan/memory'
import { planTape } from '../engine/tape'
import { encode, tapeBytes, type LabelledInstruction } from '../engine/tape/encode'

/** An array in memory. */
export interface Place extends TensorType {
  readonly address: number
}

/** Bytes at an address; memory that has none is 0. */
export interface Segment {
  readonly address: number
  readonly bytes: Uint8Array
}

export interface MemoryImage {
  readonly instructions: readonly LabelledInstruction[]
  readonly tape: { readonly address: number; readonly words: Int32Array }
  /** Without weights. */
  readonly segments: readonly Segment[]
  /** The weights and states: their cells, where they are, and their content. */
  readonly cells: readonly (Place & { readonly cell: Cell; readonly bytes: Uint8Array })[]
  readonly inputs: readonly Place[]
  readonly outputs: readonly Place[]
  readonly byteLength: number
}

/** @param contentOf the bytes of a cell */
export function imageOf(graph: Graph, contentOf: (cell: Cell) => Uint8Array): MemoryImage {
  const { instructions, memory, parameters, outputs } = planTape(graph, { fuse: true })
  // constants of kernels | scratch | tape | constants | workspace | weights
  const scratch = CONSTANTS + CONSTANTS_SIZE
  const tape = aligned(scratch + GEMM_SCRATCH)
  const constants = aligned(tape + tapeBytes(instructions))
  const workspace = aligned(constants + memory.constantBytes)
  const storages = new Map<CellStorage, number>()
  let end = aligned(workspace + memory.workspaceBytes)
  const cells = [...new Set([...graph.cells.keys(), ...graph.updates.map(({ cell }) => cell)])]
  for (const { storage } of cells) {
    if (storages.has(storage)) continue
    storages.set(storage, end)
    end = aligned(end + storage.byteLength)
  }
  const addressOf = ({ storage, byteOffset }: Cell): number => storages.get(storage)! + byteOffset
  const resolve = ({ buffer, offset }: Address): number => {
    const { home } = placed(buffer)
    switch (home.kind) {
      case 'workspace':
        return workspace + home.offset + offset
      case 'constants':
        return constants + home.offset + offset
      case 'cell':
        return addressOf(home.cell) + offset
      case 'scratch':
        return scratch + offset
      case 'inside':
        return resolve(home.at) + offset
      case 'moving':
        return resolve(streamAt(home.stream, new Map())) + offset
      case 'bound':
        throw internalError('a loop did not provide the bytes of a value')
    }
  }
  const words = encode(instructions, resolve)
  const placeOf = ({ shape, dtype }: TensorType, address: Address): Place => ({
    shape,
    dtype,
    address: resolve(address),
  })
  return {
    instructions,
    tape: { address: tape, words },
    segments: [
      { address: tape, bytes: bytesOf(words) },
      ...memory.constants.map(({ offset, data }) => ({ address: constants + offset, bytes: bytesOf(data) })),
    ],
    cells: cells.map((cell) => ({
      cell,
      shape: cell.shape,
      dtype: cell.dtype,
      address: addressOf(cell),
      bytes: contentOf(cell),
    })),
    inputs: parameters.map((address, i) => placeOf(graph.parameters[i]!, address)),
    outputs: outputs.map((address, i) => placeOf(graph.outputs[i]!, address)),
    byteLength: end + READ_SLACK,
  }
}

/** Cells as blocks of memory: those that lie side by side, or overlap, are one. */
export function blocksOf(cells: readonly Segment[]): Segment[] {
  const blocks: { address: number; end: number; parts: Segment[] }[] = []
  for (const cell of [...cells].sort((a, b) => a.address - b.address)) {
    const last = blocks.at(-1)
    const end = cell.address + cell.bytes.length
    if (last !== undefined && cell.address < last.end + ALIGNMENT) {
      last.end = Math.max(last.end, end)
      last.parts.push(cell)
    } else blocks.push({ address: cell.address, end, parts: [cell] })
  }
  return blocks.map(({ address, end, parts }) => {
    const bytes = new Uint8Array(end - address)
    for (const part of parts) bytes.set(part.bytes, part.address - address)
    return { address, bytes }
  })
}

function aligned(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT
}

function bytesOf(data: NumericArray | Int32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length * BYTES_PER_ELEMENT)
}
