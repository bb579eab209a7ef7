// Runs a graph node by node with each primitive's plain reference. Slow and obvious: the truth that the
// kernels are compared with, and a backend that needs no WebAssembly.

import { internalError } from '../core/errors'
import { ruleOf } from './builder'
import type { Cell, Graph, Node, Value } from './graph'
import type { ElementwisePrimitive, RefContext } from '../primitives/rule'
import type { PrimitiveAttributes, PrimitiveName } from '../primitives/attributes'
import { copyView } from '../primitives/movement'
import type { NumericArray } from '../core/dtypes'
import type { TensorType } from '../core/shapes'
import { broadcastStrides, forEachOffset, rowMajorStrides, sizeOf } from '../core/shapes'

/** What float32 tensors are computed in. float64 is for finite differences. */
export type Precision = 'float32' | 'float64'

export interface Interpretation {
  readonly outputs: readonly NumericArray[]
  /** New contents of cells; not yet written. Empty, as the outputs are, when the run was ended early. */
  readonly updates: readonly (readonly [Cell, NumericArray])[]
  /** Where the run ended early: the guard that found NaN or ±Inf, or the node that `onNode` stopped at. */
  readonly stoppedAt: Node | null
}

export interface InterpretOptions {
  readonly precision?: Precision
  /** Called after each node with its results. Return false to end the run. */
  readonly onNode?: (node: Node, results: readonly NumericArray[]) => boolean
}

/**
 * @param parameters contiguous data, one array per parameter of the graph
 * @param readCell the content of a cell
 */
export function interpret(
  graph: Graph,
  parameters: readonly NumericArray[],
  readCell: (cell: Cell) => NumericArray,
  { precision = 'float32', onNode }: InterpretOptions = {},
): Interpretation {
  const contents = new Map<Value, NumericArray>()
  const get = (value: Value): NumericArray => {
    const content = contents.get(value)
    if (content === undefined) throw internalError(`value ${value.id} is used before it is made`)
    return content
  }
  const keep = (value: Value, data: NumericArray): void => {
    const wide = precision === 'float64' && value.dtype === 'float32'
    contents.set(value, wide ? Float64Array.from(data) : data)
  }
  graph.parameters.forEach((parameter, i) => keep(parameter, parameters[i]!))
  for (const [cell, value] of graph.cells) keep(value, readCell(cell))
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(get)
    if (ends(node, inputs)) {
      return { outputs: [], updates: [], stoppedAt: node }
    }
    const outputs = node.outputs.map((output) => allocate(output, precision))
    evaluate(node, inputs, outputs)
    node.outputs.forEach((output, i) => contents.set(output, outputs[i]!))
    if (onNode !== undefined && !onNode(node, outputs)) return { outputs: [], updates: [], stoppedAt: node }
  }
  return {
    outputs: graph.outputs.map(get),
    updates: graph.updates.map(({ cell, value }) => [cell, get(value)] as const),
    stoppedAt: null,
  }
}

function ends<Name extends PrimitiveName>(node: Node<Name>, inputs: readonly NumericArray[]): boolean {
  return ruleOf(node.name).ends?.(inputs, node.attributes) === true
}

export function allocate(type: TensorType, precision: Precision = 'float32'): NumericArray {
  const size = sizeOf(type.shape)
  if (type.dtype !== 'float32') return new Int32Array(size)
  return precision === 'float64' ? new Float64Array(size) : new Float32Array(size)
}

export function hasNonFinite(data: NumericArray): boolean {
  return data.some((x) => !Number.isFinite(x))
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
      return rule.ref(context)
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
    const own = inputTypes[i]!.shape
    const offsets = new Int32Array(sizeOf(shape))
    forEachOffset(shape, broadcastStrides(own, rowMajorStrides(own), shape), 0, (at, index) => (offsets[index] = at))
    return { input, offsets }
  })
  const out = outputs[0]!
  const scalars = new Array<number>(inputs.length)
  for (let index = 0; index < out.length; index++) {
    operands.forEach(({ input, offsets }, i) => (scalars[i] = input[offsets[index]!]!))
    out[index] = rule.scalar(scalars, inputTypes, attributes)
  }
}
