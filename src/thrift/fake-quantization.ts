// Quantization-aware training: layers that compute in float32 with values rounded to int8, while gradients ignore the
// rounding.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { Conv1D, Conv2D, Dense } from '../layers'
import {
  abs,
  add,
  cast,
  divide,
  greater,
  maximum,
  minimum,
  multiply,
  round,
  stopGradient,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { convolve } from '../ops/nn/convolution'
import { matmul } from '../ops/linalg/linalg'
import { max } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { LARGEST } from '../engine/primitives/quantized'
import type { LayerTraits } from '../layers/traits'

/**
 * x rounded as by int8 quantization: s · ⌊x / s⌉ with s = max |x| / 127 over `axes`. The gradient is that of x
 * (straight-through).
 * Bengio, Léonard and Courville 2013; Jacob et al. 2018.
 * @param axes the axes that share a scale
 */
export function fakeQuantize(x: Tensor, axes: readonly number[]): Tensor {
  requireArguments('fakeQuantize', arguments, 2)
  if (!Array.isArray(axes)) throw new ArgumentError(`fakeQuantize: axes must be a list, received ${quoted(axes)}`)
  const value = cast(x, 'float32')
  const largest = max(abs(value), [...axes], true)
  const scale = divide(where(greater(largest, 0), largest, 1), LARGEST)
  const integers = maximum(minimum(round(divide(value, scale)), LARGEST), -LARGEST)
  return add(value, stopGradient(subtract(multiply(integers, scale), value)))
}

/** All axes but the last. */
const butLast = ({ rank }: Tensor): number[] => Array.from({ length: rank - 1 }, (_, axis) => axis)
/** All axes but the first. */
const butFirst = ({ rank }: Tensor): number[] => Array.from({ length: rank - 1 }, (_, axis) => axis + 1)

/** Why files of other programs cannot have these layers. */
const TRAINS_FOR_INTEGERS =
  'no other program has layers that train for int8. Save as safetensors, or quantizeInPlace(model) first'

// These layers keep the unitFlow of the float32 layers. Each class declares it explicitly, because overriding `call` resets
// it.

/** Dense that trains for int8: see `quantizationAware`. */
export class QuantizationAwareDense extends Dense {
  static override readonly className: string = 'QuantizationAwareDense'
  /** @internal */
  static override readonly traits: LayerTraits<QuantizationAwareDense> = {
    form: { ...Dense.traits.form, onlyHere: TRAINS_FOR_INTEGERS },
    unitFlow: (layer) => Dense.traits.unitFlow?.(layer) ?? null,
  }

  override call(x: Tensor): Tensor {
    const product = matmul(fakeQuantize(x, [x.rank - 1]), fakeQuantize(this.kernel.value, [0]))
    return this.activation(this.bias === null ? product : add(product, this.bias))
  }
}

/** Conv1D that trains for int8: see `quantizationAware`. */
export class QuantizationAwareConv1D extends Conv1D {
  static override readonly className: string = 'QuantizationAwareConv1D'
  /** @internal */
  static override readonly traits: LayerTraits<QuantizationAwareConv1D> = {
    form: { ...Conv1D.traits.form, onlyHere: TRAINS_FOR_INTEGERS },
    unitFlow: (layer) => Conv1D.traits.unitFlow?.(layer) ?? null,
  }

  protected override callLast(x: Tensor): Tensor {
    const kernel = this.kernel.value
    return this.finish(
      convolve(`${this}`, fakeQuantize(x, butFirst(x)), fakeQuantize(kernel, butLast(kernel)), this.sliding),
    )
  }
}

/** Conv2D that trains for int8: see `quantizationAware`. */
export class QuantizationAwareConv2D extends Conv2D {
  static override readonly className: string = 'QuantizationAwareConv2D'
  /** @internal */
  static override readonly traits: LayerTraits<QuantizationAwareConv2D> = {
    form: { ...Conv2D.traits.form, onlyHere: TRAINS_FOR_INTEGERS },
    unitFlow: (layer) => Conv2D.traits.unitFlow?.(layer) ?? null,
  }

  protected override callLast(x: Tensor): Tensor {
    const kernel = this.kernel.value
    return this.finish(
      convolve(`${this}`, fakeQuantize(x, butFirst(x)), fakeQuantize(kernel, butLast(kernel)), this.sliding),
    )
  }
}
