// Objects of Keras's JSON, { class_name, config, module, registered_name }, as those of this library, { className, config }. Models
// in it become models: graphs.ts makes those of layers that are called. Nothing is constructed here.

import { ArgumentError, FormatError, camelKey, knownName } from '../../core/errors'
import { optionsOf } from '../../core/options'
import {
  customObject,
  customObjectScope,
  snakeCase,
  type Config,
  type CustomObjects,
  type Json,
  type Serialized,
} from '../../core/registry'
import { kinds, libraryClass } from '../own/kinds'
import { RENAMED, differenceOf, isPolicy, tokensOf } from './differences'
import { functionalConfig, type LayerReader, type SavedLayer } from './graphs'
import { FORMER_HARD_SIGMOID, isFormerHardSigmoid } from './former'
import { isRecord, recordAt, valueAt, type JsonRecord } from '../containers/json'
import { isObject, type KerasObject } from './keras-object'

/** What could not be read, so that one error names all of it. */
interface Refused {
  /** The layers by classes that neither this library nor the user has. */
  readonly classes: Map<string, Set<string>>
  readonly others: string[]
}

/** What else is known of the file of a configuration. */
export interface FileParts {
  /** Whether Keras 2 wrote it. */
  readonly isFormer?: boolean
  /** The entries of the archive. */
  readonly assets?: ReadonlyMap<string, Uint8Array>
  /** The tf-idf weights of a layer, by its path; undefined for others. */
  readonly idfWeights?: (path: string) => readonly number[] | undefined
}

/** The number of layers and ops of a model: each takes time and memory, however small a file is. */
const MOST_LAYERS = 10_000

export class ObjectReader implements LayerReader {
  private readonly refused: Refused = { classes: new Map(), others: [] }
  /** The ids of layers that were read, so that the next place of one refers to it. */
  private readonly shared = new Map<Json, { readonly className: string; readonly number: number }>()
  private count = 0
  /** The name of the layer that is being read, for errors. */
  private place = ''

  /** The path of the layer in the file, such as `layers/text_vectorization_1`; '' for the model. */
  private path = ''

  private constructor(
    private readonly isFormer = false,
    private readonly assets: FileParts['assets'] = new Map(),
    private readonly idfWeights: FileParts['idfWeights'] = () => undefined,
  ) {}

  /**
   * The model of a configuration.
   * @throws FormatError that names all classes and options without a counterpart
   */
  static model(saved: Json, customObjects: CustomObjects, parts: FileParts = {}): Serialized {
    const { isFormer = false, assets, idfWeights } = parts
    return customObjectScope(customObjects, () => {
      const reader = new ObjectReader(isFormer, assets, idfWeights)
      const made = isObject(saved) ? reader.layer(saved) : null
      reader.requireAll()
      if (made === null) throw new FormatError('The configuration has no class_name: it is not that of a Keras model')
      return made
    })
  }

  /** Any other object, such as an optimizer: see `model`. */
  static value(saved: Json, customObjects: CustomObjects): Json {
    return customObjectScope(customObjects, () => {
      const reader = new ObjectReader()
      const made = reader.value(saved)
      reader.requireAll()
      return made
    })
  }

  private requireAll(): void {
    const { classes, others } = this.refused
    if (classes.size === 0 && others.length === 0) return
    const named = Array.from(classes, ([name, layers]) => {
      const places = [...layers].filter((place) => place !== '')
      return places.length === 0 ? name : `${name} (${places.map((place) => `'${place}'`).join(', ')})`
    })
    const unknown =
      named.length === 0
        ? []
        : [
            `The file has classes that this library does not have: ${named.join(', ')}. Pass your own classes in customObjects, under these names`,
          ]
    throw new FormatError([...unknown, ...others].join('. '))
  }

