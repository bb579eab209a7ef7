// readCsv: the rows of a CSV file as elements of a Dataset. cells.ts splits the text, columns.ts converts the cells, and
// scan.ts reads rows of plain numbers.

import { requireArguments } from '../../../core/arguments'
import { ArgumentError, DataError, RowError, quoted, unknownName } from '../../../core/errors'
import { readOptions } from '../../../core/options'
import { abortable } from '../../samples/abort'
import { blocksOf, chained, closing, cursor, opening } from '../../cursors'
import { Dataset } from '../../dataset'
import { after } from '../../../core/soon'
import { END, passAs, sourceOf, type Cursor } from '../../samples/source'
import { Lines, blocks, lineDecoder, CARRIAGE_RETURN, lineEnds, linesOf, type Decoder } from '../blocks'
import { bytesOf, type ByteSource, type NamedBytes } from '../bytes'
import { DROPPED, Faults } from '../faults'
import { LONE_RETURN, cellsOf, unifiedEnds, type Cells } from './cells'
import { makeColumn } from './column-inference'
import { firstTwice, type Column, type ColumnType, type CsvValue, type FilePosition } from './columns'
import { csvOptions, type CsvElement, type CsvOptions, type CsvSettings, type Others } from './csv-options'
import { scanRow, type Scanned, type Slot } from './scan'
import { VectorRows, type Form, type VectorPlan } from './vectors'

/** What is known about a file after reading its first rows and, if needed, all of them. */
export interface CsvSchema {
  /** The columns that are read: first those of the features, then those of the target. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  /** Class names by column: the name of class i is at i. */
  readonly vocabulary: Readonly<Record<string, readonly string[]>>
  /** The values that replace empty cells of features with `missing` 'mean'; usable as the `missing` of other files. */
  readonly means: Readonly<Record<string, number>>
}

/**
 * The rows of a CSV file, which is read in chunks: memory use does not depend on its size.
 *
 *   const flats = readCsv('flats.csv', { target: 'price' })                       // [{ rooms: 3, area: 70, … }, 950]
 *   await model.fit(flats.map(({ 0: flat, 1: price }) => …).batch(32))
 *
 *   const digits = readCsv('digits.csv', { features: 'vector', target: 'label' }) // [Float32Array of 784, 7]
 *   await model.fit(digits.shuffle(10_000).batch(32))
 *
 * Cells are numbers, categories (class numbers), dates and text, as `types` names them or as inferred from the first hundred
 * rows. If a vocabulary or a mean must be learnt, the first use reads the file twice; the result is kept, see `schema`.
 *
 * Quotes are those of RFC 4180: "a ""word"", a comma and a line end". Empty lines are skipped.
 * @param source a path, a URL, a File or Blob, `{ text }`, bytes, a stream, or a function that makes one: see
 * ByteSource
 * @throws RowError, during a pass, for an invalid row, with its file, line, column and value; DataError for other
 * errors in the file; the reason of the signal
 */
export function readCsv<const Options extends CsvOptions = {}>(
  source: ByteSource,
  options?: Options & CsvOptions & Others<Options>,
): CsvDataset<CsvElement<Options>> {
  requireArguments('readCsv', arguments, 2)
  const settings = readOptions('readCsv', csvOptions(), options)
  return new CsvDataset(
    new CsvFile(bytesOf(source, 'readCsv', settings.signal, settings.header === true ? 'cells' : 'allowed'), settings),
  )
}

/** The rows of a CSV file, with its schema. */
export class CsvDataset<T> extends Dataset<T> {
  /** @internal */
  constructor(private readonly file: CsvFile) {
    super(null, (pass) => passAs(file.open(pass)))
  }

  /** The invalid rows of the last pass, with `onError: 'collect'`: the first thousand. */
  get errors(): readonly RowError[] {
    return this.file.faults.errors
  }

  /** Types, vocabularies and means. Reads as much of the file as they need, unless a pass already has. */
  schema(): Promise<CsvSchema> {
    return this.file.schema()
  }
}

/** Delimiters besides the comma: the mark, its name, and how it is written in an option. */
const OTHER_DELIMITERS = [
  [';', 'semicolons', "';'"],
  ['\t', 'tabs', "'\\t'"],
  ['|', 'bars', "'|'"],
] as const

