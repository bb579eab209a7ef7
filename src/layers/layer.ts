// Layer: a function from tensors to tensors with weights, in Keras's life cycle: construct → build → call. No layer
// writes a gradient: `call` composes ops, and the traced result is differentiated. What all layers share is in base.ts.

import type { DType } from '../core/dtypes'
import { ArgumentError } from '../core/errors'
import { STRINGS } from '../ops/trace'
import type { Tree } from '../core/tree'
import { flatten, mapTree, typed } from '../core/tree'
import type { InputsOf } from '../ops/convert'
import type { Tensor } from '../ops/tensor'
import type { ApplyOptions } from './base'
import { LayerBase } from './base'
import type { CallContext } from './context'
import type { ShapesOf, SpecsOf } from './spec'
import { TensorSpec, shapesOf, specsFrom } from './spec'
import { firstCall } from './symbol'

export type { InputsOf }

/**
 * Subclass it, create weights in `build` with `addWeight`, and write `call` with ops.
 *
 *   class Scale extends Layer {
 *     build(inputShape) {
 *       this.scale = this.addWeight({ name: 'scale', shape: [inputShape.at(-1)], initializer: 'ones' })
 *     }
 *     call(x) { return ops.multiply(x, this.scale) }
 *   }
 *
 * In and Out are trees of tensors. Layers in properties, also inside arrays, records and Maps, are inner layers: their
 * weights belong to this layer. A layer in a `#private` field must be registered with `track`.
 *
 * Keras: `keras.layers.Layer`.
 */
export abstract class Layer<In = Tensor, Out = Tensor> extends LayerBase {
  /** The function of the layer. */
  abstract call(input: In, context: CallContext): Out

  /**
   * Creates the weights for inputs of this shape (a tree of shapes for a tree of inputs). Called once, before the first
   * call.
   */
  build(_inputShape: ShapesOf<In>, _inputSpec: SpecsOf<In>): void {}

  /**
   * Calls the layer: builds it if necessary and puts its name on the nodes it traces. On symbols of a functional model
   * it records the call. `options` take precedence over the context of the calling layer.
   * @throws ArgumentError if the layer is called inside another one that does not own it: its weights would not be
   * trained
   */
  apply(input: InputsOf<In>, options: ApplyOptions | CallContext = {}): Out {
    if (typeof this.call !== 'function') throw new ArgumentError(`${this}: a layer needs a method call(x, context)`)
    return typed(this.applyTree(input, options))
  }

  /** The shape of the output for inputs of this shape; inferred by tracing `call` unless a layer overrides it. */
  computeOutputShape(inputShape: ShapesOf<In>): ShapesOf<Out> {
    return typed(shapesOf(this.tracedOutputSpec(specsFrom(inputShape))))
  }

  /**
   * Shapes and dtypes of the output; inferred by tracing `call`, or from `computeOutputShape` if a layer overrides
   * that.
   */
  computeOutputSpec(inputSpec: SpecsOf<In>, options: ApplyOptions = {}): SpecsOf<Out> {
    return typed(this.outputTree(typed(inputSpec), options))
  }

  /** The dtype of the output if `computeOutputShape` gives its shape; float32 unless a layer overrides it. */
  protected outputDtype(_inputs: readonly DType[]): DType {
    return 'float32'
  }

  /** The mask of the output, for layers that support masking; the input's unless a layer overrides it. */
  computeMask(_input: In, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return mask
  }

  /** The input shape for which the weights were created; null before. */
  get buildShape(): ShapesOf<In> | null {
    return this.buildSpec === null ? null : typed(shapesOf(this.buildSpec))
  }

  /**
   * The symbols of the layer's first call, for models of a part of another model. @throws StateError if it was never
   * called on symbols
   */
  get input(): In {
    return typed(firstCall(this).input)
  }

  /** The symbols that its first call returned. @throws StateError if it was never called on symbols */
  get output(): Out {
    const { structure, outputs } = firstCall(this)
    return typed(mapTree(structure, (index) => outputs[index]!))
  }

  protected callTree(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    return typed(this.call(typed(input), context))
  }

  protected buildTree(specs: Tree<TensorSpec>): void {
    this.build(typed(shapesOf(specs)), typed(specs))
  }

  protected outputTree(specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec> {
    if (this.computeOutputSpec !== Layer.prototype.computeOutputSpec)
      return typed(this.computeOutputSpec(typed(specs), options))
    if (this.computeOutputShape === Layer.prototype.computeOutputShape) return this.tracedOutputSpec(specs, options)
    const given = flatten(specs).map((spec) => spec.dtype)
    if (given.includes('string') && this.inputDtype !== 'string') throw new ArgumentError(`${this}: ${STRINGS}`)
    const dtype = this.outputDtype(given)
    const shapes = this.computeOutputShape(typed(shapesOf(specs)))
    return mapTree(specsFrom(shapes), ({ shape }) => new TensorSpec(shape, dtype))
  }

  protected maskTree(input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return this.computeMask(typed(input), mask)
  }
}
