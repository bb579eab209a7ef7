// Cuts chunks of bytes into blocks of whole lines: a chunk ends anywhere, a block ends after a line. A line end inside
// quotes does not end a line. Only a chunk and a line are in memory. The content of the lines does not matter here.

import { strictDecoder, type StrictDecoder } from '../../core/text'
import { ArgumentError, DataError, RowError } from '../../core/errors'
import { closing } from '../cursors'
import { after, until, type Soon } from '../../core/soon'
import { END, skipByTaking, type Cursor } from '../samples/source'
import { joined, requireData, type NamedBytes } from './bytes'
import { survey } from './csv/kernel'

/** Some lines, the last one with its line end, unless the file ends without one. */
export class Lines {
  private whole: Uint8Array | null = null

  constructor(
    /** The bytes, in the pieces in which they arrived. */
    readonly parts: readonly Uint8Array[],
    /** The number of its first line, counted from 1. */
    readonly line: number,
    /** Whether it contains a quote. */
    readonly isQuoted: boolean,
  ) {}

  /** The number of bytes. */
  get size(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0)
  }

  /** The bytes as one array. */
  get bytes(): Uint8Array {
    return (this.whole ??= joined(this.parts))
  }
}

export interface Quoting {
  readonly quote: number
  readonly delimiter: number
}

export const LINE_FEED = 10
export const CARRIAGE_RETURN = 13
/** A longer row is an error, so that an unclosed quote does not fill the memory. */
const LONGEST_ROW = 1 << 24
const TOO_LONG = `a row must be at most ${LONGEST_ROW} bytes long`
const MARK = [0xef, 0xbb, 0xbf]

/** The blocks of a pass over bytes. */
export function blocks({ name, chunks, markup }: NamedBytes, pass: number, quoting: Quoting | null): Cursor<Lines> {
  const from = chunks.open(pass)
  const cutter = new Cutter(name, quoting)
  let [hasBegun, hasEnded] = [false, false]
  let last: Uint8Array | typeof END = END
  const next = (): Soon<Lines | typeof END> => {
    let block: Lines | null = null
    const found = until(
      () =>
        block !== null ||
        hasEnded ||
        after(from.next(), (chunk) => {
          hasEnded = chunk === END
          if (!hasBegun && chunk !== END && chunk.length > 0) {
            hasBegun = true
            requireData(chunk, name, markup)
          }
          block = chunk === END ? cutter.end() : cutter.push(chunk)
          last = chunk
          return false
        }),
    )
    return after(found, () => block ?? END)
  }
  // Only the block of a chunk is kept.
  const recycle = (block: Lines): void => {
    if (last !== END && block.parts.at(-1)?.buffer === last.buffer) from.recycle?.(last)
  }
  return closing({ next, skip: (count) => skipByTaking({ next }, count), close: () => from.close(), recycle })
}

/** The rows of a block, each as a block with its line number. */
export function* linesOf({ bytes, line }: Pick<Lines, 'bytes' | 'line'>, quoting: Quoting): Generator<Lines> {
  const cutter = new Cutter('', quoting, line)
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    to = bytes.indexOf(LINE_FEED, from) + 1 || bytes.length
    const row = cutter.push(bytes.subarray(from, to)) ?? (to === bytes.length ? cutter.end() : null)
    if (row !== null) yield row
  }
}

class Cutter {
  /** Memory for the rest, which doubles if it is too small, so that many small chunks are not copied again and again. */
  private memory: Uint8Array = new Uint8Array(0)
  /** The bytes after the last row end, at the start of the memory. They begin with a row. */
  private rest: Uint8Array = this.memory
  /** Whether the rest contains a quote. */
  private mayQuote = false
  /** How much of the rest was searched. */
  private seen = 0
  private isFirst: boolean
  /** The position of an open quote in the rest; −1 if there is none. */
  private opened = -1

  constructor(
    private readonly name: string,
    private readonly quoting: Quoting | null,
    private line = 1,
  ) {
    // Only a file's first bytes can be a byte order mark.
    this.isFirst = line === 1
  }

  push(chunk: Uint8Array): Lines | null {
    const found = this.isFirst || this.mayQuote ? null : survey(chunk, this.quoting?.quote ?? LINE_FEED)
    const chunkEnd = found === null || (this.quoting !== null && found.isQuoted) ? 0 : chunk.lastIndexOf(LINE_FEED) + 1
    if (chunkEnd > 0) return this.cutChunk(chunk, chunkEnd, found!.lines)
    this.append(chunk)
    // Three bytes decide whether there is a byte order mark.
    if (this.isFirst && this.rest.length < MARK.length) return null
    if (this.isFirst) this.dropMark()
    const end = this.lastEnd()
    if (end > 0) return this.cut(end)
    if (this.rest.length > LONGEST_ROW)
      throw this.opened < 0
        ? this.wrong(TOO_LONG, 0)
        : this.unclosed(`a quote is opened and not closed, or ${TOO_LONG}`)
    return null
  }

  private append(chunk: Uint8Array): void {
    const { rest, quoting } = this
    const size = rest.length + chunk.length
    this.mayQuote ||= quoting !== null && chunk.includes(quoting.quote)
    if (rest.length === 0) this.memory = chunk
    else {
      if (size > this.memory.length) {
        this.memory = new Uint8Array(2 * size)
        this.memory.set(rest)
      }
      this.memory.set(chunk, rest.length)
    }
    this.rest = this.memory.subarray(0, size)
  }

  private keep(rest: Uint8Array): void {
    this.memory = rest
    this.rest = rest
    this.mayQuote = this.quoting !== null && rest.includes(this.quoting.quote)
  }

