// Further API of Keras's models, layers and variables: assigned arrays, input and output, options that are set later.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  Dense,
  Dropout,
  Input,
  LSTM,
  Model,
  Sequential,
  Variable,
  cloneModel,
  loadModel,
  tensor,
  type Tensor,
} from '../../src'
import { StateError } from '../../src/core/errors'

it('a variable takes arrays, and supports addition and subtraction', () => {
  const v = new Variable(tensor([0, 0]))
  v.assign([1, 2])
  v.assignAdd([1, 1])
  v.assignSub(new Float32Array([0.5, 0]))
  expect(v.value.toArray()).toEqual([1.5, 3])
  expect(() => v.assign([1, 2, 3])).toThrow(/must be float32 \[2\]/)
})

it('a layer takes its weights as a list', () => {
  const layer = new Dense({ units: 1, name: 'd' })
  layer.ensureBuilt([null, 2])
  layer.setWeights([[[1], [2]], [3]])
  expect(layer.getWeights().map((weight) => weight.toArray())).toEqual([[[1], [2]], [3]])
  expect(() => layer.setWeights([[[1], [2]]])).toThrow(/setWeights needs 2 tensors, received 1/)
})

describe('parts of models', () => {
  it('inputs and outputs are lists, input and output the given values', async () => {
    const [a, b] = [Input({ shape: [2], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const y = new Dense({ units: 1 }).apply(a)
    const one = new Model({ inputs: a, outputs: y })
    expect([one.inputs[0], one.outputs[0], one.input, one.output]).toEqual([a, y, a, y])
    expect(new Model({ inputs: { b, a }, outputs: y }).inputs).toEqual([a, b])
    const again = new Model({ inputs: one.inputs, outputs: one.outputs })
    expect(await again.predict([[1, 2]])).toHaveLength(1)
  })

  it('encoder and decoder of a loaded model, as in Keras’s sequence-to-sequence example', async () => {
    const [x, given] = [Input({ shape: [null, 2], name: 'x' }), Input({ shape: [null, 3], name: 'given' })]
    const [, h, c] = new LSTM({ units: 4, returnState: true, name: 'encoder' }).apply(x) as unknown as Tensor[]
    const decoder = new LSTM({ units: 4, returnSequences: true, returnState: true, name: 'decoder' })
    const [steps] = decoder.apply(given, { initialState: [h!, c!] }) as unknown as Tensor[]
    const made = new Model({ inputs: [x, given], outputs: new Dense({ units: 3, name: 'd' }).apply(steps!) })
    const model = (await loadModel(await made.save())) as unknown as Model
    const [, , encoded] = [null, null, model.getLayer('encoder').output as unknown as Tensor[]]
    const encoder = new Model({ inputs: model.inputs[0]!, outputs: [encoded[1]!, encoded[2]!] })
    const state = [Input({ shape: [4] }), Input({ shape: [4] })]
    const start = model.inputs[1]!
    const again = model.getLayer('decoder') as LSTM
    const [out] = again.apply(start, { initialState: state }) as unknown as Tensor[]
    const rest = new Model({ inputs: [start, ...state], outputs: (model.getLayer('d') as Dense).apply(out!) })
    const [a, b] = [tensor([[[1, 2]]]), tensor([[[0, 1, 0]]])]
    const expected = (model as unknown as Model<Tensor[], Tensor>).predictOnBatch([a, b]).toArray()
    expect(rest.predictOnBatch([b, ...encoder.predictOnBatch(a)]).toArray()).toEqual(expected)
    // The first call counts, as in Keras.
    expect(model.getLayer('d').input).not.toBe(out)
  })

  it('a class without its own constructor is saved and cloned with its graph', async () => {
    class Own extends Model {}
    const x = Input({ shape: [2] })
    const model = new Own({ inputs: x, outputs: new Dense({ units: 1 }).apply(x) })
    const loaded = await loadModel(await model.save(), { customObjects: { Own } })
    for (const copy of [loaded, cloneModel(model)]) expect(copy).toBeInstanceOf(Own)
    expect(loaded.predictOnBatch([[1, 2]]).toArray()).toEqual(model.predictOnBatch([[1, 2]]).toArray())
  })
})

describe('an option set after a prediction', () => {
  it('applies to batches of all sizes if calls read it', () => {
    const last = new Dense({ units: 2, activation: 'softmax', inputShape: [2] })
    const model = new Sequential([last])
    const rows = (count: number): number[][] => Array.from({ length: count }, () => [1, 2])
    model.predictOnBatch(rows(1))
    Object.assign(last, { activation: 'linear' })
    const raw = model.predictOnBatch(rows(1)).toArray()
    expect(model.predictOnBatch(rows(3)).toArray()).toEqual([raw, raw, raw].flat())
    expect(new Sequential([new Dense({ units: 2, inputShape: [2] })]).predictOnBatch(rows(1)).shape).toEqual([1, 2])
    expect(raw).not.toEqual([[expect.closeTo(0.5, 0), expect.closeTo(0.5, 0)]])
    expect(() => Object.assign(last, { activation: 'lineer' })).toThrow(/activation/)
  })

  it('is refused if weights or inner layers depend on it', () => {
    const dense = new Dense({ units: 2, inputShape: [2], name: 'd' })
    dense.ensureBuilt([null, 2])
    for (const change of [{ units: 3 }, { useBias: false }, { kernelInitializer: 'ones' }, { inputShape: [3] }])
      expect(() => Object.assign(dense, change)).toThrow(StateError)
    const dropout = new Dropout({ rate: 0.5 })
    dropout.ensureBuilt([null, 2])
    Object.assign(dropout, { rate: 0.25 })
    expect(() => Object.assign(dropout, { seed: 1 })).toThrow(/seed cannot change any more/)
    const lstm = new LSTM({ units: 2 })
    lstm.ensureBuilt([null, 3, 2])
    for (const change of [{ activation: 'relu' }, { returnSequences: true }])
      expect(() => Object.assign(lstm, change)).toThrow(/cannot change any more/)
    expect(lstm.returnSequences).toBe(false)
  })
})
