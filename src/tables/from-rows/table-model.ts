// tableModel: from the rows of a table to a compiled model of its columns. What is done with each column is decided in
// columns.ts; FeatureSpace encodes them.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { ArgumentError, DataError, internalError, quoted } from '../../core/errors'
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
  text,
} from '../../core/options'
import { signalOption } from '../../data/samples/abort'
import { Dataset } from '../../data/dataset'
import { isElements, type ElementsOrMaker } from '../../data/samples/source'
import { Dense } from '../../layers/core/dense'
import { Dropout } from '../../layers/regularization/dropout'
import { Embedding } from '../../layers/core/embedding'
import { Input } from '../../layers/core/input-layer'
import type { LayerBase } from '../../layers/layer'
import { Concatenate } from '../../layers/merging/concatenate'
import { DateEncoding } from '../../layers/preprocessing/date-encoding'
import { Normalization } from '../../layers/preprocessing/normalization'
import { StringLookup } from '../../layers/preprocessing/string-lookup'
import { TextVectorization } from '../../layers/preprocessing/text-vectorization'
import { cast, concatenate, getItem, isnan, where as select } from '../../ops'
import { Flatten } from '../../layers/reshaping/flatten'
import type { LossName } from '../../losses/names'
import type { MetricName } from '../../metrics/names'
import { Model } from '../../models/model'
import { isMissing, isRow, valueOf, type TableRow } from '../values'
import { TableModel } from '../table-model'
import { Tensor } from '../../ops/tensor'
import { AdamW } from '../../optimizers'
import { FeatureSpace, type Feature } from '../feature-space'
import {
  lookAt,
  readChoices,
  tableKindOf,
  type ColumnChoice,
  type ColumnKind,
  type ProposedColumn,
  type TableProposal,
  type ProposedTarget,
} from './columns'

const lookTable = () =>
  merged(signalOption(), {
    target: required(text),
    columns: option(recordOf(anything), {}),
    task: option(nullable(choice('classification', 'regression')), null),
  })

const modelTable = () =>
  merged(lookTable(), {
    hidden: option(listOf(extent), [32]),
    dropout: option(number({ min: 0, below: 1 }), 0.2),
    learningRate: option(number({ min: 0 }), 0.003),
    weightDecay: option(number({ min: 0 }), 1),
    maxWords: option(extent, 500),
    print: option(boolean, true),
  })

export interface DescribeTableOptions {
  /** The column to predict. */
  readonly target: string
  /**
   * What is done with columns, in place of the proposals: 'number', 'category' (one-hot), 'embedding', 'date', 'text',
   * 'ignore'; or `{ kind, missing }`, where missing is 'mask', 'mean', or null for an error.
   */
  readonly columns?: Readonly<Record<string, ColumnKind | ColumnChoice>>
  /** Whether classes are predicted, or a number. Default null: by the values of the target. */
  readonly task?: 'classification' | 'regression' | null
  /** Ends reading early. */
  readonly signal?: AbortSignal | null
}

export interface TableModelSettings extends DescribeTableOptions {
  /** The units of each hidden layer; none makes a linear model. Default [32]. */
  readonly hidden?: readonly number[]
  /** The rate of dropout after each hidden layer. Default 0.2. */
  readonly dropout?: number
  /** The learning rate of AdamW. Default 0.003. */
  readonly learningRate?: number
  /** The weight decay of AdamW: a step multiplies the weights by 1 − learningRate · weightDecay. Default 1. */
  readonly weightDecay?: number
  /** The number of different words of a text that are used, the most frequent ones. Default 500. */
  readonly maxWords?: number
  /** Whether to print the proposal as a table. Default true. */
  readonly print?: boolean
}

/** The rows of a table: an array, a Dataset, a reader such as readCsv, or another sequence of objects. */
export type TableRows = readonly TableRow[] | ElementsOrMaker<TableRow>

/**
 * Looks at the columns of a table and says what is done with each, as `tableModel` does.
 *
 *   const proposal = await describeTable(readCsv('passengers.csv', { missing: null }), { target: 'survived' })
 *   console.log(String(proposal))
 *   proposal.columns.filter(({ kind }) => kind === 'ignore')
 *
 * @throws ArgumentError and DataError: see tableModel
 */
