// TextEmbedder: vectors of texts, from a model that encodes texts and its tokenizer.

import { requireArguments } from '../core/arguments'
import { ArgumentError, FormatError, quoted } from '../core/errors'
import { abortSignal, boolean, callback, count, nullable, option, readOptions, text as textKind } from '../core/options'
import type { JsonRecord } from '../files/containers/json'
import type { Model } from '../models/model'
import { Tensor } from '../ops/tensor'
import { ModelConfig } from './families/config'
import type { Encoder, EncoderInputs } from './families/encoder'
import { readPreset, type PresetOptions } from './preset'
import type { PresetSource } from './presets/open-preset'
import type { PresetFolder } from './presets/preset-folder'
import { NORMALIZATION, readModules, type SentenceModules } from './sentences/modules'
import { pooled } from './sentences/pooling'
import { SIMILARITIES, type Similarity } from './sentences/similarity'
import type { Tokenizer } from './tokens'

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

/** What a preset says about the texts of sentence-transformers. */
interface SentenceSettings {
  readonly maxLength: number
  readonly isLowerCase: boolean
  readonly prompts: ReadonlyMap<string, string>
  readonly defaultPrompt: string | null
  readonly similarity: Similarity
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
export class TextEmbedder {
  private constructor(
    private readonly encoder: Encoder,
    private readonly modules: SentenceModules,
    private readonly settings: SentenceSettings,
    /** The content of config.json. */
    readonly config: JsonRecord,
    /** Converts texts to tokens. */
    readonly tokenizer: Tokenizer,
  ) {}

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
    const { transformer, config, tokenizer, folder } = await readPreset(
      source,
      'encoder',
      'TextEmbedder.fromPreset',
      options,
    )
    const settings = await readSettings(folder, transformer.description.longest)
    return new TextEmbedder(transformer, await readModules(folder), settings, config, tokenizer)
  }

  /** { tokens, mask, tokenTypes }, each [batch, steps] → features [batch, steps, width]. */
  get model(): Model<EncoderInputs, Tensor> {
    return this.encoder.model
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
    const limit = this.limit(maxLength)
    const before = this.promptOf(prompt, promptName)
    const rows = list.map((text, index) => this.rowOf(before + text, index, limit))
    const skipped = before === '' || this.modules.pooling.countsPrompt ? 0 : this.promptLength(before)
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

  /** Frees the memory of the weights. The model cannot be used any more. */
  dispose(): void {
    this.model.dispose()
  }

  private limit(maxLength: number | null): number {
    const { longest } = this.encoder.description
    if (maxLength === null) return this.maxLength
    if (maxLength <= longest) return maxLength
    throw new ArgumentError(`embed: maxLength is ${maxLength}, but the model has positions for ${longest}`)
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

  private rowOf(text: string, index: number, maxLength: number): Row {
    const given = this.settings.isLowerCase ? text.toLowerCase() : text
    const { ids, tokenTypes } = this.tokenizer.encodeBatch([given], { maxLength })
    if (ids[0]!.length === 0) throw new ArgumentError(`embed: text ${index} has no tokens: ${quoted(text)}`)
    return { index, ids: ids[0]!, types: tokenTypes[0]! }
  }

  private async vectorsOf(
    rows: readonly Row[],
    steps: number,
    skipped: number,
    normalize: boolean | null,
  ): Promise<Float32Array[]> {
    const padding = this.tokenizer.padTokenId ?? 0
    const column = (of: (row: Row) => readonly number[], pad: number): Tensor => integersOf(rows.map(of), steps, pad)
    const features = await this.model.predict(
      {
        tokens: column(({ ids }) => ids, padding),
        mask: column(({ ids }) => ids.map(() => 1), 0),
        ...(this.encoder.description.tokenTypes === undefined ? {} : { tokenTypes: column(({ types }) => types, 0) }),
      },
      { batchSize: rows.length },
    )
    const { width } = this.encoder.description
    const vectors = rows.map(({ ids }, i) =>
      pooled(this.modules.pooling, {
        data: features.data,
        at: i * steps * width,
        from: Math.min(skipped, ids.length - 1),
        to: ids.length,
        width,
      }),
    )
    return this.finished(vectors, normalize)
  }

  /** What the modules after the pooling make of the vectors. */
  private finished(vectors: Float32Array[], normalize: boolean | null): Float32Array[] {
    const kept = this.modules.after.filter(({ isNormalization }) => normalize !== false || !isNormalization)
    const isMissing = normalize === true && kept.at(-1)?.isNormalization !== true
    const steps = isMissing ? [...kept, NORMALIZATION] : kept
    if (steps.length === 0) return vectors
    const width = vectors[0]!.length
    const all = new Float32Array(vectors.length * width)
    vectors.forEach((vector, i) => all.set(vector, i * width))
    let made = new Tensor(all, [vectors.length, width], 'float32')
    for (const step of steps) made = step.apply(made)
    const size = made.shape[1]!
    return vectors.map((_, i) => Float32Array.from(made.data.slice(i * size, (i + 1) * size)))
  }
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

async function configOf(folder: PresetFolder, name: string): Promise<ModelConfig> {
  return ModelConfig.of((await folder.json(name)) ?? {}, `${folder.name}: ${name}`)
}

async function readSettings(folder: PresetFolder, longest: number): Promise<SentenceSettings> {
  const [bert, whole, tokens] = [
    await configOf(folder, 'sentence_bert_config.json'),
    await configOf(folder, 'config_sentence_transformers.json'),
    await configOf(folder, 'tokenizer_config.json'),
  ]
  // Tokenizers without a limit have a number of thirty digits.
  const wanted = bert.count('max_seq_length', null) ?? tokens.number('model_max_length', longest)
  const prompts = whole.record('prompts')
  const defaultPrompt = whole.text('default_prompt_name', null)
  const named = new Map(Object.keys(prompts?.content ?? {}).map((name) => [name, prompts!.text(name, '')]))
  if (defaultPrompt !== null && !named.has(defaultPrompt))
    throw new FormatError(`${whole.where}: 'default_prompt_name' is ${quoted(defaultPrompt)}, which 'prompts' lacks`)
  return {
    maxLength: Math.min(longest, wanted),
    isLowerCase: bert.flag('do_lower_case', false),
    prompts: named,
    defaultPrompt,
    similarity: whole.choice('similarity_fn_name', SIMILARITIES, 'cosine'),
  }
}
