// FeatureSpace: the columns of a table as vectors for a model.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, StateError, knownName, quoted } from '../core/errors'
import {
  anything,
  boolean,
  choice,
  extent,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  recordOf,
  required,
  tableSize,
  text,
  type OptionInputs,
  type Spelled,
  type ValuesOf,
} from '../core/options'
import { isRecord, mapTree, typed, type Tree } from '../core/tree'
import { Dataset } from '../data/dataset'
import { isElements, type ElementsOrMaker } from '../data/samples/source'
import { Identity } from '../layers/core/identity'
import { Input } from '../layers/core/input-layer'
import { Layer, type LayerBase } from '../layers/layer'
import { Concatenate } from '../layers/merging/concatenate'
import type { AdaptOptions } from '../layers/preprocessing/adapted'
import { Discretization } from '../layers/preprocessing/discretization'
import { CategoryEncoding } from '../layers/preprocessing/encoding'
import { HashedCrossing } from '../layers/preprocessing/hashed-crossing'
import { Hashing } from '../layers/preprocessing/hashing'
import { Normalization } from '../layers/preprocessing/normalization'
import { Rescaling } from '../layers/preprocessing/rescaling'
import { IntegerLookup, StringLookup } from '../layers/preprocessing/string-lookup'
import { TextVectorization } from '../layers/preprocessing/text-vectorization'
import { toTensor, type ShapedData, type TensorLike, type TypedArray } from '../ops/convert'
import { reshape } from '../ops/numpy/shape'
import { StringTensor, toStrings, type NestedStrings } from '../ops/strings'
import { Tensor } from '../ops/tensor'

type FeatureType = 'float32' | 'int32' | 'string'
type FeatureOutput = 'float' | 'int' | 'oneHot'
type Integers = Exclude<FeatureOutput, 'float'>

const integers = /* @__PURE__ */ choice<Integers>('oneHot', 'int')

/** One column: the type of its values, the layer that reads them, and the form of its result. */
export class Feature {
  constructor(
    readonly dtype: FeatureType,
    readonly preprocessor: LayerBase,
    readonly outputMode: FeatureOutput,
    /** Whether values may be missing, for a layer that replaces NaN and empty strings. */
    readonly optional = false,
  ) {}
}

/** A combination of columns, hashed into bins. */
export class Cross {
  constructor(
    readonly featureNames: readonly string[],
    readonly crossingDim: number,
    readonly outputMode: Integers,
  ) {}

  get name(): string {
    return this.featureNames.join('_X_')
  }
}

const KINDS = [
  'float',
  'floatNormalized',
  'floatRescaled',
  'floatDiscretized',
  'integerCategorical',
  'stringCategorical',
  'integerHashed',
  'stringHashed',
] as const
/** The kinds of features that need no options. */
export type FeatureKind = (typeof KINDS)[number]

const namedOptions = () => ({
  /** The layer is called `${name}_preprocessor`. Default null: the name of its class and a number. */
  name: option(nullable(text), null),
})
const rescaledOptions = () =>
  merged(
    {
      /** The factor. Default 1. */
      scale: option(number(), 1),
      /** The number to add. Default 0. */
      offset: option(number(), 0),
    },
    namedOptions(),
  )
const discretizedOptions = () =>
  merged(
    {
      /** The number of ranges that adapt makes. Default null, if binBoundaries define the ranges. */
      numBins: option(nullable(extent), null),
      /** The ends of the ranges. Default null: adapt finds them. */
      binBoundaries: option(nullable(listOf(number())), null),
      /** 'oneHot', or 'int', the number of the range. Default oneHot. */
      outputMode: option(integers, 'oneHot'),
    },
    namedOptions(),
  )
const categoricalOptions = () =>
  merged(
    {
      /** The largest size of the vocabulary. Default null: no limit. */
      maxTokens: option(nullable(extent), null),
      /** The number of indices for values outside of the vocabulary. Default 1. */
      numOovIndices: option(tableSize(0), 1),
      /** 'oneHot', or 'int', the number in the vocabulary. Default oneHot. */
      outputMode: option(integers, 'oneHot'),
    },
    namedOptions(),
  )
