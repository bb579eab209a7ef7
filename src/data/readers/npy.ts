// .npy and .npz, NumPy's files of arrays: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
// Elements become float32, int32 or bool; a loss of information is an error.

import { merged } from '../../core/merged'
import { put, isBranch } from '../../core/tree'
import { readArchive } from '../../files/containers/archive'
import { encodeUtf8, utf8Text } from '../../core/text'
import { requireArguments } from '../../core/arguments'
import { allocateData, type DType, type TensorData } from '../../core/dtypes'
import { ArgumentError, DataError, FormatError, formatShape, quoted } from '../../core/errors'
import { fromFloat16 } from '../../core/half'
import { requireContent } from '../../core/misplaced'
import { boolean, count, nullable, option, readOptions, type OptionInputs } from '../../core/options'
import { sizeOf, type Shape } from '../../core/shapes'
import { toTensor, type TensorLike } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'
import { writeFile } from '../../engine/runtime/files'
import { signalOption, type ReadOptions } from '../samples/abort'
import { allBytes, joined, nameOf, type ByteSource } from './bytes'

/**
 *   0  \x93NUMPY
 *   6  version: 1, 2 or 3
 *   7  0
 *   8  length of the header: 2 bytes in version 1, else 4
 *      the header, a literal of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 *      the elements
 */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** The offset of the elements is a multiple of this. */
const ALIGNMENT = 64

/** NumPy writes headers of less than 10,000 bytes. */
const LONGEST_HEADER = 2 ** 16

/** By default, a .npz may need this memory and `SHARE` times its size: a small file can expand to a thousand times its size. */
const SPARE = 64_000_000
const SHARE = 20

/** An element type of NumPy. */
interface Kind {
  readonly bytes: number
  readonly dtype: DType
  read(view: DataView, at: number, isLittle: boolean): number
}

const kinds: Readonly<Record<string, Kind>> = {
  b1: { bytes: 1, dtype: 'bool', read: (view, at) => Number(view.getUint8(at) !== 0) },
  i1: { bytes: 1, dtype: 'int32', read: (view, at) => view.getInt8(at) },
  i2: { bytes: 2, dtype: 'int32', read: (view, at, isLittle) => view.getInt16(at, isLittle) },
  i4: { bytes: 4, dtype: 'int32', read: (view, at, isLittle) => view.getInt32(at, isLittle) },
  i8: { bytes: 8, dtype: 'int32', read: (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)) },
  u1: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, dtype: 'int32', read: (view, at, isLittle) => view.getUint16(at, isLittle) },
  u4: { bytes: 4, dtype: 'int32', read: (view, at, isLittle) => view.getUint32(at, isLittle) },
  u8: { bytes: 8, dtype: 'int32', read: (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)) },
  f2: { bytes: 2, dtype: 'float32', read: (view, at, isLittle) => fromFloat16(view.getUint16(at, isLittle)) },
  f4: { bytes: 4, dtype: 'float32', read: (view, at, isLittle) => view.getFloat32(at, isLittle) },
  f8: { bytes: 8, dtype: 'float32', read: (view, at, isLittle) => view.getFloat64(at, isLittle) },
}

const written: Readonly<Partial<Record<DType, string>>> = { float32: '<f4', int32: '<i4', bool: '|b1', int8: '|i1' }

/**
 * An array that `numpy.save` wrote: floats as float32, integers as int32, booleans as bool.
 *
 *   const pixels = await readNpy('pixels.npy')
 *
 * @param source a path, a URL, a File or Blob, bytes, a stream: see ByteSource
 * @throws FormatError for another kind of file, or for complex numbers, text, records or objects; DataError for an
 * element that int32 or float32 cannot represent, such as 2⁴⁰; the reason of the signal
 */
export async function readNpy(source: ByteSource, options: ReadOptions = {}): Promise<Tensor> {
  requireArguments('readNpy', arguments, 2)
  const { signal } = readOptions('readNpy', signalOption(), options)
  const name = nameOf(source)
  return decode(requireContent(await allBytes(source, 'readNpy', signal), name, 'readNpy'), name)
}

