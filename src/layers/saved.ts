// Restores a layer from its saved form. Knows no class by name: the code that reads a file opens a scope with all
// classes, so that other pages carry only the layers that they use.

import { unknownName } from '../core/errors'
import type { Serialized } from '../core/registry'
import { construct, customObject } from '../core/registry'
import type { LayerBase } from './layer'
import { Layer } from './layer'

/**
 * A layer from its class name and configuration; the class is looked for among the custom objects in scope.
 * @throws ArgumentError if it is not there
 */
export function layerFromConfig(saved: Serialized): LayerBase {
  const layer = construct(customObject(saved.className), saved.config)
  if (layer instanceof Layer) return layer
  throw unknownName('layer', saved.className, [])
}