const hashedOptions = () =>
  merged(
    {
      /** The number of bins. */
      numBins: required(extent),
      /** 'oneHot', or 'int', the number of the bin. Default oneHot. */
      outputMode: option(integers, 'oneHot'),
    },
    namedOptions(),
  )
const crossOptions = () => ({
  /** 'oneHot', or 'int', the number of the bin. Default oneHot. */
  outputMode: option(integers, 'oneHot'),
})

const spaceOptions = () => ({
  /** For each column, by name: a kind such as 'floatNormalized', or the result of a function such as FeatureSpace.floatNormalized(). */
  features: required(recordOf(anything)),
  /** 'concat', one vector for each record; or 'dict', a record of encoded features. Default concat. */
  outputMode: option(choice('concat', 'dict'), 'concat'),
  /** Combinations of features: lists of names, or results of FeatureSpace.cross. Default none. */
  crosses: option(nullable(listOf(anything)), null),
  /** The number of bins of crosses that are lists of names. Default 32. */
  crossingDim: option(extent, 32),
  /** The number of bins of 'integerHashed' and 'stringHashed'. Default 32. */
  hashingDim: option(extent, 32),
  /** The number of ranges of 'floatDiscretized'. Default 32. */
  numDiscretizationBins: option(extent, 32),
  /** The name in messages. Default null. */
  name: option(nullable(text), null),
})

export interface FeatureSpaceOptions<Mode extends 'concat' | 'dict' = 'concat'> {
  /** For each column, by name: a kind such as 'floatNormalized', or the result of a function such as FeatureSpace.floatNormalized(). */
  features: Readonly<Record<string, Spelled<FeatureKind> | Feature>>
  /** 'concat', one vector for each record; or 'dict', a record of encoded features. Default concat. */
  outputMode?: Mode
  /** Combinations of features: lists of names, or results of FeatureSpace.cross. Default none. */
  crosses?: readonly (readonly string[] | Cross)[] | null
  /** The number of bins of crosses that are lists of names. Default 32. */
  crossingDim?: number
  /** The number of bins of 'integerHashed' and 'stringHashed'. Default 32. */
  hashingDim?: number
  /** The number of ranges of 'floatDiscretized'. Default 32. */
  numDiscretizationBins?: number
  /** The name in messages. Default null. */
  name?: string | null
}

/** A value, or a column of values. */
export type FeatureValues = TensorLike | TypedArray | ShapedData | NestedStrings
/** A record, or a record of columns. */
export type FeatureRecord = Readonly<Record<string, FeatureValues>>
/** One vector for each record; or with outputMode 'dict' a record of them. */
export type EncodedFeatures<Mode> = Mode extends 'dict' ? Readonly<Record<string, Tensor>> : Tensor

/** The result of encoding, in either mode. */
type Encoded = Tensor | Readonly<Record<string, Tensor>>

/** The layers behind the preprocessors, which depend on what adapt learns. */
interface Encoders {
  readonly crossers: Readonly<Record<string, HashedCrossing>>
  /** For the features and crosses that are rows of zeros and ones. */
  readonly oneHot: Readonly<Record<string, CategoryEncoding>>
  readonly concatenate: Concatenate
}

