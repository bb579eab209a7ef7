// Makes a compiled model of a network as data, and the layers of the page of a model from another program.

import {
  Adam,
  AdamW,
  BatchNormalization,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  GaussianNoise,
  LayerNormalization,
  Lion,
  MaxPooling2D,
  Normalization,
  RMSprop,
  SGD,
  Sequential,
  regularizers,
  schedules,
  setRandomSeed,
  type Layer,
  type Model,
} from 'myelin'
import { KINDS, isKind, layerOf, type LayerSpec } from '../model/layers'
import type { Call, Network, Value } from '../model/network'

type Options = Record<string, never>
const CLASSES: Readonly<Record<string, (options: Options) => object>> = {
  Adam: (options) => new Adam(options),
  AdamW: (options) => new AdamW(options),
  BatchNormalization: (options) => new BatchNormalization(options),
  Conv2D: (options) => new Conv2D(options as never),
  CosineDecay: (options) => new schedules.CosineDecay(options as never),
  Dense: (options) => new Dense(options as never),
  Dropout: (options) => new Dropout(options as never),
  ExponentialDecay: (options) => new schedules.ExponentialDecay(options as never),
  Flatten: (options) => new Flatten(options),
  GaussianNoise: (options) => new GaussianNoise(options as never),
  L2: (options) => new regularizers.L2(options),
  LayerNormalization: (options) => new LayerNormalization(options),
  Lion: (options) => new Lion(options),
  MaxPooling2D: (options) => new MaxPooling2D(options),
  Normalization: (options) => new Normalization(options),
  RMSprop: (options) => new RMSprop(options),
  SGD: (options) => new SGD(options),
}

function made(value: Value): unknown {
  if (Array.isArray(value)) return value.map(made)
  if (typeof value !== 'object') return value
  const { className, options } = value as Call
  const make = CLASSES[className]
  if (make === undefined) throw new Error(`internal: no class ${className}`)
  return make(Object.fromEntries(Object.entries(options).map(([name, each]) => [name, made(each)])) as Options)
}

/** The model of a network, with weights from its seed. */
export function build(network: Network): Model {
  setRandomSeed(network.seed)
  const counts = new Map<string, number>()
  const layers = network.layers.map((call, i) => {
    const count = (counts.get(call.className) ?? 0) + 1
    counts.set(call.className, count)
    const isLast = i === network.layers.length - 1
    const name = isLast ? 'output' : `${call.className.toLowerCase()}_${count}`
    const shape = i === 0 ? { inputShape: network.inputShape } : {}
    return made({ ...call, options: { ...call.options, ...shape, name } }) as Layer
  })
  const model = new Sequential(layers, { name: 'model' })
  compile(model, network)
  return model
}

export function compile(model: Model, { optimizer, loss, metrics }: Network): void {
  model.compile({ optimizer: made(optimizer) as Adam, loss: loss as string, metrics: metrics as string[] })
}

/** The hidden layers of a model as the page edits them; null if it has other layers, or other options than those of the page. */
export function layersOf(model: Model): LayerSpec[] | null {
  const kinds = new Map<string, keyof typeof KINDS>(
    Object.keys(KINDS)
      .filter(isKind)
      .map((kind) => [KINDS[kind].className, kind]),
  )
  const silent = new Set(['InputLayer', 'Normalization', 'Flatten', 'Rescaling'])
  if (classNameOf(model.layers.at(-1)!) !== 'Dense') return null
  const hidden = model.layers.slice(0, -1).filter((layer) => !silent.has(classNameOf(layer)))
  const found = hidden.map((layer): LayerSpec | null => {
    const kind = kinds.get(classNameOf(layer))
    if (kind === undefined) return null
    const config = layer.getConfig() as Record<string, unknown>
    if (!isPlain(config)) return null
    const values = KINDS[kind].fields.map(({ name }): [string, unknown] => {
      const value = config[name]
      return [name, Array.isArray(value) ? value[0] : value]
    })
    return layerOf(kind, Object.fromEntries(values))
  })
  return found.every((each) => each !== null) ? found : null
}

/** Whether options that the page does not show have their usual values. */
function isPlain(config: Record<string, unknown>): boolean {
  const usual: readonly (readonly [string, readonly unknown[]])[] = [
    ['useBias', [true]],
    ['padding', ['valid']],
    ['dataFormat', ['channelsLast', 'channels_last', null]],
    ['groups', [1]],
  ]
  return usual.every(([name, values]) => !(name in config) || values.includes(config[name]))
}

export function classNameOf(layer: object): string {
  const { className, name } = layer.constructor as { className?: string; name: string }
  return className ?? name
}
