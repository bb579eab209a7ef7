// Which values of a traced model stay the same when steps are added, by a rule for each primitive. A model whose scores do
// can be computed one step at a time: see stepper.ts.
//
// A value with a time axis is *settled* if each of its elements is the same for all numbers of steps for which it exists.
// Ops that treat each step alone keep this, and so do those that read earlier steps only. Everything else is refused.

import type { PrimitiveAttributes, PrimitiveName } from '../engine/ir/attributes'
import { internalError } from '../core/errors'
import { isNodeOf, type Node, type Value } from '../engine/ir/graph'
import { hasEffect } from '../engine/transforms/effect'
import { ruleOf } from '../engine/primitives'
import { attentionOperands } from '../engine/primitives/attention-operands'
import { AttentionKernel } from '../engine/primitives/attention'
import { Normalization } from '../engine/primitives/normalization'
import { routineOf } from '../engine/primitives/routine'
import { RunningResult } from '../engine/primitives/running'
import type { Runtime } from '../engine/runtime/runtime'
import {
  constantGrowth,
  doubt,
  growingAxes,
  liveNodes,
  partnersOf,
  refuse,
  reshapedAxis,
  type GrowingAxis,
  type TimeAxis,
  type Traces,
} from './growth'
import { MaskFacts, distinct, type Filling } from './masks'

/**
 * For which steps a value is settled: all; those for which a bool [batch, steps] is true; only the last one, where the
 * whole sequence is known; or none.
 */
export type Trust = 'all' | 'last' | 'none' | Value

interface Facts {
  readonly times: readonly TimeAxis[]
  readonly trust: Trust
  /** Whether it follows from constants alone. */
  readonly isPositional: boolean
}

/** How a node is computed for one more step; all but `alone` read earlier steps. */
export type Manner =
  | { readonly kind: 'alone' }
  | { readonly kind: 'length' }
  | { readonly kind: 'attention' }
  | { readonly kind: 'running'; readonly axis: number }
  | { readonly kind: 'loop' }
  | { readonly kind: 'window'; readonly axis: number }
  | { readonly kind: 'slice'; readonly axis: number; readonly of: 'last' | 'fixed' | 'growing' }
  | { readonly kind: 'after'; readonly axis: number }
  | { readonly kind: 'overKeys' }
  | { readonly kind: 'total'; readonly axis: number }

const ALONE: Manner = { kind: 'alone' }

type Keep<Name extends PrimitiveName> = (
  node: Node<Name>,
  attributes: PrimitiveAttributes[Name],
  operand: number,
  axis: number,
) => number | null

const rankOf = ({ shape }: { readonly shape: readonly number[] }): number => shape.length
const addedAxes = ({ inputs, outputs }: Node, operand: number): number => rankOf(outputs[0]!) - rankOf(inputs[operand]!)
const same: Keep<PrimitiveName> = (_node, _attributes, _operand, axis) => axis
const aligned: Keep<PrimitiveName> = (node, _attributes, operand, axis) => axis + addedAxes(node, operand)
const unlessLast: Keep<PrimitiveName> = ({ inputs }, _attributes, _operand, axis) =>
  axis === rankOf(inputs[0]!) - 1 ? null : axis
const reduced: Keep<'sum' | 'mean' | 'max' | 'min'> = (_node, { axes }, _operand, axis) =>
  axes.includes(axis) ? null : axis - axes.filter((each) => each < axis).length
const argReduced: Keep<'argMax' | 'argMin'> = (_node, { axis: over }, _operand, axis) =>
  axis === over ? null : axis - Number(over < axis)
/** The batch, of the first operand. */
const batchOnly: Keep<PrimitiveName> = (_node, _attributes, operand, axis) => (operand === 0 && axis === 0 ? 0 : null)
const batchAndChannels: Keep<PrimitiveName> = ({ inputs }, _attributes, operand, axis) =>
  operand === 0 && (axis === 0 || axis === rankOf(inputs[0]!) - 1) ? axis : null

/**
 * The axis of the results whose elements are each computed from the same element of an operand's axis; null if they are
 * mixed. Primitives that are not listed mix all axes.
 */
