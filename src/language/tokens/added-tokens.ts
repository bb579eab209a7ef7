// Tokens that are found in a text before it is split into words, such as <|endoftext|>.

import { FormatError } from '../../core/errors'
import { isRecord, itemsOf, valueAt, type JsonRecord } from '../../files/containers/json'
import { LEADING_SPACE, WORD } from './characters'
import { countField, flagField, textField } from './fields'
import type { Normalizer } from './normalizers'
import { endSpaceOf } from './spaces'
import { ROOT, Trie } from './trie'
import { MOST_TOKENS } from './vocabulary'

/** A record of `added_tokens`. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Whether `decode` may leave it out. */
  readonly isSpecial: boolean
  /** Whether it is found in the normalized text. */
  readonly isNormalized: boolean
  /** Whether it is found only where no letters or digits are beside it. */
  readonly isWord: boolean
  /** Whether it takes the whitespace before it. */
  readonly takesLeft: boolean
  /** Whether it takes the whitespace behind it. */
  readonly takesRight: boolean
}

/** A part of a text: an added token, or text without any. */
export interface Section {
  /** The id of the added token; -1 for text. */
  readonly id: number
  readonly text: string
  /** Whether the text of the user begins here. */
  readonly isFirst: boolean
}

export function addedTokensOf(record: JsonRecord, where: string): AddedToken[] {
  return itemsOf(valueAt(record, 'added_tokens')).flatMap((each) => {
    if (!isRecord(each)) throw new FormatError(`${where}: 'added_tokens' must be a list of objects`)
    const isSpecial = flagField(each, 'special', where, false)
    const id = countField(each, 'id', where)
    if (id > MOST_TOKENS) throw new FormatError(`${where}: the id ${id} of an added token is above ${MOST_TOKENS}`)
    const content = textField(each, 'content', where)
    if (content === '') return []
    return {
      id,
      content,
      isSpecial,
      isNormalized: flagField(each, 'normalized', where, !isSpecial),
      isWord: flagField(each, 'single_word', where, false),
      takesLeft: flagField(each, 'lstrip', where, false),
      takesRight: flagField(each, 'rstrip', where, false),
    }
  })
}

/** Finds added tokens: the leftmost, and of several at one place the longest. */
export class Finder {
  private readonly trie = new Trie()
  /** Whether a token begins with a unit. */
  private readonly begins = new Uint8Array(0x10000)
  private readonly tokens: AddedToken[] = []

  /** @param normalize is applied to the tokens */
  constructor(tokens: readonly AddedToken[], normalize: Normalizer = (text) => text) {
    // Of tokens with equal contents, Python's tokenizers find a special one.
    for (const token of [...tokens.filter((each) => each.isSpecial), ...tokens.filter((each) => !each.isSpecial)]) {
      const content = normalize(token.content)
      if (content === '') continue
      this.begins[content.charCodeAt(0)] = 1
      this.trie.add(content, this.tokens.length)
      this.tokens.push(token)
    }
  }

  /** The sections of a text. */
  split(text: string, isFirst: boolean): Section[] {
    if (text === '') return []
    if (this.tokens.length === 0) return [{ id: -1, text, isFirst }]
    const sections: Section[] = []
    let done = 0
    for (let at = 0; at < text.length;) {
      const end = this.begins[text.charCodeAt(at)] === 0 ? -1 : this.matchAt(text, at)
      if (end < 0) {
        at++
        continue
      }
      const token = this.found!
      if (!token.isWord || isAlone(text, at, end)) {
        const begin = token.takesLeft ? Math.max(endSpaceOf(text.slice(0, at)), done) : at
        if (begin > done) sections.push({ id: -1, text: text.slice(done, begin), isFirst: isFirst && done === 0 })
        sections.push({ id: token.id, text: '', isFirst: false })
        done = end + (token.takesRight ? (LEADING_SPACE.exec(text.slice(end))?.[0].length ?? 0) : 0)
      }
      at = end
    }
    if (done < text.length) sections.push({ id: -1, text: text.slice(done), isFirst: isFirst && done === 0 })
    return sections
  }

  /** The token that `matchAt` found last. */
  private found: AddedToken | null = null

  /** The end of the longest token that begins at an index, or -1. */
  private matchAt(text: string, begin: number): number {
    let end = -1
    let node = ROOT
    for (let at = begin; at < text.length;) {
      node = this.trie.step(node, text.charCodeAt(at++))
      if (node === ROOT) break
      const value = this.trie.valueOf(node)
      if (value < 0) continue
      end = at
      this.found = this.tokens[value]!
    }
    return end
  }
}

const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u')
const BEGINS_WITH_WORD = new RegExp(`^${WORD}`, 'u')

/** Whether no letters or digits are beside a part of a text. A character has at most two units. */
function isAlone(text: string, begin: number, end: number): boolean {
  return (
    !ENDS_WITH_WORD.test(text.slice(Math.max(0, begin - 2), begin)) && !BEGINS_WITH_WORD.test(text.slice(end, end + 2))
  )
}
