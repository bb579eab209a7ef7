// Rows of a table as numbers: the part of a model that encodes each column by itself, and the part that reads all of these
// numbers, as a separate model. Explanations vary the numbers of a whole column, or add up their contributions.

import { ArgumentError, DataError, quoted } from '../core/errors'
import { sizeOf } from '../core/shapes'
import { flatten, leafNames, unflatten } from '../core/tree'
import { Embedding } from '../layers/core/embedding'
import { Input } from '../layers/core/input-layer'
import type { LayerBase } from '../layers/layer'
import type { MaskTrail } from '../layers/masks'
import { AdaptedLayer } from '../layers/preprocessing/adapted'
import { cast, getItem, reshape } from '../ops'
import { symbolsIn } from '../layers/symbol'
import type { GraphCall, LayerGraph } from '../models/layer-graph'
import { knownGraph } from '../models/known-graph'
import { isTableModel } from '../tables/is-table-model'
import type { CheckingModel } from '../training/checking-model'
import { Model } from '../models/model'
import { Tensor } from '../ops/tensor'
import { maskTrailOf } from '../layers/traits'

/** The numbers of a column in an encoded row: from `start` up to `end`. */
export interface Lanes {
  readonly start: number
  readonly end: number
}

/** A value that the encoding part of a model computes for one column. */
interface Encoding {
  readonly column: number
  readonly symbol: Tensor
  readonly lanes: Lanes
}

/** Rows as numbers, and the model that takes them. */
export class EncodedRows {
  constructor(
    private readonly part: EncodingPart,
    /** The model that takes the numbers, [rows, lanes]. It shares the layers of the explained one. */
    readonly model: Model<Tensor, unknown>,
    /** [rows, lanes] */
    readonly rows: Tensor,
  ) {}

  /** The columns, in the order of their lanes. */
  get columns(): readonly Lanes[] {
    return this.part.columns
  }

  /** The names of the columns. */
  get names(): readonly string[] {
    return this.part.names
  }

  /** A column that is encoded as integers, which have no gradient and no neutral zero; null if there is none. */
  get integerColumn(): string | null {
    const found = this.part.encodings.find(({ symbol }) => symbol.dtype !== 'float32')
    return found === undefined ? null : this.names[found.column]!
  }

  /** Other rows of the table, as numbers. */
  encode(where: string, rows: unknown): Promise<Tensor> {
    return this.part.encode(where, rows)
  }

  /** One tensor for each column, in the structure of the model's inputs. */
  treeOf(leaves: readonly Tensor[]): unknown {
    return unflatten(this.part.graph.inputs, leaves)
  }

  /** One number for each row and column, from numbers [rows, lanes]; a tensor [rows] for each column. */
  sums({ data, shape }: Tensor): Tensor[] {
    const [rows, width] = [shape[0]!, shape[1]!]
    return this.columns.map(({ start, end }) => {
      const sums = Float32Array.from({ length: rows }, (_, row) => {
        let sum = 0
        for (let at = row * width + start; at < row * width + end; at++) sum += data[at]!
        return sum
      })
      return new Tensor(sums, [rows], 'float32')
    })
  }
}

/** The encoding part of each graph, found once. */
const parts = new WeakMap<LayerGraph, EncodingPart>()

/**
 * Rows as `predict` takes them, encoded.
 * @throws ArgumentError for a model whose columns cannot be told apart; the errors of `predict` for rows that do not fit
 */
export async function encodeRows(where: string, model: Model, x: unknown): Promise<EncodedRows> {
  const graph = knownGraph(where, model)
  let part = parts.get(graph)
  if (part === undefined) parts.set(graph, (part = new EncodingPart(where, model, graph)))
  return new EncodedRows(part, part.rest, await part.encode(where, x))
}

/** The part of a graph in which each value depends on one input alone. */
class EncodingPart {
  readonly names: readonly string[]
  readonly encodings: readonly Encoding[]
  readonly columns: readonly Lanes[]
  readonly rest: Model<Tensor, unknown>
  private readonly encoder: CheckingModel<readonly Tensor[]>

