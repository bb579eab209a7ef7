// The Fourier transform. Its last axis has the real and the imaginary part, or only the former.

import * as ops from '../../../ops'
import type { Tensor } from '../../../ops/tensor'
import type { Operator } from '../call'
import { Value } from '../values'
import { requireShape } from './shape'

const dft: Operator = (call) => {
  const x = call.value(0)
  const axis = call.axis(call.opset < 20 ? call.integer('axis', 1) : (call.number('', 2) ?? -2), x.rank)
  const parts = x.shape.at(-1)!
  call.require(
    axis < x.rank - 1 && (parts === 1 || parts === 2),
    () => `[${x.shape.join(', ')}] has no axis ${axis} of numbers`,
  )
  const [isInverse, isHalf] = [call.flag('inverse'), call.flag('onesided')]
  call.require(!(isInverse && isHalf), () => 'the inverse of one side is not available')
  const length = call.number('', 1) ?? x.shape[axis]!
  requireShape(call, [...x.shape.slice(0, axis), length, ...x.shape.slice(axis + 1)])
  const longest = Math.min(length, x.shape[axis]!)
  const last = x.rank - 2
  const padded = (i: number): Tensor => {
    const part = ops.moveaxis(ops.getItem(x.plain, ['...', i]), axis, last)
    return ops.pad(ops.getItem(part, ['...', `0:${longest}`]), [
      ...Array.from({ length: last }, (): [number, number] => [0, 0]),
      [0, length - longest],
    ])
  }
  const real = padded(0)
  const complex = { real, imag: parts === 2 ? padded(1) : ops.zerosLike(real) }
  const { real: a, imag: b } = isInverse ? ops.ifft(complex) : ops.fft(complex)
  const found = [a, b].map((part) => {
    const half = isHalf ? ops.getItem(part, ['...', `0:${Math.floor(length / 2) + 1}`]) : part
    return ops.moveaxis(half, last, axis)
  })
  return Value.of(ops.stack(found, -1), x.type)
}

export const signalOperators: Readonly<Record<string, Operator>> = { DFT: dft }
