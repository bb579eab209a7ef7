// How the output of a model depends on one feature: the feature is set to each value of a grid in all rows.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { timeIn } from '../core/dates'
import type { TensorData } from '../core/dtypes'
import { ArgumentError, DataError, formatShape, knownName, quoted, unknownName } from '../core/errors'
import { custom, option, readOptions, tableSize } from '../core/options'
import { isBranch, isRecord, pathName, pathsOf, propertyOf } from '../core/tree'
import { requireNumbers } from '../data/samples/checks'
import { isTableModel } from '../tables/is-table-model'
import type { Model } from '../models/model'
import type { TableModel } from '../tables/table-model'
import { isMissing, valueOf, type TableKind } from '../tables/values'
import { cast, where as choose } from '../ops/numpy/elementwise'
import { expandDims, reshape } from '../ops/numpy/shape'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { encodeRows } from './encoded'
import { Explained, copiesOf, explainTable, vector, type ExplainOptions, type RowsOf, type Settings } from './explained'
import { tensorFrom } from './user-data'

export interface PartialDependenceOptions<Out = Tensor> extends ExplainOptions<Out> {
  /**
   * The number of evenly spaced values between the feature's 5th and 95th percentile, or a list of values: numbers; for a column of a
   * table also its categories, or dates. If a column has no more values than this number, all of them are used; if it has more
   * categories, the most frequent. Default 20.
   */
  readonly grid?: number | ArrayLike<number> | readonly (string | Date)[]
}

/** How the output depends on one feature. */
export interface PartialDependence {
  /** The values of the feature, [grid]; for categories, texts and dates of a table a tensor of strings. */
  readonly grid: Tensor
  /** The output for each value, averaged over all rows, [grid]. */
  readonly average: Tensor
  /** The output for each value and row, [rows, grid]. */
  readonly individual: Tensor
  /** The column of a table, and what its values are. */
  readonly column?: { readonly name: string; readonly kind: TableKind }
}

/** A feature of one of several inputs. */
export interface FeatureOfInput {
  /** The name or the position of the input. */
  readonly input: string | number
  /** The position of the feature. */
  readonly index: number
}
/** A feature by its position; with several inputs, together with the input's name or position. */
export type Feature = number | FeatureOfInput

/** A feature; of a TableModel, the name of a column. */
export type FeatureFor<Kind> = [Kind] extends [never] ? Feature : Kind extends TableModel ? string : Feature

const dependenceTable = () =>
  merged(explainTable(), {
    grid: option(
      custom<unknown>(
        (value, where) => (typeof value === 'number' ? tableSize(2).read(value, where) : value),
        () => null,
      ),
      20,
    ),
  })

/**
 * How the output depends on one feature: the feature is set to each value of a grid in all rows, while the others keep
 * their values. `average` is the partial dependence; `individual` has one curve per row (ICE), which shows where rows
 * differ.
 *
 *   const { grid, average } = await partialDependence(model, x, 3, { output: 0 })
 *
 * A TableModel takes rows of its table and the name of a column, which may have numbers, categories or dates:
 *
 *   const { grid, average } = await partialDependence(model, rows, 'sex')   // grid: a tensor of strings
 *
 * @param feature its position along the last axis, or the name of a column
 * @throws ArgumentError for a feature that does not exist, and if one of several outputs must be chosen
 * Friedman 2001; Goldstein et al. 2015. scikit-learn: `partial_dependence`.
 */
export async function partialDependence<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  feature: FeatureFor<Kind>,
  options: PartialDependenceOptions<Out> = {},
): Promise<PartialDependence> {
  requireArguments('partialDependence', arguments, 4)
  const { grid: wanted, ...settings } = readOptions('partialDependence', dependenceTable(), options)
  if (isTableModel(model)) return dependenceOfColumn(model, x, feature, wanted, settings)
  const explained = Explained.read('partialDependence', model, x, settings, 'numbers')
  requireOneOutput(explained, model)
  const { input, index } = placeOf(explained, feature)
  const { shape, dtype } = explained.inputs[input]!
  const width = shape.slice(1).at(-1) ?? 1
  const grid = typeof wanted === 'number' ? spaced(explained.inputs[input]!, index, width, wanted) : numbersIn(wanted)
  const values = new Tensor(grid, [grid.length], 'float32')
  const isHere = Float32Array.from({ length: width }, (_, i) => Number(i === index))
  const set = new Tensor(
    dtype === 'float32' ? grid : Int32Array.from(grid),
    [1, grid.length, ...shape.slice(1).map(() => 1)],
    dtype === 'float32' ? 'float32' : 'int32',
  )
  return { grid: values, ...(await curves(explained, input, set, isHere)) }
}