const kept: { readonly [Name in PrimitiveName]?: Keep<Name> } = {
  matmul: (node, _attributes, operand, axis) => {
    const contracted = rankOf(node.inputs[operand]!) - 1 - operand
    return axis === contracted ? null : axis + addedAxes(node, operand)
  },
  sum: reduced,
  mean: reduced,
  max: reduced,
  min: reduced,
  argMax: argReduced,
  argMin: argReduced,
  softmax: unlessLast,
  logSoftmax: unlessLast,
  gather: ({ inputs }, { axis: along }, operand, axis) => {
    if (operand === 1) return along + axis
    if (axis === along) return null
    return axis < along ? axis : axis + rankOf(inputs[1]!) - 1
  },
  transpose: (_node, { permutation }, _operand, axis) => permutation.indexOf(axis),
  slice: ({ inputs }, { starts, sizes }, _operand, axis) =>
    starts[axis] === 0 && sizes[axis] === inputs[0]!.shape[axis] ? axis : null,
  reverse: (_node, { axes }, _operand, axis) => (axes.includes(axis) ? null : axis),
  broadcastTo: aligned,
  stopGradient: same,
  concat: (_node, { axis: along }, _operand, axis) => (axis === along ? null : axis),
  pad: (_node, { before, after }, _operand, axis) => (before[axis] === 0 && after[axis] === 0 ? axis : null),
  convolution: batchOnly,
  depthwiseConvolution: batchOnly,
  maxPool: batchAndChannels,
  sumPool: batchAndChannels,
  routine: ({ inputs }, attributes, operand, axis) =>
    routineOf(attributes).keepsAxis(inputs, operand, axis) ? axis : null,
}

/** Views may be read through: see `reshapedAxis`. */
function keptAxisOf<Name extends PrimitiveName>(node: Node<Name>, operand: number, axis: number): number | null {
  const keep: Keep<Name> | undefined = kept[node.name]
  if (keep !== undefined) return keep(node, node.attributes, operand, axis)
  return ruleOf(node.name).kind === 'elementwise' ? aligned(node, node.attributes, operand, axis) : null
}

interface Found {
  readonly manner: Manner
  /** Of each result. */
  readonly trust: readonly Trust[]
}
/** The reason why a node is refused, because it reads steps that follow, or why that is not known. */
type Refusal = string | { readonly unknown: string }
const unknown = (why: string): Refusal => ({ unknown: why })

/** What is found for a node that mixes steps. */
type MixingRule<Name extends PrimitiveName> = (node: Node<Name>, analysis: Causality) => Found | Refusal
const refused =
  (why: string): MixingRule<PrimitiveName> =>
  () =>
    why
const OVER_STEPS = 'is over all steps, also over those that follow'

const isClean = ({ outer, inner }: TimeAxis): boolean => outer * inner === 1

/** Convolution and pooling: each result reads a window that ends with the step of the result. */
const windowed: MixingRule<'convolution' | 'depthwiseConvolution' | 'maxPool' | 'sumPool'> = (node, analysis) => {
  const x = node.inputs[0]!
  const time = analysis.onlyTime(x)
  const rank = rankOf(x)
  if (time === null || !isClean(time) || time.axis === 0 || time.axis === rank - 1)
    return unknown('mixes steps with batch or channels')
  if (node.inputs.slice(1).some((input) => analysis.timesOf(input).length > 0))
    return unknown('has a kernel that depends on the steps')
  const at = time.axis - 1
  const { strides, after } = { after: [], ...node.attributes }
  if (strides[at] !== 1) return unknown('takes more than one step at a time')
  if ((after[at] ?? 0) > 0)
    return 'reads steps that follow: only padding before the steps, as with padding causal, is allowed'
  return { manner: { kind: 'window', axis: time.axis }, trust: [analysis.trustOf(x) === 'all' ? 'all' : 'none'] }
}

