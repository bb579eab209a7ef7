// The table that model.summary() prints, like Keras's: layers, shapes, parameters, for graphs each layer's connections,
// and on request the cost of a prediction.

import { dtypes } from '../core/dtypes'
import { formatShape, printable, unknownName } from '../core/errors'
import {
  boolean,
  callback,
  extent,
  idle,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  text,
  unread,
} from '../core/options'
import { classNameOf } from '../core/registry'
import { count, formatBytes, tableLines } from '../core/table'
import { flatten } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { originOf, symbolsIn } from '../layers/symbol'
import type { Variable } from '../ops/variable'
import type { GraphCost } from '../engine/plan/cost'
import { flopsWithin, predictionCost, type CostedModel } from './cost'
import type { GraphCall, LayerGraph } from './layer-graph'

export interface SummaryOptions {
  /** Prints a line. Default null: console.log. */
  printFn?: ((line: string) => void) | null
  /** Also lists inner layers. Default false. */
  expandNested?: boolean
  /** Adds a column that says whether a layer is trainable: Y, N, or - without weights. Default false. */
  showTrainable?: boolean
  /**
   * The names of the first and the last layer to list, or regular expressions that match their beginnings. Default null: all
   * layers.
   */
  layerRange?: readonly [first: string, last: string] | null
  /**
   * Adds the floating-point operations of a prediction of one row, for each layer and in total: 1 for + − × ÷, 2 m·n·k
   * for a matrix product, 8 for exp, tanh and similar functions. Default false.
   */
  flops?: boolean
  /** Changes nothing: columns are as wide as their content. A number warns. Default null. */
  lineLength?: number | null
  /** The same. */
  positions?: readonly number[] | null
}

const WIDTHS = 'columns are as wide as their content'
const summaryTable = {
  printFn: option(nullable(callback<(line: string) => void>('a function of a line')), null),
  expandNested: option(boolean, false),
  showTrainable: option(boolean, false),
  layerRange: option(nullable(listOf(text, 2)), null),
  flops: option(boolean, false),
  lineLength: unread(idle(nullable(extent), [null], WIDTHS), null),
  positions: unread(idle(nullable(listOf(number())), [null], WIDTHS), null),
}

/** The parts of a model that a summary uses. */
interface Summarised extends CostedModel {
  readonly layers: readonly LayerBase[]
}

interface Row {
  readonly layer: LayerBase
  readonly shape: string
  readonly connectedTo: string
}

/** A row with the position of its layer in the model. */
interface PlacedRow extends Row {
  readonly depth: number
  /** The names of the model and of all layers down to this one, as a path. */
  readonly scope: string
}

interface Column {
  readonly title: string
  readonly of: (row: PlacedRow) => string
  readonly isNumber?: boolean
}

export function printSummary(model: Summarised, options: SummaryOptions): void {
  const { printFn, expandNested, showTrainable, layerRange, flops } = readOptions('summary', summaryTable, options)
  const print = printFn ?? console.log
  const rows = rowsOf(model, expandNested, 0, model.name, layerRange)
  const isGraph = model.graph !== null && !isChain(model.graph)
  const cost = flops && model.built ? predictionCost(model) : null
  const columns: readonly Column[] = [
    { title: 'Layer (type)', of: ({ depth, layer }) => `${'  '.repeat(depth)}${layer.name} (${classNameOf(layer)})` },
    { title: 'Output Shape', of: ({ shape }) => shape },
    {
      title: 'Param #',
      of: ({ layer }) => (layer.built ? count(layer.countParams()) : '? (not built)'),
      isNumber: true,
    },
    ...(flops ? [{ title: 'FLOPs', of: cost === null ? () => '?' : flopsOfRows(rows, cost), isNumber: true }] : []),
    ...(showTrainable ? [{ title: 'Trainable', of: trainableText }] : []),
    ...(isGraph ? [{ title: 'Connected to', of: ({ connectedTo }: PlacedRow) => connectedTo }] : []),
  ]
  const table = rows.map((row) => columns.map(({ of }) => of(row)))
  const titles = columns.map(({ title }) => title)
  print(`Model: "${printable(model.name)}"`)
  tableLines(
    titles,
    table.map((row) => row.map((cell) => printable(cell))),
    (column) => columns[column]!.isNumber === true,
  ).forEach((line) => print(line))
  if (!model.built) {
    print(' The weights are made at the first data, or when the first layer has an inputShape.')
    return
  }
  const trainable = model.trainableWeights
  const frozen = model.nonTrainableWeights
  print(` Total params: ${amount(model.weights)}`)
  print(` Trainable params: ${amount(trainable)}`)
  print(` Non-trainable params: ${amount(frozen)}`)
  if (flops)
    print(` FLOPs per sample: ${cost === null ? '? (they depend on extents that are open)' : count(cost.flops)}`)
}

