// TextEmbedder: vectors of texts, from a model that encodes texts and its tokenizer.

import { requireArguments } from '../core/arguments'
import { ArgumentError, checkOptions, quoted } from '../core/errors'
import {
  abortSignal,
  boolean,
  callback,
  count,
  nullable,
  number,
  option,
  readOptions,
  text as textKind,
} from '../core/options'
import type { Model } from '../models/model'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { History } from '../training/callbacks/history'
import type { EncoderInputs } from './families/encoder'
import { pairTrainer, type PairInputs } from './pair-trainer'
import { readPreset, type Preset, type PresetOptions } from './preset'
import { PresetModel, type PresetFitOptions } from './preset-model'
import type { PresetSource } from './presets/open-preset'
import { sentenceFiles } from './sentences/files'
import { NORMALIZATION, readModules, type SentenceModules } from './sentences/modules'
import { poolingWeights, type TokenRange } from './sentences/pooling'
import { readSettings, type SentenceSettings } from './sentences/settings'
import { SentenceVectors, type VectorInputs } from './sentences/vectors'
import type { LanguageCompileOptions } from './trainer'

/** Options of `embed`. */
export interface EmbedOptions {
  /** The most texts that are computed at once. Default 32. */
  readonly batchSize?: number
  /** Whether vectors are divided by their lengths. Default null: as modules.json says, otherwise not. */
  readonly normalize?: boolean | null
  /** The number of tokens after which a text is cut. Default null: that of the preset. */
  readonly maxLength?: number | null
  /** A text before each text. Default null: that of promptName. */
  readonly prompt?: string | null
  /** The name of one of `prompts`. Default null: that of the preset, otherwise none. */
  readonly promptName?: string | null
  /** Is called after each batch: with the numbers of texts that have their vectors, and of all. */
  readonly onProgress?: ((embedded: number, all: number) => void) | null
  /** Ends with the reason of the signal. */
  readonly signal?: AbortSignal | null
}

const embedTable = {
  batchSize: option(count, 32),
  normalize: option(nullable(boolean), null),
  maxLength: option(nullable(count), null),
  prompt: option(nullable(textKind), null),
  promptName: option(nullable(textKind), null),
  onProgress: option(
    nullable(callback<(embedded: number, all: number) => void>('a function (embedded, all) => …')),
    null,
  ),
  signal: option(nullable(abortSignal), null),
}

/** The tokens of a text, and its place among the texts. */
interface Row {
  readonly index: number
  readonly ids: readonly number[]
  readonly types: readonly number[]
}

/**
 * Vectors of texts, from the folder of a model as Hugging Face has it: BERT and its relatives. The files of sentence-transformers say how
 * the features of tokens become one vector; without them it is their mean.
 *
 *   const embedder = await TextEmbedder.fromPreset('./all-MiniLM-L6-v2')
 *   const [a, b] = await embedder.embed(['a cat', 'a kitten'])
 *   embedder.similarity(a, b)
 *
 * `embedder.model` is an ordinary model: { tokens, mask, tokenTypes }, each [batch, steps] → features [batch, steps, width].
 */
export class TextEmbedder extends PresetModel<'encoder', PairInputs> {
  private readonly vectors: SentenceVectors
  private readonly settings: SentenceSettings
  private readonly scale: { value: number }

  private constructor(preset: Preset<'encoder'>, modules: SentenceModules, settings: SentenceSettings) {
    const vectors = new SentenceVectors(preset.transformer, modules)
    const scale = { value: SCALE }
    const hasTypes = preset.transformer.description.tokenTypes !== undefined
    super(
      preset,
      pairTrainer(vectors, hasTypes, () => scale.value),
    )
    this.vectors = vectors
    this.settings = settings
    this.scale = scale
  }

  /**
   * Opens a preset: config.json, tokenizer.json, the weights as safetensors, and the files of sentence-transformers if there are any.
   *
   *   await TextEmbedder.fromPreset('./all-MiniLM-L6-v2')                                  a folder, in Node
   *   await TextEmbedder.fromPreset('hf://sentence-transformers/all-MiniLM-L6-v2')         a repository of the Hugging Face hub
   *
   * @throws FormatError for files that are missing, damaged or not supported: it names the file and the reason
   */
  static async fromPreset(source: PresetSource, options: PresetOptions = {}): Promise<TextEmbedder> {
    requireArguments('TextEmbedder.fromPreset', arguments, 2)
    const preset = await readPreset(source, 'encoder', 'TextEmbedder.fromPreset', options)
    const settings = await readSettings(preset.folder, preset.transformer.description.longest)
    return new TextEmbedder(preset, await readModules(preset.folder), settings)
  }

