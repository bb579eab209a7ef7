// Trials in worker threads of Node. A worker makes and trains models itself, from samples in shared memory; it returns
// logs and, for the best trial, weights.

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
import type { NamedTensor } from '../formats/safetensors'
import { savedVariables } from '../models/save'
import { readInputs } from '../training/read'
import { restoreNumbered } from '../formats/weights'
import { withRandomSeed } from '../ops/random/seed'
import { configure, runtimeInfo } from '../runtime/configure'
import type { Settings } from '../runtime/configure'
import { nodeModule } from '../runtime/platform'
import type { AnyMake, AnyModel, TrialRunner, Progress, Task } from './fits'
import { Fits, winnerSeed } from './fits'
import type { PackedSamples } from './samples'
import { packSamples, takeRows, unpackSamples } from './samples'
import type { AnyChoice } from './space'

/** What a worker receives at its start. */
interface Assignment {
  /** The module whose default export makes models. */
  readonly make: string
  readonly task: Omit<Task, 'samples' | 'own'>
  readonly samples: PackedSamples
  readonly settings: Partial<Settings>
}

/** The state of a model, without its structure. */
interface ModelState {
  readonly tensors: readonly NamedTensor[]
  readonly shuffle: { readonly seed: number; readonly epoch: number }
}

/** A request to a worker: the name of a function below, and its arguments. */
interface Request {
  readonly id: number
  readonly name: 'train' | 'drop' | 'winner'
  readonly inputs: readonly [trial: number, choice: AnyChoice, epochs: number]
}

interface Response {
  readonly id: number
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
  const { default: make } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as {
    readonly default?: unknown
  }
  if (typeof make === 'function') return make as AnyMake
  throw new ArgumentError(`${url}: the default export must be a function that makes a compiled model`)
}

/** A worker and its open requests. */
class WorkerHandle {
  private readonly asked = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (reason: unknown) => void }
  >()
  private readonly worker
  private count = 0
  private reason: unknown = null

  constructor(assignment: Assignment, name: string) {
    const threads = nodeModule('node:worker_threads')
    if (threads === null) throw internalError('there are no threads')
    const source = `import { serveTrials } from ${JSON.stringify(import.meta.url)}; serveTrials()`
    this.worker = new threads.Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: assignment,
      name,
    })
    this.worker.on('message', ({ id, value, error }: Response) => {
      const request = this.asked.get(id)
      this.asked.delete(id)
      if (error === undefined) request?.resolve(value)
      else request?.reject(unpackError(error))
    })
    this.worker.on('error', (error) => void this.end(new StateError(`a worker of the search failed: ${error.message}`)))
    this.worker.on(
      'exit',
      (code) => void this.end(new StateError(`a worker of the search ended with exit code ${code}`)),
    )
  }

  /** The number of open requests. */
  get load(): number {
    return this.asked.size
  }

  ask(name: Request['name'], ...inputs: Request['inputs']): Promise<unknown> {
    if (this.reason !== null) return Promise.reject(this.reason)
    const id = this.count++
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ id, name, inputs } satisfies Request, [])
      this.asked.set(id, { resolve, reject })
    })
  }

  async end(reason: unknown): Promise<void> {
    this.reason ??= reason
    for (const { reject } of this.asked.values()) reject(this.reason)
    this.asked.clear()
    await this.worker.terminate()
  }
}

/** Trains in `width` workers. A trial stays in the worker where it began. */
export class Threads implements TrialRunner {
  private readonly handles: readonly WorkerHandle[]
  private readonly handleOf = new Map<number, WorkerHandle>()
  private readonly abort = (): void => this.end(this.task.own.signal?.reason)

  constructor(
    readonly width: number,
    url: string,
    private readonly make: AnyMake,
    private readonly task: Task,
  ) {
    const { samples, own, ...common } = task
    const { backend, simd, fuse, turbo } = runtimeInfo()
    const assignment = {
      make: url,
      task: common,
      samples: packSamples(samples),
      settings: { backend, simd, fuse, turbo },
    }
    this.handles = Array.from({ length: width }, (_, i) => new WorkerHandle(assignment, `myelin search ${i}`))
    own.signal?.addEventListener('abort', this.abort)
  }

  async train(trial: number, choice: AnyChoice, until: number): Promise<Progress> {
    const handle =
      this.handleOf.get(trial) ?? this.handles.reduce((least, each) => (each.load < least.load ? each : least))
    this.handleOf.set(trial, handle)
    const progress = (await handle.ask('train', trial, choice, until)) as Progress
    return progress.error === null ? progress : { ...progress, error: unpackError(progress.error as PackedError) }
  }

  async drop(trial: number): Promise<void> {
    await this.handleOf.get(trial)?.ask('drop', trial, {}, 0)
    this.handleOf.delete(trial)
  }

  async winner(trial: number, choice: AnyChoice, epochs: number): Promise<AnyModel> {
    const { tensors, shuffle } = (await this.handleOf.get(trial)!.ask('winner', trial, choice, epochs)) as ModelState
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
    this.task.own.signal?.removeEventListener('abort', this.abort)
    await Promise.all(this.handles.map((handle) => handle.end(new StateError('the search is over'))))
  }

  private end(reason: unknown): void {
    for (const handle of this.handles) void handle.end(reason)
  }
}

/** A model with its own train step creates the optimizer's slots when that step first runs. */
function variablesOf(model: AnyModel) {
  return savedVariables(model, { includeOptimizer: !model.hasOwnStep })
}

/** The entry point of a worker thread of a search: answers requests, one after the other. Not for other use. */
export function serveTrials(): void {
  requireArguments('serveTrials', arguments, 0)
  const threads = nodeModule('node:worker_threads')
  const port = threads?.parentPort ?? null
  if (threads === null || port === null) throw new StateError('serveTrials is for the workers of a search')
  const { make, task, samples, settings } = threads.workerData as Assignment
  configure(settings)
  const own = { data: null, validationBatches: null, callbacks: null, signal: null }
  const fits = importMake(make).then((made) => new Fits(made, { ...task, samples: unpackSamples(samples), own }))
  // The first request receives the error, so the rejection is handled.
  fits.catch(() => undefined)
  const answers = {
    async train(trial, choice, until) {
      const progress = await (await fits).train(trial, choice, until)
      return progress.error === null ? progress : { ...progress, error: packError(progress.error) }
    },
    drop: async (trial) => (await fits).drop(trial),
    async winner(trial, choice, epochs) {
      const model = await (await fits).winner(trial, choice, epochs)
      const tensors = variablesOf(model).map(({ key, variable }) => ({
        name: key,
        shape: variable.shape,
        data: variable.view.slice(),
      }))
      return { tensors, shuffle: { ...model.training.shuffleState } } satisfies ModelState
    },
  } satisfies Record<Request['name'], (...inputs: Request['inputs']) => Promise<unknown>>
  let turn: Promise<void> = Promise.resolve()
  port.on('message', ({ id, name, inputs }: Request) => {
    turn = turn
      .then((): Promise<unknown> => answers[name](...inputs))
      .then(
        (value) => port.postMessage({ id, value } satisfies Response),
        (error: unknown) => port.postMessage({ id, error: packError(error) } satisfies Response),
      )
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
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const { step, instruction } = error instanceof NonFiniteError ? error : { step: undefined, instruction: undefined }
  return { name, message, stack, step, instruction }
}

function unpackError({ name, message, stack, step, instruction }: PackedError): Error {
  const error = new Error(message)
  Object.setPrototypeOf(error, (CLASSES[name] ?? Error).prototype)
  return Object.assign(error, { name, stack }, step === undefined ? {} : { step, instruction })
}
