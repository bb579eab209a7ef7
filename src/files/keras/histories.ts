// Where the tensors of a graph come from, as Keras writes it: the name of a layer, the number of its call, and the number of the result.

import { originOf, symbolsIn, type LayerCall, type RecordedLayer } from '../../layers/symbol'
import type { LayerGraph } from '../../models/layer-graph'
import { Model } from '../../models/model'
import type { Tensor } from '../../ops/tensor'

export type History = readonly [layer: string, call: number, result: number]

export class Histories {
  private readonly inputNames: ReadonlyMap<Tensor, string>
  private readonly calls = new Map<RecordedLayer, LayerCall[]>()

  constructor({ inputs, inputLayers, calls }: LayerGraph) {
    this.inputNames = new Map(symbolsIn(inputs).map((symbol, i) => [symbol, inputLayers[i]!.name]))
    for (const call of calls) this.add(call)
  }

  /** Adds a call that the file has besides those of the graph. */
  add(call: LayerCall): void {
    const known = this.calls.get(call.layer)
    if (known === undefined) this.calls.set(call.layer, [call])
    else known.push(call)
  }

  callsOf(layer: RecordedLayer): readonly LayerCall[] {
    return this.calls.get(layer) ?? []
  }

  /** @param countsCreation whether the creation of a model counts as its first call */
  of(symbol: Tensor, countsCreation: (model: Model) => boolean): History {
    const input = this.inputNames.get(symbol)
    if (input !== undefined) return [input, 0, 0]
    const { call, index } = originOf(symbol)!
    const { layer } = call
    const before = layer instanceof Model && countsCreation(layer) ? 1 : 0
    return [layer.name, this.callsOf(layer).indexOf(call) + before, index]
  }
}
