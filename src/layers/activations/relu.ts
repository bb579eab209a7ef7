// ReLU, LeakyReLU, PReLU, ELU: activations with parameters, element by element.

import { ShapeError, formatShape } from '../../core/errors'
import { configured, custom, integer, listOf, nullable, number, option, withoutOptions } from '../../core/options'
import type { Config } from '../../core/registry'
import { warnOnce } from '../../core/warnings'
import { normalizeAxis } from '../../core/shapes'
import { rectified } from '../../parts/activations/relu'
import { elu, leakyRelu } from '../../ops/nn/activations'
import { cast, multiply, negative, relu, subtract } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireSameRank } from '../checks'
import { constraint, initializer, regularizer } from '../kinds'
import { extentsAt, type BatchShape } from '../spec'
import { KEEPS, unitAxes } from '../units'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const atLeast0 = /* @__PURE__ */ number({ min: 0 })

const ReLUBase = configured(
  Layer<Tensor>,
  () => ({
    /** The maximum of the output; null for no maximum. Default null. */
    maxValue: option(nullable(atLeast0), null),
    /** The slope below the threshold. Default 0. */
    negativeSlope: option(atLeast0, 0),
    /** The input from which x itself is returned. Default 0. */
    threshold: option(atLeast0, 0),
  }),
  ['maxValue', 'negativeSlope', 'threshold'],
)

/**
 *   maxValue                       where x ≥ maxValue
 *   x                              where threshold < x < maxValue
 *   negativeSlope (x − threshold)  elsewhere
 *
 * Without options max(x, 0). Keras: `keras.layers.ReLU`.
 */
export class ReLU extends ReLUBase {
  static readonly className = 'ReLU'
  /** @internal */
  static override readonly traits: LayerTraits<ReLU> = {
    form: ELEMENTWISE,
    // A maximum of 0 leaves only the part below 0, which scales.
    unitFlow: ({ threshold, maxValue }) => ({ ...KEEPS, scales: threshold === 0 && (maxValue ?? 0) === 0 }),
  }

  call(x: Tensor): Tensor {
    return rectified(cast(x, 'float32'), this)
  }
}

const LeakyReLUBase = configured(
  Layer<Tensor>,
  () => ({
    /** Default 0.3. */
    negativeSlope: option(atLeast0, 0.3),
    /** The name of negativeSlope in Keras 2: it warns. Default null. */
    alpha: option(nullable(atLeast0), null),
  }),
  ['negativeSlope'],
)

/** x where x > 0, negativeSlope · x elsewhere. Keras: `keras.layers.LeakyReLU`. */
export class LeakyReLU extends LeakyReLUBase {
  static readonly className = 'LeakyReLU'
  /** @internal */
  static override readonly traits: LayerTraits<LeakyReLU> = {
    form: ELEMENTWISE,
    unitFlow: () => KEEPS,
  }

  protected override checkOptions(): void {
    if (this.alpha === null) return
    warnOnce('LeakyReLU: alpha is the name of negativeSlope in Keras 2. Write negativeSlope')
    Object.assign(this, { negativeSlope: this.alpha, alpha: null })
  }

  override getConfig(): Config {
    return withoutOptions(super.getConfig(), ['alpha'])
  }

  call(x: Tensor): Tensor {
    return leakyRelu(cast(x, 'float32'), this.negativeSlope)
  }
}

const ELUBase = configured(
  Layer<Tensor>,
  () => ({
    /** The output saturates at −alpha. Default 1. */
    alpha: option(number(), 1),
  }),
  ['alpha'],
)

/** x where x > 0, alpha (eˣ − 1) elsewhere. Keras: `keras.layers.ELU`. */
export class ELU extends ELUBase {
  static readonly className = 'ELU'
  /** @internal */
  static override readonly traits: LayerTraits<ELU> = {
    form: ELEMENTWISE,
    unitFlow: ({ alpha }) => ({ ...KEEPS, scales: alpha === 0 }),
  }

