// Recurrent layers beyond Keras's numbers (golden.test.ts) and the contract: custom cells, training, state over
// batches, dropout, hoisting out of a loop, errors.

import { describe, expect, it, vi } from 'vitest'
import {
  Adam,
  BatchNormalization,
  Bidirectional,
  Cell,
  Conv1D,
  ConvLSTM1D,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  GRU,
  GRUCell,
  Input,
  InputLayer,
  LSTM,
  LSTMCell,
  Model,
  MyelinError,
  RNN,
  RecurrentLayer,
  Sequential,
  SimpleRNN,
  SimpleRNNCell,
  StackedRNNCells,
  TimeDistributed,
  loadModel,
  customObjectScope,
  ops,
  setMask,
  setRandomSeed,
  tensor,
  valueAndGrad,
  disassemble,
  type CallContext,
  type CellInput,
  type CellOutput,
  type ShapesOf,
  type Tensor,
  type Variable,
} from '../../src'
import { layerFromConfig } from '../../src/layers/saved'
import { flatten } from '../../src/core/tree'
import { currentRuntime } from '../../src/engine/runtime/current'
import { floats, generator } from '../helpers/data'
import { expectNear } from '../helpers/golden'

/** h' = tanh(x · kernel + h · recurrentKernel), and its square as a second state. */
class Minimal extends Cell {
  static readonly className = 'Minimal'
  private kernel: Variable | null = null
  private recurrentKernel: Variable | null = null

  get stateSize(): number[] {
    return [4, 4]
  }

  override build({ input }: ShapesOf<CellInput>): void {
    this.kernel = this.addWeight({ name: 'kernel', shape: [input.at(-1)!, 4] })
    this.recurrentKernel = this.addWeight({ name: 'recurrentKernel', shape: [4, 4], initializer: 'orthogonal' })
  }

  call({ input, state: [h, square] }: CellInput): CellOutput {
    const next = ops.tanh(ops.add(ops.matmul(input, this.kernel!), ops.matmul(h!, this.recurrentKernel!)))
    // An output that is not a state.
    return { output: ops.add(next, square!), state: [next, ops.square(next)] }
  }
}

const { data, shape } = floats([5, 7, 3])
const x = tensor([...data], shape)

describe('a custom cell', () => {
  it('gives the same in a loop as step by step', () => {
    const cell = new Minimal()
    const layer = new RNN({ cell, returnSequences: true, returnState: true })
    const [outputs, ...states] = layer.applyWithState(x)
    let state: readonly Tensor[] = [ops.zeros([5, 4]), ops.zeros([5, 4])]
    for (let t = 0; t < 7; t++) {
      const made = cell.apply({ input: ops.reshape(ops.slice(x, [0, t, 0], [5, 1, 3]), [5, 3]), state })
      state = made.state
      expectNear(ops.slice(outputs, [0, t, 0], [5, 1, 4]).data, made.output.data, `output ${t}`, 1e-6)
    }
    states.forEach((last, i) => expectNear(last.data, state[i]!.data, `state ${i}`, 1e-6))
  })

  it('is saved with its layer', async () => {
    const model = new Sequential([
      new RNN({ cell: new Minimal({ name: 'own' }), inputShape: [null, 3] }),
      new Dense({ units: 1 }),
    ])
    const copy = await loadModel(await model.save(), { customObjects: { Minimal } })
    expect(copy.predictOnBatch(x).data).toEqual(model.predictOnBatch(x).data)
  })

  it('may be one of several', () => {
    const layer = new RNN([new Minimal(), new SimpleRNNCell(2)])
    expect(layer.cell).toBeInstanceOf(StackedRNNCells)
    expect(layer.cell.stateSize).toEqual([4, 4, 2])
    expect(layer.apply(x).shape).toEqual([5, 2])
    expect(layer).toBeInstanceOf(RecurrentLayer)
  })
})

