// Which elements of a tensor count: a table next to the tensors, like Keras's `_keras_mask`. Layers that support
// masking pass masks on; losses and metrics skip masked elements.

import { requireArguments } from '../core/arguments'
import { flatten, mapTree, type Tree } from '../core/tree'
import { Tensor } from '../ops/tensor'

const masks = new WeakMap<Tensor, Tensor>()

/** The mask of a tensor: bool, true where an element counts; null if all count. */
/** Symbols from which a mask is computed, and how many ops are in between. */
export type MaskTrail = ReadonlyMap<Tensor, number>

/** The trail of a mask that `ops` more ops compute from masks. */
export function longerTrail(trails: readonly (readonly [trail: MaskTrail, ops: number])[]): MaskTrail {
  const longest = new Map<Tensor, number>()
  for (const [trail, ops] of trails)
    for (const [symbol, length] of trail) longest.set(symbol, Math.max(longest.get(symbol) ?? 0, length + ops))
  return longest
}

/** The mask of a tensor: bool [batch, steps], false at padding; null for none. Layers such as Embedding and Masking make masks. */
export function maskOf(tensor: Tensor): Tensor | null {
  requireArguments('maskOf', arguments, 1)
  return masks.get(tensor) ?? null
}

/** Gives a tensor a mask. */
export function setMask(tensor: Tensor, mask: Tensor): void {
  requireArguments('setMask', arguments, 2)
  masks.set(tensor, mask)
}

/** The same values with these masks; null for no mask. */
export function withMasks(input: Tree<Tensor>, masks: Tree<Tensor | null>): Tree<Tensor> {
  const all = flatten(masks)
  let at = 0
  return mapTree(input, (leaf) => {
    const mask = all[at++] ?? null
    if (maskOf(leaf) === mask) return leaf
    const alias = Tensor.aliasOf(leaf)
    if (mask !== null) setMask(alias, mask)
    return alias
  })
}

/** The masks of a tree of tensors; null if none has a mask. */
export function masksOf(input: Tree<unknown>): Tree<Tensor | null> {
  const found = mapTree(input, (leaf) => (leaf instanceof Tensor ? maskOf(leaf) : null))
  return flatten(found).some((mask) => mask !== null) ? found : null
}

/** An alias of the tensor without its mask. */
export function withoutMask(tensor: Tensor): Tensor {
  return maskOf(tensor) === null ? tensor : Tensor.aliasOf(tensor)
}
