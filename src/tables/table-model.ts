// TableModel: a functional model that knows the columns of its table and the names of its classes, so that it takes rows as
// people have them and answers with names. The columns are chosen and the layers are made in tables/.

import { ArgumentError, DataError, FormatError, quoted, unknownName } from '../core/errors'
import { requireConfig } from '../core/options'
import type { Config, CustomObjects } from '../core/registry'
import { isBranch, isRecord, typed } from '../core/tree'
import { isElements, END, type Source } from '../data/samples/source'
import type { Batches, DataOf, TargetsOf } from '../data/samples/data-types'
import type { Tensor } from '../ops/tensor'
import type { History, Logs } from '../training/callbacks'
import type { EvaluateOptions, FitOptions, PredictOptions, TrainOnBatchOptions } from '../training/options'
import { Model, type FunctionalOptions } from '../models/model'
import { KINDS, isMissing, isRow, valueOf, type TableKind, type TableRow } from './values'

/** The value of a class: that of the target in the rows. */
export type ClassValue = string | number | boolean
/** What a TableModel knows of its table. */
export interface TableDescription {
  /** The column of the target. */
  readonly target: string
  /** The value of each class; null if the target is a number. */
  readonly classes: readonly ClassValue[] | null
  /** The columns that are inputs of the model. */
  readonly columns: Readonly<Record<string, { readonly kind: TableKind; readonly optional: boolean }>>
  /** Other columns of the table, which rows may have. */
  readonly ignored: readonly string[]
}

/** An answer of a classifier: the most probable class, and the probability of each. */
export interface ClassAnswer {
  readonly label: ClassValue
  readonly probabilities: Readonly<Record<string, number>>
}
/** An answer by name, or the number of a regression. */
export type TableAnswer = ClassAnswer | number

export interface LabelledOptions extends PredictOptions {
  /** true: `{ label, probabilities }` for each row, or the number of a regression. Default false: a tensor. */
  labels?: boolean
}

// oxlint-disable-next-line typescript/no-explicit-any -- so that a TableModel is a Model of any inputs
type Any = any

/** What a TableModel is made of: inputs and outputs, and the table that they are for. */
export interface TableModelOptions extends FunctionalOptions<Readonly<Record<string, Tensor>>, Tensor> {
  /** The target, its classes, and the columns. */
  table: TableDescription
}

/**
 * A functional model of a table's columns, which `tableModel` of `myelin/data` makes. It is a Model in every respect, and also
 * takes rows as they are in the table, with missing values, dates, class names, and with columns that are not used:
 *
 *   await model.fit(rows, { epochs: 50 })                        // the target is a column of the rows
 *   await model.evaluate(otherRows)
 *   await model.predict({ age: 33, sex: 'f' }, { labels: true }) // { label: 'no', probabilities: { no: 0.9, yes: 0.1 } }
 *
 * Files contain the table, so that a loaded model does the same.
 * @throws DataError that names row and column, for a value that the column cannot have; ArgumentError for columns that are
 * missing or unknown
 */
export class TableModel extends Model<Any, Tensor> {
  static override readonly className = 'TableModel'
  readonly #table: TableDescription | null

  constructor(options: TableModelOptions) {
    const { table, ...graph } = options
    // The constructor of Model must receive the same object if it has no table: see takesGraph.
    super(table === undefined ? options : graph)
    this.#table = table === undefined ? null : readTable(table)
  }

