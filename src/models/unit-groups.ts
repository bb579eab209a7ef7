// Finds the weights of each unit of a model: one walk over its graph, using the layers' declarations (layers/units.ts).
//
// The units that one layer makes are a group. They then pass through normalisation, activations, pooling, Flatten and
// Concatenate to the layers that use them. If an Add joins the units of two layers, both form one group, because unit j
// of one layer can only be removed together with unit j of the other.

import { flatten } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { originOf, symbolsIn } from '../layers/symbol'
import { innerUnitsOf, unitFlowOf, whyUnknown } from '../layers/declared-units'
import {
  areMixed,
  type InnerUnits,
  type Made,
  type MadeUnits,
  type UnitAxis,
  type UnitFlow,
  type UnitSpan,
} from '../layers/units'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { graphOf } from './known-graph'
import type { LayerGraph } from './layer-graph'

/**
 * Where the units of a group lie along an axis: unit j has `width` elements from start + b · stride + j · width on, for
 * every block b.
 */
export interface UnitLayout {
  readonly start: number
  readonly stride: number
  readonly blocks: number
  readonly width: number
}

/** Units of a group along an axis of a weight. */
export interface UnitPlace extends UnitLayout {
  readonly weight: Variable
  readonly axis: number
}

/** Where units lie in the input of a layer that uses them. */
export interface UnitUse extends UnitLayout {
  readonly layer: object
  /** The axis of its first input, counted from the end: -1. */
  readonly axis: number
}

/** Units that can only be counted, reset, scaled or removed together: unit j in all places. */
export interface UnitGroup {
  /** The layers that make the units, in the order of the graph. */
  readonly makers: readonly LayerBase[]
  /** The layers that pass them on, unit by unit: normalisation, activations, pooling. */
  readonly keepers: readonly LayerBase[]
  readonly count: number
  /** The incoming weights of the units, including biases. */
  readonly incoming: readonly UnitPlace[]
  /** The weights that a unit has after that: gamma, beta and the moving averages of a normalisation. */
  readonly along: readonly UnitPlace[]
  /** The outgoing weights of the units. */
  readonly outgoing: readonly UnitPlace[]
  /** Where other layers receive the units. */
  readonly uses: readonly UnitUse[]
  /** The declaration of each maker. */
  readonly made: ReadonlyMap<LayerBase, MadeUnits>
  /** Why units cannot be removed or exchanged: "they are the model's output". null if they can. */
  readonly fixed: string | null
  /**
   * Why scaling the units does not scale the values that other layers receive, such as a product of units. null if it
   * does.
   */
  readonly bent: string | null
}

/** A group during the walk. */
class Group {
  private into: Group | null = null
  readonly made = new Map<LayerBase, MadeUnits>()
  readonly keepers = new Set<LayerBase>()
  readonly incoming: UnitPlace[] = []
  readonly along: UnitPlace[] = []
  readonly outgoing: UnitPlace[] = []
  readonly uses: UnitUse[] = []
  fixed: string | null = null
  bent: string | null = null

  constructor(readonly count: number) {}

  /** The group into which this one was merged. */
  get root(): Group {
    return this.into === null ? this : this.into.root
  }

  fix(why: string): void {
    this.root.fixed ??= why
  }

  join(other: Group): void {
    const [a, b] = [this.root, other.root]
    if (a === b) return
    for (const [maker, units] of b.made) a.made.set(maker, units)
    for (const keeper of b.keepers) a.keepers.add(keeper)
    a.incoming.push(...b.incoming)
    a.along.push(...b.along)
    a.outgoing.push(...b.outgoing)
    a.uses.push(...b.uses)
    a.fixed ??= b.fixed
    a.bent ??= b.bent
    b.into = a
  }
}

/** Units of one group along the last axis of a value. */
interface Segment extends UnitLayout {
  readonly group: Group
}

/** The units along the last axis of a value; null if unknown. */
type Lane = { readonly size: number; readonly segments: readonly Segment[] } | null

/** Why the units of an output are fixed. */
export const ARE_OUTPUT = 'they are an output of the model'

/**
 * The groups of a model's units, in the order of their creation, including those of nested models.
 * @param inner whether to include units that only a layer itself uses: see LayerBase.innerUnits
 */
export function unitGroups(graph: LayerGraph, { inner = false } = {}): UnitGroup[] {
  const walk = new Walk(inner)
  const lanes = walk.run(
    graph,
    flatten(graph.inputs).map(() => null),
  )
  for (const lane of lanes) lane?.segments.forEach(({ group }) => (group.root.fixed = ARE_OUTPUT))
  return walk.groups
    .filter((group) => group.root === group)
    .map(({ made, keepers, count, incoming, along, outgoing, uses, fixed, bent }) => {
      return {
        makers: [...made.keys()],
        keepers: [...keepers],
        count,
        incoming,
        along,
        outgoing,
        uses,
        made,
        fixed,
        bent,
      }
    })
}

