// Sequential: a model that is a list of layers. Once built, it has a LayerGraph like every functional model.

import { requireArguments } from '../core/arguments'
import { ArgumentError, FormatError, ShapeError, StateError, quoted } from '../core/errors'
import { requireConfig } from '../core/options'
import { isSerialized, type Config, type CustomObjects, type Json } from '../core/registry'
import type { TensorType } from '../core/shapes'
import { Layer, type LayerOptions } from '../layers'
import { recordOp } from '../layers/core/operation'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import type { CallContext } from '../layers/context'
import { LISTED, requireOne } from '../layers/forms'
import { layerFromConfig, layerToConfig, withSharing } from '../layers/saved'
import { TensorSpec, specsFrom, type BatchShape } from '../layers/spec'
import { buildSpecOf, hold, listsOf, unbuild, partsChanged } from '../layers/weight-lists'
import { isSymbol, originOf, recordCall } from '../layers/symbol'
import type { Tensor } from '../ops/tensor'
import { place } from '../ops/variable'
import { LayerGraph } from './layer-graph'
import { Model } from './model'
import { withKnownClasses } from './reader'
import { type LayerTraits, inputDtypeOf } from '../layers/traits'

/**
 * A chain of layers. Weights are created at once if the list begins with an `Input`, with a layer that has an
 * inputShape (or inputDim), or with a model whose input is known; otherwise with the first data. In the latter case,
 * later data may have other extents that all layers accept, such as longer sequences. A declared shape is fixed, except
 * where it is null.
 *
 *   const hidden = new Dense({ units: 8, activation: 'relu', inputShape: [4] })
 *   const model = new Sequential([hidden, new Dense({ units: 1 })])
 *
 * Keras: `keras.Sequential`.
 */
export class Sequential extends Model<Tensor, Tensor> {
  static override readonly className: string = 'Sequential'
  /** @internal */
  static override readonly traits: LayerTraits<Sequential> = {
    form: LISTED,
    /** The dtype that the first layer expects. */
    inputDtype: ({ list: [first] }) => (first === undefined ? 'float32' : inputDtypeOf(first)),
    /** The list holds the layers. */
    hiddenParts: () => [],
  }
  private readonly list: Layer[] = []
  /** The symbol of the input, then the output symbol of each layer; empty before the model is built. */
  private readonly symbols: Tensor[] = []
  #graph: LayerGraph | null = null
  /** Whether the list declares the input, rather than the first data. */
  #isDeclared = false
  /** Other types of rows that all layers have accepted. */
  readonly #taken = new Set<string>()

  constructor(layers: readonly (Layer | Tensor)[] = [], options: LayerOptions = {}) {
    super(options)
    if (!Array.isArray(layers)) throw new ArgumentError('Sequential: expected an array of layers')
    const names = new Set<string>()
    for (const layer of layers) this.append(layer, names)
    this.buildIfKnown()
  }

  /** Without InputLayers, as in Keras. */
  override get layers(): readonly Layer[] {
    return this.list.filter((layer) => !(layer instanceof InputLayer))
  }

  /** The layers of the list, including an InputLayer. @internal */
  get listed(): readonly Layer[] {
    return this.list
  }

  /** Whether these are its layers, including an InputLayer. @internal */
  consistsOf(layers: readonly LayerBase[]): boolean {
    return this.list.length === layers.length && this.list.every((layer, i) => layer === layers[i])
  }

  /** @internal */
  override get graph(): LayerGraph | null {
    const { symbols } = this
    if (symbols === undefined || symbols.length < 2) return null
    this.#graph ??= LayerGraph.between(symbols[0]!, symbols.at(-1)!)
    return this.#graph
  }

  /** @internal */
  override get takesOneInput(): boolean {
    return true
  }

  /** Appends a layer. An `Input` may come first. */
  add(layer: Layer | Tensor): void {
    requireArguments('add', arguments, 1)
    this.training.lock.requireIdle('add')
    this.append(layer, new Set(this.list.map(({ name }) => name)))
    this.resetPrograms()
    this.buildIfKnown()
  }

  private append(item: Layer | Tensor, names: Set<string>): void {
    const layer = inputLayerOf(item) ?? item
    if (!(layer instanceof Layer)) {
      const received = isSymbol(item)
        ? 'the output of a layer. Chains of symbols are for new Model({ inputs, outputs }).'
        : typeof item
      throw new ArgumentError(`${this}: add needs a layer, received ${received}`)
    }
    if (layer instanceof InputLayer && this.list.length > 0)
      throw new ArgumentError(`${this}: an Input is the first of the list, or is not in it`)
    if (names.has(layer.name)) {
      if (this.list.includes(layer))
        throw new ArgumentError(`${this}: ${layer} is in the model already. Make a second layer to repeat it.`)
      throw new ArgumentError(
        `${this}: there is a layer named '${layer.name}' already. Names must differ within a model.`,
      )
    }
    if (listsOf(layer).layers.includes(this)) throw new ArgumentError(`${this}: a model cannot contain itself`)
    // The model is built, so the new layer is built for the output of the last one.
    if (this.built)
      this.symbols.push(place.within({ ...place.current, path: [this.path!] }, () => layer.apply(this.symbols.at(-1)!)))
    names.add(layer.name)
    this.list.push(layer)
    hold(this, layer)
    this.changed()
  }

  private changed(): void {
    this.#graph = null
    this.#taken.clear()
    partsChanged(this)
  }

