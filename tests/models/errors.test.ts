// Every mistake is a typed error that names where, what was expected and what came; the weights are unchanged.
// modes: simd, interpreter
import { describe, expect, it } from 'vitest'
import {
  Activation,
  Adam,
  ArgumentError,
  Conv2D,
  CosineDecay,
  DataError,
  Dense,
  Dropout,
  ExponentialDecay,
  Flatten,
  Input,
  InputLayer,
  Layer,
  Model,
  MyelinError,
  PiecewiseConstantDecay,
  RMSprop,
  Reshape,
  SGD,
  Sequential,
  ShapeError,
  StateError,
  initializers,
  losses,
  metrics,
  ops,
  regularizers,
  tensor,
  type BatchShape,
  type CallContext,
  type CompileOptions,
  type FitOptions,
  type Tensor,
  type TensorLike,
} from '../../src'
import { binaryModel, errorOf, expectError, samples, stateOf, weightsOf } from '../helpers/training'

const { x, yes, labels } = samples(12)

/** Four features in, three classes out. */
function classifier(loss: string): Sequential {
  const model = new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [4], name: 'classes' })])
  model.compile({ optimizer: 'sgd', loss })
  return model
}

describe('inputs', () => {
  const fits = (inputs: TensorLike) => () => binaryModel().fit(inputs, yes, { verbose: 0 })

  it.each<[string, TensorLike, (string | RegExp)[]]>([
    ['too few features', x.map((row) => row.slice(1)), [/Sequential "sequential.*"/, '[batch, 4], received [12, 3]']],
    ['an axis too many', x.map((row) => [row, row]), ['[batch, 4], received [12, 2, 4]']],
    ['one sample without a batch axis', [1, 2, 3, 4], ['[batch, 4], received [4]', 'make a batch of 1']],
    ['a single number', 3, ['batch axis']],
  ])('%s', async (_title, inputs, parts) => {
    const model = binaryModel()
    const targets = Array.isArray(inputs) ? inputs.map(() => 1) : [1]
    await expectError(model, () => model.fit(inputs, targets, { verbose: 0 }), ShapeError, ...parts)
    await expectError(model, () => model.evaluate(inputs, targets), ShapeError, ...parts)
    await expectError(model, () => model.predict(inputs), ShapeError, ...parts)
    await expectError(model, () => model.trainOnBatch(inputs, targets), ShapeError, ...parts)
  })

  it('images before a Dense layer suggest Flatten', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [6], name: 'fc1' })])
    model.compile({ loss: 'mse' })
    const images = tensor(new Float32Array(24), [4, 2, 3])
    await expectError(
      model,
      () =>
        model.fit(
          images,
          [
            [1, 1],
            [1, 1],
            [1, 1],
            [1, 1],
          ],
          { verbose: 0 },
        ),
      ShapeError,
      '[batch, 6], received [4, 2, 3]',
      'Did you forget Flatten?',
    )
    await expectError(model, () => model.predictOnBatch(images), ShapeError, 'Did you forget Flatten?')
    const error = await errorOf(() => model.layers[0]!.apply(images))
    expect(error).toBeInstanceOf(ShapeError)
    expect(error.message).toBe(
      'Dense "fc1": the last input dimension must be 6, received [4, 2, 3]. Did you forget Flatten?',
    )
  })

  it.each<[string, number[], string]>([
    ['flat images', [2, 48], ' Its rows have as many elements: ops.reshape(x, [2, 4, 4, 3]) fits.'],
    ['channels first', [2, 3, 4, 4], ' Are the axes in another order?'],
    ['other images', [2, 4, 4, 1], ''],
    ['one image', [4, 4, 3], ' For one sample, make a batch of 1: ops.expandDims(x, 0), or [x] of an array.'],
  ])('%s before a convolution', (_title, shape, hint) => {
    const model = new Sequential([new Conv2D({ filters: 2, kernelSize: 3, inputShape: [4, 4, 3] })], { name: 'eye' })
    expect(() => model.predictOnBatch(ops.ones(shape))).toThrow(
      new ShapeError(`Sequential "eye": the input must be [batch, 4, 4, 3], received [${shape.join(', ')}].${hint}`),
    )
  })

  it.each<[string, unknown, typeof DataError, (string | RegExp)[]]>([
    [
      'ragged rows',
      [
        [1, 2, 3, 4],
        [1, 2, 3],
      ],
      DataError,
      [/^x: /, 'ragged', '[1] must be an array of length 4, received an array of length 3'],
    ],
    ['a number among rows', [[1, 2, 3, 4], 5], DataError, ['ragged', 'received the number 5']],
    ['a row among numbers', [1, [2]], DataError, ['ragged', 'must be a number']],
    ['a string', 'abc', DataError, [/^x: expected numbers/, "the string 'abc'"]],
    ['a string in a row', [[1, 2, 'x', 4]], DataError, ['[0][2]', "the string 'x'"]],
    ['null in a row', [[1, 2, null, 4]], DataError, ['[0][2]', 'null']],
    ['nothing', undefined, DataError, [/^x: /, 'undefined']],
    ['an object', { rows: 3 }, ArgumentError, [/^x: expected \{ .*_input \}; 'rows' is not one of them/]],
    [
      'records of columns',
      { a: [1], b: [2] },
      ArgumentError,
      [
        "'a' is not one of them. If these are columns, make one array of them: features: 'vector' of readCsv, or .map(…).",
      ],
    ],
    [
      'NaN',
      [
        [0, 0, 0, 0],
        [1, 2, NaN, 4],
      ],
      DataError,
      [/^x: /, 'finite', 'NaN in row 1, element 2'],
    ],
    ['Infinity', [[Infinity, 0, 0, 0]], DataError, ['Infinity in row 0, element 0']],
    [
      'NaN in a typed array',
      { data: Float32Array.of(0, 0, 0, NaN), shape: [1, 4] },
      DataError,
      ['NaN in row 0, element 3'],
    ],
    ['no rows', [], DataError, [/^x: /, 'empty']],
    ['no rows of four', { data: new Float32Array(0), shape: [0, 4] }, DataError, ['empty', '[0, 4]']],
    [
      'a shape of another size',
      { data: new Float32Array(7), shape: [2, 4] },
      ShapeError,
      ['[2, 4] needs 8 elements, received 7'],
    ],
  ])('%s', async (_title, inputs, type, parts) => {
    const model = binaryModel()
    await expectError(model, () => model.fit(inputs as TensorLike, [1, 0], { verbose: 0 }), type, ...parts)
    await expectError(model, () => model.predict(inputs as TensorLike), type, ...parts)
  })

  it('an error before the first data makes no weights', async () => {
    const model = new Sequential([new Dense({ units: 2 }), new Dense({ units: 1 })])
    model.compile({ loss: 'mse' })
    await expectError(model, () => model.fit([[NaN]], [1], { verbose: 0 }), DataError)
    await expectError(
      model,
      () => model.fit([1, 2], [1, 2], { verbose: 0 }),
      ShapeError,
      /Dense ".*": the input must be \[batch, …, features\]/,
    )
    await model.fit(x, yes, { verbose: 0 })
    expect(model.getWeights()[0]!.shape).toEqual([4, 2])
  })

  it('a wrong batch between good ones does no harm', async () => {
    const [model, reference] = [binaryModel(), binaryModel()]
    await model.fit(x, yes, { verbose: 0 })
    await errorOf(fits([[1]]))
    await errorOf(() => model.fit([[1]], [1], { verbose: 0 }))
    await errorOf(() => model.fit(x, [1], { verbose: 0 }))
    await model.fit(x, yes, { verbose: 0 })
    await reference.fit(x, yes, { epochs: 2, verbose: 0 })
    expect(stateOf(model)).toEqual(stateOf(reference))
  })
})

