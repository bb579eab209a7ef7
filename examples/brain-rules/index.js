// Six rules found in brains, in a network for digits, 784→100→10. They regulate how active the units are, which sign their
// outgoing weights have, and how large the weights are. The baseline of each is the same network without it.
//
// 8,000 digits train for four epochs, in batches of 32, and 2,000 others give the accuracy. Nothing is chosen by the results:
// all of them are printed. The noise is normal, with a standard deviation of half the ink of a black pixel.
//
// Result: a penalty makes units rarely active and costs 0.5 points; balanced weights gain 0.6 points with plain SGD; the other
// rules gain nothing, and up to 1.2 points are lost. Run it after `npm run build` with `node examples/brain-rules`; `--quick` has
// one seed and the parts of the claims.

import { Adam, Dense, Model, SGD, Sequential, initializers, ops, random, setRandomSeed } from 'myelin'
import {
  DalesPrinciple,
  IntrinsicPlasticity,
  KLSparsity,
  KWinnersTakeAll,
  SynapticScaling,
  balanceSynapses,
} from 'myelin/balance'
import { plotImages } from 'myelin/plot'
import { readDigits } from '../data/digits.js'
import { mean, median, withRange } from '../data/statistics.js'
import { claim, printTable, readOptions, savePicture } from '../shared/report.js'

const { seeds, quick } = readOptions({ seeds: 5, quick: false })
const SEEDS = quick ? 1 : seeds
const [PIXELS, UNITS, EPOCHS, NOISE] = [784, 100, 4, 0.5]
const SIDE = 28
const { train, test } = readDigits([PIXELS])
const noisy = ops.add(test.x, random.normal(test.x.shape, { stddev: NOISE, seed: 1 }))

/**
 * A network for digits.
 *   deep      a second hidden layer
 *   stddev    the standard deviation of the initial weights of the first layer; null for glorotUniform
 *   sparsity  a penalty on the outputs of the hidden units
 *   sign      a constraint on the kernels after the first
 *   after     makes a layer that follows the first one; the first one is then linear
 */
function network({ activation = 'relu', deep = false, stddev = null, sparsity = null, sign = null, after = null }) {
  const kernelInitializer = stddev === null ? 'glorotUniform' : new initializers.RandomNormal({ stddev })
  const rules = { activation: after === null ? activation : 'linear', activityRegularizer: sparsity }
  return new Sequential([
    new Dense({ units: UNITS, inputShape: [PIXELS], kernelInitializer, ...rules }),
    ...(after === null ? [] : [after()]),
    ...(deep ? [new Dense({ units: UNITS, activation, kernelConstraint: sign })] : []),
    new Dense({ units: 10, activation: 'softmax', kernelConstraint: sign }),
  ])
}

/** Multiplies unit after unit by 0.1, 1 and 10, and its outgoing weights by the inverse: the same function. */
function unbalance(model) {
  const [incoming, bias, outgoing, last] = model.getWeights()
  const factors = Float32Array.from({ length: UNITS }, (_, unit) => 10 ** ((unit % 3) - 1))
  const column = ops.reshape(factors, [UNITS, 1])
  model.setWeights([ops.multiply(incoming, factors), ops.multiply(bias, factors), ops.divide(outgoing, column), last])
}

const adam = () => new Adam(0.001)
const sigmoid = { activation: 'sigmoid' }
const [gentle, steep] = [{ stddev: 0.5, optimizer: () => new SGD(0.01) }, { optimizer: () => new SGD(0.1) }]
const scaling = () => [new SynapticScaling({ target: 1, every: 20 })]
const dale = (excitatory) => ({ sign: new DalesPrinciple({ excitatory }) })
const balanced = { prepare: balanceSynapses }
const both = (model) => {
  unbalance(model)
  balanceSynapses(model)
}
const plasticity = (options) => ({ after: () => new IntrinsicPlasticity(options) })
/** The networks by group; the first of each is the baseline. */
const groups = {
  'sigmoid, Adam': {
    plain: sigmoid,
    'KLSparsity, strength 0.01': { ...sigmoid, sparsity: new KLSparsity({ strength: 0.01 }) },
    'KLSparsity, strength 0.1': { ...sigmoid, sparsity: new KLSparsity({ strength: 0.1 }) },
    'KLSparsity, strength 3': { ...sigmoid, sparsity: new KLSparsity({ strength: 3 }) },
    'IntrinsicPlasticity, μ = 0.2': plasticity({ target: 0.2 }),
    'IntrinsicPlasticity, μ = 0.1, η = 0.01': plasticity({ target: 0.1, rate: 0.01 }),
  },
  'sigmoid, Adam, initial weights of standard deviation 1': {
    plain: { ...sigmoid, stddev: 1 },
    'IntrinsicPlasticity, μ = 0.2': { ...plasticity({ target: 0.2 }), stddev: 1 },
  },
  'relu, Adam': {
    plain: {},
    'KWinnersTakeAll, 20 of 100': { after: () => new KWinnersTakeAll(20) },
    'KWinnersTakeAll, 5 of 100': { after: () => new KWinnersTakeAll(5) },
    'SynapticScaling, r* = 1, every 20': { callbacks: scaling },
    'balanceSynapses before': balanced,
    'DalesPrinciple, 50 % excitatory': dale(0.5),
    'DalesPrinciple, 80 % excitatory': dale(0.8),
    'DalesPrinciple, 95 % excitatory': dale(0.95),
  },
  'relu, Adam, two layers of 100': {
    plain: { deep: true },
    'DalesPrinciple, 80 % excitatory': { deep: true, ...dale(0.8) },
  },
  'relu, SGD at 0.01, initial weights of standard deviation 0.5': {
    plain: gentle,
    'SynapticScaling, r* = 1, every 20': { ...gentle, callbacks: scaling },
  },
  'relu, SGD at 0.1': {
    plain: steep,
    'balanceSynapses before': { ...steep, ...balanced },
    'units of sizes 0.1, 1 and 10': { ...steep, prepare: unbalance },
    'units of sizes 0.1, 1 and 10, balanceSynapses before': { ...steep, prepare: both },
  },
}
const QUICK = ['sigmoid, Adam', 'relu, SGD at 0.01, initial weights of standard deviation 0.5', 'relu, SGD at 0.1']