  /** { tokens, mask, tokenTypes }, each [batch, steps] → features [batch, steps, width]. */
  get model(): Model<EncoderInputs, Tensor> {
    return this.network.model
  }

  /** The number of tokens after which a text is cut, the special ones included. */
  get maxLength(): number {
    return this.settings.maxLength
  }

  /** The texts that go before others, by the names that config_sentence_transformers.json gives them. */
  get prompts(): ReadonlyMap<string, string> {
    return this.settings.prompts
  }

  /**
   * Computes the vector of a text, or those of several.
   *
   *   await embedder.embed('a cat')
   *   await embedder.embed(texts, { batchSize: 64, promptName: 'query' })
   *
   * @returns the vector; of several texts a list in their order
   * @throws ArgumentError for unknown options, and for a maxLength for which the model has no positions
   */
  async embed(texts: string, options?: EmbedOptions): Promise<Float32Array>
  async embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>
  async embed(texts: string | readonly string[], options: EmbedOptions = {}): Promise<Float32Array | Float32Array[]> {
    requireArguments('embed', arguments, 2)
    const list = typeof texts === 'string' ? [texts] : texts
    requireTexts(list)
    const { batchSize, normalize, maxLength, prompt, promptName, onProgress, signal } = readOptions(
      'embed',
      embedTable,
      options,
    )
    const limit = this.limit('embed', maxLength)
    const before = this.promptOf(prompt, promptName)
    const rows = list.map((text, index) => this.rowOf('embed', before + text, index, limit))
    const skipped = before === '' || this.vectors.modules.pooling.countsPrompt ? 0 : this.promptLength(before)
    const vectors = new Array<Float32Array>(list.length)
    let done = 0
    for (const batch of batchesOf(rows, batchSize)) {
      signal?.throwIfAborted()
      const made = await this.vectorsOf(batch, stepsFor(batch[0]!.ids.length, limit), skipped, normalize)
      batch.forEach(({ index }, i) => (vectors[index] = made[i]!))
      onProgress?.((done += batch.length), list.length)
    }
    return typeof texts === 'string' ? vectors[0]! : vectors
  }

  /**
   * How similar two vectors are: the cosine of their angle, or what config_sentence_transformers.json names.
   *
   *   embedder.similarity(await embedder.embed('a cat'), await embedder.embed('a kitten'))
   */
  similarity(a: ArrayLike<number>, b: ArrayLike<number>): number {
    requireArguments('similarity', arguments, 2)
    if (a.length === b.length) return this.settings.similarity(a, b)
    throw new ArgumentError(
      `similarity: the vectors must have one length, received ${a.length} and ${b.length} numbers`,
    )
  }

  /**
   * Sets how `fit` trains: with AdamW and its defaults, if it is not called.
   *
   *   embedder.compile({ optimizer: new AdamW({ learningRate: 2e-5 }), scale: 20 })
   */
  override compile({ scale = SCALE, ...options }: EmbedderCompileOptions = {}): void {
    requireArguments('compile', arguments, 1)
    number({ above: 0 }).read(scale, 'compile: scale')
    if (scale !== this.scale.value) {
      this.scale.value = scale
      this.training.renew()
    }
    super.compile(options)
  }

  /**
   * Trains the model so that texts which belong together have similar vectors, and those of different pairs of a batch have not. The loss of
   * pair i is the cross-entropy −ln softmax(scale · cos(anchorᵢ, positiveⱼ) over j)ᵢ over the pairs j of the batch, so that larger batches
   * train more.
   *
   *   await embedder.fit([{ anchor: 'How do I reset it?', positive: 'Hold the button for ten seconds.' }, …], { epochs: 2 })
   *
   * With `enableLora`, only the adapters are trained; without it also dense layers after the pooling. Nothing is dropped out.
   *
   * @returns the history, with the loss of each epoch
   * @throws ArgumentError for unknown options, for fewer than two pairs, and for a step that needs more memory than there is, with advice
   * sentence-transformers: `MultipleNegativesRankingLoss`.
   */
  async fit(pairs: TextPairs, options: EmbedderFitOptions = {}): Promise<History> {
    requireArguments('fit', arguments, 2)
    const { maxLength, recompute, validationData, batchSize = BATCH, ...others } = options
    const rows = await this.pairRows('fit', pairs, maxLength, batchSize)
    const held = validationData == null ? null : await this.pairRows('fit', validationData, maxLength, batchSize)
    const line = this.prepareFit(rows, batchSize, recompute, 'maxLength')
    if (others.verbose !== 0) console.log(line)
    return this.training.compiled.fit(rows.x, rows.y, {
      batchSize,
      ...others,
      ...(held === null ? {} : { validationData: [held.x, held.y] }),
    })
  }

