// Builds graphs node by node: GraphBuilder holds what was emitted, Emitter has one short method per
// primitive for gradient rules. Broadcasting and dtypes are checked by each primitive's `infer`.

import { TargetKind } from '../../assembly/shared/opcodes'
import { internalError } from '../core/errors'
import type { Cell, Graph, Node, Update } from './graph'
import { Value } from './graph'
import { primitives } from '../primitives'
import type { PrimitiveAttributes, PrimitiveName, ReductionName } from '../primitives/attributes'
import type { PrimitiveRule } from '../primitives/rule'
import type { DType } from '../core/dtypes'
import { storeData } from '../core/dtypes'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'

/** The rule of a primitive, typed by its name. */
export function ruleOf<Name extends PrimitiveName>(name: Name): PrimitiveRule<Name> {
  const rules: { readonly [N in PrimitiveName]: PrimitiveRule<N> } = primitives
  return rules[name]
}

/** A graph that is being made. */
export class GraphBuilder {
  private nextId = 0
  private readonly parameters: Value[] = []
  private readonly cells = new Map<Cell, Value>()
  private readonly nodes: Node[] = []
  private readonly updates = new Map<Cell, Value>()
  private readonly owned = new WeakSet<Value>()
  /** The scope that new nodes get. */
  scope = ''
  readonly e: Emitter = new Emitter(this)

  private value(type: TensorType, node: Node | null): Value {
    const value = new Value(this.nextId++, type.shape, type.dtype, node)
    this.owned.add(value)
    return value
  }

  /** Whether a value was made by this builder. */
  owns(value: Value): boolean {
    return this.owned.has(value)
  }

  parameter(type: TensorType): Value {
    const value = this.value(type, null)
    this.parameters.push(value)
    return value
  }

  /** The content of a cell as of now in the traced function: its new one when it was updated already. */
  read(cell: Cell): Value {
    return this.updates.get(cell) ?? this.initial(cell)
  }

  private initial(cell: Cell): Value {
    let value = this.cells.get(cell)
    if (value === undefined) {
      value = this.value(cell, null)
      this.cells.set(cell, value)
    }
    return value
  }

  /** The content of `cell` after a run. */
  update(cell: Cell, value: Value): void {
    if (!sameShape(cell.shape, value.shape) || cell.dtype !== value.dtype) {
      throw internalError(`update of ${cell.name} with another type`)
    }
    this.updates.set(cell, value)
  }

  emit<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): readonly Value[] {
    return this.append(name, inputs, attributes, ruleOf(name).infer(inputs, attributes))
  }

  /** The same node with other operands of the same types: nothing needs to be inferred again. */
  copy<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly Value[]): readonly Value[] {
    return this.append(node.name, inputs, node.attributes, node.outputs)
  }

  private append<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
    types: readonly TensorType[],
  ): readonly Value[] {
    const outputs: Value[] = []
    const node: Node<Name> = { name, attributes, inputs, outputs, scope: this.scope }
    for (const type of types) outputs.push(this.value(type, node))
    this.nodes.push(node)
    return outputs
  }

  emitOne<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): Value {
    return this.emit(name, inputs, attributes)[0]!
  }

  /** The nodes so far. */
  emitted(): readonly Node[] {
    return [...this.nodes]
  }

  finish(outputs: readonly Value[]): Graph {
    const updates: Update[] = [...this.updates].map(([cell, value]) => ({ cell, value }))
    return { parameters: this.parameters, cells: this.cells, nodes: this.nodes, outputs, updates }
  }
}

const none = {}

/** One method per primitive, over values of one builder. A number stands for a float32 scalar. */
export class Emitter {
  constructor(private readonly builder: GraphBuilder) {}

  private unary(name: UnaryName, x: Value): Value {
    return this.builder.emitOne(name, [x], none)
  }

  private binary(name: BinaryName, a: Value | number, b: Value | number): Value {
    return this.builder.emitOne(name, [this.lift(a), this.lift(b)], none)
  }

  private lift(x: Value | number): Value {
    return typeof x === 'number' ? this.scalar(x) : x
  }

  scalar(x: number, dtype: DType = 'float32'): Value {
    return this.builder.emitOne('constant', [], { data: storeData(dtype, [x]), shape: [], dtype })
  }

