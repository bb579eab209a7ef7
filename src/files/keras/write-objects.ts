// Objects of this library as Keras's JSON: the inverse of objects.ts. Models are written from their graphs, not from their
// configurations, because nodes of Keras have the shapes of tensors.

import { FormatError, internalError } from '../../core/errors'
import {
  classNameOf,
  classNameToSave,
  isSerialized,
  type Config,
  type Configurable,
  type Json,
  type Serialized,
} from '../../core/registry'
import { Operation } from '../../layers/core/operation'
import { InputLayer } from '../../layers/core/input-layer'
import { Layer, type LayerBase } from '../../layers/layer'
import { LayerGraph } from '../../models/layer-graph'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import { TableModel } from '../../tables/table-model'
import { isRecord } from '../containers/json'
import { kinds } from '../own/kinds'
import { FORMER_HARD_SIGMOID, formerHardSigmoidConfig } from './former'
import { graphConfig } from './write-graphs'
import { kerasName, type Style } from './write-names'
import { traitsOf } from '../../layers/traits'

/** Options whose strings are not keywords of Keras. */
const FREE = ['name', 'vocabulary', 'oovToken', 'maskToken', 'equation', 'function', 'arguments']

/** Options that Keras does not have, with the values that change nothing. */
const OURS: Readonly<Record<string, readonly Json[]>> = {
  inputShape: [],
  noWeightDecay: [[]],
  boundingBoxFormat: [null],
  implementation: [],
}

/** Layers whose inputDim is not that of all layers, the shape of a sample. */
const EMBEDDINGS = ['Embedding', 'ReversibleEmbedding']

/** Options that Keras 2 does not have, with the values for which it computes the same. */
const NEWER: Readonly<Record<string, Json>> = {
  seed: null,
  inputAxes: null,
  outputAxes: null,
  renorm: false,
  renormClipping: null,
  renormMomentum: 0.99,
  lossScaleFactor: null,
  gradientAccumulationSteps: null,
  fromSortedIds: false,
  'BatchNormalization.synchronized': false,
  'Resizing.padToAspectRatio': false,
  'Resizing.antialias': false,
  'Resizing.fillMode': 'constant',
  'Resizing.fillValue': 0,
  ...everywhere('Adadelta Adagrad Adam Adamax Ftrl Nadam RMSprop SGD', {
    weightDecay: null,
    useEma: false,
    emaMomentum: 0.99,
    emaOverwriteFrequency: null,
  }),
  ...everywhere(
    'CenterCrop Resizing RandomBrightness RandomContrast RandomCrop RandomFlip RandomRotation RandomTranslation RandomZoom ZeroPadding1D',
    { dataFormat: 'channelsLast' },
  ),
}

/** Options of several classes. */
function everywhere(classNames: string, options: Config): Record<string, Json> {
  const rows = classNames
    .split(' ')
    .flatMap((name) => Object.entries(options).map(([key, value]) => [`${name}.${key}`, value] as const))
  return Object.fromEntries(rows)
}

/** Names of options in Keras 2 that Keras 3 accepts, too. */
const FORMER_NAMES: Readonly<Record<string, string>> = { 'LeakyReLU.negativeSlope': 'alpha' }

/** Options of single classes that Keras does not have there. */
const OURS_IN: Readonly<Record<string, readonly string[]>> = {
  Cropping1D: ['dataFormat'],
  UpSampling1D: ['dataFormat'],
  SpatialDropout1D: ['dataFormat', 'trainable'],
  SpatialDropout2D: ['trainable'],
  SpatialDropout3D: ['trainable'],
  Discretization: ['trainable'],
  SimpleRNN: ['seed'],
}

/** The namespaces of objects in options. */
function namespaceOf(option: string): string | null {
  if (option.endsWith('Initializer')) return 'initializers'
  if (option.endsWith('Regularizer')) return 'regularizers'
  if (option.endsWith('Constraint')) return 'constraints'
  if (/^(?:inner|default)Optimizer$|^optimizerMap$/.test(option)) return 'optimizers'
  return option === 'learningRate' ? 'optimizers.schedules' : null
}

export class ObjectWriter {
  /** What cannot be written, so that one error names all of it. */
  private readonly refused: string[] = []
  private readonly written = new Map<LayerBase, { readonly id: number; readonly saved: Record<string, Json> }>()
  private place = ''

  private constructor(readonly style: Style) {}

  /** The JSON of a model. @throws FormatError that names what Keras does not have */
  static model(model: Model<unknown, unknown>, style: Style = 'current'): Record<string, Json> {
    const writer = new ObjectWriter(style)
    const saved = writer.layer(model)
    writer.requireAll()
    return saved
  }

  /** The JSON of another object, of a namespace. */
  static object(value: Serialized, namespace: string, style: Style = 'current'): Record<string, Json> {
    const writer = new ObjectWriter(style)
    const saved = writer.serialized(value, namespace)
    writer.requireAll()
    return saved
  }

  private requireAll(): void {
    if (this.refused.length > 0)
      throw new FormatError(`A file of Keras cannot contain this model: ${[...new Set(this.refused)].join('; ')}`)
  }

  refuse(why: string): null {
    this.refused.push(this.place === '' ? why : `'${this.place}': ${why}`)
    return null
  }

  /** A layer or a model; one that is written again refers to the first place. */
  layer(layer: LayerBase): Record<string, Json> {
    const known = this.written.get(layer)
    if (known !== undefined) {
      known.saved['shared_object_id'] = known.id
      return { ...known.saved }
    }
    const before = this.place
    this.place = layer.name
    // Keras 2 allowed it.
    if (this.style === 'current' && layer.name.includes('/')) this.refuse('Keras allows no / in names of layers')
    const saved = this.newLayer(layer)
    this.place = before
    this.written.set(layer, { id: this.written.size + 1, saved })
    return saved
  }

