// Computes the scores of one more step, or of a block of several, from the trace of a whole sequence. Elements that all numbers of
// steps share are kept from step to step: see causality.ts. Draws no tokens.
//
//   in the trace                        for one step
//   ops that treat each step alone      the same on one step
//   causal attention                    keys and values are kept, and those of this step are inserted
//   loops over the steps                the carries are kept, and the body runs once
//   running sums, windows, shifts       the last sum, or the elements before
//   constants, places in a table        the element of this step
//
// A block has the same form with several steps in place of one; only ops that treat each step alone and attention allow it.

import type { PrimitiveName } from '../engine/ir/attributes'
import { isNodeOf, type Cell, type Graph, type Node, type Value } from '../engine/ir/graph'
import { isLoop } from '../engine/ir/region'
import { internalError } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { Variable } from '../ops/variable'
import { attentionOperands } from '../engine/primitives/attention-operands'
import { AttentionKernel } from '../engine/primitives/attention'
import { InsertBlock } from '../engine/primitives/indexing'
import { routineOf, type KernelRoutine } from '../engine/primitives/routine'
import { RunningResult } from '../engine/primitives/running'
import { GraphBuilder } from '../engine/transforms/builder'
import type { Causality } from './causality'
import { shapeWith, type TimeAxis, type Traces } from './growth'

/** Along a time axis: the elements of this step or block, all, or of a block that of the last step alone. */
type Part = 'one' | 'all' | 'last'
/** The parts for each time axis of a value. */
type Form = '' | Part | `${Part} ${string}`

/** What is kept from step to step, and its content after the first steps. */
interface Kept {
  readonly variable: Variable
  /** Emits the content after the short trace. */
  readonly first: (builder: GraphBuilder, value: Value) => Value
  readonly value: Value
}

/** The attributes that primitives with windows have, each those that it needs. */
interface WindowAttributes {
  readonly dilation?: readonly number[]
  readonly before?: readonly number[]
  readonly after?: readonly number[]
  readonly window?: Shape
}

const none = {}
const partsOf = (form: Form): Part[] =>
  form === '' ? [] : form.split(' ').map((part) => (part === 'one' || part === 'last' ? part : 'all'))
function formOf([first, ...rest]: readonly Part[]): Form {
  if (first === undefined) return ''
  return rest.length === 0 ? first : `${first} ${rest.join(' ')}`
}

/** What is kept of earlier steps. Single steps and blocks of one sequence share it. */
export class KeptSteps {
  readonly variables = new Map<Value, Variable>()

  dispose(): void {
    for (const { storage } of this.variables.values()) storage.dispose()
  }
}

/** Whether several steps can be taken at once: none needs the step before it, but for attention. */
export function takesBlocks(causality: Causality): boolean {
  return causality.nodes.every((node) => ['alone', 'attention', 'overKeys'].includes(causality.mannerOf(node).kind))
}

export class Stepper {
  private readonly builder = new GraphBuilder()
  private readonly values = new Map<Value, Map<Form, Value>>()
  private readonly cells: ReadonlyMap<Value, Cell>
  private readonly kept: Kept[] = []
  /** [batch, block] */
  private readonly tokens: Value
  /** The index of the first step of the block. */
  private readonly now: Value
  /** The number of steps of the block that count; those behind them are padding. null for single steps. */
  private readonly count: Value | null
  /** Tokens [batch, block], index of the first step [], with several steps also count [] → scores after the last one, [batch, tokens]. */
  readonly step: Graph

