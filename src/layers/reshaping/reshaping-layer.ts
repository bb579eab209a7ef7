// The base of layers that only rearrange elements, of any dtype.

import type { DType } from '../../core/dtypes'
import { TensorLayer } from '../core/tensor-layer'

/** Returns its input's elements in another shape or order. Masks are not passed on. */
export abstract class ReshapingLayer extends TensorLayer {
  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}
