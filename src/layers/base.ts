// How a layer is built and called, for trees of tensors: contexts, masks, symbols, and errors that name the layer. What
// a layer consists of is in layer-parts.ts, the types of inputs and outputs in layer.ts.

import type { MaskTrail } from './masks'
import type { DType } from '../core/dtypes'
import { ArgumentError, MyelinError, StateError, restate, restating } from '../core/errors'
import type { Tree } from '../core/tree'
import { flatten, flattenLike, isBranch, mapTree, pathName, pathsOf, typed, unflatten } from '../core/tree'
import type { Shape } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { divide } from '../ops/elementwise'
import { Tensor } from '../ops/tensor'
import { trace, untraced, withScope } from '../ops/trace'
import { Variable, structure } from '../ops/variable'
import { penaltyOf } from '../regularizers/penalty'
import type { ApplyOptions, CallOption } from './call-options'
import { TENSOR_OPTIONS, probeTypes, readApplyOptions, statesFrom } from './call-options'
import {
  CallContext,
  currentFrame,
  currentPath,
  tapped,
  whileProbing,
  withFrame,
  withinPath,
  withoutFrame,
} from './context'
import { LayerParts, partsOf, stateOf, unbuild } from './layer-parts'
import { masksOf, setMask, maskOf } from './masks'
import type { BatchShape } from './spec'
import { TensorSpec, specOf, specsFrom } from './spec'
import { addedLosses, keepingLosses } from './added-losses'
import { hasSymbol, originOf, recordCall } from './symbol'
import type { InnerUnits, UnitFlow } from './units'

export type { ApplyOptions, CallOption } from './call-options'
export type { LayerOptions, RegularizedWeight, WeightOptions } from './layer-parts'

/** Errors whose message already names the layer where they occurred. */
const placed = new WeakSet<Error>()

/** The layers built since the outermost `ensureBuilt` started, so that an error can undo them. */
let building: LayerBase[] | null = null

/** A layer with any inputs and outputs. Subclass Layer instead. */
export abstract class LayerBase extends LayerParts {
  /** Whether masks of the input are passed on to the output. @internal */
  readonly supportsMasking: boolean = false

  /** `call`, over trees. @internal */
  protected abstract callTree(input: Tree<unknown>, context: CallContext): Tree<Tensor>

  /** `build`, over trees. @internal */
  protected abstract buildTree(specs: Tree<TensorSpec>): void

  /** `computeOutputSpec`, over trees. @internal */
  protected abstract outputTree(specs: Tree<TensorSpec>, options: ApplyOptions): Tree<TensorSpec>

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

  /** Whether Keras's layer takes the mask of its input as an argument, so that its graph has it as an operand. @internal */
  get readsMask(): boolean {
    return false
  }

  /**
   * The symbols from which the mask of a result is computed, each with the number of ops that Keras's graph has in between; null
   * without a mask. They count for the depth of layers.
   * @param masks the same of the masks of the inputs
   * @internal
   */
  maskTrail(_inputs: readonly Tensor[], masks: readonly (MaskTrail | null)[]): MaskTrail | null {
    return this.supportsMasking ? (masks[0] ?? null) : null
  }

  /** `computeMask`, over trees. @internal */
  protected abstract maskTree(input: Tree<unknown>, mask: Tree<Tensor | null>): Tree<Tensor | null>