export async function describeTable(rows: TableRows, options: DescribeTableOptions): Promise<TableProposal> {
  requireArguments('describeTable', arguments, 2)
  const { target, columns, task, signal } = readOptions('describeTable', lookTable(), options)
  const read = await rowsOf(rows, 'describeTable', signal)
  return lookAt(read, 'describeTable', { target, columns: readChoices(columns, 'describeTable'), task })
}

/**
 * A compiled model for a table. It looks at the rows, decides for each column how it is encoded, prints this as a table, and
 * makes a functional model of preprocessing layers and Dense layers:
 *
 *   const rows = readCsv('passengers.csv', { missing: null })
 *   const model = await tableModel(rows, { target: 'survived' })
 *   await model.fit(rows, { epochs: 50 })
 *   await model.predict({ age: 29, sex: 'female', fare: 26 }, { labels: true }) // { label: 'yes', probabilities: { … } }
 *
 * Numbers are scaled, categories become one-hot rows or embeddings, dates their parts, texts the words that occur; ids and
 * columns with one value are ignored. Missing values are null, undefined, NaN and '': numbers become the mean, with a mask as a
 * further input, and a missing category is a category. `columns` overrides each of these. All of it is in the model, so in its
 * files. A model like any other: `model.layers`, `compile`, `summary`, `save`.
 *
 * The loss is binary or sparse categorical crossentropy, or the mean squared error; the optimizer is AdamW.
 * @param rows objects with a value for each column; they are all read into memory
 * @throws ArgumentError for a target or columns that the rows do not have; DataError for a target with one value or missing
 * ones, a column with values of several types, and a table whose columns are all ignored
 */
export async function tableModel(rows: TableRows, options: TableModelSettings): Promise<TableModel> {
  requireArguments('tableModel', arguments, 2)
  const where = 'tableModel'
  const settings = readOptions(where, modelTable(), options)
  const { target, columns, task, signal, hidden, dropout, learningRate, weightDecay } = settings
  const read = await rowsOf(rows, where, signal)
  const proposal = lookAt(read, where, { target, columns: readChoices(columns, where), task })
  if (settings.print) console.log(String(proposal))
  const used = proposal.columns.filter(isUsed)
  // The inputs have the names of the columns, and names of layers must differ.
  const free = (name: string): string => (used.some((column) => column.name === name) ? free(`${name}_layer`) : name)
  const encoders = await Promise.all(
    used.map(async (column) => [column.name, await encoderOf(column, read, settings.maxWords)] as const),
  )
  const space = new FeatureSpace({
    features: Object.fromEntries(encoders.map(([name, { feature }]) => [name, feature])),
    outputMode: 'dict',
  })
  const encoded = Object.entries(space.getEncodedFeatures()).map(([name, symbol]) =>
    new Map(encoders).get(name)!.embed(symbol),
  )
  const features = encoded.length === 1 ? encoded[0]! : new Concatenate({ name: free('columns') }).apply(encoded)
  const { classes } = proposal.target
  const layers = [
    ...hidden.flatMap((units): LayerBase[] => [
      new Dense({ units, activation: 'relu' }),
      ...(dropout > 0 ? [new Dropout({ rate: dropout })] : []),
    ]),
    ...answerLayers(classes, () => read.map((row) => Number(row[target])), free('answer')),
  ]
  const model = new TableModel({
    inputs: space.getInputs(),
    outputs: throughAll(layers, features),
    table: {
      target,
      classes,
      columns: Object.fromEntries(
        used.map(({ name, kind, missing }) => [name, { kind: tableKindOf(kind), optional: missing !== null }]),
      ),
      ignored: proposal.columns.filter(({ kind }) => kind === 'ignore').map(({ name }) => name),
    },
  })
  forgetUnknown(
    layers[0]!,
    encoded,
    encoders.map(([name, { hasUnknown }]) => [name, hasUnknown]),
    space,
  )
  model.compile({ optimizer: new AdamW({ learningRate, weightDecay }), ...trainingFor(classes) })
  return model
}

type UsedColumn = ProposedColumn & { readonly kind: Exclude<ColumnKind, 'ignore'> }

function isUsed(column: ProposedColumn): column is UsedColumn {
  return column.kind !== 'ignore'
}

/** The last layers: probabilities of classes, or a number in the units of the target. */
function answerLayers(
  classes: ProposedTarget['classes'],
  targets: () => readonly number[],
  name: string,
): readonly LayerBase[] {
  if (classes === null) return [new Dense({ units: 1 }), unscaled(targets(), name)]
  if (classes.length === 2) return [new Dense({ units: 1, activation: 'sigmoid', name })]
  return [new Dense({ units: classes.length, activation: 'softmax', name })]
}

