// Where options of Keras differ from those of this library; all others have the same names, in snake case, and the same values.
// A row has an option, its conversion, and the reason. Files of all versions use the same table.

import { utf8Text } from '../../core/text'
import type { Json } from '../../core/registry'
import { isRecord, textOf, valueAt, type JsonRecord } from '../containers/json'
import { isObject } from './keras-object'

/** The conversion of an option. */
export interface Difference {
  readonly why: string
  /**
   * The options of this library in its place; null for a value that this library does not support. Default: the option is
   * left out.
   */
  readonly read?: (value: Json, config: JsonRecord) => JsonRecord | null
}

type Rows = Readonly<Record<string, Difference>>

const without = (why: string): Difference => ({ why })
/** Left out if it is one of these values; others are refused. */
const only = (values: readonly Json[], why: string): Difference => ({
  why,
  read: (value) => (values.includes(value) ? {} : null),
})
const as = (name: string, why: string): Difference => ({ why, read: (value) => ({ [name]: value }) })

/** Kept if the other options give it an effect: this library refuses an option without one. */
const ifUsed = (name: string, isUsed: (config: JsonRecord) => boolean, why: string): Difference => ({
  why,
  read: (value, config): JsonRecord => (isUsed(config) ? { [name]: value } : {}),
})
const usesEma = (config: JsonRecord): boolean => valueAt(config, 'use_ema') === true

const FLOAT32 = 'weights are float32, and so are computations, whatever the policy'
const POLICY_NAMES = /^(?:int[48]|float8)/

/** The name of a dtype or of a policy. */
function dtypeName(value: Json): string {
  if (!isRecord(value)) return textOf(value)
  const config = valueAt(value, 'config')
  return isRecord(config) ? textOf(valueAt(config, 'name') ?? valueAt(config, 'mode')) : ''
}

/** A shape with its batch axis as the shape of one sample. */
const sampleShape = (value: Json): JsonRecord | null => (Array.isArray(value) ? { inputShape: value.slice(1) } : null)

const INPUT_DTYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  string: 'string',
  int8: 'int32',
  uint8: 'int32',
  int16: 'int32',
  uint16: 'int32',
  int32: 'int32',
  uint32: 'int32',
  int64: 'int32',
  uint64: 'int32',
}

const inputShape: Difference = {
  why: 'the batch axis is a separate option',
  read: (value) => (Array.isArray(value) ? { shape: value.slice(1), batchSize: value[0] ?? null } : null),
}

/** In Keras 2, the rate of update t is learning_rate / (1 + decay · t). */
const rate: Difference = {
  why: 'Keras 2 has the decay apart',
  read: (value, config) => {
    const decay = valueAt(config, 'decay')
    const isConstant = typeof value !== 'number' || typeof decay !== 'number' || decay === 0
    if (isConstant) return { learningRate: value }
    const options = { initial_learning_rate: value, decay_steps: 1, decay_rate: decay }
    return { learningRate: { class_name: 'InverseTimeDecay', config: options } }
  },
}

/** Rows of all classes. */
const ALL: Rows = {
  dtype: {
    why: FLOAT32,
    read: (value) => (POLICY_NAMES.test(dtypeName(value)) ? null : {}),
  },
  dtype_policy: without(FLOAT32),
  autocast: without(FLOAT32),
  dynamic: only([false], 'Python runs in every step of a dynamic layer'),
  quantization_config: only([null], 'weights of quantized layers of Keras are not read'),
  lora_rank: without('the product of LoRA is in the kernel of the file'),
  lora_alpha: without('the product of LoRA is in the kernel of the file'),
  jit_compile: without('every step is compiled'),
  lr: rate,
  learning_rate: rate,
  decay: without('Keras 2: it is a part of the learning rate'),
  ema_momentum: ifUsed('emaMomentum', usesEma, 'it has no effect without use_ema'),
  ema_overwrite_frequency: ifUsed('emaOverwriteFrequency', usesEma, 'it has no effect without use_ema'),
  is_legacy_optimizer: without('it computes the same'),
  fn: without('Keras 2: the function of a loss or a metric, which follows from its class'),
  reduction: {
    why: 'Keras 2: outside of distributed training, auto is the mean over the batch',
    read: (value) => ({ reduction: value === 'auto' ? 'sum_over_batch_size' : value }),
  },
  batch_input_shape: { why: 'Keras 2: the shape of the first layer, with its batch axis', read: sampleShape },
  batch_shape: { why: 'Keras 2: the shape of the first layer, with its batch axis', read: sampleShape },
}

const RECURRENT: Rows = {
  use_cudnn: without('there is one implementation'),
  time_major: only([false], 'the batch is the first axis'),
}
const LOOKUP: Rows = {
  vocabulary_size: without('it follows from the vocabulary'),
  vocabulary_dtype: without('integers are int32'),
  encoding: only(['utf-8'], 'strings of JavaScript have one encoding'),
  oov_method: only(['floormod'], 'unknown integers have the buckets of their remainders'),
  salt: only([null], 'buckets are those without a salt'),
  batch_input_shape: without('Keras 2: the shape of the data of adapt'),
}
const SPATIAL: Rows = { noise_shape: only([null], 'it follows from the axes') }
const COLOURS: Rows = {
  factor: {
    why: 'Keras makes [−x, x] of a number x, where only [0, x] is meant',
    read: (value) => ({
      factor: Array.isArray(value)
        ? value.map((each: Json) => (typeof each === 'number' ? Math.max(each, 0) : each))
        : value,
    }),
  },
}
const DEPTHWISE: Rows = { groups: without('Keras 2: it follows from the channels') }
const SEPARABLE: Rows = {
  ...DEPTHWISE,
  kernel_initializer: without('Keras 2: it has the depthwise and the pointwise one, which are used'),
  kernel_regularizer: without('Keras 2: it has the depthwise and the pointwise one, which are used'),
  kernel_constraint: without('Keras 2: it has the depthwise and the pointwise one, which are used'),
}
const TRANSPOSED: Rows = { groups: only([1], 'a transposed convolution has one group') }
const HEADS: Rows = {
  query_shape: without('Keras 2: it follows from the inputs'),
  key_shape: without('Keras 2: it follows from the inputs'),
  value_shape: without('Keras 2: it follows from the inputs'),
  flash_attention: without('attention has one implementation'),
}