function trainableText({ layer }: PlacedRow): string {
  if (layer.weights.length === 0) return '-'
  return layer.trainable ? 'Y' : 'N'
}

/** The operations of each row; a nested model's row counts all its inner layers. */
function flopsOfRows(rows: readonly PlacedRow[], cost: GraphCost): (row: PlacedRow) => string {
  const byDepth = new Map<number, Map<string, number>>()
  for (const depth of new Set(rows.map((row) => row.depth))) {
    byDepth.set(
      depth,
      flopsWithin(
        cost,
        rows.filter((row) => row.depth === depth).map(({ scope }) => scope),
      ),
    )
  }
  return ({ depth, scope }) => count(byDepth.get(depth)!.get(scope)!)
}

function rowsOf(
  model: Summarised,
  expandNested: boolean,
  depth: number,
  scope: string,
  range: readonly string[] | null = null,
): PlacedRow[] {
  const { graph } = model
  const rows: Row[] =
    graph === null ? model.layers.map((layer) => ({ layer, shape: '?', connectedTo: '-' })) : graphRows(model, graph)
  return within(rows, range).flatMap((row) => {
    const { layer } = row
    const inner = `${scope}/${layer.name}`
    return [
      { ...row, depth, scope: inner },
      ...(expandNested && isModel(layer) ? rowsOf(layer, expandNested, depth + 1, inner) : []),
    ]
  })
}

/** The rows between two layers, in Keras's way. @throws ArgumentError if a name matches no layer */
function within(rows: readonly Row[], range: readonly string[] | null): readonly Row[] {
  if (range === null) return rows
  const names = rows.map(({ layer }) => layer.name)
  const spanOf = (name: string): Span => {
    const pattern = new RegExp(`^(?:${name})`)
    const found = names.flatMap((each, i) => (pattern.test(each) ? [i] : []))
    if (found.length === 0) throw unknownName('layer in layerRange of summary', name, names)
    return { from: found[0]!, to: found.at(-1)! }
  }
  const [first, last] = [spanOf(range[0]!), spanOf(range[1]!)]
  return first.from > last.to ? rows.slice(last.from, first.to + 1) : rows.slice(first.from, last.to + 1)
}

/** The first and the last layer that a name matches. */
interface Span {
  readonly from: number
  readonly to: number
}

function isModel(layer: LayerBase): layer is Summarised {
  return 'layers' in layer && 'graph' in layer && 'predictStep' in layer
}

function graphRows(model: Summarised, graph: LayerGraph): Row[] {
  const callsOf = new Map<object, GraphCall[]>()
  for (const call of graph.calls) callsOf.set(call.layer, [...(callsOf.get(call.layer) ?? []), call])
  const shown = model.layers.includes(graph.inputLayers[0]!)
    ? graph.layers
    : graph.layers.filter((layer) => !(layer instanceof InputLayer))
  return shown.map((layer) => {
    const calls = callsOf.get(layer)
    if (calls === undefined)
      return { layer, shape: layer instanceof InputLayer ? formatShape(layer.spec.shape) : '?', connectedTo: '-' }
    const origins = calls
      .flatMap((call) => symbolsIn(call.input))
      .map((symbol) => {
        const { call, index } = originOf(symbol)!
        const node = callsOf.get(call.layer)?.findIndex((each) => each === call) ?? 0
        return `${call.layer.name}[${Math.max(0, node)}][${index}]`
      })
    const shapes = calls[0]!.outputs.map((output) => formatShape(originOf(output)!.spec.shape))
    return {
      layer,
      shape: shapes.length === 1 ? shapes[0]! : `[${shapes.join(', ')}]`,
      connectedTo: origins.join(', ') || '-',
    }
  })
}

/** Whether every layer is called once, on the output of the previous one: then the table has no connections. */
function isChain({ calls, inputs }: LayerGraph): boolean {
  let last = flatten(inputs)
  if (last.length !== 1) return false
  return calls.every((call) => {
    const symbols = symbolsIn(call.input)
    const follows = symbols.length === 1 && symbols[0] === last[0] && call.outputs.length === 1
    last = [...call.outputs]
    return follows
  })
}

function amount(variables: readonly Variable[]): string {
  const elements = variables.reduce((sum, { size }) => sum + size, 0)
  const bytes = variables.reduce((sum, { size, dtype }) => sum + size * dtypes[dtype].bytes, 0)
  return `${count(elements)} (${formatBytes(bytes)})`
}
