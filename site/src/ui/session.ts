// The session: the state of the page, the worker that trains, and the messages of the worker. Views observe its stores.

import type { Notice } from './notice-line'
import type { Point } from '../data/points'
import { networkOf, type Network } from '../model/network'
import { suited, type DataKind, type State, type Tab } from '../state/state'
import { fromHash, toHash } from '../state/url'
import type {
  Command,
  Described,
  FileFormat,
  UserFiles,
  Limit,
  Opened,
  Questions,
  Recipe,
  SavedFile,
  Seen,
  Speed,
} from '../worker/protocol'
import { Remote } from './remote'
import { KeptRun, ShownRun } from './shown-run'
import { Store } from './store'

type Setup = Extract<Command, { readonly type: 'setup' }>

/** Milliseconds without changes after which a new run begins. */
const SETTLED = 180

const SEEN: Readonly<Record<Tab, readonly Seen[]>> = {
  learn: ['answers'],
  units: ['units'],
  weights: ['weights'],
  balance: [],
  explain: ['answers'],
  code: [],
  files: [],
}

class Session {
  readonly state = new Store<State>(fromHash(location.hash))
  private readonly shown = new ShownRun()
  readonly described = this.shown.described
  readonly frame = this.shown.frame
  readonly curves = this.shown.curves
  /** A run to compare with, which trains beside this one. */
  readonly kept = new Store<KeptRun | null>(null)
  readonly playing = new Store(false)
  readonly speed = new Store<Speed>('normal')
  readonly limit = new Store<Limit | null>(null)
  readonly notice = new Store<Notice | null>(null)
  /** The point or row to explain. */
  readonly chosen = new Store<Float32Array | null>(null)
  /** The name of the file of the model, if the model was opened and has layers that cannot be changed here. */
  readonly opened = new Store<string | null>(null)
  /** The class of points that are drawn by hand. */
  readonly pen = new Store(0)
  /** The number of the run: it changes with every new model. */
  readonly run = new Store(0)

  private files: UserFiles = {}
  private remote = this.started()
  /** The setup of the worker's run, with which it can begin again. The state differs from it until changes have settled. */
  private made = this.setupCommand
  /** The worker for the files of other programs, once it is needed. */
  private formats: Remote | null = null
  /** The data that it has prepared. */
  private prepared: Described | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private wasPlaying = false

  begin(): void {
    window.addEventListener('hashchange', () => {
      const state = fromHash(location.hash)
      if (toHash(state) !== toHash(this.state.value)) this.change(state)
    })
    this.watch(this.state.value.tab)
    this.setup()
  }

  private started(): Remote {
    return new Remote(new Worker(new URL('../worker/slim.ts', import.meta.url), { type: 'module' }), (message) =>
      this.receive(message),
    )
  }

  private send(command: Command): void {
    this.remote.send(command)
  }

  /** Sends a command to this run, and to the kept one if it trains. */
  private control(command: Command): void {
    this.send(command)
    this.kept.value?.follow(command)
  }

  /** Sends a command to both runs. */
  private sendAll(command: Command): void {
    this.send(command)
    this.kept.value?.send(command)
  }

  /** Replaces the worker, and tells the new one what the page shows. */
  private adopt(remote: Remote): void {
    this.remote = remote
    remote.receive = (message) => this.receive(message)
    this.send({ type: 'limit', limit: this.limit.value })
    this.watch(this.state.value.tab)
  }

  /** Has the worker compute what the tab shows. Only the first tab shows the kept run. */
  private watch(tab: Tab): void {
    this.send({ type: 'watch', parts: SEEN[tab] })
    this.kept.value?.send({ type: 'watch', parts: tab === 'learn' ? SEEN.learn : [] })
  }

  private fail(text: string): void {
    this.playing.set(false)
    this.notice.set({ kind: 'error', text })
  }

  private receive(message: Parameters<NonNullable<Remote['receive']>>[0]): void {
    if (message.type === 'frame' && this.frame.value === null) performance.mark('model')
    this.shown.take(message, this.remote)
    switch (message.type) {
      case 'ready':
        this.begun()
        if (this.wasPlaying) this.play()
        this.wasPlaying = false
        return
      case 'stopped':
        this.pause()
        if (message.why !== null) this.notice.set({ kind: 'info', text: message.why })
        return
      case 'failed':
        return this.fail(message.message)
    }
  }

  /** Shows another model. */
  private begun(): void {
    this.chosen.set(null)
    this.run.set(this.run.value + 1)
  }

  /** Asks the worker. Shows an error, and then returns null. */
  async ask<Kind extends keyof Questions>(
    kind: Kind,
    argument: Questions[Kind]['argument'],
  ): Promise<Questions[Kind]['answer'] | null> {
    return this.orNotice(this.remote.ask(kind, argument))
  }

  /** The result. Shows an error, and then returns null. */
  private async orNotice<Result>(promise: Promise<Result>): Promise<Result | null> {
    try {
      return await promise
    } catch (error) {
      this.notice.set({ kind: 'error', text: error instanceof Error ? error.message : String(error) })
      return null
    }
  }

  private theFormats(): Remote {
    return (this.formats ??= new Remote(
      new Worker(new URL('../worker/full.ts', import.meta.url), { type: 'module' }),
      (message) => {
        if (message.type === 'ready') this.prepared = message.data
        if (message.type === 'failed') this.fail(message.message)
      },
    ))
  }

