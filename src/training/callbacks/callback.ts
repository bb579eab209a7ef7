// What fit tells while it runs, and who listens.

import { ArgumentError, StateError, unknownName } from '../../core/errors'
import { Configured } from '../../core/options'
import type { TensorLike } from '../../ops/convert'
import type { Graph } from '../../ir/graph'
import type { LayerBase } from '../../layers/base'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Optimizer } from '../../optimizers'
import type { Probe } from '../probes'
import type { HealthRecord } from './health'
import type { Footprint } from './footprint'

/** Numbers by name: the loss and metrics, with `val…` for validation. */
export interface Logs {
  [name: string]: number
  loss: number
}

export interface FitParams {
  readonly epochs: number
  /** Batches per epoch; null where nobody knows before the data end. */
  readonly steps: number | null
  readonly verbose: 0 | 1 | 2
}

/** What a callback sees of the model that is trained. */
export interface TrainedModel {
  readonly name: string
  /** Set it to true to end training after the current step. */
  stopTraining: boolean
  readonly optimizer: Optimizer
  /** The layers it is made of, and all within them, from the outside in. */
  readonly allLayers: readonly LayerBase[]
  /** All weights, in the order of `getWeights`. */
  readonly weights: readonly Variable[]
  readonly trainableWeights: readonly Variable[]
  /** The graph of its layers, where there is one. @internal */
  readonly graph: object | null
  /** What a weight might have begun with. @internal */
  drawAnew(weight: Variable): Tensor
  /** Copies of all weights. */
  getWeights(): Tensor[]
  /** Replaces all weights, or none. */
  setWeights(weights: readonly TensorLike[]): void
  /** The whole model as bytes. */
  save(path?: string | URL): Promise<Uint8Array>
}

/** The step that is about to run. */
export interface NextStep {
  /** What it computes. @internal */
  readonly graph: Graph
  /** Steps that ran since fit began. */
  readonly done: number
}

/** Every method is optional; plain objects serve as well as subclasses of Callback. */
export interface CallbackMethods {
  /** What the callback looks at in training steps: see Probe. Asked for once, when training begins and the model is built. */
  readonly probes?: readonly Probe[]
  /** What the callback found out of the units in this run of fit, for the History that fit returns. */
  readonly health?: readonly HealthRecord[]
  /** What the run took, when it is over: fit hands it on in its History. */
  readonly footprint?: Footprint | null
  /**
   * Asked before steps: how many like the next one may run before it is asked again, at least 1; 0 ends training. Answer
   * quickly: short steps ask every fifth of a millisecond.
   */
  stepsAhead?(next: NextStep): number
  setModel?(model: TrainedModel): void
  setParams?(params: FitParams): void
  onTrainBegin?(): void | Promise<void>
  onTrainEnd?(logs: Logs | null): void | Promise<void>
  onEpochBegin?(epoch: number): void | Promise<void>
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  onTrainBatchBegin?(batch: number): void | Promise<void>
  /** Logs are the means since the epoch began. */
  onTrainBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  onTestBegin?(): void | Promise<void>
  onTestEnd?(logs: Logs): void | Promise<void>
}

const EVENTS = [
  'onTrainBegin', 'onTrainEnd', 'onEpochBegin', 'onEpochEnd', 'onTrainBatchBegin', 'onTrainBatchEnd', 'onTestBegin', 'onTestEnd',
] as const satisfies readonly (keyof CallbackMethods)[]

/** Every method that a callback may have. @internal */
export const METHODS: readonly (keyof CallbackMethods)[] = ['setModel', 'setParams', 'stepsAhead', ...EVENTS]

/** @throws ArgumentError for what is no callback, and for a listener whose name no event has. */
export function checkCallbacks(callbacks: unknown): void {
  if (!Array.isArray(callbacks)) throw new ArgumentError(`callbacks must be an array, received ${String(callbacks)}`)
  for (const callback of callbacks) {
    if (typeof callback !== 'object' || callback === null) {
      throw new ArgumentError(`A callback must be an object with methods such as onEpochEnd, received ${String(callback)}`)
    }
    const unknown = Object.keys(callback).find((name) => /^on[_A-Z]/.test(name) && !EVENTS.some((event) => event === name))
    if (unknown !== undefined) throw unknownName('event of a callback', unknown, EVENTS)
  }
}

/** Base class that knows the model and the parameters of fit. */
export abstract class Callback extends Configured implements CallbackMethods {
  private knownModel: TrainedModel | null = null
  params: FitParams | null = null

  setModel(model: TrainedModel): void {
    this.knownModel = model
  }

  setParams(params: FitParams): void {
    this.params = params
  }

  /** The model that is trained; set `model.stopTraining = true` to end after the current step. */
  get model(): TrainedModel {
    if (this.knownModel === null) throw new StateError('A callback knows its model while fit runs')
    return this.knownModel
  }
}
