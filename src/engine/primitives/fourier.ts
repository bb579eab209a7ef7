// The discrete Fourier transform of complex numbers, as separate real and imaginary parts, along an axis of 2ᵏ
// elements.

import { FOURIER_FIXED, Fourier } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { ShapeError, formatShape } from '../../core/errors'
import { sameShape, sizeOf, splitAround, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import { instruction, type LowerContext } from '../ir/instruction'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext, VjpContext } from './rule'

/** re, im → re, im of Σ_j x[j] e^(∓2πi jk/n): − forwards, + backwards, without a factor. */
export class FourierTransform extends KernelRoutine {
  readonly name = 'fourier'

  constructor(
    readonly axis: number,
    readonly isBackwards: boolean,
  ) {
    super()
  }

  override infer([real, imag]: readonly TensorType[]): readonly TensorType[] {
    const n = real!.shape[this.axis]!
    const isPower = n > 0 && Number.isInteger(Math.log2(n))
    if (!sameShape(real!.shape, imag!.shape) || real!.dtype !== 'float32' || imag!.dtype !== 'float32' || !isPower) {
      throw new ShapeError(
        `${this.name}: expected two float32 parts with 2ᵏ elements along axis ${this.axis}, received ${formatShape(real!.shape)} and ${formatShape(imag!.shape)}`,
      )
    }
    return [real!, imag!]
  }

  override keepsAxis(_inputs: readonly TensorType[], _operand: number, axis: number): boolean {
    return axis !== this.axis
  }

  // y = F x with F symmetric and complex: dx = F* dy, the transform in the other direction.
  override vjp({ e, cotangents }: VjpContext<unknown>): readonly Value[] {
    return e.routine(new FourierTransform(this.axis, !this.isBackwards), cotangents)
  }

  override lower({ inputs: [real, imag], outputs: [outReal, outImag], temporary, emit }: LowerContext<unknown>): void {
    if (sizeOf(real!.shape) === 0) return
    const split = splitAround(real!.shape, this.axis)
    // i·conj(x) swaps the parts; swapping before and after the transform reverses its direction.
    const [a, b, c, d] = this.isBackwards ? [imag!, real!, outImag!, outReal!] : [real!, imag!, outReal!, outImag!]
    emit(
      instruction(Opcode.Fourier, Fourier, {
        real: a.address,
        imag: b.address,
        outReal: c.address,
        outImag: d.address,
        ...split,
        temporary: required(temporary),
      }),
    )
  }

  override temporaryBytes([real]: readonly TensorType[]): number {
    const { axis, inner } = splitAround(real!.shape, this.axis)
    return FOURIER_FIXED + 8 * axis * (1 + inner)
  }

  // n/2 butterflies per bit of the length, 10 operations each.
  override flops({ inputs: [real] }: CostContext<unknown>): number {
    return 5 * sizeOf(real!.shape) * Math.log2(real!.shape[this.axis]!)
  }

  override reference({
    inputs: [real, imag],
    outputs: [outReal, outImag],
    inputTypes: [type],
  }: RefContext<unknown>): void {
    const { outer, axis: n, inner } = splitAround(type!.shape, this.axis)
    const sign = this.isBackwards ? 1 : -1
    const roots = Array.from(
      { length: n },
      (_, k) => [Math.cos((2 * Math.PI * k) / n), sign * Math.sin((2 * Math.PI * k) / n)] as const,
    )
    for (let i = 0; i < outer; i++) {
      for (let column = 0; column < inner; column++) {
        const at = (j: number): number => (i * n + j) * inner + column
        for (let k = 0; k < n; k++) {
          let [x, y] = [0, 0]
          for (let j = 0; j < n; j++) {
            const [c, s] = roots[(j * k) % n]!
            x += real![at(j)]! * c - imag![at(j)]! * s
            y += real![at(j)]! * s + imag![at(j)]! * c
          }
          outReal![at(k)] = x
          outImag![at(k)] = y
        }
      }
    }
  }
}
