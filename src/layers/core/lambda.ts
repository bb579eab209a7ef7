// Lambda: a user's function as a layer.

import {
  configured,
  either,
  extents,
  functionKind,
  nullable,
  option,
  recordOf,
  required,
  type Kind,
} from '../../core/options'
import type { DType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { flatten, unflatten, type Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { LISTED } from '../forms'
import { Layer, type ApplyOptions, type InputsOf } from '../layer'
import { isInferring, type CallContext } from '../context'
import { callMethod } from '../layer-like'
import { plainData } from '../kinds'
import { TensorSpec, shapesOf, specsFrom, type BatchShape } from '../spec'
import type { LayerTraits } from '../traits'
import { tracedOutputSpecs } from '../inference'

const plainRecord = /* @__PURE__ */ recordOf(plainData)
/** A record of plain data; null is an empty one. */
const argumentsKind: typeof plainRecord &
  Kind<Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>> | null> = {
  read: (value, where) => plainRecord.read(value ?? {}, where),
  write: (value) => plainRecord.write(value),
}

/** A tensor, or what is known of one. */
interface Typed {
  readonly shape: BatchShape
  readonly dtype: DType
}

/** What the function of a Lambda gets besides its input: `arguments` of the layer, training and the input's mask. */
export interface LambdaContext {
  readonly training: boolean
  readonly mask: Tree<Tensor | null>
  readonly [argument: string]: unknown
}

/** One tensor, or a list of them where the layer is called on a list. */
type LambdaInput = Tensor & readonly Tensor[]
type LambdaFunction = (x: LambdaInput, context: LambdaContext) => Tensor | readonly Tensor[]
/** One shape, or a list of them for a list of inputs. */
type LambdaShape = BatchShape & readonly BatchShape[]
type ShapeFunction = (inputShape: LambdaShape) => BatchShape | readonly BatchShape[]
type MaskFunction = (x: LambdaInput, mask: Tree<Tensor | null>) => Tree<Tensor | null>

const CALLED = 'that a Lambda layer calls'

const LambdaBase = configured(
  Layer<Tensor>,
  () => ({
    /** Returns the output for an input and a record of training, mask and `arguments`. */
    function: required(functionKind<LambdaFunction>(CALLED)),
    /** The shape of one output sample, or a function of the whole input shapes. Default null: inferred by tracing. */
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
    arguments: option(argumentsKind, {}),
  }),
  ['function', 'outputShape', 'mask', 'arguments'],
)

/**
 * function(x), written with ops. It has no weights; write a class for a layer with weights.
 *
 *   const double = (x) => ops.multiply(x, 2)
 *   new Lambda(double)
 *   new Lambda(([a, b]) => ops.subtract(a, b)).apply([first, second])
 *
 * A layer that is called on a list or record passes it to the function. A function is saved by its name; a file is loaded with
 * `loadModel(bytes, { customObjects: { double } })`.
 *
 * Keras: `keras.layers.Lambda`.
 * @throws ArgumentError if a layer whose function has no name is saved; ShapeError if the function returns another shape than
 * `outputShape`, which Keras does not check
 */
export class Lambda extends LambdaBase {
  static readonly className = 'Lambda'
  /** @internal */
  static override readonly traits: LayerTraits<Lambda> = {
    form: LISTED,
    constructorOptions: ['mask'],
    makesMask: (layer) => layer.mask !== null,
    readsMask: () => true,
  }
  override readonly supportsMasking: boolean = this.mask !== null

  override apply(
    input: InputsOf<Tensor> | readonly TensorLike[] | Readonly<Record<string, TensorLike>>,
    options: ApplyOptions | CallContext = {},
  ): Tensor {
    return this.applyTo([input, options])
  }

  call(x: Tensor, context: CallContext): Tensor
  call(x: LambdaInput, { training, mask }: CallContext): ReturnType<LambdaFunction> {
    const { function: body } = this
    const output = body(x, { ...this.arguments, training, mask })
    // A trace that only infers shapes has assumed extents.
    if (this.outputShape !== null && !isInferring()) this.specOfOutput(shapesOf(x), output)
    return output
  }

  override computeMask(x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null>
  override computeMask(x: LambdaInput, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return this.mask?.(x, mask) ?? null
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape
  override computeOutputShape(inputShape: LambdaShape): ReturnType<ShapeFunction> {
    const { outputShape } = this
    if (outputShape === null) return super.computeOutputShape(inputShape)
    if (typeof outputShape === 'function') return outputShape(inputShape)
    // The inputs of a list have the same batch axis.
    return [flatten<TensorSpec>(specsFrom(inputShape))[0]?.shape[0] ?? null, ...outputShape]
  }

  override computeOutputSpec(inputSpec: TensorSpec, options?: ApplyOptions): TensorSpec
  override computeOutputSpec(inputSpec: TensorSpec, options: ApplyOptions = {}): Tree<TensorSpec> {
    const traced = tracedOutputSpecs(this, inputSpec, options)
    return this.outputShape === null ? traced : this.specOfOutput(shapesOf(inputSpec), traced)
  }

  /**
   * The spec of the output, from `outputShape`.
   * @throws ShapeError where the function gives another shape; extents that are open on either side agree with all
   */
  private specOfOutput(inputs: Tree<number | null>, results: Tree<Typed>): Tree<TensorSpec> {
    const said = specsFrom(callMethod(this, 'computeOutputShape', [inputs]))
    const outputs = flatten<Typed>(results)
    const specs = flatten<TensorSpec>(said)
    const agrees = ({ shape }: TensorSpec, other: BatchShape | undefined): boolean =>
      shape.length === other?.length &&
      shape.every((extent, i) => extent === null || other[i] === null || extent === other[i])
    if (specs.length !== outputs.length || !specs.every((spec, i) => agrees(spec, outputs[i]?.shape))) {
      const text = (all: readonly { readonly shape: BatchShape }[]): string =>
        all.map(({ shape }) => formatShape(shape)).join(' and ')
      throw new ShapeError(
        `${this}: outputShape declares ${text(specs)}, but the function returns ${text(outputs)}. Correct outputShape, or leave it out.`,
      )
    }
    return unflatten(
      results,
      specs.map(({ shape }, i) => new TensorSpec(shape, outputs[i]!.dtype)),
    )
  }
}
