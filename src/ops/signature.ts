// Arguments and results of transformed functions, which are trees. Flattens data into tensors, replaces them by
// symbols, and computes a key that is equal for arguments that can share a program. transform.ts uses the
// results.

import { numberOf } from '../core/numbers'
import { ArgumentError, quoted } from '../core/errors'
import { flatten, isBranch, mapTree, pathsOf, structureOf, type Tree } from '../core/tree'
import { toTensor } from './convert'
import { Tensor } from './tensor'
import { currentTrace } from './trace'
import { Variable } from './variable'

/** Leaves that are kept unchanged. */
type Nothing = null | undefined
export type Leaf = Tensor | Variable | Nothing

/** The arguments of one call. */
export class CallArguments {
  private constructor(
    /** The list of arguments, with data as tensors. */
    private readonly tree: readonly Tree<Leaf>[],
    private readonly where: string,
  ) {}

  /**
   * Reads the arguments: records and lists of tensors are branches, arrays of numbers are data.
   * @param where names the function in errors
   * @throws DataError for a value that cannot be a tensor, with its position: `argument 0.w`
   */
  static take(where: string, inputs: readonly unknown[]): CallArguments {
    const tree = inputs.map((input, i) => take(input, `${where}: argument ${i}`, []))
    return new CallArguments(tree, where)
  }

  /** The number of arguments. */
  get count(): number {
    return this.tree.length
  }

  /** The inputs of a program at each run. Variables are not included, because the program reads them in place. */
  get tensors(): Tensor[] {
    return flatten<Leaf>(this.tree).filter((leaf) => leaf instanceof Tensor)
  }

  /** All leaves, with the current contents of variables. */
  get contents(): Tensor[] {
    return flatten<Leaf>(this.tree).flatMap((leaf) =>
      leaf == null ? [] : [leaf instanceof Tensor ? leaf : leaf.value],
    )
  }

  /** Equal for arguments with the same branches: see structureOf. */
  get structure(): string {
    return structureOf(this.tree)
  }

  /** Equal for arguments with the same structure, shapes, dtypes and variables. */
  get key(): string {
    return keyOf(this.tree)
  }

  /**
   * The arguments for the function: symbols in place of tensors, and the contents of variables. Only inside a
   * trace.
   */
  bind(symbols: readonly Tensor[]): Tree<Tensor | Nothing>[] {
    let at = 0
    const bound = (leaf: Leaf): Tensor | Nothing => {
      if (leaf instanceof Variable) return currentTrace()!.read(leaf)
      return leaf instanceof Tensor ? symbols[at++]! : leaf
    }
    return this.tree.map((argument) => mapTree(argument, bound))
  }

  /** One tree per argument, with its structure and these tensors at the leaves. */
  withLeaves(tensors: readonly Tensor[]): readonly Tree<Tensor | Nothing>[] {
    return withLeaves(this.tree, tensors)
  }

  /** @throws ArgumentError when argument i has a leaf without a gradient */
  requireFloats(i: number): void {
    const argument = this.tree[i]!
    const paths = pathsOf(argument)
    flatten<Leaf>(argument).forEach((leaf, at) => {
      if (leaf == null || leaf.dtype === 'float32') return
      throw new ArgumentError(
        `${this.where}: argument ${i}${paths[at]!} is ${leaf.dtype}, which has no gradient. Pass it in an argument that is not differentiated.`,
      )
    })
  }
}

function take(value: unknown, where: string, within: readonly object[]): Tree<Leaf> {
  if (value === null || value === undefined || value instanceof Tensor || value instanceof Variable) return value
  if (!isBranch(value) || isData(value)) return toTensor(value, where)
  if (within.includes(value)) throw new ArgumentError(`${where} contains itself`)
  const inner = [...within, value]
  if (Array.isArray(value)) return value.map((each, i) => take(each, `${where}[${i}]`, inner))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, take(each, `${where}.${key}`, inner)]))
}

/** Whether a list or record is one tensor: nested arrays of numbers, or { data, shape }. */
function isData(value: object): boolean {
  if (!Array.isArray(value)) return 'data' in value && 'shape' in value
  // A list of only nulls is a branch; a null among numbers is a mistake, which toTensor reports.
  let isEmpty = true
  const seen = new Set<unknown>()
  const isNumbers = (each: unknown): boolean => {
    if (Array.isArray(each)) {
      if (seen.has(each)) return true
      seen.add(each)
      return each.every(isNumbers)
    }
    if (each === null || each === undefined) return true
    isEmpty = false
    return typeof each === 'number' || typeof each === 'boolean'
  }
  return isNumbers(value) && (!isEmpty || value.length === 0)
}

// Each call of a compiled function needs its key, so this builds the text directly.
function keyOf(tree: Tree<Leaf>): string {
  if (tree == null) return '-'
  if (tree instanceof Tensor) return `${tree.dtype}[${tree.shape.join()}]`
  if (tree instanceof Variable) return `variable ${numberOf(tree)}`
  let key = ''
  if (isList(tree)) for (const child of tree) key += `${keyOf(child)},`
  else for (const [name, child] of Object.entries(tree)) key += `${JSON.stringify(name)}:${keyOf(child)},`
  return isList(tree) ? `(${key})` : `{${key}}`
}

const isList = (tree: Tree<Leaf>): tree is readonly Tree<Leaf>[] => Array.isArray(tree)

/** Trees of the same structure, with these tensors at the leaves. */
export function withLeaves(
  trees: readonly Tree<Leaf>[],
  tensors: readonly Tensor[],
): readonly Tree<Tensor | Nothing>[] {
  let at = 0
  return trees.map((tree) => mapTree<Leaf, Tensor | Nothing>(tree, (leaf) => (leaf == null ? leaf : tensors[at++]!)))
}

/** The results of a traced function, and the structure in which it returns them. */
export interface Results {
  readonly tensors: readonly Tensor[]
  /** At each leaf the index of a tensor, or null or undefined. */
  readonly structure: Tree<number | Nothing>
}

/**
 * Flattens the results of a function.
 * @param where names the function in errors
 * @throws ArgumentError for a leaf that is not a Tensor, null or undefined, with its position
 */
export function takeResults(where: string, result: unknown): Results {
  const tensors: Tensor[] = []
  const structure = mapTree<unknown, number | Nothing>(result, (leaf, path) => {
    if (leaf === null || leaf === undefined) return leaf
    if (leaf instanceof Tensor) return tensors.push(leaf) - 1
    throw new ArgumentError(
      `${where}: the function must return Tensors, received ${leaf instanceof Variable ? 'a Variable' : quoted(leaf)}${path === '' ? '' : ` at ${path}`}`,
    )
  })
  return { tensors, structure }
}

/** Rebuilds the structure that a function returned from its tensors. */
export function putBack(structure: Tree<number | Nothing>, tensors: readonly Tensor[]): Tree<Tensor | Nothing> {
  return mapTree(structure, (leaf) => (typeof leaf === 'number' ? tensors[leaf]! : leaf))
}
