// The state of compile(): the optimizer, and for each output a loss, its weight, and metrics. Losses and metrics are
// assigned to outputs when the first batch is traced, because 'accuracy' depends on shapes.

import { ArgumentError, ShapeError, quoted } from '../core/errors'
import {
  anything,
  autoOrBoolean,
  boolean,
  count,
  idle,
  nullable,
  option,
  readOptions,
  unchecked,
  unread,
  type ValuesOf,
} from '../core/options'
import {
  customObjectScope,
  inKerasForm,
  isSavedObject,
  isSerialized,
  nameToSave,
  serialize,
  type CustomObjects,
  type Json,
  type Serialized,
  isPlainFunction,
} from '../core/registry'
import type { Shape } from '../core/shapes'
import { childrenAt, flatten, flattenLike, inOrderOf, isBranch, isRecord, type Tree } from '../core/tree'
import { maskOf } from '../layers/masks'
import { Loss, type LossFunction, type LossIdentifier } from '../losses'
import { isOfFormula } from '../losses/loss'
import { getLoss, losses } from '../losses/registry'
import { UNKNOWN_SHAPES, type TargetShapes } from '../losses/targets'
import { Mean, Metric, type MetricIdentifier } from '../metrics'
import { dependsOnShapes, getMetric, metrics as metricClasses } from '../metrics/registry'
import { toTensor } from '../ops/convert'
import { add, cast, multiply } from '../ops/numpy/elementwise'
import { reshape } from '../ops/numpy/shape'
import { Tensor, shapeOrValue } from '../ops/tensor'
import { currentTrace, operandOf } from '../ops/trace'
import { areAlike } from '../ops/tried'
import { Variable, valueOf } from '../ops/variable'
import type { Optimizer } from '../optimizers'
import { getOptimizer, type OptimizerIdentifier } from '../optimizers/registry'
import type { Runtime, Storage } from '../engine/runtime/runtime'
import { withRuntime } from '../engine/runtime/current'
import type { Batch, ForwardResult, StepKind, StepLogs } from './batch'
import { compileEntries, lossEntries, metricEntries } from './entries'
import { valName } from './callbacks/names'

/**
 * One value for all outputs, a list with one for each, or a record by the outputs' names; null for an output without
 * one.
 */
export type PerOutput<Each> = Each | readonly (Each | null)[] | { readonly [output: string]: Each | null }

type LossWeights = number | readonly number[] | { readonly [output: string]: number }

export interface CompileOptions {
  /** Default 'rmsprop'. */
  optimizer?: OptimizerIdentifier
  /** The loss to minimise. Default null, for a model whose layers, `computeLoss` or `trainStep` define it. */
  loss?: PerOutput<LossIdentifier> | null
  /** The factor of each output's loss in the sum. Default 1. */
  lossWeights?: LossWeights | null
  /** Reported during training and by evaluate. */
  metrics?: MetricsOption
  /** Like metrics, but with sample and class weights. */
  weightedMetrics?: MetricsOption
  /** Changes nothing: every step is traced and compiled. true warns. Default false. */
  runEagerly?: boolean
  /** Changes nothing: callbacks see every step. Others than 1 warn. Default 1. */
  stepsPerExecution?: number
  /** Changes nothing: every step is compiled. false warns. Default 'auto'. */
  jitCompile?: 'auto' | boolean
  /** Changes nothing: numbers are float32, whose losses need no scale. false warns. Default true. */
  autoScaleLoss?: boolean
}

/** A list for a model with one output; lists or a record of lists, one for each output, for a model with several. */
export type MetricsOption =
  | readonly (MetricIdentifier | readonly MetricIdentifier[] | null)[]
  | { readonly [output: string]: MetricIdentifier | readonly MetricIdentifier[] | null }
  | null

const COMPILE_OPTIONS = {
  optimizer: option(anything, 'rmsprop'),
  loss: option(nullable(anything), null),
  lossWeights: option(nullable(unchecked<LossWeights>()), null),
  metrics: option(nullable(anything), null),
  weightedMetrics: option(nullable(anything), null),
  runEagerly: unread(
    idle(boolean, [false], "steps are compiled. configure({ backend: 'interpreter' }) avoids it"),
    false,
  ),
  stepsPerExecution: unread(idle(count, [1], 'callbacks see every step'), 1),
  jitCompile: unread(idle(autoOrBoolean, ['auto', true], 'steps are compiled'), 'auto'),
  autoScaleLoss: unread(idle(boolean, [true], 'float32 needs no scale'), true),
}