/** The number of rows from which types are inferred. */
const SAMPLE = 100

interface Row {
  readonly line: number
  readonly cells: readonly string[]
}

/** A record with an entry for each column. */
type Blank = Readonly<Record<string, CsvValue | null>>

/** How the rows of a file become elements. */
interface CsvPlan {
  /** The number of cells of a row. */
  readonly width: number
  readonly features: readonly Column[]
  readonly targets: readonly Column[]
  /** Each row starts as a copy of these records: creating all names at once is cheaper than adding them one by one. */
  readonly blank: { readonly features: Blank; readonly targets: Blank }
  /** null if elements are records. */
  readonly vector: VectorPlan | null
  readonly hasHeader: boolean
}

/** A pass whose first rows were read. */
interface Begun {
  readonly plan: CsvPlan
  readonly from: Cursor<Lines>
}

class CsvFile {
  readonly faults: Faults
  private readonly decoder: Decoder
  private readonly place: FilePosition
  private readonly quoting: { readonly quote: number; readonly delimiter: number }
  private plan: Promise<CsvPlan> | null = null

  constructor(
    private readonly bytes: NamedBytes,
    private readonly settings: CsvSettings,
  ) {
    this.faults = new Faults(settings.onError)
    this.decoder = lineDecoder(bytes.name, settings.encoding)
    this.place = { file: bytes.name, line: 0 }
    const delimiter = settings.delimiter.charCodeAt(0)
    this.quoting = { quote: '"'.charCodeAt(0), delimiter }
  }

  open(pass: number): Cursor<unknown> {
    const rows = opening(async () => {
      const { plan, from } = await this.begin(pass)
      const { vector } = plan
      this.faults.clear()
      return vector === null ? this.records(plan, from) : this.vectorRows(plan, vector, from)
    })
    return abortable(closing(rows), this.settings.signal)
  }

  private get form(): Form {
    const { target } = this.settings
    if (target === null) return 'features'
    return typeof target === 'string' ? 'one' : 'several'
  }

  async schema(): Promise<CsvSchema> {
    const cursor = this.open(0)
    try {
      // No element is read: an invalid first row must not prevent the schema.
      await cursor.skip(0)
    } finally {
      await cursor.close()
    }
    const { features, targets } = await this.plan!
    const columns = [...features, ...targets]
    return {
      columns: columns.map(({ name, type }) => ({ name, type })),
      vocabulary: byName(columns, ({ vocabulary }) => vocabulary),
      // The means of targets are excluded: predictions are not filled in, and other files may lack the column.
      means: byName(features, ({ meanInUse }) => meanInUse),
    }
  }

  /** Determines what must be known before the first row. */
  private async begin(pass: number): Promise<Begun> {
    const from = blocks(this.bytes, pass, this.quoting)
    let hasLearnt = false
    const make = async (head: Lines): Promise<CsvPlan> => {
      const plan = this.makePlan(head)
      const columns = [...plan.features, ...plan.targets].filter((column) => column.mustLearn)
      hasLearnt = columns.length > 0
      if (hasLearnt) await this.learn(plan, columns, prepended(head, from))
      return plan
    }
    try {
      const head = await this.head(from)
      const plan = await (this.plan ??= make(head))
      if (!hasLearnt) return { plan, from: prepended(head, from) }
      await from.close()
      return { plan, from: blocks(this.bytes, pass, this.quoting) }
    } catch (error) {
      this.plan = null
      await from.close()
      throw error
    }
  }

  /** Enough blocks for the rows from which types are inferred. */
  private async head(from: Cursor<Lines>): Promise<Lines> {
    const parts: Lines[] = []
    for (let lines = 0; lines <= SAMPLE; lines += lineEnds(parts.at(-1)!.bytes)) {
      const block = await from.next()
      if (block === END) break
      parts.push(block)
    }
    if (parts.length === 0) throw new DataError(`${this.bytes.name}: the file is empty`)
    return new Lines(
      parts.flatMap((block) => block.parts),
      parts[0]!.line,
      parts.some(({ isQuoted }) => isQuoted),
    )
  }

