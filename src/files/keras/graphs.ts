// A functional model: Keras lists layers with their calls, which name the results of other calls. This library lists layers, and
// then the calls in an order in which every result is made before it is used (models/graph-config.ts).

import { FormatError } from '../../core/errors'
import type { Config, Json, Serialized } from '../../core/registry'
import { isRecord, recordAt, textOf, valueAt, type JsonRecord } from '../containers/json'
import { isObject, type KerasObject } from './keras-object'
import { argumentsOf, historyOf, nodesOf, tensorOf, tensorsIn, type History, type Node } from './nodes'
import { givesComplex, operationClass } from './operation-table'
import { isOperation, operationCall } from './operations'

/** A serialized layer, as graphs have it. */
export type SavedLayer = Serialized & { readonly [key: string]: Json }

/** Makes the layers of a graph. */
export interface LayerReader {
  layer(saved: KerasObject): SavedLayer
  /** Calls `read` for each layer of a model. */
  layers<Made>(list: readonly KerasObject[], read: (saved: KerasObject) => Made): Made[]
  /** Notes a class that is unknown. */
  unknown(className: string, place: string): void
}

/** A layer of the graph with its calls. */
interface Entry {
  readonly saved: KerasObject
  readonly name: string
  readonly position: number
  readonly nodes: readonly Node[]
  readonly isOp: boolean
  readonly className: string
  readonly isModel: boolean
  /** 1 if Keras counts the creation of a model as its first call, otherwise 0: in Keras 2, and in the lists of outputs. */
  readonly before: { readonly former: number; readonly outputs: number }
}

/** One call, and where its results are. */
interface Call {
  readonly entry: Entry
  readonly node: Node
  readonly index: number
}

const keyOf = (layer: string, node: number): string => `${node}/${layer}`

export function functionalConfig(config: JsonRecord, reader: LayerReader, place: string): Config {
  return new GraphReader(config, reader, place).read()
}

class GraphReader {
  private readonly entries = new Map<string, Entry>()
  private readonly layers: SavedLayer[] = []
  /** The position of each call in the list of calls. */
  private readonly made = new Map<string, number>()
  private readonly calls: Json[] = []
  /** Whether the calls are written as in Keras 2. */
  private isFormer = false

  constructor(
    private readonly config: JsonRecord,
    private readonly reader: LayerReader,
    private readonly place: string,
  ) {}

  read(): Config {
    const list = valueAt(this.config, 'layers')
    if (!Array.isArray(list)) throw this.damaged('has no list of layers')
    const names = new Set(list.flatMap((each: Json) => (isRecord(each) ? [nameOf(each)] : [])))
    if (!list.every(isObject)) throw this.damaged('has a layer without a class_name')
    this.reader.layers(list, (each) => this.readLayer(each, (name) => names.has(name)))
    let inputs = 0
    for (const { className, name } of this.entries.values())
      if (className === 'InputLayer') this.made.set(keyOf(name, 0), inputs++)
    for (const call of this.inOrder()) {
      this.made.set(keyOf(call.entry.name, call.index), inputs + this.calls.length)
      this.calls.push(this.callOf(call))
    }
    const { name, trainable } = this.config
    return {
      ...(typeof name === 'string' ? { name } : {}),
      ...(trainable === false ? { trainable } : {}),
      layers: this.layers,
      calls: this.calls,
      inputs: this.ends('input_layers'),
      outputs: this.ends('output_layers'),
    }
  }

  private damaged(what: string): FormatError {
    return new FormatError(`The configuration of the model '${this.place}' ${what}`)
  }

  private readLayer(saved: KerasObject, isLayer: (name: string) => boolean): void {
    const name = nameOf(saved)
    if (name === '') throw this.damaged('has a layer without a name')
    if (this.entries.has(name)) throw this.damaged(`has two layers named '${name}'`)
    const isOp = isOperation(saved)
    const op = isOp ? operationClass(saved.class_name)?.op : undefined
    if (isOp && op === undefined) this.reader.unknown(saved.class_name, name)
    const layer: SavedLayer = isOp
      ? { className: 'Operation', config: { op: op ?? null, name } }
      : this.reader.layer(saved)
    const { className, config } = layer
    const inbound = valueAt(saved, 'inbound_nodes')
    if (Array.isArray(inbound) && inbound.some((node: Json) => Array.isArray(node))) this.isFormer = true
    const isModel = className === 'Model'
    this.entries.set(name, {
      saved,
      name,
      position: this.layers.length,
      nodes: nodesOf(inbound, `'${name}'`, isLayer),
      isOp: op !== undefined,
      className,
      isModel: isModel || className === 'Sequential',
      before: { former: Number(isModel || beginsWithInput(config)), outputs: Number(isModel) },
    })
    this.layers.push(layer)
  }

  /** The call to which a tensor belongs, and the number of its result. */
  private target(
    { layer, node, tensor }: History,
    isOutput = false,
  ): { readonly key: string; readonly tensor: number } {
    const entry = this.entries.get(layer)
    if (entry === undefined) throw this.damaged(`refers to the layer '${layer}', which it does not have`)
    const count = entry.className === 'InputLayer' ? 1 : entry.nodes.length
    const beforeOutput = isOutput ? entry.before.outputs : 0
    const before = this.isFormer ? entry.before.former : beforeOutput
    const index = node - before
    if (index < 0 || index >= count)
      throw this.damaged(`refers to call ${node} of the layer '${layer}', which has ${count}`)
    return { key: keyOf(layer, index), tensor }
  }

