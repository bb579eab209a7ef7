// The table that model.summary() prints, like Keras's: layers, shapes, parameters, for graphs each layer's connections,
// and on request the cost of a prediction.

import { dtypes } from '../core/dtypes'
import { checkOptions, formatShape } from '../core/errors'
import { classNameOf } from '../core/registry'
import { count, formatBytes, tableLines } from '../core/table'
import { flatten } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { originOf, symbolsIn } from '../layers/symbol'
import type { Variable } from '../ops/variable'
import type { GraphCost } from '../plan/cost'
import type { CostedModel } from './cost'
import { flopsWithin, predictionCost } from './cost'
import type { GraphCall, LayerGraph } from './layer-graph'

export interface SummaryOptions {
  /** Prints the lines. Default console.log. */
  print?: (line: string) => void
  /** Also lists inner layers. Default false. */
  expandNested?: boolean
  /**
   * Adds the floating-point operations of a prediction of one row, for each layer and in total: 1 for + − × ÷, 2 m·n·k
   * for a matrix product, 8 for exp, tanh and similar functions. Default false.
   */
  flops?: boolean
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

export function printSummary(model: Summarised, options: SummaryOptions): void {
  checkOptions('summary', options, ['print', 'expandNested', 'flops'])
  const { print = console.log, expandNested = false, flops = false } = options
  const rows = rowsOf(model, expandNested, 0, model.name)
  const isGraph = model.graph !== null && !isChain(model.graph)
  const cost = flops && model.built ? predictionCost(model) : null
  const flopsOf = cost === null ? () => '?' : flopsOfRows(rows, cost)
  const head = [
    'Layer (type)',
    'Output Shape',
    'Param #',
    ...(flops ? ['FLOPs'] : []),
    ...(isGraph ? ['Connected to'] : []),
  ]
  const isNumber = (column: number): boolean => column === 2 || (flops && column === 3)
  const table = rows.map((row) => [
    `${'  '.repeat(row.depth)}${row.layer.name} (${classNameOf(row.layer)})`,
    row.shape,
    row.layer.built ? count(row.layer.countParams()) : '? (not built)',
    ...(flops ? [flopsOf(row)] : []),
    ...(isGraph ? [row.connectedTo] : []),
  ])
  print(`Model: "${model.name}"`)
  tableLines(head, table, isNumber).forEach((line) => print(line))
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

function rowsOf(model: Summarised, expandNested: boolean, depth: number, scope: string): PlacedRow[] {
  const { graph } = model
  const rows: Row[] =
    graph === null ? model.layers.map((layer) => ({ layer, shape: '?', connectedTo: '-' })) : graphRows(model, graph)
  return rows.flatMap((row) => {
    const { layer } = row
    const own = `${scope}/${layer.name}`
    return [
      { ...row, depth, scope: own },
      ...(expandNested && isModel(layer) ? rowsOf(layer, expandNested, depth + 1, own) : []),
    ]
  })
}

function isModel(layer: LayerBase): layer is Summarised {
  return 'layers' in layer && 'graph' in layer && 'predictStep' in layer
}

function graphRows(model: Summarised, graph: LayerGraph): Row[] {
  const callsOf = new Map<LayerBase, GraphCall[]>()
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
        const node = callsOf.get(call.layer as LayerBase)?.indexOf(call as GraphCall) ?? 0
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