  private records(plan: CsvPlan, from: Cursor<Lines>): Cursor<unknown> {
    let hasHeader = plan.hasHeader
    const rowsOf = (block: Lines): Iterable<unknown> => {
      const isFirst = hasHeader
      hasHeader = false
      return this.parsed(block, isFirst, (row) => this.record(plan, row))
    }
    const all = chained<unknown>(() =>
      after(from.next(), (block) => (block === END ? END : sourceOf(rowsOf(block), 'readCsv').open(0))),
    )
    return { ...all, close: () => after(all.close(), () => from.close()) }
  }

  private vectorRows(plan: CsvPlan, vector: VectorPlan, from: Cursor<Lines>): Cursor<unknown> {
    const { delimiter } = this.quoting
    const rows = new VectorRows(from, vector, this.form, {
      rows: (block, hasHeader) => this.parsed(block, hasHeader, (row) => this.vector(plan, row)),
      line: ({ bytes }, start, end, line) =>
        this.faults.guard(() => {
          this.place.line = line
          const row = { features: new Float32Array(vector.featureCount), targets: new Float64Array(vector.targetCount) }
          const decode = (first: number, last: number): string => this.decoder.decode(bytes.subarray(first, last), line)
          if (scanRow(bytes, start, end, delimiter, vector.slots, row, decode)) return row
          const rest = new Lines([bytes.subarray(start, end)], line, false)
          const [only] = this.rows(rest)
          return only === undefined ? DROPPED : this.vector(plan, only)
        }),
    })
    return blocksOf(rows, (most) => rows.block(most))
  }

  /** The rows of a block, converted by way of text. */
  private *parsed<Made>(
    block: Lines,
    hasHeader: boolean,
    make: (row: Row) => Made | typeof DROPPED,
  ): Generator<Made, undefined> {
    let isHeader = hasHeader
    for (const row of this.rows(block)) {
      const made = isHeader ? DROPPED : this.faults.guard(() => make(row))
      if (made !== DROPPED) yield made
      isHeader = false
    }
  }

  /** The rows of a block. A misplaced quote may make the rest look quoted: then each row is split by itself. */
  private rows(block: Lines): Row[] {
    const all = this.cells(block)
    if (all.fault === null) return this.numbered(all, block)
    return [...linesOf(block, this.quoting)].flatMap((each) => {
      const cells = this.cells(each)
      if (cells.fault === null) return this.numbered(cells, each)
      const fault = cells.fault === LONE_RETURN ? LONE_RETURN : `a quote is in the wrong place: ${cells.fault}`
      this.faults.add(new RowError(fault, this.bytes.name, each.line))
      return []
    })
  }

  private cells({ bytes, line, isQuoted }: Lines): Cells {
    const content = this.decoder.decode(bytes, line)
    const { delimiter } = this.settings
    const unified = isQuoted ? unifiedEnds(content, delimiter) : content.replaceAll('\r\n', '\n')
    return cellsOf(unified, delimiter, isQuoted)
  }

