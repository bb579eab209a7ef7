// Splits text into rows of cells, as RFC 4180 defines them. Knows no columns.

/** Faults of quotes. */
export const UNCLOSED = 'a quote is opened and not closed'
const MISPLACED = 'characters follow the quote that ends a cell'
/** The fault of a carriage return that is not before a line feed. */
export const LONE_RETURN =
  'a carriage return inside a line ends no row. Save the file with line feeds first, or quote the cell'

export interface Cells {
  readonly rows: readonly string[][]
  /** The rows that have one empty cell in quotes, and so are not empty lines. */
  readonly quotedEmpty: ReadonlySet<number>
  /** The first wrong quote or carriage return, after which nothing is split; null if there is none. */
  readonly fault: string | null
}

/**
 * The rows of a text whose lines end in \n. Carriage returns before a line end are left out. A line end at the end of the text starts
 * another row, which has one empty cell.
 * @param isQuoted whether cells may be quoted; otherwise a quote is an ordinary character
 */
export function cellsOf(text: string, delimiter: string, isQuoted: boolean): Cells {
  const quotedEmpty = new Set<number>()
  const rows: string[][] = [[]]
  const hasReturn = text.includes('\r')
  if (!isQuoted && !hasReturn)
    return { rows: text.split('\n').map((line) => line.split(delimiter)), quotedEmpty, fault: null }
  for (let at = 0; ; at++) {
    let end = at
    let cell = ''
    if (isQuoted && text[at] === '"') {
      const close = closingQuote(text, at)
      if (close < 0) return { rows, quotedEmpty, fault: UNCLOSED }
      cell = singleQuotes(text.slice(at + 1, close))
      end = close + 1
      while (isSpace(text[end], delimiter)) end++
      if (!endsCell(text[end], delimiter)) return { rows, quotedEmpty, fault: MISPLACED }
    } else {
      while (!endsCell(text[end], delimiter)) end++
      cell = text.slice(at, end)
      if (hasReturn && cell.includes('\r')) {
        if (text[end] !== '\n' && end < text.length) return { rows, quotedEmpty, fault: LONE_RETURN }
        cell = withoutReturns(cell)
        if (cell.includes('\r')) return { rows, quotedEmpty, fault: LONE_RETURN }
      }
    }
    if (end > at && cell === '' && text[at] === '"' && rows.at(-1)!.length === 0) quotedEmpty.add(rows.length - 1)
    rows.at(-1)!.push(cell)
    if (end === text.length) return { rows, quotedEmpty, fault: null }
    if (text[end] === '\n') rows.push([])
    at = end
  }
}

function withoutReturns(cell: string): string {
  let end = cell.length
  while (cell[end - 1] === '\r') end--
  return cell.slice(0, end)
}

/** The position of the quote that ends the cell of the quote at `open`; −1 if there is none. Two quotes are one character. */
function closingQuote(text: string, open: number): number {
  let at = text.indexOf('"', open + 1)
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

/** A text with \n for \r\n, except inside quotes, which start at the start of a cell. */
export function unifiedEnds(text: string, delimiter: string): string {
  if (!text.includes('\r\n')) return text
  const parts: string[] = []
  let begin = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      const close = closingQuote(text, at)
      if (close >= 0) at = close + 1
    }
    while (!endsCell(text[at], delimiter)) at++
    if (text[at] !== '\n' || text[at - 1] !== '\r') continue
    parts.push(text.slice(begin, at - 1))
    begin = at
  }
  return parts.join('') + text.slice(begin)
}

/** The number of characters of one replacement. An engine stores the place of every match of one, and millions exceed its memory. */
const AT_ONCE = 2 ** 16

/** A cell with one quote for each two. */
function singleQuotes(cell: string): string {
  if (cell.length <= AT_ONCE) return cell.replaceAll('""', '"')
  const parts: string[] = []
  for (let begin = 0; begin < cell.length;) {
    // Quotes in a cell come in pairs, so a part that ends within a pair has an odd number of them at its end.
    let end = Math.min(begin + AT_ONCE, cell.length)
    let quotes = 0
    while (end - quotes > begin && cell[end - quotes - 1] === '"') quotes++
    if (quotes % 2 === 1) end--
    parts.push(cell.slice(begin, end).replaceAll('""', '"'))
    begin = end
  }
  return parts.join('')
}

/** Spaces between a quoted cell and its end are left out. */
function isSpace(character: string | undefined, delimiter: string): boolean {
  return !endsCell(character, delimiter) && /\s/.test(character!)
}

function endsCell(character: string | undefined, delimiter: string): boolean {
  return character === undefined || character === delimiter || character === '\n'
}
