// The weights of a module as bytes: float32, float16, or int8 with a scale for each column. And the JavaScript that writes them into
// memory as float32.

import { toFloat16 } from '../../core/half'
import { sizeOf } from '../../core/shapes'
import { blocksOf, type MemoryImage, type Segment } from '../image'
import { join } from '../wasm/bytes'

export type Precision = 'float32' | 'float16' | 'int8'

export interface PackedWeights {
  /** All of them, one after another. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Statements that take `weights`, the bytes, and write to `buffer`. */
  readonly text: string
}

const LARGEST_HALF = 65504
/** Smaller weights, such as biases, stay float32. */
const LEAST_ELEMENTS = 64

export function packWeights({ cells }: MemoryImage, precision: Precision): PackedWeights {
  const isRounded = (cell: MemoryImage['cells'][number]): boolean =>
    precision !== 'float32' && cell.dtype === 'float32' && cell.shape.length > 1 && sizeOf(cell.shape) >= LEAST_ELEMENTS
  const rounded = cells.filter(isRounded)
  const exact = blocksOf(cells.filter((cell) => !isRounded(cell)))
  const packed = rounded.map(({ bytes, shape }) => packedBytes(floatsOf(bytes), shape.at(-1)!, precision))
  return {
    bytes: join([...exact.map(({ bytes }) => bytes), ...packed]),
    text: [
      'let start = 0',
      ...(exact.length === 0 ? [] : exactLines(exact)),
      ...(rounded.length === 0
        ? []
        : [
            precision === 'int8' ? INT8 : FLOAT16,
            ...rounded.map(
              ({ address, shape }) =>
                `unpack(new Float32Array(buffer, ${address}, ${sizeOf(shape)})${precision === 'int8' ? `, ${shape.at(-1)!}` : ''})`,
            ),
          ]),
    ].join('\n'),
  }
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

function exactLines(blocks: readonly Segment[]): readonly string[] {
  const places = blocks.map(({ address, bytes }) => `[${address}, ${bytes.length}]`)
  return [
    `for (const [address, length] of [${places.join(', ')}]) {`,
    '  new Uint8Array(buffer, address, length).set(weights.subarray(start, start + length))',
    '  start += length',
    '}',
  ]
}

/** int8: the scale of each column, then the elements; float16: the elements. */
function packedBytes(values: Float32Array, columns: number, precision: Precision): Uint8Array {
  if (precision === 'float16') return new Uint8Array(Uint16Array.from(values, clippedHalf).buffer)
  const scales = new Float32Array(columns)
  values.forEach((value, i) => (scales[i % columns] = Math.max(scales[i % columns]!, Math.abs(value) / 127)))
  const elements = Int8Array.from(values, (value, i) => Math.round(value / (scales[i % columns]! || 1)))
  return join([new Uint8Array(scales.buffer), new Uint8Array(elements.buffer)])
}

/** A weight that float16 cannot represent becomes its largest number. */
function clippedHalf(value: number): number {
  return toFloat16(Math.max(-LARGEST_HALF, Math.min(value, LARGEST_HALF)))
}

const INT8 = `function unpack(to, columns) {
  const scales = new Float32Array(weights.slice(start, start + 4 * columns).buffer)
  const elements = new Int8Array(weights.buffer, weights.byteOffset + start + 4 * columns, to.length)
  for (let i = 0; i < to.length; i++) to[i] = elements[i] * scales[i % columns]
  start += 4 * columns + to.length
}`

const FLOAT16 = `function unpack(to) {
  const halves = new Uint16Array(weights.slice(start, start + 2 * to.length).buffer)
  for (let i = 0; i < to.length; i++) {
    const exponent = (halves[i] >> 10) & 31
    const fraction = halves[i] & 1023
    const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
    to[i] = halves[i] & 32768 ? -size : size
  }
  start += 2 * to.length
}`