  call(x: Tensor): Tensor {
    return elu(cast(x, 'float32'), this.alpha)
  }
}

const axes = /* @__PURE__ */ listOf(/* @__PURE__ */ integer({ min: 1 }))

const PReLUBase = configured(
  Layer<Tensor>,
  () => ({
    /** Default zeros. */
    alphaInitializer: option(initializer, 'zeros'),
    /** A penalty on alpha. Default null. */
    alphaRegularizer: option(regularizer, null),
    /** Applied to alpha after every update. Default null. */
    alphaConstraint: option(constraint, null),
    /** One axis or several along which alpha is shared; the batch axis is 0. Default null: no axis. */
    sharedAxes: option(
      nullable(
        custom<readonly number[], number | readonly number[]>(
          (value, where) => axes.read(typeof value === 'number' ? [value] : value, where),
          (value) => value,
        ),
      ),
      null,
    ),
  }),
  ['alphaInitializer', 'alphaRegularizer', 'alphaConstraint', 'sharedAxes'],
)

/**
 * x where x > 0, alpha · x elsewhere, with one learnt alpha for each element of a sample; along the shared axes all
 * elements have one alpha: `new PReLU({ sharedAxes: [1, 2] })` learns one alpha for each channel of an image. He et al.
 * 2015.
 *
 * Keras: `keras.layers.PReLU`.
 */
export class PReLU extends PReLUBase {
  static readonly className = 'PReLU'
  /** @internal */
  static override readonly traits: LayerTraits<PReLU> = {
    form: ELEMENTWISE,
    requiredInputs(layer) {
      const { buildShape } = layer
      if (buildShape === null) return null
      const { sharedAxes } = layer
      // Keras lists none if no axis is shared.
      const axes =
        sharedAxes === null ? [] : [...buildShape.keys()].filter((axis) => axis > 0 && !sharedAxes.includes(axis))
      return { ndim: buildShape.length, ...(axes.length === 0 ? {} : extentsAt(buildShape, axes)) }
    },
    // An alpha for each place as well cannot be divided by units alone.
    unitFlow(layer) {
      const { shape } = layer.alpha
      if (shape.slice(0, -1).some((extent) => extent !== 1)) return null
      return shape.at(-1) === 1 ? KEEPS : { ...KEEPS, along: unitAxes(-1, layer.alpha) }
    },
    checkShape(layer, shape, built) {
      requireSameRank(layer, shape, built)
      const shared = (layer.sharedAxes ?? []).map((axis) => normalizeAxis(`${layer}: sharedAxes`, axis, built.length))
      requireExtents(
        layer,
        shape,
        built,
        built.map((_, i) => i).filter((i) => i > 0 && !shared.includes(i)),
      )
    },
  }
  private alphaVariable: Variable | null = null

  /** The slopes: the shape of a sample, 1 along the shared axes. */
  get alpha(): Variable {
    return this.requireBuilt(this.alphaVariable)
  }

  override build(inputShape: BatchShape): void {
    const shared = (this.sharedAxes ?? []).map((axis) => normalizeAxis(`${this}: sharedAxes`, axis, inputShape.length))
    const shape = inputShape.slice(1).map((extent, i) => {
      if (shared.includes(i + 1)) return 1
      if (extent !== null) return extent
      throw new ShapeError(
        `${this}: axis ${i + 1} of the input must be known, or be among sharedAxes, received ${formatShape(inputShape)}`,
      )
    })
    this.alphaVariable = this.addWeight({
      name: 'alpha',
      shape,
      initializer: this.alphaInitializer,
      regularizer: this.alphaRegularizer,
      constraint: this.alphaConstraint,
    })
  }

  call(x: Tensor): Tensor {
    // max(x, 0) − alpha · max(−x, 0)
    return subtract(relu(x), multiply(this.alpha, relu(negative(x))))
  }
}