  /** Traces `call` with two batch sizes: extents that differ depend on the batch and are open. */
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
      return new TensorSpec(
        shape.map((extent, i) => (extent === other[i] ? extent : null)),
        dtype,
      )
    })
  }

  /** The outputs of `call` as symbols of a temporary trace; open extents are `extent`. */
  private probe(specs: Tree<TensorSpec>, extent: number, options: ApplyOptions): Tree<Tensor> {
    const { types, said } = probeTypes(specs, extent, options)
    let output: Tree<Tensor> | null = null
    untraced(() =>
      whileProbing(() =>
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
    const outermost = building === null
    const log: LayerBase[] = (building ??= [])
    try {
      // The first call may be inside a trace; weights are created outside of it.
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

  /** @internal */
  protected override outputText(): string {
    const { buildSpec } = this
    return buildSpec === null ? '' : flatten(this.outputSpecs(buildSpec)).join(' and ')
  }

  private inOwnPath<Result>(body: () => Result): Result {
    return this.isPathRoot && currentPath().length === 0 ? body() : withinPath(this.name, body)
  }

  /** Whether weights are named without this layer's name when it is the outermost one. @internal */
  protected get isPathRoot(): boolean {
    return false
  }

  private buildAll(specs: Tree<TensorSpec>): void {
    this.watchingOptions(() => this.buildTree(specs))
    // Inner layers create their weights when they are called: call this layer on symbols once.
    if (this.sublayers.some((layer) => !layer.built)) this.probe(specs, PROBES[0], {})
  }

  /** `apply`, over trees. @internal */
  applyTree(input: unknown, given: ApplyOptions | CallContext): Tree<Tensor> {
    const isRecorded = hasSymbol(input)
    const tensors = isRecorded ? (input as Tree<unknown>) : this.toTensors(input)
    const options = given instanceof CallContext ? given : this.readOptions(tensors, given)
    if (isRecorded) return this.record(tensors, options)
    const frame = currentFrame()
    if (!this.built)
      this.ensureBuilt(mapTree(tensors, (leaf) => (leaf instanceof Tensor ? specOf(leaf) : new TensorSpec([]))))
    if (frame !== null && frame.layer !== null) this.requireOwner(frame.layer as LayerBase)
    const context = this.contextOf(tensors, options, frame?.context)
    const call = (): Tree<Tensor> =>
      withinPath(this.name, () =>
        withScope(this.name, () => withFrame(this, context, () => this.run(tensors, context))),
      )
    return frame?.layer == null ? keepingLosses(this, context, call) : call()
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
    // While the layer is being built, the shape fits by definition.
    if (builtFor === null || this.checkShape === LayerBase.prototype.checkShape) return
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
      // A list with one mask, such as flattening a tree gives, stands for that mask.
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
    if (mask !== null && !this.supportsMasking) this.warnOfMask()
    const isPassed = this.supportsMasking && (mask !== null || this.makesMask)
    const given = flatten(input)
    // An input that is returned unchanged may get another mask from here on.
    const own = mapTree(output, (leaf) =>
      given.includes(leaf) && (isPassed || maskOf(leaf) !== null) ? Tensor.aliasOf(leaf) : leaf,
    )
    if (!isPassed) return own
    const found = flatten(this.maskTree(input, mask))
    flatten(own).forEach((leaf, i) => {
      const made = found[i] ?? null
      // A mask that the layer set itself stays.
      if (made !== null && maskOf(leaf) === null) setMask(leaf, made)
    })
    return own
  }

  private warnOfMask(): void {
    const { warned } = stateOf(this)
    if (warned.has('mask')) return
    warned.add('mask')
    console.warn(
      `${this}: its input has a mask, which this layer does not pass on. Later layers, losses and metrics do not see it.`,
    )
  }

  private contextOf(
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

  private requireOwner(owner: LayerBase): void {
    if (owner === this || partsOf(owner).owned.has(this)) return
    if (this.weights.length === 0 && this.stateVariables.length === 0) return
    throw new ArgumentError(
      `${this} is called inside ${owner} but does not belong to it: its weights would not be trained or saved. Keep it in a property (also inside arrays, records or Maps), or in a #private field as this.track(layer).`,
    )
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
    const [extent] = PROBES
    restating(
      (message) => `${message} (with ${extent} for the extents that are open)`,
      () => this.probe(specs, extent, said),
    )
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
    this.requireFrame('addLoss').addLoss(penalty)
  }

  /** Reports the mean of a value in logs and the history. Only inside `call`. */
  addMetric(name: string, value: Tensor): void {
    this.requireFrame('addMetric').addMetric(name, value)
  }

  private requireFrame(method: string): CallContext {
    const frame = currentFrame()
    if (frame !== null) return frame.context
    throw new StateError(`${this}: ${method} is for use inside call`)
  }

  /** The specs of the results for inputs of these specs; builds the layer. @internal */
  outputSpecs(specs: Tree<TensorSpec>, options: ApplyOptions = {}): Tree<TensorSpec> {
    this.ensureBuilt(specs)
    return this.placing(() => {
      this.checkShapes(specs)
      return this.outputTree(specs, options)
    })
  }

  /**
   * Checks data that the model passes to this layer unchanged, before a step runs.
   * @throws DataError naming the first invalid element
   */
  validateInput?(input: Tensor): void

  /** How the units of the input become those of the output; null if unknown. @internal */
  get unitFlow(): UnitFlow | null {
    return null
  }

  /** Units that only the layer itself uses. @internal */
  get innerUnits(): readonly InnerUnits[] {
    return []
  }

  /** Inner layers that no property holds. @internal */
  override get hiddenParts(): readonly LayerBase[] {
    return []
  }

  /** The inner layers. Their weights belong to this layer. */
  override get sublayers(): readonly LayerBase[] {
    return super.sublayers as readonly LayerBase[]
  }

  /** This layer and all its inner layers, each once, from the outside in. */
  override get allLayers(): readonly LayerBase[] {
    return super.allLayers as readonly LayerBase[]
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
}

/** Two batch sizes that reveal which extents depend on the batch. Size 1 would be broadcast and squeezed. */
const PROBES = [2, 3] as const

/**
 * Whether data are a tree of tensors rather than a single one: rows of numbers are one tensor, a list of tensors is
 * several.
 */
export function branchesIntoTensors(value: unknown): boolean {
  if (!isBranch(value)) return false
  if (Array.isArray(value))
    return value.length > 0 && value.every((each) => isTensorLikeObject(each) || branchesIntoTensors(each))
  return !('data' in value && 'shape' in value)
}

function isTensorLikeObject(value: unknown): boolean {
  if (value instanceof Tensor || value instanceof Variable || ArrayBuffer.isView(value)) return true
  return isBranch(value) && !Array.isArray(value) && 'data' in value && 'shape' in value
}
