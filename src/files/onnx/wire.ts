// Reads and writes messages of protocol buffers by tables. A table has a row for each field that is read: its number and its
// kind. Other fields are skipped, as newer versions may add some. reader.ts reads the bytes.

import { decodeUtf8, encodeUtf8 } from '../../core/text'
import { concatBytes } from '../../core/bytes'
import { Wire, varint } from '../containers/protobuf'
import { Reader, Source, skip } from './reader'

/** How the content of a field is read. */
interface Kind<Value> {
  readonly wire: Wire
  /** @param reader positioned at the content; for bytes, a reader of only these */
  read(reader: Reader): Value
  /** The table of a message. */
  readonly table?: () => Table<unknown>
}

const number = (wire: Wire, read: (reader: Reader) => number): Kind<number> => ({ wire, read })

/** int32, int64, and enums. Numbers beyond 2⁵³ are rounded. */
export const integer = /* @__PURE__ */ number(Wire.Varint, (reader) => reader.varint(true))
export const unsigned = /* @__PURE__ */ number(Wire.Varint, (reader) => reader.varint(false))
export const float = /* @__PURE__ */ number(Wire.Float, (reader) => reader.float())
export const double = /* @__PURE__ */ number(Wire.Double, (reader) => reader.double())

export const bytes: Kind<Uint8Array> = {
  wire: Wire.Bytes,
  read: ({ source, at, end }) => source.bytes.subarray(at, end),
}

export const text: Kind<string> = {
  wire: Wire.Bytes,
  read(reader) {
    try {
      return decodeUtf8(bytes.read(reader))
    } catch {
      throw reader.error('a text is not UTF-8')
    }
  },
}

/** A message. Its table is given by a function, because messages contain each other. */
export function message<Message>(table: () => Table<Message>): Kind<Message> {
  return { wire: Wire.Bytes, read: (reader) => readMessage(table(), reader), table }
}

interface Row<Value> {
  readonly number: number
  readonly wire: Wire
  /** The table of a message. */
  readonly table?: (() => Table<unknown>) | undefined
  readonly isList: boolean
  readonly initial: Value
  /** The value after one more occurrence of the field. */
  next(before: Value, reader: Reader, isPacked: boolean): Value
  /** The value after the last occurrence. */
  done(last: Value): Value
}

/** A row for each property of a message. */
export type Table<Message> = { readonly [Name in keyof Message]-?: Row<Message[Name]> }

/** A field that occurs at most once; of several, the last counts. */
export function one<Value, Absent>(
  number: number,
  { wire, read, table }: Kind<Value>,
  absent: Absent,
): Row<Value | Absent> {
  return {
    number,
    wire,
    table,
    isList: false,
    initial: absent,
    next: (_before, reader) => read(reader),
    done: (last) => last,
  }
}

const EMPTY: readonly never[] = /* @__PURE__ */ Object.freeze([])

/** A field that may occur several times. */
export function many<Value>(number: number, { wire, read, table }: Kind<Value>): Row<readonly Value[]> {
  return {
    number,
    wire,
    table,
    isList: true,
    initial: EMPTY,
    next(before, reader) {
      const list = before === EMPTY ? [] : (before as Value[])
      list.push(read(reader))
      return list
    },
    done: (last) => last,
  }
}

const NO_NUMBERS = /* @__PURE__ */ new Float64Array(0)

/** A list of numbers, each in its own field or many in one. */
export function numbers(number: number, { wire, read }: Kind<number>): Row<Float64Array> {
  const lists = new WeakMap<Float64Array, number>()
  const append = (before: Float64Array, more: number): [Float64Array, number] => {
    const used = before.length === 0 ? 0 : lists.get(before)!
    if (used + more <= before.length) return [before, used]
    const grown = new Float64Array(Math.max(used + more, 2 * used))
    grown.set(before.subarray(0, used))
    return [grown, used]
  }
  return {
    number,
    wire,
    isList: true,
    initial: NO_NUMBERS,
    next(before, reader, isPacked) {
      const count = isPacked ? countIn(reader, wire) : 1
      if (count === 0) return before
      const [list, used] = append(before, count)
      for (let i = 0; i < count; i++) list[used + i] = read(reader)
      if (isPacked && reader.at !== reader.end) throw reader.error('a list of numbers has an incomplete element')
      lists.set(list, used + count)
      return list
    },
    done: (last) => (last.length === 0 ? last : last.subarray(0, lists.get(last))),
  }
}

/** The number of elements in a packed field. */
function countIn({ source, at, end }: Reader, wire: Wire): number {
  if (wire !== Wire.Varint) return Math.ceil((end - at) / (wire === Wire.Double ? 8 : 4))
  let count = 0
  for (let i = at; i < end; i++) if (source.bytes[i]! < 128) count++
  return source.bytes[end - 1]! >= 128 ? count + 1 : count
}

