// What all layers have, whatever their inputs and outputs: a name, weights, parts, freezing, and the machinery of building
// and calling over trees of tensors. The types of inputs and outputs are in layer.ts.

import type { DType } from '../core/dtypes'
import { dtypes } from '../core/dtypes'
import { ArgumentError, MyelinError, ShapeError, StateError, formatShape, knownName, restate, unknownName } from '../core/errors'
import type { OptionTable } from '../core/options'
import { Configured, boolean, choice, count, extents, named, nullable, option, optionsOf, text } from '../core/options'
import type { Config } from '../core/registry'
import { classNameOf, uniqueName } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { flatten, flattenLike, isBranch, mapTree, pathName, pathsOf, unflatten } from '../core/tree'
import type { FanAxes, InitializerIdentifier } from '../initializers'
import { initializers } from '../initializers/registry'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { divide } from '../ops/elementwise'
import type { SeedGenerator } from '../ops/random'
import { Tensor } from '../ops/tensor'
import { trace, untraced, withScope } from '../ops/trace'
import { Variable, structure } from '../ops/variable'
import type { Constraint } from '../constraints'
import type { Regularizer, RegularizerIdentifier } from '../regularizers'
import { regularizers } from '../regularizers/registry'
import type { AttentionCall } from './context'
import { CallContext, currentFrame, currentPath, tapped, whileProbing, withFrame, withinPath, withoutFrame } from './context'
import { masksOf, setMask, maskOf } from './masks'
import type { Parts } from './parts'
import { findParts } from './parts'
import type { BatchShape } from './spec'
import { TensorSpec, specOf, specsFrom } from './spec'
import { hasSymbol, originOf, recordCall } from './symbol'
import type { InnerUnits, UnitFlow } from './units'
import { requireWithinLimit } from './weight-limit'

export interface LayerOptions {
  /** Default: the class's name in snake case, numbered. */
  name?: string | null | undefined
  /** Whether optimizers may change the weights. Default true. */
  trainable?: boolean | undefined
  /** The shape of one sample, for the first layer of a model; null stands for an open extent. */
  inputShape?: BatchShape | null | undefined
  /** Short for inputShape: [inputDim]. */
  inputDim?: number | null | undefined
  /** What layers compute in: float32. */
  dtype?: 'float32' | (string & {}) | undefined
  /** A penalty on the outputs, per sample, added to the loss. */
  activityRegularizer?: RegularizerIdentifier | null | undefined
}

const LAYER_OPTIONS: () => OptionTable = () => ({
  name: option(nullable(text), null),
  trainable: option(boolean, true),
  inputShape: option(nullable(extents(null)), null),
  inputDim: option(nullable(count), null),
  dtype: option(choice('float32'), 'float32'),
  activityRegularizer: option(nullable(named(regularizers)), null),
})

export interface WeightOptions {
  name: string
  shape: Shape
  /** Default glorotUniform. */
  initializer?: InitializerIdentifier
  regularizer?: Regularizer | null
  /** Applied after every update. Default null. */
  constraint?: Constraint | null
  /** Which axes are inputs and which outputs, for initializers that scale by their number. Default Keras's rule. */
  fans?: FanAxes
  /** Default true for float32. */
  trainable?: boolean
  /** Default float32. */
  dtype?: DType
}

/** What `apply` may be told besides its input. */
export interface ApplyOptions extends AttentionCall {
  /** Default: that of the layer that calls this one; false outside of all layers. */
  readonly training?: boolean | undefined
  /** Which elements of the input count. Default: the masks that the inputs carry. */
  readonly mask?: Tree<Tensor | null> | undefined
  /** The first state of a recurrent layer. */
  readonly initialState?: Tree<Tensor> | null | undefined
}

/** What only some layers can be told. */
export type CallOption = Exclude<keyof ApplyOptions, 'training' | 'mask'>

const APPLY_OPTIONS: readonly string[] = Object.keys({
  training: true,
  mask: true,
  initialState: true,
  attentionMask: true,
  useCausalMask: true,
  returnAttentionScores: true,
} satisfies Record<keyof ApplyOptions, true>)

