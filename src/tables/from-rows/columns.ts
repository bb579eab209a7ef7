// Looks at the columns of a table and proposes what is done with each. Makes no layers: see table-model.ts.

import { timeIn } from '../../core/dates'
import { ArgumentError, DataError, nearestName, quoted, unknownName } from '../../core/errors'
import { counted, tableLines } from '../../core/table'
import type { ClassValue } from '../table-model'
import { isMissing, isRow, valueOf, type TableKind, type TableRow } from '../values'

/** What is done with a column. */
export const COLUMN_KINDS = ['number', 'category', 'embedding', 'date', 'text', 'ignore'] as const
export type ColumnKind = (typeof COLUMN_KINDS)[number]
/** 'mask': 0 (the mean, after scaling) and an input that is 1 where the value is missing; 'mean': the former alone. */
export type MissingKind = 'mask' | 'mean'

/** What a user decides about a column. */
export interface ColumnChoice {
  /** Default: proposed by the values. */
  readonly kind?: ColumnKind
  /** Default: 'mask' if values are missing; otherwise a missing value is an error. */
  readonly missing?: MissingKind | null
}

/** A column with what is done with it. */
export interface ProposedColumn {
  readonly name: string
  readonly kind: ColumnKind
  /** The treatment of missing values; null if a missing value is an error. */
  readonly missing: MissingKind | null
  /** The number of rows without a value. */
  readonly missingCount: number
  /** The number of different values. */
  readonly distinct: number
  /** What the model does with the values, in words. */
  readonly treatment: string
  /** Why the column is ignored, or of this kind; '' if that is plain. */
  readonly note: string
}

/** The column that is predicted. */
export interface ProposedTarget {
  /** The column. */
  readonly name: string
  /** The classes in the order of their numbers; null for a number. */
  readonly classes: readonly ClassValue[] | null
  /** Why it is of this kind; '' if that is plain. */
  readonly note: string
}

/** Above this number of categories, a column is embedded: one-hot rows would be mostly zeros. */
const MOST_ONE_HOT = 50
/** From this mean number of words on, a column of strings is text. */
const TEXT_WORDS = 3
/** Numbers of a target that are no more than these are classes. */
const MOST_CLASSES = 20
const DAY = 86_400_000

/** A proposal for a table: prints as a table. */
export class TableProposal {
  constructor(
    readonly rowCount: number,
    readonly target: ProposedTarget,
    readonly columns: readonly ProposedColumn[],
  ) {}

  /** Whether classes are predicted, or a number. */
  get task(): 'classification' | 'regression' {
    return this.target.classes === null ? 'regression' : 'classification'
  }

  toString(): string {
    const { name, classes, note } = this.target
    const shown =
      classes === null ? '' : ` (${classes.length} classes: ${shortened(classes.map(String), 6).join(', ')})`
    const head = ['Column', 'Kind', 'Missing', 'Different', 'What is done', 'Note']
    const rows = this.columns.map((each) => [
      each.name,
      each.kind,
      String(each.missingCount),
      String(each.distinct),
      each.treatment,
      each.note,
    ])
    return [
      `Table: ${counted(this.rowCount, 'row')}, target '${name}': ${this.task}${shown}${note === '' ? '' : `; ${note}`}`,
      ...tableLines(head, rows, (column) => column === 2 || column === 3),
    ].join('\n')
  }
}

function shortened(names: readonly string[], most: number): readonly string[] {
  return names.length <= most ? names : [...names.slice(0, most - 1), '…', names.at(-1)!]
}

/** What a table is read for. */
export interface LookSettings {
  readonly target: string
  readonly columns: Readonly<Record<string, ColumnChoice>>
  readonly task: 'classification' | 'regression' | null
}

/**
 * Looks at all rows.
 * @throws ArgumentError for a target or columns that the rows do not have; DataError for a target with one value or missing
 * ones, for a column with values of several types, and for lists in place of single values
 */
