// Operators that exchange blocks of spatial axes for samples. Exporters write convolutions with dilation in this way.

import { sizeOf } from '../../../../core/shapes'
import type { Call, Operator } from '../../../onnx/call'
import { part } from '../../../onnx/operators/parts'
import { reshaped } from '../../../onnx/operators/shape'
import { inOrder, type Value } from '../../../onnx/values'
import { integers } from './by'
import { padded, sidesOf } from './parts'

/** Blocks of spatial axes become samples. */
const spaceToBatch: Operator = (call) => {
  const x = call.value(0)
  const block = integers(call, 1)
  requireBlocks(call, x, block)
  const sides = sidesOf(call, 2, block.length)
  const wide = padded(
    call,
    x,
    inOrder(x.rank).map((axis): [number, number] => sides[axis - 1] ?? [0, 0]),
    null,
  )
  const [batch = 0, ...spatial] = wide.shape
  const rest = spatial.slice(block.length)
  const counts = block.map((size, i) => spatial[i]! / size)
  call.require(
    counts.every(Number.isInteger),
    () => `[${spatial.join(', ')}] is not a multiple of the blocks [${block.join(', ')}]`,
  )
  const apart = reshaped(wide, [batch, ...block.flatMap((size, i) => [counts[i]!, size]), ...rest])
  const within = block.map((_, i) => 2 * i + 2)
  const moved = apart.transposed([
    ...within,
    0,
    ...block.map((_, i) => 2 * i + 1),
    ...rest.map((_, i) => 2 * block.length + 1 + i),
  ])
  return reshaped(moved, [batch * sizeOf(block), ...counts, ...rest])
}

function requireBlocks(call: Call, x: Value, block: readonly number[]): void {
  call.require(
    block.length >= 1 && block.length < x.rank && block.every((size) => size >= 1),
    () => `blocks [${block.join(', ')}] do not fit [${x.shape.join(', ')}]`,
  )
}

/** Samples become blocks of spatial axes. */
const batchToSpace: Operator = (call) => {
  const x = call.value(0)
  const block = integers(call, 1)
  requireBlocks(call, x, block)
  const crops = sidesOf(call, 2, block.length)
  const count = block.length
  const batch = x.shape[0]! / sizeOf(block)
  call.require(
    Number.isInteger(batch),
    () => `${x.shape[0]} samples are not a multiple of the blocks [${block.join(', ')}]`,
  )
  const rest = x.shape.slice(count + 1)
  const apart = reshaped(x, [...block, batch, ...x.shape.slice(1)])
  const moved = apart.transposed([
    count,
    ...block.flatMap((_, i) => [count + 1 + i, i]),
    ...rest.map((_, i) => 2 * count + 1 + i),
  ])
  const wide = reshaped(moved, [batch, ...block.map((size, i) => size * x.shape[i + 1]!), ...rest])
  return crops.reduce((value, [before, after], i) => {
    const left = value.shape[i + 1]! - before - after
    call.require(left >= 0, () => `${before} + ${after} elements cannot be taken off ${value.shape[i + 1]}`)
    return part(value, i + 1, before, left)
  }, wide)
}

export const blockRows: Readonly<Record<string, Operator>> = {
  BatchToSpaceND: batchToSpace,
  SpaceToBatchND: spaceToBatch,
}
