import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Callback,
  Dense,
  Input,
  LSTM,
  Model,
  SGD,
  Sequential,
  Variable,
  ops,
  tensor,
  valueAndGrad,
  disassemble,
  type Probe,
  type ProbedStep,
  type Tensor,
} from '../../src'
import { binaryModel, errorOf, samples, weightsOf } from '../helpers/training'
import { withSettings } from '../helpers/with-settings'

const { x, yes } = samples(20)

/** Fits with probes for one epoch. */
function fitWith(model: Sequential, probes: readonly Probe[], { epochs = 1, batchSize = 5, shuffle = true } = {}) {
  return model.fit(x, yes, { epochs, batchSize, shuffle, verbose: 0, callbacks: [{ probes }] })
}

function cell(shape: readonly number[] = []): Variable {
  return new Variable(shape, { name: 'probe', trainable: false })
}

describe('probes', () => {
  it('see outputs, gradients, and weights before and after the update', async () => {
    const model = new Sequential([
      new Dense({ units: 3, activation: 'tanh', inputShape: [4] }),
      new Dense({ units: 1 }),
    ])
    model.compile({ optimizer: new SGD({ learningRate: 0.5 }), loss: 'meanSquaredError' })
    const [hidden, last] = model.layers as [Dense, Dense]
    const initial = hidden.kernel.value
    const data = tensor(x)
    const targets = tensor(yes)
    const expected = ops.tanh(ops.add(ops.matmul(data, hidden.kernel.value), hidden.bias!.value))
    const [, outputGradient] = valueAndGrad((h: Tensor) =>
      ops.mean(ops.square(ops.subtract(ops.add(ops.matmul(h, last.kernel.value), last.bias!.value), targets))),
    )(expected)

    const [outputs, gradients, gradient, before, after] = [
      cell([20, 3]),
      cell([20, 3]),
      cell([4, 3]),
      cell([4, 3]),
      cell([4, 3]),
    ]
    await fitWith(
      model,
      [
        {
          gradientsOf: [hidden],
          trace: (step: ProbedStep) => {
            outputs.assign(step.outputs(hidden)[0]!)
            gradients.assign(step.outputGradients(hidden)[0]!)
            gradient.assign(step.gradient(hidden.kernel)!)
            before.assign(step.before(hidden.kernel))
            after.assign(step.after(hidden.kernel))
          },
        },
      ],
      { batchSize: 20, shuffle: false },
    )

    const close = (a: Variable, b: Tensor) =>
      a.value.data.forEach((value: number, i: number) => expect(value).toBeCloseTo(b.data[i]!, 5))
    close(outputs, expected)
    close(gradients, outputGradient as Tensor)
    close(before, initial)
    close(after, hidden.kernel.value)
    close(after, ops.subtract(initial, ops.multiply(gradient.value, 0.5)))
  })

  it('do not change training', async () => {
    const [plain, probed] = [binaryModel(), binaryModel()]
    probed.setWeights(plain.getWeights())
    const seen = cell()
    const layer = probed.layers[0]!
    await fitWith(plain, [], { shuffle: false, epochs: 2 })
    await fitWith(probed, [{ every: 3, trace: (step) => seen.assign(ops.mean(step.outputs(layer)[0]!)) }], {
      shuffle: false,
      epochs: 2,
    })
    expect(weightsOf(probed)).toEqual(weightsOf(plain))
    expect(seen.value.item()).not.toBe(0)
  })

  it('run every n steps, over epochs', async () => {
    const model = binaryModel()
    const count = cell()
    const steps: number[] = []
    await fitWith(
      model,
      [{ every: 3, trace: () => count.assign(ops.add(count.value, 1)), afterStep: (step) => void steps.push(step) }],
      { epochs: 3 },
    )
    // 12 steps: 0, 3, 6, 9
    expect(steps).toEqual([0, 3, 6, 9])
    expect(count.value.item()).toBe(4)
  })

  it('of several callbacks run in one step', async () => {
    const model = binaryModel()
    const [a, b] = [cell(), cell()]
    const add = (to: Variable) => () => to.assign(ops.add(to.value, 1))
    await fitWith(
      model,
      [
        { every: 2, trace: add(a) },
        { every: 3, trace: add(b) },
      ],
      { epochs: 3 },
    )
    expect([a.value.item(), b.value.item()]).toEqual([6, 4])
    const signatures = [...disassemble(model).keys()].filter((key) => key.startsWith('train'))
    // None, each alone, and both.
    expect(signatures).toHaveLength(4)
  })

  it('that are off cost no instructions', async () => {
    const model = binaryModel()
    await fitWith(model, [])
    const [plain] = [...disassemble(model)].filter(([key]) => key.startsWith('train')).map(([, text]) => text)
    await fitWith(model, [{ every: 50, trace: () => undefined }])
    expect([...disassemble(model).values()]).toContain(plain)
  })

  it('may change weights after a step', async () => {
    const model = binaryModel()
    const [kernel] = model.weights as [Variable]
    await fitWith(model, [{ afterStep: () => void kernel.view.fill(0) }])
    expect([...kernel.value.data].every((value) => value === 0)).toBe(true)
  })

  it('see gradients of the loss, not of the scaled one', async () => {
    const run = async (lossScaleFactor: number | null) => {
      const model = new Sequential([new Dense({ units: 1, kernelInitializer: 'ones', inputShape: [4] })])
      model.compile({ optimizer: new SGD({ lossScaleFactor }), loss: 'meanSquaredError' })
      const found = cell([4, 1])
      const { kernel } = model.layers[0] as Dense
      await fitWith(model, [{ trace: (step) => found.assign(step.gradient(kernel)!) }], {
        batchSize: 20,
        shuffle: false,
      })
      return [...found.value.data]
    }
    const [plain, scaled] = [await run(null), await run(1024)]
    scaled.forEach((value, i) => expect(value).toBeCloseTo(plain[i]!, 5))
  })

  it('see the loss, and add to the gradients without changing it', async () => {
    const run = async (lossScaleFactor: number | null, strength: number) => {
      const model = new Sequential([new Dense({ units: 1, kernelInitializer: 'ones', inputShape: [4] })])
      model.compile({ optimizer: new SGD({ learningRate: 0.5, lossScaleFactor }), loss: 'meanSquaredError' })
      const { kernel } = model.layers[0] as Dense
      const loss = cell()
      const pulled = { pull: (weight: Variable) => (weight === kernel ? ops.multiply(weight.value, strength) : null) }
      const { history } = await fitWith(model, [{ trace: (step) => loss.assign(step.loss) }, pulled], {
        batchSize: 20,
        shuffle: false,
      })
      return { loss: loss.value.item(), logged: history['loss']![0]!, weights: weightsOf(model) }
    }
    const plain = await run(null, 0)
    for (const scale of [null, 1024]) {
      const { loss, logged, weights } = await run(scale, 0.25)
      expect(loss).toBeCloseTo(logged, 5)
      expect(logged).toBeCloseTo(plain.logged, 5)
      // w − ½ (g + ¼ w), where w = 1; the bias has no term.
      weights[0]!.forEach((value, i) => expect(value).toBeCloseTo(plain.weights[0]![i]! - 0.125, 5))
      expect(weights[1]![0]).toBeCloseTo(plain.weights[1]![0]!, 5)
    }
  })

  it('observe only while they are active', async () => {
    const model = binaryModel()
    const count = cell()
    let isActive = false
    const switching: Probe = { every: 4, afterStep: () => void (isActive = !isActive) }
    const counting: Probe = {
      get isActive() {
        return isActive
      },
      trace: () => count.assign(ops.add(count.value, 1)),
    }
    // On after step 0, off after step 4, on after step 8: steps 1 to 4 and 9 to 11.
    await fitWith(model, [switching, counting], { epochs: 3 })
    expect(count.value.item()).toBe(7)
  })

  it('report a step without gradients', async () => {
    class Own extends Sequential {
      override trainStep() {
        return undefined
      }
    }
    const model = new Own([new Dense({ units: 1, inputShape: [4] })])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const error = await errorOf(() => fitWith(model, [{ trace: (step) => void step.loss }]))
    expect(error.message).toMatch(/computes no gradients with this\.gradients/)
  })

  it('see layers in functional and nested models, and several calls', async () => {
    const shared = new Dense({ units: 4, activation: 'relu' })
    const inner = new Sequential([shared])
    const input = Input({ shape: [4] })
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1 }).apply(ops.add(inner.apply(input), shared.apply(input)) as Tensor),
    })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    let calls = 0
    await model.fit(x, yes, {
      verbose: 0,
      callbacks: [{ probes: [{ trace: (step) => void (calls = step.outputs(shared).length) }] }],
    })
    expect(calls).toBe(2)
  })

  it('report layers that are not called, or only within a loop', async () => {
    const model = binaryModel()
    const other = new Dense({ units: 2, name: 'elsewhere' })
    const error = await errorOf(() => fitWith(model, [{ trace: (step) => void step.outputs(other) }]))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toMatch(/Dense "elsewhere", which is not called/)
    const lstm = new LSTM({ units: 3, inputShape: [2, 2] })
    const sequences = new Sequential([lstm, new Dense({ units: 1 })])
    sequences.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const data = ops.reshape(tensor(x), [20, 2, 2])
    const within = await errorOf(() =>
      sequences.fit(data, yes, {
        verbose: 0,
        callbacks: [{ probes: [{ trace: (step) => void step.outputs(lstm.cell) }] }],
      }),
    )
    expect(within.message).toMatch(/only within a loop/)
    let shape: readonly number[] = []
    await sequences.fit(data, yes, {
      verbose: 0,
      callbacks: [{ probes: [{ trace: (step) => void (shape = step.outputs(lstm)[0]!.shape) }] }],
    })
    expect(shape).toEqual([20, 3])
  })

  it('refuse an impossible interval, and gradients that were not requested', async () => {
    for (const every of [0, -1, 1.5, NaN])
      expect((await errorOf(() => fitWith(binaryModel(), [{ every }]))).message).toMatch(
        /every of a probe must be an integer ≥ 1/,
      )
    const model = binaryModel()
    const error = await errorOf(() =>
      fitWith(model, [{ trace: (step) => void step.outputGradients(model.layers[0]!) }]),
    )
    expect(error.message).toMatch(/must name in gradientsOf/)
  })

  it('keep their Variables with the model', async () => {
    const model = binaryModel()
    class Activity extends Callback {
      activity: Variable | null = null
      override get probes(): Probe[] {
        this.activity = new Variable([], { trainable: false })
        const [layer] = this.model.allLayers.filter((each) => each instanceof Dense)
        return [{ trace: (step) => this.activity!.assign(ops.mean(step.outputs(layer!)[0]!)) }]
      }
    }
    const callback = new Activity()
    await withSettings({ fuse: false }, async () => {
      await model.fit(x, yes, { verbose: 0, callbacks: [callback] })
    })
    expect(callback.activity!.value.item()).not.toBe(0)
    expect(callback.activity!.runtime).toBe(model.weights[0]!.runtime)
  })
})