export function lookAt(rows: readonly TableRow[], where: string, settings: LookSettings): TableProposal {
  const { target, columns: choices } = settings
  const names = namesIn(rows, where)
  if (!names.includes(target)) throw unknownName(`column in target of ${where}:`, target, names)
  const other = Object.keys(choices).find((name) => !names.includes(name))
  if (other !== undefined) throw unknownName(`column in columns of ${where}:`, other, names)
  if (Object.hasOwn(choices, target))
    throw new ArgumentError(`${where}: '${target}' is the target, and columns are inputs. Remove it from columns.`)
  const found = names
    .filter((name) => name !== target)
    .map((name) =>
      new Look(
        where,
        name,
        rows.map((row) => row[name]),
      ).proposal(choices[name] ?? {}),
    )
  if (found.every(({ kind }) => kind === 'ignore'))
    throw new DataError(
      `${where}: no column is left as an input: ${found.map(({ name, note }) => `'${name}' (${note})`).join(', ')}. Choose kinds: columns: { ${quoted(found[0]?.name ?? 'name')}: 'number' }`,
    )
  return new TableProposal(rows.length, lookAtTarget(rows, where, settings), found)
}

/** The names of all columns, in the order in which they occur. */
function namesIn(rows: readonly TableRow[], where: string): string[] {
  if (rows.length === 0) throw new DataError(`${where}: the table has no rows`)
  const names = new Set<string>()
  rows.forEach((row, i) => {
    if (!isRow(row))
      throw new DataError(
        `${where}, row ${i}: expected an object with a single value for each column, received ${quoted(row)}`,
      )
    for (const name of Object.keys(row)) names.add(name)
  })
  return [...names]
}

function lookAtTarget(rows: readonly TableRow[], where: string, { target: name, task }: LookSettings): ProposedTarget {
  const values = rows.map((row) => row[name])
  const place = `${where}: the target '${name}'`
  const missing = values.findIndex(isMissing)
  if (missing >= 0) {
    const count = values.filter(isMissing).length
    throw new DataError(
      `${place} is missing in ${count} ${count === 1 ? 'row' : 'rows'}, the first is row ${missing}. Leave out rows without a target: rows.filter((row) => row[${quoted(name)}] != null)`,
    )
  }
  const distinct = [...new Set(values)]
  if (distinct.length === 1)
    throw new DataError(`${place} is ${quoted(distinct[0])} in all rows, so there is nothing to predict`)
  const types = new Set(values.map((value) => typeof value))
  const other = values.find((value) => !isClassValue(value))
  if (other !== undefined || types.size > 1)
    throw new DataError(
      `${place} must have numbers, strings or booleans, and only one of these, received ${quoted(other ?? distinct.slice(0, 5))}`,
    )
  const isNumeric = types.has('number')
  const infinite = values.findIndex((value) => isNumeric && !Number.isFinite(value))
  if (infinite >= 0)
    throw new DataError(`${place} must be finite, received ${String(values[infinite])} in row ${infinite}`)
  if (task === 'regression' && !isNumeric)
    throw new DataError(`${place} has ${quoted(distinct[0])}, and a regression needs numbers`)
  const classes = distinct.filter(isClassValue).sort(compareValues)
  const [least, most] = [Number(classes[0]), Number(classes.at(-1))]
  const areCodes =
    classes.every(Number.isInteger) &&
    classes.length <= MOST_CLASSES &&
    most - least === classes.length - 1 &&
    rows.length >= 5 * classes.length
  if (isNumeric && (task === 'regression' || (task === null && !areCodes && classes.length > 2)))
    return { name, classes: null, note: '' }
  if (classes.length > Math.max(2, rows.length / 2))
    throw new DataError(
      `${place} has ${classes.length} different values in ${rows.length} rows: too many for classes. ${isNumeric ? "Set task: 'regression'." : 'Is it an id?'}`,
    )
  const note =
    isNumeric && task === null && classes.length > 2 ? "whole numbers as classes; for a number, task: 'regression'" : ''
  return { name, classes, note }
}

function isClassValue(value: unknown): value is ClassValue {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return Number(a > b) - Number(a < b)
  return Number(a) - Number(b)
}

/** The type of the values of a column. */
type ValueType = 'number' | 'boolean' | 'string' | 'date'

/** The values of one column. */
class Look {
  private readonly present: readonly unknown[]
  private readonly distinct: ReadonlySet<unknown>

  constructor(
    private readonly where: string,
    private readonly name: string,
    private readonly values: readonly unknown[],
  ) {
    this.present = values.filter((value) => !isMissing(value))
    this.distinct = new Set(this.present.map((value) => (value instanceof Date ? value.getTime() : value)))
  }

