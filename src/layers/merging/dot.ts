// Dot: the products of two inputs, sample by sample, summed along an axis of each.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, configured, either, integer, listOf, option, required } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { cast, maximum, multiply, rsqrt, square } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { sum } from '../../ops/numpy/reduce'
import { moveAxis, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { knownShape, type BatchShape } from '../spec'
import { Merge } from './merge'
import type { LayerTraits } from '../traits'
import { exactly } from '../../core/tuples'

/** Shorter vectors are divided by this, not by their length. */
const SHORTEST = 1e-7

/** x / max(|x|, 10⁻⁷) along an axis. */
function normalized(x: Tensor, axis: number): Tensor {
  return multiply(x, rsqrt(maximum(sum(square(x), { axis, keepDims: true }), SHORTEST ** 2)))
}

const DotBase = configured(
  Merge,
  () => ({
    /** The axis to sum along: one for both inputs, or one for each. Not the batch axis. */
    axes: required(either(integer(), listOf(integer(), 2), (value) => typeof value === 'number')),
    /** Whether vectors are first scaled to length 1 along the axes. Default false. */
    normalize: option(boolean, false),
  }),
  ['axes', 'normalize'],
)

/**
 * Σₖ x[b, …, k] y[b, k, …] for each sample b, k along one axis of each: [batch, rows…, k], [batch, k, columns…] →
 * [batch, rows…, columns…]. Two inputs [batch, k] give [batch, 1].
 *
 *   new Dot({ axes: 1, normalize: true }).apply([a, b])      the cosine similarity of a and b
 *
 * Keras: `keras.layers.Dot`.
 */
export class Dot extends DotBase {
  static readonly className = 'Dot'
  /** @internal */
  static override readonly traits: LayerTraits<Dot> = {
    outputDtype: () => 'float32',
    maskTrail: () => null,
  }

  protected override get inputCount(): number {
    return 2
  }

  // Each input keeps its own axes.
  protected override mergeAligned(inputs: readonly Tensor[]): Tensor {
    return this.merge(inputs)
  }

  protected merge(inputs: readonly Tensor[]): Tensor {
    const [x, y] = exactly(inputs, 2)
    const [i, j] = this.axesOf([x.shape, y.shape])
    const [left, right] = this.normalize
      ? [normalized(x, i), normalized(y, j)]
      : [cast(x, 'float32'), cast(y, 'float32')]
    const batch = x.shape[0]!
    const k = x.shape[i]!
    // [batch, rows, k] · [batch, k, columns]
    const product = matmul(
      reshape(moveAxis(left, i, -1), [batch, -1, k]),
      reshape(moveAxis(right, j, 1), [batch, k, -1]),
    )
    return reshape(product, knownShape(this.computeOutputShape([x.shape, y.shape])))
  }

  private axesOf(inputShapes: readonly BatchShape[]): [number, number] {
    const shapes = this.requireList(inputShapes)
    const received = (): string => `received ${shapes.map(formatShape).join(' and ')}`
    const axes = shapes.map((shape, at) => {
      if (shape.length < 2) throw new ShapeError(`${this}: the inputs must be [batch, …], ${received()}`)
      return normalizeAxis(String(this), typeof this.axes === 'number' ? this.axes : this.axes[at]!, shape.length)
    })
    const [i, j] = exactly(axes, 2)
    if (i === 0 || j === 0) throw new ArgumentError(`${this}: axes must not name the batch axis`)
    const [k, other] = [shapes[0]![i]!, shapes[1]![j]!]
    const [batch, rows] = [shapes[0]![0]!, shapes[1]![0]!]
    if (k !== null && other !== null && k !== other)
      throw new ShapeError(
        `${this}: axis ${i} of the first input and axis ${j} of the second must be equal, ${received()}`,
      )
    if (batch !== null && rows !== null && batch !== rows)
      throw new ShapeError(`${this}: the batch sizes must be equal, ${received()}`)
    return [i, j]
  }

  override computeOutputShape(inputShapes: readonly BatchShape[]): BatchShape {
    const [i, j] = this.axesOf(inputShapes)
    const [x, y] = exactly(inputShapes, 2)
    const rest = [...x.slice(1).filter((_, axis) => axis + 1 !== i), ...y.slice(1).filter((_, axis) => axis + 1 !== j)]
    return [x[0] ?? y[0]!, ...(rest.length === 0 ? [1] : rest)]
  }

  override computeMask(): null {
    return null
  }
}
