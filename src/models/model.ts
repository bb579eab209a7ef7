// Model: what a trainer is made of, its graph of layers, and its files. Training is in training/trainer.ts, saving in save.ts, the
// table of summary() in summary.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, StateError, formatShape, checkOptions, quoted } from '../core/errors'
import { describingForFile, serialize, type Config, type CustomObjects } from '../core/registry'
import { sizeOf, type Shape, type TensorType } from '../core/shapes'
import { flatten, inOrderOf, isBranch, mapTree, pathName, pathsOf, typed, type Tree } from '../core/tree'
import { isOptions, readOptions, requireConfig } from '../core/options'
import { signalOption } from '../data/samples/abort'
import { loadWeightsFrom, saveWeights } from '../layers/saved-weights'
import type { Layer, LayerOptions } from '../layers'
import type { LayerBase } from '../layers/layer'
import type { CallContext } from '../layers/context'
import { withMasks } from '../layers/masks'
import { buildSpecOf, hold } from '../layers/weight-lists'
import { TensorSpec, shapesOf, specsFrom, type ShapesOf, type SpecsOf } from '../layers/spec'
import type { TensorLike } from '../ops/convert'
import { beginsWithString, toStrings } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { writeFile } from '../engine/runtime/files'
import { bytesFrom, requirePath, type ByteSource } from '../engine/runtime/platform'
import { Trainer } from '../training/trainer'
import { fileLoader } from './file-loader'
import { modelFormatOf } from '../files/containers/format-list'
import { graphToConfig } from './graph-config'
import { symbolsByKey } from './graph-order'
import { graphFromConfig, withKnownClasses } from './reader'
import { LayerGraph } from './layer-graph'
import {
  requireExport,
  setStateTreeOf,
  stateTreeOf,
  type ExportOptions,
  type StateTree,
  type VariableKinds,
} from './members'
import { requireNew } from './overwrite'
import { saveModel, saveTable, type SaveOptions } from './save'
import { printSummary, type SummaryOptions } from './summary'
import type { LoadWeightsOptions, SaveWeightsOptions } from './weight-options'
import { type LayerTraits, traitsOf } from '../layers/traits'
import { tracedOutputSpecs } from '../layers/inference'
import { tensorsIn } from '../layers/applying'

/** The options of a functional model, which contains all layers between inputs and outputs. */
export interface FunctionalOptions<In, Out> extends Pick<LayerOptions, 'name' | 'trainable'> {
  /** Symbols from Input(): one, or a list or record of them. */
  inputs: In
  /** The symbols that layers returned for them: one, or a list or record. */
  outputs: Out
}

/** A layer of a model, by its name or its place. */
export interface LayerChoice {
  /** The name of the layer. */
  readonly name?: string
  /** The place in `layers`; negative numbers count from the end. */
  readonly index?: number
}