  /** The input that the list declares; null if the first data determine it. */
  private get declaredInput(): TensorSpec | null {
    const [first] = this.list
    if (first === undefined) return null
    if (first instanceof InputLayer) return first.spec
    if (first.inputShape !== null) return new TensorSpec([null, ...first.inputShape], inputDtypeOf(first))
    const spec = first instanceof Model ? first.graph?.inputSpecs : null
    return spec instanceof TensorSpec ? spec : null
  }

  private buildIfKnown(): void {
    const { declaredInput } = this
    this.#isDeclared = declaredInput !== null
    if (!this.built && declaredInput !== null) this.ensureBuilt(declaredInput)
  }

  /**
   * The first data declare nothing: later data may have other extents, such as longer sequences, if all layers accept
   * them. @internal
   */
  override checkInput(types: readonly TensorType[]): void {
    if (this.#isDeclared || !this.takes(types[0]!)) super.checkInput(types)
  }

  private takes({ shape: [, ...extents], dtype }: TensorType): boolean {
    const buildSpec = buildSpecOf(this)
    if (!(buildSpec instanceof TensorSpec) || buildSpec.shape.length !== extents.length + 1) return false
    if (extents.every((extent, i) => extent === buildSpec.shape[i + 1])) return true
    const key = `${dtype} ${extents.join(' ')}`
    if (this.#taken.has(key)) return true
    try {
      this.computeOutputSpec(new TensorSpec([null, ...extents], dtype))
    } catch (error) {
      if (error instanceof ShapeError) return false
      throw error
    }
    this.#taken.add(key)
    return true
  }

  /** Removes the last layer and returns it; undefined if there is none. */
  pop(): Layer | undefined {
    requireArguments('pop', arguments, 0)
    this.training.lock.requireIdle('pop')
    const layer = this.list.pop()
    if (layer === undefined) return layer
    hold(this, layer, -1)
    this.symbols.pop()
    if (this.list.length === 0) {
      this.symbols.length = 0
      unbuild(this)
    }
    this.changed()
    this.resetPrograms()
    return layer
  }

  override build(inputShape: BatchShape, inputSpec = new TensorSpec(inputShape, inputDtypeOf(this))): void {
    if (this.list.length === 0) throw new StateError(`${this}: has no layers. Add some first.`)
    requireOne(this, inputSpec)
    const [first] = this.list
    const input =
      first instanceof InputLayer
        ? first
        : new InputLayer({ shape: inputSpec.shape.slice(1), dtype: inputSpec.dtype, name: `${this.name}_input` })
    input.ensureBuilt(inputSpec)
    const made = [recordCall(input, null, {}, inputSpec, recordOp)]
    for (const layer of this.list) if (!Object.is(layer, input)) made.push(layer.apply(made.at(-1)!))
    this.symbols.splice(0, Infinity, ...made)
  }

  override call(x: Tensor, context: CallContext): Tensor {
    // Layers that were never called on symbols, or a list with only inputs.
    if (this.graph === null) return this.list.reduce((value, layer) => layer.apply(value), x)
    return super.call(x, context)
  }

  override getConfig(): Config {
    const buildSpec = buildSpecOf(this)
    const spec = buildSpec instanceof TensorSpec ? { buildShape: buildSpec.shape, buildDtype: buildSpec.dtype } : {}
    return { ...super.getConfig(), layers: withSharing(() => this.list.map(layerToConfig)), ...spec }
  }

  /**
   * A model from getConfig, of the class on which it is called: see Model.fromConfig. The constructor of a subclass is
   * called as `new Own(layers, { name })`.
   *
   * @throws ArgumentError for a layer whose class is not known, for a value that is not a configuration of a Sequential, and for a
   *   subclass with another constructor
   */
  static override fromConfig<Kind>(
    this: new (...inputs: never) => Kind,
    config: Config,
    customObjects: CustomObjects = {},
  ): Kind {
    requireConfig(this, config)
    const { layers: saved, name, trainable, buildShape, buildDtype } = config
    if (!Array.isArray(saved))
      throw new ArgumentError(`${this.name}.fromConfig: layers must be a list, received ${quoted(saved)}`)
    const list = withKnownClasses(customObjects, () =>
      withSharing(() => saved.map((entry: Json) => requireLayer(isSerialized(entry) ? layerFromConfig(entry) : null))),
    )
    const model: Kind = Reflect.construct(this, [list, typeof name === 'string' ? { name } : {}])
    if (!(model instanceof Sequential && model.consistsOf(list)))
      throw new ArgumentError(`${this.name} needs a constructor (layers, options), or static fromConfig(config)`)
    if (Array.isArray(buildShape)) {
      const spec = specsFrom(buildShape)
      const isWhole =
        spec instanceof TensorSpec &&
        spec.shape.every((extent) => extent === null || (Number.isInteger(extent) && extent > 0))
      if (!isWhole) throw new FormatError(`The file is damaged: the build shape is ${JSON.stringify(buildShape)}`)
      model.ensureBuilt(
        new TensorSpec(
          spec.shape,
          buildDtype === 'int32' || buildDtype === 'bool' || buildDtype === 'string' ? buildDtype : 'float32',
        ),
      )
    }
    if (trainable === false) model.trainable = false
    return model
  }
}

/** The layer of an `Input`, copied for this model; null for other items. */
function inputLayerOf(item: unknown): InputLayer | null {
  const layer = originOf(item)?.call.layer
  return layer instanceof InputLayer ? InputLayer.from(layer) : null
}

function requireLayer(layer: unknown): Layer {
  if (layer instanceof Layer) return layer
  throw new ArgumentError('Sequential: a saved layer has no class name')
}