  /** The model as files; null after an error. */
  async save(format: FileFormat): Promise<readonly SavedFile[] | null> {
    const bytes = await this.ask('save', null)
    if (bytes === null || format === 'safetensors') return bytes && [{ name: 'model.safetensors', bytes }]
    return this.orNotice(this.theFormats().ask('convert', { bytes, format }))
  }

  /** Opens a model in the worker that reads all formats. That worker then replaces the other one. */
  async open(files: readonly File[]): Promise<Opened | null> {
    this.pause()
    this.settle()
    const formats = this.theFormats()
    this.made = this.setupCommand
    formats.send(this.made)
    const opened = await this.orNotice(formats.ask('open', { files }))
    if (opened === null) return null
    this.remote.receive = null
    this.remote.end()
    this.formats = null
    this.shown.clear(this.prepared)
    this.begun()
    if (opened.layers !== null) this.adoptLayers(opened.layers)
    this.opened.set(opened.layers === null ? opened.name : null)
    this.adopt(formats)
    return opened
  }

  /** Changes the present state, which may not have been drawn yet. */
  update(change: (state: State) => Partial<State>): void {
    this.change({ ...this.state.value, ...change(this.state.value) })
  }

  /** A new state. A new model is made if anything but the tab changes. */
  change(next: State): void {
    const { state } = this
    const before = state.value
    state.set(next)
    this.writeAddress()
    if (next.tab !== before.tab) this.watch(next.tab)
    if (next.data === before.data && next.layers === before.layers && next.training === before.training) return
    clearTimeout(this.timer)
    this.wasPlaying ||= this.playing.value
    this.pause()
    this.timer = setTimeout(() => this.setup(), SETTLED)
  }

  private writeAddress(): void {
    const hash = toHash(this.state.value)
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`)
  }

  /** Shows the layers of a model that replaced the built one. Nothing is built again. */
  adoptLayers(layers: State['layers']): void {
    this.state.set({ ...this.state.value, layers })
    this.made = { ...this.made, recipe: { ...this.made.recipe, layers } }
    this.writeAddress()
  }

  choose(kind: DataKind, files: UserFiles = this.files): void {
    this.files = files
    this.notice.set(null)
    this.change(suited({ ...this.state.value, data: { ...this.state.value.data } }, kind))
  }

  draw(point: Point): void {
    this.update(({ data }) => ({ data: { ...data, points: [...data.points, point] } }))
  }

  show(tab: Tab): void {
    this.update(() => ({ tab }))
  }

  /** Opens the tab that explains the answer for a row. */
  explain(row: Float32Array): void {
    this.chosen.set(row)
    this.show('explain')
  }

  get table(): UserFiles['table'] {
    return this.files.table
  }

  private get recipe(): Recipe {
    const { data, layers, training } = this.state.value
    return { data, layers, training }
  }

  get network(): Network | null {
    const described = this.described.value
    return described === null ? null : networkOf(this.recipe, described.form)
  }

  /** Begins again with new weights. */
  setup(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.opened.set(null)
    if (this.state.value.data.kind === 'images' && this.files.images === undefined) {
      this.wasPlaying = false
      return this.notice.set({ kind: 'info', text: 'Choose a folder of images, or use the camera.' })
    }
    this.made = this.setupCommand
    this.send(this.made)
  }

  private get setupCommand(): Setup {
    return { type: 'setup', recipe: this.recipe, files: this.files }
  }

  reset(): void {
    this.wasPlaying = false
    this.playing.set(false)
    this.notice.set(null)
    this.setup()
    this.kept.value?.reset()
  }

  /** Begins the waiting run at once: the next command is meant for it. */
  private settle(): void {
    if (this.timer !== undefined) this.setup()
  }

  play(): void {
    this.notice.set(null)
    this.settle()
    this.playing.set(true)
    this.control({ type: 'play', speed: this.speed.value })
  }

  pause(): void {
    this.playing.set(false)
    this.sendAll({ type: 'pause' })
  }

  step(): void {
    this.wasPlaying = false
    this.playing.set(false)
    this.settle()
    this.control({ type: 'step' })
  }

  rewind(epoch: number): void {
    this.playing.set(false)
    this.send({ type: 'rewind', epoch })
  }

  setSpeed(speed: Speed): void {
    this.speed.set(speed)
    if (this.playing.value) this.control({ type: 'play', speed })
  }

  setLimit(limit: Limit | null): void {
    this.limit.set(limit)
    this.sendAll({ type: 'limit', limit })
  }

  /** Keeps the run of the worker, and begins a new one beside it, with changes that have not settled. */
  keep(): void {
    if (this.frame.value === null) return
    this.wasPlaying ||= this.playing.value
    this.pause()
    const { layers, training } = this.made.recipe
    const hidden = layers.flatMap(({ values: { units, filters, activation = '' } }) =>
      units === undefined && filters === undefined ? [] : `${units ?? filters} ${activation}`.trim(),
    )
    const label = `${hidden.length === 0 ? 'no hidden layer' : hidden.join(', ')}; ${training.optimizer} ${training.rate}`
    const setup = this.opened.value === null ? this.made : null
    const kept = new KeptRun(label, this.shown, this.remote, setup, (text) => this.fail(text))
    this.adopt(this.started())
    this.kept.set(kept)
    this.setup()
  }

  /** Makes the kept run train with this one, or pause. */
  setKeptTrains(trains: boolean): void {
    const kept = this.kept.value
    kept?.setTrains(trains)
    if (this.playing.value) kept?.follow({ type: 'play', speed: this.speed.value })
  }

  forget(): void {
    this.kept.value?.end()
    this.kept.set(null)
  }
}

export const session = new Session()
