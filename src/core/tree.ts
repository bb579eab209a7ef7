// Trees of values: one value, or arrays and records of trees. Inputs and outputs of models, arguments of traced
// functions and carries of loops are trees. The type of the leaves does not matter here.

import { ArgumentError } from './errors'

/** One value, a list of trees, or a record of trees. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> }

/** The tree `Structure` with every leaf of type `From` replaced by `To`; tuples and records keep their types. */
export type MapTree<Structure, From, To> = Structure extends From
  ? To
  : { readonly [Key in keyof Structure]: MapTree<Structure[Key], From, To> }

/** Whether a value is a plain object: no list, and no instance of a class. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Sets a property of any name: an assignment to `__proto__` would replace the prototype. */
export function put<Value>(record: Record<string, Value>, name: string, value: Value): void {
  if (name !== '__proto__') record[name] = value
  else Object.defineProperty(record, name, { value, configurable: true, enumerable: true, writable: true })
}

/** A property of any name that the record itself has. Reading `record.constructor` would give that of the prototype. */
export function propertyOf<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Whether a value is a list or a plain record, which are a tree's branches. Instances of classes are leaves. */
export function isBranch(value: unknown): value is BranchOf<unknown> {
  return Array.isArray(value) || isRecord(value)
}

/** A list or a record of children. */
type BranchOf<Child> = readonly Child[] | Readonly<Record<string, Child>>

/** `isBranch` for a part of a tree whose leaves are not lists or records. */
function isBranchOf<T>(part: Tree<T>): part is BranchOf<Tree<T>> & Tree<T> {
  return isBranch(part)
}

/** The children of a branch, each with its step in a path: `[0]` or `.key`. */
function children(branch: object): [step: string, child: unknown][] {
  if (Array.isArray(branch)) return branch.map((child: unknown, i) => [`[${i}]`, child])
  return Object.entries(branch).map(([key, child]) => [`.${key}`, child])
}

function visit(tree: unknown, path: string, onLeaf: (leaf: unknown, path: string) => void): void {
  if (!isBranch(tree)) return onLeaf(tree, path)
  for (const [step, child] of children(tree)) visit(child, path + step, onLeaf)
}

/** The most levels of lists and records. A deeper tree probably contains itself. */
const DEEPEST = 100

/** The children of a branch at a depth. @throws ArgumentError for a tree that is too deep */
export function childrenAt<Child>(branch: BranchOf<Child>, depth: number): readonly Child[]
export function childrenAt(branch: object, depth: number): readonly unknown[]
export function childrenAt(branch: object, depth: number): readonly unknown[] {
  if (depth > DEEPEST) throw new ArgumentError(`Lists contain themselves, or are nested more than ${DEEPEST} deep`)
  return Array.isArray(branch) ? branch : Object.values(branch)
}

/**
 * The leaves, lists by position and records in the order of their keys.
 * @throws ArgumentError for a tree that contains itself
 */
export function flatten<T>(tree: Tree<T>): T[] {
  const leaves: T[] = []
  const collect = (part: Tree<T>, depth: number): void => {
    if (isBranchOf(part)) for (const child of childrenAt(part, depth)) collect(child, depth + 1)
    else leaves.push(part)
  }
  collect(tree, 0)
  return leaves
}

/** A path for each leaf, in the order of flatten: `''` for a single leaf, `.image`, `[0].mask`. */
export function pathsOf(tree: Tree<unknown>): string[] {
  const paths: string[] = []
  visit(tree, '', (_leaf, path) => paths.push(path))
  return paths
}

/** A path for messages: `image`, `0.mask`; '' for a single leaf. */
export function pathName(path: string): string {
  return path.replaceAll('[', '.').replaceAll(']', '').replace(/^\./, '')
}

/** The names of the leaves: the keys of a record whose values are all leaves, otherwise paths as in messages. */
export function leafNames(tree: Tree<unknown>): string[] {
  const isFlat = isRecord(tree) && Object.values(tree).every((each) => !isBranch(each))
  return isFlat ? Object.keys(tree) : pathsOf(tree).map(pathName)
}

