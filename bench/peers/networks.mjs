// The networks of vision and language, as data: lists of layers from which every adapter, and bench/layers.mjs, build
// the same model. Options are Keras's; layers that Keras does not have in this form:
//
//   { layer: 'Residual', layers }                      x + layers(x)
//   { layer: 'PositionEmbedding', sequenceLength }     x + a weight [sequenceLength, features]
//   { layer: 'MultiHeadAttention', isCausal, … }       of x with itself
//   { layer: 'BidirectionalLSTM', units }              forwards and backwards, side by side
import { random } from './random.mjs'

/**
 * @typedef {{ layer: string, layers?: Layer[] } & Record<string, any>} Layer
 *
 * @typedef {object} Network
 * @property {string} name   for a narrow table
 * @property {string} title
 * @property {number[]} inputShape  without the batch
 * @property {number} [tokens]  the inputs are integers below this
 * @property {Layer[]} layers
 * @property {'mse' | 'sparseCategoricalCrossentropy'} loss
 * @property {number} batchSize
 * @property {number} mflop  of the products of a training step: forwards, and backwards except for the gradient of the
 *   input
 */

export const conv = (filters, options) => ({ layer: 'Conv2D', filters, kernelSize: 3, ...options })
const relu = { layer: 'Activation', activation: 'relu' }
export const normalized = (layer) => [layer, { layer: 'BatchNormalization' }, relu]
export const bare = { padding: 'same', useBias: false }
export const pool = { layer: 'MaxPooling2D' }
export const dense = (units, activation) => ({ layer: 'Dense', units, ...(activation && { activation }) })
const norm = { layer: 'LayerNormalization' }
const residual = (...layers) => ({ layer: 'Residual', layers })
const attention = (features, isCausal) => ({ layer: 'MultiHeadAttention', numHeads: 4, keyDim: features / 4, isCausal })
const feedForward = (hidden, features) => [dense(hidden, 'gelu'), dense(features)]
/** x + attention(norm x), then x + feed-forward(norm x): Radford et al. 2019 */
const gptBlock = (features) => [
  residual(norm, attention(features, true)),
  residual(norm, ...feedForward(4 * features, features)),
]

/** A model of the next token. */
export const gptLayers = ({ blocks, tokens, steps, features }) => [
  { layer: 'Embedding', inputDim: tokens, outputDim: features },
  { layer: 'PositionEmbedding', sequenceLength: steps },
  ...Array.from({ length: blocks }, () => gptBlock(features)).flat(),
  norm,
  dense(tokens, 'softmax'),
]

/** relu(x + the layers of x), with two convolutions: He et al. 2016 */
export const residualBlock = (filters) => [
  residual(...normalized(conv(filters, bare)), ...normalized(conv(filters, bare)).slice(0, 2)),
  relu,
]

const classes = { loss: 'sparseCategoricalCrossentropy', batchSize: 32 }
const sequence = { inputShape: [32, 16], loss: 'mse', batchSize: 32 }

