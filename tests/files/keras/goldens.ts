// Files that Keras wrote, with what Keras predicts: see tests/golden/keras_files.py.

import { readFileSync, readdirSync } from 'node:fs'
import { isBranch } from '../../../src/core/tree'
import { Tensor } from '../../../src/ops/tensor'

const folder = new URL('../../golden/keras/', import.meta.url)

/** A tensor in a fixture. */
export interface Plain {
  readonly shape: number[]
  readonly data: number[]
}
type PlainTree = Plain | readonly PlainTree[] | { readonly [key: string]: PlainTree }

const isPlain = (tree: PlainTree): tree is Plain => isBranch(tree) && 'data' in tree && 'shape' in tree

export function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, folder)))
}

export function jsonOf<Content>(path: string): Content {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as Content
}

/** Paths of files in a folder. */
export function filesIn(path: string, extension: string): string[] {
  const names = readdirSync(new URL(`${path}/`, folder)).filter((name) => name.endsWith(extension))
  return names.map((name) => `${path}/${name}`)
}

/** Data for predict: records and lists as they are, integers as int32. */
export function inputsOf(tree: PlainTree): unknown {
  if (isPlain(tree)) {
    const isWhole = tree.data.every((each) => Number.isInteger(each))
    return new Tensor(
      isWhole ? Int32Array.from(tree.data) : Float32Array.from(tree.data),
      tree.shape,
      isWhole ? 'int32' : 'float32',
    )
  }
  if (Array.isArray(tree)) return tree.length === 1 ? inputsOf(tree[0] as PlainTree) : tree.map(inputsOf)
  return Object.fromEntries(Object.entries(tree).map(([key, each]) => [key, inputsOf(each)]))
}

/** The tensors of a tree by path; records in the order of their keys. */
export function leavesOf(tree: unknown, path = ''): [path: string, leaf: Plain][] {
  if (typeof tree === 'object' && tree !== null && 'data' in tree && 'shape' in tree) return [[path, tree as Plain]]
  if (Array.isArray(tree)) return tree.flatMap((each: unknown, i) => leavesOf(each, `${path}[${i}]`))
  return Object.entries(tree as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, each]) => leavesOf(each, `${path}.${key}`))
}

export interface Golden {
  readonly x: PlainTree
  readonly y: PlainTree
}

/** The largest difference, relative to the largest element of each tensor. */
export function differenceOf(received: unknown, expected: PlainTree): number {
  const wanted = leavesOf(expected)
  const own = leavesOf(received)
  if (own.length !== wanted.length) throw new Error(`expected ${wanted.length} outputs, received ${own.length}`)
  return Math.max(
    ...wanted.map(([path, { shape, data }], i) => {
      const [, leaf] = own[i]!
      if (String(leaf.shape) !== String(shape))
        throw new Error(`output ${path}: expected shape ${String(shape)}, received ${String(leaf.shape)}`)
      const scale = Math.max(1, ...data.map(Math.abs))
      return Math.max(0, ...data.map((each, j) => Math.abs(each - leaf.data[j]!) / scale))
    }),
  )
}
