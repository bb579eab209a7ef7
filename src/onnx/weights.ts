// Which tensors of a file are weights: float initializers, except where an operator needs their elements to compute
// shapes, and single numbers. Kernels of convolutions are stored in the layout of Conv2D, so that no step
// rearranges them.

import { sizeOf } from '../core/shapes'
import type { GraphProto, NodeProto, TensorProto } from './proto'
import type { OnnxFile } from './onnx-file'
import { graphsIn } from './proto'
import { shapeOf, typeOf } from './tensors'
import { types } from './types'
import type { Order } from './values'
import { inOrder, kernelLast } from './values'

type Positions = Readonly<Record<string, readonly number[]>>

/** The operands that kernels of convolutions are. */
const KERNELS: Positions = { Conv: [1], ConvTranspose: [1] }

/** Averages that steps move, and optimizers do not train. */
const AVERAGES: Positions = { BatchNormalization: [3, 4] }

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

/** Operands that are weights also where a Constant node holds them, as in files of some converters. */
const WEIGHTS: Positions = {
  ...AVERAGES,
  BatchNormalization: [1, 2, 3, 4],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  GRU: [1, 2, 3],
  Gather: [0],
  Gemm: [1, 2],
  GroupNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LSTM: [1, 2, 3, 7],
  LayerNormalization: [1, 2],
  MatMul: [0, 1],
  PRelu: [1],
  RNN: [1, 2, 3],
}

/** A weight of a model. */
export interface WeightSpec {
  readonly name: string
  /** The extents in the file. */
  readonly shape: readonly number[]
  /** The order in which the axes are stored. */
  readonly order: Order
  readonly trainable: boolean
}

interface Uses {
  readonly all: number
  readonly constant: number
  readonly average: number
  readonly kernel: number
  readonly weight: number
}

const NONE: Uses = { all: 0, constant: 0, average: 0, kernel: 0, weight: 0 }

/** How often each value is an operand of each kind. */
function usesIn(graph: GraphProto, uses = new Map<string, Uses>()): ReadonlyMap<string, Uses> {
  const groupNorms = groupNormsIn(graph)
  for (const node of graph.nodes) {
    const constants = groupNorms.has(node) ? GROUP_NORM : CONSTANTS
    node.inputs.forEach((name, i) => {
      const before = uses.get(name) ?? NONE
      const add = (count: number, table: Positions): number => count + Number(isAt(table, node, i))
      uses.set(name, {
        all: before.all + 1,
        constant: add(before.constant, constants),
        average: add(before.average, AVERAGES),
        kernel: add(before.kernel, KERNELS),
        weight: add(before.weight, WEIGHTS),
      })
    })
    for (const inner of graphsIn(node)) usesIn(inner, uses)
  }
  return uses
}

/**
 * The nodes with which PyTorch writes GroupNorm: a Reshape makes channels of the groups for InstanceNormalization, another one makes them
 * groups again, and a Mul scales the channels.
 */
function groupNormsIn({ nodes }: GraphProto): ReadonlySet<NodeProto> {
  const norms = nodes.filter(({ type }) => type === 'InstanceNormalization')
  if (norms.length === 0) return new Set()
  const reshaped = new Set(nodes.flatMap(({ type, outputs }) => (type === 'Reshape' ? outputs : [])))
  const scaled = new Set(nodes.flatMap(({ type, inputs }) => (type === 'Mul' ? inputs : [])))
  const isBack = ({ type, outputs }: NodeProto): boolean => type === 'Reshape' && scaled.has(outputs[0] ?? '')
  const [back, others] = [true, false].map(
    (is) => new Set(nodes.flatMap((node) => (isBack(node) === is ? node.inputs : []))),
  ) as [Set<string>, Set<string>]
  const isBetween = ({ inputs: [x = ''], outputs: [y = ''] }: NodeProto): boolean =>
    reshaped.has(x) && back.has(y) && !others.has(y)
  return new Set(norms.filter(isBetween))
}

/** Whether an operator in a graph takes a value as a weight. */
export function weightUsesOf(graph: GraphProto): (name: string) => boolean {
  const uses = usesIn(graph)
  return (name) => (uses.get(name)?.weight ?? 0) > 0
}

const isAt = (table: Positions, { type }: NodeProto, i: number): boolean =>
  Object.hasOwn(table, type) && table[type]!.includes(i)

/** An initializer, or a constant that takes its place. */
export interface Initializer {
  readonly name: string
  readonly proto: TensorProto
  /** null for a constant. */
  readonly weight: WeightSpec | null
}

/** All tensors that a graph holds by name, in its order: the initializers, then the Constant nodes that hold weights. */
export function initializersOf({ graph, name: where }: OnnxFile): readonly Initializer[] {
  const uses = usesIn(graph)
  const held = graph.initializers.map((proto) => ({ name: proto.name, proto }))
  const constants = graph.nodes.flatMap((node) => {
    const [name = ''] = node.outputs
    const proto = node.type === 'Constant' ? node.attributes.find((each) => each.name === 'value')?.tensor : null
    const isWeight = proto != null && (uses.get(name)?.weight ?? 0) > 0
    return isWeight ? [{ name, proto }] : []
  })
  return [...held, ...constants].flatMap(({ name, proto }, i) => {
    const weight = specOf(name, proto, uses.get(name) ?? NONE, `${where}: the initializer '${name}'`)
    return weight === null && i >= held.length ? [] : [{ name, proto, weight }]
  })
}

function specOf(name: string, proto: TensorProto, uses: Uses, where: string): WeightSpec | null {
  const shape = shapeOf(proto, where)
  const size = sizeOf(shape)
  // Exporters write constants of formulas as [] or [1, 1]; a bias of one unit is [1].
  const isNumber = shape.length === 0 || (size === 1 && shape.length > 1 && uses.weight === 0)
  const isWeight = types[typeOf(proto, where)].isFloat && size > 0 && !isNumber && uses.all > uses.constant
  if (!isWeight) return null
  const order = uses.kernel > 0 && shape.length >= 3 ? kernelLast(shape.length) : inOrder(shape.length)
  return { name, shape, order, trainable: uses.average < uses.all }
}
