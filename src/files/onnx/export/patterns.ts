// Sequences of nodes for which ONNX has one operator. A pattern is a text such as `matmul(x,w) add(0,b)`: names of primitives with
// their operands, which are letters for values from outside and numbers for results of earlier steps. `act` is any activation.

import type { Graph, Node, Value } from '../../../engine/ir/graph'

/** Activations of the recurrent operators. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
  softplus: 'Softplus',
}

/** The nodes that some results need, in order. */
export function nodesFor({ nodes, outputs }: Graph, results: readonly number[]): Node[] {
  const live = new Set(results.map((i) => outputs[i]!))
  const found: Node[] = []
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => live.has(output))) continue
    found.push(node)
    for (const input of node.inputs) live.add(input)
  }
  return found.reverse()
}

export interface Step {
  readonly name: string
  readonly operands: readonly string[]
}

export interface Match {
  readonly nodes: readonly Node[]
  /** The values from outside, by their letters. */
  readonly values: ReadonlyMap<string, Value>
  /** The activations in order, as ONNX names them. */
  readonly activations: readonly string[]
}

export function pattern(text: string): readonly Step[] {
  return Array.from(text.matchAll(/(\w+)\(([\w,]*)\)/g), ([, name, operands]) => ({
    name: name!,
    operands: operands!.split(','),
  }))
}

/** The nodes of a pattern, if they are those from a place on. Constants count as values from outside. */
export function matchAt(nodes: readonly Node[], at: number, steps: readonly Step[]): Match | null {
  const values = new Map<string, Value>()
  const found: Node[] = []
  const activations: string[] = []
  for (let i = at; found.length < steps.length; i++) {
    const node = nodes[i]
    if (node?.name === 'constant') continue
    const { name, operands } = steps[found.length]!
    const activation = node === undefined ? undefined : ACTIVATIONS[node.name]
    if (node === undefined || (name === 'act' ? activation === undefined : node.name !== name)) return null
    if (name === 'act') activations.push(activation!)
    const fits = node.inputs.every((value, j) => {
      const operand = operands[j]!
      const step = found[Number(operand)]
      if (step !== undefined) return step.outputs[0] === value
      if (!/[a-z]/.test(operand)) return false
      if (values.has(operand)) return values.get(operand) === value
      values.set(operand, value)
      return true
    })
    if (!fits || node.inputs.length !== operands.length) return null
    found.push(node)
  }
  return areParts(found) ? { nodes: found, values, activations } : null
}

const isSlice = (node: Node): node is Node<'slice'> => node.name === 'slice'

/** Whether slices of one value are its parts of equal size, in order. */
function areParts(nodes: readonly Node[]): boolean {
  const counts = new Map<Value, number>()
  return nodes.every((node) => {
    if (!isSlice(node)) return true
    const x = node.inputs[0]!
    const { starts, sizes } = node.attributes
    const i = counts.get(x) ?? 0
    counts.set(x, i + 1)
    const axes = [...sizes.keys()].filter((axis) => sizes[axis] !== x.shape[axis])
    return axes.length === 1 && starts[axes[0]!] === i * sizes[axes[0]!]!
  })
}
