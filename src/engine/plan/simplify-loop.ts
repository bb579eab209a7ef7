// Loop → smaller loop with the same results. Removes what is unused, moves values that are the same in every
// iteration out of the loop, and computes products for all iterations at once, before or after the loop, where
// they do not depend on a carry. Operands that are the same in every iteration are prepared once for products.

import { numberOf } from '../../core/numbers'
import type { TensorType } from '../../core/shapes'
import { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { Body, bodyOf, isLoop, operandsOf, regionOf } from '../ir/region'
import { hasEffect } from '../transforms/effect'
import { ruleOf } from '../primitives'
import { isLiftable, liftNode, type Outside } from '../transforms/lift'
import type { Region } from '../ir/attributes'
import type { Shared } from './rewrite'
import { attributesKey, share, simplify } from './simplify'

/** Emits a loop, or reuses an equal one. */
type EmitLoop = (inputs: readonly Value[], attributes: Node<'loop'>['attributes']) => readonly Value[]

/** The replacement of each output; null for unused outputs. */
export function simplifyLoop(
  node: Node<'loop'>,
  inputs: readonly Value[],
  isLive: (output: Value) => boolean,
  builder: GraphBuilder,
  shared: Shared,
): readonly (Value | null)[] {
  const { length, runs } = node.attributes
  const body = simplify(bodyOf(node))
  const live = node.outputs.map(isLive)
  if (length === 0) return withoutTurns(node, inputs, live, builder)
  if (length === 1 && runs === undefined && !body.nodes.some(hasEffect))
    return oneTurn(node, body, inputs, live, builder)
  const emitLoop: EmitLoop = (operands, attributes) => {
    const emit = (): readonly Value[] => builder.emit('loop', operands, attributes)
    return hasEffect(node) ? emit() : share(shared, loopKey(attributes), operands, emit)
  }
  return new Restructuring(node, body, inputs, live, builder, emitLoop).run()
}

/** A key that is equal only for loops that compute the same from the same operands. */
function loopKey({ body, length, reverse, carries, scanned, runs }: Node<'loop'>['attributes']): string {
  return `loop ${regionKey(body)} ${length} ${reverse} ${carries} ${scanned} ${runs}`
}

/** A key that is equal only for bodies that compute the same. */
function regionKey(region: Region): string {
  if (!(region instanceof Body)) return ''
  const { parameters, nodes, outputs } = region.graph
  const places = new Map<Value, number>()
  const placeOf = (value: Value): number => {
    const known = places.get(value) ?? places.size
    places.set(value, known)
    return known
  }
  const typed = parameters.map((parameter) => `${placeOf(parameter)} ${parameter.dtype} ${parameter.shape.join()}`)
  const lines = nodes.map((node) => {
    const attributes = isLoop(node) ? loopKey(node.attributes) : attributesKey(node.attributes, numberOf(node))
    return `${node.outputs.map(placeOf).join()} = ${node.name} ${node.inputs.map(placeOf).join()} ${attributes}`
  })
  return [...typed, ...lines, outputs.map(placeOf).join()].join('; ')
}

function withoutTurns(
  node: Node<'loop'>,
  inputs: readonly Value[],
  live: readonly boolean[],
  { e }: GraphBuilder,
): (Value | null)[] {
  return node.outputs.map((output, i) => {
    if (!live[i]) return null
    return i < node.attributes.carries ? inputs[i]! : e.zeros(output)
  })
}

function oneTurn(
  node: Node<'loop'>,
  body: Graph,
  inputs: readonly Value[],
  live: readonly boolean[],
  builder: GraphBuilder,
): (Value | null)[] {
  const { carries, scanned } = node.attributes
  const { e } = builder
  const inside = new Map<Value, Value>()
  body.parameters.forEach((parameter, i) => {
    const isScanned = i >= carries && i < carries + scanned
    inside.set(parameter, isScanned ? e.reshape(inputs[i]!, parameter.shape) : inputs[i]!)
  })
  for (const each of body.nodes) {
    const outputs = builder.copy(
      each,
      each.inputs.map((input) => inside.get(input)!),
    )
    outputs.forEach((output, i) => inside.set(each.outputs[i]!, output))
  }
  return node.outputs.map((output, i) => (live[i] ? e.reshape(inside.get(body.outputs[i]!)!, output.shape) : null))
}

/** What a value of the body depends on. */
enum Depends {
  /** Captures and constants only: the same in every iteration. */
  OnNothing,
  /** Slices but no carry: computable for all iterations at once, before the loop. */
  OnSlices,
  OnCarries,
}

interface Carry {
  readonly index: number
  readonly initial: Value
  readonly parameter: Value
  readonly next: Value
}

/** A slice or a capture of the smaller loop: the operand, and its parameter. */
interface LoopOperand {
  readonly parameter: Value
  readonly outside: Value
}

/** The body of the smaller loop. What its nodes read becomes a slice or a capture when it is first read. */
class SmallerBody {
  readonly builder = new GraphBuilder()
  /** Values of the original body → values of this one. */
  private readonly map = new Map<Value, Value>()
  private readonly carried: readonly Value[]
  private readonly scanned: LoopOperand[] = []
  private readonly captured: LoopOperand[] = []

  constructor(
    private readonly carries: readonly Carry[],
    private readonly outside: (value: Value) => Outside,
  ) {
    this.carried = carries.map(({ parameter }) => this.builder.parameter(parameter))
    carries.forEach(({ parameter }, i) => this.map.set(parameter, this.carried[i]!))
  }

  get scannedCount(): number {
    return this.scanned.length
  }

  set(value: Value, inside: Value): void {
    this.map.set(value, inside)
  }

  get(value: Value): Value {
    let known = this.map.get(value)
    if (known !== undefined) return known
    const { value: outside, isStacked } = this.outside(value)
    const operands = isStacked ? this.scanned : this.captured
    known = operands.find((each) => each.outside === outside)?.parameter
    known ??= isStacked ? this.enter(this.scanned, value, outside) : this.capture(outside)
    this.map.set(value, known)
    return known
  }

  capture(outside: Value): Value {
    return this.enter(this.captured, outside, outside)
  }

  private enter(operands: LoopOperand[], type: TensorType, outside: Value): Value {
    const parameter = this.builder.parameter(type)
    operands.push({ parameter, outside })
    return parameter
  }

  parameters(): Value[] {
    return [...this.carried, ...[...this.scanned, ...this.captured].map(({ parameter }) => parameter)]
  }

  inputs(): Value[] {
    return [
      ...this.carries.map(({ initial }) => initial),
      ...[...this.scanned, ...this.captured].map(({ outside }) => outside),
    ]
  }
}

/**
 * If a condition selects the iterations of the loop, all stacked results are stacked by the loop, because they are 0 where
 * an iteration does not run. From a loop that skips iterations nothing is moved: see `where`.
 */
class Restructuring {
  private readonly length: number
  private readonly runs: 'while' | 'where' | undefined
  private readonly body: Graph
  private carries: readonly Carry[]
  /** Captures, and carries that never change, with their values outside. */
  private readonly same = new Map<Value, Value>()
  private readonly wholes = new Map<Value, Value>()
  private readonly depends = new Map<Value, Depends>()
  private readonly before = new Set<Node>()
  private readonly after = new Set<Node>()
  private readonly lifted = new Map<Value, Outside>()
  /** Values of the body that the loop stacks. */
  private readonly stacked: Value[] = []

  constructor(
    private readonly node: Node<'loop'>,
    body: Graph,
    inputs: readonly Value[],
    private readonly live: readonly boolean[],
    private readonly builder: GraphBuilder,
    private readonly emitLoop: EmitLoop,
  ) {
    this.length = node.attributes.length
    this.runs = node.attributes.runs
    this.body = body
    const operands = operandsOf(node, inputs)
    const parameters = operandsOf(node, body.parameters)
    parameters.captures.forEach((parameter, i) => this.same.set(parameter, operands.captures[i]!))
    parameters.scanned.forEach((parameter, i) => this.wholes.set(parameter, operands.scanned[i]!))
    const all = parameters.carries.map((parameter, index): Carry => ({
      index,
      initial: operands.carries[index]!,
      parameter,
      next: body.outputs[index]!,
    }))
    const stays = ({ parameter, next, index }: Carry): boolean => next === parameter && !this.isCondition(index)
    for (const carry of all) if (stays(carry)) this.same.set(carry.parameter, carry.initial)
    this.carries = all.filter((carry) => !stays(carry))
  }

  /** Whether a carry decides whether the next iteration runs. */
  private isCondition(carry: number): boolean {
    return this.runs === 'while' && carry === 0
  }

  run(): readonly (Value | null)[] {
    this.carries = this.neededCarries()
    this.findDependences()
    this.chooseBefore()
    this.chooseAfter()
    const carryCount = this.node.attributes.carries
    const wanted = this.body.outputs.slice(carryCount).filter((_, j) => this.live[carryCount + j])
    for (const value of wanted) this.stack(value)
    const results = this.emit()
    return this.node.outputs.map((output, i) => {
      if (!this.live[i]) return null
      if (i < carryCount) return results.get(i) ?? this.same.get(this.body.parameters[i]!)!
      return this.wholeOf(this.body.outputs[i]!, output)
    })
  }

  /** The carries on which a used result depends. */
  private neededCarries(): Carry[] {
    const carryCount = this.node.attributes.carries
    const needed = new Set(this.carries.filter(({ index }) => this.live[index] || this.isCondition(index)))
    const reached = new Set(this.body.outputs.filter((_, i) => i >= carryCount && this.live[i]))
    for (let size = -1; size !== needed.size;) {
      size = needed.size
      for (const { next } of needed) reached.add(next)
      for (let i = this.body.nodes.length - 1; i >= 0; i--) {
        const node = this.body.nodes[i]!
        if (!hasEffect(node) && !node.outputs.some((output) => reached.has(output))) continue
        for (const input of node.inputs) reached.add(input)
      }
      for (const carry of this.carries) if (reached.has(carry.parameter)) needed.add(carry)
    }
    return this.carries.filter((carry) => needed.has(carry))
  }

  private findDependences(): void {
    for (const parameter of this.body.parameters) this.depends.set(parameter, Depends.OnCarries)
    for (const parameter of this.same.keys()) this.depends.set(parameter, Depends.OnNothing)
    for (const parameter of this.wholes.keys()) this.depends.set(parameter, Depends.OnSlices)
    for (const node of this.body.nodes) {
      const stays = isLoop(node) || hasEffect(node) || this.runs === 'where'
      const depends = stays
        ? Depends.OnCarries
        : Math.max(Depends.OnNothing, ...node.inputs.map((input) => this.depends.get(input)!))
      for (const output of node.outputs) this.depends.set(output, depends)
    }
  }

  private isSame(value: Value): boolean {
    return this.depends.get(value) === Depends.OnNothing
  }

  /**
   * Chooses products of slices with values that are the same in every iteration, the nodes that these slices
   * depend on, and elementwise nodes that follow.
   */
  private chooseBefore(): void {
    const possible = new Set<Value>(this.wholes.keys())
    for (const node of this.body.nodes) {
      const [output] = node.outputs
      if (output === undefined || this.depends.get(output) !== Depends.OnSlices) continue
      if (!isLiftable(node) || !node.inputs.every((input) => this.isSame(input) || possible.has(input))) continue
      possible.add(output)
      const isProduct = ruleOf(node.name).batches === true && node.inputs.some((input) => this.isSame(input))
      const follows =
        ruleOf(node.name).kind === 'elementwise' &&
        node.inputs.some((input) => input.node !== null && this.before.has(input.node))
      if (isProduct || follows) this.addBefore(node)
    }
  }

  private addBefore(node: Node): void {
    if (this.before.has(node)) return
    this.before.add(node)
    for (const { node: maker } of node.inputs) {
      if (maker !== null && this.depends.get(maker.outputs[0]!) === Depends.OnSlices) this.addBefore(maker)
    }
  }

  /** Chooses products that no carry depends on, and nodes that follow from them, to be computed after the loop. */
  private chooseAfter(): void {
    if (this.runs !== undefined) return
    const carried = new Set<Value>(this.carries.map(({ next }) => next))
    const stays = new Set<Value>()
    const possible: Node[] = []
    for (let i = this.body.nodes.length - 1; i >= 0; i--) {
      const node = this.body.nodes[i]!
      const feedsCarry = node.outputs.some((output) => carried.has(output))
      if (feedsCarry) for (const input of node.inputs) carried.add(input)
      if (
        feedsCarry ||
        this.before.has(node) ||
        !isLiftable(node) ||
        node.outputs.some((output) => stays.has(output))
      ) {
        for (const input of node.inputs) stays.add(input)
      } else {
        possible.push(node)
      }
    }
    for (const node of possible.reverse()) {
      if (this.isSame(node.outputs[0]!)) continue
      const isProduct = ruleOf(node.name).batches === true && node.inputs.some((input) => this.isSame(input))
      if (isProduct || node.inputs.some((input) => input.node !== null && this.after.has(input.node)))
        this.after.add(node)
    }
  }

  /** Whether a value is computed inside the loop when it is read there. */
  private isInside(value: Value): boolean {
    const { node } = value
    if (node === null) return true
    const { kind } = ruleOf(node.name)
    if (kind === 'view' || kind === 'constant') return true
    return !this.isSame(value) && !this.before.has(node)
  }

  /** Lets the loop stack the values that are needed to compute `value` for all iterations outside. */
  private stack(value: Value): void {
    if (this.runs !== undefined) {
      if (!this.stacked.includes(value)) this.stacked.push(value)
      return
    }
    const shown = this.throughViews(value)
    const isKnown = this.isSame(shown) || this.wholes.has(shown) || (shown.node !== null && this.before.has(shown.node))
    if (isKnown || this.stacked.includes(value)) return
    const { node } = value
    if (node !== null && this.after.has(node))
      return node.inputs.forEach((input) => this.stack(this.throughViews(input)))
    this.stacked.push(value)
  }

  /** Skips views that can also be applied outside, so that their results need not be copied. */
  private throughViews(value: Value): Value {
    while (value.node !== null && ruleOf(value.node.name).kind === 'view' && isLiftable(value.node))
      value = value.node.inputs[0]!
    return value
  }

  /** Emits the nodes before the loop, and the loop. Returns its carries' results by index. */
  private emit(): Map<number, Value> {
    const inside = new SmallerBody(this.carries, (value) => this.outside(value))
    if (this.runs === 'where') inside.get(this.body.parameters[this.node.attributes.carries]!)
    const needed = this.neededInside()
    for (const node of this.body.nodes) if (needed.has(node)) this.emitInside(node, inside)
    const outputs = [...this.carries.map(({ next }) => next), ...this.stacked].map((value) => inside.get(value))
    if (outputs.length === 0 && needed.size === 0) return new Map()
    const { length, reverse, runs } = this.node.attributes
    const results = this.emitLoop(inside.inputs(), {
      body: regionOf(this.node).with(inside.builder.finish(outputs, inside.parameters())),
      length,
      reverse,
      carries: this.carries.length,
      scanned: inside.scannedCount,
      runs,
    })
    this.stacked.forEach((value, j) =>
      this.lifted.set(value, { value: results[this.carries.length + j]!, isStacked: true }),
    )
    return new Map(this.carries.map(({ index }, i) => [index, results[i]!]))
  }

  /** Emits a node of the body inside the loop, and the preparation of its operand, if it has one, before the loop. */
  private emitInside(node: Node, inside: SmallerBody): void {
    const { builder } = inside
    builder.scope = node.scope
    const preparation = ruleOf(node.name).prepare?.({
      inputs: node.inputs,
      length: this.length,
      isSame: (i) => this.runs !== 'where' && this.isSame(node.inputs[i]!),
    })
    if (!preparation) {
      const inputs = node.inputs.map((input) => inside.get(input))
      builder.copy(node, inputs).forEach((output, i) => inside.set(node.outputs[i]!, output))
      return
    }
    const { operand } = preparation
    const prepared = this.within(node.scope, () =>
      preparation.before(this.builder.e, this.outside(node.inputs[operand]!).value),
    )
    const inputs = node.inputs.map((input, i) => (i === operand ? inside.capture(prepared) : inside.get(input)))
    inside.set(node.outputs[0]!, preparation.inside(builder.e, inputs))
  }

  private neededInside(): Set<Node> {
    const needed = new Set<Node>()
    const wanted = new Set([...this.carries.map(({ next }) => next), ...this.stacked])
    for (let i = this.body.nodes.length - 1; i >= 0; i--) {
      const node = this.body.nodes[i]!
      const isWanted = node.outputs.some((output) => wanted.has(output) && this.isInside(output))
      if (!isWanted && !hasEffect(node)) continue
      needed.add(node)
      for (const input of node.inputs) wanted.add(input)
    }
    return needed
  }

  /** A value of the body outside the loop; emits it if necessary. */
  private outside(value: Value): Outside {
    const same = this.same.get(value)
    if (same !== undefined) return { value: same, isStacked: false }
    const whole = this.wholes.get(value)
    if (whole !== undefined) return { value: whole, isStacked: true }
    let known = this.lifted.get(value)
    if (known === undefined) {
      const node = value.node!
      const operands = node.inputs.map((input) => this.outside(input))
      known = this.within(node.scope, () => {
        if (node.outputs.length === 1) return liftNode(this.builder, node, operands, this.length)
        const outputs = this.builder.copy(
          node,
          operands.map((operand) => operand.value),
        )
        node.outputs.forEach((output, i) => this.lifted.set(output, { value: outputs[i]!, isStacked: false }))
        return this.lifted.get(value)!
      })
      this.lifted.set(value, known)
    }
    return known
  }

  /** Emits nodes outside the loop, in another scope. */
  private within<Result>(scope: string, emit: () => Result): Result {
    const outer = this.builder.scope
    this.builder.scope = scope
    const result = emit()
    this.builder.scope = outer
    return result
  }

  /** A stacked result of the loop in its full shape. */
  private wholeOf(value: Value, output: Value): Value {
    const { e } = this.builder
    if (this.runs !== undefined) return this.lifted.get(value)!.value
    const { value: outside, isStacked } = this.outside(value)
    if (isStacked) return outside
    return e.broadcastTo(e.reshape(outside, [1, ...outside.shape]), output.shape)
  }
}
