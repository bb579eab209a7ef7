// The base of layers whose input is a list of tensors: what all of them check. What they make of the list is in the others.

import { ArgumentError } from '../../core/errors'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import { asTensor } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import { isBatchShape } from '../spec'

/** A list of tensors → one tensor. */
export abstract class ListLayer extends Layer<readonly Tensor[]> {
  override readonly supportsMasking: boolean = true

  /** How many inputs there must be; null where any number from one on will do. */
  protected get inputCount(): number | null {
    return null
  }

  // Shapes that do not fit are refused before anything is computed.
  override build(inputShapes: readonly BatchShape[]): void {
    this.computeOutputShape(inputShapes)
  }

  /** The shapes of the inputs. @throws ArgumentError unless there are as many as the layer takes */
  protected requireList(inputShapes: readonly BatchShape[]): readonly BatchShape[] {
    const { inputCount } = this
    const given: readonly unknown[] = inputShapes
    const isList = given.length > 0 && !isBatchShape(given)
    if (isList && (inputCount === null || given.length === inputCount)) return inputShapes
    const received = isList ? String(given.length) : given.length === 0 ? 'none' : 'a single tensor'
    throw new ArgumentError(`${this}: needs a list of ${inputCount === null ? 'tensors' : `exactly ${inputCount} tensors`}, received ${received}`)
  }

  // Rows of numbers are an input each, not the rows of one.
  protected override toTensors(input: unknown): Tree<unknown> {
    return Array.isArray(input) ? input.map((each: TensorLike) => asTensor(each, String(this))) : super.toTensors(input)
  }

  /** One mask or null for each input. @throws ArgumentError for masks that are no list of as many */
  protected masksOf(inputs: readonly Tensor[], mask: Tree<Tensor | null>): readonly (Tensor | null)[] {
    if (mask === null) return inputs.map(() => null)
    if (Array.isArray(mask) && mask.length === inputs.length) return mask as readonly (Tensor | null)[]
    throw new ArgumentError(`${this}: the mask must be a list of ${inputs.length}, one or null for each input`)
  }
}