/**
 * Encodes records of a table: numbers are scaled or sorted into ranges, categories become rows of zeros and ones, and
 * combinations of columns are hashed. Each column is declared by name:
 *
 *   const space = new FeatureSpace({
 *     features: { age: 'floatNormalized', job: 'stringCategorical', grade: FeatureSpace.integerCategorical({ maxTokens: 10 }) },
 *     crosses: [FeatureSpace.cross(['job', 'grade'], 16)],
 *   })
 *   await space.adapt(records)                   // a list of records, a record of columns, or a Dataset of records
 *   space.apply({ age: 30, job: 'cook', grade: 2 })          // a vector [width]
 *   space.apply({ age: [30, 41], job: ['cook', 'smith'], grade: [2, 3] })   // [2, width]
 *
 * As the first part of a model, which is saved with it:
 *
 *   const output = new Dense({ units: 1 }).apply(space.getEncodedFeatures())
 *   const model = new Model({ inputs: space.getInputs(), outputs: output })
 *   await model.predict({ age: [30], job: ['cook'], grade: [2] })
 *
 * Features are in the order of their names, then crosses in that of theirs. A cross reads what the preprocessors of its
 * features give. In a model, a cross takes features with a known number of values; 'integerHashed' works on data only.
 *
 * Keras: `keras.utils.FeatureSpace`. To save a FeatureSpace alone, save a Model of its inputs and encoded features.
 * @throws ArgumentError for unknown kinds, and for crosses of features that do not exist
 */
export class FeatureSpace<Mode extends 'concat' | 'dict' = 'concat'> {
  readonly features: Readonly<Record<string, Feature>>
  readonly crosses: readonly Cross[]
  readonly outputMode: Mode
  readonly name: string | null
  private encoders: Encoders | null = null
  private inputs: Readonly<Record<string, Tensor>> | null = null
  private encoded: Encoded | null = null
  private isAdapted: boolean

  constructor(options: FeatureSpaceOptions<Mode>) {
    const read = readOptions('FeatureSpace', spaceOptions(), options)
    const { features, crossingDim } = read
    const crosses = read.crosses ?? []
    this.name = read.name
    if (Object.keys(features).length === 0) throw new ArgumentError(`${this}: features must have a column`)
    this.features = Object.fromEntries(
      Object.entries(features).map(([name, feature]) => [name, featureOf(name, feature, read)]),
    )
    this.crosses = crosses.map((cross) => this.crossOf(cross, crossingDim))
    const names = [...Object.keys(features), ...this.crosses.map(({ name }) => name)]
    const twice = names.find((name, i) => names.indexOf(name) < i)
    if (twice !== undefined) throw new ArgumentError(`${this}: there are two features named ${quoted(twice)}`)
    this.outputMode = typed(read.outputMode)
    this.isAdapted = this.adaptable.length === 0
  }

  toString(): string {
    return this.name === null ? 'FeatureSpace' : `FeatureSpace "${this.name}"`
  }

  /** @param option a Cross, or the names of its features */
  private crossOf(option: unknown, crossingDim: number): Cross {
    const cross = option instanceof Cross ? option : crossBetween(option, crossingDim)
    const unknown = cross.featureNames.find((name) => !Object.hasOwn(this.features, name))
    if (unknown === undefined) return cross
    throw new ArgumentError(`${this}: a cross names the feature ${quoted(unknown)}, which does not exist`)
  }

  /** A number, unchanged. */
  static float(_options: OptionInputs<ReturnType<typeof namedOptions>> = {}): Feature {
    const { layer } = readKind('float', namedOptions(), arguments)
    return new Feature('float32', new Identity(layer), 'float')
  }

  /** A number, scaled to mean 0 and variance 1 over the data of adapt. */
  static floatNormalized(_options: OptionInputs<ReturnType<typeof namedOptions>> = {}): Feature {
    const { layer } = readKind('floatNormalized', namedOptions(), arguments)
    return new Feature('float32', new Normalization({ axis: -1, ...layer }), 'float')
  }

  /** x · scale + offset */
  static floatRescaled(_options: OptionInputs<ReturnType<typeof rescaledOptions>> = {}): Feature {
    const { scale, offset, layer } = readKind('floatRescaled', rescaledOptions(), arguments)
    return new Feature('float32', new Rescaling({ scale, offset, ...layer }), 'float')
  }

