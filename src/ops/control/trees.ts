// Trees of tensors as operands and results of functions that control flow calls.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { flatten, inOrderOf, isBranch, pathsOf, structureOf, type MapTree } from '../../core/tree'
import { toTensor } from '../convert'
import type { Leaf } from '../kinds'
import type { Tensor } from '../tensor'

export type { Branching } from '../kinds'

/** The same tree with tensors at the leaves. */
export type Tensors<Structure> = MapTree<Structure, Leaf, Tensor>

/** The parameters of a function that is called with these trees. */
export type Parameters<Trees extends readonly unknown[]> = {
  -readonly [Position in keyof Trees]: Tensors<Trees[Position]>
}

/** The maximum depth of a tree: a deeper one probably contains itself. */
const DEEPEST = 64

/** The leaves of a tree as tensors. @param what names the tree in errors */
export function toLeaves(tree: unknown, what: string): Tensor[] {
  requireTree(tree, what, 0)
  const paths = pathsOf(tree)
  return flatten<unknown>(tree).map((leaf, i) => toTensor(leaf, `${what}${paths[i]}`))
}

/** Checks that a tree has limited depth and no holes. */
function requireTree(tree: unknown, what: string, depth: number): void {
  if (depth > DEEPEST) throw new ArgumentError(`${what}: arrays and records are nested more than ${DEEPEST} deep`)
  if (tree === undefined || tree === null)
    throw new ArgumentError(`${what} must be a tensor, or arrays and records of tensors, received ${String(tree)}`)
  if (!isBranch(tree)) return
  const children: unknown[] = Array.isArray(tree) ? Array.from<unknown>(tree) : Object.values(tree)
  for (const child of children) requireTree(child, what, depth + 1)
}

/** The leaves of the next carry. Each must keep its shape and dtype. */
export function nextCarries(where: string, next: unknown, init: unknown, before: readonly Tensor[]): Tensor[] {
  const ordered = inOrderOf(init, next)
  const leaves = toLeaves(ordered, `${where}: the carry`)
  const [expected, received] = [init, ordered].map((tree) => structureOf(tree))
  if (received !== expected) {
    throw new ArgumentError(
      `${where}: the function must return a carry with the structure of its argument, ${expected}, received ${received}`,
    )
  }
  const paths = pathsOf(init)
  leaves.forEach((leaf, i) => {
    const { shape, dtype } = before[i]!
    if (leaf.dtype === dtype && sameShape(leaf.shape, shape)) return
    throw new ShapeError(
      `${where}: the carry${paths[i] === '' ? '' : ` ${paths[i]}`} must stay ${dtype} ${formatShape(shape)}, the function returned ${leaf.dtype} ${formatShape(leaf.shape)}`,
    )
  })
  return leaves
}
