// plotModel: the layers of a model as a graph, with shapes, parameters and costs.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { boolean, custom, nullable, option } from '../core/options'
import { count } from '../core/table'
import { Model } from '../models/model'
import { readTyped } from '../ops/arguments'
import type { Ledger } from '../thrift/ledger'
import { placeInRows } from './layered'
import { widthOf } from './lines'
import type { ModelGraph, ModelNode } from './model-graph'
import { modelGraph } from './model-graph'
import { Picture } from './picture'
import type { PictureOptions } from './svg'
import { HEAD, coordinate, element, label, picture, pictureTable } from './svg'

export interface PlotModelOptions extends PictureOptions {
  /** Draws the layers within nested models. Default true. */
  readonly nested?: boolean
  /** What `ledger(model)` of `myelin/thrift` returns: each layer shows its share of the operations. Default none. */
  readonly ledger?: Ledger | null
}

const ledgerKind = custom<Ledger>(
  (value, where) => {
    if (typeof value === 'object' && value !== null && 'rows' in value && 'prediction' in value) return value as Ledger
    throw new ArgumentError(`${where} must be what ledger(model) returns, received ${quoted(value)}`)
  },
  () => null,
)

const table = () => ({
  ...pictureTable(''),
  nested: option(boolean, true),
  ledger: option(nullable(ledgerKind), null),
})

const CARD = { width: 248, height: 50 }
/** The colours of the bars at the left of layers. */
const BARS = { input: 'fill2', weights: 'fill0', plain: 'soft' } as const
const FRAME = { x: 14, head: 46, foot: 14 }

/** A drawing of known size, whose upper left corner is at (0, 0). */
interface Part {
  readonly width: number
  readonly height: number
  readonly svg: string
}

const at = (x: number, y: number, svg: string): string =>
  element('g', null, { transform: `translate(${coordinate(x)} ${coordinate(y)})` }, svg)

const paramsOf = ({ parameters }: ModelNode): string =>
  parameters === null ? 'not built' : parameters === 0 ? '' : `${count(parameters)} params`

type Shares = ReadonlyMap<string, number>
const percent = (share: number): string => (share < 0.01 ? '<1 % FLOPs' : `${Math.round(100 * share)} % FLOPs`)

function card(node: ModelNode, shares: Shares): Part {
  const { width, height } = CARD
  const share = shares.get(node.name)
  const room = Math.floor((width - 28 - widthOf(node.shape, 11)) / 7)
  const second = [node.className, paramsOf(node)].filter((each) => each !== '').join(', ')
  const svg = [
    element('rect', 'card', { width, height, rx: 7 }),
    element('rect', BARS[node.kind], { x: 1, y: 7, width: 4, height: height - 14, rx: 2 }),
    label(node.name, 'ink', { x: 14, y: 21, 'font-weight': 600 }, Math.max(8, room)),
    label(node.shape, 'soft', { x: width - 10, y: 21, 'font-size': 11, 'text-anchor': 'end' }, 26),
    label(second, 'soft', { x: 14, y: 38, 'font-size': 11 }, share === undefined ? 36 : 26),
    ...(share === undefined
      ? []
      : [
          label(percent(share), 'ink', { x: width - 10, y: 38, 'font-size': 11, 'text-anchor': 'end' }),
          element('rect', 'fill1', { x: 7, y: height - 4, width: (width - 14) * Math.min(1, share), height: 3 }),
        ]),
  ].join('')
  return { width, height, svg }
}

/** A nested model: a frame around its graph. */
function frame(node: ModelNode, inner: ModelGraph, shares: Shares): Part {
  const graph = drawGraph(inner, new Map())
  const width = Math.max(CARD.width, graph.width + 2 * FRAME.x)
  const height = graph.height + FRAME.head + FRAME.foot
  const share = shares.get(node.name)
  const said = [node.className, paramsOf(node), ...(share === undefined ? [] : [percent(share)])].filter(Boolean)
  const svg = [
    element('rect', 'axis', { width, height, rx: 9, fill: 'none', 'stroke-dasharray': '4 3' }),
    label(node.name, 'ink', { x: FRAME.x, y: 19, 'font-weight': 600 }, Math.floor(width / 8)),
    label(said.join(', '), 'soft', { x: FRAME.x, y: 35, 'font-size': 11 }, Math.floor(width / 6)),
    at((width - graph.width) / 2, FRAME.head, graph.svg),
  ].join('')
  return { width, height, svg }
}

function drawGraph({ nodes, edges }: ModelGraph, shares: Shares): Part {
  const parts = nodes.map((node) => (node.inner === null ? card(node, shares) : frame(node, node.inner, shares)))
  const { places, routes, width, height } = placeInRows(parts, edges)
  const arrows = routes.map((points) => {
    const [[x, y], ...others] = points as [[number, number], ...[number, number][]]
    let [fromX, fromY] = [x, y]
    const path = others.map(([toX, toY]) => {
      const middle = (fromY + toY) / 2
      const part =
        fromX === toX ? `V${coordinate(toY)}` : `C${[fromX, middle, toX, middle, toX, toY].map(coordinate).join(' ')}`
      ;[fromX, fromY] = [toX, toY]
      return part
    })
    const tip = `M${coordinate(fromX - 4)} ${coordinate(fromY - 6)}l4 6l4 -6`
    return element('path', 'axis', {
      d: `M${coordinate(x)} ${coordinate(y)}${path.join('')}${tip}`,
      fill: 'none',
      'stroke-width': 1.5,
    })
  })
  const drawn = parts.map((part, i) => at(places[i]!.x - part.width / 2, places[i]!.y, part.svg))
  return { width, height, svg: [...arrows, ...drawn].join('') }
}

function say({ nodes, edges }: ModelGraph): string {
  const words = nodes.map((node, i) => {
    const sources = edges.filter(([, to]) => to === i).map(([from]) => nodes[from]!.name)
    const from = sources.length === 0 ? '' : ` from ${sources.join(' and ')}`
    const parameters = paramsOf(node)
    const own = `${node.name} (${node.className})${from}: ${node.shape}${parameters === '' ? '' : `, ${parameters}`}.`
    return node.inner === null ? own : `${own} It contains: ${say(node.inner)}`
  })
  return words.join(' ')
}

/**
 * A model as a graph: layers with their output shapes and parameters, arrows from inputs to outputs, nested models in frames.
 *
 *   await plotModel(model, { ledger: ledger(model) }).save('model.svg')
 *
 * A model that is not functional, or not built, is drawn as the list of its layers.
 * @throws ArgumentError for what is no model; DataError for a model without layers
 */
export function plotModel(model: Model, options: PlotModelOptions = {}): Picture {
  requireArguments('plotModel', arguments, 2)
  const { nested, ledger, title, description } = readTyped('plotModel', table(), options)
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
