// Metrics that are the weighted sum or mean of a value per sample.

import { merged } from '../core/merged'
import {
  configured,
  functionKind,
  required,
  type ConfiguredClass,
  type OptionInputs,
  type OptionTable,
  type ValuesOf,
  type InOrder,
} from '../core/options'
import { asTensor, tensorOrNothing, type TensorLike } from '../ops/convert'
import { cast, multiply, sqrt } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import { broadcastTo, full } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { membersOf } from '../losses/loss'
import { alignRanks, divideNoNan, requireBeside } from '../losses/sample-weights'
import { Metric, accumulate, metricOptions, tensorsOf, type Batch } from './metric'

/** How axes are reduced: mean or sum. */
type Average = typeof mean

function overAxesFrom(average: Average, x: Tensor, first: number): Tensor {
  if (x.rank <= first) return x
  return average(x, { axis: Array.from({ length: x.rank - first }, (_, i) => first + i) })
}

/** The arguments of `updateState` of Mean and Sum after the values. The last one is the weights. */
type Weights = [sampleWeightOrPrediction?: TensorLike | null, sampleWeight?: TensorLike | null | undefined]

/** One value and one weight per sample: values [batch, …] or [], weights [batch, …] → [batch], [batch]. */
function read(
  metric: Metric,
  batch: TensorLike,
  sampleWeight: TensorLike | null | undefined,
  average: Average,
): { values: Tensor; weights: Tensor } {
  const values = cast(asTensor(batch, metric.name), 'float32')
  const sampleWeights = tensorOrNothing(sampleWeight, 'sampleWeight')
  if (sampleWeights === undefined) {
    const each = overAxesFrom(average, values, 1)
    return { values: each, weights: full(each.shape, 1) }
  }
  requireBeside('sampleWeight', values, sampleWeights)
  const [aligned, weights] = alignRanks(values, cast(sampleWeights, 'float32'))
  // A single number for all samples is repeated for each.
  const reduced =
    aligned.rank === 0 ? broadcastTo(aligned, weights.shape) : overAxesFrom(average, aligned, weights.rank)
  const broad = broadcastTo(weights, reduced.shape)
  return { values: overAxesFrom(average, multiply(reduced, broad), 1), weights: overAxesFrom(average, broad, 1) }
}

/**
 * Σ weight · value
 * @example
 * const total = new metrics.Sum()
 * total.update([1, 2])
 * total.update(4)
 * total.result()   // 7
 */
export class Sum extends Metric {
  static readonly className: string = 'Sum'
  protected readonly total: Variable = this.addVariable('total')

  /** Adds values. Outside of compile(), call it with the values alone. */
  update(values: TensorLike, sampleWeight?: TensorLike | null): void {
    accumulate(this.total, sum(read(this, values, sampleWeight, sum).values))
  }

  /** Adds values with weights, as in Keras, or the targets and weights of a batch that compile() gives. */
  updateState(values: TensorLike, ...weights: Weights): void {
    this.update(values, weights.at(-1))
  }

  result(): Tensor {
    return this.total.value
  }
}

/**
 * Σ weight · value / Σ weight
 * @example
 * const mean = new metrics.Mean()
 * mean.update([1, 2])
 * mean.update(6)
 * mean.result()   // 3
 */
export class Mean extends Sum {
  static override readonly className: string = 'Mean'
  protected readonly count: Variable = this.addVariable('count')

  override update(values: TensorLike, sampleWeight?: TensorLike | null): void {
    const each = read(this, values, sampleWeight, mean)
    accumulate(this.total, sum(each.values))
    // Without weights the count is a constant of the trace.
    accumulate(this.count, sampleWeight == null ? full([], each.values.size) : sum(each.weights))
  }

  /** Adds the mean of `count` values; traced. @internal */
  addMean(mean: Tensor, count: number | Tensor): void {
    accumulate(this.total, multiply(mean, count))
    accumulate(this.count, typeof count === 'number' ? full([], count) : count)
  }

  override result(): Tensor {
    return divideNoNan(this.total.value, this.count.value)
  }

  /**
   * The value of metric.result() from the current sums, without a program; null if that is not possible. Making a program
   * for one division would take as long as a hundred steps. @internal
   */
  static resultNow(metric: Metric): number | null {
    if (!(metric instanceof Mean) || metric.result !== Mean.prototype.result) return null
    const count = metric.count.view[0]!
    return count === 0 ? 0 : Math.fround(metric.total.view[0]! / count)
  }
}