/** Accuracies in %, and the mean output of the hidden units with its deviation from unit to unit. */
async function learn(seed, { prepare = () => {}, callbacks = () => [], optimizer = adam, ...options }) {
  setRandomSeed(seed)
  const model = network(options)
  prepare(model)
  model.compile({ optimizer: optimizer(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(train.x, train.y, { epochs: EPOCHS, verbose: 0, callbacks: callbacks() })
  const accuracyOn = async (x) => 100 * (await model.evaluate(x, test.y, { verbose: 0 })).accuracy
  const { output } = model.layers[options.after === undefined ? 0 : 1]
  const activity = [...ops.mean(await new Model({ inputs: model.input, outputs: output }).predict(test.x), 0).data]
  const middle = mean(activity)
  return {
    clean: await accuracyOn(test.x),
    noisy: await accuracyOn(noisy),
    activity: middle,
    spread: Math.sqrt(mean(activity.map((each) => (each - middle) ** 2))),
    filters: ops.transpose(model.getWeights()[0]).data.slice(0, 16 * PIXELS),
  }
}

console.log(
  `Accuracy on ${test.count} held-out digits in %, and mean output of the hidden units with its deviation between units: ${
    SEEDS === 1 ? 'one seed' : `medians of ${SEEDS} seeds (least–greatest)`
  }`,
)
const results = {}
let filters
for (const [group, ways] of Object.entries(groups)) {
  if (quick && !QUICK.includes(group)) continue
  const rows = [[group, 'accuracy', 'with noise', 'mean output', 'deviation']]
  for (const [name, options] of Object.entries(ways)) {
    const runs = []
    for (let seed = 1; seed <= SEEDS; seed++) runs.push(await learn(seed, options))
    const of = (key) => runs.map((run) => run[key])
    results[`${group}: ${name}`] = Object.fromEntries(
      ['clean', 'noisy', 'activity', 'spread'].map((key) => [key, median(of(key))]),
    )
    rows.push([
      name,
      ...['clean', 'noisy'].map((key) => withRange(of(key))),
      ...['activity', 'spread'].map((key) => withRange(of(key), 2)),
    ])
    if (name === 'KLSparsity, strength 0.1') [{ filters }] = runs
  }
  console.log()
  printTable(rows)
}

await savePicture(
  'brain-rules',
  plotImages(
    { data: filters, shape: [16, SIDE, SIDE] },
    { title: 'Incoming weights of rarely active units', columns: 8 },
  ),
)
const [ofSigmoid, ofGentle, ofSteep] = QUICK.map((group) => (name) => results[`${group}: ${name}`])
const sparse = ofSigmoid('KLSparsity, strength 0.1')
claim({
  'KLSparsity: the mean output falls from about 0.5 below 0.15':
    ofSigmoid('plain').activity > 0.4 && sparse.activity < 0.15,
  'at the cost of at most 2 points': sparse.clean >= ofSigmoid('plain').clean - 2,
  'SynapticScaling: the units differ at most a third as much':
    ofGentle('SynapticScaling, r* = 1, every 20').spread <= ofGentle('plain').spread / 3,
  'balanceSynapses undoes units of different sizes':
    ofSteep('units of sizes 0.1, 1 and 10, balanceSynapses before').clean >
    ofSteep('units of sizes 0.1, 1 and 10').clean + 0.5,
})
