// Layer: a function from tensors to tensors with weights, in Keras's life cycle: construct → build → call. No layer
// writes a gradient: `call` composes ops, and the traced result is differentiated. The members for weights and other state
// are those of its base, in weight-owner.ts; watched-options.ts notices changes of options.

import { requireArguments } from '../core/arguments'
import type { DType } from '../core/dtypes'
import { ArgumentError, StateError, internalError, printable } from '../core/errors'
import {
  boolean,
  choice,
  extent,
  extents,
  idle,
  named,
  nullable,
  option,
  optionsOf,
  text,
  unread,
  type AnyOption,
  type OptionTable,
} from '../core/options'
import { classNameOf, uniqueName, type Config } from '../core/registry'
import { mapTree, typed, type Tree } from '../core/tree'
import type { InputsOf, TensorLike } from '../ops/convert'
import type { Tensor } from '../ops/tensor'
import type { Regularizer, RegularizerIdentifier } from '../parts/regularizers'
import { regularizers } from '../parts/regularizers/registry'
import { addedLosses } from './added-losses'
import { applyTree, statelessCall } from './applying'
import { buildFor, buildOnce } from './building'
import type { ApplyOptions } from './call-options'
import { currentFrame, type CallContext } from './context'
import { specsOfOutput, tracedOutputSpecs } from './inference'
import {
  onlyInNode,
  readCall,
  type BuildConfig,
  type DTypePolicy,
  type LoraOptions,
  type StatelessOptions,
} from './members'
import {
  shapesOf,
  specsFrom,
  type BatchShape,
  type InputSpec,
  type ShapesOf,
  type SpecsOf,
  type TensorSpec,
} from './spec'
import { firstCall } from './symbol'
import { inputDtypeOf, traitsOf, type LayerTraits } from './traits'
import { listsOf, partsChanged, partsOf, stateOf } from './weight-lists'
import { WeightOwner } from './weight-owner'

export type { ApplyOptions, CallOption } from './call-options'
export type { RegularizedWeight, WeightOptions } from './weight-lists'
export type { InputsOf }

/** A layer with any inputs and outputs. */
export type LayerBase = Layer<unknown, unknown>

export interface LayerOptions {
  /** Default: the class's name in snake case, numbered. */
  name?: string | null | undefined
  /** Whether optimizers may change the weights. Default true. */
  trainable?: boolean | undefined
  /** The shape of one sample, for the first layer of a model; null for an open extent. */
  inputShape?: BatchShape | null | undefined
  /** Short for inputShape: [inputDim]. */
  inputDim?: number | null | undefined
  /** The dtype of computations: float32, which null means, too. */
  dtype?: 'float32' | (string & {}) | null | undefined
  /** Changes nothing: inputs have that dtype, the only one of floats. false warns. Default true. */
  autocast?: boolean | undefined
  /** A penalty on the outputs, per sample, added to the loss. */
  activityRegularizer?: RegularizerIdentifier | null | undefined
}

const LAYER_OPTIONS: () => OptionTable = () => ({
  name: option(nullable(text), null),
  trainable: option(boolean, true),
  inputShape: option(nullable(extents(null)), null),
  inputDim: option(nullable(extent), null),
  dtype: option(choice('float32'), 'float32'),
  autocast: unread(idle(boolean, [true], 'there is one dtype of floats'), true),
  activityRegularizer: option(nullable(named<Regularizer, RegularizerIdentifier>(regularizers)), null),
})

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
export abstract class Layer<In = Tensor, Out = Tensor> extends WeightOwner {
  static override readonly declare = LAYER_OPTIONS
  /** Empty: subclasses list their own. @internal */
  static readonly positional: readonly string[] = []
  /**
   * The declared properties of the class: the inputs and the options of a call that its layers accept, the dtype of the output, checks
   * of inputs. A class declares what differs from its base.
   *
   *   static override readonly traits: LayerTraits = { callOptions: ['initialState'] }
   *
   * @internal
   */
  static readonly traits: LayerTraits = {}
  declare readonly name: string
  /** The shape of one sample, if it was given as an option. */
  declare readonly inputShape: BatchShape | null
  declare readonly dtype: 'float32'
  declare readonly activityRegularizer: Regularizer | null
  /** Whether masks of the input are passed on to the output. @internal */
  readonly supportsMasking: boolean = traitsOf(this).form?.masks ?? false

