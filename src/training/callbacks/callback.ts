// What fit tells while it runs, and who listens.

import { ArgumentError, StateError, unknownName } from '../../core/errors'
import { Configured, optionsOf } from '../../core/options'
import { receivedText } from '../../core/registry'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import type { Graph } from '../../ir/graph'
import { LayerBase } from '../../layers/base'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Optimizer } from '../../optimizers'
import type { Compiled } from '../compiled'
import type { Probe } from '../probes'
import type { Resumable } from '../position'
import type { HealthRecord } from './health'
import type { Footprint } from './footprint'

/** Numbers by name: the loss and metrics, with `val…` for validation. */
export interface Logs {
  [name: string]: number
  loss: number
}

/** What fit, evaluate or predict was asked for. */
export interface FitParams {
  /** The number of the epoch at which training ends. */
  readonly epochs: number
  /** Batches per epoch; null where nobody knows before the data end. */
  readonly steps: number | null
  /** 0 silent, 1 a progress bar, 2 a line per epoch. */
  readonly verbose: 0 | 1 | 2
}

/** What a callback sees of the model that is trained. */
export interface TrainedModel {
  /** What it is called. */
  readonly name: string
  /** Set it to true to end training after the current step. */
  stopTraining: boolean
  /** What compile was given. */
  readonly optimizer: Optimizer
  /** The layers it is made of, and all within them, from the outside in. */
  readonly allLayers: readonly LayerBase[]
  /** All weights, in the order of `getWeights`. */
  readonly weights: readonly Variable[]
  /** Those of the weights that training changes. */
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
  /** The weights alone as bytes. */
  saveWeights(path?: string | URL): Promise<Uint8Array>
}

/** The step that is about to run. */
export interface NextStep {
  /** What it computes. */
  readonly graph: Graph
  /** Steps that ran since fit began. */
  readonly done: number
}

/** What a callback keeps, as plain data and tensors. */
export type CallbackState =
  | null
  | boolean
  | number
  | string
  | Tensor
  | readonly CallbackState[]
  | { readonly [key: string]: CallbackState }

/** Where a run of fit is. */
export interface Place {
  /** The epoch that is under way, or else the next one. */
  readonly epoch: number
  /** Steps of this epoch that were done; 0 where it has not begun. */
  readonly batch: number
  /** Steps since fit began. */
  readonly step: number
  /** Whether training is to end here. */
  readonly stopped: boolean
  /** The logs of the last epoch. */
  readonly logs: Logs | null
}

/** A run of fit, for who keeps it and takes it up again: see formats/run.ts. @internal */
export interface Run {
  readonly model: LayerBase & TrainedModel
  readonly compiled: Compiled
  /** Those of the user, and the History. */
  readonly callbacks: readonly CallbackMethods[]
  /** What the order of the rows of the next epoch comes from. */
  readonly shuffleState: { seed: number; epoch: number }
  /** What fit reads: how far it was read, and what must be the same when the run is taken up within an epoch. */
  readonly runner: Resumable
  place: Place
}

/** Who keeps runs. @internal */
export interface RunKeeper {
  /** After how many steps, besides those at which an epoch ends; null: none. */
  readonly every: number | null
  /** All callbacks know that training begins, and no step was taken. */
  takeUp(run: Run): void | Promise<void>
  /** All callbacks heard of the step, or of the end of the epoch. */
  keep(run: Run): void | Promise<void>
}

/** What a callback may hear, and be asked. Every method is optional. */
export interface CallbackHooks {
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
  /** Takes a step that is not finite quietly, with the description of the failure. @internal */
  onNonFinite?(message: string): void
  /** Keeps runs of fit. @internal */
  readonly keeper?: RunKeeper
  /**
   * What the callback has to know to go on in another process. Asked for between two steps; BackupAndRestore keeps it.
   * Callbacks without this begin anew where a run is taken up: `onTrainBegin` is called, and `onEpochBegin` only from the next
   * epoch on.
   */
  getState?(): CallbackState
  /** Goes on from what `getState` gave. Called after `onTrainBegin`, before the first step. */
  setState?(state: CallbackState): void
  /** fit begins. */
  onTrainBegin?(): void | Promise<void>
  /** fit ends. Logs are those of the last epoch; null where there was none. */
  onTrainEnd?(logs: Logs | null): void | Promise<void>
  /** An epoch begins; the first one is 0. */
  onEpochBegin?(epoch: number): void | Promise<void>
  /** An epoch ends. Logs are its means, with those of validation. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  /** A step begins; the first one of an epoch is 0. */
  onTrainBatchBegin?(batch: number): void | Promise<void>
  /** Logs are the means since the epoch began. */
  onTrainBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /** evaluate begins, or fit validates. */
  onTestBegin?(): void | Promise<void>
  /** evaluate or a validation ends. Logs are its results. */
  onTestEnd?(logs: Logs): void | Promise<void>
  /** A step of evaluate or of a validation begins. */
  onTestBatchBegin?(batch: number): void | Promise<void>
  /** Logs are the means so far. */
  onTestBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  /** predict begins. */
  onPredictBegin?(): void | Promise<void>
  /** predict ends. */
  onPredictEnd?(): void | Promise<void>
  /** A step of predict begins. */
  onPredictBatchBegin?(batch: number): void | Promise<void>
  /** Outputs are those of this batch, a tensor or a tree of them as the model gives it. */
  onPredictBatchEnd?(batch: number, logs: { readonly outputs: Tree<Tensor> }): void | Promise<void>
}