  /** The columns, the target and its classes. */
  get table(): TableDescription {
    if (this.#table !== null) return this.#table
    throw new ArgumentError(`${this}: TableModel takes { inputs, outputs, table }; table is missing`)
  }

  /** The names of the classes, in the order of their numbers; null for a regression. */
  get classNames(): readonly string[] | null {
    return this.table.classes?.map(String) ?? null
  }

  override fit(
    data: Iterable<TableRow> | AsyncIterable<TableRow> | Batches<Any, Any> | DataOf<Any>,
    options?: TableFitOptions,
  ): Promise<History>
  override fit(
    x: Iterable<TableRow> | AsyncIterable<TableRow> | DataOf<Any>,
    y?: TargetsOf<Any> | readonly ClassValue[] | null,
    options?: TableFitOptions,
  ): Promise<History>
  override async fit(x: unknown, y?: unknown, options?: object): Promise<History> {
    const [targets, settings] = argumentsOf(y, options)
    const validationData: unknown = Reflect.get(settings, 'validationData')
    const data = await this.rowsFor('fit', x, targets)
    const others = validationData == null ? {} : { validationData: await this.readValidation(validationData) }
    return super.fit(...forModel<FitOptions<Any, Tensor>>(data, { ...settings, ...others }))
  }

  override evaluate(
    data: Iterable<TableRow> | AsyncIterable<TableRow> | Batches<Any, Any> | DataOf<Any>,
    options?: EvaluateOptions,
  ): Promise<Logs>
  override evaluate(
    x: Iterable<TableRow> | AsyncIterable<TableRow> | DataOf<Any>,
    y?: TargetsOf<Any> | readonly ClassValue[] | null,
    options?: EvaluateOptions,
  ): Promise<Logs>
  override async evaluate(x: unknown, y?: unknown, options?: object): Promise<Logs> {
    const [targets, settings] = argumentsOf(y, options)
    return super.evaluate(...forModel(await this.rowsFor('evaluate', x, targets), settings))
  }

  /**
   * The outputs as a tensor; with `labels: true` an answer for each row, `{ label, probabilities }`, or the number of a
   * regression. One object has one answer.
   */
  override predict(x: TableRow, options: LabelledOptions & { readonly labels: true }): Promise<TableAnswer>
  override predict(
    x: Iterable<TableRow> | AsyncIterable<TableRow>,
    options: LabelledOptions & { readonly labels: true },
  ): Promise<TableAnswer[]>
  override predict(
    x: TableRow | Iterable<TableRow> | AsyncIterable<TableRow> | DataOf<Any> | Batches<Any, Any>,
    options?: PredictOptions,
  ): Promise<ReturnType<this['call']>>
  override async predict(x: unknown, options: LabelledOptions = {}): Promise<unknown> {
    const { labels = false, ...settings } = options
    if (typeof labels !== 'boolean')
      throw new ArgumentError(`predict: labels must be true or false, received ${quoted(labels)}`)
    const rows = await rowsIn(x, 'predict')
    const [inputs] = forModel({ x: this.inputsIn('predict', rows) ?? rows, y: null }, {})
    const outputs = await super.predict(inputs, settings)
    if (!labels) return outputs
    const answers = this.answers(outputs)
    return isRow(rows) ? answers[0] : answers
  }

  override predictOnBatch(x: TableRow | readonly TableRow[] | DataOf<Any>): ReturnType<this['call']> {
    const [inputs] = forModel({ x: this.inputsIn('predictOnBatch', x) ?? x, y: null }, {})
    return super.predictOnBatch(inputs)
  }

  override trainOnBatch(x: readonly TableRow[] | DataOf<Any>, options?: TrainOnBatchOptions): Logs
  override trainOnBatch(
    x: readonly TableRow[] | DataOf<Any>,
    y?: TargetsOf<Any> | readonly ClassValue[] | null,
    options?: TrainOnBatchOptions,
  ): Logs
  override trainOnBatch(x: unknown, y?: unknown, options?: object): Logs {
    const [targets, settings] = argumentsOf(y, options)
    return super.trainOnBatch(...forModel(this.parse('trainOnBatch', x, targets), settings))
  }

  override testOnBatch(x: readonly TableRow[] | DataOf<Any>, options?: TrainOnBatchOptions): Logs
  override testOnBatch(
    x: readonly TableRow[] | DataOf<Any>,
    y?: TargetsOf<Any> | readonly ClassValue[] | null,
    options?: TrainOnBatchOptions,
  ): Logs
  override testOnBatch(x: unknown, y?: unknown, options?: object): Logs {
    const [targets, settings] = argumentsOf(y, options)
    return super.testOnBatch(...forModel(this.parse('testOnBatch', x, targets), settings))
  }

  /** The answers for outputs [rows, classes] or [rows, 1]. */
  private answers({ data, shape }: Tensor): TableAnswer[] {
    const { classes } = this.table
    const width = shape[1] ?? 1
    return Array.from({ length: shape[0]! }, (_, row) => {
      const values = Array.from(data.subarray(row * width, (row + 1) * width))
      if (classes === null) return values[0]!
      const each = values.length === 1 ? [1 - values[0]!, values[0]!] : values
      return {
        label: classes[each.indexOf(Math.max(...each))]!,
        probabilities: Object.fromEntries(classes.map((name, i) => [String(name), each[i]!])),
      }
    })
  }

  /** Rows as inputs and targets, for functions that read them but are not methods. @internal */
  async rowsFor(
    method: string,
    x: unknown,
    y: unknown,
    needsTargets = true,
  ): Promise<{ readonly x: unknown; readonly y: unknown }> {
    const rows = await rowsIn(x, method)
    return needsTargets ? this.parse(method, rows, y) : { x: this.inputsIn(method, rows) ?? rows, y }
  }

  /** Rows as inputs and targets; other data unchanged, except targets that are names of classes. */
  private parse(method: string, x: unknown, y: unknown): { readonly x: unknown; readonly y: unknown } {
    const inputs = this.inputsIn(method, x)
    if (inputs === null) return { x, y: this.targetsIn(method, y) }
    const { target } = this.table
    if (typeof y === 'string' && y !== target)
      throw new ArgumentError(`${method}: the target of ${this} is '${target}', received '${y}'`)
    const targets =
      y == null || typeof y === 'string'
        ? listOf(x).map((row): unknown => (isBranch(row) ? Reflect.get(row, target) : undefined))
        : y
    return { x: inputs, y: this.targetsIn(method, targets) }
  }

  /** Validation data in the form that fit of Model takes. */
  private async readValidation(data: unknown): Promise<unknown> {
    const isPair = Array.isArray(data) && data.length >= 2 && !data.some(isRow) && !isElements(data[0])
    const [x, y, ...weights]: readonly unknown[] = isPair ? data : [data]
    const read = await this.rowsFor('fit: validationData', x, y)
    return read.y == null ? read.x : [read.x, read.y, ...weights]
  }

  /** Class numbers for the names of classes, or the numbers of a regression. Targets that are not a list stay unchanged. */
  private targetsIn(method: string, y: unknown): unknown {
    if (!Array.isArray(y)) return y
    const { target, classes } = this.table
    const place = (row: number): string => `${method}, row ${row}, target '${target}'`
    const isNamed = classes?.some((each) => typeof each === 'string')
    return y.map((value: unknown, row): unknown => {
      if (isMissing(value)) throw new DataError(`${place(row)}: the value is missing. Leave out the row.`)
      if (classes === null) {
        const number = typeof value === 'string' ? Number(value) : value
        if (Array.isArray(value) || (typeof number === 'number' && Number.isFinite(number))) return number
        throw new DataError(`${place(row)}: expected a number, received ${quoted(value)}`)
      }
      const found = classes.findIndex((each) => each === value || String(each) === value)
      if (found >= 0) return found
      // Numbers in place of names are those of classes.
      if (isNamed && (typeof value === 'number' || Array.isArray(value))) return value
      throw new DataError(`${place(row)}: expected one of ${quoted(classes)}, received ${quoted(value)}`)
    })
  }

  /** The columns of rows, one for each input of the model; null for other data. */
  private inputsIn(method: string, x: unknown): Record<string, unknown> | null {
    if (!isRow(x) && !(Array.isArray(x) && x.some(isRow))) return null
    const { columns, ignored, target } = this.table
    const names = Object.keys(columns)
    const known = new Set([...names, ...ignored, target])
    const made: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]))
    listOf(x).forEach((row, i) => {
      const place = `${method}${isRow(x) ? '' : `, row ${i}`}`
      if (!isRow(row))
        throw new DataError(`${place}: expected an object with a value for each column, received ${quoted(row)}`)
      const other = Object.keys(row).find((name) => !known.has(name))
      if (other !== undefined) throw unknownName(`column of ${this} in ${place}:`, other, [...known])
      for (const name of names) {
        if (!Object.hasOwn(row, name))
          throw new ArgumentError(
            `${place}: column '${name}' is missing; the row has ${quoted(Object.keys(row))}.${columns[name]!.optional ? ' Give null for an unknown value.' : ''}`,
          )
        const { kind, optional } = columns[name]!
        made[name]!.push(valueOf(row[name], kind, optional, `${place}, column '${name}'`))
      }
    })
    return made
  }

  override getConfig(): Config {
    return this.#table === null ? super.getConfig() : { ...super.getConfig(), table: { ...this.#table } }
  }

  static override fromConfig<Kind>(
    this: new (options: never) => Kind,
    config: Config,
    customObjects: CustomObjects = {},
  ): Kind {
    requireConfig(this, config)
    const { table, ...graph } = config
    const { input, output, name, trainable } = Model.fromConfig(graph, customObjects) as Model<Any, Any>
    return Reflect.construct(this, [{ inputs: input, outputs: output, name, trainable, table }])
  }
}