  /** The range that a number is in. @throws ArgumentError for numBins together with binBoundaries */
  static floatDiscretized(_options: OptionInputs<ReturnType<typeof discretizedOptions>>): Feature {
    const { numBins, binBoundaries, outputMode, layer } = readKind('floatDiscretized', discretizedOptions(), arguments)
    if (numBins !== null && binBoundaries !== null)
      throw new ArgumentError(
        'FeatureSpace.floatDiscretized: numBins and binBoundaries exclude each other: numBins is for ranges that adapt makes',
      )
    return new Feature('float32', new Discretization({ numBins, binBoundaries, ...layer }), outputMode)
  }

  /** An integer of a vocabulary. */
  static integerCategorical(_options: OptionInputs<ReturnType<typeof categoricalOptions>> = {}): Feature {
    const { outputMode, maxTokens, numOovIndices, layer } = readKind(
      'integerCategorical',
      categoricalOptions(),
      arguments,
    )
    return new Feature('int32', new IntegerLookup({ maxTokens, numOovIndices, ...layer }), outputMode)
  }

  /** A string of a vocabulary. */
  static stringCategorical(_options: OptionInputs<ReturnType<typeof categoricalOptions>> = {}): Feature {
    const { outputMode, maxTokens, numOovIndices, layer } = readKind(
      'stringCategorical',
      categoricalOptions(),
      arguments,
    )
    return new Feature('string', new StringLookup({ maxTokens, numOovIndices, ...layer }), outputMode)
  }

  /** The bin that an integer is hashed to. */
  static integerHashed(_options: OptionInputs<ReturnType<typeof hashedOptions>>): Feature {
    const { outputMode, numBins, layer } = readKind('integerHashed', hashedOptions(), arguments)
    return new Feature('int32', new Hashing({ numBins, ...layer }), outputMode)
  }

  /** The bin that a string is hashed to. */
  static stringHashed(_options: OptionInputs<ReturnType<typeof hashedOptions>>): Feature {
    const { outputMode, numBins, layer } = readKind('stringHashed', hashedOptions(), arguments)
    return new Feature('string', new Hashing({ numBins, ...layer }), outputMode)
  }

  /** A column that the layer `preprocessor` reads. @param outputMode 'float', 'int' or 'oneHot': the form of the result */
  static feature(options: {
    /** The dtype of the values: 'float32', 'int32' or 'string'. */
    readonly dtype: FeatureType
    /** The layer that encodes the values. */
    readonly preprocessor: LayerBase
    /** The form of the encoding: 'float', 'int' or 'oneHot'. */
    readonly outputMode: FeatureOutput
    /** Whether values may be missing in a model, for a layer that replaces NaN and empty strings. Default false. */
    readonly optional?: boolean
  }): Feature {
    const table = {
      dtype: required(choice<FeatureType>('float32', 'int32', 'string')),
      preprocessor: required(anything),
      outputMode: required(choice<FeatureOutput>('float', 'int', 'oneHot')),
      optional: option(boolean, false),
    }
    const { dtype, preprocessor, outputMode, optional } = readOptions('FeatureSpace.feature', table, options)
    if (preprocessor instanceof Layer) return new Feature(dtype, preprocessor as LayerBase, outputMode, optional)
    throw new ArgumentError(`FeatureSpace.feature: preprocessor must be a layer, received ${quoted(preprocessor)}`)
  }

  /** A combination of features, hashed to `crossingDim` bins. */
  static cross(
    featureNames: readonly string[],
    crossingDim: number,
    options: OptionInputs<ReturnType<typeof crossOptions>> = {},
  ): Cross {
    return crossBetween(featureNames, crossingDim, options)
  }

  /** The layer of each feature. */
  get preprocessors(): Readonly<Record<string, LayerBase>> {
    return Object.fromEntries(Object.entries(this.features).map(([name, { preprocessor }]) => [name, preprocessor]))
  }

  /** The layer of each cross. @throws StateError before adapt */
  get crossers(): Readonly<Record<string, HashedCrossing>> {
    return this.ready().crossers
  }