const npzReading = () =>
  merged(signalOption(), {
    /**
     * The number of bytes that the decompressed entries and the tensors together may have. Default: 64 million, and twenty times
     * the size of the file.
     */
    maxBytes: option(nullable(count), null),
  })
/** Options of `readNpz`. */
export type NpzReadOptions = OptionInputs<ReturnType<typeof npzReading>>

/**
 * The arrays of a file that `numpy.savez` or `savez_compressed` wrote, by name.
 *
 *   const { x, y } = await readNpz('train.npz')
 *
 * @throws FormatError, DataError and the reason of the signal like `readNpy`; FormatError for an entry whose checksum differs;
 * DataError for arrays that need more than `maxBytes`, before they are decompressed
 */
export async function readNpz(source: ByteSource, options: NpzReadOptions = {}): Promise<Record<string, Tensor>> {
  requireArguments('readNpz', arguments, 2)
  const { signal, maxBytes } = readOptions('readNpz', npzReading(), options)
  const name = nameOf(source)
  const bytes = requireContent(await allBytes(source, 'readNpz', signal), name, 'readNpz')
  const most = maxBytes ?? SPARE + SHARE * bytes.length
  const excess = (total: number): DataError =>
    new DataError(
      `${name}: its arrays need at least ${total} bytes, more than ${most}. If you trust the file, set maxBytes to a larger number.`,
    )
  let used = 0
  const arrays: Record<string, Tensor> = {}
  for (const [file, content] of await entriesOf(bytes, name, most, excess)) {
    const key = file.replace(/\.npy$/, '')
    used += content.length
    const array = decode(content, `${name}: ${key}`, (size) => {
      used += size
      if (used > most) throw excess(used)
    })
    put(arrays, key, array)
  }
  return arrays
}

