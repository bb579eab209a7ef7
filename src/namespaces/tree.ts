// The namespace `tree`: functions of nested structures. A branch is an array or a plain record; everything else is a leaf,
// also null, a tensor and a typed array. Keras: `keras.tree`.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import type { UntypedFunction } from '../ops/arguments'
import { isBranch, flatten as leavesOf, unflatten, type MapTree, type Tree } from '../core/tree'

/** The function of `traverse` returns this class to replace a part by null. Keras: `keras.tree.MAP_TO_NONE`. */
// oxlint-disable-next-line typescript/no-extraneous-class -- the class itself is the value, as in Keras
export class MAP_TO_NONE {}

/** The keys and indices that lead to a leaf. */
export type TreePath = readonly (string | number)[]

type Branch = readonly unknown[] | Readonly<Record<string, unknown>>

const keysOf = (branch: Branch): readonly (string | number)[] =>
  Array.isArray(branch) ? Array.from(branch, (_, i) => i) : Object.keys(branch)

const childOf = (branch: Branch, key: string | number): unknown => Reflect.get(branch, key)

/** The same branch with other children. */
function rebuilt(branch: Branch, replace: (child: unknown, key: string | number) => unknown): unknown {
  const children = keysOf(branch).map((key) => [key, replace(childOf(branch, key), key)] as const)
  return Array.isArray(branch) ? children.map(([, child]) => child) : Object.fromEntries(children)
}

function requireFunction(where: string, func: unknown): void {
  if (typeof func !== 'function') throw new ArgumentError(`tree.${where} needs a function, received ${quoted(func)}`)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  return isBranch(value) ? `{ ${Object.keys(value).join(', ')} }` : 'a leaf'
}

/**
 * Calls a function for all leaves of a tree, with the parts of other trees in the same place.
 * @param isStrict whether arrays must be in the place of arrays, and records in the place of records
 * @throws ArgumentError for a tree that lacks a branch of the first one, or has other keys
 */
function mapTogether(
  where: string,
  [first, ...others]: readonly unknown[],
  replace: (parts: readonly unknown[], path: TreePath) => unknown,
  isStrict = true,
): unknown {
  const map = (tree: unknown, parts: readonly unknown[], path: TreePath): unknown => {
    if (!isBranch(tree)) return replace([tree, ...parts], path)
    const keys = keysOf(tree)
    const isLike = (part: unknown): part is Branch =>
      isBranch(part) &&
      !(isStrict && Array.isArray(part) !== Array.isArray(tree)) &&
      keysOf(part).length === keys.length &&
      keys.every((key) => Object.hasOwn(part, key))
    const branches = parts.filter(isLike)
    if (branches.length < parts.length) {
      const at = path.length === 0 ? '' : ` at ${path.join('.')}`
      const other = kindOf(parts.find((part) => !isLike(part)))
      throw new ArgumentError(`tree.${where}: the structures differ${at}: ${kindOf(tree)} and ${other}`)
    }
    return rebuilt(tree, (child, key) =>
      map(
        child,
        branches.map((branch) => childOf(branch, key)),
        [...path, key],
      ),
    )
  }
  return map(first, others, [])
}

/** @throws ArgumentError for a branch in the place of a leaf */
function requireLeaves(where: string, parts: readonly unknown[], path: TreePath): void {
  const branch = parts.find(isBranch)
  if (branch === undefined) return
  const at = path.length === 0 ? '' : ` at ${path.join('.')}`
  throw new ArgumentError(`tree.${where}: the structures differ${at}: a leaf and ${kindOf(branch)}`)
}

/**
 * Whether a value is an array or a plain record.
 *
 * Keras: `keras.tree.is_nested`.
 * @example tree.isNested({ foo: 42 })   // true
 */
export function isNested(structure: unknown): boolean {
  requireArguments('tree.isNested', arguments, 1)
  return isBranch(structure)
}

/**
 * The leaves as a list: arrays by position, records in the order of their keys. Keras sorts the keys of a dictionary.
 *
 * Keras: `keras.tree.flatten`.
 * @example tree.flatten([[1, 2], { a: 3 }])   // [1, 2, 3]
 */
export function flatten<Leaf>(structure: Tree<Leaf>): Leaf[] {
  requireArguments('tree.flatten', arguments, 1)
  return leavesOf(structure)
}

/**
 * The leaves with their paths.
 *
 * Keras: `keras.tree.flatten_with_path`.
 * @example tree.flattenWithPath([{ foo: 42 }])   // [[[0, 'foo'], 42]]
 */
export function flattenWithPath<Leaf>(structure: Tree<Leaf>): [path: TreePath, leaf: Leaf][] {
  requireArguments('tree.flattenWithPath', arguments, 1)
  const paths: TreePath[] = []
  mapTogether('flattenWithPath', [structure], (_leaf, path) => paths.push(path))
  return leavesOf(structure).map((leaf, i) => [paths[i]!, leaf])
}

/**
 * Leaves in the structure of a tree, the inverse of `flatten`.
 *
 * Keras: `keras.tree.pack_sequence_as`.
 * @param flatSequence as many leaves as the structure has
 * @throws ArgumentError for another number of leaves
 * @example tree.packSequenceAs({ a: 0, b: [0, 0] }, [1, 2, 3])   // { a: 1, b: [2, 3] }
 */