describe('SimpleRNN', () => {
  it('learns whether ones or zeros are more frequent, in padded sequences', async () => {
    setRandomSeed(3)
    const random = generator(5)
    const rows = Array.from({ length: 96 }, () =>
      Array.from({ length: 6 }, (_, t) => (t < 3 || random() < 0.5 ? 1 + Math.floor(2 * random()) : 0)),
    )
    const y = rows.map((row) => [Number(row.filter((id) => id === 2).length > row.filter((id) => id === 1).length)])
    const model = new Sequential([
      new Embedding({ inputDim: 3, outputDim: 4, maskZero: true, inputShape: [null] }),
      new SimpleRNN({ units: 8 }),
      new Dense({ units: 1, activation: 'sigmoid' }),
    ])
    model.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    const { history } = await model.fit(rows, y, { batchSize: 16, epochs: 25, verbose: 0 })
    expect(history['accuracy']!.at(-1)).toBeGreaterThan(0.95)
    // Padding changes nothing.
    const short = await model.predict([[1, 2, 2]])
    expectNear((await model.predict([[1, 2, 2, 0, 0]])).data, short.data, 'with padding', 1e-6)
  })

  it('takes its first state from another layer', async () => {
    const [encoded, decoded] = [
      Input({ shape: [null, 3], name: 'encoded' }),
      Input({ shape: [null, 3], name: 'decoded' }),
    ]
    const [, state] = new SimpleRNN({ units: 4, returnState: true }).applyWithState(encoded)
    const outputs = new SimpleRNN({ units: 4, returnSequences: true }).apply(decoded, { initialState: [state!] })
    const model = new Model({ inputs: { encoded, decoded }, outputs })
    const inputs = { encoded: x, decoded: ops.multiply(x, 0.5) }
    const given = await model.predict(inputs)
    expect(given.shape).toEqual([5, 7, 4])
    expect((await model.predict({ ...inputs, encoded: ops.multiply(x, 2) })).data).not.toEqual(given.data)
    const copy = await loadModel<{ encoded: Tensor; decoded: Tensor }>(await model.save())
    expect((await copy.predict(inputs)).data).toEqual(given.data)
  })

  it('drops the same in all steps of a sequence', () => {
    const layer = new SimpleRNN({
      units: 6,
      returnSequences: true,
      dropout: 0.5,
      recurrentInitializer: 'zeros',
      activation: null,
      useBias: false,
      kernelInitializer: 'identity',
      seed: 9,
    })
    const outputs = layer.apply(ops.ones([4, 5, 6]), { training: true }).toArray<number[][][]>()
    for (const steps of outputs) for (const step of steps) expect(step).toEqual(steps[0])
    expect(new Set(outputs.flat(2))).toEqual(new Set([0, 2]))
  })

  it('has a tape whose length does not depend on the number of steps', () => {
    const model = new Sequential([new SimpleRNN({ units: 4, inputShape: [null, 3] })])
    for (const steps of [5, 50]) model.predictOnBatch(ops.ones([2, steps, 3]))
    const [few, many] = [...disassemble(model).values()].map((text) => text.split('\n').length)
    expect(many).toBe(few)
  })

  it.each([
    [
      'an input without steps',
      () => new SimpleRNN({ units: 2, name: 'x' }).apply(ops.ones([2, 3])),
      'SimpleRNN "x": the input must be [batch, steps, features], received [null, 3]. Rows of single numbers, such as windows of a series, need an axis of features: ops.expandDims(x, -1). A recurrent layer in front of it gives every step with returnSequences: true.',
    ],
    [
      'too many states',
      () => new SimpleRNN({ units: 2, name: 'x' }).apply(x, { initialState: [x, x] }),
      'SimpleRNN "x": initialState must be 1 tensors, received 2',
    ],
    [
      'a state of another shape',
      () => new SimpleRNN({ units: 2, name: 'x' }).apply(x, { initialState: [ops.ones([5, 3])] }),
      'SimpleRNN "x": initialState[0] must be [5, 2], received [5, 3]',
    ],
    [
      'a layer that is not a cell',
      () => Reflect.construct(RNN, [{ cell: new Dense(2) }]),
      'cell must be a cell, a subclass of Cell, received Dense',
    ],
    ['no cells', () => new RNN([]), 'needs at least one cell'],
    [
      'states that were not requested',
      () => new SimpleRNN({ units: 2 }).applyWithState(x),
      'applyWithState needs returnState: true',
    ],
  ])('refuses %s', (_what, action, message) => {
    expect(action).toThrow(message)
  })
})