function fix(lane: Lane, why: string): void {
  lane?.segments.forEach(({ group }) => group.fix(why))
}

class Walk {
  readonly groups: Group[] = []
  /** For each layer that has weights per unit: its first input. */
  private readonly kept = new Map<LayerBase, Lane>()
  /** For each layer that may be called again: its output and its first input. */
  private readonly made = new Map<LayerBase, { readonly output: Lane; readonly input: Lane }>()
  /** For each weight: the layer that first declared it, and the lanes of its units. */
  private readonly owners = new Map<Variable, { readonly layer: LayerBase; readonly lanes: readonly Lane[] }>()
  private readonly seen = new Set<LayerBase>()

  constructor(private readonly inner: boolean) {}

  /** The lanes of all outputs. */
  run(graph: LayerGraph, inputs: readonly Lane[]): Lane[] {
    const lanes = new Map<Tensor, Lane>()
    flatten(graph.inputs).forEach((symbol, i) => lanes.set(symbol, inputs[i]!))
    for (const call of graph.calls) {
      const symbols = symbolsIn(call.input)
      const results = this.call(
        call.layer,
        symbols,
        symbols.map((symbol) => lanes.get(symbol) ?? null),
      )
      for (const symbol of symbolsIn(call.options))
        fix(lanes.get(symbol) ?? null, `${call.layer} takes them as an option`)
      // Tensors in options have a fixed size, so the results of the call must keep their size.
      if (symbolsIn(call.options).length > 0)
        for (const lane of results) fix(lane, `${call.layer} takes other units as an option`)
      call.outputs.forEach((symbol, i) => lanes.set(symbol, results[i] ?? null))
    }
    return flatten(graph.outputs).map((symbol) => lanes.get(symbol) ?? null)
  }

  private call(layer: LayerBase, symbols: readonly Tensor[], inputs: readonly Lane[]): Lane[] {
    const graph = graphOf(layer)
    if (graph !== null) return this.run(graph, inputs)
    if (layer instanceof InputLayer) return [...inputs]
    if (this.inner && !this.seen.has(layer)) for (const units of innerUnitsOf(layer)) this.makeInner(layer, units)
    this.seen.add(layer)
    const flow = unitFlowOf(layer)
    const lane = flow === null ? null : this.flow(layer, flow, symbols, inputs)
    if (lane === null)
      for (const input of inputs) fix(input, whyUnknown(layer) ?? `${layer} does not declare how it uses units`)
    return [lane]
  }

  private flow(layer: LayerBase, flow: UnitFlow, symbols: readonly Tensor[], inputs: readonly Lane[]): Lane {
    const [first = null] = inputs
    switch (flow.kind) {
      case 'makes':
        return this.make(layer, flow, first)
      case 'keeps':
        return this.keep(layer, flow.along, first)
      case 'flattens': {
        const places = placesOf(symbols[0]!, flow.from ?? 1)
        return first === null || places === null ? null : repeated(first, places)
      }
      case 'joins': {
        const lane = joined(inputs)
        if (!flow.scales) lane?.segments.forEach(({ group }) => (group.root.bent ??= `${layer} multiplies them`))
        return lane
      }
      case 'concatenates':
        return this.concatenated(symbols, inputs)
    }
  }

  /** Passes on the units of several inputs separately; weights per unit belong to the units of all inputs. */
  private keep(layer: LayerBase, along: readonly UnitAxis[], input: Lane): Lane {
    input?.segments.forEach(({ group }) => group.root.keepers.add(layer))
    if (along.length === 0) return input
    const known = this.kept.get(layer)
    if (known === undefined) {
      this.kept.set(layer, input)
      this.keepUnits(layer, along, [input])
      for (const axis of along) place(input, axis, ({ root }) => root.along)
    } else if (joined([known, input]) === null) {
      for (const lane of [known, input]) fix(lane, `${layer} is called on several inputs`)
    }
    return input
  }

  private group(layer: LayerBase, units: MadeUnits): Group {
    const { count, incoming, outgoing = [] } = units
    const group = new Group(count)
    this.groups.push(group)
    group.made.set(layer, units)
    if (areMixed(units)) group.fix(`${layer} makes each of all of them`)
    const groupLane = lane(group)
    for (const axis of incoming) place(groupLane, axis, () => group.incoming)
    for (const axis of outgoing) place(groupLane, axis, () => group.outgoing)
    return group
  }

  private makeInner(layer: LayerBase, units: InnerUnits): void {
    const {
      user: { layer: user, axis, ...span },
    } = units
    use(spread(lane(this.group(layer, units)), span), { layer: user, axis })
  }

  private make(layer: LayerBase, { units, from, along = [] }: Made, input: Lane): Lane {
    const known = this.made.get(layer)
    if (known !== undefined) {
      // If two inputs use the same kernel, its rows belong to units of both.
      if (joined([known.input, input]) === null)
        for (const lane of [known.input, input]) fix(lane, `${layer} is called on several inputs`)
      return known.output
    }
    const output = repeated(lane(this.group(layer, units)), units.blocks ?? 1)
    this.made.set(layer, { output, input })
    this.keepUnits(layer, [...units.incoming, ...from, ...along], [input, output])
    for (const axis of from) place(input, axis, ({ root }) => root.outgoing)
    for (const axis of along) place(input, axis, ({ root }) => root.along)
    use(input, { layer, axis: -1 })
    return output
  }

