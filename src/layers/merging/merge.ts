// Add, Subtract, Multiply, Average, Maximum, Minimum: layers that fold a list of inputs, element by element, into one.

import { longerTrail } from '../masks'
import { commonType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { flatten, type Tree } from '../../core/tree'
import { asTensor, type TensorLike } from '../../ops/convert'
import { add, divide, logicalOr, maximum, minimum, multiply, subtract, where } from '../../ops/numpy/elementwise'
import { broadcastTo, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import { requireMask } from '../checks'
import type { ApplyOptions, SeparateInputs } from '../call-options'
import { LISTED } from '../forms'
import { Layer, type InputsOf } from '../layer'
import { isBatchShape, type BatchShape } from '../spec'
import type { UnitFlow } from '../units'
import type { LayerTraits } from '../traits'
import { tensorsIn } from '../applying'

/** Inserts extents of 1 after the batch axis up to `rank` axes: [b, 5] → [b, 1, 5]. */
function widened<Extent>(shape: readonly Extent[], rank: number): readonly (Extent | 1)[] {
  return [...shape.slice(0, 1), ...new Array<1>(rank - shape.length).fill(1), ...shape.slice(1)]
}

/** A mask [batch, …] of x, broadcast to the shape of x. */
function wideMask(mask: Tensor, { shape }: Tensor): Tensor {
  return broadcastTo(
    reshape(mask, [...mask.shape, ...new Array<number>(Math.max(0, shape.length - mask.rank)).fill(1)]),
    shape,
  )
}

/**
 * The base of layers that combine a list of tensors into one. They fold their inputs element by element unless they override
 * `call`: shapes must be equal or broadcast, and an input with fewer axes gets axes of extent 1 after the batch axis. The
 * mask of the result is the disjunction of the masks, if all inputs have one. Keras: `keras.layers.Merge`.
 */
export abstract class Merge extends Layer<readonly Tensor[]> {
  /** @internal */
  static override readonly traits: LayerTraits<Merge> = {
    form: LISTED,
    // In a list of arrays, each array is an input; it is not a row of one input.
    toTensors(layer, input) {
      return Array.isArray(input)
        ? input.map((each: TensorLike) => asTensor(each, String(layer)))
        : tensorsIn(layer, input)
    },
    // A mask may have fewer axes than its input: the last ones are missing.
    checkMask(layer, mask, shape, path) {
      requireMask(layer, mask, ['the first axes of the input'], shape.slice(0, mask.rank), { path, mayBroadcast: true })
    },
    outputDtype: (_layer, inputs) => commonType(['int32', ...inputs]),
    // Keras combines the masks pairwise, from the first to the last.
    maskTrail(_layer, _inputs, masks) {
      const all = masks.filter((mask) => mask !== null)
      return all.length < masks.length ? null : longerTrail(all.map((mask, i) => [mask, all.length - Math.max(i, 1)]))
    },
  }
  override readonly supportsMasking: boolean = true

  /**
   * Merges the inputs, which have the same rank.
   * @param masks of their inputs' shapes; null for an input without a mask
   */
  protected abstract merge(inputs: readonly Tensor[], masks: readonly (Tensor | null)[]): Tensor

  /** The required number of inputs; null for any number from 1 on. */
  protected get inputCount(): number | null {
    return null
  }

  // Refuses shapes that do not fit before anything is computed.
  override build(inputShapes: readonly BatchShape[]): void {
    this.computeOutputShape(inputShapes)
  }

  /** The shapes of the inputs. @throws ArgumentError for another number of inputs than the layer takes */
  protected requireList(inputShapes: readonly BatchShape[]): readonly BatchShape[] {
    const { inputCount } = this
    const received = inputsIn(inputShapes)
    if (inputCount === null ? typeof received === 'number' : received === inputCount) return inputShapes
    throw new ArgumentError(
      `${this}: needs a list of ${inputCount === null ? 'tensors' : `exactly ${inputCount} tensors`}, received ${received}`,
    )
  }

  override apply(inputs: InputsOf<readonly Tensor[]>, options?: ApplyOptions | CallContext): Tensor
  override apply(...inputs: SeparateInputs): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(args)
  }

  /** One mask or null for each input. */
  protected masksOf(inputs: readonly Tensor[], mask: Tree<Tensor | null>): readonly (Tensor | null)[] {
    const masks = flatten<Tensor | null>(mask)
    return inputs.map((_, i) => masks[i] ?? null)
  }

  call(inputs: readonly Tensor[], context: CallContext): Tensor {
    this.computeOutputShape(inputs.map(({ shape }) => shape))
    return this.mergeAligned(inputs, this.masksOf(inputs, context.mask))
  }

  /** Gives all inputs and masks the same rank, and merges them. @internal */
  protected mergeAligned(inputs: readonly Tensor[], masks: readonly (Tensor | null)[]): Tensor {
    const rank = Math.max(...inputs.map((x) => x.rank))
    const aligned = (x: Tensor): Tensor => (x.rank === rank ? x : reshape(x, widened(x.shape, rank)))
    return this.merge(
      inputs.map(aligned),
      masks.map((mask, i) => (mask === null ? null : aligned(wideMask(mask, inputs[i]!)))),
    )
  }

  override computeOutputShape(inputShapes: readonly BatchShape[]): BatchShape {
    const shapes = this.requireList(inputShapes)
    const rank = Math.max(...shapes.map((shape) => shape.length))
    return shapes
      .map((shape): BatchShape => widened(shape, rank))
      .reduce((all, shape) => all.map((extent, axis) => this.commonExtent(extent, shape[axis]!, shapes)))
  }

  /** The extent that two extents broadcast to; an open one becomes the other. */
  private commonExtent(a: number | null, b: number | null, shapes: readonly BatchShape[]): number | null {
    if (a === b || b === 1) return a
    if (a === 1 || a === null) return b
    if (b === null) return a
    throw new ShapeError(
      `${this}: the shapes of the inputs must be equal or broadcast, received ${shapes.map(formatShape).join(' and ')}`,
    )
  }

  override computeMask(inputs: readonly Tensor[], mask: Tree<Tensor | null>): Tensor | null {
    const rank = Math.max(...inputs.map((x) => x.rank))
    const masks = this.masksOf(inputs, mask).map((each, i) => {
      const missing = rank - inputs[i]!.rank
      return each === null || missing === 0 ? each : reshape(each, widened(each.shape, each.rank + missing))
    })
    return masks.reduce((all, each) => (all === null || each === null ? null : logicalOr(all, each)))
  }
}

/** The number of shapes in a list; for other inputs what they are, for errors. */
function inputsIn(inputShapes: readonly unknown[]): number | string {
  if (inputShapes.length === 0) return 'none'
  if (isBatchShape(inputShapes)) return 'a single tensor'
  return inputShapes.every(isBatchShape) ? inputShapes.length : 'lists or records in the list'
}

/** The units of all inputs meet; a common factor of all inputs becomes a factor of the result. */
const JOINS: UnitFlow = { kind: 'joins', scales: true }

/** x₀ + x₁ + … Keras: `keras.layers.Add`. */
export class Add extends Merge {
  static readonly className = 'Add'
  /** @internal */
  static override readonly traits: LayerTraits<Add> = {
    unitFlow: () => JOINS,
  }

  protected merge(inputs: readonly Tensor[]): Tensor {
    return inputs.reduce(add)
  }
}

/** x₀ − x₁, of exactly two inputs. Keras: `keras.layers.Subtract`. */
export class Subtract extends Merge {
  static readonly className = 'Subtract'
  /** @internal */
  static override readonly traits: LayerTraits<Subtract> = {
    unitFlow: () => JOINS,
  }

  protected override get inputCount(): number {
    return 2
  }

  protected merge(inputs: readonly Tensor[]): Tensor {
    return inputs.reduce((a, b) => subtract(a, b))
  }
}

/** (x₀ + x₁ + …) / n, in float32. Keras: `keras.layers.Average`. */
export class Average extends Merge {
  static readonly className = 'Average'
  /** @internal */
  static override readonly traits: LayerTraits<Average> = {
    unitFlow: () => JOINS,
    outputDtype: () => 'float32',
  }

  protected merge(inputs: readonly Tensor[]): Tensor {
    return divide(inputs.reduce(add), inputs.length)
  }
}

/**
 * x₀ · x₁ · … A masked element counts as 1; if all inputs have masks, the product is 0 where all are masked. Keras:
 * `keras.layers.Multiply`.
 */
export class Multiply extends Merge {
  static readonly className = 'Multiply'
  /** @internal */
  static override readonly traits: LayerTraits<Multiply> = {
    unitFlow: () => ({ kind: 'joins', scales: false }),
  }

  protected merge(inputs: readonly Tensor[], masks: readonly (Tensor | null)[]): Tensor {
    const product = inputs
      .map((x, i) => (masks[i] == null ? x : where(masks[i], x, 1)))
      .reduce((a, b) => multiply(a, b))
    const counts = masks.reduce((all, mask) => (all === null || mask === null ? null : logicalOr(all, mask)))
    return counts === null ? product : where(counts, product, 0)
  }
}

/** The largest or smallest of all elements that are not masked. */
function extreme(
  choose: (a: Tensor, b: Tensor) => Tensor,
  inputs: readonly Tensor[],
  masks: readonly (Tensor | null)[],
): Tensor {
  let best = inputs[0]!
  let counts = masks[0] ?? null
  inputs.slice(1).forEach((input, i) => {
    const mask = masks[i + 1] ?? null
    const x = mask === null ? input : where(mask, input, best)
    if (counts !== null) best = where(counts, best, x)
    counts = mask === null || counts === null ? null : logicalOr(counts, mask)
    best = choose(best, x)
  })
  return best
}

/** max(x₀, x₁, …) Keras: `keras.layers.Maximum`. */
export class Maximum extends Merge {
  static readonly className = 'Maximum'
  /** @internal */
  static override readonly traits: LayerTraits<Maximum> = {
    unitFlow: () => JOINS,
  }

  protected merge(inputs: readonly Tensor[], masks: readonly (Tensor | null)[]): Tensor {
    return extreme(maximum, inputs, masks)
  }
}

/** min(x₀, x₁, …) Keras: `keras.layers.Minimum`. */
export class Minimum extends Merge {
  static readonly className = 'Minimum'
  /** @internal */
  static override readonly traits: LayerTraits<Minimum> = {
    unitFlow: () => JOINS,
  }

  protected merge(inputs: readonly Tensor[], masks: readonly (Tensor | null)[]): Tensor {
    return extreme(minimum, inputs, masks)
  }
}
