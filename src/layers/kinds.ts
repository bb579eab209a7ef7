// Kinds of options that several layers use.

import { merged } from '../core/merged'
import { activationName, getActivation, type ActivationFunction, type ActivationIdentifier } from '../parts/activations'
import { ArgumentError, FormatError, quoted } from '../core/errors'
import { always, custom, idle, listOf, named, nullable, number, option, unread, type Kind } from '../core/options'
import { isSerialized, noteOption, type Json, type Serialized } from '../core/registry'
import { isBranch } from '../core/tree'
import type { Constraint, ConstraintIdentifier } from '../parts/constraints'
import { constraints } from '../parts/constraints/registry'
import type { Initializer, InitializerIdentifier } from '../parts/initializers'
import { initializers } from '../parts/initializers/registry'
import type { Regularizer, RegularizerIdentifier } from '../parts/regularizers'
import { regularizers } from '../parts/regularizers/registry'
import { Layer, type LayerBase } from './layer'
import { layerFromConfig, layerToConfig } from './saved'

/** A name or a function; null is linear. */
export const activation: Kind<ActivationFunction, ActivationIdentifier | null> = /* @__PURE__ */ custom(
  (value, where) => {
    if (typeof value === 'function') noteOption(value, where)
    return getActivation(value)
  },
  (value) => activationName(value),
)

const anyInitializer = named<Initializer, InitializerIdentifier>(initializers)

/** null is Keras's default of a weight. */
export const initializer: Kind<Initializer, InitializerIdentifier | null> = merged(anyInitializer, {
  read: (value: unknown, where: string) => anyInitializer.read(value ?? 'glorotUniform', where),
})

export const regularizer: Kind<Regularizer | null, RegularizerIdentifier | null> = /* @__PURE__ */ nullable(
  /* @__PURE__ */ named<Regularizer, RegularizerIdentifier>(regularizers),
)

export const constraint: Kind<Constraint | null, ConstraintIdentifier | null> = /* @__PURE__ */ nullable(
  /* @__PURE__ */ named<Constraint, ConstraintIdentifier>(constraints),
)

export { dataFormat } from '../ops/nn/channels'

/** Options of Keras for what a function does here to a built layer. */
const asFunction = () => unread(always([null], 'use enableLora or quantize'), null)

/** Keras's options of narrow matrices in place of a kernel. */
const loraRows = () => ({
  /** Must be null: `enableLora(layer, rank)` trains narrow matrices in place of the kernel. Default null. */
  loraRank: asFunction(),
  /** Changes nothing without loraRank: it is an option of `enableLora`. Others than null warn. Default null. */
  loraAlpha: unread(idle(nullable(number()), [null], 'use enableLora or quantize'), null),
})
type LoraRows = ReturnType<typeof loraRows>
export type LoraTable = { [Name in keyof LoraRows]: LoraRows[Name] }
export const loraOptions: () => LoraTable = loraRows

/** Options of Keras's layers with a kernel or a table whose defaults alone are supported. */
const kernelRows = () =>
  merged(loraOptions(), {
    /** Must be null: `quantize` of myelin/thrift makes int8 weights. Default null. */
    quantizationConfig: asFunction(),
  })
type KernelRows = ReturnType<typeof kernelRows>
export type KernelTable = { [Name in keyof KernelRows]: KernelRows[Name] }
export const kernelOptions: () => KernelTable = kernelRows

/** Plain data: what JSON can represent. */
export const plainData: Kind<unknown> = /* @__PURE__ */ custom((value) => value, toJson)

function toJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (!isBranch(value))
    throw new FormatError(
      `${quoted(value)} cannot be saved: only numbers, texts, true, false, null, and lists and records of them can`,
    )
  if (Array.isArray(value)) return value.map(toJson)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)]))
}

/** An inner layer: an instance, or its saved form. */
export const innerLayer: Kind<Layer, Layer | Serialized> = /* @__PURE__ */ custom((value, where) => {
  const layer = isSerialized(value) ? layerFromConfig(value) : value
  if (layer instanceof Layer) return layer
  throw new ArgumentError(`${where} must be a layer, received ${quoted(value)}`)
}, layerToConfig)

/** A layer of a model, or its name. */
export type LayerName = string | LayerBase

const layerName = /* @__PURE__ */ custom<LayerName>(
  (value, where) => {
    if (typeof value === 'string' || value instanceof Layer) return value
    throw new ArgumentError(`${where} must be a layer or the name of one, received ${quoted(value)}`)
  },
  (value) => (typeof value === 'string' ? value : value.name),
)

/** The option that selects the layers that a method applies to; null selects all that it can apply to. */
export const layersOption = () => option(nullable(listOf(layerName)), null)

/** Whether `name` is this layer or its name. */
export function isNamed(name: LayerName, layer: LayerBase): boolean {
  return typeof name === 'string' ? layer.name === name : layer === name
}
