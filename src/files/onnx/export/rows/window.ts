// Products, convolutions and pools. ONNX has channels before the spatial axes: operands are arranged in that order, and results
// keep it, so that nothing moves between convolutions.

import type { PrimitiveName } from '../../../../engine/ir/attributes'
import { sizeOf } from '../../../../core/shapes'
import type { Order } from '../../values'
import type { Call, Row } from '../call'
import type { Item } from '../items'
import { sliced } from './movement'

/** [batch, channels, …spatial axes] of [batch, …spatial axes, channels] */
export const channelsSecond = (rank: number): Order => [
  0,
  rank - 1,
  ...Array.from({ length: rank - 2 }, (_, i) => i + 1),
]

/** [filters, channels, … window] of [… window, channels, filters] */
export const kernelFirst = (rank: number): Order => [
  rank - 1,
  rank - 2,
  ...Array.from({ length: rank - 2 }, (_, i) => i),
]

/** The bias that the only use of a result adds, if it is known already. */
function biasOf<Name extends PrimitiveName>(call: Call<Name>, filters: number): { readonly name: string } | null {
  const { writer, node } = call
  const [result] = node.outputs
  const sum = call.around.readerOf(result!)
  if (sum?.name !== 'add') return null
  const bias = writer.items.get(sum.inputs.find((each) => each !== result)!)
  if (bias === undefined || bias.rank !== 1 || bias.shape[0]![0] !== filters || bias.content.kind === 'node')
    return null
  call.around.fuse(sum)
  return { name: writer.name(bias) }
}

function convolved<Name extends 'convolution' | 'depthwiseConvolution'>(
  call: Call<Name>,
  kernel: Item,
  groups: number,
): Item {
  const { writer, attributes } = call
  const x = call.input()
  const order = channelsSecond(x.rank)
  const [before, after] = [call.fixed((each) => each.before), call.fixed((each) => each.after)]
  const sizes = x.shape.map((extent, axis) => extent.map((each) => each + Math.min(0, after[axis - 1] ?? 0)))
  const ordered = <Each>(list: readonly Each[]): Each[] => order.map((axis) => list[axis]!)
  const cut = sliced(
    writer,
    writer.name(x, order),
    ordered(x.shape),
    ordered(x.shape.map((each) => each.map(() => 0))),
    ordered(sizes),
  )
  const bias = biasOf(call, kernel.shape.at(-1)![0]!)
  const name = writer.node(
    'Conv',
    [cut, writer.name(kernel, kernelFirst(x.rank)), ...(bias === null ? [] : [bias.name])],
    {
      kernel_shape: kernel.extents().slice(0, -2),
      strides: attributes.strides,
      dilations: attributes.dilation,
      group: groups,
      pads: [...before, ...after.map((count) => Math.max(0, count))],
    },
  )
  return call.result(name, order)
}

const convolution: Row<'convolution'> = (call) => convolved(call, call.input(1), call.attributes.groups)

const depthwiseConvolution: Row<'depthwiseConvolution'> = (call) => {
  const kernel = call.input(1)
  const one = kernel.shape[0]!.map(() => 1)
  const shape = [...kernel.shape.slice(0, -1), one, kernel.shape.at(-1)!]
  return convolved(call, call.writer.reshaped(kernel, shape), kernel.shape.at(-1)![0]!)
}

const convolutionTranspose: Row<'convolutionTranspose'> = (call) => {
  const { writer, attributes } = call
  const [dy, kernel] = [call.input(), call.input(1)]
  const order = channelsSecond(dy.rank)
  const window = kernel.extents().slice(0, -2)
  const { strides, dilation, groups } = attributes
  const before = call.fixed((each) => each.before)
  // The places without a limit have strides (n − 1) + taps elements; what is left over after is cut, or 0.
  const cut = call.fixed(({ spatial }, { inputs: [values] }) =>
    spatial.map((extent, i) => {
      const reach = strides[i]! * (values!.shape[i + 1]! - 1) + (window[i]! - 1) * dilation[i]! + 1
      return reach - before[i]! - extent
    }),
  )
  const filters = kernel.shape.at(-2)![0]! * groups
  const bias = biasOf(call, filters)
  const name = writer.node(
    'ConvTranspose',
    [writer.name(dy, order), writer.name(kernel, kernelFirst(dy.rank)), ...(bias === null ? [] : [bias.name])],
    {
      kernel_shape: window,
      strides,
      dilations: dilation,
      group: groups,
      pads: [...before, ...cut.map((count) => Math.max(0, count))],
      output_padding: cut.map((count) => Math.max(0, -count)),
    },
  )
  return call.result(name, order)
}

function pooled<Name extends 'maxPool' | 'sumPool'>(type: string, call: Call<Name>): Item {
  const x = call.input()
  const order = channelsSecond(x.rank)
  const { window, strides } = call.attributes
  const name = call.writer.node(type, [call.writer.name(x, order)], { kernel_shape: window, strides })
  return call.result(name, order)
}

const maxPool: Row<'maxPool'> = (call) => pooled('MaxPool', call)

/** An average, times the number of taps unless the only use of the sum is to divide by it. */
const sumPool: Row<'sumPool'> = (call) => {
  const average = pooled('AveragePool', call)
  const taps = sizeOf(call.attributes.window)
  const [result] = call.node.outputs
  const scaled = call.around.readerOf(result!)
  if (scaled?.name === 'multiply') {
    const factor = call.writer.items.get(scaled.inputs.find((each) => each !== result)!)
    const isMean =
      factor?.content.kind === 'constant' && factor.rank === 0 && factor.content.data[0] === Math.fround(1 / taps)
    if (isMean) {
      call.around.fuse(scaled)
      return average
    }
  }
  const { writer } = call
  return call.result(
    writer.node('Mul', [writer.name(average, average.order), writer.number(taps, 'float32')]),
    average.order,
  )
}

const matmul: Row<'matmul'> = (call) => call.result(call.writer.node('MatMul', [call.plain(), call.plain(1)]))

export const windowRows = {
  matmul,
  convolution,
  depthwiseConvolution,
  convolutionTranspose,
  maxPool,
  sumPool,
}
