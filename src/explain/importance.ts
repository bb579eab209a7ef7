// Global importance of a feature over many rows: how much worse the model gets when the feature is shuffled. How its output
// depends on the feature is in dependence.ts.

import { numberOf } from '../core/numbers'
import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, formatShape, quoted } from '../core/errors'
import { boolean, count, custom, integer, nullable, option, readOptions, tableSize } from '../core/options'
import { permutationKey, permute } from '../core/permute'
import { classNameOf } from '../core/registry'
import { threefry2x32 } from '../core/threefry'
import { unflatten } from '../core/tree'
import type { TargetsOf } from '../data/samples/data-types'
import type { MetricFunction, MetricIdentifier } from '../metrics'
import { isScore } from '../metrics/direction'
import { Metric } from '../metrics/metric'
import { getMetric } from '../metrics/registry'
import type { Model } from '../models/model'
import { dataFor } from '../tables/model-rows'
import type { ClassValue, TableModel } from '../tables/table-model'
import { nextSeed } from '../ops/random/seed'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import type { CheckingModel } from '../training/checking-model'
import { Explained, explainTable, nothing, vector, type AnswerOf, type RowsOf } from './explained'
import { tensorFrom } from './user-data'

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

const isMetricFunction = (value: unknown): value is MetricFunction => typeof value === 'function'

const metricKind = custom<MetricIdentifier>(
  (value, where) => {
    if (typeof value === 'string' || isMetricFunction(value) || value instanceof Metric) return value
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

/** The targets. A TableModel also takes the values of classes, or the name of its target, which is a column of the rows. */
export type TargetsFor<Kind, Out> = Kind extends TableModel
  ? TargetsOf<Out> | readonly ClassValue[] | string | null
  : TargetsOf<Out>

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
 * A TableModel takes rows of its table, and the name of the target in place of y: the importances are by column, each [1].
 *
 *   const { importances } = await permutationImportance(model, rows, 'survived')   // { age: Tensor [1], … }
 *
 * Correlated features share their importance, because the model reads one while the other is shuffled. The cost is a
 * prediction of all rows for each feature and repeat.
 * @returns the importances: 0 for a feature without effect, else by how much the score gets worse
 * @throws StateError without a metric, where the model was not compiled with a loss; ArgumentError for an unknown metric
 * Breiman 2001, "Random forests"; Fisher et al. 2019. scikit-learn: `permutation_importance`.
 */
export async function permutationImportance<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  y: TargetsFor<Kind, Out>,
  options: PermutationImportanceOptions = {},
): Promise<Importance<AnswerOf<Kind, In>>> {
  requireArguments('permutationImportance', arguments, 4)
  const { repeats, seed, ...settings } = readOptions('permutationImportance', importanceTable(), options)
  const data = await dataFor('permutationImportance', model, x, y)
  const explained = Explained.read(
    'permutationImportance',
    model,
    data.x,
    { output: nothing, logits: false, batchSize: settings.batchSize, signal: settings.signal },
    'rows',
  )
  const scorer = scorerOf(explained, model, data.y, settings)
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
  model: CheckingModel,
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
      of: async (inputs) => (await model.evaluate(unflatten(explained.form, inputs), y, { batchSize }))['loss']!,
    }
  }
  const targets = tensorFrom(y, 'y')
  if (targets.shape[0] !== explained.size)
    throw new ShapeError(
      `x and y must have the same number of rows, received ${explained.size} and ${targets.shape[0] ?? 0}`,
    )
  let metric: Metric | null = wanted instanceof Metric ? wanted : null
  const better = greaterIsBetter ?? isBetterWhenGreater(wanted)
  return {
    sign: better ? 1 : -1,
    async of(inputs) {
      const predictions = await model.predict(unflatten(explained.form, inputs), { batchSize })
      if (!(predictions instanceof Tensor))
        throw new ArgumentError(
          `permutationImportance: ${explained.model} has several outputs, which one metric cannot score. Leave out metric to use the loss of all outputs.`,
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
