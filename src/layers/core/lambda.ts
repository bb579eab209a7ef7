// Lambda: a user's function as a layer.

import { configured, either, extents, functionKind, nullable, option, recordOf, required } from '../../core/options'
import type { Tree } from '../../core/tree'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../base'
import type { CallContext } from '../context'
import { plainData } from '../kinds'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import { TensorSpec } from '../spec'

/** What the function of a Lambda gets besides its input: `arguments` of the layer, training and the input's mask. */
export interface LambdaContext {
  readonly training: boolean
  readonly mask: Tree<Tensor | null>
  readonly [argument: string]: unknown
}

type LambdaFunction = (x: Tensor, context: LambdaContext) => Tensor
type ShapeFunction = (inputShape: BatchShape) => BatchShape
type MaskFunction = (x: Tensor, mask: Tree<Tensor | null>) => Tensor | null

const CALLED = 'that a Lambda layer calls'

/**
 * function(x), written with ops. It has no weights; write a class for a layer with weights.
 *
 *   const double = (x) => ops.multiply(x, 2)
 *   new Lambda(double)
 *
 * A function is saved by its name; a file is loaded with `loadModel(bytes, { customObjects: { double } })`.
 *
 * Keras: `keras.layers.Lambda`.
 * @throws ArgumentError if a layer whose function has no name is saved
 */
export class Lambda extends configured(
  Layer<Tensor>,
  () => ({
    /** Returns the output for an input and a record of training, mask and `arguments`. */
    function: required(functionKind<LambdaFunction>(CALLED)),
    /** The shape of one output sample, or a function of the whole input shape. Default null: inferred by tracing. */
    outputShape: option(
      nullable(
        either(
          functionKind<ShapeFunction>(CALLED),
          extents(null),
          (value) => typeof value === 'function' || typeof value === 'string',
        ),
      ),
      null,
    ),
    /** Returns the mask of the output for the input and its mask. Default null: masks are not passed on. */
    mask: option(nullable(functionKind<MaskFunction>(CALLED)), null),
    /** Plain data that the function gets in each call. Default {}. */
    arguments: option(recordOf(plainData), {}),
  }),
  'function',
) {
  static readonly className = 'Lambda'
  override readonly supportsMasking: boolean = this.mask !== null

  /** @internal */
  protected override get constructorOptions(): readonly string[] {
    return ['mask']
  }

  protected override get makesMask(): boolean {
    return this.mask !== null
  }

  call(x: Tensor, { training, mask }: CallContext): Tensor {
    const { function: body } = this
    return body(x, { ...this.arguments, training, mask })
  }

  override computeMask(x: Tensor, mask: Tree<Tensor | null>): Tensor | null {
    return this.mask?.(x, mask) ?? null
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { outputShape } = this
    if (outputShape === null) return super.computeOutputShape(inputShape)
    if (typeof outputShape === 'function') return outputShape(inputShape)
    return [inputShape[0] ?? null, ...outputShape]
  }

  override computeOutputSpec(inputSpec: TensorSpec, options: ApplyOptions = {}): TensorSpec {
    const traced = this.tracedOutputSpec(inputSpec, options) as TensorSpec
    return this.outputShape === null ? traced : new TensorSpec(this.computeOutputShape(inputSpec.shape), traced.dtype)
  }
}