export function packSequenceAs<Structure, Leaf>(
  structure: Structure,
  flatSequence: readonly Leaf[],
): MapTree<Structure, unknown, Leaf>
export function packSequenceAs(structure: unknown, flatSequence: readonly unknown[]): unknown {
  requireArguments('tree.packSequenceAs', arguments, 2)
  const count = leavesOf(structure).length
  if (!Array.isArray(flatSequence) || flatSequence.length !== count)
    throw new ArgumentError(
      `tree.packSequenceAs: the structure has ${count} leaves, received ${Array.isArray(flatSequence) ? flatSequence.length : quoted(flatSequence)}`,
    )
  return unflatten(structure, flatSequence)
}

/**
 * A tree with the results of a function of its leaves, or of the leaves of several trees in the same place.
 *
 * Keras: `keras.tree.map_structure`.
 * @throws ArgumentError for trees with other branches
 * @example tree.mapStructure((x: number, y: number) => x * y, { a: 2, b: [3] }, { a: 4, b: [5] })   // { a: 8, b: [15] }
 */
export function mapStructure<Leaf, Result, Structure>(
  func: (...leaves: Leaf[]) => Result,
  structure: Structure,
  ...others: readonly unknown[]
): MapTree<Structure, Leaf, Result>
export function mapStructure(func: UntypedFunction, structure: unknown, ...others: readonly unknown[]): unknown {
  requireFunction('mapStructure', func)
  return mapTogether('mapStructure', [structure, ...others], (leaves, path) => {
    requireLeaves('mapStructure', leaves, path)
    return func(...leaves)
  })
}

/**
 * `mapStructure` down to the leaves of a shallow tree: the function gets the parts of the other trees in the places of these leaves.
 *
 * Keras: `keras.tree.map_structure_up_to`.
 * @throws ArgumentError for a tree that lacks a branch of the shallow tree
 * @example tree.mapStructureUpTo([null, null], (part) => part.length, [[1, 1], [2]])   // [2, 1]
 */
export function mapStructureUpTo<Part, Result>(
  shallowStructure: Tree<unknown>,
  func: (...parts: Part[]) => Result,
  ...structures: readonly unknown[]
): Tree<Result>
export function mapStructureUpTo(
  shallowStructure: unknown,
  func: UntypedFunction,
  ...structures: readonly unknown[]
): unknown {
  requireFunction('mapStructureUpTo', func)
  if (structures.length === 0) throw new ArgumentError('tree.mapStructureUpTo needs a structure after the function')
  return mapTogether('mapStructureUpTo', [shallowStructure, ...structures], ([, ...parts]) => func(...parts))
}

/**
 * A tree with the results of a function of its shapes, which are arrays of numbers and null.
 *
 * Keras: `keras.tree.map_shape_structure`.
 * @example tree.mapShapeStructure((shape) => shape.length, { a: [null, 3], b: [[2], []] })   // { a: 2, b: [1, 0] }
 */
export function mapShapeStructure<Result>(
  func: (shape: readonly (number | null)[]) => Result,
  structure: unknown,
): Tree<Result>
export function mapShapeStructure(func: (shape: readonly (number | null)[]) => unknown, structure: unknown): unknown {
  requireArguments('tree.mapShapeStructure', arguments, 2)
  requireFunction('mapShapeStructure', func)
  const isShape = (part: unknown): part is readonly (number | null)[] =>
    Array.isArray(part) && part.every((extent) => extent === null || typeof extent === 'number')
  const map = (part: unknown): unknown => {
    if (isShape(part)) return func(part)
    if (isBranch(part)) return rebuilt(part, map)
    throw new ArgumentError(`tree.mapShapeStructure: expected shapes such as [null, 3], received ${quoted(part)}`)
  }
  return map(structure)
}

/**
 * Compares the branches of two trees: arrays of equal lengths, and records with equal keys, are in the same places.
 *
 * Keras: `keras.tree.assert_same_structure`.
 * @throws ArgumentError if they differ; the message has the place
 */
export function assertSameStructure(a: unknown, b: unknown): void {
  requireArguments('tree.assertSameStructure', arguments, 2)
  mapTogether('assertSameStructure', [a, b], (leaves, path) => requireLeaves('assertSameStructure', leaves, path))
}

/**
 * `assertSameStructure` without a distinction of arrays and records: an array has the keys 0, 1, ….
 *
 * Keras: `keras.tree.assert_same_paths`.
 * @throws ArgumentError if they differ; the message has the place
 */
export function assertSamePaths(a: unknown, b: unknown): void {
  requireArguments('tree.assertSamePaths', arguments, 2)
  const check = (leaves: readonly unknown[], path: TreePath): void => requireLeaves('assertSamePaths', leaves, path)
  mapTogether('assertSamePaths', [a, b], check, false)
}

/**
 * Calls a function for all parts of a tree: the tree itself, its branches and its leaves. Where the function returns nothing
 * or null, the part stays; any other result replaces the part, and `MAP_TO_NONE` replaces it by null.
 *
 * Keras: `keras.tree.traverse`.
 * @param topDown true: branches come before their children, and the children of a branch that is replaced are left out.
 * false: children come first. Default true
 * @example tree.traverse((part) => (Array.isArray(part) && part.length === 2 ? 'pair' : null), [[1, 2], 3, 4])   // ['pair', 3, 4]
 */
export function traverse(func: (part: unknown) => unknown, structure: unknown, topDown = true): unknown {
  requireArguments('tree.traverse', arguments, 3)
  requireFunction('traverse', func)
  const visit = (part: unknown): unknown => {
    const children = (): unknown => (isBranch(part) ? rebuilt(part, visit) : part)
    const visited = topDown ? part : children()
    const result = func(visited) ?? null
    if (result === null) return topDown ? children() : visited
    return result === MAP_TO_NONE ? null : result
  }
  return visit(structure)
}