/**
 * A model: functional, from symbols,
 *
 *   const x = Input({ shape: [8] })
 *   const model = new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(x) })
 *
 * or a custom class, with layers in properties and a `call`:
 *
 *   class Two extends Model {
 *     first = new Dense({ units: 8, activation: 'relu' })
 *     second = new Dense({ units: 1 })
 *     call(x) { return this.second.apply(this.first.apply(x)) }
 *   }
 *
 * In and Out are trees of tensors; `predict` returns a value of type Out. Keras: `keras.Model`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter of type Model takes every model
export class Model<const In = any, const Out = any> extends Trainer<In, Out> {
  static readonly className: string = 'Model'
  /** @internal */
  static override readonly traits: LayerTraits<Model> = {
    graph: (layer) => layer.graph,
    hiddenParts: (layer) => layer.graph?.layers ?? [],
    isPathRoot: true,
    /** The shapes of the inputs of a functional model; null for others. */
    requiredInputs: (layer) =>
      layer.#graph && flatten<TensorSpec>(layer.#graph.inputSpecs).map(({ shape }) => ({ shape })),
    keepsMasks: true,
    /** Converts nested arrays of strings to a tensor. The keys of records may come in any order. */
    toTensors(layer, input) {
      if (beginsWithString(input)) return toStrings(input, String(layer))
      return inOrderOf(layer.#graph?.inputs, tensorsIn(layer, input))
    },
  }
  override readonly supportsMasking: boolean = true
  readonly #graph: LayerGraph | null

  /**
   * @throws ArgumentError for outputs that do not follow from the inputs, for unknown options, and for names that are
   * not unique
   */
  constructor(options: FunctionalOptions<In, Out>)
  constructor(options?: LayerOptions)
  constructor(...given: [options?: FunctionalOptions<In, Out> | LayerOptions]) {
    const [options = {}, ...more] = given
    if (trials.has(new.target))
      throw options === TRIAL ? new Forwarded() : new ArgumentError('This class has a constructor of its own')
    if ([options].flat().some((each) => each instanceof Tensor))
      throw new ArgumentError('Model takes { inputs, outputs }, received tensors as separate arguments')
    const { inputs, outputs, ...rest } = isBranch(options) ? (options as Partial<FunctionalOptions<In, Out>>) : {}
    super(isBranch(options) ? rest : options, ...more)
    if ((inputs === undefined) !== (outputs === undefined))
      throw new ArgumentError(`${this}: inputs and outputs belong together; one is missing`)
    this.#graph = inputs === undefined ? null : LayerGraph.between(inputs, outputs)
    if (this.#graph === null) return
    this.#graph.layers.forEach((layer) => hold(this, layer))
    this.ensureBuilt(this.#graph.inputSpecs)
  }

  /** The calls of layers in the model; null if `call` is overridden. @internal */
  get graph(): LayerGraph | null {
    return this.#graph
  }

  /**
   * The layers: in a functional model in Keras's order, by descending length of the longest path to an output, and
   * layers of equal depth in the order of a depth-first walk from the outputs; in a custom class in the order of its
   * properties. Ops are not included.
   */
  get layers(): readonly Layer[] {
    return (this.graph?.layers ?? this.sublayers).filter(isListed)
  }

  /**
   * The symbols of the inputs as a list; those of a record by its keys in alphabetical order. @throws StateError for a
   * model that is not functional or not built
   */
  get inputs(): readonly Tensor[] {
    return symbolsByKey(this.requireGraph('inputs').inputs)
  }

  /**
   * The symbols of the outputs, in the same form. @throws StateError for a model that is not functional or not built
   */
  get outputs(): readonly Tensor[] {
    return symbolsByKey(this.requireGraph('outputs').outputs)
  }

  /**
   * The symbols of the inputs in the form that the constructor received. @throws StateError for a model that is not
   * functional or not built
   */
  override get input(): In {
    return typed(this.requireGraph('input').inputs)
  }

  /**
   * The symbols of the outputs in the form that the constructor received. @throws StateError for a model that is not
   * functional or not built
   */
  override get output(): Out {
    return typed(this.requireGraph('output').outputs)
  }

  /**
   * The shape of the outputs with null for open extents, in the form that the constructor received: [null, 2].
   *
   * Keras: `Model.output_shape`.
   * @throws StateError for a model that is not functional or not built
   */
  get outputShape(): ShapesOf<Out> {
    return typed(shapesOf(this.requireGraph('outputShape').outputSpecs))
  }

  /** The names of the layers that make the outputs. @throws StateError for a model that is not functional or not built */
  get outputNames(): readonly string[] {
    return this.requireGraph('outputNames').outputNames
  }

  /** All layers of the graph, and the ops between them as layers, in the order of `layers`. Keras: `Model.operations`. */
  get operations(): readonly LayerBase[] {
    return this.requireGraph('operations').layers
  }

  private requireGraph(what: string): LayerGraph {
    if (this.graph !== null) return this.graph
    throw new StateError(`${this} has no ${what}: only functional models and built Sequentials have`)
  }

  call(input: In, context: CallContext): Out
  call(input: unknown, { mask }: CallContext): unknown {
    const { graph } = this
    if (graph === null)
      throw new ArgumentError(`${this}: a model needs inputs and outputs, or a method call(x, context)`)
    return graph.run(withMasks(typed(input), mask))
  }

  /** Whether the model is known to have a single input. @internal */
  get takesOneInput(): boolean {
    return false
  }

  override computeOutputSpec(inputSpec: SpecsOf<In>): SpecsOf<Out>
  override computeOutputSpec(inputSpec: unknown): unknown {
    const { graph } = this
    const specs = specsFrom(inputSpec)
    const known = graph === null ? null : withBatch(graph, flatten(specs))
    return known ?? tracedOutputSpecs(this, specs)
  }

  /**
   * The values of all variables by their kinds and paths, as plain records for `jit`, `grad` and files of your own. Paths of weights
   * that a Sequential made begin with its name.
   *
   *   const { trainableVariables: { sequential: { dense: { kernel } } } } = model.getStateTree()
   *
   * Keras: `Model.get_state_tree`. A second variable of one path has a number: `learningRate_1`.
   */
  getStateTree(): StateTree {
    return stateTreeOf(this.variableKinds)
  }

  /**
   * Sets variables from such a tree, all that it names or none.
   *
   *   model.setStateTree({ trainableVariables: { sequential: { dense: { kernel: ops.zeros([4, 2]) } } } })
   *
   * Keras: `Model.set_state_tree`.
   * @throws ArgumentError for a name without a variable; ShapeError for a value that does not fit
   */
  setStateTree(tree: Partial<StateTree<TensorLike>>): void {
    setStateTreeOf(this.variableKinds, tree)
  }

  private get variableKinds(): VariableKinds {
    return {
      trainableVariables: this.trainableVariables,
      nonTrainableVariables: this.nonTrainableVariables,
      optimizerVariables: this.training.compiled?.optimizer.variables ?? [],
      metricsVariables: this.metricsVariables,
    }
  }

  /** Whether a layer checks data: see checkData. @internal */
  get checksData(): boolean {
    return this.graph !== null && this.graph.inputChecks.length > 0
  }

  /** @throws DataError for data that a layer cannot use. @internal */
  checkData(inputs: readonly Tensor[]): void {
    const { graph } = this
    if (graph === null) return
    for (const { position, check } of graph.inputChecks) check(inputs[position]!)
  }

  /** @throws ShapeError if a batch does not fit the model. @internal */
  checkInput(types: readonly TensorType[]): void {
    const buildSpec = buildSpecOf(this)
    // A custom class may accept any input: its layers check the shapes.
    if (buildSpec === null || this.graph === null) return
    const paths = pathsOf(buildSpec)
    flatten(buildSpec).forEach(({ shape: expected }, i) => {
      const { shape } = types[i]!
      const fits =
        expected.length === shape.length && expected.every((extent, axis) => extent === null || extent === shape[axis])
      if (fits) return
      const rows = expected.map((extent, axis) => extent ?? (axis === 0 ? 'batch' : 'any'))
      const which = paths[i] === '' ? 'the input' : `the input '${pathName(paths[i]!)}'`
      throw new ShapeError(
        `${this}: ${which} must be [${rows.join(', ')}], received ${formatShape(shape)}.${hintOf(expected, shape)}`,
      )
    })
  }

  /** The layer with a name or at an index: `getLayer('dense')`, `getLayer(0)`, `getLayer({ index: 0 })`. */
  getLayer(nameOrIndex: string | number | LayerChoice): Layer {
    requireArguments('getLayer', arguments, 1)
    const { layers } = this
    const choice = isOptions(nameOrIndex) ? chosenIn(nameOrIndex) : nameOrIndex
    const layer = layers.find(({ name }, i) => choice === name || choice === i || choice === i - layers.length)
    if (layer !== undefined) return layer
    throw new ArgumentError(
      `${this}: there is no layer ${quoted(choice)}. There are: ${layers.map(({ name }) => name).join(', ')}`,
    )
  }

  /** Prints the layers, their output shapes, their numbers of parameters and, on request, the cost of a prediction. */
  summary(options: SummaryOptions = {}): void {
    requireArguments('summary', arguments, 1)
    printSummary(this, options)
  }

  /**
   * The whole model as bytes: architecture, weights, the options of compile, optimizer state, at the time of the call. A safetensors
   * file; for a path that ends in `.keras`, a file that Keras opens. In a bundle, other formats are known after a call of `loadModel`.
   * @param path where to write it as well (Node). Its folder must be there
   * @throws ArgumentError for an invalid path or an unknown option, and for a file that is there with `overwrite: false`; StateError, with the
   * file system's error as its cause, if the file cannot be written
   */
  async save(path?: string | URL, options: SaveOptions = {}): Promise<Uint8Array> {
    requireArguments('save', arguments, 2)
    if (path === undefined) return saveModel(this, options)
    requirePath(path, 'save')
    const loader = fileLoader()
    const format = loader === null ? ownFormatOf(String(path)) : loader.formatOf(String(path))
    const { overwrite } = readOptions('save', saveTable, options)
    if (format !== null) return format.write(this, path, options)
    if (!overwrite) requireNew(path, 'save')
    // Before a wait, so that the file has the weights at the time of the call.
    const bytes = saveModel(this, options)
    await writeFile(path, bytes)
    return bytes
  }

  /**
   * The model for other programs: an ONNX file, as `save` writes for such a path. In a bundle, `writeOnnx` of myelin/onnx does.
   *
   *   await model.export('net.onnx')   // or { format: 'onnx' }
   *
   * Keras: `Model.export(path, format='onnx')`. SavedModel and other formats of Keras need their frameworks.
   * @returns the bytes of the file
   * @throws ArgumentError for another format, and for a path that does not end in `.onnx`
   */
  async export(filepath: string | URL, options: ExportOptions = {}): Promise<Uint8Array> {
    checkOptions('export', options, ['format', 'verbose'])
    requireExport(filepath, options.format)
    return this.save(filepath)
  }

  /**
   * The weights alone as bytes: a safetensors file with a tensor for each, named by its path. A file whose path ends in `.npz`,
   * `.weights.h5` or `.h5` has the format of NumPy or of Keras; in a bundle, `writeWeights` of `myelin/weights` writes it. The file has the weights at the time of the call.
   *
   *   await model.saveWeights('net.safetensors', { mapping: { 'fc.weight': { to: 'dense/kernel', transpose: [1, 0] } } })
   *
   * @param path where to write it as well (Node). Its folder must be there
   * @throws ArgumentError for another ending, and for a mapping that lacks weights
   */
  async saveWeights(path?: string | URL, options: SaveWeightsOptions = {}): Promise<Uint8Array> {
    requireArguments('saveWeights', arguments, 2)
    if (path !== undefined) requirePath(path, 'saveWeights')
    const loader = fileLoader()
    const isOwn = path === undefined || String(path).endsWith('.safetensors')
    if (loader === null) checkOptions('saveWeights', options, [])
    if (loader === null && !isOwn)
      throw new ArgumentError(
        "saveWeights: paths end in .safetensors; writeWeights of 'myelin/weights' has more formats",
      )
    const isPlain = isOwn && Object.keys(options).length === 0
    const bytes = loader === null || isPlain ? saveWeights(this) : await loader.saveWeights(this, path, options)
    if (path !== undefined) await writeFile(path, bytes, 'saveWeights')
    return bytes
  }

  /**
   * Loads weights that saveWeights or save wrote, by their paths. Replaces all weights, or none. Also those of files of Keras and
   * of NumPy, and with a `mapping` those under other names; in a bundle, `readWeights` of `myelin/weights` loads these.
   *
   *   await model.loadWeights('net.safetensors', { mapping: await torchMapping(model, 'net.safetensors') })
   *
   * @param source the bytes, a path (Node), a URL, or a `File` or `Blob`
   * @throws FormatError if a weight is missing or has another shape; StateError, with its cause, if the source cannot
   * be read
   */
  async loadWeights(source: ByteSource, options: LoadWeightsOptions = {}): Promise<void> {
    requireArguments('loadWeights', arguments, 2)
    const loader = fileLoader()
    if (loader !== null) return loader.loadWeights(this, source, options)
    const { signal } = readOptions('loadWeights', signalOption(), options)
    loadWeightsFrom(this, await bytesFrom(source, 'loadWeights', signal))
  }

  /** The architecture as a plain object, without weights: see modelFromJSON. */
  toJSON(): { readonly className: string; readonly config: Config } {
    return describingForFile(() => serialize(this))
  }

  override getConfig(): Config {
    const config = super.getConfig()
    const graph = this.#graph
    return graph !== null && takesGraph(this.constructor) ? { ...config, ...graphToConfig(graph) } : config
  }

  /**
   * A model from getConfig, of the class on which it is called, with new weights. `customObjects` has the user's classes
   * and functions by name.
   *
   *   const copy = Model.fromConfig(model.getConfig(), { Gate })
   *
   * The classes of the library are known. A bundle has only those that the program names: then a
   * scope around the call must name the classes of all layers. `modelFromJSON` knows all classes and needs no scope:
   *
   *   customObjectScope({ Dense, Gate }, () => Model.fromConfig(config))
   *
   * @throws ArgumentError for a layer whose class is not known, and for a value that is not a configuration
   *
   * Keras: `Model.from_config`.
   */
  static override fromConfig<Kind>(
    this: new (options: never) => Kind,
    config: Config,
    customObjects: CustomObjects = {},
  ): Kind {
    requireConfig(this, config)
    if (!('calls' in config)) return Reflect.construct(this, [config])
    const { name, trainable } = config
    const { inputs, outputs } = withKnownClasses(customObjects, () => graphFromConfig(config))
    const options = { inputs, outputs, ...(typeof name === 'string' ? { name } : {}) }
    const model: Kind = Reflect.construct(this, [options])
    if (trainable === false && model instanceof Model) model.trainable = false
    return model
  }
}

/** Whether a layer is among those of a model. */
function isListed(layer: LayerBase): layer is Layer {
  return traitsOf(layer).isOperation !== true
}

/** The name or the index in `{ name }` or `{ index }`. */
function chosenIn(choice: Readonly<Record<string, unknown>>): unknown {
  const [[key, value] = ['', null], another] = Object.entries(choice).filter(([, each]) => each != null)
  if (another === undefined && ['name', 'index'].includes(key)) return value
  throw new ArgumentError(`getLayer: expected { name } or { index }, received { ${Object.keys(choice).join(', ')} }`)
}

/** What takesGraph passes to a constructor. */
const TRIAL: LayerOptions = Object.freeze({})
/** What stands in the place of a class while its constructor is tried. */
const trials = /* @__PURE__ */ new WeakSet()
/** Whether instances of these classes are constructed from inputs and outputs. */
const graphTakers = /* @__PURE__ */ new WeakMap<object, boolean>()

/** Thrown to takesGraph by the constructor of Model when it received TRIAL. */
class Forwarded extends Error {}

/**
 * Whether a class is constructed from inputs and outputs, like Model: its constructor passes its options on to that of Model. It is
 * tried once per class, with options that Model answers by an exception, so that no model is made.
 */
export function takesGraph(of: Function): boolean {
  if (of === Model) return true
  const known = graphTakers.get(of)
  if (known !== undefined) return known
  const isTaker = forwardsOptions(of)
  graphTakers.set(of, isTaker)
  return isTaker
}

function forwardsOptions(of: Function): boolean {
  const trial = function Trial() {}
  // Constructors that were compiled to functions find their class by its prototype.
  trial.prototype = Object.create(of.prototype, { constructor: { value: trial } })
  trials.add(trial)
  try {
    Reflect.construct(of, [TRIAL], trial)
    return false
  } catch (error) {
    return error instanceof Forwarded
  }
}

/**
 * The specs of the outputs for these inputs, if only the batch axis is open and all else equals the graph; otherwise
 * null.
 */
function withBatch({ inputSpecs, outputSpecs }: LayerGraph, specs: readonly TensorSpec[]): Tree<TensorSpec> | null {
  const known = flatten(inputSpecs)
  const batch = specs[0]?.shape[0] ?? null
  const isOpenInside = ({ shape }: TensorSpec): boolean => shape.slice(1).includes(null)
  const fits =
    known.length === specs.length &&
    known.every(
      ({ shape }, i) =>
        formatShape(shape.slice(1)) === formatShape(specs[i]!.shape.slice(1)) && specs[i]!.shape[0] === batch,
    )
  if (!fits || known.some(isOpenInside) || flatten(outputSpecs).some(isOpenInside)) return null
  return mapTree(
    outputSpecs,
    ({ shape: [extent, ...rest], dtype }) =>
      new TensorSpec(extent === undefined ? [] : [extent ?? batch, ...rest], dtype),
  )
}

/** The format of a path without a loader, which is that of this library. @throws ArgumentError for the path of another format */
function ownFormatOf(path: string): null {
  const subPath = modelFormatOf(path)
  if (subPath === undefined) return null
  throw new ArgumentError(`save: ${quoted(path)} is written by a function of 'myelin/${subPath}'`)
}

function hintOf(expected: readonly (number | null)[], shape: Shape): string {
  // One sample has one axis less; data without an axis of features got one of extent 1 (withFeatures).
  const rank = expected.length - 1
  const isSingle =
    shape.length >= rank &&
    shape.slice(rank).every((extent) => extent === 1) &&
    expected.slice(1).every((extent, i) => extent === null || extent === shape[i])
  if (isSingle) return ' For one sample, make a batch of 1: ops.expandDims(x, 0), or [x] of an array.'
  const [wanted, received] = [expected.slice(1), shape.slice(1)]
  if (!wanted.every((extent) => extent !== null) || sizeOf(wanted) !== sizeOf(received)) return ''
  if (wanted.length === 1) return received.length > 1 ? ' Did you forget Flatten?' : ''
  // Does not suggest reshaping for the same extents in another order: it would scramble the elements.
  const sorted = (extents: Shape): string => String([...extents].sort((a, b) => a - b))
  return sorted(wanted) === sorted(received)
    ? ' Are the axes in another order?'
    : ` Its rows have as many elements: ops.reshape(x, ${formatShape([shape[0]!, ...wanted])}) fits.`
}