/** @type {Record<string, Network>} */
export const networks = {
  cnn: {
    name: 'Small CNN',
    title: 'Convolutions: 28×28×1, conv 8, pool, conv 16, pool, dense 10',
    inputShape: [28, 28, 1],
    layers: [
      conv(8, { activation: 'relu' }),
      pool,
      conv(16, { activation: 'relu' }),
      pool,
      { layer: 'Flatten' },
      dense(10, 'softmax'),
    ],
    ...classes,
    mflop: 33.8,
  },
  cnnbn: {
    name: 'CNN with batch normalisation',
    title: 'Convolutions with batch normalisation: 32×32×3, 2 × conv 32, pool, 2 × conv 64, pool, average, dense 10',
    inputShape: [32, 32, 3],
    layers: [
      ...[32, 64].flatMap((filters) => [...normalized(conv(filters, bare)), ...normalized(conv(filters, bare)), pool]),
      { layer: 'GlobalAveragePooling2D' },
      dense(10, 'softmax'),
    ],
    ...classes,
    mflop: 4643,
  },
  dwsep: {
    name: 'Depthwise-separable block',
    title: 'Depthwise-separable block: 32×32×32, depthwise 3×3, 64 of 1×1, average, dense 10',
    inputShape: [32, 32, 32],
    layers: [
      ...normalized({ layer: 'DepthwiseConv2D', kernelSize: 3, ...bare }),
      ...normalized(conv(64, { ...bare, kernelSize: 1 })),
      { layer: 'GlobalAveragePooling2D' },
      dense(10, 'softmax'),
    ],
    ...classes,
    batchSize: 16,
    mflop: 220,
  },
  lstm: {
    name: 'LSTM',
    title: 'LSTM(64), 32 steps of 16, dense 1',
    layers: [{ layer: 'LSTM', units: 64 }, dense(1)],
    ...sequence,
    mflop: 118,
  },
  gru: {
    name: 'GRU',
    title: 'GRU(64), the same',
    layers: [{ layer: 'GRU', units: 64 }, dense(1)],
    ...sequence,
    mflop: 88,
  },
  bilstm: {
    name: 'Bidirectional LSTM',
    title: 'Bidirectional LSTM(64), the same',
    layers: [{ layer: 'BidirectionalLSTM', units: 64 }, dense(1)],
    ...sequence,
    mflop: 235,
  },
  charlstm: {
    name: 'LSTM over characters',
    title: 'LSTM(128) over 64 characters of 64, dense 64 at each',
    inputShape: [64, 64],
    layers: [{ layer: 'LSTM', units: 128, returnSequences: true }, dense(64, 'softmax')],
    ...classes,
    mflop: 1174,
  },
  encoder: {
    name: 'Transformer block',
    title: 'Transformer block: 64 steps of 128, 4 heads, 512 between',
    inputShape: [64, 128],
    // norm(x + attention x), then norm(x + feed-forward x): Vaswani et al. 2017
    layers: [residual(attention(128, false)), norm, residual(...feedForward(512, 128)), norm],
    loss: 'mse',
    batchSize: 16,
    mflop: 1208,
  },
  gpt: {
    name: 'GPT',
    title: 'GPT, 2 blocks: 32 steps of 64, 4 heads, 256 between, 65 tokens',
    inputShape: [32],
    tokens: 65,
    layers: gptLayers({ blocks: 2, tokens: 65, steps: 32, features: 64 }),
    ...classes,
    mflop: 680,
  },
  embed: {
    name: 'Embedding, average',
    title: 'Embedding(10,000, 32) of 64 tokens, average, dense 1',
    inputShape: [64],
    tokens: 10_000,
    layers: [{ layer: 'Embedding', inputDim: 10_000, outputDim: 32 }, { layer: 'GlobalAveragePooling1D' }, dense(1)],
    loss: 'mse',
    batchSize: 32,
    mflop: 0,
  },
}

const places = (size, { kernelSize, padding }) => (padding === 'same' ? size : size - kernelSize + 1)
const last = (shape) => shape.at(-1)
const scaleAndShift = (shape) => [[last(shape)], [last(shape)]]
const sequenceOrLast = ({ units, returnSequences }, [steps]) => (returnSequences ? [steps, units] : [units])
const lstmWeights = ({ units }, shape) => [[last(shape), 4 * units], [units, 4 * units], [4 * units]]

/**
 * For each kind of layer, the shapes of its weights in Keras's order, and of its output: both from its options and the
 * input's shape without the batch.
 */
const kinds = {
  Activation: {},
  BatchNormalization: { weights: (_, shape) => [...scaleAndShift(shape), ...scaleAndShift(shape)] },
  BidirectionalLSTM: {
    weights: (layer, shape) => [...lstmWeights(layer, shape), ...lstmWeights(layer, shape)],
    output: ({ units }) => [2 * units],
  },
  Conv2D: {
    weights: ({ filters, kernelSize: k, useBias = true }, shape) => [
      [k, k, last(shape), filters],
      ...(useBias ? [[filters]] : []),
    ],
    output: (layer, [height, width]) => [places(height, layer), places(width, layer), layer.filters],
  },
  Dense: {
    weights: ({ units }, shape) => [[last(shape), units], [units]],
    output: ({ units }, shape) => [...shape.slice(0, -1), units],
  },
  DepthwiseConv2D: {
    weights: ({ kernelSize: k }, shape) => [[k, k, last(shape), 1]],
    output: (layer, [height, width, channels]) => [places(height, layer), places(width, layer), channels],
  },
  Embedding: {
    weights: ({ inputDim, outputDim }) => [[inputDim, outputDim]],
    output: ({ outputDim }, shape) => [...shape, outputDim],
  },
  Flatten: { output: (_, shape) => [shape.reduce((a, b) => a * b)] },
  GlobalAveragePooling1D: { output: (_, shape) => [last(shape)] },
  GlobalAveragePooling2D: { output: (_, shape) => [last(shape)] },
  GRU: {
    weights: ({ units }, shape) => [
      [last(shape), 3 * units],
      [units, 3 * units],
      [2, 3 * units],
    ],
    output: sequenceOrLast,
  },
  LayerNormalization: { weights: (_, shape) => scaleAndShift(shape) },
  LSTM: {
    weights: lstmWeights,
    output: sequenceOrLast,
  },
  MaxPooling2D: { output: (_, [height, width, channels]) => [height >> 1, width >> 1, channels] },
  MultiHeadAttention: {
    weights: ({ numHeads: h, keyDim: k }, shape) => [
      ...[0, 1, 2].flatMap(() => [
        [last(shape), h, k],
        [h, k],
      ]),
      [h, k, last(shape)],
      [last(shape)],
    ],
  },
  PositionEmbedding: { weights: ({ sequenceLength }, shape) => [[sequenceLength, last(shape)]] },
}

