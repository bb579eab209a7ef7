// The base of layers whose output has the input's shape, and whose masks pass through.

import type { DType } from '../../core/dtypes'
import { TensorLayer } from './tensor-layer'
import type { BatchShape } from '../spec'

/** [batch, …] → [batch, …]. Each class declares whether it keeps units: a softmax has the input's shape, too. */
export abstract class ElementwiseLayer extends TensorLayer {
  override readonly supportsMasking = true

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

/** The base of layers that keep the elements' dtype, whatever it is. */
export abstract class PassingLayer extends ElementwiseLayer {
  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}
