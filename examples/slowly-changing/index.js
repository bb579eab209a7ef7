// A task that changes: after every 10,000 examples some bits of the input change, and training continues.
// Backpropagation loses the ability to learn; continual backpropagation, which keeps renewing a few units, does not.
// Dohare et al., Loss of plasticity in deep continual learning, Nature 632:768, 2024: the slowly-changing regression
// problem. The target and its bias, the distribution of weights, rates, and errors averaged over 20,000 examples are
// those of the authors' published programs. Runs vary a lot: the authors average 100.
//
// Baseline: backpropagation, whose error grows to 1.5 times that of its beginning or more. Result: with continual backprop it
// does not grow. Run it after `npm run build` with `node examples/slowly-changing`; `--examples 1000000` is the whole
// experiment.
//   --seeds        default 100
//   --quick        15 seeds
//   --flip         all (default): all slow bits are redrawn, as in the published runs; one: one of them flips, as in the text
//   --rate         default 0.01, the largest published; also 0.003 and 0.001
//   --activation   default relu; also tanh, sigmoid, elu, leakyRelu, swish
//   --optimizer    sgd (default) or adam

import { Adam, Dense, SGD, Sequential, setRandomSeed } from 'myelin'
import { ContinualBackprop, L2Init, UnitHealth } from 'myelin/balance'
import { plotHistory } from 'myelin/plot'
import { generator, mean, median } from '../data/statistics.js'
import { claim, readOptions, savePicture } from '../shared/report.js'

const options = readOptions({
  examples: 300_000,
  seeds: 100,
  quick: false,
  flip: 'all',
  rate: 0.01,
  activation: 'relu',
  optimizer: 'sgd',
})
const [EXAMPLES, RATE] = [options.examples, options.rate]
const SEEDS = options.quick ? 15 : options.seeds
const optimizer = { sgd: SGD, adam: Adam }[options.optimizer]

const TASK = 10_000
/** Tasks over which the error is averaged, at the beginning and at the end. */
const WINDOW = 20_000 / TASK
const INPUTS = 20
/** Bits that are fixed during a task; the others are redrawn for each example. */
const SLOW = 15
const TARGET_UNITS = 100
const THRESHOLD = 0.7

/**
 * A function of 20 bits: the signed sum of 100 units, each of which fires when about 70 % of its inputs match its
 * pattern.
 */
function targetOf(random) {
  const sign = () => (random() < 0.5 ? 1 : -1)
  const units = Array.from({ length: TARGET_UNITS }, () => {
    const weights = Array.from({ length: INPUTS }, sign)
    const bias = sign()
    const negative = weights.filter((weight) => weight < 0).length + bias / 2
    return { weights, threshold: THRESHOLD * (INPUTS + 1) - negative - bias, effect: sign() }
  })
  const base = sign()
  return (bits) =>
    units.reduce((total, { weights, threshold, effect }) => {
      return weights.reduce((sum, weight, i) => sum + weight * bits[i], 0) > threshold ? total + effect : total
    }, base)
}

/** The slow bits of the next task. */
const changes = {
  all: (slow, random) => slow.map(() => Number(random() < 0.5)),
  one(slow, random) {
    const flipped = Math.floor(random() * SLOW)
    return slow.map((bit, i) => (i === flipped ? 1 - bit : bit))
  },
}

/** An endless sequence of tasks. */
function* tasks(seed) {
  const random = generator(seed)
  const target = targetOf(random)
  for (let slow = changes.all(Array(SLOW).fill(0), random); ; slow = changes[options.flip](slow, random)) {
    const patterns = Array.from({ length: 2 ** (INPUTS - SLOW) }, (_, pattern) => {
      const bits = [...slow, ...Array.from({ length: INPUTS - SLOW }, (_, i) => (pattern >> i) & 1)]
      return { bits, value: target(bits) }
    })
    const x = new Float32Array(TASK * INPUTS)
    const y = new Float32Array(TASK)
    for (let i = 0; i < TASK; i++) {
      const { bits, value } = patterns[Math.floor(random() * patterns.length)]
      x.set(bits, i * INPUTS)
      y[i] = value
    }
    yield { x: { data: x, shape: [TASK, INPUTS] }, y: { data: y, shape: [TASK, 1] } }
  }
}