/**
 * The list with the input and output shapes of each layer, and its weights, all of them deterministic.
 * @returns {{ layers: Layer[], outputShape: number[] }} layers with `inputShape`, `outputShape` and `weights`
 */
function withWeights(layers, inputShape, next) {
  let shape = inputShape
  const made = layers.map((layer) => {
    if (layer.layer === 'Residual')
      return { ...layer, inputShape: shape, outputShape: shape, layers: withWeights(layer.layers, shape, next).layers }
    const { weights = () => [], output = (_, same) => same } = kinds[layer.layer]
    const before = shape
    shape = output(layer, before)
    return {
      ...layer,
      inputShape: before,
      outputShape: shape,
      weights: weights(layer, before).map((dims, k) => ({ shape: dims, data: content(layer, dims, k, next) })),
    }
  })
  return { layers: made, outputShape: shape }
}

/** No weight is zero, so that a misplaced bias is detected; kernels are Glorot-uniform. */
function content({ layer }, dims, k, next) {
  const size = dims.reduce((a, b) => a * b)
  const isNorm = layer.endsWith('Normalization')
  const isFlat = dims.length === 1 || dims[0] === 2
  // gamma, and the moving variance
  const centre = isNorm && (k === 0 || k === 3) ? 1 : 0
  const columns = isFlat ? 0 : layer === 'DepthwiseConv2D' ? 1 : size / fanIn(layer, dims, k)
  const limit = isFlat ? 0.1 : Math.sqrt(6 / (size / Math.max(columns, 1) + columns))
  return Float32Array.from({ length: size }, () => centre + (2 * next() - 1) * limit)
}

/** The number of inputs that contribute to one output. */
function fanIn(layer, dims, k) {
  if (layer === 'MultiHeadAttention') return k === 6 ? dims[0] * dims[1] : dims[0]
  return dims.slice(0, -1).reduce((a, b) => a * b, 1)
}

/**
 * One batch with its targets: targetShape for each sample. @returns {{ rows: number, x: Float32Array | Int32Array, y:
 * Float32Array | Int32Array }}
 */
function batchOf({ inputShape, tokens, loss, batchSize, layers }, outputShape, next) {
  const sizeOf = (shape) => batchSize * shape.reduce((a, b) => a * b, 1)
  const length = sizeOf(inputShape)
  const x =
    tokens === undefined
      ? layers[0].returnSequences
        ? oneHot(length, last(inputShape), next)
        : Float32Array.from({ length }, () => 2 * next() - 1)
      : Int32Array.from({ length }, () => Math.floor(next() * tokens))
  const isClass = loss === 'sparseCategoricalCrossentropy'
  // The class of a whole sample is [batch, 1].
  const targetShape = isClass ? (outputShape.length === 1 ? [1] : outputShape.slice(0, -1)) : outputShape
  const target = { length: sizeOf(targetShape) }
  const y = isClass
    ? Int32Array.from(target, () => Math.floor(next() * last(outputShape)))
    : Float32Array.from(target, () => 2 * next() - 1)
  return { rows: batchSize, x, y, targetShape }
}

function oneHot(length, depth, next) {
  const rows = new Float32Array(length)
  for (let at = 0; at < length; at += depth) rows[at + Math.floor(next() * depth)] = 1
  return rows
}

/** Whether a network has a layer of one of these kinds. */
export function uses({ layers }, names) {
  return layers.some((layer) => names.includes(layer.layer) || (layer.layers !== undefined && uses(layer, names)))
}

/** A network with its weights and one batch: the same numbers in every run and for every library. */
export function prepared(id) {
  return preparedFrom(networks[id], 1 + Object.keys(networks).indexOf(id))
}

/** The same for any network, with a seed. */
export function preparedFrom(network, seed) {
  const next = random(seed)
  const { layers, outputShape } = withWeights(network.layers, network.inputShape, next)
  return { network: { ...network, layers, outputShape }, data: batchOf(network, outputShape, next) }
}