const mixing: { readonly [Name in PrimitiveName]?: MixingRule<Name> } = {
  convolution: windowed,
  depthwiseConvolution: windowed,
  maxPool: windowed,
  sumPool: windowed,
  loop: (node, analysis) => {
    const { carries, scanned, reverse, runs, length } = node.attributes
    if (reverse) return 'runs from the last step to the first'
    if (runs === 'while') return unknown('runs until a condition holds')
    const isScanned = (i: number): boolean => i >= carries && i < carries + scanned
    const isOne = node.inputs.every((input, i) => {
      const times = analysis.timesOf(input)
      if (!isScanned(i)) return times.length === 0
      return times.length === 1 && times[0]!.axis === 0 && isClean(times[0]!) && times[0]!.shift === 0
    })
    if (!isOne || length !== analysis.steps)
      return unknown('runs over another axis than the steps, or reads all steps in each iteration')
    const isSettled = node.inputs.every((input) => analysis.trustOf(input) === 'all')
    const settled = (i: number): Trust => (i < carries ? 'last' : 'all')
    return { manner: { kind: 'loop' }, trust: node.outputs.map((_, i) => (isSettled ? settled(i) : 'none')) }
  },
  slice: (node, analysis) => {
    const { starts } = node.attributes
    const other = analysis.partnerOf(node)
    const x = node.inputs[0]!
    const time = analysis.onlyTime(x)
    if (time === null || !isClean(time)) return unknown('takes a part of several steps')
    const { axis } = time
    const [start, size] = [starts[axis]!, node.attributes.sizes[axis]!]
    const [otherStart, otherSize] = [other.attributes.starts[axis]!, other.attributes.sizes[axis]!]
    const trust = analysis.trustOf(x)
    const isLast = size === 1 && otherSize === 1 && start === x.shape[axis]! - 1
    if (isLast && otherStart === other.inputs[0]!.shape[axis]! - 1)
      return { manner: { kind: 'slice', axis, of: 'last' }, trust: [trust === 'none' ? 'none' : 'last'] }
    if (starts.some((each, i) => each !== other.attributes.starts[i]))
      return unknown('takes steps that are counted from the last one')
    if (size === otherSize) {
      // Whoever steps from the start must have the elements before they are read.
      if (start + size > analysis.known + time.shift)
        return unknown(`needs step ${start + size - 1} from the first step on`)
      return { manner: { kind: 'slice', axis, of: 'fixed' }, trust: [trust === 'all' ? 'all' : 'none'] }
    }
    return { manner: { kind: 'slice', axis, of: 'growing' }, trust: [trust === 'all' ? 'all' : 'none'] }
  },
  pad: (node, analysis) => {
    const x = node.inputs[0]!
    const time = analysis.onlyTime(x)
    if (time === null || !isClean(time)) return unknown('pads several steps')
    if (node.attributes.after[time.axis]! > 0) return 'pads after the last step, whose place the next step takes'
    return { manner: { kind: 'after', axis: time.axis }, trust: [analysis.trustOf(x) === 'all' ? 'all' : 'none'] }
  },
  concat: (node, analysis) => {
    const { axis } = node.attributes
    const last = node.inputs.at(-1)!
    const time = analysis.onlyTime(last)
    const isBefore = node.inputs.slice(0, -1).every((input) => analysis.timesOf(input).length === 0)
    if (time === null || !isClean(time) || time.axis !== axis || !isBefore)
      return 'joins something after the last step, whose place the next step takes'
    const isSettled = node.inputs.every((input) => analysis.trustOf(input) === 'all')
    return { manner: { kind: 'after', axis }, trust: [isSettled ? 'all' : 'none'] }
  },
  softmax: (node, analysis) => {
    const x = node.inputs[0]!
    const filling = analysis.masks.fillingOf(x)
    if (filling?.kind !== 'low' || filling.key !== rankOf(x) - 1) return unmasked(analysis, x)
    return overKeys(analysis, x, filling, filling.keepsOwn ? trustOfRows(filling, analysis.trustOf(x)) : null)
  },
  sum: (node, analysis) => {
    const x = node.inputs[0]!
    const { axes } = node.attributes
    const filling = analysis.masks.fillingOf(x)
    if (filling?.kind === 'zero' && axes.includes(filling.key) && !axes.includes(filling.query))
      return overKeys(analysis, x, filling, analysis.trustOf(x))
    const time = analysis.onlyTime(x)
    if (time === null || !isClean(time)) return unknown('is over several axes of steps')
    return { manner: { kind: 'total', axis: time.axis }, trust: [analysis.trustOf(x) === 'all' ? 'last' : 'none'] }
  },
  max: (node, analysis) => {
    const x = node.inputs[0]!
    const { axes } = node.attributes
    const filling = analysis.masks.fillingOf(x)
    if (filling?.kind !== 'low' || !axes.includes(filling.key) || axes.includes(filling.query))
      return unmasked(analysis, x)
    return overKeys(analysis, x, filling, filling.keepsOwn ? trustOfRows(filling, analysis.trustOf(x)) : null)
  },
  mean: /* @__PURE__ */ refused(OVER_STEPS),
  min: /* @__PURE__ */ refused(OVER_STEPS),
  argMax: /* @__PURE__ */ refused(OVER_STEPS),
  argMin: /* @__PURE__ */ refused(OVER_STEPS),
  logSoftmax: /* @__PURE__ */ refused(OVER_STEPS),
  reverse: /* @__PURE__ */ refused('reverses the steps'),
  matmul: (node, analysis) => {
    const [a, b] = [node.inputs[0]!, node.inputs[1]!]
    for (const [weights, values, axis, other] of [
      [a, b, rankOf(a) - 1, rankOf(b) - 2],
      [b, a, rankOf(b) - 2, rankOf(a) - 1],
    ] as const) {
      const filling = analysis.masks.fillingOf(weights)
      if (filling?.kind !== 'zero' || filling.key !== axis) continue
      const time = analysis.onlyTime(values)
      if (time === null || time.axis !== other || !isClean(time)) continue
      const trust = analysis.trustOf(values)
      if (trust !== 'all' && !(typeof trust === 'object' && filling.keys.includes(trust))) return LOST
      return overKeys(analysis, weights, filling, analysis.trustOf(weights))
    }
    return OVER_STEPS
  },
  routine: (node, analysis) => {
    const routine = routineOf(node.attributes)
    if (routine instanceof AttentionKernel) return attention(node, routine, analysis)
    if (routine instanceof Normalization) return OVER_STEPS
    if (!(routine instanceof RunningResult)) return unknown('is not known to treat each step alone')
    if (routine.isBackwards) return 'runs from the last step to the first'
    const times = node.inputs.map((input) => analysis.onlyTime(input))
    if (!times.every((time) => time !== null && time.axis === routine.axis && isClean(time)))
      return unknown('runs over another axis than the steps')
    const isSettled = node.inputs.every((input) => analysis.trustOf(input) === 'all')
    return { manner: { kind: 'running', axis: routine.axis }, trust: [isSettled ? 'all' : 'none'] }
  },
}

