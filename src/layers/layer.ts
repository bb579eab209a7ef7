// Layer: a function from tensors to tensors with weights, in Keras's life cycle: construct → build → call. No layer
// writes a gradient: `call` composes ops, and the traced result is differentiated. The parts of a layer are in
// weights.ts, changes of its options in watched-options.ts.

import { warn } from '../core/warnings'
import { requireArguments } from '../core/arguments'
import type { DType } from '../core/dtypes'
import { ArgumentError, MyelinError, StateError, restate, restating, printable } from '../core/errors'
import {
  boolean,
  choice,
  Configured,
  extent,
  extents,
  idle,
  named,
  nullable,
  option,
  optionsOf,
  text,
  unread,
  type OptionTable,
} from '../core/options'
import { classNameOf, uniqueName, type Config } from '../core/registry'
import type { Shape } from '../core/shapes'
import { flatten, flattenLike, isBranch, mapTree, pathName, pathsOf, typed, unflatten, type Tree } from '../core/tree'
import { asTensor, branchesIntoTensors, type InputsOf, type TensorLike } from '../ops/convert'
import { divide } from '../ops/numpy/elementwise'
import type { Metric } from '../metrics/metric'
import { assignAll } from '../ops/stateless'
import { Tensor } from '../ops/tensor'
import { STRINGS, trace, untraced, withScope } from '../ops/trace'
import { Variable, place, valueOf } from '../ops/variable'
import type { Regularizer, RegularizerIdentifier } from '../parts/regularizers'
import { penaltyOf } from '../parts/regularizers/penalty'
import { regularizers } from '../parts/regularizers/registry'
import { addedLosses, keepingLosses } from './added-losses'
import {
  TENSOR_OPTIONS,
  assumedTypes,
  readApplyOptions,
  statesFrom,
  type ApplyOptions,
  type CallOption,
} from './call-options'
import {
  CallContext,
  currentFrame,
  currentPath,
  tapped,
  whileInferring,
  withFrame,
  withinPath,
  withoutFrame,
} from './context'
import { requireInputs } from './checks'
import { requireOne, type LayerForm } from './forms'
import { masksOf, setMask, maskOf, type MaskTrail } from './masks'
import { commonSpecs, tracedForExtents, type AssumedExtents } from './shape-inference'
import {
  TensorSpec,
  shapesOf,
  specOf,
  specsFrom,
  type BatchShape,
  type InputSpec,
  type ShapesOf,
  type SpecsOf,
} from './spec'
import { firstCall, hasSymbol, originOf, recordCall } from './symbol'
import {
  buildFor,
  callArguments,
  metricsIn,
  onlyInNode,
  readCall,
  statelessCall,
  type BuildConfig,
  type DTypePolicy,
  type LoraOptions,
  type OwnVariables,
  type StatelessOptions,
} from './members'
import type { InnerUnits, UnitFlow } from './units'
import { watchingOptions } from './watched-options'
import {
  addOwn,
  addWeightTo,
  building,
  redraw,
  listsOf,
  ownOf,
  ownState,
  ownWeightsOf,
  partsChanged,
  partsOf,
  regularizedOf,
  setWeightsOf,
  stateOf,
  stateVariablesOf,
  unbuild,
  type RegularizedWeight,
  type WeightOptions,
} from './weight-lists'

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

/** Options that no code reads after construction: they are fixed once the layer is built. */
const FIXED = ['inputShape', 'inputDim', 'dtype', 'seed']

/** Errors whose message already names the layer where they occurred. */
const placed = new WeakSet<Error>()

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
export abstract class Layer<In = Tensor, Out = Tensor> extends Configured {
  static override readonly declare = LAYER_OPTIONS
  /** Empty: subclasses list their own. @internal */
  static readonly positional: readonly string[] = []
  /** The inputs that the layer accepts, and the shape and dtype of the output. @internal */
  static readonly form: LayerForm = {}
  declare readonly name: string
  /** The shape of one sample, if it was given as an option. */
  declare readonly inputShape: BatchShape | null
  declare readonly dtype: 'float32'
  declare readonly activityRegularizer: Regularizer | null
  /** Whether masks of the input are passed on to the output. @internal */
  readonly supportsMasking: boolean = formOf(this).masks ?? false

