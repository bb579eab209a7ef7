// What is known of tensors before there are any: shapes whose batch axis is open, dtypes, and trees of both.

import type { DType } from '../core/dtypes'
import { formatShape } from '../core/errors'
import type { Tree, MapTree } from '../core/tree'
import { isBranch, mapTree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

/** A shape whose open extents are null: [null, 8] is any number of rows of 8. */
export type BatchShape = readonly (number | null)[]

/** The type of a tensor whose extents need not all be known. */
export class TensorSpec {
  /** The extent of each axis, null for an open one; frozen. */
  readonly shape: BatchShape

  constructor(
    shape: BatchShape,
    readonly dtype: DType = 'float32',
    readonly name?: string,
  ) {
    this.shape = Object.isFrozen(shape) ? shape : Object.freeze([...shape])
  }

  toString(): string {
    return `${this.dtype} ${formatShape(this.shape)}`
  }
}

/** A tree of tensors as a tree of specs. */
export type SpecsOf<Tensors> = MapTree<Tensors, Tensor, TensorSpec>
/** A tree of tensors as a tree of shapes. */
export type ShapesOf<Tensors> = MapTree<Tensors, Tensor, BatchShape>

/** A shape stands for one tensor; anything else that branches is a tree. */
export function isBatchShape(value: unknown): value is BatchShape {
  return Array.isArray(value) && value.every((extent) => extent === null || typeof extent === 'number')
}

/** Specs from a tree of specs or of shapes; float32 where nothing is said. */
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

/** What a tensor, or the symbol of one, says of itself; the batch axis is open. */
export function specOf({ shape, dtype }: Tensor): TensorSpec {
  return new TensorSpec(shape.length === 0 ? [] : [null, ...shape.slice(1)], dtype)
}

/** Text that is equal for equal specs. */
export function specKey(specs: Tree<TensorSpec>): string {
  if (specs instanceof TensorSpec) return `${specs.dtype}[${specs.shape.join()}]`
  if (Array.isArray(specs)) return `(${specs.map(specKey).join(';')})`
  return `{${Object.entries(specs)
    .map(([key, child]) => `${key}:${specKey(child as Tree<TensorSpec>)}`)
    .join(';')}}`
}
