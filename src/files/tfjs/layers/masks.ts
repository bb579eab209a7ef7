// Masks of time steps. Some layers of TensorFlow.js ignore them, unlike those of Keras.

import { nameOfClass } from '../../../core/registry'
import { maskSources } from '../../keras/masks'
import type { LayerBase } from '../../../layers/layer'
import { Bidirectional } from '../../../layers/recurrent/bidirectional'
import { symbolsByKey } from '../../../models/graph-order'
import type { LayerGraph } from '../../../models/layer-graph'

/** Whether a layer computes the same with a mask as without it in TensorFlow.js, but not here. */
function ignoresMask(layer: LayerBase): boolean {
  if (layer instanceof Bidirectional) return layer.layer.returnSequences
  return nameOfClass(layer.constructor) === 'GlobalAveragePooling1D'
}

/** The layers of a graph that get a mask which only one of the two programs ignores. */
export function layersIgnoringMasks(graph: LayerGraph): readonly LayerBase[] {
  const masks = maskSources(graph)
  return graph.calls
    .filter(
      ({ layer, input, options }) =>
        ignoresMask(layer) !== (options['mask'] === null) && symbolsByKey(input).some((symbol) => masks.has(symbol)),
    )
    .map(({ layer }) => layer)
}
