// The base of layers whose output has the input's shape, and whose masks pass through.

import type { DType } from '../../core/dtypes'
import { TensorLayer } from './tensor-layer'
import type { BatchShape } from '../spec'

/** [batch, …] → [batch, …]. Whether units are kept is for each class to declare: a softmax has the input's shape, too. */
export abstract class ElementwiseLayer extends TensorLayer {
  override readonly supportsMasking = true

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

/** The same for layers that only pass elements on, whatever their dtype. */
export abstract class PassingLayer extends ElementwiseLayer {
  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}