  /** @param block the number of steps that are taken at once */
  constructor(
    private readonly causality: Causality,
    { long }: Traces,
    private readonly steps: KeptSteps = new KeptSteps(),
    private readonly block = 1,
  ) {
    const { builder } = this
    const tokens = long.parameters[0]!
    this.cells = new Map([...long.cells].map(([cell, value]) => [value, cell]))
    this.tokens = builder.parameter({ shape: [tokens.shape[0]!, block], dtype: tokens.dtype })
    this.now = builder.parameter({ shape: [], dtype: 'int32' })
    this.count = block === 1 ? null : builder.parameter({ shape: [], dtype: 'int32' })
    const scores = long.outputs[0]!
    // In the order of the trace, so that no recursion is as deep as the model. What follows the last attention is computed for the last
    // step of a block alone.
    const mixing = causality.nodes.findLastIndex((node) => causality.mannerOf(node).kind !== 'alone')
    for (const node of block === 1 ? causality.nodes : causality.nodes.slice(0, mixing + 1))
      for (const output of node.outputs)
        if (causality.timesOf(output).length <= 1) this.get(output, causality.timesOf(output).length === 1 ? 'one' : '')
    const last = this.get(scores, block === 1 ? 'one' : 'last')
    this.step = builder.finish([builder.e.reshape(last, [scores.shape[0]!, scores.shape[2]!])])
  }

  dispose(): void {
    this.steps.dispose()
  }

  /** Tokens [batch, steps of the short trace] → nothing; keeps what steps after them need. */
  first({ short }: Traces): Graph {
    const builder = new GraphBuilder(short)
    for (const node of short.nodes) builder.keep(node, node.inputs)
    for (const { variable, value, first } of this.kept)
      builder.update(variable, first(builder, this.causality.partner(value)))
    return builder.finish([])
  }

  /** The indices of the steps of the block, plus a number: [block] */
  private indices(shift: number): Value {
    const { e } = this.builder
    const first = e.reshape(this.places(shift), [1])
    if (this.block === 1) return first
    const within = e.constant(
      Int32Array.from({ length: this.block }, (_, i) => i),
      [this.block],
      'int32',
    )
    return e.add(within, first)
  }

  /** The index within the block of the last step that counts: [1] */
  private lastIndex(): Value {
    const { e } = this.builder
    if (this.count === null) throw internalError('a single step has no last one')
    return e.reshape(e.subtract(this.count, e.scalar(1, 'int32')), [1])
  }

  /** The index of the step, plus a number. */
  private places(shift: number): Value {
    return shift === 0 ? this.now : this.builder.e.add(this.now, this.builder.e.scalar(shift, 'int32'))
  }

  private isFirst(shift: number): Value {
    return this.builder.emitOne('lessEqual', [this.places(shift), this.builder.e.scalar(0, 'int32')], none)
  }

  private remember(value: Value, form: Form, made: Value): Value {
    const forms = this.values.get(value) ?? new Map<Form, Value>()
    this.values.set(value, forms)
    forms.set(form, made)
    return made
  }

  private get(value: Value, form: Form): Value {
    const known = this.values.get(value)?.get(form)
    if (known !== undefined) return known
    const { node } = value
    if (form === 'all' && !this.isCheap(value)) return this.remember(value, form, this.keep(value))
    const ofBlock = form === 'last' && this.isClean(value) ? this.values.get(value)?.get('one') : undefined
    if (ofBlock !== undefined) {
      const { axis } = this.causality.timesOf(value)[0]!
      return this.remember(value, form, this.builder.e.gather(ofBlock, this.lastIndex(), axis))
    }
    if (node === null) return this.remember(value, form, this.source(value))
    const { scope } = this.builder
    this.builder.scope = node.scope
    this.emit(node, form)
    this.builder.scope = scope
    return this.values.get(value)?.get(form) ?? internalErrorOf(node)
  }

  private source(value: Value): Value {
    const cell = this.cells.get(value)
    return cell === undefined ? this.tokens : this.builder.read(cell)
  }

  /** Whether all elements of a value are computed from all elements of its operands without more work than keeping them. */
  private isCheap(value: Value): boolean {
    const { node } = value
    if (node === null) return false
    if (this.causality.isPositional(value)) return true
    const { kind } = this.causality.mannerOf(node)
    if (kind === 'after') return true
    const isView = node.name === 'reshape' || node.name === 'transpose' || node.name === 'broadcastTo'
    const isTable = node.inputs.every((input) => this.causality.timesOf(input).length === 0)
    return kind === 'alone' && (isTable || (isView && node.inputs.every((input) => this.isClean(input))))
  }

