// The superblock, and object headers: the messages that describe a group or a dataset.

import type { Cursor, FileBytes } from './bytes'

/** The types of messages that are read; others say nothing about the content. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fill: 0x05,
  link: 0x06,
  external: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const

export interface Message {
  readonly type: number
  readonly data: Cursor
}

/** The flag of a message that a reader must know: an object with an unknown one is refused. */
const REQUIRED = 0x80
/** The flag of a message that is stored elsewhere. */
export const SHARED = 0x02
export const SHARED_REFUSED = 'types and messages that several objects share are not supported'

/** The address of the header of the root group. */
export function readSuperblock(file: FileBytes): number {
  if (String.fromCharCode(...file.bytes.subarray(0, 8)) !== '\x89HDF\r\n\x1a\n') throw file.fail('this is not HDF5')
  const what = 'the superblock'
  const isOld = file.bytes[8]! < 2
  const block = file.block(0, isOld ? 96 + 4 * file.bytes[8]! : 48, what)
  block.take(8)
  const version = block.version(0, 1, 2, 3)
  if (isOld) block.take(4)
  if (block.uint(1) !== 8 || block.uint(1) !== 8) throw file.fail('addresses and lengths must have 8 bytes')
  block.take(isOld ? 9 + 4 * version : 1)
  if (block.uint(8) !== 0) throw file.fail('HDF5 within another file is not supported')
  block.address()
  const end = block.uint(8)
  if (end > file.bytes.length)
    throw file.fail(`the file is truncated: it should have ${end} bytes, it has ${file.bytes.length}`)
  if (!isOld) block.requireChecksum()
  if (isOld && block.address() !== null) throw file.fail('a file in several parts is not supported')
  if (isOld) block.take(8)
  return block.uint(8)
}

/** The messages of an object. */
export function readHeader(file: FileBytes, address: number): Message[] {
  return file.bytes[address] === 1 ? oldHeader(file, address) : newHeader(file, address)
}

/** version 1, messages 2, references 4, size 4, padding 4; a message is type 2, size 2, flags 1, padding 3, data */
function oldHeader(file: FileBytes, address: number): Message[] {
  const what = 'an object header'
  const prefix = file.block(address, 16, what)
  prefix.take(8)
  const found: Message[] = []
  const blocks = [file.block(address + 16, prefix.uint(4), what)]
  for (const block of blocks) {
    while (block.rest >= 8) {
      const type = block.uint(2)
      const size = block.uint(2)
      const flags = block.uint(1)
      block.take(3)
      add(file, found, { type, data: block.part(size, 'a message of an object header') }, flags, (at, length) =>
        blocks.push(file.block(at, length, what)),
      )
    }
  }
  return found
}

/** OHDR, version 2, flags 1, …, size, messages, checksum 4; a message is type 1, size 2, flags 1, [order 2], data */
function newHeader(file: FileBytes, address: number): Message[] {
  const what = 'an object header'
  const prefixSize = 6
  const flags = file.bytes[address + 5]!
  const extra = (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0)
  const sizeBytes = 1 << (flags & 3)
  const start = prefixSize + extra + sizeBytes
  // The size is needed to claim the block that contains it.
  let size = 0
  for (let i = 0; i < sizeBytes; i++) size += (file.bytes[address + start - sizeBytes + i] ?? 0) * 256 ** i
  const first = file.block(address, start + size + 4, what)
  first.requireChecksum()
  first.signature('OHDR')
  first.version(2)
  first.take(start - 5)
  const found: Message[] = []
  const blocks = [first]
  const messageSize = flags & 4 ? 6 : 4
  for (const block of blocks) {
    // The last four bytes are the checksum; a gap before them is smaller than a message.
    while (block.rest >= 4 + messageSize) {
      const type = block.uint(1)
      const size = block.uint(2)
      const messageFlags = block.uint(1)
      block.take(messageSize - 4)
      const data = block.part(size, 'a message of an object header')
      add(file, found, { type, data }, messageFlags, (at, length) => {
        const more = file.block(at, length, what)
        more.requireChecksum()
        more.signature('OCHK')
        blocks.push(more)
      })
    }
  }
  return found
}

/** Adds a message, or continues in the block that it names. */
function add(
  file: FileBytes,
  found: Message[],
  message: Message,
  flags: number,
  follow: (at: number, length: number) => void,
): void {
  const { type, data } = message
  if (type === MESSAGE.continuation) return follow(data.uint(8), data.uint(8))
  const isKnown = Object.values<number>(MESSAGE).includes(type)
  if (isKnown && flags & SHARED) throw file.fail(SHARED_REFUSED)
  if (!isKnown && flags & REQUIRED) throw file.fail(`the object has an unknown message of type ${type}`)
  if (!isKnown) return
  file.chargeObjects(1, 'messages of headers')
  found.push(message)
}

/** The only message of a type; undefined if there is none. */
export function single(file: FileBytes, messages: readonly Message[], type: number): Cursor | undefined {
  const [first, second] = messages.filter((message) => message.type === type)
  if (second !== undefined) throw file.fail(`the file is damaged: the object has two messages of type ${type}`)
  return first?.data
}
