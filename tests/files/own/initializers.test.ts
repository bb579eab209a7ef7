// No initializer runs for a weight that a file fills: a second array of its size would need as much memory again.
// modes: simd

import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Dense,
  Input,
  Model,
  Sequential,
  enableLora,
  initializers,
  loadModel,
  modelFromJSON,
  type Tensor,
} from '../../../src'
import { writeKeras } from '../../../src/entries/keras'
import { readTfjs, writeTfjs } from '../../../src/entries/tfjs'

/** A model with weights that its files do not have. */
class Tuned extends Model {
  static override readonly className = 'Tuned'
  private readonly dense = new Dense({ units: 3 })

  override build(): void {
    this.dense.apply(Input([4]))
    enableLora(this.dense, 2)
  }

  override call(x: Tensor): Tensor {
    return this.dense.apply(x)
  }
}

const draws = vi.spyOn(initializers.GlorotUniform.prototype, 'call')
afterEach(() => draws.mockClear())

const made = (): Model => new Sequential([new Dense({ units: 3, inputShape: [4] }), new Dense({ units: 2 })])

async function fromTfjs(model: Model): Promise<Model> {
  const { json, weights } = await writeTfjs(model, null)
  return readTfjs(json, { files: weights })
}

describe('a file fills the weights', () => {
  it.each<[string, (model: Model) => Promise<Model>]>([
    ['of this library', async (model) => loadModel(await model.save())],
    ['.keras', async (model) => loadModel(await writeKeras(model))],
    ['.h5', async (model) => loadModel(await writeKeras(model, null, { format: 'h5' }))],
    ['of TensorFlow.js', fromTfjs],
  ])('%s', async (_, through) => {
    const model = made()
    expect(draws).toHaveBeenCalledTimes(2)
    const again = await through(model)
    expect(draws).toHaveBeenCalledTimes(2)
    expect(again.getWeights()).toEqual(model.getWeights())
  })

  it('but not those that it does not have', async () => {
    const model = new Tuned()
    model.predictOnBatch([[1, 2, 3, 4]])
    const again = await loadModel(await model.save(), { customObjects: { Tuned } })
    const a = again.weights.find(({ name }) => name.endsWith('lora_kernel_a'))
    expect(a!.value.data).not.toContain(0)
  })

  it('and JSON has none', () => {
    const model = modelFromJSON(JSON.stringify(made()))
    expect(draws).toHaveBeenCalledTimes(4)
    expect(model.weights[0]!.value.data).not.toContain(0)
  })
})
