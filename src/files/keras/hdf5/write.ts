// Writes HDF5 as h5py does by default: superblock 0, groups with symbol tables, object headers of version 1, values in one
// piece. The same content gives the same bytes.
//
//   0            96
//   ┌────────────┬──────────────────┬─────┬─────────────────────────────────────────────────┐
//   │ superblock │ member of member │  …  │ root: names, symbol tables, B-tree, header       │
//   └────────────┴──────────────────┴─────┴─────────────────────────────────────────────────┘
//
// A member is complete before its group, which needs the address of its header. A dataset is its values and a header.

import { concatBytes } from '../../../core/bytes'
import { ArgumentError, formatShape, quoted } from '../../../core/errors'
import { encodeDatatype } from './datatypes'
import { UNDEFINED, encodeNumbers, encodeTexts, padded, requireCount, uint, utf8 } from './encode'
import { MESSAGE } from './headers'
import { Output } from './output'
import type { Hdf5Array, Hdf5DatasetContent, Hdf5GroupContent } from './types'
import { LEAF_ENTRIES, NODE_ENTRIES, writeTable, type Table } from './write-table'

const SUPERBLOCK_SIZE = 96
/** The size of a message has two bytes, and is a multiple of 8. */
const LARGEST_MESSAGE = 65_528

/**
 * The bytes of a file with these groups and datasets.
 * @throws ArgumentError that names the object and the cause, for what a file cannot contain
 */
export function writeHdf5(root: Hdf5GroupContent): Uint8Array {
  const output = new Output(SUPERBLOCK_SIZE)
  const { header, table } = writeGroup(output, root, '')
  return output.finish((size) => superblock(header, table, size))
}

function superblock(header: number, table: Table, size: number): Uint8Array {
  return concatBytes([
    Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    // Versions 0; addresses and lengths of 8 bytes.
    Uint8Array.of(0, 0, 0, 0, 0, 8, 8, 0),
    // Half of the entries of a full symbol table and of a full node of a B-tree.
    uint(LEAF_ENTRIES / 2, 2),
    uint(NODE_ENTRIES / 2, 2),
    uint(0, 4),
    uint(0, 8),
    UNDEFINED,
    uint(size, 8),
    UNDEFINED,
    // The root: no name, its header, and its B-tree and names once more.
    uint(0, 8),
    uint(header, 8),
    uint(1, 8),
    uint(table.tree, 8),
    uint(table.names, 8),
  ])
}

interface Written {
  /** The address of the header. */
  readonly header: number
  readonly table: Table
}

function writeGroup(output: Output, group: Hdf5GroupContent, path: string): Written {
  const entries = Array.from(group.members, ([name, member]) => {
    const where = `${path}/${name}`
    if (name === '' || name === '.' || name.includes('/'))
      throw new ArgumentError(`HDF5: a member of '${path}/' cannot have the name ${quoted(name)}`)
    const header =
      member.kind === 'group' ? writeGroup(output, member, where).header : writeDataset(output, member, where)
    return { name: utf8(name), header }
  })
  const table = writeTable(output, entries)
  const symbolTable = concatBytes([uint(table.tree, 8), uint(table.names, 8)])
  const messages = [message(MESSAGE.symbolTable, symbolTable), ...attributes(output, group, path)]
  return { header: writeHeader(output, messages), table }
}

function writeDataset(output: Output, dataset: Hdf5DatasetContent, path: string): number {
  const array = dataset.read()
  const { datatype, dataspace, bytes } = encoded(output, array, path)
  const address = bytes.length === 0 ? UNDEFINED : uint(output.add(bytes), 8)
  return writeHeader(output, [
    message(MESSAGE.dataspace, dataspace),
    message(MESSAGE.datatype, datatype, CONSTANT),
    // Version 2, allocated late, written if it is defined, and it is the default.
    message(MESSAGE.fill, Uint8Array.of(2, 2, 2, 1, 0, 0, 0, 0), CONSTANT),
    // Version 3, in one piece.
    message(MESSAGE.layout, concatBytes([Uint8Array.of(3, 1), address, uint(bytes.length, 8)])),
    ...attributes(output, array.type === 'bfloat16' ? withDtype(dataset) : dataset, path),
  ])
}

/** HDF5 has no type for bfloat16, so an attribute names it. */
function withDtype({ attributes }: Hdf5DatasetContent): Pick<Hdf5DatasetContent, 'attributes'> {
  const dtype: Hdf5Array = { type: 'string', shape: [], values: ['bfloat16'] }
  return { attributes: new Map([...(attributes ?? []), ['dtype', dtype]]) }
}

interface Encoded {
  readonly datatype: Uint8Array
  readonly dataspace: Uint8Array
  readonly bytes: Uint8Array
}

function encoded(output: Output, array: Hdf5Array, path: string): Encoded {
  const { type, shape } = array
  requireCount(array, path)
  // Version 1, rank, no largest extents.
  const dataspace = concatBytes([Uint8Array.of(1, shape.length), uint(0, 6), ...shape.map((extent) => uint(extent, 8))])
  if (type !== 'string') return { datatype: encodeDatatype(type, null), dataspace, bytes: encodeNumbers(array, path) }
  const { texts, fixed } = encodeTexts(array, path)
  const bytes = texts.map((text) => (fixed === null ? output.addText(text) : concatBytes([text], fixed.size)))
  return { datatype: encodeDatatype(type, fixed), dataspace, bytes: concatBytes(bytes) }
}

/** version 3, flags 1, sizes of name, type, shape 2, character set 1, name, type, shape, values */
function attributes(output: Output, { attributes }: Pick<Hdf5GroupContent, 'attributes'>, path: string): Uint8Array[] {
  return Array.from(attributes ?? [], ([name, array]) => {
    const where = `${path === '' ? '/' : path} @${name}`
    if (array.type === 'bfloat16') throw new ArgumentError(`HDF5: ${where}: an attribute cannot have the type bfloat16`)
    const { datatype, dataspace, bytes } = encoded(output, array, where)
    const text = concatBytes([utf8(name), uint(0, 1)])
    const sizes = [text, datatype, dataspace].map(({ length }) => uint(length, 2))
    const data = concatBytes([Uint8Array.of(3, 0), ...sizes, uint(UTF8, 1), text, datatype, dataspace, bytes])
    if (data.length > LARGEST_MESSAGE) {
      throw new ArgumentError(
        `HDF5: ${where}: ${array.type} ${formatShape(array.shape)} has ${data.length} bytes, more than ${LARGEST_MESSAGE}. Split it.`,
      )
    }
    return message(MESSAGE.attribute, data)
  })
}

const UTF8 = 1
/** The flag of a message that does not change. */
const CONSTANT = 1

/** type 2, size 2, flags 1, padding 3, data, padding to 8 */
function message(type: number, data: Uint8Array, flags = 0): Uint8Array {
  const body = padded(data, 8)
  return concatBytes([uint(type, 2), uint(body.length, 2), uint(flags, 1), uint(0, 3), body])
}

/** version 1, padding 1, messages 2, references 4, size 4, padding 4, messages */
function writeHeader(output: Output, messages: readonly Uint8Array[]): number {
  const body = concatBytes(messages)
  return output.add(
    concatBytes([uint(1, 2), uint(messages.length, 2), uint(1, 4), uint(body.length, 4), uint(0, 4), body]),
  )
}