  /** If two wrappers share a layer, changing the units of one would change those of the other. */
  private keepUnits(layer: LayerBase, axes: readonly UnitAxis[], lanes: readonly Lane[]): void {
    for (const { weight } of axes) {
      const known = this.owners.get(weight)
      if (known === undefined) this.owners.set(weight, { layer, lanes })
      else if (known.layer !== layer)
        for (const lane of [...known.lanes, ...lanes]) fix(lane, `${known.layer} and ${layer} share ${weight.name}`)
    }
  }

  private concatenated(symbols: readonly Tensor[], inputs: readonly Lane[]): Lane {
    let size = 0
    const segments: Segment[] = []
    for (const [i, input] of inputs.entries()) {
      const extent = originOf(symbols[i]!)?.spec.shape.at(-1) ?? input?.size ?? null
      if (extent === null) return null
      const start = size
      input?.segments.forEach((each) => segments.push({ ...each, start: each.start + start }))
      size += extent
    }
    return { size, segments }
  }
}

function lane(group: Group): NonNullable<Lane> {
  return { size: group.count, segments: [{ group, start: 0, stride: group.count, blocks: 1, width: 1 }] }
}

/** Records where the units of a lane lie along an axis of a weight. */
function place(lane: Lane, { weight, axis, ...span }: UnitAxis, listOf: (group: Group) => UnitPlace[]): void {
  if (lane === null) return
  for (const { group, ...layout } of spread(lane, span).segments) listOf(group).push({ weight, axis, ...layout })
}

/** Notes a layer as a user of the units of a lane, with their place in its input. */
function use(lane: Lane, by: { readonly layer: object; readonly axis: number }): void {
  for (const {
    group: { root },
    ...layout
  } of lane?.segments ?? [])
    root.uses.push({ ...by, ...layout })
}

/** A lane in which each element becomes several adjacent ones, and the whole is repeated. */
function spread(lane: NonNullable<Lane>, { blocks = 1, width = 1 }: UnitSpan): NonNullable<Lane> {
  const wide = lane.segments.map((each) => ({
    ...each,
    start: each.start * width,
    stride: each.stride * width,
    width: each.width * width,
  }))
  return repeated({ size: lane.size * width, segments: wide }, blocks)
}

/** A lane repeated several times in a row. */
function repeated(lane: NonNullable<Lane>, times: number): NonNullable<Lane> {
  if (times === 1) return lane
  return {
    size: lane.size * times,
    segments: lane.segments.flatMap((each) => {
      if (each.blocks === 1) return [{ ...each, stride: lane.size, blocks: times }]
      return Array.from({ length: times }, (_, i) => ({ ...each, start: each.start + i * lane.size }))
    }),
  }
}

/** The number of places of a value [batch, …places, units], which begin at an axis; null if one is open. */
function placesOf(symbol: Tensor, from: number): number | null {
  const shape = originOf(symbol)?.spec.shape ?? symbol.shape
  return shape
    .slice(from, -1)
    .reduce<number | null>((product, extent) => (product === null || extent === null ? null : product * extent), 1)
}

/** Merges the lanes of values whose unit j meets unit j of the others; null if their units lie differently. */
function joined(lanes: readonly Lane[]): Lane {
  const [first] = lanes
  if (first == null || lanes.some((other) => other === null || !liesAlike(first, other))) return null
  for (const other of lanes.slice(1)) first.segments.forEach(({ group }, i) => group.join(other!.segments[i]!.group))
  return first
}

function liesAlike(a: NonNullable<Lane>, b: NonNullable<Lane>): boolean {
  return (
    a.size === b.size &&
    a.segments.length === b.segments.length &&
    a.segments.every(({ group, start, stride, blocks, width }, i) => {
      const other = b.segments[i]!
      return (
        group.count === other.group.count &&
        start === other.start &&
        stride === other.stride &&
        blocks === other.blocks &&
        width === other.width
      )
    })
  )
}

/** The starts of units along the axis, block by block. */
export function startsOf({ start, stride, blocks, width }: UnitLayout, units: readonly number[]): number[] {
  return Array.from({ length: blocks }, (_, block) => units.map((unit) => start + block * stride + unit * width)).flat()
}

/** The indices along the axis of some units: [blocks, units, width]. */
export function indicesOf(layout: UnitLayout, units: readonly number[]): number[] {
  return startsOf(layout, units).flatMap((first) => Array.from({ length: layout.width }, (_, i) => first + i))
}

/** The names of the layers that make a group's units. */
export function groupName({ makers }: UnitGroup): string {
  return makers.map(({ name }) => name).join('+')
}