  private isClean(value: Value): boolean {
    return this.causality.timesOf(value).every(({ outer, inner }) => outer * inner === 1)
  }

  /** All elements of a value along its time axis, kept from earlier steps, with that of this step. */
  private keep(value: Value): Value {
    const { builder } = this
    const { axis, outer, inner, shift } = this.causality.timesOf(value)[0]!
    const split = (shape: Shape, steps: number): Shape =>
      outer * inner === 1 ? shape : [...shape.slice(0, axis), outer, steps, inner, ...shape.slice(axis + 1)]
    const along = outer * inner === 1 ? axis : axis + 1
    const all = this.causality.steps + shift
    const shape = split(value.shape, all)
    const variable = this.variableFor(value, shape)
    this.kept.push({
      variable,
      value,
      first: (first, short) => {
        const steps = short.shape[axis]! / (outer * inner)
        const filled = first.e.reshape(short, split(short.shape, steps))
        const rest = shape.map((extent, i) => (i === along ? all - steps : extent))
        return all === steps ? filled : first.e.concat([filled, zeros(first, rest, value)], along)
      },
    })
    const element = builder.e.reshape(this.get(value, 'one'), split(this.shapeOf(value, 'one'), this.block))
    const [made] = builder.e.routine(new InsertBlock(along), [builder.read(variable), element, this.places(shift)])
    builder.update(variable, made!)
    return builder.e.reshape(made!, value.shape)
  }

  private variableFor(value: Value, shape: Shape): Variable {
    const { variables } = this.steps
    const variable = variables.get(value) ?? new Variable(shape, { name: 'kept', dtype: value.dtype, trainable: false })
    variables.set(value, variable)
    return variable
  }

  private shapeOf(value: Value, form: Form): Shape {
    const counts = { one: this.block, last: 1, all: null }
    return shapeWith(
      value.shape,
      this.causality.timesOf(value),
      partsOf(form).map((each) => counts[each]),
    )
  }

  /** The element of this step along each axis whose form is `one`, of a value that has all. */
  private picked(value: Value, times: readonly TimeAxis[], form: Form, starts: Shape = []): Value {
    const { e } = this.builder
    const parts = partsOf(form)
    return times.reduce(
      (picked, { axis, shift }, i) =>
        parts[i] === 'all'
          ? picked
          : e.gather(picked, this.pickedIndices(parts[i]!, shift + (starts[axis] ?? 0)), axis),
      value,
    )
  }

  private pickedIndices(part: Part, shift: number): Value {
    const { e } = this.builder
    return part === 'last' ? e.add(this.lastIndex(), this.places(shift)) : this.indices(shift)
  }

  private emit(node: Node, form: Form): void {
    const { causality, builder } = this
    const manner = causality.mannerOf(node)
    const first = node.outputs[0]!
    const times = causality.timesOf(first)
    const keepOne = (made: Value): void => void this.remember(first, form, made)
    switch (manner.kind) {
      case 'alone':
        return node.name === 'constant' || node.name === 'slice'
          ? keepOne(this.part(node, form))
          : this.alone(node, form)
      case 'length':
        return keepOne(builder.e.reshape(builder.e.cast(this.places(1), first.dtype), first.shape))
      case 'attention':
        return this.attention(node)
      case 'running':
        return keepOne(this.running(node, times[0]!))
      case 'loop':
        return this.loop(node)
      case 'window':
        return keepOne(this.window(node, times[0]!))
      case 'slice':
        return keepOne(this.slice(node, manner.axis, manner.of))
      case 'after':
        return keepOne(this.after(node, manner.axis, form))
      case 'overKeys':
        return keepOne(this.overKeys(node, form))
      case 'total':
        return keepOne(builder.emitOne(node.name, [this.get(node.inputs[0]!, 'all')], node.attributes))
    }
    throw internalErrorOf(node)
  }

