// The base of layers whose input is a list of tensors: the checks that all of them share.

import { ArgumentError } from '../../core/errors'
import type { Shape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import { asTensor } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { requireMask } from '../checks'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import { isBatchShape } from '../spec'

/** A list of tensors → one tensor. */
export abstract class ListLayer extends Layer<readonly Tensor[]> {
  override readonly supportsMasking: boolean = true

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
    const given: readonly unknown[] = inputShapes
    const isList = given.length > 0 && !isBatchShape(given)
    if (isList && (inputCount === null || given.length === inputCount)) return inputShapes
    const received = isList ? String(given.length) : given.length === 0 ? 'none' : 'a single tensor'
    throw new ArgumentError(
      `${this}: needs a list of ${inputCount === null ? 'tensors' : `exactly ${inputCount} tensors`}, received ${received}`,
    )
  }

  // In a list of arrays, each array is an input; it is not a row of one input.
  protected override toTensors(input: unknown): Tree<unknown> {
    return Array.isArray(input) ? input.map((each: TensorLike) => asTensor(each, String(this))) : super.toTensors(input)
  }

  /** One mask or null for each input. */
  protected masksOf(inputs: readonly Tensor[], mask: Tree<Tensor | null>): readonly (Tensor | null)[] {
    return mask === null ? inputs.map(() => null) : (mask as readonly (Tensor | null)[])
  }

  // A mask may have fewer axes than its input: the last ones are missing.
  protected override checkMask(mask: Tensor, shape: Shape, path: string): void {
    requireMask(this, mask, ['the first axes of the input'], shape.slice(0, mask.rank), { path, mayBroadcast: true })
  }
}
