// Makes the pictures of README.md and docs/plot.md from small trainings, into docs/pictures or another folder.
// Run it after `npm run build` with `node scripts/pictures.mjs [folder]`; `npm run format` leaves its results alone.

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  Adam,
  Add,
  Concatenate,
  Conv2D,
  Dense,
  Dropout,
  Embedding,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  Input,
  MaxPooling2D,
  Model,
  Sequential,
  metrics,
  setRandomSeed,
} from 'myelin'
import { UnitHealth } from 'myelin/balance'
import { integratedGradients, kernelShap, reliabilityDiagram } from 'myelin/explain'
import * as plot from 'myelin/plot'
import { EmissionsTracker, energyLabel, ledger } from 'myelin/thrift'
import { readDigits } from '../examples/data/digits.js'
import { readPenguins } from '../examples/data/penguins.js'
import { generator } from '../examples/data/statistics.js'

const folder = process.argv[2] ?? fileURLToPath(new URL('../docs/pictures/', import.meta.url))
mkdirSync(folder, { recursive: true })
/** The pictures that docs/plot.md does not show; they are for another folder. */
const UNSHOWN = ['attributions', 'reliability', 'roc']
const save = async (name, picture) => {
  if (process.argv.length > 2 || !UNSHOWN.includes(name)) await picture.save(`${folder}/${name}.svg`)
}
setRandomSeed(1)

// Penguins: four measurements, three species.
const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo']
const COLUMNS = ['bill length', 'bill depth', 'flipper length', 'body mass']
const penguins = readPenguins({ seed: 1, testPart: 0.3 })
const speciesOf = ({ birds, x }) => ({
  x: x.map((row) => row.slice(0, 4)),
  y: birds.map(({ species }) => SPECIES.indexOf(species)),
})
const [train, test] = [speciesOf(penguins.train), speciesOf(penguins.test)]
const birds = new Sequential(
  [
    new Dense({ units: 12, activation: 'relu', inputShape: [4], name: 'first' }),
    new Dense({ units: 12, activation: 'relu', name: 'second' }),
    new Dense({ units: 3, activation: 'softmax', name: 'species' }),
  ],
  { name: 'penguins' },
)
const confusion = new metrics.ConfusionMatrix({ numClasses: 3 })
birds.compile({ optimizer: 'adam', loss: 'crossentropy', metrics: ['accuracy', confusion] })
const health = new UnitHealth({ every: 1 })
const history = await birds.fit(train.x, train.y, {
  epochs: 30,
  batchSize: 16,
  validationData: [test.x, test.y],
  callbacks: [health, new EmissionsTracker()],
  verbose: 0,
})
await save('history', plot.plotHistory(history))
await save('health', plot.plotHealth(health))
await birds.evaluate(test.x, test.y, { verbose: 0 })
await save('confusion-matrix', plot.plotConfusionMatrix(confusion.result(), { names: SPECIES }))
const probabilities = await birds.predict(test.x, { verbose: 0 })
await save('roc', plot.plotRoc(probabilities, test.y, { names: SPECIES }))
await save('reliability', plot.plotReliability(reliabilityDiagram(probabilities, test.y, { bins: 10 })))
const explained = await integratedGradients(birds, test.x)
await save('attributions', plot.plotAttributions(explained, { names: COLUMNS, row: 1 }))
const shap = await kernelShap(birds, test.x, { background: train.x.slice(0, 50), output: 0, seed: 1 })
const parts = { names: COLUMNS, title: 'Why this bird is an Adelie' }
await save('waterfall', plot.plotWaterfall(shap, { ...parts, row: test.y.indexOf(0) }))
await save('beeswarm', plot.plotBeeswarm(shap, { x: test.x, names: COLUMNS, title: 'What makes an Adelie' }))
await save('label', await energyLabel(birds, { ...test, training: history, names: COLUMNS }))
const hidden = new Model({ inputs: birds.inputs, outputs: birds.getLayer('second').output })
const activations = await hidden.predict(test.x, { verbose: 0 })
await save('projection', plot.plotProjection(activations, { labels: test.y, names: SPECIES }))

