// Shared by all explanations: the inputs as rows, one number of the output per row, baselines, and cached programs. The
// methods themselves are in the files beside this one.

import { merged } from '../core/merged'
import { numberOf } from '../core/numbers'
import { ArgumentError, ShapeError, formatShape, internalError, quoted } from '../core/errors'
import { abortSignal, anything, boolean, count, custom, nullable, option } from '../core/options'
import { sameShape, sizeOf } from '../core/shapes'
import { flatten, flattenLike, isBranch, mapTree, pathName, pathsOf, typed, unflatten, type Tree } from '../core/tree'
import { requireNumbers } from '../data/samples/checks'
import type { DataOf } from '../data/samples/data-types'
import { joinRows } from '../data/samples/rows'
import type { Readers } from '../data/samples/samples'
import { CallContext, withFrame } from '../layers/context'
import { TensorSpec } from '../layers/spec'
import { graphOf } from '../models/known-graph'
import { isTableModel } from '../tables/is-table-model'
import { Model } from '../models/model'
import type { TableModel } from '../tables/table-model'
import type { TableRow } from '../tables/values'
import { toTensor } from '../ops/convert'
import { multiply } from '../ops/numpy/elementwise'
import { argmax, sum } from '../ops/numpy/reduce'
import { oneHot } from '../ops/nn/one-hot'
import { broadcastTo, expandDims, reshape } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { compileTraced, operandOf, runProgram, trace } from '../ops/trace'
import type { Variable } from '../ops/variable'
import { ProgramCache } from '../engine/runtime/program-cache'
import type { Runtime } from '../engine/runtime/runtime'
import { currentRuntime } from '../engine/runtime/current'
import { Pace } from '../data/samples/pace'
import { readRows } from '../training/read'
import { inputsOf } from '../training/steps'
import { encodeRows, type EncodedRows, type Lanes } from './encoded'
import { tensorFrom } from './user-data'
import { buildSpecOf } from '../layers/weight-lists'
import { outputSpecs } from '../layers/inference'
import { applyTree } from '../layers/applying'

/** The index of a unit, from the end if negative; one index per row; or a function that returns one number per row. */
export type OutputOption<Out = Tensor> = number | readonly number[] | Int32Array | ((outputs: Out) => Tensor)

/** The stand-in for absent features: a number, or data of one row, [1, …], or of as many rows as are explained. */
export type BaselineOf<In> = number | DataOf<In>

/** Rows of a table: one, several, or a data set of them, as `predict` of a TableModel takes them; or columns of data. */
export type TableData = TableRow | Iterable<TableRow> | AsyncIterable<TableRow>

/** A tensor for each column of a table, by its name. */
export type ByColumn = Readonly<Record<string, Tensor>>

/** The rows that are explained: those of its table for a TableModel, else data as predict takes them. */
export type RowsOf<Kind, In> = Kind extends TableModel ? TableData : DataOf<In>
/** The form of the answer: a tensor [rows] for each column of a TableModel, else tensors of the inputs' shapes. */
export type AnswerOf<Kind, In> = Kind extends TableModel ? ByColumn : In
/** The stand-in for absent values: rows of a table, else a baseline. */
export type ReferenceOf<Kind, In> = Kind extends TableModel ? TableData : BaselineOf<In>

/** The options of every explanation. */
export interface ExplainOptions<Out = Tensor> {
  /**
   * The number to explain: a unit of the output by index, one index per row, or a function of the outputs to [rows].
   * Default: the largest unit of each row.
   */
  readonly output?: OutputOption<Out> | null
  /** Explains the logits instead of the result of a final softmax or sigmoid. Default false. */
  readonly logits?: boolean
  /** The number of rows per run of the model, copies included. Default 1024. */
  readonly batchSize?: number
  /** Aborts between two batches; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** The contributions of the inputs' elements to one number of the output. */
export interface Explanation<In = Tensor> {
  /** float32 in the shapes of the inputs. For integers that an Embedding reads: the contribution of each vector. */
  readonly attributions: In
  /** The explained number, [rows]. */
  readonly value: Tensor
  /** The explained unit, [rows]; null if `output` is a function. */
  readonly units: Tensor | null
}

/** Attributions that add up: value = baseValue + Σ attributions + gap. */
export interface Decomposition<In = Tensor> extends Explanation<In> {
  /** The explained number for the baseline, [rows]. */
  readonly baseValue: Tensor
  /** value − baseValue − Σ attributions, [rows]: the unexplained remainder. */
  readonly gap: Tensor
}

/** The option as it is read. A function's result is checked when it is called. */
type ChosenOutput = number | readonly number[] | Int32Array | ((outputs: unknown) => unknown)

const isIndex = (value: unknown): value is number => Number.isInteger(value)
const isIndices = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isIndex)
const isFunction = (value: unknown): value is (outputs: unknown) => unknown => typeof value === 'function'

