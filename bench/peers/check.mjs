// Decides whether a library may be timed: does it compute what reference.mjs computes? For training that is the loss
// after some steps, for predictions the predictions.
import { meanLoss, predict, train } from './reference.mjs';

/** Largest difference allowed between a library's loss and the reference's after `checkSteps` steps. */
export const TOLERANCE = 1e-3;

/** Largest difference allowed between a predicted probability and the reference's. */
export const PREDICTION_TOLERANCE = 1e-5;

/** A library whose loss may differ must still learn: within this many passes over the same steps. */
const PASSES_TO_LEARN = 10;

const references = new Map();

function reference(testCase) {
  if (!references.has(testCase.network)) {
    const { network, data, batchSize, checkSteps } = testCase;
    const before = meanLoss(network, data, predict(network, data));
    const after = meanLoss(network, data, predict(train(network, data, batchSize, checkSteps), data));
    // Otherwise a library that does nothing would pass.
    if (before - after < 20 * TOLERANCE) {
      throw new Error(`case "${testCase.id}": ${checkSteps} steps change the loss by ${before - after} only: too little to check`);
    }
    const first = { ...data, rows: batchSize };
    const firstBatch = meanLoss(network, first, predict(network, first));
    references.set(testCase.network, { before, after, firstBatch });
  }
  return references.get(testCase.network);
}

const predictions = new Map();

/** All rows at once and one by one. @returns {Promise<{ largest: number }>} the largest difference */
async function checkPredictions(adapter, { network, data, batchSize, id }) {
  if (!predictions.has(network)) predictions.set(network, predict(network, data));
  const expected = predictions.get(network);
  const outputs = network.layers.at(-1).units;
  const model = await adapter.build(network, data, batchSize);
  const all = Array.from(await model.predictAll());
  if (all.length !== expected.length) throw new Error(`${adapter.title}, case "${id}": expected ${expected.length} outputs, received ${all.length}`);
  let largest = 0;
  const compare = (actual, index, what) => {
    const difference = Math.abs(actual - expected[index]);
    largest = Math.max(largest, difference);
    if (!(difference <= PREDICTION_TOLERANCE)) {
      throw new Error(`${adapter.title}, case "${id}": output ${index} ${what} must be ${expected[index]}, received ${actual}`);
    }
  };
  all.forEach((actual, index) => compare(actual, index, 'of all rows'));
  for (let row = 0; row < data.rows; row++) compare(await model.predictRow(row), row * outputs, 'of a row alone');
  await model.dispose();
  return { largest };
}

/**
 * Predictions are compared one by one. Training goes through `trainOnBatch` and, where the case times `fit`, through `fit` as well.
 * @returns {Promise<{ largest: number } | { before: number, after: number, reference: number, difference: number | null }>}
 */
export async function check(adapter, testCase) {
  if (testCase.operation === 'predict' && adapter.comparable) return checkPredictions(adapter, testCase);
  const { network, data, batchSize, checkSteps, id } = testCase;
  const expected = reference(testCase);
  const batches = data.rows / batchSize;
  const loss = async (model) => {
    const probabilities = Array.from(await model.predictAll());
    const outputs = network.layers.at(-1).units;
    const row = Math.min(3, data.rows - 1);
    if (Math.abs((await model.predictRow(row)) - probabilities[row * outputs]) > 1e-5) {
      throw new Error(`${adapter.title}, case "${id}": one predicted row differs from the same row among all`);
    }
    return meanLoss(network, data, probabilities);
  };
  const expectNear = (actual, wanted, what) => {
    if (!(Math.abs(actual - wanted) <= TOLERANCE)) {
      throw new Error(`${adapter.title}, case "${id}": the loss ${what} must be ${wanted}, received ${actual}`);
    }
  };
  const trainSteps = async (model, steps) => {
    if (testCase.operation === 'fit') await model.fit(steps / batches, false);
    else {
      for (let step = 0; step < steps; step++) {
        const reported = await model.trainOnBatch(step % batches);
        if (!Number.isFinite(reported)) throw new Error(`${adapter.title}, case "${id}": trainOnBatch must give its loss, received ${reported}`);
        if (adapter.comparable && step === 0) expectNear(reported, expected.firstBatch, 'that the first step reports');
      }
    }
  };

  const model = await adapter.build(network, data, batchSize);
  const before = await loss(model);
  if (adapter.comparable) expectNear(before, expected.before, 'before training');
  await trainSteps(model, checkSteps);
  let after = await loss(model);
  if (adapter.comparable) {
    expectNear(after, expected.after, `after ${checkSteps} steps`);
  } else {
    for (let pass = 1; pass < PASSES_TO_LEARN && !(after < before); pass++) {
      await trainSteps(model, checkSteps);
      after = await loss(model);
    }
    if (!(after < before)) throw new Error(`${adapter.title}, case "${id}": the loss does not fall (${before} → ${after})`);
  }
  await model.dispose();
  return {
    before,
    after,
    reference: expected.after,
    difference: adapter.comparable ? Math.abs(after - expected.after) : null,
  };
}
