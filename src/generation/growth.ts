// How the values of a traced model grow with the number of steps. The model is traced for two numbers of steps: extents that
// differ are steps. Which values stay the same when steps are added is decided in causality.ts.

import { StateError, internalError } from '../core/errors'
import { sizeOf, type Shape } from '../core/shapes'
import { results, titleOf, type Graph, type Node, type Value } from '../engine/ir/graph'
import { attributesKey, constantData } from '../engine/plan/simplify'
import { bodyOf, isLoop, type Body } from '../engine/ir/region'

/** An axis that grows by the same number of elements with each step: extent = outer · (steps + shift) · inner. */
export interface TimeAxis {
  readonly axis: number
  readonly outer: number
  readonly inner: number
  readonly shift: number
}

/** The same model, traced for two numbers of steps. */
export interface Traces {
  /** The name of the model, for errors. */
  readonly model: string
  readonly long: Graph
  readonly short: Graph
  readonly steps: readonly [long: number, short: number]
}

/** The graph does not show whether a model can be computed one step at a time. */
export class UnknownError extends StateError {}

function placeOf(node: Node | null): string {
  return node === null ? '' : `${node.scope === '' ? '' : `${node.scope}: `}${titleOf(node)} `
}

/** @throws StateError for a model whose scores depend on steps that follow; names the place in the model */
export function refuse(model: string, node: Node | null, why: string): never {
  throw new StateError(
    `generate: ${model} cannot be computed one step at a time: ${placeOf(node)}${why}. Pass cache: false, or change the model`,
  )
}

/** @throws UnknownError that names the place in the model */
export function doubt(model: string, node: Node | null, why: string): never {
  throw new UnknownError(
    `generate: the graph of ${model} does not show that it can be computed one step at a time: ${placeOf(node)}${why}. So the whole sequence is computed for each token, which is slower. Pass cache: false to do this without a warning`,
  )
}

/** The attributes that may differ between the two traces, because they have the extents of results. */
const EXTENTS = new Set(['shape', 'sizes', 'starts', 'length', 'data', 'body'])

/** A node without its extents, as text. */
function signatureOf(node: Node): string {
  const fixed = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !EXTENTS.has(name)))
  return `${node.name} ${attributesKey(fixed)} ${node.outputs.map(({ dtype, shape }) => dtype + String(shape.length)).join()}`
}

/** The nodes on which the results depend. */
export function liveNodes(graph: Graph): Node[] {
  const live = new Set(results(graph))
  const nodes: Node[] = []
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    if (!node.outputs.some((output) => live.has(output))) continue
    nodes.push(node)
    for (const input of node.inputs) live.add(input)
  }
  return nodes.reverse()
}

/** The value of the short trace for each value of the long one. @throws StateError if the traces differ otherwise */
export function partnersOf({ model, long, short }: Traces, nodes: readonly Node[]): ReadonlyMap<Value, Value> {
  const partners = new Map<Value, Value>(long.parameters.map((value, i) => [value, short.parameters[i]!]))
  for (const [cell, value] of long.cells) {
    const other = short.cells.get(cell)
    if (other !== undefined) partners.set(value, other)
  }
  const others = liveNodes(short)
  nodes.forEach((node, i) => {
    const other = others[i]
    const isSame =
      other !== undefined &&
      signatureOf(node) === signatureOf(other) &&
      node.inputs.length === other.inputs.length &&
      node.inputs.every((input, j) => partners.get(input) === other.inputs[j]) &&
      (!isLoop(node) || (isLoop(other) && areSame(bodyOf(node), bodyOf(other))))
    if (!isSame) doubt(model, node, 'is computed in another way for another number of steps')
    node.outputs.forEach((output, j) => partners.set(output, other.outputs[j]!))
  })
  if (others.length !== nodes.length) doubt(model, null, 'it has other ops for another number of steps')
  return partners
}