async function entriesOf(
  bytes: Uint8Array,
  name: string,
  most: number,
  excess: (total: number) => Error,
): ReturnType<typeof readArchive> {
  try {
    return await readArchive(bytes, most, excess)
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name} is not a complete .npz file: ${error.message}`)
    throw error
  }
}

/**
 * The bytes of an array for `numpy.load`; with a path, they are also written to that file.
 *
 *   await writeNpy(predictions, 'predictions.npy')
 */
export async function writeNpy(data: TensorLike, path?: string | URL): Promise<Uint8Array> {
  requireArguments('writeNpy', arguments, 2)
  const bytes = encode(toTensor(data, 'writeNpy'))
  if (path !== undefined) await writeFile(path, bytes, 'writeNpy')
  return bytes
}

const npzOptions = () => ({
  /** Whether arrays are compressed, as by `savez_compressed`. Default false. */
  compressed: option(boolean, false),
})
/** Options of `writeNpz`. */
export type NpzOptions = OptionInputs<ReturnType<typeof npzOptions>>

/** Several arrays by name, as with `numpy.savez`: `await writeNpz({ x, y }, 'train.npz')`. */
export async function writeNpz(
  arrays: Readonly<Record<string, TensorLike>>,
  path?: string | URL | null,
  options: NpzOptions = {},
): Promise<Uint8Array> {
  requireArguments('writeNpz', arguments, 3)
  const { compressed } = readOptions('writeNpz', npzOptions(), options)
  if (!isBranch(arrays) || Array.isArray(arrays))
    throw new ArgumentError(`writeNpz needs a record of arrays, received ${quoted(arrays)}`)
  const { zipSync } = await import('fflate')
  // A fixed date, so that equal arrays give equal bytes.
  const mtime = new Date(1980, 0, 1)
  const files = Object.entries(arrays).map(([name, data]): [string, Uint8Array] => [
    `${name}.npy`,
    encode(toTensor(data, `writeNpz: ${name}`)),
  ])
  const bytes = zipSync(Object.fromEntries(files), { level: compressed ? 6 : 0, mtime })
  if (path != null) await writeFile(path, bytes, 'writeNpz')
  return bytes
}

/** @throws ArgumentError for strings */
function encode({ data, dtype, shape }: Tensor): Uint8Array {
  const code = written[dtype]
  if (code === undefined) throw new ArgumentError(`writeNpy: a tensor of ${dtype} cannot be written`)
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  const header = `{'descr': '${code}', 'fortran_order': False, 'shape': ${tuple}, }`
  const start = MAGIC.length + 4
  const length = Math.ceil((start + header.length + 1) / ALIGNMENT) * ALIGNMENT - start
  const text = encodeUtf8(`${header.padEnd(length - 1)}\n`)
  return joined([Uint8Array.from([...MAGIC, 1, 0, length & 255, length >> 8]), text, elementBytes(data, dtype)])
}

function elementBytes(data: TensorData, dtype: DType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(data)
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

interface Header {
  readonly descr: string
  readonly isFortran: boolean
  readonly shape: Shape
  /** The offset of the elements. */
  readonly start: number
}

/** @param reserve is called with the number of bytes of the tensor before it is created */
function decode(bytes: Uint8Array, name: string, reserve: (size: number) => void = () => undefined): Tensor {
  const { descr, isFortran, shape, start } = headerOf(bytes, name)
  const [, order, code] = /^([<>|=])(\w+)$/.exec(descr) ?? []
  const kind = code === undefined || !Object.hasOwn(kinds, code) ? null : kinds[code]!
  if (kind === null)
    throw new FormatError(`${name} has elements of type '${descr}'. Possible are ${Object.keys(kinds).join(', ')}`)
  const size = sizeOf(shape)
  if (bytes.length - start < size * kind.bytes) {
    throw new FormatError(
      `${name} is truncated: shape ${formatShape(shape)} of '${descr}' needs ${size * kind.bytes} bytes, received ${bytes.length - start}`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size * kind.bytes)
  reserve(4 * size)
  const data = allocateData(kind.dtype, size)
  const positions = isFortran ? positionsOf(shape) : null
  for (let i = 0; i < size; i++) {
    const element = kind.read(view, i * kind.bytes, order !== '>')
    const at = positions === null ? i : positions(i)
    data[at] = element
    // Typed arrays store inexact values without an error: integers wrap, floats round.
    const isLost =
      kind.dtype === 'int32' ? data[at] !== element : Number.isFinite(element) && !Number.isFinite(data[at])
    if (isLost) throw new DataError(`${name}: element ${i} is ${element}, which ${kind.dtype} cannot hold`)
  }
  return new Tensor(data, shape, kind.dtype)
}

function headerOf(bytes: Uint8Array, name: string): Header {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw new FormatError(`${name} is not a .npy file`)
  const version = bytes[6]!
  if (version < 1 || version > 3 || bytes.length < 12)
    throw new FormatError(`${name} is a .npy file of version ${version}, or not all of one. Known are 1, 2 and 3`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const begin = version === 1 ? 10 : 12
  const start = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (start - begin > LONGEST_HEADER)
    throw new FormatError(`${name} has a header of ${start - begin} bytes, which NumPy never writes`)
  const text = utf8Text(bytes.subarray(begin, start))
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1] ?? /'descr'\s*:\s*(\[.*\])/.exec(text)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const extents = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || extents === undefined || start > bytes.length)
    throw new FormatError(`${name} has a broken header: ${text.trim()}`)
  return {
    descr,
    isFortran: order === 'True',
    shape: extents
      .split(',')
      .filter((each) => each.trim() !== '')
      .map((each) => Number.parseInt(each, 10)),
    start,
  }
}

/** Maps index i with the first axis moving fastest (Fortran order) to the index with the last axis moving fastest. */
function positionsOf(shape: Shape): (i: number) => number {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  return (i) => {
    let rest = i
    return shape.reduce((at, extent, axis) => {
      const index = rest % extent
      rest = (rest - index) / extent
      return at + index * strides[axis]!
    }, 0)
  }
}