/** @throws ArgumentError for an option that nobody reads: a misspelt useCausalMask would let a step see what comes after it */
function readApplyOptions(layer: LayerBase, options: ApplyOptions, taken: readonly CallOption[]): ApplyOptions {
  const known: readonly string[] = ['training', 'mask', ...taken]
  if (Object.keys(options).every((key) => known.includes(key))) return options
  return Object.fromEntries(
    Object.entries(options).map(([key, value]: [string, unknown]) => {
      const name = knownName(key, APPLY_OPTIONS)
      if (name === undefined) throw unknownName(`option of a call of ${layer}`, key, APPLY_OPTIONS)
      const isSaid = value !== undefined && value !== null && value !== false
      if (isSaid && !known.includes(name)) throw new ArgumentError(`${layer}: takes no ${name}; a call of it may say ${known.join(', ')}`)
      return [name, value]
    }),
  )
}

/** Errors that say in which layer they were met. */
const placed = new WeakSet<Error>()

interface OwnWeight {
  readonly variable: Variable
  readonly regularizer: Regularizer | null
  /** What the regularizer keeps of it. */
  readonly kept: readonly Variable[]
  /** Draws what the weight begins with. */
  readonly draw: (() => Tensor) | null
}

/** A weight and its penalty. */
export interface RegularizedWeight {
  readonly layer: LayerBase
  readonly weight: Variable
  readonly regularizer: Regularizer
  readonly kept: readonly Variable[]
}

/** What is known of a layer, and changes. Not a property: those are searched for parts. */
class State {
  trainable = true
  builtFor: Tree<TensorSpec> | null = null
  readonly own: OwnWeight[] = []
  readonly tracked: LayerBase[] = []
  parts: Parts | null = null
  partsVersion = -1
  weights: readonly Variable[] = []
  trainableWeights: readonly Variable[] = []
  listsVersion = -1
  readonly warned = new Set<string>()
}

const states = new WeakMap<object, State>()

function stateOf(layer: object): State {
  let state = states.get(layer)
  if (state === undefined) {
    state = new State()
    states.set(layer, state)
  }
  return state
}

/** The layers that were built since the outermost `ensureBuilt` began, so that an error can undo them. */
let building: LayerBase[] | null = null

/** A layer of any inputs and outputs. Subclass Layer instead. */
export abstract class LayerBase extends Configured {
  static override readonly declare = LAYER_OPTIONS
  declare readonly name: string
  /** The shape of one sample, when the layer was told. */
  declare readonly inputShape: BatchShape | null
  declare readonly dtype: 'float32'
  declare readonly activityRegularizer: Regularizer | null
  /** Whether masks of the input are passed on to the output. @internal */
  readonly supportsMasking: boolean = false

  constructor(options?: LayerOptions) {
    super(options)
    const given = this as { name: string | null; inputShape: BatchShape | null; readonly inputDim?: number | null }
    given.name ??= uniqueName(classNameOf(this))
    if (given.inputShape === null && given.inputDim != null && isInputDim(this)) given.inputShape = [given.inputDim]
    structure.version++
  }

  /** `call`, over trees. @internal */
  protected abstract callTree(input: Tree<unknown>, context: CallContext): Tree<Tensor>

  /** `build`, over trees. @internal */
  protected abstract buildTree(specs: Tree<TensorSpec>): void

