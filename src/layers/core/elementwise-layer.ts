// The base of layers whose output has the input's shape, and whose masks pass through.

import type { DType } from '../../core/dtypes'
import { TensorLayer } from './tensor-layer'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import { KEEPS } from '../units'

/** [batch, …] → [batch, …] */
export abstract class ElementwiseLayer extends TensorLayer {
  override readonly supportsMasking = true

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  override get unitFlow(): UnitFlow | null {
    return KEEPS
  }
}

/** The same for layers that only pass elements on, whatever their dtype. */
export abstract class PassingLayer extends ElementwiseLayer {
  protected override outputDtype([dtype]: readonly DType[]): DType {
    return dtype ?? 'float32'
  }
}
