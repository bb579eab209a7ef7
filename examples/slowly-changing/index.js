// A world that changes slowly: every 10,000 examples one bit of the input flips, and learning goes on. Backpropagation loses the
// ability to learn; continual backpropagation, which renews a few units all the time, does not.
// Dohare et al., Loss of plasticity in deep continual learning, Nature 632:768, 2024: the slowly-changing regression problem.
// Run it after `npm run build` with `node examples/slowly-changing`; `node examples/slowly-changing 1000000 20` is the whole
// experiment: a million examples, 20 seeds.

import { Dense, SGD, Sequential, setRandomSeed } from 'myelin'
import { ContinualBackprop, L2Init, UnitHealth } from 'myelin/balance'
import { generator, mean } from '../data/statistics.js'

const EXAMPLES = Number(process.argv[2] ?? 300_000)
const SEEDS = Number(process.argv[3] ?? 10)

const TASK = 10_000
/** Examples over which the error is averaged, in the beginning and in the end. */
const WINDOW = 100_000 / TASK
const INPUTS = 20
/** Bits that hold; the others are drawn anew for each example. */
const SLOW = 15
const TARGET_UNITS = 100
const THRESHOLD = 0.7

/** A function of 20 bits: the sum, with signs, of 100 units that fire when more than 70 % of their inputs are as they like. */
function targetOf(random) {
  const sign = () => (random() < 0.5 ? 1 : -1)
  const units = Array.from({ length: TARGET_UNITS }, () => {
    const weights = Array.from({ length: INPUTS }, sign)
    const threshold = THRESHOLD * INPUTS - weights.filter((weight) => weight < 0).length
    return { weights, threshold, effect: sign() }
  })
  return (bits) => units.reduce((total, { weights, threshold, effect }) => {
    return weights.reduce((sum, weight, i) => sum + weight * bits[i], 0) > threshold ? total + effect : total
  }, 0)
}

/** One task after another: between two of them one slow bit flips. */
function* tasks(seed) {
  const random = generator(seed)
  const target = targetOf(random)
  const slow = Array.from({ length: SLOW }, () => Number(random() < 0.5))
  for (;;) {
    const flipped = Math.floor(random() * SLOW)
    slow[flipped] = 1 - slow[flipped]
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

/** Learns for ever, one example at a time: the error of each task while it is learnt. */
async function learn(seed, { activation = 'relu', regularizer = null, callbacks = [] }) {
  setRandomSeed(seed)
  const options = { kernelInitializer: 'heUniform', kernelRegularizer: regularizer, biasRegularizer: regularizer }
  const model = new Sequential([
    new Dense({ units: 5, activation, inputShape: [INPUTS], name: 'hidden', ...options }),
    new Dense({ units: 1, ...options }),
  ])
  model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'meanSquaredError', metrics: ['mse'] })
  const health = new UnitHealth({ every: 100, samples: 0 })
  const errors = []
  let seconds = 0
  for (const { x, y } of tasks(seed)) {
    const isLast = (errors.length + 1) * TASK >= EXAMPLES
    const started = performance.now()
    const { history } = await model.fit(x, y, { batchSize: 1, shuffle: false, verbose: 0, callbacks: isLast ? [...callbacks, health] : callbacks })
    seconds += (performance.now() - started) / 1000
    errors.push(history.mse[0])
    if (isLast) break
  }
  model.dispose()
  return { first: mean(errors.slice(0, WINDOW)), last: mean(errors.slice(-WINDOW)), dead: health.records.at(-1).layers[0].dead, seconds }
}

const methods = {
  'linear': () => ({ activation: 'linear' }),
  'backpropagation': () => ({}),
  'continual backprop': () => ({ callbacks: [new ContinualBackprop({ replacementRate: 1e-4 })] }),
  'L2 init 0.01': () => ({ regularizer: new L2Init(1e-2) }),
}

console.log(`${EXAMPLES} examples one by one, means of ${SEEDS} seeds. Mean squared error of the first and the last ${WINDOW * TASK};`)
console.log('growth is last / first, divided by that of the linear model: some tasks are easier than others')
console.log(`${''.padEnd(20)} first    last   growth   dead   a million in`)
const results = {}
for (const [name, options] of Object.entries(methods)) {
  const runs = []
  for (let seed = 1; seed <= SEEDS; seed++) runs.push(await learn(seed, options()))
  const [first, last, dead, perRun] = ['first', 'last', 'dead', 'seconds'].map((of) => mean(runs.map((run) => run[of])))
  const { ratio = last / first } = results['linear'] ?? {}
  const seconds = (perRun * 1e6) / EXAMPLES
  results[name] = { last, ratio: last / first, growth: last / first / ratio, seconds }
  console.log(`${name.padEnd(20)} ${first.toFixed(3)}   ${last.toFixed(3)}   ${results[name].growth.toFixed(2).padStart(6)}   ${`${Math.round(100 * dead)} %`.padStart(4)}   ${seconds.toFixed(1).padStart(10)} s`)
}

const [plain, continual, pulled] = ['backpropagation', 'continual backprop', 'L2 init 0.01'].map((name) => results[name])
const expected = [
  ['backpropagation ends with an error 1.5 times that of continual backprop', plain.last >= 1.5 * continual.last],
  ['continual backprop gets no worse: a growth of at most 1.05', continual.growth <= 1.05],
  ['continual backprop, L2 init, backpropagation in this order', continual.last < pulled.last && pulled.last < plain.last],
  ['a million examples with continual backprop in 20 s', continual.seconds <= 20],
]
// The loss of plasticity takes its time.
if (EXAMPLES >= 1e6) expected.push(['backpropagation gets worse: a growth of at least 1.6', plain.growth >= 1.6])
for (const [claim, holds] of expected) {
  if (holds) continue
  console.error(`Expected: ${claim}`)
  process.exitCode = 1
}
