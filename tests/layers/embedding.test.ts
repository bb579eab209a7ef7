import { describe, expect, it } from 'vitest'
import {
  DataError,
  Dense,
  Embedding,
  Flatten,
  Input,
  Model,
  PositionEmbedding,
  ReversibleEmbedding,
  Sequential,
  ShapeError,
  TensorSpec,
  loadModel,
  maskOf,
  ops,
  tensor,
} from '../../src'
import { writeKeras } from '../../src/entries/keras'
import { optimizers } from '../../src/optimizers/registry'
import type { EmbeddingFile } from '../golden/format'
import { expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'

const { cases } = readFixture<EmbeddingFile>('embedding')

describe('Embedding trains as in Keras', () => {
  it.each(cases)(
    'maskZero $maskZero, $optimizer.class',
    async ({ maskZero, optimizer, ids, y, initialWeights, loss, weights, predictions }) => {
      const first = new Embedding({ inputDim: 8, outputDim: 4, maskZero, inputShape: [3] })
      const model = new Sequential(
        maskZero ? [first, new Dense({ units: 1 })] : [first, new Flatten(), new Dense({ units: 1 })],
      )
      model.setWeights(initialWeights.map(toTensor))
      model.compile({ optimizer: optimizers.get(serialized(optimizer)), loss: 'meanSquaredError' })
      const { history } = await model.fit(toTensor(ids), toTensor(y), {
        batchSize: 4,
        epochs: 6,
        shuffle: false,
        verbose: 0,
      })
      expectNear(history['loss']!, loss, 'loss')
      model.getWeights().forEach((weight, i) => expectTensor(weight, weights[i]!, `weights[${i}]`))
      expectTensor(await model.predict(toTensor(ids)), predictions, 'predictions')
    },
  )
})

describe('Embedding', () => {
  it('takes integers, and floats with integer values', () => {
    const model = new Sequential([new Embedding({ inputDim: 3, outputDim: 2, inputShape: [2] })])
    expect(model.inputs[0]!.dtype).toBe('int32')
    const layer = model.layers[0]!
    expect(layer.apply([[0, 2]]).data).toEqual(layer.apply(tensor([[0, 2]], [1, 2], 'int32')).data)
  })

  it('reports the index that is out of range', () => {
    const layer = new Embedding({ inputDim: 3, outputDim: 2, name: 'words' })
    expect(() =>
      layer.apply([
        [0, 1],
        [2, 3],
      ]),
    ).toThrow(DataError)
    expect(() =>
      layer.apply([
        [0, 1],
        [2, 3],
      ]),
    ).toThrow('Embedding "words": the indices must be in 0 … 2, received 3 in sample 1')
    expect(() =>
      layer.apply([
        [0, 1],
        [0.5, 1],
      ]),
    ).toThrow('Embedding "words": the indices must be integers in 0 … 2, received 0.5 in sample 1')
    expect(() => layer.apply([[-1, 1]])).toThrow('received -1 in sample 0')
    expect(() => layer.apply([[NaN, 1]])).toThrow('received NaN in sample 0')
  })

  it('gives a mask of padding on request', () => {
    const ids = tensor(
      [
        [1, 0],
        [0, 2],
      ],
      [2, 2],
      'int32',
    )
    expect(maskOf(new Embedding({ inputDim: 3, outputDim: 2, maskZero: true }).apply(ids))?.toArray()).toEqual([
      [true, false],
      [false, true],
    ])
    expect(maskOf(new Embedding({ inputDim: 3, outputDim: 2 }).apply(ids))).toBeNull()
  })
})

describe('data indices outside the table', () => {
  const make = () => {
    const model = new Sequential([
      new Embedding({ inputDim: 4, outputDim: 2, name: 'words' }),
      new Flatten(),
      new Dense({ units: 1 }),
    ])
    model.compile({ loss: 'mse' })
    model.ensureBuilt(new TensorSpec([null, 3], 'int32'))
    return model
  }
  const good = [
    [0, 1, 3],
    [2, 2, 2],
  ]
  const bad = [
    [0, 1, 3],
    [2, 4, 2],
  ]
  const y = [[0], [1]]

  it.each<[string, (model: Sequential) => unknown]>([
    ['fit', (model) => model.fit(bad, y, { verbose: 0 })],
    ['fit, in validation data', (model) => model.fit(good, y, { verbose: 0, validationData: [bad, y] })],
    ['evaluate', (model) => model.evaluate(bad, y)],
    ['predict', (model) => model.predict(bad)],
    ['predictOnBatch', async (model) => model.predictOnBatch(bad)],
    ['trainOnBatch', async (model) => model.trainOnBatch(bad, y)],
    [
      'trainOnBatch after a good one',
      async (model) => {
        model.trainOnBatch(good, y)
        model.trainOnBatch(bad, y)
      },
    ],
    [
      'a nested model',
      (model) => {
        const x = Input({ shape: [3], dtype: 'int32' })
        return new Model({ inputs: x, outputs: model.apply(x) }).predict(bad)
      },
    ],
  ])('%s', async (_title, action) => {
    await expect(action(make())).rejects.toThrow(
      'Embedding "words": the indices must be in 0 … 3, received 4 in sample 1',
    )
  })
})

describe('ReversibleEmbedding', () => {
  it('shares its table with the scores of a model, which is saved and trained', async () => {
    const tokens = new ReversibleEmbedding({ inputDim: 5, outputDim: 4 })
    const input = Input({ shape: [3], dtype: 'int32' })
    const hidden = new Dense({ units: 4, activation: 'tanh' }).apply(tokens.apply(input))
    const model = new Model({ inputs: input, outputs: tokens.apply(hidden, { reverse: true }) })
    expect(model.outputs[0]!.shape).toEqual([null, 3, 5])
    expect(model.weights.map(({ shape }) => shape)).toEqual([[5, 4], [4, 4], [4]])
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const ids = tensor([[0, 1, 2], [3, 4, 0]], [2, 3], 'int32') // prettier-ignore
    const again = await loadModel(await model.save())
    expect((await again.predict(ids)).data).toEqual((await model.predict(ids)).data)
  })

  it('makes a mask in one direction only', () => {
    const tokens = new ReversibleEmbedding({ inputDim: 3, outputDim: 2, maskZero: true })
    const vectors = tokens.apply([[0, 1]])
    expect(maskOf(vectors)!.toArray()).toEqual([[false, true]])
    expect(maskOf(tokens.apply(vectors, { reverse: true }))).toBeNull()
  })

  it('refuses vectors of another length', () => {
    const tokens = new ReversibleEmbedding({ inputDim: 3, outputDim: 2 })
    expect(() => tokens.apply(ops.ones([1, 3]), { reverse: true })).toThrow(ShapeError)
    expect(() => new Embedding({ inputDim: 3, outputDim: 2 }).apply([0], { reverse: true })).toThrow(/reverse/)
  })
})

it('PositionEmbedding is refused in files for Keras', async () => {
  const places = new PositionEmbedding({ sequenceLength: 4, inputShape: [4, 2], name: 'places' })
  await expect(writeKeras(new Sequential([places]))).rejects.toThrow(
    "'places': Keras has no layer PositionEmbedding, only Keras Hub has",
  )
})