/** Every method is optional; plain objects serve as well as subclasses of Callback. */
export interface CallbackMethods extends CallbackHooks {
  /** Is told the model before anything else. */
  setModel?(model: TrainedModel): void
  /** Is told how long training lasts, and how much it says. */
  setParams?(params: FitParams): void
}

/** One callback, or a list of them. null: none. */
export type Callbacks = CallbackMethods | readonly CallbackMethods[] | null

const EVENTS = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onTrainBatchBegin',
  'onTrainBatchEnd',
  'onTestBegin',
  'onTestEnd',
  'onTestBatchBegin',
  'onTestBatchEnd',
  'onPredictBegin',
  'onPredictEnd',
  'onPredictBatchBegin',
  'onPredictBatchEnd',
] as const satisfies readonly (keyof CallbackMethods)[]

/** Every method that a callback may have. @internal */
export const METHODS: readonly (keyof CallbackMethods)[] = [
  'setModel',
  'setParams',
  'stepsAhead',
  'getState',
  'setState',
  ...EVENTS,
]

/** Names that are events, or look as if they were, of an object and of its classes. */
function eventsOf(callback: object): string[] {
  const names: string[] = []
  for (let at: unknown = callback; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at))
    names.push(...Object.getOwnPropertyNames(at))
  return names.filter((name) => /^on[_A-Z]/.test(name))
}

/**
 * The callbacks that somebody gave as one, as a list, or not at all.
 * @throws ArgumentError for what is no callback, and for a listener whose name no event has
 */
export function callbacksOf(given: unknown = null): readonly CallbackMethods[] {
  const callbacks: readonly unknown[] = given === null ? [] : Array.isArray(given) ? given : [given]
  for (const callback of callbacks) {
    if (typeof callback !== 'object' || callback === null || Array.isArray(callback)) {
      throw new ArgumentError(
        `A callback must be an object with methods such as onEpochEnd, received ${receivedText(callback)}`,
      )
    }
    if (callback instanceof LayerBase)
      throw new ArgumentError(
        `A callback must be an object with methods such as onEpochEnd, received the layer ${callback}`,
      )
    // An option may be called as events are: onSave.
    const known: readonly string[] = [
      ...EVENTS,
      'onNonFinite',
      ...(callback instanceof Callback ? Object.keys(optionsOf(callback.constructor)) : []),
    ]
    const unknown = eventsOf(callback).find((name) => !known.includes(name))
    if (unknown !== undefined) throw unknownName('event of a callback', unknown, EVENTS)
  }
  return callbacks as readonly CallbackMethods[]
}

/** Knows the methods that subclasses may write, and has none of them: who does not listen is not asked. */
const Listener = Configured as Omit<typeof Configured, 'prototype'> &
  (abstract new (options?: unknown) => Configured & CallbackHooks)

/**
 * Base class that knows the model and the parameters of fit. Write the methods that are to be called; one that begins with `on` and
 * is no event is refused.
 * @example
 * class Counter extends Callback {
 *   epochs = 0
 *   override onEpochEnd(): void {
 *     this.epochs++
 *   }
 * }
 */
export abstract class Callback extends Listener implements CallbackMethods {
  // Truly private: whoever prints a history does not want to read the model.
  #model: TrainedModel | null = null
  params: FitParams | null = null

  setModel(model: TrainedModel): void {
    this.#model = model
  }

  setParams(params: FitParams): void {
    this.params = params
  }

  /** The model that is trained; set `model.stopTraining = true` to end after the current step. */
  get model(): TrainedModel {
    if (this.#model === null) throw new StateError('A callback knows its model while fit runs')
    return this.#model
  }
}
