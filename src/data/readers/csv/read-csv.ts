// readCsv: the rows of a CSV file as elements of a Dataset. cells.ts splits the text, columns.ts converts the cells,
// and scan.ts reads files of plain numbers.

import { merged } from '../../../core/merged'
import { requireArguments } from '../../../core/arguments'
import { ArgumentError, DataError, RowError, quoted, unknownName } from '../../../core/errors'
import {
  choice,
  custom,
  listOf,
  nullable,
  option,
  readOptions,
  recordOf,
  text,
  type OptionInputs,
  type Kind,
  type ValuesOf,
} from '../../../core/options'
import { abortable, signalOption } from '../../samples/abort'
import { blocksOf, chained, closing, cursor, opening } from '../../cursors'
import { Dataset } from '../../dataset'
import { END, after, sourceOf, type Cursor } from '../../samples/source'
import { Lines, blocks, lineDecoder, CARRIAGE_RETURN, lineEnds, linesOf, type Decoder } from '../blocks'
import { bytesOf, type ByteSource, type NamedBytes } from '../bytes'
import { DROPPED, Faults, onError, type OnError } from '../faults'
import { LONE_RETURN, cellsOf, unifiedEnds, type Cells } from './cells'
import {
  Column,
  columnTypes,
  firstTwice,
  numberIn,
  typeOf,
  unfitFor,
  type ColumnType,
  type CsvValue,
  type DateParts,
  type MissingPolicy,
  type FilePosition,
} from './columns'
import { scanRow, type Scanned, type Slot } from './scan'
import { VectorRows, type Form, type VectorPlan } from './vectors'

const boolOrNames: Kind<boolean | readonly string[]> = custom(
  (value, where) => (typeof value === 'boolean' ? value : listOf(text).read(value, where)),
  (value) => (typeof value === 'boolean' ? value : [...value]),
)

const nameOrNames: Kind<string | readonly string[]> = custom(
  (value, where) => {
    if (Array.isArray(value) && value.length === 0)
      throw new ArgumentError(`${where} must be the name of a column or a list of names, received an empty list`)
    return typeof value === 'string' ? text.read(value, where) : listOf(text).read(value, where)
  },
  (value) => (typeof value === 'string' ? value : [...value]),
)

const policies: Kind<MissingPolicy | Readonly<Record<string, MissingPolicy>>> = nullable(
  custom(
    (value, where) => {
      const isPolicy = (each: unknown): each is MissingPolicy =>
        each === null || typeof each === 'string' || (typeof each === 'number' && Number.isFinite(each))
      if (isPolicy(value)) return value
      const all: [string, unknown][] =
        typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [['', undefined]]
      const other = all.find(([, each]) => !isPolicy(each))
      if (other !== undefined)
        throw new ArgumentError(
          `${where} must be 'error', 'drop', 'mean', a value, null, or a record of these by column, received ${quoted(other[0] === '' ? value : other[1])}`,
        )
      return value as Readonly<Record<string, MissingPolicy>>
    },
    (value) => value,
  ),
)

const anyText: Kind<string> = custom(
  (value, where) => {
    if (typeof value === 'string') return value
    throw new ArgumentError(`${where} must be a text, received ${quoted(value)}`)
  },
  (value) => value,
)

const delimiterKind: Kind<string> = custom(
  (value, where) => {
    if (typeof value === 'string' && /^[\t\x20-\x7e]$/.test(value) && value !== '"') return value
    throw new ArgumentError(`${where} must be one ASCII character other than ", received ${quoted(value)}`)
  },
  (value) => value,
)

