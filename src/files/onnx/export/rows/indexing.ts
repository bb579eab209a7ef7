// Primitives that read and add at indices.

import type { Call, Row } from '../call'
import type { Numbers } from '../extents'
import { elementTypes } from '../items'
import { sliced } from './movement'

/** Indices from the start; those outside become the extent itself. */
function inside(
  { writer }: Call,
  indices: string,
  extent: Numbers,
): { readonly places: string; readonly isOutside: string } {
  const size = writer.scalar(extent, 'int32')
  const zero = writer.number(0, 'int32')
  const raised = writer.node('Where', [
    writer.node('Less', [indices, zero]),
    writer.node('Add', [indices, size]),
    indices,
  ])
  const isOutside = writer.node('Or', [
    writer.node('Less', [raised, zero]),
    writer.node('GreaterOrEqual', [raised, size]),
  ])
  return { places: writer.node('Where', [isOutside, size, raised]), isOutside }
}

/** With `zeros`, an index outside the axis reads from a row of zeros behind the others. */
const gather: Row<'gather'> = (call) => {
  const { writer, attributes } = call
  const { axis, zeros } = attributes
  const x = call.input()
  if (zeros !== true) return call.result(writer.node('Gather', [call.plain(), call.plain(1)], { axis }))
  const pads = x.shape.flatMap(() => 0)
  const ends = x.shape.map((_, i) => Number(i === axis))
  const wide = writer.node('Pad', [
    call.plain(),
    writer.integers([...pads, ...ends]),
    writer.number(0, elementTypes[x.dtype]),
  ])
  const { places } = inside(call as Call, call.plain(1), x.shape[axis]!)
  return call.result(writer.node('Gather', [wide, places], { axis }))
}

/** Slices are added to rows of zeros, and those with an index outside the axis to a row behind the others. */
const scatterAdd: Row<'scatterAdd'> = (call) => {
  const { writer, attributes } = call
  const { axis } = attributes
  const [updates, indices] = [call.input(), call.input(1)]
  const size = call.numbers((attributes) => [attributes.size])[0]!
  const end = axis + indices.rank
  const rest = [...updates.shape.slice(0, axis), ...updates.shape.slice(end)]
  // The product of the extents of the indices.
  const count = indices.shape.reduce(
    (product, extent) => product.map((each, i) => each * extent[i]!),
    size.map(() => 1),
  )
  const axes = [...updates.shape.keys()]
  const first = [...axes.slice(axis, end), ...axes.slice(0, axis), ...axes.slice(end)]
  const rows = writer.reshape(
    writer.name(updates, first),
    first.map((each) => updates.shape[each]!),
    [count, ...rest],
  )
  const one = size.map(() => 1)
  const flat = writer.reshape(call.plain(1), indices.shape, [count, one])
  const places = writer.cast(inside(call as Call, flat, size).places, 'int64')
  const wide = [size.map((each) => each + 1), ...rest]
  const { dtype } = call.output()
  const zeros = writer.expanded(writer.number(0, elementTypes[dtype]), [], wide)
  const sums = writer.node('ScatterND', [zeros, places, rows], { reduction: 'add' })
  const begin = wide.map((each) => each.map(() => 0))
  const found = sliced(writer, sums, wide, begin, [size, ...rest])
  // Axis i of what is written is axis order[i] of the result.
  const order = [axis, ...Array.from({ length: rest.length }, (_, i) => (i < axis ? i : i + 1))]
  return call.result(found, order)
}

export const indexingRows = { gather, scatterAdd }
