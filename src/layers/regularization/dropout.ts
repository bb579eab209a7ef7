// Dropout: drops elements in training. SpatialDropout: drops whole channels.

import { merged } from '../../core/merged'
import { configured, extents, nullable, number, option, required } from '../../core/options'
import { dropout } from '../../ops/random/random'
import type { Tensor } from '../../ops/tensor'
import { requireRank } from '../checks'
import { dataFormat } from '../kinds'
import type { CallContext } from '../context'
import { KEEPS } from '../units'
import { flowOfNoise, noiseShape } from './noise'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import { generatorOf, seedOption } from '../random'
import type { LayerTraits } from '../traits'

const DropoutBase = configured(
  Layer<Tensor>,
  () =>
    merged(seedOption(), {
      /** The probability that an element becomes 0. */
      rate: required(number({ min: 0, max: 1 })),
      /**
       * The shape of the random numbers; null stands for the input's extent, 1 for one draw along an axis. Default null:
       * the input's shape.
       */
      noiseShape: option(nullable(extents(null)), null),
    }),
  ['rate', 'noiseShape', 'seed'],
)

/**
 * In training, sets each element to 0 with probability `rate` and divides the others by 1 − rate; otherwise returns its
 * input. Srivastava et al. 2014. Keras: `keras.layers.Dropout`.
 */
export class Dropout extends DropoutBase {
  static readonly className = 'Dropout'
  /** @internal */
  static override readonly traits: LayerTraits<Dropout> = {
    form: ELEMENTWISE,
    unitFlow: (layer) => flowOfNoise(layer.noiseShape),
  }
  protected readonly generator = generatorOf(this)

  call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x
    return dropout(x, this.rate, { seed: this.generator, noiseShape: noiseShape(this, this.noiseShape, x) })
  }
}

const SpatialDropoutBase = configured(
  Layer<Tensor>,
  () =>
    merged(seedOption(), {
      /** The probability that a channel becomes 0. */
      rate: required(number({ min: 0, max: 1 })),
      /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
      dataFormat: option(dataFormat, null),
    }),
  ['rate'],
)

abstract class SpatialDropout extends SpatialDropoutBase {
  /** @internal */
  static override readonly traits: LayerTraits<SpatialDropout> = {
    form: ELEMENTWISE,
    unitFlow: () => KEEPS,
    requiredInputs: (layer) => ({ ndim: layer.axes.length + 2 }),
  }
  protected readonly generator = generatorOf(this)
  /** The names of the spatial axes. */
  protected abstract readonly axes: readonly string[]

  call(x: Tensor, { training }: CallContext): Tensor {
    const channels = this.dataFormat === 'channelsFirst' ? 1 : x.rank - 1
    requireRank(
      this,
      x.shape,
      channels === 1 ? ['batch', 'channels', ...this.axes] : ['batch', ...this.axes, 'channels'],
    )
    if (!training || this.rate === 0) return x
    const shape = x.shape.map((extent, i) => (i === 0 || i === channels ? extent : 1))
    return dropout(x, this.rate, { seed: this.generator, noiseShape: shape })
  }
}

/**
 * In training, drops channels of [batch, steps, channels], each in all steps. Tompson et al. 2014. Keras:
 * `keras.layers.SpatialDropout1D`.
 */
export class SpatialDropout1D extends SpatialDropout {
  static readonly className = 'SpatialDropout1D'
  protected readonly axes = ['steps']
}

/** In training, drops whole channels of [batch, rows, columns, channels]. Keras: `keras.layers.SpatialDropout2D`. */
export class SpatialDropout2D extends SpatialDropout {
  static readonly className = 'SpatialDropout2D'
  protected readonly axes = ['rows', 'columns']
}

/**
 * In training, drops whole channels of [batch, depth, rows, columns, channels]. Keras: `keras.layers.SpatialDropout3D`.
 */
export class SpatialDropout3D extends SpatialDropout {
  static readonly className = 'SpatialDropout3D'
  protected readonly axes = ['depth', 'rows', 'columns']
}
