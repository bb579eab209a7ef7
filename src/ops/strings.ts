// Strings on their way to a model. No kernel computes with them: the layers that read them make numbers of them in JavaScript,
// before a step runs, and a step is traced with the numbers.

import { DataError, ShapeError, StateError, formatShape, quoted } from '../core/errors'
import { scoped } from '../core/scope'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
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
  override toArray<Nested>(): Nested {
    return this.nest((at) => this.strings[at]!) as Nested
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

/**
 * Nested arrays of strings as a tensor.
 * @param where names them in errors
 * @throws DataError for what is no string, and for ragged arrays
 */
export function toStrings(values: unknown, where: string): StringTensor {
  if (values instanceof StringTensor) return values
  const shape: number[] = []
  for (let first = values; Array.isArray(first); first = first[0] as unknown) shape.push(first.length)
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
        `${where}: the nested arrays are ragged. By its first elements the shape is ${formatShape(shape)}, so ${path} must be an array of length ${shape[axis]}, received ${received}`,
      )
    }
    value.forEach((child: unknown, i) => visit(child, axis + 1, `${path}[${i}]`))
  }
  visit(values, 0, '')
  return new StringTensor(strings, shape)
}

/** Whether nested arrays begin with a string. */
export function beginsWithString(values: unknown): boolean {
  let first = values
  while (Array.isArray(first)) first = first[0] as unknown
  return typeof first === 'string'
}

/** Strings to the shape that an input has: [n] may stand for [n, 1], and [n, 1] for [n]. */
export function fitStrings(strings: StringTensor, rank: number): StringTensor {
  const { shape } = strings
  if (shape.length === 1 && rank === 2) return new StringTensor(strings.strings, [...shape, 1])
  return shape.length === 2 && rank === 1 && shape[1] === 1 ? new StringTensor(strings.strings, [shape[0]!]) : strings
}

/** What reads strings: makes numbers of them. */
export interface StringReader {
  /** [batch, …] strings → numbers, a row for each of theirs */
  readStrings(strings: StringTensor): Tensor
}

/** Strings in a step that is traced: what each of their readers made of them. */
export class PreparedStrings extends Tensor {
  constructor(
    shape: Shape,
    private readonly results: ReadonlyMap<StringReader, Tensor>,
  ) {
    super(new Int32Array(0), shape, 'string')
  }

  /** @throws StateError for a reader that was not known before the step */
  resultOf(reader: StringReader): Tensor {
    const result = this.results.get(reader)
    if (result === undefined)
      throw new StateError(
        `${String(reader)} reads strings that it was not known to read: it must get them from the input of the model, whatever the data are`,
      )
    return result
  }
}

type Hear = (strings: Tensor, reader: StringReader) => void
const hearing = scoped<Hear | null>(null)

/** Tells who reads which symbols of strings while `body` runs. */
export function hearingReaders<Result>(hear: Hear, body: () => Result): Result {
  return hearing.within(hear, body)
}

/** Says that a reader met a symbol of strings. */
export function noteReader(strings: Tensor, reader: StringReader): void {
  hearing.current?.(strings, reader)
}

/** @throws ShapeError for strings of more axes than a reader takes */
export function requireRank(where: string, { shape }: Tensor, most: number): void {
  if (shape.length <= most) return
  throw new ShapeError(`${where}: the input must have at most ${most} axes, received ${formatShape(shape)}`)
}
