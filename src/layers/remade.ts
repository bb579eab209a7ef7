// Copies of objects from their configurations: of layers, and of the objects given to compile.

import { optionsOf } from '../core/options'
import {
  classNameOf,
  construct,
  customObjectScope,
  describing,
  type Configurable,
  type CustomObjects,
} from '../core/registry'
import { ArgumentError } from '../core/errors'
import { Layer, type LayerBase } from './layer'

/**
 * A layer of the same class and configuration, with new weights.
 * @param changed options that differ
 * @param of another class with these options
 * @throws ArgumentError for a class that cannot be constructed from its configuration
 */
export function remade(layer: LayerBase, changed: object = {}, of: unknown = layer.constructor): LayerBase {
  const made = madeAgain(layer, changed, classesWithin(layer), of)
  if (made instanceof Layer) return made
  throw new ArgumentError(`${layer} cannot be made again from its getConfig()`)
}

/**
 * An object of the same class and configuration. It shares the user's functions, which need no names.
 * @param changed options that differ
 * @param objects classes that the configuration may name
 * @param of another class with these options
 */
export function madeAgain(
  object: Configurable,
  changed: object = {},
  objects: CustomObjects = {},
  of: unknown = object.constructor,
): unknown {
  const { result, functions } = describing(() => object.getConfig())
  const config = Object.entries(result).map(([name, value]): [string, unknown] => {
    const member: unknown = Reflect.get(object, name)
    // A user's function may have no name, so it is passed on itself.
    return [name, typeof member === 'function' && typeof value === 'string' ? member : value]
  })
  const options = { ...Object.fromEntries(config), ...changed }
  return customObjectScope({ ...objects, ...functions }, () => construct(of, options))
}

/** The classes and functions that a layer's configuration may name. */
function classesWithin(layer: LayerBase): CustomObjects {
  const objects: Record<string, unknown> = {}
  const note = (value: unknown): void => {
    if (typeof value === 'function') objects[value.name] = value
    else if (typeof value === 'object' && value !== null && 'getConfig' in value)
      objects[classNameOf(value)] = value.constructor
  }
  for (const each of layer.allLayers) {
    note(each)
    for (const name of Object.keys(optionsOf(each.constructor))) note(Reflect.get(each, name))
  }
  return objects
}
