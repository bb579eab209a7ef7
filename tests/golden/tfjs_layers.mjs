// Writes tests/golden/tfjs/layers/: layers-models that TensorFlow.js 4.22 saved, with what they predict, and how their training continues.
//
//   TFJS=/tmp/tfjs node tests/golden/tfjs_layers.mjs        see tfjs.mjs

import { mkdirSync, writeFileSync } from 'node:fs'
import { loadModel, numbers, plain, saved, tf } from './tfjs.mjs'

const folder = new URL('tfjs/layers/', import.meta.url)
mkdirSync(folder, { recursive: true })
const l = tf.layers
const write = (name, content) => writeFileSync(new URL(name, folder), content)
const text = (value) => `${JSON.stringify(value)}\n`

/** Weights that do not depend on chance; those of variances are positive. */
function setWeights(model) {
  const tensors = model.getWeights().map(({ shape, size }, i) => {
    const isVariance = /moving_variance/.test(model.weights[i].originalName)
    return tf.tensor(
      numbers(size, i + 1, 0.5).map((x) => (isVariance ? x + 1 : x)),
      shape,
    )
  })
  model.setWeights(tensors)
}

async function store(name, model, inputs) {
  setWeights(model)
  await storeAs(name, await saved(model, `${name}.bin`), inputs)
}

/** Files with what they predict after they were loaded. */
async function storeAs(name, { json, bytes }, inputs, pieces = [[`${name}.bin`, bytes]]) {
  const model = await loadModel(json, bytes)
  const outputs = model.predict(inputs.length === 1 ? inputs[0] : inputs)
  write(`${name}.json`, text(json))
  for (const [path, piece] of pieces) write(path, piece)
  const y = Array.isArray(outputs) ? outputs.map(plain) : plain(outputs)
  write(`${name}.golden.json`, text({ x: inputs.map(plain), y }))
}

const data = (shape, seed = 1, scale = 1) =>
  tf.tensor(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
      scale,
    ),
    shape,
  )
const whole = (shape, most, seed = 1) =>
  tf.tensor(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ).map((x) => Math.floor(((x + 1) / 2) * (most - 0.01))),
    shape,
    'int32',
  )

/** A model of one input, with an output for each layer or chain of layers. */
function fan(shape, chains, dtype) {
  const x = tf.input({ shape, ...(dtype === undefined ? {} : { dtype }) })
  const outputs = chains.map((chain) => [chain].flat().reduce((y, layer) => layer.apply(y), x))
  return tf.model({ inputs: x, outputs })
}

const activations = [
  'elu',
  'gelu',
  'hardSigmoid',
  'linear',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
]

await store(
  'core',
  fan(
    [4],
    [
      ...activations.map((activation) => l.dense({ units: 3, activation })),
      l.dense({
        units: 2,
        useBias: false,
        kernelInitializer: 'heNormal',
        kernelRegularizer: 'l1l2',
        kernelConstraint: 'nonNeg',
      }),
      l.dense({
        units: 2,
        kernelInitializer: tf.initializers.randomUniform({ minval: -0.1, maxval: 0.1, seed: 3 }),
        biasInitializer: tf.initializers.constant({ value: 0.5 }),
        biasRegularizer: tf.regularizers.l2({ l2: 0.02 }),
        biasConstraint: tf.constraints.maxNorm({ maxValue: 2, axis: 0 }),
      }),
      l.dense({
        units: 2,
        kernelInitializer: tf.initializers.leCunNormal({}),
        kernelConstraint: tf.constraints.minMaxNorm({ minValue: 0.1, maxValue: 2, rate: 0.5, axis: 0 }),
        trainable: false,
      }),
      l.dense({
        units: 4,
        kernelInitializer: tf.initializers.orthogonal({ gain: 0.5 }),
        kernelConstraint: tf.constraints.unitNorm({ axis: 0 }),
      }),
      l.activation({ activation: 'tanh' }),
      l.reshape({ targetShape: [2, 2] }),
      [l.reshape({ targetShape: [2, 2] }), l.permute({ dims: [2, 1] }), l.flatten()],
      [l.repeatVector({ n: 3 }), l.masking({ maskValue: 0.5 })],
      l.dropout({ rate: 0.3, seed: 1 }),
      l.gaussianDropout({ rate: 0.3 }),
      l.gaussianNoise({ stddev: 0.3 }),
      l.alphaDropout({ rate: 0.3 }),
      [l.repeatVector({ n: 3 }), l.spatialDropout1d({ rate: 0.3 })],
      l.elu(),
      l.leakyReLU({ alpha: 0.2 }),
      l.prelu({}),
      l.reLU({ maxValue: 0.4 }),
      l.softmax({ axis: -1 }),
      l.thresholdedReLU({ theta: 0.3 }),
      [l.repeatVector({ n: 3 }), l.prelu({ sharedAxes: [1] })],
    ],
  ),
  [data([3, 4])],
)