  private newLayer(layer: LayerBase): Record<string, Json> {
    if (layer instanceof Operation) throw internalError(`${layer} is written by its graph`)
    const className = classNameToSave(layer)
    if (layer instanceof Sequential) return object('keras', className, this.sequential(layer))
    if (
      layer instanceof Model &&
      layer.graph instanceof LayerGraph &&
      (layer.constructor === Model || layer.constructor === TableModel)
    )
      return object('keras.src.models.functional', 'Functional', {
        ...this.common(layer),
        ...graphConfig(layer.graph, this),
      })
    if (layer instanceof Model) this.refuse(`a class of models that is not made of a graph cannot be written`)
    const { form } = traitsOf(layer)
    if (form?.onlyHere !== undefined) this.refuse(form.onlyHere)
    const isOwn = !Object.hasOwn(kinds()['layers']!.registry.all, className)
    if (layer instanceof InputLayer) return object('keras.layers', className, inputConfig(layer, this.style))
    const config = this.config(layer)
    return isOwn
      ? { module: null, class_name: className, config, registered_name: `Custom>${className}` }
      : object('keras.layers', className, config)
  }

  private common({ name, trainable }: LayerBase): Record<string, Json> {
    return { name, trainable }
  }

  private sequential(model: Sequential): Record<string, Json> {
    const { graph, listed } = model
    const first = listed[0] instanceof InputLayer ? [] : (graph?.inputLayers ?? [])
    return { ...this.common(model), layers: [...first, ...listed].map((layer) => this.layer(layer)) }
  }

  /** The options of an object; inner layers are written from the layers themselves. */
  private config(of: Configurable): Record<string, Json> {
    const config = of.getConfig()
    const made: Record<string, Json> = {}
    try {
      for (const [option, value] of Object.entries(config)) {
        const live: unknown = Reflect.get(of, option)
        if (live instanceof Layer) made[kerasName(option)] = this.layer(live)
        else if (Array.isArray(live) && live.length > 0 && live.every((each) => each instanceof Layer))
          made[kerasName(option)] = live.map((each: LayerBase) => this.layer(each))
        else this.option(classNameOf(of), option, value, made)
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new FormatError(`save: the configuration of '${String(config['name'])}' contains itself`, { cause: error })
    }
    return made
  }

  private option(className: string, option: string, value: Json, made: Record<string, Json>): void {
    if (OURS_IN[className]?.includes(option) === true) return
    if (this.style === 'former' && isNewer(className, option, value)) return
    if ((option === 'dataFormat' || option === 'name') && value === null) return
    if (option === 'inputDim' && !EMBEDDINGS.includes(className)) return
    if (option === 'groups' && Array.isArray(value) && value.length === 0) return
    // Keras has a number there, although it accepts a list.
    if (className === 'UpSampling1D' && option === 'size' && Array.isArray(value)) {
      made[option] = value[0]!
      return
    }
    const meaningless = Object.hasOwn(OURS, option) ? OURS[option]! : null
    if (meaningless !== null) {
      const isOthers =
        meaningless.length > 0 && !meaningless.some((each) => JSON.stringify(each) === JSON.stringify(value))
      if (isOthers) this.refuse(`Keras has no option ${option} of ${className}`)
      return
    }
    const former = this.style === 'former' ? FORMER_NAMES[`${className}.${option}`] : undefined
    made[former ?? kerasName(option)] = FREE.includes(option) ? value : this.value(value, option, namespaceOf(option))
  }

  private value(value: Json, option: string, namespace: string | null): Json {
    if (value === FORMER_HARD_SIGMOID)
      return this.style === 'current'
        ? formerHardSigmoidConfig()
        : this.refuse('in .h5 files, hard_sigmoid is another function in Keras 3 than in Keras 2. Write a .keras file')
    if (typeof value === 'string') return kerasName(value)
    if (Array.isArray(value)) return value.map((each: Json) => this.value(each, option, namespace))
    if (!isRecord(value)) return value
    if (!isSerialized(value))
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.value(each, option, namespace)]))
    return this.serialized(value, namespace)
  }

  private serialized({ className, config }: Serialized, namespace: string | null): Record<string, Json> {
    const made: Record<string, Json> = {}
    for (const [name, each] of Object.entries(config)) this.option(className, name, each, made)
    return object(namespace === null ? 'keras.layers' : `keras.${namespace}`, className, made)
  }
}

/** Classes that Keras exports under another name. */
const EXPORTED: Readonly<Record<string, string>> = { GroupedQueryAttention: 'GroupQueryAttention' }

function object(module: string, ownName: string, config: Record<string, Json>): Record<string, Json> {
  return { module, class_name: EXPORTED[ownName] ?? ownName, config, registered_name: null }
}

function isNewer(className: string, option: string, value: Json): boolean {
  return [option, `${className}.${option}`].some((key) => Object.hasOwn(NEWER, key) && NEWER[key] === value)
}

function inputConfig(
  { batchSize, shape, dtype, name, optional, sparse }: InputLayer,
  style: Style,
): Record<string, Json> {
  return {
    [style === 'former' ? 'batch_input_shape' : 'batch_shape']: [batchSize, ...shape],
    dtype,
    sparse: sparse ?? false,
    name,
    ...(optional ? { optional } : {}),
  }
}
