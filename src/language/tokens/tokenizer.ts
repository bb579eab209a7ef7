// Text to numbers of tokens, and back, as Python's tokenizers and transformers do it.

import { wellFormed } from '../../core/text'
import { ArgumentError, FormatError, quoted } from '../../core/errors'
import { boolean, count, nullable, option, readOptions } from '../../core/options'
import { isRecord, valueAt, type JsonRecord } from '../../files/containers/json'
import { addedTokensOf, Finder, type AddedToken } from './added-tokens'
import { withCache } from './cache'
import { ChatTemplate, type ChatMessage, type ChatTemplateOptions } from './chat-template'
import { cleanedUp, decoderOf, type Sink } from './decoders'
import { recordField } from './fields'
import { modelOf } from './models'
import { normalizerOf, type Normalizer } from './normalizers'
import { PLAIN, templateOfPostProcessor, type Part, type Template } from './post-processors'
import { preTokenizerOf, type PreTokenizer } from './pre-tokenizers'
import type { ModelTables } from './tokenizer-content'
import type { Model } from './vocabulary'

/** The files that describe a tokenizer, as objects. */
export interface TokenizerFiles {
  /** tokenizer.json: how texts become tokens. */
  readonly tokenizer: JsonRecord
  /** tokenizer_config.json: which tokens are special, and the chat template; null if there is none. */
  readonly config: JsonRecord | null
  /** chat_template.jinja, if the template has a file of its own; it replaces that of the configuration. */
  readonly chatTemplate?: string | null
}

/** The files of a tokenizer, and where they are. */
export interface NamedTokenizerFiles extends TokenizerFiles {
  /** The folder or the address, for errors. */
  readonly name: string
}

export interface EncodeOptions {
  /** Whether tokens such as that of the begin go around the text. Default true. */
  readonly addSpecialTokens?: boolean
}

export interface EncodeBatchOptions extends EncodeOptions {
  /** The length to which longer rows are cut, special tokens included. Default null: none is cut. */
  readonly maxLength?: number | null
  /** Whether all rows have that length, instead of that of the longest. Default false. */
  readonly padToMaxLength?: boolean
}

export interface DecodeOptions {
  /** Whether special tokens are left out. Default true. */
  readonly skipSpecialTokens?: boolean
}

const encodeTable = { addSpecialTokens: option(boolean, true) }
const batchTable = {
  addSpecialTokens: option(boolean, true),
  maxLength: option(nullable(count), null),
  padToMaxLength: option(boolean, false),
}
const decodeTable = { skipSpecialTokens: option(boolean, true) }

/** Equally long rows of numbers for an encoder. */
export interface EncodedBatch {
  /** The tokens, with padding. [texts, length] */
  readonly ids: number[][]
  /** 1 for tokens, 0 for padding. [texts, length] */
  readonly mask: number[][]
  /** 0 for the first text and 1 for the second, as far as the tokenizer tells them apart. [texts, length] */
  readonly tokenTypes: number[][]
}

/** A stream of tokens as text. */
export interface StreamDecoder {
  /** Takes a token. Returns the text that is certain now: whole characters only, '' if there is none. */
  push(id: number): string
  /** Returns the rest of the text. The decoder is then used up. */
  end(): string
}

interface Encoded {
  readonly ids: number[]
  readonly types: number[]
}

/** Names of special tokens in tokenizer_config.json. */
const SPECIAL_NAMES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const
type SpecialName = (typeof SPECIAL_NAMES)[number]

/**
 * Splits text into tokens and joins tokens to text, as Python's `tokenizers` and `transformers` do, with the same numbers.
 *
 * The steps are those of tokenizer.json: added tokens are cut out of the text; the rest is normalized, split into words, and each word
 * into tokens of the vocabulary, by byte-pair encoding, a unigram model, WordPiece, or a table of words; special tokens go around them.
 * Lone surrogates count as U+FFFD. The truncation and padding that tokenizer.json may describe apply to `encodeBatch` alone, and only
 * their sides and the token of padding, as in transformers.
 *
 * @example
 * ```ts
 * import { Tokenizer, trainTokenizer } from 'myelin/language'
 *
 * const tokenizer = await trainTokenizer(['to be or not to be, to be'], { vocabularySize: 300 })
 * tokenizer.decode(tokenizer.encode('to be')) // 'to be'
 * tokenizer.encode('to be').length // 2
 * ```
 * @see Python's tokenizers: https://huggingface.co/docs/tokenizers
 */
