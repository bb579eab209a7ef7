// Primitives that move elements or make them. A transposition moves nothing.

import type { PrimitiveName } from '../../../../engine/ir/attributes'
import type { HostArray } from '../../types'
import type { Call, Row } from '../call'
import { isFixed, sameNumbers, type Numbers } from '../extents'
import { Item, elementTypes } from '../items'
import { END, Refusal, type Writer } from '../writer'

/** A part of each axis; axes that stay whole are left out. */
export function sliced(
  writer: Writer,
  name: string,
  shape: readonly Numbers[],
  starts: readonly Numbers[],
  sizes: readonly Numbers[],
): string {
  const axes = [...shape.keys()].filter((axis) => !sameNumbers(sizes[axis]!, shape[axis]!))
  if (axes.length === 0) return name
  const bounds = axes.map((axis): readonly [Numbers, Numbers] => {
    const extent = shape[axis]!
    const start = starts[axis]!
    const end = start.map((each, trace) => each + sizes[axis]![trace]!)
    // Places near the end of an open axis are counted from there.
    const back = (place: Numbers): Numbers => {
      const fromEnd = place.map((each, trace) => each - extent[trace]!)
      return isFixed(place) || !isFixed(fromEnd) || fromEnd[0]! >= 0 ? place : fromEnd
    }
    return [back(start), sameNumbers(end, extent) ? end.map(() => END) : back(end)]
  })
  return writer.node('Slice', [
    name,
    writer.extents(bounds.map(([start]) => start)),
    writer.extents(bounds.map(([, end]) => end)),
    writer.integers(axes),
  ])
}

const slice: Row<'slice'> = (call) => {
  const { name, order } = call.asIs()
  const ordered = (list: readonly Numbers[]): Numbers[] => order.map((axis) => list[axis]!)
  const [starts, sizes] = [call.numbers(({ starts }) => starts), call.numbers(({ sizes }) => sizes)]
  return call.result(sliced(call.writer, name, ordered(call.input().shape), ordered(starts), ordered(sizes)), order)
}

const reverse: Row<'reverse'> = (call) => {
  const { name, order } = call.asIs()
  const { writer } = call
  const { shape } = call.input()
  const long = call.fixed(({ axes }) => axes).filter((axis) => shape[axis]!.some((extent) => extent > 1))
  if (long.length === 0) return call.input()
  const axes = long.map((axis) => order.indexOf(axis))
  const forEach = (value: number): string => writer.integers(axes.map(() => value))
  const operands = [name, forEach(-1), forEach(-END), writer.integers(axes), forEach(-1)]
  return call.result(writer.node('Slice', operands), order)
}

const pad: Row<'pad'> = (call) => {
  const { name, order } = call.asIs()
  const { writer, attributes } = call
  const sides = [call.fixed(({ before }) => before), call.fixed(({ after }) => after)]
  const pads = sides.flatMap((side) => order.map((axis) => side[axis]!))
  const value = writer.number(attributes.value, elementTypes[call.output().dtype])
  return call.result(writer.node('Pad', [name, writer.integers(pads), value]), order)
}

const concat: Row<'concat'> = (call) => {
  const { writer, attributes } = call
  const { axis } = attributes
  const parts = call.inputs.filter(({ shape }) => shape[axis]!.some((extent) => extent > 0))
  if (parts.length < 2) return parts[0] ?? call.input()
  const { order } = parts.find(({ content }) => content.kind === 'node') ?? parts[0]!
  const names = parts.map((each) => writer.name(each, order))
  return call.result(writer.node('Concat', names, { axis: order.indexOf(axis) }), order)
}

const broadcastTo: Row<'broadcastTo'> = (call) => {
  const { shape } = call.output()
  return call.result(call.writer.expanded(call.plain(), call.input().shape, shape))
}

/** Constants that are the same in all traces, or that follow from open extents in a simple way. */
const constant: Row<'constant'> = (call) => {
  const { shape, dtype } = call.output()
  const { writer } = call
  const all = call.nodes.map(({ attributes }): HostArray => attributes.data)
  const data = all[0]!
  const isSame = all.every((each) => each.length === data.length && each.every((x, i) => Object.is(x, data[i])))
  if (shape.every(isFixed) && isSame) return new Item(dtype, shape, { kind: 'constant', data })
  const type = elementTypes[dtype]
  if (all.every((each) => each.every((x) => x === data[0]))) {
    const found = call.result(writer.expanded(writer.number(data[0] ?? 0, type), [], shape))
    if (data[0] === 0) writer.zeros.add(found)
    return found
  }
  if (shape.length === 0)
    return call.result(
      scalar(
        call,
        all.map(([x]) => x!),
      ),
    )
  const extent = shape.find((each) => !isFixed(each))
  const [begin, step] = [data[0]!, data[1]! - data[0]!]
  const isRange = all.every(
    (each, trace) => each.length === extent?.[trace] && each.every((x, i) => x === begin + i * step),
  )
  if (extent === undefined || !isRange)
    throw new Refusal('a constant for other extents. Fix the inputs with the option shapes')
  return call.result(writer.reshape(writer.places(extent, dtype, begin, step), [extent], shape))
}

/** A number that is an extent, or 1 / an extent. */
function scalar({ writer, node }: Call, numbers: Numbers): string {
  const { dtype } = node.outputs[0]!
  const inverse = numbers.map((x) => Math.round(1 / x))
  if (numbers.some((x, i) => !Number.isInteger(x) && x === Math.fround(1 / inverse[i]!)))
    return writer.node('Reciprocal', [writer.scalar(inverse, dtype)])
  return writer.scalar(numbers, dtype)
}

type Rows = { readonly [Name in PrimitiveName]?: Row<Name> }

export const movementRows = {
  slice,
  reverse,
  pad,
  concat,
  broadcastTo,
  constant,
  reshape: (call) => call.writer.reshaped(call.input(), call.output().shape),
  uniform: () => {
    throw new Refusal('random numbers')
  },
  transpose: (call) => call.input().transposed(call.attributes.permutation),
} satisfies Rows