describe('targets', () => {
  it.each<[string, string, unknown, typeof DataError, (string | RegExp)[]]>([
    [
      'a label beyond the classes',
      'sparseCategoricalCrossentropy',
      [...labels.slice(0, 11), 3],
      DataError,
      ['class numbers 0 … 2', 'received 3 in row 11'],
    ],
    [
      'a negative label',
      'sparseCategoricalCrossentropy',
      labels.map((label) => label - 1),
      DataError,
      ['class numbers', 'received -1'],
    ],
    [
      'a fractional label',
      'sparseCategoricalCrossentropy',
      labels.map(() => 0.5),
      DataError,
      ['received 0.5 in row 0'],
    ],
    [
      'one-hot instead of class numbers',
      'sparseCategoricalCrossentropy',
      labels.map((k) => [0, 1, 2].map((i) => Number(i === k))),
      ShapeError,
      ['[batch], received [12, 3]', 'categoricalCrossentropy'],
    ],
    [
      'class numbers instead of one-hot',
      'categoricalCrossentropy',
      labels,
      ShapeError,
      ['[batch, 3], received [12].', 'sparseCategoricalCrossentropy'],
    ],
    [
      'a column of class numbers instead of one-hot',
      'categoricalCrossentropy',
      labels.map((k) => [k]),
      ShapeError,
      ['[batch, 3], received [12, 1].', 'sparseCategoricalCrossentropy'],
    ],
    [
      'too few columns',
      'categoricalCrossentropy',
      labels.map(() => [1, 0]),
      ShapeError,
      ['[batch, 3], received [12, 2]'],
    ],
    [
      'not between 0 and 1',
      'categoricalCrossentropy',
      labels.map(() => [0, 2, 0]),
      DataError,
      ['between 0 and 1', 'received 2 in row 0'],
    ],
    ['too few columns', 'meanSquaredError', labels.map(() => [1, 0]), ShapeError, ['[batch, 3], received [12, 2]']],
    [
      'NaN',
      'meanSquaredError',
      labels.map((_, i) => [0, 0, i === 4 ? NaN : 0]),
      DataError,
      [/^y: /, 'NaN in row 4, element 2'],
    ],
    ['ragged', 'meanSquaredError', [[1, 2, 3], [1]], DataError, [/^y: /, 'ragged']],
    ['missing', 'meanSquaredError', undefined, ArgumentError, [/^y: /, 'missing']],
    ['empty', 'meanSquaredError', [], DataError, [/^y: /, 'empty']],
    ['of another number of rows', 'meanSquaredError', [[1, 2, 3]], ShapeError, ['x and y', '12 and 1']],
  ])('%s for %s', async (_title, loss, targets, type, parts) => {
    const model = classifier(loss)
    await expectError(model, () => model.fit(x, targets as TensorLike, { verbose: 0 }), type, ...parts)
    await expectError(model, () => model.evaluate(x, targets as TensorLike), type, ...parts)
    await expectError(model, () => model.trainOnBatch(x, targets as TensorLike), type, ...parts)
  })

  it('binary targets must be between 0 and 1', async () => {
    const model = binaryModel()
    const wrong = yes.map(([label]) => 2 * label! - 1)
    await expectError(model, () => model.fit(x, wrong, { verbose: 0 }), DataError, 'between 0 and 1', 'received -1')
  })

  it('validation data are checked before training', async () => {
    const model = classifier('sparseCategoricalCrossentropy')
    const fit = (validationData: FitOptions['validationData']) => () =>
      model.fit(x, labels, { verbose: 0, ...(validationData && { validationData }) })
    await expectError(model, fit([x, labels.map(() => 7)]), DataError, 'validationData[1]', 'received 7 in row 0')
    await expectError(model, fit([x.map((row) => row.slice(1)), labels]), ShapeError, '[batch, 4], received [12, 3]')
    await expectError(
      model,
      fit([x, labels.slice(1)]),
      ShapeError,
      'validationData[0] and validationData[1]',
      '12 and 11',
    )
    await expectError(model, fit([x, labels, [1, 2]]), ShapeError, 'validationData[2]', '[12]', '[2]')
    await expectError(model, fit([[], []]), DataError, 'validationData[0]', 'empty')
  })

  it.each<[string, TensorLike, (string | RegExp)[]]>([
    ['too few weights', [1, 2], ['sampleWeight must have shape [12], received [2]']],
    ['weights per element', x, ['sampleWeight must have shape [12], received [12, 4]']],
    ['NaN', x.map((_, i) => (i === 3 ? NaN : 1)), ['sampleWeight', 'NaN in row 3']],
  ])('sample weights: %s', async (_title, sampleWeight, parts) => {
    const model = binaryModel()
    await expectError(model, () => model.fit(x, yes, { sampleWeight, verbose: 0 }), MyelinError, ...parts)
    await expectError(model, () => model.evaluate(x, yes, { sampleWeight }), MyelinError, ...parts)
  })
})

