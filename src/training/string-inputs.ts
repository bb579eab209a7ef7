// String inputs: which layers read them, and the numbers that replace them.

import { structureOf, unflatten, type Tree } from '../core/tree'
import type { Inputs } from '../data/samples/parse'
import type { Readers } from '../data/samples/samples'
import { listsOf, type WeightLists } from '../layers/weight-lists'
import { readersOf, StringTensor } from '../ops/strings'
import type { Tensor } from '../ops/tensor'
import { trace } from '../ops/trace'
import { inStep, type TrainedModel } from './step'

/** The inputs of one model. */
export class StringInputs {
  private known: { readonly lists: WeightLists; readonly form: string; readonly readers: Readers } | null = null

  constructor(private readonly model: TrainedModel) {}

  /** Replaces strings by the numbers that their readers make. */
  read<Data extends Inputs>(data: Data): Data {
    if (!data.hasStrings) return data
    const readers = this.readersOf(data.x, data.inputs)
    const inputs = data.inputs.flatMap((input, i) => {
      const found = readers[i]
      if (found == null || !(input instanceof StringTensor)) return [input]
      return found.readers.map((reader) => reader.readStrings(input))
    })
    return { ...data, inputs, hasStrings: false, readers }
  }

  /** The readers of each input, found by tracing the model with empty rows. */
  private readersOf(x: Tree<unknown>, inputs: readonly Tensor[]): Readers {
    const form = `${structureOf(x)} ${inputs.map(({ dtype, shape }) => `${dtype}[${shape.slice(1).join()}]`).join(' ')}`
    const { known, model } = this
    if (known?.lists === listsOf(model) && known.form === form) return known.readers
    let readers: Readers = []
    const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [2, ...shape.slice(1)] }))
    trace(types, (symbols) => {
      inStep(false, () => model.lookStep(unflatten(x, symbols)))
      readers = symbols.map((symbol) =>
        symbol.dtype === 'string' ? { readers: readersOf(symbol), row: symbol.shape.slice(1) } : null,
      )
      return []
    })
    this.known = { lists: listsOf(model), form, readers }
    return readers
  }
}