/** @throws ArgumentError unless one number of the output is chosen */
function requireOneOutput(explained: Explained, model: unknown): void {
  if (explained.settings.output !== null || explained.width === 1) return
  throw new ArgumentError(
    `${explained.where}: ${String(model)} has ${explained.width} outputs. Choose one: output: 0 … ${explained.width - 1}, or a function of the outputs.`,
  )
}

/**
 * The output for each row and each value of a grid.
 * @param set [1, grid, …row], or with extents of 1 to be repeated: the elements that are set
 * @param isHere [last axis of a row], 1 for the elements that are set
 */
async function curves(
  explained: Explained,
  input: number,
  set: Tensor,
  isHere: Float32Array,
): Promise<Pick<PartialDependence, 'average' | 'individual'>> {
  const count = set.shape[1]!
  const { dtype } = explained.inputs[input]!
  const here = new Tensor(isHere, [isHere.length], 'float32')
  const individual = new Float32Array(explained.size * count)
  for await (const range of explained.ranges(count)) {
    const [scores] = explained.run(`${input}`, [...explained.parametersOf(range), set, here], (symbols) => {
      const { units, inputs, rest } = explained.split(symbols)
      const [set, here] = [rest[0]!, rest[1]!]
      const variants = inputs.map((each, i) => {
        if (i !== input) return copiesOf(each, count, 1)
        const mixed = choose(cast(here, 'bool'), cast(set, dtype), expandDims(each, 1))
        return reshape(mixed, [range.count * count, ...each.shape.slice(1)])
      })
      return [explained.score(explained.call(variants), units === null ? null : copiesOf(units, count, 1))]
    })
    individual.set(scores!.data, range.start * count)
  }
  const average = Float32Array.from({ length: count }, (_, g) => {
    let sum = 0
    for (let row = 0; row < explained.size; row++) sum += individual[row * count + g]!
    return sum / explained.size
  })
  return { average: vector(average), individual: new Tensor(individual, [explained.size, count], 'float32') }
}

async function dependenceOfColumn(
  model: TableModel,
  x: unknown,
  feature: unknown,
  wanted: unknown,
  settings: Settings,
): Promise<PartialDependence> {
  const where = 'partialDependence'
  const names = Object.keys(model.table.columns)
  const name = isRecord(feature) ? feature['input'] : feature
  if (typeof name !== 'string')
    throw new ArgumentError(
      `${where}: the feature of ${model} must be the name of a column: ${names.map(quoted).join(', ')}, received ${quoted(feature)}`,
    )
  const column = names.indexOf(name)
  if (column < 0) throw unknownName(`column of ${model} in ${where}:`, name, names)
  const { kind } = model.table.columns[name]!
  const columns = await valuesByColumn(where, model, x)
  const encoded = await encodeRows(where, model, columns)
  const explained = Explained.read(where, encoded.model, encoded.rows, settings)
  requireOneOutput(explained, model)
  const grid =
    typeof wanted === 'number'
      ? gridOf(columns[name]!, kind, wanted, `${where}: column ${quoted(name)}`)
      : listOf(wanted).map((value, i) => valueOf(value, kind, true, `${where}: grid[${i}]`))
  if (grid.length === 0) throw new ArgumentError(`${where}: grid must have at least one value`)
  // Of these rows, only the numbers of this column are read.
  const rows = await encoded.encode(
    where,
    Object.fromEntries(names.map((each) => [each, each === name ? grid : grid.map(() => columns[each]![0]!)])),
  )
  const lanes = encoded.columns[encoded.names.indexOf(name)]!
  const width = rows.shape[1]!
  const isHere = new Float32Array(width).fill(1, lanes.start, lanes.end)
  const found = await curves(explained, 0, new Tensor(rows.data, [1, ...rows.shape], 'float32'), isHere)
  return {
    grid: kind === 'number' ? vector(grid.map(Number)) : new StringTensor(grid.map(String), [grid.length]),
    ...found,
    column: { name, kind },
  }
}

/** The values of each column, as the model's inputs take them. */
async function valuesByColumn(
  where: string,
  model: TableModel,
  x: unknown,
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const { x: read } = await model.rowsFor(where, x, undefined, false)
  return Object.fromEntries(
    Object.keys(model.table.columns).map((name) => {
      const values = isRecord(read) ? propertyOf(read, name) : undefined
      if (values === undefined)
        throw new ArgumentError(
          `${where}: needs rows of the table of ${model}, or a record of its columns, received ${quoted(x)}`,
        )
      if (values instanceof StringTensor) return [name, values.strings]
      if (Array.isArray(values)) return [name, values.flat()]
      return [name, Array.from(tensorFrom(values, where).data)]
    }),
  )
}

