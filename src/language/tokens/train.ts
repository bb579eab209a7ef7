// Trains byte-level byte-pair encoding, with the merges that Python's tokenizers learn from the same texts.

import { wellFormed } from '../../core/text'
import { ArgumentError, quoted } from '../../core/errors'
import type { JsonRecord } from '../../files/containers/json'
import { BYTE_CHARACTERS, byteText } from './byte-alphabet'
import { Heap } from './heap'
import { PairTable } from './pair-table'
import { splitText } from './patterns'
import { GPT2_PATTERN } from './pre-tokenizers'
import { Tokenizer } from './tokenizer'
import { MOST_TOKENS } from './vocabulary'

/** Options of `trainTokenizer`. */
export interface TrainTokenizerOptions {
  /** How many tokens to make: special tokens, 256 bytes, and one for each merge. Fewer if no pair is frequent enough. */
  readonly vocabularySize: number
  /** Tokens that stand for themselves, with the first numbers. The first marks the end of a text. @default ['<|endoftext|>'] */
  readonly specialTokens?: readonly string[]
  /** How often a pair must occur to be merged. @default 2 */
  readonly minFrequency?: number
  /** Hears of progress: the tokens so far, and `vocabularySize`. @default nothing */
  readonly onProgress?: ((tokens: number, vocabularySize: number) => void) | null
  /** Stops the training; the promise rejects with its reason. @default none */
  readonly signal?: AbortSignal | null
}

/** How many words or merges pass between two breaks, in which other tasks of the program run. */
const TURN = 2_000

/**
 * Trains a tokenizer on texts: byte-level byte-pair encoding with the words of GPT-2.
 *
 * The texts are split into words, whose bytes are the first tokens. Then the most frequent pair of neighbours becomes a token, again and
 * again; of pairs that are equally frequent, that of the smallest numbers comes first. The tokenizer equals that of `BpeTrainer` in
 * Python's `tokenizers` on the same texts; `tokenizer.toFiles()` gives the tokenizer.json that Python reads.
 * The time grows with the number of different words.
 *
 * @param texts texts, also from an asynchronous source such as the lines of a file; words do not go over the borders of texts
 * @throws ArgumentError if `vocabularySize` leaves no place for the bytes, or for invalid options
 * @example
 * ```ts
 * import { trainTokenizer } from 'myelin/language'
 *
 * const tokenizer = await trainTokenizer(['low lower lowest, new newer newest'], { vocabularySize: 270 })
 * tokenizer.vocabularySize // 267
 * ```
 * @see Sennrich et al., Neural machine translation of rare words with subword units (2016); Radford et al., Language models are
 * unsupervised multitask learners (2019)
 */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainTokenizerOptions,
): Promise<Tokenizer> {
  const {
    vocabularySize,
    specialTokens = ['<|endoftext|>'],
    minFrequency = 2,
    onProgress = null,
    signal = null,
  } = options
  checkSizes(vocabularySize, specialTokens, minFrequency)
  const counts = await countWords(texts, signal)
  const trainer = new Trainer(counts, specialTokens)
  for (let turn = 1; trainer.size < vocabularySize && trainer.step(minFrequency); turn++) {
    if (turn % TURN !== 0) continue
    onProgress?.(trainer.size, vocabularySize)
    await pause(signal)
  }
  onProgress?.(trainer.size, vocabularySize)
  const { tokenizer, config } = filesOf(trainer, specialTokens)
  return Tokenizer.fromFiles({ tokenizer, config, name: 'trainTokenizer' })
}

function checkSizes(vocabularySize: number, specialTokens: readonly string[], minFrequency: number): void {
  const wrong = specialTokens.find((token, at) => token === '' || specialTokens.indexOf(token) !== at)
  if (wrong !== undefined) {
    throw new ArgumentError(`trainTokenizer: specialTokens must be different and not empty, received ${quoted(wrong)}`)
  }
  const least = specialTokens.length + 256
  if (!Number.isInteger(vocabularySize) || vocabularySize < least || vocabularySize > MOST_TOKENS) {
    throw new ArgumentError(
      `trainTokenizer: vocabularySize must be a whole number from ${least}, for the bytes and the special tokens, to ${MOST_TOKENS}, received ${quoted(vocabularySize)}`,
    )
  }
  if (!Number.isInteger(minFrequency) || minFrequency < 0) {
    throw new ArgumentError(
      `trainTokenizer: minFrequency must be a whole number of at least 0, received ${quoted(minFrequency)}`,
    )
  }
}

/** How often each word occurs. */
async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal | null,
): Promise<Map<string, number>> {
  if (typeof texts === 'string') throw new ArgumentError('trainTokenizer: expected a list of texts, received a string')
  const counts = new Map<string, number>()
  let read = 0
  for await (const text of texts) {
    if (typeof text !== 'string')
      throw new ArgumentError(`trainTokenizer: a text must be a string, received ${quoted(text)}`)
    for (const word of splitText(wellFormed(text), GPT2_PATTERN, 'Isolated'))
      counts.set(word, (counts.get(word) ?? 0) + 1)
    read += text.length + 1
    if (read < 2 ** 20) continue
    read = 0
    await pause(signal)
  }
  signal?.throwIfAborted()
  return counts
}

