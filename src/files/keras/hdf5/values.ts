// The values of a dataset or an attribute, from their bytes. Strings of variable length are in global heaps.

import { sizeOf, type Shape } from '../../../core/shapes'
import { Cursor, textOf, type FileBytes } from './bytes'
import type { Datatype } from './datatypes'
import { elements, type NumberType } from './elements'
import type { Hdf5Array, Hdf5Numbers } from './types'

export function readValues(
  file: FileBytes,
  heaps: GlobalHeaps,
  { type, size, text, isBigEndian }: Datatype,
  shape: Shape,
  bytes: Uint8Array,
): Hdf5Array {
  const count = sizeOf(shape)
  if (type !== 'string') return { type, shape, values: readNumbers(file, type, isBigEndian, count, bytes) }
  const each = (i: number): string => {
    const element = bytes.subarray(i * size, (i + 1) * size)
    return text === 'variable' ? heaps.text(element) : textOf(file, trimmed(element, text))
  }
  return { type, shape, values: Array.from({ length: count }, (_, i) => each(i)) }
}

function trimmed(bytes: Uint8Array, text: Datatype['text']): Uint8Array {
  if (text === 'terminated') return untilZero(bytes)
  const padding = text === 'spaces' ? 0x20 : 0
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === padding) end--
  return bytes.subarray(0, end)
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** A view of the bytes if they are the array already. */
function readNumbers(
  file: FileBytes,
  type: NumberType,
  isBigEndian: boolean,
  count: number,
  bytes: Uint8Array,
): Hdf5Numbers {
  const { size, array, isNative, get } = elements[type]
  if (isNative && !(isBigEndian && size > 1)) {
    if (bytes.byteOffset % size === 0) return new array(bytes.buffer, bytes.byteOffset, count)
    return new array(new Uint8Array(bytes).buffer, 0, count)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const values = new array(count)
  for (let i = 0; i < count; i++) values[i] = get(view, i * size, !isBigEndian)
  if (type === 'int64' || type === 'uint64') {
    const inexact = values.find((value) => !Number.isSafeInteger(value))
    if (inexact !== undefined) throw file.fail(`the integer ${inexact} is too large for a number of JavaScript`)
  }
  return values
}

/** Collections of objects, of which elements of variable length give the address and index. Each is read once. */
export class GlobalHeaps {
  private readonly collections = new Map<number, Map<number, Uint8Array | string>>()

  constructor(private readonly file: FileBytes) {}

  /** length 4, address 8, index 4 */
  text(element: Uint8Array): string {
    const { file } = this
    const cursor = new Cursor(file, element, 'a string of variable length')
    const length = cursor.uint(4)
    const address = cursor.uint(8)
    const index = cursor.uint(4)
    if (length === 0) return ''
    const collection = this.collections.get(address) ?? this.read(address)
    const object = collection.get(index)
    if (object === undefined) throw file.fail(`the file is damaged: a string is not in the heap at byte ${address}`)
    if (typeof object === 'string') return object
    if (object.length !== length)
      throw file.fail(`the file is damaged: a string has ${object.length} bytes in its heap, not ${length}`)
    const text = textOf(file, untilZero(object))
    collection.set(index, text)
    return text
  }

  /** GCOL, version 1, padding 3, size 8; objects: index 2, references 2, padding 4, size 8, data, padding to 8 */
  private read(address: number): Map<number, Uint8Array | string> {
    const { file } = this
    const what = 'a global heap'
    const prefix = file.block(address, 16, what)
    prefix.signature('GCOL')
    prefix.version(1)
    prefix.take(3)
    const block = file.block(address + 16, prefix.uint(8) - 16, what)
    const objects = new Map<number, Uint8Array>()
    while (block.rest >= 16) {
      const index = block.uint(2)
      block.take(6)
      const size = block.uint(8)
      // Index 0 is the free rest.
      if (index === 0) break
      file.chargeObjects(1, what)
      if (objects.has(index)) throw file.fail(`the file is damaged: ${what} has the index ${index} twice`)
      objects.set(index, block.take(size))
      block.align()
    }
    this.collections.set(address, objects)
    return objects
  }
}
