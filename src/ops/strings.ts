// String inputs of models. No kernel computes with strings: layers that read them convert them to numbers in
// JavaScript before a step runs, and the step is traced with the numbers.

import { DataError, StateError, formatShape, quoted } from '../core/errors'
import { sizeOf, type Shape } from '../core/shapes'
import { Tensor } from './tensor'

/** Strings to any depth. */
export type NestedStrings = string | readonly NestedStrings[]

/** An array of strings with a shape. */
export class StringTensor extends Tensor {
  constructor(
    readonly strings: readonly string[],
    shape: Shape,
  ) {
    super(new Int32Array(0), shape, 'string')
  }

  /** Nested arrays of the strings. */
  override toArray<Nested>(): Nested
  override toArray(): unknown {
    return this.nest((at) => this.strings[at]!)
  }

  override toString(): string {
    const shown = this.strings.slice(0, 8).map(quoted)
    return `Tensor string ${formatShape(this.shape)} [${shown.join(', ')}${this.strings.length > 8 ? ', …' : ''}]`
  }

  /** The rows from `start` to `end`. */
  rows(start: number, end: number): StringTensor {
    const width = sizeOf(this.shape.slice(1))
    return new StringTensor(this.strings.slice(start * width, end * width), [end - start, ...this.shape.slice(1)])
  }
}

/** The most axes of strings: a list that contains itself has no end. */
const DEEPEST = 32

/**
 * Converts nested arrays of strings to a tensor.
 * @param where names the input in errors
 * @throws DataError for a value that is not a string, and for ragged arrays
 */
export function toStrings(values: unknown, where: string): StringTensor {
  if (values instanceof StringTensor) return values
  const shape: number[] = []
  for (let first = values; Array.isArray(first) && shape.length < DEEPEST; first = first[0] as unknown)
    shape.push(first.length)
  const strings: string[] = []
  const visit = (value: unknown, axis: number, path: string): void => {
    if (axis === shape.length) {
      if (typeof value === 'string') return void strings.push(value)
      throw new DataError(
        `${where}: ${path === '' ? 'the input' : `element ${path}`} must be a string, received ${quoted(value)}`,
      )
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const received = Array.isArray(value) ? `an array of length ${value.length}` : quoted(value)
      throw new DataError(
        `${where}: the nested arrays are ragged. The first elements imply the shape ${formatShape(shape)}, so ${path} must be an array of length ${shape[axis]}, received ${received}`,
      )
    }
    value.forEach((child: unknown, i) => visit(child, axis + 1, `${path}[${i}]`))
  }
  visit(values, 0, '')
  return new StringTensor(strings, shape)
}

/** Whether the first element of nested arrays is a string. */
export function beginsWithString(values: unknown): boolean {
  let first = values
  for (let depth = 0; Array.isArray(first) && depth < DEEPEST; depth++) first = first[0] as unknown
  return typeof first === 'string'
}

/** Strings in the rank of an input: [n] and [n, 1] are interchangeable. */
export function fitStrings(strings: StringTensor, rank: number): StringTensor {
  const { shape } = strings
  if (shape.length === 1 && rank === 2) return new StringTensor(strings.strings, [...shape, 1])
  return shape.length === 2 && rank === 1 && shape[1] === 1 ? new StringTensor(strings.strings, [shape[0]!]) : strings
}

/** Converts strings to numbers. */
export interface StringReader {
  /** [batch, …] strings → numbers, with the same number of rows. */
  readStrings(strings: StringTensor): Tensor
  /** The shape of those numbers, as far as it follows from that of the strings. @internal */
  readShape(shape: readonly (number | null)[]): readonly (number | null)[]
}

/** The strings of a traced step, with the numbers to which each reader converted them. */
export class PreparedStrings extends Tensor {
  constructor(
    shape: Shape,
    private readonly results: ReadonlyMap<StringReader, Tensor>,
  ) {
    super(new Int32Array(0), shape, 'string')
  }

  /** @throws StateError for a reader that was not found before the step */
  resultOf(reader: StringReader): Tensor {
    const result = this.results.get(reader)
    if (result === undefined)
      throw new StateError(
        `${String(reader)} reads strings that were not prepared before the step. Call it on the same string input in every call`,
      )
    return result
  }
}

/** The layers that read each symbol of strings. */
const readers = /* @__PURE__ */ new WeakMap<Tensor, StringReader[]>()

/** Called when a layer reads a symbol of strings. */
export function noteReader(strings: Tensor, reader: StringReader): void {
  const known = readers.get(strings)
  if (known === undefined) readers.set(strings, [reader])
  else if (!known.includes(reader)) known.push(reader)
}

/** The layers that read a symbol of strings, in the order of their first calls. */
export function readersOf(strings: Tensor): readonly StringReader[] {
  return readers.get(strings) ?? []
}