// The same birds by optimizer, each with five seeds.
const errorsOf = async (optimizer, seed) => {
  setRandomSeed(seed)
  const model = new Sequential([
    new Dense({ units: 12, activation: 'relu', inputShape: [4] }),
    new Dense({ units: 3, activation: 'softmax' }),
  ])
  model.compile({ optimizer, loss: 'crossentropy' })
  const data = { validationData: [test.x, test.y], epochs: 30, batchSize: 16, verbose: 0 }
  return (await model.fit(train.x, train.y, data)).history.valLoss
}
const errors = {}
for (const optimizer of ['sgd', 'rmsprop', 'adam'])
  errors[optimizer] = await Promise.all([1, 2, 3, 4, 5].map((seed) => errorsOf(optimizer, seed)))
const texts = { yLabel: 'validation loss', title: 'Three optimizers, five seeds' }
await save('error-curves', plot.plotErrorCurves(errors, texts))

// Two moons.
const random = generator(3)
const moons = Array.from({ length: 120 }, (_, i) => {
  const [angle, side] = [Math.PI * random(), i % 2]
  const noise = () => 0.28 * (random() + random() - 1)
  return [side + Math.cos(angle) * (1 - 2 * side) + noise(), side * 0.5 + Math.sin(angle) * (1 - 2 * side) + noise()]
})
const sides = moons.map((_, i) => i % 2)
const curve = new Sequential([
  new Dense({ units: 16, activation: 'tanh', inputShape: [2] }),
  new Dense({ units: 16, activation: 'tanh' }),
  new Dense({ units: 1, activation: 'sigmoid' }),
])
curve.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
await curve.fit(moons, sides, { epochs: 400, batchSize: 16, verbose: 0 })
const decision = await plot.plotDecision(curve, moons, {
  labels: sides,
  names: ['upper', 'lower'],
  columns: ['x', 'y'],
  resolution: 32,
})
await save('decision', decision)

