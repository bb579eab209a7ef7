// Properties of layers beyond Keras's numbers (golden.test.ts): names, shapes, life cycle, Dropout.
import { describe, expect, it } from 'vitest'
import {
  Activation,
  ArgumentError,
  CallContext,
  Dense,
  Dropout,
  Flatten,
  Input,
  InputLayer,
  Lambda,
  MultiHeadAttention,
  Reshape,
  SGD,
  Sequential,
  StateError,
  TimeDistributed,
  clearSession,
  ops,
  regularizers,
  setRandomSeed,
  tensor,
  type ApplyOptions,
  type CallbackMethods,
} from '../../src'
import { regularizers as registry } from '../../src/parts/regularizers/registry'
import { expectNear } from '../helpers/golden'

const training = (): CallContext => new CallContext(true)

describe('names', () => {
  it('are counted by class, and restart after clearSession', () => {
    clearSession()
    const names = [
      new Dense({ units: 1 }),
      new Dense({ units: 1 }),
      new Flatten(),
      new Dropout(0.5),
      new InputLayer({ shape: [1] }),
    ].map(({ name }) => name)
    expect(names).toEqual(['dense', 'dense_1', 'flatten', 'dropout', 'input_layer'])
    clearSession()
    expect(new Dense({ units: 1 }).name).toBe('dense')
    expect(String(new Dense({ units: 1, name: 'fc' }))).toBe('Dense "fc"')
  })

  it('of weights begin with the layer’s', () => {
    const layer = new Dense({ units: 2, inputDim: 3, name: 'fc' })
    layer.ensureBuilt([null, 3])
    expect(layer.weights.map(({ name }) => name)).toEqual(['fc/kernel', 'fc/bias'])
  })
})

describe('life cycle', () => {
  it('weights are made once, at the first call', () => {
    const layer = new Dense({ units: 2 })
    expect(layer.built).toBe(false)
    expect(() => layer.kernel).toThrow(StateError)
    const first = layer.apply([[1, 2, 3]])
    expect(layer.built).toBe(true)
    expect(layer.countParams()).toBe(8)
    expect(layer.apply([[1, 2, 3]]).data).toEqual(first.data)
  })

  it('shapes are known before data', () => {
    expect(new Dense({ units: 7 }).computeOutputShape([null, 3, 5])).toEqual([null, 3, 7])
    expect(new Flatten().computeOutputShape([null, 3, 5])).toEqual([null, 15])
    expect(new Flatten().computeOutputShape([null, null, 5])).toEqual([null, null])
    expect(new Reshape([3, -1]).computeOutputShape([null, 6])).toEqual([null, 3, 2])
    expect(new Reshape({ targetShape: [-1, 3] }).computeOutputShape([null, null])).toEqual([null, null, 3])
    expect(new Dropout(0.1).computeOutputShape([null, 6])).toEqual([null, 6])
    expect(new Activation('relu').computeOutputShape([null, 6])).toEqual([null, 6])
  })

  it('InputLayer declares and is not counted among the layers', () => {
    const model = new Sequential([new InputLayer({ shape: [2, 3] }), new Flatten(), new Dense({ units: 1 })])
    expect(model.layers.map((layer) => layer.constructor.name)).toEqual(['Flatten', 'Dense'])
    expect(model.getWeights()[0]!.shape).toEqual([6, 1])
  })
})

