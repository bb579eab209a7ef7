// The namespace `layers`: all layers, functions that combine inputs, and Keras's serialize and deserialize. Only this
// namespace needs the registry of all layers, so an application that does not call them contains only the layers that it uses.

import { ObjectNamespace, type SavedObject } from '../core/identified'
import { classesIn, type CustomObjects, type Serialized } from '../core/registry'
import * as initializers from '../parts/initializers'
import type { Layer, LayerBase } from '../layers/layer'
import { layers } from '../layers/registry'

export * from '../layers'
export * from '../layers/merging/functions'

const namespace = /* @__PURE__ */ new ObjectNamespace('layers', layers, { classes: () => classesIn(initializers) })

/** The configuration of a layer, without its weights. Keras: `keras.layers.serialize`. */
export function serialize(layer: LayerBase): Serialized {
  return namespace.serialize(layer, arguments)
}

/**
 * A layer with new weights from its configuration; `modelFromJSON` makes models.
 *
 *   const copy = layers.deserialize(layers.serialize(layer))
 *
 * Keras: `keras.layers.deserialize`.
 * @param customObjects your own classes and functions, by name
 * @throws ArgumentError for an unknown name, with the nearest known one
 */
export function deserialize(saved: SavedObject | string, customObjects: CustomObjects = {}): Layer {
  return namespace.deserialize(saved, customObjects, arguments)
}
