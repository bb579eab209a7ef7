// The gradient of a loop is a loop in the opposite direction. It carries the cotangents of the carries, and its body is
// the gradient of the body. The forward loop stacks the values of its iterations that the gradient needs; the backward
// loop recomputes views, constants and values that are the same in every iteration. If the gradient of a captured weight
// is a sum of products, it becomes one product outside the loop.
//
//   forward    (c_{t+1}, y_t) = f(c_t, x_t, k)
//   backward   (dc_t, dx_t, dk_t) = Jᵀf (dc_{t+1}, dy_t)        dk = Σ dk_t
//
// For a loop with a condition, the backward loop runs as many iterations as the loop ran. All sums stay inside it, so that nothing is
// computed from an iteration that did not run.

import { ArgumentError } from '../../core/errors'
import type { TensorType } from '../../core/shapes'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../ir/attributes'
import type { Contribution } from '../primitives/rule'
import { GraphBuilder } from './builder'
import { Cotangents, sumOf } from './cotangents'
import type { BackwardPass } from './loops'
import { backward, dependents } from './differentiate'
import { Value, type Graph, type Node } from '../ir/graph'
import { isLiftable, liftNode } from './lift'
import { UNLIMITED, bodyOf, isLoop, operandsOf, regionOf } from '../ir/region'

/** The results of a loop that depend on one of its operands in `carriers`. */
export function loopDependents(node: Node<'loop'>, carriers: ReadonlySet<Value>): Value[] {
  const body = bodyOf(node)
  const active = activeValues(node, body.parameters, body.outputs, body.nodes, carriers)
  return node.outputs.filter(
    (_, i) => active.has(body.outputs[i]!) || (keepsCarry(node, i) && active.has(body.parameters[i]!)),
  )
}

/** Whether result i may be the initial value of a carry, because no iteration has to run. */
function keepsCarry({ attributes: { runs, carries } }: Node<'loop'>, i: number): boolean {
  return runs !== undefined && i < carries
}

/**
 * The values of a body that depend on one of `carriers` in some iteration. A carry that depends on one makes others depend
 * on it in the next iteration, so this repeats until no carry is added.
 */
function activeValues(
  node: Node<'loop'>,
  parameters: readonly Value[],
  outputs: readonly Value[],
  nodes: readonly Node[],
  carriers: ReadonlySet<Value>,
): Set<Value> {
  const start = new Set(parameters.filter(({ dtype }, i) => dtype === 'float32' && carriers.has(node.inputs[i]!)))
  for (;;) {
    const active = dependents(nodes, start)
    const before = start.size
    for (let i = 0; i < node.attributes.carries; i++) if (active.has(outputs[i]!)) start.add(parameters[i]!)
    if (start.size === before) return active
  }
}

/** Adds the cotangents of a loop's operands that follow from those of its results. */
export function pullBackLoop(node: Node<'loop'>, pass: BackwardPass): void {
  new LoopGradient(node, pass).run()
}

/** An operand of the forward loop, and its parameter in the copy of the body. */
interface LoopOperand {
  readonly parameter: Value
  readonly input: Value
}

/** A capture with the contributions to its gradient. */
interface Capture extends LoopOperand {
  /** Contributions whose sum over all iterations can be computed outside the loop. */
  readonly atOnce: readonly Contribution[]
  /** Contributions that each iteration adds. */
  readonly turnwise: readonly Contribution[]
}

/** The backward body while its nodes still read values of the forward body. */
interface BackwardBody {
  /** The carries, by index, whose cotangents it carries back. */
  readonly carried: readonly number[]
  /** The stacked results, by index, whose cotangents it reads as slices. */
  readonly stackedResults: readonly number[]
  /** The scanned operands whose gradients it stacks. */
  readonly scanned: readonly LoopOperand[]
  readonly captures: readonly Capture[]
  /** The captures for which it carries a sum. */
  readonly summed: readonly Capture[]
  /** Values that it stacks for sums outside the loop. */
  readonly exported: readonly Value[]
  /** Its parameters: the cotangents of carries and the sums, then the slices. */
  readonly carriesIn: readonly Value[]
  readonly slicesIn: readonly Value[]
  /** Its results: those of `carriesIn`, the gradients of `scanned`, and `exported`. */
  readonly outputs: readonly Value[]
}