await store(
  'convolutions',
  fan(
    [6, 6, 2],
    [
      l.conv2d({ filters: 2, kernelSize: 3 }),
      l.conv2d({ filters: 2, kernelSize: [2, 3], strides: 2, padding: 'same', activation: 'relu', useBias: false }),
      l.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2 }),
      l.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2 }),
      l.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, padding: 'same', activation: 'tanh' }),
      l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
      l.separableConv2d({ filters: 3, kernelSize: 2 }),
      l.cropping2D({
        cropping: [
          [1, 0],
          [2, 1],
        ],
      }),
      l.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
      l.upSampling2d({ size: [2, 3] }),
      [
        l.reshape({ targetShape: [36, 2] }),
        l.conv1d({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'elu' }),
      ],
      [l.reshape({ targetShape: [36, 2] }), l.conv1d({ filters: 2, kernelSize: 3, dilationRate: 3 })],
      [l.reshape({ targetShape: [3, 4, 3, 2] }), l.conv3d({ filters: 2, kernelSize: 2, padding: 'same' })],
      [l.reshape({ targetShape: [3, 4, 3, 2] }), l.conv3dTranspose({ filters: 1, kernelSize: 2, strides: 2 })],
    ],
  ),
  [data([2, 6, 6, 2])],
)

await store(
  'pooling',
  fan(
    [6, 6, 2],
    [
      l.maxPooling2d({ poolSize: 2 }),
      l.maxPooling2d({ poolSize: [3, 2], strides: 1, padding: 'same' }),
      l.averagePooling2d({ poolSize: 2, padding: 'same', strides: [1, 2] }),
      l.globalAveragePooling2d({}),
      l.globalMaxPooling2d({}),
      [l.reshape({ targetShape: [36, 2] }), l.maxPooling1d({ poolSize: 3 })],
      [l.reshape({ targetShape: [36, 2] }), l.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' })],
      [l.reshape({ targetShape: [36, 2] }), l.globalAveragePooling1d({})],
      [l.reshape({ targetShape: [36, 2] }), l.globalMaxPooling1d({})],
      [l.reshape({ targetShape: [3, 4, 3, 2] }), l.maxPooling3d({ poolSize: 2 })],
      [l.reshape({ targetShape: [3, 4, 3, 2] }), l.averagePooling3d({ poolSize: [1, 2, 3] })],
    ],
  ),
  [data([2, 6, 6, 2])],
)

await store(
  'normalization',
  fan(
    [3, 4],
    [
      l.batchNormalization({}),
      l.batchNormalization({ axis: 2, momentum: 0.8, epsilon: 0.01, center: false }),
      l.batchNormalization({ scale: false, trainable: false }),
      l.layerNormalization({}),
      l.layerNormalization({ axis: [1, 2], epsilon: 0.1, scale: false }),
    ],
  ),
  [data([2, 3, 4])],
)

const cells = () => [l.lstmCell({ units: 2 }), l.gruCell({ units: 3 }), l.simpleRNNCell({ units: 2 })]
await store(
  'recurrent',
  fan(
    [4, 3],
    [
      l.simpleRNN({ units: 2 }),
      l.simpleRNN({ units: 2, returnSequences: true, goBackwards: true, activation: 'relu', useBias: false }),
      l.gru({ units: 2 }),
      l.gru({ units: 2, returnSequences: true, recurrentActivation: 'sigmoid' }),
      l.lstm({ units: 2 }),
      l.lstm({ units: 2, returnSequences: true, recurrentActivation: 'sigmoid', unitForgetBias: false, dropout: 0.2 }),
      l.rnn({ cell: l.lstmCell({ units: 2 }) }),
      l.rnn({ cell: cells(), returnSequences: true }),
      ...['concat', 'sum', 'mul', 'ave'].map((mergeMode) =>
        l.bidirectional({ layer: l.lstm({ units: 2, returnSequences: mergeMode !== 'sum' }), mergeMode }),
      ),
      l.bidirectional({ layer: l.gru({ units: 2, goBackwards: false, name: 'inner' }), name: 'outer' }),
      l.timeDistributed({ layer: l.dense({ units: 2, activation: 'tanh' }) }),
      [l.reshape({ targetShape: [2, 2, 3, 1] }), l.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same' })],
      [
        l.reshape({ targetShape: [2, 2, 3, 1] }),
        l.convLstm2d({ filters: 1, kernelSize: 1, returnSequences: true, recurrentActivation: 'sigmoid' }),
      ],
    ],
  ),
  [data([2, 4, 3])],
)

{
  const x = tf.input({ shape: [4, 3] })
  const [, h, c] = l.lstm({ units: 2, returnState: true }).apply(x)
  const z = tf.input({ shape: [5, 1] })
  const decoded = l.lstm({ units: 2, returnSequences: true }).apply(z, { initialState: [h, c] })
  await store('states', tf.model({ inputs: [x, z], outputs: [decoded, h] }), [data([2, 4, 3]), data([2, 5, 1], 2)])
}

{
  const [x, y] = [tf.input({ shape: [4], name: 'left' }), tf.input({ shape: [4], name: 'right' })]
  const outputs = [
    l.add(),
    l.average(),
    l.concatenate({}),
    l.maximum(),
    l.minimum(),
    l.multiply(),
    l.dot({ axes: 1 }),
    l.dot({ axes: -1, normalize: true }),
  ].map((layer) => layer.apply([x, y]))
  outputs.push(l.concatenate({ axis: 1 }).apply([x, y, x]))
  await store('merging', tf.model({ inputs: [x, y], outputs, name: 'merging' }), [data([3, 4]), data([3, 4], 2)])
}

{
  const x = tf.input({ shape: [5], dtype: 'int32' })
  const embedded = l
    .embedding({ inputDim: 6, outputDim: 3, maskZero: true, embeddingsInitializer: 'randomNormal' })
    .apply(x)
  await store(
    'embedding',
    tf.model({
      inputs: x,
      outputs: [
        embedded,
        l.lstm({ units: 2 }).apply(embedded),
        l.gru({ units: 2, returnSequences: true }).apply(embedded),
      ],
    }),
    [whole([3, 5], 6)],
  )
}

{
  // A model within a model, called twice; a Sequential in it, that begins without an InputLayer.
  const inner = tf.sequential({
    name: 'inner',
    layers: [
      l.dense({ units: 3, activation: 'tanh', inputShape: [4], name: 'first' }),
      l.batchNormalization({ name: 'norm' }),
    ],
  })
  const [a, b] = [tf.input({ shape: [3] }), tf.input({ shape: [3] })]
  const shared = l.dense({ units: 2, name: 'shared' })
  const pair = tf.model({
    inputs: [a, b],
    outputs: [l.add().apply([shared.apply(a), shared.apply(b)]), shared.apply(b)],
    name: 'pair',
  })
  const [x, y] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })]
  const [sum, other] = pair.apply([inner.apply(x), inner.apply(y)])
  const deep = tf.sequential({
    name: 'deep',
    layers: [
      tf.sequential({ name: 'deeper', layers: [l.dense({ units: 2, inputShape: [2], name: 'deepest' })] }),
      l.activation({ activation: 'relu' }),
    ],
  })
  const outputs = [l.concatenate().apply([deep.apply(sum), other]), inner.apply(y)]
  await store('nested', tf.model({ inputs: [x, y], outputs, name: 'whole' }), [data([3, 4]), data([3, 4], 2)])
}