  constructor(...given: [options?: LayerOptions]) {
    super(...given)
    const own = this as { name: string | null; inputShape: BatchShape | null; readonly inputDim?: number | null }
    own.name ??= uniqueName(classNameOf(this))
    if (own.inputShape === null && own.inputDim != null && isInputDim(this)) own.inputShape = [own.inputDim]
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
   *   override apply(...given: readonly unknown[]): Tensor {
   *     return this.applyTo(given)
   *   }
   *
   * @throws ArgumentError if the layer is called inside another one that does not own it: its weights would not be
   * trained
   */
  apply(input: InputsOf<In>, options?: ApplyOptions | CallContext): Out
  apply(...given: readonly unknown[]): Out {
    return this.applyTo(given)
  }

  /** `apply`, for classes that declare other types of inputs. */
  protected applyTo(given: readonly unknown[]): Out {
    if (typeof this.call !== 'function') throw new ArgumentError(`${this}: a layer needs a method call(x, context)`)
    return typed(this.applyTree(...readCall(this, given)))
  }

  /** The shape of the output for inputs of this shape; inferred by tracing `call` unless a layer overrides it. */
  computeOutputShape(inputShape: ShapesOf<In>): ShapesOf<Out> {
    const { shape } = formOf(this)
    if (shape !== undefined) return typed(shape(typed(inputShape)))
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
  protected outputDtype(inputs: readonly DType[]): DType {
    return formOf(this).dtype?.(inputs) ?? 'float32'
  }

  /** The mask of the output, for layers that support masking; the input's unless a layer overrides it. */
  computeMask(_input: In, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return mask
  }

  /**
   * The options that a call of this layer accepts besides `training` and `mask`. A layer that reads `initialState` or
   * `attention` from its context lists them here; all others are refused.
   */
  protected get callOptions(): readonly CallOption[] {
    return []
  }

  /**
   * Refuses an input that the weights do not fit, before `call` and before it is recorded. `requireExtents` of
   * checks.ts does it for the axes that the weights depend on.
   * @param shape of an input
   * @param built the shape for which the weights were created
   * @param path which of several inputs: `[1]`, `.query`; '' for the only one
   * @throws ShapeError
   */
  protected checkShape(_shape: BatchShape, _built: BatchShape, _path: string): void {}

  /**
   * Refuses a mask that does not fit its input, before `call`. `requireMask` of checks.ts does it for masks of steps.
   * @throws ShapeError
   */
  protected checkMask(_mask: Tensor, _shape: Shape, _path: string): void {}

  /** Whether Keras's layer receives the mask of its input as an argument, so that its graph has the mask as an operand. @internal */
  get readsMask(): boolean {
    return false
  }

  /**
   * The symbols from which the mask of a result is computed, each with the number of ops between them in Keras's graph; null
   * without a mask. They count for the depth of layers.
   * @param masks the same for the masks of the inputs
   * @internal
   */
  maskTrail(_inputs: readonly Tensor[], masks: readonly (MaskTrail | null)[]): MaskTrail | null {
    return this.supportsMasking ? (masks[0] ?? null) : null
  }

  /**
   * Checks data that the model passes to this layer unchanged, before a step runs.
   * @throws DataError naming the first invalid element
   */
  validateInput?(input: Tensor): void

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

  /** Whether optimizers may change the weights. Setting it also sets it for all inner layers. */
  get trainable(): boolean {
    return stateOf(this).trainable
  }

  set trainable(trainable: boolean) {
    const state = stateOf(this)
    state.trainable = boolean.read(trainable, `${this}: trainable`)
    partsChanged(this)
    // Within the constructor there are no inner layers yet.
    if (state.parts !== null || state.builtFor !== null) for (const layer of this.sublayers) layer.trainable = trainable
  }

  /** Options that the constructor reads, besides `seed`. @internal */
  protected get constructorOptions(): readonly string[] {
    return []
  }

  /** Creates a variable that belongs to the layer; trainable by default. */
  protected addWeight(options: WeightOptions): Variable {
    return addWeightTo(this, options)
  }

  /** The same as `addWeight`. Keras: `Layer.add_variable`. */
  protected addVariable(options: WeightOptions): Variable {
    return this.addWeight(options)
  }

  /** Adds a weight of an inner layer to this layer's own weights, at this position of their order. */
  protected trackWeight(variable: Variable): void {
    addOwn(this, { variable, regularizer: null, kept: [], draw: null, drawn: 0 })
  }

  /**
   * A new initial value for a weight of this layer or of an inner one: the initializer draws other numbers each time.
   * With a seeded initializer they follow from the seed and from the number of draws.
   * @throws ArgumentError for a variable that no layer created with addWeight
   * @internal
   */
  redraw(weight: Variable): Tensor {
    return redraw(this, weight)
  }

  /**
   * How often the value of each addWeight weight, here and in inner layers, was drawn; the next draw depends on it.
   * @internal
   */
  get timesDrawn(): readonly number[] {
    return ownOf(this).map(({ drawn }) => drawn)
  }

  set timesDrawn(times: readonly number[]) {
    ownOf(this).forEach((own, i) => (own.drawn = times[i] ?? 0))
  }

  /**
   * Makes a layer an inner layer of this one if no property holds it: `#inner = this.track(new Dense({ units: 4 }))`.
   */
  protected track<Part extends LayerBase>(layer: Part): Part {
    stateOf(this).tracked.push(layer)
    partsChanged(this)
    return layer
  }

  /** For layers whose inner layers change after they are built. */
  protected partsChanged(): void {
    partsChanged(this)
  }

  /** Inner layers that no property holds. @internal */
  get hiddenParts(): readonly LayerBase[] {
    return []
  }

  /** The inner layers. Their weights belong to this layer. */
  get sublayers(): readonly LayerBase[] {
    return partsOf(this).sublayers as readonly LayerBase[]
  }

  /** This layer and all its inner layers, each once, from the outside in. */
  get allLayers(): readonly LayerBase[] {
    return listsOf(this).layers as readonly LayerBase[]
  }

  /**
   * The weights of this layer without those of its sublayers, in the order of creation: first those created as
   * trainable, then the others.
   */
  get ownWeights(): readonly Variable[] {
    return ownWeightsOf(this)
  }

  /** All variables that are learnt or saved as weights: the layer's own, then its sublayers', in Keras's order. */
  get weights(): readonly Variable[] {
    return listsOf(this).weights
  }

  get trainableWeights(): readonly Variable[] {
    return listsOf(this).trainableWeights
  }

  get nonTrainableWeights(): readonly Variable[] {
    return without(this.weights, this.trainableWeights)
  }

  /**
   * Weights and all other state: for each layer its weights, then the states of its random streams, then those of its
   * sublayers. Variables of the optimizer and of metrics are not included. Keras: `Layer.variables`.
   */
  get variables(): readonly Variable[] {
    return [...new Set(listsOf(this).layers.flatMap((layer) => [...ownWeightsOf(layer), ...ownState(layer)]))]
  }

  /** The same as `trainableWeights`: other state is never trained. */
  get trainableVariables(): readonly Variable[] {
    return this.trainableWeights
  }

  /** The variables that no optimizer changes: weights, and the states of random streams. */
  get nonTrainableVariables(): readonly Variable[] {
    return without(this.variables, this.trainableWeights)
  }

  /**
   * State that is saved with the model but is not a weight: positions of random streams, and the state of regularizers.
   */
  get stateVariables(): readonly Variable[] {
    return stateVariablesOf(this)
  }

  /**
   * The state of this layer alone, without sublayers, that passes from batch to batch and is not saved with the model.
   * @internal
   */
  get passingState(): readonly Variable[] {
    return []
  }

  /** The trainable weights with a penalty, their layers, and the penalties' state. @internal */
  get regularized(): readonly RegularizedWeight<LayerBase>[] {
    return regularizedOf<LayerBase>(this)
  }

  /** The penalties of regularized trainable weights; traced. */
  regularizationLosses(): Tensor[] {
    return this.regularized.map(({ layer, weight, regularizer, kept }) =>
      withScope(layer.name, () => penaltyOf(`${layer}: ${weight.name}`, regularizer, weight.value, kept)),
    )
  }

  /** The metrics in properties of this layer and of its inner layers. Keras: `Layer.metrics`. */
  get metrics(): readonly Metric[] {
    return metricsIn(this.allLayers)
  }

  /** The variables of `metrics`. */
  get metricsVariables(): readonly Variable[] {
    return this.metrics.flatMap(({ variables }) => variables)
  }

  /**
   * The names of the models and layers in which this one was built, and its own, `sequential/dense`: what the paths of its weights begin
   * with. null before the layer is built. Keras: `Layer.path`.
   */
  get path(): string | null {
    return stateOf(this).path
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
    return this.requiredInputs
  }

  set inputSpec(value: InputSpec | readonly InputSpec[] | null) {
    Object.defineProperty(this, 'inputSpec', { value, configurable: true, writable: true })
  }

  /** The inputSpec of the class. @internal */
  protected get requiredInputs(): InputSpec | readonly InputSpec[] | null {
    return null
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
   * Puts the arrays of this layer alone, without inner layers, into a record by their names in `.keras` files: '0', '1', …
   * Override it together with `loadOwnVariables` to write others.
   *
   *   saveOwnVariables(store) { super.saveOwnVariables(store); store.table = this.table }
   */
  saveOwnVariables(store: OwnVariables): void {
    this.ownWeights.forEach(({ value }, i) => (store[i] = value))
  }

  /** Takes the arrays that `saveOwnVariables` put into a record. */
  loadOwnVariables(store: Readonly<OwnVariables>): void {
    assignAll(`${this}: variables`, this.ownWeights, Object.values(store))
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
  statelessCall(
    trainable: readonly TensorLike[],
    others: readonly TensorLike[],
    ...inputs: unknown[]
  ): [Out, Tensor[]] | [Out, Tensor[], Tensor[]] {
    return typed(statelessCall(this, trainable, others, inputs))
  }

  /** The number of elements of all weights. */
  countParams(): number {
    requireArguments('countParams', arguments, 0)
    return this.weights.reduce((total, weight) => total + weight.size, 0)
  }

  /** Copies of all weights. */
  getWeights(): Tensor[] {
    requireArguments('getWeights', arguments, 0)
    return this.weights.map((weight) => weight.value)
  }

  /**
   * Replaces all weights, or none.
   * @param weights in the order of getWeights()
   * @throws ShapeError naming the first tensor that does not fit
   */
  setWeights(weights: readonly TensorLike[]): void {
    requireArguments('setWeights', arguments, 1)
    setWeightsOf(this, weights)
  }

  /** `Dense "fc1"`, for errors. */
  override toString(): string {
    // An unnamed layer has no name yet when its options are checked.
    const name: string | null = this.name
    return name === null ? classNameOf(this) : `${classNameOf(this)} "${printable(name)}"`
  }

  override getConfig(): Config {
    const config = super.getConfig()
    // Options that are not set are not saved.
    return Object.fromEntries(
      Object.entries(config).filter(([name, value]) => !(name in UNSAID && UNSAID[name] === value)),
    )
  }

  /** @throws StateError before the layer is built */
  protected requireBuilt<T>(value: T | null | undefined): T {
    if (value != null) return value
    throw new StateError(`${this} has no weights yet. They are made at the first call, or when inputShape is given.`)
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
    this.requireFrame('addLoss').addLoss(penalty)
  }

  /** Reports the mean of a value in logs and the history. Only inside `call`. */
  addMetric(name: string, value: Tensor): void {
    requireArguments('addMetric', arguments, 2)
    this.requireFrame('addMetric').addMetric(name, value)
  }

  private requireFrame(method: string): CallContext {
    const frame = currentFrame()
    if (frame !== null) return frame.context
    throw new StateError(`${this}: ${method} is for use inside call`)
  }

  /** How the units of the input become those of the output; null if unknown. @internal */
  get unitFlow(): UnitFlow | null {
    return null
  }

  /** Units that only the layer itself uses. @internal */
  get innerUnits(): readonly InnerUnits[] {
    return []
  }

  /** Whether `call` takes several inputs as a list, also if they are separate arguments. @internal */
  get takesList(): boolean {
    const { takesList = false, takesOne = false } = formOf(this)
    return takesList || takesOne || this.graph !== null
  }

  /** The graph that the layer replays, for models. @internal */
  get graph(): object | null {
    return null
  }

  /**
   * Whether the layer stands for an op that was called on symbols; such layers are not listed among the layers of a
   * model. @internal
   */
  get isOperation(): boolean {
    return false
  }

  /** The dtype that data for the layer get if nothing else is given. @internal */
  get inputDtype(): DType {
    return 'float32'
  }

  /** The specs for which the weights were created; null before. @internal */
  get buildSpec(): Tree<TensorSpec> | null {
    return stateOf(this).builtFor
  }

  get built(): boolean {
    return stateOf(this).builtFor !== null
  }

  /** Builds the layer for an input shape, or a tree of shapes or specs, once. If it fails, no weights remain. */
  ensureBuilt(input: Tree<TensorSpec> | Tree<number | null>): void {
    if (this.built) return
    const specs = specsFrom(input)
    const log = building.current.built ?? []
    try {
      // The first call may be inside a trace; weights are created outside of it.
      building.within({ ...building.current, built: log }, () =>
        untraced(() =>
          withoutFrame(() =>
            this.inOwnPath(() => {
              stateOf(this).path = place.current.path.join('/')
              this.placing(() => this.buildAll(specs))
            }),
          ),
        ),
      )
      stateOf(this).builtFor = specs
      log.push(this)
      partsChanged(this)
    } catch (error) {
      for (const layer of [this, ...log]) unbuild(layer)
      throw error
    }
  }

  /** The types of the outputs, for errors. */
  private outputText(): string {
    const { buildSpec } = this
    return buildSpec === null ? '' : flatten(this.outputSpecs(buildSpec)).join(' and ')
  }

  private inOwnPath<Result>(body: () => Result): Result {
    return withinPath(this.name, body, !this.isPathRoot || currentPath().length > 0)
  }

  /** Whether weights are named without this layer's name when it is the outermost one. @internal */
  protected get isPathRoot(): boolean {
    return false
  }

  private buildAll(specs: Tree<TensorSpec>): void {
    watchingOptions(
      this,
      [...FIXED, ...this.constructorOptions],
      // All layers have these options. Reading them from another layer does not make the parts depend on them.
      optionsOf(Layer),
      () => this.checkOptions(),
      () => this.outputText(),
      () => this.buildTree(specs),
    )
    // Inner layers create their weights when they are called: call this layer on symbols once.
    if (this.sublayers.some((layer) => !layer.built)) this.traceAll(specs, {}, 1)
  }

  protected buildTree(specs: Tree<TensorSpec>): void {
    this.requireForm(specs)
    const { build } = Object.getPrototypeOf(this) as this
    build.call(this, typed(shapesOf(specs)), typed(specs))
  }

  /** @throws ShapeError for a list or a record where the layer takes one tensor */
  private requireForm(input: Tree<unknown>): void {
    if (formOf(this).takesOne === true) requireOne(this, input)
  }

  /** The specs of the results for inputs of these specs; builds the layer. @internal */
  outputSpecs(specs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
    this.ensureBuilt(specs)
    return this.placing(() => {
      this.checkShapes(specs)
      return this.outputTree(specs, options)
    })
  }

  protected outputTree(specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec> {
    this.requireForm(specs)
    if (this.computeOutputSpec !== Layer.prototype.computeOutputSpec)
      return typed(this.computeOutputSpec(typed(specs), options))
    if (this.computeOutputShape === Layer.prototype.computeOutputShape && formOf(this).shape === undefined)
      return this.tracedOutputSpec(specs, options)
    const given = flatten(specs).map((spec) => spec.dtype)
    if (given.includes('string') && this.inputDtype !== 'string') throw new ArgumentError(`${this}: ${STRINGS}`)
    const dtype = this.outputDtype(given)
    const shapes = this.computeOutputShape(typed(shapesOf(specs)))
    return mapTree(specsFrom(shapes), ({ shape }) => new TensorSpec(shape, dtype))
  }

  /** The specs of the outputs, inferred by tracing `call`; an extent that depends on an open one is open. */
  protected tracedOutputSpec(specs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
    this.ensureBuilt(specs)
    return commonSpecs(this.traceAll(specs, options))
  }

  /** The outputs of `call` as symbols of temporary traces, each for other values of open extents; `most` of them. */
  private traceAll(specs: Tree<TensorSpec>, options: ApplyOptions, most?: number): readonly Tree<Tensor>[] {
    return tracedForExtents(flatten(specs), (extents) => this.traceFor(specs, extents, options), most)
  }

  private traceFor(specs: Tree<TensorSpec>, extents: AssumedExtents, options: ApplyOptions): Tree<Tensor> {
    const { types, said } = assumedTypes(specs, extents, options)
    let output: Tree<Tensor> | null = null
    untraced(() =>
      whileInferring(() =>
        trace(types, (symbols) => {
          const input: Tree<unknown> = unflatten<Tensor>(specs, symbols)
          const { training = false, mask = null, initialState, ...others } = said(symbols)
          const context = new CallContext(training, mask, typed(initialState ?? null), undefined, others)
          output = withFrame(this, context, () => this.callChecked(input, context))
          return []
        }),
      ),
    )
    return output!
  }

  /** `apply`, over trees. @internal */
  applyTree(input: unknown, given: ApplyOptions | CallContext): Tree<Tensor> {
    const isRecorded = hasSymbol(input)
    const tensors = isRecorded ? (input as Tree<unknown>) : this.toTensors(input)
    const options = given instanceof CallContext ? given : this.readOptions(tensors, given)
    if (!(options instanceof CallContext) && options.separate === true) stateOf(this).isApart = true
    if (isRecorded) return this.record(tensors, options)
    const frame = currentFrame()
    if (!this.built)
      this.ensureBuilt(mapTree(tensors, (leaf) => (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([]))))
    if (frame !== null && frame.layer !== null) requireOwner(this, frame.layer as LayerBase)
    const context = contextOf(tensors, options, frame?.context)
    const call = (): Tree<Tensor> =>
      withScope(this.name, () =>
        withinPath(this.name, () => withFrame(this, context, () => this.run(tensors, context))),
      )
    return frame?.layer == null ? keepingLosses(this, context, call) : call()
  }

  private callChecked(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    return this.placing(() => {
      this.checkShapes(input)
      this.checkMasks(input, context.mask)
      return checkOutput(this, this.callTree(input, context))
    })
  }

  protected callTree(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    this.requireForm(input)
    return typed(Reflect.apply(this.call, this, callArguments(this, input, stateOf(this).isApart, context)))
  }

  /** @param input tensors, symbols or specs */
  private checkShapes(input: Tree<unknown>): void {
    if (setsInputSpec(this)) requireInputs(this, this.inputSpec, input)
    const { builtFor } = stateOf(this)
    // While the layer is being built, the shape fits by definition.
    if (builtFor === null || this.checkShape === Layer.prototype.checkShape) return
    const built = flatten(builtFor)
    const paths = pathsOf(input)
    flatten(input).forEach((leaf, i) => {
      const spec = built[i]
      if (spec !== undefined && (leaf instanceof Tensor || leaf instanceof TensorSpec))
        this.checkShape(leaf.shape, spec.shape, paths[i]!)
    })
  }

  private checkMasks(input: Tree<unknown>, mask: Tree<Tensor | null>): void {
    if (mask === null) return
    const masks = flatten(mask)
    const paths = pathsOf(input)
    flatten(input).forEach((leaf, i) => {
      const own = masks[i] ?? null
      if (own !== null && leaf instanceof Tensor) this.checkMask(own, leaf.shape, paths[i]!)
    })
  }

  /** The options of a call, with a mask or null for each input. */
  private readOptions(input: Tree<unknown>, given: ApplyOptions): ApplyOptions {
    const options = readApplyOptions(this, given, this.callOptions)
    const { mask, initialState } = options
    if (mask == null && initialState == null) return options
    return {
      ...options,
      ...(mask == null ? {} : { mask: this.masksFor(input, mask) }),
      ...(initialState == null ? {} : { initialState: statesFrom(initialState, `${this}: initialState`) }),
    }
  }

  /**
   * Masks as a tree of the inputs' structure.
   * @throws ArgumentError for masks of another structure
   * @internal
   */
  protected masksFor(input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    const where = `${this}: the mask`
    const read = (own: unknown): Tensor | null => (own === null ? null : asTensor(own as TensorLike, where))
    if (!isBranch(input)) {
      // A list of one mask, as from a flattened tree, stands for that mask.
      const [only, ...others] =
        Array.isArray(mask) && mask.every((each) => each === null || each instanceof Tensor) ? mask : [mask]
      if (others.length === 0) return read(only)
      throw new ArgumentError(`${where} must be one, as there is one input, received a list of ${others.length + 1}`)
    }
    const structure = mapTree(input, () => null)
    return unflatten(structure, flattenLike(structure, mask, where).map(read))
  }

  /** Adds to errors the layer in which they occurred, and the layers around it. */
  private placing<Result>(body: () => Result): Result {
    try {
      return body()
    } catch (error) {
      if (error instanceof MyelinError) this.placeError(error)
      throw error
    }
  }

  /** Adds the name of the layer in which an op refused its operands; the outermost model is not named. */
  private placeError(error: MyelinError): void {
    const isKnown = error.message.includes(String(this)) || (this.isPathRoot && placed.has(error))
    if (!isKnown) restate(error, `${this}: ${error.message}`)
    placed.add(error)
  }

  private run(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    const output = tapped(this, input, this.callChecked(input, context))
    if (this.activityRegularizer !== null) {
      for (const leaf of flatten<Tensor>(output)) {
        // Per sample, so that the penalty does not depend on the batch size.
        context.addLoss(
          divide(penaltyOf(`${this}: activityRegularizer`, this.activityRegularizer, leaf), leaf.shape[0] ?? 1),
        )
      }
    }
    return this.keepsMasks ? output : this.passMask(input, output, context.mask)
  }

  /** Whether the outputs keep the masks that inner layers set. @internal */
  protected get keepsMasks(): boolean {
    return false
  }

  /** Whether the layer creates a mask if its input has none. @internal */
  protected get makesMask(): boolean {
    return false
  }

  private passMask(input: Tree<unknown>, output: Tree<Tensor>, mask: Tree<Tensor | null>): Tree<Tensor> {
    if (mask !== null && !this.supportsMasking) warnOfMask(this)
    const isPassed = this.supportsMasking && (mask !== null || this.makesMask)
    const given = flatten(input)
    // An input that is returned unchanged may get another mask from here on.
    const own = mapTree(output, (leaf) =>
      given.includes(leaf) && (isPassed || maskOf(leaf) !== null) ? Tensor.aliasOf(leaf) : leaf,
    )
    if (!isPassed) return own
    const found = flatten(this.computeMask(typed(input), mask))
    flatten(own).forEach((leaf, i) => {
      const made = found[i] ?? null
      // A mask that the layer set itself stays.
      if (made !== null && maskOf(leaf) === null) setMask(leaf, made)
    })
    return own
  }

  /** The input as tensors: data are converted. @internal */
  protected toTensors(input: unknown): Tree<unknown> {
    if (input instanceof Tensor) return input
    if (!branchesIntoTensors(input)) return asTensor(input as TensorLike, String(this))
    if (Array.isArray(input)) return input.map((each) => this.toTensors(each))
    return Object.fromEntries(Object.entries(input as object).map(([key, each]) => [key, this.toTensors(each)]))
  }

  private record(input: Tree<unknown>, options: ApplyOptions | CallContext): Tree<Tensor> {
    const specs = mapTree(
      input,
      (leaf) => originOf(leaf)?.spec ?? (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([])),
    )
    const said = options instanceof CallContext ? {} : options
    const outputs = this.outputSpecs(specs, said)
    if (TENSOR_OPTIONS.some((name) => said[name] != null)) this.tryCall(specs, said)
    return recordCall(this, input, { ...said }, outputs)
  }

  /** Tries the call on specs, so that wrong options fail now and not when data arrive. */
  private tryCall(specs: Tree<TensorSpec>, said: ApplyOptions): void {
    const tried = (extents: AssumedExtents): unknown =>
      restating(
        (message) => `${message} (with ${extents.length} for the extents that are open)`,
        () => this.traceFor(specs, extents, said),
      )
    tracedForExtents(flatten(specs), tried, 1)
  }
}

/** `build` as users call it. */
function build(this: LayerBase, inputShape: unknown): void {
  buildFor(this, inputShape)
}

/** Whether the layer or a class of the user has an inputSpec: those of the library have `requiredInputs`. */
function setsInputSpec(layer: object): boolean {
  for (let each = layer; each !== Layer.prototype; each = Object.getPrototypeOf(each) as object)
    if (Object.hasOwn(each, 'inputSpec')) return true
  return false
}

/** Warns once of a mask that a layer does not pass on. */
function warnOfMask(layer: LayerBase): void {
  const { warned } = stateOf(layer)
  if (warned.has('mask')) return
  warned.add('mask')
  warn(
    `${layer}: its input has a mask, which this layer does not pass on. Later layers, losses and metrics do not see it.`,
  )
}

/** @throws ArgumentError for a layer with weights that is called inside of another one and does not belong to it */
function requireOwner(layer: LayerBase, owner: LayerBase): void {
  if (owner === layer || partsOf(owner).owned.has(layer)) return
  if (layer.weights.length === 0 && layer.stateVariables.length === 0) return
  throw new ArgumentError(
    `${layer} is called inside ${owner} but does not belong to it: its weights would not be trained or saved. Keep it in a property (also inside arrays, records or Maps), or in a #private field as this.track(layer).`,
  )
}

/** @throws ArgumentError for results of call that are not tensors */
function checkOutput(layer: LayerBase, output: Tree<Tensor>): Tree<Tensor> {
  if (output instanceof Tensor) return output
  let hasVariable = false
  flatten<unknown>(output).forEach((leaf, i) => {
    if (leaf instanceof Variable) hasVariable = true
    if (leaf instanceof Tensor || leaf instanceof Variable) return
    const path = pathsOf(output)[i]!
    const place = path === '' ? '' : ` at ${pathName(path)}`
    throw new ArgumentError(`${layer}: call must return a Tensor, received ${typeof leaf}${place}`)
  })
  return hasVariable ? mapTree(output, valueOf) : output
}

/** The context of a call, in that of the layer around it. */
function contextOf(
  input: Tree<unknown>,
  options: ApplyOptions | CallContext,
  outer: CallContext | undefined,
): CallContext {
  const isContext = options instanceof CallContext
  const { training } = options
  // A context that was passed on holds the mask of another layer's input.
  const mask = isContext ? undefined : options.mask
  const initialState = typed<Tree<Tensor> | null>(isContext ? null : (options.initialState ?? null))
  const reports = isContext && outer === undefined ? options : outer
  const said = isContext ? {} : options
  return new CallContext(
    training ?? outer?.training ?? false,
    mask === undefined ? masksOf(input) : mask,
    initialState,
    reports,
    said,
  )
}

export function formOf({ constructor }: object): LayerForm {
  return (constructor as typeof Layer).form
}

const without = (all: readonly Variable[], some: readonly Variable[]): readonly Variable[] => {
  const left = new Set(some)
  return all.filter((each) => !left.has(each))
}

/**
 * Whether inputDim is the shorthand of inputShape; it is not if the layer has its own option of this name, as Embedding
 * has.
 */
function isInputDim({ constructor }: object): boolean {
  return optionsOf(constructor)['inputDim'] === optionsOf(Layer)['inputDim']
}

const UNSAID: Readonly<Record<string, unknown>> = {
  trainable: true,
  inputShape: null,
  inputDim: null,
  dtype: 'float32',
  activityRegularizer: null,
}