/** Steps first … last − 1 of all samples. */
const stepsOf = (x: Tensor, first: number, last: number): Tensor =>
  ops.slice(x, [0, first, 0], [x.shape[0]!, last - first, x.shape[2]!])

const gated = {
  SimpleRNN: (options: object) => new SimpleRNN({ units: 3, ...options }),
  LSTM: (options: object) => new LSTM({ units: 3, ...options }),
  GRU: (options: object) => new GRU({ units: 3, ...options }),
  'RNN of two cells': (options: object) => new RNN({ cell: [new LSTMCell(4), new GRUCell(3)], ...options }),
}

describe.each(Object.entries(gated))('%s', (_name, make) => {
  it('continues from the states it returned', () => {
    const layer = make({ returnSequences: true, returnState: true })
    const [whole] = layer.applyWithState(x)
    const [first, ...states] = layer.applyWithState(stepsOf(x, 0, 3))
    const [second] = layer.applyWithState(stepsOf(x, 3, 7), { initialState: states })
    expectNear(ops.concatenate([first, second], 1).data, whole.data, 'in two parts', 1e-6)
  })

  it('keeps its state over batches if stateful, until resetState', () => {
    const layer = make({ returnSequences: true, stateful: true })
    expect(layer.states).toBeNull()
    const first = layer.apply(stepsOf(x, 0, 3))
    const second = layer.apply(stepsOf(x, 3, 7))
    layer.resetState()
    const whole = layer.apply(x)
    expectNear(ops.concatenate([first, second], 1).data, whole.data, 'in two parts', 1e-6)
    expect(layer.states!.map(({ shape, trainable }) => [shape[0], trainable])).toEqual(
      layer.cell.stateSizes.map(() => [5, false]),
    )
    expect(layer.weights, 'states are not weights').toHaveLength(layer.trainableWeights.length)
    expect(() => layer.apply(ops.ones([4, 7, 3]))).toThrow(
      /stateful, so all batches must have as many samples as the first one, 5, received 4/,
    )
  })

  it('gives the same with unroll, and warns', () => {
    const layer = make({ returnSequences: true })
    const other = make({ returnSequences: true, unroll: true })
    const y = layer.apply(x)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    other.apply(x)
    other.apply(x)
    expect(warn.mock.calls.map(String)).toEqual([expect.stringContaining('unroll changes nothing')])
    warn.mockRestore()
    other.weights.forEach((weight, i) => weight.assign(layer.weights[i]!.value))
    expect(other.apply(x).data).toEqual(y.data)
  })

  it('has a state that padding does not change', () => {
    const layer = make({ returnState: true })
    const states = layer.applyWithState(stepsOf(x, 0, 4))
    const padded = ops.add(x, 0)
    setMask(
      padded,
      tensor(
        Int32Array.from({ length: 35 }, (_, i) => Number(i % 7 < 4)),
        [5, 7],
        'bool',
      ),
    )
    layer.applyWithState(padded).forEach((state, i) => expectNear(state.data, states[i]!.data, `state ${i}`, 1e-6))
  })
})

describe('stateful layers in models', () => {
  it('continue from batch to batch of predict and fit', async () => {
    const model = new Sequential([
      new GRU({ units: 3, stateful: true, inputShape: [null, 3], name: 'kept' }),
      new Dense(1),
    ])
    const layer = model.getLayer('kept') as GRU
    model.summary({ flops: true, printFn: () => {} })
    expect(layer.states, 'a summary keeps nothing').toBeNull()
    const once = model.predictOnBatch(x)
    const again = model.predictOnBatch(x)
    expect(again.data).not.toEqual(once.data)
    layer.resetState()
    expect(model.predictOnBatch(x).data).toEqual(once.data)
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    layer.resetState()
    const before = layer.states![0]!.value.data
    await model.fit(x, ops.ones([5, 1]), { batchSize: 5, epochs: 1, verbose: 0 })
    expect(layer.states![0]!.value.data).not.toEqual(before)
    await expect(model.fit(x, ops.ones([5, 1]), { batchSize: 2, epochs: 1, verbose: 0 })).rejects.toThrow(
      'GRU "kept": stateful',
    )
  })

  it('may be called in two directions', () => {
    const layer = new Bidirectional(new LSTM({ units: 2, stateful: true }))
    const once = layer.apply(x)
    expect(layer.apply(x).data).not.toEqual(once.data)
    layer.resetState()
    expect(layer.apply(x).data).toEqual(once.data)
  })
})

