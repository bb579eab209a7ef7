// A network that Keras trained on the digits 0 to 4 learns 5 to 9 from a few images of each. index.js runs it in Node, index.html in a page.

import {
  Adam,
  Dense,
  InputLayer,
  Model,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  Sequential,
  cloneModel,
  loadModel,
  setRandomSeed,
} from 'myelin'

export const CLASSES = [5, 6, 7, 8, 9]
/** Images of each class in training: "a few dozen" together. */
export const SHOTS = 10
const SIDE = 28

/** `perClass` digits of each class, from the start of data as readDigits returns them, as { x, y } with y from 0. */
export function digitsOf({ x, y, count }, perClass) {
  const left = new Map(CLASSES.map((digit) => [digit, perClass]))
  const chosen = []
  for (let i = 0; i < count; i++) {
    const rest = left.get(y[i]) ?? 0
    if (rest === 0) continue
    left.set(y[i], rest - 1)
    chosen.push(i)
  }
  const ink = new Float32Array(chosen.length * SIDE * SIDE)
  chosen.forEach((i, at) => ink.set(x.data.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), at * SIDE * SIDE))
  return {
    x: { data: ink, shape: [chosen.length, SIDE, SIDE, 1] },
    y: chosen.map((i) => CLASSES.indexOf(y[i])),
    count: chosen.length,
  }
}

/** Random changes after which a digit is still the same digit, in training only. */
const augmentation = () =>
  new Sequential(
    [
      new InputLayer({ shape: [SIDE, SIDE, 1] }),
      new RandomRotation({ factor: 0.04, fillMode: 'constant' }),
      new RandomTranslation({ heightFactor: 0.08, widthFactor: 0.08, fillMode: 'constant' }),
      new RandomZoom({ heightFactor: 0.1, fillMode: 'constant' }),
    ],
    { name: 'augmentation' },
  )

/** Compiles a new head on `features`, a model from images to feature vectors. */
function withHead(features) {
  const model = new Sequential([augmentation(), features, new Dense({ units: CLASSES.length, activation: 'softmax' })])
  model.compile({ optimizer: new Adam(0.01), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

/** The network of a file up to its features, with frozen weights. @param source see loadModel */
export async function pretrained(source) {
  const whole = await loadModel(source)
  const features = new Model({ inputs: whole.input, outputs: whole.getLayer('features').output })
  features.trainable = false
  return features
}

/** The accuracies on `test`: of a new head on the pretrained features, and of the same network without pretraining. */
export async function compare(features, train, test, options = {}) {
  const fit = { epochs: 60, batchSize: 10, verbose: 0 }
  const accuracyOf = async (model) => (await model.evaluate(test.x, test.y, { batchSize: 200, verbose: 0 })).accuracy

  setRandomSeed(3)
  const model = withHead(features)
  const { history } = await model.fit(train.x, train.y, { ...fit, ...options })

  setRandomSeed(3)
  const blank = cloneModel(features)
  blank.trainable = true
  const scratch = withHead(blank)
  await scratch.fit(train.x, train.y, fit)
  return { model, history, transferred: await accuracyOf(model), scratch: await accuracyOf(scratch) }
}
