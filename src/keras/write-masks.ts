// Masks as tensors of Keras's graph. Keras 3 passes the mask that a tensor carries to a call only if the call has no other tensor: a
// recurrent layer that gets initial states needs its mask as an argument, which ops compute from the input of Embedding or Masking.

import type { Json } from '../core/registry'
import type { LayerCall } from '../layers/symbol'
import type { GraphCall, LayerGraph } from '../models/layer-graph'
import { symbolsByKey } from '../models/graph-order'
import { Tensor } from '../ops/tensor'
import type { MaskSource } from './masks'
import { maskSources } from './masks'

/** A call of an op: its arguments are symbols, constants, or tensors as `tensorNamed` writes them. */
export interface OperationCall {
  readonly name: string
  readonly op: string
  readonly input: readonly unknown[]
}

/** The result of the only call of an op. */
function tensorNamed(name: string, shape: readonly (number | null)[]): Json {
  return { class_name: '__keras_tensor__', config: { shape: [...shape], dtype: 'bool', keras_history: [name, 0, 0] } }
}

export class StatedMasks {
  /** The ops that compute masks, in the order in which `stated` needed them. */
  readonly operations: OperationCall[] = []
  private readonly made = new Map<GraphCall, Json>()
  private readonly names: Set<string>
  private sources: ReadonlyMap<Tensor, MaskSource> | null = null

  constructor(
    private readonly graph: LayerGraph,
    private readonly writer: { refuse(why: string): null },
  ) {
    this.names = new Set(graph.layers.map(({ name }) => name))
  }

  /** A call with the mask that Keras does not pass. */
  stated(call: LayerCall): Pick<LayerCall, 'input' | 'options'> {
    const { layer, input, options } = call
    const { mask, initialState } = options
    const hasStates = initialState !== undefined && initialState !== null
    if (hasStates ? mask !== undefined : mask !== null) return call
    this.sources ??= maskSources(this.graph)
    const [source] = symbolsByKey(input).flatMap((symbol) => this.sources!.get(symbol) ?? [])
    if (source === undefined) return call
    if (!hasStates) this.writer.refuse(`'${layer.name}' would get the mask of its input, which mask: null takes away`)
    else if (source === 'elsewhere')
      this.writer.refuse(
        `the mask of the input of '${layer.name}', which has initial states, must be given as an option of the call`,
      )
    else return { input, options: { ...options, mask: source instanceof Tensor ? source : this.computed(source) } }
    return call
  }

  /** The mask that Embedding or Masking makes. */
  private computed(call: GraphCall): Json {
    const known = this.made.get(call)
    if (known !== undefined) return known
    const { layer, input } = call
    const value: unknown = Reflect.get(layer, 'maskValue')
    const { shape } = input as Tensor
    let made = this.add(`${layer.name}_mask`, 'notEqual', [input, value ?? 0], shape)
    // Masking: a step is masked if all its features have the value.
    if (value !== undefined) made = this.add(`${layer.name}_mask`, 'any', [made, -1], shape.slice(0, -1))
    this.made.set(call, made)
    return made
  }

  private add(wanted: string, op: string, input: readonly unknown[], shape: readonly (number | null)[]): Json {
    let name = wanted
    for (let i = 1; this.names.has(name); i++) name = `${wanted}_${i}`
    this.names.add(name)
    this.operations.push({ name, op, input })
    return tensorNamed(name, shape)
  }
}
