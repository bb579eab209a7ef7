// Reads the subset of HDF5 that Keras uses, strictly: everything but the values is checked before a group is returned.
//
//   bytes.ts      cursors over the bytes, which each belong to one structure
//   headers.ts    the superblock → the header of the root; a header → messages
//   old-groups.ts, new-groups.ts     messages of a group → links, so headers of its members
//   datatypes.ts, layout.ts, filters.ts, values.ts     messages of a dataset or an attribute → arrays

import { formatShape, quoted } from '../../../core/errors'
import { sizeOf, type Shape } from '../../../core/shapes'
import { FileBytes, type Cursor } from './bytes'
import { readDatatype } from './datatypes'
import { MESSAGE, readHeader, readSuperblock, single, type Message } from './headers'
import { loadUnzip } from '../../containers/zlib'
import { readLayout } from './layout'
import { readDenseAttributes, readDenseLinks, readLink } from './new-groups'
import { readSymbolTable, type Link } from './old-groups'
import type { Hdf5Array, Hdf5Dataset, Hdf5Group } from './types'
import { GlobalHeaps, readValues } from './values'

// A file of 64 layers within one another has fewer.
const DEEPEST = 140
const HIGHEST_RANK = 32

/**
 * The groups and datasets of a file.
 * @throws FormatError that names the object and the cause, for a file that is damaged or uses other parts of HDF5
 * @internal
 */
export function readHdf5(bytes: Uint8Array): Hdf5Group {
  return new Reader(new FileBytes(bytes)).root()
}

/** The same, also of a file with compressed datasets, for which it loads fflate. */
export async function openHdf5(bytes: Uint8Array): Promise<Hdf5Group> {
  const file = new FileBytes(bytes)
  const root = new Reader(file).root()
  if (file.isCompressed) file.unzip = await loadUnzip()
  return root
}

class Reader {
  private readonly heaps: GlobalHeaps
  private readonly headers = new Set<number>()

  constructor(private readonly file: FileBytes) {
    this.heaps = new GlobalHeaps(file)
  }

  root(): Hdf5Group {
    const root = this.object(readSuperblock(this.file), '/', 0)
    if (root.kind !== 'group') throw this.file.fail('the root is not a group')
    return root
  }

  private object(address: number, path: string, depth: number): Hdf5Group | Hdf5Dataset {
    const { file } = this
    return file.within(path, () => {
      if (this.headers.has(address))
        throw file.fail('the object has another path, too: cycles and several links to one object are not supported')
      if (depth > DEEPEST) throw file.fail(`groups may be nested ${DEEPEST} deep`)
      this.headers.add(address)
      file.chargeObjects(4, 'groups and datasets')
      const messages = readHeader(file, address)
      const attributes = this.attributes(messages)
      return messages.some(({ type }) => type === MESSAGE.layout)
        ? this.dataset(messages, attributes, path)
        : this.group(messages, attributes, path, depth)
    })
  }

  private group(
    messages: readonly Message[],
    attributes: Hdf5Group['attributes'],
    path: string,
    depth: number,
  ): Hdf5Group {
    const { file } = this
    const members = new Map<string, Hdf5Group | Hdf5Dataset>()
    for (const { name, address } of this.links(messages)) {
      if (name === '' || name === '.' || name.includes('/') || name.includes('\0'))
        throw file.fail(`the file is damaged: a member has the name ${quoted(name)}`)
      if (members.has(name)) throw file.fail(`the file is damaged: it has two members with the name ${quoted(name)}`)
      members.set(name, this.object(address, path === '/' ? `/${name}` : `${path}/${name}`, depth + 1))
    }
    return { kind: 'group', attributes, members }
  }

  private links(messages: readonly Message[]): Link[] {
    const { file } = this
    const table = single(file, messages, MESSAGE.symbolTable)
    if (table !== undefined) return readSymbolTable(file, table)
    const info = single(file, messages, MESSAGE.linkInfo)
    if (info === undefined) throw file.fail('the object is neither a group nor a dataset')
    const links = messages.filter(({ type }) => type === MESSAGE.link).map(({ data }) => readLink(file, data))
    return [...links, ...readDenseLinks(file, info)]
  }