  /** The form of an operand, from that of the result along the same axes. */
  private formOfOperand(node: Node, operand: number, form: Form, otherwise: 'all' | null = null): Form {
    const output = node.outputs[0]!
    const times = this.causality.timesOf(output)
    const parts = partsOf(form)
    return formOf(
      this.causality.timesOf(node.inputs[operand]!).map(({ axis }) => {
        const landing = this.causality.keptAxis(node, operand, axis)
        const place = times.findIndex((time) => time.axis === landing)
        return landing === null || place < 0 ? (otherwise ?? 'one') : parts[place]!
      }),
    )
  }

  private operands(node: Node, form: Form, otherwise: 'all' | null = null): Value[] {
    return node.inputs.map((input, operand) => this.get(input, this.formOfOperand(node, operand, form, otherwise)))
  }

  private alone(node: Node, form: Form): void {
    const shape = this.shapeOf(node.outputs[0]!, form)
    const attributes = 'shape' in node.attributes ? { ...node.attributes, shape } : node.attributes
    const made = this.builder.emit<PrimitiveName>(node.name, this.operands(node, form), attributes)
    node.outputs.forEach((output, i) => this.remember(output, form, made[i]!))
  }

  /** A constant, or a part of an operand. */
  private part(node: Node, form: Form): Value {
    const { builder, causality } = this
    const output = node.outputs[0]!
    const times = causality.timesOf(output)
    if (node.name === 'constant') {
      const whole = builder.copy(node, [])[0]!
      return this.picked(whole, times, form)
    }
    if (!isNodeOf(node, 'slice')) throw internalErrorOf(node)
    const { starts, sizes } = node.attributes
    const x = node.inputs[0]!
    const isNew = (axis: number): boolean =>
      times.some((time) => time.axis === axis) && !causality.timesOf(x).some((time) => time.axis === axis)
    if (times.some(({ axis }) => isNew(axis))) {
      // A table is read at the place of this step.
      if (form === 'all') return builder.e.slice(this.get(x, ''), starts, sizes)
      const isPicked = (axis: number): boolean => isNew(axis)
      const whole = builder.e.slice(
        this.get(x, ''),
        starts.map((start, axis) => (isPicked(axis) ? 0 : start)),
        sizes.map((size, axis) => (isPicked(axis) ? x.shape[axis]! : size)),
      )
      return this.picked(whole, times, form, starts)
    }
    const operand = this.get(x, this.formOfOperand(node, 0, form))
    return builder.e.slice(operand, starts, this.shapeOf(output, form))
  }

  private attention(node: Node): void {
    const { builder, causality } = this
    const routine = routineIn(node)
    if (!(routine instanceof AttentionKernel)) throw internalErrorOf(node)
    const { attributes } = routine
    const { query, key, value, mask, bias } = attentionOperands(node.inputs, attributes)
    const ofPairs = (x: Value): Value =>
      this.get(x, formOf(causality.timesOf(x).map(({ axis }) => (axis === 3 ? 'all' : 'one'))))
    const isFixed = causality.timesOf(key).length === 0
    const shown = mask === null ? null : ofPairs(mask)
    const seen = isFixed ? null : this.seen(attributes.before)
    const allowed =
      shown === null || seen === null ? (shown ?? seen) : builder.emitOne('logicalAnd', [shown, seen], none)
    const [form, inputs]: [Form, Value[]] = [isFixed ? '' : 'all', [this.get(query, 'one')]]
    for (const x of [key, value]) inputs.push(this.get(x, form))
    if (allowed !== null) inputs.push(allowed)
    if (bias !== null) inputs.push(ofPairs(bias))
    const made = builder.e.routine(
      new AttentionKernel({ ...attributes, before: Infinity, after: Infinity, hasMask: allowed !== null }),
      inputs,
    )
    node.outputs.forEach((output, i) => this.remember(output, 'one', made[i]!))
  }

