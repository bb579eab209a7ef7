// Decides whether a library may be timed: its results must be those of reference.mjs. For training that is the loss
// after some steps, for predictions the predictions. For networks that reference.mjs does not support, they are
// compared with results of Keras: references.json, by record.mjs.
import { readFileSync } from 'node:fs'
import { meanLoss, predict, train } from './reference.mjs'

/** Largest difference allowed between a library's loss and the reference's after `checkSteps` steps. */
export const TOLERANCE = 1e-3

/** Largest difference allowed between a predicted probability and the reference's. */
export const PREDICTION_TOLERANCE = 1e-5

/** A library whose loss may differ must still learn within this many passes over the same steps. */
const PASSES_TO_LEARN = 10

/** The same for layers, relative to the largest output. */
export const LAYER_TOLERANCE = 1e-5

/** For the loss before training, relative to itself: jax-js adds up a hundred thousand numbers sequentially. */
const LAYER_LOSS_TOLERANCE = 1e-4

/**
 * The largest difference of the change of the loss from the reference's change. Adam's ε has two conventions, which
 * differ where gradients are small; a library that does nothing, or the wrong thing, is off by about 1.
 */
export const LEARNT_TOLERANCE = 0.1

const references = new Map()

function reference(testCase) {
  if (!references.has(testCase.network)) {
    const { network, data, batchSize, checkSteps } = testCase
    const before = meanLoss(network, data, predict(network, data))
    const after = meanLoss(network, data, predict(train(network, data, batchSize, checkSteps), data))
    // Otherwise a library that does nothing would pass.
    if (before - after < 20 * TOLERANCE) {
      throw new Error(
        `case "${testCase.id}": ${checkSteps} steps change the loss only by ${before - after}: too little to check`,
      )
    }
    const first = { ...data, rows: batchSize }
    const firstBatch = meanLoss(network, first, predict(network, first))
    references.set(testCase.network, { before, after, firstBatch })
  }
  return references.get(testCase.network)
}

const predictions = new Map()

/** All rows at once and one by one. @returns {Promise<{ largest: number }>} the largest difference */
async function checkPredictions(adapter, { network, data, batchSize, id }) {
  if (!predictions.has(network)) predictions.set(network, predict(network, data))
  const expected = predictions.get(network)
  const [outputs] = network.outputShape
  const model = await adapter.build(network, data, batchSize)
  const all = Array.from(await model.predictAll())
  if (all.length !== expected.length)
    throw new Error(`${adapter.title}, case "${id}": expected ${expected.length} outputs, received ${all.length}`)
  let largest = 0
  const compare = (actual, index, what) => {
    const difference = Math.abs(actual - expected[index])
    largest = Math.max(largest, difference)
    if (!(difference <= PREDICTION_TOLERANCE)) {
      throw new Error(
        `${adapter.title}, case "${id}": output ${index} ${what} must be ${expected[index]}, received ${actual}`,
      )
    }
  }
  all.forEach((actual, index) => compare(actual, index, 'of all rows'))
  for (let row = 0; row < data.rows; row++) compare(await model.predictRow(row), row * outputs, 'of a single row')
  await model.dispose()
  return { largest }
}

/**
 * Predictions are compared one by one. Training goes through `trainOnBatch` and, if the case times `fit`, also through
 * `fit`.
 * @returns {Promise<{ largest: number } | { before: number, after: number, reference: number, difference: number | null
 *   }>}
 */
