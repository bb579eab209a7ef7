// Reads pictures of a folder in worker threads of Node, for passes that read ahead. The same functions run there, so the bits are the
// same. Loaded when such a pass begins.

import { StateError } from '../../core/errors'
import { nextNumber } from '../../core/numbers'
import type { DType, TensorData } from '../../core/dtypes'
import { Tensor } from '../../ops/tensor'
import { configure, type Settings } from '../../engine/runtime/configure'
import { currentRuntime } from '../../engine/runtime/current'
import { nodeModule } from '../../engine/runtime/platform'
import { FolderReader } from './folder-file'
import { pictureOf, type PictureSettings } from './pictures'

/** More would wait for each other's memory, and training needs a processor, too. */
const MOST_THREADS = 4
/** Threads without work end after so many ms. */
const IDLE = 5000

interface Request {
  readonly id: number
  readonly file: string
  readonly picture: PictureSettings
  readonly runtime: Partial<Settings>
}

/** Without a tensor, the picture is broken: reading it again gives the error. */
interface Response {
  readonly id: number
  readonly tensor?: { readonly data: TensorData; readonly shape: readonly number[]; readonly dtype: DType }
}

/** The part of a worker of Node that is used. */
interface PictureWorker {
  postMessage(request: Request, transfer: readonly []): void
  on(event: 'message', listener: (response: Response) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  ref(): void
  unref(): void
  terminate(): Promise<unknown>
}

/** A thread and its unanswered requests, by id. */
interface Thread {
  readonly worker: PictureWorker
  readonly open: Map<number, (tensor: Tensor | null) => void>
}

/** The threads of this process, for all folders. */
class PictureThreads {
  private threads: readonly Thread[] = []
  private idle: ReturnType<typeof setTimeout> | undefined
  /** After a thread failed, there are no more. */
  private isBroken = false

  /**
   * A picture of a file as `pictureOf` makes it, in a thread.
   * @returns null if it is to be read in this thread: it is broken, or there are no threads
   */
  read(file: string, picture: PictureSettings): Promise<Tensor | null> {
    if (this.isBroken) return Promise.resolve(null)
    clearTimeout(this.idle)
    if (this.threads.length === 0) this.threads = this.start()
    if (this.threads.length === 0) return Promise.resolve(null)
    const { backend, simd, fuse, turbo = false } = currentRuntime().settings
    const { worker, open } = this.threads.reduce((least, each) => (each.open.size < least.open.size ? each : least))
    const id = nextNumber()
    // The process waits for answers, but not for threads without work.
    if (open.size === 0) worker.ref()
    return new Promise((resolve) => {
      open.set(id, resolve)
      worker.postMessage({ id, file, picture, runtime: { backend, simd, fuse, turbo } }, [])
    })
  }

  /** The entry point of such a thread. */
  serve(): void {
    const port = nodeModule('node:worker_threads')?.parentPort ?? null
    if (port === null) throw new StateError('pictureThreads.serve is for the threads of imageFolder')
    const folder = new FolderReader('imageFolder', null)
    port.on('message', async ({ id, file, picture, runtime }: Request) => {
      try {
        configure(runtime)
        const { data, shape, dtype } = await pictureOf(await folder.read(file), file, picture)
        const moved = data.buffer instanceof ArrayBuffer ? [data.buffer] : []
        port.postMessage({ id, tensor: { data, shape, dtype } } satisfies Response, moved)
      } catch {
        port.postMessage({ id } satisfies Response)
      }
    })
  }

  private start(): readonly Thread[] {
    const [workers, os] = [nodeModule('node:worker_threads'), nodeModule('node:os')]
    if (workers === null || os === null) return []
    const source = `import { pictureThreads } from ${JSON.stringify(import.meta.url)}; pictureThreads.serve()`
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    const size = Math.max(1, Math.min(MOST_THREADS, os.availableParallelism() - 1))
    return Array.from({ length: size }, (_, i) => {
      const worker: PictureWorker = new workers.Worker(url, { name: `myelin pictures ${i}` })
      const thread = { worker, open: new Map<number, (tensor: Tensor | null) => void>() }
      worker.on('message', ({ id, tensor }) => {
        this.settle(thread, id, tensor === undefined ? null : new Tensor(tensor.data, tensor.shape, tensor.dtype))
      })
      worker.on('error', (error) => this.fail(error))
      worker.on('exit', (code) => {
        if (this.threads.includes(thread)) this.fail(new StateError(`it ended with exit code ${code}`))
      })
      worker.unref()
      return thread
    })
  }

  private settle({ worker, open }: Thread, id: number, tensor: Tensor | null): void {
    open.get(id)?.(tensor)
    open.delete(id)
    if (open.size > 0) return
    worker.unref()
    if (this.threads.some((each) => each.open.size > 0)) return
    clearTimeout(this.idle)
    this.idle = setTimeout(() => this.end(), IDLE)
    // A process ends without waiting for this.
    this.idle.unref()
  }

  private end(): void {
    const ended = this.threads
    this.threads = []
    for (const { worker } of ended) void worker.terminate()
  }

  private fail(error: unknown): void {
    if (this.isBroken) return
    this.isBroken = true
    console.warn(
      `imageFolder: pictures are read in this thread, because a worker thread failed: ${error instanceof Error ? error.message : String(error)}`,
    )
    const waiting = this.threads.flatMap(({ open }) => [...open.values()])
    this.end()
    for (const resolve of waiting) resolve(null)
  }
}

/** One object, because bundlers would leave out what only the source of the threads names. */
export const pictureThreads = /* @__PURE__ */ new PictureThreads()