describe('gates', () => {
  it('start with ones in the bias of the forget gate', () => {
    const layers = [true, false].map(
      (unitForgetBias) =>
        new LSTM({ units: 2, unitForgetBias, biasInitializer: { className: 'Constant', config: { value: 3 } } }),
    )
    const biases = layers.map((layer) => {
      layer.ensureBuilt([null, null, 3])
      return [...layer.cell.bias!.value.data]
    })
    expect(biases).toEqual([[3, 3, 1, 1, 3, 3, 3, 3], new Array(8).fill(3)])
  })

  it.each([
    ['share a mask', { dropout: 0.5 }, [4, 3]],
    ['have separate masks with implementation 1', { dropout: 0.5, implementation: 1 }, [4, 4, 3]],
    ['have separate masks with recurrentDropout', { dropout: 0.5, recurrentDropout: 0.2 }, [4, 4, 3]],
  ])('%s', (_what, options, expected) => {
    const cell = new LSTMCell({ units: 2, seed: 1, ...options })
    expect(cell.dropoutMasks(4, [3])['input']!.shape).toEqual(expected)
    const [input, state] = [ops.ones([4, 3]), [ops.ones([4, 2]), ops.ones([4, 2])]]
    const all = [cell.apply({ input, state }), cell.apply({ input, state }, { training: true })].map(
      ({ output }) => output.data,
    )
    expect(all[1]).not.toEqual(all[0])
  })

  it('use their own masks', () => {
    const cell = new GRUCell({ units: 2, resetAfter: false, dropout: 0.5, recurrentDropout: 0.5 })
    const input = { input: ops.ones([1, 2]), state: [ops.ones([1, 2])] }
    const without = cell.apply(input)
    const ones = { input: ops.ones([3, 1, 2]), state: ops.ones([3, 1, 2]) }
    expectNear(
      cell.apply({ ...input, dropout: ones }, { training: true }).output.data,
      without.output.data,
      'nothing is dropped',
      1e-6,
    )
    const gates = [0, 1, 2].map((gate) => {
      const state = ops.multiply(
        ops.ones([3, 1, 2]),
        ops.reshape(tensor([0, 1, 2].map((i) => Number(i !== gate))), [3, 1, 1]),
      )
      return cell.apply({ ...input, dropout: { ...ones, state } }, { training: true }).output.data
    })
    for (const each of gates) expect(each).not.toEqual(without.output.data)
  })
})

