// plotModel: the layers of a model as a graph, with shapes, parameters and costs.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { boolean, custom, nullable, option, readOptions } from '../core/options'
import { count } from '../core/table'
import { Model } from '../models/model'
import type { Ledger } from '../thrift/ledger'
import { modelGraph, type ModelGraph } from './model-graph'
import { at, drawGraph, paramsOf } from './model-parts'
import { Picture } from './drawing/picture'
import { HEAD, label, picture, pictureTable, type PictureOptions } from './drawing/svg'

export interface PlotModelOptions extends PictureOptions {
  /** Draws the layers within nested models. Default true. */
  readonly nested?: boolean
  /** The result of `ledger(model)` of `myelin/thrift`: each layer shows its share of the operations. Default none. */
  readonly ledger?: Ledger | null
}

function isLedger(value: unknown): value is Ledger {
  return typeof value === 'object' && value !== null && 'rows' in value && 'prediction' in value
}

const ledgerKind = custom<Ledger>(
  (value, where) => {
    if (isLedger(value)) return value
    throw new ArgumentError(`${where} must be the result of ledger(model), received ${quoted(value)}`)
  },
  () => null,
)

const table = () =>
  merged(pictureTable(''), {
    nested: option(boolean, true),
    ledger: option(nullable(ledgerKind), null),
  })

/** A graph in words. */
function say({ nodes, edges }: ModelGraph): string {
  const words = nodes.map((node, i) => {
    const sources = edges.filter(([, to]) => to === i).map(([from]) => nodes[from]!.name)
    const from = sources.length === 0 ? '' : ` from ${sources.join(' and ')}`
    const parameters = paramsOf(node)
    const sentence = `${node.name} (${node.className})${from}: ${node.shape}${parameters === '' ? '' : `, ${parameters}`}.`
    return node.inner === null ? sentence : `${sentence} It contains: ${say(node.inner)}`
  })
  return words.join(' ')
}

/**
 * A model as a graph: layers with their output shapes and parameters, arrows from inputs to outputs, nested models in frames.
 *
 *   await plotModel(model, { ledger: ledger(model) }).save('model.svg')
 *
 * A model that is not functional, or not built, is drawn as the list of its layers.
 * @throws ArgumentError for values that are not a model; DataError for a model without layers
 */
export function plotModel(model: Model, options: PlotModelOptions = {}): Picture {
  requireArguments('plotModel', arguments, 2)
  const { nested, ledger, title, description } = readOptions('plotModel', table(), options)
  if (!(model instanceof Model)) throw new ArgumentError(`plotModel: needs a model, received ${quoted(model)}`)
  const graph = modelGraph(model, nested)
  if (graph.nodes.length === 0) throw new DataError(`plotModel: the model "${model.name}" has no layers yet`)
  const total = ledger?.prediction.flops ?? 0
  const rows = ledger?.rows.filter(({ className, prediction }) => className !== null && prediction.flops > 0) ?? []
  const shares = new Map(rows.map(({ name, prediction }) => [name, prediction.flops / total]))
  const { width, height, svg } = drawGraph(graph, shares)
  const text = { title: title === '' ? model.name : title, description }
  const all = model.built ? `${count(model.countParams())} parameters` : 'not built yet'
  const wide = Math.max(260, width + 40)
  const body = label(all, 'soft', { x: 16, y: HEAD + 4 }) + at((wide - width) / 2, HEAD + 20, svg)
  return new Picture(picture({ width: wide, height: HEAD + 20 + height + 20 }, text, `${all}. ${say(graph)}`, body))
}