  constructor(
    where: string,
    private readonly model: Model,
    readonly graph: LayerGraph,
  ) {
    this.names = leafNames(graph.inputs).map((name) => name || 'the input')
    let width = 0
    this.encodings = encodingsIn(where, model, graph, this.names).map(({ column, symbol }) => {
      const start = width
      width += sizeOf(symbol.shape.slice(1))
      return { column, symbol, lanes: { start, end: width } }
    })
    // The encodings of a column are neighbours.
    this.columns = this.names.map((_, column) => {
      const encodings = this.encodings.filter((each) => each.column === column)
      return { start: encodings[0]?.lanes.start ?? 0, end: encodings.at(-1)?.lanes.end ?? 0 }
    })
    const symbols = this.encodings.map(({ symbol }) => symbol)
    this.encoder = new Model<unknown, readonly Tensor[]>({ inputs: graph.inputs, outputs: symbols })
    const reader = new Model<readonly Tensor[], unknown>({ inputs: symbols, outputs: graph.outputs })
    const row = Input({ shape: [width] })
    const values = this.encodings.map(({ symbol, lanes }) => {
      const lane = getItem(row, [':', `${lanes.start}:${lanes.end}`]) as Tensor
      const value = reshape(lane, [-1, ...symbol.shape.slice(1)]) as Tensor
      return symbol.dtype === 'float32' ? value : (cast(value, symbol.dtype) as Tensor)
    })
    this.rest = new Model<Tensor, unknown>({ inputs: row, outputs: reader.apply(values), name: model.name })
  }

  /** Rows of the table, one of them, or columns of data, as [rows, lanes]. */
  async encode(where: string, data: unknown): Promise<Tensor> {
    const { model } = this
    const { x } = isTableModel(model) ? await model.rowsFor(where, data, undefined, false) : { x: data }
    if (Array.isArray(x) && x.length === 0)
      throw new DataError(`${where}: needs at least one row, received an empty list`)
    const encoded = await this.encoder.predict(x, { verbose: 0 })
    const [rows = 0] = encoded[0]!.shape
    const width = this.columns.reduce((most, { end }) => Math.max(most, end), 0)
    const numbers = new Float32Array(rows * width)
    this.encodings.forEach(({ lanes: { start, end } }, i) => {
      const { data: lane } = encoded[i]!
      const size = end - start
      for (let row = 0; row < rows; row++) numbers.set(lane.subarray(row * size, (row + 1) * size), row * width + start)
    })
    return new Tensor(numbers, [rows, width], 'float32')
  }
}

/** Whether a layer only encodes: it learns nothing by gradients, or it is the table of vectors that integers choose from. */
function encodes(layer: LayerBase): boolean {
  return layer.allLayers.every(
    (each) => each.ownWeights.length === 0 || each instanceof AdaptedLayer || each instanceof Embedding,
  )
}

/**
 * The encodings that the rest of the model reads: the last values that depend on one input alone and are computed from it without
 * layers that learn by gradients. The encodings of an input are neighbours.
 */
function encodingsIn(
  where: string,
  model: Model,
  graph: LayerGraph,
  names: readonly string[],
): { readonly column: number; readonly symbol: Tensor }[] {
  const columnOf = new Map<Tensor, number>(flatten(graph.inputs).map((symbol, i) => [symbol, i]))
  const masks = new Map<Tensor, MaskTrail>()
  const found = new Map<Tensor, GraphCall | null>()
  for (const call of graph.calls) {
    const operands = symbolsIn([call.input, call.options])
    const columns = new Set(operands.map((symbol) => columnOf.get(symbol)))
    const [column] = columns
    if (columns.size === 1 && column !== undefined && encodes(call.layer)) {
      const trail = maskTrailOf(
        call.layer,
        operands,
        operands.map((symbol) => masks.get(symbol) ?? null),
      )
      for (const output of call.outputs) {
        columnOf.set(output, column)
        if (trail !== null) masks.set(output, trail)
      }
    } else for (const symbol of operands) if (columnOf.has(symbol) && !found.has(symbol)) found.set(symbol, call)
  }
  for (const symbol of flatten(graph.outputs)) if (columnOf.has(symbol) && !found.has(symbol)) found.set(symbol, null)
  for (const [symbol, call] of found) {
    const column = quoted(names[columnOf.get(symbol)!])
    const reader = call === null ? `the output of ${model}` : String(call.layer)
    const why = whyNoNumbers(symbol, masks.has(symbol), reader)
    if (why !== null)
      throw new ArgumentError(
        `${where}: column ${column} of ${model} cannot be explained as numbers, because ${why}. Use permutationImportance, which shuffles the values themselves.`,
      )
  }
  return [...found.keys()]
    .map((symbol) => ({ column: columnOf.get(symbol)!, symbol }))
    .sort((a, b) => a.column - b.column)
}

/** Why a value cannot stand for its column; null if it can. @param reader what reads it */
function whyNoNumbers(symbol: Tensor, isMasked: boolean, reader: string): string | null {
  if (symbol.dtype === 'string') return `${reader} reads its strings together with other columns`
  if (isMasked) return `${reader} reads a mask of it`
  const extents: readonly (number | null)[] = symbol.shape.slice(1)
  return extents.includes(null) ? `its encoding has no fixed size, ${quoted(symbol.shape)}` : null
}
