// CausalLM: a model that continues texts, with its tokenizer.

import type { JsonRecord } from '../files/containers/json'
import { requireArguments } from '../core/arguments'
import { ArgumentError, checkOptions, quoted } from '../core/errors'
import { count, integer, nullable, option, readOptions } from '../core/options'
import type { Model } from '../models/model'
import { nextSeed } from '../ops/random/seed'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { History } from '../training/callbacks/history'
import { readGenerationConfig, type GenerationConfig } from './generation-config'
import { newTransformer, readPreset, type Preset, type PresetOptions } from './preset'
import { jsonFile } from './preset-files'
import { PresetModel, type PresetFitOptions } from './preset-model'
import type { PresetSource } from './presets/open-preset'
import { TextDecoding } from './text-decoding'
import { readTextOptions, promptBatches, textPieces, textsAfter, type TextOptions } from './text-generation'
import { tokenRows, type TokenRows, type TrainingText } from './token-rows'
import type { ChatMessage, Tokenizer } from './tokens'
import { nextTokenTrainer, type NextTokenInputs } from './trainer'

/** The capacity of a cache grows in these steps, so that a longer text seldom needs new programs. */
const CAPACITY_STEP = 256
/** Prompts that are computed together. */
const PROMPTS = 8
/** The tokens of a row of training. */
const DEFAULT_LENGTH = 256

/**
 * A model that continues texts, from the folder of a model as Hugging Face has it.
 *
 *   const lm = await CausalLM.fromPreset('./SmolLM2-135M-Instruct')
 *   for await (const piece of lm.stream('Once upon a time', { maxTokens: 60 })) process.stdout.write(piece)
 *   const reply = await lm.chat([{ role: 'user', content: 'Why is the sky blue?' }])
 *
 * `lm.model` is an ordinary model: tokens [batch, steps] → scores of the next token after each step, [batch, steps, vocabulary].
 *
 * Keras Hub: `keras_hub.models.CausalLM`.
 */
export class CausalLM extends PresetModel<'decoder', NextTokenInputs> {
  private decoding: TextDecoding | null = null
  /** The defaults of generation, from generation_config.json. */
  readonly generationConfig: GenerationConfig
  /** The content of generation_config.json; null if there is none. */
  private readonly generationFile: JsonRecord | null

  private constructor(preset: Omit<Preset, 'folder'>) {
    super(preset, nextTokenTrainer(preset.transformer))
    this.generationConfig = preset.generation
    this.generationFile = preset.generationFile
  }

  /**
   * Opens a preset: config.json, tokenizer.json and the weights as safetensors, in one file or in shards.
   *
   *   await CausalLM.fromPreset('./SmolLM2-135M-Instruct')                a folder, in Node
   *   await CausalLM.fromPreset('https://example.org/models/smol/')       an address
   *   await CausalLM.fromPreset('hf://HuggingFaceTB/SmolLM2-135M')        a repository of the Hugging Face hub
   *   await CausalLM.fromPreset([...input.files])                         files that a user chose
   *
   * @throws FormatError for files that are missing, damaged or not supported: it names the file and the reason
   */
  static async fromPreset(source: PresetSource, options: PresetOptions = {}): Promise<CausalLM> {
    requireArguments('CausalLM.fromPreset', arguments, 2)
    return new CausalLM(await readPreset(source, 'decoder', 'CausalLM.fromPreset', options))
  }

  /**
   * A new model that has learnt nothing, for those who train from the beginning.
   *
   *   const tokenizer = await trainTokenizer(texts, { vocabularySize: 2000 })
   *   const config = { model_type: 'llama', hidden_size: 128, intermediate_size: 384, num_hidden_layers: 4, num_attention_heads: 4 }
   *   const lm = CausalLM.fromConfig(config, tokenizer)
   *
   * @param config as in config.json: `model_type` names the family. Without `vocab_size` it is that of the tokenizer
   * @throws FormatError for settings that are missing, invalid or not supported
   */
  static fromConfig(config: JsonRecord, tokenizer: Tokenizer, options: NewModelOptions = {}): CausalLM {
    requireArguments('CausalLM.fromConfig', arguments, 3)
    const { seed } = readOptions('CausalLM.fromConfig', { seed: option(nullable(integer()), null) }, options)
    const whole = { tie_word_embeddings: true, vocab_size: tokenizer.vocabularySize, ...config }
    const [transformer, family] = newTransformer(whole, 'decoder', seed ?? nextSeed())
    const generation = readGenerationConfig(null, whole, tokenizer)
    return new CausalLM({ transformer, family, config: whole, tokenizer, generation, generationFile: null })
  }

