// Makes layers from saved configurations.

import { getActivation } from '../activations'
import { ArgumentError } from '../core/errors'
import { initializers } from '../initializers/registry'
import type { Config, Configurable, CustomObjects, Json } from '../core/registry'
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

  activation(key: string, custom: CustomObjects) {
    const value = this.config[key]
    if (typeof value !== 'string') return {}
    // A function of the user's own is known by the name it was saved under.
    return { [key]: value in custom ? getActivation(value, custom) : value }
  }

  /** The saved objects of these names, made by a registry. */
  objects<Key extends string, Kind extends Configurable>(registry: Registry<Kind>, custom: CustomObjects, ...keys: Key[]): { [K in Key]?: Kind } {
    const found: { [K in Key]?: Kind } = {}
    for (const key of keys) {
      const value: Json | undefined = this.config[key]
      if (typeof value === 'string' || isSerialized(value)) found[key] = registry.get(value, custom)
    }
    return found
  }
}

// Marked as pure below, so that bundlers drop it, and with it all layers that are not named, where no model is loaded.
const makeRegistry = (): Registry<Layer> => new Registry<Layer>('layer', isLayer)
  .add('Dense', (config, custom) => {
    const fields = new Fields(config)
    return new Dense({
      ...fields.layer,
      units: fields.number('units'),
      ...fields.activation('activation', custom),
      useBias: fields.boolean('useBias', true),
      ...fields.objects(initializers, custom, 'kernelInitializer', 'biasInitializer'),
      ...fields.objects(regularizers, custom, 'kernelRegularizer', 'biasRegularizer', 'activityRegularizer'),
    })
  })
  .add('Activation', (config, custom) => {
    const fields = new Fields(config)
    return new Activation({ ...fields.layer, activation: 'linear', ...fields.activation('activation', custom) })
  })
  .add('Dropout', (config) => {
    const fields = new Fields(config)
    const seed = typeof config['seed'] === 'number' ? { seed: config['seed'] } : {}
    return new Dropout({ ...fields.layer, rate: fields.number('rate'), ...seed })
  })
  .add('Flatten', (config) => new Flatten(new Fields(config).layer))
  .add('Reshape', (config) => {
    const fields = new Fields(config)
    return new Reshape({ ...fields.layer, targetShape: fields.shape('targetShape') })
  })
  .add('InputLayer', (config) => new InputLayer(new Fields(config).layer))

export const layers = /* @__PURE__ */ makeRegistry()
