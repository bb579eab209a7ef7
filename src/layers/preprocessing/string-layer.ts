// The base of layers that read strings. They convert strings to numbers in JavaScript before a step runs; what follows
// is traced like any layer.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sizeOf, type Shape } from '../../core/shapes'
import type { TensorLike } from '../../ops/convert'
import { full } from '../../ops/numpy/shape'
import {
  PreparedStrings,
  StringTensor,
  noteReader,
  toStrings,
  type NestedStrings,
  type StringReader,
} from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../call-options'
import { isInferring, type CallContext } from '../context'
import type { BatchShape } from '../spec'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

/** Nested arrays of strings as a tensor. */
export function stringsIn(layer: object, input: unknown): Tensor {
  return input instanceof Tensor ? input : toStrings(input, String(layer))
}

/** Strings [batch, …] → numbers. */
export abstract class StringLayer extends Layer<Tensor> implements StringReader {
  /** @internal */
  static override readonly traits: LayerTraits<StringLayer> = {
    form: TENSOR,
    inputDtype: () => 'string',
    toTensors: stringsIn,
  }

  /** Strings → numbers, in JavaScript. */
  abstract readStrings(strings: StringTensor): Tensor

  /** The shape of the result of readStrings, as far as it follows from that of the strings. @internal */
  abstract readShape(shape: BatchShape): BatchShape

  /** The output for those numbers; traced. */
  protected abstract encode(numbers: Tensor): Tensor

  /** Like `apply` of every layer; also takes a string, or nested arrays of strings. */
  override apply(input: TensorLike | NestedStrings, options: ApplyOptions | CallContext = {}): Tensor {
    return this.applyTo([input, options])
  }

  call(x: Tensor): Tensor {
    if (x instanceof StringTensor) return this.encode(this.readStrings(x))
    if (x instanceof PreparedStrings) return this.encode(x.resultOf(this))
    if (x.dtype !== 'string')
      throw new ArgumentError(
        `${this}: the input must be strings, received ${x.dtype} ${formatShape(x.shape)}. Set dtype: 'string' in Input.`,
      )
    // Only the shape is known: the model is being traced, and no step runs.
    noteReader(x, this)
    return this.encode(
      full(
        this.readShape(x.shape).map((extent) => extent ?? openWidth(x.shape)),
        0,
        'int32',
      ),
    )
  }
}

/**
 * The width of a row that only data determine: enough for the windows of later layers, and different for the second
 * trace.
 */
function openWidth([batch = 1]: Shape): number {
  return isInferring() ? 64 * batch : 64
}

/** The strings of each sample. */
export function rowsOf({ strings, shape }: StringTensor): readonly (readonly string[])[] {
  const width = sizeOf(shape.slice(1))
  return Array.from({ length: shape[0] ?? 1 }, (_, i) => strings.slice(i * width, (i + 1) * width))
}

/** Data of `adapt` as strings. A single string is a batch of one. */
export function adaptedStrings(part: unknown, where: string): StringTensor {
  return toStrings(typeof part === 'string' ? [part] : part, where)
}

/** @throws ShapeError unless the strings are [batch] or [batch, values] */
export function requireRows(where: string, shape: Shape | BatchShape): void {
  if (shape.length === 1 || shape.length === 2) return
  throw new ShapeError(`${where}: the input must be [batch] or [batch, strings], received ${formatShape(shape)}`)
}