  /**
   * Learns what the features need: means and variances, ranges, vocabularies. Other features are not read.
   * @param data a list of records, a record of columns, or a Dataset of either; of pairs [x, y] only x is used
   * @throws DataError for data without a column that is needed
   */
  async adapt(
    data: FeatureRecord | readonly FeatureRecord[] | ElementsOrMaker<unknown>,
    options: AdaptOptions = {},
  ): Promise<void> {
    if (this.encoded !== null)
      throw new StateError(
        `${this}: adapt must be called before getEncodedFeatures, because a model has what it learnt`,
      )
    for (const [name, feature] of this.adaptable) {
      const read = (record: unknown): Tensor => this.columnOf(name, feature, columnsFrom(record, 'adapt')).values
      const isSequence = isElements(data) && !Array.isArray(data)
      const columns = isSequence
        ? Dataset.from(data as ElementsOrMaker<unknown>).map((batch) =>
            read(Array.isArray(batch) && !isRecords(batch) ? batch[0] : batch),
          )
        : read(data)
      if (learns(feature.preprocessor)) await feature.preprocessor.adapt(columns, options)
    }
    this.isAdapted = true
    this.encoders = null
  }

  /**
   * Encodes a record, a list of records, or a record of columns; a record of single values has a result without the axis of
   * rows.
   * @throws DataError for a column that is missing or unknown; StateError before adapt
   */
  apply(data: FeatureRecord | readonly FeatureRecord[]): EncodedFeatures<Mode>
  apply(data: FeatureRecord | readonly FeatureRecord[]): Tree<Tensor> {
    const columns = columnsFrom(data, 'apply')
    const unknown = Object.keys(columns).find((name) => !Object.hasOwn(this.features, name))
    if (unknown !== undefined) throw new DataError(`${this}: ${quoted(unknown)} is not a feature. Remove the column`)
    const read = Object.entries(this.features).map(
      ([name, feature]) => [name, this.columnOf(name, feature, columns)] as const,
    )
    const [first, ...others] = read
    const other = others.find(([, { values }]) => values.shape[0] !== first![1].values.shape[0])
    if (other !== undefined)
      throw new DataError(
        `${this}: all columns must have as many values, '${first![0]}' has ${first![1].values.shape[0]} and '${other[0]}' has ${other[1].values.shape[0]}`,
      )
    const encoded = this.encode(Object.fromEntries(read.map(([name, { values }]) => [name, values])))
    const hasSingle = read.some(([, { isSingle }]) => isSingle)
    return hasSingle ? mapTree(encoded, withoutRows) : encoded
  }

  /** The inputs of a functional model, by the names of the features: [batch, 1] each. */
  getInputs(): Readonly<Record<string, Tensor>> {
    this.inputs ??= Object.fromEntries(
      Object.entries(this.features).map(([name, { dtype, optional }]) => [
        name,
        Input({ shape: [1], dtype, name, optional }),
      ]),
    )
    return this.inputs
  }

  /**
   * The encoded inputs, for the layers of a functional model.
   * @throws StateError before adapt; ArgumentError for 'integerHashed', and for crosses of features whose number of values
   * is unknown
   */
  getEncodedFeatures(): EncodedFeatures<Mode>
  getEncodedFeatures(): Encoded {
    const hashed = Object.entries(this.features).find(
      ([, { dtype, preprocessor }]) => dtype === 'int32' && preprocessor instanceof Hashing,
    )
    if (hashed !== undefined)
      throw new ArgumentError(
        `${this}: '${hashed[0]}' is 'integerHashed', which works on data, not in models. Use 'integerCategorical', or 'stringHashed' with the digits, or encode the data before the model with apply`,
      )
    this.encoded ??= this.encode(this.getInputs())
    return this.encoded
  }

  private get adaptable(): readonly (readonly [string, Feature])[] {
    return Object.entries(this.features).filter(([, { preprocessor }]) => {
      const isKnown =
        (preprocessor instanceof Normalization && preprocessor.mean !== null) ||
        (preprocessor instanceof Discretization && preprocessor.binBoundaries !== null) ||
        (isLookup(preprocessor) && preprocessor.vocabulary !== null)
      return learns(preprocessor) && !isKnown
    })
  }

