// The events of fit, and the callbacks that listen to them.

import { ArgumentError, StateError, unknownName, type NonFiniteError } from '../../core/errors'
import { Configured, optionsOf } from '../../core/options'
import { receivedText } from '../../core/registry'
import type { Tree } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import type { Graph } from '../../engine/ir/graph'
import { Layer, type LayerBase } from '../../layers/layer'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Optimizer } from '../../optimizers'
import type { Compiled } from '../compiled'
import type { Probe } from '../probes'
import type { Resumable } from '../position'

/** Numbers by name: the loss and metrics, with `val…` for validation. */
export interface Logs {
  [name: string]: number
  loss: number
}

/** The logs of a step of predict. */
export interface PredictLogs {
  /** The outputs for the batch, a tensor or a tree of tensors, like the model's. */
  readonly outputs: Tree<Tensor>
}

/** The settings of a fit, evaluate or predict. */
export interface FitParams {
  /** The number of the epoch at which training ends. */
  readonly epochs: number
  /** Batches per epoch; null if unknown before the data end. */
  readonly steps: number | null
  /** 0 silent, 1 a progress bar, 2 a line per epoch. */
  readonly verbose: 0 | 1 | 2
}

/** The part of a model that callbacks use. */
export interface TrainedModel {
  /** The model's name. */
  readonly name: string
  /** Set it to true to end training after the current step. */
  stopTraining: boolean
  /** The optimizer of compile. */
  readonly optimizer: Optimizer
  /** The layers of the model with all their inner layers, from the outside in. */
  readonly allLayers: readonly LayerBase[]
  /** All weights, in the order of `getWeights`. */
  readonly weights: readonly Variable[]
  /** The weights that training changes. */
  readonly trainableWeights: readonly Variable[]
  /** The graph of its layers; null if there is none. @internal */
  readonly graph: object | null
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
  /** The graph of the step. */
  readonly graph: Graph
  /** The number of steps since fit began. */
  readonly done: number
}

/** The validation that is about to run. */
export interface NextTest {
  /** The graph of its first step. */
  readonly graph: Graph
  /** Its number of steps; null if only reading the data tells it. */
  readonly steps: number | null
  /** The number of training steps since fit began. */
  readonly done: number
}

/** The state of a callback, as plain data and tensors. */
export type CallbackState =
  | null
  | boolean
  | number
  | string
  | Tensor
  | readonly CallbackState[]
  | { readonly [key: string]: CallbackState }

/** The position of a run of fit. */
export interface RunPosition {
  /** The current epoch, or the next one between two epochs. */
  readonly epoch: number
  /** The steps done in this epoch; 0 before it begins. */
  readonly batch: number
  /** Steps since fit began. */
  readonly step: number
  /** Whether training ends here. */
  readonly stopped: boolean
  /** The logs of the last epoch. */
  readonly logs: Logs | null
}

/** A run of fit, for saving and resuming it: see kept-run.ts. @internal */
export interface Run {
  readonly training: {
    readonly prepared: { readonly model: LayerBase & TrainedModel; readonly compiled: Compiled }
    /** The seed and counter of the order of the rows in the next epoch. */
    readonly shuffleState: { seed: number; epoch: number }
    /** The reader of the data: its position, and the settings that must be equal when the run resumes within an epoch. */
    readonly runner: Resumable
  }
  /** The callbacks of the user, and the History. */
  readonly callbacks: readonly CallbackMethods[]
  /** Whether a callback ended the run from outside, so that it can be resumed. */
  readonly isInterrupted: boolean
  place: RunPosition
}

/** Saves and resumes runs. @internal */
export interface RunKeeper {
  /** The number of steps after which to save, besides the ends of epochs; null: none. */
  readonly every: number | null
  /** Called after all callbacks' onTrainBegin, before the first step. */
  takeUp(run: Run): void | Promise<void>
  /** Called after the callbacks' events of the step, or of the end of the epoch. */
  keep(run: Run): void | Promise<void>
}