  private dataset(messages: readonly Message[], attributes: Hdf5Group['attributes'], path: string): Hdf5Dataset {
    const { file, heaps } = this
    const [space, data] = [single(file, messages, MESSAGE.dataspace), single(file, messages, MESSAGE.datatype)]
    if (space === undefined || data === undefined)
      throw file.fail('the file is damaged: the dataset has no shape or type')
    const shape = this.shape(space)
    const datatype = readDatatype(file, data)
    if (datatype.isOpaque && attributes.get('dtype')?.values[0] !== 'bfloat16')
      throw file.fail("opaque elements are supported only with the attribute dtype = 'bfloat16'")
    if (datatype.type === 'string') file.chargeObjects(sizeOf(shape), `strings of the shape ${formatShape(shape)}`)
    const stored = readLayout(file, messages, shape, datatype.size)
    const { type } = datatype
    const isSafe = stored.isWhole && !['string', 'int64', 'uint64'].includes(type)
    const read = (): Hdf5Array => file.within(path, () => readValues(file, heaps, datatype, shape, stored.bytes()))
    return { kind: 'dataset', type, shape, attributes, isSafe, read }
  }

  private attributes(messages: readonly Message[]): Hdf5Group['attributes'] {
    const { file } = this
    const info = single(file, messages, MESSAGE.attributeInfo)
    const attributes = new Map<string, Hdf5Array>()
    const all = messages.filter(({ type }) => type === MESSAGE.attribute).map(({ data }) => data)
    for (const message of [...all, ...(info === undefined ? [] : readDenseAttributes(file, info))]) {
      file.chargeObjects(2, 'attributes')
      const [name, value] = this.attribute(message)
      if (attributes.has(name))
        throw file.fail(`the file is damaged: it has two attributes with the name ${quoted(name)}`)
      attributes.set(name, value)
    }
    return attributes
  }

  /** version 1, flags 1, sizes of name, type, shape 2, [character set 1], name, type, shape (version 1: padded), values */
  private attribute(message: Cursor): [string, Hdf5Array] {
    const { file } = this
    const version = message.version(1, 2, 3)
    if (message.uint(1) !== 0) throw file.fail('types that several objects share are not supported')
    const [nameSize, typeSize, spaceSize] = [message.uint(2), message.uint(2), message.uint(2)]
    if (version === 3) message.take(1)
    const part = (size: number): Cursor => {
      const content = message.part(size)
      if (version === 1) message.align()
      return content
    }
    const [name, type, space] = [part(nameSize), part(typeSize), part(spaceSize)]
    const text = name.terminatedName()
    return file.within(`${file.where} @${text}`, () => {
      const datatype = readDatatype(file, type)
      const shape = this.shape(space)
      const size = sizeOf(shape) * datatype.size
      if (datatype.isOpaque) throw file.fail('opaque attributes are not supported')
      if (datatype.type === 'string') file.chargeObjects(sizeOf(shape), `strings of the shape ${formatShape(shape)}`)
      return [text, readValues(file, this.heaps, datatype, shape, message.take(size))]
    })
  }

  /** version 1, rank 1, flags 1, kind 1, [version 1: padding 4], extents 8, [largest extents 8] */
  private shape(data: Cursor): Shape {
    const version = data.version(1, 2)
    const rank = data.uint(1)
    const flags = data.uint(1)
    const kind = data.uint(1)
    if (version === 1) data.take(4)
    if (rank > HIGHEST_RANK || flags > 1)
      throw this.file.fail(`the file is damaged: a shape of rank ${rank}, flags ${flags}`)
    // A dataset without values.
    if (version === 2 && kind === 2) return [0]
    return Array.from({ length: rank }, () => data.uint(8))
  }
}