/** Whether two bodies of loops compute the same. */
function areSame(a: Body['graph'], b: Body['graph']): boolean {
  const places = new Map<Value, Value>(a.parameters.map((value, i) => [value, b.parameters[i]!]))
  const isKnown = (value: Value, i: number, of: readonly Value[]): boolean => places.get(value) === of[i]
  const isNode = (node: Node, i: number): boolean => {
    const other = b.nodes[i]!
    const { body: _, ...attributes } = { body: null, ...node.attributes }
    const { body: __, ...ofOther } = { body: null, ...other.attributes }
    const isAlike =
      node.name === other.name &&
      attributesKey(attributes) === attributesKey(ofOther) &&
      node.inputs.length === other.inputs.length &&
      node.inputs.every((input, j) => isKnown(input, j, other.inputs)) &&
      (!isLoop(node) || (isLoop(other) && areSame(bodyOf(node), bodyOf(other))))
    if (isAlike) node.outputs.forEach((output, j) => places.set(output, other.outputs[j]!))
    return isAlike
  }
  return (
    a.nodes.length === b.nodes.length && a.nodes.every(isNode) && a.outputs.every((v, i) => isKnown(v, i, b.outputs))
  )
}

/** An axis whose extent differs between two numbers of steps, and how many elements a step has. */
export interface GrowingAxis {
  readonly axis: number
  readonly perStep: number
  readonly shift: number
}

/** The axes that grow; null if one does not grow by the same number of elements with each step. */
export function growingAxes(long: Shape, short: Shape, [steps, fewer]: Traces['steps']): GrowingAxis[] | null {
  const found: GrowingAxis[] = []
  for (let axis = 0; axis < long.length; axis++) {
    if (long[axis] === short[axis]) continue
    const perStep = (long[axis]! - short[axis]!) / (steps - fewer)
    const shift = long[axis]! / perStep - steps
    if (!Number.isInteger(perStep) || perStep < 1 || !Number.isInteger(shift)) return null
    found.push({ axis, perStep, shift })
  }
  return found
}

/**
 * Whether the elements of the shorter constant are those of the longer one at the same indices; 'length' if each is the
 * number of steps.
 */
export function constantGrowth(long: Node, short: Node, [steps, fewer]: Traces['steps']): 'prefix' | 'length' | null {
  const [a, b] = [constantData(long), constantData(short)]
  if (a === null || b === null) throw internalError('a constant has no data')
  if (a.length === 1 && b.length === 1 && a[0] === steps && b[0] === fewer) return 'length'
  const [from, to] = [long.outputs[0]!.shape, short.outputs[0]!.shape]
  if (sizeOf(to) === 0) return 'prefix'
  const at = new Array<number>(to.length).fill(0)
  for (let i = 0; i < b.length; i++) {
    let offset = 0
    for (let axis = 0; axis < to.length; axis++) offset = offset * from[axis]! + at[axis]!
    if (!Object.is(a[offset], b[i])) return null
    for (let axis = to.length - 1; axis >= 0 && ++at[axis]! === to[axis]; axis--) at[axis] = 0
  }
  return 'prefix'
}

/** The shape with `steps` elements along each time axis; null keeps the extent of the axis. */
export function shapeWith(shape: Shape, times: readonly TimeAxis[], steps: readonly (number | null)[]): Shape {
  const extents = [...shape]
  times.forEach(({ axis, outer, inner }, i) => {
    const count = steps[i]
    if (count != null) extents[axis] = outer * count * inner
  })
  return extents
}

/**
 * The place of a time axis after a reshape: the axis of the result in which all its elements are, in the same order; null
 * if there is none.
 */
export function reshapedAxis(from: Shape, { axis, outer, inner, shift }: TimeAxis, to: Shape): TimeAxis | null {
  const steps = from[axis]! / (outer * inner)
  // Row-major, element i belongs to step ⌊i / run⌋ mod steps.
  const run = inner * sizeOf(from.slice(axis + 1))
  let after = sizeOf(to)
  for (let place = 0; place < to.length; place++) {
    const extent = to[place]!
    after /= extent
    if (extent === 1 && steps !== 1) continue
    const within = run / after
    if (Number.isInteger(within) && Number.isInteger(extent / (steps * within)))
      return { axis: place, outer: extent / (steps * within), inner: within, shift }
  }
  return null
}
