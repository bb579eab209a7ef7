// Which tensors of a file are weights: float initializers, except where an operator needs their elements to compute
// shapes, and single numbers. Parameters are trained; other weights, such as the scale of an attention, are not, unless the user
// says so. Kernels of convolutions are stored in the layout of Conv2D, so that no step rearranges them.

import { sizeOf } from '../../core/shapes'
import type { TensorProto } from './proto'
import type { OnnxFile } from './onnx-file'
import { shapeOf, typeOf } from './tensors'
import { NONE, usesOf, type Uses } from './uses'
import { types } from './types'
import { inOrder, kernelLast, type Order } from './values'

/** A weight of a model. */
export interface WeightSpec {
  readonly name: string
  /** The extents in the file. */
  readonly shape: readonly number[]
  /** The order in which the axes are stored. */
  readonly order: Order
  readonly trainable: boolean
}

/** An initializer, or a constant that takes its place. */
export interface Initializer {
  readonly name: string
  readonly proto: TensorProto
  /** null for a constant. */
  readonly weight: WeightSpec | null
}

/** All tensors that a graph holds by name, in its order: the initializers, then the Constant nodes that hold weights. */
export function initializersOf({ graph, functions, name: where }: OnnxFile): readonly Initializer[] {
  const uses = usesOf(graph, functions)
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
  return { name, shape, order, trainable: uses.parameter > 0 }
}