// Two spirals: what the network answers after some and after all epochs, and its loss, side by side.
const spirals = Array.from({ length: 400 }, (_, i) => {
  const turn = 0.5 + 3.2 * Math.PI * Math.sqrt(random())
  const angle = turn + (i % 2) * Math.PI
  const noise = () => 0.35 * (random() + random() - 1)
  return [(turn / 10) * Math.cos(angle) + noise() / 5, (turn / 10) * Math.sin(angle) + noise() / 5]
})
const arms = spirals.map((_, i) => i % 2)
setRandomSeed(1)
const coil = new Sequential([
  new Dense({ units: 32, activation: 'relu', inputShape: [2] }),
  new Dense({ units: 32, activation: 'relu' }),
  new Dense({ units: 1, activation: 'sigmoid' }),
])
coil.compile({ optimizer: new Adam({ learningRate: 0.01 }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
const side = { width: 320, height: 320 }
const answersAfter = (epochs) =>
  plot.plotDecision(coil, spirals, {
    labels: arms,
    columns: ['x', 'y'],
    resolution: 48,
    title: `After ${epochs} epochs`,
    ...side,
  })
const some = await coil.fit(spirals, arms, { epochs: 10, verbose: 0 })
const early = await answersAfter(10)
const rest = await coil.fit(spirals, arms, { epochs: 100, initialEpoch: 10, verbose: 0 })
const late = await answersAfter(100)
const whole = { loss: [...some.history.loss, ...rest.history.loss] }
await save('spirals', row([early, late, plot.plotHistory(whole, { title: 'Loss', ...side, height: 276 })]))

/** Pictures of one size beside each other. */
function row(pictures) {
  const parts = pictures.map(({ svg }, i) => svg.replace('<svg ', `<svg x="${i * side.width}" `))
  const { width, height } = { width: side.width * pictures.length, height: side.height }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" class="myelin-picture" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`
  return new plot.Picture({
    svg: `${head}<title>Two spirals</title>${parts.join('')}</svg>`,
    title: '',
    description: '',
  })
}

// Digits.
const digits = readDigits([28, 28, 1])
const shown = { data: digits.test.x.data.subarray(0, 6 * 784), shape: [6, 28, 28] }
const captions = Array.from(digits.test.y.subarray(0, 6), String)
await save('images', plot.plotImages(shown, { captions, columns: 6, size: 64 }))

// Five tasks of two digits, one after the other.
const TASKS = [0, 2, 4, 6, 8]
const task = ({ x, y }, first, most) => {
  const rows = [...y.keys()].filter((row) => y[row] === first || y[row] === first + 1).slice(0, most)
  return { x: rows.map((row) => x.data.subarray(row * 784, (row + 1) * 784)), y: rows.map((row) => y[row]) }
}
setRandomSeed(1)
const pupil = new Sequential([
  new Dense({ units: 50, activation: 'relu', inputShape: [784] }),
  new Dense({ units: 10, activation: 'softmax' }),
])
pupil.compile({ optimizer: 'adam', loss: 'crossentropy', metrics: ['accuracy'] })
const remembered = []
for (const first of TASKS) {
  const now = task(digits.train, first, 600)
  await pupil.fit(now.x, now.y, { epochs: 2, verbose: 0 })
  const rows = []
  for (const each of TASKS.filter((before) => before <= first)) {
    const then = task(digits.test, each, 200)
    rows.push((await pupil.evaluate(then.x, then.y)).accuracy)
  }
  remembered.push(rows)
}
const pairs = TASKS.map((first) => `${first}, ${first + 1}`)
await save('forgetting', plot.plotForgetting(remembered, { names: pairs, title: 'Digits, two at a time' }))

// Sentences, which are right if they praise.
const PRAISE = ['wonderful', 'good', 'moving', 'funny']
const BLAME = ['boring', 'bad', 'long', 'dull']
const REST = ['the', 'film', 'was', 'and', 'but', 'music', 'story', 'actors', 'very']
const WORDS = [...PRAISE, ...BLAME, ...REST]
const sentence = (mood) =>
  Array.from({ length: 8 }, (_, i) => {
    const list = i % 3 === 2 && random() < 0.8 ? mood : REST
    return WORDS.indexOf(list[Math.floor(random() * list.length)])
  })
const sentences = Array.from({ length: 300 }, (_, i) => sentence(i % 2 === 0 ? PRAISE : BLAME))
setRandomSeed(1)
const critic = new Sequential([
  new Embedding({ inputDim: WORDS.length, outputDim: 4, inputShape: [8] }),
  new GlobalAveragePooling1D(),
  new Dense({ units: 1, activation: 'sigmoid' }),
])
critic.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'binaryCrossentropy' })
const moods = sentences.map((_, i) => 1 - (i % 2))
await critic.fit(sentences, moods, { epochs: 20, verbose: 0 })
const review = ['the', 'story', 'was', 'boring', 'but', 'the', 'music', 'wonderful']
const ids = { data: Int32Array.from(review, (word) => WORDS.indexOf(word)), shape: [1, 8] }
await save('text', plot.plotText(review, await integratedGradients(critic, ids), { width: 560 }))

// A graph with branches, a skip connection and a nested model.
const encoder = new Sequential(
  [
    new Conv2D({ filters: 8, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1], name: 'edges' }),
    new MaxPooling2D({ name: 'smaller' }),
    new Conv2D({ filters: 16, kernelSize: 3, activation: 'relu', name: 'shapes' }),
    new GlobalAveragePooling2D({ name: 'mean' }),
  ],
  { name: 'encoder' },
)
const image = Input({ shape: [28, 28, 1], name: 'image' })
const where = Input({ shape: [4], name: 'place' })
const seen = encoder.apply(image)
const known = new Dense({ units: 16, activation: 'relu', name: 'place_features' }).apply(where)
const both = new Concatenate({ name: 'both' }).apply([seen, known])
const wide = new Dense({ units: 32, activation: 'relu', name: 'wide' }).apply(both)
const sum = new Add({ name: 'skip' }).apply([wide, both])
const outputs = {
  digit: new Dense({ units: 10, activation: 'softmax', name: 'digit' }).apply(
    new Dropout({ rate: 0.2, name: 'dropout' }).apply(sum),
  ),
  slant: new Dense({ units: 1, name: 'slant' }).apply(sum),
}
const network = new Model({ inputs: { image, place: where }, outputs, name: 'two_inputs' })
await save('model', plot.plotModel(network, { ledger: ledger(network) }))

// For terminals.
console.log(plot.textCurve(history))
console.log()
console.log(plot.textConfusionMatrix(confusion.result(), { names: SPECIES }))
console.log(`\nloss ${plot.sparkline(history.history.loss)}`)