  private ready(): Encoders {
    if (!this.isAdapted) throw new StateError(`${this}: call await space.adapt(data) before it is used`)
    if (this.encoders !== null) return this.encoders
    const sizes = new Map(
      Object.entries(this.features).map(([name, { preprocessor }]) => [name, valuesOf(preprocessor)]),
    )
    const crossers = this.crosses.map(({ name, featureNames, crossingDim }): [string, HashedCrossing] => {
      const ofFeatures = featureNames.map((each) => sizes.get(each)!)
      const cardinalities = ofFeatures.every((each) => each !== null) ? ofFeatures : null
      return [name, new HashedCrossing({ numBins: crossingDim, cardinalities })]
    })
    const oneHot = [
      ...Object.entries(this.features).map(
        ([name, { outputMode }]) => [name, outputMode, sizes.get(name) ?? null] as const,
      ),
      ...this.crosses.map(({ name, outputMode, crossingDim }) => [name, outputMode, crossingDim] as const),
    ].flatMap(([name, outputMode, numTokens]): [string, CategoryEncoding][] => {
      if (outputMode !== 'oneHot') return []
      if (numTokens !== null) return [[name, new CategoryEncoding({ numTokens })]]
      throw new ArgumentError(
        `${this}: '${name}' has outputMode 'oneHot', but its layer does not tell how many values there are. Use 'int'`,
      )
    })
    this.encoders = {
      crossers: Object.fromEntries(crossers),
      oneHot: Object.fromEntries(oneHot),
      concatenate: new Concatenate(),
    }
    return this.encoders
  }

