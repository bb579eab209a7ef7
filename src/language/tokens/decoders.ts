// Decoders of tokenizer.json, as stages through which tokens go one by one, so that the same code decodes a list at once and a
// stream. A stage emits what no later token changes.

import { decodeUtf8 } from '../../core/text'
import { FormatError } from '../../core/errors'
import { itemsOf, valueAt, type JsonRecord } from '../../files/containers/json'
import { tokenBytes } from './byte-alphabet'
import { countField, flagField, partOf, textField, type PartTable } from './fields'
import { patternOf } from './patterns'
import { prependScheme } from './pre-tokenizers'

/** Receives tokens, or the parts of one. */
export interface Sink {
  readonly push: (text: string) => void
  /** Emits what is held back. */
  readonly end: () => void
}

/** A stage with state, in front of another. */
type Stage = (next: Sink) => Sink

/** A decoder in a chain. */
interface Step {
  /** @param isFused whether what comes are parts of one token */
  readonly open: (next: Sink, isFused: boolean) => Sink
  /** Whether it makes one token of all. */
  readonly fuses: boolean
}

const DECODERS: PartTable<readonly Step[]> = {
  BPEDecoder: (record, where) => [tokens(endOfWord(textField(record, 'suffix', where, '</w>')))],
  ByteFallback: () => [tokens(byteFallback)],
  ByteLevel: () => [{ ...tokens(byteLevel), fuses: true }],
  CTC: (record, where) => [tokens(ctc(record, where))],
  Fuse: () => [{ open: (next) => next, fuses: true }],
  Metaspace: (record, where) => {
    const replacement = textField(record, 'replacement', where, '▁')
    const first = prependScheme(record, where) === 'never' ? ' ' : ''
    return [tokens(mapped((token, at) => token.replaceAll(replacement, at === 0 ? first : ' ')))]
  },
  Replace: (record, where) => {
    const pattern = patternOf(record, where)
    const content = textField(record, 'content', where)
    return [tokens(mapped((token) => token.replace(pattern, () => content)))]
  },
  Sequence: (record, where) =>
    itemsOf(valueAt(record, 'decoders')).flatMap((each) => partOf(each, 'decoder', where, DECODERS)),
  Strip: (record, where) => [strip(record, where)],
  WordPiece: (record, where) => {
    const prefix = textField(record, 'prefix', where, '##')
    const cleans = flagField(record, 'cleanup', where, true)
    return [tokens(mapped((token, at) => wordPiece(token, at, prefix, cleans)))]
  },
}

/**
 * The decoder of a record of tokenizer.json: opens a chain of stages in front of a sink.
 * @throws FormatError for a kind that is not supported
 */
export function decoderOf(record: JsonRecord | null, where: string): Stage {
  // Without decoder, spaces go between tokens.
  if (record === null) return mapped((token, at) => (at === 0 ? token : ` ${token}`))
  const steps = partOf(record, 'decoder', where, DECODERS)
  return (sink) => {
    let next = sink
    for (let at = steps.length - 1; at >= 0; at--) {
      next = steps[at]!.open(
        next,
        steps.slice(0, at).some((step) => step.fuses),
      )
    }
    return next
  }
}

/** A stage that expects whole tokens: after a stage that makes one token of all, it waits for the end. */
function tokens(stage: Stage): Step {
  return { open: (next, isFused) => (isFused ? whole(stage(next)) : stage(next)), fuses: false }
}

function whole(next: Sink): Sink {
  const parts: string[] = []
  return {
    push: (text) => void parts.push(text),
    end: () => {
      next.push(parts.join(''))
      next.end()
    },
  }
}

/** A stage that changes each token by itself. @param change gets the token, and how many came before it */
function mapped(change: (token: string, at: number) => string): Stage {
  return (next) => {
    let at = 0
    return { push: (token) => next.push(change(token, at++)), end: next.end }
  }
}

function byteLevel(next: Sink): Sink {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const emit = (text: string): void => {
    if (text !== '') next.push(text)
  }
  return {
    push: (token) => emit(decoder.decode(tokenBytes(token), { stream: true })),
    end: () => {
      emit(decoder.decode())
      next.end()
    },
  }
}

/**
 * Tokens `<0x…>` become characters. If the bytes in a row are no valid UTF-8, each becomes U+FFFD, also those of valid characters before
 * the error, so a run of bytes is held back until it ends.
 */