/** The results of the backward loop, and those of the forward loop, extended by the values that the backward loop reads. */
interface BackwardLoop {
  readonly results: readonly Value[]
  readonly residuals: readonly Value[]
}

class LoopGradient {
  private readonly body: Graph
  /** A copy of the body, to which results can be added. */
  private readonly inner = new GraphBuilder()
  private readonly parameters: readonly Value[]
  /** The results of the forward loop; further results that the gradient needs are appended. */
  private readonly results: Value[]
  /** The backward nodes of the body. They still read values of `inner`; `close` makes a separate graph of them. */
  private readonly raw = new GraphBuilder()
  private readonly rawValues = new Set<Value>()
  private readonly cotangents: Cotangents
  private readonly active: ReadonlySet<Value>
  /** Values of `inner` that are the same in every iteration. */
  private readonly same = new Set<Value>()

  constructor(
    private readonly node: Node<'loop'>,
    private readonly pass: BackwardPass,
  ) {
    this.body = bodyOf(node)
    const map = new Map<Value, Value>()
    this.parameters = this.body.parameters.map((parameter) => {
      const copy = this.inner.parameter(parameter)
      map.set(parameter, copy)
      return copy
    })
    for (const each of this.body.nodes) {
      this.inner.scope = each.scope
      const outputs = this.inner.copy(
        each,
        each.inputs.map((input) => map.get(input)!),
      )
      outputs.forEach((output, i) => map.set(each.outputs[i]!, output))
    }
    this.results = this.body.outputs.map((output) => map.get(output)!)
    // Contributions to captures are kept apart, to be examined one by one.
    this.cotangents = new Cotangents(this.raw, new Set(operandsOf(node, this.parameters).captures))
    this.active = activeValues(node, this.parameters, this.results, this.inner.emitted(), pass.carriers)
    this.findSame()
  }

  private findSame(): void {
    for (const parameter of operandsOf(this.node, this.parameters).captures) this.same.add(parameter)
    for (const node of this.inner.emitted()) {
      if (isLoop(node) || ruleOf(node.name).effect === true) continue
      if (node.inputs.every((input) => this.same.has(input))) for (const output of node.outputs) this.same.add(output)
    }
  }

  private get carryCount(): number {
    return this.node.attributes.carries
  }

  run(): void {
    const { length, runs } = this.node.attributes
    if (runs === 'while' && length === UNLIMITED)
      throw new ArgumentError('whileLoop: the gradient needs maximumIterations, for which it keeps memory')
    const backwardBody = this.differentiateBody()
    const backwardLoop = this.emitBackward(backwardBody)
    this.sendGradients(backwardBody, backwardLoop)
    this.sendTotals(backwardBody, backwardLoop)
  }