const CLASSES: Readonly<Record<string, Rows>> = {
  InputLayer: {
    batch_shape: inputShape,
    batch_input_shape: inputShape,
    dtype: {
      why: 'inputs are float32, int32, bool or strings',
      read: (value) => ({ dtype: INPUT_DTYPES[dtypeName(value)] ?? 'float32' }),
    },
    ragged: only([false, null], 'there are no ragged tensors'),
    type_spec: only([null], 'a type of TensorFlow'),
  },
  LossScaleOptimizer: { dynamic: without('with false it is the loss_scale_factor of the inner optimizer') },
  SGD: {
    nesterov: ifUsed('nesterov', (config) => valueAt(config, 'momentum') !== 0, 'it has no effect without momentum'),
  },
  Nadam: {
    learning_rate: { why: 'decay is not of the rate', read: (value) => ({ learningRate: value }) },
    decay: without('before Keras 2.11: the decay of the momentum schedule, which is constant'),
  },
  SimpleRNN: RECURRENT,
  LSTM: RECURRENT,
  GRU: RECURRENT,
  RNN: RECURRENT,
  DepthwiseConv1D: DEPTHWISE,
  DepthwiseConv2D: DEPTHWISE,
  SeparableConv1D: SEPARABLE,
  SeparableConv2D: SEPARABLE,
  Conv1DTranspose: TRANSPOSED,
  Conv2DTranspose: TRANSPOSED,
  Conv3DTranspose: TRANSPOSED,
  ConvLSTM1D: RECURRENT,
  ConvLSTM2D: RECURRENT,
  ConvLSTM3D: RECURRENT,
  Embedding: { input_length: without('Keras 2: the length of a sequence follows from the input') },
  MultiHeadAttention: HEADS,
  GroupedQueryAttention: HEADS,
  LeakyReLU: { alpha: as('negativeSlope', 'its name in Keras 2') },
  ReLU: { theta: as('threshold', 'the ThresholdedReLU of Keras 2 is a ReLU with a threshold') },
  BatchNormalization: {
    axis: {
      why: 'Keras 2 has a list of one axis',
      read: (value) => ({ axis: Array.isArray(value) && value.length === 1 ? value[0]! : value }),
    },
    synchronized: { why: 'null is false', read: (value) => ({ synchronized: value ?? false }) },
    fused: without('it computes the same'),
    virtual_batch_size: only([null], 'statistics are those of the whole batch'),
    adjustment: only([null], 'it is a function of Python'),
  },
  LayerNormalization: {
    rms_scaling: only([false], 'use RMSNormalization, which divides by the root of the mean square'),
  },
  TextVectorization: LOOKUP,
  StringLookup: LOOKUP,
  IntegerLookup: LOOKUP,
  SpatialDropout1D: SPATIAL,
  SpatialDropout2D: SPATIAL,
  SpatialDropout3D: SPATIAL,
  RandomSaturation: COLOURS,
  RandomColorDegeneration: COLOURS,
  MeanMetricWrapper: {
    fn: {
      why: 'the function of a metric that has no class; it is null for those of the library',
      read: (value) => (value === null ? {} : { fn: value }),
    },
  },
  Lambda: {
    function_type: without('Keras 2: whether the function has a name'),
    module: without('Keras 2: where Python finds the function'),
    output_shape_type: without('Keras 2: whether the function has a name'),
    output_shape_module: without('Keras 2: where Python finds the function'),
    output_shape: {
      why: 'a function is Python; the shape is inferred',
      read: (value) => (Array.isArray(value) ? { outputShape: value } : {}),
    },
    mask: only([null], 'it is a function of Python'),
  },
}

/** Classes with another name here. */
export const RENAMED: Readonly<Record<string, string>> = {
  ThresholdedReLU: 'ReLU',
  // Keras 2.11 to 2.15.
  LossScaleOptimizerV3: 'LossScaleOptimizer',
  GroupQueryAttention: 'GroupedQueryAttention',
  // Initializers of Keras 3 before 3.5.
  OrthogonalInitializer: 'Orthogonal',
  IdentityInitializer: 'Identity',
}

/** The row of an option; null for one that is the same here. */
export function differenceOf(className: string, option: string): Difference | null {
  const rows = Object.hasOwn(CLASSES, className) ? CLASSES[className]! : {}
  if (Object.hasOwn(rows, option)) return rows[option]!
  return Object.hasOwn(ALL, option) ? ALL[option]! : null
}

/** Whether a value is a dtype policy, which configurations have in place of a name. */
export function isPolicy(value: Json): boolean {
  return isObject(value) && /DTypePolicy|Policy(?:Map)?$/.test(value.class_name)
}

/** The tokens of a vocabulary, one a line. */
export function tokensOf(className: string, bytes: Uint8Array): Json {
  const lines = utf8Text(bytes).split('\n')
  return className === 'IntegerLookup' ? lines.map(Number) : lines
}
