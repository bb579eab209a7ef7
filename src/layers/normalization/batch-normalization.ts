// BatchNormalization: scales each channel to mean 0 and variance 1 over the batch.

import { ArgumentError, unknownName } from '../../core/errors'
import { boolean, configured, idle, integer, nullable, number, option, recordOf } from '../../core/options'
import { normalizeAxis, type Shape } from '../../core/shapes'
import { flatten } from '../../core/tree'
import { Initializer } from '../../parts/initializers'
import {
  add,
  cast,
  divide,
  maximum,
  minimum,
  multiply,
  relu,
  rsqrt,
  sqrt,
  square,
  stopGradient,
  subtract,
} from '../../ops/numpy/elementwise'
import { batchNorm, factorAndShift, moments, type Moments } from '../../ops/nn/normalization'
import { sum } from '../../ops/numpy/reduce'
import { expandDims, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireMask } from '../checks'
import type { CallContext } from '../context'
import { initializer } from '../kinds'
import { extentsAt, type BatchShape } from '../spec'
import { unitAxes } from '../units'
import { folded } from './folded'
import { ScaledLayer, extentsAlong } from './options'
import type { LayerTraits } from '../traits'

/** The names of the limits in renormClipping. */
const CLIPS: readonly string[] = ['rmin', 'rmax', 'dmax']

/** The additional state of a layer with `renorm`: [channels] each. */
interface RenormVariables {
  readonly movingDeviation: Variable
  readonly mean: Variable
  readonly deviation: Variable
}

/** The square roots of another initializer's values. */
class RootOf extends Initializer {
  constructor(private readonly of: Initializer) {
    super()
  }

  override call(shape: Shape): Tensor {
    return sqrt(this.of.call(shape))
  }
}

/** average ← momentum · average + (1 − momentum) · value */
function move(average: Variable, value: Tensor, momentum: number): void {
  average.assign(add(multiply(average.value, momentum), multiply(value, 1 - momentum)))
}

/** Keras's constant, for a mask that leaves no step. */
const LEAST_WEIGHT = 1e-7

const BatchNormalizationBase = configured(
  ScaledLayer,
  () => ({
    /** The axis of the channels. Default −1. */
    axis: option(integer(), -1),
    /** The share of the moving averages that stays in a step. Default 0.99. */
    momentum: option(number({ min: 0, max: 1 }), 0.99),
    /** Default zeros. */
    movingMeanInitializer: option(initializer, 'zeros'),
    /** Default ones. */
    movingVarianceInitializer: option(initializer, 'ones'),
    /** Whether training corrects with averages (see above). Default false. */
    renorm: option(boolean, false),
    /**
     * The limits of r and d: { rmin, rmax, dmax } with the least r, the largest r and the largest |d|, all optional.
     * Default null: no limits.
     */
    renormClipping: option(nullable(recordOf(number())), null),
    /** The share of the averages for r and d that stays in a step. Default 0.99. */
    renormMomentum: option(number({ min: 0, max: 1 }), 0.99),
    /** Changes nothing: a batch is not divided among devices. true warns. Default false. */
    synchronized: option(idle(boolean, [false], 'a batch is not divided among devices'), false),
  }),
  ['axis', 'momentum', 'epsilon', 'center', 'scale'],
)

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta for each channel. In training, mean and variance are those of the
 * batch, without masked steps, and moving averages of them are updated; otherwise the moving averages are used. A layer
 * that is not `trainable` always uses the averages. Ioffe and Szegedy 2015.
 *
 *   moving ← momentum · moving + (1 − momentum) · batch
 *
 * With `renorm`, for small batches, training corrects the normalized values with separate averages (Ioffe 2017):
 *
 *   gamma · ((x − mean) / √(variance + epsilon) · r + d) + beta
 *   r = deviation / renormDeviation      d = (mean − renormMean) / renormDeviation
 *
 * r and d are constants for the gradient, and are clipped by `renormClipping`.
 *
 * Keras: `keras.layers.BatchNormalization`.
 */
export class BatchNormalization extends BatchNormalizationBase {
  static readonly className = 'BatchNormalization'
  /** @internal */
  static override readonly traits: LayerTraits<BatchNormalization> = {
    readsMask: () => true,
    requiredInputs: (layer) =>
      layer.buildShape && { ndim: layer.buildShape.length, ...extentsAt(layer.buildShape, [layer.axis]) },
    unitFlow(layer) {
      const { renormVariables: variables } = layer
      const further = variables === null ? [] : [variables.movingDeviation, variables.mean, variables.deviation]
      const isLast = layer.axis === -1 || layer.axis === layer.requireBuilt(layer.buildShape).length - 1
      return isLast
        ? {
            kind: 'keeps',
            along: unitAxes(0, layer.gamma, layer.beta, layer.movingMean, layer.movingVariance, ...further),
          }
        : null
    },
    checkMask(layer, mask, shape) {
      requireMask(layer, mask, ['the axes of the input but the last'], shape.slice(0, -1))
    },
  }
  private meanVariable: Variable | null = null
  private varianceVariable: Variable | null = null
  private renormVariables: RenormVariables | null = null