declare global {
  /** The types of reports by their names. A module that defines a callback with a report adds the report's type here. */
  interface MyelinReports {}
}

/** What callbacks report about a run of fit, by name. */
export type Reports = Readonly<Partial<MyelinReports>>

/** Ends fit from outside of the program. @internal */
export interface Interruption {
  /** Whether fit was interrupted. */
  readonly isOn: boolean
  /** fit begins. The signal ends it as an abort does, but without an error. @param signal of the user, which it includes */
  begin(signal: AbortSignal | null): AbortSignal
  /** fit has ended, also by an error. */
  end(): void
}

/** The queries of a callback. Every method is optional. */
interface CallbackQueries {
  /**
   * The callback's observations of training steps: see Probe. Read once, when training begins and the model is built.
   */
  readonly probes?: readonly Probe[]
  /** The callback's results about this run of fit, by name, for the History that fit returns. */
  readonly reports?: Reports
  /**
   * Called before steps: the number of steps like the next one that may run before the next call, at least 1; 0 ends
   * training. Answer quickly: short steps ask every 0.2 ms.
   */
  stepsAhead?(next: NextStep): number
  /** Called before fit validates: false skips the validation, and ends training. */
  allowsTest?(next: NextTest): boolean
  /** Handles a non-finite step in place of the error that fit would throw. @internal */
  onNonFinite?(error: NonFiniteError): void
  /** Whether `onTrainBatchEnd` of the step that ends now reads weights, which another device may have. @internal */
  readonly readsWeights?: boolean
  /** Saves runs of fit. @internal */
  readonly keeper?: RunKeeper
  /** Ends fit from outside of the program. @internal */
  readonly interruption?: Interruption
  /**
   * The state that the callback needs to continue in another process. Called between two steps; BackupAndRestore saves
   * it. Callbacks without it start from the beginning when a run resumes: `onTrainBegin` is called, and `onEpochBegin` only from
   * the next epoch on.
   */
  getState?(): CallbackState
  /** Restores the result of `getState`. Called after `onTrainBegin`, before the first step. */
  setState?(state: CallbackState): void
}

/** The events and queries of a callback. Every method is optional. */
export interface CallbackHooks extends CallbackQueries {
  /** fit begins. */
  onTrainBegin?(): void | Promise<void>
  /** fit ends. Logs are those of the last epoch; null if there was none. */
  onTrainEnd?(logs: Logs | null): void | Promise<void>
  /** An epoch begins; the first one is 0. */
  onEpochBegin?(epoch: number): void | Promise<void>
  /** An epoch ends. Logs are its means, including validation. */
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
  /** Outputs are those of this batch, a tensor or a tree of tensors, like the model's. */
  onPredictBatchEnd?(batch: number, logs: PredictLogs): void | Promise<void>
}

/** Every method is optional; plain objects work as well as subclasses of Callback. */
export interface CallbackMethods extends CallbackHooks {
  /** Gets the model before anything else. */
  setModel?(model: TrainedModel): void
  /** Gets the number of epochs and steps, and the verbosity. */
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
  'allowsTest',
  'getState',
  'setState',
  ...EVENTS,
]

export type Event = (typeof EVENTS)[number]

/** Keras's second name of the events of a training step: `onBatchEnd`. Other events have none. */
const secondName = (event: Event): string => event.replace('TrainBatch', 'Batch')

/** Whether a callback listens to one of these events. The methods of Callback do nothing and do not count. */
export function listensTo(callback: CallbackMethods, ...events: readonly Event[]): boolean {
  const listens = (name: string): boolean => {
    const listener: unknown = Reflect.get(callback, name)
    return listener != null && listener !== Reflect.get(Callback.prototype, name)
  }
  return events.some((event) => listens(event) || (callback instanceof Callback && listens(secondName(event))))
}

/** The names of members of an object and its classes that are events, or look like events. */
function eventsOf(callback: object): string[] {
  const names: string[] = []
  for (let at: unknown = callback; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at))
    names.push(...Object.getOwnPropertyNames(at))
  return names.filter((name) => /^on[_A-Z]/.test(name))
}

