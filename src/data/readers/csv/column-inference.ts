// Makes a column of a CSV file: infers its type from its first cells, and applies the options that concern it.

import { ArgumentError, DataError, quoted } from '../../../core/errors'
import { propertyOf } from '../../../core/tree'
import { Column, numberIn, typeOf, unfitFor, type ColumnType, type DecimalMark, type MissingPolicy } from './columns'
import type { CsvSettings } from './csv-options'

/** What a file tells about a column. */
export interface ColumnInFile {
  /** The name of the file, for errors. */
  readonly file: string
  readonly name: string
  /** The column's position in the file. */
  readonly index: number
  /** The cells of the first rows. */
  readonly sample: readonly string[]
  readonly isTarget: boolean
  /** Whether its values must be numbers. */
  readonly isNumbered: boolean
}

/** Numbers with units, and with marks between thousands: 5%, $3, 1,234,567, 1 000. */
const LIKE_NUMBERS = /^\s*[-+]?[$€£]?\s?\d[\d.,' \u00a0]*[%$€£]?\s*$/

/** A column whose share of cells that are not numbers is smaller is probably not meant as text. */
const MOST_OTHERS = 0.2

/** @throws ArgumentError for options that do not fit the column, DataError for cells of which the type is not clear */
export function makeColumn(column: ColumnInFile, settings: CsvSettings): Column {
  const { name, index, isTarget } = column
  const { dates, decimal } = settings
  const missingValues = new Set(settings.missingValues)
  const vocabulary = propertyOf(settings.vocabulary, name) ?? null
  const chosenType = propertyOf(settings.types, name)
  const inferred = (): ColumnType => {
    const cells = column.sample.filter((cell) => !missingValues.has(cell))
    return vocabulary === null ? inferredType(column, cells, decimal) : 'category'
  }
  const type = chosenType ?? inferred()
  if (vocabulary !== null && type !== 'category')
    throw new ArgumentError(
      `readCsv: vocabulary '${name}' is for a column of type category, this one is of type ${type}`,
    )
  return new Column({
    name,
    index,
    type,
    ...policyFor(name, type, isTarget, settings.missing),
    missingValues,
    dates,
    decimal,
    vocabulary,
    isInferred: chosenType === undefined,
    isFloat32: settings.features === 'vector',
  })
}

/** The policy for the empty cells of a column: one for all columns applies to those that it fits. */
function policyFor(
  name: string,
  type: ColumnType,
  isTarget: boolean,
  missing: CsvSettings['missing'],
): { readonly missing: MissingPolicy; readonly unfit: string | null } {
  if (typeof missing === 'object' && missing !== null)
    return { missing: Object.hasOwn(missing, name) ? missing[name]! : 'error', unfit: null }
  const isFilled = missing !== 'error' && missing !== 'drop'
  const unfit = isTarget && isFilled ? 'the values of a target are not invented' : unfitFor(missing, type)
  return { missing: unfit === null ? missing : 'error', unfit }
}

/** The type that fits the cells of a column. @throws DataError for cells that are probably not meant as text */
function inferredType(
  { file, name, isNumbered }: ColumnInFile,
  cells: readonly string[],
  decimal: DecimalMark,
): ColumnType {
  const type = typeOf(cells, decimal)
  if (type !== 'string') return type
  const others = cells.filter((cell) => numberIn(cell, decimal) === null)
  const otherMark = decimal === '.' ? ',' : '.'
  if (others.length > 0 && others.every((cell) => numberIn(cell, otherMark) !== null))
    throw new DataError(
      `readCsv: column '${name}' of ${file} has numbers with decimal ${otherMark === ',' ? 'commas' : 'points'}, such as ${quoted(others[0])}. Set decimal: '${otherMark}'; if they are text, types: { ${quoted(name)}: 'string' }.`,
    )
  const alike = isNumbered ? others.filter((cell) => LIKE_NUMBERS.test(cell)) : []
  if (alike.length > (1 - MOST_OTHERS) * cells.length)
    throw new DataError(
      `readCsv: column '${name}' of ${file} has numbers in another form, such as ${quoted(alike[0])}, which would become classes. Write plain numbers; if they are classes, types: { ${quoted(name)}: 'category' }.`,
    )
  if (others.length < MOST_OTHERS * cells.length)
    throw new DataError(
      `readCsv: column '${name}' of ${file} begins with ${cells.length - others.length} numbers and ${others.length} other cells, such as ${quoted(others[0])}. Set its type in types, or the texts of empty cells in missingValues.`,
    )
  return isNumbered ? 'category' : 'string'
}