  /** Which keys the steps see: those up to themselves, and fewer than `before` + 1 steps away. [1, 1, block, steps] */
  private seen(before: number): Value {
    const { builder, causality } = this
    const { e } = builder
    const { steps } = causality
    const places = e.constant(
      Int32Array.from({ length: steps }, (_, i) => i),
      [1, steps],
      'int32',
    )
    const own = e.reshape(this.indices(0), [this.block, 1])
    const past = builder.emitOne('lessEqual', [places, own], none)
    const near = before === Infinity ? null : e.less(e.subtract(own, places), e.scalar(before + 1, 'int32'))
    const seen = near === null ? past : builder.emitOne('logicalAnd', [past, near], none)
    return e.reshape(seen, [1, 1, this.block, steps])
  }

  /** y_t = y_(t−1) + x_t, and so on. */
  private running(node: Node, { axis, shift }: TimeAxis): Value {
    const { builder } = this
    const routine = routineIn(node)
    if (!(routine instanceof RunningResult)) throw internalErrorOf(node)
    const output = node.outputs[0]!
    const [x, factor] = node.inputs.map((input) => this.get(input, 'one'))
    if (x === undefined) throw internalErrorOf(node)
    const { before, variable } = this.carried(output, this.shapeOf(output, 'one'), (first, short) => {
      const { shape } = short
      const starts = shape.map((extent, i) => (i === axis ? extent - 1 : 0))
      return first.e.slice(short, starts, this.shapeOf(output, 'one'))
    })
    const { e } = builder
    const next =
      routine.kind === 'product'
        ? e.multiply(before, x)
        : e.add(routine.kind === 'affine' ? e.multiply(factor!, before) : before, x)
    const made = e.select(this.isFirst(shift), x, next)
    builder.update(variable, made)
    return made
  }

  /** A value that is kept from the step before. */
  private carried(
    value: Value,
    shape: Shape,
    first: Kept['first'],
  ): { readonly before: Value; readonly variable: Variable } {
    const variable = this.variableFor(value, shape)
    this.kept.push({ variable, value, first })
    return { before: this.builder.read(variable), variable }
  }

  private loop(node: Node): void {
    const { builder } = this
    if (!isLoop(node)) throw internalErrorOf(node)
    const { carries, scanned } = node.attributes
    const variables: Variable[] = []
    const inputs = node.inputs.map((input, i) => {
      if (i >= carries) return this.get(input, i < carries + scanned ? 'one' : '')
      const { before, variable } = this.carried(node.outputs[i]!, input.shape, (_first, short) => short)
      variables.push(variable)
      return builder.e.select(this.isFirst(0), this.get(input, ''), before)
    })
    const made = builder.emit('loop', inputs, { ...node.attributes, length: 1 })
    variables.forEach((variable, i) => builder.update(variable, made[i]!))
    node.outputs.forEach((output, i) => this.remember(output, i < carries ? '' : 'one', made[i]!))
  }

  /** The result of a window that ends with this step: its elements are taken together, and zeros before the first. */
  private window(node: Node, { shift }: TimeAxis): Value {
    const { builder, causality } = this
    const { e } = builder
    const [x, others] = [node.inputs[0]!, node.inputs.slice(1)]
    const { axis } = causality.timesOf(x)[0]!
    const at = axis - 1
    if (!isNodeOf(node, 'convolution', 'depthwiseConvolution', 'maxPool', 'sumPool')) throw internalErrorOf(node)
    const whole: WindowAttributes = node.attributes
    const taps = whole.window?.[at] ?? others[0]!.shape[at]!
    const dilation = whole.dilation?.[at] ?? 1
    const start = shift - (whole.before?.[at] ?? 0)
    const offsets = e.constant(
      Int32Array.from({ length: taps }, (_, i) => start + i * dilation),
      [taps],
      'int32',
    )
    const places = e.add(this.now, offsets)
    const all = x.shape[axis]!
    // Negative places would count from the end; those outside give 0.
    const inside = e.select(e.less(places, e.scalar(0, 'int32')), e.scalar(all, 'int32'), places)
    const taken = e.gather(this.get(x, 'all'), inside, axis, true)
    const put = (list: readonly number[] | undefined, value: number): readonly number[] | undefined =>
      list?.map((each, i) => (i === at ? value : each))
    const { dilation: spread, before, after, ...rest } = whole
    const attributes = {
      ...rest,
      ...(spread === undefined ? {} : { dilation: put(spread, 1) }),
      ...(before === undefined ? {} : { before: put(before, 0) }),
      ...(after === undefined ? {} : { after: put(after, 0) }),
    }
    const inputs = [taken, ...others.map((other) => this.get(other, ''))]
    return builder.emitOne<PrimitiveName>(node.name, inputs, { ...node.attributes, ...attributes })
  }