/** The same tree with other leaves, which are in the order of flatten. */
export function unflatten<To>(structure: unknown, leaves: readonly To[]): Tree<To> {
  let at = 0
  const build = (branch: unknown): Tree<To> => {
    if (!isBranch(branch)) return leaves[at++]!
    if (Array.isArray(branch)) return branch.map(build)
    return Object.fromEntries(Object.entries(branch).map(([key, child]) => [key, build(child)]))
  }
  return build(structure)
}

/** The same tree with each leaf replaced; the path names the leaf in messages. */
export function mapTree<T, To>(tree: Tree<T>, replace: (leaf: T, path: string) => To): Tree<To> {
  const build = (branch: Tree<T>, path: string): Tree<To> => {
    if (!isBranchOf(branch)) return replace(branch, path)
    if (Array.isArray(branch)) return branch.map((child, i) => build(child, `${path}[${i}]`))
    return Object.fromEntries(Object.entries(branch).map(([key, child]) => [key, build(child, `${path}.${key}`)]))
  }
  return build(tree, '')
}

/** A string that is equal for trees with the same branches: `*`, `[*,*]`, `{a:*,b:[*]}`. */
export function structureOf(tree: Tree<unknown>): string {
  if (!isBranch(tree)) return '*'
  if (Array.isArray(tree)) return `[${tree.map((child) => structureOf(child)).join()}]`
  return `{${Object.entries(tree)
    .map(([key, child]) => `${key}:${structureOf(child as Tree<unknown>)}`)
    .join()}}`
}

/**
 * The parts of `value` at the leaves of `structure`; a part may itself be nested, like an array of numbers. Keys may
 * come in any order.
 * @param where names the value in errors
 * @throws ArgumentError for a missing or unknown key, or another number of elements
 */
export function flattenLike(structure: Tree<unknown>, value: unknown, where: string): unknown[] {
  const leaves: unknown[] = []
  const walk = (branch: unknown, part: unknown, path: string): void => {
    if (!isBranch(branch)) return void leaves.push(part)
    const place = `${where}${path}`
    if (Array.isArray(branch)) {
      if (!Array.isArray(part) || part.length !== branch.length) {
        const received = Array.isArray(part) ? `an array of ${part.length}` : describe(part)
        throw new ArgumentError(`${place}: expected an array of ${branch.length}, received ${received}`)
      }
      branch.forEach((child: unknown, i) => walk(child, part[i], `${path}[${i}]`))
      return
    }
    const keys = Object.keys(branch)
    if (!isRecord(part)) {
      throw new ArgumentError(`${place}: expected an object { ${keys.join(', ')} }, received ${describe(part)}`)
    }
    const unknown = Object.keys(part).find((key) => !keys.includes(key))
    const missing = keys.find((key) => part[key] === undefined)
    if (unknown !== undefined || missing !== undefined) {
      const wrong = unknown !== undefined ? `'${unknown}' is not one of them` : `'${missing}' is missing`
      throw new ArgumentError(`${place}: expected { ${keys.join(', ')} }; ${wrong}`)
    }
    for (const [key, child] of Object.entries(branch)) walk(child, part[key], `${path}.${key}`)
  }
  walk(structure, value, '')
  return leaves
}

/**
 * The same tree with the keys of each record in the order that they have in another tree. A part whose keys differ from those
 * of the other tree is returned unchanged.
 */
export function inOrderOf<Part>(like: unknown, tree: Part): Part
export function inOrderOf(like: unknown, tree: unknown): unknown {
  if (!isBranch(tree) || !isBranch(like) || Array.isArray(tree) !== Array.isArray(like)) return tree
  const keys = Object.keys(like)
  if (keys.length !== Object.keys(tree).length || !keys.every((key) => Object.hasOwn(tree, key))) return tree
  const ordered = keys.map((key): [string, unknown] => [key, inOrderOf(Reflect.get(like, key), Reflect.get(tree, key))])
  return Array.isArray(tree) ? ordered.map(([, part]) => part) : Object.fromEntries(ordered)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null)
    return isBranch(value) ? `{ ${Object.keys(value).join(', ')} }` : value.constructor.name
  return String(value)
}

/**
 * A tree with the type that its structure implies. Code that walks trees returns them without a type; a function with a typed signature
 * asserts it here.
 */
export function typed<Typed>(tree: unknown): Typed
export function typed(tree: unknown): unknown {
  return tree
}
