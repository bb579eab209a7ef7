// Trees of the types of tensors, as layers use them: of specs, and of shapes with an open batch axis.

import type { DType } from '../core/dtypes'
import { TensorSpec, type BatchShape } from '../core/spec'
import { formatShape, internalError } from '../core/errors'
import type { Shape } from '../core/shapes'
import { isBranch, mapTree, type Tree, type MapTree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

export { TensorSpec } from '../core/spec'
export type { BatchShape } from '../core/spec'

/** A tree of tensors as a tree of specs. */
export type SpecsOf<Tensors> = MapTree<Tensors, Tensor, TensorSpec>
/** A tree of tensors as a tree of shapes. */
export type ShapesOf<Tensors> = MapTree<Tensors, Tensor, BatchShape>

/** What a layer requires of an input; what it does not require is absent. Keras: `keras.InputSpec`. */
export interface InputSpec {
  /** The whole shape, with null for extents that may be of any size. */
  readonly shape?: BatchShape
  readonly dtype?: DType
  /** The number of axes, or its limits. */
  readonly ndim?: number
  readonly minNdim?: number
  readonly maxNdim?: number
  /** Extents by axis; −1 is the last. */
  readonly axes?: Readonly<Record<number, number | null>>
}

/** The requirement of a layer that is built for a shape; none before. */
export function extentsAt(built: BatchShape | null, axes: readonly number[]): Pick<InputSpec, 'axes'> {
  return built === null ? {} : { axes: Object.fromEntries(axes.map((axis) => [axis, built.at(axis)!])) }
}

/** Whether no extent of a shape is open. */
export function isKnownShape(shape: BatchShape): shape is Shape {
  return shape.every((extent) => extent !== null)
}

/** The same shape, as that of a tensor with data. @throws Error for an open extent */
export function knownShape(shape: BatchShape): Shape {
  if (isKnownShape(shape)) return shape
  throw internalError(`expected a shape without open extents, received ${formatShape(shape)}`)
}

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

/** The shapes of a tree of specs or of tensors, as `build` and `computeOutputShape` take them. */
export function shapesOf(specs: Tree<{ readonly shape: BatchShape }>): Tree<number | null> {
  return mapTree(specs, ({ shape }) => shape) as Tree<number | null>
}

/** The spec of a tensor or symbol, with an open batch axis. */
export function specOf({ shape, dtype }: Tensor): TensorSpec {
  return new TensorSpec(shape.length === 0 ? [] : [null, ...shape.slice(1)], dtype)
}