  /** Layers of a model, under the paths of a list. Layers that `read` makes of other entries have no paths. */
  layers<Made>(list: readonly KerasObject[], read: (saved: KerasObject) => Made): Made[] {
    this.count += list.length
    if (this.count > MOST_LAYERS) throw new FormatError(`The model has more than ${MOST_LAYERS} layers`)
    const counts = new Map<string, number>()
    const { path } = this
    const made = list.map((saved) => {
      const name = snakeCase(saved.class_name)
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      this.path = `${path === '' ? '' : `${path}/`}layers/${name}${count === 0 ? '' : `_${count}`}`
      return read(saved)
    })
    this.path = path
    return made
  }

  /** A layer or a model. */
  layer(saved: KerasObject): SavedLayer {
    const config = recordAt(saved, 'config')
    const name = valueAt(config, 'name') ?? valueAt(saved, 'name')
    const before = this.place
    if (typeof name === 'string') this.place = name
    const id = valueAt(saved, 'shared_object_id')
    const known = id === undefined ? undefined : this.shared.get(id)
    if (known !== undefined) {
      this.place = before
      return { className: known.className, config: {}, sharedWith: known.number }
    }
    const made = this.object(saved)
    this.place = before
    if (id === undefined) return made
    const number = this.shared.size
    this.shared.set(id, { className: made.className, number })
    return { ...made, shared: number }
  }

  /** An option's value: objects in it become those of this library. */
  value(saved: Json): Json {
    if (Array.isArray(saved)) return saved.map((each: Json) => this.value(each))
    if (!isRecord(saved)) return saved
    if (!isObject(saved)) return Object.fromEntries(Object.entries(saved).map(([key, each]) => [key, this.value(each)]))
    if (isPolicy(saved)) return 'float32'
    const { class_name: className } = saved
    const config = valueAt(saved, 'config')
    if (className === 'function' && typeof config === 'string') return this.function(config)
    if (className === '__numpy__' || className === '__tensor__')
      return isRecord(config) ? (valueAt(config, 'value') ?? null) : null
    if (className === '__lambda__') return this.refuse('it has Python code, which is never run')
    return this.layer(saved)
  }

  private refuse(why: string): null {
    this.refused.others.push(`${this.place === '' ? '' : `'${this.place}': `}${why}`)
    return null
  }

  private object(saved: KerasObject): SavedLayer {
    const className = this.classNameOf(saved)
    const config = valueAt(saved, 'config')
    if (config !== undefined && config !== null && !isRecord(config)) return { className, config: {} }
    const kerasConfig = isRecord(config) ? config : {}
    if (className === 'Functional' || (className === 'Model' && Array.isArray(valueAt(kerasConfig, 'layers'))))
      return { className: 'Model', config: functionalConfig(kerasConfig, this, this.place) }
    if (className === 'Sequential')
      return { className, config: this.sequential(kerasConfig, recordAt(saved, 'build_config')) }
    const fn = valueAt(kerasConfig, 'fn')
    if (className === 'MeanMetricWrapper' && typeof fn === 'string' && kinds()['metrics']!.registry.knows(fn))
      return { className: fn, config: this.config(className, { ...kerasConfig, fn: null }) }
    return { className, config: this.config(className, kerasConfig) }
  }

  /** The name of a class here; it is noted if there is no such class. */
  private classNameOf(saved: KerasObject): string {
    const registered = valueAt(saved, 'registered_name')
    if (typeof registered === 'string' && customObject(registered) !== undefined) return registered
    if (customObject(saved.class_name) !== undefined) return saved.class_name
    // Files of Keras 2 may have the package before the name.
    const name = saved.class_name.slice(saved.class_name.lastIndexOf('>') + 1)
    const className = Object.hasOwn(RENAMED, name) ? RENAMED[name]! : name
    const isKnown =
      ['Functional', 'Model', 'Sequential'].includes(className) ||
      customObject(className) !== undefined ||
      libraryClass(className) !== undefined ||
      Object.values(kinds()).some(({ registry }) => registry.knows(className))
    if (!isKnown) this.unknown(className, this.place)
    return className
  }

