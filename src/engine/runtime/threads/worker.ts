// Starts one worker thread, in Node and in browsers, and reports its state. The thread runs `serve` in
// assembly/tape.ts; pool.ts leads it.

import { StateError } from '../../../core/errors'
import type { LoadedFamily } from '../wasm/kernel-set'
import { nodeModule, nodeProcess } from '../platform'

/** The inputs of a worker. */
export interface WorkerTask {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** The address of the pool's words: see assembly/shared/pool.ts. */
  readonly pool: number
  /** Kernels to load at the start. */
  readonly families: readonly LoadedFamily[]
  readonly thread: number
  readonly threads: number
  /** The indices of two words: the worker reads a number from one and writes that number + thread to the other. */
  readonly challenge: number
  readonly answer: number
}

export interface WorkerEvents {
  /** The worker has written its answer and is about to wait for tapes. */
  onReady(): void
  /** The worker failed to start, threw an error, or exited. */
  onEnd(reason: string): void
}

export interface WorkerHandle {
  /** Gives it kernels, which it loads when the pool is paused. */
  load(family: LoadedFamily): void
  /** Lets the process end while the worker waits. */
  unref(): void
  terminate(): Promise<void>
}

// A string, because it must reach users' bundles unchanged; without `require`, which tools take for CommonJS.
// The timeout before `serve` lets the message out. When `serve` returns, the pool is paused, and the worker
// receives kernels to load.
const SOURCE = `
function start({ module, memory, families, pool, thread, threads, challenge, answer }, say, hear) {
  const { abandon, serve, table } = new WebAssembly.Instance(module, { env: { memory } }).exports
  const link = ({ module, kernels }) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    for (const [name, opcode] of kernels) {
      if (table.length <= opcode) table.grow(opcode + 1 - table.length)
      table.set(opcode, exports[name])
    }
  }
  families.forEach(link)
  let seen = 0
  const work = () => {
    try {
      seen = serve(pool, thread, threads, seen)
    } catch (error) {
      abandon(pool)
      throw error
    }
    if (seen >= 0) hear((family) => {
      link(family)
      work()
    })
  }
  const words = new Int32Array(memory.buffer)
  Atomics.store(words, answer, Atomics.load(words, challenge) + thread)
  say('ready')
  setTimeout(work)
}
if (globalThis.process) {
  const { parentPort, workerData } = globalThis.process.getBuiltinModule('node:worker_threads')
  start(workerData, (message) => parentPort.postMessage(message), (take) => parentPort.once('message', take))
} else {
  const hear = (take) => (onmessage = ({ data }) => take(data))
  hear((task) => start(task, (message) => postMessage(message), hear))
}
`

/** @throws the engine's error if it has no workers or forbids them */
export async function startWorker(task: WorkerTask, events: WorkerEvents): Promise<WorkerHandle> {
  return nodeProcess() === null ? startWebWorker(task, events) : startNodeWorker(task, events)
}

function startNodeWorker(task: WorkerTask, { onReady, onEnd }: WorkerEvents): WorkerHandle {
  const threads = nodeModule('node:worker_threads')
  if (threads === null) throw new StateError('threads require Node 20.16, 22.3 or later')
  // Flags of the process, such as --input-type or a loader, do not apply to this worker.
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
    load: (family) => worker.postMessage(family, []),
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
    load: (family) => worker.postMessage(family, []),
    unref: () => {},
    terminate: async () => worker.terminate(),
  }
}