/** The loss and metrics of one output. */
interface OutputPlan {
  readonly name: string
  readonly loss: Loss | null
  readonly weight: number
  /** Only if several outputs have a loss. */
  readonly tracker: Mean | null
  readonly metrics: readonly Metric[]
  readonly weightedMetrics: readonly Metric[]
}

/** A metric with its key in logs. */
interface Logged {
  readonly key: string
  readonly metric: Metric
  /** Whether it is in a property of the model, and not of compile. */
  readonly isOwn?: boolean
}

export class Compiled {
  readonly optimizer: Optimizer
  readonly lossTracker = new Mean({ name: 'loss' })
  readonly options: ValuesOf<typeof COMPILE_OPTIONS>
  private plans: readonly OutputPlan[] | null = null
  /** The metrics that exist so far, by option, output and position in the output's list. */
  private readonly made = new Map<string, Metric>()
  /** Whether a step read `listed`: it then updates the metrics itself. */
  private isListed = false
  private readonly reported = new Map<string, Mean>()
  private readonly keptLogs: Readonly<Record<StepKind, Map<string, Variable>>> = { train: new Map(), test: new Map() }
  private logged: readonly Logged[] | null = null

  /**
   * @param outputNames the names of the model's outputs, in the order of flatten
   * @param ownMetrics the metrics in properties of the model
   * @param tracksLoss whether logs contain the loss from the first batch on; otherwise only if a step reports it
   */
  constructor(
    options: CompileOptions,
    private readonly outputNames: () => readonly string[],
    private readonly ownMetrics: () => readonly Metric[],
    private tracksLoss: boolean,
    readonly objects: CustomObjects,
  ) {
    const read = readOptions('compile', COMPILE_OPTIONS, options)
    const option = Object.keys(objects).find((name) => typeof objects[name] !== 'function')
    if (option)
      throw new ArgumentError(`compile: ${isRecord(objects) ? option : quoted(objects)} belongs in the first argument`)
    this.options = read
    this.optimizer = customObjectScope(objects, () => {
      // Names are checked now, although losses and metrics are assigned with the first batch.
      for (const identifier of leavesOf(read['loss'])) if (identifier !== null) getLoss(identifier, UNKNOWN_SHAPES)
      const logged = read['loss'] === null ? [] : ['loss']
      for (const key of ['metrics', 'weightedMetrics'] as const) {
        const identifiers = read[key]
        if (identifiers !== null && !isBranch(identifiers))
          throw new ArgumentError(
            `compile: ${key} must be an array, for example ['accuracy'], received ${String(identifiers)}`,
          )
        for (const identifier of leavesOf(identifiers)) {
          if (identifier !== null)
            logged.push((identifier instanceof Metric ? identifier : getMetric(identifier, UNKNOWN_SHAPES)).name)
        }
      }
      // Names of outputs are checked now, too, if the model is known.
      const names = outputNames()
      if (names.length > 0) compileEntries(this.options, names)
      // With several outputs, the names of their metrics begin with those of the outputs.
      if (names.length < 2) requireApart(logged)
      return getOptimizer(read['optimizer'])
    })
  }

  /** The runtime that holds the metrics' sums and runs the steps. */
  get runtime(): Runtime {
    return this.lossTracker.variables[0]!.runtime
  }

  /** The loss of each output; null for an output without one. */
  lossesFor(outputs: readonly Shape[], targets: readonly (Shape | null)[]): readonly (Loss | null)[] {
    if (this.plans !== null) return this.plans.map(({ loss }) => loss)
    const identifiers = lossEntries(this.options, this.namesOf(outputs.length))
    return customObjectScope(this.objects, () =>
      identifiers.map((loss, i) => (loss === null ? null : getLoss(loss, shapesAt(i, outputs, targets)))),
    )
  }

  /** Which of `count` outputs have a loss, and so need targets. */
  needed(count: number): readonly boolean[] {
    return lossEntries(this.options, this.namesOf(count)).map((loss) => loss !== null)
  }

  private namesOf(count: number): readonly string[] {
    const names = this.outputNames()
    return names.length === count
      ? names
      : Array.from({ length: count }, (_, i) => (count === 1 ? 'output' : `output${i}`))
  }