function byteFallback(next: Sink): Sink {
  const run: number[] = []
  const flush = (): void => {
    if (run.length === 0) return
    try {
      next.push(decodeUtf8(Uint8Array.from(run)))
    } catch {
      for (let i = 0; i < run.length; i++) next.push('\ufffd')
    }
    run.length = 0
  }
  return {
    push: (token) => {
      if (/^<0x[\dA-Fa-f]{2}>$/.test(token)) {
        run.push(Number.parseInt(token.slice(3, 5), 16))
      } else {
        flush()
        next.push(token)
      }
    },
    end: () => {
      flush()
      next.end()
    },
  }
}

/** The suffix of words becomes a space, but not in the last token. */
function endOfWord(suffix: string): Stage {
  return (next) => {
    let last: string | null = null
    return {
      push: (token) => {
        if (last !== null) next.push(last.replaceAll(suffix, ' '))
        last = token
      },
      end: () => {
        if (last !== null) next.push(last.replaceAll(suffix, ''))
        next.end()
      },
    }
  }
}

/** Connectionist temporal classification: equal tokens in a row are one. */
function ctc(record: JsonRecord, where: string): Stage {
  const pad = textField(record, 'pad_token', where, '<pad>')
  const delimiter = textField(record, 'word_delimiter_token', where, '|')
  const cleans = flagField(record, 'cleanup', where, true)
  return (next) => {
    let last: string | null = null
    return {
      push: (token) => {
        if (token === last) return
        last = token
        const text = token.replaceAll(pad, '')
        const shown = cleans ? cleanUp(text).replaceAll(delimiter, ' ') : text
        if (shown !== '') next.push(shown)
      },
      end: next.end,
    }
  }
}

function strip(record: JsonRecord, where: string): Step {
  const content = textField(record, 'content', where)
  const start = countField(record, 'start', where, 0)
  const stop = countField(record, 'stop', where, 0)
  if ([...content].length !== 1) throw new FormatError(`${where}: 'content' must be one character`)
  const stripped = (token: string): string => withoutEnd(withoutStart(token, content, start).rest, content, stop)
  return {
    open: (next, isFused) => {
      if (isFused && stop === 0) return strippedStart(next, content, start)
      return isFused ? whole(mapped(stripped)(next)) : mapped(stripped)(next)
    },
    fuses: false,
  }
}

/** Strips the start of one token that comes in parts. */
function strippedStart(next: Sink, content: string, start: number): Sink {
  let left = start
  return {
    push: (text) => {
      const { rest, count } = withoutStart(text, content, left)
      left = rest === '' ? left - count : 0
      if (rest !== '') next.push(rest)
    },
    end: next.end,
  }
}

/** A text without the first characters that are `content`, at most `most`, and how many these were. */
function withoutStart(text: string, content: string, most: number): { readonly rest: string; readonly count: number } {
  let count = 0
  while (count < most && text.startsWith(content, count * content.length)) count++
  return { rest: text.slice(count * content.length), count }
}

function withoutEnd(text: string, content: string, most: number): string {
  let result = text
  for (let i = 0; i < most && result.endsWith(content); i++) result = result.slice(0, -content.length)
  return result
}

function wordPiece(token: string, at: number, prefix: string, cleans: boolean): string {
  let text = token
  if (at > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
  return cleans ? cleanUp(text) : text
}

/** Removes spaces in front of punctuation and endings of English words. */
function cleanUp(text: string): string {
  return cleanUpText(text, true)
}

/** @param shortens whether "do not" becomes "don't", which decoders do and transformers does not */
function cleanUpText(text: string, shortens: boolean): string {
  const begun = text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
  const shortened = shortens ? begun.replaceAll(' do not', " don't") : begun
  return shortened.replaceAll(" 's", "'s").replaceAll(" 've", "'ve").replaceAll(" 're", "'re")
}

/**
 * The stage for `clean_up_tokenization_spaces` of transformers, which removes spaces in the whole text. It cuts the text at its last
 * space over which no removal reaches: one that is followed by a letter other than n, or by a digit, and that no space or apostrophe
 * precedes.
 */
export function cleanedUp(next: Sink): Sink {
  let held = ''
  return {
    push: (text) => {
      held += text
      const cut = lastCut(held)
      if (cut <= 0) return
      next.push(cleanUpText(held.slice(0, cut), false))
      held = held.slice(cut)
    },
    end: () => {
      if (held !== '') next.push(cleanUpText(held, false))
      next.end()
    },
  }
}

function lastCut(text: string): number {
  for (let at = text.lastIndexOf(' '); at > 0; at = text.lastIndexOf(' ', at - 1)) {
    if (/[^' ] [\p{L}\p{N}]/u.test(text.slice(at - 1, at + 3)) && text[at + 1] !== 'n') return at
  }
  return -1
}