  /** @param columns data, or symbols of a model */
  private encode(columns: Readonly<Record<string, Tensor>>): Encoded {
    const { crossers, oneHot, concatenate } = this.ready()
    const read = Object.fromEntries(
      Object.entries(this.features).map(([name, { preprocessor }]) => {
        const result: unknown = preprocessor.apply(columns[name]!)
        if (result instanceof Tensor) return [name, result]
        throw new ArgumentError(
          `${this}: the preprocessor of '${name}' must return one tensor, received a list or record`,
        )
      }),
    )
    const crossed = this.crosses.map(({ name, featureNames }): [string, Tensor] => [
      name,
      crossers[name]!.apply(featureNames.map((each) => read[each]!)),
    ])
    const inOrder = (entries: readonly [string, Tensor][]): readonly [string, Tensor][] =>
      [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
    const all = [...inOrder(Object.entries(read)), ...inOrder(crossed)].map(([name, each]): [string, Tensor] => [
      name,
      oneHot[name]?.apply(each) ?? each,
    ])
    if (this.outputMode === 'dict') return Object.fromEntries(all)
    const raw = all.find(([, { dtype }]) => dtype !== 'float32')
    if (raw !== undefined)
      throw new ArgumentError(
        `${this}: '${raw[0]}' is ${raw[1].dtype} and cannot be part of a vector. Use its outputMode 'oneHot', or outputMode: 'dict' of the FeatureSpace`,
      )
    const vectors = all.map(([, each]) => each)
    return vectors.length === 1 ? vectors[0]! : concatenate.apply(vectors)
  }

  /** A column [rows, 1] of one feature; a single value is one row. */
  private columnOf(
    name: string,
    { dtype }: Feature,
    columns: Readonly<Record<string, unknown>>,
  ): { readonly values: Tensor; readonly isSingle: boolean } {
    const where = `${this}: '${name}'`
    if (!Object.hasOwn(columns, name)) throw new DataError(`${where} is missing in the data`)
    const column = columns[name]
    const read = dtype === 'string' ? toStrings(column, where) : toTensor(column, where, dtype)
    if (read.rank > 1) return { values: read, isSingle: false }
    const shape = [read.shape[0] ?? 1, 1]
    const values =
      read instanceof StringTensor ? new StringTensor(read.strings, shape) : new Tensor(read.data, shape, read.dtype)
    return { values, isSingle: read.rank === 0 }
  }
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function crossBetween(
  featureNames: unknown,
  crossingDim: number,
  options: OptionInputs<ReturnType<typeof crossOptions>> = {},
): Cross {
  const where = 'FeatureSpace.cross'
  if (!isNames(featureNames) || featureNames.length < 2)
    throw new ArgumentError(`${where}: needs a list of two or more names, received ${quoted(featureNames)}`)
  const { outputMode } = readOptions(where, crossOptions(), options)
  return new Cross([...featureNames], extent.read(crossingDim, `${where}: crossingDim`), outputMode)
}

type NamedOptions = ReturnType<typeof namedOptions>

/** The options of a kind, and those of its layer. */
function readKind<Table extends NamedOptions>(
  kind: FeatureKind,
  table: Table,
  args: ArrayLike<unknown>,
): ValuesOf<Table> & { readonly layer: { readonly name?: string } }
function readKind(kind: FeatureKind, table: NamedOptions, args: ArrayLike<unknown>): object {
  const where = `FeatureSpace.${kind}`
  requireArguments(where, args, 1)
  const values = readOptions(where, table, args[0])
  return { ...values, layer: values.name === null ? {} : { name: `${values.name}_preprocessor` } }
}

/** The feature of a column. @param option a Feature, or the name of a kind */
function featureOf(
  name: string,
  option: unknown,
  { hashingDim, numDiscretizationBins }: { readonly hashingDim: number; readonly numDiscretizationBins: number },
): Feature {
  if (option instanceof Feature) return option
  const kind = typeof option === 'string' ? knownName(option, KINDS) : undefined
  switch (kind) {
    case undefined:
      throw new ArgumentError(
        `FeatureSpace: '${name}' must be one of ${KINDS.map(quoted).join(', ')}, or the result of a function such as FeatureSpace.float(), received ${quoted(option)}`,
      )
    case 'floatDiscretized':
      return FeatureSpace.floatDiscretized({ numBins: numDiscretizationBins, name })
    case 'integerHashed':
    case 'stringHashed':
      return FeatureSpace[kind]({ numBins: hashingDim, name })
    default:
      return FeatureSpace[kind]({ name })
  }
}

/** Whether a layer learns from data. */
function learns(
  layer: LayerBase,
): layer is LayerBase & { adapt(data: unknown, options: AdaptOptions): void | Promise<void> } {
  return 'adapt' in layer && typeof layer.adapt === 'function'
}

type AnyLookup = StringLookup | IntegerLookup | TextVectorization

function isLookup(layer: LayerBase): layer is LayerBase & AnyLookup {
  return layer instanceof StringLookup || layer instanceof IntegerLookup || layer instanceof TextVectorization
}

/** How many values a layer gives: 0 … n − 1; null if unknown. */
function valuesOf(layer: LayerBase): number | null {
  if (layer instanceof StringLookup || layer instanceof IntegerLookup) return layer.vocabularySize()
  if (layer instanceof Discretization) return layer.numBins ?? layer.binBoundaries!.length + 1
  if (layer instanceof CategoryEncoding) return layer.numTokens
  return layer instanceof Hashing || layer instanceof HashedCrossing ? layer.numBins : null
}

function isRecords(data: unknown): data is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(data) && data.length > 0 && data.every(isRecord)
}

/** A result without its axis of rows, if it has one row. */
function withoutRows(rows: Tensor): Tensor {
  return rows.shape[0] === 1 ? reshape(rows, rows.shape.slice(1)) : rows
}

/** A record of columns, from one or from a list of records. */
function columnsFrom(data: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isRecords(data)) {
    const names = [...new Set(data.flatMap((record) => Object.keys(record)))]
    return Object.fromEntries(names.map((name) => [name, data.map((record) => record[name])]))
  }
  if (isRecord(data)) return data
  throw new DataError(
    `FeatureSpace: ${what} needs a record, a list of records, or a record of columns, received ${quoted(data)}`,
  )
}