describe('options of fit', () => {
  it.each<[FitOptions, typeof ArgumentError, (string | RegExp)[]]>([
    [{ batchSize: 0 }, ArgumentError, ['batchSize must be an integer ≥ 1, received 0']],
    [{ batchSize: 2.5 }, ArgumentError, ['batchSize', 'received 2.5']],
    [{ batchSize: NaN }, ArgumentError, ['batchSize', 'NaN']],
    [{ epochs: 0.5 }, ArgumentError, ['epochs must be an integer ≥ 0, received 0.5']],
    [{ epochs: -1 }, ArgumentError, ['epochs', '-1']],
    [{ initialEpoch: -1 }, ArgumentError, ['initialEpoch must be an integer ≥ 0']],
    [{ validationFreq: 0 }, ArgumentError, ['validationFreq']],
    [
      { validationFreq: [1, 0] },
      ArgumentError,
      ['validationFreq must be an integer ≥ 1 or a list of epochs, from 1 on, received [1, 0]'],
    ],
    [{ validationFreq: [] }, ArgumentError, ['validationFreq', 'received []']],
    [{ validationFreq: '2' as never }, ArgumentError, ['validationFreq', "received '2'"]],
    [{ shuffle: 'epoch' as never }, ArgumentError, ["shuffle must be true or false, received 'epoch'"]],
    [
      { classWeight: { 0: -1 } },
      ArgumentError,
      ['classWeight: the weight of class 0 must be a finite number ≥ 0, received -1'],
    ],
    [{ classWeight: { 1: NaN } }, ArgumentError, ['the weight of class 1', 'received NaN']],
    [
      { classWeight: { yes: 2 } as never },
      ArgumentError,
      ["classWeight must be weights by class numbers, received 'yes'"],
    ],
    [{ validationBatchSize: 0 }, ArgumentError, ['validationBatchSize']],
    [{ validationSplit: 1 }, ArgumentError, ['validationSplit must be a finite number in [0, 1), received 1']],
    [{ validationSplit: -0.5 }, ArgumentError, ['validationSplit', '-0.5']],
    [{ validationSplit: NaN }, ArgumentError, ['validationSplit', 'NaN']],
    [{ validationSplit: 0.99 }, DataError, ['validationSplit 0.99 of 12 rows leaves 0 for training and 12']],
    [{ verbose: 3 as 2 }, ArgumentError, ["verbose must be 'auto', 0, 1 or 2, received 3"]],
  ])('%j', async (options, type, parts) => {
    const model = binaryModel()
    await expectError(model, () => model.fit(x, yes, { verbose: 0, ...options }), type, ...parts)
  })

  it('batchSize of evaluate and predict', async () => {
    const model = binaryModel()
    await expectError(model, () => model.evaluate(x, yes, { batchSize: 0 }), ArgumentError, 'batchSize')
    await expectError(model, () => model.predict(x, { batchSize: -3 }), ArgumentError, 'batchSize', '-3')
  })
})

