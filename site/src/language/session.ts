// The session of the page of language models: its worker, what the worker does, and everything that the views observe.

import type { Notice } from '../ui/notice-line'
import type { PresetInfo, WeightKind } from 'myelin/language'
import { Link } from '../ui/link'
import { Store } from '../ui/store'
import type {
  Command,
  Costs,
  Example,
  Message,
  Opened,
  Pane,
  Prompt,
  Questions,
  Said,
  Source,
  Targets,
  Taught,
  Turn,
} from './protocol'
import { FRIENDLY, PIRATE } from './sentences'

export type Doing = 'inspect' | 'open' | 'chat' | 'teach' | 'compare'

/** What is known of a source before it is loaded. */
export interface Chosen {
  readonly source: Source
  readonly name: string
  /** null for a model that the page makes. */
  readonly info: PresetInfo | null
}

/** A prompt that the model answered without and with the adapter. */
export interface Compared {
  readonly prompt: string
  readonly before: Said | null
  readonly after: Said | null
}

export interface Manner {
  readonly temperature: number
  readonly maxTokens: number
}

export interface Lesson {
  readonly rank: number
  readonly epochs: number
  readonly learningRate: number
  readonly targets: Targets
}

/** A small model takes larger steps. */
const LESSONS: Readonly<Record<'small' | 'large', Lesson>> = {
  small: { rank: 4, epochs: 30, learningRate: 0.005, targets: 'all' },
  large: { rank: 8, epochs: 10, learningRate: 0.0005, targets: 'all' },
}