  unknown(className: string, place: string): void {
    const places = this.refused.classes.get(className) ?? new Set()
    this.refused.classes.set(className, places.add(place))
  }

  private sequential(kerasConfig: JsonRecord, build: JsonRecord): Config {
    const { layers } = kerasConfig
    if (!Array.isArray(layers))
      throw new FormatError(`Sequential '${this.place}': the configuration has no list of layers`)
    if (!layers.every(isObject)) throw new FormatError(`Sequential '${this.place}': a layer has no class_name`)
    const list = this.layers(layers, (each) => this.layer(each))
    const shape = valueAt(kerasConfig, 'build_input_shape') ?? valueAt(build, 'input_shape')
    const isDeclared = list[0]?.className === 'InputLayer'
    const { name, trainable } = kerasConfig
    return {
      ...(typeof name === 'string' ? { name } : {}),
      ...(trainable === false ? { trainable } : {}),
      layers: list,
      ...(Array.isArray(shape) && !isDeclared ? { buildShape: shape } : {}),
    }
  }

  private config(className: string, kerasConfig: JsonRecord): Config {
    const made: Record<string, Json> = {}
    const known = optionNames(className)
    for (const [option, value] of Object.entries(kerasConfig)) {
      if (className === 'Lambda' && option === 'function') {
        made['function'] = this.lambda(value)
        continue
      }
      const difference = differenceOf(className, option)
      if (difference === null && known !== null && knownName(option, known) === undefined)
        this.refuse(
          `${className} has the option ${option} = ${JSON.stringify(value)}, which this library does not have`,
        )
      else if (difference === null)
        made[camelKey(option)] = option.endsWith('activation') ? this.activation(value) : this.value(value)
      else {
        const options = difference.read === undefined ? {} : difference.read(value, kerasConfig)
        if (options === null)
          this.refuse(`the option ${option} = ${JSON.stringify(value)} is not supported: ${difference.why}`)
        else for (const [key, each] of Object.entries(options)) made[key] = this.value(each)
      }
    }
    const vocabulary = this.assets?.get(`assets/${this.path}/vocabulary.txt`)
    if (vocabulary !== undefined && made['vocabulary'] === null) {
      made['vocabulary'] = tokensOf(className, vocabulary)
      const weights = this.idfWeights?.(this.path)
      if (weights !== undefined && made['idfWeights'] === null) made['idfWeights'] = weights
    }
    return made
  }

  private activation(value: Json): Json {
    if (isFormerHardSigmoid(value)) return FORMER_HARD_SIGMOID
    return typeof value === 'string' ? this.function(value) : this.value(value)
  }

  /** The name of an activation or of another function here. */
  private function(name: string): string {
    return this.isFormer && name === 'hard_sigmoid' ? FORMER_HARD_SIGMOID : name
  }

  /** The name of the user's function that a Lambda calls: that of the function, or that of the layer. */
  private lambda(value: Json): Json {
    const inObject = isObject(value) ? valueAt(value, 'config') : undefined
    const named = typeof value === 'string' ? value : inObject
    for (const name of [named, this.place]) if (typeof name === 'string' && isFunctionName(name)) return name
    const wanted = typeof named === 'string' ? named : this.place
    return this.refuse(
      `the function of a Lambda is Python, which is never run. Pass yours in customObjects as '${wanted}': { ${JSON.stringify(wanted)}: (x) => … }`,
    )
  }
}

/** The options of a class of the library; null for a class of the user. */
function optionNames(className: string): readonly string[] | null {
  if (customObject(className) !== undefined) return null
  const of = libraryClass(className)
  return typeof of === 'function' ? Object.keys(optionsOf(of)) : null
}

function isFunctionName(name: string): boolean {
  const found = customObject(name)
  if (found === undefined) return false
  if (typeof found === 'function') return true
  throw new ArgumentError(`customObjects.${name} must be a function`)
}