  constructor(...args: [options?: LayerOptions]) {
    super(...args)
    const options = this as { name: string | null; inputShape: BatchShape | null; readonly inputDim?: number | null }
    options.name ??= uniqueName(classNameOf(this))
    if (options.inputShape === null && options.inputDim != null && isInputDim(this))
      options.inputShape = [options.inputDim]
    // A call by a user builds the layer once, with all inner layers; ensureBuilt calls the method of the class.
    Object.defineProperty(this, 'build', { value: build, configurable: true, writable: true })
  }

  /** The function of the layer: `call(x, context)`, or with several inputs `call(a, b, context)`. */
  abstract call(input: In, ...more: never[]): Out

  /**
   * Creates the weights for inputs of this shape (a tree of shapes for a tree of inputs). Called once, before the first
   * call. Called by a user, it builds the layer and its inner layers, as Keras's does; the batch may have any size:
   *
   *   model.build([null, 4])
   *
   * @throws ArgumentError for what is no shape; ShapeError for one that the layer does not take, or is not built for
   */
  build(_inputShape: ShapesOf<In>, _inputSpec?: SpecsOf<In>): void {}

  /**
   * Calls the layer: builds it if necessary and puts its name on the nodes it traces. On symbols of a functional model
   * it records the call. `options` take precedence over the context of the calling layer. Several inputs are a list, or
   * separate arguments:
   *
   *   attention.apply([query, value], { training: true })
   *   attention.apply(query, value, { training: true })
   *
   * A layer of your own gets separate arguments apart, and the context after them: `call(query, value)` or
   * `call(query, value, context)`. With three parameters it gets those of a list apart, too; with two it gets the list. Inputs may have
   * defaults, `call(x, other = null, context = {})`; there is no context if the last has a number, text, true, false or null.
   * TypeScript knows the arguments if the class declares them:
   *
   *   override apply(input: InputsOf<Tensor>, options?: ApplyOptions | CallContext): Tensor
   *   override apply(...inputs: SeparateInputs): Tensor
   *   override apply(...args: readonly unknown[]): Tensor {
   *     return this.applyTo(args)
   *   }
   *
   * @throws ArgumentError if the layer is called inside another one that does not own it: its weights would not be
   * trained
   */
  apply(input: InputsOf<In>, options?: ApplyOptions | CallContext): Out
  apply(...args: readonly unknown[]): Out {
    return this.applyTo(args)
  }

  /** `apply`, for classes that declare other types of inputs. */
  protected applyTo(args: readonly unknown[]): Out
  protected applyTo(args: readonly unknown[]): unknown {
    if (typeof this.call !== 'function') throw new ArgumentError(`${this}: a layer needs a method call(x, context)`)
    return applyTree(this, ...readCall(this, args))
  }

  /** The shape of the output for inputs of this shape; inferred by tracing `call` unless a layer overrides it. */
  computeOutputShape(inputShape: ShapesOf<In>): ShapesOf<Out>
  computeOutputShape(inputShape: unknown): unknown {
    if (traitsOf(this).form?.keepsShape === true) return inputShape
    return shapesOf(tracedOutputSpecs(this, specsFrom(inputShape)))
  }

  /**
   * Shapes and dtypes of the output; inferred by tracing `call`, or from `computeOutputShape` if a layer overrides
   * that.
   */
  computeOutputSpec(inputSpec: SpecsOf<In>, options?: ApplyOptions): SpecsOf<Out>
  computeOutputSpec(inputSpec: unknown, options: ApplyOptions = {}): unknown {
    return specsOfOutput(this, specsFrom(inputSpec), options)
  }

  /** The mask of the output, for layers that support masking; the input's unless a layer overrides it. */
  computeMask(_input: In, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return mask
  }