function findMixed<Name extends PrimitiveName>(node: Node<Name>, analysis: Causality): Found | Refusal {
  const rule: MixingRule<Name> | undefined = mixing[node.name]
  return rule?.(node, analysis) ?? unknown('mixes steps')
}

const LOST =
  'reads what depends on steps that follow, such as a sum over all steps, or masked steps where a padding mask is lost between attentions'

/** Scores that are not known to be hidden for all keys that follow. */
const unmasked = (analysis: Causality, scores: Value): Refusal =>
  analysis.masks.isModerate(scores) ? OVER_STEPS : unknown('has a mask that is not known to hide all steps that follow')

/** A result for each query: settled unless all keys of its query are masked, which gives the mean of all keys. */
function trustOfRows({ keys, queries }: Pick<Filling, 'keys' | 'queries'>, scores: Trust): Trust {
  const masks = distinct([...keys, ...queries, ...(typeof scores === 'object' ? [scores] : [])])
  if (scores === 'none') return 'none'
  return scores === 'last' || masks.length > 1 ? 'last' : (masks[0] ?? 'all')
}

function overKeys(analysis: Causality, weights: Value, { keys }: Filling, trust: Trust | null): Found | Refusal {
  const ofWeights = analysis.trustOf(weights)
  // Keys of earlier steps would be those of other sequences.
  if (ofWeights === 'last' || ofWeights === 'none') return LOST
  if (trust === null) return unknown('may hide a step from itself, which then sees the steps that follow')
  if (typeof ofWeights === 'object' && !keys.includes(ofWeights)) return LOST
  return { manner: { kind: 'overKeys' }, trust: [trust] }
}

const attention = (node: Node, { attributes }: AttentionKernel, analysis: Causality): Found | Refusal => {
  const { query, key, value, mask, bias } = attentionOperands(node.inputs, attributes)
  const { before, after } = attributes
  const isOfSteps = (x: Value): boolean => {
    const time = analysis.onlyTime(x)
    return time !== null && time.axis === 1 && isClean(time) && time.shift === 0
  }
  const isFixed = (x: Value): boolean => analysis.timesOf(x).length === 0
  if (isOfSteps(query) && isFixed(key) && isFixed(value) && before === Infinity && after === Infinity) {
    const trust = combinedTrust(node.inputs.map((input) => analysis.trustOf(input)))
    return { manner: { kind: 'attention' }, trust: [trust, trust] }
  }
  if (![query, key, value].every(isOfSteps)) return unknown('is not from steps to the same steps')
  const visible = mask === null ? null : analysis.masks.visibility(mask, 2, 3)
  if (after > 0 && visible?.isCausal !== true)
    return visible?.isKnown === false
      ? unknown('has a mask that is not known to hide all steps that follow')
      : 'sees the steps that follow. It needs useCausalMask'
  if (after < 0 || visible?.keepsOwn === false || visible?.isKnown === false)
    return unknown('may hide a step from itself, which then sees the steps that follow')
  const keys = visible?.keys ?? []
  for (const trust of [analysis.trustOf(key), analysis.trustOf(value)])
    if (trust !== 'all' && !(typeof trust === 'object' && keys.includes(trust))) return LOST
  const other = bias === null ? 'all' : analysis.trustOf(bias)
  if (other !== 'all') return LOST
  const trust = trustOfRows({ keys, queries: visible?.queries ?? [] }, analysis.trustOf(query))
  return { manner: { kind: 'attention' }, trust: [trust, trust] }
}