  private slice(node: Node, axis: number, of: 'last' | 'fixed' | 'growing'): Value {
    const { builder, causality } = this
    const { e } = builder
    if (!isNodeOf(node, 'slice')) throw internalErrorOf(node)
    const { starts, sizes } = node.attributes
    const x = node.inputs[0]!
    const put = (list: readonly number[], value: number): readonly number[] =>
      list.map((each, i) => (i === axis ? value : each))
    if (of === 'last') return e.slice(this.get(x, 'one'), put(starts, 0), put(sizes, 1))
    if (of === 'fixed') return e.slice(this.get(x, 'all'), starts, sizes)
    const { shift } = causality.timesOf(node.outputs[0]!)[0]!
    const { shift: ofOperand } = causality.timesOf(x)[0]!
    // The last element of the result is an element of the operand, the last one or one before.
    const place = shift + starts[axis]!
    const element =
      place === ofOperand
        ? this.get(x, 'one')
        : e.gather(this.get(x, 'all'), e.reshape(this.notNegative(place), [1]), axis)
    return e.slice(element, put(starts, 0), put(sizes, 1))
  }

  private notNegative(shift: number): Value {
    return this.builder.emitOne('maximum', [this.places(shift), this.builder.e.scalar(0, 'int32')], none)
  }

  /** Something fixed before the steps. */
  private after(node: Node, axis: number, form: Form): Value {
    const { builder, causality } = this
    const { e } = builder
    const output = node.outputs[0]!
    const x = node.inputs.at(-1)!
    const shape = this.shapeOf(output, form)
    const { shift } = causality.timesOf(x)[0]!
    if (form === 'all') {
      const inputs = node.inputs.map((input) => this.get(input, causality.timesOf(input).length === 0 ? '' : 'all'))
      return builder.emitOne<PrimitiveName>(node.name, inputs, node.attributes)
    }
    const element = this.get(x, 'one')
    const pad = isNodeOf(node, 'pad') ? node.attributes : null
    const zero = (list: readonly number[]): readonly number[] => list.map((each, i) => (i === axis ? 0 : each))
    const step =
      pad === null
        ? element
        : builder.emitOne('pad', [element], { ...pad, before: zero(pad.before), after: zero(pad.after) })
    // With fewer steps than are cut off, the last element is still one of those before.
    if (shift >= 0) return step
    const fixed = pad
      ? e.broadcastTo(e.cast(e.scalar(pad.value), x.dtype), shape)
      : e.gather(
          e.concat(
            node.inputs.slice(0, -1).map((input) => this.get(input, '')),
            axis,
          ),
          e.reshape(this.notNegative(causality.timesOf(output)[0]!.shift), [1]),
          axis,
        )
    return e.select(e.less(this.places(shift), e.scalar(0, 'int32')), fixed, step)
  }

  /** A product, softmax or reduction over the keys that a step sees. */
  private overKeys(node: Node, form: Form): Value {
    // A softmax keeps the axis of keys, of which all are needed.
    return this.builder.emitOne<PrimitiveName>(node.name, this.operands(node, form, 'all'), node.attributes)
  }
}

function zeros(builder: GraphBuilder, shape: Shape, { dtype }: TensorType): Value {
  return builder.e.broadcastTo(builder.e.scalar(0, dtype), shape)
}

/** The routine that a node runs; null for other nodes. */
function routineIn(node: Node): KernelRoutine | null {
  return isNodeOf(node, 'routine') ? routineOf(node.attributes) : null
}

function internalErrorOf(node: Node): never {
  throw internalError(`generate cannot compute one step of ${node.name}`)
}
