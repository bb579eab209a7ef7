// Metric: sums over batches, and a result computed from them. The state is in linear memory, so that the training
// step's tape updates it.

import { requireArguments } from '../core/arguments'
import { allocateData, type DType } from '../core/dtypes'
import { ShapeError, checkOptions, formatShape, restating } from '../core/errors'
import {
  Configured,
  choice,
  configured,
  nullable,
  option,
  optionFrom,
  text,
  type OptionInputs,
  type InOrder,
} from '../core/options'
import { camelCase, classNameOf } from '../core/registry'
import { sameShape, sizeOf, type Shape } from '../core/shapes'
import type { InitializerIdentifier } from '../parts/initializers'
import { initializers } from '../parts/initializers/registry'
import { alignRanks, applyMask, expandTo, requireBeside } from '../losses/sample-weights'
import { asTensor, tensorOrNothing, type TensorLike } from '../ops/convert'
import { add, cast } from '../ops/numpy/elementwise'
import { broadcastTo } from '../ops/numpy/shape'
import { stateless } from '../ops/stateless'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { currentRuntime, withRuntime } from '../engine/runtime/current'

/** The options of all metrics. */
const metricRows = () => ({
  /** The key in logs. Default: from the class. */
  name: optionFrom<string, string | null>(text, (metric) => camelCase(classNameOf(metric))),
  /** Metrics are computed in float32. */
  dtype: option(nullable(choice('float32')), null),
})
type MetricRows = ReturnType<typeof metricRows>
export type MetricTable = { [Name in keyof MetricRows]: MetricRows[Name] }
export const metricOptions: () => MetricTable = metricRows
export type MetricOptions = OptionInputs<ReturnType<typeof metricOptions>>

/** The options of a variable of a metric. */
export interface MetricVariableOptions {
  /** Default 'variable'. */
  readonly name?: string
  /** Default [], a scalar. */
  readonly shape?: Shape
  /** The values at the beginning. Default null: zeros. */
  readonly initializer?: InitializerIdentifier | null
  /** Default float32. */
  readonly dtype?: DType | null
}

const MetricBase = (configured as InOrder<['name', 'dtype']>)(Configured, metricOptions)

/**
 * For a custom metric, subclass it, add variables in the constructor, and write `updateState` and `result` with
 * ops.
 */
export abstract class Metric extends MetricBase {
  readonly variables: Variable[] = []
  private readonly runtime = currentRuntime()

  /** Adds one batch of tensors; subclasses implement it. The metrics of the library also take arrays. `apply` also takes a mask. */
  abstract updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void

  /**
   * The metric over all batches since the last reset. In logs, a scalar has the metric's name; a vector (thresholds or
   * classes) has one entry per element, `name_0`, `name_1`, …; a matrix is omitted.
   */
  abstract result(): Tensor

  /**
   * Adds one batch, like a loss: aligns the ranks of targets and predictions ([batch] becomes [batch, 1]), and gives
   * masked elements the weight 0. null means no weights, or no mask. Errors begin with the metric's name.
   */
  apply(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null, mask?: TensorLike | null): void {
    requireArguments('apply', arguments, 4)
    restating(
      (message) => `Metric '${this.name}': ${message}`,
      () => {
        const [y, p, weights] = tensorsOf(yTrue, yPred, sampleWeight)
        const held = tensorOrNothing(mask, 'mask')
        if (held !== undefined) requireBeside('mask', p, held)
        this.updateState(y, p, applyMask(weights, held, 'sum'))
      },
    )
  }

  /**
   * A variable that starts at zeros or at the values of an initializer, and is reset to zeros.
   *
   *   total = this.addVariable('total')
   *   counts = this.addVariable({ name: 'counts', shape: [3], initializer: 'zeros' })
   */
  protected addVariable(name: string | MetricVariableOptions, shape: Shape = []): Variable {
    const options = typeof name === 'string' ? { name, shape } : name
    const { dtype, initializer = null } = options
    checkOptions(`${this.name}: addVariable`, options, ['name', 'shape', 'initializer', 'dtype'])
    const variable = withRuntime(
      // The variable is created in the runtime of the other variables, even if configure() has changed the runtime since.
      this.runtime,
      () =>
        new Variable(options.shape ?? [], {
          name: `${this.name}/${options.name ?? 'variable'}`,
          trainable: false,
          dtype: dtype ?? 'float32',
        }),
    )
    if (initializer !== null) variable.assign(initializers.get(initializer).call(variable.shape))
    this.variables.push(variable)
    return variable
  }

  /** The same as `addVariable`. Keras: `Metric.add_weight`. */
  protected addWeight(options: MetricVariableOptions = {}): Variable {
    return this.addVariable(options)
  }

