// What training takes, said before it starts.

import { ArgumentError } from '../core/errors'
import { runtimeInfo } from '../engine/runtime/configure'
import { MOST_BYTES } from '../engine/runtime/memory'

/** Bytes that stay free for programs, rows of data and generation. */
const SPARE = 2 ** 26

/** What training takes. */
interface TrainingCost {
  /** The numbers that are trained, and all numbers of the model. */
  readonly trained: number
  readonly all: number
  /** Bytes of linear memory that a step needs besides what is in use. */
  readonly step: number
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`
const millions = (count: number): string => (count / 1e6).toPrecision(3)

/** @returns a line for users @throws ArgumentError if the memory that WebAssembly can address is too small, with advice */
export function requireMemory({ trained, all, step }: TrainingCost, advice: readonly string[]): string {
  const used = usedBytes()
  if (used + step + SPARE > MOST_BYTES)
    throw new ArgumentError(
      `fit: a step needs ${megabytes(step)} besides the ${megabytes(used)} of the model and its optimizer, but WebAssembly can address ${megabytes(MOST_BYTES)}. ${advice.join(', or ')}`,
    )
  return `fit: trains ${millions(trained)} of ${millions(all)} million numbers; memory: ${megabytes(used)} for weights and optimizer, ${megabytes(step)} for a step`
}

/** Bytes of linear memory that are in use. */
function usedBytes(): number {
  return runtimeInfo().memory.usedBytes
}
