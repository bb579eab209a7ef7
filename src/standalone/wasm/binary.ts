// The parts of a binary of kernels: the types and the code of its functions, where its table has them, and its data. Reads nothing else.

import { internalError } from '../../core/errors'
import { ByteReader } from './bytes'

/** A function's type, as written. */
export interface FunctionType {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
}

export interface FunctionCode {
  readonly type: FunctionType
  /** The declarations of its locals, as written. */
  readonly locals: Uint8Array
  /** The number of its locals, without its parameters. */
  readonly localCount: number
  /** Its instructions, with the last end. */
  readonly body: Uint8Array
}

export interface DataSegment {
  readonly address: number
  readonly bytes: Uint8Array
}

/** A number outside of memory: an i32. */
export interface Global {
  readonly isMutable: boolean
  readonly value: number
}

export interface KernelBinary {
  readonly name: string
  readonly types: readonly FunctionType[]
  readonly functions: readonly FunctionCode[]
  /** The functions in the table by their place, and exported ones by their name. */
  readonly table: ReadonlyMap<number, number>
  readonly exports: ReadonlyMap<string, number>
  readonly data: readonly DataSegment[]
  readonly globals: readonly Global[]
  /** The function that runs first; null if there is none. */
  readonly start: number | null
}

const SECTION = { type: 1, function: 3, global: 6, export: 7, start: 8, element: 9, code: 10, data: 11 } as const
const [I32, I32_CONST] = [0x7f, 0x41]

/** @throws an internal error for a binary with features that the kernels do not use */
export function readBinary(binaryName: string, bytes: Uint8Array): KernelBinary {
  const sections = sectionsOf(bytes)
  const inSection = <Result>(id: number, read: (reader: ByteReader) => Result[]): Result[] => {
    const found = sections.get(id)
    return found === undefined ? [] : read(new ByteReader(found))
  }
  const types = inSection(SECTION.type, (reader) => reader.list(() => readType(reader)))
  const typeOf = inSection(SECTION.function, (reader) => reader.list(() => types[reader.unsigned()]!))
  return {
    name: binaryName,
    types,
    functions: inSection(SECTION.code, (reader) =>
      typeOf.map((type, i) => {
        if (i === 0) reader.unsigned()
        return readCode(reader, type)
      }),
    ),
    table: new Map(inSection(SECTION.element, (reader) => reader.list(() => readElements(reader)).flat())),
    exports: new Map(inSection(SECTION.export, (reader) => reader.list(() => readExport(reader)).flat())),
    data: inSection(SECTION.data, (reader) => reader.list(() => readData(reader))),
    globals: inSection(SECTION.global, (reader) => reader.list(() => readGlobal(reader))),
    start: inSection(SECTION.start, (reader) => [reader.unsigned()])[0] ?? null,
  }
}

function sectionsOf(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const reader = new ByteReader(bytes)
  // the magic number and the version
  reader.take(8)
  const sections = new Map<number, Uint8Array>()
  while (reader.at < bytes.length) {
    const id = reader.byte()
    sections.set(id, reader.take(reader.unsigned()))
  }
  return sections
}

function readType(reader: ByteReader): FunctionType {
  if (reader.byte() !== 0x60) throw internalError('a binary has a type that is not a function')
  const value = (): number => reader.byte()
  return { parameters: reader.list(value), results: reader.list(value) }
}

function readCode(reader: ByteReader, type: FunctionType): FunctionCode {
  const inner = new ByteReader(reader.take(reader.unsigned()))
  const counts = inner.list(() => {
    const count = inner.unsigned()
    inner.byte()
    return count
  })
  return {
    type,
    locals: inner.bytes.subarray(0, inner.at),
    localCount: counts.reduce((a, b) => a + b, 0),
    body: inner.bytes.subarray(inner.at),
  }
}

function readGlobal(reader: ByteReader): Global {
  if (reader.byte() !== I32) throw internalError('a binary has a global that is no i32')
  return { isMutable: reader.byte() === 1, value: readConstant(reader) }
}

function readConstant(reader: ByteReader): number {
  if (reader.byte() !== I32_CONST) throw internalError('a binary has a number that is not constant')
  const value = reader.signed()
  reader.byte()
  return value
}

function readElements(reader: ByteReader): [place: number, index: number][] {
  if (reader.unsigned() !== 0) throw internalError('a binary has elements of an unknown kind')
  const start = readConstant(reader)
  return reader.list(() => reader.unsigned()).map((index, i) => [start + i, index])
}

function readExport(reader: ByteReader): [name: string, index: number][] {
  const text = new TextDecoder().decode(reader.take(reader.unsigned()))
  const kind = reader.byte()
  const index = reader.unsigned()
  return kind === 0 ? [[text, index]] : []
}

function readData(reader: ByteReader): DataSegment {
  if (reader.unsigned() !== 0) throw internalError('a binary has data of an unknown kind')
  return { address: readConstant(reader), bytes: reader.take(reader.unsigned()) }
}