describe('compile', () => {
  it.each<[CompileOptions, string]>([
    [{ optimizer: 'adma', loss: 'mse' }, "Unknown optimizer 'adma'. Did you mean 'adam'?"],
    [{ loss: 'binary_crossentrpy' }, "Unknown loss 'binary_crossentrpy'. Did you mean 'binaryCrossentropy'?"],
    [{ loss: 'mse', metrics: ['acuracy_binary'] }, "Unknown metric 'acuracy_binary'"],
    [{ loss: 'mse', metrics: ['precison'] }, "Did you mean 'precision'?"],
    [{ loss: 'mse', weightedMetrics: ['recal'] }, "Unknown metric 'recal'. Did you mean 'recall'?"],
    [{ loss: 'zzzzzzzzzzzz' }, 'binaryCrossentropy, '],
  ])('%j', async (options, message) => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const before = stateOf(model)
    await expectError(model, () => model.compile(options), ArgumentError, message)
    expect(stateOf(model), 'what was compiled before').toEqual(before)
    await model.fit(x, yes, { verbose: 0 })
  })

  it('without a loss is for models that define one: fit reports what is missing', async () => {
    const model = binaryModel()
    model.compile({ optimizer: 'adam' })
    await expectError(model, () => model.fit(x, yes, { verbose: 0 }), ArgumentError, 'Compile with a loss')
  })

  it('takes instances of metrics, not classes', async () => {
    const model = binaryModel()
    const wrong = metrics.Precision as never
    await expectError(model, () => model.compile({ loss: 'mse', metrics: [wrong] }), ArgumentError, 'new Precision()')
  })

  it('comes before fit, evaluate, trainOnBatch, testOnBatch and the optimizer', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    for (const action of [
      () => model.fit(x, yes),
      () => model.evaluate(x, yes),
      () => model.trainOnBatch(x, yes),
      () => model.testOnBatch(x, yes),
      () => model.optimizer,
    ])
      await expectError(model, action, StateError, 'compile()')
    expect((await model.predict(x)).shape).toEqual([12, 1])
  })

  it('suggests nearest names of initializers, regularizers and activations, too', () => {
    expect(() => new Dense({ units: 1, kernelInitializer: 'glorot_unifrom' })).toThrow(
      "Unknown initializer 'glorot_unifrom'. Did you mean 'glorotUniform'?",
    )
    expect(() => new Dense({ units: 1, kernelRegularizer: 'l3' })).toThrow(
      /Unknown regularizer 'l3'. Did you mean 'l[12]'/,
    )
    expect(() => new Dense({ units: 1, activation: 'rleu' })).toThrow("Did you mean 'relu'?")
  })
})

