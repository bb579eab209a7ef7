// Recurrent layers besides Keras's numbers (golden.test.ts) and the contract: cells of one's own, training, dropout, errors.

import { describe, expect, it } from 'vitest'
import type { CellInput, CellOutput, ShapesOf, Tensor, Variable } from '../../src'
import { Adam, Cell, Dense, Embedding, Input, Model, RNN, RecurrentLayer, Sequential, SimpleRNN, SimpleRNNCell, StackedRNNCells, loadModel, ops, setRandomSeed, tensor } from '../../src'
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
    // An output that is no state.
    return { output: ops.add(next, square!), state: [next, ops.square(next)] }
  }
}

const { data, shape } = floats([5, 7, 3])
const x = tensor([...data], shape)

describe('a cell of one’s own', () => {
  it('gives in a loop what it gives step by step', () => {
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
    const model = new Sequential([new RNN({ cell: new Minimal({ name: 'own' }), inputShape: [null, 3] }), new Dense({ units: 1 })])
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
  it('learns whether ones or zeros are more, of sequences with padding', async () => {
    setRandomSeed(3)
    const random = generator(5)
    const rows = Array.from({ length: 96 }, () => Array.from({ length: 6 }, (_, t) => (t < 3 || random() < 0.5 ? 1 + Math.floor(2 * random()) : 0)))
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
    const [encoded, decoded] = [Input({ shape: [null, 3], name: 'encoded' }), Input({ shape: [null, 3], name: 'decoded' })]
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
    const layer = new SimpleRNN({ units: 6, returnSequences: true, dropout: 0.5, recurrentInitializer: 'zeros', activation: null, useBias: false, kernelInitializer: 'identity', seed: 9 })
    const outputs = layer.apply(ops.ones([4, 5, 6]), { training: true }).toArray<number[][][]>()
    for (const steps of outputs) for (const step of steps) expect(step).toEqual(steps[0])
    expect(new Set(outputs.flat(2))).toEqual(new Set([0, 2]))
  })

  it('has a tape whose length does not depend on the number of steps', () => {
    const model = new Sequential([new SimpleRNN({ units: 4, inputShape: [null, 3] })])
    for (const steps of [5, 50]) model.predictOnBatch(ops.ones([2, steps, 3]))
    const [few, many] = [...model.disassemble().values()].map((text) => text.split('\n').length)
    expect(many).toBe(few)
  })

  it.each([
    ['an input without steps', () => new SimpleRNN({ units: 2, name: 'x' }).apply(ops.ones([2, 3])), 'SimpleRNN "x": the input must be [batch, steps, features], received [None, 3]'],
    ['too many states', () => new SimpleRNN({ units: 2, name: 'x' }).apply(x, { initialState: [x, x] }), 'SimpleRNN "x": initialState must be 1 tensors, received 2'],
    ['a state of another shape', () => new SimpleRNN({ units: 2, name: 'x' }).apply(x, { initialState: [ops.ones([5, 3])] }), 'SimpleRNN "x": initialState[0] must be [5, 2], received [5, 3]'],
    ['a layer that is no cell', () => Reflect.construct(RNN, [{ cell: new Dense(2) }]), 'cell must be a cell, a subclass of Cell, received Dense'],
    ['no cells', () => new RNN([]), 'needs at least one cell'],
    ['states that were not asked for', () => new SimpleRNN({ units: 2 }).applyWithState(x), 'applyWithState needs returnState: true'],
  ])('refuses %s', (_what, action, message) => {
    expect(action).toThrow(message)
  })
})
