// Starts one worker thread, in Node and in browsers, and says how it fares. What the thread does is one call of
// `serve` in assembly/tape.ts; who leads it is in pool.ts.

import { StateError } from '../../core/errors'
import { nodeModule, nodeProcess } from '../platform'

/** What a worker is given. */
export interface WorkerTask {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** The address of the words of assembly/shared/pool.ts. */
  readonly pool: number
  readonly thread: number
  readonly threads: number
  /** Where it finds a number and where it writes that number + thread; in words. */
  readonly challenge: number
  readonly answer: number
}

export interface WorkerEvents {
  /** It has written its answer and is about to wait for tapes. */
  onReady(): void
  /** It cannot start, has thrown, or is gone. */
  onEnd(reason: string): void
}

export interface WorkerHandle {
  /** Lets the process end while the worker waits. */
  unref(): void
  terminate(): Promise<void>
}

// Plain text, because it must reach users' bundles as it is; with no `require`, which tools take for CommonJS. The turn
// of the event loop before `serve`, which never returns to it, lets the message out.
const SOURCE = `
function start({ module, memory, pool, thread, threads, challenge, answer }, say) {
  const { abandon, serve } = new WebAssembly.Instance(module, { env: { memory } }).exports
  const words = new Int32Array(memory.buffer)
  Atomics.store(words, answer, Atomics.load(words, challenge) + thread)
  say('ready')
  setTimeout(() => {
    try {
      serve(pool, thread, threads)
    } catch (error) {
      abandon(pool)
      throw error
    }
  })
}
if (globalThis.process) {
  const { parentPort, workerData } = globalThis.process.getBuiltinModule('node:worker_threads')
  start(workerData, (message) => parentPort.postMessage(message))
} else {
  onmessage = ({ data }) => start(data, (message) => postMessage(message))
}
`

/** @throws whatever the engine throws when it has no workers or forbids them. */
export async function startWorker(task: WorkerTask, events: WorkerEvents): Promise<WorkerHandle> {
  return nodeProcess() === null ? startWebWorker(task, events) : startNodeWorker(task, events)
}

function startNodeWorker(task: WorkerTask, { onReady, onEnd }: WorkerEvents): WorkerHandle {
  const threads = nodeModule('node:worker_threads')
  if (threads === null) throw new StateError('threads need Node 20.16, 22.3 or later')
  // Flags of the process, such as --input-type or a loader, are not meant for this worker.
  const worker = new threads.Worker(SOURCE, {
    eval: true,
    workerData: task,
    execArgv: [],
    name: `myelin ${task.thread}`,
  })
  worker.on('message', onReady)
  worker.on('error', (error) => onEnd(String(error)))
  worker.on('exit', (code) => onEnd(`it ended with exit code ${code}`))
  return {
    unref: () => worker.unref(),
    terminate: async () => void (await worker.terminate()),
  }
}

function startWebWorker(task: WorkerTask, { onReady, onEnd }: WorkerEvents): WorkerHandle {
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: `myelin ${task.thread}` })
  worker.onmessage = () => {
    URL.revokeObjectURL(url)
    onReady()
  }
  worker.onerror = ({ message }) => onEnd(message || 'the page does not allow workers from blob URLs')
  worker.postMessage(task, [])
  return {
    unref: () => {},
    terminate: async () => worker.terminate(),
  }
}
