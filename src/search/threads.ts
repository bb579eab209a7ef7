// Trials in worker threads of Node. A worker makes and trains models itself, from samples in shared memory; it returns
// logs and, for the best trial, weights.

import { clock } from '../core/globals'
import { isPlainFunction } from '../core/registry'
import { typed } from '../core/tree'
import { requireArguments } from '../core/arguments'
import {
  ArgumentError,
  DataError,
  FormatError,
  MyelinError,
  NonFiniteError,
  ShapeError,
  StateError,
  internalError,
} from '../core/errors'
import type { NamedTensor } from '../files/containers/safetensors'
import { savedVariables } from '../models/save'
import { readInputs } from '../training/read'
import { restoreNumbered } from '../layers/saved-weights'
import { withRandomSeed } from '../ops/random/seed'
import { configure, runtimeInfo, type Settings } from '../engine/runtime/configure'
import { nodeModule } from '../engine/runtime/platform'
import {
  Fits,
  asError,
  winnerSeed,
  type AnyMake,
  type AnyModel,
  type TrialRunner,
  type Progress,
  type Task,
} from './fits'
import { packSamples, takeRows, unpackSamples, type PackedSamples } from './samples'
import type { AnyChoice } from './space'

/** What a worker receives at its start. */
interface Assignment {
  /** The module whose default export makes models. */
  readonly make: string
  readonly task: Omit<Task, 'samples' | 'local'>
  readonly samples: PackedSamples
  readonly settings: Partial<Settings>
}

/** The state of a model, without its structure. */
interface ModelState {
  readonly tensors: readonly NamedTensor[]
  readonly shuffle: { readonly seed: number; readonly epoch: number }
}

/** What a worker answers to each request. */
interface Answers {
  /** A worker posts the error of a trial packed. */
  readonly train: Omit<Progress, 'error'> & { readonly error: PackedError | null }
  readonly drop: void
  readonly winner: ModelState
}

/** A request to a worker: the name of a function below, and its arguments. */
interface Request {
  readonly id: number
  readonly name: keyof Answers
  readonly inputs: readonly [trial: number, choice: AnyChoice, epochs: number]
}

/** What a worker says of a request: that it begins it, its result, or its error. */
interface Response {
  readonly id: number
  readonly isBegun?: true
  readonly value?: unknown
  readonly error?: PackedError
}

interface PackedError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly step: number | undefined
  readonly instruction: string | undefined
}

/** Whether this platform has worker threads. */
export function hasThreads(): boolean {
  return nodeModule('node:worker_threads') !== null
}

/** The default export of a module. @throws ArgumentError if it is not a function */
export async function importMake(url: string): Promise<AnyMake> {
  // The URL is known only at run time, so bundlers leave the import alone.
  const module: { readonly default?: unknown } = await import(/* webpackIgnore: true */ /* @vite-ignore */ url)
  const make = module.default
  if (isPlainFunction<AnyMake>(make)) return make
  throw new ArgumentError(`${url}: the default export must be a function that makes a compiled model`)
}

/** The part of a worker of Node that a search uses. */
export interface TrialWorker {
  postMessage(request: unknown, transfer: readonly []): void
  on(event: 'message', listener: (response: Response) => void): unknown
  on(event: 'error' | 'messageerror', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
}

/** Starts a worker, which calls `serveTrials`. */
export type StartWorker = (assignment: unknown, name: string) => TrialWorker

const startWorker: StartWorker = (workerData, name) => {
  const threads = nodeModule('node:worker_threads')
  if (threads === null) throw internalError('there are no threads')
  const source = `import { serveTrials } from ${JSON.stringify(import.meta.url)}; serveTrials()`
  return new threads.Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData, name })
}

/** Rejects the requests of a worker that ended although the search did not stop it. */
class WorkerEnded extends Error {
  constructor(
    readonly reason: Error,
    /** The request that the worker had begun, and that may be why it ended. */
    readonly during: 'this' | 'another' | 'none',
  ) {
    super(reason.message)
  }
}

interface Open {
  readonly request: Request
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  isBegun: boolean
}

/**
 * A worker and its open requests. It has one of them at a time, so it is known which one it had begun when it ended: 'exit'
 * comes after all of its messages.
 */
class WorkerHandle {
  private current: Open | null = null
  private readonly waiting: Open[] = []
  private count = 0
  private failure: Error | null = null
  private ended: { readonly rejection: (open: Open | null) => unknown } | null = null

  constructor(private readonly worker: TrialWorker) {
    const failed = (error: unknown): void => {
      this.failure ??= new StateError(`a worker of the search failed: ${asError(error).message}`)
    }
    worker.on('message', (response) => this.hear(response))
    worker.on('error', failed)
    // A request without a readable response would stay open.
    worker.on('messageerror', (error) => {
      failed(error)
      void worker.terminate()
    })
    worker.on('exit', (code) => {
      const reason = this.failure ?? new StateError(`a worker of the search ended with exit code ${code}`)
      const begun = this.current?.isBegun === true ? this.current : null
      this.end((open) => {
        const which = open === begun ? 'this' : 'another'
        return new WorkerEnded(reason, begun === null || open === null ? 'none' : which)
      })
    })
  }