  /** Assigns losses and metrics to outputs and targets of these shapes, once. */
  private prepare(outputs: readonly Shape[], targets: readonly (Shape | null)[]): readonly OutputPlan[] {
    if (this.plans !== null) return this.plans
    const names = this.namesOf(outputs.length)
    const make = (): OutputPlan[] => {
      const losses = this.lossesFor(outputs, targets)
      const { weights, metrics, weightedMetrics } = compileEntries(this.options, names)
      const tracks = losses.filter((loss) => loss !== null).length > 1
      return names.map((name, i) => {
        const shapes = shapesAt(i, outputs, targets)
        return {
          name,
          loss: losses[i]!,
          weight: weights[i]!,
          tracker: tracks && losses[i] !== null ? new Mean({ name: `${name}Loss` }) : null,
          metrics: this.metricsOf(`metrics ${i}`, metrics[i]!, shapes),
          weightedMetrics: this.metricsOf(`weightedMetrics ${i}`, weightedMetrics[i]!, shapes),
        }
      })
    }
    this.plans = withRuntime(this.runtime, () => customObjectScope(this.objects, make))
    this.logged = null
    return this.plans
  }

  /** The metrics of a list; each is created only once. Without shapes, only those whose names do not depend on shapes. */
  private metricsOf(place: string, list: readonly unknown[], shapes: TargetShapes | null): Metric[] {
    return list.flatMap((identifier, i) => {
      if (shapes === null && dependsOnShapes(identifier)) return []
      const key = `${place} ${i}`
      const metric = this.made.get(key) ?? getMetric(identifier, shapes ?? UNKNOWN_SHAPES)
      this.made.set(key, metric)
      return [metric]
    })
  }

  /** The metrics of each output before the first batch: those whose names do not depend on shapes. */
  private metricsBefore(): readonly OutputPlan[] {
    const names = this.outputNames()
    const isKnown = names.length > 0
    const of = (what: 'metrics' | 'weightedMetrics'): Metric[][] => {
      // A record uses names of outputs, which are unknown until the model is called.
      if (!isKnown && !Array.isArray(this.options[what])) return [[]]
      return metricEntries(this.options, what, isKnown ? names : this.namesOf(1)).map((list, i) =>
        this.metricsOf(`${what} ${i}`, list, null),
      )
    }
    return withRuntime(this.runtime, () =>
      customObjectScope(this.objects, () => {
        const weighted = of('weightedMetrics')
        return of('metrics').map((metrics, i) => ({
          name: names[i] ?? 'output',
          loss: null,
          weight: 1,
          tracker: null,
          metrics,
          weightedMetrics: weighted[i]!,
        }))
      }),
    )
  }

  /** Runs `body`, which may trace a step with assumed targets. Losses and metrics that it assigns are dropped afterwards. */
  supposing<Result>(body: () => Result): Result {
    const { plans, logged, tracksLoss } = this
    try {
      return body()
    } finally {
      Object.assign(this, { plans, logged, tracksLoss })
    }
  }

  /** The loss and all metrics. Before the first batch, only those that do not depend on shapes. */
  get listed(): readonly Metric[] {
    const tracksLoss = this.tracksLoss || this.options.loss !== null
    if (currentTrace() !== null) {
      this.isListed = true
      this.tracksLoss = tracksLoss
      this.logged = null
    }
    return this.entriesOf(this.plans ?? this.metricsBefore(), tracksLoss).map(({ metric }) => metric)
  }

  /** The loss and all metrics, in the order of logs. */
  get all(): readonly Metric[] {
    return this.entries.map(({ metric }) => metric)
  }

  /** The keys of logs: the metrics' names, made unique as in Keras. */
  get names(): readonly string[] {
    return this.entries.map(({ key }) => key)
  }

  /** The keys of metrics in properties of the model, whose results a custom step returns under the names that it chooses. */
  get ownNames(): ReadonlySet<string> {
    return new Set(this.entries.flatMap(({ key, isOwn }) => (isOwn === true ? [key] : [])))
  }

  private get entries(): readonly Logged[] {
    this.logged ??= this.entriesOf(this.plans ?? (this.isListed ? this.metricsBefore() : []), this.tracksLoss)
    return this.logged
  }