describe('a call', () => {
  it('refuses unknown options, in either spelling', () => {
    const attention = new MultiHeadAttention({ numHeads: 1, keyDim: 2, name: 'attention' })
    const x = tensor([
      [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
    ])
    const causal = attention.apply(x, { useCausalMask: true })
    expect(attention.apply(x).data).not.toEqual(causal.data)
    expect(attention.apply(x, { use_causal_mask: true } as ApplyOptions).data).toEqual(causal.data)
    const misspelt = { useCausalMasks: true } as ApplyOptions
    for (const input of [x, Input({ shape: [3, 2] })]) {
      expect(() => attention.apply(input, misspelt)).toThrow(
        new ArgumentError(
          "Unknown option of a call of MultiHeadAttention \"attention\" 'useCausalMasks'. Did you mean 'useCausalMask'?",
        ),
      )
    }
  })

  it('names the layer in which an op refused its operands', () => {
    const inner = new TimeDistributed({
      layer: new Lambda({ function: (x) => ops.reshape(x, [7]), name: 'inner' }),
      name: 'steps',
    })
    expect(() => inner.apply(ops.ones([1, 4, 5]))).toThrow(/^TimeDistributed "steps": Lambda "inner": reshape: /)
    // Also if it is not caught, and the stack is printed.
    expect(() => inner.apply(ops.ones([1, 4, 5]))).toThrow(
      expect.objectContaining({ stack: expect.stringContaining('TimeDistributed "steps": Lambda') }),
    )
    const flat = new MultiHeadAttention({ numHeads: 1, keyDim: 2, name: 'flat' })
    expect(() => flat.apply(ops.ones([4, 3]))).toThrow(
      'MultiHeadAttention "flat": the query and the value must be [batch, …steps, features], received [null, 3] and [null, 3]',
    )
    const outer = new Sequential([new Lambda({ function: (x) => ops.reshape(x, [7]), name: 'seven' })])
    expect(() => outer.predictOnBatch([[1, 2, 3]])).toThrow(/^Lambda "seven": reshape: /)
  })
})

describe('Dropout', () => {
  const x = ops.ones([40, 50])

  it('returns its input outside training', () => {
    expect(new Dropout(0.9).apply(x).data).toEqual(x.data)
  })

  it('drops in training, differently each time, the same with the same seed', () => {
    const [a, b] = [new Dropout({ rate: 0.25, seed: 5 }), new Dropout({ rate: 0.25, seed: 5 })]
    const first = a.apply(x, training())
    const second = a.apply(x, training())
    expect(first.data).not.toEqual(second.data)
    expect(b.apply(x, training()).data).toEqual(first.data)
    expect(b.apply(x, training()).data).toEqual(second.data)
    expect(new Dropout({ rate: 0.25, seed: 6 }).apply(x, training()).data).not.toEqual(first.data)
    const zeros = first.data.filter((value) => value === 0).length
    expect(Math.abs(zeros / 2000 - 0.25)).toBeLessThan(0.05)
    expectNear(
      first.data.filter((value) => value !== 0),
      Array.from({ length: 2000 - zeros }, () => 4 / 3),
      'kept',
    )
  })

  it('of rate 0 and 1', () => {
    expect(new Dropout(0).apply(x, training()).data).toEqual(x.data)
    expect(new Set(new Dropout(1).apply(x, training()).data)).toEqual(new Set([0]))
  })

  it('has another mask in each step of fit, the same in the gradient as forward', async () => {
    setRandomSeed(2)
    const width = 30
    const model = new Sequential([
      new Dropout({ rate: 0.5, inputShape: [width] }),
      new Dense({ units: 1, kernelInitializer: 'zeros', useBias: false }),
    ])
    model.compile({ loss: (_yTrue, yPred) => ops.mean(yPred, { axis: -1 }), optimizer: new SGD({ learningRate: 1 }) })
    const kernels: number[][] = []
    const record: CallbackMethods = {
      onTrainBatchEnd: () => void kernels.push(Array.from(model.getWeights()[0]!.data)),
    }
    await model.fit(ops.ones([3, width]), [0, 0, 0], { batchSize: 1, epochs: 1, verbose: 0, callbacks: [record] })
    // ∂ loss / ∂ kernel is the dropped-out input.
    const masks = kernels.map((kernel, step) =>
      kernel.map((value, i) => (step === 0 ? 0 : kernels[step - 1]![i]!) - value),
    )
    for (const mask of masks) expect(new Set(mask)).toEqual(new Set([0, 2]))
    expect(new Set(masks.map((mask) => mask.join())).size).toBe(3)
  })
})

describe('regularizers', () => {
  const x = tensor([
    [1, -2],
    [3, 0],
  ])

  it.each([
    [new regularizers.L1({ l1: 0.5 }), 3],
    [new regularizers.L2({ l2: 0.5 }), 7],
    [new regularizers.L1L2({ l1: 0.5, l2: 0.5 }), 10],
    [new regularizers.L1L2(), 0],
    [registry.get('l1'), 0.06],
    [registry.get('L2'), 0.14],
    [registry.get('l1_l2'), 0.2],
    [registry.get({ className: 'L1L2', config: { l1: 0.5, l2: 0 } }), 3],
  ])('%o', (regularizer, penalty) => {
    expectNear([regularizer.call(x).item()], [penalty], 'penalty')
    expectNear(
      [registry.get({ className: regularizer.constructor.name, config: regularizer.getConfig() }).call(x).item()],
      [penalty],
      'a saved one',
    )
  })

  it('are inactive while their layer is frozen', () => {
    const model = new Sequential([
      new Dense({ units: 1, inputShape: [1], kernelInitializer: 'ones', kernelRegularizer: 'l2' }),
    ])
    model.compile({ loss: 'mse' })
    expectNear([model.testOnBatch([[1]], [[1]]).loss], [0.01], 'loss')
    model.layers[0]!.trainable = false
    expectNear([model.testOnBatch([[1]], [[1]]).loss], [0], 'loss of the frozen model')
  })
})
