// Objects of all kinds as JSON, and back.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, quoted } from '../../core/errors'
import { inOwnSpelling, isFunctionConfig } from '../../core/identified'
import {
  classNameToSave,
  construct,
  customObject,
  customObjectScope,
  describingForFile,
  functionNamed,
  isSerialized,
  type Config,
  type CustomObjects,
  type Json,
  type Serialized,
} from '../../core/registry'
import { choice, integer, listOf, number, readOptions, required } from '../../core/options'
import { models } from './known-classes'
import { modelFromSaved } from './revive'
import { Model } from '../../models/model'
import { readPatterns } from '../../optimizers/file-patterns'
import { isRecord } from '../../core/tree'
import { tensor } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'
import { kinds } from './kinds'
import { getRegisteredName } from './registration'

/** An object as `serializeKerasObject` writes it. */
export interface SerializedObject extends Serialized {
  /** The namespace of its kind, such as `losses`: a loss and a metric may have the same name. Null for other classes. */
  readonly module: string | null
  /** `package>name` of a registered class. */
  readonly registeredName: string
}

/**
 * A value as JSON: numbers, strings, booleans and null; tensors; functions by name; layers, models, losses, metrics, optimizers and
 * all others with `getConfig`, without weights; lists and records of them.
 *
 * Keras: `keras.saving.serialize_keras_object`.
 * @throws ArgumentError for other values
 */
export function serializeKerasObject(object: unknown): Json {
  requireArguments('serializeKerasObject', arguments, 1)
  return describingForFile(() => finite('serializeKerasObject', () => write(object)))
}

/** @throws ArgumentError for values within values without end */
function finite<Result>(where: string, walk: () => Result): Result {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ArgumentError(`${where}: the value is too deep, or contains itself`, { cause: error })
  }
}

function write(object: unknown): Json {
  if (object === null || typeof object === 'string' || typeof object === 'boolean' || typeof object === 'number')
    return object
  if (Array.isArray(object)) return object.map(write)
  if (object instanceof Tensor)
    return {
      className: '__tensor__',
      config: { value: Array.from(object.data), shape: object.shape, dtype: object.dtype },
    }
  if (typeof object === 'function') {
    if (object.name === '')
      throw new ArgumentError('serializeKerasObject: a function without a name cannot be saved. Give it a name')
    return { module: null, className: 'function', config: object.name, registeredName: getRegisteredName(object) }
  }
  if (isRecord(object)) return Object.fromEntries(Object.entries(object).map(([key, each]) => [key, write(each)]))
  if (typeof object === 'object' && 'getConfig' in object && typeof object.getConfig === 'function') {
    const config: Config = object.getConfig()
    return {
      module: moduleOf(object),
      className: classNameToSave(object),
      config,
      registeredName: getRegisteredName(object.constructor),
    }
  }
  throw new ArgumentError(`serializeKerasObject: ${quoted(object)} has no getConfig`)
}

function moduleOf(object: object): string | null {
  if (object instanceof Model) return 'models'
  return Object.entries(kinds()).find(([, { base }]) => object instanceof base)?.[0] ?? null
}

/**
 * The value that `serializeKerasObject` wrote; weights of layers and models are new.
 *
 *   const loss = deserializeKerasObject(serializeKerasObject(new losses.Huber(0.5)))
 *
 * Keras: `keras.saving.deserialize_keras_object`.
 * @param customObjects your own classes and functions, by name, besides the registered ones
 * @throws ArgumentError for unknown classes, and for a name of several kinds without `module`
 */
export function deserializeKerasObject(saved: unknown, customObjects: CustomObjects = {}): unknown {
  requireArguments('deserializeKerasObject', arguments, 2)
  return readPatterns(() => customObjectScope(customObjects, () => finite('deserializeKerasObject', () => read(saved))))
}

function read(saved: unknown): unknown {
  if (Array.isArray(saved)) return saved.map(read)
  const value = inOwnSpelling(saved)
  if (isFunctionConfig(value)) return functionNamed(value.config, 'in a saved object')
  if (isSerialized(value)) return readObject(value)
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each)]))
  return value
}

function readObject(saved: Serialized & { readonly module?: unknown; readonly registeredName?: unknown }): unknown {
  const { className, config, module, registeredName } = saved
  if (className === '__tensor__') return toTensor(config)
  if (module === 'models' || models.classOf(className) !== undefined) return modelFromSaved({ className, config })
  const registered = typeof registeredName === 'string' ? customObject(registeredName) : undefined
  const all = kinds()
  const named = typeof module === 'string' ? module.split('.').find((part) => Object.hasOwn(all, part)) : undefined
  if (named !== undefined)
    return customObjectScope(registered === undefined ? {} : { [className]: registered }, () =>
      all[named]!.registry.get({ className, config }),
    )
  const custom = registered ?? customObject(className)
  if (custom !== undefined) return construct(custom, config)
  const found = Object.entries(all).filter(([, { registry }]) => Object.hasOwn(registry.all, className))
  if (found.length > 1)
    throw new ArgumentError(
      `deserializeKerasObject: '${className}' is a class of ${found.map(([name]) => name).join(' and ')}. Say which: { module: '${found[0]![0]}', … }`,
    )
  if (found.length === 0)
    throw new ArgumentError(
      `deserializeKerasObject: unknown class '${className}'. Pass your own classes in customObjects, or register them with registerKerasSerializable`,
    )
  return found[0]![1].registry.get({ className, config })
}

const tensorOptions = () => ({
  value: required(listOf(number())),
  shape: required(listOf(integer({ min: 0 }))),
  dtype: required(choice('float32', 'int32', 'bool')),
})

function toTensor(config: Config): Tensor {
  const { value, shape, dtype } = readOptions('deserializeKerasObject: a tensor', tensorOptions(), config)
  return tensor(value, shape, dtype)
}
