// A run: a model, its data, the cost of training, and the epochs to which one can return.

import { tensor, type Model, type Tensor } from 'myelin'
import { UnitHealth } from 'myelin/balance'
import { Budget, EmissionsTracker, ledger } from 'myelin/thrift'
import { sizeOf, type DataSet, type Part } from '../data/form'
import { networkOf, type Network } from '../model/network'
import { build } from './build'
import type { Costs, Curve, Health, Limit, Recipe } from './protocol'

interface Kept {
  readonly epoch: number
  readonly steps: number
  readonly weights: readonly Tensor[]
  readonly optimizer: readonly Tensor[]
}

/** The largest number of kept epochs. Beyond it, every second one is dropped. */
const MOST_KEPT = 60
/** The largest number of bytes of kept epochs. */
const MOST_BYTES = 2 ** 26

export type Callback = UnitHealth | EmissionsTracker | Budget | object

export const xOf = ({ x, rows }: Part, shape: readonly number[]): Tensor => tensor(x, [rows, ...shape])
export const yOf = ({ y, rows }: Part): Tensor => tensor(y, [rows, 1])

export class Run {
  epoch = 0
  steps = 0
  model: Model
  private kept: Kept[] = []
  private spent = { flops: 0, joules: 0, seconds: 0 }
  private rate = 0
  private stepFlops: number | null = null
  private health: UnitHealth | null = null
  private readonly x: Tensor
  private readonly y: Tensor
  readonly xTest: Tensor
  readonly yTest: Tensor
  readonly network: Network

  /** @param make the model of a network. Default: one with the weights of its seed */
  constructor(
    public recipe: Recipe,
    readonly data: DataSet,
    make: (network: Network) => Model = build,
  ) {
    const { form, train, test } = data
    this.network = networkOf(recipe, form)
    this.model = make(this.network)
    this.x = xOf(train, form.inputShape)
    this.y = yOf(train)
    this.xTest = xOf(test, form.inputShape)
    this.yTest = yOf(test)
    this.keep()
  }

  get trainingData(): { readonly x: Tensor; readonly y: Tensor } {
    return { x: this.x, y: this.y }
  }

  /** Replaces the trained model. `layers`: its layers, if the page can edit them. */
  replace(model: Model, layers: Recipe['layers'] | null): void {
    if (layers !== null) this.recipe = { ...this.recipe, layers }

    if (model !== this.model) this.model.dispose()
    this.model = model
    this.kept = []
    this.health = null
    this.stepFlops = null
    this.keep()
  }

  /** Trains for some epochs. `ended` says which limit ended it. */
  async advance(
    epochs: number,
    { limit, withHealth, callbacks = [] }: { limit: Limit | null; withHealth: boolean; callbacks?: Callback[] },
  ): Promise<{ readonly curve: Curve; readonly ended: Limit | null }> {
    // Training after a return discards the later epochs.
    this.kept = this.kept.filter(({ epoch }) => epoch <= this.epoch)
    const tracker = new EmissionsTracker()
    const budget = this.budgetOf(limit)
    if (withHealth) this.health ??= healthOf(this.model)
    const health = withHealth && this.health !== null ? [this.health] : []
    const started = performance.now()
    const { history } = await this.model.fit(this.x, this.y, {
      epochs,
      batchSize: this.network.batchSize,
      validationData: [this.xTest, this.yTest],
      validationFreq: epochs,
      verbose: 0,
      callbacks: [tracker, ...health, ...(budget === null ? [] : [budget]), ...callbacks] as UnitHealth[],
    })
    const seconds = (performance.now() - started) / 1000
    const { steps, flops, joules } = tracker.footprint!
    this.spent = {
      flops: this.spent.flops + flops.value,
      joules: this.spent.joules + joules.value,
      seconds: this.spent.seconds + seconds,
    }
    this.steps += steps.value
    // A mean over the last half second of training. The first call also compiles the step, so it does not count.
    const now = steps.value / seconds
    if (this.epoch > 0) this.rate = this.rate === 0 ? now : this.rate + (now - this.rate) * Math.min(1, 2 * seconds)
    const metric = Object.keys(history).find(
      (key) => key !== 'loss' && !key.startsWith('val') && key !== 'learningRate',
    )!
    const loss = history['loss']!
    const last = (key: string): number => history[key]?.at(-1) ?? Number.NaN
    const curve: Curve = {
      from: this.epoch + 1,
      loss: [...loss],
      metric: [...history[metric]!],
      testLoss: last('valLoss'),
      testMetric: last(`val${metric[0]!.toUpperCase()}${metric.slice(1)}`),
    }
    this.epoch += loss.length
    this.keep()
    return { curve, ended: budget?.ended == null ? null : limit }
  }

