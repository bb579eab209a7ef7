// The model of the page in the worker: opens it, lets it speak, teaches it an adapter, and counts what that costs.

import { AdamW, ArgumentError } from 'myelin'
import { CausalLM, presetInfo, type PresetInfo, type WeightKind } from 'myelin/language'
import { EmissionsTracker, type Footprint } from 'myelin/thrift'
import type { SavedFile } from '../worker/protocol'
import { nameOfFiles } from './dropped'
import { makeSmall } from './small-model'
import {
  TARGETS,
  type Costs,
  type Example,
  type Message,
  type Opened,
  type Prompt,
  type Said,
  type Saying,
  type Source,
  type Taught,
  type Teaching,
} from './protocol'

/** Milliseconds between two messages about the same thing. */
const PAUSE = 40
/** Numbers of a model above which blocks are computed again for the gradient, because there is little memory. */
const LARGE = 4e8
/** The most tokens of an example. */
const LONGEST_EXAMPLE = 1024
const BATCH = 2

type PresetSource = Parameters<typeof presetInfo>[0]
type Files = ReadonlyMap<string, Uint8Array>

/** An adapter before and after training: files of the same ranks, so changing between them compiles nothing. */
interface Adapter {
  readonly fresh: readonly File[]
  readonly trained: readonly File[]
}

const asFiles = (files: Files): File[] => [...files].map(([name, bytes]) => new File([Uint8Array.from(bytes)], name))

export class Bench {
  private lm: CausalLM | null = null
  private opened: Opened | null = null
  private adapter: Adapter | null = null
  /** Whether the weights are those of the trained adapter. */
  private isAdapted = false
  private control = new AbortController()
  private costs: Costs = {
    read: 0,
    generated: 0,
    trained: 0,
    seconds: 0,
    flops: 0,
    joules: 0,
    busy: 0,
    how: 'estimated',
    from: '',
  }

  constructor(private readonly post: (message: Message) => void) {}

  stop(): void {
    this.control.abort()
  }

  /** A signal for what begins now. */
  private begun(): AbortSignal {
    this.control = new AbortController()
    return this.control.signal
  }

  async inspect(source: Source): Promise<PresetInfo> {
    const signal = this.begun()
    return presetInfo(sourceOf(source), { signal, onProgress: downloads(this.post) })
  }

  async open(source: Source, weights: WeightKind): Promise<Opened> {
    const signal = this.begun()
    const made = source.kind === 'new' ? await this.make(source.text, weights, signal) : null
    const from = made === null ? sourceOf(source) : asFiles(await made.saveToPreset())
    const info = await presetInfo(from, { signal })
    const report = throttled(this.post)
    const lm =
      weights === 'float32' && made !== null
        ? made
        : await CausalLM.fromPreset(from, {
            weights,
            signal,
            onProgress: downloads(this.post),
            onLoad: (read, all) =>
              report({ type: 'progress', text: `Reading weights: ${read} of ${all} tensors`, share: read / all }),
          })
    if (lm !== made) await made?.dispose()
    this.lm = lm
    this.opened = {
      ...info,
      name: nameOf(source),
      weights,
      vocabularySize: lm.tokenizer.vocabularySize,
      maxLength: lm.maxLength,
      isChat: hasTemplate(lm),
      isNew: made !== null,
    }
    return this.opened
  }

  private async make(text: string, weights: WeightKind, signal: AbortSignal): Promise<CausalLM> {
    const report = throttled(this.post)
    const then = weights === 'float32' ? '' : ', before its weights are packed'
    const onProgress = (share: number): void =>
      report({ type: 'progress', text: `Training a small model on the sentences${then}`, share })
    return this.counted(async () => {
      const [lm, trained] = await makeSmall(text, { signal, onProgress })
      return [lm, { trained }]
    })
  }

  /** Runs something and adds what it used to the costs. */
  private async counted<Result>(
    body: () => Promise<[Result, Partial<Pick<Costs, 'read' | 'generated' | 'trained'>>]>,
  ): Promise<Result> {
    const { result, footprint } = await new EmissionsTracker().track(body)
    const [value, { read = 0, generated = 0, trained = 0 }] = result
    const { costs } = this
    this.costs = {
      ...added(costs, footprint),
      read: costs.read + read,
      generated: costs.generated + generated,
      trained: costs.trained + trained,
    }
    this.post({ type: 'costs', costs: this.costs })
    return value
  }