export class Tokenizer {
  private readonly model: Model
  private readonly normalize: Normalizer | null
  private readonly preTokenize: PreTokenizer | null
  private readonly encodeWord: Model['encode']
  private readonly template: Template
  private readonly openDecoder: (sink: Sink) => Sink
  private readonly added: ReadonlyMap<string, AddedToken>
  /** The texts of added tokens by their numbers. */
  private readonly addedTexts: ReadonlyMap<number, string>
  private readonly rawFinder: Finder
  private readonly normalFinder: Finder
  private readonly specials: ReadonlyMap<string, string>
  private chat: ReadonlyMap<string, ChatTemplate> | null = null

  private constructor(
    private readonly files: TokenizerFiles,
    /** The folder or file that errors name. */
    readonly name: string,
    /** The large parts of tokenizer.json; null if the files have them. */
    private readonly tables: ModelTables | null,
  ) {
    const { tokenizer, config } = files
    const where = `${name}, tokenizer.json`
    this.model = modelOf(recordField(tokenizer, 'model', where), where, tables)
    this.normalize = optionalPart(tokenizer, 'normalizer', where, normalizerOf)
    this.preTokenize = optionalPart(tokenizer, 'pre_tokenizer', where, preTokenizerOf)
    this.encodeWord = withCache(this.model.encode)
    this.template = optionalPart(tokenizer, 'post_processor', where, templateOfPostProcessor) ?? PLAIN
    const decoder = decoderOf(partAt(tokenizer, 'decoder', where), where)
    // transformers cleans no text of BPE, because that would lose spaces.
    const cleans =
      config !== null && valueAt(config, 'clean_up_tokenization_spaces') === true && this.model.kind !== 'BPE'
    this.openDecoder = cleans ? (sink) => decoder(cleanedUp(sink)) : decoder
    this.specials = config === null ? new Map() : specialTexts(config)
    const added = [...addedTokensOf(tokenizer, where)]
    for (const content of this.specials.values()) {
      const id = this.model.ids.get(content)
      // transformers takes the tokens that the configuration names as special, also if tokenizer.json does not.
      if (id !== undefined && !added.some((each) => each.content === content)) added.push(specialToken(id, content))
    }
    this.added = new Map(added.map((token) => [token.content, token]))
    const { normalize } = this
    this.addedTexts = textsOfAdded(added, normalize)
    this.rawFinder = new Finder(added.filter((token) => !token.isNormalized))
    this.normalFinder = new Finder(
      added.filter((token) => token.isNormalized),
      normalize ?? undefined,
    )
    this.specialIds = added.filter((token) => token.isSpecial).map((token) => token.id)
    // A special token that is shown as another text, in small letters for example, is not left out, as in Python's tokenizers.
    this.hidden = new Set(
      added.filter((token) => token.isSpecial && this.textOf(token.id) === token.content).map((token) => token.id),
    )
  }

  /** The ids of special tokens, which `decode` leaves out. */
  readonly specialIds: readonly number[]
  private readonly hidden: ReadonlySet<number>

  /**
   * The tokenizer that files describe.
   * @param files.tokenizer the object of tokenizer.json
   * @param files.config the object of tokenizer_config.json, or null
   * @param files.chatTemplate the text of chat_template.jinja, if there is one
   * @param files.name the folder or the address, for errors
   * @throws FormatError that names the file and the part for kinds that are not supported and for invalid values
   */
  static fromFiles({ name, ...files }: NamedTokenizerFiles): Tokenizer {
    return new Tokenizer(files, name, null)
  }

  /** The same from a tokenizer.json whose large parts are tables, and empty in the files. @internal */
  static fromTables({ name, ...files }: NamedTokenizerFiles, tables: ModelTables): Tokenizer {
    return new Tokenizer(files, name, tables)
  }

  /** How many tokens there are. Numbers of tokens may have gaps, so the largest may be above it. */
  get vocabularySize(): number {
    let size = this.model.ids.size
    for (const content of this.added.keys()) if (!this.model.ids.has(content)) size++
    return size
  }

  /** The token at the begin of a text; null if there is none. */
  get bosTokenId(): number | null {
    return this.specialId('bos_token')
  }

