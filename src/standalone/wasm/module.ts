// Writes a module: its functions, memory, table, exports and data.

import { join, list, name, signed, sized, unsigned, type Piece } from './bytes'
import type { DataSegment, FunctionType, Global } from './binary'
import { Op } from './code'

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const I32 = 0x7f
const FUNCTION_TYPE = 0x60
const FUNCTION_REFERENCE = 0x70
/** The kinds of what is exported. */
const [FUNCTION, MEMORY] = [0, 2]
/** Fewer zeros inside data cost less than the start of another segment. */
const LEAST_ZEROS = 12

export interface WrittenFunction {
  readonly type: FunctionType
  /** Its entry of the code section. */
  code(typeOf: (type: FunctionType) => number): Piece
}

export interface ModuleParts {
  /** In the order of their numbers. */
  readonly functions: readonly WrittenFunction[]
  /** The numbers of functions in the table, by their places. */
  readonly table: ReadonlyMap<number, number>
  readonly pages: number
  readonly data: readonly DataSegment[]
  readonly globals: readonly Global[]
  /** The number of the function that runs first; null for none. */
  readonly start: number | null
  /** The numbers of functions by the names of their exports. The memory is exported as `memory`. */
  readonly exports: Readonly<Record<string, number>>
  /** The content of custom sections, by name. */
  readonly custom?: Readonly<Record<string, string>>
}

export function moduleOf(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { functions, table, pages, data, globals, start, exports, custom = {} } = parts
  const types = new Types()
  const indices = functions.map(({ type }) => types.indexOf(type))
  const code = functions.map((each) => each.code((type) => types.indexOf(type)))
  const segments = data.flatMap(withoutZeros)
  const places = [...table]
  return join([
    MAGIC,
    section(1, list(types.all.map(({ parameters, results }) => [FUNCTION_TYPE, list(parameters), list(results)]))),
    section(3, list(indices.map(unsigned))),
    places.length === 0 ? [] : section(4, list([[FUNCTION_REFERENCE, 0, unsigned(1 + Math.max(...table.keys()))]])),
    section(5, list([[0, unsigned(pages)]])),
    globals.length === 0
      ? []
      : section(6, list(globals.map(({ isMutable, value }) => [I32, Number(isMutable), constant(value)]))),
    section(
      7,
      list([
        [name('memory'), MEMORY, 0],
        ...Object.entries(exports).map(([text, number]) => [name(text), FUNCTION, unsigned(number)]),
      ]),
    ),
    start === null ? [] : section(8, unsigned(start)),
    places.length === 0
      ? []
      : section(9, list(places.map(([place, number]) => [0, constant(place), list([unsigned(number)])]))),
    section(10, list(code)),
    section(11, list(segments.map(({ address, bytes }) => [0, constant(address), unsigned(bytes.length), bytes]))),
    Object.entries(custom).map(([title, text]) => section(0, [name(title), new TextEncoder().encode(text)])),
  ])
}

/** The types of a module, each once. */
class Types {
  readonly all: FunctionType[] = []

  indexOf(type: FunctionType): number {
    const found = this.all.findIndex((each) => keyOf(each) === keyOf(type))
    return found >= 0 ? found : this.all.push(type) - 1
  }
}

function keyOf({ parameters, results }: FunctionType): string {
  return `${parameters.join()}:${results.join()}`
}

function section(id: number, content: Piece): Piece {
  return [id, sized(content)]
}

function constant(value: number): Piece {
  return [Op.i32Const, signed(value), Op.end]
}

/** The parts of a segment between longer runs of zeros, which memory has anyhow. */
export function withoutZeros({ address, bytes }: DataSegment): DataSegment[] {
  const parts: DataSegment[] = []
  let start = 0
  while (start < bytes.length) {
    while (bytes[start] === 0) start++
    let end = start
    let zeros = 0
    while (end < bytes.length && zeros < LEAST_ZEROS) zeros = bytes[end++] === 0 ? zeros + 1 : 0
    const last = end - zeros
    if (last > start) parts.push({ address: address + start, bytes: bytes.subarray(start, last) })
    start = end
  }
  return parts
}