  /** The number of open requests. */
  get load(): number {
    return this.waiting.length + (this.current === null ? 0 : 1)
  }

  get isAlive(): boolean {
    return this.ended === null
  }

  ask<Name extends keyof Answers>(name: Name, ...inputs: Request['inputs']): Promise<Answers[Name]> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) return reject(this.ended.rejection(null))
      const request = { id: this.count++, name, inputs }
      // The worker runs `serveTrials`, whose answers have these types.
      this.waiting.push({ request, resolve: (value) => resolve(typed(value)), reject, isBegun: false })
      this.next()
    })
  }

  /** Ends the worker, and rejects its requests with `reason`. */
  async stop(reason: unknown): Promise<void> {
    this.end(() => reason)
    await this.worker.terminate()
  }

  private hear({ id, isBegun, value, error }: Response): void {
    const { current } = this
    if (current?.request.id !== id) return
    if (isBegun === true) {
      current.isBegun = true
      return
    }
    this.current = null
    if (error === undefined) current.resolve(value)
    else current.reject(unpackError(error))
    this.next()
  }

  private next(): void {
    while (this.current === null && this.waiting.length > 0) {
      const open = this.waiting.shift()!
      try {
        this.worker.postMessage(open.request, [])
        this.current = open
      } catch (error) {
        // A choice that cannot be posted, such as a function.
        open.reject(error)
      }
    }
  }

  private end(rejection: (open: Open | null) => unknown): void {
    if (this.ended !== null) return
    this.ended = { rejection }
    for (const open of [this.current, ...this.waiting]) open?.reject(rejection(open))
    this.current = null
    this.waiting.length = 0
  }
}

/** Where the models of a trial are, and how they came to be. */
interface Home {
  handle: WorkerHandle
  /** The epochs up to which each of its rounds trained. */
  readonly rounds: number[]
  /** What its last round did. */
  last: Progress | null
}

/** How many workers may end before they begin a request; one that ended during another trial does not count. */
const MOST_LOST = 3

/**
 * Trains in `width` workers. A trial stays in the worker where it began. If the worker ends, the trial that it trained has
 * failed, another worker replaces it, and trains its other trials again when a later round or the winner needs their models.
 * Each trial can end one worker, so at most `trials` are replaced.
 */
export class Threads implements TrialRunner {
  private readonly handles: WorkerHandle[]
  private readonly homes = new Map<number, Home>()
  private readonly assignment: Assignment
  private readonly abort = (): void => void this.stop(this.task.local.signal?.reason)
  private stopped: { readonly reason: unknown } | null = null
  private started = 0

  constructor(
    readonly width: number,
    private readonly trials: number,
    url: string,
    private readonly make: AnyMake,
    private readonly task: Task,
    private readonly startedWorker: StartWorker = startWorker,
  ) {
    const { samples, local, ...common } = task
    const { backend, simd, fuse, turbo } = runtimeInfo()
    this.assignment = {
      make: url,
      task: common,
      samples: packSamples(samples),
      settings: { backend, simd, fuse, turbo },
    }
    this.handles = Array.from({ length: width }, () => this.start())
    local.signal?.addEventListener('abort', this.abort)
  }

  async train(trial: number, choice: AnyChoice, until: number): Promise<Progress> {
    const begun = clock()
    try {
      const { error, ...trained } = await this.ask('train', trial, choice, until)
      const progress = { ...trained, error: error === null ? null : unpackError(error) }
      const home = this.homes.get(trial)!
      home.rounds.push(until)
      home.last = progress
      return progress
    } catch (error) {
      if (!(error instanceof WorkerEnded)) throw error
      const { logs = [], epochs = [] } = this.homes.get(trial)?.last ?? {}
      this.homes.delete(trial)
      return { logs, epochs, seconds: (clock() - begun) / 1000, error: error.reason }
    }
  }

  async drop(trial: number): Promise<void> {
    const handle = this.homes.get(trial)?.handle
    this.homes.delete(trial)
    await handle?.ask('drop', trial, {}, 0).catch((error: unknown) => {
      // The models of a worker that ended are gone as well.
      if (!(error instanceof WorkerEnded)) throw error
    })
  }

  async winner(trial: number, choice: AnyChoice, epochs: number): Promise<AnyModel> {
    const { tensors, shuffle } = await this.ask('winner', trial, choice, epochs).catch((error: unknown) => {
      throw error instanceof WorkerEnded ? error.reason : error
    })
    return withRandomSeed(winnerSeed(this.task, trial), async () => {
      const model = await this.make(choice)
      // Reading one row builds the model.
      readInputs(model.training, takeRows(this.task.samples.x, Int32Array.of(0)))
      if (!model.hasOwnStep) model.optimizer.build(model.trainableWeights, model.weights)
      restoreNumbered(variablesOf(model), new Map(tensors.map((tensor) => [tensor.name, tensor])))
      Object.assign(model.training.shuffleState, shuffle)
      return model
    })
  }

