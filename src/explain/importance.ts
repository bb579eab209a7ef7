// Global importance of a feature over many rows: how much worse the model gets when the feature is shuffled, and how
// its output depends on the feature.

import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, formatShape, knownName, quoted, unknownName } from '../core/errors'
import { boolean, count, custom, integer, nullable, option, tableSize } from '../core/options'
import { permutationKey, permute } from '../core/permute'
import { classNameOf } from '../core/registry'
import { threefry2x32 } from '../core/threefry'
import { isBranch, pathName, pathsOf, typed, unflatten } from '../core/tree'
import type { DataOf, TargetsOf } from '../data/given'
import { requireNumbers } from '../data/checks'
import type { MetricIdentifier } from '../metrics'
import { isScore } from '../metrics/direction'
import { Metric } from '../metrics/metric'
import { getMetric } from '../metrics/registry'
import type { Model } from '../models/model'
import { dataFor } from '../models/model-rows'
import type { TableRow } from '../models/table-model'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { cast, where as choose } from '../ops/numpy/elementwise'
import { nextSeed } from '../ops/random/seed'
import { expandDims, reshape } from '../ops/numpy/shape'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import type { ExplainOptions } from './explained'
import { Explained, copiesOf, explainTable, nothing, numberOf, vector } from './explained'

