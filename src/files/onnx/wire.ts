// Reads and writes messages of protocol buffers by tables. A table has a row for each field that is read: its number and its
// kind. Other fields are skipped, as newer versions may add some. reader.ts reads the bytes.

import { decodeUtf8, encodeUtf8 } from '../../core/text'
import { concatBytes } from '../../core/bytes'
import { isList } from '../containers/json'
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

/** A message. A function returns its table, because messages contain each other. */
export function message<Message>(table: () => Table<Message>): Kind<Message> {
  return { wire: Wire.Bytes, read: (reader) => readMessage(table(), reader), table }
}

/** Takes the occurrences of a field in one message. */
interface Collector<Value> {
  add(reader: Reader, isPacked: boolean): void
  value(): Value
}

interface Row<Value> {
  readonly number: number
  readonly wire: Wire
  /** The table of a message. */
  readonly table?: (() => Table<unknown>) | undefined
  readonly isList: boolean
  /** The value of a field that does not occur. */
  readonly absent: Value
  collector(): Collector<Value>
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
    absent,
    collector() {
      let last: Value | Absent = absent
      return { add: (reader) => void (last = read(reader)), value: () => last }
    },
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
    absent: EMPTY,
    collector() {
      const list: Value[] = []
      return { add: (reader) => void list.push(read(reader)), value: () => list }
    },
  }
}

const NO_NUMBERS = /* @__PURE__ */ new Float64Array(0)

/** A list of numbers. A field has one of them, or, if it is packed, many. */
export function numbers(number: number, { wire, read }: Kind<number>): Row<Float64Array> {
  return {
    number,
    wire,
    isList: true,
    absent: NO_NUMBERS,
    collector() {
      let list: Float64Array = NO_NUMBERS
      let used = 0
      return {
        add(reader, isPacked) {
          const count = isPacked ? countIn(reader, wire) : 1
          if (used + count > list.length) list = grown(list, used, count)
          for (let i = 0; i < count; i++) list[used + i] = read(reader)
          if (isPacked && reader.at !== reader.end) throw reader.error('a list of numbers has an incomplete element')
          used += count
        },
        value: () => list.subarray(0, used),
      }
    },
  }
}

/** A longer list with the same elements and room for more, at least for `more`. */
function grown(list: Float64Array, used: number, more: number): Float64Array {
  const longer = new Float64Array(Math.max(used + more, 2 * used))
  longer.set(list.subarray(0, used))
  return longer
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

function readMessage<Message>(table: Table<Message>, reader: Reader): Message
function readMessage(table: object, reader: Reader): Readonly<Record<string, unknown>> {
  reader.source.count(reader, reader.levels)
  const { all, byNumber } = fieldsIn(table)
  const collectors = new Map<string, Collector<unknown>>()
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
    let collector = collectors.get(name)
    if (collector === undefined) collectors.set(name, (collector = row.collector()))
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
      collector.add(inner, isPacked)
    } else collector.add(reader, false)
  }
  const message: Record<string, unknown> = {}
  for (const [name, row] of all) message[name] = collectors.has(name) ? collectors.get(name)!.value() : row.absent
  return message
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
  return table === undefined || !isObject(value) ? [encodeUtf8(String(value))] : partsOf(table(), value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function partsOf(table: object, message: object): Parts {
  return fieldsIn(table).all.flatMap(([name, row]) => {
    const value: unknown = Reflect.get(message, name) ?? []
    const all = isList(value) ? value : [value]
    return all.flatMap((each): Parts => [varint(row.number * 8 + row.wire), ...contentOf(row, each)])
  })
}

/** The bytes of a message. Bytes in it are copied once. */
export function encode<Message>(table: Table<Message>, message: Sparse<Message> & object): Uint8Array {
  return concatBytes(partsOf(table, message))
}