describe('options of layers, losses, metrics, optimizers and others', () => {
  it.each<[string, () => unknown, string]>([
    ['units 0', () => new Dense({ units: 0, name: 'fc' }), 'Dense "fc": units must be an integer ≥ 1, received 0'],
    ['units −1', () => new Dense({ units: -1 }), 'received -1'],
    ['units 1.5', () => new Dense({ units: 1.5 }), 'received 1.5'],
    ['units NaN', () => new Dense({ units: NaN }), 'received NaN'],
    ['units missing', () => new Dense({} as { units: number }), 'Dense: needs units'],
    [
      'rate 1.1',
      () => new Dropout({ rate: 1.1, name: 'drop' }),
      'Dropout "drop": rate must be a finite number in [0, 1], received 1.1',
    ],
    ['rate −0.1', () => new Dropout(-0.1), 'received -0.1'],
    ['rate NaN', () => new Dropout(NaN), 'received NaN'],
    [
      'inputShape [0]',
      () => new Dense({ units: 1, inputShape: [0] }),
      'inputShape must hold integers ≥ 1 or null, received [0]',
    ],
    ['inputDim 2.5', () => new Dense({ units: 1, inputDim: 2.5 }), 'inputDim must be an integer ≥ 1, received 2.5'],
    ['InputLayer without shape', () => new InputLayer({} as { shape: number[] }), 'needs shape'],
    [
      'targetShape',
      () => new Reshape([2, 3]).apply(ops.zeros([4, 5])),
      'an input of [4, 5] does not fit targetShape [2, 3]',
    ],
    ['two open extents', () => new Reshape([-1, -1]).apply(ops.zeros([4, 6])), 'targetShape [-1, -1]'],
    ['an unknown activation', () => new Activation('nope_nope_nope'), 'Unknown activation'],
    [
      'labelSmoothing',
      () => new losses.BinaryCrossentropy({ labelSmoothing: 1 }),
      'BinaryCrossentropy: labelSmoothing must be a finite number in [0, 1), received 1',
    ],
    [
      'labelSmoothing',
      () => new losses.CategoricalCrossentropy({ labelSmoothing: -0.1 }),
      'CategoricalCrossentropy: labelSmoothing',
    ],
    ['delta', () => new losses.Huber({ delta: 0 }), 'Huber: delta must be a finite number > 0, received 0'],
    [
      'a threshold',
      () => new metrics.Precision({ thresholds: 2 }),
      'Precision: thresholds must be a finite number in [0, 1], received 2',
    ],
    ['a threshold', () => new metrics.Recall({ thresholds: -1 }), 'Recall: thresholds'],
    [
      'numThresholds',
      () => new metrics.AUC({ numThresholds: 1 }),
      'numThresholds must be an integer in [2, 100000], received 1',
    ],
    [
      'curve',
      () => new metrics.AUC({ curve: 'ROP' as 'ROC' }),
      "curve must be 'ROC' or 'PR' or 'PRGAIN', received 'ROP'",
    ],
    ['learningRate', () => new SGD({ learningRate: -1 }), 'learningRate must be a finite number ≥ 0, received -1'],
    ['learningRate', () => new Adam({ learningRate: NaN }), 'received NaN'],
    ['momentum', () => new SGD({ momentum: 1 }), 'SGD: momentum must be a finite number in [0, 1), received 1'],
    ['rho', () => new RMSprop({ rho: 1.5 }), 'RMSprop: rho'],
    ['beta1', () => new Adam({ beta1: 1 }), 'Adam: beta1'],
    ['beta2', () => new Adam({ beta2: -1 }), 'Adam: beta2'],
    ['clipnorm', () => new SGD({ clipnorm: 0 }), 'clipnorm must be a finite number > 0, received 0'],
    [
      'two kinds of clipping',
      () => new SGD({ clipnorm: 1, clipvalue: 1 }),
      'SGD: only one of clipnorm, clipvalue and globalClipnorm',
    ],
    [
      'decaySteps',
      () => new ExponentialDecay({ initialLearningRate: 1, decaySteps: 0, decayRate: 1 }),
      'ExponentialDecay: decaySteps',
    ],
    ['decaySteps', () => new CosineDecay({ initialLearningRate: 1, decaySteps: -1 }), 'CosineDecay: decaySteps'],
    [
      'boundaries',
      () => new PiecewiseConstantDecay({ boundaries: [1], values: [1] }),
      'one more value than boundaries, received 1 and 1',
    ],
    [
      'decreasing boundaries',
      () => new PiecewiseConstantDecay({ boundaries: [2, 1], values: [1, 2, 3] }),
      'boundaries must be ascending',
    ],
    [
      'scale',
      () => new initializers.VarianceScaling({ scale: 0 }),
      'VarianceScaling: scale must be a finite number > 0',
    ],
    ['Identity of a vector', () => new initializers.Identity().call([3]), 'needs a matrix, received shape [3]'],
    ['Orthogonal of a vector', () => new initializers.Orthogonal().call([3]), 'at least two axes, received [3]'],
    ['a negative factor', () => new regularizers.L2({ l2: -1 }), 'l2 must be a finite number ≥ 0, received -1'],
    [
      'setting a scheduled rate',
      () => (new SGD({ learningRate: new CosineDecay({ initialLearningRate: 1, decaySteps: 2 }) }).learningRate = 1),
      'follows a schedule',
    ],
    [
      'a repeated layer',
      () => {
        const flatten = new Flatten()
        return new Sequential([flatten, flatten])
      },
      'is in the model already',
    ],
    [
      'two layers with the same name',
      () => new Sequential([new Dense({ units: 1, name: 'a' }), new Dropout({ rate: 0.5, name: 'a' })]),
      "there is a layer named 'a' already",
    ],
    ['a value that is not a layer', () => new Sequential(['dense' as never]), 'add needs a layer, received string'],
    ['a model without layers', () => new Sequential().apply(ops.zeros([1, 1])), 'has no layers'],
    ['an unknown layer', () => binaryModel().getLayer('hiden'), "there is no layer 'hiden'. There are: hidden, output"],
    ['an unknown named layer', () => binaryModel().getLayer({ name: 'hiden' }), "there is no layer 'hiden'"],
    ['no layer', () => binaryModel().getLayer(null as never), 'there is no layer null'],
    [
      'a layer by name and index',
      () => binaryModel().getLayer({ name: 'output', index: 0 }),
      'getLayer: expected { name } or { index }, received { name, index }',
    ],
    ['a layer by another name', () => binaryModel().getLayer({ nam: 'output' } as never), 'received { nam }'],
    [
      'options of compile in two objects',
      () => binaryModel().compile({ loss: 'mse' }, { metrics: ['mae'] }),
      'compile: metrics belongs in the first argument',
    ],
    [
      'a layer without weights yet',
      () => new Dense({ units: 1, name: 'early' }).kernel,
      'Dense "early" has no weights yet',
    ],
  ])('%s', async (_title, action, message) => {
    const error = await errorOf(action)
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain(message)
  })
})