// The interpreter runs the graph as recorded.
describe.runIf(currentRuntime().settings.backend === 'wasm')('hoisted out of the loop', () => {
  /** The number of instructions of an opcode in each loop of a model's last program. */
  const countsInLoops = (model: Sequential, name: string): number[] => {
    const text = [...disassemble(model).values()].at(-1)!
    const [, ...loops] = text.split(/^ {0,5}\d+ {2}Loop /m)
    // The body is indented further than the instructions after it.
    return loops.map((rest) => rest.split(/^ {0,4}\d+ {2}\w/m)[0]!).map((body) => body.split(` ${name} `).length - 1)
  }

  class Own extends Cell {
    private kernel: Variable | null = null
    private recurrentKernel: Variable | null = null
    readonly stateSize = 4

    override build({ input }: ShapesOf<CellInput>): void {
      this.kernel = this.addWeight({ name: 'kernel', shape: [input.at(-1)!, 4] })
      this.recurrentKernel = this.addWeight({ name: 'recurrentKernel', shape: [4, 4] })
    }

    call({ input, state: [h] }: CellInput): CellOutput {
      const next = ops.tanh(ops.add(ops.matmul(input, this.kernel!), ops.matmul(h!, this.recurrentKernel!)))
      return { output: next, state: [next] }
    }
  }

  it.each([
    ['LSTM', () => new LSTM({ units: 4, inputShape: [6, 3] })],
    ['GRU', () => new GRU({ units: 4, inputShape: [6, 3] })],
    ['a custom cell', () => new RNN({ cell: new Own(), inputShape: [6, 3] })],
  ])('the product with the input, of %s', (_name, make) => {
    const model = new Sequential([make(), new Dense(1)])
    model.predictOnBatch(ops.ones([2, 6, 3]))
    expect(countsInLoops(model, 'Gemm')).toEqual([1])
    // Forwards the product with the state; backwards its gradient. The gradients of the weights are one product each,
    // for all steps.
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    model.trainOnBatch(ops.ones([2, 6, 3]), ops.ones([2, 1]))
    expect(countsInLoops(model, 'Gemm')).toEqual([1, 1])
  })

  it('all of TimeDistributed(Dense)', () => {
    const model = new Sequential([
      new TimeDistributed({ layer: new Dense({ units: 4, activation: 'relu' }), inputShape: [6, 3] }),
    ])
    model.predictOnBatch(ops.ones([2, 6, 3]))
    expect(countsInLoops(model, 'Gemm')).toEqual([])
  })
})

/** A cell that is wide enough for the optimizations of large products. */
describe('a wide cell', () => {
  const wide = tensor([...floats([8, 64, 16]).data], [8, 64, 16])

  it.each([
    ['LSTM', () => new LSTM({ units: 64, returnSequences: true })],
    ['GRU', () => new GRU({ units: 64, returnSequences: true })],
    [
      'GRU that resets before',
      () => new GRU({ units: 64, resetAfter: false, goBackwards: true, returnSequences: true }),
    ],
  ])('of %s has the same outputs and gradients in a loop as step by step', (_name, make) => {
    const layer = make()
    layer.ensureBuilt([null, null, 16])
    const { cell, goBackwards } = layer
    const stepByStep = (x: Tensor): Tensor => {
      let state = cell.initialState(8)
      const outputs = ops.unstack(goBackwards ? ops.flip(x, 1) : x, null, 1).map((input) => {
        const made = cell.apply({ input, state })
        state = made.state
        return made.output
      })
      return ops.stack(outputs, 1)
    }
    const [loop, steps] = [(x: Tensor) => layer.apply(x), stepByStep].map((outputsOf) => {
      const lossOf = (x: Tensor): Tensor => ops.mean(ops.square(ops.add(outputsOf(x), 0.5)))
      const [value, gradients] = valueAndGrad((x: Tensor, _weights: readonly Tensor[]) => lossOf(x), {
        argnums: [0, 1],
      })(wide, layer.trainableWeights as never)
      return [outputsOf(wide), value, ...flatten<Tensor>(gradients as never)]
    }) as [Tensor[], Tensor[]]
    loop.forEach((each, i) => expectNear(each.data, steps[i]!.data, `result ${i}`, 2e-6))
    expect(loop.length).toBe(3 + layer.weights.length)
  })
})