/** The values of a user's grid. */
function listOf(wanted: unknown): readonly unknown[] {
  if (Array.isArray(wanted)) return wanted
  if (wanted instanceof StringTensor) return wanted.strings
  return Array.from(numbersIn(wanted))
}

/** @throws ArgumentError unless these are numbers in a list */
function numbersIn(wanted: unknown): TensorData {
  const where = 'partialDependence: grid'
  const values = tensorFrom(wanted, where, 'float32')
  requireNumbers(values, where)
  if (values.rank === 1 && values.size > 0) return values.data
  throw new ArgumentError(
    `${where} must be a number of values, or a list of them, received ${formatShape(values.shape)}`,
  )
}

const DAY = 86_400_000

/** The grid of a column: all values if there are no more than `count`, else evenly spaced ones, or the most frequent. */
function gridOf(
  values: readonly unknown[],
  kind: TableKind,
  count: number,
  place: string,
): readonly (number | string)[] {
  const present = values.filter((value) => !isMissing(value))
  if (present.length === 0) throw new DataError(`${place} has no value in these rows. Give the values: grid: [ … ]`)
  switch (kind) {
    case 'number':
      return numberGrid(present.map(Number), count)
    case 'date':
      return dateGrid(present.map(String), count)
    case 'category':
    case 'text':
      return mostFrequent(present.map(String), count)
  }
}

function numberGrid(values: readonly number[], count: number): number[] {
  const distinct = [...new Set(values)]
  return distinct.length <= count ? distinct.sort((a, b) => a - b) : evenly(values, count).map(Math.fround)
}

function dateGrid(dates: readonly string[], count: number): string[] {
  const timeOf = (date: string): number => timeIn(date)!
  const distinct = [...new Set(dates)]
  if (distinct.length <= count) return distinct.sort((a, b) => timeOf(a) - timeOf(b))
  const days = evenly(dates.map(timeOf), count).map((time) => new Date(DAY * Math.round(time / DAY)))
  return [...new Set(days.map((day) => day.toISOString().slice(0, 10)))]
}

/** The most frequent of some texts, in alphabetical order. */
function mostFrequent(texts: readonly string[], count: number): string[] {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const frequent = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!).slice(0, count)
  return frequent.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** The input and the position along its last axis. */
function placeOf(explained: Explained, feature: unknown): { input: number; index: number } {
  const { form, rows, where } = explained
  const names = pathsOf(form).map(pathName)
  const place: Readonly<Record<string, unknown>> = isRecord(feature) ? feature : { input: 0, index: feature }
  if (!isBranch(feature) && rows.length > 1) {
    throw new ArgumentError(
      `${where}: there are several inputs. Choose one: { input: ${quoted(names[0])}, index: 0 }. The inputs are: ${names.join(', ')}`,
    )
  }
  const { input: name, index } = place
  const input = typeof name === 'number' ? name : names.indexOf(knownName(String(name), names) ?? '')
  if (rows[input] === undefined) {
    if (typeof name === 'number')
      throw new ArgumentError(`${where}: the input must be an index in 0 … ${rows.length - 1}, received ${name}`)
    throw unknownName(`input of ${explained.model}`, String(name), names)
  }
  const at = explained.placeOf(input)
  if (at === null)
    throw new ArgumentError(
      `${where}: ${explained.nameOf(input)} has strings, and a grid needs numbers. Choose a numeric input, or use permutationImportance.`,
    )
  const width = rows[input].shape.slice(1).at(-1) ?? 1
  if (typeof index === 'number' && Number.isInteger(index) && index >= -width && index < width)
    return { input: at, index: index < 0 ? index + width : index }
  throw new ArgumentError(`${where}: the feature must be an index in 0 … ${width - 1}, received ${quoted(index)}`)
}

/** Evenly spaced values between the 5th and 95th percentile of a feature, rounded for integers. */
function spaced({ data, dtype }: Tensor, index: number, width: number, count: number): Float32Array {
  const values = Float32Array.from(
    evenly(
      Float32Array.from({ length: data.length / width }, (_, i) => data[i * width + index]!),
      count,
    ),
  )
  return dtype === 'float32' ? values : Float32Array.from(new Set(values.map(Math.round)))
}

/** Evenly spaced values between the 5th and 95th percentile of some numbers. */
function evenly(numbers: ArrayLike<number>, count: number): number[] {
  const sorted = Float64Array.from(numbers).sort()
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!
  const [low, high] = [at(0.05), at(0.95)]
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))
}
