// The parts of a batch from a data set or generator.

import { ArgumentError, ShapeError } from '../../core/errors'
import { TensorSpec } from '../../core/spec'
import { isBranch } from '../../core/tree'
import { Tensor } from '../../ops/tensor'
import type { Layout } from './layout'
import type { Parts } from './parse'
import { records } from './record-hook'

const PARTS = ['x', 'y', 'sampleWeight']

/** Whether a part of a batch is a single value. Then the batch is probably a row. */
function isSingle(part: unknown): boolean {
  return typeof part === 'number' || typeof part === 'boolean'
}

/** The parts of a batch. @throws ShapeError if one of them is a single value */
export function batchParts(batch: unknown): Parts {
  const parts = partsOf(batch)
  const single = Object.entries(parts).find(([, part]) => isSingle(part))
  if (single !== undefined)
    throw new ShapeError(`${single[0]}: needs a batch axis, received the single value ${String(single[1])}`)
  return parts
}

/** Inputs, targets and weights of a batch: a list of up to three, a record with these names, or inputs alone, which may be rows. */
function partsOf(batch: unknown): Parts {
  const isTexts = Array.isArray(batch) && batch.every((each) => typeof each === 'string')
  if (Array.isArray(batch) && !isTexts && !records?.areRows(batch)) {
    if (batch.length >= 1 && batch.length <= 3) return { x: batch[0], y: batch[1], sampleWeight: batch[2] }
    throw new ArgumentError(`a batch must be [x], [x, y] or [x, y, sampleWeight], received a list of ${batch.length}`)
  }
  return areParts(batch) ? batch : { x: batch }
}

/** Whether a batch is a record of its parts. */
function areParts(batch: unknown): batch is Parts {
  return isBranch(batch) && 'x' in batch && Object.keys(batch).every((key) => PARTS.includes(key))
}

/** The message of an error in a batch, with advice if it is probably a row. @param structure of the inputs */
export function withAdvice(message: string, batch: unknown, { structure }: Layout): string {
  const { x, y } = partsOf(batch)
  const isRow =
    isSingle(x) || isSingle(y) || (structure instanceof TensorSpec && rankOf(x) === structure.shape.length - 1)
  return isRow
    ? `${message}${message.endsWith('.') ? '' : '.'} Is it a row? Then make batches of the data set: .batch(32).`
    : message
}

/** The rank of data for one tensor: of arrays, only 0 and 1 are found; null for other lists and for records. */
function rankOf(x: unknown): number | null {
  if (x instanceof Tensor) return x.rank
  if (ArrayBuffer.isView(x) || (Array.isArray(x) && x.every(isSingle))) return 1
  return isBranch(x) ? null : 0
}
