// A CSV file as rows of numbers: numeric columns as they are, with the mean for missing cells, and one column for each word
// of a column of words.

import { readCsv } from 'myelin/data'
import type { Task } from '../data/form'
import { divided } from '../data/split'
import type { Given, Prepared } from './protocol'

/** A column with more words is left out. */
const MOST_WORDS = 12

type Cell = string | number
interface Column {
  readonly name: string
  readonly cells: readonly Cell[]
  readonly isNumeric: boolean
  readonly words: readonly string[]
}

export async function tableOf({ text, name, target }: NonNullable<Given['table']>): Promise<Prepared> {
  const isSemicolon =
    (text.split('\n', 1)[0]!.match(/;/g)?.length ?? 0) > (text.split('\n', 1)[0]!.match(/,/g)?.length ?? 0)
  const header = text.split(/\r?\n/, 1)[0]!.split(isSemicolon ? ';' : ',')
  if (header.length < 2)
    throw new Error(`${name}: a table needs at least two columns, with their names in the first line`)
  const names = header.map((each) => each.trim().replace(/^"(.*)"$/, '$1'))
  const rows = await readCsv(
    { text },
    {
      delimiter: isSemicolon ? ';' : ',',
      types: Object.fromEntries(names.map((each) => [each, 'string' as const])),
      missingValues: [],
    },
  ).toArray()
  const columns = names.map((each) =>
    columnOf(
      each,
      (rows as Record<string, string>[]).map((row) => row[each] ?? ''),
    ),
  )
  const targets = columns.filter(isTarget).map((each) => each.name)
  const chosen = columns.find((each) => each.name === target) ?? columns.findLast(isTarget)
  if (chosen === undefined) throw new Error(`${name}: no column can be predicted`)

  const known = rows.map((_, i) => i).filter((i) => !isMissing(chosen.cells[i]!))
  const isClass = isClasses(chosen)
  const values = [...new Set(known.map((i) => String(chosen.cells[i])))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const task: Task = isClass ? { kind: 'classes', names: values } : { kind: 'number', name: chosen.name }
  const y = Float32Array.from(known, (i) =>
    isClass ? values.indexOf(String(chosen.cells[i])) : Number(chosen.cells[i]),
  )

  const used = columns.filter((each) => each !== chosen && (each.isNumeric || each.words.length <= MOST_WORDS))
  const leftOut = columns.filter((each) => each !== chosen && !used.includes(each))
  const features = used.flatMap((each) => featuresOf(each, known))
  if (features.length === 0) throw new Error(`${name}: no column is left to predict ${chosen.name} from`)
  const width = features.length
  const x = Float32Array.from(
    { length: known.length * width },
    (_, at) => features[at % width]!.values[Math.floor(at / width)]!,
  )
  const scale = {
    mean: features.map(({ values }) => mean(values)),
    variance: features.map(({ values }) => mean(values.map((each) => (each - mean(values)) ** 2)) || 1),
  }
  const form = { kind: 'table', task, inputShape: [width], columns: features.map((each) => each.name), scale } as const
  const notes = [
    `${known.length} rows predict ${chosen.name} from ${used.map((each) => each.name).join(', ')}.`,
    ...(leftOut.length === 0
      ? []
      : [
          `Left out, because they have more than ${MOST_WORDS} different texts: ${leftOut.map((each) => each.name).join(', ')}.`,
        ]),
    ...(known.length === rows.length
      ? []
      : [`${rows.length - known.length} rows without ${chosen.name} were left out.`]),
  ]
  return { data: divided(form, x, y), notes, targets }
}

const isMissing = (cell: Cell): boolean => cell === ''
const isTarget = (column: Column): boolean =>
  column.isNumeric || (column.words.length >= 2 && column.words.length <= MOST_WORDS)
/** Words, and numbers of few values without fractions. */
function isClasses({ isNumeric, cells, words }: Column): boolean {
  return (
    !isNumeric || (words.length >= 2 && words.length <= 10 && cells.every((cell) => Number.isInteger(Number(cell))))
  )
}

const MISSING = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', '?'])

function columnOf(name: string, texts: readonly string[]): Column {
  const trimmed = texts.map((text) => (MISSING.has(text.trim()) ? '' : text.trim()))
  const given = trimmed.filter((text) => text !== '')
  // 1,5 is a number in files that are separated by semicolons.
  const numberOf = (text: string): number => Number(/^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : text)
  const isNumeric = given.length > 0 && given.every((text) => Number.isFinite(numberOf(text)))
  const cells = isNumeric ? trimmed.map((text) => (text === '' ? '' : numberOf(text))) : trimmed
  return { name, cells, isNumeric, words: [...new Set(given)].sort() }
}

interface Feature {
  readonly name: string
  readonly values: readonly number[]
}

function featuresOf({ name, cells, isNumeric, words }: Column, rows: readonly number[]): Feature[] {
  if (!isNumeric)
    return words.map((word) => ({ name: `${name} = ${word}`, values: rows.map((i) => Number(cells[i] === word)) }))
  const known = rows
    .map((i) => cells[i]!)
    .filter((cell) => !isMissing(cell))
    .map(Number)
  const average = mean(known)
  return [{ name, values: rows.map((i) => (isMissing(cells[i]!) ? average : Number(cells[i]))) }]
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