  private get model(): CausalLM {
    if (this.lm === null) throw new Error('There is no model yet.')
    return this.lm
  }

  async say({ pane, prompt, temperature, maxTokens, withAdapter }: Saying): Promise<Said> {
    const signal = this.begun()
    const lm = this.model
    await this.choose(withAdapter)
    const read = tokensOf(lm, prompt).length
    const room = lm.maxLength - read
    if (room < 1)
      throw new Error(
        `The text has ${read} tokens, and the model reads at most ${lm.maxLength}. Begin again, or shorten it.`,
      )
    return this.counted(async () => {
      const clock = new SpeechClock()
      const report = throttled(this.post)
      const options = {
        temperature,
        maxTokens: Math.min(maxTokens, room),
        signal,
        seed: Math.floor(Math.random() * 2 ** 31),
        onToken: () => clock.tick(),
      }
      let text = ''
      const pieces = typeof prompt === 'string' ? lm.stream(prompt, options) : lm.streamChat(prompt, options)
      for await (const piece of pieces) {
        text += piece
        report({ type: 'said', pane, said: { text, ...clock.read() } })
      }
      const said = { text, ...clock.read() }
      return [said, { read, generated: said.tokens }]
    })
  }

  /** Trains a new adapter; the one before is dropped. */
  async teach(teaching: Teaching): Promise<Taught> {
    const signal = this.begun()
    const lm = this.model
    if (this.adapter !== null) lm.disableLora()
    this.adapter = null
    const lesson = lessonOf(lm, teaching.examples, this.opened!.isChat)
    const { rank, epochs, learningRate, targets } = teaching
    lm.enableLora(rank, { targets: TARGETS[targets], alpha: 2 * rank, seed: 1 })
    const fresh = asFiles(await lm.saveLora())
    lm.compile({ optimizer: new AdamW({ learningRate }) })
    const run = new TeachingRun(epochs, Math.ceil(lesson.rows.length / BATCH), this.post)
    const started = performance.now()
    const isStopped = await this.counted(async () => {
      const ended = await this.fit(lesson, run, epochs, signal)
      return [ended, { trained: Math.round(lesson.tokens * run.epochs) }]
    })
    this.adapter = { fresh, trained: asFiles(await lm.saveLora()) }
    this.isAdapted = true
    return {
      parameters: lm.model.trainableWeights.reduce((sum, { size }) => sum + size, 0),
      losses: run.losses,
      examples: lesson.rows.length,
      seconds: (performance.now() - started) / 1000,
      isStopped,
    }
  }

  /** @returns whether it was stopped. After an error, the model is as it was without an adapter */
  private async fit(
    { rows, longest }: LessonRows,
    run: TeachingRun,
    epochs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const lm = this.model
    const options = { sequenceLength: longest, batchSize: BATCH, epochs, verbose: 0, signal } as const
    try {
      await lm.fit(rows, { ...options, recompute: this.opened!.parameters > LARGE, callbacks: [run.callback] })
      return false
    } catch (error) {
      if (signal.aborted) return true
      lm.disableLora()
      throw error
    }
  }

  /** Uses the trained adapter, or none. */
  private async choose(withAdapter: boolean): Promise<void> {
    if (this.adapter === null || withAdapter === this.isAdapted) return
    await this.model.loadLora(withAdapter ? this.adapter.trained : this.adapter.fresh)
    this.isAdapted = withAdapter
  }

  async save(): Promise<readonly SavedFile[]> {
    if (this.adapter === null) throw new Error('There is no adapter yet. Train one first.')
    return Promise.all(
      this.adapter.trained.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    )
  }
}

/** Examples as `fit` takes them. */
interface LessonRows {
  readonly rows: readonly { readonly prompt: Prompt; readonly response: string }[]
  /** The tokens of the longest example, and of all. */
  readonly longest: number
  readonly tokens: number
}