  /** The token at the end of a text; null if there is none. */
  get eosTokenId(): number | null {
    return this.specialId('eos_token')
  }

  /** The token of padding; null if there is none. */
  get padTokenId(): number | null {
    return this.specialId('pad_token') ?? this.blockId('padding', 'pad_id')
  }

  /** The token of unknown text; null if there is none. */
  get unkTokenId(): number | null {
    return this.specialId('unk_token')
  }

  /** The token whose text a masked model fills in; null if there is none. */
  get maskTokenId(): number | null {
    return this.specialId('mask_token')
  }

  /** The number of a token as the vocabulary writes it, such as 'Ġthe'; null if there is none. */
  tokenToId(token: string): number | null {
    return this.added.get(token)?.id ?? this.model.ids.get(token) ?? null
  }

  /** The token with a number, as the vocabulary writes it; null if there is none. */
  idToToken(id: number): string | null {
    return this.textOf(id) ?? null
  }

  /**
   * The numbers of the tokens of a text.
   * @param options.addSpecialTokens whether tokens such as that of the begin go around the text. @default true
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { addSpecialTokens } = readOptions('Tokenizer.encode', encodeTable, options)
    const { single, bareSingle } = this.template
    return assemble(addSpecialTokens ? single : bareSingle, this.idsOf(text), []).ids
  }

  /**
   * Rows of equal length for an encoder: texts, or pairs of texts, with masks.
   * @param options.addSpecialTokens whether special tokens go around the texts. @default true
   * @param options.maxLength the length to which longer rows are cut, special tokens included. @default null
   * @param options.padToMaxLength whether all rows have that length, instead of that of the longest. @default false
   * @throws ArgumentError if padding is needed and there is no token for it, or if `maxLength` leaves no place for text
   */
  encodeBatch(texts: readonly (string | readonly [string, string])[], options: EncodeBatchOptions = {}): EncodedBatch {
    const { addSpecialTokens, maxLength, padToMaxLength } = readOptions('Tokenizer.encodeBatch', batchTable, options)
    const rows = texts.map((text) => this.encodeRow(text, addSpecialTokens, maxLength))
    const longest = rows.reduce((length, row) => Math.max(length, row.ids.length), 0)
    const length = padToMaxLength ? Math.max(longest, maxLength ?? 0) : longest
    const isLeft = this.sideOf('padding') === 'left'
    const pad = rows.some((row) => row.ids.length < length) ? this.paddingId() : 0
    const type = this.blockId('padding', 'pad_type_id') ?? 0
    const padded = (values: number[], value: number): number[] => {
      const padding = new Array<number>(length - values.length).fill(value)
      return isLeft ? [...padding, ...values] : [...values, ...padding]
    }
    return {
      ids: rows.map(({ ids }) => padded(ids, pad)),
      mask: rows.map(({ ids }) => padded(new Array<number>(ids.length).fill(1), 0)),
      tokenTypes: rows.map(({ types }) => padded(types, type)),
    }
  }