function combinedTrust(all: readonly Trust[]): Trust {
  if (all.includes('none')) return 'none'
  const masks = distinct(all.filter((trust) => typeof trust === 'object'))
  return all.includes('last') || masks.length > 1 ? 'last' : (masks[0] ?? 'all')
}

/** Finds what is known of each value. @throws StateError for a model whose scores depend on steps that follow */
export class Causality {
  readonly masks: MaskFacts
  readonly nodes: readonly Node[]
  readonly steps: number
  private readonly facts = new Map<Value, Facts>()
  private readonly manners = new Map<Node, Manner>()
  private readonly partners: ReadonlyMap<Value, Value>

  /** @param known how many steps are taken at once before single ones */
  constructor(
    private readonly traces: Traces,
    readonly runtime: Runtime,
    readonly known: number,
  ) {
    const { long, model } = traces
    this.steps = traces.steps[0]
    if (long.updates.length > 0) doubt(model, null, 'it changes a variable')
    this.nodes = liveNodes(long)
    this.partners = partnersOf(traces, this.nodes)
    this.masks = new MaskFacts(this)
    for (const value of [...long.parameters, ...long.cells.values()])
      this.facts.set(value, { times: this.newTimes(value, null), trust: 'all', isPositional: false })
    for (const node of this.nodes) this.add(node)
    const scores = long.outputs[0]!
    const time = this.onlyTime(scores)
    if (time === null || time.axis !== 1 || !isClean(time) || time.shift !== 0)
      doubt(model, scores.node, 'has scores that are not of single steps')
    if (this.trustOf(scores) === 'none') {
      const node = this.nodes.find(({ outputs }) => outputs.some((output) => this.trustOf(output) === 'none'))
      refuse(model, node ?? null, LOST)
    }
  }

  private of(value: Value): Facts {
    return this.facts.get(value) ?? doubt(this.traces.model, value.node, 'has an operand that is not known')
  }

  timesOf(value: Value): readonly TimeAxis[] {
    return this.of(value).times
  }

  /** The time axis; null if there are none or several. */
  onlyTime(value: Value): TimeAxis | null {
    const times = this.timesOf(value)
    return times.length === 1 ? times[0]! : null
  }

  trustOf(value: Value): Trust {
    return this.of(value).trust
  }

  isPositional(value: Value): boolean {
    return this.of(value).isPositional
  }

  mannerOf(node: Node): Manner {
    return this.manners.get(node)!
  }

  partner(value: Value): Value {
    return this.partners.get(value)!
  }

  /** The node of the short trace for a node of the long one. */
  partnerOf<Name extends PrimitiveName>(node: Node<Name>): Node<Name> {
    const other = this.partner(node.outputs[0]!).node
    if (other === null || !isNodeOf(other, node.name)) throw internalError(`${node.name} has another partner`)
    return other
  }

  keptAxis(node: Node, operand: number, axis: number): number | null {
    if (node.name !== 'reshape') return keptAxisOf(node, operand, axis)
    const time = this.timesOf(node.inputs[0]!).find((each) => each.axis === axis)
    return time === undefined ? null : (reshapedAxis(node.inputs[0]!.shape, time, node.outputs[0]!.shape)?.axis ?? null)
  }

  /** The growing axes of a value, each with one element for each step. */
  private newTimes(value: Value, node: Node | null): readonly TimeAxis[] {
    return this.growing(value, node).map(({ axis, perStep, shift }) => {
      if (perStep !== 1) doubt(this.traces.model, node, 'has several elements for each step')
      return { axis, outer: 1, inner: 1, shift }
    })
  }

  private growing(value: Value, node: Node | null): readonly GrowingAxis[] {
    const axes = growingAxes(value.shape, this.partner(value)?.shape ?? value.shape, this.traces.steps)
    return axes ?? doubt(this.traces.model, node, 'does not grow with the steps')
  }