export async function check(adapter, testCase) {
  if (testCase.reference !== undefined) return checkLayers(adapter, testCase)
  if (testCase.operation === 'predict' && adapter.comparable) return checkPredictions(adapter, testCase)
  const { network, data, batchSize, checkSteps, id } = testCase
  const expected = reference(testCase)
  const batches = data.rows / batchSize
  const loss = async (model) => {
    const probabilities = Array.from(await model.predictAll())
    const [outputs] = network.outputShape
    const row = Math.min(3, data.rows - 1)
    if (Math.abs((await model.predictRow(row)) - probabilities[row * outputs]) > 1e-5) {
      throw new Error(`${adapter.title}, case "${id}": one predicted row differs from the same row among all`)
    }
    return meanLoss(network, data, probabilities)
  }
  const expectNear = (actual, wanted, what) => {
    if (!(Math.abs(actual - wanted) <= TOLERANCE)) {
      throw new Error(`${adapter.title}, case "${id}": the loss ${what} must be ${wanted}, received ${actual}`)
    }
  }
  const trainSteps = async (model, steps) => {
    if (testCase.operation === 'fit') await model.fit(steps / batches, false)
    else {
      for (let step = 0; step < steps; step++) {
        const reported = await model.trainOnBatch(step % batches)
        if (!Number.isFinite(reported))
          throw new Error(`${adapter.title}, case "${id}": trainOnBatch must return its loss, received ${reported}`)
        if (adapter.comparable && step === 0) expectNear(reported, expected.firstBatch, 'reported by the first step')
      }
    }
  }

  const model = await adapter.build(network, data, batchSize)
  const before = await loss(model)
  if (adapter.comparable) expectNear(before, expected.before, 'before training')
  await trainSteps(model, checkSteps)
  let after = await loss(model)
  if (adapter.comparable) {
    expectNear(after, expected.after, `after ${checkSteps} steps`)
  } else {
    for (let pass = 1; pass < PASSES_TO_LEARN && !(after < before); pass++) {
      await trainSteps(model, checkSteps)
      after = await loss(model)
    }
    if (!(after < before))
      throw new Error(`${adapter.title}, case "${id}": the loss does not fall (${before} → ${after})`)
  }
  await model.dispose()
  return {
    before,
    after,
    reference: expected.after,
    difference: adapter.comparable ? Math.abs(after - expected.after) : null,
  }
}

const recorded = (id) => {
  const all = JSON.parse(readFileSync(new URL('references.json', import.meta.url), 'utf8'))
  if (all[id] === undefined) throw new Error(`references.json has no "${id}": node record.mjs PYTHON adds it`)
  return all[id]
}

/** The number of outputs compared, at equal distances. */
const SAMPLED = 48
const sampleOf = (outputs) =>
  Array.from(
    { length: Math.min(SAMPLED, outputs.length) },
    (_, i) => outputs[Math.floor((i * outputs.length) / Math.min(SAMPLED, outputs.length))],
  )

/** The predictions of a library before training, and the losses that its steps report. */
export async function outcome(adapter, { network, data, batchSize, checkSteps, operation }) {
  const model = await adapter.build(network, data, batchSize)
  const outputs = await model.predictAll()
  const [first, one] = [outputs[0], await model.predictRow(0)]
  const predictions = sampleOf(Array.from(outputs))
  const losses = []
  // One more, since a step reports the loss before it.
  if (operation !== 'predict') for (let step = 0; step <= checkSteps; step++) losses.push(await model.trainOnBatch(0))
  await model.dispose()
  return { predictions, losses, first, one }
}

async function checkLayers(adapter, testCase) {
  const { id, operation, checkSteps } = testCase
  const expected = recorded(testCase.reference)
  const learnt = Math.abs(expected.losses[0] - expected.losses.at(-1))
  if (learnt < 10 * LAYER_LOSS_TOLERANCE * expected.losses[0])
    throw new Error(`case "${id}": ${checkSteps} steps change the loss only by ${learnt}: too little to check`)
  const { predictions, losses, first, one } = await outcome(adapter, testCase)
  const farthest = (actual, wanted, scale, what, tolerance = LAYER_TOLERANCE) =>
    wanted.reduce((largest, value, i) => {
      const difference = Math.abs(actual[i] - value) / scale
      if (!(difference <= tolerance))
        throw new Error(`${adapter.title}, case "${id}": ${what} ${i} must be ${value}, received ${actual[i]}`)
      return Math.max(largest, difference)
    }, 0)
  const scale = Math.max(...expected.predictions.map(Math.abs))
  const largest = farthest([...predictions, one], [...expected.predictions, first], scale, 'output')
  if (operation === 'predict') return { largest }
  farthest(
    losses.slice(0, 1),
    expected.losses.slice(0, 1),
    expected.losses[0],
    'the loss after step',
    LAYER_LOSS_TOLERANCE,
  )
  const difference = farthest(losses, expected.losses, learnt, 'the loss after step', LEARNT_TOLERANCE)
  return { before: losses[0], after: losses.at(-1), reference: expected.losses.at(-1), difference }
}
