// The cases: the networks, their data and initial weights, and the operations timed on them. measure.mjs times them,
// and adapters/ connect the libraries.
import { dataset, network, seed } from './dense.mjs'
import { networks, prepared } from './networks.mjs'

/** @typedef {import('./dense.mjs').Network} Network */
/** @typedef {import('./dense.mjs').Dataset} Dataset */

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