const csvOptions = () =>
  merged(signalOption(), {
    /**
     * Whether the first row has the names of the columns; or their names, if the file has none. With false they are '0',
     * '1', … Default true.
     */
    header: option(boolOrNames, true),
    /** The delimiter between cells. Default a comma. */
    delimiter: option(delimiterKind, ','),
    /** The decimal mark of numbers: '.', or ',', where points are between thousands. Default '.'. */
    decimal: option(choice('.', ','), '.'),
    /** The encoding of the bytes: 'utf-8', 'windows-1252', … Default 'utf-8'. */
    encoding: option(text, 'utf-8'),
    /** The columns to read. Default: all. */
    columns: option(nullable(listOf(text)), null),
    /**
     * The types of columns. Others are inferred from the first rows: numbers, dates, otherwise text, which is a category
     * in a vector or a target.
     */
    types: option(recordOf(choice(...columnTypes)), {}),
    /**
     * The treatment of empty cells: 'error', 'drop' (the row), 'mean' (of the column), a value, or null, which leaves them
     * empty; for all columns that it fits (targets allow 'error' and 'drop'), or by column, such as the means of another
     * file's `schema`. Default 'error'.
     */
    missing: option(policies, 'error'),
    /** The texts of empty cells. Default ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']. */
    missingValues: option(listOf(anyText), ['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']),
    /** The class names of columns, in the order of their numbers. Others are learnt in a first pass, and sorted. */
    vocabulary: option(recordOf(listOf(anyText)), {}),
    /** The form of dates: milliseconds since 1970 (UTC), or a record of parts. Default 'milliseconds'. */
    dates: option(choice('milliseconds', 'parts'), 'milliseconds'),
    /** The column to predict, or several: elements are then pairs of features and target. Default: none. */
    target: option(nullable(nameOrNames), null),
    /** A record by column names, or one Float32Array for all features. Default 'record'. */
    features: option(choice('record', 'vector'), 'record'),
    /** Whether an invalid row ends the pass, or is skipped and collected in `errors`. Default 'throw'. */
    onError,
  })
type Settings = ValuesOf<ReturnType<typeof csvOptions>>

/** Numbers with units, and with marks between thousands: 5%, $3, 1,234,567, 1 000. */
const LIKE_NUMBERS = /^\s*[-+]?[$€£]?\s?\d[\d.,' \u00a0]*[%$€£]?\s*$/

/** A column with a smaller share of other cells is hardly meant to be text. */
const MOST_OTHERS = 0.2

/** Options of `readCsv`. */
export type CsvOptions = OptionInputs<ReturnType<typeof csvOptions>> & {
  types?: Readonly<Record<string, ColumnType>> | undefined
  features?: 'record' | 'vector' | undefined
  onError?: OnError | undefined
}

/** No value has this type. */
interface UnknownOption<Name> {
  readonly unknownOption: Name
}
/** Refuses other options: the compiler would infer their types. */
type Others<Options> = { readonly [Name in Exclude<keyof Options, keyof CsvOptions>]?: UnknownOption<Name> }

interface ValueOfType<Options> {
  readonly number: number
  readonly category: number
  readonly date: DateOf<Options>
  readonly string: string
}
type DateOf<Options> = Options extends { readonly dates?: infer Dates }
  ? Dates extends 'parts'
    ? DateParts
    : number
  : number
/** A row as a record by column names; columns with a given type have that type. */
export type CsvRecord<Options> = Options extends { readonly types: infer Types }
  ? Readonly<Record<string, CsvValue | EmptyOf<Options>>> & {
      readonly [Name in keyof Types]:
        | (Types[Name] extends ColumnType ? ValueOfType<Options>[Types[Name]] : CsvValue)
        | EmptyOf<Options>
    }
  : Readonly<Record<string, CsvValue | EmptyOf<Options>>>
/** null, if empty cells stay empty. */
type EmptyOf<Options> = Options extends { readonly missing: infer Missing }
  ? null extends Missing | Missing[keyof Missing]
    ? null
    : never
  : never
type Features<Options> = Options extends { readonly features: 'vector' } ? Float32Array : CsvRecord<Options>
type TargetOf<Options, Target> = Target extends string
  ? Options extends { readonly features: 'vector' }
    ? number
    : CsvRecord<Options>[Target]
  : Features<Options>
/** The type of the elements of `readCsv`. */
export type CsvElement<Options> = Options extends { readonly target: infer Target extends string | readonly string[] }
  ? [Features<Options>, TargetOf<Options, Target>]
  : Features<Options>

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
 * Cells are numbers, categories (class numbers), dates and text, given by `types` or inferred from the first hundred
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
    super(null, (pass) => file.open(pass) as Cursor<T>)
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

/** What may be between cells in place of a comma: the mark, its name, and how it is written. */
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
  /** Records of which each row starts as a copy: creating all names at once is cheaper than adding them one by one. */
  readonly blank: { readonly features: Blank; readonly targets: Blank }
  /** null if elements are records. */
  readonly vector: VectorPlan | null
  readonly hasHeader: boolean
}