  async close(): Promise<void> {
    this.task.local.signal?.removeEventListener('abort', this.abort)
    await this.stop(new StateError('the search is over'))
  }

  private async stop(reason: unknown): Promise<void> {
    this.stopped ??= { reason }
    await Promise.all(this.handles.map((handle) => handle.stop(reason)))
  }

  private start(): WorkerHandle {
    return new WorkerHandle(this.startedWorker(this.assignment, `myelin search ${this.started++}`))
  }

  /**
   * Asks the worker of a trial; another one if it ends before it begins. Each turn needs another worker, so this ends.
   * @throws WorkerEnded if a worker ends after it began, or none begins
   */
  private async ask<Name extends keyof Answers>(name: Name, ...inputs: Request['inputs']): Promise<Answers[Name]> {
    const [trial, choice] = inputs
    const home = this.homes.get(trial) ?? { handle: this.idlest(), rounds: [], last: null }
    this.homes.set(trial, home)
    for (let lost = 0; ;) {
      try {
        if (!home.handle.isAlive) {
          home.handle = this.idlest()
          // The seeds of a trial depend on its rounds alone, so its models become the same again.
          for (const until of home.rounds) await home.handle.ask('train', trial, choice, until)
        }
        return await home.handle.ask(name, ...inputs)
      } catch (error) {
        if (!(error instanceof WorkerEnded) || error.during === 'this') throw error
        if (error.during === 'none' && ++lost === MOST_LOST)
          throw new WorkerEnded(
            new StateError(`${error.reason.message}, and none of ${MOST_LOST} began the trial`),
            'none',
          )
      }
    }
  }

  /** The worker with the fewest requests, after those that ended were replaced; one that ended if no more may start. */
  private idlest(): WorkerHandle {
    if (this.stopped !== null) throw this.stopped.reason
    this.handles.forEach((handle, i) => {
      if (!handle.isAlive && this.started < this.width + this.trials) this.handles[i] = this.start()
    })
    return this.handles.reduce((least, each) => (!least.isAlive || each.load < least.load ? each : least))
  }
}

/** A model with a custom train step creates the optimizer's slots when that step first runs. */
function variablesOf(model: AnyModel) {
  return savedVariables(model, { includeOptimizer: !model.hasOwnStep })
}

/** The entry point of a worker thread of a search: answers its requests, of which it has one at a time. Not for other use. */
export function serveTrials(): void {
  requireArguments('serveTrials', arguments, 0)
  const threads = nodeModule('node:worker_threads')
  const port = threads?.parentPort ?? null
  if (threads === null || port === null) throw new StateError('serveTrials is for the workers of a search')
  const { make, task, samples, settings }: Assignment = threads.workerData
  configure(settings)
  const local = { data: null, validationBatches: null, callbacks: null, signal: null }
  const fits = importMake(make).then((made) => new Fits(made, { ...task, samples: unpackSamples(samples), local }))
  // The first request receives the error, so the rejection is handled.
  fits.catch(() => undefined)
  const answers = {
    async train(trials, trial, choice, until) {
      const progress = await trials.train(trial, choice, until)
      return { ...progress, error: progress.error === null ? null : packError(progress.error) }
    },
    drop: (trials, trial) => trials.drop(trial),
    async winner(trials, trial, choice, epochs) {
      const model = await trials.winner(trial, choice, epochs)
      const tensors = variablesOf(model).map(({ key, variable }) => ({
        name: key,
        shape: variable.shape,
        data: variable.view.slice(),
      }))
      return { tensors, shuffle: { ...model.training.shuffleState } }
    },
  } satisfies { [Name in keyof Answers]: (trials: Fits, ...inputs: Request['inputs']) => Promise<Answers[Name]> }
  const post = (response: Response): void => port.postMessage(response)
  port.on('message', async ({ id, name, inputs }: Request) => {
    try {
      const trials = await fits
      post({ id, isBegun: true })
      post({ id, value: await answers[name](trials, ...inputs) })
    } catch (error) {
      post({ id, error: packError(error) })
    }
  })
}

/** The classes of errors by name: an error loses its class when it is posted between threads. */
const CLASSES: Readonly<Record<string, abstract new (...inputs: never[]) => Error>> = {
  ArgumentError,
  DataError,
  FormatError,
  MyelinError,
  NonFiniteError,
  ShapeError,
  StateError,
}

function packError(error: unknown): PackedError {
  const { name, message, stack } = asError(error)
  const { step, instruction } = error instanceof NonFiniteError ? error : { step: undefined, instruction: undefined }
  return { name, message, stack, step, instruction }
}

function unpackError({ name, message, stack, step, instruction }: PackedError): Error {
  const error = new Error(message)
  Object.setPrototypeOf(error, (CLASSES[name] ?? Error).prototype)
  return Object.assign(error, { name, stack }, step === undefined ? {} : { step, instruction })
}
