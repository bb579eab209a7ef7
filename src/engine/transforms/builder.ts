// Builds graphs node by node. Each primitive's `infer` checks broadcasting and dtypes. Methods for gradient
// rules are in emitter.ts.

import { ArgumentError, internalError } from '../../core/errors'
import { Value, type Cell, type Graph, type Node, type Update } from '../ir/graph'
import { ruleOf } from '../primitives'
import type { PrimitiveAttributes, PrimitiveName, Region } from '../ir/attributes'
import type { Emitter } from '../primitives/emitter'
import { NodeEmitter } from './emitter'
import { frozenShape, requireSize, sameShape, type TensorType } from '../../core/shapes'

/** A node with mutable outputs while its graph is being built. */
interface OpenNode<Name extends PrimitiveName> {
  readonly name: Name
  attributes: PrimitiveAttributes[Name]
  readonly inputs: readonly Value[]
  outputs: readonly Value[]
  readonly scope: string
}

function isOpenLoop(node: OpenNode<PrimitiveName>): node is OpenNode<'loop'> {
  return node.name === 'loop'
}

/** A graph under construction. */
export class GraphBuilder {
  private nextId: number
  private readonly parameters: Value[]
  private readonly cells: Map<Cell, Value>
  private readonly nodes: Node[] = []
  private readonly loops = new Map<Node, OpenNode<'loop'>>()
  private readonly updates = new Map<Cell, Value>()
  /** The scope of new nodes. */
  scope = ''
  readonly e: Emitter = new NodeEmitter(this)

  /** @param rebuilt a graph whose parameters and cells the new graph shares, so that it can reuse nodes: see `keep` */
  constructor(rebuilt?: Graph) {
    this.nextId = rebuilt?.idEnd ?? 0
    this.parameters = [...(rebuilt?.parameters ?? [])]
    this.cells = new Map(rebuilt?.cells)
  }

  private value(type: TensorType, node: Node | null): Value {
    return new Value(this.nextId++, frozenShape(type.shape).shape, type.dtype, node)
  }

  parameter(type: TensorType): Value {
    const value = this.value(type, null)
    this.parameters.push(value)
    return value
  }

  /** The current content of a cell in the traced function: its new one if it was updated. */
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

  /** Sets the content of `cell` after a run. */
  update(cell: Cell, value: Value): void {
    if (!sameShape(cell.shape, value.shape) || cell.dtype !== value.dtype) {
      throw internalError(`the update of ${cell.name} has another type`)
    }
    // A cell that gets its old content again is not updated.
    if (value === this.cells.get(cell)) this.updates.delete(cell)
    else this.updates.set(cell, value)
  }

  /** The new contents of cells so far. */
  updated(): Value[] {
    return [...this.updates.values()]
  }

  /** Whether `cell` was updated. */
  isUpdated(cell: Cell): boolean {
    return this.updates.has(cell)
  }

  /** Removes an update, because an update of the same bytes follows. */
  forget(cell: Cell): void {
    this.updates.delete(cell)
  }

  emit<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): readonly Value[] {
    return this.append(name, inputs, attributes, inferred(name, inputs, attributes)).outputs
  }

  /** The node itself, for nodes that may have no result. */
  emitNode<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): Node<Name> {
    return this.append(name, inputs, attributes, inferred(name, inputs, attributes))
  }

  /** A node of the rebuilt graph: reused if its operands are unchanged, otherwise copied. */
  keep<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly Value[]): readonly Value[] {
    if (inputs !== node.inputs)
      for (let i = 0; i < inputs.length; i++) if (inputs[i] !== node.inputs[i]) return this.copy(node, inputs)
    this.nodes.push(node)
    return node.outputs
  }

  /** The same node with other operands of the same types, so nothing is inferred again. */
  copy<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly Value[]): readonly Value[] {
    return this.append(node.name, inputs, node.attributes, node.outputs).outputs
  }

  private append<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
    types: readonly TensorType[],
  ): Node<Name> {
    const outputs = new Array<Value>(types.length)
    const node: OpenNode<Name> = { name, attributes, inputs, outputs, scope: this.scope }
    for (let i = 0; i < types.length; i++) outputs[i] = this.value(types[i]!, node)
    this.nodes.push(node)
    if (isOpenLoop(node)) this.loops.set(node, node)
    return node
  }

  /**
   * Appends stacked results to a loop of this builder; its gradient needs further values of its iterations.
   * @param body the loop's body with additional results at the end
   * @returns all results of the loop
   */
  extendLoop(loop: Node<'loop'>, body: Region): readonly Value[] {
    const node = this.loops.get(loop)
    if (node === undefined) throw internalError('the loop belongs to another builder')
    node.attributes = { ...node.attributes, body }
    const added = ruleOf('loop').infer(node.inputs, node.attributes, 'loop').slice(node.outputs.length)
    node.outputs = [...node.outputs, ...added.map((type) => this.value(type, node))]
    return node.outputs
  }

  emitOne<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): Value {
    return this.emit(name, inputs, attributes)[0]!
  }

  /** The nodes emitted so far. */
  emitted(): readonly Node[] {
    return [...this.nodes]
  }

  /** @param parameters all parameters, possibly in another order */
  finish(outputs: readonly Value[], parameters: readonly Value[] = this.parameters): Graph {
    const updates: Update[] = [...this.updates].map(([cell, value]) => ({ cell, value }))
    return { parameters, cells: this.cells, nodes: this.nodes, outputs, updates, idEnd: this.nextId }
  }
}

/** The types of a primitive's results. @throws ArgumentError for int8 operands that no kernel reads */
function inferred<Name extends PrimitiveName>(
  name: Name,
  inputs: readonly Value[],
  attributes: PrimitiveAttributes[Name],
): readonly TensorType[] {
  const rule = ruleOf(name)
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i]!.dtype !== 'int8' || rule.takesInt8?.(attributes) === true) continue
    throw new ArgumentError(`${name}: ops do not compute with int8, which only stores the weights of quantized layers`)
  }
  const types = rule.infer(inputs, attributes, name)
  for (let i = 0; i < types.length; i++) requireSize(name, types[i]!.shape)
  return types
}