  private add(node: Node): void {
    const { model } = this.traces
    if (hasEffect(node) || node.name === 'uniform') doubt(model, node, 'has an effect or is random')
    const isPositional =
      ruleOf(node.name).kind === 'constant' ||
      (node.inputs.length > 0 && node.inputs.every((input) => this.isPositional(input)))
    if (node.name === 'constant') return this.addConstant(node)
    const mixed = node.inputs.some((input, operand) =>
      this.timesOf(input).some(({ axis }) => this.keptAxis(node, operand, axis) === null),
    )
    // Attributes of a node without mixing may differ by extents only.
    const found = mixed
      ? findMixed(node, this)
      : { manner: ALONE, trust: node.outputs.map(() => this.trustAlone(node)) }
    if (typeof found === 'string') return refuse(model, node, found)
    if ('unknown' in found) return doubt(model, node, found.unknown)
    this.manners.set(node, found.manner)
    node.outputs.forEach((output, i) => {
      const times = mixed ? this.newTimes(output, node) : this.keptTimes(node, output)
      this.facts.set(output, { times, trust: found.trust[i]!, isPositional: isPositional && found.manner === ALONE })
    })
  }

  private addConstant(node: Node): void {
    const value = node.outputs[0]!
    const growth = constantGrowth(node, this.partner(value).node!, this.traces.steps)
    if (growth === null) doubt(this.traces.model, node, 'depends on the number of steps')
    this.manners.set(node, growth === 'length' ? { kind: 'length' } : ALONE)
    this.facts.set(value, {
      times: this.newTimes(value, node),
      trust: growth === 'length' ? 'last' : 'all',
      isPositional: growth !== 'length',
    })
  }

  /** The time axes of a node that treats each step alone; only constants, broadcasts and slices may add new ones. */
  private keptTimes(node: Node, output: Value): readonly TimeAxis[] {
    const { model } = this.traces
    const times = new Map<number, TimeAxis>()
    node.inputs.forEach((input, operand) => {
      for (const time of this.timesOf(input)) {
        const axis = this.keptAxis(node, operand, time.axis)!
        const moved = node.name === 'reshape' ? reshapedAxis(input.shape, time, output.shape)! : { ...time, axis }
        const other = times.get(axis)
        if (
          other !== undefined &&
          !(other.outer === moved.outer && other.inner === moved.inner && other.shift === moved.shift)
        )
          doubt(model, node, 'joins different steps')
        times.set(axis, moved)
      }
    })
    for (const { axis, perStep, shift } of this.growing(output, node)) {
      const time = times.get(axis)
      if (time === undefined) {
        const mayAdd = node.name === 'broadcastTo' || node.name === 'slice'
        if (!mayAdd || perStep !== 1) doubt(model, node, 'depends on the number of steps')
        times.set(axis, { axis, outer: 1, inner: 1, shift })
      } else if (time.outer * time.inner !== perStep || time.shift !== shift) doubt(model, node, 'mixes steps')
    }
    if (times.size > this.growing(output, node).length) doubt(model, node, 'joins all steps')
    this.requireStarts(node)
    return [...times.values()].sort((a, b) => a.axis - b.axis)
  }

  /** A slice of something that does not grow must start at the same place for each number of steps. */
  private requireStarts(node: Node): void {
    if (!isNodeOf(node, 'slice')) return
    const { starts } = node.attributes
    const { starts: others } = this.partnerOf(node).attributes
    if (starts.some((start, axis) => start !== others[axis]))
      doubt(this.traces.model, node, 'depends on the number of steps')
  }

  private trustAlone(node: Node): Trust {
    const all = node.inputs.map((input) => this.trustOf(input))
    if (node.name === 'select' && node.inputs.every((input) => this.timesOf(input).length <= 1)) {
      // Where the mask is false, another value stands in place of an unsettled one, or an unsettled one is marked by it.
      const [{ source, axes } = { source: null, axes: [] }, ...more] = this.masks.conditionsOf(node.inputs[0]!)
      const isOfSteps = more.length === 0 && axes.length === 1
      const isSettled = all[0] === 'all' && (all[1] === 'all' || all[1] === source)
      if (source !== null && isOfSteps && isSettled && all[2] !== 'all') return source
      if (source !== null && isOfSteps && isSettled && all[1] === source) return all[2] === 'all' ? 'all' : source
    }
    return combinedTrust(all)
  }
}
