// Patterns of tokenizer.json: strings, and regular expressions of Oniguruma as RegExp.

import { SplitPreTokenizer } from '@huggingface/tokenizers'
import { FormatError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'
import { isRecord, valueAt, type JsonRecord } from '../../files/containers/json'

/** The global RegExp of `{ String: … }` or `{ Regex: … }`. @throws FormatError for others, and for expressions that RegExp lacks */
export function patternOf(record: JsonRecord, where: string): RegExp {
  const pattern: Json | undefined = valueAt(record, 'pattern')
  const text = isRecord(pattern) ? valueAt(pattern, 'String') : pattern
  if (typeof text === 'string') return literalPattern(text)
  const source = isRecord(pattern) ? valueAt(pattern, 'Regex') : undefined
  if (typeof source === 'string') return expression(source, where)
  throw new FormatError(`${where}: 'pattern' must be { String } or { Regex }, received ${quoted(pattern)}`)
}

/** Finds a text; '' is found nowhere. */
export function literalPattern(text: string): RegExp {
  return new RegExp(text === '' ? '[]' : text.replace(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`), 'gu')
}

function expression(source: string, where: string): RegExp {
  // RegExp backtracks, so such an expression of a file could take exponential time.
  if (repeatsRepeats(source)) {
    throw new FormatError(`${where}: the pattern ${quoted(source)} repeats a group that repeats without limit`)
  }
  try {
    const split = new SplitPreTokenizer({
      type: 'Split',
      pattern: { Regex: foldedLetters(source) },
      invert: false,
      behavior: 'Isolated',
    })
    if (split.pattern !== null) return split.pattern
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new FormatError(`${where}: the pattern ${quoted(source)} is not supported: ${error.message}`)
  }
  throw new FormatError(`${where}: the pattern ${quoted(source)} is not supported`)
}

/**
 * Adds ſ (U+017F) to s and K (U+212A) to k where a group ignores case, `(?i:…)`: Oniguruma takes these letters as equal, and the
 * package's translation folds only ASCII.
 */
function foldedLetters(source: string): string {
  return source.replace(/\(\?i:(?:\\.|\[(?:\\.|[^\]])*\]|[^()[\\])*\)/gs, (group) =>
    group.replace(/\\.|\[(?:\\.|[^\]])*\]|[sSkK]/gs, (part) => {
      if (part.startsWith('\\')) return part
      if (part.startsWith('[')) return part.replace(/\\.|[sSkK]/gs, (each) => each + (KIN[each] ?? ''))
      return `[${part}${KIN[part]!}]`
    }),
  )
}

const KIN: Readonly<Record<string, string>> = { s: '\u017f', S: '\u017f', k: '\u212a', K: '\u212a' }

/** Whether a group that has a repeat without upper limit is itself repeated without one, as in `(a+)*`. */
function repeatsRepeats(source: string): boolean {
  /** Whether each open group has such a repeat. */
  const open: boolean[] = [false]
  /** Whether the part before is a group with such a repeat. */
  let repeats = false
  for (const [part] of source.matchAll(/\\.|\[(?:\\.|[^\]])*\]|\{\d+,\}|./gs)) {
    const isRepeat = part === '*' || part === '+' || (part.length > 2 && part.startsWith('{'))
    if (isRepeat && repeats) return true
    if (isRepeat) open[open.length - 1] = true
    else if (part === '(') open.push(false)
    repeats = part === ')' && (open.pop() ?? false)
    if (repeats) open[open.length - 1] = true
  }
  return false
}

/** What becomes of the parts of a text that a pattern matches. */
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'
const BEHAVIORS: readonly string[] = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] satisfies Behavior[]

function isBehavior(value: string): value is Behavior {
  return BEHAVIORS.includes(value)
}

export function behaviorOf(value: string, where: string): Behavior {
  if (isBehavior(value)) return value
  throw new FormatError(`${where}: the behavior '${value}' is not supported. Supported are ${BEHAVIORS.join(', ')}`)
}

/** A part of a text, and whether the pattern matches it. */
interface Span {
  begin: number
  end: number
  readonly isMatch: boolean
}

/**
 * Splits a text at the matches of a pattern, as `NormalizedString::split` of Python's tokenizers.
 * @param pattern a global expression
 * @param isInverted whether the parts between the matches count as matches
 */
export function splitText(text: string, pattern: RegExp, behavior: Behavior, isInverted = false): string[] {
  if (behavior === 'Isolated' || (behavior === 'Removed' && isInverted)) {
    // Most expressions match the whole text, part by part. The engine lists these parts faster than a loop here.
    const matches = text.match(pattern) ?? []
    let length = 0
    for (const match of matches) length += match.length
    if (length === text.length || behavior === 'Removed') return withoutEmpty(matches)
  }
  const spans = spansOf(text, pattern, isInverted)
  return withoutEmpty(merged(spans, behavior).map(({ begin, end }) => text.slice(begin, end)))
}

function withoutEmpty(texts: string[]): string[] {
  return texts.includes('') ? texts.filter((each) => each !== '') : texts
}

function spansOf(text: string, pattern: RegExp, isInverted: boolean): Span[] {
  const spans: Span[] = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const { index } = match
    if (index > end) spans.push({ begin: end, end: index, isMatch: isInverted })
    end = index + match[0].length
    spans.push({ begin: index, end, isMatch: !isInverted })
  }
  if (end < text.length) spans.push({ begin: end, end: text.length, isMatch: isInverted })
  return spans
}

function merged(spans: Span[], behavior: Behavior): readonly Span[] {
  switch (behavior) {
    case 'Isolated':
      return spans
    case 'Removed':
      return spans.filter((span) => !span.isMatch)
    case 'MergedWithNext':
      return joined(spans.reverse(), (span, before) => span.isMatch && !before).reverse()
    case 'MergedWithPrevious':
      return joined(spans, (span, before) => span.isMatch && !before)
    case 'Contiguous':
      return joined(spans, (span, before) => span.isMatch === before)
  }
}

/** Joins each span to the one before it if `joins` says so; it gets whether the one before is a match, false for the first. */
function joined(spans: readonly Span[], joins: (span: Span, before: boolean) => boolean): Span[] {
  const result: Span[] = []
  let before = false
  for (const span of spans) {
    const last = result.at(-1)
    if (last !== undefined && joins(span, before)) {
      last.begin = Math.min(last.begin, span.begin)
      last.end = Math.max(last.end, span.end)
    } else {
      result.push({ ...span })
    }
    before = span.isMatch
  }
  return result
}