describe('custom code', () => {
  /** Works until it is trained. */
  class Faulty extends Layer {
    constructor(
      private readonly fault: (x: Tensor) => Tensor,
      name: string,
    ) {
      super({ name })
    }
    call(x: Tensor, { training }: CallContext): Tensor {
      return training ? this.fault(x) : x
    }
  }

  async function withFault(fault: (x: Tensor) => Tensor): Promise<{ error: Error; model: Sequential }> {
    const model = new Sequential([
      new Dense({ units: 2, inputShape: [4] }),
      new Faulty(fault, 'faulty'),
      new Dense({ units: 1 }),
    ])
    model.compile({ loss: 'mse', optimizer: 'adam' })
    const before = weightsOf(model)
    const error = await errorOf(() => model.fit(x, yes, { verbose: 0 }))
    expect(weightsOf(model)).toEqual(before)
    expect(model.optimizer.iterations.value.item()).toBe(0)
    return { error, model }
  }

  it('a layer that throws', async () => {
    const { error } = await withFault(() => {
      throw new RangeError('my own mistake')
    })
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toContain('my own mistake')
    // The library still works.
    expect(ops.add(1, 2).item()).toBe(3)
  })

  it('a layer that throws while it is built: the model can be built for other shapes', async () => {
    class Picky extends Layer {
      override build(inputShape: BatchShape): void {
        this.addWeight({ name: 'early', shape: [3] })
        if (tries++ === 0) throw new RangeError(`not for ${inputShape.length} axes`)
      }
      call(x: Tensor): Tensor {
        return x
      }
    }
    let tries = 0
    const model = new Sequential([new Dense({ units: 2 }), new Picky()])
    model.compile({ loss: 'mse' })
    expect(await errorOf(() => model.fit(x, yes, { verbose: 0 }))).toBeInstanceOf(RangeError)
    expect(model.layers.map(({ built }) => built)).toEqual([false, false])
    await model.fit([[1, 2, 3]], [[1, 2]], { verbose: 0 })
    expect(model.getWeights().map(({ shape }) => shape)).toEqual([[3, 2], [2], [3]])
  })

  it('a layer that returns no tensor', async () => {
    const { error } = await withFault(() => undefined as never)
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toBe('Faulty "faulty": call must return a Tensor, received undefined')
  })

  it('a predictStep that returns no tensor', async () => {
    class Counting extends Sequential {
      override predictStep(inputs: Tensor): Tensor {
        super.predictStep(inputs)
        return inputs.rank as never
      }
    }
    const model = new Counting([new Dense({ units: 1 })], { name: 'counting' })
    const error = await errorOf(() => model.predict(x))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain('"counting": predictStep must return a Tensor, received number')
  })

  it('an output of a model that is undefined', () => {
    const input = Input([2])
    expect(() => new Model({ inputs: input, outputs: [new Dense({ units: 1 }).apply(input), undefined] })).toThrow(
      'Model: outputs must be symbols, made by Input() and by calls of layers, received undefined',
    )
  })

  it('a layer that reads numbers while it is traced', async () => {
    const { error } = await withFault((x) => ops.multiply(x, x.data[0]!))
    expect(error).toBeInstanceOf(StateError)
    expect(error.message).toContain('has no data while its function is traced')
  })

  it('a loss that is not one number', async () => {
    const model = binaryModel()
    model.compile({ loss: new losses.MeanSquaredError({ reduction: 'none' }) })
    await expectError(
      model,
      () => model.fit(x, yes, { verbose: 0 }),
      ShapeError,
      "Loss 'meanSquaredError'",
      'one number',
      '[12]',
      'sumOverBatchSize',
    )
  })

  it('a loss that returns no tensor', async () => {
    const model = binaryModel()
    const broken = (): Tensor => undefined as never
    model.compile({ loss: broken })
    await expectError(model, () => model.fit(x, yes, { verbose: 0 }), ArgumentError, "Loss 'broken'", 'undefined')
  })

  it('a loss that throws', async () => {
    const model = binaryModel()
    const before = weightsOf(model)
    model.compile({
      loss: () => {
        throw new RangeError('mine')
      },
    })
    expect(await errorOf(() => model.fit(x, yes, { verbose: 0 }))).toBeInstanceOf(RangeError)
    expect(weightsOf(model)).toEqual(before)
  })

  it('shapes that do not fit inside a layer are reported with the operation', async () => {
    const { error } = await withFault((x) => ops.add(x, ops.zeros([3])))
    expect(error).toBeInstanceOf(ShapeError)
    expect(error.message).toMatch(/add.*\[12, 2\] and \[3\]/)
  })

  it('a tensor that escaped from its trace', async () => {
    const kept: Tensor[] = []
    class Leak extends Layer {
      call(x: Tensor): Tensor {
        kept.push(x)
        return x
      }
    }
    new Sequential([new Leak()]).predictOnBatch([[1]])
    const error = await errorOf(() => new Sequential([new Leak()]).predictOnBatch(kept[0]!))
    expect(error).toBeInstanceOf(StateError)
  })
})