/** The loss and the metrics. */
function trainingFor(classes: ProposedTarget['classes']): { readonly loss: LossName; readonly metrics: MetricName[] } {
  if (classes === null) return { loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] }
  return { loss: classes.length === 2 ? 'binaryCrossentropy' : 'sparseCategoricalCrossentropy', metrics: ['accuracy'] }
}

/** The output of layers that are called one after the other. */
function throughAll(layers: readonly LayerBase[], input: Tensor): Tensor {
  return layers.reduce((x, layer) => {
    const output: unknown = layer.apply(x)
    if (output instanceof Tensor) return output
    throw internalError(`${layer} has several outputs`)
  }, input)
}

/** All rows. @throws DataError for elements that are not rows */
async function rowsOf(rows: unknown, where: string, signal: AbortSignal | null): Promise<readonly TableRow[]> {
  if (Array.isArray(rows)) return rows
  if (!isElements(rows))
    throw new ArgumentError(
      `${where}: rows must be an array of objects or a data set of them, received ${quoted(rows)}`,
    )
  const data = Dataset.from(rows, { signal })
  if (data.size === Infinity) throw new ArgumentError(`${where}: the rows are endless. Use take.`)
  const read = await data.toArray()
  const pair = read.findIndex((each) => Array.isArray(each))
  if (pair >= 0)
    throw new DataError(
      `${where}, row ${pair}: expected an object, received ${quoted(read[pair])}. Read the file without target, so that a row has all columns.`,
    )
  return read.map((row, i) => {
    if (isRow(row)) return row
    throw new DataError(
      `${where}, row ${i}: expected an object with single values, received ${quoted(row)}. Is it a batch? Use the data set before batch.`,
    )
  })
}

/** How a column becomes a vector. */
interface Encoder {
  readonly feature: Feature
  /** From the output of the feature to a vector. */
  embed(encoded: Tensor): Tensor
  /** Whether the first number of the vector is that of unknown categories, which no row has. */
  readonly hasUnknown: boolean
}

const unchanged = (encoded: Tensor): Tensor => encoded

async function encoderOf(column: UsedColumn, rows: readonly TableRow[], maxWords: number): Promise<Encoder> {
  const { name, kind } = column
  const values = rows.map((row) => valueOf(row[name], tableKindOf(kind), true, name))
  switch (kind) {
    case 'number':
      return numberEncoder(column, values.map(Number))
    case 'date':
      return dateEncoder(column, values.map(String))
    case 'text':
      return textEncoder(column, values.map(String), maxWords)
    default:
      return categoryEncoder(column, values.map(String))
  }
}

/** In a table with at least so many rows, a category that occurs once counts as unknown, so that the weights of unknown ones are learnt. */
const FEW_ROWS = 50

function categoryEncoder({ name, kind, missing }: ProposedColumn, values: readonly string[]): Encoder {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const isKept = (value: string): boolean => values.length < FEW_ROWS || value === '' || counts.get(value)! > 1
  const all = [...counts.keys()].sort()
  const kept = all.filter(isKept)
  const vocabulary = missing !== null && !kept.includes('') ? ['', ...kept] : kept
  const isEmbedded = kind === 'embedding'
  const feature = FeatureSpace.feature({
    dtype: 'string',
    preprocessor: new StringLookup({ vocabulary, name: `${nameOf(name)}_lookup` }),
    outputMode: isEmbedded ? 'int' : 'oneHot',
    optional: missing !== null,
  })
  const width = Math.min(50, Math.round(1.6 * vocabulary.length ** 0.56))
  const embed = (encoded: Tensor): Tensor =>
    new Flatten().apply(
      new Embedding({ inputDim: vocabulary.length + 1, outputDim: width, name: `${nameOf(name)}_embedding` }).apply(
        encoded,
      ),
    )
  return { feature, embed: isEmbedded ? embed : unchanged, hasUnknown: !isEmbedded && kept.length === all.length }
}

function numberEncoder({ name, missing }: ProposedColumn, values: readonly number[]): Encoder {
  const { mean, variance } = momentsOf(values.filter((value) => !isMissing(value)))
  const normalization = new Normalization({ mean: [mean], variance: [variance], name: `${nameOf(name)}_scaled` })
  const feature = FeatureSpace.feature({
    dtype: 'float32',
    preprocessor: missing === null ? normalization : filled(name, [normalization], 'float32', missing),
    outputMode: 'float',
    optional: missing !== null,
  })
  return { feature, embed: unchanged, hasUnknown: false }
}