  /** Emits the backward nodes of the body to `raw`. */
  private differentiateBody(): BackwardBody {
    const { node, pass, parameters, carryCount, raw } = this
    // The backward body receives cotangents: those of carries, and a slice of those of each stacked result.
    const stackedResults = node.outputs.flatMap((output, i) =>
      i >= carryCount && this.active.has(this.results[i]!) && pass.cotangents.has(output) ? [i] : [],
    )
    const carried = this.carriedBack(stackedResults)
    const carriesIn = carried.map((i) => this.receiveCotangent(i))
    const slicesIn = stackedResults.map((i) => this.receiveCotangent(i))
    backward({ owner: this.inner, back: raw, carriers: this.active, cotangents: this.cotangents }, this.inner.emitted())

    const operands = operandsOf(
      node,
      parameters.map((parameter, i) => ({ parameter, input: node.inputs[i]! })),
    )
    const isWanted = ({ parameter, input }: LoopOperand): boolean =>
      pass.carriers.has(input) && this.cotangents.has(parameter)
    // The results of the backward loop: cotangents of carries, sums for captures, cotangents of slices, and values that
    // sums outside the loop need.
    const carriesOut = carried.map((i) => this.cotangents.total(parameters[i]!) ?? raw.e.zeros(parameters[i]!))
    const scanned = operands.scanned.filter(isWanted)
    const slicesOut = scanned.map(({ parameter }) => this.cotangents.total(parameter)!)
    const captures = operands.captures.filter(isWanted).map((operand) => this.splitContributions(operand))
    const summed = captures.filter(({ turnwise }) => turnwise.length > 0)
    const sumsIn = summed.map(({ parameter }) => this.rawParameter(parameter))
    const sumsOut = summed.map(({ parameter, turnwise }, i) => raw.e.add(sumsIn[i]!, sumOf(raw, parameter, turnwise)))
    for (const each of raw.emitted()) for (const output of each.outputs) this.rawValues.add(output)
    const exported = this.exports(
      captures.flatMap(({ atOnce }) => atOnce),
      slicesIn,
    )
    return {
      carried,
      stackedResults,
      scanned,
      captures,
      summed,
      exported,
      carriesIn: [...carriesIn, ...sumsIn],
      slicesIn,
      outputs: [...carriesOut, ...sumsOut, ...slicesOut, ...exported],
    }
  }

  /** A parameter of the backward body. */
  private rawParameter(type: TensorType): Value {
    const parameter = this.raw.parameter(type)
    this.rawValues.add(parameter)
    return parameter
  }

  /** A parameter of the backward body: the cotangent of a result of the body. */
  private receiveCotangent(result: number): Value {
    const parameter = this.rawParameter(this.results[result]!)
    this.cotangents.add(this.results[result]!, parameter)
    return parameter
  }

  /** Emits the backward loop, and extends the forward loop by the values that it needs. */
  private emitBackward({ carried, stackedResults, summed, carriesIn, slicesIn, outputs }: BackwardBody): BackwardLoop {
    const { node, pass } = this
    const conditions = this.conditions()
    const closed = this.close(
      carriesIn,
      [...conditions.map((condition) => this.raw.parameter(condition)), ...slicesIn],
      outputs,
    )
    const ran = conditions.map((condition) => this.sourceOf(condition))
    const residuals = pass.owner.extendLoop(node, regionOf(node).with(this.inner.finish(this.results, this.parameters)))
    const { back, cotangents } = pass
    const inputs = [
      ...carried.map((i) => cotangents.total(node.outputs[i]!) ?? back.e.zeros(node.outputs[i]!)),
      ...summed.map(({ parameter }) => back.e.zeros(parameter)),
      ...ran.map((source) => this.outsideOf(source, residuals)),
      ...stackedResults.map((i) => cotangents.total(node.outputs[i]!)!),
      ...closed.scanned.map((source) => this.outsideOf(source, residuals)),
      ...closed.captured,
    ]
    const { length, reverse, runs } = node.attributes
    const results = back.emit('loop', inputs, {
      body: closed.body,
      length,
      reverse: !reverse,
      carries: carriesIn.length,
      scanned: ran.length + slicesIn.length + closed.scanned.length,
      runs: runs && 'where',
    })
    return { results, residuals }
  }

  /** Adds the results of the backward loop to the cotangents of the operands of the forward loop. */
  private sendGradients({ carried, summed, scanned }: BackwardBody, { results }: BackwardLoop): void {
    const inputs = [...carried.map((i) => this.node.inputs[i]!), ...[...summed, ...scanned].map(({ input }) => input)]
    inputs.forEach((input, j) => this.send(input, results[j]!))
  }