  /**
   * The text of tokens. Numbers without token are left out.
   * @param options.skipSpecialTokens whether special tokens are left out. @default true
   */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const { skipSpecialTokens } = readOptions('Tokenizer.decode', decodeTable, options)
    const parts: string[] = []
    const decoder = this.openDecoder({ push: (text) => void parts.push(text), end: () => {} })
    for (const id of ids) this.pushToken(decoder, id, skipSpecialTokens)
    decoder.end()
    return parts.join('')
  }

  /**
   * Decodes a stream, token by token. The texts together equal `decode` of all tokens; each is of whole characters.
   * @param options.skipSpecialTokens whether special tokens are left out. @default true
   */
  decoder(options: DecodeOptions = {}): StreamDecoder {
    const { skipSpecialTokens: skips } = readOptions('Tokenizer.decoder', decodeTable, options)
    let text = ''
    const decoder = this.openDecoder({ push: (part) => void (text += part), end: () => {} })
    const taken = (): string => {
      const result = text
      text = ''
      return result
    }
    return {
      push: (id) => {
        this.pushToken(decoder, id, skips)
        return taken()
      },
      end: () => {
        decoder.end()
        return taken()
      },
    }
  }

  /** Whether there is a chat template. */
  get hasChatTemplate(): boolean {
    return this.templates().size > 0
  }

  /**
   * The text of a conversation, by the chat template of the model.
   * @throws ArgumentError if there is no template, or the template refuses the messages
   * @throws FormatError if the template fails, or takes too much time or memory
   * @see transformers, `apply_chat_template`
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    const templates = this.templates()
    const hasTools = (options.tools ?? null) !== null
    const template = (hasTools ? templates.get('tool_use') : undefined) ?? templates.get('default')
    if (template === undefined) {
      throw new ArgumentError(
        `applyChatTemplate: ${this.name} has no chat template${templates.size === 0 ? '' : " of the name 'default'"}. ` +
          'Write the prompt as text, or use a model that was trained for conversations',
      )
    }
    return template.render(messages, options, this.specials)
  }

  /** The tokens of a conversation: `applyChatTemplate`, then `encode` without special tokens, which the template has written. */
  encodeChat(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): number[] {
    return this.encode(this.applyChatTemplate(messages, options), { addSpecialTokens: false })
  }

  /** The files of which this tokenizer was made, unchanged. */
  toFiles(): TokenizerFiles {
    return this.tables === null ? this.files : { ...this.files, tokenizer: this.tables.whole() }
  }

  private templates(): ReadonlyMap<string, ChatTemplate> {
    this.chat ??= chatTemplates(this.files, this.name)
    return this.chat
  }

  private textOf(id: number): string | undefined {
    return this.addedTexts.get(id) ?? this.model.ids.textOf(id)
  }

  private pushToken(decoder: Sink, id: number, skips: boolean): void {
    const token = skips && this.hidden.has(id) ? undefined : this.textOf(id)
    if (token !== undefined) decoder.push(token)
  }

  /** The tokens of a text, without special tokens around it. */
  private idsOf(text: string): number[] {
    const ids: number[] = []
    for (const raw of this.rawFinder.split(wellFormed(text), true)) {
      if (raw.id >= 0) {
        ids.push(raw.id)
        continue
      }
      const normal = this.normalize === null ? raw.text : this.normalize(raw.text)
      const isFirst = raw.isFirst && (this.normalize === null || keepsBegin(raw.text, normal, this.normalize))
      for (const section of this.normalFinder.split(normal, isFirst)) {
        if (section.id >= 0) ids.push(section.id)
        else this.encodeText(section.text, section.isFirst, ids)
      }
    }
    return ids
  }

  private encodeText(text: string, isFirst: boolean, ids: number[]): void {
    const words = this.preTokenize === null ? [text] : this.preTokenize({ texts: [text], isFirst }).texts
    for (const word of words) if (word !== '') for (const id of this.encodeWord(word)) ids.push(id)
  }

  private encodeRow(text: string | readonly [string, string], addsSpecial: boolean, maxLength: number | null): Encoded {
    const { single, pair, bareSingle, barePair } = this.template
    const isPair = typeof text !== 'string'
    const first = this.idsOf(isPair ? text[0] : text)
    const second = isPair ? this.idsOf(text[1]) : []
    const [withSpecial, bare] = isPair ? [pair, barePair] : [single, bareSingle]
    const template = addsSpecial ? withSpecial : bare
    if (maxLength === null) return assemble(template, first, second)
    const around = template.reduce((count, part) => count + ('ids' in part ? part.ids.length : 0), 0)
    if (!(maxLength >= around)) {
      throw new ArgumentError(
        `encodeBatch: maxLength must be at least ${around}, the number of special tokens, received ${maxLength}`,
      )
    }
    const [most1, most2] = isPair ? shortened(first.length, second.length, maxLength - around) : [maxLength - around, 0]
    return assemble(template, this.cut(first, most1), this.cut(second, most2))
  }

  private cut(ids: number[], length: number): number[] {
    if (ids.length <= length) return ids
    return this.sideOf('truncation') === 'left' ? ids.slice(ids.length - length) : ids.slice(0, length)
  }

  private sideOf(block: 'padding' | 'truncation'): string {
    const { config, tokenizer } = this.files
    const side = config === null ? undefined : valueAt(config, `${block}_side`)
    const record = valueAt(tokenizer, block)
    const direction = isRecord(record) ? valueAt(record, 'direction') : undefined
    return String(side ?? direction ?? 'right').toLowerCase()
  }

  private paddingId(): number {
    const id = this.padTokenId
    if (id !== null) return id
    throw new ArgumentError(
      `encodeBatch: ${this.name} has no token for padding. Encode texts of one length, or one by one`,
    )
  }

  private blockId(block: string, key: string): number | null {
    const record = valueAt(this.files.tokenizer, block)
    const id = isRecord(record) ? valueAt(record, key) : undefined
    return typeof id === 'number' ? id : null
  }

  private specialId(name: SpecialName): number | null {
    const text = this.specials.get(name)
    return text === undefined ? null : this.tokenToId(text)
  }
}

