// StopOnInterrupt: Ctrl-C ends fit, and the program goes on.

import { StateError } from '../../core/errors'
import { nodeModule, nodeProcess } from '../../engine/runtime/platform'
import { Callback, type Interruption } from './callback'

/** What a process ended by SIGINT returns: 128 and the number of the signal. */
const EXIT_CODE = 130

/**
 * Ends fit when the user presses Ctrl-C (SIGINT) in Node, Deno or Bun: after the running step, with the weights as they are then.
 * The last epoch and its validation may be incomplete. fit returns its History, and the program continues, for example by saving the
 * model. A second Ctrl-C ends the process. It listens to the signal only while fit runs, because
 * programs such as servers have other listeners.
 *
 *   const stop = new StopOnInterrupt()
 *   await model.fit(x, y, { epochs: 1000, callbacks: [stop] })
 *   await model.save(stop.interrupted ? 'unfinished.keras' : 'model.keras')
 *
 * BackupAndRestore keeps its backup, so that the next process resumes the run.
 *
 * @throws StateError, when fit begins, in pages and worker threads, which receive no signals
 */
export class StopOnInterrupt extends Callback {
  static readonly className = 'StopOnInterrupt'
  #controller = new AbortController()
  #process: NodeJS.Process | null = null

  /** Whether Ctrl-C ended the last fit. */
  get interrupted(): boolean {
    return this.#controller.signal.aborted
  }

  /** @internal */
  override readonly interruption: Interruption = this.#made()

  #made(): Interruption {
    const interrupted = (): boolean => this.interrupted
    return {
      get isOn() {
        return interrupted()
      },
      begin: (signal) => {
        const node = processWithSignals()
        const controller = new AbortController()
        // Before the listener is added, because a host may refuse to join a signal of another realm.
        const ends = signal === null ? controller.signal : AbortSignal.any([signal, controller.signal])
        this.#controller = controller
        this.#process = node.on('SIGINT', this.#listener)
        return ends
      },
      end: () => void this.#process?.off('SIGINT', this.#listener),
    }
  }

  readonly #listener = (): void => {
    const node = this.#process!
    if (this.interrupted) return node.exit(EXIT_CODE)
    this.#controller.abort()
    // Without a listener the system ends the process, even during a long step.
    if (node.listenerCount('SIGINT') === 1) node.off('SIGINT', this.#listener)
    const newLine = node.stdout?.isTTY === true ? '\n' : ''
    console.warn(
      `${newLine}StopOnInterrupt: fit ends after this step and keeps the weights. Press Ctrl-C again to end the process at once.`,
    )
  }
}

function processWithSignals(): NodeJS.Process {
  const found = nodeProcess()
  if (found !== null && nodeModule('node:worker_threads')?.isMainThread !== false) return found
  throw new StateError(
    'StopOnInterrupt: only the main thread of Node, Deno or Bun receives Ctrl-C. Elsewhere, give fit the signal of an AbortController',
  )
}
