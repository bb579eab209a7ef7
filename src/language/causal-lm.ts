// CausalLM: a model that continues texts, with its tokenizer.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { Decoding } from '../generation/decoding'
import type { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import type { Family } from './families/description'
import type { Transformer } from './families/transformer'
import type { GenerationConfig } from './generation-config'
import { readPreset, type Preset, type PresetOptions } from './preset'
import type { PresetSource } from './presets/open-preset'
import { readTextOptions, textPieces, type TextOptions } from './text-generation'
import type { Message, Tokenizer } from './tokens/tokenizer'

/** The capacity of a cache grows in these steps, so that a longer text seldom needs new programs. */
const CAPACITY_STEP = 256

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
export class CausalLM {
  private decoding: Decoding | null = null

  private constructor(
    private readonly transformer: Transformer,
    private readonly family: Family,
    /** The content of config.json. */
    readonly config: Readonly<Record<string, unknown>>,
    /** Converts texts to tokens and back. */
    readonly tokenizer: Tokenizer,
    /** The defaults of generation, from generation_config.json. */
    readonly generationConfig: GenerationConfig,
  ) {}

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
    return CausalLM.of(await readPreset(source, 'decoder', options))
  }

  private static of({ transformer, family, config, tokenizer, generation }: Preset): CausalLM {
    return new CausalLM(transformer, family, config, tokenizer, generation)
  }

  /** Tokens [batch, steps] → scores [batch, steps, vocabulary]. */
  get model(): Model<Tensor, Tensor> {
    return this.transformer.model
  }

  /** The most tokens of a text: those for which the model has positions. */
  get maxLength(): number {
    return this.transformer.description.longest
  }

  /**
   * Continues a text, or several.
   *
   *   await lm.generate('Once upon a time', { maxTokens: 60 })
   *   await lm.generate(['To be', 'or not'], { maxTokens: 10, temperature: 0.8, topP: 0.95, seed: 1 })
   *
   * @returns the prompt with its continuation; of several prompts, a list
   * @throws ArgumentError for unknown options, and for a prompt that is longer than the positions of the model
   * Keras Hub: `CausalLM.generate`.
   */
  async generate(prompt: string, options?: GenerateTextOptions): Promise<string>
  async generate(prompt: readonly string[], options?: GenerateTextOptions): Promise<string[]>
  async generate(prompt: string | readonly string[], options: GenerateTextOptions = {}): Promise<string | string[]> {
    requireArguments('generate', arguments, 2)
    const { stripPrompt = false, ...others } = options
    if (typeof prompt === 'string') return this.continued(prompt, stripPrompt, others)
    const made: string[] = []
    for (const each of prompt) made.push(await this.continued(each, stripPrompt, others))
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
  async chat(messages: readonly Message[], options: TextOptions = {}): Promise<string> {
    requireArguments('chat', arguments, 2)
    let made = ''
    for await (const piece of this.streamChat(messages, options)) made += piece
    return made
  }

  /** As `chat`, piece by piece. */
  async *streamChat(messages: readonly Message[], options: TextOptions = {}): AsyncGenerator<string, void, void> {
    requireArguments('streamChat', arguments, 2)
    yield* this.pieces('chat', this.tokenizer.encodeChat(messages), options)
  }

  /** The tokens of a prompt; of an empty one the token that begins texts. */
  private tokensOf(where: string, prompt: unknown): readonly number[] {
    if (typeof prompt !== 'string') throw new ArgumentError(`${where}: the prompt must be text, received ${quoted(prompt)}`)
    const tokens = this.tokenizer.encode(prompt)
    const { bosToken } = this.tokenizer
    if (tokens.length > 0) return tokens
    if (bosToken !== null) return [bosToken]
    throw new ArgumentError(`${where}: the prompt is empty, and the tokenizer has no token that begins texts`)
  }

  private async *pieces(
    where: string,
    prompt: readonly number[],
    options: TextOptions,
  ): AsyncGenerator<string, void, void> {
    const room = { prompt: prompt.length, longest: this.maxLength }
    const settings = readTextOptions(where, options, this.generationConfig, room)
    const decoding = this.decodingFor(prompt.length + settings.maxTokens)
    yield* textPieces(decoding, this.tokenizer, prompt, settings)
  }

  private decodingFor(length: number): Decoding {
    const known = this.decoding
    if (known !== null && known.fits(length)) return known
    this.decoding = null
    void known?.dispose()
    const capacity = Math.min(this.maxLength, Math.ceil(length / CAPACITY_STEP) * CAPACITY_STEP)
    return (this.decoding = new Decoding(this.model, 1, capacity))
  }

  /** Frees the memory of the weights and of the cache. The model cannot be used any more. */
  async dispose(): Promise<void> {
    await this.decoding?.dispose()
    this.decoding = null
    this.model.dispose()
  }
}

export interface GenerateTextOptions extends TextOptions {
  /** Whether the result is without the prompt. Default false. */
  readonly stripPrompt?: boolean
}
