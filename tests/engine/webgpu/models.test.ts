// Models of every family learn the same on the GPU as on the CPU: five steps of training with the same random numbers, then evaluate and
// predict. layers.test.ts has a small model for every layer.
// modes: simd

import { describe, expect, it } from 'vitest'
import * as m from '../../../src'
import { compareBoth, expectOnGpu, flags, numbers, stateOf, trained, web, whole, type Data } from './both'

const {
  Add,
  BatchNormalization,
  Concatenate,
  Conv1D,
  Conv2D,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  GRU,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  LayerNormalization,
  MultiHeadAttention,
  SimpleRNN,
  ops,
} = m
type Tensor = m.Tensor

interface Row {
  readonly make: () => m.Model
  /** Default: SGD with momentum, mean squared error. */
  readonly compile?: () => m.CompileOptions
  readonly data: Data
}

const ROWS = 10
/** Names of all activations without options that the GPU computes and that keep units: sparsemax sorts. */
const activations = Object.keys(m.activations).filter(
  (name) => !['get', 'deserialize', 'serialize', 'glu', 'sparsemax', 'threshold'].includes(name),
)
const sgd = (): m.Optimizer => new m.SGD({ learningRate: 0.05, momentum: 0.5 })

/** A model of layers, and its data: inputs of this shape, targets of one number. */
const plain = (shape: readonly number[], layers: () => m.Layer[], data: Partial<Data> = {}): Row => ({
  make: () => new m.Sequential([new m.InputLayer({ shape: [...shape] }), ...layers()]),
  data: { x: numbers([ROWS, ...shape]), y: numbers([ROWS, 1], 7), ...data },
})

/** A functional model of one input. */
const graph = (shape: readonly number[], outputs: (x: Tensor) => Tensor, data: Partial<Data> = {}): Row => ({
  make: () => {
    const x = Input({ shape: [...shape] })
    return new m.Model({ inputs: x, outputs: outputs(x) })
  },
  data: { x: numbers([ROWS, ...shape]), y: numbers([ROWS, 1], 7), ...data },
})

const compiled = (row: Row, compile: () => m.CompileOptions): Row => ({ ...row, compile })
const flat = (x: Tensor): Tensor => new Flatten().apply(x)
const one = (x: Tensor): Tensor => new Dense({ units: 1 }).apply(x)
const joined = (...all: Tensor[]): Tensor => new Concatenate().apply(all)

/** Sequences of classes with 0 for steps that are masked. */
const padded = ops.multiply(whole([ROWS, 6], 9), ops.cast(ops.less(ops.arange(6), 4), 'int32'))

const mixed = ({ fit }: Pick<Data, 'fit'> = {}): Row => ({
  make: () => {
    const inputs = {
      code: Input({ shape: [3], dtype: 'int32' }),
      size: Input({ shape: [4] }),
      is: Input({ shape: [2], dtype: 'bool' }),
    }
    const code = flat(new Embedding({ inputDim: 9, outputDim: 3 }).apply(inputs.code))
    const is = new m.Lambda({ function: (x: Tensor) => ops.cast(x, 'float32') }).apply(inputs.is)
    const hidden = new Dense({ units: 6, activation: 'tanh' }).apply(joined(code, inputs.size, is))
    const outputs = {
      price: new Dense({ units: 1, name: 'price' }).apply(hidden),
      kind: new Dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(hidden),
    }
    return new m.Model({ inputs, outputs })
  },
  compile: () => ({
    optimizer: sgd(),
    loss: { price: 'huber', kind: 'sparseCategoricalCrossentropy' },
    lossWeights: { price: 0.5, kind: 2 },
    metrics: { price: ['mae'], kind: ['accuracy'] },
  }),
  data: {
    x: { code: whole([ROWS, 3], 9), size: numbers([ROWS, 4]), is: flags([ROWS, 2]) },
    y: { price: numbers([ROWS, 1], 5), kind: whole([ROWS], 3) },
    ...(fit === undefined ? {} : { fit }),
  },
})