/** Whether the begin of a normalized text came from that of the text, rather than from what follows a part that was removed. */
function keepsBegin(text: string, normal: string, normalize: Normalizer): boolean {
  const [begin = '', first = ''] = /^(?:\p{White_Space}|(.)\p{M}*)/su.exec(text) ?? []
  return normalize(first) !== '' && normal.codePointAt(0) === normalize(begin).codePointAt(0)
}

function partAt(record: JsonRecord, key: string, where: string): JsonRecord | null {
  const value = valueAt(record, key) ?? null
  if (value === null || isRecord(value)) return value
  throw new FormatError(`${where}: '${key}' must be an object or null, received ${quoted(value)}`)
}

function optionalPart<Made>(
  record: JsonRecord,
  key: string,
  where: string,
  make: (part: JsonRecord, where: string) => Made,
): Made | null {
  const part = partAt(record, key, where)
  return part === null ? null : make(part, where)
}

function specialToken(id: number, content: string): AddedToken {
  return { id, content, isSpecial: true, isNormalized: false, isWord: false, takesLeft: false, takesRight: false }
}

/** The texts of added tokens by their numbers. Python's tokenizers show them as they are found in a normalized text. */
function textsOfAdded(added: readonly AddedToken[], normalize: Normalizer | null): Map<number, string> {
  return new Map(
    added.map(({ id, content, isNormalized }) => [
      id,
      isNormalized && normalize !== null ? normalize(content) : content,
    ]),
  )
}

/** The texts of the special tokens that a configuration names. */
function specialTexts(config: JsonRecord): Map<string, string> {
  const texts = new Map<string, string>()
  for (const name of SPECIAL_NAMES) {
    const value = valueAt(config, name)
    const content = isRecord(value) ? valueAt(value, 'content') : value
    if (typeof content === 'string' && content !== '') texts.set(name, content)
  }
  return texts
}

function chatTemplates({ config, chatTemplate }: TokenizerFiles, name: string): Map<string, ChatTemplate> {
  const templates = new Map<string, ChatTemplate>()
  const where = `${name}, tokenizer_config.json`
  const listed = config === null ? undefined : valueAt(config, 'chat_template')
  if (typeof listed === 'string') templates.set('default', new ChatTemplate(listed, where))
  for (const each of Array.isArray(listed) ? listed : []) {
    const [key, source] = isRecord(each) ? [valueAt(each, 'name'), valueAt(each, 'template')] : []
    if (typeof key === 'string' && typeof source === 'string') templates.set(key, new ChatTemplate(source, where))
  }
  if (typeof chatTemplate === 'string')
    templates.set('default', new ChatTemplate(chatTemplate, `${name}, chat_template.jinja`))
  return templates
}

/** Puts the tokens of two texts in a template. */
function assemble(template: readonly Part[], first: readonly number[], second: readonly number[]): Encoded {
  const ids: number[] = []
  const types: number[] = []
  for (const part of template) {
    for (const id of idsOfPart(part, first, second)) {
      ids.push(id)
      types.push(part.type)
    }
  }
  return { ids, types }
}

/** The lengths to which two texts are cut so that they have `most` tokens together: the longer one first. */
function shortened(first: number, second: number, most: number): [number, number] {
  if (first + second <= most) return [first, second]
  const shorter = Math.min(first, second)
  const longer = Math.max(shorter, most - shorter)
  const half = Math.floor(most / 2)
  const [small, large] = shorter + (shorter > most ? shorter : longer) > most ? [half, most - half] : [shorter, longer]
  return first <= second ? [small, large] : [large, small]
}

function idsOfPart(part: Part, first: readonly number[], second: readonly number[]): readonly number[] {
  if ('ids' in part) return part.ids
  return part.text === 'A' ? first : second
}
