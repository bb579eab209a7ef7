// The options of readCsv, and the type of its elements that follows from them.

import { merged } from '../../../core/merged'
import { ArgumentError, quoted } from '../../../core/errors'
import {
  choice,
  custom,
  listOf,
  nullable,
  option,
  recordOf,
  text,
  type OptionInputs,
  type Kind,
  type ValuesOf,
} from '../../../core/options'
import { signalOption } from '../../samples/abort'
import { onError, type OnError } from '../faults'
import { columnTypes, type ColumnType, type CsvValue, type DateParts, type MissingPolicy } from './columns'

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

function isPolicy(value: unknown): value is MissingPolicy {
  return value === null || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

const policies: Kind<MissingPolicy | Readonly<Record<string, MissingPolicy>>> = nullable(
  custom(
    (value, where) => {
      if (isPolicy(value)) return value
      const byColumn: [string, unknown][] =
        typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [['', undefined]]
      const policies: [string, MissingPolicy][] = []
      for (const [name, each] of byColumn) {
        if (isPolicy(each)) policies.push([name, each])
        else
          throw new ArgumentError(
            `${where} must be 'error', 'drop', 'mean', a value, null, or a record of these by column, received ${quoted(name === '' ? value : each)}`,
          )
      }
      return Object.fromEntries(policies)
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

export const csvOptions = () =>
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
     * empty. One treatment is for all columns that it fits (targets allow 'error' and 'drop'); a record has one for each
     * column, such as the means of another file's `schema`. Default 'error'.
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
/** The options with their defaults. */
export type CsvSettings = ValuesOf<ReturnType<typeof csvOptions>>

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
export type Others<Options> = { readonly [Name in Exclude<keyof Options, keyof CsvOptions>]?: UnknownOption<Name> }

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
/** A row as a record by column names; the columns in `types` have these types. */
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