  /** Adds the contributions to captures that are computed for all iterations at once. */
  private sendTotals(body: BackwardBody, { results, residuals }: BackwardLoop): void {
    const { back, cotangents } = this.pass
    const { stackedResults, slicesIn, exported } = body
    const first = body.outputs.length - exported.length
    const stacks = new Map(exported.map((value, j) => [value, results[first + j]!]))
    const stack = (value: Value): Value | null => {
      if (!this.rawValues.has(value)) return this.outsideOf(this.sourceOf(value), residuals)
      const slice = slicesIn.indexOf(value)
      return slice < 0 ? stacks.get(value)! : cotangents.total(this.node.outputs[stackedResults[slice]!]!)
    }
    for (const { input, atOnce } of body.captures) {
      for (const contribution of atOnce) {
        const value = contribution instanceof Value ? contribution : contribution.block
        const sum = this.totalOf(value, back, stack)!
        this.send(input, contribution instanceof Value ? sum : { block: sum, starts: contribution.starts })
      }
    }
  }

  /** The value of the body that is true in the iterations that run; none if all run. */
  private conditions(): Value[] {
    const { runs } = this.node.attributes
    return runs === undefined ? [] : [this.parameters[runs === 'while' ? 0 : this.carryCount]!]
  }

  private send(input: Value, contribution: Contribution): void {
    if (this.pass.carriers.has(input)) this.pass.cotangents.add(input, contribution)
  }

  /** The carries whose cotangents may be nonzero in some iteration. */
  private carriedBack(stackedResults: readonly number[]): number[] {
    const { pass, node, results, parameters, active } = this
    const all = Array.from({ length: this.carryCount }, (_, i) => i).filter(
      (i) => active.has(results[i]!) || (keepsCarry(node, i) && active.has(parameters[i]!)),
    )
    const found = new Set(all.filter((i) => pass.cotangents.has(node.outputs[i]!)))
    for (;;) {
      const before = found.size
      const reached = new Set([...stackedResults, ...found].map((i) => results[i]!))
      const nodes = this.inner.emitted()
      for (let j = nodes.length - 1; j >= 0; j--) {
        if (!nodes[j]!.outputs.some((output) => reached.has(output))) continue
        for (const input of nodes[j]!.inputs) if (active.has(input)) reached.add(input)
      }
      for (const i of all) if (reached.has(parameters[i]!)) found.add(i)
      if (found.size === before) return all.filter((i) => found.has(i))
    }
  }

  /** Divides the contributions to a capture by where they can be summed. */
  private splitContributions({ parameter, input }: LoopOperand): Capture {
    const atOnce: Contribution[] = []
    const turnwise: Contribution[] = []
    const discarded = new GraphBuilder()
    for (const each of this.cotangents.contributions(parameter)) {
      const value = each instanceof Value ? each : each.block
      // Only tests whether it is possible: the nodes of this builder are not used.
      const can =
        this.node.attributes.runs === undefined &&
        this.totalOf(value, discarded, (operand) =>
          this.canStack(operand) ? discarded.parameter(this.stackedType(operand)) : null,
        ) !== null
      if (can) atOnce.push(each)
      else turnwise.push(each)
    }
    return { parameter, input, atOnce, turnwise }
  }

  private stackedType({ shape, dtype }: TensorType): TensorType {
    return { shape: [this.node.attributes.length, ...shape], dtype }
  }

  private canStack(value: Value): boolean {
    return !this.same.has(value)
  }

  /** Σ value over all iterations, emitted outside the loop; null if its primitive has no rule for that. */
  private totalOf(value: Value, outside: GraphBuilder, stackRoot: (operand: Value) => Value | null): Value | null {
    const { node } = value
    return node === null ? null : this.totalOfNode(node, outside, stackRoot)
  }

  private totalOfNode<Name extends PrimitiveName>(
    node: Node<Name>,
    outside: GraphBuilder,
    stackRoot: (operand: Value) => Value | null,
  ): Value | null {
    const stack = (operand: Value): Value | null => {
      // A view of the stacked values of all iterations moves no data.
      const { node: maker } = operand
      if (maker === null || ruleOf(maker.name).kind !== 'view' || !isLiftable(maker)) return stackRoot(operand)
      const value = stack(maker.inputs[0]!)
      return value && liftNode(outside, maker, [{ value, isStacked: true }], this.node.attributes.length).value
    }
    const total = (operand: Value): Value | null => this.totalOf(operand, outside, stackRoot)
    const { inputs, attributes } = node
    return (
      ruleOf(node.name).total?.({
        e: outside.e,
        inputs,
        attributes,
        length: this.node.attributes.length,
        stack,
        total,
      }) ?? null
    )
  }