  /** Tokens [batch, steps] → scores [batch, steps, vocabulary]. */
  get model(): Model<Tensor, Tensor> {
    return this.network.model
  }

  /** The most tokens of a text: those for which the model has positions. */
  get maxLength(): number {
    return this.network.description.longest
  }

  /**
   * Continues a text, or several.
   *
   *   await lm.generate('Once upon a time', { maxTokens: 60 })
   *   await lm.generate(['To be', 'or not'], { maxTokens: 10, temperature: 0.8, topP: 0.95, seed: 1 })
   *
   * Several prompts are computed together, `batchSize` at a time, so that weights are read once for all of them. Without draws, each gets
   * the text that it gets alone, up to the rounding of scores; draws differ between prompts.
   *
   * @returns the prompt with its continuation; of several prompts, a list
   * @throws ArgumentError for unknown options, and for a prompt that is longer than the positions of the model
   * Keras Hub: `CausalLM.generate`.
   */
  async generate(prompt: string, options?: GenerateTextOptions): Promise<string>
  async generate(prompt: readonly string[], options?: GenerateTextsOptions): Promise<string[]>
  async generate(prompt: string | readonly string[], options: GenerateTextsOptions = {}): Promise<string | string[]> {
    requireArguments('generate', arguments, 2)
    const { stripPrompt = false, batchSize, ...others } = options
    if (typeof prompt !== 'string') return this.continuedTogether(prompt, stripPrompt, batchSize ?? PROMPTS, others)
    if (batchSize !== undefined) throw new ArgumentError('generate: batchSize needs a list of prompts, received one')
    return this.continued(prompt, stripPrompt, others)
  }

  private async continuedTogether(
    prompts: readonly string[],
    isStripped: boolean,
    batchSize: number,
    options: TextOptions,
  ): Promise<string[]> {
    count.read(batchSize, 'generate: batchSize')
    const tokens = prompts.map((prompt) => this.tokensOf('generate', prompt))
    const room = { prompt: Math.max(0, ...tokens.map(({ length }) => length)), longest: this.maxLength }
    const settings = readTextOptions('generate', options, this.generationConfig, room)
    const made: string[] = []
    if (settings.beams > 1 || batchSize === 1) {
      for (const prompt of prompts) made.push(await this.continued(prompt, isStripped, options))
      return made
    }
    for (const { rows, size, first } of promptBatches(tokens, batchSize)) {
      const decoding = this.decodingFor(size, room.prompt + settings.maxTokens)
      const seed = settings.seed === null ? null : settings.seed + first
      const batch = rows.map((row) => tokens[row]!)
      const texts = await textsAfter(decoding, this.tokenizer, batch, size, { ...settings, seed })
      rows.forEach((row, i) => (made[row] = (isStripped ? '' : prompts[row]!) + texts[i]!))
    }
    return made
  }

  private async continued(prompt: string, isStripped: boolean, options: TextOptions): Promise<string> {
    let made = isStripped ? '' : prompt
    for await (const piece of this.stream(prompt, options)) made += piece
    return made
  }

  /**
   * Continues a text, piece by piece. Pieces are whole characters, also where a character consists of several tokens.
   *
   *   for await (const piece of lm.stream('Once upon a time', { maxTokens: 60, temperature: 0.8 })) process.stdout.write(piece)
   *
   * @throws ArgumentError as `generate` does
   */
  async *stream(prompt: string, options: TextOptions = {}): AsyncGenerator<string, void, void> {
    requireArguments('stream', arguments, 2)
    yield* this.pieces('generate', this.tokensOf('generate', prompt), options)
  }

  /**
   * Replies to a conversation, in the form that the chat template of the preset gives it. What the conversation has in common with the one
   * before is not computed again, so that a turn costs what is new.
   *
   *   const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
   *   const reply = await lm.chat(messages)
   *   messages.push({ role: 'assistant', content: reply }, { role: 'user', content: 'And at night?' })
   *   await lm.chat(messages)
   *
   * @returns the reply
   * @throws ArgumentError as `generate` does; FormatError if the preset has no chat template, or one that fails
   */
  async chat(messages: readonly ChatMessage[], options: TextOptions = {}): Promise<string> {
    requireArguments('chat', arguments, 2)
    let made = ''
    for await (const piece of this.streamChat(messages, options)) made += piece
    return made
  }

