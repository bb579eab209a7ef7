// Maxima and sums over windows, and their adjoints. x is already padded.
//
//   y = maxPool(x)             y[n, o, c] = max x[n, o·stride + t, c] over the taps t
//   x̄ = maxPoolTranspose(x, ȳ)   ȳ where x is the largest in its window, the first tap among ties; shared windows add up
//   maxPoolPick(x, v)           v where x is the largest in its window: the adjoint of maxPoolTranspose
//   sumPool(x), sumPoolTranspose(ȳ)   the same with sums

import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, type Shape, type TensorType } from '../../core/shapes'
import type { PoolAttributes, PrimitiveAttributes, WindowAttributes } from '../ir/attributes'
import type { KernelPrimitive } from './rule'
import { placesOf, requireWindow } from './window'

export const slides = ({ window, strides }: PoolAttributes): WindowAttributes => ({
  strides,
  dilation: window.map(() => 1),
})

function pooledType(name: string, x: TensorType, attributes: PoolAttributes): TensorType {
  const sliding = slides(attributes)
  requireWindow(name, x, attributes.window, sliding)
  return { shape: [...placesOf(x.shape, attributes.window, sliding), x.shape.at(-1)!], dtype: 'float32' }
}

function requirePooled(name: string, x: TensorType, dy: TensorType, attributes: PoolAttributes): void {
  const { shape } = pooledType(name, x, attributes)
  if (dy.dtype !== 'float32' || !sameShape(dy.shape, shape)) {
    throw new ShapeError(
      `${name}: the gradient must be float32 ${formatShape(shape)}, received ${dy.dtype} ${formatShape(dy.shape)}`,
    )
  }
}

/** One operation per element of each window. */
const perTap = (pooled: Shape, { window }: PoolAttributes): number => sizeOf(pooled) * sizeOf(window)

const maxPool: KernelPrimitive<PoolAttributes> = {
  kind: 'kernel',
  moves: true,
  infer: ([x], attributes) => [pooledType('maxPool', x!, attributes)],
  vjp: ({ e, inputs: [x], attributes, cotangents: [dy] }) => [e.maxPoolTranspose(x!, dy!, attributes)],
  flops: ({ outputs: [out], attributes }) => perTap(out!.shape, attributes),
}

const maxPoolPick: KernelPrimitive<PoolAttributes> = {
  kind: 'kernel',
  moves: true,
  infer([x, values], attributes) {
    if (values!.dtype === 'float32' && sameShape(x!.shape, values!.shape))
      return [pooledType('maxPoolPick', x!, attributes)]
    throw new ShapeError(
      `maxPoolPick: expected float32 values ${formatShape(x!.shape)}, received ${values!.dtype} ${formatShape(values!.shape)}`,
    )
  },
  vjp: ({ e, inputs: [x], attributes, cotangents: [dy] }) => [null, e.maxPoolTranspose(x!, dy!, attributes)],
  flops: ({ outputs: [out], attributes }) => perTap(out!.shape, attributes),
}

const maxPoolTranspose: KernelPrimitive<PoolAttributes> = {
  kind: 'kernel',
  moves: true,
  infer([x, dy], attributes) {
    requirePooled('maxPoolTranspose', x!, dy!, attributes)
    return [x!]
  },
  vjp: ({ e, inputs: [x], attributes, cotangents: [dx] }) => [null, e.maxPoolPick(x!, dx!, attributes)],
  flops: ({ inputs: [, dy], attributes }) => perTap(dy!.shape, attributes),
}

const sumPool: KernelPrimitive<PoolAttributes> = {
  kind: 'kernel',
  moves: true,
  infer: ([x], attributes) => [pooledType('sumPool', x!, attributes)],
  vjp: ({ e, inputs: [x], attributes, cotangents: [dy] }) => [
    e.sumPoolTranspose(dy!, { ...attributes, spatial: x!.shape.slice(1, -1) }),
  ],
  flops: ({ outputs: [out], attributes }) => perTap(out!.shape, attributes),
}

const sumPoolTranspose: KernelPrimitive<PrimitiveAttributes['sumPoolTranspose']> = {
  kind: 'kernel',
  moves: true,
  infer([dy], attributes) {
    const x: TensorType = { shape: [dy!.shape[0]!, ...attributes.spatial, dy!.shape.at(-1)!], dtype: 'float32' }
    requirePooled('sumPoolTranspose', x, dy!, attributes)
    return [x]
  },
  vjp: ({ e, attributes: { spatial: _, ...attributes }, cotangents: [dx] }) => [e.sumPool(dx!, attributes)],
  flops: ({ inputs: [dy], attributes }) => perTap(dy!.shape, attributes),
}

export const pooling = { maxPool, maxPoolPick, maxPoolTranspose, sumPool, sumPoolTranspose }
