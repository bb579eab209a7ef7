// Matrix products on the GPU.

import { broadcastStrides, sizeOf, type Shape, type TensorType } from '../../../core/shapes'
import { exactly } from '../../../core/tuples'
import type { NoAttributes } from '../../ir/attributes'
import type { Operand } from '../../ir/operand'
import { STRIP } from '../../primitives/contraction'
import type { GpuContext, GpuKernel } from '../kernel'
import { stridedOffsets } from '../strided'
import { emitProduct, sliceBytes, type ProductSize } from './tiles'

/** The strides of an operand of a product along the batch. */
const batchStrides = ({ shape, strides }: Operand, batch: Shape): number[] =>
  broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch)

/** How a product sees its operands: one matrix for all of a batch makes one taller product. */
interface Seen {
  readonly size: ProductSize
  readonly batch: Shape
}

function seen([a, b]: readonly [Operand, Operand], out: Shape): Seen {
  const [m, n] = exactly(out.slice(-2), 2)
  const batch = out.slice(0, -2)
  const k = a.shape.at(-1)!
  const isTall =
    sizeOf(b.shape.slice(0, -2)) === 1 &&
    batchStrides(a, batch).every(
      (stride, i) => batch[i] === 1 || stride === a.strides.at(-2)! * m * sizeOf(batch.slice(i + 1)),
    )
  return isTall
    ? { size: { matrices: 1, m: m * sizeOf(batch), n, k }, batch: batch.map(() => 1) }
    : { size: { matrices: sizeOf(batch), m, n, k }, batch }
}

/** The most bytes that the slices of a product may take: those of the product as it is, or of a taller one. */
function productBytes([a, b]: readonly TensorType[]): number {
  const [m, k, n] = [a!.shape.at(-2)!, a!.shape.at(-1)!, b!.shape.at(-1)!]
  const matrices = Math.max(sizeOf(a!.shape.slice(0, -2)), sizeOf(b!.shape.slice(0, -2)))
  return Math.max(sliceBytes({ matrices, m, n, k }), sliceBytes({ matrices: 1, m: m * matrices, n, k }))
}

const STRIDED = (row: string, column: string): string => `return f32At(origin + wide * p.${row} + deep * p.${column});`

function lowerProduct(context: GpuContext<NoAttributes>): void {
  const {
    inputs: [a, b],
    outputs: [out],
  } = context
  const { size, batch } = seen([a!, b!], out!.shape)
  const offsets = stridedOffsets('matrix', batch, { a: batchStrides(a!, batch), b: batchStrides(b!, batch) })
  const [aRow, aColumn] = exactly(a!.strides.slice(-2), 2)
  const [bRow, bColumn] = exactly(b!.strides.slice(-2), 2)
  emitProduct(context, {
    size,
    fields: { a, b, aRow, aColumn, bRow, bColumn, ...offsets.fields },
    setup: offsets.code,
    left: { from: 'p.a + a_at', element: STRIDED('aRow', 'aColumn'), isDeep: aColumn === 1 },
    right: { from: 'p.b + b_at', element: STRIDED('bColumn', 'bRow'), isDeep: bColumn !== 1 },
    outRow: size.n,
    outMatrix: size.m * size.n,
    biasMatrix: 0,
  })
}

const matmul: GpuKernel<NoAttributes> = {
  accepts: () => true,
  fusesEpilogue: true,
  fusesAddend: true,
  temporaryBytes: productBytes,
  lower: lowerProduct,
  byRow: ([, b]) => [true, b!.shape.length > 2],
}

/** a [m, k] · b [n / 8, k, 8] */
const matmulStrips: GpuKernel<NoAttributes> = {
  accepts: (operand) => operand === 0,
  fusesEpilogue: true,
  fusesAddend: true,
  temporaryBytes: ([a, b]) => sliceBytes(stripsSize(a!.shape, b!.shape)),
  byRow: () => [true, false],
  lower(context) {
    const [a, b] = context.inputs
    const size = stripsSize(a!.shape, b!.shape)
    const [aRow, aColumn] = exactly(a!.strides, 2)
    emitProduct(context, {
      size,
      fields: { a, b, aRow, aColumn },
      left: { from: 'p.a', element: STRIDED('aRow', 'aColumn'), isDeep: aColumn === 1 },
      right: {
        from: 'p.b',
        element: `return f32At(origin + (wide / ${STRIP}u * p.k + deep) * ${STRIP}u + wide % ${STRIP}u);`,
        isDeep: false,
      },
      outRow: size.n,
      outMatrix: 0,
      biasMatrix: 0,
    })
  },
}

const stripsSize = (a: Shape, b: Shape): ProductSize => ({ matrices: 1, m: a[0]!, k: a[1]!, n: b[0]! * STRIP })

export const contraction = { matmul, matmulStrips }