  /**
   * The loss of pairs, as `fit` computes it with the same batchSize.
   *
   *   const { loss } = await embedder.evaluate(pairs)
   */
  async evaluate(
    pairs: TextPairs,
    options: Pick<EmbedderFitOptions, 'maxLength' | 'batchSize'> = {},
  ): Promise<{ loss: number }> {
    requireArguments('evaluate', arguments, 2)
    checkOptions('evaluate', options, ['maxLength', 'batchSize'])
    const { maxLength, batchSize = BATCH } = options
    const { x, y } = await this.pairRows('evaluate', pairs, maxLength, batchSize)
    const result = await this.training.compiled.evaluate(x, y, { batchSize, returnDict: true })
    return { loss: result['loss']! }
  }

  /** Pairs as the trainer takes them, [pairs, 2, …]. */
  private async pairRows(
    where: string,
    pairs: TextPairs,
    maxLength: number | null | undefined,
    batchSize: number,
  ): Promise<{ x: PairInputs; y: Tensor }> {
    count.read(batchSize, `${where}: batchSize`)
    if (maxLength != null) count.read(maxLength, `${where}: maxLength`)
    const texts: string[] = []
    for await (const pair of pairs) {
      if (!isPair(pair))
        throw new ArgumentError(
          `${where}: pair ${texts.length / 2} must be a record of two texts, anchor and positive; received ${quoted(pair)}`,
        )
      texts.push(pair.anchor, pair.positive)
    }
    const size = texts.length / 2
    if (size < 2 || batchSize < 2)
      throw new ArgumentError(
        `${where}: a batch needs two pairs at least, because the loss compares pairs; received ${size} pairs and batchSize ${batchSize}`,
      )
    const limit = this.limit(where, maxLength ?? null)
    const rows = texts.map((text, index) => this.rowOf(where, text, index, limit))
    const steps = stepsFor(Math.max(...rows.map(({ ids }) => ids.length)), limit)
    const { tokens, mask, tokenTypes, weights } = this.inputs(rows, steps, 0)
    const paired = ({ data, shape, dtype }: Tensor): Tensor => new Tensor(data, [size, 2, ...shape.slice(1)], dtype)
    const types = tokenTypes === undefined ? {} : { tokenTypes: paired(tokenTypes) }
    return {
      x: { tokens: paired(tokens), mask: paired(mask), weights: paired(weights), ...types },
      y: new Tensor(new Float32Array(size), [size, 1], 'float32'),
    }
  }

  protected get weights(): readonly Variable[] {
    return [...this.model.weights, ...this.vectors.dense.flatMap((layer) => layer.weights)]
  }

  protected otherFiles(): Iterable<readonly [name: string, bytes: Uint8Array]> {
    return sentenceFiles(this.vectors.modules, this.settings, this.network.description.width)
  }

  /** Frees the memory of the weights. The model cannot be used any more. */
  dispose(): void {
    this.training.dispose()
    this.vectors.dispose()
    this.model.dispose()
  }

  private limit(where: string, maxLength: number | null): number {
    const { longest } = this.network.description
    if (maxLength === null) return this.maxLength
    if (maxLength <= longest) return maxLength
    throw new ArgumentError(`${where}: maxLength is ${maxLength}, but the model has positions for ${longest}`)
  }

  private promptOf(prompt: string | null, name: string | null): string {
    if (prompt !== null) return prompt
    const { prompts, defaultPrompt } = this.settings
    const wanted = name ?? defaultPrompt
    if (wanted === null) return ''
    const found = prompts.get(wanted)
    if (found !== undefined) return found
    const known = prompts.size === 0 ? 'the preset has none' : `the preset has ${[...prompts.keys()].join(', ')}`
    throw new ArgumentError(`embed: there is no prompt ${quoted(wanted)}; ${known}`)
  }

  /** The tokens of a prompt, without those that end a text. */
  private promptLength(prompt: string): number {
    const around = this.tokenizer.encode('')
    const ids = this.tokenizer.encode(prompt)
    return around.length > 0 && ids.at(-1) === around.at(-1) ? ids.length - 1 : ids.length
  }

  private rowOf(where: string, text: string, index: number, maxLength: number): Row {
    const given = this.settings.isLowerCase ? text.toLowerCase() : text
    const { ids, tokenTypes } = this.tokenizer.encodeBatch([given], { maxLength })
    if (ids[0]!.length === 0) throw new ArgumentError(`${where}: text ${index} has no tokens: ${quoted(text)}`)
    return { index, ids: ids[0]!, types: tokenTypes[0]! }
  }