  /** Values of the backward body whose stacked values are needed outside. */
  private exports(contributions: readonly Contribution[], slicesIn: readonly Value[]): Value[] {
    const found = new Set<Value>()
    const discarded = new GraphBuilder()
    for (const each of contributions) {
      this.totalOf(each instanceof Value ? each : each.block, discarded, (operand) => {
        if (!this.rawValues.has(operand)) this.sourceOf(operand)
        else if (!slicesIn.includes(operand)) found.add(operand)
        return discarded.parameter(this.stackedType(operand))
      })
    }
    return [...found]
  }

  /**
   * Where the values of a forward value in all iterations are stacked. If they are not yet, the forward loop gets another
   * stacked result.
   */
  private sourceOf(value: Value): GradientSource {
    const parameter = this.parameters.indexOf(value)
    if (parameter >= this.carryCount) return { from: 'operands', index: parameter }
    let index = this.results.indexOf(value, this.carryCount)
    if (index < 0) index = this.results.push(value) - 1
    return { from: 'results', index }
  }

  private outsideOf({ from, index }: GradientSource, results: readonly Value[]): Value {
    return from === 'operands' ? this.node.inputs[index]! : results[index]!
  }

  /** The backward body as a separate graph: the forward values that it needs become slices and captures. */
  private close(carries: readonly Value[], slices: readonly Value[], outputs: readonly Value[]) {
    const builder = new GraphBuilder()
    const map = new Map<Value, Value>()
    const parameters = [...carries, ...slices].map((parameter) => {
      const result = builder.parameter(parameter)
      map.set(parameter, result)
      return result
    })
    const scanned: GradientSource[] = []
    const captured: Value[] = []
    const scannedParameters: Value[] = []
    const capturedParameters: Value[] = []
    const enter = (value: Value): Value => {
      const parameter = builder.parameter(value)
      const operand = this.parameters.indexOf(value)
      if (this.same.has(value) && operand >= 0) {
        captured.push(this.node.inputs[operand]!)
        capturedParameters.push(parameter)
      } else {
        scanned.push(this.sourceOf(value))
        scannedParameters.push(parameter)
      }
      return parameter
    }
    const get = (value: Value): Value => {
      const known = map.get(value)
      if (known !== undefined) return known
      const { node } = value
      if (node === null || !this.isMadeAgain(value, node)) {
        const entered = enter(value)
        map.set(value, entered)
        return entered
      }
      builder.scope = node.scope
      const made = builder.copy(node, node.inputs.map(get))
      node.outputs.forEach((output, i) => map.set(output, made[i]!))
      return map.get(value)!
    }
    for (const node of neededFor(outputs, this.raw.emitted())) {
      const inputs = node.inputs.map(get)
      builder.scope = node.scope
      const made = builder.copy(node, inputs)
      node.outputs.forEach((output, i) => map.set(output, made[i]!))
    }
    const body = regionOf(this.node).with(
      builder.finish(outputs.map(get), [...parameters, ...scannedParameters, ...capturedParameters]),
    )
    return { body, scanned, captured }
  }

  /** Whether a forward value is recomputed: a view, a constant, or a value that is the same in every iteration. */
  private isMadeAgain(value: Value, node: Node): boolean {
    const { kind } = ruleOf(node.name)
    return kind === 'view' || kind === 'constant' || this.same.has(value)
  }
}

/** Where the values of all iterations are stacked: in an operand of the forward loop, or in one of its results. */
interface GradientSource {
  readonly from: 'operands' | 'results'
  readonly index: number
}

/** The nodes that values depend on, in order. */
function neededFor(values: readonly Value[], nodes: readonly Node[]): Node[] {
  const live = new Set(values)
  const needed: Node[] = []
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!
    if (!node.outputs.some((output) => live.has(output))) continue
    needed.push(node)
    for (const input of node.inputs) live.add(input)
  }
  return needed.reverse()
}