  negative = (x: Value) => this.unary('negative', x)
  sign = (x: Value) => this.unary('sign', x)
  exp = (x: Value) => this.unary('exp', x)
  log = (x: Value) => this.unary('log', x)
  square = (x: Value) => this.unary('square', x)
  reciprocal = (x: Value) => this.unary('reciprocal', x)
  sin = (x: Value) => this.unary('sin', x)
  cos = (x: Value) => this.unary('cos', x)
  sigmoid = (x: Value) => this.unary('sigmoid', x)
  softmax = (x: Value) => this.unary('softmax', x)
  logSoftmax = (x: Value) => this.unary('logSoftmax', x)
  add = (a: Value | number, b: Value | number) => this.binary('add', a, b)
  subtract = (a: Value | number, b: Value | number) => this.binary('subtract', a, b)
  multiply = (a: Value | number, b: Value | number) => this.binary('multiply', a, b)
  divide = (a: Value | number, b: Value | number) => this.binary('divide', a, b)
  power = (a: Value | number, b: Value | number) => this.binary('power', a, b)
  reluGradient = (y: Value, dy: Value) => this.binary('reluGradient', y, dy)
  less = (a: Value | number, b: Value | number) => this.binary('less', a, b)
  equal = (a: Value | number, b: Value | number) => this.binary('equal', a, b)
  matmul = (a: Value, b: Value) => this.builder.emitOne('matmul', [a, b], none)

  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.builder.emitOne('cast', [x], { dtype })
  }

  select(condition: Value, a: Value | number, b: Value | number): Value {
    return this.builder.emitOne('select', [condition, this.lift(a), this.lift(b)], none)
  }

  /** (p Σt − t) · scale, for targets t of either kind. */
  crossEntropyGradient(kind: TargetKind, p: Value, targets: Value, scale: Value): Value {
    const name = kind === TargetKind.Classes ? 'classCrossEntropyGradient' : 'crossEntropyGradient'
    return this.builder.emitOne(name, [p, targets, scale], none)
  }

  /** Folds sorted axes and drops them. */
  reduce(name: ReductionName, x: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? x : this.builder.emitOne(name, [x], { axes })
  }

  sum = (x: Value, axes: readonly number[]) => this.reduce('sum', x, axes)

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.builder.emitOne('reshape', [x], { shape })
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.builder.emitOne('transpose', [x], { permutation })
  }

  /** Swaps the last two axes. */
  transposeMatrix(x: Value): Value {
    const rank = x.shape.length
    return this.transpose(
      x,
      x.shape.map((_, i) => (i === rank - 2 ? rank - 1 : i === rank - 1 ? rank - 2 : i)),
    )
  }

  slice(x: Value, starts: readonly number[], sizes: readonly number[]): Value {
    return this.builder.emitOne('slice', [x], { starts, sizes })
  }

  reverse(x: Value, axes: readonly number[]): Value {
    return this.builder.emitOne('reverse', [x], { axes })
  }

  broadcastTo(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.builder.emitOne('broadcastTo', [x], { shape })
  }

  pad(x: Value, before: readonly number[], after: readonly number[]): Value {
    return this.builder.emitOne('pad', [x], { before, after, value: 0 })
  }

  gather(x: Value, indices: Value, axis: number): Value {
    return this.builder.emitOne('gather', [x, indices], { axis })
  }

  scatterAdd(updates: Value, indices: Value, axis: number, size: number): Value {
    return this.builder.emitOne('scatterAdd', [updates, indices], { axis, size })
  }

  zeros(type: TensorType): Value {
    return this.broadcastTo(this.scalar(0, type.dtype), type.shape)
  }

  /** The adjoint of broadcasting: sums over what was repeated, so that the result has `shape`. */
  sumTo(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x
    const offset = x.shape.length - shape.length
    const axes = x.shape.map((_, i) => i).filter((i) => i < offset || (shape[i - offset] === 1 && x.shape[i] !== 1))
    return this.reshape(this.sum(x, axes), shape)
  }

  /** Puts the axes that a reduction dropped back as extents of 1. */
  keepAxes(x: Value, shape: Shape, axes: readonly number[]): Value {
    return this.reshape(
      x,
      shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
    )
  }
}

type UnaryName =
  | 'negative' | 'sign' | 'exp' | 'log' | 'square' | 'reciprocal' | 'sin' | 'cos' | 'sigmoid' | 'softmax'
  | 'logSoftmax'
type BinaryName = 'add' | 'subtract' | 'multiply' | 'divide' | 'power' | 'reluGradient' | 'less' | 'equal'