describe('losses added in a loop', () => {
  it('are summed over the steps', () => {
    const model = new Sequential([
      new TimeDistributed({ layer: new Dense({ units: 2, activityRegularizer: 'l2' }), inputShape: [7, 3] }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const y = model.predictOnBatch(x)
    // The mean over samples of 0.01 Σ y².
    expectNear([model.testOnBatch(x, y)['loss']!], [(0.01 * ops.sum(ops.square(y)).item()) / 5], 'loss', 1e-6)
  })

  class Reporting extends SimpleRNNCell {
    static override readonly className: 'SimpleRNNCell'

    override call(given: CellInput, context: CallContext): CellOutput {
      const made = super.call(given, context)
      this.addMetric('size', ops.mean(ops.square(made.output)))
      return made
    }
  }

  it('may be metrics of a cell, which are averaged', () => {
    const model = new Sequential([new RNN({ cell: new Reporting(3), returnSequences: true, inputShape: [7, 3] })])
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const y = model.predictOnBatch(x)
    const logs = model.testOnBatch(x, y)
    expectNear([logs['size']!], [ops.mean(ops.square(y)).item()], 'size', 1e-6)
  })
})

describe('Bidirectional', () => {
  it('has two layers with separate weights', () => {
    const pattern = new LSTM({ units: 2, name: 'lstm' })
    const layer = new Bidirectional(pattern)
    layer.apply(x)
    expect(layer.forwardLayer).not.toBe(pattern)
    expect([layer.forwardLayer.name, layer.backwardLayer.name]).toEqual(['forward_lstm', 'backward_lstm'])
    expect(layer.weights).toHaveLength(6)
    expect(pattern.built).toBe(false)
    expect(layer.weights[3]!.name).toBe(`${layer.name}/backward_lstm/lstm_cell/kernel`)
  })

  it('reads a sequence backwards like the other layer reads the reversed one', () => {
    const layer = new Bidirectional({ layer: new GRU({ units: 2, returnSequences: true }), mergeMode: null })
    const [, z] = layer.applyWithState(x)
    const forwards = new GRU({ units: 2, returnSequences: true })
    forwards.apply(x)
    forwards.weights.forEach((weight, i) => weight.assign(layer.backwardLayer.weights[i]!.value))
    expectNear(z!.data, ops.flip(forwards.apply(ops.flip(x, 1)), 1).data, 'z', 1e-6)
  })

  it('takes custom cells', () => {
    const layer = new Bidirectional({
      layer: new RNN({ cell: new Minimal(), returnSequences: true }),
      mergeMode: 'sum',
    })
    expect(layer.apply(x).shape).toEqual([5, 7, 4])
    expect(layer.weights).toHaveLength(4)
  })

  it('works in functional models, with its states', async () => {
    const input = Input({ shape: [null, 3] })
    const [, ...states] = new Bidirectional(new LSTM({ units: 2, returnState: true })).applyWithState(input)
    const y = new Bidirectional(new LSTM({ units: 2 })).apply(input, { initialState: states })
    const model = new Model({ inputs: input, outputs: y })
    const copy = await loadModel(await model.save())
    expect(copy.predictOnBatch(x)).toEqual(model.predictOnBatch(x))
  })
})

describe('TimeDistributed', () => {
  it('trains a model inside', async () => {
    const model = new Sequential([
      new TimeDistributed({
        layer: new Sequential([new Dense({ units: 4, activation: 'tanh' }), new Dense(2)]),
        inputShape: [7, 3],
      }),
      new LSTM(3),
      new Dense(1),
    ])
    model.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'mse' })
    const y = ops.mean(x, { axis: [1, 2], keepDims: false })
    const { history } = await model.fit(x, ops.reshape(y, [5, 1]), { epochs: 60, verbose: 0 })
    expect(history['loss']!.at(-1)!).toBeLessThan(0.2 * history['loss']![0]!)
  })

  it('looks indices up step by step', () => {
    const layer = new TimeDistributed(new Embedding({ inputDim: 4, outputDim: 2 }))
    const indices = tensor([0, 1, 2, 3, 3, 1], [1, 2, 3], 'int32')
    expect(layer.apply(indices).shape).toEqual([1, 2, 3, 2])
    expect(() => new Sequential([layer]).predictOnBatch(tensor([7], [1, 1, 1], 'int32'))).toThrow(
      'the indices must be in 0 … 3, received 7',
    )
  })
})

describe('initialState as plain arrays', () => {
  const two = tensor([[[1], [2]]])
  const stepsOf = (layer: { apply(x: Tensor, options: object): Tensor }, initialState: unknown, x = two): unknown =>
    layer.apply(x, { initialState }).toArray()

  it('equals the same as tensors', () => {
    for (const states of [[[[0.7, 0.1]]], [[[0.7, 0.1]], [[0.2, -1]]]]) {
      const layer = states.length === 1 ? new SimpleRNN(2) : new LSTM(2)
      const expected = stepsOf(
        layer,
        states.map((state) => tensor(state)),
      )
      expect(stepsOf(layer, states)).toEqual(expected)
      expect(stepsOf(layer, [tensor(states[0]!), ...states.slice(1)])).toEqual(expected)
      expect(stepsOf(layer, { ...states })).toEqual(expected)
      expect(
        stepsOf(
          layer,
          states.map(([row]) => ({ data: row, shape: [1, 2] })),
        ),
      ).toEqual(expected)
    }
    const both = new Bidirectional(new GRU(1))
    expect(stepsOf(both, [[[0.7]], [[0.2]]])).toEqual(stepsOf(both, [tensor([[0.7]]), tensor([[0.2]])]))
    const images = new ConvLSTM1D({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' })
    const [h, c] = [[[[0.7, 1, 1]]], [[[0.2, 1, 1]]]]
    const x = ops.ones([1, 2, 1, 3])
    expect(stepsOf(images, [h, c], x)).toEqual(stepsOf(images, [tensor(h), tensor(c)], x))
  })

  it('may be given to a call on symbols', () => {
    const layer = new SimpleRNN(1)
    const x = Input({ shape: [2, 1] })
    const model = new Model({ inputs: x, outputs: layer.apply(x, { initialState: [[[0.7]]] }) })
    expect(model.predictOnBatch(two).toArray()).toEqual(stepsOf(layer, [[[0.7]]]))
  })

  it.each([
    [new SimpleRNN(1), [[0.7]], 'initialState[0] must be [1, 1], received [1]'],
    [new SimpleRNN(1), [0.7], 'initialState[0] must be [1, 1], received []'],
    [new SimpleRNN(1), 0.7, 'initialState[0] must be [1, 1], received []'],
    [new SimpleRNN(1), [], 'initialState must be 1 tensors, received 0: expected [1, 1], received none'],
    [new LSTM(1), [[[0.7]]], 'initialState must be 2 tensors, received 1: expected [1, 1] and [1, 1], received [1, 1]'],
    [new LSTM(1), [[[0.7, 1]], [[0]]], 'initialState[0] must be [1, 1], received [1, 2]'],
    [new LSTM(1), [[[0.7]], [[0], [1, 2]]], 'initialState[1]: the nested arrays are ragged'],
    [new LSTM(1), [[[0.7]], null], 'initialState[1]: expected numbers, nested arrays, a typed array or a Tensor'],
    [
      new GRU(1),
      'zeros',
      'initialState: expected numbers, nested arrays, a typed array or a Tensor, received the string',
    ],
    [new Bidirectional(new GRU(1)), [[[0.7]]], 'first those of the way forwards, received 1: [1, 1]'],
  ])('%s refuses %j', (layer, states, message) => {
    const call = (): unknown => stepsOf(layer, states)
    expect(call).toThrow(MyelinError)
    expect(call).toThrow(message)
  })

  it('reports channels-first shapes as given', () => {
    const images = new ConvLSTM1D({ filters: 2, kernelSize: 1, dataFormat: 'channelsFirst' })
    const call = (states: unknown) => () => stepsOf(images, states, ops.ones([1, 2, 1, 3]))
    expect(call([ops.ones([1, 2, 4]), ops.ones([1, 2, 3])])).toThrow(
      'initialState[0] must be [1, 2, 3], received [1, 2, 4]',
    )
    expect(call([0.1, 0.2])).toThrow('initialState[0] must be [1, 2, 3], received []')
  })
})

describe('the recurrent family', () => {
  it.each([
    [
      'too few states of two directions',
      () => new Bidirectional({ layer: new LSTM(2), name: 'x' }).apply(x, { initialState: [x] }),
      'Bidirectional "x": initialState must be 4 tensors, first those of the way forwards, received 1',
    ],
    [
      'two layers in one direction',
      () => new Bidirectional({ layer: new LSTM(2), backwardLayer: new LSTM(2) }),
      'Bidirectional: layer and backwardLayer must go in opposite directions, received goBackwards false for both',
    ],
    [
      'a backward pattern',
      () => new Bidirectional(new LSTM({ units: 2, goBackwards: true })),
      'must go in opposite directions, received goBackwards true',
    ],
    [
      'layers with different results',
      () =>
        new Bidirectional({
          layer: new LSTM({ units: 2, returnSequences: true }),
          backwardLayer: new LSTM({ units: 2, goBackwards: true }),
        }),
      'Bidirectional: returnSequences of layer and backwardLayer must be the same, received true and false',
    ],
    [
      'a layer that is not recurrent',
      () => Reflect.construct(Bidirectional, [new Dense(2)]),
      'layer must be a recurrent layer such as LSTM or RNN, received Dense',
    ],
    [
      'another mergeMode',
      () => new Bidirectional({ layer: new LSTM(2), mergeMode: 'max' as never }),
      "mergeMode must be 'sum' or 'mul' or 'concat' or 'ave', received 'max'",
    ],
    [
      'sequences without steps',
      () => new Bidirectional({ layer: new LSTM(2), name: 'x' }).apply(ops.ones([2, 3])),
      'Bidirectional "x": the input must be [batch, steps, features], received [null, 3]',
    ],
    [
      'missing steps',
      () => new TimeDistributed({ layer: new Dense(2), name: 'x' }).apply(ops.ones([2])),
      'TimeDistributed "x": the input must be [batch, steps, …] with at least 3 axes, received [null]',
    ],
    [
      'states that were not requested',
      () => new Bidirectional(new LSTM(2)).applyWithState(x),
      'applyWithState needs a layer with returnState: true',
    ],
    [
      'another implementation',
      () => new LSTM({ units: 2, implementation: 3 }),
      'implementation must be an integer in [1, 2], received 3',
    ],
    [
      'states of another shape',
      () => new LSTM({ units: 2, name: 'x' }).apply(x, { initialState: [ops.ones([5, 2]), ops.ones([5, 3])] }),
      'LSTM "x": initialState[1] must be [5, 2], received [5, 3]',
    ],
  ])('refuses %s', (_what, action, message) => {
    expect(action).toThrow(message)
  })
})

describe('invalid arguments', () => {
  it('a list for a layer of one tensor', () => {
    const states = new LSTM({ units: 3, returnState: true }).apply(ops.zeros([2, 4, 5])) as unknown as Tensor
    for (const layer of [
      new Dense(3),
      new LSTM(2),
      new BatchNormalization(),
      new Flatten(),
      new Conv1D({ filters: 1, kernelSize: 1 }),
      new Dropout(0.5),
      new TimeDistributed(new Dense(3)),
    ]) {
      expect(() => layer.apply(states)).toThrow(
        new RegExp(`${layer.constructor.name} .*: the input must be one tensor, received a list of 3`),
      )
    }
  })

  it('a mask with other steps', () => {
    const layer = new LSTM({ units: 2 })
    for (const shape of [[2, 3], [4], [2, 4, 1]]) {
      expect(() => layer.apply(ops.zeros([2, 4, 5]), { mask: ops.cast(ops.ones(shape), 'bool') })).toThrow(
        /LSTM .*: the mask must be \[batch, steps\], here \[2, 4\], received/,
      )
    }
  })

  it('an initial state of integers', () => {
    expect(
      new GRU({ units: 2 }).apply(ops.zeros([2, 4, 5]), { initialState: ops.ones([2, 2], 'int32') }).shape,
    ).toEqual([2, 2])
  })
})

it.each([
  ['LSTMCell', { units: 2 }],
  ['InputLayer', { shape: [2] }],
])('%s is read from a configuration with inputShape, which had no effect', (className, config) => {
  const layer = customObjectScope({ LSTMCell, InputLayer }, () =>
    layerFromConfig({ className, config: { ...config, input_shape: [3] } }),
  )
  expect(layer.getConfig()).toMatchObject(config)
  expect(layer.inputShape).toBeNull()
})
