// How a graph uses its tensors: in the usual place of a parameter, as a kernel, to compute shapes. Besides operators with an operand for a
// parameter there is arithmetic: the bias that an Add has after a product or a convolution, and the scale and the shift of a
// normalization that exporters write as its formula. weights.ts decides from it what is a weight.

import { sizeOf } from '../../core/shapes'
import { functionOf } from './functions'
import type { FunctionProto, GraphProto, NodeProto, TensorProto } from './proto'
import { graphsIn } from './nodes'

type Positions = Readonly<Record<string, readonly number[]>>

/** The operands that kernels of convolutions are. */
const KERNELS: Positions = { Conv: [1], ConvTranspose: [1] }

/** Operands whose elements determine shapes, or that no gradient reaches. */
const CONSTANTS: Positions = {
  Clip: [1, 2],
  DequantizeLinear: [1, 2],
  Dropout: [1],
  OneHot: [2],
  Pad: [2],
  Pow: [1],
  QuantizeLinear: [1, 2],
  Range: [0, 1, 2],
  Resize: [1, 2, 3],
  Upsample: [1],
}

/** The scale and the shift inside GroupNorm of PyTorch are ones and zeros, not parameters. */
const GROUP_NORM: Positions = { InstanceNormalization: [1, 2] }

/** Operands that are parameters, in their usual places. */
const PARAMETERS: Positions = {
  BatchNormalization: [1, 2],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Einsum: [1],
  GRU: [1, 2, 3],
  Gather: [0],
  Gemm: [1, 2],
  GroupNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LSTM: [1, 2, 3, 7],
  LayerNormalization: [1, 2],
  MatMul: [1],
  PRelu: [1],
  RMSNormalization: [1],
  RNN: [1, 2, 3],
}

/** Operands that are weights also where a Constant node holds them, as in files of some converters. */
const WEIGHTS: Positions = { ...PARAMETERS, BatchNormalization: [1, 2, 3, 4], MatMul: [0, 1] }

/** Operators with a kernel, and the operand that it is. */
const PRODUCTS: Readonly<Record<string, number>> = { Conv: 1, ConvTranspose: 1, Einsum: 1, Gemm: 1, MatMul: 1 }
/** Operators that only move elements, or change their type. */
const MOVES = ['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']

/** How often a tensor is an operand of each kind. */
export interface Uses {
  readonly all: number
  readonly constant: number
  readonly parameter: number
  readonly kernel: number
  readonly weight: number
}

export const NONE: Uses = { all: 0, constant: 0, parameter: 0, kernel: 0, weight: 0 }

/**
 * The nodes with which PyTorch writes GroupNorm: a Reshape makes channels of the groups for InstanceNormalization, another one makes them
 * groups again, and a Mul scales the channels.
 */
function groupNormsIn({ nodes }: Pick<GraphProto, 'nodes'>): ReadonlySet<NodeProto> {
  const norms = nodes.filter(({ type }) => type === 'InstanceNormalization')
  if (norms.length === 0) return new Set()
  const reshaped = new Set(nodes.flatMap(({ type, outputs }) => (type === 'Reshape' ? outputs : [])))
  const scaled = new Set(nodes.flatMap(({ type, inputs }) => (type === 'Mul' ? inputs : [])))
  const isBack = ({ type, outputs }: NodeProto): boolean => type === 'Reshape' && scaled.has(outputs[0] ?? '')
  const readBy = (is: boolean): ReadonlySet<string> =>
    new Set(nodes.flatMap((node) => (isBack(node) === is ? node.inputs : [])))
  const [back, others] = [readBy(true), readBy(false)]
  const isBetween = ({ inputs: [x = ''], outputs: [y = ''] }: NodeProto): boolean =>
    reshaped.has(x) && back.has(y) && !others.has(y)
  return new Set(norms.filter(isBetween))
}

const isAt = (table: Positions, { type }: NodeProto, i: number): boolean =>
  Object.hasOwn(table, type) && table[type]!.includes(i)

/** Whether a tensor has one long axis, as a bias of features [n] or of channels [n, 1, 1]. */
function isVector({ dims }: TensorProto): boolean {
  const size = sizeOf([...dims])
  return size > 1 && [...dims].includes(size)
}

/** What a result is: of a product with a kernel but without a bias, √x, or of a normalization before its scale and shift, or before its shift. */
type Kind = 'product' | 'root' | 'normalized' | 'scaled'

/** The result of a normalization whose scale and shift may be in later nodes; undefined for one that applies them itself. */
function normalizationOf({ type, inputs }: NodeProto, isGroupNorm: boolean): Kind | undefined {
  if (isGroupNorm || type === 'MeanVarianceNormalization') return 'normalized'
  return type === 'LayerNormalization' && (inputs[2] ?? '') === '' ? 'scaled' : undefined
}

/** The tensors that names stand for: initializers and constants, also moved ones. */
type Names = ReadonlyMap<string, Held>
interface Held {
  /** The name in the graph of the file. */
  readonly name: string
  readonly proto: TensorProto
}