  /** Rows with their line numbers, without empty rows. */
  private numbered({ rows: data, quotedEmpty }: Cells, { line: first, isQuoted }: Lines): Row[] {
    let line = first
    const rows: Row[] = []
    data.forEach((cells, i) => {
      if (cells.length > 1 || cells[0] !== '' || quotedEmpty.has(i)) rows.push({ line, cells })
      line += 1 + (isQuoted ? cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0) : 0)
    })
    return rows
  }

  private record(plan: CsvPlan, row: Row): unknown {
    const features = { ...plan.blank.features }
    const targets = { ...plan.blank.targets }
    if (!this.read(plan, row, (column, value, isTarget) => void ((isTarget ? targets : features)[column.name] = value)))
      return DROPPED
    if (this.form === 'features') return features
    return [features, this.form === 'one' ? targets[plan.targets[0]!.name] : targets]
  }

  private vector(plan: CsvPlan, row: Row): Scanned | typeof DROPPED {
    const [features, targets]: [number[], number[]] = [[], []]
    const isRead = this.read(
      plan,
      row,
      (_, value, isTarget) => void (isTarget ? targets : features).push(...numbersOf(value)),
    )
    return isRead ? { features: Float32Array.from(features), targets: Float64Array.from(targets) } : DROPPED
  }

  /**
   * Passes the values of a row to `take`. @returns whether the row is kept: `take` may get some values before it is
   * dropped
   */
  private read(
    plan: CsvPlan,
    { cells, line }: Row,
    take: (column: Column, value: CsvValue | null, isTarget: boolean) => void,
  ): boolean {
    const { place } = this
    place.line = line
    this.requireWidth(plan, cells)
    const each = (columns: readonly Column[], isTarget: boolean): boolean =>
      columns.every((column) => {
        const value = column.read(cells[column.index]!, place)
        if (value !== DROPPED) take(column, value, isTarget)
        return value !== DROPPED
      })
    return each(plan.features, false) && each(plan.targets, true)
  }

  private requireWidth({ width }: CsvPlan, cells: readonly string[]): void {
    if (cells.length !== width)
      throw new RowError(`expected ${width} cells, received ${cells.length}`, this.bytes.name, this.place.line)
  }

  private makePlan(first: Lines): CsvPlan {
    const { header, columns: taken, features: form } = this.settings
    if (lineEnds(first.bytes) === 0 && first.bytes.includes(CARRIAGE_RETURN))
      throw new DataError(`${this.bytes.name}: its lines end in carriage returns only. Save it with line feeds first.`)
    const rows = this.rows(first)
    if (rows.length === 0) throw new DataError(`${this.bytes.name}: the file has no rows`)
    const hasHeader = header === true
    const names = namesOf(rows[0]!.cells, header)
    this.requireNames(names)
    this.requireKnown(names)
    const targets = this.targetNames
    const sample = rows.slice(hasHeader ? 1 : 0, SAMPLE)
    const positions = new Map(names.map((name, i) => [name, i]))
    const isTarget = new Set(targets)
    const columnOf = (name: string): Column => {
      const index = positions.get(name)!
      const column = {
        file: this.bytes.name,
        name,
        index,
        sample: sample.flatMap(({ cells }) => cells[index] ?? []),
        isTarget: isTarget.has(name),
        isNumbered: isTarget.has(name) || form === 'vector',
      }
      return makeColumn(column, this.settings)
    }
    const features = (taken ?? names).filter((name) => !isTarget.has(name)).map(columnOf)
    if (features.length === 0)
      throw new ArgumentError(`readCsv: no column is left for the features of ${this.bytes.name}`)
    const blank = (columns: readonly string[]): Blank => Object.fromEntries(columns.map((name) => [name, 0]))
    const plan: CsvPlan = {
      width: names.length,
      hasHeader,
      features,
      targets: targets.map(columnOf),
      vector: null,
      blank: { features: blank(features.map(({ name }) => name)), targets: blank(targets) },
    }
    return form === 'vector' ? { ...plan, vector: this.vectorPlan(plan) } : plan
  }

  private get targetNames(): readonly string[] {
    const { target } = this.settings
    return typeof target === 'string' ? [target] : (target ?? [])
  }

  /** @throws DataError for names that occur twice, and for a line that another mark probably delimits */
  private requireNames(names: readonly string[]): void {
    const isOneName = names.length === 1 && this.settings.header === true
    const other = isOneName ? OTHER_DELIMITERS.find(([mark]) => names[0]!.includes(mark)) : undefined
    if (other !== undefined)
      throw new DataError(
        `${this.bytes.name}: the first line has one column, ${quoted(names[0])}. Are its cells delimited by ${other[1]}? Then set delimiter: ${other[2]}${other[0] === ';' ? ", and decimal: ',' if its numbers have decimal commas" : ''}.`,
      )
    const twice = firstTwice(names)
    if (twice !== undefined)
      throw new DataError(
        `${this.bytes.name}: two columns are called ${quoted(twice)}. Give other names as header, or header: false.`,
      )
  }

  /** Refuses names of columns that the file does not have. */
  private requireKnown(names: readonly string[]): void {
    const { columns, types, missing, vocabulary } = this.settings
    const used = {
      columns,
      types: Object.keys(types),
      vocabulary: Object.keys(vocabulary),
      missing: typeof missing === 'object' && missing !== null ? Object.keys(missing) : [],
      target: this.targetNames,
    }
    const known = new Set(names)
    for (const [where, list] of Object.entries(used)) {
      const other = list?.find((name) => !known.has(name))
      if (other !== undefined) throw unknownName(`column of ${this.bytes.name} in ${where}`, other, names)
      const twice = firstTwice(list ?? [])
      if (twice !== undefined) throw new ArgumentError(`readCsv: ${where} has ${quoted(twice)} twice`)
    }
  }

  private vectorPlan(plan: CsvPlan): VectorPlan {
    const text = [...plan.features, ...plan.targets].find(({ type }) => type === 'string')
    const open = [...plan.features, ...plan.targets].find(({ staysEmpty }) => staysEmpty)
    if (open !== undefined)
      throw new ArgumentError(
        `readCsv: missing of column '${open.name}' is null, which has no place in a vector. Use 'drop', 'mean' or a number.`,
      )
    const parts = this.settings.dates === 'parts' ? plan.targets.find(({ type }) => type === 'date') : undefined
    if (parts !== undefined)
      throw new ArgumentError(
        `readCsv: a date in parts cannot be the target '${parts.name}' beside a vector. Set dates: 'milliseconds'.`,
      )
    if (text !== undefined)
      throw new ArgumentError(
        `readCsv: column '${text.name}' is text, which has no place in a vector. Make it a category, or leave it out by columns.`,
      )
    const slots: Slot[] = Array.from({ length: plan.width }, () => ({
      to: 'nothing',
      at: 0,
      isNumber: true,
      isPlain: false,
      read: () => true,
    }))
    const place = (columns: readonly Column[], to: 'features' | 'targets'): number =>
      columns.reduce((at, column) => {
        slots[column.index] = {
          to,
          at,
          isNumber: column.isPlain,
          isPlain: column.isPlain && to === 'features',
          read: (text, out, start) => this.store(column, text, out, start),
        }
        return at + (column.type === 'date' && this.settings.dates === 'parts' ? DATE_PARTS : 1)
      }, 0)
    const featureCount = place(plan.features, 'features')
    const targetCount = place(plan.targets, 'targets')
    return {
      delimiter: this.quoting.delimiter,
      slots,
      featureCount,
      targetCount,
      hasHeader: plan.hasHeader,
      kernels: [],
    }
  }

  private store(column: Column, cell: string, out: Float32Array | Float64Array, at: number): boolean {
    const value = column.read(cell, this.place)
    if (value === DROPPED) return false
    out.set(numbersOf(value), at)
    return true
  }

  /** Reads all rows to learn vocabularies and means. */
  private async learn(plan: CsvPlan, columns: readonly Column[], from: Cursor<Lines>): Promise<void> {
    const all = [...plan.features, ...plan.targets]
    this.faults.clear()
    let isHeader = plan.hasHeader
    for (let block = await from.next(); block !== END; block = await from.next()) {
      for (const row of this.rows(block)) {
        const counts = !isHeader && this.faults.guard(() => this.counts(plan, all, row)) === true
        if (counts) for (const column of columns) column.learn(row.cells[column.index]!)
        isHeader = false
      }
    }
    for (const column of columns) column.settle(this.bytes.name)
  }

  private counts(plan: CsvPlan, columns: readonly Column[], { cells, line }: Row): boolean {
    this.place.line = line
    this.requireWidth(plan, cells)
    return columns.every((column) => column.counts(cells[column.index]!, this.place))
  }
}

/** A record of columns' values by name, without those that are null. */
function byName<Value>(columns: readonly Column[], valueOf: (column: Column) => Value | null): Record<string, Value> {
  return Object.fromEntries(
    columns.flatMap((column) => {
      const value = valueOf(column)
      return value === null ? [] : [[column.name, value]]
    }),
  )
}

/** The names of the columns: those of the first row, numbers, or those of the options. */
function namesOf(firstRow: readonly string[], header: CsvSettings['header']): readonly string[] {
  if (header === true) return firstRow.map((name) => name.trim())
  return header === false ? firstRow.map((_, i) => String(i)) : header
}

/** One element, and then those of a cursor. */
function prepended<T>(first: T, from: Cursor<T>): Cursor<T> {
  let isTaken = false
  const next = (): ReturnType<typeof from.next> => {
    if (isTaken) return from.next()
    isTaken = true
    return first
  }
  return { ...cursor(from, next), recycle: (element) => from.recycle?.(element) }
}

const DATE_PARTS = 7

function numbersOf(value: CsvValue | null): number[] {
  return typeof value === 'object' && value !== null ? Object.values<number>({ ...value }) : [Number(value)]
}