  /** The input shape for which the weights were created; null before. */
  get buildShape(): ShapesOf<In> | null {
    const { builtFor } = stateOf(this)
    return builtFor === null ? null : typed(shapesOf(builtFor))
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

  /**
   * Makes a layer an inner layer of this one if no property holds it: `#inner = this.track(new Dense({ units: 4 }))`.
   */
  protected track<Part extends LayerBase>(layer: Part): Part {
    stateOf(this).tracked.push(layer)
    partsChanged(this)
    return layer
  }

  /** The inner layers. Their weights belong to this layer. */
  get sublayers(): readonly LayerBase[] {
    return asLayers(partsOf(this).sublayers)
  }

  /** This layer and all its inner layers, each once, from the outside in. */
  get allLayers(): readonly LayerBase[] {
    return asLayers(listsOf(this).layers)
  }

  /**
   * What the layer requires of its input: the number of axes, or extents; null if nothing. A layer of your own may set it, and is then
   * not called with other inputs:
   *
   *   constructor() { super(); this.inputSpec = { ndim: 4, axes: { [-1]: 3 } } }
   *
   * Keras: `Layer.input_spec`.
   */
  get inputSpec(): InputSpec | readonly InputSpec[] | null {
    return traitsOf(this).requiredInputs?.(this) ?? null
  }

  set inputSpec(value: InputSpec | readonly InputSpec[] | null) {
    Object.defineProperty(this, 'inputSpec', { value, configurable: true, writable: true })
  }

  /** How weights are stored: `int8` or `int4` after `quantize`; null for float32. */
  get quantizationMode(): string | null {
    return null
  }

  /** The dtypes of the layer: computations and weights are float32. */
  get dtypePolicy(): DTypePolicy {
    const { dtype, quantizationMode } = this
    const name = quantizationMode === null ? dtype : `${quantizationMode}_from_${dtype}`
    return { name, computeDtype: dtype, variableDtype: dtype, quantizationMode }
  }

  /** The dtype of computations: float32. */
  get computeDtype(): 'float32' {
    return this.dtype
  }

  /** The dtype that data for the layer get if nothing else is given: float32, or for example int32 for indices. @internal */
  get inputDtype(): DType {
    return inputDtypeOf(this)
  }

  /** The dtype of weights: float32. */
  get variableDtype(): 'float32' {
    return this.dtype
  }

  /** Whether `enableLora` was called. */
  get loraEnabled(): boolean {
    return false
  }

  /** The rank of `enableLora`; null before. */
  get loraRank(): number | null {
    return null
  }

  /** The factor of the product of `enableLora`, times its rank; null before. */
  get loraAlpha(): number | null {
    return null
  }

  /**
   * Freezes the kernel, and trains two narrow matrices whose product is added to it: see the function `enableLora`, which
   * bundles for pages, Deno and workerd need in place of this method.
   *
   *   model.getLayer('query').enableLora(4)
   *
   * Keras: `Dense.enable_lora`.
   * @throws ArgumentError for a layer without a kernel that LoRA can replace; StateError before the layer is built
   */
  enableLora(rank: number, options?: LoraOptions): void
  enableLora(): void {
    throw onlyInNode('enableLora', 'myelin')
  }

  /**
   * Rounds the kernels of this layer and of its inner layers to integers with scales, in place: files become a quarter (`int8`)
   * or an eighth (`int4`) as large, and the layers are not trained further. Bundles for pages, Deno and workerd need
   * `quantizeInPlace` of myelin/thrift, which this method loads in Node; `quantize` of that module makes another model that also multiplies integers.
   *
   *   await model.quantize('int8')
   *   await model.save('small.safetensors')
   *
   * Keras: `Layer.quantize`.
   * @throws ArgumentError for another mode, and if there is nothing to round
   */
  quantize(mode?: 'int8' | 'int4'): Promise<void>
  async quantize(): Promise<void> {
    throw onlyInNode('quantizeInPlace', 'myelin/thrift')
  }

  /** What `buildFromConfig` needs: the shape of the input; null before the layer is built. Keras: `get_build_config`. */
  getBuildConfig(): { readonly inputShape: ShapesOf<In> } | null {
    return this.built ? { inputShape: this.buildShape! } : null
  }

  /**
   * Builds the layer for the shape in the result of `getBuildConfig`.
   *
   *   copy.buildFromConfig(layer.getBuildConfig())
   */
  buildFromConfig(config: BuildConfig | null): void {
    if (config?.inputShape != null) buildFor(this, config.inputShape)
  }

  /**
   * The outputs for given values of all variables, without changing the layer: a function for `jit` and `grad`.
   *
   *   const loss = (trainable, others, x, y) => {
   *     const [yPred, state] = model.statelessCall(trainable, others, x, { training: true })
   *     return [ops.mean(ops.square(ops.subtract(y, yPred))), state]
   *   }
   *   const [[value, state], gradients] = valueAndGrad(loss, { hasAux: true })(trainable, others, x, y)
   *
   * Keras: `Layer.stateless_call`.
   * @param trainableVariables in the order of `trainableVariables`
   * @param nonTrainableVariables in the order of `nonTrainableVariables`
   * @param inputs as in `apply`, then its options and `returnLosses`
   * @returns the outputs, the new values of `nonTrainableVariables`, and with `returnLosses` the losses
   */
  statelessCall(
    trainableVariables: readonly TensorLike[],
    nonTrainableVariables: readonly TensorLike[],
    ...inputs: [...unknown[], StatelessOptions & { readonly returnLosses: true }]
  ): [outputs: Out, nonTrainableVariables: Tensor[], losses: Tensor[]]
  statelessCall(
    trainableVariables: readonly TensorLike[],
    nonTrainableVariables: readonly TensorLike[],
    ...inputs: unknown[]
  ): [outputs: Out, nonTrainableVariables: Tensor[]]
  statelessCall(trainable: readonly TensorLike[], others: readonly TensorLike[], ...inputs: unknown[]): unknown[] {
    return statelessCall(this, trainable, others, inputs)
  }

  /** `Dense "fc1"`, for errors. */
  override toString(): string {
    // An unnamed layer has no name yet when its options are checked.
    const name: string | null = this.name
    return name === null ? classNameOf(this) : `${classNameOf(this)} "${printable(name)}"`
  }

  override getConfig(): Config {
    const common: Readonly<Record<string, AnyOption>> = optionsOf(Layer)
    // Options of all layers are saved only if they are set.
    return Object.fromEntries(
      Object.entries(super.getConfig()).filter(([name, value]) => common[name]?.initial?.(this) !== value),
    )
  }

  /**
   * The scalars that this layer and its inner layers add to a loss: penalties on trainable weights, and, from the last
   * call within the current trace, those of activity regularizers and of `addLoss`. `fit` adds them automatically; a
   * custom training loop adds them to its loss:
   *
   *   const step = (...weights) => model.losses.reduce(ops.add, loss(y, model.apply(x, { training: true })))
   *
   * Keras: `Layer.losses`.
   */
  get losses(): readonly Tensor[] {
    return [...this.regularizationLosses(), ...addedLosses(this.allLayers)]
  }

  /** Adds a scalar to the loss of the step that is being computed. Only inside `call`. */
  addLoss(penalty: Tensor): void {
    requireArguments('addLoss', arguments, 1)
    requireContext(this, 'addLoss').addLoss(penalty)
  }

  /** Reports the mean of a value in logs and the history. Only inside `call`. */
  addMetric(name: string, value: Tensor): void {
    requireArguments('addMetric', arguments, 2)
    requireContext(this, 'addMetric').addMetric(name, value)
  }

  get built(): boolean {
    return stateOf(this).builtFor !== null
  }

  /** Builds the layer for an input shape, or a tree of shapes or specs, once. If it fails, no weights remain. */
  ensureBuilt(input: Tree<TensorSpec> | Tree<number | null>): void {
    if (!this.built) buildOnce(this, specsFrom(input), { common: optionsOf(Layer), check: () => this.checkOptions() })
  }
}

/** The context of the call in progress. @throws StateError outside of all calls */
function requireContext(layer: LayerBase, method: string): CallContext {
  const frame = currentFrame()
  if (frame !== null) return frame.context
  throw new StateError(`${layer}: ${method} is for use inside call`)
}

function areLayers(list: readonly object[]): list is readonly LayerBase[] {
  return list.every((each) => each instanceof Layer)
}

/** Layers found in a layer, with their type. Functions that find them know only objects. */
function asLayers(list: readonly object[]): readonly LayerBase[] {
  if (areLayers(list)) return list
  throw internalError('a sublayer is not a layer')
}

/** `build` as users call it. */
function build(this: LayerBase, inputShape: unknown): void {
  buildFor(this, inputShape)
}

/**
 * Whether inputDim is the shorthand of inputShape; it is not if the layer has its own option of this name, as Embedding
 * has.
 */
function isInputDim({ constructor }: object): boolean {
  return optionsOf(constructor)['inputDim'] === optionsOf(Layer)['inputDim']
}
