// A line of a terminal that is rewritten. It never takes two rows, and it erases the rest of a longer line.

import { painted } from './terminal'

/** The part of a stream that is used: `process.stdout`. */
export interface TerminalStream {
  readonly columns?: number
  write(text: string): unknown
}

/** What a terminal can do. Functions, because programs may change the environment. */
export interface TerminalStyle {
  hasColours(): boolean
  /** Whether it shows ASCII and line ends only. */
  isDumb(): boolean
}
/** Known without variables of the environment. */
export const PLAIN: TerminalStyle = { hasColours: () => false, isDumb: () => false }

/** The columns of a terminal whose width is unknown. */
const USUAL = 80
const BAR = 20
const [CYAN, GREY, YELLOW] = [36, 90, 33]

/** Characters that take two columns (East Asian Width W and F, and emoji), and characters that take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const EMPTY =
  /[\u0300-\u036f]|[\u0483-\u0489]|[\u0591-\u05bd]|[\u064b-\u065f]|\u0e31|[\u0e34-\u0e3a]|[\u0e47-\u0e4e]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u200b-\u200f]|[\u20d0-\u20ff]|[\ufe00-\ufe0f]|[\ufe20-\ufe2f]/

function widthOfCharacter(character: string): number {
  if (WIDE.test(character)) return 2
  return EMPTY.test(character) ? 0 : 1
}

/** The number of columns of a text. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

/** The text, or its start and `…`. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let [start, width] = ['', 0]
  for (const character of text) {
    width += widthOfCharacter(character)
    if (width > columns - 1) break
    start += character
  }
  return columns < 1 ? '' : `${start}…`
}

/** `━━━━──────`; a share from 0 to 1. */
export function bar(share: number, width = BAR): string {
  const filled = Math.round(width * Math.min(1, share))
  return '━'.repeat(filled) + '─'.repeat(width - filled)
}

export class LiveLine {
  private width = 0

  constructor(
    private readonly out: TerminalStream,
    private readonly style: TerminalStyle = PLAIN,
  ) {}

  /** One less than the terminal has, since some begin a new row after the last column. */
  get columns(): number {
    return (this.out.columns || USUAL) - 1
  }

  /**
   * Shows the first text that fits, or the start of the last.
   * @param texts from the longest to the shortest
   */
  rewrite(texts: readonly string[]): void {
    const { columns } = this
    const text = texts.find((each) => widthOf(each) <= columns) ?? cutTo(texts.at(-1) ?? '', columns)
    this.show(text)
  }

  /** Shows a text for good: the first that fits, or the last in as many rows as it takes, divided at ` - `. */
  end(texts: readonly string[]): void {
    const { columns } = this
    const text = texts.find((each) => widthOf(each) <= columns)
    const rows = text === undefined ? rowsOf(texts.at(-1) ?? '', columns) : [text]
    for (const row of rows) {
      this.show(row)
      this.out.write('\n')
      this.width = 0
    }
  }

  private show(text: string): void {
    const width = widthOf(text)
    // A dumb terminal cannot erase.
    const rest = this.style.isDumb() ? ' '.repeat(Math.max(0, Math.min(this.width, this.columns) - width)) : '\u001b[K'
    this.width = width
    this.out.write(`\r${this.style.hasColours() ? coloured(text) : text}${rest}`)
  }
}

function rowsOf(text: string, columns: number): readonly string[] {
  const [first = '', ...parts] = text.split(/(?= - )/)
  const rows = [first]
  for (const part of parts) {
    if (widthOf(rows.at(-1)! + part) <= columns) rows.push(rows.pop()! + part)
    else rows.push(` ${part}`)
  }
  return rows.map((row) => cutTo(row, columns))
}

function coloured(line: string): string {
  return line
    .replace(/━+/, (each) => painted(each, CYAN, true))
    .replace(/─+/, (each) => painted(each, GREY, true))
    .replace(/[▁▂▃▄▅▆▇█]+/, (each) => painted(each, YELLOW, true))
}
