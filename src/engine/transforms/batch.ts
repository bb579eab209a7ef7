// A function of slices → a function of all slices at once: every value that depends on a slice gets one more leading
// axis. What cannot be computed for all slices at once becomes a loop over that node alone.

import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { Graph, Node, Value } from '../ir/graph'
import { Body, type LoopPasses } from '../ir/region'
import { routineOf } from '../primitives/routine'
import { GraphBuilder } from './builder'
import { isLiftable, liftNode, type Outside } from './lift'

const laterAxes = ({ axes }: { readonly axes: readonly number[] }) => ({ axes: axes.map((axis) => axis + 1) })
const laterAxis = <Attributes extends { readonly axis: number }>(attributes: Attributes): Attributes => ({
  ...attributes,
  axis: attributes.axis + 1,
})
const unchanged = <Attributes>(attributes: Attributes): Attributes => attributes

type Lifts = {
  readonly [Name in PrimitiveName]?: (attributes: PrimitiveAttributes[Name]) => PrimitiveAttributes[Name] | null
}

/**
 * The attributes for operands that all have one more leading axis; null if the node cannot be computed for all slices at
 * once. Primitives that may also leave loops declare this in their records (`lift`); those here are used only by this pass.
 */
const lifts: Lifts = {
  sum: laterAxes,
  mean: laterAxes,
  max: laterAxes,
  min: laterAxes,
  argMax: laterAxis,
  argMin: laterAxis,
  softmax: unchanged,
  logSoftmax: unchanged,
  concat: laterAxis,
  pad: ({ before, after, value }) => ({ before: [0, ...before], after: [0, ...after], value }),
  sliceAdd: ({ starts }) => ({ starts: [0, ...starts] }),
  routine: (attributes) => {
    const routine = routineOf(attributes).lifted()
    return routine && { routine }
  },
}

/**
 * @param graph [...slices, ...others] → results, without cells
 * @param passes of the loops that compute what cannot be batched
 * @returns [...all slices, ...others] → all results, each with a leading axis of `length`
 */
export function batched(graph: Graph, slices: number, length: number, passes: LoopPasses): Graph {
  const builder = new GraphBuilder()
  const known = new Map<Value, Outside>()
  graph.parameters.forEach((parameter, i) => {
    const isStacked = i < slices
    const { shape, dtype } = parameter
    known.set(parameter, {
      value: builder.parameter({ shape: isStacked ? [length, ...shape] : shape, dtype }),
      isStacked,
    })
  })
  for (const node of graph.nodes) {
    builder.scope = node.scope
    const operands = node.inputs.map((input) => known.get(input)!)
    batchNode(builder, node, operands, length, passes).forEach((each, i) => known.set(node.outputs[i]!, each))
  }
  return builder.finish(graph.outputs.map((output) => wholeOf(builder, known.get(output)!, length)))
}

/** A value for all slices: the same in each, if it does not depend on them. */
function wholeOf({ e }: GraphBuilder, { value, isStacked }: Outside, length: number): Value {
  if (isStacked) return value
  return e.broadcastTo(e.reshape(value, [1, ...value.shape]), [length, ...value.shape])
}

function batchNode<Name extends PrimitiveName>(
  builder: GraphBuilder,
  node: Node<Name>,
  operands: readonly Outside[],
  length: number,
  passes: LoopPasses,
): Outside[] {
  if (!operands.some(({ isStacked }) => isStacked)) {
    const same = builder.copy(
      node,
      operands.map(({ value }) => value),
    )
    return same.map((value) => ({ value, isStacked: false }))
  }
  // Kernels refuse some empty operands, which no slice has.
  if (length === 0)
    return node.outputs.map(({ shape, dtype }) => ({
      value: builder.e.zeros({ shape: [0, ...shape], dtype }),
      isStacked: true,
    }))
  if (isLiftable(node)) return [liftNode(builder, node, operands, length)]
  const lift: Lifts[Name] = lifts[node.name]
  const lifted = lift?.(node.attributes) ?? null
  const made =
    lifted !== null
      ? builder.emit(
          node.name,
          operands.map((each) => wholeOf(builder, each, length)),
          lifted,
        )
      : (gathered(builder, node, operands, length) ?? looped(builder, node, operands, length, passes))
  return made.map((value) => ({ value, isStacked: true }))
}

function isGather(node: Node): node is Node<'gather'> {
  return node.name === 'gather'
}

/** A gather whose operand, indices or both depend on the slice; null for another node. */
function gathered(builder: GraphBuilder, node: Node, [x, indices]: readonly Outside[], length: number): Value[] | null {
  if (!isGather(node)) return null
  const { e } = builder
  const { axis, zeros } = node.attributes
  if (!indices!.isStacked) return [e.gather(x!.value, indices!.value, axis + 1, zeros)]
  const rank = node.outputs[0]!.shape.length
  if (!x!.isStacked) {
    // gather puts the axis of the slices at `axis`, before the axes of the indices.
    const axes = Array.from({ length: rank + 1 }, (_, i) => i)
    const order = [axis, ...axes.filter((i) => i !== axis)]
    return [e.transpose(e.gather(x!.value, indices!.value, axis, zeros), order)]
  }
  // One axis of all places of all slices. An index outside the axis of its slice becomes one beyond the end.
  const shape = x!.value.shape.slice(1)
  const extent = shape[axis]!
  const others = shape.map((_, i) => i).filter((i) => i !== axis)
  const flat = e.reshape(e.transpose(x!.value, [0, axis + 1, ...others.map((i) => i + 1)]), [
    length * extent,
    ...others.map((i) => shape[i]!),
  ])
  const ofInt = (value: number): Value => e.scalar(value, 'int32')
  const index = indices!.value
  const place = e.select(e.less(index, ofInt(0)), e.add(index, ofInt(extent)), index)
  const isOutside = builder.emitOne('logicalOr', [e.less(place, ofInt(0)), e.less(ofInt(extent - 1), place)], {})
  const starts = e.constant(
    Int32Array.from({ length }, (_, i) => i * extent),
    [length, ...index.shape.slice(1).map(() => 1)],
    'int32',
  )
  const picked = e.gather(flat, e.select(isOutside, ofInt(length * extent), e.add(place, starts)), 0, zeros)
  const counts = index.shape.length - 1
  const order = [
    0,
    ...others.filter((i) => i < axis).map((i) => 1 + counts + i),
    ...Array.from({ length: counts }, (_, i) => 1 + i),
    ...others.filter((i) => i > axis).map((i) => counts + i),
  ]
  return [e.transpose(picked, order)]
}

/** A loop over one node. */
function looped<Name extends PrimitiveName>(
  builder: GraphBuilder,
  node: Node<Name>,
  operands: readonly Outside[],
  length: number,
  passes: LoopPasses,
): readonly Value[] {
  const inside = new GraphBuilder()
  const parameters = node.inputs.map((input) => inside.parameter(input))
  const results = inside.copy(node, parameters)
  const inOrder = <Item>(items: readonly Item[]): Item[] => [
    ...items.filter((_, i) => operands[i]!.isStacked),
    ...items.filter((_, i) => !operands[i]!.isStacked),
  ]
  return builder.emit('loop', inOrder(operands.map(({ value }) => value)), {
    body: new Body(inside.finish(results, inOrder(parameters)), passes),
    length,
    carries: 0,
    scanned: operands.filter(({ isStacked }) => isStacked).length,
    reverse: false,
  })
}