  /** As `chat`, piece by piece. */
  async *streamChat(messages: readonly ChatMessage[], options: TextOptions = {}): AsyncGenerator<string, void, void> {
    requireArguments('streamChat', arguments, 2)
    yield* this.pieces('chat', this.tokenizer.encodeChat(messages, { addGenerationPrompt: true }), options)
  }

  /** The tokens of a prompt; of an empty one the token that begins texts. */
  private tokensOf(where: string, prompt: unknown): readonly number[] {
    if (typeof prompt !== 'string')
      throw new ArgumentError(`${where}: the prompt must be text, received ${quoted(prompt)}`)
    const tokens = this.tokenizer.encode(prompt)
    const { bosTokenId } = this.tokenizer
    if (tokens.length > 0) return tokens
    if (bosTokenId !== null) return [bosTokenId]
    throw new ArgumentError(`${where}: the prompt is empty, and the tokenizer has no token that begins texts`)
  }

  private async *pieces(
    where: string,
    prompt: readonly number[],
    options: TextOptions,
  ): AsyncGenerator<string, void, void> {
    const room = { prompt: prompt.length, longest: this.maxLength }
    const settings = readTextOptions(where, options, this.generationConfig, room)
    const decoding = this.decodingFor(settings.beams, prompt.length + settings.maxTokens)
    yield* textPieces(decoding, this.tokenizer, prompt, settings)
  }

  /**
   * Trains the model to continue texts, or to respond to prompts. The loss is the mean cross-entropy of the tokens that count: of a text
   * all but the first, of a prompt with its response those of the response. Each text ends with the token that ends texts.
   *
   *   await lm.fit(['one text', 'another one'], { sequenceLength: 128, batchSize: 2, epochs: 3 })
   *   await lm.fit([{ prompt: 'Q: 1 + 1?', response: ' 2' }])
   *
   * The scores of all tokens are never in memory as a whole. With `recompute`, neither are the inner values of all blocks, for a third more
   * time. With `enableLora`, only the adapters are trained.
   *
   * Before it begins, it prints what is trained and how much memory a step takes, unless `verbose` is 0.
   *
   * @returns the history, with the loss and the perplexity of each epoch
   * @throws ArgumentError for unknown options, texts without tokens, and a step that needs more memory than there is, with advice
   * Keras Hub: `CausalLM.fit`.
   */
  async fit(texts: TrainingTexts, options: LanguageFitOptions = {}): Promise<History> {
    requireArguments('fit', arguments, 2)
    const { sequenceLength, recompute, validationData, batchSize = 4, ...others } = options
    const length = this.rowLength('fit', sequenceLength)
    const { tokens, targets, weights } = await this.rows(texts, length)
    const held = validationData == null ? null : await this.rows(validationData, length)
    const given = { x: { tokens, targets }, y: targets, sampleWeight: weights }
    const line = this.prepareFit(given, batchSize, recompute, 'sequenceLength')
    if (others.verbose !== 0) console.log(line)
    return this.training.compiled.fit({ tokens, targets }, targets, {
      batchSize,
      ...others,
      sampleWeight: weights,
      ...(held === null
        ? {}
        : { validationData: [{ tokens: held.tokens, targets: held.targets }, held.targets, held.weights] }),
    })
  }

  /**
   * The loss and the perplexity of texts, as `fit` computes them.
   *
   *   const { loss, perplexity } = await lm.evaluate(texts)
   */
  async evaluate(
    texts: TrainingTexts,
    options: Pick<LanguageFitOptions, 'sequenceLength' | 'batchSize'> = {},
  ): Promise<{ loss: number; perplexity: number }> {
    requireArguments('evaluate', arguments, 2)
    checkOptions('evaluate', options, ['sequenceLength', 'batchSize'])
    const { sequenceLength, batchSize = 4 } = options
    const { tokens, targets, weights } = await this.rows(texts, this.rowLength('evaluate', sequenceLength))
    const result = await this.training.compiled.evaluate({ tokens, targets }, targets, {
      batchSize,
      sampleWeight: weights,
      returnDict: true,
    })
    return { loss: result['loss']!, perplexity: result['perplexity']! }
  }

