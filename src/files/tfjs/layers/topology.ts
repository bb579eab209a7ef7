// A model as the modelTopology of TensorFlow.js: the inverse of read.ts. classes.ts has what TensorFlow.js has.

import { classNameOf, classNameToSave, isSerialized, type Config, type Json } from '../../../core/registry'
import { formerGraph, type FormerWriter } from '../../keras/write-former'
import { kerasName } from '../../keras/write-names'
import { InputLayer } from '../../../layers/core/input-layer'
import { Operation } from '../../../layers/core/operation'
import { Layer, type LayerBase } from '../../../layers/layer'
import { LayerGraph } from '../../../models/layer-graph'
import { Model } from '../../../models/model'
import { Sequential } from '../../../models/sequential'
import { recordAt } from '../../containers/json'
import { layersIgnoringMasks } from './masks'
import { layersIn } from './names'
import { activationName, classThere, isClass, objectOf, treatmentOf } from './classes'

type JsonObject = Record<string, Json>

const object = (className: string, config: JsonObject): JsonObject => ({ class_name: className, config })

export class TopologyWriter implements FormerWriter {
  /** What cannot be written, so that one error names all of it. */
  readonly refused: string[] = []
  /** Each layer belongs to one model. */
  private readonly seen = new Set<LayerBase>()

  refuse(layer: LayerBase, why: string): void {
    this.refused.push(`${layer}: ${why}`)
  }

  layer(layer: LayerBase): JsonObject {
    if (this.seen.has(layer)) this.refuse(layer, 'it belongs to two models')
    this.seen.add(layer)
    if (layer instanceof Model && layer.graph instanceof LayerGraph)
      for (const each of layersIgnoringMasks(layer.graph))
        this.refuse(each, 'its mask would count in only one of the two programs')
    const name = classNameToSave(layer)
    if (layer instanceof Sequential) {
      if (Reflect.get(layer, 'call') !== Reflect.get(Sequential.prototype, 'call'))
        this.refuse(layer, `there is no layer ${name}`)
      return object('Sequential', this.sequential(layer))
    }
    if (layer instanceof Model && layer.constructor === Model && layer.graph instanceof LayerGraph)
      return object('Model', { name: layer.name, ...formerGraph(layer.graph, this) })
    if (layer instanceof InputLayer) return object('InputLayer', inputConfig(layer))
    const className = classThere(name, layer.getConfig())
    if (layer instanceof Operation) this.refuse(layer, `there is no layer for ops.${layer.op}`)
    else if (isClass(className)) return object(className, this.config(layer, className))
    else this.refuse(layer, `there is no layer ${className}`)
    return object(className, {})
  }

  private sequential(model: Sequential): JsonObject {
    const { name, graph, listed } = model
    if (graph === null) this.refuse(model, 'its input is not known yet. Build it, or call it on data')
    const first = listed[0] instanceof InputLayer ? [] : (graph?.inputLayers ?? [])
    return { name, layers: [...first, ...listed].map((layer) => this.layer(layer)) }
  }

  /** The options of a layer; inner layers are written from the layers themselves. */
  private config(of: LayerBase, className: string): JsonObject {
    const made: JsonObject = { name: of.name, trainable: of.trainable }
    for (const [option, value] of Object.entries(of.getConfig())) {
      const live: unknown = Reflect.get(of, option)
      const treatment = treatmentOf(className, option, value)
      if (treatment === 'refused') this.refuse(of, `${className} cannot have ${option} = ${JSON.stringify(value)}`)
      if (treatment !== 'written' || option === 'name' || option === 'trainable') continue
      if (live instanceof Layer) made[kerasName(option)] = this.inner(of, live)
      else if (option === 'cells') made['cells'] = layersIn(live).map((cell) => this.layer(cell))
      else made[NAMES[option] ?? kerasName(option)] = this.value(of, option, value)
    }
    return made
  }

  private inner(of: LayerBase, inner: LayerBase): JsonObject {
    const saved = this.layer(inner)
    if (classNameOf(of) !== 'Bidirectional') return saved
    // In TensorFlow.js, the forward layer has the name without a prefix, and the backward layer is a copy of it.
    const { layer: forward, backwardLayer: backward } = of.getConfig()
    if (!isCopy(forward!, backward!)) this.refuse(of, 'the backward layer must have the options of the forward layer')
    const config = recordAt(saved, 'config')
    return { ...saved, config: { ...config, name: String(config['name']).replace(/^forward_/, '') } }
  }

  private value(layer: LayerBase, option: string, value: Json): Json {
    if (/activation$/i.test(option)) {
      const named = typeof value === 'string' ? activationName(value) : null
      const name = value === null ? 'linear' : named
      if (name === null) this.refuse(layer, `there is no activation ${JSON.stringify(value)}`)
      return name
    }
    if (typeof value === 'string') return kerasName(value)
    return isSerialized(value) ? this.object(layer, value.className, value.config) : value
  }

  /** An initializer, a regularizer or a constraint. */
  private object(layer: LayerBase, className: string, config: Config): Json {
    const known = objectOf(className)
    if (known === null) {
      this.refuse(layer, `there is no ${className}`)
      return null
    }
    const made: JsonObject = {}
    for (const [option, value] of Object.entries(config)) {
      if (known.options.includes(option)) made[kerasName(option)] = typeof value === 'string' ? kerasName(value) : value
      else if (value !== null) this.refuse(layer, `${className} cannot have ${option} = ${JSON.stringify(value)}`)
    }
    return object(known.className, made)
  }
}

/** Names of Keras 2. */
const NAMES: Readonly<Record<string, string>> = { negativeSlope: 'alpha', threshold: 'theta' }

function inputConfig({ batchSize, shape, dtype, name }: InputLayer): JsonObject {
  return { batch_input_shape: [batchSize, ...shape], dtype, sparse: false, name }
}

/** Whether two saved layers differ in their names and directions alone. */
function isCopy(forward: Json, backward: Json): boolean {
  const plain = (value: Json): string => {
    if (!isSerialized(value)) return JSON.stringify(value)
    const { name: _name, goBackwards: _goBackwards, ...others } = value.config
    return JSON.stringify([value.className, others])
  }
  return plain(forward) === plain(backward)
}