/** A pass after its first rows were read. */
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
    private readonly settings: Settings,
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
    return target === null ? 'features' : typeof target === 'string' ? 'one' : 'several'
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
    const own = chained<unknown>(() =>
      after(from.next(), (block) => (block === END ? END : sourceOf(rowsOf(block), 'readCsv').open(0))),
    )
    return { ...own, close: () => after(own.close(), () => from.close()) }
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
          const [own] = this.rows(rest)
          return own === undefined ? DROPPED : this.vector(plan, own)
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
      const own = this.cells(each)
      if (own.fault === null) return this.numbered(own, each)
      const fault = own.fault === LONE_RETURN ? LONE_RETURN : `a quote is in the wrong place: ${own.fault}`
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
    const { header, columns: taken, target, features: form } = this.settings
    if (lineEnds(first.bytes) === 0 && first.bytes.includes(CARRIAGE_RETURN))
      throw new DataError(`${this.bytes.name}: its lines end in carriage returns only. Save it with line feeds first.`)
    const rows = this.rows(first)
    if (rows.length === 0) throw new DataError(`${this.bytes.name}: the file has no rows`)
    const hasHeader = header === true
    const names = hasHeader
      ? rows[0]!.cells.map((name) => name.trim())
      : header === false
        ? rows[0]!.cells.map((_, i) => String(i))
        : (header as readonly string[])
    const other =
      names.length === 1 && hasHeader ? OTHER_DELIMITERS.find(([mark]) => names[0]!.includes(mark)) : undefined
    if (other !== undefined)
      throw new DataError(
        `${this.bytes.name}: the first line has one column, ${quoted(names[0])}. Are its cells delimited by ${other[1]}? Then set delimiter: ${other[2]}${other[0] === ';' ? ", and decimal: ',' if its numbers have decimal commas" : ''}.`,
      )
    const twice = firstTwice(names)
    if (twice !== undefined)
      throw new DataError(
        `${this.bytes.name}: two columns are called ${quoted(twice)}. Give other names as header, or header: false.`,
      )
    this.requireKnown(names)
    const targets = target === null ? [] : typeof target === 'string' ? [target] : target
    const sample = rows.slice(hasHeader ? 1 : 0, SAMPLE)
    const positions = new Map(names.map((name, i) => [name, i]))
    const isTarget = new Set(targets)
    const columnOf = (name: string): Column =>
      this.column(name, positions.get(name)!, sample, {
        isTarget: isTarget.has(name),
        isNumbered: isTarget.has(name) || form === 'vector',
      })
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

  /** Refuses names of columns that the file does not have. */
  private requireKnown(names: readonly string[]): void {
    const { columns, types, missing, vocabulary, target } = this.settings
    const said = {
      columns,
      types: Object.keys(types),
      vocabulary: Object.keys(vocabulary),
      missing: typeof missing === 'object' && missing !== null ? Object.keys(missing) : [],
      target: typeof target === 'string' ? [target] : target,
    }
    const known = new Set(names)
    for (const [where, list] of Object.entries(said)) {
      const other = list?.find((name) => !known.has(name))
      if (other !== undefined) throw unknownName(`column of ${this.bytes.name} in ${where}`, other, names)
      const twice = firstTwice(list ?? [])
      if (twice !== undefined) throw new ArgumentError(`readCsv: ${where} has ${quoted(twice)} twice`)
    }
  }

  private column(
    name: string,
    index: number,
    sample: readonly Row[],
    { isTarget, isNumbered }: { readonly isTarget: boolean; readonly isNumbered: boolean },
  ): Column {
    const { types, missing, missingValues, vocabulary, dates, decimal } = this.settings
    const empty = new Set(missingValues)
    const known = own(vocabulary, name) ?? null
    const guessed = (): ColumnType => {
      if (known !== null) return 'category'
      const cells = sample.flatMap(({ cells: row }) =>
        row[index] === undefined || empty.has(row[index]) ? [] : [row[index]],
      )
      const found = typeOf(cells, decimal)
      const other = decimal === '.' ? ',' : '.'
      const differing = found === 'string' ? cells.filter((cell) => numberIn(cell, decimal) === null) : []
      const shown = differing.find((cell) => numberIn(cell, other) !== null)
      if (shown !== undefined && differing.every((cell) => numberIn(cell, other) !== null))
        throw new DataError(
          `readCsv: column '${name}' of ${this.bytes.name} has numbers with decimal ${other === ',' ? 'commas' : 'points'}, such as ${quoted(shown)}. Set decimal: '${other}'; if they are text, types: { ${quoted(name)}: 'string' }.`,
        )
      const odd = isNumbered && found === 'string' ? differing.filter((cell) => LIKE_NUMBERS.test(cell)) : []
      if (odd.length > (1 - MOST_OTHERS) * cells.length)
        throw new DataError(
          `readCsv: column '${name}' of ${this.bytes.name} has numbers in another form, such as ${quoted(odd[0])}, which would become classes. Write plain numbers; if they are classes, types: { ${quoted(name)}: 'category' }.`,
        )
      const others = found === 'string' ? cells.filter((cell) => numberIn(cell, decimal) === null) : []
      if (found === 'string' && others.length < MOST_OTHERS * cells.length) {
        throw new DataError(
          `readCsv: column '${name}' of ${this.bytes.name} begins with ${cells.length - others.length} numbers and ${others.length} other cells, such as ${quoted(others[0])}. Set its type in types, or the texts of empty cells in missingValues.`,
        )
      }
      return found === 'string' && isNumbered ? 'category' : found
    }
    const given = own(types, name)
    const type = given ?? guessed()
    if (known !== null && type !== 'category')
      throw new ArgumentError(
        `readCsv: vocabulary '${name}' is for a column of type category, this one is of type ${type}`,
      )
    // A policy for all columns applies to those that it fits. An empty target is an error or drops the row.
    const isMadeUp = isTarget && missing !== 'error' && missing !== 'drop'
    const byColumn = typeof missing === 'object' && missing !== null
    const unfit = byColumn ? null : isMadeUp ? 'the values of a target are not invented' : unfitFor(missing, type)
    const chosen = byColumn ? own(missing, name) : missing
    const policy = chosen === undefined || unfit !== null ? 'error' : chosen
    return new Column({
      name,
      index,
      type,
      missing: policy,
      unfit,
      missingValues: empty,
      dates,
      decimal,
      vocabulary: known,
      isInferred: given === undefined,
      isFloat32: this.settings.features === 'vector',
    })
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
function byName<Had>(columns: readonly Column[], had: (column: Column) => Had | null): Record<string, Had> {
  return Object.fromEntries(
    columns.flatMap((column) => {
      const value = had(column)
      return value === null ? [] : [[column.name, value]]
    }),
  )
}

/** The entry of a record for a column, whose name may be that of a member of every object: 'constructor'. */
function own<Said>(record: Readonly<Record<string, Said>>, name: string): Said | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
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
  return typeof value === 'object' && value !== null ? (Object.values(value) as number[]) : [Number(value)]
}
