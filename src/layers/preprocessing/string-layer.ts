// The base of layers that read strings. Their numbers are made in JavaScript, before a step runs, and what is done with the
// numbers is traced as in every layer.

import type { DType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import type { Shape } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import { full } from '../../ops/shape'
import type { NestedStrings, StringReader } from '../../ops/strings'
import { PreparedStrings, StringTensor, noteReader, toStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { isProbing } from '../context'
import { TensorLayer } from '../core/tensor-layer'
import type { BatchShape } from '../spec'

/** Strings [batch, …] → numbers. */
export abstract class StringLayer extends TensorLayer implements StringReader {
  override get inputDtype(): DType {
    return 'string'
  }

  /** Strings → numbers, in JavaScript. */
  abstract readStrings(strings: StringTensor): Tensor

  /** The shape of what readStrings gives, where it follows from that of the strings. */
  protected abstract readShape(shape: BatchShape): BatchShape

  /** What the layer makes of those numbers; traced. */
  protected abstract encode(numbers: Tensor): Tensor

  /** As of every layer; also of a string, or of nested arrays of them. */
  override apply(input: TensorLike | NestedStrings, options: ApplyOptions | CallContext = {}): Tensor {
    return super.apply(input as TensorLike, options)
  }

  call(x: Tensor): Tensor {
    if (x instanceof StringTensor) return this.encode(this.readStrings(x))
    if (x instanceof PreparedStrings) return this.encode(x.resultOf(this))
    if (x.dtype !== 'string')
      throw new ArgumentError(
        `${this}: the input must be strings, received ${x.dtype} ${formatShape(x.shape)}. Say dtype: 'string' of the Input.`,
      )
    // Nothing is known but the shape: the model is being looked at, and no step runs.
    noteReader(x, this)
    return this.encode(
      full(
        this.readShape(x.shape).map((extent) => extent ?? openWidth(x.shape)),
        0,
        'int32',
      ),
    )
  }

  /** Nested arrays of strings may stand for a tensor. @internal */
  protected override toTensors(input: unknown): Tree<unknown> {
    return input instanceof Tensor ? input : toStrings(input, String(this))
  }
}

/** Numbers of a row where only data tell: enough for the windows of later layers, and others in the second of two looks. */
function openWidth([batch = 1]: Shape): number {
  return isProbing() ? 64 * batch : 64
}

/** @throws ShapeError for strings of more axes than [batch], or [batch, values] */
export function requireRows(where: string, shape: Shape | BatchShape): void {
  if (shape.length === 1 || shape.length === 2) return
  throw new ShapeError(`${where}: the input must be [batch] or [batch, strings], received ${formatShape(shape)}`)
}
