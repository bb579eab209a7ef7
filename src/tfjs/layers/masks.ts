// Masks of time steps. Some layers of TensorFlow.js ignore them, unlike those of Keras.

import { nameOfClass } from '../../core/registry'
import { isBranch } from '../../core/tree'
import type { LayerBase } from '../../layers/layer'
import type { MaskTrail } from '../../layers/masks'
import { Bidirectional } from '../../layers/recurrent/bidirectional'
import type { LayerGraph } from '../../models/layer-graph'
import { Tensor } from '../../ops/tensor'

/** Whether a layer computes the same with a mask as without it in TensorFlow.js, but not here. */
function ignoresMask(layer: LayerBase): boolean {
  if (layer instanceof Bidirectional) return layer.layer.returnSequences
  return nameOfClass(layer.constructor) === 'GlobalAveragePooling1D'
}

/** The layers of a graph that get a mask which they would ignore. */
export function layersIgnoringMasks({ calls }: LayerGraph): readonly LayerBase[] {
  const trails = new Map<Tensor, MaskTrail>()
  const found: LayerBase[] = []
  for (const { layer, input, outputs } of calls) {
    const inputs = symbolsIn(input)
    const masks = inputs.map((symbol) => trails.get(symbol) ?? null)
    if (ignoresMask(layer) && masks.some((mask) => mask !== null)) found.push(layer)
    const trail = layer.maskTrail(inputs, masks)
    if (trail !== null) trails.set(outputs[0]!, trail)
  }
  return found
}

function symbolsIn(tree: unknown): Tensor[] {
  if (tree instanceof Tensor) return [tree]
  return isBranch(tree) ? Object.values<unknown>(tree).flatMap(symbolsIn) : []
}