  resetState(): void {
    requireArguments('resetState', arguments, 0)
    for (const variable of this.variables) variable.view.fill(0)
  }

  /** The values of `variables` after `resetState`, without a change of the metric. Keras: `stateless_reset_state`. */
  statelessResetState(): Tensor[] {
    return this.variables.map(({ shape, dtype }) => new Tensor(allocateData(dtype, sizeOf(shape)), shape, dtype))
  }

  /**
   * The values of `variables` after a batch, without a change of the metric: `updateState` as a function for `jit`.
   *
   *   let state = metric.statelessResetState()
   *   for (const [y, yPred] of batches) state = metric.statelessUpdateState(state, y, yPred)
   *   const accuracy = metric.statelessResult(state)
   *
   * Keras: `Metric.stateless_update_state`.
   * @param batch what `updateState` takes
   */
  statelessUpdateState(
    metricVariables: readonly TensorLike[],
    ...batch: readonly (TensorLike | null | undefined)[]
  ): Tensor[] {
    const tensors = batch.map((each) => tensorOrNothing(each, this.name))
    // A metric of the user may take other arguments than its base, so their types are unknown.
    return this.within(metricVariables, () => Reflect.apply(this.updateState, this, tensors))[1]
  }

  /** The result that the metric has with these values of `variables`. Keras: `Metric.stateless_result`. */
  statelessResult(metricVariables: readonly TensorLike[]): Tensor {
    return this.within(metricVariables, () => resultOf(this))[0]
  }

  private within<Result>(values: readonly TensorLike[], body: () => Result): [Result, Tensor[]] {
    return stateless(`Metric '${this.name}': metricVariables`, this.variables, values, body)
  }
}

/** The result of a metric as a tensor. The result of a user's metric may be a variable. */
export function resultOf(metric: Metric): Tensor {
  return asTensor(metric.result(), `Metric '${metric.name}': the result`)
}

/** The arguments of `updateState`: tensors, or arrays, as in Keras. */
export type Batch = [yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null]

/** A batch as tensors; targets and predictions of aligned ranks. */
export function tensorsOf(
  yTrue: TensorLike,
  yPred: TensorLike,
  sampleWeight?: TensorLike | null,
): [y: Tensor, p: Tensor, weights: Tensor | undefined] {
  return [
    ...alignRanks(asTensor(yTrue, 'yTrue'), asTensor(yPred, 'yPred')),
    tensorOrNothing(sampleWeight, 'sampleWeight'),
  ]
}

/** The base of metrics of the library, whose `updateState` takes arrays, too. */
export abstract class BatchMetric extends Metric {
  /** Adds a batch of tensors of aligned ranks. */
  protected abstract update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void

  updateState(...batch: Batch): void {
    this.update(...tensorsOf(...batch))
  }
}

/** variable ← variable + x */
export function accumulate(variable: Variable, x: Tensor): void {
  variable.assign(add(variable.value, x))
}

/**
 * Targets and predictions as rows, [batch, outputs].
 * @param known the number of outputs in earlier batches
 * @returns the number of outputs
 * @throws ShapeError for other shapes
 */
export function requireRows(yTrue: Tensor, yPred: Tensor, known?: number): number {
  const outputs = yPred.shape[1]
  if (yPred.rank === 2 && sameShape(yTrue.shape, yPred.shape) && outputs === (known ?? outputs)) return outputs!
  throw wrongPair(`[batch, ${known ?? 'outputs'}]`, yTrue, yPred)
}

/** @throws ShapeError if the shapes differ: targets would be broadcast and counted several times */
export function requireAlike(yTrue: Tensor, yPred: Tensor): void {
  if (!sameShape(yTrue.shape, yPred.shape)) throw wrongPair('of one shape', yTrue, yPred)
}

function wrongPair(expected: string, yTrue: Tensor, yPred: Tensor): ShapeError {
  const areNumbers =
    yTrue.rank < yPred.rank || (yTrue.rank === yPred.rank && yTrue.shape.at(-1) === 1 && yPred.shape.at(-1) !== 1)
  const hint = areNumbers ? ' Class numbers must be made one-hot rows.' : ''
  return new ShapeError(
    `targets and predictions must be ${expected}, received ${formatShape(yTrue.shape)} and ${formatShape(yPred.shape)}.${hint}`,
  )
}

/** Weights of samples or of elements, in the shape of x; null for equal weights. */
export function weightsLike(x: Tensor, sampleWeight: Tensor | undefined): Tensor | null {
  if (sampleWeight === undefined) return null
  requireBeside('sampleWeight', x, sampleWeight)
  const [, weights] = alignRanks(x, cast(sampleWeight, 'float32'))
  return broadcastTo(expandTo(weights, x.rank), x.shape)
}
