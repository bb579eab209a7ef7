// Copies messages without the fields that are not read. A configuration of a model contains the copy, so what a file has
// besides, however much, must not be in it.

import { Wire, varint } from '../containers/protobuf'
import { Reader, Source, skip } from './reader'
import { fieldsIn, type Table } from './wire'

/** A field of a message: its number and wire type, and where it begins in the bytes and where its content does. */
interface Field {
  number: number
  wire: Wire
  begin: number
  content: number
}

/** The same object for every field, because a file may have millions. It ends at `reader.at`. */
export function* fieldsOf(reader: Reader): Generator<Readonly<Field>> {
  const field: Field = { number: 0, wire: Wire.Varint, begin: 0, content: 0 }
  while (reader.at < reader.end) {
    field.begin = reader.at
    const tag = reader.varint(false)
    field.number = Math.floor(tag / 8)
    field.wire = tag % 8
    if (field.wire === Wire.Bytes) {
      const size = reader.varint(false)
      field.content = reader.at
      reader.take(size)
    } else {
      field.content = reader.at
      skip(reader, field.wire)
    }
    yield field
  }
}

/**
 * The bytes of a message without the fields that its table lacks, also in messages in it; of a number that occurs several
 * times, the last.
 */
export function pruned<Message>(table: Table<Message>, bytes: Uint8Array): Uint8Array {
  const source = new Source(bytes, '')
  let most = 0
  const reader = new Reader(source, 0, bytes.length)
  for (const { number, begin } of fieldsOf(reader)) if (fieldsIn(table).byNumber.has(number)) most += reader.at - begin
  const out = new Uint8Array(most)
  const end = copy(table, source, [0, bytes.length], out, 0)
  return end === most ? out : out.slice(0, end)
}

/** Writes the fields that are read at `at`. @returns the position after them */
function copy(
  table: object,
  source: Source,
  [from, to]: readonly [number, number],
  out: Uint8Array,
  at: number,
): number {
  const { byNumber } = fieldsIn(table)
  const last = new Map<number, number>()
  for (const { number, begin } of fieldsOf(new Reader(source, from, to)))
    if (byNumber.has(number)) last.set(number, begin)
  const reader = new Reader(source, from, to)
  for (const { number, wire, begin, content } of fieldsOf(reader)) {
    const row = byNumber.get(number)?.[1]
    if (row === undefined || (!row.isList && last.get(number) !== begin)) continue
    const inner = wire === Wire.Bytes ? row.table?.() : undefined
    if (inner === undefined) {
      out.set(source.bytes.subarray(begin, reader.at), at)
      at += reader.at - begin
    } else {
      const room = at + (content - begin)
      const size = copy(inner as object, source, [content, reader.at], out, room) - room
      // The length may now have fewer bytes.
      const head = [...varint(number * 8 + Wire.Bytes), ...varint(size)]
      out.copyWithin(at + head.length, room, room + size)
      out.set(head, at)
      at += head.length + size
    }
  }
  return at
}
