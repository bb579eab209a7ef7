// What TensorFlow.js has: the classes of its layers with the options that they read, and its initializers, activations and so on. All have
// Keras's names and meanings. A layer is written only if the options that its class does not have change nothing.

import type { Config, Json } from '../../../core/registry'

/** An initializer, a regularizer and a constraint, of weights of this name. */
const W = (...names: readonly string[]): string =>
  names.map((name) => `${name}Initializer ${name}Regularizer ${name}Constraint`).join(' ')

const CONV = `kernelSize strides padding dataFormat dilationRate activation useBias ${W('bias')}`
const CELL = `units activation useBias ${W('kernel', 'recurrent', 'bias')} dropout recurrentDropout`
const GATED = `${CELL} recurrentActivation implementation`
const STEPS = 'returnSequences returnState goBackwards stateful unroll'

/** The options of each class, besides name and trainable. */
const CLASSES: Readonly<Record<string, string>> = {
  Activation: 'activation',
  ELU: 'alpha',
  LeakyReLU: 'negativeSlope',
  PReLU: `${W('alpha')} sharedAxes`,
  ReLU: 'maxValue',
  Softmax: 'axis',
  ThresholdedReLU: 'threshold',

  Conv1D: `filters ${CONV} ${W('kernel')}`,
  Conv2D: `filters ${CONV} ${W('kernel')}`,
  Conv3D: `filters ${CONV} ${W('kernel')}`,
  Conv2DTranspose: `filters ${CONV} ${W('kernel')}`,
  Conv3DTranspose: `filters ${CONV} ${W('kernel')}`,
  DepthwiseConv2D: `depthMultiplier ${CONV} ${W('depthwise')}`,
  SeparableConv2D: `filters depthMultiplier ${CONV} ${W('depthwise', 'pointwise')}`,
  Cropping2D: 'cropping dataFormat',
  UpSampling2D: 'size dataFormat interpolation',
  ZeroPadding2D: 'padding dataFormat',

  Dense: `units activation useBias ${W('kernel', 'bias')}`,
  Embedding: `inputDim outputDim ${W('embeddings')} maskZero`,
  Flatten: 'dataFormat',
  Masking: 'maskValue',
  Permute: 'dims',
  RepeatVector: 'n',
  Reshape: 'targetShape',

  Add: '',
  Average: '',
  Concatenate: 'axis',
  Dot: 'axes normalize',
  Maximum: '',
  Minimum: '',
  Multiply: '',

  BatchNormalization: `axis momentum epsilon center scale ${W('beta', 'gamma')} movingMeanInitializer movingVarianceInitializer`,
  LayerNormalization: 'axis epsilon center scale betaInitializer gammaInitializer betaRegularizer gammaRegularizer',

  AveragePooling1D: 'poolSize padding strides',
  AveragePooling2D: 'poolSize padding strides dataFormat',
  AveragePooling3D: 'poolSize padding strides dataFormat',
  MaxPooling1D: 'poolSize padding strides',
  MaxPooling2D: 'poolSize padding strides dataFormat',
  MaxPooling3D: 'poolSize padding strides dataFormat',
  GlobalAveragePooling1D: '',
  GlobalAveragePooling2D: 'dataFormat',
  GlobalMaxPooling1D: '',
  GlobalMaxPooling2D: 'dataFormat',

  AlphaDropout: 'rate noiseShape',
  Dropout: 'rate noiseShape seed',
  GaussianDropout: 'rate',
  GaussianNoise: 'stddev',
  SpatialDropout1D: 'rate seed',

  // Inside a model, TensorFlow.js gives the results of CategoryEncoding, CenterCrop and Resizing wrong shapes.
  Rescaling: 'scale offset',

  Bidirectional: 'layer mergeMode',
  ConvLSTM2D: `filters ${CONV} ${W('kernel', 'recurrent')} recurrentActivation unitForgetBias dropout recurrentDropout ${STEPS}`,
  GRU: `${GATED} ${STEPS} resetAfter`,
  GRUCell: `${GATED} resetAfter`,
  LSTM: `${GATED} unitForgetBias ${STEPS}`,
  LSTMCell: `${GATED} unitForgetBias`,
  RNN: `cell ${STEPS}`,
  SimpleRNN: `${CELL} ${STEPS}`,
  SimpleRNNCell: CELL,
  StackedRNNCells: 'cells',
  TimeDistributed: 'layer',
}