  private entriesOf(plans: readonly OutputPlan[], tracksLoss: boolean): readonly Logged[] {
    /** The keys, and the number that the next one of the same name gets. */
    const taken = new Map<string, number>()
    const keyFor = (wanted: string): string => {
      let key = wanted
      let n = taken.get(wanted) ?? 1
      for (; taken.has(key); n++) key = `${wanted}_${n}`
      taken.set(wanted, n).set(key, key === wanted ? n : 1)
      return key
    }
    const prefix = ({ name }: OutputPlan, rest: string): string =>
      plans.length === 1 ? rest : `${name}${capital(rest)}`
    const logged: Logged[] = tracksLoss ? [{ key: keyFor('loss'), metric: this.lossTracker }] : []
    for (const { tracker } of plans) if (tracker !== null) logged.push({ key: keyFor(tracker.name), metric: tracker })
    for (const plan of plans)
      for (const metric of plan.metrics) logged.push({ key: keyFor(prefix(plan, metric.name)), metric })
    for (const plan of plans) {
      for (const metric of plan.weightedMetrics) {
        const key = prefix(plan, metric.name)
        logged.push({ key: keyFor(taken.has(key) ? prefix(plan, `weighted${capital(metric.name)}`) : key), metric })
      }
    }
    for (const [name, metric] of this.reported) logged.push({ key: keyFor(name), metric })
    for (const metric of this.ownMetrics())
      if (!logged.some((each) => each.metric === metric)) logged.push({ key: keyFor(metric.name), metric, isOwn: true })
    return logged
  }

  resetMetrics(): void {
    for (const { metric } of this.entries) metric.resetState()
  }

  /** The results of all metrics, if none of them needs a program; otherwise null. */
  resultsNow(): readonly number[] | null {
    const results: number[] = []
    for (const { metric } of this.entries) {
      const result = Mean.resultNow(metric)
      if (result === null) return null
      results.push(result)
    }
    return results
  }

  /**
   * The plan of each output with its tensors of a batch. Custom steps may pass arrays as targets and weights, records whose keys
   * are in another order, and one weight for all outputs.
   */
  private byOutput({ y, sampleWeight }: Pick<Batch<unknown, unknown>, 'y' | 'sampleWeight'>, outputs: Tree<Tensor>) {
    const predictions = flatten(outputs)
    const tensors = (where: string, tree: unknown): readonly (Tensor | null | undefined)[] => {
      const leaves = flatten(inOrderOf(outputs, tree))
      return leaves.length <= predictions.length && leaves.every((leaf) => leaf == null || leaf instanceof Tensor)
        ? leaves
        : flattenLike(outputs, tree, where).map((leaf) => (leaf == null ? undefined : toTensor(leaf, where)))
    }
    const targets = tensors('y', y)
    const weights = tensors('sampleWeight', sampleWeight)
    return this.prepare(
      predictions.map(({ shape }) => shape),
      predictions.map((_, i) => targets[i]?.shape ?? null),
    ).map((plan, i) => ({
      ...plan,
      prediction: predictions[i]!,
      target: targets[i],
      sampleWeight: weights[weights.length === 1 ? 0 : i],
    }))
  }

  /** The weighted loss of one batch; null if there is none. Traced. */
  computeLosses(y: unknown, outputs: Tree<Tensor>, weights: Tree<Tensor | null>): Tensor | null {
    const each: Tensor[] = []
    let total: Tensor | null = null
    for (const output of this.byOutput({ y, sampleWeight: weights }, outputs)) {
      const { loss, weight, name, prediction, target, sampleWeight } = output
      if (loss === null) continue
      if (target == null) throw new ArgumentError(`The output '${name}' has a loss but no targets`)
      requireClasses(name, loss, prediction)
      const value = loss.apply(target, prediction, sampleWeight, maskOf(prediction))
      if (value.size !== 1) {
        throw new ShapeError(
          `Loss '${loss.name}': must reduce to one number for training, received ${shapeOrValue(value)}. Use reduction 'sumOverBatchSize' or 'sum'.`,
        )
      }
      const scalar = reshape(value, [])
      each.push(scalar)
      const weighted = weight === 1 ? scalar : multiply(scalar, weight)
      total = total === null ? weighted : add(total, weighted)
    }
    this.computed = { trace: currentTrace(), each }
    return total
  }

