// Kinds of options that layers have in common.

import type { Activation, ActivationIdentifier } from '../activations'
import { activationName, getActivation } from '../activations'
import { hasNonFinite } from '../core/dtypes'
import { ArgumentError, FormatError, quoted } from '../core/errors'
import type { Kind } from '../core/options'
import { choice, custom, listOf, named, nullable, option } from '../core/options'
import type { Json, Serialized } from '../core/registry'
import { customObject, isSerialized, serialize } from '../core/registry'
import { isBranch } from '../core/tree'
import type { Constraint, ConstraintIdentifier } from '../constraints'
import { constraints } from '../constraints/registry'
import type { Initializer, InitializerIdentifier } from '../initializers'
import { initializers } from '../initializers/registry'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import type { NestedArray } from '../ops/tensor'
import type { Regularizer, RegularizerIdentifier } from '../regularizers'
import { regularizers } from '../regularizers/registry'
import { LayerBase } from './base'
import { Layer } from './layer'
import { layerFromConfig } from './saved'

/** A name or a function; null is linear. */
export const activation: Kind<Activation, ActivationIdentifier | null> = /* @__PURE__ */ custom(
  (value) => getActivation(value as ActivationIdentifier | null),
  (value) => activationName(value),
)

export const initializer: Kind<Initializer, InitializerIdentifier> = /* @__PURE__ */ named(initializers)

export const regularizer: Kind<Regularizer | null, RegularizerIdentifier | null> = /* @__PURE__ */ nullable(/* @__PURE__ */ named(regularizers))

export const constraint: Kind<Constraint | null, ConstraintIdentifier | null> = /* @__PURE__ */ nullable(/* @__PURE__ */ named(constraints))

/** Where the channels are; null is last. */
export const dataFormat = /* @__PURE__ */ nullable(/* @__PURE__ */ choice('channelsLast', 'channelsFirst'))

type AnyFunction = (...inputs: never[]) => unknown

/** Names that an anonymous function has of itself: none, or that of the property it was written at. */
const isNameless = (name: string): boolean => name === '' || name === 'function'

/** A function of the user's own: given itself, or by its name among the custom objects; saved by its name. */
export function ownFunction<Fn extends AnyFunction>(): Kind<Fn, Fn | string> {
  return custom(
    (value, where) => {
      const found = typeof value === 'string' ? customObject(value) : value
      if (typeof found === 'function') return found as Fn
      if (typeof value === 'string') throw new ArgumentError(`Unknown function '${value}' (${where}).`)
      throw new ArgumentError(`${where} must be a function, received ${quoted(value)}`)
    },
    ({ name }) => {
      if (!isNameless(name)) return name
      throw new FormatError('An anonymous function cannot be saved. Give it a name, by which it is found in customObjects: const double = (x) => ops.multiply(x, 2)')
    },
  )
}

/** Plain data: what JSON can hold. */
export const plainData: Kind<unknown> = /* @__PURE__ */ custom((value) => value, toJson)

function toJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (!isBranch(value)) throw new FormatError(`${quoted(value)} cannot be saved: only numbers, texts, true, false, null, and lists and records of them can`)
  if (Array.isArray(value)) return value.map(toJson)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)]))
}

/** Numbers that do not change: one, or lists of them, or a tensor of them; kept as numbers and lists. */
export const constants: Kind<NestedArray, TensorLike> = /* @__PURE__ */ custom<NestedArray, TensorLike>(
  (value, where) => {
    const given = toTensor(value as TensorLike, where)
    if (given.size === 0 || hasNonFinite(given.data)) throw new ArgumentError(`${where} must be a finite number, or lists of them, received ${quoted(value)}`)
    return Array.isArray(value) && !value.some(ArrayBuffer.isView) ? (value as NestedArray) : typeof value === 'number' ? value : given.toArray()
  },
  (value) => toJson(value),
)

/** A layer within a layer: given itself, or in its saved form. */
export const innerLayer: Kind<Layer, Layer | Serialized> = /* @__PURE__ */ custom(
  (value, where) => {
    const layer = isSerialized(value) ? layerFromConfig(value) : value
    if (layer instanceof Layer) return layer
    throw new ArgumentError(`${where} must be a layer, received ${quoted(value)}`)
  },
  (layer) => serialize(layer),
)

/** A layer of a model, or its name. */
export type LayerName = string | LayerBase

const layerName = /* @__PURE__ */ custom<LayerName>(
  (value, where) => {
    if (typeof value === 'string' || value instanceof LayerBase) return value
    throw new ArgumentError(`${where} must be a layer or the name of one, received ${quoted(value)}`)
  },
  (value) => (typeof value === 'string' ? value : value.name),
)

/** The option by which a method is told which layers it is about; null is all that it can. */
export const layersOption = () => option(nullable(listOf(layerName)), null)

/** Whether a layer is meant. */
export function isNamed(name: LayerName, layer: LayerBase): boolean {
  return typeof name === 'string' ? layer.name === name : layer === name
}