/** The rows of a table: all, and by the numbers of their fields. */
interface Fields {
  readonly all: readonly (readonly [name: string, row: Row<unknown>])[]
  readonly byNumber: ReadonlyMap<number, readonly [name: string, row: Row<unknown>]>
}

const fieldsOf = /* @__PURE__ */ new WeakMap<object, Fields>()

export function fieldsIn(table: object): Fields {
  const known = fieldsOf.get(table)
  if (known !== undefined) return known
  const all = Object.entries<Row<unknown>>({ ...table })
  const fields = { all, byNumber: new Map(all.map((each) => [each[1].number, each])) }
  fieldsOf.set(table, fields)
  return fields
}

function readMessage<Message>(table: Table<Message>, reader: Reader): Message {
  reader.source.count(reader, reader.levels)
  const { all, byNumber } = fieldsIn(table)
  const found: Record<string, unknown> = {}
  for (const [name, row] of all) found[name] = row.initial
  const counts = new Map<string, number>()
  while (reader.at < reader.end) {
    const tag = reader.varint(false)
    const number = Math.floor(tag / 8)
    const wire: Wire = tag % 8
    const known = byNumber.get(number)
    if (number === 0) throw reader.error('there is no field 0')
    if (known === undefined) {
      skip(reader, wire)
      continue
    }
    const [name, row] = known
    const isPacked = wire === Wire.Bytes && row.wire !== Wire.Bytes && row.isList
    if (wire !== row.wire && !isPacked) throw reader.error(`field ${number} (${name}) has the wire type ${wire}`)
    if (wire === Wire.Bytes) {
      const count = counts.get(name) ?? 0
      if (count > 0 && !row.isList) throw reader.error(`field ${number} (${name}) occurs twice`)
      counts.set(name, count + 1)
      const inner = reader.within(
        reader.varint(false),
        row.isList && !isPacked ? `${name}[${count}]` : name,
        reader.levels + 1,
      )
      found[name] = row.next(found[name], inner, isPacked)
    } else found[name] = row.next(found[name], reader, false)
  }
  for (const [name, row] of all) found[name] = row.done(found[name])
  return found as Message
}

/** Reads the bytes of a message. @param name of the file, for errors */
export function decode<Message>(table: Table<Message>, bytes: Uint8Array, name: string): Message {
  return readMessage(table, new Reader(new Source(bytes, name), 0, bytes.length))
}

/** A message to write: fields that are left out are absent in the file. */
export type Sparse<Message> = Message extends Float64Array
  ? readonly number[]
  : Message extends Uint8Array
    ? Uint8Array
    : Message extends readonly (infer Each)[]
      ? readonly Sparse<Each>[]
      : Message extends object
        ? { readonly [Name in keyof Message]?: Sparse<Message[Name]> | undefined }
        : Message

type Parts = (readonly number[] | Uint8Array)[]

const sizeOf = (parts: Parts): number => parts.reduce((sum, part) => sum + part.length, 0)

/** The bytes of numbers below 0 are those of 2⁶⁴ more. */
function signedVarint(value: number): number[] {
  if (value >= 0) return varint(value)
  const wide = BigInt.asUintN(64, BigInt(value))
  const byte = (i: number): number => Number((wide >> BigInt(7 * i)) & 127n) | (i < 9 ? 128 : 0)
  return Array.from({ length: 10 }, (_, i) => byte(i))
}

function contentOf({ wire, table }: Row<unknown>, value: unknown): Parts {
  if (wire === Wire.Varint) return [signedVarint(Number(value))]
  if (wire === Wire.Float) return [new Uint8Array(Float32Array.of(Number(value)).buffer)]
  if (wire === Wire.Double) return [new Uint8Array(Float64Array.of(Number(value)).buffer)]
  const parts = innerParts(value, table)
  return [varint(sizeOf(parts)), ...parts]
}

/** The parts of a field with a length: bytes, a text, or a message with its table. */
function innerParts(value: unknown, table: (() => Table<unknown>) | undefined): Parts {
  if (value instanceof Uint8Array) return [value]
  return table === undefined ? [encodeUtf8(String(value))] : partsOf(table(), value as object)
}

function partsOf(table: Table<unknown>, message: object): Parts {
  const given = message as Readonly<Record<string, unknown>>
  return Object.entries(table as Readonly<Record<string, Row<unknown>>>).flatMap(([name, row]) => {
    const value = given[name] ?? []
    const all = row.isList || Array.isArray(value) ? (value as readonly unknown[]) : [value]
    return all.flatMap((each): Parts => [varint(row.number * 8 + row.wire), ...contentOf(row, each)])
  })
}

/** The bytes of a message. Bytes in it are copied once. */
export function encode<Message>(table: Table<Message>, message: Sparse<Message>): Uint8Array {
  return concatBytes(partsOf(table, message as object))
}
