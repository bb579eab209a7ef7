// Makes layers from saved configurations.

import { ArgumentError } from '../core/errors'
import { initializers } from '../initializers/registry'
import type { Config, Configurable, Json } from '../core/registry'
import { Registry, isSerialized } from '../core/registry'
import { regularizers } from '../regularizers/registry'
import { Activation, Dense, Dropout, Flatten, InputLayer, Reshape } from './core/basic'
import type { LayerOptions } from './layer'
import { Layer } from './layer'

const isLayer = (value: unknown): value is Layer => value instanceof Layer

// A saved configuration is JSON from anywhere: every field is checked before it is used.
class Fields {
  constructor(private readonly config: Config) {}

  get layer(): LayerOptions {
    const { config } = this
    return {
      ...(typeof config['name'] === 'string' ? { name: config['name'] } : {}),
      ...(config['trainable'] === false ? { trainable: false } : {}),
      ...(Array.isArray(config['inputShape']) ? { inputShape: config['inputShape'].map(Number) } : {}),
    }
  }

  number(key: string): number {
    const value = this.config[key]
    if (typeof value === 'number') return value
    throw new ArgumentError(`A saved layer must have the number ${key}, received ${JSON.stringify(value)}`)
  }

  shape(key: string): number[] {
    const value = this.config[key]
    if (Array.isArray(value)) return value.map(Number)
    throw new ArgumentError(`A saved layer must have the shape ${key}, received ${JSON.stringify(value)}`)
  }

  boolean(key: string, otherwise: boolean): boolean {
    const value = this.config[key]
    return typeof value === 'boolean' ? value : otherwise
  }

  activation(key: string) {
    const value = this.config[key]
    return typeof value === 'string' ? { [key]: value } : {}
  }

  /** The saved objects of these names, made by a registry. */
  objects<Key extends string, Kind extends Configurable>(registry: Registry<Kind>, ...keys: Key[]): { [K in Key]?: Kind } {
    const found: { [K in Key]?: Kind } = {}
    for (const key of keys) {
      const value: Json | undefined = this.config[key]
      if (typeof value === 'string' || isSerialized(value)) found[key] = registry.get(value)
    }
    return found
  }
}

// What makes a layer of a class, as a class that the registry can construct.
const from = (make: (config: Config) => Layer) => Object.assign(class extends InputLayer {}, { fromConfig: make })

export const layers = new Registry<Layer>('layer', isLayer, () => ({
  Dense: from((config) => {
    const fields = new Fields(config)
    return new Dense({
      ...fields.layer,
      units: fields.number('units'),
      ...fields.activation('activation'),
      useBias: fields.boolean('useBias', true),
      ...fields.objects(initializers, 'kernelInitializer', 'biasInitializer'),
      ...fields.objects(regularizers, 'kernelRegularizer', 'biasRegularizer', 'activityRegularizer'),
    })
  }),
  Activation: from((config) => {
    const fields = new Fields(config)
    return new Activation({ ...fields.layer, activation: 'linear', ...fields.activation('activation') })
  }),
  Dropout: from((config) => {
    const fields = new Fields(config)
    const seed = typeof config['seed'] === 'number' ? { seed: config['seed'] } : {}
    return new Dropout({ ...fields.layer, rate: fields.number('rate'), ...seed })
  }),
  Flatten: from((config) => new Flatten(new Fields(config).layer)),
  Reshape: from((config) => {
    const fields = new Fields(config)
    return new Reshape({ ...fields.layer, targetShape: fields.shape('targetShape') })
  }),
  InputLayer: from((config) => new InputLayer(new Fields(config).layer)),
}))
