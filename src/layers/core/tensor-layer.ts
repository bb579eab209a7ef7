// The base of layers that take one tensor, not a tree of several.

import { ShapeError } from '../../core/errors'
import type { Tree } from '../../core/tree'
import { isBranch } from '../../core/tree'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions, LayerBase } from '../base'
import type { CallContext } from '../context'
import { Layer } from '../layer'
import type { TensorSpec } from '../spec'

/** @throws ShapeError for a list or a record */
export function requireOne(layer: LayerBase, input: Tree<unknown>): void {
  if (!isBranch(input)) return
  const received = Array.isArray(input) ? `a list of ${input.length}` : `a record of ${Object.keys(input).join(', ')}`
  throw new ShapeError(
    `${layer}: the input must be one tensor, received ${received}. A recurrent layer with returnState gives a list: its output and its states.`,
  )
}

/** One tensor → one tensor or several. A list or a record is refused with an error. */
export abstract class TensorLayer extends Layer<Tensor> {
  protected override buildTree(specs: Tree<TensorSpec>): void {
    requireOne(this, specs)
    super.buildTree(specs)
  }

  protected override outputTree(specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec> {
    requireOne(this, specs)
    return super.outputTree(specs, options)
  }

  protected override callTree(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    requireOne(this, input)
    return super.callTree(input, context)
  }
}
