// Where the masks of a functional model's tensors come from, for formats whose programs pass fewer masks to calls than this library.

import { classNameOf } from '../../core/registry'
import type { MaskTrail } from '../../layers/masks'
import { isSymbol } from '../../layers/symbol'
import { LayerGraph, type GraphCall } from '../../models/layer-graph'
import { symbolsByKey } from '../../models/graph-order'
import type { Tensor } from '../../ops/tensor'
import { maskTrailOf, replayedBy } from '../../layers/traits'

/** The call of the layer that makes a mask, or a mask that is an option of a call; 'elsewhere' for all others. */
export type MaskSource = GraphCall | Tensor | 'elsewhere'

/** The sources of the masks of all masked tensors of a graph. @param ofInputs the sources of the masks of its inputs */
export function maskSources(
  { inputs, calls }: LayerGraph,
  ofInputs: readonly (MaskSource | null)[] = [],
): ReadonlyMap<Tensor, MaskSource> {
  const sources = new Map<Tensor, MaskSource>()
  const put = (symbol: Tensor, source: MaskSource | null): void => void (source !== null && sources.set(symbol, source))
  symbolsByKey(inputs).forEach((symbol, i) => put(symbol, ofInputs[i] ?? null))
  for (const call of calls) {
    const operands = symbolsByKey(call.input)
    const ofOperands = operands.map((symbol) => sourceFor(call, sources.get(symbol) ?? null))
    const { layer, outputs } = call
    const graph = replayedBy(layer)
    if (graph instanceof LayerGraph) {
      const inner = maskSources(graph, ofOperands)
      symbolsByKey(graph.outputs).forEach((symbol, i) => {
        const source = inner.get(symbol) ?? null
        put(outputs[i]!, source === null || ofOperands.includes(source) ? source : 'elsewhere')
      })
      continue
    }
    // An empty trail in place of each mask shows which of them the layer passes on.
    const trails = ofOperands.map((source): MaskTrail | null => (source === null ? null : new Map()))
    const trail = maskTrailOf(layer, operands, trails)
    if (trail === null) continue
    const isMade = ['Embedding', 'Masking'].includes(classNameOf(layer))
    put(outputs[0]!, isMade ? call : (ofOperands[trails.indexOf(trail)] ?? 'elsewhere'))
  }
  return sources
}

/** The source of the mask of an operand of a call. */
function sourceFor({ options: { mask } }: GraphCall, source: MaskSource | null): MaskSource | null {
  if (mask === undefined || mask === null) return source
  return isSymbol(mask) ? mask : 'elsewhere'
}
