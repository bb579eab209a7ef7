// The base of layers that work along the spatial axes of images, sequences and volumes.

import { configured, option } from '../../core/options'
import { moveAxis } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { requireRank } from '../checks'
import { dataFormat } from '../kinds'
import type { CallContext } from '../context'
import { TensorLayer } from './tensor-layer'
import type { BatchShape } from '../spec'
import type { UnitFlow } from '../units'

const NAMES: readonly (readonly string[])[] = [[], ['steps'], ['rows', 'columns'], ['depth', 'rows', 'columns']]

/**
 * A function of [batch, …spatial axes, channels], or of [batch, channels, …spatial axes] for channels first. Subclasses
 * compute with the channels last.
 */
export abstract class SpatialLayer extends configured(TensorLayer, () => ({
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  dataFormat: option(dataFormat, null),
})) {
  /** The number of spatial axes. */
  protected abstract readonly rank: number
  /** x [batch, …spatial, channels] */
  protected abstract callLast(x: Tensor, context: CallContext): Tensor
  /** The shape of the result of callLast. */
  protected abstract shapeLast(inputShape: BatchShape): BatchShape

  protected get isFirst(): boolean {
    return this.dataFormat === 'channelsFirst'
  }

  /** An input shape with the channels last. @throws ShapeError for another number of axes */
  protected channelsLast(inputShape: BatchShape): BatchShape {
    const spatial = NAMES[this.rank]!
    requireRank(this, inputShape, this.isFirst ? ['batch', 'channels', ...spatial] : ['batch', ...spatial, 'channels'])
    const [batch = null, first = null, ...rest] = inputShape
    return this.isFirst ? [batch, ...rest, first] : inputShape
  }

  /** What callLast does with units, which are its channels; null if unknown. @internal */
  protected get flowOfLast(): UnitFlow | null {
    return null
  }

  override get unitFlow(): UnitFlow | null {
    return this.isFirst ? null : this.flowOfLast
  }

  call(x: Tensor, context: CallContext): Tensor {
    this.channelsLast(x.shape)
    if (!this.isFirst) return this.callLast(x, context)
    const y = this.callLast(moveAxis(x, 1, -1), context)
    return y.rank === x.rank ? moveAxis(y, -1, 1) : y
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const output = this.shapeLast(this.channelsLast(inputShape))
    if (!this.isFirst || output.length !== inputShape.length) return output
    return [output[0]!, output.at(-1)!, ...output.slice(1, -1)]
  }
}
