// One row or more for every registered layer: its options and inputs in contract.test.ts. A layer without a row fails
// the test.

import {
  AutoContrast,
  Conv2D,
  Dense,
  Dropout,
  Flatten,
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  Reshape,
  Resizing,
  SimpleRNN,
  SimpleRNNCell,
  Softmax,
  TensorSpec,
  ops,
  type BatchShape,
  type DType,
  type LambdaContext,
  type Tensor,
} from '../../src'
import type { Tree } from '../../src/core/tree'

/** The description of an input; the shape is that of one sample. */
export class Input {
  constructor(
    readonly shape: readonly number[],
    readonly dtype: DType = 'float32',
    /** Integers are in 0 … below − 1. */
    readonly below = 5,
  ) {}

  spec(batch: number | null): TensorSpec {
    const shape: BatchShape = [batch, ...this.shape]
    return new TensorSpec(shape, this.dtype)
  }
}

export interface Example {
  /** Default: none. A function if they contain layers: each object needs its own. */
  readonly options?: object | (() => object)
  readonly input: Tree<Input>
  /** Other accepted inputs. */
  readonly others?: readonly Tree<Input>[]
  /** The number of axes of an input's mask. Default: all but the last, at most 2. */
  readonly maskRank?: number
  /**
   * The mask of the output. Default: passed on by layers that support masking, dropped by the others. `drops`: although
   * the layer supports masking. `makes`: its output always has a mask.
   */
  readonly mask?: 'drops' | 'makes'
  /** Whether training changes the output. */
  readonly random?: boolean
  /** Whether training replaces weights, so that its gradient differs from that of the old weights. */
  readonly assigns?: boolean
  /** Whether its output jumps where an input passes a limit, so that finite differences are not its gradient. */
  readonly jumps?: boolean
  /** Whether it must be adapted, or given weights, before it is called. */
  readonly adapts?: boolean
  /** It starts a model and cannot be inside one. */
  readonly begins?: boolean
}

const vector = new Input([4])
const steps = new Input([3, 4])
const whole = new Input([3], 'int32')
const image = new Input([2, 3, 2])
const photo = new Input([4, 5, 2])
const colours = new Input([4, 5, 3])
const classes = new Input([4, 5, 1], 'int32')
const boxed = { boxes: new Input([2, 4]), labels: new Input([2], 'int32') }
const mel = { fftLength: 8, sequenceStride: 3, samplingRate: 800, numMelBins: 5 }
const volume = new Input([3, 4, 3, 2])
const pair = [vector, vector]
const merging: readonly Example[] = [
  { input: [vector], others: [[whole]] },
  { input: [steps, steps, steps], others: [[new Input([3], 'int32'), new Input([3])]] },
  { input: [new Input([3, 1]), vector] },
]

const tripled = (x: Tensor): Tensor => ops.multiply(x, 3)
const scaled = (x: Tensor, { by }: LambdaContext): Tensor => ops.multiply(x, (by as number[])[1]!)
/** Each feature as a fraction of the total. */
const shared = (x: Tensor): Tensor => ops.divide(x, ops.add(ops.sum(ops.abs(x), { axis: -1, keepDims: true }), 1))
const bent = (x: Tensor): Tensor => ops.where(ops.greater(x, 0), x, ops.multiply(x, 0.1))
const sameMask = (_x: Tensor, mask: Tree<Tensor | null>): Tree<Tensor | null> => mask

/** Objects that files name. */
export const customObjects = { tripled, scaled, sameMask, shared, bent }

