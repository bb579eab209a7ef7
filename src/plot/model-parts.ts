// Draws the layers, frames and arrows of a graph of layers.

import { count } from '../core/table'
import { placeInRows } from './layered'
import { widthOf } from './drawing/lines'
import type { ModelGraph, ModelNode } from './model-graph'
import { coordinate, element, label } from './drawing/svg'

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

export const at = (x: number, y: number, svg: string): string =>
  element('g', null, { transform: `translate(${coordinate(x)} ${coordinate(y)})` }, svg)

export function paramsOf({ parameters }: ModelNode): string {
  if (parameters === null) return 'not built'
  return parameters === 0 ? '' : `${count(parameters)} params`
}

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
          share < 0.01
            ? ''
            : element('rect', 'fill1', { x: 7, y: height - 4, width: (width - 14) * Math.min(1, share), height: 3 }),
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
  const facts = [node.className, paramsOf(node), ...(share === undefined ? [] : [percent(share)])].filter(Boolean)
  const svg = [
    element('rect', 'axis', { width, height, rx: 9, fill: 'none', 'stroke-dasharray': '4 3' }),
    label(node.name, 'ink', { x: FRAME.x, y: 19, 'font-weight': 600 }, Math.floor(width / 8)),
    label(facts.join(', '), 'soft', { x: FRAME.x, y: 35, 'font-size': 11 }, Math.floor(width / 6)),
    at((width - graph.width) / 2, FRAME.head, graph.svg),
  ].join('')
  return { width, height, svg }
}

export function drawGraph({ nodes, edges }: ModelGraph, shares: Shares): Part {
  const parts = nodes.map((node) => (node.inner === null ? card(node, shares) : frame(node, node.inner, shares)))
  const { places, routes, width, height } = placeInRows(parts, edges)
  const arrows = routes.map((points) => {
    const [x, y] = points[0]!
    let [fromX, fromY] = [x, y]
    const path = points.slice(1).map(([toX, toY]) => {
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