  /** All calls, each after those whose results it uses; otherwise in the order of the file. */
  private inOrder(): readonly Call[] {
    const waiting = new Map<string, number>()
    const users = new Map<string, Call[]>()
    const ready: Call[] = []
    let count = 0
    for (const entry of this.entries.values()) {
      if (entry.className === 'InputLayer') continue
      entry.nodes.forEach((node, index) => {
        count++
        const call: Call = { entry, node, index }
        const needs = new Set(
          tensorsIn([node.args, node.kwargs])
            .map((history) => this.target(history).key)
            .filter((key) => !this.made.has(key)),
        )
        for (const need of needs) {
          const list = users.get(need)
          if (list === undefined) users.set(need, [call])
          else list.push(call)
        }
        waiting.set(keyOf(entry.name, index), needs.size)
        if (needs.size === 0) ready.push(call)
      })
    }
    // The list grows while it is read.
    for (const { entry, index } of ready) {
      for (const user of users.get(keyOf(entry.name, index)) ?? []) {
        const key = keyOf(user.entry.name, user.index)
        const left = waiting.get(key)! - 1
        waiting.set(key, left)
        if (left === 0) ready.push(user)
      }
    }
    if (ready.length < count) throw this.damaged('has calls in a circle')
    return ready
  }

  private callOf({ entry, node }: Call): Json {
    const { position, saved, className, name } = entry
    if (entry.isOp)
      return { layer: position, input: this.decode(operationCall(saved, node).args), options: { fields: {} } }
    const { input, options } = argumentsOf(className, node, `'${name}'`)
    const single = entry.isModel && Array.isArray(input) && input.length === 1 ? input[0]! : input
    return {
      layer: position,
      input: this.decode(single),
      options: this.decode(options),
    }
  }

  private decode(value: Json): Json {
    const history = tensorOf(value)
    if (history !== null) return this.ref(history)
    if (Array.isArray(value)) return value.map((each: Json) => this.decode(each))
    if (!isRecord(value)) return value
    if (!isObject(value))
      return { fields: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.decode(each)])) }
    const config = recordAt(value, 'config')
    if (value.class_name === '__numpy__' || value.class_name === '__tensor__') return constantOf(config)
    throw this.damaged(`has a constant of the class ${value.class_name}`)
  }

  private ref(history: History, isOutput = false): Json {
    const { key, tensor } = this.target(history, isOutput)
    const part = (index: number): Json => ({ ref: [this.made.get(key) ?? -1, index] })
    if (!this.isComplex(history)) return part(tensor)
    return { fields: { real: part(2 * tensor), imag: part(2 * tensor + 1) } }
  }

  /** Whether a tensor is complex, which is { real, imag } here. */
  private isComplex({ layer }: History): boolean {
    const { isOp, saved, nodes } = this.entries.get(layer)!
    const operands = (): readonly History[] => tensorsIn(nodes[0]?.args[0] ?? null)
    return isOp && givesComplex(saved.class_name, () => operands().some((each) => this.isComplex(each)))
  }

  /** The tensors of `input_layers` or `output_layers`, as a tree. A list with one tensor becomes that tensor. */
  private ends(key: string): Json {
    const read = (value: Json): Json => {
      const history = historyOf(value)
      if (history !== null) return this.ref(history, true)
      if (Array.isArray(value)) return value.map(read)
      if (isRecord(value))
        return { fields: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, read(each)])) }
      throw this.damaged(`has no tensors in ${key}`)
    }
    const ends = valueAt(this.config, key)
    if (ends === undefined || ends === null) throw this.damaged(`has no ${key}`)
    const made = read(ends)
    return Array.isArray(made) && made.length === 1 ? made[0]! : made
  }
}

/** Whether the configuration is that of a Sequential with a declared input. */
function beginsWithInput({ layers }: Config): boolean {
  const first: Json | undefined = Array.isArray(layers) ? layers[0] : undefined
  return isRecord(first) && first['className'] === 'InputLayer'
}

function nameOf(saved: JsonRecord): string {
  const name = valueAt(saved, 'name') ?? valueAt(recordAt(saved, 'config'), 'name')
  return typeof name === 'string' ? name : ''
}

/** An array of NumPy among arguments. */
function constantOf({ value = null, dtype = 'float32' }: JsonRecord): Json {
  const shape: number[] = []
  for (let inner: Json = value; Array.isArray(inner); inner = inner[0] ?? null) shape.push(inner.length)
  const data = (Array.isArray(value) ? value.flat(shape.length - 1) : [value]) as readonly Json[]
  const other = dtype === 'bool' ? 'bool' : 'float32'
  const read = /int/.test(textOf(dtype)) ? 'int32' : other
  return { tensor: { shape, dtype: read, data: data.map((each) => (typeof each === 'boolean' ? Number(each) : each)) } }
}