export const examples: Readonly<Record<string, readonly Example[]>> = {
  // activations
  ELU: [{ options: { alpha: 0.7 }, input: vector, others: [whole] }],
  LeakyReLU: [{ input: vector, others: [whole] }],
  PReLU: [
    { options: { alphaRegularizer: 'l2' }, input: vector, others: [whole] },
    { options: { sharedAxes: [1, 2] }, input: image },
  ],
  ReLU: [
    { input: vector, others: [whole] },
    { options: { maxValue: 1.5, negativeSlope: 0.1, threshold: 0.25 }, input: steps, others: [whole] },
  ],
  Softmax: [
    { input: steps, others: [whole], maskRank: 3 },
    { options: { axis: [1, 2] }, input: image, maskRank: 4 },
    { options: { axis: 1 }, input: steps, maskRank: 3 },
  ],

  // attention
  AdditiveAttention: [
    { input: [steps, new Input([2, 4])] },
    { options: { useScale: false, dropout: 0.4, seed: 1 }, input: [steps, steps], random: true },
  ],
  Attention: [
    { options: { useScale: true }, input: [steps, new Input([2, 5]), new Input([2, 4])] },
    { options: { scoreMode: 'concat', dropout: 0.5, seed: 2 }, input: [steps, steps], random: true },
  ],
  GroupedQueryAttention: [
    {
      options: { headDim: 2, numQueryHeads: 4, numKeyValueHeads: 2, useGate: true },
      input: [steps, new Input([2, 3])],
    },
  ],
  MultiHeadAttention: [
    { options: { numHeads: 2, keyDim: 3 }, input: [steps, new Input([2, 3]), new Input([2, 5])] },
    {
      options: {
        numHeads: 2,
        keyDim: 3,
        valueDim: 2,
        outputShape: 5,
        useBias: false,
        slidingWindow: 2,
        useGate: true,
        kernelRegularizer: 'l2',
      },
      input: steps,
    },
    { options: { numHeads: 2, keyDim: 2, dropout: 0.4, seed: 1 }, input: steps, random: true },
    { options: { numHeads: 2, keyDim: 2, attentionAxes: 2 }, input: image, maskRank: 3 },
  ],

  // convolutional
  Conv1D: [
    {
      options: { filters: 3, kernelSize: 2, padding: 'causal', dilationRate: 2, activation: 'tanh' },
      input: steps,
      others: [new Input([3, 4], 'int32')],
      mask: 'drops',
    },
    {
      options: { filters: 4, kernelSize: 3, groups: 2, padding: 'same', useBias: false, kernelRegularizer: 'l2' },
      input: steps,
    },
  ],
  Conv1DTranspose: [
    {
      options: { filters: 2, kernelSize: 3, strides: 2, padding: 'same', outputPadding: 1, activation: 'sigmoid' },
      input: steps,
    },
  ],
  Conv2D: [
    {
      options: { filters: 3, kernelSize: 2, activation: 'sigmoid' },
      input: photo,
      others: [new Input([4, 5, 2], 'int32')],
    },
    {
      options: { filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: 'same', dataFormat: 'channelsFirst' },
      input: new Input([2, 4, 5]),
    },
  ],
  Conv2DTranspose: [
    { options: { filters: 3, kernelSize: [2, 3], strides: 2 }, input: photo },
    {
      options: { filters: 2, kernelSize: 2, dataFormat: 'channelsFirst', useBias: false },
      input: new Input([2, 2, 3]),
    },
  ],
  Conv3D: [{ options: { filters: 2, kernelSize: 2, padding: 'same', biasRegularizer: 'l1' }, input: volume }],
  Conv3DTranspose: [{ options: { filters: 2, kernelSize: 2, strides: [1, 2, 1] }, input: volume }],
  DepthwiseConv1D: [{ options: { kernelSize: 2, depthMultiplier: 2, padding: 'causal' }, input: steps }],
  DepthwiseConv2D: [
    {
      options: { kernelSize: 3, padding: 'same', strides: 2, depthwiseRegularizer: 'l2' },
      input: photo,
      others: [new Input([4, 5, 2], 'int32')],
    },
  ],
  SeparableConv1D: [{ options: { filters: 3, kernelSize: 2, activation: 'tanh' }, input: steps }],
  SeparableConv2D: [
    {
      options: { filters: 3, kernelSize: 2, depthMultiplier: 2, padding: 'same', pointwiseRegularizer: 'l2' },
      input: photo,
    },
  ],

  // core
  Activation: [
    { options: { activation: 'tanh' }, input: vector },
    { options: { activation: 'softmax' }, input: steps },
    { options: { activation: shared }, input: steps },
    { options: { activation: bent }, input: steps },
  ],
  Dense: [
    { options: { units: 3, activation: 'gelu' }, input: vector, others: [new Input([4], 'int32')] },
    { options: { units: 2, useBias: false, kernelRegularizer: 'l2', activityRegularizer: 'l1' }, input: steps },
    { options: { units: 3, activation: shared }, input: vector },
  ],
  EinsumDense: [
    {
      options: { equation: 'ab,bc->ac', outputShape: 3, biasAxes: 'c', activation: 'tanh' },
      input: vector,
      others: [new Input([4], 'int32')],
    },
    { options: { equation: 'abc,cde->abde', outputShape: [null, 2, 3], biasAxes: 'de' }, input: steps },
    { options: { equation: '...x,xy->...y', outputShape: 2, kernelRegularizer: 'l2' }, input: image },
    { options: { equation: 'ab...,bc->ac...', outputShape: [3], biasAxes: 'c' }, input: image },
  ],
  Embedding: [
    {
      options: { inputDim: 5, outputDim: 3 },
      input: whole,
      others: [new Input([], 'int32'), new Input([2, 2], 'int32')],
    },
    {
      options: { inputDim: 5, outputDim: 2, maskZero: true, embeddingsRegularizer: 'l2' },
      input: whole,
      mask: 'makes',
    },
  ],
  ReversibleEmbedding: [
    { options: { inputDim: 5, outputDim: 3 }, input: whole, mask: 'drops' },
    { options: { inputDim: 5, outputDim: 3, tieWeights: false, maskZero: true }, input: whole, mask: 'makes' },
  ],
  IntegerLookup: [
    { options: { vocabulary: [3, 1] }, input: whole, others: [new Input([], 'int32'), new Input([2, 2], 'int32')] },
    { options: { vocabulary: [3, 1, 4], maskToken: 0, numOovIndices: 2 }, input: whole },
    { options: { vocabulary: [3, 1], outputMode: 'multiHot' }, input: whole },
  ],
  PositionEmbedding: [{ options: { sequenceLength: 5 }, input: steps }],
  RotaryEmbedding: [
    { options: { frequencies: [1] }, input: steps },
    { options: { maxWavelength: 100, scalingFactor: 2 }, input: new Input([3, 2, 4]) },
  ],
  Identity: [{ input: vector, others: [whole, image] }],
  InputLayer: [{ options: { shape: [4] }, input: vector, begins: true }],
  Operation: [{ options: { op: 'add' }, input: pair, mask: 'drops' }],

  Lambda: [
    { options: { function: tripled }, input: vector },
    { options: { function: scaled, arguments: { by: [2, 3] }, outputShape: [3, 4], mask: sameMask }, input: steps },
  ],
  Masking: [
    { input: steps, others: [new Input([3, 2], 'int32', 2)], mask: 'makes' },
    { options: { maskValue: -1.5 }, input: steps, mask: 'makes' },
  ],

  // merging
  Add: merging,
  Average: merging,
  Concatenate: [
    { input: [vector, new Input([2])], others: [[whole, new Input([2])], [vector]] },
    { options: { axis: 1 }, input: [steps, new Input([2, 4])] },
  ],
  Dot: [
    { options: { axes: 1 }, input: pair, others: [[whole, whole]], mask: 'drops' },
    { options: { axes: [2, 1], normalize: true }, input: [steps, new Input([4, 2])], mask: 'drops' },
  ],
  Maximum: merging,
  Minimum: merging,
  Multiply: merging,
  Subtract: [{ input: [steps, vector], others: [[whole, whole]] }],

  // normalization
  BatchNormalization: [
    { input: steps, others: [new Input([3, 4], 'int32')], random: true },
    {
      options: { axis: 1, momentum: 0.5, center: false, gammaRegularizer: 'l2' },
      input: photo,
      maskRank: 3,
      random: true,
    },
  ],
  GroupNormalization: [
    { options: { groups: 2 }, input: photo },
    { options: { groups: -1, scale: false, axis: 1 }, input: steps },
  ],
  LayerNormalization: [
    { input: steps, others: [new Input([3, 4], 'int32')] },
    { options: { axis: [1, 2], epsilon: 0.01 }, input: photo },
    { options: { axis: 1 }, input: steps },
  ],
  RMSNormalization: [{ input: steps, mask: 'drops' }],
  UnitNormalization: [{ input: steps }],

  // pooling
  AveragePooling1D: [{ options: { poolSize: 2, strides: 1, padding: 'same' }, input: steps }],
  AveragePooling2D: [
    { input: photo, others: [new Input([4, 5, 2], 'int32')] },
    {
      options: { poolSize: [3, 2], strides: 2, padding: 'same', dataFormat: 'channelsFirst' },
      input: new Input([2, 4, 5]),
    },
  ],
  AveragePooling3D: [{ options: { poolSize: [1, 2, 2] }, input: volume }],
  GlobalAveragePooling1D: [
    { input: steps, mask: 'drops' },
    { options: { keepDims: true }, input: steps, mask: 'drops' },
  ],
  GlobalAveragePooling2D: [
    { input: photo },
    { options: { keepDims: true, dataFormat: 'channelsFirst' }, input: photo },
  ],
  GlobalAveragePooling3D: [{ input: volume }],
  AdaptiveAveragePooling1D: [{ options: { outputSize: 2 }, input: steps }],
  AdaptiveAveragePooling2D: [
    { options: { outputSize: [2, 3] }, input: photo, others: [new Input([4, 5, 2], 'int32')] },
    { options: { outputSize: 4, dataFormat: 'channelsFirst' }, input: new Input([2, 4, 5]) },
  ],
  AdaptiveAveragePooling3D: [{ options: { outputSize: 2 }, input: volume }],
  AdaptiveMaxPooling1D: [{ options: { outputSize: 3 }, input: steps }],
  AdaptiveMaxPooling2D: [
    { options: { outputSize: 2 }, input: photo },
    { options: { outputSize: [3, 1], dataFormat: 'channelsFirst' }, input: new Input([2, 4, 5]) },
  ],
  AdaptiveMaxPooling3D: [{ options: { outputSize: [1, 2, 2] }, input: volume }],
  GlobalMaxPooling1D: [{ options: { keepDims: true }, input: steps }],
  GlobalMaxPooling2D: [{ input: photo }],
  GlobalMaxPooling3D: [{ options: { dataFormat: 'channelsFirst' }, input: volume }],
  MaxPooling1D: [{ options: { poolSize: 2, strides: 1 }, input: steps }],
  MaxPooling2D: [
    { input: photo, others: [new Input([4, 5, 2], 'int32')] },
    {
      options: { poolSize: 3, strides: [1, 2], padding: 'same', dataFormat: 'channelsFirst' },
      input: new Input([2, 4, 5]),
    },
  ],
  MaxPooling3D: [{ options: { poolSize: 2, padding: 'same' }, input: volume }],

  // preprocessing
  AugMix: [
    {
      options: { valueRange: [-2, 2], numChains: 2, chainDepth: 1, alpha: 0.5, seed: 1 },
      input: { images: colours, segmentationMasks: classes },
      random: true,
    },
    { options: { valueRange: [-2, 2], numChains: 1, chainDepth: 2, allOps: false }, input: colours, random: true },
  ],
  AutoContrast: [
    { options: { valueRange: [-2, 2] }, input: photo },
    { options: { dataFormat: 'channelsFirst' }, input: new Input([2, 4, 5]), others: [new Input([2, 4, 5], 'int32')] },
  ],
  CategoryEncoding: [
    { options: { numTokens: 5 }, input: whole, others: [new Input([], 'int32'), new Input([2, 2], 'int32')] },
    {
      options: { numTokens: 5, outputMode: 'oneHot' },
      input: whole,
      others: [new Input([1], 'int32'), new Input([], 'int32')],
    },
    { options: { numTokens: 5, outputMode: 'count' }, input: whole },
  ],
  CenterCrop: [
    { options: { height: 2, width: 3 }, input: photo, others: [new Input([4, 5, 2], 'int32')] },
    { options: { height: 6, width: 3, dataFormat: 'channelsFirst' }, input: new Input([2, 4, 5]) },
  ],
  ContrastLimitedAdaptiveHistogramEqualization: [
    { options: { valueRange: [-2, 2], tileGridSize: [2, 3], clipLimit: 1.5 }, input: photo, jumps: true },
    { options: { valueRange: [0, 4], clipLimit: 0 }, input: new Input([4, 5, 2], 'int32') },
  ],
  CutMix: [
    { options: { seed: 1 }, input: photo, random: true },
    { options: { seed: 1 }, input: { images: photo, labels: vector }, random: true },
  ],
  Discretization: [
    { options: { binBoundaries: [-1, 0.3, 1] }, input: steps, others: [whole] },
    { options: { binBoundaries: [-1, 0.3], numBins: 4, outputMode: 'multiHot' }, input: vector },
  ],
  Equalization: [{ options: { valueRange: [-2, 2], bins: 8 }, input: photo, random: true }],
  MaxNumBoundingBoxes: [
    { options: { maxNumber: 3, boundingBoxFormat: 'xywh' }, input: { images: photo, boundingBoxes: boxed } },
    {
      options: { maxNumber: 1, fillValue: 7, boundingBoxFormat: 'xyxy' },
      input: { images: photo, boundingBoxes: boxed },
    },
  ],
  MelSpectrogram: [
    { options: { ...mel, sequenceLength: 6, magExp: 1, powerToDb: false, window: 'hamming' }, input: new Input([20]) },
    { options: { ...mel, topDb: 200, refPower: 2 }, input: new Input([20]) },
  ],
  MixUp: [
    { options: { seed: 1 }, input: photo, random: true },
    { options: { seed: 1, alpha: 2 }, input: { images: photo, labels: vector }, random: true },
  ],
  Normalization: [
    { options: { mean: [1, 2, 3, 4], variance: [1, 0.25, 4, 2] }, input: steps, others: [new Input([3, 4], 'int32')] },
    { options: { mean: 0.5, variance: 2, axis: null, invert: true }, input: photo },
    { options: { axis: [1, 2] }, input: steps, adapts: true },
  ],
  Pipeline: [
    { options: () => ({ layers: [new Dropout(0.5), new Dense({ units: 3 })] }), input: steps, random: true },
    {
      options: () => ({ layers: [new Resizing({ height: 3, width: 3 }), new AutoContrast({ valueRange: [-2, 2] })] }),
      input: { images: photo, labels: vector },
    },
  ],
  RandAugment: [
    {
      options: { valueRange: [-2, 2], seed: 1, boundingBoxFormat: 'xyxy' },
      input: { images: colours, boundingBoxes: boxed, segmentationMasks: classes },
      random: true,
    },
  ],
  RandomBrightness: [{ options: { factor: 0.2, valueRange: [-2, 2], seed: 1 }, input: photo, random: true }],
  RandomColorDegeneration: [{ options: { factor: 0.6, valueRange: [-2, 2], seed: 1 }, input: colours, random: true }],
  RandomColorJitter: [
    {
      options: { valueRange: [-2, 2], brightnessFactor: 0.2, contrastFactor: 0.3, seed: 1 },
      input: photo,
      random: true,
    },
    {
      options: { valueRange: [-2, 2], saturationFactor: [0.2, 0.6], hueFactor: 0.2 },
      input: colours,
      random: true,
    },
  ],
  RandomContrast: [{ options: { factor: [0.3, 0.6], valueRange: [-5, 5], seed: 1 }, input: photo, random: true }],
  RandomCrop: [
    { options: { height: 2, width: 3, seed: 1 }, input: photo, random: true },
    { options: { height: 5, width: 5, seed: 1 }, input: photo },
  ],
  RandomElasticTransform: [
    {
      options: { scale: [0.5, 1], valueRange: [-2, 2], seed: 1 },
      input: { images: photo, segmentationMasks: classes },
      random: true,
    },
    {
      options: { factor: [0.4, 0.9], fillMode: 'constant', dataFormat: 'channelsFirst', seed: 1 },
      input: new Input([2, 4, 5]),
      random: true,
    },
  ],
  RandomErasing: [
    { options: { fillValue: [1, -1], valueRange: [-2, 2], seed: 1 }, input: photo, random: true },
    { options: { factor: [0.5, 0.9], seed: 1 }, input: photo, random: true },
  ],
  RandomFlip: [
    { options: { seed: 1 }, input: photo, others: [new Input([4, 5, 2], 'int32')], random: true },
    {
      options: { mode: 'vertical', dataFormat: 'channelsFirst', seed: 2 },
      input: { images: new Input([2, 4, 5]), segmentationMasks: new Input([1, 4, 5], 'int32') },
      random: true,
    },
  ],
  RandomGaussianBlur: [
    { options: { sigma: [0.4, 0.9], kernelSize: [5, 3], valueRange: [-2, 2], seed: 1 }, input: photo, random: true },
  ],
  RandomGrayscale: [{ options: { seed: 1 }, input: new Input([4, 5, 3]), random: true }],
  RandomHue: [{ options: { factor: 0.5, valueRange: [-2, 2], seed: 1 }, input: colours, random: true }],
  RandomInvert: [{ options: { valueRange: [-2, 2], seed: 1 }, input: photo, random: true }],
  RandomPerspective: [
    {
      options: { scale: 0.6, boundingBoxFormat: 'xywh', seed: 1 },
      input: { images: photo, boundingBoxes: boxed },
      random: true,
    },
    { options: { factor: [0.9, 1], fillValue: 1, interpolation: 'nearest', seed: 3 }, input: photo, random: true },
  ],
  RandomPosterization: [{ options: { factor: [2, 5], valueRange: [-2, 2], seed: 1 }, input: photo, random: true }],
  RandomRotation: [
    {
      options: { factor: 0.2, boundingBoxFormat: 'relCenterXywh', seed: 1 },
      input: { images: photo, boundingBoxes: boxed },
      random: true,
    },
    { options: { factor: 0.2, seed: 1 }, input: photo, others: [new Input([4, 5, 2], 'int32')], random: true },
    {
      options: { factor: [0.1, 0.2], fillMode: 'constant', fillValue: 0.5, dataFormat: 'channelsFirst', seed: 1 },
      input: new Input([2, 4, 5]),
      random: true,
    },
  ],
  RandomSaturation: [{ options: { factor: [0.3, 0.7], valueRange: [-2, 2], seed: 1 }, input: colours, random: true }],
  RandomSharpness: [{ options: { factor: 0.9, valueRange: [-2, 2], seed: 1 }, input: photo, random: true }],
  RandomShear: [
    { options: { xFactor: 0.3, yFactor: [0.1, 0.2], fillMode: 'wrap', seed: 1 }, input: photo, random: true },
  ],
  RandomTranslation: [
    {
      options: { heightFactor: 0.3, widthFactor: [-0.4, 0.1], fillMode: 'nearest', seed: 1 },
      input: photo,
      random: true,
    },
  ],
  RandomZoom: [
    { options: { heightFactor: 0.3, seed: 1 }, input: photo, random: true },
    {
      options: { heightFactor: [0.4, 0.6], widthFactor: 0.5, interpolation: 'nearest', seed: 1 },
      input: photo,
      random: true,
    },
  ],
  Rescaling: [
    { options: { scale: 0.5, offset: -1 }, input: vector, others: [whole] },
    { options: { scale: [1, 2, 3, 4] }, input: steps },
  ],
  Resizing: [
    { options: { height: 3, width: 7 }, input: photo, others: [new Input([4, 5, 2], 'int32')] },
    { options: { height: 3, width: 3, cropToAspectRatio: true, antialias: true }, input: photo },
    {
      options: {
        height: 6,
        width: 3,
        padToAspectRatio: true,
        fillValue: 0.5,
        interpolation: 'nearest',
        dataFormat: 'channelsFirst',
      },
      input: new Input([2, 4, 5]),
    },
  ],
  STFTSpectrogram: [
    { options: { mode: 'log', frameLength: 6, frameStep: 2 }, input: new Input([11, 2]) },
    { options: { mode: 'stft', frameLength: 4, dataFormat: 'channelsFirst' }, input: new Input([2, 11]) },
    {
      options: { mode: 'psd', frameLength: 4, fftLength: 6, padding: 'same', expandDims: true, window: [1, 2, 2, 1] },
      input: new Input([11, 2]),
    },
    {
      options: { mode: 'imag', frameLength: 4, window: null, expandDims: true, dataFormat: 'channelsFirst' },
      input: new Input([2, 9]),
    },
  ],
  Solarization: [
    {
      options: { additionFactor: 0.1, thresholdFactor: [0.3, 0.5], valueRange: [-2, 2], seed: 1 },
      input: photo,
      random: true,
    },
  ],

  // recurrent
  Bidirectional: [
    { options: () => ({ layer: new LSTM(2) }), input: steps, mask: 'drops' },
    {
      options: () => ({ layer: new GRU({ units: 2, returnSequences: true, returnState: true }), mergeMode: null }),
      input: steps,
    },
    { options: () => ({ layer: new SimpleRNN({ units: 2, returnSequences: true }), mergeMode: 'mul' }), input: steps },
    {
      options: () => ({
        layer: new LSTM({ units: 2 }),
        backwardLayer: new GRU({ units: 2, goBackwards: true }),
        mergeMode: 'ave',
      }),
      input: steps,
      mask: 'drops',
    },
  ],
  GRU: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    {
      options: { units: 2, resetAfter: false, returnSequences: true, goBackwards: true, recurrentRegularizer: 'l2' },
      input: steps,
    },
    {
      options: { units: 2, dropout: 0.5, recurrentDropout: 0.5, seed: 4, returnState: true },
      input: steps,
      random: true,
      mask: 'drops',
    },
    {
      options: { units: 2, dropout: 0.5, recurrentDropout: 0.5, seed: 4, resetAfter: false, useBias: false },
      input: steps,
      random: true,
      mask: 'drops',
    },
  ],
  GRUCell: [
    { options: { units: 3, activation: 'softsign' }, input: { input: vector, state: [new Input([3])] } },
    {
      options: { units: 3, resetAfter: false, recurrentActivation: 'hardSigmoid' },
      input: { input: vector, state: [new Input([3])] },
    },
    {
      options: { units: 3, resetAfter: false, dropout: 0.5, seed: 1 },
      input: { input: vector, state: [new Input([3])] },
      random: true,
    },
  ],
  ConvLSTM1D: [
    { options: { filters: 2, kernelSize: 2 }, input: new Input([3, 4, 2]), maskRank: 2, mask: 'drops' },
    {
      options: {
        filters: 2,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        returnSequences: true,
        returnState: true,
        useBias: false,
      },
      input: new Input([3, 4, 2]),
      maskRank: 2,
    },
  ],
  ConvLSTM2D: [
    {
      options: { filters: 2, kernelSize: 2, padding: 'same', returnSequences: true, goBackwards: true },
      input: new Input([2, 3, 4, 2]),
      maskRank: 2,
    },
    {
      options: {
        filters: 2,
        kernelSize: [1, 2],
        dataFormat: 'channelsFirst',
        returnState: true,
        kernelRegularizer: 'l2',
      },
      input: new Input([2, 2, 3, 4]),
      maskRank: 2,
      mask: 'drops',
    },
    {
      options: { filters: 2, kernelSize: 2, dropout: 0.3, recurrentDropout: 0.4, seed: 3, unitForgetBias: false },
      input: new Input([2, 3, 3, 2]),
      maskRank: 2,
      mask: 'drops',
      random: true,
    },
  ],
  ConvLSTM3D: [
    {
      options: { filters: 2, kernelSize: [2, 1, 2], activation: 'relu', recurrentActivation: 'hardSigmoid' },
      input: new Input([2, 3, 2, 3, 2]),
      maskRank: 2,
      mask: 'drops',
    },
  ],
  LSTM: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    {
      options: {
        units: 2,
        unitForgetBias: false,
        returnSequences: true,
        goBackwards: true,
        kernelRegularizer: 'l2',
        activityRegularizer: 'l1',
      },
      input: steps,
    },
    {
      options: { units: 2, dropout: 0.5, seed: 4, returnState: true, returnSequences: true, zeroOutputForMask: true },
      input: steps,
      random: true,
    },
    { options: { units: 2, recurrentDropout: 0.5, seed: 4 }, input: steps, random: true, mask: 'drops' },
    { options: { units: 3, recurrentActivation: 'softmax' }, input: steps, mask: 'drops' },
  ],
  LSTMCell: [
    { options: { units: 3 }, input: { input: vector, state: [new Input([3]), new Input([3])] } },
    {
      options: { units: 3, useBias: false, dropout: 0.5, implementation: 1, seed: 1 },
      input: { input: vector, state: [new Input([3]), new Input([3])] },
      random: true,
    },
  ],
  RNN: [
    { options: () => ({ cell: new SimpleRNNCell(3), returnSequences: true, returnState: true }), input: steps },
    {
      options: () => ({ cell: [new SimpleRNNCell(3), new SimpleRNNCell(2)], goBackwards: true }),
      input: steps,
      mask: 'drops',
    },
    {
      options: () => ({
        cell: new SimpleRNNCell({ units: 3, seed: 2, dropout: 0.4, recurrentDropout: 0.3 }),
        returnSequences: true,
        unroll: true,
      }),
      input: steps,
      random: true,
    },
  ],
  SimpleRNN: [
    { options: { units: 3 }, input: steps, mask: 'drops' },
    {
      options: {
        units: 2,
        activation: 'relu',
        useBias: false,
        returnSequences: true,
        goBackwards: true,
        recurrentRegularizer: 'l2',
      },
      input: steps,
    },
    {
      options: {
        units: 3,
        returnSequences: true,
        zeroOutputForMask: true,
        dropout: 0.5,
        recurrentDropout: 0.5,
        seed: 4,
      },
      input: steps,
      random: true,
    },
  ],
  SimpleRNNCell: [
    { options: { units: 3 }, input: { input: vector, state: [new Input([3])] } },
    {
      options: { units: 3, useBias: false, dropout: 0.5, seed: 1 },
      input: { input: vector, state: [new Input([3])] },
      random: true,
    },
  ],
  SpectralNormalization: [
    { options: () => ({ layer: new Dense(3) }), input: vector, random: true, assigns: true },
    {
      options: () => ({ layer: new Conv2D({ filters: 3, kernelSize: 2 }), powerIterations: 3 }),
      input: photo,
      random: true,
      assigns: true,
    },
  ],
  StackedRNNCells: [
    {
      options: () => ({ cells: [new LSTMCell(2), new GRUCell(2)] }),
      input: { input: vector, state: [new Input([2]), new Input([2]), new Input([2])] },
    },
    {
      options: () => ({ cells: [new SimpleRNNCell(3), new SimpleRNNCell(2)] }),
      input: { input: vector, state: [new Input([3]), new Input([2])] },
    },
  ],

  TimeDistributed: [
    {
      options: () => ({ layer: new Dense({ units: 2, activation: 'tanh', activityRegularizer: 'l2' }) }),
      input: steps,
      others: [new Input([3, 2, 2])],
    },
    { options: () => ({ layer: new Softmax() }), input: steps, maskRank: 3 },
    { options: () => ({ layer: new LSTM(2) }), input: new Input([2, 3, 2]) },
    { options: () => ({ layer: new Flatten() }), input: image },
    {
      options: () => ({ layer: new Dropout({ rate: 0.5, noiseShape: [null, 4], seed: 1 }) }),
      input: steps,
      random: true,
    },
    { options: () => ({ layer: new Reshape([2, 2]) }), input: new Input([3, 4], 'int32') },
  ],

  // regularization
  ActivityRegularization: [{ options: { l1: 0.1, l2: 0.2 }, input: vector, others: [whole] }],
  AlphaDropout: [
    { options: { rate: 0.4, seed: 3 }, input: steps, random: true },
    { options: { rate: 0.5, noiseShape: [null, 1, null], seed: 1 }, input: steps, random: true },
    { options: { rate: 0.5, noiseShape: [null, 3, 4], seed: 1 }, input: steps, random: true },
  ],
  Dropout: [
    { options: { rate: 0.5, seed: 3 }, input: steps, random: true },
    { options: { rate: 0.5, noiseShape: [null, 1, null], seed: 1 }, input: steps, random: true },
    { options: { rate: 0.5, noiseShape: [null, 3, 4], seed: 1 }, input: steps, random: true },
  ],
  GaussianDropout: [{ options: { rate: 0.4, seed: 3 }, input: steps, random: true }],
  GaussianNoise: [{ options: { stddev: 0.3, seed: 3 }, input: steps, random: true }],
  SpatialDropout1D: [{ options: { rate: 0.5, seed: 3 }, input: steps, random: true }],
  SpatialDropout2D: [
    { options: { rate: 0.5, seed: 3 }, input: photo, random: true },
    { options: { rate: 0.5, seed: 3, dataFormat: 'channelsFirst' }, input: photo, random: true },
  ],
  SpatialDropout3D: [{ options: { rate: 0.5, seed: 2 }, input: volume, random: true }],

  // reshaping
  Cropping1D: [
    { input: steps, others: [new Input([4, 2], 'int32')] },
    { options: { cropping: [0, 2] }, input: steps },
  ],
  Cropping2D: [
    {
      options: {
        cropping: [
          [1, 0],
          [1, 2],
        ],
      },
      input: photo,
    },
    { options: { cropping: [1, 2], dataFormat: 'channelsFirst' }, input: new Input([2, 4, 5]) },
  ],
  Cropping3D: [{ options: { cropping: [0, 1, 0] }, input: volume }],
  Flatten: [
    { input: image, others: [whole, new Input([])] },
    { options: { dataFormat: 'channelsFirst' }, input: image },
  ],
  Permute: [
    { options: { dims: [2, 3, 1] }, input: image },
    { options: { dims: [2, 1] }, input: new Input([3, 2], 'int32') },
  ],
  RepeatVector: [{ options: { n: 3 }, input: vector, others: [whole] }],
  Reshape: [{ options: { targetShape: [2, -1] }, input: vector, others: [new Input([4], 'int32')] }],
  UpSampling1D: [{ input: steps, others: [new Input([3, 2], 'int32')] }],
  UpSampling2D: [
    { options: { size: [1, 3] }, input: photo },
    { options: { size: 2, interpolation: 'bicubic', dataFormat: 'channelsFirst' }, input: photo },
  ],
  UpSampling3D: [{ options: { size: [2, 1, 2] }, input: volume }],
  ZeroPadding1D: [
    { input: steps, others: [new Input([3, 2], 'int32')] },
    { options: { padding: [0, 2] }, input: steps },
  ],
  ZeroPadding2D: [
    {
      options: {
        padding: [
          [1, 0],
          [2, 3],
        ],
      },
      input: photo,
    },
    { options: { padding: [1, 2], dataFormat: 'channelsFirst' }, input: photo },
  ],
  ZeroPadding3D: [{ options: { padding: 1 }, input: volume }],
}
