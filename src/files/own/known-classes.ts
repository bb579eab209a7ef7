// The classes of models, and of layers that an application gives, by the names in files. Names no layer itself.

import { ArgumentError } from '../../core/errors'
import { Registry, nameOfClass, receivedText, type CustomObjects } from '../../core/registry'
import { Layer } from '../../layers/layer'
import type { LayerClass } from '../../models/load-options'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'

export const modelClasses: CustomObjects = { Model, Sequential, Functional: Model }

/** A class of the user that has one of these names is not saved. */
export const models = /* @__PURE__ */ new Registry('model', Layer, () => modelClasses, {
  aliases: { Functional: 'Model' },
})

/** @throws ArgumentError for a value that is not a class of layers */
export function classesOf(layers: readonly unknown[]): CustomObjects {
  const named = layers.map((each): [string, LayerClass] => {
    if (isLayerClass(each)) return [nameOfClass(each), each]
    throw new ArgumentError(
      `loadModel: layers must be classes of layers, such as [Dense], received ${receivedText(each)}`,
    )
  })
  return { ...modelClasses, ...Object.fromEntries(named) }
}

function isLayerClass(value: unknown): value is LayerClass {
  return typeof value === 'function' && value.prototype instanceof Layer
}