await store(
  'images',
  tf.sequential({
    layers: [l.rescaling({ scale: 1 / 127.5, offset: -1, inputShape: [6, 5, 2] })],
  }),
  [data([2, 6, 5, 2], 1, 127)],
)
// Quantized weights, and files that end within elements.
{
  const model = tf.sequential({
    name: 'small',
    layers: [
      l.dense({ units: 8, inputShape: [4], activation: 'tanh', name: 'one' }),
      l.dense({ units: 3, name: 'two' }),
    ],
  })
  setWeights(model)
  const { json, bytes } = await saved(model, 'shards.bin')
  const input = [data([3, 4])]
  for (const dtype of ['uint8', 'uint16', 'float16']) {
    const floats = new Float32Array(bytes.buffer)
    const [{ weights }] = json.weightsManifest
    let at = 0
    const parts = []
    const specs = weights.map((spec) => {
      const values = floats.slice(at, (at += tf.util.sizeFromShape(spec.shape)))
      if (dtype === 'float16') {
        parts.push(new Uint8Array(Uint16Array.from(values, half).buffer))
        return { ...spec, quantization: { dtype, original_dtype: 'float32' } }
      }
      const [min, max] = [Math.min(...values), Math.max(...values)]
      const scale = (max - min) / (dtype === 'uint8' ? 255 : 65535)
      const q = (dtype === 'uint8' ? Uint8Array : Uint16Array).from(values, (x) => Math.round((x - min) / scale))
      parts.push(new Uint8Array(q.buffer))
      return { ...spec, quantization: { dtype, min, scale, original_dtype: 'float32' } }
    })
    const path = `${dtype}.bin`
    await storeAs(
      dtype,
      {
        json: { ...json, weightsManifest: [{ paths: [path], weights: specs }] },
        bytes: Uint8Array.from(parts.flatMap((part) => [...part])),
      },
      input,
      [[path, Buffer.concat(parts)]],
    )
  }
  const ends = [0, 13, 14, 101, bytes.length]
  const pieces = ends.slice(1).map((end, i) => [`shards-${i + 1}of4.bin`, bytes.subarray(ends[i], end)])
  await storeAs(
    'shards',
    {
      json: { ...json, weightsManifest: [{ ...json.weightsManifest[0], paths: pieces.map(([path]) => path) }] },
      bytes,
    },
    input,
    pieces,
  )
}

