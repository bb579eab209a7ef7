// What is measured: the networks, their data and initial weights, and the operations timed on them.
// Not how it is measured (measure.mjs), nor in which library (adapters/).
import { random } from './random.mjs';

/**
 * @typedef {object} Network
 * @property {number} inputs
 * @property {{ units: number, activation: 'relu' | 'sigmoid' | 'softmax' }[]} layers
 * @property {'binaryCrossentropy' | 'sparseCategoricalCrossentropy'} loss
 * @property {Float32Array[]} weights  kernel [in, units], bias [units], kernel, bias, …: row-major
 */

/**
 * @typedef {object} Dataset
 * @property {number} rows
 * @property {Float32Array} x  [rows, inputs]
 * @property {Float32Array} y  [rows, 1]: 0 or 1 for binary, the class's index for sparse categorical
 */

/** @returns {Network} with Glorot-uniform kernels and zero biases */
export function network(inputs, layers, loss, seed) {
  const next = random(seed);
  const weights = [];
  let fanIn = inputs;
  for (const { units } of layers) {
    const limit = Math.sqrt(6 / (fanIn + units));
    weights.push(Float32Array.from({ length: fanIn * units }, () => (2 * next() - 1) * limit));
    weights.push(new Float32Array(units));
    fanIn = units;
  }
  return { inputs, layers, loss, weights };
}

/** @returns {Dataset} features in [-1, 1), the label decided by a random linear map of them */
export function dataset(rows, inputs, classes, seed) {
  const next = random(seed);
  const x = Float32Array.from({ length: rows * inputs }, () => 2 * next() - 1);
  const map = Float32Array.from({ length: inputs * classes }, () => 2 * next() - 1);
  const y = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = -Infinity;
    for (let c = 0; c < classes; c++) {
      let score = 0;
      for (let i = 0; i < inputs; i++) score += x[row * inputs + i] * map[i * classes + c];
      if (score > best) {
        best = score;
        y[row] = c;
      }
    }
  }
  return { rows, x, y };
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
};

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
};

// No training: 670,000 weights, of which one row uses every one once, so this is mostly about reading them.
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
};

/** Epochs of one timed `fit`: 256 rows / 32 × 100 = 800 steps, so that its fixed cost weighs little. */
export const FIT_EPOCHS = 100;

/**
 * @typedef {object} Case
 * @property {string} id
 * @property {'fit' | 'trainOnBatch' | 'predict'} operation  what is timed, and what is compared with the reference
 *   before: the loss after training, or the predictions of the initial weights
 * @property {string} title
 * @property {Network} network
 * @property {Dataset} data
 * @property {number} batchSize
 * @property {number} checkSteps  training steps before the loss is compared with the reference; 0: only libraries
 *   whose predictions can be compared take part
 * @property {number} unitsPerCall  the time of one call is divided by this
 * @property {(model: import('./adapters/interface.mjs').Model) => unknown} call
 */

/** @type {Case[]} */
export const cases = [
  {
    id: 'seed-fit',
    operation: 'fit',
    title: 'Training step inside `fit`: 8→10→8→1, batch 32',
    ...seed,
    checkSteps: 160,
    unitsPerCall: (FIT_EPOCHS * seed.data.rows) / seed.batchSize,
    call: (model) => model.fit(FIT_EPOCHS, true),
  },
  {
    id: 'seed-train-on-batch',
    operation: 'trainOnBatch',
    title: 'Training step as `trainOnBatch`: 8→10→8→1, batch 32',
    ...seed,
    checkSteps: 160,
    unitsPerCall: 1,
    call: (model) => model.trainOnBatch(0),
  },
  {
    id: 'mnist-train-on-batch',
    operation: 'trainOnBatch',
    title: 'Training step as `trainOnBatch`: 784→128→10, batch 128',
    ...mnistSize,
    checkSteps: 10,
    unitsPerCall: 1,
    call: (model) => model.trainOnBatch(0),
  },
  {
    id: 'seed-predict',
    operation: 'predict',
    title: 'Predict one row: 8→10→8→1',
    ...seed,
    checkSteps: 160,
    unitsPerCall: 1,
    call: (model) => model.predictRow(0),
  },
  {
    id: 'wide-predict',
    operation: 'predict',
    title: 'Predict one row: 784→512→512→10',
    ...wide,
    checkSteps: 0,
    unitsPerCall: 1,
    call: (model) => model.predictRow(0),
  },
];

/** The model whose first step ends a cold start. */
export const coldStartCase = cases[1];