  /** Cuts after the last line of a chunk without quotes. */
  private cutChunk(chunk: Uint8Array, end: number, lines: number): Lines {
    const block = new Lines([this.rest, chunk.subarray(0, end)], this.line, false)
    this.keep(chunk.slice(end))
    this.seen = this.rest.length
    this.line += lines
    return block
  }

  end(): Lines | null {
    if (this.isFirst) this.dropMark()
    if (this.lastEnd(true) < 0) throw this.unclosed('a quote is opened and not closed')
    return this.rest.length === 0 ? null : this.cut(this.rest.length)
  }

  private dropMark(): void {
    this.isFirst = false
    const [first, second] = this.rest
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
      throw new DataError(`${this.name} is UTF-16. Store it as UTF-8 first.`)
    if (MARK.every((byte, i) => this.rest[i] === byte)) this.keep(this.rest.subarray(MARK.length))
  }

  private cut(end: number): Lines {
    const { rest, line, quoting } = this
    const bytes = rest.subarray(0, end)
    this.keep(rest.slice(end))
    this.seen = Math.max(0, this.seen - end)
    this.opened = this.opened < 0 ? -1 : this.opened - end
    this.line += lineEnds(bytes)
    return new Lines([bytes], line, quoting !== null && bytes.includes(quoting.quote))
  }

  /** The position after the last line end outside of quotes, or 0; at the end of the file −1 if a quote is open. */
  private lastEnd(isEnd = false): number {
    const { rest, quoting } = this
    if (quoting === null) {
      const from = this.seen
      this.seen = rest.length
      return lastEndIn(rest, from, rest.length)
    }
    let end = 0
    for (;;) {
      const at = rest.indexOf(quoting.quote, this.seen)
      if (this.opened >= 0) {
        // The next byte decides whether the quote is doubled.
        if (at < 0 || (at === rest.length - 1 && !isEnd)) {
          this.seen = at < 0 ? rest.length : at
          return isEnd ? -1 : end
        }
        const isDoubled = rest[at + 1] === quoting.quote
        this.seen = at + (isDoubled ? 2 : 1)
        if (!isDoubled) this.opened = -1
      } else {
        const plain = at < 0 ? rest.length : at
        end = lastEndIn(rest, this.seen, plain) || end
        if (at < 0) {
          this.seen = rest.length
          return end
        }
        if (at === 0 || rest[at - 1] === LINE_FEED || rest[at - 1] === quoting.delimiter) this.opened = at
        this.seen = at + 1
      }
    }
  }

  private unclosed(message: string): RowError {
    return this.wrong(message, lineEnds(this.rest.subarray(0, this.opened)))
  }

  private wrong(message: string, lines: number): RowError {
    return new RowError(message, this.name, this.line + lines)
  }
}

/** The position after the last line end from `from` to `to`; 0 if there is none. */
function lastEndIn(bytes: Uint8Array, from: number, to: number): number {
  const at = bytes.subarray(from, to).lastIndexOf(LINE_FEED)
  return at < 0 ? 0 : from + at + 1
}

/** The number of line ends in some bytes. */
export function lineEnds(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** A decoder of lines. @throws ArgumentError for an encoding whose line ends are not one byte */
export function lineDecoder(name: string, encoding: string): Decoder {
  const decoder = new Decoder(name, encoding)
  if (decoder.isWide)
    throw new ArgumentError(`encoding: lines of '${encoding}' cannot be separated. Store the text as UTF-8 first.`)
  return decoder
}

/** Decodes bytes strictly: invalid text is an error that names the line. */
export class Decoder {
  private readonly decoder: StrictDecoder

  constructor(
    private readonly name: string,
    private readonly encoding: string,
  ) {
    try {
      this.decoder = strictDecoder(encoding)
    } catch {
      throw new ArgumentError(
        `encoding: this engine does not know '${encoding}'. Examples: 'utf-8', 'windows-1252', 'iso-8859-2'`,
      )
    }
  }

  /** Whether characters have two bytes or more, so that the byte of a line feed does not end a line. */
  get isWide(): boolean {
    return this.decoder.encoding.startsWith('utf-16')
  }

  decode(bytes: Uint8Array, line: number): string {
    try {
      return this.decoder.decode(bytes)
    } catch (error) {
      // Other errors than those for wrong bytes mean that the text exceeds the maximum length of the engine's strings.
      const isWrong = error instanceof Error && /^(?:TypeError|URIError)$/.test(error.name)
      throw new RowError(
        isWrong
          ? `this is not ${this.encoding}. Does the file have another encoding?`
          : `a text of ${bytes.length} bytes is longer than this engine's strings can be. readText reads it by lines`,
        this.name,
        isWrong ? line + this.firstWrong(bytes) : line,
      )
    }
  }

  /** The lines of a block without their ends. */
  *lines({ bytes, line }: Pick<Lines, 'bytes' | 'line'>): Generator<{ text: string; line: number }> {
    const lines = this.decode(bytes, line).split('\n')
    const count = bytes.at(-1) === LINE_FEED ? lines.length - 1 : lines.length
    for (let i = 0; i < count; i++)
      yield { text: lines[i]!.endsWith('\r') ? lines[i]!.slice(0, -1) : lines[i]!, line: line + i }
  }

  private firstWrong(bytes: Uint8Array): number {
    for (let line = 0, from = 0; ; line++) {
      const end = bytes.indexOf(LINE_FEED, from)
      try {
        this.decoder.decode(bytes.subarray(from, end < 0 ? bytes.length : end))
      } catch {
        return line
      }
      if (end < 0) return line
      from = end + 1
    }
  }
}
