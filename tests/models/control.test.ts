// Branches and loops with a condition in models: in a custom step, in a layer that is saved and loaded, and on the
// symbols of a functional model.

import { describe, expect, it } from 'vitest'
import {
  Dense,
  Dropout,
  Input,
  Layer,
  Model,
  SGD,
  SeedGenerator,
  Sequential,
  Variable,
  loadModel,
  ops,
  random,
  setRandomSeed,
  tensor,
  type Batch,
  type Tensor,
} from '../../src'

const x = ops.sin(ops.reshape(ops.arange(24), [8, 3]))
const y = ops.sum(x, 1, true)
const quiet = { verbose: 0, epochs: 3, batchSize: 8, shuffle: false } as const

/** Doubles its input until its norm is at least `least`, then passes it through a layer if the sum is positive. */
class Normal extends Layer {
  static readonly className = 'Normal'
  private readonly inner = new Dense({ units: 3, name: 'inner' })
  private readonly drop = new Dropout({ rate: 0.5, name: 'drop' })
  readonly calls = this.addWeight({ name: 'calls', shape: [], initializer: 'zeros', trainable: false })
  private readonly least: number
  constructor({ least = 1, ...options }: { least?: number; name?: string } = {}) {
    super(options)
    this.least = least
  }
  override getConfig() {
    return { ...super.getConfig(), least: this.least }
  }
  call(input: Tensor): Tensor {
    const large = ops.whileLoop(
      (z) => ops.less(ops.sum(ops.square(z)), this.least),
      (z) => ops.multiply(z, 2),
      input,
      20,
    )
    return ops.cond(
      ops.greater(ops.sum(large), 0),
      () => {
        this.calls.assign(ops.add(this.calls, 1))
        return this.drop.apply(this.inner.apply(large), { training: false })
      },
      () => ops.log(ops.add(ops.square(large), 1)),
    )
  }
}

describe('branches and loops with a condition', () => {
  it('train in a layer, which is saved and loaded', async () => {
    setRandomSeed(4)
    const model = new Sequential([new Normal({ least: 30, name: 'normal' }), new Dense({ units: 1 })])
    model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'mse' })
    const { history } = await model.fit(x, y, quiet)
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
    const counted = model.layers[0]! as Normal
    expect(counted.calls.value.item()).toBe(ops.sum(x).item() > 0 ? 3 : 0)
    const loaded = await loadModel(await model.save(), { customObjects: { Normal } })
    for (const input of [x, ops.negative(x), ops.multiply(x, 1e-3)])
      expect((await loaded.predict(input)).toArray()).toEqual((await model.predict(input)).toArray())
  })

  it('choose the update in a custom step', async () => {
    class Own extends Model {
      net = new Dense({ units: 1, kernelInitializer: 'ones', name: 'net' })
      skipped = new Variable(tensor(0), { trainable: false, name: 'skipped' })
      override call(input: Tensor): Tensor {
        return this.net.apply(input)
      }
      override trainStep({ x: input, y: target }: Batch<Tensor, Tensor>) {
        const loss = ops.mean(ops.square(ops.subtract(target, this.net.apply(input))))
        const gradients = this.gradients(loss)
        const [kernel] = this.trainableWeights
        ops.cond(
          ops.greater(ops.max(ops.abs(input)), 0.99),
          () => {
            this.skipped.assign(ops.add(this.skipped, 1))
            return null
          },
          () => {
            kernel!.assign(ops.subtract(kernel!, ops.multiply(gradients[0]!, 0.1)))
            return null
          },
        )
        return { loss }
      }
    }
    const model = new Own()
    model.compile({ optimizer: 'sgd' })
    await model.predict(x)
    const before = model.net.getWeights()[0]!.toArray()
    await model.fit(x, ops.zeros([8, 1]), quiet)
    expect([model.net.getWeights()[0]!.toArray(), model.skipped.value.item()]).toEqual([before, 3])
    await model.fit(ops.multiply(x, 0.9), ops.zeros([8, 1]), quiet)
    expect(model.skipped.value.item()).toBe(3)
    expect(model.net.getWeights()[0]!.toArray()).not.toEqual(before)
  })

  it('take symbols of a functional model, and random numbers', async () => {
    const seed = new SeedGenerator(5)
    class Noisy extends Layer {
      call(input: Tensor): Tensor {
        return ops.cond(
          ops.greater(ops.max(input), 0.5),
          () => ops.add(input, random.uniform([1], { seed })),
          () => input,
        )
      }
    }
    const input = Input({ shape: [3] })
    const output = new Noisy().apply(ops.switch(2, [ops.sin, ops.cos, ops.tanh], input))
    const model = new Model({ inputs: input, outputs: output })
    const small = ops.multiply(x, 0.1)
    expect((await model.predict(small)).toArray()).toEqual(ops.tanh(small).toArray())
    const [first, second] = [await model.predict(x), await model.predict(x)]
    expect(first.toArray()).not.toEqual(second.toArray())
  })
})
