// Shared memory and state: layers in two models, weights that move, disposal, stale programs. save.test.ts tests
// saving; tests/engine/plan tests the placement of values in memory.

import { describe, expect, it } from 'vitest'
import {
  Activation,
  Adam,
  Dense,
  Input,
  Model,
  SGD,
  Sequential,
  StateError,
  Variable,
  grad,
  jit,
  loadModel,
  ops,
  random,
  runtimeInfo,
  tensor,
  type Tensor,
} from '../../src'

const x = [
  [1, 2],
  [3, 4],
  [-1, 0.5],
  [0, 1],
]
const y = [[1], [0], [1], [0]]
const quiet = { verbose: 0 } as const

function compiled(layers: ConstructorParameters<typeof Sequential>[0]): Sequential {
  const model = new Sequential(layers)
  model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'meanSquaredError' })
  return model
}

describe('a layer in two models', () => {
  it('is trained by both, and both see the updates', async () => {
    const shared = new Dense({ units: 3, inputShape: [2] })
    const first = compiled([shared, new Dense({ units: 1 })])
    const second = compiled([shared, new Dense({ units: 1 })])
    const seen: string[] = [String(shared.kernel.value.data)]
    for (const model of [first, second, first, second]) {
      await model.fit(x, y, quiet)
      seen.push(String(shared.kernel.value.data))
    }
    expect(new Set(seen).size).toBe(5)
  })

  it('moves with its optimizer: programs compiled before read the new weights', async () => {
    const base = new Sequential([new Dense({ units: 3, inputShape: [2] })])
    const before = base.predictOnBatch(x)
    const kernel = (base.layers[0] as Dense).kernel
    const sum = jit((scale: Tensor) => ops.multiply(ops.sum(kernel), scale))
    sum(1)
    const full = compiled([base, new Dense({ units: 1 })])
    await full.fit(x, y, { ...quiet, epochs: 3 })
    const after = base.predictOnBatch(x)
    expect(String(after.data)).not.toBe(String(before.data))
    expect(String(after.data)).toBe(String((await base.predict(x)).data))
    expect(sum(1).item()).toBe(ops.sum(kernel.value).item())
  })

  it('counts once', () => {
    const shared = new Dense({ units: 2, inputShape: [2] })
    const model = new Sequential([new Sequential([shared]), new Sequential([shared], { name: 'again' })])
    model.ensureBuilt([null, 2])
    expect(model.countParams()).toBe(6)
  })
})

describe('an optimizer', () => {
  it('refuses a second model', async () => {
    const optimizer = new Adam()
    const models = [1, 2].map(() => {
      const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
      model.compile({ optimizer, loss: 'meanSquaredError' })
      return model
    })
    await models[0]!.fit(x, y, quiet)
    await expect(models[1]!.fit(x, y, quiet)).rejects.toThrow(StateError)
  })

  it('keeps the slots of all weights when a layer is frozen, saved and unfrozen', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2] }), new Dense({ units: 1 })])
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.fit(x, y, { ...quiet, epochs: 5 })
    const means = ({ optimizer }: Model) => optimizer.slots.get('mean')!.map((slot) => Array.from(slot.view))
    const before = means(model)
    expect(before.map((each) => each.length)).toEqual([4, 2, 2, 1])
    model.layers[0]!.trainable = false
    const frozen = model.layers[0]!.getWeights().map(String)
    const bytes = await model.save()
    const copy = await loadModel(bytes)
    expect(means(copy)).toEqual(before)
    await model.evaluate(x, y)
    expect(means(model)).toEqual(before)
    await model.fit(x, y, quiet)
    expect(means(model).slice(0, 2)).toEqual(before.slice(0, 2))
    expect(means(model)[2]).not.toEqual(before[2])
    expect(model.layers[0]!.getWeights().map(String)).toEqual(frozen)
    // The slots are saved with the frozen weights, and continue from there.
    const again = await loadModel(await model.save())
    expect(means(again)).toEqual(means(model))
    for (const each of [model, again]) {
      each.layers[0]!.trainable = true
      await each.fit(x, y, { ...quiet, shuffle: false })
    }
    expect(means(again)).toEqual(means(model))
    expect(again.getWeights().map(String)).toEqual(model.getWeights().map(String))
    expect(means(model)[0]).not.toEqual(before[0])
  })

  it('trains a layer that was unfrozen after all were frozen', async () => {
    const model = compiled([new Dense({ units: 1, inputShape: [2] })])
    model.layers[0]!.trainable = false
    await model.fit(x, y, quiet)
    const before = String(model.getWeights()[0])
    model.layers[0]!.trainable = true
    await model.fit(x, y, quiet)
    expect(String(model.getWeights()[0])).not.toBe(before)
  })
})