  /** Rows as the model of the vectors takes them. @param skipped the first tokens that the pooling leaves out */
  private inputs(rows: readonly Row[], steps: number, skipped: number): VectorInputs {
    const column = (of: (row: Row) => readonly number[], pad: number): Tensor => integersOf(rows.map(of), steps, pad)
    const ranges = rows.map(({ ids }): TokenRange => ({ from: Math.min(skipped, ids.length - 1), to: ids.length }))
    return {
      tokens: column(({ ids }) => ids, this.tokenizer.padTokenId ?? 0),
      mask: column(({ ids }) => ids.map(() => 1), 0),
      ...(this.network.description.tokenTypes === undefined ? {} : { tokenTypes: column(({ types }) => types, 0) }),
      weights: poolingWeights(this.vectors.modules.pooling, ranges, steps),
    }
  }

  private async vectorsOf(
    rows: readonly Row[],
    steps: number,
    skipped: number,
    normalize: boolean | null,
  ): Promise<Float32Array[]> {
    const inputs = this.inputs(rows, steps, skipped)
    const made = this.finished(await this.vectors.model.predict(inputs, { batchSize: rows.length }), normalize)
    const size = made.shape[1]!
    return rows.map((_, i) => Float32Array.from(made.data.slice(i * size, (i + 1) * size)))
  }

  /** What the modules after the pooling make of vectors, with or without their normalization. */
  private finished(vectors: Tensor, normalize: boolean | null): Tensor {
    const { after } = this.vectors.modules
    if (normalize === null) return this.vectors.finished(vectors)
    const kept = after.filter(({ isNormalization }) => normalize || !isNormalization)
    const isMissing = normalize && kept.at(-1)?.isNormalization !== true
    return [...kept, ...(isMissing ? [NORMALIZATION] : [])].reduce((made, module) => module.apply(made), vectors)
  }
}

/** The cosines of fit are multiplied by it, unless compile has another number. */
const SCALE = 20
/** Pairs of a step. */
const BATCH = 16

/** Two texts that belong together, such as a question and its answer. */
export interface TextPair {
  readonly anchor: string
  readonly positive: string
}

export type TextPairs = Iterable<TextPair> | AsyncIterable<TextPair>

/** Options of `compile` of a TextEmbedder. */
export interface EmbedderCompileOptions extends LanguageCompileOptions {
  /** Multiplies the cosines before the softmax. Default 20. */
  readonly scale?: number
}

export interface EmbedderFitOptions extends PresetFitOptions {
  /** The number of tokens after which a text is cut. Default: that of the preset. */
  readonly maxLength?: number | null
  /** Pairs per step, 2 at least: each pair is compared with the others of its step. Default 16. */
  readonly batchSize?: number
  /** Pairs to validate on. Default none. */
  readonly validationData?: TextPairs | null
}

function isPair(value: unknown): value is TextPair {
  const { anchor, positive, ...others }: { anchor?: unknown; positive?: unknown } = Object(value)
  return typeof anchor === 'string' && typeof positive === 'string' && Object.keys(others).length === 0
}

function requireTexts(texts: unknown): void {
  if (!Array.isArray(texts))
    throw new ArgumentError(`embed: texts must be a string or a list, received ${quoted(texts)}`)
  const at = texts.findIndex((text) => typeof text !== 'string')
  if (at >= 0) throw new ArgumentError(`embed: text ${at} must be a string, received ${quoted(texts[at])}`)
}

/**
 * Rows of similar lengths, the longest first. A batch has batchSize rows or a power of two, so that few programs serve all numbers of
 * texts, and no row is computed in vain.
 */
function* batchesOf(rows: readonly Row[], batchSize: number): Generator<readonly Row[]> {
  const sorted = rows.toSorted((a, b) => b.ids.length - a.ids.length)
  for (let at = 0, size = 0; at < sorted.length; at += size) {
    const left = sorted.length - at
    size = left >= batchSize ? batchSize : 2 ** Math.floor(Math.log2(left))
    yield sorted.slice(at, at + size)
  }
}

/** The steps to which rows are padded: a power of two or one and a half times one, so that few programs serve all lengths. */
function stepsFor(length: number, limit: number): number {
  const power = Math.max(8, 2 ** Math.ceil(Math.log2(length)))
  const between = 0.75 * power
  return Math.min(limit, length <= between ? between : power)
}

function integersOf(rows: readonly (readonly number[])[], steps: number, padding: number): Tensor {
  const data = new Int32Array(rows.length * steps).fill(padding)
  rows.forEach((row, i) => data.set(row, i * steps))
  return new Tensor(data, [rows.length, steps], 'int32')
}
