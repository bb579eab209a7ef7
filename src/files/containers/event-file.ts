// Event files for TensorBoard: scalars and histograms by tag and step, and graphs. Only encodes bytes;
// training/callbacks/tensor-board.ts writes them.
//
// A file is a sequence of records (TFRecord), each with a protocol buffers message:
//
//   0          8            12       12 + n
//   ┌──────────┬────────────┬────────┬──────────────┐
//   │ n u64    │ masked crc │ Event  │ masked crc   │   little-endian; the first checksum covers n
//   └──────────┴────────────┴────────┴──────────────┘
//   Event { 1: wall_time double, 2: step int64, 3: file_version text | 4: GraphDef bytes | 5: Summary { 1: Value … } }
//   GraphDef { 1: NodeDef { 1: name text, 2: op text, 3: input text …, 5: attr { 1: key, 2: AttrValue } … } … }
//   AttrValue { 1: list { 8: … } | 2: s bytes | 6: type | 7: shape { 2: dim { 1: size int64 } … } }
//   Value { 1: tag text, 2: simple_value float | 5: HistogramProto }
//   HistogramProto { 1: min, 2: max, 3: num, 4: sum, 5: sum_squares double, 6: bucket_limit, 7: bucket packed doubles }

import { crc32c } from '../../core/crc'
import { Wire, field, message, text, varint } from './protobuf'

/** A number that TensorBoard plots over steps. */
export interface Scalar {
  readonly tag: string
  readonly scalar: number
}

/** Numbers whose distribution TensorBoard plots over steps. */
export interface Histogram {
  readonly tag: string
  readonly values: ArrayLike<number>
}

/** A node of a graph that TensorBoard draws. */
export interface GraphNode {
  /** Slashes separate the scopes that TensorBoard draws as boxes. */
  readonly name: string
  /** The kind of the node. */
  readonly op: string
  /** The names of the nodes whose results it reads. */
  readonly inputs: readonly string[]
  /** The extents of its results, null for open ones. */
  readonly shapes: readonly (readonly (number | null)[])[]
  readonly dtype: 'float32' | 'int32' | 'bool' | 'string' | 'int8'
}

/** The numbers of dtypes in TensorFlow's DataType. */
const DATA_TYPES: Readonly<Record<GraphNode['dtype'], number>> = { float32: 1, int32: 3, int8: 6, string: 7, bool: 10 }

/** The number of equally wide buckets of a histogram. TensorFlow's default. */
const BUCKETS = 30

function littleEndian(bytes: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(bytes))
  write(view)
  return [...new Uint8Array(view.buffer)]
}

function doubles(values: readonly number[]): number[] {
  return littleEndian(8 * values.length, (view) => values.forEach((value, i) => view.setFloat64(8 * i, value, true)))
}

function double(number: number, value: number): number[] {
  return field(number, Wire.Double, doubles([value]))
}

function scalarValue({ tag, scalar }: Scalar): number[] {
  return [
    ...text(1, tag),
    ...field(
      2,
      Wire.Float,
      littleEndian(4, (view) => view.setFloat32(0, scalar, true)),
    ),
  ]
}

function histogramValue({ tag, values }: Histogram): number[] {
  let [min, max, sum, squares] = [Infinity, -Infinity, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
    squares += value * value
  }
  const width = (max - min) / BUCKETS
  // Equal values all fall into one bucket.
  const counts = new Array<number>(width === 0 ? 1 : BUCKETS).fill(0)
  const last = counts.length - 1
  for (let i = 0; i < values.length; i++)
    counts[width === 0 ? 0 : Math.min(last, Math.floor((values[i]! - min) / width))]!++
  const limits = counts.map((_, i) => (i === last ? max : min + width * (i + 1)))
  const numbers = [min, max, values.length, sum, squares].flatMap((value, i) => double(i + 1, value))
  return [...text(1, tag), ...message(5, [...numbers, ...message(6, doubles(limits)), ...message(7, doubles(counts))])]
}

/** An extent as an int64; −1 for an open one. */
function dimension(extent: number | null): number[] {
  const size = extent === null ? [255, 255, 255, 255, 255, 255, 255, 255, 255, 1] : varint(extent)
  return message(2, field(1, Wire.Varint, size))
}

function nodeOf({ name, op, inputs, shapes, dtype }: GraphNode): number[] {
  const attribute = (key: string, value: readonly number[]): number[] =>
    message(5, [...text(1, key), ...message(2, value)])
  const tensorShapes = shapes.flatMap((shape) => message(7, shape.flatMap(dimension)))
  return [
    ...text(1, name),
    ...text(2, op),
    ...inputs.flatMap((input) => text(3, input)),
    ...attribute('keras_class', text(2, op)),
    ...attribute('dtype', field(6, Wire.Varint, varint(DATA_TYPES[dtype]))),
    ...attribute('_output_shapes', message(1, tensorShapes)),
  ]
}

/** CRC-32C, rotated and shifted, so that checksums of data that contain checksums are as good as others. */
function masked(bytes: Uint8Array): number[] {
  const crc = crc32c(bytes)
  return littleEndian(4, (view) => view.setUint32(0, ((crc >>> 15) | (crc << 17)) + 0xa282ead8, true))
}

function record(content: readonly number[]): Uint8Array {
  const length = littleEndian(8, (view) => view.setUint32(0, content.length, true))
  return Uint8Array.from([
    ...length,
    ...masked(Uint8Array.from(length)),
    ...content,
    ...masked(Uint8Array.from(content)),
  ])
}

/** The first record of a file. @param seconds since 1970 */
export function fileHead(seconds: number): Uint8Array {
  return record([...double(1, seconds), ...text(3, 'brain.Event:2')])
}

/** A record of a graph. @param seconds since 1970 */
export function graphRecord(seconds: number, nodes: readonly GraphNode[]): Uint8Array {
  const graph = nodes.flatMap((node) => message(1, nodeOf(node)))
  return record([...double(1, seconds), ...message(4, graph)])
}

/** A record of the numbers of one step. Empty histograms are omitted. @param seconds since 1970 */
export function eventRecord(seconds: number, step: number, values: readonly (Scalar | Histogram)[]): Uint8Array {
  const summary = values.flatMap((value) => {
    if ('scalar' in value) return message(1, scalarValue(value))
    return value.values.length === 0 ? [] : message(1, histogramValue(value))
  })
  return record([...double(1, seconds), ...field(2, Wire.Varint, varint(step)), ...message(5, summary)])
}
