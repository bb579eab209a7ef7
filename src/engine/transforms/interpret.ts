// Runs a graph node by node with each primitive's reference. Slow and simple: kernels are tested against it,
// and it is a backend that needs no WebAssembly.

import { internalError } from '../../core/errors'
import { ruleOf } from '../primitives'
import { referenceOf } from '../primitives/references'
import type { Cell, Graph, Node, Value } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { LoopTransforms, type IterationResult } from './loops'
import type { ElementwisePrimitive, RefContext } from '../primitives/rule'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import { copyView } from '../primitives/movement'
import { allocateData, type NumericArray } from '../../core/dtypes'
import { broadcastStrides, forEachOffset, rowMajorStrides, sizeOf, type TensorType } from '../../core/shapes'

/** The precision of float32 tensors. float64 is for finite differences. */
export type Precision = 'float32' | 'float64'

export interface Interpretation {
  readonly outputs: readonly NumericArray[]
  /** New contents of cells, not yet written. Empty, like the outputs, if the run ended early. */
  readonly updates: readonly (readonly [Cell, NumericArray])[]
  /** The node where the run ended early: a guard that found NaN or ±Inf, or the node at which `onNode` stopped. */
  readonly stoppedAt: Node | null
}

export interface InterpretOptions {
  readonly precision?: Precision
  /**
   * Called after each node with its results and, inside loops, the index of each loop's slices, outermost
   * first. Return false to end the run.
   */
  readonly onNode?: (node: Node, results: readonly NumericArray[], turns: readonly number[]) => boolean
}

/**
 * @param parameters contiguous data, one array per parameter of the graph
 * @param readCell the content of a cell
 */
export function interpret(
  graph: Graph,
  parameters: readonly NumericArray[],
  readCell: (cell: Cell) => NumericArray,
  options: InterpretOptions = {},
): Interpretation {
  const run = new Interpreter(graph, options, [])
  graph.parameters.forEach((parameter, i) => run.set(parameter, parameters[i]!))
  for (const [cell, value] of graph.cells) run.set(value, readCell(cell))
  const stoppedAt = run.nodes()
  if (stoppedAt !== null) return { outputs: [], updates: [], stoppedAt }
  return {
    outputs: graph.outputs.map((output) => run.get(output)),
    updates: graph.updates.map(({ cell, value }) => [cell, run.get(value)] as const),
    stoppedAt: null,
  }
}

/** One run of a graph, or one iteration of a loop's body. */
class Interpreter {
  private readonly contents = new Map<Value, NumericArray>()
  private readonly precision: Precision

  constructor(
    private readonly graph: Graph,
    private readonly options: InterpretOptions,
    private readonly turns: readonly number[],
  ) {
    this.precision = options.precision ?? 'float32'
  }

  get(value: Value): NumericArray {
    const content = this.contents.get(value)
    if (content === undefined) throw internalError(`value ${value.id} is used before it is computed`)
    return content
  }

  set(value: Value, data: NumericArray): void {
    const isWide = this.precision === 'float64' && value.dtype === 'float32' && !(data instanceof Float64Array)
    this.contents.set(value, isWide ? Float64Array.from(data) : data)
  }

  /** Runs the nodes. Returns the node where the run ended early, or null. */
  nodes(): Node | null {
    const { onNode } = this.options
    for (const node of this.graph.nodes) {
      const inputs = node.inputs.map((input) => this.get(input))
      if (ends(node, inputs)) return node
      const outputs = node.outputs.map((output) => allocate(output, this.precision))
      if (isLoop(node)) {
        const stoppedAt = passesOf(node, LoopTransforms).interpret(node, inputs, outputs, (...turn) =>
          this.turn(...turn),
        )
        if (stoppedAt !== null) return stoppedAt
      } else {
        evaluate(node, inputs, outputs)
      }
      node.outputs.forEach((output, i) => this.contents.set(output, outputs[i]!))
      if (onNode !== undefined && !isLoop(node) && !onNode(node, outputs, this.turns)) return node
    }
    return null
  }

  private turn(body: Graph, parameters: readonly NumericArray[], at: number): IterationResult {
    const run = new Interpreter(body, this.options, [...this.turns, at])
    body.parameters.forEach((parameter, i) => run.set(parameter, parameters[i]!))
    const stoppedAt = run.nodes()
    return { stoppedAt, results: stoppedAt === null ? body.outputs.map((output) => run.get(output)) : [] }
  }
}

function ends<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly NumericArray[]): boolean {
  return ruleOf(node.name).ends?.(inputs, node.attributes) === true
}

export function allocate(type: TensorType, precision: Precision = 'float32'): NumericArray {
  const size = sizeOf(type.shape)
  return precision === 'float64' && type.dtype === 'float32' ? new Float64Array(size) : allocateData(type.dtype, size)
}

function evaluate<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
): void {
  const rule = ruleOf(node.name)
  const context: RefContext<PrimitiveAttributes[Name]> = {
    inputs,
    outputs,
    inputTypes: node.inputs,
    outputTypes: node.outputs,
    attributes: node.attributes,
  }
  switch (rule.kind) {
    case 'elementwise':
      return evaluateElementwise(rule, context)
    case 'kernel':
    case 'composed':
      return referenceOf(node.name)!(context)
    case 'loop':
      throw internalError('a loop cannot be evaluated like a kernel')
    case 'constant':
      return outputs[0]!.set(rule.data(node.attributes))
    case 'view': {
      const layout = { offset: 0, strides: rowMajorStrides(node.inputs[0]!.shape) }
      const view = rule.view(node.inputs[0]!, layout, node.attributes)
      if (view === null) throw internalError(`${node.name}: a contiguous operand always has a view`)
      return copyView(inputs[0]!, node.outputs[0]!.shape, view, outputs[0]!)
    }
  }
}

function evaluateElementwise<Attributes>(
  rule: ElementwisePrimitive<Attributes>,
  { inputs, outputs, inputTypes, outputTypes, attributes }: RefContext<Attributes>,
): void {
  const shape = outputTypes[0]!.shape
  const operands = inputs.map((input, i) => {
    const from = inputTypes[i]!.shape
    const offsets = new Int32Array(sizeOf(shape))
    forEachOffset(shape, broadcastStrides(from, rowMajorStrides(from), shape), 0, (at, index) => (offsets[index] = at))
    return { input, offsets }
  })
  const out = outputs[0]!
  const scalars = new Array<number>(inputs.length)
  for (let index = 0; index < out.length; index++) {
    operands.forEach(({ input, offsets }, i) => (scalars[i] = input[offsets[index]!]!))
    out[index] = rule.scalar(scalars, inputTypes, attributes)
  }
}