/** Options that change nothing in a file, with any value. */
const MEANINGLESS = [
  'dtype',
  'inputShape',
  'inputDim',
  'seed',
  'implementation',
  // It is set by Bidirectional.
  'zeroOutputForMask',
  // That of a Bidirectional is a copy of its layer: see requireCopy.
  'backwardLayer',
  'renormClipping',
  'renormMomentum',
]

/** The only values of other options with which TensorFlow.js computes the same. */
const ONLY: Readonly<Record<string, readonly Json[]>> = {
  activityRegularizer: [null],
  betaConstraint: [null],
  gammaConstraint: [null],
  groups: [1],
  outputPadding: [null],
  negativeSlope: [0],
  threshold: [0],
  renorm: [false],
  synchronized: [false],
  sparse: [false],
  maxValue: [null],
  keepDims: [false],
  dataFormat: ['channelsLast'],
  noiseShape: [null],
}

/** The same for options that a class reads, but does not have all values of. */
const ONLY_IN: Readonly<Record<string, readonly Json[]>> = {
  'ELU.alpha': [1],
  'GRU.resetAfter': [false],
  'GRUCell.resetAfter': [false],
  'Conv1D.dataFormat': ['channelsLast'],
  'Conv1D.padding': ['valid', 'same'],
  // Its bilinear interpolation takes other points of the image.
  'UpSampling2D.interpolation': ['nearest'],
}

/** The class of a layer there. */
export function classThere(className: string, { threshold }: Config): string {
  return className === 'ReLU' && threshold !== 0 ? 'ThresholdedReLU' : className
}

/** How an option is written. */
export type Treatment = 'written' | 'omitted' | 'refused'

/** Whether TensorFlow.js has layers of a class. */
export function isClass(className: string): boolean {
  return Object.hasOwn(CLASSES, className)
}

const lists = new Map<string, readonly string[]>()

export function treatmentOf(className: string, option: string, value: Json): Treatment {
  if (option === 'dataFormat' && value === null) return 'omitted'
  const options = lists.get(className) ?? ['name', 'trainable', ...CLASSES[className]!.split(' ')]
  lists.set(className, options)
  const isOne = (allowed: readonly Json[] | undefined): boolean =>
    allowed === undefined || allowed.some((each) => each === value)
  if (options.includes(option)) return isOne(ONLY_IN[`${className}.${option}`]) ? 'written' : 'refused'
  if (MEANINGLESS.includes(option)) return 'omitted'
  return Object.hasOwn(ONLY, option) && isOne(ONLY[option]) ? 'omitted' : 'refused'
}

/** Names that TensorFlow.js spells in another way. */
const SPELLED: Readonly<Record<string, string>> = { LecunNormal: 'LeCunNormal', LecunUniform: 'LeCunUniform' }

/** The options of initializers, regularizers and constraints. */
const OBJECTS: Readonly<Record<string, string>> = {
  Zeros: '',
  Ones: '',
  Constant: 'value',
  RandomUniform: 'minval maxval seed',
  RandomNormal: 'mean stddev seed',
  TruncatedNormal: 'mean stddev seed',
  Identity: 'gain',
  Orthogonal: 'gain seed',
  VarianceScaling: 'scale mode distribution seed',
  GlorotNormal: 'seed',
  GlorotUniform: 'seed',
  HeNormal: 'seed',
  HeUniform: 'seed',
  LecunNormal: 'seed',
  LecunUniform: 'seed',
  L1: 'l1',
  L2: 'l2',
  L1L2: 'l1 l2',
  MaxNorm: 'maxValue axis',
  MinMaxNorm: 'minValue maxValue rate axis',
  NonNeg: '',
  UnitNorm: 'axis',
}

/** An object in an option as TensorFlow.js names it, with its options; null if it has no such object. */
export function objectOf(
  className: string,
): { readonly className: string; readonly options: readonly string[] } | null {
  if (!Object.hasOwn(OBJECTS, className)) return null
  const name = className === 'L1' || className === 'L2' ? 'L1L2' : (SPELLED[className] ?? className)
  return { className: name, options: OBJECTS[className]!.split(' ') }
}

/** Activations by their names here. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  elu: 'elu',
  // 0.2 x + 0.5 within [0, 1]; hardSigmoid of Keras 3 is another function.
  formerHardSigmoid: 'hard_sigmoid',
  gelu: 'gelu',
  linear: 'linear',
  logSoftmax: 'log_softmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'swish',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  swish: 'swish',
  tanh: 'tanh',
}

/** The name of an activation in TensorFlow.js; null if it has no such activation. */
export function activationName(name: string): string | null {
  return Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name]! : null
}
