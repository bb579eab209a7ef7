// Layers that write and read their arrays themselves in `.keras` and `.weights.h5` files.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Dense,
  Layer,
  Sequential,
  loadModel,
  ops,
  tensor,
  type OwnVariables,
  type Tensor,
  type Variable,
} from '../../../src'
import '../../../src/entries/node'
import { writeKeras, writeKerasWeights } from '../../../src/entries/keras'

class Table extends Layer {
  scale: Variable | null = null
  counts: readonly number[] = []

  override build(inputShape: readonly (number | null)[]): void {
    this.scale = this.addWeight({ name: 'scale', shape: [inputShape.at(-1)!], initializer: 'ones' })
  }

  call(x: Tensor): Tensor {
    return ops.multiply(x, this.scale!)
  }

  override saveOwnVariables(store: OwnVariables): void {
    super.saveOwnVariables(store)
    store['counts'] = tensor([...this.counts], undefined, 'int32')
  }

  override loadOwnVariables({ counts, ...weights }: OwnVariables): void {
    super.loadOwnVariables(weights)
    this.counts = Array.from((counts as Tensor).data)
  }
}

function made(): Sequential {
  const model = new Sequential([new Dense({ units: 3, inputShape: [2] }), new Table(), new Dense({ units: 1 })])
  const table = model.layers[1] as Table
  table.scale!.assign([1, 2, 3])
  table.counts = [5, 7]
  return model
}

describe('saveOwnVariables and loadOwnVariables', () => {
  it('keep what a layer writes in a .keras file', async () => {
    const model = made()
    const copy = await loadModel<Tensor, Tensor>(await writeKeras(model), { customObjects: { Table } })
    const table = copy.layers[1] as unknown as Table
    expect(table.counts).toEqual([5, 7])
    expect(table.scale!.numpy()).toEqual([1, 2, 3])
    expect(copy.predictOnBatch([[1, 2]]).data).toEqual(model.predictOnBatch([[1, 2]]).data)
  })

  it('keep it in a .weights.h5 file', async () => {
    const model = made()
    const other = new Sequential([new Dense({ units: 3, inputShape: [2] }), new Table(), new Dense({ units: 1 })])
    await other.loadWeights(await writeKerasWeights(model))
    expect((other.layers[1] as Table).counts).toEqual([5, 7])
    expect(other.predictOnBatch([[1, 2]]).data).toEqual(model.predictOnBatch([[1, 2]]).data)
  })

  it('are named by the error of a model whose layer does not read them', async () => {
    const bytes = await writeKerasWeights(made())
    class Plain extends Layer {
      scale: Variable | null = null
      override build(inputShape: readonly (number | null)[]): void {
        this.scale = this.addWeight({ name: 'scale', shape: [inputShape.at(-1)!] })
      }
      call(x: Tensor): Tensor {
        return ops.multiply(x, this.scale!)
      }
    }
    Object.defineProperty(Plain, 'className', { value: 'Table' })
    const other = new Sequential([new Dense({ units: 3, inputShape: [2] }), new Plain(), new Dense({ units: 1 })])
    await expect(other.loadWeights(bytes)).rejects.toThrow('has no loadOwnVariables')
  })
})