/**
 * The callbacks of an option, which is one callback, a list of them, or null.
 * @throws ArgumentError for a value that is not a callback, and for a listener without an event of its name
 */
export function callbacksOf(option: unknown = null): readonly CallbackMethods[] {
  const one = option === null ? [] : [option]
  const callbacks: readonly unknown[] = Array.isArray(option) ? option : one
  return callbacks.map(requireCallback)
}

function requireCallback(callback: unknown): CallbackMethods {
  const isLayer = callback instanceof Layer
  if (isLayer || typeof callback !== 'object' || callback === null || Array.isArray(callback))
    throw new ArgumentError(
      `A callback must be an object with methods such as onEpochEnd, received ${isLayer ? `the layer ${callback}` : receivedText(callback)}`,
    )
  // Options may have names like events: onSave.
  const known: readonly string[] = [
    ...EVENTS,
    'onNonFinite',
    ...(callback instanceof Callback
      ? [...EVENTS.map(secondName), ...Object.keys(optionsOf(callback.constructor))]
      : []),
  ]
  const unknown = eventsOf(callback).find((name) => !known.includes(name))
  if (unknown !== undefined) throw unknownName('event of a callback', unknown, EVENTS)
  return callback
}

/** A subclass of Callback may define the queries; Callback has none of them. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- optional methods, which a subclass defines
export interface Callback extends CallbackQueries {}

/**
 * Base class with the model and the parameters of fit. Define the methods of the events to handle; a method that begins
 * with `on` but is not an event is an error. The methods of the base do nothing, so `super.onEpochEnd(epoch, logs)` may be
 * called.
 * @example
 * class Counter extends Callback {
 *   epochs = 0
 *   override onEpochEnd(): void {
 *     this.epochs++
 *   }
 * }
 */
export abstract class Callback extends Configured implements CallbackMethods {
  // A #private field, so that a printed history does not contain the model.
  #model: TrainedModel | null = null
  params: FitParams | null = null

  setModel(model: TrainedModel): void {
    this.#model = model
  }

  setParams(params: FitParams): void {
    this.params = params
  }

  onTrainBegin(_logs?: object | null): void | Promise<void> {}
  onTrainEnd(_logs?: Logs | null): void | Promise<void> {}
  onEpochBegin(_epoch: number, _logs?: object | null): void | Promise<void> {}
  onEpochEnd(_epoch: number, _logs: Logs): void | Promise<void> {}
  onTrainBatchBegin(batch: number, logs?: object | null): void | Promise<void> {
    return this.onBatchBegin(batch, logs)
  }
  onTrainBatchEnd(batch: number, logs: Logs): void | Promise<void> {
    return this.onBatchEnd(batch, logs)
  }
  /** The same event as `onTrainBatchBegin`. */
  onBatchBegin(_batch: number, _logs?: object | null): void | Promise<void> {}
  /** The same event as `onTrainBatchEnd`. */
  onBatchEnd(_batch: number, _logs: Logs): void | Promise<void> {}
  onTestBegin(_logs?: object | null): void | Promise<void> {}
  onTestEnd(_logs: Logs): void | Promise<void> {}
  onTestBatchBegin(_batch: number, _logs?: object | null): void | Promise<void> {}
  onTestBatchEnd(_batch: number, _logs: Logs): void | Promise<void> {}
  onPredictBegin(_logs?: object | null): void | Promise<void> {}
  onPredictEnd(_logs?: object | null): void | Promise<void> {}
  onPredictBatchBegin(_batch: number, _logs?: object | null): void | Promise<void> {}
  onPredictBatchEnd(_batch: number, _logs: PredictLogs): void | Promise<void> {}

  /** The model in training; set `model.stopTraining = true` to end after the current step. */
  get model(): TrainedModel {
    if (this.#model === null) throw new StateError('A callback has a model while fit runs')
    return this.#model
  }
}