/** Adds a learnt multiple of the running sum, and counts its calls. */
class Summing extends m.Layer {
  factor!: m.Variable
  calls!: m.Variable
  override build(shape: m.BatchShape): void {
    this.factor = this.addWeight({ name: 'factor', shape: [shape.at(-1)!], initializer: 'ones' })
    this.calls = this.addWeight({ name: 'calls', shape: [], initializer: 'zeros', trainable: false })
  }
  override call(x: Tensor): Tensor {
    this.calls.assign(ops.add(this.calls, 1))
    const [last, all] = ops.scan(
      (sum: Tensor, step: Tensor) => {
        const next = ops.add(ops.multiply(sum, 0.5), step)
        return [next, ops.sin(next)] as [Tensor, Tensor]
      },
      ops.zerosLike(ops.take(x, 0, 1)),
      ops.transpose(x, [1, 0, 2]),
    )
    return ops.add(ops.multiply(ops.transpose(all, [1, 0, 2]), this.factor), ops.expandDims(last, 1))
  }
  override computeOutputShape(shape: m.BatchShape): m.BatchShape {
    return shape
  }
}

/** A step of the user: the gradient of a loss with noise. */
class Own extends m.Model<Tensor, Tensor> {
  net = new Dense({ units: 1, activation: 'tanh' })
  tracker = new m.metrics.Mean({ name: 'loss' })
  override call(x: Tensor): Tensor {
    return this.net.apply(x)
  }
  override trainStep({ x, y, sampleWeight }: m.Batch<Tensor, Tensor>): void {
    const predicted = this.apply(x, { training: true })
    const loss = ops.multiply(this.computeLoss(x, y, predicted, sampleWeight), 1.5)
    this.optimizer.apply(this.gradients(loss), this.trainableWeights)
    this.tracker.update(loss)
    this.computeMetrics(x, y, predicted, sampleWeight)
  }
}

const withOptimizer = (make: () => m.Optimizer): Row =>
  compiled(
    plain([5], () => [new Dense({ units: 4, activation: 'tanh' }), new Dense({ units: 1 })]),
    () => ({
      optimizer: make(),
      loss: 'meanSquaredError',
      metrics: ['mae'],
    }),
  )

