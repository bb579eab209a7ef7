// The links of a group as h5py writes them: names in a local heap, symbol tables of up to eight links, and a B-tree over
// the tables.

import { concatBytes } from '../../../core/bytes'
import { UNDEFINED, padded, uint } from './encode'
import type { Output } from './output'

/** Entries of a full symbol table, and of a full node of a B-tree. */
export const LEAF_ENTRIES = 8
export const NODE_ENTRIES = 32

interface Entry {
  readonly name: Uint8Array
  /** The address of the header of the object. */
  readonly header: number
}

export interface Table {
  /** The addresses of the B-tree and of the local heap. */
  readonly tree: number
  readonly names: number
}

/** A symbol table or a node, and the offset of its last name. */
interface Child {
  readonly address: number
  readonly last: number
}

export function writeTable(output: Output, unsorted: readonly Entry[]): Table {
  const entries = [...unsorted].sort((a, b) => compareBytes(a.name, b.name))
  // The heap begins with an empty name, which sorts before all others.
  const texts = [new Uint8Array(8), ...entries.map(({ name }) => padded(concatBytes([name, uint(0, 1)]), 8))]
  const offsets: number[] = []
  let offset = 0
  for (const text of texts) {
    offsets.push(offset)
    offset += text.length
  }
  const names = writeNames(output, concatBytes(texts))
  const links = entries.map(({ header }, i) => ({ header, name: offsets[i + 1]! }))
  let level = 0
  let children = pieces(links, LEAF_ENTRIES).map((piece) => writeLeaf(output, piece))
  do children = writeLevel(output, level++, children)
  while (children.length > 1)
  return { tree: children[0]!.address, names }
}

/** HEAP, version 0, padding 3, size 8, free list 8 (1: none), address 8 of the names */
function writeNames(output: Output, texts: Uint8Array): number {
  const data = output.add(texts)
  return output.add(concatBytes([letters('HEAP'), uint(0, 4), uint(texts.length, 8), uint(1, 8), uint(data, 8)]))
}

/** SNOD, version 1, padding 1, count 2; entries: name 8, header 8, no cache 24 */
function writeLeaf(output: Output, links: readonly { readonly name: number; readonly header: number }[]): Child {
  const entries = links.map(({ name, header }) => concatBytes([uint(name, 8), uint(header, 8)], 40))
  const leaf = concatBytes([letters('SNOD'), uint(1, 2), uint(links.length, 2), ...entries], 8 + LEAF_ENTRIES * 40)
  return { address: output.add(leaf), last: links.at(-1)!.name }
}

/** TREE, type 0, level 1, count 2, left 8, right 8; key 8, child 8, key, …; a key is the last name before the next child */
function writeLevel(output: Output, level: number, children: readonly Child[]): Child[] {
  const size = 24 + NODE_ENTRIES * 16 + 8
  const groups = children.length === 0 ? [[]] : pieces(children, NODE_ENTRIES)
  let before = 0
  return groups.map((group, i) => {
    const first = before
    before = group.at(-1)?.last ?? 0
    const entries = group.flatMap(({ address, last }) => [uint(address, 8), uint(last, 8)])
    // Blocks follow each other, so those of the neighbours are known.
    const left = i === 0 ? UNDEFINED : uint(output.next - size, 8)
    const right = i === groups.length - 1 ? UNDEFINED : uint(output.next + size, 8)
    const head = [letters('TREE'), Uint8Array.of(0, level), uint(group.length, 2), left, right, uint(first, 8)]
    return { address: output.add(concatBytes([...head, ...entries], size)), last: before }
  })
}

function letters(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function pieces<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** The order of names in a B-tree. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