interface TableFitOptions extends Omit<FitOptions<Any, Any>, 'validationData'> {
  /** Rows, or [rows, targets], or what fit of every model takes. */
  validationData?: Iterable<TableRow> | AsyncIterable<TableRow> | FitOptions<Any, Any>['validationData']
}

/**
 * The arguments of a method of Model. The model checks x, y and the options itself; their types follow from its inputs, which are
 * those of a table.
 */
function forModel<Options extends object = object>(
  { x, y }: { readonly x: unknown; readonly y: unknown },
  options: object,
): [x: DataOf<Any>, y: TargetsOf<Tensor> | null, options: Options] {
  return typed([x, y, options])
}

/** Targets and options; the second argument may be the options. */
function argumentsOf(y: unknown, options: object | undefined): [targets: unknown, options: object] {
  const isOptions = options === undefined && isBranch(y) && !Array.isArray(y)
  return isOptions ? [undefined, y] : [y, options ?? {}]
}

/** The rows of a data set of rows; other data unchanged. */
async function rowsIn(x: unknown, method: string): Promise<unknown> {
  if (!isSource(x)) return x
  const cursor = x.open(0)
  try {
    let element = await cursor.next()
    if (!isRow(element)) return x
    if (x.size === Infinity) throw new ArgumentError(`${method}: the rows are endless. Use take, or batches.`)
    const rows: unknown[] = []
    for (; element !== END; element = await cursor.next()) rows.push(element)
    return rows
  } finally {
    await cursor.close()
  }
}

function isSource(x: unknown): x is Source {
  return typeof x === 'object' && x !== null && 'open' in x && isElements(x)
}

function listOf(x: unknown): readonly unknown[] {
  return Array.isArray(x) ? x : [x]
}

/** @throws FormatError for a description that is damaged */
export function readTable(table: unknown): TableDescription {
  if (isTable(table)) return table
  throw new FormatError(
    'TableModel: table must be { target, classes, columns: { name: { kind, optional } }, ignored }; the description is damaged',
  )
}

function isTable(table: unknown): table is TableDescription {
  if (!isRecord(table)) return false
  const { target, classes, columns, ignored } = table
  return (
    typeof target === 'string' &&
    (classes === null || (Array.isArray(classes) && classes.length > 1 && classes.every(isClass))) &&
    Array.isArray(ignored) &&
    ignored.every((name) => typeof name === 'string') &&
    isRecord(columns) &&
    Object.values(columns).every(isColumn)
  )
}

function isClass(value: unknown): value is ClassValue {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function isColumn(column: unknown): boolean {
  return isRecord(column) && KINDS.some((kind) => kind === column['kind']) && typeof column['optional'] === 'boolean'
}