/** What failed, in plain words; the reason follows. */
const FAILURES: Readonly<Record<Doing, string>> = {
  inspect: 'This is no model that can be opened here.',
  open: 'The model could not be opened.',
  chat: 'The model could not go on.',
  teach: 'The adapter could not be trained.',
  compare: 'The answers could not be compared.',
}
/** What reasons of the library and of browsers mean for a visitor. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /memory|allocation|can address/i,
    'There is not enough memory: weights of fewer bits, a smaller model or shorter texts need less.',
  ],
  [
    /failed to fetch|networkerror|load failed/i,
    'The server was not reached, or it does not allow other pages to read its files.',
  ],
]

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

type ModelLink = Link<Questions, Command, Message>

class LanguageSession {
  readonly notice = new Store<Notice | null>(null)
  readonly doing = new Store<Doing | null>(null)
  readonly progress = new Store<{ readonly text: string; readonly share: number | null } | null>(null)
  readonly chosen = new Store<Chosen | null>(null)
  readonly weights = new Store<WeightKind>('float32')
  readonly opened = new Store<Opened | null>(null)
  readonly turns = new Store<readonly Turn[]>([])
  /** What the model says at present, or said last. */
  readonly said = new Store<Said | null>(null)
  readonly manner = new Store<Manner>({ temperature: 0, maxTokens: 128 })
  /** Whether the conversation uses the adapter. */
  readonly isAdapted = new Store(true)
  readonly examples = new Store<readonly Example[]>(FRIENDLY)
  readonly lesson = new Store<Lesson>(LESSONS.small)
  readonly lossesOf = new Store<{ readonly losses: readonly number[]; readonly share: number } | null>(null)
  readonly taught = new Store<Taught | null>(null)
  readonly compared = new Store<Compared | null>(null)
  readonly costs = new Store<Costs | null>(null)
  private link: ModelLink | null = null
  /** The worker that finds out what a model takes. */
  private inspector: ModelLink | null = null
  private isStopped = false

  private started(): ModelLink {
    const worker = new Worker(new URL('./language-worker.ts', import.meta.url), { type: 'module' })
    return new Link<Questions, Command, Message>(worker, (message) => this.receive(message))
  }

  private receive(message: Parameters<NonNullable<ModelLink['receive']>>[0]): void {
    switch (message.type) {
      case 'progress':
        return this.progress.set({ text: message.text, share: message.share })
      case 'said':
        return this.show(message.pane, message.said)
      case 'losses':
        return this.lossesOf.set({ losses: message.losses, share: message.share })
      case 'costs':
        return this.costs.set(message.costs)
      case 'failed':
        // Its memory is gone with it.
        this.forget()
        return this.fail('The worker of the page has ended, so the model is gone. Open it again.', message.message)
    }
  }

  private show(pane: Pane, said: Said): void {
    if (pane === 'chat') return this.said.set(said)
    const { value } = this.compared
    if (value !== null) this.compared.set({ ...value, [pane]: said })
  }

  private fail(what: string, why: string): void {
    const hint = HINTS.find(([pattern]) => pattern.test(why))?.[1]
    this.notice.set({ kind: 'error', text: [what, hint, why].filter((each) => each !== undefined).join(' ') })
  }

  /** Does something, and shows an error; null after one. Nothing else is done meanwhile. */
  private async does<Result>(doing: Doing, body: () => Promise<Result>): Promise<Result | null> {
    if (this.doing.value !== null) return null
    this.doing.set(doing)
    this.notice.set(null)
    this.isStopped = false
    try {
      return await body()
    } catch (error) {
      if (this.isStopped) this.notice.set({ kind: 'info', text: 'Stopped.' })
      else this.fail(FAILURES[doing], messageOf(error))
      return null
    } finally {
      this.progress.set(null)
      this.doing.set(null)
    }
  }

  stop(): void {
    this.isStopped = true
    const link = this.inspector ?? this.link
    link?.send({ type: 'stop' })
  }

  private forget(): void {
    this.link?.end()
    this.link = null
    for (const store of [this.opened, this.said, this.lossesOf, this.taught, this.compared, this.costs]) store.set(null)
    this.turns.set([])
  }

  /** Finds out what a model takes, in a worker of its own: the present model stays until another one is opened. */
  async inspect(source: Source, name: string): Promise<void> {
    this.chosen.set(null)
    if (source.kind === 'new') return this.chosen.set({ source, name, info: null })
    await this.does('inspect', async () => {
      const inspector = (this.inspector = this.started())
      try {
        this.chosen.set({ source, name, info: await inspector.ask('inspect', { source }) })
      } finally {
        this.inspector = null
        inspector.end()
      }
    })
  }

  /** Opens a model in a new worker, so that all memory of the one before is free. */
  async open(source: Source): Promise<void> {
    await this.does('open', async () => {
      this.forget()
      const link = (this.link = this.started())
      try {
        const opened = await link.ask('open', { source, weights: this.weights.value })
        this.opened.set(opened)
        this.examples.set(opened.isChat ? PIRATE : FRIENDLY)
        this.lesson.set(LESSONS[opened.parameters < 1e7 ? 'small' : 'large'])
        this.isAdapted.set(true)
      } catch (error) {
        this.forget()
        throw error
      }
    })
  }

  private get current(): ModelLink {
    if (this.link === null) throw new Error('There is no model yet.')
    return this.link
  }

  /** The whole conversation, or the text to continue. */
  private promptOf(turns: readonly Turn[]): Prompt {
    return this.opened.value?.isChat === true ? turns : turns.at(-1)!.content
  }

  /** @returns whether the model answered */
  async chat(text: string): Promise<boolean> {
    const turns: readonly Turn[] = [...this.turns.value, { role: 'user', content: text }]
    this.turns.set(turns)
    this.said.set(null)
    const said = await this.does('chat', () =>
      this.current.ask('say', {
        pane: 'chat',
        prompt: this.promptOf(turns),
        ...this.manner.value,
        withAdapter: this.isAdapted.value,
      }),
    )
    this.said.set(said)
    this.turns.set(said === null ? turns.slice(0, -1) : [...turns, { role: 'assistant', content: said.text }])
    return said !== null
  }

  clear(): void {
    this.turns.set([])
    this.said.set(null)
  }

  async teach(): Promise<void> {
    const examples = this.examples.value.filter(
      ({ prompt, response }) => prompt.trim() !== '' && response.trim() !== '',
    )
    if (examples.length === 0)
      return this.notice.set({ kind: 'error', text: 'Give at least one example with a prompt and a response.' })
    this.taught.set(null)
    this.compared.set(null)
    this.lossesOf.set({ losses: [], share: 0 })
    const taught = await this.does('teach', () => this.current.ask('teach', { examples, ...this.lesson.value }))
    if (taught === null) return this.lossesOf.set(null)
    this.lossesOf.set({ losses: taught.losses, share: 1 })
    this.taught.set(taught)
    this.isAdapted.set(true)
  }

  /** The same prompt without and with the adapter, each time the likeliest tokens. */
  async compare(prompt: string): Promise<void> {
    await this.does('compare', async () => {
      this.compared.set({ prompt, before: null, after: null })
      for (const pane of ['before', 'after'] as const) {
        const turns: readonly Turn[] = [{ role: 'user', content: prompt }]
        const { maxTokens } = this.manner.value
        const said = await this.current.ask('say', {
          pane,
          prompt: this.promptOf(turns),
          temperature: 0,
          maxTokens,
          withAdapter: pane === 'after',
        })
        this.show(pane, said)
        if (this.isStopped) return
      }
    })
  }

  async save(): Promise<Questions['save']['answer'] | null> {
    return this.does('teach', () => this.current.ask('save', null))
  }
}

export const session = new LanguageSession()