/** Lets other tasks run. */
async function pause(signal: AbortSignal | null): Promise<void> {
  await new Promise((resolve) => void setTimeout(resolve))
  signal?.throwIfAborted()
}

/** A pair that may be merged next. */
interface Candidate {
  readonly pair: number
  /** How often the pair occurred when it was added; it may be fewer now. */
  count: number
  /** The words where it was found. */
  readonly words: readonly number[]
}

class Trainer {
  /** The text of each token. */
  readonly tokens: string[]
  readonly merges: [string, string][] = []
  private readonly ids: Map<string, number>
  /** The tokens of each word. */
  private readonly words: number[][] = []
  private readonly counts: number[] = []
  private readonly pairs = new PairTable()
  /** How often each pair occurs. */
  private readonly frequencies: number[] = []
  private readonly queue = new Heap<Candidate>((a, b) =>
    a.count === b.count ? this.isLess(a.pair, b.pair) : a.count > b.count,
  )

  constructor(counts: ReadonlyMap<string, number>, specialTokens: readonly string[]) {
    this.tokens = [...new Set([...specialTokens, ...[...BYTE_CHARACTERS].sort()])]
    this.ids = new Map(this.tokens.map((token, id) => [token, id]))
    const found = new Map<number, number[]>()
    for (const [word, count] of counts) {
      const at = this.words.length
      const symbols = Array.from(byteText(word), (character) => this.ids.get(character)!)
      this.words.push(symbols)
      this.counts.push(count)
      for (let i = 0; i + 1 < symbols.length; i++) this.change(symbols[i]!, symbols[i + 1]!, count, at, found)
    }
    this.offer(found)
  }

  get size(): number {
    return this.tokens.length
  }

  /** Merges the most frequent pair. Returns whether there was one. */
  step(minFrequency: number): boolean {
    while (this.queue.size > 0) {
      const top = this.queue.pop()
      const count = this.frequencies[top.pair]!
      if (top.count !== count) {
        top.count = count
        this.queue.push(top)
        continue
      }
      if (count < 1 || count < minFrequency) return false
      this.merge(top)
      return true
    }
    return false
  }

  private merge({ pair, words }: Candidate): void {
    const [left, right] = this.pairs.pairAt(pair)
    const token = this.tokens[left]! + this.tokens[right]!
    // Other pairs may have made the same token before.
    let id = this.ids.get(token)
    if (id === undefined) {
      id = this.tokens.length
      this.tokens.push(token)
      this.ids.set(token, id)
    }
    this.merges.push([this.tokens[left]!, this.tokens[right]!])
    const found = new Map<number, number[]>()
    for (const word of words) this.mergeIn(word, left, right, id, found)
    this.offer(found)
  }

  /** Merges a pair in a word. The frequency of the pair itself stays, as in Python's tokenizers. */
  private mergeIn(word: number, left: number, right: number, id: number, found: Map<number, number[]>): void {
    const symbols = this.words[word]!
    const count = this.counts[word]!
    let end = 0
    for (let at = 0; at < symbols.length; at++) {
      const symbol = symbols[at]!
      if (symbol !== left || symbols[at + 1] !== right) {
        symbols[end++] = symbol
        continue
      }
      if (end > 0) {
        this.change(symbols[end - 1]!, left, -count, word, found)
        this.change(symbols[end - 1]!, id, count, word, found)
      }
      at++
      symbols[end++] = id
      if (at + 1 < symbols.length) {
        this.change(right, symbols[at + 1]!, -count, word, found)
        this.change(id, symbols[at + 1]!, count, word, found)
      }
    }
    symbols.length = end
  }

  /** Changes the frequency of a pair by what happens in a word. @param found gets the word, if there is more of the pair now */
  private change(left: number, right: number, count: number, word: number, found: Map<number, number[]>): void {
    const pair = this.pairs.add(left, right)
    this.frequencies[pair] = (this.frequencies[pair] ?? 0) + count
    if (count < 0) return
    const words = found.get(pair)
    if (words === undefined) found.set(pair, [word])
    else if (words.at(-1) !== word) words.push(word)
  }

  private offer(found: ReadonlyMap<number, number[]>): void {
    for (const [pair, words] of found) {
      const count = this.frequencies[pair]!
      if (count > 0) this.queue.push({ pair, count, words })
    }
  }

  private isLess(a: number, b: number): boolean {
    const [left, right] = this.pairs.pairAt(a)
    const [otherLeft, otherRight] = this.pairs.pairAt(b)
    return left === otherLeft ? right < otherRight : left < otherLeft
  }
}

/** The files of a trained tokenizer, in the form of Python's `ByteLevelBPETokenizer`. */
function filesOf(trainer: Trainer, specialTokens: readonly string[]): { tokenizer: JsonRecord; config: JsonRecord } {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const [end = null] = specialTokens
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: { ...byteLevel, trim_offsets: false },
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(trainer.tokens.map((token, id) => [token, id])),
        merges: trainer.merges,
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: end,
      eos_token: end,
      unk_token: end,
      clean_up_tokenization_spaces: false,
    },
  }
}