  /** `computeOutputSpec`, over trees. @internal */
  protected abstract outputTree(specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec>

  /**
   * What a call of this layer may say besides `training` and `mask`. A layer that reads `initialState` or `attention` of its
   * context names them here; everything else is refused.
   */
  protected get callOptions(): readonly CallOption[] {
    return []
  }

  /**
   * Refuses an input that the weights do not fit, before `call` and before it is recorded. `requireExtents` of checks.ts does
   * it for the axes that the weights depend on.
   * @param shape of an input
   * @param built of the one that the weights were made for
   * @param path which of several inputs: `[1]`, `.query`; '' for the only one
   * @throws ShapeError
   */
  protected checkShape(_shape: BatchShape, _built: BatchShape, _path: string): void {}

  /**
   * Refuses a mask that does not fit its input, before `call`. `requireMask` of checks.ts does it for masks of steps.
   * @throws ShapeError
   */
  protected checkMask(_mask: Tensor, _shape: Shape, _path: string): void {}

  /** `computeMask`, over trees. @internal */
  protected abstract maskTree(input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null>

  /** Whether optimizers may change the weights. Setting it sets it for all layers within, too. */
  get trainable(): boolean {
    return stateOf(this).trainable
  }

  set trainable(trainable: boolean) {
    const state = stateOf(this)
    state.trainable = trainable
    structure.version++
    // Within the constructor there is nothing else yet.
    if (state.parts !== null || state.builtFor !== null) for (const layer of this.sublayers) layer.trainable = trainable
  }

  /**
   * Traces `call` with two batch sizes: extents that differ are open.
   */
  protected tracedOutputSpec(specs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
    this.ensureBuilt(specs)
    const leaves = flatten(specs)
    const isOpen = leaves.some(({ shape }) => shape.includes(null))
    const first = this.probe(specs, PROBES[0], options)
    if (!isOpen) return mapTree(first, ({ shape, dtype }) => new TensorSpec(shape, dtype))
    const second = flatten(this.probe(specs, PROBES[1], options))
    let at = 0
    return mapTree(first, ({ shape, dtype }) => {
      const other = second[at++]!.shape
      return new TensorSpec(shape.map((extent, i) => (extent === other[i] ? extent : null)), dtype)
    })
  }

  /** The outputs of `call` as symbols of a trace that is thrown away; open extents are `extent`. */
  private probe(specs: Tree<TensorSpec>, extent: number, options: ApplyOptions): Tree<Tensor> {
    const { types, said } = probeTypes(specs, extent, options)
    let output: Tree<Tensor> | null = null
    untraced(() =>
      whileProbing(() =>
        trace(types, (symbols) => {
          const input: Tree<unknown> = unflatten<Tensor>(specs, symbols)
          const { training = false, mask = null, initialState = null, ...attention } = said(symbols)
          const context = new CallContext(training, mask, initialState, undefined, attention)
          output = withFrame(this, context, () => this.callChecked(input, context))
          return []
        }),
      ),
    )
    return output!
  }

  /** The specs that the weights were made for; null before. @internal */
  get buildSpec(): Tree<TensorSpec> | null {
    return stateOf(this).builtFor
  }

  get built(): boolean {
    return stateOf(this).builtFor !== null
  }

  /** Builds for an input shape, or a tree of shapes or specs, once. Errors leave no weights behind. */
  ensureBuilt(input: Tree<TensorSpec> | Tree<number | null>): void {
    if (this.built) return
    const specs = specsFrom(input)
    const outermost = building === null
    const log: LayerBase[] = (building ??= [])
    try {
      // The first call may be inside a trace; weights are made outside of it.
      untraced(() => withoutFrame(() => this.inOwnPath(() => this.placing(() => this.buildAll(specs)))))
      stateOf(this).builtFor = specs
      log.push(this)
      structure.version++
    } catch (error) {
      for (const layer of [this, ...log]) unbuild(layer)
      throw error
    } finally {
      if (outermost) building = null
    }
  }

  private inOwnPath<Result>(body: () => Result): Result {
    return this.isPathRoot && currentPath().length === 0 ? body() : withinPath(this.name, body)
  }

  /** Whether weights are named without this layer's name when it is the outermost one. @internal */
  protected get isPathRoot(): boolean {
    return false
  }

  private buildAll(specs: Tree<TensorSpec>): void {
    this.buildTree(specs)
    // Layers within this one make their weights when they are called: calls this one on symbols, once.
    if (this.sublayers.some((layer) => !layer.built)) this.probe(specs, PROBES[0], {})
  }

  /** `apply`, over trees. @internal */
  applyTree(input: unknown, given: ApplyOptions | CallContext): Tree<Tensor> {
    const isRecorded = hasSymbol(input)
    const tensors = isRecorded ? (input as Tree<unknown>) : this.toTensors(input)
    const options = given instanceof CallContext ? given : this.readOptions(tensors, given)
    if (isRecorded) return this.record(tensors, options)
    const frame = currentFrame()
    if (!this.built) this.ensureBuilt(mapTree(tensors, (leaf) => (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([]))))
    if (frame !== null && frame.layer !== null) this.requireOwner(frame.layer as LayerBase)
    const context = this.contextOf(tensors, options, frame?.context)
    return withinPath(this.name, () => withScope(this.name, () => withFrame(this, context, () => this.run(tensors, context))))
  }

  private callChecked(input: Tree<unknown>, context: CallContext): Tree<Tensor> {
    return this.placing(() => {
      this.checkShapes(input)
      this.checkMasks(input, context.mask)
      return this.checkOutput(this.callTree(input, context))
    })
  }

  /** @param input tensors, symbols or specs */
  private checkShapes(input: Tree<unknown>): void {
    const { builtFor } = stateOf(this)
    // While it is being built it fits.
    if (builtFor === null || this.checkShape === LayerBase.prototype.checkShape) return
    const built = flatten(builtFor)
    const paths = pathsOf(input)
    flatten(input).forEach((leaf, i) => {
      const spec = built[i]
      if (spec !== undefined && (leaf instanceof Tensor || leaf instanceof TensorSpec)) this.checkShape(leaf.shape, spec.shape, paths[i]!)
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

  /** The options of a call, with one mask or null for each input. */
  private readOptions(input: Tree<unknown>, given: ApplyOptions): ApplyOptions {
    const options = readApplyOptions(this, given, this.callOptions)
    return options.mask == null ? options : { ...options, mask: this.masksFor(input, options.mask) }
  }

  /**
   * Masks as a tree like that of the inputs.
   * @throws ArgumentError for masks of another structure
   * @internal
   */
  protected masksFor(input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    const where = `${this}: the mask`
    const read = (own: unknown): Tensor | null => (own === null ? null : asTensor(own as TensorLike, where))
    if (!isBranch(input)) {
      // a list of one, as of the masks of a tree
      const [only, ...others] = Array.isArray(mask) && mask.every((each) => each === null || each instanceof Tensor) ? mask : [mask]
      if (others.length === 0) return read(only)
      throw new ArgumentError(`${where} must be one, as there is one input, received a list of ${others.length + 1}`)
    }
    const structure = mapTree(input, () => null)
    return unflatten(structure, flattenLike(structure, mask, where).map(read))
  }

  /** Errors say in which layer they were met, and within which other one that is. */
  private placing<Result>(body: () => Result): Result {
    try {
      return body()
    } catch (error) {
      if (error instanceof MyelinError) this.placeError(error)
      throw error
    }
  }

  /** Says in which layer an op refused its operands; the model goes without saying. */
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
        context.addLoss(divide(this.activityRegularizer.call(leaf), leaf.shape[0] ?? 1))
      }
    }
    return this.keepsMasks ? output : this.passMask(input, output, context.mask)
  }

  /** Whether the outputs have the masks that the layers within this one gave them. @internal */
  protected get keepsMasks(): boolean {
    return false
  }

  /** Whether the layer makes a mask where its input has none. @internal */
  protected get makesMask(): boolean {
    return false
  }

  private passMask(input: Tree<unknown>, output: Tree<Tensor>, mask: Tree<Tensor | null>): Tree<Tensor> {
    if (mask !== null && !this.supportsMasking) this.warnOfMask()
    const isPassed = this.supportsMasking && (mask !== null || this.makesMask)
    const given = flatten(input)
    // An input that is given back as it came may have another mask from here on.
    const own = mapTree(output, (leaf) => (given.includes(leaf) && (isPassed || maskOf(leaf) !== null) ? Tensor.aliasOf(leaf) : leaf))
    if (!isPassed) return own
    const found = flatten(this.maskTree(input, mask))
    flatten(own).forEach((leaf, i) => {
      const made = found[i] ?? null
      // What the layer itself has given a mask keeps it.
      if (made !== null && maskOf(leaf) === null) setMask(leaf, made)
    })
    return own
  }

  private warnOfMask(): void {
    const { warned } = stateOf(this)
    if (warned.has('mask')) return
    warned.add('mask')
    console.warn(`${this}: its input has a mask, which this layer does not pass on. Later layers, losses and metrics do not see it.`)
  }

  private contextOf(input: Tree<unknown>, options: ApplyOptions | CallContext, outer: CallContext | undefined): CallContext {
    const isContext = options instanceof CallContext
    const { training } = options
    // A context that was handed on speaks of the input of the layer that had it.
    const mask = isContext ? undefined : options.mask
    const initialState = isContext ? null : (options.initialState ?? null)
    const reports = isContext && outer === undefined ? options : outer
    const attention = isContext ? {} : options
    return new CallContext(training ?? outer?.training ?? false, mask === undefined ? masksOf(input) : mask, initialState, reports, attention)
  }

  private requireOwner(owner: LayerBase): void {
    if (owner === this || partsOf(owner).owned.has(this)) return
    if (this.weights.length === 0 && this.stateVariables.length === 0) return
    throw new ArgumentError(
      `${this} is called inside ${owner} but does not belong to it: its weights would not be trained or saved. Keep it in a property (also inside arrays, records or Maps), or in a #private field as this.track(layer).`,
    )
  }

  /** Makes a layer a part of this one, where no property holds it: `#inner = this.track(new Dense({ units: 4 }))`. */
  protected track<Part extends LayerBase>(layer: Part): Part {
    stateOf(this).tracked.push(layer)
    structure.version++
    return layer
  }

  /** The input as tensors, wherever data stands for one. @internal */
  protected toTensors(input: unknown): Tree<unknown> {
    if (input instanceof Tensor) return input
    if (!branchesIntoTensors(input)) return asTensor(input as TensorLike, String(this))
    if (Array.isArray(input)) return input.map((each) => this.toTensors(each))
    return Object.fromEntries(Object.entries(input as object).map(([key, each]) => [key, this.toTensors(each)]))
  }

  private record(input: Tree<unknown>, options: ApplyOptions | CallContext): Tree<Tensor> {
    const specs = mapTree(input, (leaf) => originOf(leaf)?.spec ?? (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([])))
    const said = options instanceof CallContext ? {} : options
    const outputs = this.outputSpecs(specs, said)
    if (TENSOR_OPTIONS.some((name) => said[name] != null)) this.tryCall(specs, said)
    return recordCall(this, input, { ...said }, outputs)
  }

  /** Looks at what was said besides the inputs now, and not when data come. */
  private tryCall(specs: Tree<TensorSpec>, said: ApplyOptions): void {
    const [extent] = PROBES
    try {
      this.probe(specs, extent, said)
    } catch (error) {
      if (error instanceof MyelinError) restate(error, `${error.message} (with ${extent} for the extents that are open)`)
      throw error
    }
  }

  private checkOutput(output: Tree<Tensor>): Tree<Tensor> {
    if (output instanceof Tensor) return output
    flatten<unknown>(output).forEach((leaf, i) => {
      if (leaf instanceof Tensor) return
      const path = pathsOf(output)[i]!
      const place = path === '' ? '' : ` at ${pathName(path)}`
      throw new ArgumentError(`${this}: call must return a Tensor, received ${typeof leaf}${place}`)
    })
    return output
  }

  /** A trainable (by default) variable that belongs to the layer. */
  protected addWeight({ name, shape, initializer = 'glorotUniform', regularizer = null, constraint = null, fans, dtype = 'float32', trainable = dtype === 'float32' }: WeightOptions): Variable {
    requireWithinLimit(`${this}: ${name}`, shape)
    const drawn = initializers.get(initializer)
    const draw = (): Tensor => {
      const made = drawn.call(shape, fans)
      return made.dtype === dtype ? made : new Tensor(dtypes[dtype].array.from(made.data), made.shape, dtype)
    }
    const initial = draw()
    if (!sameShape(initial.shape, shape)) {
      throw new ShapeError(`${this}: the initializer of ${name} must make shape ${formatShape(shape)}, received ${formatShape(initial.shape)}`)
    }
    const within = currentPath()
    const prefix = within.at(-1) === this.name ? within : [...within, this.name]
    const variable = new Variable(initial, { name: [...prefix, name].join('/'), trainable, dtype })
    if (constraint !== null) this.requireConstrainable(name, shape, constraint)
    variable.constraint = constraint
    const kept = regularizer?.keep?.(variable) ?? []
    stateOf(this).own.push({ variable, regularizer, kept, draw })
    return variable
  }

  /** Tries a constraint, which the optimizer calls only after the first update. */
  private requireConstrainable(name: string, shape: Shape, constraint: Constraint): void {
    const where = `${this}: the constraint ${classNameOf(constraint)} of ${name} ${formatShape(shape)}`
    let made: unknown
    try {
      untraced(() =>
        withoutFrame(() =>
          trace([{ shape, dtype: 'float32' }], ([weight]) => {
            made = constraint.call(weight!)
            return []
          }),
        ),
      )
    } catch (error) {
      if (error instanceof MyelinError) restate(error, `${where}: ${error.message}`)
      throw error
    }
    if (made instanceof Tensor && sameShape(made.shape, shape)) return
    throw new ShapeError(`${where} must give a tensor of this shape, received ${made instanceof Tensor ? formatShape(made.shape) : typeof made}`)
  }

  /** Lists a weight of a layer within among this layer's own, in this place of their order. */
  protected trackWeight(variable: Variable): void {
    stateOf(this).own.push({ variable, regularizer: null, kept: [], draw: null })
    structure.version++
  }

  /**
   * What a weight of this layer, or of one within it, might have begun with: drawn anew from its initializer.
   * @throws ArgumentError for a variable that no layer made by addWeight
   * @internal
   */
  drawAnew(weight: Variable): Tensor {
    for (const layer of this.allLayers) {
      const draw = stateOf(layer).own.find(({ variable }) => variable === weight)?.draw
      if (draw != null) return untraced(draw)
    }
    throw new ArgumentError(`${this}: does not know how ${weight.name} was made`)
  }

  /** Adds a scalar to the loss of the step that is being computed. Only inside `call`. */
  addLoss(penalty: Tensor): void {
    this.requireFrame('addLoss').addLoss(penalty)
  }

  /** Reports the mean of a value in logs and history. Only inside `call`. */
  addMetric(name: string, value: Tensor): void {
    this.requireFrame('addMetric').addMetric(name, value)
  }

  private requireFrame(method: string): CallContext {
    const frame = currentFrame()
    if (frame !== null) return frame.context
    throw new StateError(`${this}: ${method} is for use inside call`)
  }

  /** The types of the results for inputs of these types; builds the layer. @internal */
  outputSpecs(specs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
    this.ensureBuilt(specs)
    return this.placing(() => {
      this.checkShapes(specs)
      return this.outputTree(specs, options)
    })
  }

  /**
   * Looks at data that reaches the layer as it is given to the model, before anything runs on it.
   * @throws DataError naming the first element that cannot be right
   */
  validateInput?(input: Tensor): void

  /** How the units of the input become those of the output; null where nobody knows. @internal */
  get unitFlow(): UnitFlow | null {
    return null
  }

  /** Units that only the layer itself knows. @internal */
  get innerUnits(): readonly InnerUnits[] {
    return []
  }

  /** The graph that the layer replays, for models. @internal */
  get graph(): object | null {
    return null
  }

  /** What the layer expects data to be where nothing else is said. @internal */
  get inputDtype(): DType {
    return 'float32'
  }

  /** For layers whose parts change after they are built. */
  protected partsChanged(): void {
    structure.version++
  }

  /** Layers that belong to this one and that no property shows. @internal */
  get hiddenParts(): readonly LayerBase[] {
    return []
  }

  /** The layers that this one is made of. Their weights are its own. */
  get sublayers(): readonly LayerBase[] {
    return partsOf(this).sublayers as readonly LayerBase[]
  }

  /** The weights of this layer without those of its sublayers, in the order they were made. */
  get ownWeights(): readonly Variable[] {
    return [...new Set([...stateOf(this).own.map(({ variable }) => variable), ...partsOf(this).variables])]
  }

  /** All variables that are learnt or saved as weights: the layer's own in the order they were made, then its sublayers'. */
  get weights(): readonly Variable[] {
    return listsOf(this).weights
  }

  get trainableWeights(): readonly Variable[] {
    return listsOf(this).trainableWeights
  }

  get nonTrainableWeights(): readonly Variable[] {
    const trainable = new Set(this.trainableWeights)
    return this.weights.filter((weight) => !trainable.has(weight))
  }

  /** State that is saved with the model but is not a weight: positions of random streams, what regularizers keep. */
  get stateVariables(): readonly Variable[] {
    const generators = new Set<SeedGenerator>()
    const kept = new Set<Variable>()
    visitLayers(this, (layer) => {
      partsOf(layer).generators.forEach((generator) => generators.add(generator))
      stateOf(layer).own.forEach((own) => own.kept.forEach((variable) => kept.add(variable)))
    })
    return [...[...generators].map((generator) => generator.state), ...kept]
  }

  /** This layer and all within it, each once, from the outside in. */
  get allLayers(): readonly LayerBase[] {
    const found: LayerBase[] = []
    visitLayers(this, (layer) => found.push(layer))
    return found
  }

  /** The trainable weights that have a penalty, their layers, and what the penalties keep of them. @internal */
  get regularized(): readonly RegularizedWeight[] {
    const found: RegularizedWeight[] = []
    visitLayers(this, (layer) => {
      if (!layer.trainable) return false
      for (const { variable, regularizer, kept } of stateOf(layer).own) {
        if (regularizer !== null && variable.trainable) found.push({ layer, weight: variable, regularizer, kept })
      }
      return true
    })
    return found
  }

  /** The penalties of regularized trainable weights; traced. */
  regularizationLosses(): Tensor[] {
    return this.regularized.map(({ layer, weight, regularizer, kept }) => withScope(layer.name, () => regularizer.call(weight.value, kept)))
  }

  /** The number of elements of all weights. */
  countParams(): number {
    return this.weights.reduce((total, weight) => total + weight.size, 0)
  }

  /** Copies of all weights. */
  getWeights(): Tensor[] {
    return this.weights.map((weight) => weight.value)
  }

  /** `Dense "fc1"`, as errors name it. */
  override toString(): string {
    // A layer that was given no name has none yet when its options are checked.
    const name: string | null = this.name
    return name === null ? classNameOf(this) : `${classNameOf(this)} "${name}"`
  }

  override getConfig(): Config {
    const config = super.getConfig()
    // What was not said need not be saved.
    return Object.fromEntries(Object.entries(config).filter(([name, value]) => !(name in UNSAID && UNSAID[name] === value)))
  }

  /** @throws StateError before the layer is built. */
  protected requireBuilt<T>(value: T | null | undefined): T {
    if (value != null) return value
    throw new StateError(`${this} has no weights yet. They are made at the first call, or when inputShape is given.`)
  }
}

/** Whether inputDim is short for inputShape; it is not for a layer that has an option of this name itself, as Embedding has. */
function isInputDim({ constructor }: object): boolean {
  return optionsOf(constructor)['inputDim'] === optionsOf(LayerBase)['inputDim']
}

/** Two batch sizes that tell which extents depend on the batch. 1 would be broadcast and squeezed. */
const PROBES = [2, 3] as const

const TENSOR_OPTIONS = ['mask', 'initialState', 'attentionMask'] as const

/** What a probe is traced with. */
interface ProbeTypes {
  /** The inputs, then the tensors among the options. */
  readonly types: readonly TensorType[]
  /** The options, once there are symbols for those types. */
  readonly said: (symbols: readonly Tensor[]) => ApplyOptions
}

/**
 * Inputs, and what was said besides, with `extent` for what is open. A tensor with data stands for one of any batch size.
 * Where a mask knows an extent that its input leaves open, or the other way round, both have it.
 */
function probeTypes(specs: Tree<TensorSpec>, extent: number, options: ApplyOptions): ProbeTypes {
  const open = (tensor: Tensor, isPairMask: boolean): TensorSpec => {
    const spec = originOf(tensor)?.spec
    if (spec !== undefined) return spec
    const hasBatch = isPairMask ? tensor.rank > 2 && tensor.shape[0]! > 1 : tensor.rank > 0
    return new TensorSpec([...(hasBatch ? [null] : tensor.shape.slice(0, 1)), ...tensor.shape.slice(1)], tensor.dtype)
  }
  const inputs = flatten(specs)
  const masks = options.mask == null ? [] : flatten(options.mask).map((mask) => mask && open(mask, false))
  const known = (own: BatchShape, other: BatchShape | undefined): Shape => own.map((each, i) => each ?? other?.[i] ?? extent)
  const tensors = [...new Set(TENSOR_OPTIONS.flatMap((name) => flatten<unknown>(options[name] ?? null)).filter((leaf) => leaf instanceof Tensor))]
  const more = tensors.map((tensor) => {
    const { shape, dtype } = open(tensor, tensor === options.attentionMask)
    const of = options.mask == null ? -1 : flatten<unknown>(options.mask).indexOf(tensor)
    return { shape: known(shape, inputs[of]?.shape), dtype }
  })
  return {
    types: [...inputs.map(({ shape, dtype }, i) => ({ shape: known(shape, masks[i]?.shape), dtype })), ...more],
    said: (symbols) => {
      const own = new Map(tensors.map((tensor, i) => [tensor, symbols[inputs.length + i]!]))
      const replaced = TENSOR_OPTIONS.filter((name) => options[name] != null).map((name) => {
        return [name, mapTree<unknown, unknown>(options[name] as Tree<unknown>, (leaf) => (leaf instanceof Tensor ? own.get(leaf) : leaf))]
      })
      return { ...options, ...Object.fromEntries(replaced) }
    },
  }
}

const UNSAID: Readonly<Record<string, unknown>> = { trainable: true, inputShape: null, inputDim: null, dtype: 'float32', activityRegularizer: null }

function unbuild(layer: object): void {
  const state = stateOf(layer)
  state.own.length = 0
  state.builtFor = null
  structure.version++
}

/** Whether data is a tree of tensors rather than one: rows of numbers are one, a list of tensors is many. */
export function branchesIntoTensors(value: unknown): boolean {
  if (!isBranch(value)) return false
  if (Array.isArray(value)) return value.length > 0 && value.every((each) => isTensorLikeObject(each) || branchesIntoTensors(each))
  return !('data' in value && 'shape' in value)
}

function isTensorLikeObject(value: unknown): boolean {
  if (value instanceof Tensor || value instanceof Variable || ArrayBuffer.isView(value)) return true
  return isBranch(value) && !Array.isArray(value) && 'data' in value && 'shape' in value
}

function partsOf(layer: object): Parts {
  const state = stateOf(layer)
  if (state.parts === null || state.partsVersion !== structure.version) {
    state.parts = findParts(layer, (value) => value instanceof LayerBase, [...(layer as LayerBase).hiddenParts, ...state.tracked])
    state.partsVersion = structure.version
  }
  return state.parts
}

/** Visits a layer and those within it, each once. `visit` may answer false: then not those within. */
function visitLayers(layer: object, visit: (layer: LayerBase) => unknown): void {
  const seen = new Set<object>()
  const walk = (each: object): void => {
    if (seen.has(each)) return
    seen.add(each)
    if (visit(each as LayerBase) === false) return
    for (const inner of partsOf(each).sublayers) walk(inner)
  }
  walk(layer)
}

function listsOf(layer: object): State {
  const state = stateOf(layer)
  if (state.listsVersion === structure.version) return state
  const [weights, trainable] = [new Set<Variable>(), new Set<Variable>()]
  const collect = (each: object, isTrained: boolean, seen: Set<object>): void => {
    if (seen.has(each)) return
    seen.add(each)
    const { own, trainable: isTrainable } = stateOf(each)
    const { sublayers, variables } = partsOf(each)
    const trains = isTrained && isTrainable
    const take = (variable: Variable): void => {
      weights.add(variable)
      if (trains && variable.trainable) trainable.add(variable)
    }
    own.forEach(({ variable }) => take(variable))
    variables.forEach(take)
    sublayers.forEach((inner) => collect(inner, trains, seen))
  }
  collect(layer, true, new Set())
  state.weights = [...weights]
  state.trainableWeights = [...trainable]
  state.listsVersion = structure.version
  return state
}