/** @throws Error for an example that is too long */
function lessonOf(lm: CausalLM, examples: readonly Example[], isChat: boolean): LessonRows {
  const rows = examples.map(({ prompt, response }) => ({
    prompt: promptOf(prompt, isChat),
    response: responseOf(prompt, response, isChat),
  }))
  const lengths = rows.map(
    ({ prompt, response }) => tokensOf(lm, prompt).length + lm.tokenizer.encode(response).length + 1,
  )
  const most = Math.min(lm.maxLength, LONGEST_EXAMPLE)
  const tooLong = lengths.findIndex((length) => length > most)
  if (tooLong >= 0)
    throw new Error(
      `Example ${tooLong + 1} has ${lengths[tooLong]} tokens; here an example may have ${most}. Shorten it.`,
    )
  return { rows, longest: Math.max(...lengths), tokens: lengths.reduce((sum, each) => sum + each, 0) }
}

/** Follows training: losses of epochs, and how far it is. */
class TeachingRun {
  readonly losses: number[] = []
  private steps = 0
  private readonly report: (message: Message) => void

  constructor(
    private readonly count: number,
    private readonly stepsOfEpoch: number,
    post: (message: Message) => void,
  ) {
    this.report = throttled(post)
  }

  /** Epochs so far, with the part of the present one. */
  get epochs(): number {
    return this.steps / this.stepsOfEpoch
  }

  readonly callback = {
    onTrainBatchEnd: (): void => {
      this.steps++
      this.tell()
    },
    onEpochEnd: (_epoch: number, logs: Readonly<Record<string, number>>): void => {
      this.losses.push(logs['loss']!)
      this.tell()
    },
  }

  private tell(): void {
    this.report({ type: 'losses', losses: this.losses, share: Math.min(1, this.epochs / this.count) })
  }
}

/** Counts tokens, and how many come in a second once the prompt is read. */
class SpeechClock {
  private tokens = 0
  private first = 0
  private last = 0

  tick(): void {
    this.tokens++
    this.last = performance.now()
    if (this.tokens === 1) this.first = this.last
  }

  read(): Pick<Said, 'tokens' | 'perSecond'> {
    const seconds = (this.last - this.first) / 1000
    return { tokens: this.tokens, perSecond: this.tokens > 1 && seconds > 0 ? (this.tokens - 1) / seconds : null }
  }
}

function added(costs: Costs, { seconds, flops, joules, cpuSeconds }: Footprint): Costs {
  return {
    ...costs,
    seconds: costs.seconds + seconds.value,
    flops: costs.flops + flops.value,
    joules: costs.joules + joules.value,
    busy: costs.busy + cpuSeconds.value,
    how: joules.how,
    from: joules.from,
  }
}

function sourceOf(source: Source): PresetSource {
  if (source.kind === 'files') return source.files
  if (source.kind === 'address') return source.address
  throw new Error('internal: a new model has no source')
}

function nameOf(source: Source): string {
  if (source.kind === 'new') return 'a small model of this page'
  if (source.kind === 'address') return source.address
  return nameOfFiles(source.files)
}

function hasTemplate({ tokenizer }: CausalLM): boolean {
  try {
    tokenizer.applyChatTemplate([{ role: 'user', content: 'Hello' }])
    return true
  } catch (error) {
    if (error instanceof ArgumentError) return false
    throw error
  }
}

const tokensOf = ({ tokenizer }: CausalLM, prompt: Prompt): number[] =>
  typeof prompt === 'string' ? tokenizer.encode(prompt) : tokenizer.encodeChat(prompt, { addGenerationPrompt: true })

const promptOf = (prompt: Example['prompt'], isChat: boolean): Prompt =>
  isChat ? [{ role: 'user', content: prompt }] : prompt

/** Without a template, a space goes between a prompt and its response. */
const responseOf = (prompt: string, response: string, isChat: boolean): string =>
  isChat || /\s$/.test(prompt) || /^\s/.test(response) ? response : ` ${response}`

/** Sends a message unless one was sent just before. */
function throttled(post: (message: Message) => void): (message: Message) => void {
  let last = -Infinity
  return (message) => {
    const now = performance.now()
    if (now - last < PAUSE) return
    last = now
    post(message)
  }
}

const downloads = (post: (message: Message) => void) => {
  const report = throttled(post)
  return ({ file, loaded, total }: { file: string; loaded: number; total: number }): void =>
    report({
      type: 'progress',
      text: `Fetching ${file}: ${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`,
      share: total > 0 ? loaded / total : null,
    })
}