  private computed: { readonly trace: object | null; readonly each: readonly Tensor[] } | null = null

  /** The losses of the outputs that have one, from the last `computeLosses` in this trace. */
  get lastLosses(): readonly Tensor[] {
    return this.computed?.trace === currentTrace() ? this.computed.each : []
  }

  /** Updates the loss tracker, if there is a loss, and the metrics with a batch; traced. */
  updateMetrics(
    batch: Pick<Batch<unknown, unknown>, 'y' | 'sampleWeight'>,
    { outputs, loss, losses, reports }: Omit<ForwardResult, 'loss'> & { readonly loss: Tensor | null },
  ): void {
    const each = this.byOutput(batch, outputs)
    const rows = each[0]?.prediction.shape[0] ?? 1
    const only = each.length === 1 ? each[0]! : null
    if (loss !== null) {
      // A model with custom steps may have a metric that tracks the loss.
      const modelTracker = this.tracksLoss ? null : this.ownMetrics().find(({ name }) => name === 'loss')
      const isTracked = modelTracker instanceof Mean
      const tracker = isTracked ? modelTracker : this.lossTracker
      tracker.addMean(loss, only?.loss?.batchWeight(rows, only.sampleWeight ?? null) ?? rows)
      this.logged = null
      this.tracksLoss = !isTracked
    }
    let at = 0
    for (const { loss: outputLoss, tracker } of each)
      if (outputLoss !== null && losses[at] !== undefined) tracker?.addMean(losses[at++]!, rows)
    for (const { metrics, weightedMetrics, name, prediction, target, sampleWeight } of each) {
      if (target == null) {
        if (metrics.length + weightedMetrics.length > 0)
          throw new ArgumentError(`The output '${name}' has metrics but no targets`)
        continue
      }
      const mask = maskOf(prediction)
      for (const metric of metrics) metric.apply(target, prediction, null, mask)
      for (const metric of weightedMetrics) metric.apply(target, prediction, sampleWeight, mask)
    }
    for (const { name, value } of reports) this.meanOf(name).update(value)
  }

  private meanOf(name: string): Mean {
    let mean = this.reported.get(name)
    if (mean === undefined) {
      mean = withRuntime(this.runtime, () => new Mean({ name }))
      this.reported.set(name, mean)
      this.logged = null
    }
    return mean
  }

  /** Stores the scalars that a step returned, for the logs; traced. */
  keepLogs(kind: StepKind, logs: StepLogs): void {
    if (typeof logs !== 'object' || logs === null || logs instanceof Promise) {
      const received = logs instanceof Promise ? 'a Promise; a step is traced, so it cannot be async' : typeof logs
      throw new ArgumentError(`${kind}Step must return nothing or a record of scalars, received ${received}`)
    }
    const kept = this.keptLogs[kind]
    for (const [name, log] of Object.entries(logs)) {
      const value = valueOf(log)
      if (!(value instanceof Tensor) || value.size !== 1)
        throw new ArgumentError(`${kind}Step: '${name}' must be a scalar tensor, received ${shapeOrValue(value)}`)
      let cell = kept.get(name)
      if (cell === undefined) {
        cell = withRuntime(this.runtime, () => new Variable([], { name: `logs/${kind}/${name}`, trainable: false }))
        kept.set(name, cell)
      }
      cell.assign(cast(reshape(value, []), 'float32'))
    }
  }

  /** The scalars that the last step of this kind returned, by name. */
  stepLogs(kind: StepKind): ReadonlyMap<string, Variable> {
    return this.keptLogs[kind]
  }

  /** The memory of all metrics and logs. */
  get storages(): ReadonlySet<Storage> {
    return new Set(this.variables.map(({ storage }) => storage))
  }

  /** All variables of metrics and logs, for freeing their memory. */
  get variables(): readonly Variable[] {
    return [
      ...this.all.flatMap(({ variables }) => variables),
      ...this.keptLogs.train.values(),
      ...this.keptLogs.test.values(),
    ]
  }