/**
 * Trains on one example at a time, and examines the hidden units in the last task. Returns the mean errors of the first
 * and the last tasks.
 */
async function learn(seed, { isLinear = false, regularizer = null, callbacks = [] }) {
  setRandomSeed(seed)
  const layer = (units, own) =>
    new Dense({ units, kernelRegularizer: regularizer, biasRegularizer: regularizer, ...own })
  const hidden = isLinear ? [] : [layer(5, { activation: options.activation, kernelInitializer: 'heUniform' })]
  const model = new Sequential([...hidden, layer(1, { kernelInitializer: 'lecunUniform' })])
  model.compile({ optimizer: new optimizer({ learningRate: RATE }), loss: 'meanSquaredError', metrics: ['mse'] })
  const health = hidden.map((each) => new UnitHealth({ every: 100, samples: 0, layers: [each] }))
  const errors = []
  let seconds = 0
  for (const { x, y } of tasks(seed)) {
    const isLast = (errors.length + 1) * TASK >= EXAMPLES
    const started = performance.now()
    const { history } = await model.fit(x, y, {
      batchSize: 1,
      shuffle: false,
      verbose: 0,
      callbacks: isLast ? [...callbacks, ...health] : callbacks,
    })
    seconds += (performance.now() - started) / 1000
    errors.push(history.mse[0])
    if (isLast) break
  }
  model.dispose()
  const [first, last] = [mean(errors.slice(0, WINDOW)), mean(errors.slice(-WINDOW))]
  const dead = hidden.length === 0 ? 0 : health[0].records.at(-1).layers[0].dead
  return { errors, first, last, growth: last / first, dead, million: (seconds * 1e6) / EXAMPLES }
}

const methods = {
  linear: () => ({ isLinear: true }),
  backpropagation: () => ({}),
  'continual backprop': () => ({ callbacks: [new ContinualBackprop({ replacementRate: 1e-4 })] }),
  'L2 init 0.01': () => ({ regularizer: new L2Init(1e-2) }),
}

console.log(
  `${EXAMPLES} examples one by one, medians of ${SEEDS} seeds. Mean squared error of the first and the last ${WINDOW * TASK}`,
)
console.log(`${''.padEnd(20)} first    last   last / first   dead   a million in`)
const results = {}
const curves = {}
for (const [name, settings] of Object.entries(methods)) {
  const runs = []
  for (let seed = 1; seed <= SEEDS; seed++) runs.push(await learn(seed, settings()))
  console.error(`${name}: ${SEEDS} seeds`)
  const of = (figure) => median(runs.map((run) => run[figure]))
  curves[name] = runs[0].errors.map((_, task) => median(runs.map((run) => run.errors[task])))
  const { first, last, growth, dead, million } = (results[name] = Object.fromEntries(
    ['first', 'last', 'growth', 'dead', 'million'].map((figure) => [figure, of(figure)]),
  ))
  console.log(
    `${name.padEnd(20)} ${first.toFixed(3)}   ${last.toFixed(3)}   ${growth.toFixed(2).padStart(12)}   ${`${Math.round(100 * dead)} %`.padStart(4)}   ${million.toFixed(1).padStart(10)} s`,
  )
}

const [plain, continual, pulled] = ['backpropagation', 'continual backprop', 'L2 init 0.01'].map(
  (name) => results[name],
)
// Loss of plasticity takes long to appear.
const least = options.quick ? 1.25 : EXAMPLES >= 1e6 ? 1.6 : 1.5
const most = options.quick ? 1.15 : 1.05
await savePicture('slowly-changing', plotHistory(curves, { title: 'Mean squared error of a task', xLabel: 'task' }))
// Other settings have no expected results.
const isPublished =
  options.flip === 'all' && RATE === 0.01 && options.activation === 'relu' && options.optimizer === 'sgd'
if (isPublished)
  claim({
    [`backpropagation ends with an error ${least} times that of its beginning`]: plain.growth >= least,
    [`continual backprop ends with at most ${most} times that of its beginning`]: continual.growth <= most,
    'continual backprop, L2 init, backpropagation in this order':
      continual.last < pulled.last && pulled.last < plain.last,
  })