const readOutput = (value: unknown, where: string): ChosenOutput => {
  if (isIndex(value) || isIndices(value) || value instanceof Int32Array || isFunction(value)) return value
  throw new ArgumentError(
    `${where} must be the index of a unit, an index for each row, or a function of the outputs, received ${quoted(value)}`,
  )
}

/** The options that choose the explained number. */
const outputTable = () => ({
  output: option(nullable(custom<ChosenOutput, OutputOption<never>>(readOutput, () => null)), null),
  logits: option(boolean, false),
})
/** The options of every explanation. */
const explainRows = () =>
  merged(outputTable(), {
    batchSize: option(count, 1024),
    signal: option(nullable(abortSignal), null),
  })
type ExplainRows = ReturnType<typeof explainRows>
export type ExplainTable = { [Name in keyof ExplainRows]: ExplainRows[Name] }
export const explainTable: () => ExplainTable = explainRows
/** Data that is read once the inputs are known. */
export const dataOption = option(anything, null)
const baselineRows = () => ({ baseline: dataOption })
type BaselineRows = ReturnType<typeof baselineRows>
export type BaselineTable = { [Name in keyof BaselineRows]: BaselineRows[Name] }
export const baselineTable: () => BaselineTable = baselineRows

/** The output option for methods that do not explain one number of the output. */
export const nothing = (): never => {
  throw internalError('no number of the output is explained')
}

/** The cached programs that explain one model. */
class Programs {
  private readonly cache = new ProgramCache()

  constructor(
    private readonly runtime: Runtime,
    private readonly weights: readonly Variable[],
  ) {}

  /** Whether the programs are still valid: the runtime and the weights are unchanged. */
  areFor(runtime: Runtime, weights: readonly Variable[]): boolean {
    return (
      runtime === this.runtime &&
      weights.length === this.weights.length &&
      weights.every((weight, i) => weight === this.weights[i])
    )
  }

