// The base of user-defined layers that work along the spatial axes of images, sequences and volumes.

import { configured } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import { alongSpace, channelsLast, isChannelsFirst, shapeAlongSpace, spatialOptions } from '../spatial'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import type { LayerTraits } from '../traits'

const SpatialLayerBase = configured(Layer<Tensor>, spatialOptions)

/**
 * A function of [batch, …spatial axes, channels], or of [batch, channels, …spatial axes] for channels first. Subclasses
 * compute with the channels last.
 */
export abstract class SpatialLayer extends SpatialLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<SpatialLayer> = {
    form: TENSOR,
    unitFlow: (layer) => (layer.isFirst ? null : layer.flowOfLast),
  }
  /** The number of spatial axes. */
  protected abstract readonly rank: number
  /** x [batch, …spatial, channels] */
  protected abstract callLast(x: Tensor, context: CallContext): Tensor
  /** The shape of the result of callLast. */
  protected abstract shapeLast(inputShape: BatchShape): BatchShape

  protected get isFirst(): boolean {
    return isChannelsFirst(this)
  }

  /** An input shape with the channels last. @throws ShapeError for another number of axes */
  protected channelsLast(inputShape: BatchShape): BatchShape {
    return channelsLast(this, this.rank, inputShape)
  }

  /** What callLast does with units, which are its channels; null if unknown. @internal */
  protected get flowOfLast(): UnitFlow | null {
    return null
  }

  call(x: Tensor, context: CallContext): Tensor {
    return alongSpace(this, this.rank, x, (last) => this.callLast(last, context))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.rank, inputShape, (shape) => this.shapeLast(shape))
  }
}