describe('stale programs', () => {
  it('are made again after add and pop', () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2] }), new Dense({ units: 3 })])
    expect(model.predictOnBatch(x).shape).toEqual([4, 3])
    model.pop()
    expect(model.predictOnBatch(x).shape).toEqual([4, 2])
    const plain = model.predictOnBatch(x)
    model.add(new Activation('sigmoid'))
    const expected = ops.sigmoid(plain).data
    model.predictOnBatch(x).data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  })

  it('are kept while fit runs: freezing in a callback takes effect in the next fit', async () => {
    const model = compiled([new Dense({ units: 2, inputShape: [2] }), new Dense({ units: 1 })])
    const history = await model.fit(x, y, {
      ...quiet,
      epochs: 4,
      callbacks: [
        {
          onEpochEnd: async () => {
            model.layers[0]!.trainable = false
            await model.predict(x)
          },
        },
      ],
    })
    const losses = history.history['loss']!
    losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]!))
  })

  it('can be used for evaluation in a callback', async () => {
    const model = compiled([new Dense({ units: 1, inputShape: [2] })])
    const seen: number[] = []
    await model.fit(x, y, {
      ...quiet,
      epochs: 2,
      callbacks: [{ onEpochEnd: async () => void seen.push((await model.evaluate(x, y)).loss) }],
    })
    expect(seen.length).toBe(2)
    expect(seen[1]).toBeLessThan(seen[0]!)
  })
})

describe('dispose', () => {
  it('makes later use an error, and leaves other models unchanged', async () => {
    const model = compiled([new Dense({ units: 1, inputShape: [2] })])
    await model.fit(x, y, quiet)
    model.dispose()
    const others = Array.from({ length: 5 }, () => new Sequential([new Dense({ units: 1, inputShape: [2] })]))
    const before = others.map((other) => String(other.getWeights()))
    await expect(model.fit(x, y, quiet)).rejects.toThrow(StateError)
    expect(() => model.predictOnBatch(x)).toThrow(StateError)
    expect(others.map((other) => String(other.getWeights()))).toEqual(before)
  })

  it('frees the weights at once when the last model of a shared layer is disposed', () => {
    const used = (): number => runtimeInfo().memory.usedBytes
    const before = used()
    const x1 = Input({ shape: [64] })
    const middle = new Dense({ units: 64 }).apply(x1)
    const models = [middle, new Dense({ units: 1 }).apply(middle)].map((outputs) => new Model({ inputs: x1, outputs }))
    models[1]!.dispose()
    expect(models[0]!.predictOnBatch(ops.ones([1, 64])).shape).toEqual([1, 64])
    models[0]!.dispose()
    // The weights have 16 kB; a tensor may be kept by its program.
    expect(used() - before).toBeLessThan(1024)
  })

  it('is refused while fit runs', async () => {
    const model = compiled([new Dense({ units: 1, inputShape: [2] })])
    await expect(model.fit(x, y, { ...quiet, callbacks: [{ onEpochEnd: () => model.dispose() }] })).rejects.toThrow(
      StateError,
    )
    expect((await model.predict(x)).shape).toEqual([4, 1])
  })
})

describe('traced functions', () => {
  it('draw new numbers in every run', () => {
    const mask = jit((input: Tensor) => random.dropout(input, 0.5))
    const ones = ops.ones([64])
    expect(String(mask(ones).data)).not.toBe(String(mask(ones).data))
  })

  it('distinguish attributes that are equal in JSON', () => {
    const padded = [Infinity, -Infinity, NaN].map((value) => ops.pad([1], [[1, 0]], value).data[0])
    expect(padded).toEqual([Infinity, -Infinity, NaN])
  })

  it('do not run models', () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    expect(() => jit((input: Tensor) => ops.add(model.predictOnBatch(x), ops.sum(input)))(1)).toThrow(StateError)
  })

  it('do not overwrite an operand that is read as part of a concatenation', () => {
    const size = 5000
    const a = Float32Array.from({ length: size }, (_, i) => Math.sin(i))
    const b = Float32Array.from({ length: size }, (_, i) => Math.cos(i))
    const f = (p: Tensor, q: Tensor): Tensor => {
      const [left, right] = [ops.exp(p), ops.exp(q)]
      return ops.add(ops.reshape(ops.concatenate([left, right]), [2, size]), left)
    }
    expect(jit(f)(a, b).data).toEqual(f(tensor(a), tensor(b)).data)
  })

  it('use variables that are properties of a layer', () => {
    const weight = new Variable(tensor([2]))
    const slope = grad((input) => ops.sum(ops.multiply(weight, input)))
    expect(slope([3]).data[0]).toBe(2)
  })
})

describe('a layer that is called twice', () => {
  it('adds its activity penalty for each call, and its weight penalty once', async () => {
    const input = Input({ shape: [2] })
    const shared = new Dense({ units: 2, kernelRegularizer: 'l2', activityRegularizer: 'l1' })
    const first = shared.apply(input)
    const second = shared.apply(first)
    const model = new Model({ inputs: input, outputs: second })
    model.compile({ loss: 'mse' })
    const activities = new Model({ inputs: input, outputs: [first, second] }).predictOnBatch(x)
    const penalty = (values: ArrayLike<number>) =>
      Array.from(values).reduce((sum, value) => sum + 0.01 * Math.abs(value), 0) / x.length
    const ofWeights = Array.from(shared.kernel.value.data).reduce((sum, value) => sum + 0.01 * value ** 2, 0)
    const expected = activities.reduce((sum, { data }) => sum + penalty(data), ofWeights)
    const { loss } = await model.evaluate(x, activities[1]!)
    expect(loss).toBeCloseTo(expected, 5)
  })
})

describe('a failed build', () => {
  it('leaves the model unchanged', async () => {
    const model = new Sequential([new Dense({ units: 3 }), new Dense({ units: 2, biasInitializer: 'orthogonal' })])
    await expect(model.predict(x)).rejects.toThrow('Orthogonal')
    expect(model.layers.map((layer) => layer.built)).toEqual([false, false])
  })
})