  /** Runs a function of tensors as a program, traced once per key and combination of shapes. */
  run(key: string, inputs: readonly Tensor[], body: (symbols: Tensor[]) => readonly Tensor[]): Tensor[] {
    const types = inputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`)
    const inference = (symbols: Tensor[]): readonly Tensor[] =>
      withFrame(null, new CallContext(false), () => body(symbols))
    return runProgram(
      this.cache.get(`${key} ${types.join(' ')}`, () => compileTraced(trace(inputs, inference))),
      inputs,
    )
  }

  dispose(): void {
    this.cache.dispose()
  }
}

/** The programs of each model, keyed by its graph: a Sequential that gets another layer has a new graph. */
const known = new WeakMap<object, Programs>()

function programsOf(model: Model): Programs {
  const { weights } = model
  const graph = model.graph ?? model
  const runtime = weights[0]?.runtime ?? currentRuntime()
  const found = known.get(graph)
  if (found?.areFor(runtime, weights) === true) return found
  found?.dispose()
  const made = new Programs(runtime, weights)
  known.set(graph, made)
  return made
}

/** The operand of a softmax or sigmoid, if the tensor is the result of one; else the tensor. Traced. */
export function logitsOf(output: Tensor): Tensor {
  return operandOf(output, 'softmax') ?? operandOf(output, 'sigmoid') ?? output
}

/** Some rows of a tensor. */
export function rowsOf(tensor: Tensor, start: number, count: number): Tensor {
  const [rows, ...row] = tensor.shape
  if (start === 0 && count === rows) return tensor
  const size = sizeOf(row)
  return new Tensor(tensor.data.subarray(start * size, (start + count) * size), [count, ...row], tensor.dtype)
}

/**
 * Copies x [rows, …] `count` times along the rows: whole blocks in a row (axis 0), or the copies of each row adjacent
 * (axis 1). Traced.
 */
export function copiesOf(x: Tensor, count: number, axis: 0 | 1 = 0): Tensor {
  const [rows, ...row] = x.shape
  return reshape(broadcastTo(expandDims(x, axis), axis === 0 ? [count, rows!, ...row] : [rows!, count, ...row]), [
    count * rows!,
    ...row,
  ])
}

/**
 * The answer of an explanation. Its type follows from the type of the model, and its structure from the model's inputs:
 * no check can compare the two, so this is asserted here, once.
 */
function answerOf<Answer>(tree: unknown): Answer {
  return typed(tree)
}

/** float32 [rows] */
export const vector = (data: ArrayLike<number>): Tensor => new Tensor(Float32Array.from(data), [data.length], 'float32')

/** Whether a model is explained by its columns: it takes rows of a table, or strings. */
function readsColumns(model: Model): boolean {
  if (isTableModel(model)) return true
  const graph = graphOf(model)
  return graph !== null && flatten(graph.inputSpecs).some(({ dtype }) => dtype === 'string')
}

/** The rows explained in one run. */
export interface Range {
  readonly start: number
  readonly count: number
}

/** What to explain, and how. */
export interface Settings {
  readonly output: ChosenOutput | null
  readonly logits: boolean
  readonly batchSize: number
  readonly signal: AbortSignal | null
}

/** The rows of a model's inputs, and the number to explain for each. */
export class Explained {
  private readonly programs: Programs
  private readonly pace: Pace
  private readonly key: string
  private chosen: Tensor | null = null
  /** The rows of a table whose numbers are the inputs; null if the inputs are those of the model itself. */
  private encoded: EncodedRows | null = null

  private constructor(
    readonly where: string,
    readonly model: Model,
    /** The structure of the model's inputs. */
    readonly form: Tree<unknown>,
    /** The inputs before strings are replaced. */
    readonly rows: readonly Tensor[],
    /** The inputs of programs: the rows, with strings replaced by numbers. */
    readonly inputs: readonly Tensor[],
    /** The layers that read strings, for inputs that are replaced by numbers. */
    private readonly readers: Readers | undefined,
    /** The number of rows. */
    readonly size: number,
    readonly settings: Settings,
  ) {
    const { output, logits, signal } = settings
    this.programs = programsOf(model)
    this.pace = new Pace(signal ?? undefined)
    this.key = `${where} ${logits ? 'logits' : ''} ${typeof output === 'function' ? numberOf(output) : ''}`
  }

  /**
   * Rows to explain. Those of a TableModel, and of another model that reads strings, become the numbers of their columns, and what
   * is explained is the part of the model that takes these: `answer` gives one number for each row and column.
   * @param gradients whether the explanation needs gradients with respect to all inputs
   * @throws the errors of `read`; ArgumentError for columns that cannot be told apart
   */
  static async of(
    where: string,
    model: unknown,
    x: unknown,
    settings: Settings,
    gradients: 'with gradients' | 'without gradients',
  ): Promise<Explained> {
    if (!(model instanceof Model) || !readsColumns(model)) return Explained.read(where, model, x, settings)
    settings.signal?.throwIfAborted()
    const encoded = await encodeRows(where, model, x)
    const { integerColumn } = encoded
    if (integerColumn !== null && gradients === 'with gradients')
      throw new ArgumentError(
        `${where}: column ${quoted(integerColumn)} of ${model} is encoded as integers, which have no gradient. Use an explanation without gradients: occlusion, shapleyValues, kernelShap, sampledShapley, permutationImportance.`,
      )
    const explained = Explained.read(where, encoded.model, encoded.rows, settings)
    explained.encoded = encoded
    return explained
  }

  /**
   * @param where names the explanation in errors
   * @param strings how rows of strings are handled: 'refused', kept as 'rows', which no program takes, or converted to
   * 'numbers', for programs that do not vary them
   * @throws ArgumentError unless `model` is a model and the output exists; ShapeError and DataError for data that do
   * not fit the model
   */
  static read(
    where: string,
    model: unknown,
    x: unknown,
    settings: Settings,
    strings: 'refused' | 'rows' | 'numbers' = 'refused',
  ): Explained {
    if (!(model instanceof Model)) throw new ArgumentError(`${where}: needs a model, received ${quoted(model)}`)
    settings.signal?.throwIfAborted()
    const read = readRows(model.training, x)
    const { x: form, size } = read
    if (strings === 'refused' && read.hasStrings)
      throw new ArgumentError(
        `${where}: ${model} reads strings, and ${model.graph === null ? 'makes its layers itself, so' : 'has a custom call, so'} the numbers that they become are not known. Use permutationImportance, which shuffles the strings themselves, or a Sequential or functional model.`,
      )
    const specs = buildSpecOf(model) === null ? [] : flatten(buildSpecOf(model))
    // A float32 model takes integers as float32.
    const rows = read.inputs.map((input, i) =>
      specs[i]?.dtype === 'float32' ? toTensor(input, where, 'float32') : input,
    )
    const { inputs, readers } =
      strings === 'numbers' ? model.training.strings.read({ ...read, inputs: rows }) : { inputs: rows }
    const explained = new Explained(where, model, form, rows, inputs, readers, size, settings)
    if (typeof settings.output !== 'function') explained.chosen = explained.chooseUnits(settings.output)
    return explained
  }

  /** The explained unit of each row; null if `output` is a function. */
  get units(): Tensor | null {
    return this.chosen
  }

  /** The shape of one row of input i. */
  rowShape(i: number): readonly number[] {
    return this.inputs[i]!.shape.slice(1)
  }

  /** The position in `inputs` of the i-th of `rows`; null if numbers replace it. */
  placeOf(i: number): number | null {
    const readers = this.readers?.slice(0, i + 1) ?? []
    if (readers[i] != null) return null
    return readers.reduce((at, strings) => at + (strings === null ? 0 : strings.readers.length - 1), i)
  }

  /** The name of input i in errors. */
  nameOf(i: number): string {
    const path = pathsOf(this.form)[i]!
    return path === '' ? 'the input' : `the input '${pathName(path)}'`
  }

  /** These tensors in the structure of the inputs. */
  treeOf<Answer>(leaves: readonly Tensor[]): Answer {
    return answerOf(unflatten(this.form, leaves))
  }

  /**
   * Where the inputs are the numbers of columns, the elements of a row that belong to each; null if every element counts by itself.
   */
  get columns(): readonly Lanes[] | null {
    return this.encoded?.columns ?? null
  }

  /**
   * The answer of an explanation, from tensors of the inputs' shapes: these in the structure of the inputs, or the sums over the
   * numbers of each column, [rows].
   */
  answer<Answer>(leaves: readonly Tensor[]): Answer {
    return this.encoded === null ? this.treeOf(leaves) : this.columnTree(this.encoded.sums(leaves[0]!))
  }

  /** One tensor for each column, by name. */
  columnTree<Answer>(leaves: readonly Tensor[]): Answer {
    return answerOf(this.encoded!.treeOf(leaves))
  }

  /** The number of units of the only output. @throws ArgumentError for several outputs or a rank above 2 */
  get width(): number {
    const { model, form, rows, where } = this
    const outputs: unknown = outputSpecs(
      model,
      unflatten(
        form,
        rows.map(({ shape, dtype }) => new TensorSpec(shape, dtype)),
      ),
    )
    if (outputs instanceof TensorSpec && outputs.shape.length <= 2) return outputs.shape[1] ?? 1
    const what = outputs instanceof TensorSpec ? `an output of shape ${formatShape(outputs.shape)}` : 'several outputs'
    throw new ArgumentError(
      `${where}: ${model} has ${what}. Give output as a function that returns one number for each row, such as output: (y) => ops.mean(…).`,
    )
  }

  private chooseUnits(output: number | readonly number[] | Int32Array | null): Tensor {
    const { size, width, where, model } = this
    if (output === null) return width === 1 ? new Tensor(new Int32Array(size), [size], 'int32') : this.largestUnits()
    const units = typeof output === 'number' ? new Int32Array(size).fill(output) : Int32Array.from(output)
    if (units.length !== size)
      throw new ShapeError(
        `${where}: output must be one index, or one for each of the ${size} rows, received ${units.length}`,
      )
    const wrong = units.find((unit) => unit < -width || unit >= width)
    if (wrong !== undefined) {
      throw new ArgumentError(
        `${where}: output must be an index in 0 … ${width - 1}, of the ${width} unit${width === 1 ? '' : 's'} of ${model}, received ${wrong}`,
      )
    }
    return new Tensor(
      units.map((unit) => (unit < 0 ? unit + width : unit)),
      [size],
      'int32',
    )
  }

  private largestUnits(): Tensor {
    const units = new Int32Array(this.size)
    const { batchSize } = this.settings
    for (let start = 0; start < this.size; start += batchSize) {
      const inputs = this.inputs.map((input) => rowsOf(input, start, Math.min(batchSize, this.size - start)))
      const [found] = this.programs.run('units', inputs, (symbols) => [argmax(this.onlyOutput(this.call(symbols)), 1)])
      units.set(found!.data, start)
    }
    return new Tensor(units, [this.size], 'int32')
  }

  /** The model's outputs for rows of its inputs. Traced. */
  call(inputs: readonly Tensor[]): Tree<Tensor> {
    return applyTree(this.model, inputsOf(this.form, inputs, this.readers), { training: false })
  }

  /** The output of a model that has only one. */
  onlyOutput(outputs: Tree<Tensor>): Tensor {
    if (outputs instanceof Tensor) return outputs
    throw internalError(`${this.where}: the model has several outputs`)
  }

  /** The explained number, [rows], from outputs; `units` [rows] belong to these rows. Traced. */
  score(outputs: Tree<Tensor>, units: Tensor | null): Tensor {
    const { output, logits } = this.settings
    const y = logits ? mapTree(outputs, logitsOf) : outputs
    if (typeof output === 'function') return this.scoreOf(output(y), flatten(outputs)[0]!.shape[0]!)
    const single = this.onlyOutput(y)
    if (single.dtype !== 'float32')
      throw new ArgumentError(
        `${this.where}: ${this.model} outputs ${single.dtype}, which cannot be explained. Explain the float32 values from which it is computed.`,
      )
    const [rows, width = 1] = single.shape
    return width === 1 ? reshape(single, [rows!]) : sum(multiply(single, oneHot(units!, width)), 1)
  }

  private scoreOf(score: unknown, rows: number): Tensor {
    if (score instanceof Tensor && score.dtype === 'float32' && score.shape[0] === rows && score.size === rows)
      return reshape(score, [rows])
    const received = score instanceof Tensor ? `${score.dtype} ${formatShape(score.shape)}` : quoted(score)
    throw new ArgumentError(
      `${this.where}: the function output must return one number for each row, float32 [${rows}], received ${received}`,
    )
  }

  /**
   * Runs a function of tensors as a cached program. @param key identifies everything the function depends on except its
   * inputs
   */
  run(key: string, inputs: readonly Tensor[], body: (symbols: Tensor[]) => readonly Tensor[]): Tensor[] {
    return this.programs.run(`${this.key} ${key}`, inputs, body)
  }

  /** The parameters of a program for some rows: their units, if any, then their inputs. */
  parametersOf({ start, count }: Range): Tensor[] {
    return [...(this.units === null ? [] : [this.units]), ...this.inputs].map((tensor) => rowsOf(tensor, start, count))
  }

  /** The inverse of parametersOf, for a program's symbols. */
  split(symbols: readonly Tensor[]): { units: Tensor | null; inputs: readonly Tensor[]; rest: readonly Tensor[] } {
    const first = this.units === null ? 0 : 1
    const end = first + this.inputs.length
    return { units: first === 0 ? null : symbols[0]!, inputs: symbols.slice(first, end), rest: symbols.slice(end) }
  }

  /**
   * All rows in ranges, for programs that hold `copies` copies of each row. Yields to the event loop between ranges.
   */
  async *ranges(copies: number): AsyncGenerator<Range, void, void> {
    const most = Math.max(1, Math.floor(this.settings.batchSize / copies))
    for (let start = 0; start < this.size; start += most) {
      yield { start, count: Math.min(most, this.size - start) }
      await this.turn()
    }
  }

  /** Yields to the event loop when it is due. @throws the signal's reason once aborted */
  async turn(): Promise<void> {
    this.settings.signal?.throwIfAborted()
    if (this.pace.isDue()) await this.pace.yield()
  }

  /**
   * The rows that stand for "no information", for each input, [1, …row] or [some rows, …row]. Rows of a table are encoded. null
   * without such rows: zeros take their place, which are the means of scaled numbers, and no category.
   * @param counts the allowed numbers of rows; null for any number above 0
   * @throws ShapeError for another shape, or number of rows
   */
  async readReference(name: string, data: unknown, counts: readonly number[] | null): Promise<(Tensor | null)[]> {
    const { where, encoded } = this
    if (encoded === null) return this.readRows(name, data, counts)
    if (data === null || data === undefined) {
      if (encoded.integerColumn === null) return [null]
      throw new ArgumentError(
        `${where}: column ${quoted(encoded.integerColumn)} is encoded as integers, of which 0 is not the absence of a value. Give rows: { ${name}: rows }`,
      )
    }
    if (typeof data === 'number')
      throw new ArgumentError(
        `${where}: ${name} must be rows as predict takes them, received ${data}. Give rows, or leave ${name} out: the means of numbers, and no category.`,
      )
    const rows = await encoded.encode(`${where}: ${name}`, data)
    const count = rows.shape[0]!
    if (counts !== null && !counts.includes(count))
      throw new ShapeError(
        `${where}: ${name} must be one row, or one for each of the ${this.size} explained rows, received ${count}`,
      )
    return this.readRows(name, rows, null)
  }

  /** Like readReference, with tensors of zeros in place of null. */
  async readBaselines(name: string, data: unknown, counts: readonly number[] | null): Promise<Tensor[]> {
    const rows = await this.readReference(name, data, counts)
    return rows.map((each, i) => each ?? this.rowsFor(i, name, 0, counts))
  }

  /** Rows for each input. @param counts the allowed numbers of rows; null for any number above 0 */
  private readRows(name: string, data: unknown, counts: readonly number[] | null): (Tensor | null)[] {
    const { where, form, inputs } = this
    const isForAll = data === null || data === undefined || typeof data === 'number'
    const leaves =
      isForAll || !isBranch(form)
        ? inputs.map(() => data)
        : flattenLike(
            mapTree(form, () => null),
            data,
            `${where}: ${name}`,
          )
    return leaves.map((leaf, i) => (leaf === null || leaf === undefined ? null : this.rowsFor(i, name, leaf, counts)))
  }

  private rowsFor(i: number, name: string, data: unknown, counts: readonly number[] | null): Tensor {
    const { where, inputs } = this
    const { dtype } = inputs[i]!
    const row = this.rowShape(i)
    const value = tensorFrom(data, `${where}: ${name}`, dtype)
    requireNumbers(value, `${where}: ${name}`)
    if (value.rank === 0)
      return new Tensor(
        new (dtype === 'float32' ? Float32Array : Int32Array)(sizeOf(row)).fill(value.data[0]!),
        [1, ...row],
        dtype,
      )
    if (sameShape(value.shape, row)) return new Tensor(value.data, [1, ...row], dtype)
    const [rows, ...rest] = value.shape
    if (sameShape(rest, row) && rows! > 0 && (counts === null || counts.includes(rows!))) return value
    const shapes = [row, ...(counts ?? ['rows']).map((rows) => [rows, ...row])].map((shape) => `[${shape.join(', ')}]`)
    throw new ShapeError(
      `${where}: ${name} must be a number or have shape ${[...new Set(shapes)].join(' or ')}, received ${formatShape(value.shape)}`,
    )
  }
}

/** Concatenates results along the rows: one list of tensors per range. */
export function joinOutputs(parts: readonly (readonly Tensor[])[]): Tensor[] {
  return parts[0]!.map((_, i) => joinRows(parts.map((part) => part[i]!)))
}

/** value − baseValue − Σ attributions, in float64. */
export function gapOf(value: Tensor, baseValue: Tensor, attributions: readonly Tensor[]): Tensor {
  const rows = value.size
  return vector(
    Float64Array.from({ length: rows }, (_, row) => {
      let rest = value.data[row]! - baseValue.data[row]!
      for (const { data } of attributions) {
        const width = data.length / rows
        for (let i = row * width; i < (row + 1) * width; i++) rest -= data[i]!
      }
      return rest
    }),
  )
}
