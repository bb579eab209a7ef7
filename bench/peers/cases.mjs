// The cases: the networks, their data and initial weights, and the operations timed on them. measure.mjs times them,
// and adapters/ connect the libraries.
import { networks, prepared } from './networks.mjs'
import { random } from './random.mjs'

/**
 * @typedef {object} Network  what adapters build from; see networks.mjs for the layers
 * @property {number[]} inputShape  without the batch
 * @property {number} [tokens]  the inputs are integers below this
 * @property {PreparedLayer[]} layers
 * @property {'binaryCrossentropy' | 'sparseCategoricalCrossentropy' | 'mse'} loss
 * @property {number[]} outputShape  without the batch
 *
 * @typedef {{ layer: string, inputShape: number[], outputShape: number[], weights: { shape: number[], data: Float32Array }[],
 *   layers?: PreparedLayer[] } & Record<string, any>} PreparedLayer  weights are row-major, in Keras's order
 */

/**
 * @typedef {object} Dataset
 * @property {number} rows
 * @property {Float32Array | Int32Array} x  [rows, ...inputShape]
 * @property {Float32Array | Int32Array} y  [rows, ...targetShape]: 0 or 1 for binary, the class's index for sparse
 *   categorical, else numbers
 * @property {number[]} targetShape
 */

/** Dense layers. @returns {Network} with Glorot-uniform kernels and zero biases */
export function network(inputs, layers, loss, seed) {
  const next = random(seed)
  let fanIn = inputs
  const prepared = layers.map(({ units, activation }) => {
    const limit = Math.sqrt(6 / (fanIn + units))
    const kernel = {
      shape: [fanIn, units],
      data: Float32Array.from({ length: fanIn * units }, () => (2 * next() - 1) * limit),
    }
    const layer = {
      layer: 'Dense',
      units,
      activation,
      inputShape: [fanIn],
      outputShape: [units],
      weights: [kernel, { shape: [units], data: new Float32Array(units) }],
    }
    fanIn = units
    return layer
  })
  return { inputShape: [inputs], layers: prepared, loss, outputShape: [fanIn] }
}

/** @returns {Dataset} features in [-1, 1), the label decided by a random linear map of them */
export function dataset(rows, inputs, classes, seed) {
  const next = random(seed)
  const x = Float32Array.from({ length: rows * inputs }, () => 2 * next() - 1)
  const map = Float32Array.from({ length: inputs * classes }, () => 2 * next() - 1)
  const y = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let best = -Infinity
    for (let c = 0; c < classes; c++) {
      let score = 0
      for (let i = 0; i < inputs; i++) score += x[row * inputs + i] * map[i * classes + c]
      if (score > best) {
        best = score
        y[row] = c
      }
    }
  }
  return { rows, x, y, targetShape: [1] }
}

/** Some of the rows. @returns {Dataset} */
export function rowsOf({ rows, x, y, targetShape }, first, count) {
  const part = (values) => values.slice((first * values.length) / rows, ((first + count) * values.length) / rows)
  return { rows: count, x: part(x), y: part(y), targetShape }
}

const seed = {
  batchSize: 32,
  network: network(
    8,
    [
      { units: 10, activation: 'relu' },
      { units: 8, activation: 'relu' },
      { units: 1, activation: 'sigmoid' },
    ],
    'binaryCrossentropy',
    1,
  ),
  data: dataset(256, 8, 2, 2),
}

const mnistSize = {
  batchSize: 128,
  network: network(
    784,
    [
      { units: 128, activation: 'relu' },
      { units: 10, activation: 'softmax' },
    ],
    'sparseCategoricalCrossentropy',
    3,
  ),
  data: dataset(128, 784, 10, 4),
}

// No training: 670,000 weights, each of which a row uses once, so this is mostly about reading them.
const wide = {
  batchSize: 1,
  network: network(
    784,
    [
      { units: 512, activation: 'relu' },
      { units: 512, activation: 'relu' },
      { units: 10, activation: 'softmax' },
    ],
    'sparseCategoricalCrossentropy',
    5,
  ),
  data: dataset(16, 784, 10, 6),
}

/** Epochs of one timed `fit`: 256 rows / 32 × 100 = 800 steps, so that its fixed cost matters little. */
export const FIT_EPOCHS = 100

/** Training steps before the losses of layers are compared. */
export const LAYER_STEPS = 3

/**
 * @typedef {object} Case
 * @property {string} id
 * @property {'dense' | 'layers'} group  its table
 * @property {string} [name]  for a narrow table
 * @property {'fit' | 'trainOnBatch' | 'predict'} operation  what is timed and, before that, compared with the
 *   reference: the loss after training, or the predictions of the initial weights
 * @property {string} title
 * @property {Network} network
 * @property {Dataset} data
 * @property {number} batchSize
 * @property {number} checkSteps  training steps before the loss is compared with the reference; 0: only libraries
 * only libraries
 * @property {string} [reference]  the key in references.json: the results of Keras, for networks that reference.mjs
 *   does not support
 * @property {number} unitsPerCall  the time of one call is divided by this
 * @property {(model: import('./adapters/interface.mjs').Model) => unknown} call
 */

/** @type {Case[]} */
export const cases = [
  {
    id: 'seed-fit',
    group: 'dense',
    operation: 'fit',
    title: 'Training step inside `fit`: 8→10→8→1, batch 32',
    ...seed,
    checkSteps: 160,
    unitsPerCall: (FIT_EPOCHS * seed.data.rows) / seed.batchSize,
    call: (model) => model.fit(FIT_EPOCHS, true),
  },
  {
    id: 'seed-train-on-batch',
    group: 'dense',
    operation: 'trainOnBatch',
    title: 'Training step as `trainOnBatch`: 8→10→8→1, batch 32',
    ...seed,
    checkSteps: 160,
    unitsPerCall: 1,
    call: (model) => model.trainOnBatch(0),
  },
  {
    id: 'mnist-train-on-batch',
    group: 'dense',
    operation: 'trainOnBatch',
    title: 'Training step as `trainOnBatch`: 784→128→10, batch 128',
    ...mnistSize,
    checkSteps: 10,
    unitsPerCall: 1,
    call: (model) => model.trainOnBatch(0),
  },
  {
    id: 'seed-predict',
    group: 'dense',
    operation: 'predict',
    title: 'Predict one row: 8→10→8→1',
    ...seed,
    checkSteps: 160,
    unitsPerCall: 1,
    call: (model) => model.predictRow(0),
  },
  {
    id: 'wide-predict',
    group: 'dense',
    operation: 'predict',
    title: 'Predict one row: 784→512→512→10',
    ...wide,
    checkSteps: 0,
    unitsPerCall: 1,
    call: (model) => model.predictRow(0),
  },
  ...Object.keys(networks).flatMap((reference) => {
    const { network: prepare, data } = prepared(reference)
    const { name, title, batchSize } = networks[reference]
    const shared = {
      group: 'layers',
      network: prepare,
      data,
      batchSize,
      reference,
      checkSteps: LAYER_STEPS,
      unitsPerCall: 1,
    }
    return [
      {
        id: `${reference}-train`,
        name: `${name}: training step`,
        title: `Training step: ${title}; batch ${batchSize}`,
        operation: 'trainOnBatch',
        ...shared,
        call: (model) => model.trainOnBatch(0),
      },
      {
        id: `${reference}-predict`,
        name: `${name}: predict one`,
        title: `Predict one sample: ${title}`,
        operation: 'predict',
        ...shared,
        call: (model) => model.predictRow(0),
      },
    ]
  }),
]

/** The model whose first step ends a cold start. */
export const coldStartCase = cases[1]
