// ZeroPadding and Cropping: add or remove elements at the sides of spatial axes.

import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { configured, custom, integer, listOf, option, type Kind } from '../../core/options'
import { MAX_ELEMENTS } from '../../core/shapes'
import { padSides } from '../../ops/nn/sliding'
import { slice } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { REARRANGING } from '../forms'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import { alongSpace, shapeAlongSpace, spatialOptions, flowOfChannels } from '../spatial'
import { knownShape, type BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

type Side = readonly [before: number, after: number]
type SidesInput = number | readonly number[] | readonly (readonly number[])[]

/**
 * The number of elements before and after each of `rank` axes: one number for all; one for each axis, for both sides;
 * or [before, after] for each. For a single axis, [before, after] alone.
 */
function sides(rank: number): Kind<readonly Side[], SidesInput> {
  const one = integer({ min: 0, max: MAX_ELEMENTS })
  const pair = listOf(one, 2)
  const pairOf = (value: unknown, where: string): Side => {
    if (typeof value === 'number') return [one.read(value, where), one.read(value, where)]
    const [before, after] = pair.read(value, where)
    return [before!, after!]
  }
  return custom<readonly Side[], SidesInput>(
    (value, where) => {
      if (typeof value === 'number') return Array.from({ length: rank }, () => pairOf(value, where))
      if (!Array.isArray(value))
        throw new ArgumentError(`${where} must be a number, or a list for the axes, received ${quoted(value)}`)
      if (rank === 1 && value.length === 2 && value.every((each) => typeof each === 'number'))
        return [pairOf(value, where)]
      if (value.length !== rank)
        throw new ArgumentError(`${where} must be one number or a list of ${rank}, received ${quoted(value)}`)
      return value.map((each: unknown, i) => pairOf(each, `${where}[${i}]`))
    },
    (value) => (rank === 1 ? [...value[0]!] : value.map((each) => [...each])),
  )
}

const SidesLayerBase = configured(Layer<Tensor>, spatialOptions)

/** Adds elements at the sides of spatial axes, or removes them. */
abstract class SidesLayer extends SidesLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<SidesLayer> = {
    form: REARRANGING,
    unitFlow: flowOfChannels,
    requiredInputs: (layer) => ({ ndim: layer.sides.length + 2 }),
  }
  declare readonly padding?: readonly Side[]
  declare readonly cropping?: readonly Side[]

  /** How many elements are added: a negative number of them is removed. */
  private get sides(): readonly Side[] {
    return this.padding ?? this.cropping!.map(([before, after]) => [-before, -after])
  }

  call(x: Tensor): Tensor {
    const { padding, cropping = [] } = this
    const cut = alongSpace(this, this.sides.length, x, (last) =>
      padding === undefined
        ? slice(last, [0, ...cropping.map(([before]) => before), 0], knownShape(this.shapeOf(last.shape)))
        : padSides(last, padding),
    )
    return sameIndices(cut, x)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.sides.length, inputShape, (shape) => this.shapeOf(shape))
  }

  /** [batch, …spatial, channels] → the same with other extents. @throws ShapeError if nothing is left of an axis */
  private shapeOf(inputShape: BatchShape): BatchShape {
    const lengths = inputShape
      .slice(1, -1)
      .map((extent, i) => (extent === null ? null : extent + this.sides[i]![0] + this.sides[i]![1]))
    if (lengths.every((length) => length === null || length >= 1))
      return [inputShape[0]!, ...lengths, inputShape.at(-1)!]
    throw new ShapeError(
      `${this}: nothing would be left of ${formatShape(inputShape)} without ${quoted(this.cropping)} at its sides`,
    )
  }
}

const ZeroPadding1DBase = configured(
  SidesLayer,
  () => ({
    /** How many zeros: one number for both sides, or [before, after]. Default 1. */
    padding: option(sides(1), 1),
  }),
  ['padding', 'dataFormat'],
)

/**
 * Zeros before and after: x [batch, steps, channels] → [batch, before + steps + after, channels]. Keras:
 * `keras.layers.ZeroPadding1D`.
 */
export class ZeroPadding1D extends ZeroPadding1DBase {
  static readonly className = 'ZeroPadding1D'
}

const ZeroPadding2DBase = configured(
  SidesLayer,
  () => ({
    /** How many zeros: one number, [rows, columns], or [[top, bottom], [left, right]]. Default 1. */
    padding: option(sides(2), 1),
  }),
  ['padding', 'dataFormat'],
)

/** Zeros around an image, x [batch, rows, columns, channels]. Keras: `keras.layers.ZeroPadding2D`. */
export class ZeroPadding2D extends ZeroPadding2DBase {
  static readonly className = 'ZeroPadding2D'
}

const ZeroPadding3DBase = configured(
  SidesLayer,
  () => ({
    /** How many zeros: one number, one for each axis, or [before, after] for each. Default 1. */
    padding: option(sides(3), 1),
  }),
  ['padding', 'dataFormat'],
)

/** Zeros around a volume, x [batch, depth, rows, columns, channels]. Keras: `keras.layers.ZeroPadding3D`. */
export class ZeroPadding3D extends ZeroPadding3DBase {
  static readonly className = 'ZeroPadding3D'
}

const Cropping1DBase = configured(
  SidesLayer,
  () => ({
    /** How many steps: one number for both sides, or [before, after]. Default 1. */
    cropping: option(sides(1), 1),
  }),
  ['cropping'],
)

/**
 * Removes steps at both ends: x [batch, steps, channels] → [batch, steps − before − after, channels]. Keras:
 * `keras.layers.Cropping1D`.
 */
export class Cropping1D extends Cropping1DBase {
  static readonly className = 'Cropping1D'
}

const Cropping2DBase = configured(
  SidesLayer,
  () => ({
    /** How much: one number, [rows, columns], or [[top, bottom], [left, right]]. Default 0. */
    cropping: option(sides(2), 0),
  }),
  ['cropping', 'dataFormat'],
)

/** Crops an image, x [batch, rows, columns, channels]. Keras: `keras.layers.Cropping2D`. */
export class Cropping2D extends Cropping2DBase {
  static readonly className = 'Cropping2D'
}

const Cropping3DBase = configured(
  SidesLayer,
  () => ({
    /** How much: one number, one for each axis, or [before, after] for each. Default 1. */
    cropping: option(sides(3), 1),
  }),
  ['cropping', 'dataFormat'],
)

/** Crops a volume, x [batch, depth, rows, columns, channels]. Keras: `keras.layers.Cropping3D`. */
export class Cropping3D extends Cropping3DBase {
  static readonly className = 'Cropping3D'
}