  /** The form that save() writes; the user's functions by their names. @throws ArgumentError for more metrics than a file may have */
  serialize(): Record<string, Json> {
    const { loss, lossWeights, metrics, weightedMetrics } = this.options
    const count = metricsIn({ metrics, weightedMetrics })
    if (count > MOST_METRICS)
      throw new ArgumentError(
        `The model has ${count} metrics, more than the ${MOST_METRICS} of a file. Compile it with fewer metrics before it is saved`,
      )
    return {
      optimizer: serialize(this.optimizer),
      loss: toJson(loss, losses),
      ...(lossWeights === null ? {} : { lossWeights }),
      metrics: toJson(metrics, metricClasses),
      weightedMetrics: toJson(weightedMetrics, metricClasses),
    }
  }
}

/** The shapes of targets. For an output without targets, the shape of the output is used. */
function shapesAt(i: number, outputs: readonly Shape[], targets: readonly (Shape | null)[]): TargetShapes {
  return { target: targets[i] ?? outputs[i]!, output: outputs[i]! }
}

/** @throws ArgumentError for different names that have the same name in the logs of validation */
function requireApart(names: readonly string[]): void {
  const known = new Map<string, string>()
  for (const name of names) {
    const other = known.get(valName(name)) ?? name
    if (other !== name)
      throw new ArgumentError(
        `compile: the metrics '${other}' and '${name}' are both ${valName(name)} in the logs of validation. Give one of them another name.`,
      )
    known.set(valName(name), name)
  }
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** The identifiers in a tree of them; a saved configuration is one identifier. */
function leavesOf(tree: unknown, depth = 0): unknown[] {
  if (tree === null || tree === undefined) return []
  if (!isBranch(tree) || isSavedObject(tree)) return [tree]
  return childrenAt(tree, depth).flatMap((each) => (each === null ? [] : leavesOf(each, depth + 1)))
}

/** The metrics of a file at most: each has variables, however short its name is. */
export const MOST_METRICS = 4096

/** The number of metrics in the options of compile. */
export function metricsIn({
  metrics,
  weightedMetrics,
}: {
  readonly metrics?: unknown
  readonly weightedMetrics?: unknown
}): number {
  return leavesOf([metrics, weightedMetrics]).length
}

/** @throws ArgumentError for a softmax over one unit, which is always 1, so that no weight would learn */
function requireClasses(name: string, loss: Loss, output: Tensor): void {
  if (output.rank < 2 || output.shape.at(-1) !== 1) return
  if (loss.relatesClasses || operandOf(output, 'softmax') !== null)
    throw new ArgumentError(
      `The output '${name}' has one unit, whose softmax is always 1. Use 'sigmoid' and 'binaryCrossentropy', or a unit for each class.`,
    )
}

type Classes = typeof losses | typeof metricClasses

/** Whether a user's function has the name of a loss or metric of the library that computes other values. */
function isOther(userLoss: LossFunction, classes: Classes): boolean {
  if (classes === metricClasses && dependsOnShapes(userLoss.name)) return true
  // A file can also mean the function of a loss by the name of a metric.
  const known = classes.classOf(userLoss.name) ?? losses.classOf(userLoss.name)
  if (known === undefined || isOfFormula(known, userLoss)) return false
  const of = (...row: number[]): Tensor => new Tensor(Float32Array.from(row), [1, row.length], 'float32')
  const output = of(0.25, 0.75, 0.5, 0.125, 0.3, 0.1)
  const named: LossFunction = (target, each) => {
    const other: Readonly<Record<string, LossFunction>> = Reflect.construct(known, [{}])
    return other[other instanceof Loss ? 'call' : 'values']!(target, each)
  }
  // The class as a row, and as a number.
  return ![of(0, 0, 1, 0, 0, 0), of(2)].some((target) => areAlike(userLoss, named, [target, output]))
}

function toJson(identifier: unknown, classes: Classes): Json {
  if (identifier === undefined) return null
  if (identifier === null || typeof identifier === 'string') return identifier
  if (isPlainFunction<LossFunction>(identifier)) return nameToSave(identifier, () => isOther(identifier, classes))
  if (identifier instanceof Metric || identifier instanceof Loss) return serialize(identifier)
  const saved = inKerasForm(identifier)
  if (isSerialized(saved)) {
    const { className, config }: Serialized = saved
    return { className, config }
  }
  if (Array.isArray(identifier)) return identifier.map((each) => toJson(each, classes))
  const entries = Object.entries<unknown>(Object(identifier))
  return Object.fromEntries(entries.map(([key, each]) => [key, toJson(each, classes)]))
}