  /**
   * How likely the model finds texts: for each the logarithm of the probability of every token but the first, their sum, and the perplexity.
   *
   *   const [{ logProbability }] = await lm.scoreSequences(['The sky is blue'])
   */
  async scoreSequences(texts: readonly string[]): Promise<SequenceScore[]> {
    requireArguments('scoreSequences', arguments, 1)
    const trainer = this.training.any
    const scores: SequenceScore[] = []
    for (const text of texts) {
      const ids = this.tokensOf('scoreSequences', text)
      if (ids.length < 2 || ids.length > this.maxLength)
        throw new ArgumentError(
          `scoreSequences: a text must have from 2 to ${this.maxLength} tokens, received ${ids.length} for ${quoted(text)}`,
        )
      const shape = [1, ids.length - 1]
      const tokens = new Tensor(Int32Array.from(ids.slice(0, -1)), shape, 'int32')
      const targets = new Tensor(Int32Array.from(ids.slice(1)), shape, 'int32')
      const losses = await trainer.predict({ tokens, targets })
      const each = Array.from(losses.data, (loss) => -loss)
      const logProbability = each.reduce((sum, next) => sum + next, 0)
      scores.push({
        tokens: ids,
        logProbabilities: each,
        logProbability,
        perplexity: Math.exp(-logProbability / each.length),
      })
    }
    return scores
  }

  private rowLength(where: string, given: number | null | undefined): number {
    const length = given ?? Math.min(DEFAULT_LENGTH, this.maxLength)
    count.read(length, `${where}: sequenceLength`)
    if (length <= this.maxLength) return length
    throw new ArgumentError(`${where}: sequenceLength is ${length}, but the model has positions for ${this.maxLength}`)
  }

  private async rows(texts: TrainingTexts, length: number): Promise<TokenRows> {
    const list: TrainingText[] = []
    for await (const text of texts) list.push(text)
    return tokenRows(list, this.tokenizer, length)
  }

  protected get weights(): readonly Variable[] {
    return this.model.weights
  }

  protected otherFiles(): Iterable<readonly [name: string, bytes: Uint8Array]> {
    return this.generationFile === null ? [] : [['generation_config.json', jsonFile(this.generationFile)]]
  }

  private decodingFor(batch: number, length: number): TextDecoding {
    const known = this.decoding
    if (known?.batch === batch && known.fits(length)) return known
    this.decoding = null
    void known?.dispose()
    const capacity = Math.min(this.maxLength, Math.ceil(length / CAPACITY_STEP) * CAPACITY_STEP)
    const lengths = this.network.blocks.map((block) => block.rotaryOriginalLength ?? Infinity)
    return (this.decoding = new TextDecoding(this.model, { batch, capacity, originalLength: Math.min(...lengths) }))
  }

  /** Frees the memory of the weights and of the cache. The model cannot be used any more. */
  async dispose(): Promise<void> {
    await this.decoding?.dispose()
    this.decoding = null
    this.training.dispose()
    this.model.dispose()
  }
}

export interface NewModelOptions {
  /** Determines the weights. Default null: drawn from the generator of setRandomSeed. */
  readonly seed?: number | null
}

/** Texts, or prompts with responses. */
export type TrainingTexts = Iterable<TrainingText> | AsyncIterable<TrainingText>

export interface LanguageFitOptions extends PresetFitOptions {
  /** The tokens of a row. Longer texts continue in further rows. Default 256, or the positions of the model if there are fewer. */
  readonly sequenceLength?: number | null
  /** Rows per step. Default 4. */
  readonly batchSize?: number
  /** Texts to validate on. Default none. */
  readonly validationData?: TrainingTexts | null
}

/** How likely a text is. */
export interface SequenceScore {
  readonly tokens: readonly number[]
  /** Of each token but the first, ln of its probability after those before it. */
  readonly logProbabilities: readonly number[]
  /** Their sum. */
  readonly logProbability: number
  /** exp of minus their mean. */
  readonly perplexity: number
}

export interface GenerateTextOptions extends TextOptions {
  /** Whether the result is without the prompt. Default false. */
  readonly stripPrompt?: boolean
}

export interface GenerateTextsOptions extends GenerateTextOptions {
  /** The most prompts that are computed together; each needs its own keys and values of all steps in memory. Default 8. */
  readonly batchSize?: number
}