const rows: Readonly<Record<string, Row>> = {
  'Dense with each activation': graph([5], (x) => {
    return one(joined(...activations.map((activation) => new Dense({ units: 4, activation }).apply(x))))
  }),
  'wide Dense layers': plain([130], () => [new Dense({ units: 67, activation: 'relu' }), new Dense({ units: 1 })], {
    x: numbers([35, 130]),
    y: numbers([35, 1], 7),
    batchSize: 7,
  }),
  'a smaller last batch': plain([4], () => [new Dense({ units: 3, activation: 'gelu' }), new Dense({ units: 1 })], {
    batchSize: 3,
  }),
  Conv1D: plain([9, 4], () => [
    new Conv1D({ filters: 6, kernelSize: 3, padding: 'causal', dilationRate: 2, activation: 'tanh' }),
    new Conv1D({ filters: 4, kernelSize: 2, groups: 2, strides: 2 }),
    new m.MaxPooling1D({ poolSize: 2 }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  Conv2D: plain([8, 7, 2], () => [
    new Conv2D({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }),
    new BatchNormalization(),
    new m.MaxPooling2D({ poolSize: 2 }),
    new Conv2D({ filters: 3, kernelSize: 2, strides: 2 }),
    new m.GlobalAveragePooling2D(),
    new Dense({ units: 1 }),
  ]),
  Conv3D: plain([5, 4, 4, 2], () => [
    new m.Conv3D({ filters: 3, kernelSize: 2, activation: 'sigmoid' }),
    new m.AveragePooling3D({ poolSize: 2, padding: 'same' }),
    new m.GlobalMaxPooling3D(),
    new Dense({ units: 1 }),
  ]),
  depthwise: graph(
    [6, 6, 2],
    (x) => {
      const image = new m.DepthwiseConv2D({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }).apply(x)
      const steps = new m.Reshape({ targetShape: [9, 4] }).apply(new m.MaxPooling2D({ poolSize: 2 }).apply(image))
      return one(flat(new m.DepthwiseConv1D({ kernelSize: 3, padding: 'causal', activation: 'relu' }).apply(steps)))
    },
    { x: numbers([ROWS, 6, 6, 2]) },
  ),
  separable: graph([6, 6, 2], (x) => {
    const image = new m.SeparableConv2D({ filters: 4, kernelSize: 3, activation: 'elu' }).apply(x)
    const steps = new m.Reshape({ targetShape: [16, 4] }).apply(image)
    return one(flat(new m.SeparableConv1D({ filters: 2, kernelSize: 3, strides: 2 }).apply(steps)))
  }),
  transposed: graph([4, 3], (x) => {
    const steps = new m.Conv1DTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }).apply(x)
    const image = new m.Conv2DTranspose({ filters: 2, kernelSize: 2, strides: [2, 1], activation: 'tanh' }).apply(
      new m.Reshape({ targetShape: [4, 3, 2] }).apply(steps),
    )
    const volume = new m.Conv3DTranspose({ filters: 1, kernelSize: 2 }).apply(
      new m.Reshape({ targetShape: [4, 4, 2, 2] }).apply(image),
    )
    return one(flat(volume))
  }),
  'pooling in all ways': graph([6, 6, 2], (x) => {
    const steps = new m.Reshape({ targetShape: [12, 6] }).apply(x)
    return one(
      joined(
        ...[
          new m.MaxPooling2D({ poolSize: 3, strides: 1 }),
          new m.AveragePooling2D({ poolSize: 2, padding: 'same' }),
          new m.AdaptiveMaxPooling2D({ outputSize: 4 }),
          new m.AdaptiveAveragePooling2D({ outputSize: [2, 5] }),
          new m.GlobalMaxPooling2D(),
        ].map((layer) => flat(layer.apply(new Conv2D({ filters: 2, kernelSize: 1 }).apply(x)))),
        ...[
          new m.MaxPooling1D({ poolSize: 3, padding: 'same' }),
          new m.AveragePooling1D({ poolSize: 4 }),
          new m.AdaptiveMaxPooling1D({ outputSize: 5 }),
          new GlobalAveragePooling1D(),
        ].map((layer) => flat(layer.apply(new Dense({ units: 3 }).apply(steps)))),
      ),
    )
  }),
  'all normalizations': plain([4, 6], () => [
    new Dense({ units: 6, activation: 'tanh' }),
    new BatchNormalization({ momentum: 0.7 }),
    new LayerNormalization(),
    new m.GroupNormalization({ groups: 3 }),
    new m.RMSNormalization(),
    new m.UnitNormalization(),
    new m.SpectralNormalization({ layer: new Dense({ units: 3 }) }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'masked embeddings, averaged': compiled(
    plain(
      [6],
      () => [
        new Embedding({ inputDim: 9, outputDim: 4, maskZero: true }),
        new GlobalAveragePooling1D(),
        new Dense({ units: 3, activation: 'softmax' }),
      ],
      { x: padded, y: whole([ROWS], 3) },
    ),
    () => ({ optimizer: sgd(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] }),
  ),
  'masked embeddings into LSTM': plain(
    [6],
    () => [
      new Embedding({ inputDim: 9, outputDim: 4, maskZero: true }),
      new LSTM({ units: 4 }),
      new Dense({ units: 1 }),
    ],
    { x: padded },
  ),
  'GRU with all steps, weighted': compiled(
    plain(
      [5, 3],
      () => [new GRU({ units: 4, returnSequences: true }), new m.TimeDistributed({ layer: new Dense({ units: 1 }) })],
      { y: numbers([ROWS, 5, 1]), fit: { sampleWeight: ops.abs(numbers([ROWS, 5], 4)) } },
    ),
    () => ({ optimizer: sgd(), loss: 'meanAbsoluteError', weightedMetrics: ['mse'] }),
  ),
  'SimpleRNN backwards, with dropout': plain([5, 3], () => [
    new SimpleRNN({ units: 4, goBackwards: true, dropout: 0.3, recurrentDropout: 0.2 }),
    new Dense({ units: 1 }),
  ]),
  Bidirectional: plain([5, 3], () => [
    new m.Bidirectional({ layer: new LSTM({ units: 3, returnSequences: true }), mergeMode: 'sum' }),
    new m.Bidirectional({ layer: new GRU({ units: 2 }) }),
    new Dense({ units: 1 }),
  ]),
  stateful: plain([5, 3], () => [
    new LSTM({ units: 3, stateful: true, returnSequences: true }),
    new GRU({ units: 3, stateful: true }),
    new Dense({ units: 1 }),
  ]),
  'an encoder and a decoder': graph([5, 3], (x) => {
    const [, h, c] = new LSTM({ units: 4, returnState: true }).applyWithState(x)
    return one(new LSTM({ units: 4 }).apply(x, { initialState: [h!, c!] }))
  }),
  'stacked cells': plain([5, 3], () => [
    new m.RNN({ cell: new m.StackedRNNCells({ cells: [new m.LSTMCell(3), new m.GRUCell(2)] }) }),
    new Dense({ units: 1 }),
  ]),
  ConvLSTM2D: plain([3, 5, 4, 2], () => [
    new m.ConvLSTM2D({ filters: 2, kernelSize: 2 }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'causal attention of several heads': graph([6, 4], (x) => {
    const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.2 }).apply(x, x, {
      useCausalMask: true,
    })
    return one(new GlobalAveragePooling1D().apply(new LayerNormalization().apply(new Add().apply([x, attended]))))
  }),
  'masked attention': graph(
    [6],
    (x) => {
      const embedded = new Embedding({ inputDim: 9, outputDim: 4, maskZero: true }).apply(x)
      return one(new GlobalAveragePooling1D().apply(new MultiHeadAttention({ numHeads: 2, keyDim: 2 }).apply(embedded)))
    },
    { x: padded },
  ),
  'attention of grouped queries': graph([6, 4], (x) => {
    const layer = new m.GroupedQueryAttention({ headDim: 2, numQueryHeads: 4, numKeyValueHeads: 2 })
    return one(flat(layer.apply(x, x)))
  }),
  'Attention and AdditiveAttention': graph([5, 4], (x) => {
    const query = new Dense({ units: 3 }).apply(x)
    const value = new Conv1D({ filters: 3, kernelSize: 2 }).apply(x)
    return one(
      joined(
        flat(new m.Attention({ useScale: true, dropout: 0.2 }).apply([query, value])),
        flat(new m.AdditiveAttention().apply([query, value])),
      ),
    )
  }),
  'a small language model': compiled(
    graph(
      [7],
      (x) => {
        const embedded = new Embedding({ inputDim: 11, outputDim: 6 }).apply(x)
        const placed = new Add().apply([embedded, new m.PositionEmbedding({ sequenceLength: 7 }).apply(embedded)])
        const normal = new LayerNormalization().apply(placed)
        const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3, slidingWindow: 3 }).apply(normal)
        return new Dense({ units: 11 }).apply(new Add().apply([placed, attended]))
      },
      { x: whole([ROWS, 7], 11), y: whole([ROWS, 7], 11, 2) },
    ),
    () => ({
      optimizer: sgd(),
      loss: new m.losses.SparseCategoricalCrossentropy({ fromLogits: true, ignoreClass: 0 }),
    }),
  ),
  'dropout and noise of all kinds': plain([6, 4], () => [
    new Dense({ units: 5, activation: 'selu' }),
    new m.AlphaDropout({ rate: 0.2 }),
    new Dropout({ rate: 0.3, noiseShape: [null, 1, null] }),
    new m.SpatialDropout1D({ rate: 0.3 }),
    new m.GaussianDropout({ rate: 0.2 }),
    new m.GaussianNoise({ stddev: 0.1 }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'all merging layers': graph([4], (x) => {
    const [a, b, c] = [0, 1, 2].map(() => new Dense({ units: 3 }).apply(x)) as [Tensor, Tensor, Tensor]
    return one(
      joined(
        new Add().apply([a, b, c]),
        new m.Subtract().apply([a, b]),
        new m.Multiply().apply([a, b, c]),
        new m.Average().apply([a, b, c]),
        new m.Maximum().apply([a, b, c]),
        new m.Minimum().apply([a, b]),
        new m.Dot({ axes: 1, normalize: true }).apply([a, c]),
      ),
    )
  }),
  preprocessing: plain([4], () => [
    new m.Normalization({ mean: [0.1, 0.2, 0.3, 0.4], variance: [1, 0.5, 2, 4] }),
    new m.Rescaling({ scale: 2, offset: -0.5 }),
    new m.Lambda({ function: (x: Tensor) => ops.cast(ops.clip(ops.add(x, 2), 0, 3), 'int32') }),
    new m.CategoryEncoding({ numTokens: 4, outputMode: 'multiHot' }),
    new Dense({ units: 1 }),
  ]),
  'random images': plain([6, 6, 1], () => [
    new m.RandomFlip({ mode: 'horizontalAndVertical' }),
    new m.RandomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
    new m.RandomContrast({ factor: 0.3 }),
    new Conv2D({ filters: 2, kernelSize: 3 }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'changes of shape': plain([4, 3], () => [
    new m.Permute({ dims: [2, 1] }),
    new m.ZeroPadding1D({ padding: [1, 2] }),
    new m.UpSampling1D({ size: 2 }),
    new m.Cropping1D({ cropping: [1, 0] }),
    new m.Reshape({ targetShape: [11, 2, 2] }),
    new m.ZeroPadding2D({ padding: 1 }),
    new m.UpSampling2D({ size: [1, 2], interpolation: 'bilinear' }),
    new Conv2D({ filters: 1, kernelSize: 2 }),
    new Flatten(),
    new Dense({ units: 2 }),
    new m.RepeatVector({ n: 3 }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'layers of activations': plain([5], () => [
    new Dense({ units: 6 }),
    new m.PReLU(),
    new Dense({ units: 6 }),
    new m.LeakyReLU(),
    new m.ELU({ alpha: 0.7 }),
    new Dense({ units: 6 }),
    new m.ReLU({ maxValue: 0.8, negativeSlope: 0.1, threshold: 0.05 }),
    new m.Softmax(),
    new Dense({ units: 1 }),
  ]),
  EinsumDense: plain([3, 4], () => [
    new m.EinsumDense({ equation: 'abc,cde->abde', outputShape: [null, 2, 3], biasAxes: 'de', activation: 'tanh' }),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'mixed inputs and several outputs': mixed(),
  'weights of samples, for each output': mixed({
    fit: { sampleWeight: { price: ops.abs(numbers([ROWS], 4)), kind: ops.abs(numbers([ROWS], 6)) } },
  }),
  'weights of classes': compiled(
    plain([4], () => [new Dense({ units: 3, activation: 'softmax' })], {
      y: whole([ROWS], 3),
      fit: { classWeight: { 0: 1, 1: 3, 2: 0.5 }, epochs: 2 },
    }),
    () => ({ optimizer: sgd(), loss: 'sparseCategoricalCrossentropy', weightedMetrics: ['accuracy'] }),
  ),
  'penalties and constraints': plain([4], () => [
    new Dense({ units: 5, kernelRegularizer: 'l2', biasRegularizer: 'l1', kernelConstraint: 'maxNorm' }),
    new m.ActivityRegularization({ l1: 0.01, l2: 0.02 }),
    new Dense({
      units: 4,
      kernelRegularizer: 'orthogonalRegularizer',
      kernelConstraint: 'unitNorm',
      activityRegularizer: 'l2',
    }),
    new Dense({ units: 1, kernelConstraint: 'nonNeg' }),
  ]),
  LoRA: {
    ...plain([6], () => []),
    make: () => {
      const layers = [
        new Embedding({ inputDim: 9, outputDim: 4 }),
        new Conv1D({ filters: 3, kernelSize: 2, activation: 'tanh' }),
        new Dense({ units: 3 }),
      ] as const
      const model = new m.Sequential([...layers, new Flatten(), new Dense({ units: 1 })])
      model.build([null, 6])
      for (const layer of layers) m.enableLora(layer, 2, { bInitializer: 'ones' })
      return model
    },
    data: { x: whole([ROWS, 6], 9), y: numbers([ROWS, 1]) },
  },
  'a layer of ops with a loop and a state': plain([4, 3], () => [
    new Summing(),
    new Flatten(),
    new Dense({ units: 1 }),
  ]),
  'frozen layers': plain([4], () => {
    const layers = [
      new Dense({ units: 5, activation: 'tanh', trainable: false }),
      new BatchNormalization({ trainable: false }),
      new Dense({ units: 4, activation: 'relu' }),
    ]
    return [...layers, new Dense({ units: 1 })]
  }),
  'shared layers': graph([2, 4], (x) => {
    const layer = new Dense({ units: 3, activation: 'tanh' })
    const [a, b] = [0, 1].map((i) => layer.apply(new m.Lambda({ function: (t: Tensor) => ops.take(t, i, 1) }).apply(x)))
    return one(new m.Subtract().apply([layer.apply(new m.ZeroPadding1D({ padding: 0 }).apply(x)), a!, b!].slice(1)))
  }),
  'a model in a model': graph([5], (x) => {
    const inner = new m.Sequential([new Dense({ units: 4, activation: 'relu' }), new Dropout({ rate: 0.3 })])
    return one(new Add().apply([inner.apply(x), new Dense({ units: 4 }).apply(x)]))
  }),
  'a step of the user': { ...plain([4], () => []), make: () => new Own() },
  'clipped gradients': withOptimizer(() => new m.Adam({ learningRate: 0.01, clipnorm: 0.1 })),
  'averages of weights': withOptimizer(
    () => new m.SGD({ learningRate: 0.1, useEma: true, emaMomentum: 0.8, emaOverwriteFrequency: 2 }),
  ),
  'accumulated gradients': withOptimizer(
    () => new m.SGD({ learningRate: 0.1, momentum: 0.9, gradientAccumulationSteps: 2 }),
  ),
  'groups of weights': withOptimizer(
    () =>
      new m.AdamW({
        learningRate: 0.01,
        groups: [{ match: 'bias', weightDecay: 0, learningRate: 0.1 }],
        globalClipnorm: 1,
      }),
  ),
}

it('are forty or more', () => expect(Object.keys(rows).length).toBeGreaterThanOrEqual(40))

describe.skipIf(web === null).each(Object.entries(rows))('%s', (_name, { make, compile, data }) => {
  it('learns as on the CPU', async () => {
    const programs = await compareBoth(async () => {
      const model = make()
      model.compile(compile?.() ?? { optimizer: sgd(), loss: 'meanSquaredError' })
      const weights = Object.entries(model.built ? stateOf(model) : {}).filter(([name]) => name.startsWith('weights'))
      const outcome = await trained(model, data)
      const isKept = ([name, old]: [string, ArrayLike<number>]): boolean =>
        [...Array.from(old).keys()].every((i) => old[i] === outcome[`after fit: ${name}`]![i])
      expect(weights.length > 0 && weights.every(isKept), 'training changes nothing').toBe(false)
      return outcome
    })
    // The step of training, that of evaluate, and the prediction.
    expectOnGpu(programs, 3)
  })
})