describe('setWeights', () => {
  const shapes = [[4, 5], [5], [5, 1], [1]]
  const good = () => shapes.map((shape) => ops.ones(shape))

  it.each<[string, () => TensorLike[], typeof ShapeError, (string | RegExp)[]]>([
    ['too few', () => good().slice(1), ArgumentError, ['needs 4 tensors, received 3']],
    ['too many', () => [...good(), ops.ones([1])], ArgumentError, ['needs 4 tensors, received 5']],
    [
      'the last of another shape',
      () => [...good().slice(0, 3), ops.ones([2])],
      ShapeError,
      ['output/bias', 'weights[3]', '[1], received [2]'],
    ],
    [
      'transposed',
      () => [ops.ones([5, 4]), ...good().slice(1)],
      ShapeError,
      ['hidden/kernel', '[4, 5], received [5, 4]'],
    ],
    ['ragged', () => [...good().slice(0, 2), [[1], [1, 2], [1], [1], [1]], [1]], DataError, ['weights[2]', 'ragged']],
  ])('%s changes nothing', async (_title, weights, type, parts) => {
    const model = binaryModel()
    await expectError(model, () => model.setWeights(weights()), type, ...parts)
  })

  it('sets all', () => {
    const model = binaryModel()
    model.setWeights(good())
    expect(
      weightsOf(model)
        .flat()
        .every((value) => value === 1),
    ).toBe(true)
  })

  it('needs weights', async () => {
    const model = new Sequential([new Dense({ units: 1 })])
    await expectError(model, () => model.setWeights([[1]]), ArgumentError, 'They are made at the first call')
  })
})
