// The reports of a run's worker that the page shows. A run that is kept to compare also has that worker.

import type { Command, Described, Frame, Message } from '../worker/protocol'
import { NO_CURVES, extended, type Curves } from './curves-of-run'
import type { Remote } from './remote'
import { Store } from './store'

export class ShownRun {
  readonly described = new Store<Described | null>(null)
  readonly frame = new Store<Frame | null>(null)
  readonly curves = new Store<Curves>(NO_CURVES)

  /** Takes a message of the worker, which sends the next frame when this one is drawn. */
  take(message: Message, remote: Remote): void {
    if (message.type === 'ready') this.clear(message.data)
    if (message.type !== 'frame') return
    if (message.frame.curve !== null) this.curves.set(extended(this.curves.value, message.frame.curve))
    this.frame.set(message.frame)
    requestAnimationFrame(() => remote.send({ type: 'drawn' }))
  }

  /** Clears everything, because the model is another one. */
  clear(described: Described | null): void {
    if (described !== null) this.described.set(described)
    this.frame.set(null)
    this.curves.set(NO_CURVES)
  }
}

/** A run with its worker, which can train beside the present run. */
export class KeptRun {
  readonly shown = new ShownRun()
  /** Whether it follows the controls of training. */
  readonly trains = new Store(true)

  /**
   * @param setup begins the run again; null for a model from a file
   * @param fail shows an error
   */
  constructor(
    readonly label: string,
    from: ShownRun,
    private readonly remote: Remote,
    private readonly setup: Command | null,
    fail: (text: string) => void,
  ) {
    this.shown.described.set(from.described.value)
    this.shown.frame.set(from.frame.value)
    this.shown.curves.set(from.curves.value)
    remote.receive = (message) => {
      this.shown.take(message, remote)
      if (message.type === 'failed') fail(message.message)
    }
  }

  /** Passes on a command of the present run, if this one follows it. */
  follow(command: Command): void {
    if (this.trains.value) this.remote.send(command)
  }

  /** Passes on a command that concerns a paused run, too. */
  send(command: Command): void {
    this.remote.send(command)
  }

  setTrains(trains: boolean): void {
    this.trains.set(trains)
    if (!trains) this.remote.send({ type: 'pause' })
  }

  reset(): void {
    if (this.setup !== null) this.follow(this.setup)
  }

  end(): void {
    this.remote.end()
  }
}