export interface PermutationImportanceOptions {
  /** A Keras metric by name, a metric, or a function (yTrue, yPred) → values. Default: the compiled loss. */
  readonly metric?: MetricIdentifier | null
  /** Whether higher is better. Default: known for metrics; a loss or a function counts as an error. */
  readonly greaterIsBetter?: boolean | null
  /** The number of shuffles per feature. Default 5. */
  readonly repeats?: number
  /** Determines the shuffles. Default: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
  /** Rows per batch of a prediction. Default 256. */
  readonly batchSize?: number
  /** Aborts between two batches; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** How much worse a model gets without a feature. */
export interface Importance<In = Tensor> {
  /** The loss of score when the feature is shuffled, the mean over the repeats; [features] for each input. */
  readonly importances: In
  /** Its standard deviation over the repeats. */
  readonly deviations: In
  /** The score of the unshuffled data. */
  readonly score: number
}

const metricKind = custom<MetricIdentifier>(
  (value, where) => {
    if (typeof value === 'string' || typeof value === 'function' || value instanceof Metric)
      return value as MetricIdentifier
    throw new ArgumentError(
      `${where} must be the name of a metric, a metric, or a function (yTrue, yPred) → values, received ${quoted(value)}`,
    )
  },
  () => null,
)

const importanceTable = () => ({
  metric: option(nullable(metricKind), null),
  greaterIsBetter: option(nullable(boolean), null),
  repeats: option(tableSize(), 5),
  seed: option(nullable(integer()), null),
  batchSize: option(count, 256),
  signal: explainTable().signal,
})

/** Scores a model on inputs; sign 1 means higher is better. */
interface Scorer {
  readonly sign: 1 | -1
  of(inputs: readonly Tensor[]): Promise<number>
}

/**
 * How much worse a model gets when one feature is shuffled among the rows: the score of the data minus the score with
 * the feature in random order, averaged over several shuffles. The features are the elements of the last axis of each
 * input; those of a sequence or image are shuffled jointly at all steps or places. Strings are shuffled as a whole: a
 * text is one feature.
 *
 *   const { importances } = await permutationImportance(model, x, y, { metric: 'accuracy', repeats: 10, seed: 1 })
 *
 * A table model takes rows of its table, and the name of the target in place of y: the importances are by column.
 *
 * Correlated features share their importance, because the model reads one while the other is shuffled. The cost is a
 * prediction of all rows for each feature and repeat.
 * @returns the importances: 0 for a feature without effect, else by how much the score gets worse
 * @throws StateError without a metric, where the model was not compiled with a loss; ArgumentError for an unknown metric
 * Breiman 2001, "Random forests"; Fisher et al. 2019. scikit-learn: `permutation_importance`.
 */
export async function permutationImportance<In, Out>(
  model: Model<In, Out>,
  x: DataOf<In> | Iterable<TableRow>,
  y: TargetsOf<Out> | string,
  options: PermutationImportanceOptions = {},
): Promise<Importance<In>> {
  requireArguments('permutationImportance', arguments, 4)
  const { repeats, seed, ...settings } = readTyped('permutationImportance', importanceTable(), options)
  const given = await dataFor('permutationImportance', model, x, y)
  const explained = Explained.read(
    'permutationImportance',
    model,
    typed<DataOf<In>>(given.x),
    { output: nothing, logits: false, batchSize: settings.batchSize, signal: settings.signal },
    'rows',
  )
  const scorer = scorerOf(explained, typed(model), given.y, settings)
  const score = await scorer.of(explained.inputs)
  const key = seed ?? nextSeed()
  const order = new Int32Array(explained.size)
  let drawn = 0
  const [means, deviations]: [Tensor[], Tensor[]] = [[], []]
  for (let i = 0; i < explained.inputs.length; i++) {
    const features = explained.inputs[i]!.shape.slice(1).at(-1) ?? 1
    const worse = Array.from({ length: features }, () => new Float64Array(repeats))
    for (let feature = 0; feature < features; feature++) {
      for (let repeat = 0; repeat < repeats; repeat++) {
        permute(order, explained.size, permutationKey(threefry2x32(key, 0, drawn++, 3)[0]))
        const shuffled = explained.inputs.map((input, at) =>
          at === i ? withShuffled(input, feature, features, order) : input,
        )
        worse[feature]![repeat] = scorer.sign * (score - (await scorer.of(shuffled)))
        await explained.turn()
      }
    }
    const mean = worse.map((each) => each.reduce((sum, x) => sum + x, 0) / repeats)
    means.push(vector(mean))
    deviations.push(
      vector(worse.map((each, f) => Math.sqrt(each.reduce((sum, x) => sum + (x - mean[f]!) ** 2, 0) / repeats))),
    )
  }
  return { importances: explained.treeOf(means), deviations: explained.treeOf(deviations), score }
}

/** The input with one feature permuted among the rows. */
function withShuffled(input: Tensor, feature: number, features: number, order: Int32Array): Tensor {
  const { data, shape, dtype } = input
  if (input instanceof StringTensor)
    return new StringTensor(shuffled(input.strings, [...input.strings], feature, features, order), shape)
  return new Tensor(shuffled(data, data.slice(), feature, features, order), shape, dtype)
}

/** Writes one feature into `copy`, each row's value from the row that `order` gives. */
function shuffled<Element, Copy extends { [at: number]: Element }>(
  elements: ArrayLike<Element>,
  copy: Copy,
  feature: number,
  features: number,
  order: Int32Array,
): Copy {
  const width = elements.length / order.length
  for (let row = 0; row < order.length; row++) {
    const from = order[row]! * width
    for (let at = feature; at < width; at += features) copy[row * width + at] = elements[from + at]!
  }
  return copy
}

function scorerOf(
  explained: Explained,
  model: Model<unknown, unknown>,
  y: unknown,
  {
    metric: wanted,
    greaterIsBetter,
    batchSize,
  }: {
    readonly metric: MetricIdentifier | null
    readonly greaterIsBetter: boolean | null
    readonly batchSize: number
  },
): Scorer {
  if (wanted === null) {
    return {
      sign: -1,
      of: async (inputs) =>
        (await model.evaluate(typed(unflatten(explained.form, inputs)), typed(y), { batchSize }))['loss']!,
    }
  }
  const targets = toTensor(y as TensorLike, 'y')
  if (targets.shape[0] !== explained.size)
    throw new ShapeError(
      `x and y must have the same number of rows, received ${explained.size} and ${targets.shape[0] ?? 0}`,
    )
  let metric: Metric | null = wanted instanceof Metric ? wanted : null
  const better = greaterIsBetter ?? isBetterWhenGreater(wanted)
  return {
    sign: better ? 1 : -1,
    async of(inputs) {
      const predictions = await model.predict(typed(unflatten(explained.form, inputs)), { batchSize })
      if (!(predictions instanceof Tensor))
        throw new ArgumentError(
          `permutationImportance: ${model} has several outputs, which one metric cannot score. Leave out metric to use the loss of all outputs.`,
        )
      metric ??= getMetric(wanted, { target: targets.shape, output: predictions.shape })
      const used = metric
      used.resetState()
      const [result] = explained.run(`metric ${numberOf(used)}`, [targets, predictions], ([yTrue, yPred]) => {
        used.apply(yTrue!, yPred!)
        return [used.result()]
      })
      if (result!.size !== 1)
        throw new ArgumentError(
          `permutationImportance: the metric must return one number, ${used.name} returns ${formatShape(result!.shape)}`,
        )
      return result!.item()
    },
  }
}

/** Whether higher is better, by the metric's class or name. */
function isBetterWhenGreater(metric: MetricIdentifier): boolean {
  if (typeof metric === 'function') return false
  const name = typeof metric === 'string' ? metric : classNameOf(metric as object)
  return isScore(name) ?? true
}

export interface PartialDependenceOptions<Out = Tensor> extends ExplainOptions<Out> {
  /**
   * The number of evenly spaced values between the feature's 5th and 95th percentile, or the values themselves. Default
   * 20.
   */
  readonly grid?: number | ArrayLike<number>
}

/** How the output depends on one feature. */
export interface PartialDependence {
  /** The values of the feature, [grid]. */
  readonly grid: Tensor
  /** The output for each value, averaged over all rows, [grid]. */
  readonly average: Tensor
  /** The output for each value and row, [rows, grid]. */
  readonly individual: Tensor
}

/** A feature of one of several inputs. */
export interface FeatureOfInput {
  /** The name or the position of the input. */
  readonly input: string | number
  /** The position of the feature. */
  readonly index: number
}
/** A feature by its position; with several inputs, together with the input's name or position. */
export type Feature = number | FeatureOfInput

const dependenceTable = () => ({
  ...explainTable(),
  grid: option(
    custom<number | Float32Array>(
      (value, where) => {
        if (typeof value === 'number') return tableSize(2).read(value, where)
        const values = toTensor(value as TensorLike, where, 'float32')
        requireNumbers(values, where)
        if (values.rank === 1 && values.size > 0) return values.data as Float32Array
        throw new ArgumentError(
          `${where} must be a number of values, or a list of them, received ${formatShape(values.shape)}`,
        )
      },
      () => null,
    ),
    20,
  ),
})

/**
 * How the output depends on one feature: the feature is set to each value of a grid in all rows, while the others keep
 * their values. `average` is the partial dependence; `individual` has one curve per row (ICE), which shows where rows
 * differ.
 *
 *   const { grid, average } = await partialDependence(model, x, 3, { output: 0 })
 *
 * @param feature its position along the last axis
 * @throws ArgumentError for a feature that does not exist, and if one of several outputs must be chosen
 * Friedman 2001; Goldstein et al. 2015. scikit-learn: `partial_dependence`.
 */
export async function partialDependence<In, Out>(
  model: Model<In, Out>,
  x: DataOf<In>,
  feature: Feature,
  options: PartialDependenceOptions<Out> = {},
): Promise<PartialDependence> {
  requireArguments('partialDependence', arguments, 4)
  const { grid: wanted, ...settings } = readTyped('partialDependence', dependenceTable(), options)
  const explained = Explained.read('partialDependence', model, x, settings, 'numbers')
  if (settings.output === null && explained.width > 1) {
    throw new ArgumentError(
      `partialDependence: ${model} has ${explained.width} outputs. Choose one: output: 0 … ${explained.width - 1}, or a function of the outputs.`,
    )
  }
  const { input, index } = placeOf(explained, feature)
  const { shape, dtype } = explained.inputs[input]!
  const width = shape.slice(1).at(-1) ?? 1
  const grid = typeof wanted === 'number' ? spaced(explained.inputs[input]!, index, width, wanted) : wanted
  const values = new Tensor(grid, [grid.length], 'float32')
  const here = new Tensor(
    Float32Array.from({ length: width }, (_, i) => Number(i === index)),
    [width],
    'float32',
  )
  const individual = new Float32Array(explained.size * grid.length)
  for await (const range of explained.ranges(grid.length)) {
    const [scores] = explained.run(`${input}`, [...explained.parametersOf(range), values, here], (symbols) => {
      const { units, inputs, rest } = explained.split(symbols)
      const [values, here] = rest as [Tensor, Tensor]
      const given = inputs.map((each, i) => {
        if (i !== input) return copiesOf(each, grid.length, 1)
        const set = cast(reshape(values, [1, grid.length, ...each.shape.slice(1).map(() => 1)]), dtype)
        const mixed = choose(cast(here, 'bool'), set, expandDims(each, 1))
        return reshape(mixed, [range.count * grid.length, ...each.shape.slice(1)])
      })
      return [explained.score(explained.call(given), units === null ? null : copiesOf(units, grid.length, 1))]
    })
    individual.set(scores!.data as Float32Array, range.start * grid.length)
  }
  const average = Float32Array.from(grid, (_, g) => {
    let sum = 0
    for (let row = 0; row < explained.size; row++) sum += individual[row * grid.length + g]!
    return sum / explained.size
  })
  return {
    grid: values,
    average: vector(average),
    individual: new Tensor(individual, [explained.size, grid.length], 'float32'),
  }
}

/** The input and the position along its last axis. */
function placeOf(explained: Explained, feature: Feature): { input: number; index: number } {
  const { form, rows, where } = explained
  const names = pathsOf(form).map(pathName)
  const record = isBranch(feature) ? feature : { input: 0, index: feature as unknown }
  if (!isBranch(feature) && rows.length > 1) {
    throw new ArgumentError(
      `${where}: there are several inputs. Choose one: { input: ${quoted(names[0])}, index: 0 }. The inputs are: ${names.join(', ')}`,
    )
  }
  const name: unknown = Reflect.get(record, 'input')
  const input = typeof name === 'number' ? name : names.indexOf(knownName(String(name), names) ?? '')
  if (rows[input] === undefined) {
    if (typeof name === 'number')
      throw new ArgumentError(`${where}: the input must be an index in 0 … ${rows.length - 1}, received ${name}`)
    throw unknownName(`input of ${explained.model}`, String(name), names)
  }
  const at = explained.placeOf(input)
  if (at === null)
    throw new ArgumentError(
      `${where}: ${explained.nameOf(input)} has strings, and a grid needs numbers. Choose a numeric input, or use permutationImportance.`,
    )
  const width = rows[input].shape.slice(1).at(-1) ?? 1
  const index: unknown = Reflect.get(record, 'index')
  if (typeof index === 'number' && Number.isInteger(index) && index >= -width && index < width)
    return { input: at, index: index < 0 ? index + width : index }
  throw new ArgumentError(`${where}: the feature must be an index in 0 … ${width - 1}, received ${quoted(index)}`)
}

/** Evenly spaced values between the 5th and 95th percentile of a feature, rounded for integers. */
function spaced({ data, dtype }: Tensor, index: number, width: number, count: number): Float32Array {
  const sorted = Float32Array.from({ length: data.length / width }, (_, i) => data[i * width + index]!).sort()
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!
  const [low, high] = [at(0.05), at(0.95)]
  const values = Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))
  return dtype === 'float32' ? values : Float32Array.from(new Set(values.map(Math.round)))
}
