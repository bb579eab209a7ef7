// The options and weights that normalizing layers share: a learnt factor and a learnt shift.

import { boolean, configured, either, integer, listOf, number, option, type Kind } from '../../core/options'
import { ShapeError, formatShape } from '../../core/errors'
import { normalizeAxes } from '../../core/shapes'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents } from '../checks'
import { constraint, initializer, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

/** One axis or several. */
export const axes: Kind<number | readonly number[], number | readonly number[]> = /* @__PURE__ */ either(
  /* @__PURE__ */ integer(),
  /* @__PURE__ */ listOf(/* @__PURE__ */ integer()),
  (value) => typeof value === 'number',
)

export const axesOf = (axis: number | readonly number[]): readonly number[] =>
  typeof axis === 'number' ? [axis] : axis

const ScaledLayerBase = configured(Layer<Tensor>, () => ({
  /** Added under the root to avoid a division by 0. Default 0.001. */
  epsilon: option(number({ min: 0 }), 1e-3),
  /** Whether beta is learnt and added. Default true. */
  center: option(boolean, true),
  /** Whether gamma is learnt and multiplied. Default true. */
  scale: option(boolean, true),
  /** Default zeros. */
  betaInitializer: option(initializer, 'zeros'),
  /** Default ones. */
  gammaInitializer: option(initializer, 'ones'),
  /** A penalty on beta. Default null. */
  betaRegularizer: option(regularizer, null),
  /** Applied to beta after every update. Default null. */
  betaConstraint: option(constraint, null),
  /** A penalty on gamma. Default null. */
  gammaRegularizer: option(regularizer, null),
  /** Applied to gamma after every update. Default null. */
  gammaConstraint: option(constraint, null),
}))

/** gamma · (the normalized input) + beta. */
export abstract class ScaledLayer extends ScaledLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<ScaledLayer> = {
    form: ELEMENTWISE,
    checkShape(layer, shape, built) {
      requireExtents(layer, shape, built, axesOf(layer.axis))
    },
  }
  private gammaVariable: Variable | null = null
  private betaVariable: Variable | null = null

  /** null when `scale` is false. */
  get gamma(): Variable | null {
    return this.gammaVariable
  }

  /** null when `center` is false. */
  get beta(): Variable | null {
    return this.betaVariable
  }

  /** The axes along which the weights have the input's extents. */
  declare readonly axis: number | readonly number[]

  protected addScale(shape: readonly number[]): void {
    if (this.scale)
      this.gammaVariable = this.addWeight({
        name: 'gamma',
        shape,
        initializer: this.gammaInitializer,
        regularizer: this.gammaRegularizer,
        constraint: this.gammaConstraint,
      })
    if (this.center)
      this.betaVariable = this.addWeight({
        name: 'beta',
        shape,
        initializer: this.betaInitializer,
        regularizer: this.betaRegularizer,
        constraint: this.betaConstraint,
      })
  }
}

/** The extents along sorted axes. @throws ShapeError if an extent is open or an axis does not exist */
export function extentsAlong(
  layer: { toString(): string },
  inputShape: BatchShape,
  axis: number | readonly number[],
): number[] {
  const along = normalizeAxes(layer.toString(), axesOf(axis), inputShape.length).map((at) => inputShape[at]!)
  if (along.every((extent) => extent !== null)) return along
  throw new ShapeError(
    `${layer.toString()}: the extents along axis ${typeof axis === 'number' ? axis : formatShape(axis)} must be known, received ${formatShape(inputShape)}`,
  )
}