  private budgetOf(limit: Limit | null): Budget | null {
    if (limit === null) return null
    const left = Math.max(Number.MIN_VALUE, limit.amount - this.spent[limit.resource])
    return new Budget({ [limit.resource]: left })
  }

  isSpent(limit: Limit | null): boolean {
    return limit !== null && this.spent[limit.resource] >= limit.amount
  }

  get costs(): Costs {
    this.stepFlops ??= stepFlopsOf(this.model, Math.min(this.network.batchSize, this.data.form.trainRows))
    return { ...this.spent, stepsPerSecond: this.rate, stepFlops: this.stepFlops, parameters: this.model.countParams() }
  }

  /** The health of the units in the last epoch, with advice. */
  takeHealth(): { readonly health: readonly Health[] | null; readonly advice: readonly string[] } {
    const { health } = this
    const record = health?.records.at(-1)
    if (health === null || record === undefined) return { health: null, advice: [] }
    const advice = health.advice
    const layers = record.layers.map(({ layer, units, dead, dormant, saturated, rank, updateRatio }) => ({
      layer,
      units,
      dead,
      dormant,
      saturated,
      rank,
      updateRatio,
    }))
    health.records.splice(0, health.records.length - 1)
    return { health: layers, advice }
  }

  get epochs(): number[] {
    return this.kept.map(({ epoch }) => epoch)
  }

  /** Returns to a kept epoch: its weights and the state of its optimizer. */
  rewind(epoch: number): void {
    const kept = this.kept.findLast((each) => each.epoch <= epoch)
    if (kept === undefined) return
    this.model.weights.forEach((variable, i) => variable.assign(kept.weights[i]!))
    // Slots that did not exist yet begin with zeros.
    this.model.optimizer.variables.forEach((variable, i) => {
      variable.assign(kept.optimizer[i] ?? zerosLike(variable))
    })
    this.epoch = kept.epoch
    this.steps = kept.steps
  }

  private keep(): void {
    const { model, epoch, steps } = this
    const copies = (variables: Model['weights']): Tensor[] => variables.map(({ value }) => value)
    const kept = { epoch, steps, weights: copies(model.weights), optimizer: copies(model.optimizer.variables) }
    const bytes = [...kept.weights, ...kept.optimizer].reduce((sum, { size }) => sum + 4 * size, 0)
    const most = Math.max(4, Math.min(MOST_KEPT, Math.floor(MOST_BYTES / Math.max(1, bytes))))
    if (this.kept.length >= most) this.kept = this.kept.filter((_, i) => i % 2 === 0)
    this.kept.push(kept)
  }

  dispose(): void {
    this.model.dispose()
  }
}

const zerosLike = ({ shape, dtype }: Model['weights'][number]): Tensor =>
  tensor(new Float32Array(sizeOf(shape)), shape, dtype)

/** null for a model without hidden units. */
function healthOf(model: Model): UnitHealth | null {
  const hasHidden = model.layers.slice(0, -1).some((layer) => layer.trainableWeights.length > 0)
  return hasHidden ? new UnitHealth({ samples: 32 }) : null
}

function stepFlopsOf(model: Model, batchSize: number): number | null {
  return ledger(model, { batchSize }).training?.flops ?? null
}
