// Training that knows of int8: layers that compute in float32 with numbers as int8 would have them, while gradients flow as if
// they had not been rounded.

import { Conv1D, Conv2D, Dense } from '../layers'
import type { UnitFlow } from '../layers/units'
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
} from '../ops/elementwise'
import { convolve } from '../ops/convolution'
import { matmul } from '../ops/linalg'
import { max } from '../ops/reduce'
import type { Tensor } from '../ops/tensor'
import { LARGEST } from '../primitives/quantized'

/**
 * x as int8 would hold it: s · ⌊x / s⌉ with s = max |x| / 127 over `axes`. Its gradient is that of x (straight-through).
 * Bengio, Léonard and Courville 2013; Jacob et al. 2018.
 * @param axes those that share a scale
 */
export function fakeQuantize(x: Tensor, axes: readonly number[]): Tensor {
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

// Rounded or not, units are those of the layer that is trained, so each class says again what it does with them.

/** Dense that trains for int8: see `quantizationAware`. */
export class QuantizationAwareDense extends Dense {
  static override readonly className: string = 'QuantizationAwareDense'

  override call(x: Tensor): Tensor {
    const product = matmul(fakeQuantize(x, [x.rank - 1]), fakeQuantize(this.kernel.value, [0]))
    return this.activation(this.bias === null ? product : add(product, this.bias))
  }

  override get unitFlow(): UnitFlow {
    return super.unitFlow
  }
}

/** Conv1D that trains for int8: see `quantizationAware`. */
export class QuantizationAwareConv1D extends Conv1D {
  static override readonly className: string = 'QuantizationAwareConv1D'

  protected override callLast(x: Tensor): Tensor {
    const kernel = this.kernel.value
    return this.finish(
      convolve(`${this}`, fakeQuantize(x, butFirst(x)), fakeQuantize(kernel, butLast(kernel)), this.sliding),
    )
  }

  protected override get flowOfLast(): UnitFlow | null {
    return super.flowOfLast
  }
}

/** Conv2D that trains for int8: see `quantizationAware`. */
export class QuantizationAwareConv2D extends Conv2D {
  static override readonly className: string = 'QuantizationAwareConv2D'

  protected override callLast(x: Tensor): Tensor {
    const kernel = this.kernel.value
    return this.finish(
      convolve(`${this}`, fakeQuantize(x, butFirst(x)), fakeQuantize(kernel, butLast(kernel)), this.sliding),
    )
  }

  protected override get flowOfLast(): UnitFlow | null {
    return super.flowOfLast
  }
}