/** The nodes that are looked at: functions may call each other many times. */
const MOST_NODES = 2 ** 16

class Walk {
  readonly uses = new Map<string, Uses>()
  private nodes = 0

  constructor(private readonly functions: ReadonlyMap<string, FunctionProto>) {}

  private count(name: string, more: Partial<Uses>): void {
    const before = this.uses.get(name) ?? NONE
    const sum = (key: keyof Uses): number => before[key] + (more[key] ?? 0)
    this.uses.set(name, {
      all: sum('all'),
      constant: sum('constant'),
      parameter: sum('parameter'),
      kernel: sum('kernel'),
      weight: sum('weight'),
    })
  }

  graph(graph: Pick<GraphProto, 'nodes' | 'initializers'>, outer: Names, isFunction = false): void {
    const names = new Map(outer)
    for (const proto of graph.initializers) names.set(proto.name, { name: proto.name, proto })
    const kinds = new Map<string, Kind>()
    const groupNorms = isFunction ? new Set() : groupNormsIn(graph)
    for (const node of graph.nodes) {
      if (++this.nodes > MOST_NODES) return
      const { inputs, outputs, type } = node
      const proto = type === 'Constant' ? node.attributes.find(({ name }) => name === 'value')?.tensor : null
      if (proto != null) names.set(outputs[0] ?? '', { name: outputs[0] ?? '', proto })
      const held = inputs.map((name) => names.get(name))
      if (!isFunction) inputs.forEach((name, i) => this.count(name, direct(node, i, groupNorms.has(node))))
      const follower = followerIn(node, held, kinds, groupNorms.has(node))
      held.forEach((each, i) => {
        if (each !== undefined && (i === follower || isAt(PARAMETERS, node, i))) this.count(each.name, { parameter: 1 })
      })
      const [first] = held
      if (first !== undefined && MOVES.includes(type)) names.set(outputs[0] ?? '', first)
      const called = functionOf(node, this.functions)
      if (called !== null) {
        const operands = called.inputs.flatMap((name, i): [string, Held][] => (held[i] ? [[name, held[i]]] : []))
        this.graph({ nodes: called.nodes, initializers: [] }, new Map(operands), true)
      }
      for (const inner of graphsIn(node)) this.graph(inner, names, isFunction)
    }
  }
}

const direct = (node: NodeProto, i: number, isGroupNorm: boolean): Partial<Uses> => ({
  all: 1,
  constant: Number(isAt(isGroupNorm ? GROUP_NORM : CONSTANTS, node, i)),
  kernel: Number(isAt(KERNELS, node, i)),
  weight: Number(isAt(WEIGHTS, node, i)),
})

/**
 * The operand that is a bias, or the scale or the shift of a normalization; -1 if there is none. A normalization is x / √v or x · 1 / √v,
 * and what is multiplied with it before something is added.
 */
function followerIn(
  node: NodeProto,
  held: readonly (Held | undefined)[],
  kinds: Map<string, Kind>,
  isGroupNorm: boolean,
): number {
  const { type, inputs, outputs } = node
  const operands = inputs.slice(0, 2).map((name) => kinds.get(name))
  const vector = held.findIndex((each) => each !== undefined && isVector(each.proto))
  const isNormalized = operands.includes('normalized') || operands.includes('scaled')
  const kindOf = (): Kind | undefined => {
    if (Object.hasOwn(PRODUCTS, type)) {
      const hasBias = !['Einsum', 'MatMul'].includes(type) && (inputs[2] ?? '') !== ''
      return held[PRODUCTS[type]!] === undefined || hasBias ? undefined : 'product'
    }
    if (MOVES.includes(type)) return operands[0]
    if (type === 'Sqrt') return 'root'
    if (type === 'Reciprocal' || type === 'Div')
      return operands[type === 'Div' ? 1 : 0] === 'root' ? 'normalized' : undefined
    if (type !== 'Mul' || !isNormalized) return normalizationOf(node, isGroupNorm)
    return vector >= 0 || operands.includes('scaled') ? 'scaled' : 'normalized'
  }
  const kind = kindOf()
  if (kind !== undefined) kinds.set(outputs[0] ?? '', kind)
  const takesShift = type === 'Add' || (type === 'Sub' && held[0] !== undefined)
  const isFollower = isNormalized
    ? takesShift || (type === 'Mul' && !operands.includes('scaled'))
    : type === 'Add' && (operands[0] ?? operands[1]) === 'product'
  return isFollower ? vector : -1
}

/** How the tensors of a graph are used, by their names. */
export function usesOf(
  graph: GraphProto,
  functions: ReadonlyMap<string, FunctionProto> = new Map(),
): ReadonlyMap<string, Uses> {
  const walk = new Walk(functions)
  walk.graph(graph, new Map())
  return walk.uses
}

/** Whether an operator in a graph takes a value as a weight. */
export function weightUsesOf(graph: GraphProto): (name: string) => boolean {
  const uses = usesOf(graph)
  return (name) => (uses.get(name)?.weight ?? 0) > 0
}
