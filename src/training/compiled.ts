// What compile() chose: optimizer, loss, metrics. Metrics are made when the first targets are seen, because
// 'accuracy' depends on their shape.

import { ArgumentError, MyelinError, ShapeError, checkOptions, formatShape } from '../core/errors'
import type { LossIdentifier } from '../losses'
import { Loss } from '../losses'
import { getLoss } from '../losses/registry'
import type { MetricIdentifier } from '../metrics'
import { Mean, Metric } from '../metrics'
import type { TargetShapes } from '../metrics/registry'
import { getMetric } from '../metrics/registry'
import type { Tensor } from '../ops/tensor'
import type { Optimizer } from '../optimizers'
import type { OptimizerIdentifier } from '../optimizers/registry'
import { getOptimizer } from '../optimizers/registry'
import type { CustomObjects, Json, Serialized } from '../core/registry'
import { customObjectScope, serialize } from '../core/registry'
import type { Runtime } from '../runtime/runtime'

export interface CompileOptions {
  /** Default 'rmsprop'. */
  optimizer?: OptimizerIdentifier
  loss: LossIdentifier
  /** Reported during training and by evaluate. */
  metrics?: readonly MetricIdentifier[]
  /** Like metrics, but sample and class weights count. */
  weightedMetrics?: readonly MetricIdentifier[]
}

export class Compiled {
  readonly optimizer: Optimizer
  readonly loss: Loss
  readonly lossTracker = new Mean({ name: 'loss' })
  private metricList: Metric[] | null = null
  private weightedList: Metric[] | null = null
  private prepared: readonly Metric[] = []
  private knownNames: readonly string[] = []

  constructor(
    readonly options: CompileOptions,
    private readonly custom: CustomObjects = {},
  ) {
    checkOptions('compile', options, ['optimizer', 'loss', 'metrics', 'weightedMetrics'])
    for (const key of ['metrics', 'weightedMetrics'] as const) {
      if (options[key] === undefined || Array.isArray(options[key])) continue
      throw new ArgumentError(`compile: ${key} must be an array, for example ['accuracy'], received ${String(options[key])}`)
    }
    if (options.loss === undefined) throw new ArgumentError("compile: needs a loss, for example 'meanSquaredError'")
    this.optimizer = getOptimizer(options.optimizer ?? 'rmsprop')
    this.loss = getLoss(options.loss)
    // Names are checked now, though the metrics wait for the first targets.
    for (const identifier of [...(options.metrics ?? []), ...(options.weightedMetrics ?? [])]) {
      if (!(identifier instanceof Metric)) getMetric(identifier, { target: [1, 1], output: [1, 1] })
    }
  }

  /** Makes the metrics for targets and outputs of these shapes, once. */
  prepareMetrics(shapes: TargetShapes): void {
    const make = (identifiers: readonly MetricIdentifier[] = []): Metric[] =>
      customObjectScope(this.custom, () => identifiers.map((identifier) => getMetric(identifier, shapes)))
    if (this.metricList !== null) return
    this.metricList = make(this.options.metrics)
    this.weightedList = make(this.options.weightedMetrics)
    this.prepared = [this.lossTracker, ...this.metricList, ...this.weightedList]
  }

  /** Where the sums of the metrics are, and the steps run. */
  get runtime(): Runtime {
    return this.lossTracker.variables[0]!.runtime
  }

  /** The loss and all metrics, in the order of logs. */
  get all(): readonly Metric[] {
    return this.metricList === null ? [this.lossTracker] : this.prepared
  }

  /** The keys of logs: the metrics' names, told apart as Keras does. */
  get names(): readonly string[] {
    if (this.knownNames.length === this.all.length) return this.knownNames
    const names: string[] = []
    const plain = 1 + (this.metricList?.length ?? 0)
    this.all.forEach(({ name }, i) => {
      let key = name
      if (i >= plain && names.includes(key)) key = `weighted${key.charAt(0).toUpperCase()}${key.slice(1)}`
      for (let n = 1; names.includes(key); n++) key = `${name}_${n}`
      names.push(key)
    })
    this.knownNames = names
    return names
  }

  resetMetrics(): void {
    for (const metric of this.all) metric.resetState()
  }

  /** The results of all, where none of them needs a program. */
  resultsNow(): readonly number[] | null {
    const results: number[] = []
    for (const metric of this.all) {
      const result = Mean.resultNow(metric)
      if (result === null) return null
      results.push(result)
    }
    return results
  }

  /** The scalar loss of one batch; traced. */
  computeLoss(y: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): Tensor {
    const loss = this.loss.apply(y, yPred, sampleWeight)
    if (loss.size !== 1) {
      throw new ShapeError(
        `Loss '${this.loss.name}': must reduce to one number for training, received shape ${formatShape(loss.shape)}. Use reduction 'sumOverBatchSize' or 'sum'.`,
      )
    }
    return loss
  }

  /** Takes a batch into the loss tracker and the metrics; traced. */
  updateMetrics(loss: Tensor, y: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): void {
    this.lossTracker.addMean(loss, yPred.shape[0]!)
    for (const metric of this.metricList ?? []) named(metric, () => metric.apply(y, yPred))
    for (const metric of this.weightedList ?? []) named(metric, () => metric.apply(y, yPred, sampleWeight))
  }

  /** What save() writes; functions of the user's own by their name. */
  serialize(): Json {
    const named = (identifier: MetricIdentifier | LossIdentifier): Json => {
      if (typeof identifier === 'string') return identifier
      if (typeof identifier === 'function') return identifier.name
      if (identifier instanceof Metric || identifier instanceof Loss) return serialize(identifier)
      const { className, config }: Serialized = identifier
      return { className, config }
    }
    return {
      optimizer: serialize(this.optimizer),
      loss: named(this.options.loss),
      metrics: (this.options.metrics ?? []).map(named),
      weightedMetrics: (this.options.weightedMetrics ?? []).map(named),
    }
  }
}

/** Errors of a metric begin with its name. */
function named(metric: Metric, update: () => void): void {
  try {
    update()
  } catch (error) {
    if (error instanceof MyelinError) error.message = `Metric '${metric.name}': ${error.message}`
    throw error
  }
}
