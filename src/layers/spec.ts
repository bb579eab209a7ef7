// Trees of the types of tensors, as layers use them: of specs, and of shapes with an open batch axis.

import type { BatchShape } from '../core/spec'
import { TensorSpec } from '../core/spec'
import type { Tree, MapTree } from '../core/tree'
import { isBranch, mapTree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

export { TensorSpec } from '../core/spec'
export type { BatchShape } from '../core/spec'

/** A tree of tensors as a tree of specs. */
export type SpecsOf<Tensors> = MapTree<Tensors, Tensor, TensorSpec>
/** A tree of tensors as a tree of shapes. */
export type ShapesOf<Tensors> = MapTree<Tensors, Tensor, BatchShape>

/** A list of numbers or nulls is the shape of one tensor; other lists and records are trees. */
export function isBatchShape(value: unknown): value is BatchShape {
  return Array.isArray(value) && value.every((extent) => extent === null || typeof extent === 'number')
}

/** Specs from a tree of specs or of shapes; float32 for shapes. */
export function specsFrom(tree: unknown): Tree<TensorSpec> {
  if (tree instanceof TensorSpec) return tree
  if (isBatchShape(tree)) return new TensorSpec(tree)
  if (Array.isArray(tree)) return tree.map(specsFrom)
  if (isBranch(tree)) return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, specsFrom(child)]))
  return new TensorSpec([])
}

/** The shapes of a tree of specs, as `build` and `computeOutputShape` take them. */
export function shapesOf(specs: Tree<TensorSpec>): Tree<number | null> {
  return mapTree(specs, ({ shape }) => shape) as Tree<number | null>
}

/** The spec of a tensor or symbol, with an open batch axis. */
export function specOf({ shape, dtype }: Tensor): TensorSpec {
  return new TensorSpec(shape.length === 0 ? [] : [null, ...shape.slice(1)], dtype)
}
