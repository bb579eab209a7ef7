// A CSV file as rows of numbers. Each column is encoded as `tableModel` proposes.

import { counted } from '../model/words'
import { describeTable, readCsv } from 'myelin/data'
import type { Form, Task } from '../data/form'
import { divided } from '../data/split'
import type { UserFiles, Prepared } from './protocol'

/** The largest number of categories of a column. The pictures of this page have no room for more, or for texts. */
const MOST_CATEGORIES = 50
const DAY = 86_400_000
const MISSING = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?'])

type Cell = string | number | null
type Row = Readonly<Record<string, Cell>>
type Proposed = Awaited<ReturnType<typeof describeTable>>['columns'][number]

export async function tableOf({ text, name, target }: NonNullable<UserFiles['table']>): Promise<Prepared> {
  const { names, rows } = await readTable(text, name)
  const targets = names.filter((each) => new Set(rows.map((row) => row[each]).filter((cell) => cell !== null)).size > 1)
  const chosen = target ?? targets.at(-1)
  if (chosen === undefined) throw new Error(`${name}: no column can be predicted`)
  const known = rows.filter((row) => row[chosen] !== null)
  const proposal = await describeTable(known, { target: chosen })

  const { classes } = proposal.target
  const task: Task =
    classes === null ? { kind: 'number', name: chosen } : { kind: 'classes', names: classes.map(String) }
  const y = Float32Array.from(known, (row) => {
    const value = row[chosen]!
    return classes === null ? Number(value) : classes.indexOf(value)
  })
  const features = proposal.columns.flatMap((column) =>
    featuresOf(
      column,
      known.map((row) => row[column.name] ?? null),
    ),
  )
  if (features.length === 0) throw new Error(`${name}: no column is left to predict ${chosen} from`)
  const width = features.length
  const at = (i: number): number => features[i % width]!.values[Math.floor(i / width)]!
  const x = Float32Array.from({ length: known.length * width }, (_, i) => at(i))
  const form: Omit<Form, 'trainRows' | 'testRows'> = {
    kind: 'table',
    task,
    inputShape: [width],
    columns: features.map((each) => each.name),
    scale: {
      mean: features.map(({ values }) => mean(values)),
      // A column that does not vary keeps its scale.
      variance: features.map(({ values }) => mean(values.map((each) => (each - mean(values)) ** 2)) || 1),
    },
  }
  const leftOut = rows.length - known.length
  return {
    data: divided(form, x, y),
    notes: [
      `${counted(known.length, 'row')}, ${counted(width, 'input')}, to predict ${chosen}.`,
      ...(leftOut === 0 ? [] : [`Left out without ${chosen}: ${counted(leftOut, 'row')}.`]),
    ],
    targets,
    columns: proposal.columns.map((column) => ({ name: column.name, text: wordsFor(column) })),
  }
}

/** The cells of a file whose first line has the names. A semicolon or a tab may separate them, and 1,5 is then a number. */
async function readTable(text: string, name: string): Promise<{ readonly names: string[]; readonly rows: Row[] }> {
  const [head = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)
  const delimiter = [',', ';', '\t'].sort((a, b) => head.split(b).length - head.split(a).length)[0]!
  const names = head.split(delimiter).map((each) => each.trim().replace(/^"(.*)"$/, '$1'))
  if (names.length < 2)
    throw new Error(`${name}: a table needs at least two columns, with their names in the first line`)
  const types = Object.fromEntries(names.map((each) => [each, 'string' as const]))
  const read = await readCsv({ text }, { delimiter, types, missingValues: [] }).toArray()
  const texts = read as readonly Record<string, string>[]
  const columns = names.map((each) =>
    cellsOf(
      texts.map((row) => row[each]!.trim()),
      delimiter !== ',',
    ),
  )
  return { names, rows: texts.map((_, i) => Object.fromEntries(names.map((each, at) => [each, columns[at]![i]!]))) }
}

/** The cells as numbers, if all of them are numbers. */
function cellsOf(texts: readonly string[], hasCommas: boolean): Cell[] {
  const numberOf = (text: string): number =>
    Number(hasCommas && /^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : text)
  const present = texts.filter((text) => !MISSING.has(text))
  const isNumeric = present.length > 0 && present.every((text) => Number.isFinite(numberOf(text)))
  return texts.map((text) => (MISSING.has(text) ? null : isNumeric ? numberOf(text) : text))
}

interface Feature {
  readonly name: string
  readonly values: readonly number[]
}

/** The inputs of a column; none if the column is left out. */
function featuresOf({ name, kind, missing, distinct }: Proposed, cells: readonly Cell[]): Feature[] {
  const isMissing = { name: `${name} is missing`, values: cells.map((cell) => Number(cell === null)) }
  const masks = missing === 'mask' ? [isMissing] : []
  switch (kind) {
    case 'number':
      return [{ name, values: withMean(cells.map((cell) => (cell === null ? null : Number(cell)))) }, ...masks]
    case 'date': {
      const times = cells.map((cell) => (cell === null ? null : new Date(cell)))
      const part = (of: (date: Date) => number): number[] =>
        withMean(times.map((each) => (each === null ? null : of(each))))
      return [
        { name: `${name}, day`, values: part((date) => date.getTime() / DAY) },
        { name: `${name}, month`, values: part((date) => date.getUTCMonth() + 1) },
        { name: `${name}, weekday`, values: part((date) => date.getUTCDay()) },
        ...masks,
      ]
    }
    case 'category':
    case 'embedding': {
      if (distinct > MOST_CATEGORIES) return []
      const words = [...new Set(cells)]
        .filter((cell) => cell !== null)
        .sort((a, b) => String(a).localeCompare(String(b), 'en', { numeric: true }))
      const shares = words.map((word) => ({
        name: `${name} = ${word}`,
        values: cells.map((cell) => Number(cell === word)),
      }))
      return [...shares, ...masks]
    }
    default:
      return []
  }
}

function wordsFor({ kind, missing, missingCount, distinct, note }: Proposed): string {
  const because = note === '' ? '' : `: ${note}`
  if (kind === 'ignore') return `left out${because}`
  if (kind === 'text') return 'left out: texts of several words'
  if (distinct > MOST_CATEGORIES && kind === 'embedding') return `left out: ${distinct} categories`
  const what = {
    number: 'scaled',
    date: 'day, month and weekday',
    category: 'one input for each category',
    embedding: 'one input for each category',
  }[kind]
  const filled = kind === 'category' || kind === 'embedding' ? '' : ' the mean,'
  return `${what}${missing === null ? '' : `; ${missingCount} missing:${filled} and an input that says so`}`
}

function withMean(values: readonly (number | null)[]): number[] {
  const average = mean(values.filter((each) => each !== null))
  return values.map((each) => each ?? average)
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