  proposal({ kind: wanted, missing: treatment }: ColumnChoice): ProposedColumn {
    const { kind, note } =
      wanted === undefined ? this.proposed() : { kind: wanted, note: wanted === 'ignore' ? 'as chosen' : '' }
    if (kind !== 'ignore') this.check(kind)
    const missingCount = this.values.length - this.present.length
    const byDefault = missingCount > 0 ? 'mask' : null
    const chosen = treatment === undefined ? byDefault : treatment
    const missing = kind === 'ignore' ? null : chosen
    if (missing === null && kind !== 'ignore' && missingCount > 0)
      throw new DataError(
        `${this.place}: ${counted(missingCount, 'value is', 'values are')} missing, and missing is null. Use 'mask' or 'mean'.`,
      )
    return {
      name: this.name,
      kind,
      missing,
      missingCount,
      distinct: this.distinct.size,
      treatment: treatmentOf(kind, missing),
      note,
    }
  }

  private get place(): string {
    return `${this.where}: column '${this.name}'`
  }

  /** @throws DataError for a value that the kind cannot have, and for a column without values */
  private check(kind: Exclude<ColumnKind, 'ignore'>): void {
    if (this.present.length === 0) throw new DataError(`${this.place} has no value. Leave it out: 'ignore'`)
    const read = tableKindOf(kind)
    this.values.forEach((value, row) => {
      if (!isMissing(value)) valueOf(value, read, false, `${this.where}, row ${row}, column '${this.name}'`)
    })
  }

  private proposed(): { readonly kind: ColumnKind; readonly note: string } {
    const { present, distinct, name } = this
    const ignored = (note: string): { kind: ColumnKind; note: string } => ({ kind: 'ignore', note })
    if (present.length === 0) return ignored('no row has a value')
    const type = this.valueType()
    if (distinct.size === 1) return ignored(`always ${quoted(present[0])}`)
    const areAllDifferent = distinct.size === this.values.length && present.length > 10
    switch (type) {
      case 'boolean':
        return { kind: 'number', note: 'false 0, true 1' }
      case 'date':
        return { kind: 'date', note: '' }
      case 'number':
        if (distinct.size === this.values.length && (isIdName(name) || (isIndexName(name) && this.areConsecutive())))
          return ignored('an id: different in each row')
        if (this.areDays()) return { kind: 'date', note: 'whole days in milliseconds since 1970' }
        return { kind: 'number', note: '' }
      case 'string':
        return this.proposedForText(areAllDifferent, ignored)
    }
  }

  private proposedForText(
    areAllDifferent: boolean,
    ignored: (note: string) => { kind: ColumnKind; note: string },
  ): { kind: ColumnKind; note: string } {
    const { distinct, name, values } = this
    const texts = this.present.map(String)
    if (texts.every((text) => timeIn(text) !== null)) return { kind: 'date', note: '' }
    if (texts.every((text) => /^\s*[+-]?\d+,\d+\s*$/.test(text)))
      throw new DataError(
        `${this.place} has decimal commas, such as ${quoted(texts[0])}. Read the file with readCsv(file, { decimal: ',' }), or replace the commas.`,
      )
    // Leading zeros are kept by categories alone.
    if (texts.every((text) => /^\s*[+-]?(?:0|[1-9]\d*|\d*\.\d+|\d+\.)(?:\.\d+)?(?:e[+-]?\d+)?\s*$/i.test(text)))
      return { kind: 'number', note: 'numbers as text' }
    const words = texts.reduce((sum, text) => sum + text.trim().split(/\s+/).length, 0) / texts.length
    if (words >= TEXT_WORDS && distinct.size > Math.max(MOST_CLASSES, texts.length / 4))
      return { kind: 'text', note: '' }
    if (areAllDifferent) return ignored('an id: different in each row')
    if (isIdName(name) && distinct.size > MOST_ONE_HOT) return ignored('an id, by its name')
    if (distinct.size > values.length / 2 && values.length > 20)
      return ignored(`${distinct.size} different values in ${values.length} rows`)
    return distinct.size > MOST_ONE_HOT
      ? { kind: 'embedding', note: 'many categories' }
      : { kind: 'category', note: '' }
  }

  /** @throws DataError for values of several types */
  private valueType(): ValueType {
    let first: { readonly type: ValueType; readonly row: number } | null = null
    for (const [row, value] of this.values.entries()) {
      if (isMissing(value)) continue
      const type = typeIn(value)
      if (type === null)
        throw new DataError(
          `${this.where}, row ${row}, column '${this.name}': expected a number, a string, a boolean or a date, received ${quoted(value)}. Leave the column out with columns: { ${quoted(this.name)}: 'ignore' }`,
        )
      first ??= { type, row }
      if (type !== first.type)
        throw new DataError(
          `${this.place} has values of several types: ${quoted(this.values[first.row])} in row ${first.row}, ${quoted(value)} in row ${row}. Convert them, or choose columns: { ${quoted(this.name)}: 'category' }`,
        )
      if (value === Infinity || value === -Infinity)
        throw new DataError(`${this.place} must be finite, received ${value} in row ${row}`)
    }
    return first!.type
  }