/** The weighted mean of the values that `values` computes for each sample. */
export abstract class MeanOfValues extends Mean {
  /** yTrue, yPred [batch, …] → [batch, …] */
  protected abstract values(yTrue: Tensor, yPred: Tensor): Tensor

  override updateState(...batch: Batch): void {
    const [y, p, weights] = tensorsOf(...batch)
    this.update(this.values(y, p), weights)
  }
}

const MeanMetricWrapperBase = (configured as InOrder<['fn', 'name', 'dtype']>)(MeanOfValues, () => ({
  /** Gives a value for each sample, or several, from targets and predictions. */
  fn: required(functionKind<(yTrue: Tensor, yPred: Tensor) => Tensor>('that a MeanMetricWrapper calls')),
}))

/**
 * The mean of a function of targets and predictions. The function is saved by its name, and
 * `loadModel(bytes, { customObjects: { worst } })` finds it again; a function without a name cannot be saved.
 * @example
 * const worst = new metrics.MeanMetricWrapper((y, p) => ops.max(ops.abs(ops.subtract(y, p)), 1))
 * worst.apply([[1, 2]], [[1, 4]])
 * worst.result()   // 2
 */
export class MeanMetricWrapper extends MeanMetricWrapperBase {
  static override readonly className: string = 'MeanMetricWrapper'

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.fn(yTrue, yPred)
  }
}

/** The mean of a function of the library. `meanOf` makes classes of it. */
export abstract class MeanOfFormula extends MeanOfValues {
  declare protected readonly formula: (yTrue: Tensor, yPred: Tensor, options: object) => Tensor

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return this.formula(yTrue, yPred, this)
  }
}

/**
 * The base of the metric class for the mean of a function, such as the function of a loss.
 * @param table the options of the function; without it, the function takes only targets and predictions
 */
/* @__NO_SIDE_EFFECTS__ */
export function meanOf<
  Table extends OptionTable = Readonly<Record<never, never>>,
  const Names extends readonly string[] = [],
>(
  formula: (yTrue: Tensor, yPred: Tensor, options?: NoInfer<OptionInputs<Table>>) => Tensor,
  table?: Table,
  positional?: Names,
): ConfiguredClass<typeof MeanOfFormula, Table, Names>
/* @__NO_SIDE_EFFECTS__ */
export function meanOf(
  formula: (yTrue: Tensor, yPred: Tensor, options?: never) => Tensor,
  table?: OptionTable,
  positional?: readonly string[],
): object {
  // Keras's order: the options of all metrics come first.
  const declare = (): OptionTable => merged(metricOptions(), table ?? {})
  return configured(MeanOfFormula, declare, positional, membersOf(formula, table))
}

/** The type of `meanOf` for a class whose positional options are the first of its table, see `InOrder`. */
export type MeanInOrder<Names extends readonly string[]> = <Table extends OptionTable = Readonly<Record<never, never>>>(
  formula: (yTrue: Tensor, yPred: Tensor, options?: NoInfer<OptionInputs<Table>>) => Tensor,
  table?: Table,
) => ConfiguredClass<typeof MeanOfFormula, Table, Names>

/** `meanOf` for a formula that takes the values of all options. `declare` lists all options, also those of metrics, in Keras's order. */
/* @__NO_SIDE_EFFECTS__ */
export function meanOfOptions<Table extends OptionTable, const Names extends readonly string[] = []>(
  formula: (yTrue: Tensor, yPred: Tensor, options: ValuesOf<Table>) => Tensor,
  declare: () => Table,
): ConfiguredClass<typeof MeanOfFormula, Table, Names> {
  return configured<typeof MeanOfFormula, Table, Names>(MeanOfFormula, declare, undefined, { formula })
}

/** The type of `meanOfOptions` for a class whose positional options are the first of its table, see `InOrder`. */
export type OptionsInOrder<Names extends readonly string[]> = <Table extends OptionTable>(
  formula: (yTrue: Tensor, yPred: Tensor, options: ValuesOf<Table>) => Tensor,
  declare: () => Table,
) => ConfiguredClass<typeof MeanOfFormula, Table, Names>

/** √ of a mean. */
export abstract class RootMean extends MeanOfValues {
  override result(): Tensor {
    return sqrt(super.result())
  }
}
