// Cells as layers of their own: called with states, asked for initial states, and layers of the user that are cells.

import { describe, expect, it } from 'vitest'
import {
  Bidirectional,
  ConvLSTM1D,
  Dense,
  GRU,
  GRUCell,
  Input,
  LSTM,
  LSTMCell,
  Layer,
  Model,
  RNN,
  Sequential,
  SimpleRNNCell,
  StackedRNNCells,
  loadModel,
  ops,
  tensor,
  type CallContext,
  type Tensor,
  type Variable,
} from '../../src'

const x = tensor([
  [1, 2, 3, 4],
  [0, 1, 0, 1],
])
const ones = (...shape: number[]): Tensor => ops.ones(shape)

describe('a cell', () => {
  it.each([
    ['GRUCell', new GRUCell(3), ones(2, 3)],
    ['SimpleRNNCell', new SimpleRNNCell(3), ones(2, 3)],
    ['SimpleRNNCell, with a list', new SimpleRNNCell(3), [ones(2, 3)]],
    ['LSTMCell', new LSTMCell(3), [ones(2, 3), ones(2, 3)]],
    ['StackedRNNCells', new StackedRNNCells([new LSTMCell(3), new GRUCell(2)]), [[ones(2, 3), ones(2, 3)], ones(2, 2)]],
  ])('%s takes the states as the second argument, and returns them in the same form', (_, cell, states) => {
    const [output, after] = (cell as GRUCell).apply(x, states as never)
    const flat = [states].flat(3) as Tensor[]
    const step = cell.apply({ input: x, state: flat })
    expect(output.data).toEqual(step.output.data)
    expect([after].flat(3).map((state: Tensor) => state.data)).toEqual(step.state.map(({ data }) => data))
    expect(Array.isArray(after)).toBe(Array.isArray(states))
  })

  it('is built for the shape of a step, and takes options after the states', () => {
    const cell = new LSTMCell(3, { dropout: 0.5 })
    cell.build([null, 4] as never)
    expect(cell.kernel.shape).toEqual([4, 12])
    cell.build([null, 4] as never)
    const [output, [h]] = cell.apply(x, [ones(2, 3), ones(2, 3)], { training: true })
    expect(output.data).toEqual(h!.data)
  })

  it('is a layer of functional models', () => {
    const [input, h] = [Input({ shape: [4] }), Input({ shape: [3] })]
    const cell = new GRUCell(3)
    const [output] = cell.apply(input, h)
    const model = new Model({ inputs: [input, h], outputs: output })
    expect(model.predictOnBatch([x, ones(2, 3)]).data).toEqual(cell.apply(x, ones(2, 3))[0].data)
  })

  it('says which states it needs', () => {
    expect(() => new GRUCell(4).apply(x as never)).toThrow('a cell needs its states: apply(x, h)')
    expect(() => new LSTMCell(4).apply(x as never, { training: true })).toThrow('apply(x, [h, c])')
    expect(() => new LSTMCell(4).apply(x, ones(2, 4))).toThrow('there must be 2 states, received 1')
  })

  it('gives initial states of a batch, also before it is built', () => {
    expect(new LSTMCell(3).getInitialState({ batchSize: 2 }).map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 3],
    ])
    expect(new GRUCell(3).getInitialState({ batch_size: 2 } as never)[0]!.shape).toEqual([2, 3])
    expect(new LSTM(3).getInitialState(2)).toHaveLength(2)
    expect(new RNN([new GRUCell(2), new GRUCell(5)]).getInitialState({ batchSize: 1 })[1]!.shape).toEqual([1, 5])
    expect(() => new LSTMCell(3).getInitialState('two' as never)).toThrow('batchSize')
    expect(() => new ConvLSTM1D(2, 3).getInitialState(2)).toThrow('has no weights yet')
  })
})

describe('a recurrent layer', () => {
  const sequence = ones(2, 5, 4)

  it('takes the initial states as the second argument', () => {
    const [h, c] = [ops.full([2, 3], 0.5), ops.full([2, 3], -1)]
    const lstm = new LSTM(3)
    expect(lstm.apply(sequence, [h, c]).data).toEqual(lstm.apply(sequence, { initialState: [h, c] }).data)
    const gru = new GRU(3)
    expect(gru.apply(sequence, h).data).toEqual(gru.apply(sequence, { initialState: [h] }).data)
    expect(gru.apply(sequence, h, { training: false }).data).toEqual(gru.apply(sequence, h).data)
    expect(gru.apply(sequence, null).data).toEqual(gru.apply(sequence).data)
    const both = new Bidirectional(new GRU(3))
    expect(both.apply(sequence, [h, c]).data).toEqual(both.apply(sequence, { initialState: [h, c] }).data)
    expect(() => lstm.apply(sequence, h)).toThrow('initialState must be 2 tensors, received 1')
  })

  it('takes symbols as initial states', () => {
    const [input, h] = [Input({ shape: [5, 4] }), Input({ shape: [3] })]
    const gru = new GRU(3)
    const model = new Model({ inputs: [input, h], outputs: gru.apply(input, h) })
    const state = ops.full([2, 3], 0.5)
    expect(model.predictOnBatch([sequence, state]).data).toEqual(gru.apply(sequence, state).data)
  })
})