  protected override checkOptions(): void {
    const unknown = Object.keys(this.renormClipping ?? {}).find((name) => !CLIPS.includes(name))
    if (unknown !== undefined) throw unknownName('limit of renormClipping', unknown, CLIPS)
    const { rmin, rmax, dmax } = this.clipping
    if (rmin !== undefined && rmax !== undefined && rmax < rmin)
      throw new ArgumentError(`${this}: renormClipping: rmax must not be below rmin, received ${rmax} and ${rmin}`)
    if (dmax !== undefined && dmax < 0)
      throw new ArgumentError(`${this}: renormClipping: dmax must be ≥ 0, received ${dmax}`)
  }

  private get clipping(): { readonly rmin?: number; readonly rmax?: number; readonly dmax?: number } {
    return this.renormClipping ?? {}
  }

  /** [channels] */
  get movingMean(): Variable {
    return this.requireBuilt(this.meanVariable)
  }

  /** [channels] */
  get movingVariance(): Variable {
    return this.requireBuilt(this.varianceVariable)
  }

  override build(inputShape: BatchShape): void {
    const shape = extentsAlong(this, inputShape, this.axis)
    this.addScale(shape)
    this.meanVariable = this.addWeight({
      name: 'movingMean',
      shape,
      initializer: this.movingMeanInitializer,
      trainable: false,
    })
    this.varianceVariable = this.addWeight({
      name: 'movingVariance',
      shape,
      initializer: this.movingVarianceInitializer,
      trainable: false,
    })
    if (!this.renorm) return
    const average = (name: string, of: Initializer): Variable =>
      this.addWeight({ name, shape, initializer: of, trainable: false })
    const deviation = new RootOf(this.movingVarianceInitializer)
    this.renormVariables = {
      movingDeviation: average('movingStddev', deviation),
      mean: average('renormMean', this.movingMeanInitializer),
      deviation: average('renormStddev', deviation),
    }
  }

  call(x: Tensor, { training, mask }: CallContext): Tensor {
    const [counts = null] = flatten(mask)
    const { axis, epsilon } = this
    const offset = this.beta?.value ?? null
    const scale = this.gamma?.value ?? null
    if (!training || !this.trainable) {
      const [mean, variance] = [this.movingMean.value, this.movingVariance.value]
      if (!training && normalizeAxis(`${this}`, axis, x.rank) === x.rank - 1) {
        const result = folded(x, ...factorAndShift(mean, rsqrt(add(variance, epsilon)), scale, offset))
        if (result !== null) return result
      }
      return batchNorm(x, mean, variance, { axis, epsilon, offset, scale })
    }
    const found = this.batchMoments(x, counts)
    const { mean, variance } = found
    const { renormVariables } = this
    if (renormVariables === null) {
      move(this.movingMean, mean, this.momentum)
      move(this.movingVariance, variance, this.momentum)
      return batchNorm(x, mean, variance, { axis, epsilon, offset, scale })
    }
    const { r, d } = this.renormalize(found, renormVariables)
    // ((x̂ r + d) gamma + beta) = x̂ (r gamma) + (d gamma + beta)
    const shift = scale === null ? d : multiply(d, scale)
    return batchNorm(x, mean, variance, {
      axis,
      epsilon,
      scale: scale === null ? r : multiply(r, scale),
      offset: offset === null ? shift : add(shift, offset),
    })
  }

  private batchMoments(x: Tensor, mask: Tensor | null): Moments {
    const channels = normalizeAxis(`${this}`, this.axis, x.rank)
    const others = x.shape.map((_, i) => i).filter((i) => i !== channels)
    return mask === null ? moments(x, others) : this.maskedMoments(x, mask, others)
  }

  /** The corrections from the averages before this batch; then all averages are updated. */
  private renormalize(
    { mean, variance }: Moments,
    averages: RenormVariables,
  ): { readonly r: Tensor; readonly d: Tensor } {
    const { epsilon, momentum, renormMomentum } = this
    const { rmin = -Infinity, rmax = Infinity, dmax = Infinity } = this.clipping
    const deviation = sqrt(add(variance, epsilon))
    const usual = maximum(averages.deviation.value, Math.sqrt(epsilon))
    const r = minimum(maximum(divide(deviation, usual), rmin), rmax)
    const d = minimum(maximum(divide(subtract(mean, averages.mean.value), usual), -dmax), dmax)
    move(averages.mean, mean, renormMomentum)
    move(averages.deviation, deviation, renormMomentum)
    move(this.movingMean, mean, momentum)
    move(averages.movingDeviation, deviation, momentum)
    this.movingVariance.assign(relu(subtract(square(averages.movingDeviation.value), epsilon)))
    return { r: stopGradient(r), d: stopGradient(d) }
  }

  private maskedMoments(x: Tensor, mask: Tensor, axes: readonly number[]): Moments {
    const counts = expandDims(cast(mask, 'float32'), -1)
    const shared = x.shape.reduce((size, extent, i) => (axes.includes(i) && i === x.rank - 1 ? size * extent : size), 1)
    const weight = add(multiply(sum(counts), shared), LEAST_WEIGHT)
    const mean = divide(sum(multiply(x, counts), axes, true), weight)
    const variance = divide(sum(square(multiply(subtract(x, mean), counts)), axes), weight)
    return { mean: reshape(mean, variance.shape), variance }
  }
}