  private areConsecutive(): boolean {
    const numbers = this.present.map(Number)
    if (!numbers.every(Number.isSafeInteger)) return false
    const [least, most] = numbers.reduce(
      ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
      [Infinity, -Infinity],
    )
    return numbers.length === most! - least! + 1
  }

  /** Whether the numbers are probably dates, which readCsv reads as milliseconds by default. */
  private areDays(): boolean {
    return this.present.every((value) => Number(value) % DAY === 0) && this.present.some((value) => value !== 0)
  }
}

/** `id`, `user_id`, `PassengerId` */
function isIdName(name: string): boolean {
  return /(?:^|[_\s-])id$/i.test(name) || /[a-z]I[dD]$/.test(name)
}

/** The names of a column that only counts the rows. */
function isIndexName(name: string): boolean {
  return /^(?:|index|row|nr|no|number|#|unnamed: 0)$/i.test(name.trim())
}

function typeIn(value: unknown): ValueType | null {
  if (value instanceof Date || (typeof value === 'object' && value !== null && 'year' in value && 'month' in value))
    return 'date'
  const type = typeof value
  return type === 'number' || type === 'boolean' || type === 'string' ? type : null
}

/** The kind of the values that the model's input takes. */
export function tableKindOf(kind: Exclude<ColumnKind, 'ignore'>): TableKind {
  return kind === 'embedding' ? 'category' : kind
}

function treatmentOf(kind: ColumnKind, missing: MissingKind | null): string {
  const masked = missing === 'mask' ? ', with a mask of missing values' : ''
  switch (kind) {
    case 'number':
      return `scaled to mean 0 and variance 1${missing === null ? '' : `, missing → mean${masked}`}`
    case 'category':
      return `one-hot${missing === null ? '' : ', missing is a category'}`
    case 'embedding':
      return `embedded in a vector${missing === null ? '' : ', missing is a category'}`
    case 'date':
      return `years, parts of the year and of the week${missing === null ? '' : `, missing → mean${masked}`}`
    case 'text':
      return `words that occur${missing === null ? '' : ', missing has none'}`
    case 'ignore':
      return 'not used'
  }
}

/** Reads the choices of a user. @throws ArgumentError */
export function readChoices(choices: Readonly<Record<string, unknown>>, where: string): Record<string, ColumnChoice> {
  return Object.fromEntries(
    Object.entries(choices).map(([name, each]) => [name, choiceOf(each, `${where}: column '${name}'`)]),
  )
}

function choiceOf(choice: unknown, place: string): ColumnChoice {
  if (typeof choice === 'string') return { kind: kindOf(choice, place) }
  if (typeof choice !== 'object' || choice === null || Array.isArray(choice))
    throw new ArgumentError(
      `${place}: expected one of ${COLUMN_KINDS.map(quoted).join(', ')}, or { kind, missing }, received ${quoted(choice)}`,
    )
  const { kind, missing, ...others }: Readonly<Record<string, unknown>> = { ...choice }
  const [other] = Object.keys(others)
  if (other !== undefined) throw unknownName(`option in ${place}:`, other, ['kind', 'missing'])
  if (missing !== undefined && missing !== null && missing !== 'mask' && missing !== 'mean')
    throw new ArgumentError(`${place}: missing must be 'mask', 'mean' or null, received ${quoted(missing)}`)
  return {
    ...(kind === undefined ? {} : { kind: kindOf(kind, place) }),
    ...(missing === undefined ? {} : { missing }),
  }
}

function kindOf(name: unknown, place: string): ColumnKind {
  const found = COLUMN_KINDS.find((kind) => kind === name)
  if (found !== undefined) return found
  const nearest = nearestName(String(name), COLUMN_KINDS)
  throw new ArgumentError(
    `${place}: the kind must be one of ${COLUMN_KINDS.map(quoted).join(', ')}, received ${quoted(name)}${nearest === undefined ? '' : `. Did you mean '${nearest}'?`}`,
  )
}