/** The cell of Keras's documentation. */
class MinimalCell extends Layer<Tensor, unknown> {
  static readonly className = 'MinimalCell'
  readonly stateSize: number
  kernel: Variable | null = null
  recurrent: Variable | null = null
  readonly seen: unknown[] = []

  constructor(options: { units: number; name?: string }) {
    super({ name: options.name })
    this.stateSize = options.units
  }

  override build(inputShape: readonly number[]): void {
    this.seen.push(inputShape)
    this.kernel = this.addWeight({ name: 'kernel', shape: [inputShape.at(-1)!, this.stateSize], initializer: 'ones' })
    this.recurrent = this.addWeight({ name: 'recurrent', shape: [this.stateSize, this.stateSize], initializer: 'ones' })
  }

  override call(input: Tensor, ...more: never[]): unknown {
    const [[previous], { training }] = more as never as [[Tensor], CallContext]
    expect(typeof training).toBe('boolean')
    const output = ops.tanh(ops.add(ops.matmul(input, this.kernel!), ops.matmul(previous, this.recurrent!)))
    return [output, [output]]
  }

  override getConfig(): Record<string, never> {
    return { ...super.getConfig(), units: this.stateSize } as never
  }
}

describe('a layer as a cell', () => {
  const sequence = ops.multiply(ones(2, 5, 4), 0.1)

  it('computes what its call says, and is built for the shape of a step', () => {
    const rnn = new RNN(new MinimalCell({ units: 3 }) as never, { returnSequences: true })
    const outputs = rnn.apply(sequence)
    expect(outputs.shape).toEqual([2, 5, 3])
    let h = 0
    for (let step = 0; step < 5; step++) h = Math.tanh(0.4 + 3 * h)
    expect(outputs.toArray()[1]![4]![2]).toBeCloseTo(h)
    expect((rnn.cell as never as MinimalCell).seen).toEqual([[null, 4]])
    expect(rnn.weights.map(({ name }) => name.split('/').slice(-2).join('/'))).toEqual([
      'minimal_cell/kernel',
      'minimal_cell/recurrent',
    ])
  })

  it('is trained, saved and loaded', async () => {
    const model = new Sequential([
      new RNN(new MinimalCell({ units: 3 }) as never, { inputShape: [5, 4] }),
      new Dense(1),
    ])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const before = model.weights[0]!.value.data
    await model.fit(sequence, ones(2, 1), { epochs: 2, verbose: 0 })
    expect(model.weights[0]!.value.data).not.toEqual(before)
    const copy = await loadModel(await model.save(), { customObjects: { MinimalCell } })
    expect((copy.predictOnBatch(sequence as never) as Tensor).data).toEqual(model.predictOnBatch(sequence).data)
  })

  it('may have layers inside, initial states of its own, and be stacked', () => {
    class Inner extends Layer<Tensor, unknown> {
      readonly stateSize = [2]
      readonly dense = new Dense(2)

      override call(input: Tensor, ...more: never[]): unknown {
        const [[h]] = more as never as [[Tensor]]
        const output = ops.add(this.dense.apply(input), h)
        return { output, state: output }
      }

      getInitialState(batch: number): Tensor[] {
        return [ops.full([batch, 2], 7)]
      }
    }
    const rnn = new RNN([new Inner() as never, new GRUCell(4)])
    expect(rnn.apply(sequence).shape).toEqual([2, 4])
    expect(rnn.weights).toHaveLength(5)
    const model = new Sequential([new RNN(new Inner() as never, { inputShape: [5, 4] })])
    expect(model.weights).toHaveLength(2)
    model.setWeights([ops.zeros([4, 2]), ops.zeros([2])])
    expect(model.predictOnBatch(sequence).toArray()).toEqual([
      [7, 7],
      [7, 7],
    ])
  })

  it('must say the size of its states, and return them', () => {
    expect(() => new RNN(new Dense(3) as never)).toThrow('a subclass of Cell, received Dense')
    class Forgets extends MinimalCell {
      override call(input: Tensor): Tensor {
        return input
      }
    }
    expect(() => new RNN(new Forgets({ units: 4 }) as never).apply(sequence)).toThrow(
      'must return [output, states] with 1 state',
    )
  })
})