/** The bits of a float16, of numbers that are not very small. */
function half(x) {
  const word = new Uint32Array(new Float32Array([x]).buffer)[0]
  const exponent = ((word >> 23) & 255) - 112
  if (exponent <= 0) return (word >> 16) & 0x8000
  return ((word >> 16) & 0x8000) | (((exponent << 10) | ((word >> 13) & 1023)) + ((word >> 12) & 1))
}

// Training: three epochs after two that the file has behind it.
const [x, y] = [
  data([12, 4]),
  tf.tensor(Array.from({ length: 12 }, (_, row) => [0, 1, 2].map((i) => Number(i === (row * 5) % 3)))),
]
const optimizers = {
  sgd: tf.train.sgd(0.05),
  momentum: tf.train.momentum(0.05, 0.9),
  nesterov: tf.train.momentum(0.05, 0.8, true),
  rmsprop: tf.train.rmsprop(0.01),
  'rmsprop-momentum': tf.train.rmsprop(0.01, 0.8, 0.5, 1e-6),
  adam: tf.train.adam(0.01),
  adagrad: tf.train.adagrad(0.1),
}
mkdirSync(new URL('training/', folder), { recursive: true })
for (const [name, optimizer] of Object.entries(optimizers)) {
  const model = tf.sequential({
    name: 'trained',
    layers: [
      l.dense({
        units: 5,
        inputShape: [4],
        activation: 'tanh',
        name: 'first',
        kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }),
      }),
      l.batchNormalization({ name: 'norm' }),
      l.dense({ units: 4, name: 'frozen', trainable: false }),
      l.dense({ units: 3, activation: 'softmax', name: 'last' }),
    ],
  })
  setWeights(model)
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const options = { batchSize: 4, shuffle: false, verbose: 0 }
  await model.fit(x, y, { ...options, epochs: 2 })
  const { json, bytes } = await saved(model, `${name}.bin`, true)
  write(`training/${name}.json`, text(json))
  write(`training/${name}.bin`, bytes)
  const { history } = await model.fit(x, y, { ...options, epochs: 3 })
  write(
    `training/${name}.golden.json`,
    text({
      x: plain(x),
      y: plain(y),
      history,
      weights: model.getWeights().map((each, i) => ({ name: model.weights[i].originalName, ...plain(each) })),
    }),
  )
}