function dateEncoder({ name, missing }: ProposedColumn, values: readonly string[]): Encoder {
  const present = values.filter((value) => value !== '')
  const time = present.some((value) => /[T ]\d\d:/.test(value) && !/[T ]00:00(?::00(?:\.0+)?)?(?:Z|$)/.test(value))
  const encoding = new DateEncoding({ time, name: `${nameOf(name)}_parts` })
  const years = encoding.apply(present.map((value) => [value])).data.filter((_, i) => i % (time ? 7 : 5) === 0)
  const { mean, variance } = momentsOf(Array.from(years))
  const others = new Array<number>(time ? 6 : 4)
  const scaled = new Normalization({
    mean: [mean, ...others.fill(0)],
    variance: [variance, ...[...others].fill(1)],
    name: `${nameOf(name)}_scaled`,
  })
  const feature = FeatureSpace.feature({
    dtype: 'string',
    preprocessor: filled(name, [encoding, scaled], 'string', missing),
    outputMode: 'float',
    optional: missing !== null,
  })
  return { feature, embed: unchanged, hasUnknown: false }
}

async function textEncoder(
  { name, missing }: ProposedColumn,
  values: readonly string[],
  maxWords: number,
): Promise<Encoder> {
  const learnt = new TextVectorization({ maxTokens: maxWords, outputMode: 'multiHot' })
  await learnt.adapt(values)
  const vocabulary = learnt.getVocabulary(false)
  if (vocabulary.length === 0) throw new DataError(`tableModel: column '${name}' has no words. Leave it out: 'ignore'`)
  const preprocessor = new TextVectorization({ vocabulary, outputMode: 'multiHot', name: `${nameOf(name)}_words` })
  const feature = FeatureSpace.feature({
    dtype: 'string',
    preprocessor,
    outputMode: 'float',
    optional: missing !== null,
  })
  return { feature, embed: unchanged, hasUnknown: vocabulary.length + 1 < maxWords }
}

/**
 * A model of one column: layers, after which 0 replaces missing values. With 'mask', a further output is 1 for a missing value and
 * otherwise 0.
 */
function filled(
  name: string,
  layers: readonly LayerBase[],
  dtype: 'float32' | 'string',
  missing: 'mask' | 'mean' | null,
): LayerBase {
  const input = Input({ shape: [1], dtype, optional: missing !== null })
  const scaled = throughAll(layers, input)
  if (missing === null)
    return new Model({ inputs: input, outputs: scaled, name: `${nameOf(name)}_column` }) as LayerBase
  const isAbsent = isnan(scaled)
  const value = select(isAbsent, 0, scaled)
  const mask = cast(getItem(isAbsent, [':', ':1']), 'float32')
  const outputs = missing === 'mask' ? concatenate([value, mask], -1) : value
  return new Model({ inputs: input, outputs, name: `${nameOf(name)}_column` }) as LayerBase
}

/** The name of a column as part of the name of a layer, which may not have slashes. */
function nameOf(name: string): string {
  // Made here, because engines without these classes refuse a whole file with such an expression.
  return name.replace(new RegExp(String.raw`[^\p{L}\p{N}_.-]+`, 'gu'), '_')
}

/** From numbers of mean 0 and variance 1 to those of the target. */
function unscaled(values: readonly number[], name: string): LayerBase {
  const { mean, variance } = momentsOf(values)
  return new Normalization({ mean: [mean], variance: [variance], invert: true, name })
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, variance: variance > 0 ? variance : 1 }
}

/** Sets the weights of unknown categories to 0: no row has them, so that training would leave their random values. */
function forgetUnknown(
  layer: LayerBase,
  encoded: readonly Tensor[],
  unknown: readonly (readonly [name: string, hasUnknown: boolean])[],
  space: FeatureSpace<'dict'>,
): void {
  const has = new Map(unknown)
  const [kernel, ...others] = layer.getWeights()
  const data = Float32Array.from(kernel!.data)
  const units = kernel!.shape[1]!
  let row = 0
  Object.keys(space.getEncodedFeatures()).forEach((name, i) => {
    if (has.get(name) === true) data.fill(0, row * units, (row + 1) * units)
    row += encoded[i]!.shape.at(-1)!
  })
  layer.setWeights([new Tensor(data, kernel!.shape, 'float32'), ...others])
}
