// The time of explanations: milliseconds of one call, the least and the quartiles of rounds.
//
//   node bench/explain.mjs              41 rounds
//   node bench/explain.mjs --rounds 5   fewer
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from './machine.mjs'
import { quantile } from '../examples/data/statistics.js'
import { table } from './report.mjs'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '41' } } })
const machine = describeMachine()
warnIfBusy(machine)
const { Dense, Sequential, random, setRandomSeed } = await loadBuilt()
const { integratedGradients, kernelShap, shapleyValues } = await import('../dist/explain.js')

setRandomSeed(1)
const dense = (units, options) => new Dense({ units, activation: 'relu', ...options })
const small = new Sequential([dense(10, { inputShape: [8] }), dense(8), new Dense({ units: 1, activation: 'sigmoid' })])
const digits = new Sequential([dense(304, { inputShape: [784] }), new Dense({ units: 10, activation: 'softmax' })])
const rows = (count, width) => random.normal([count, width], { seed: 1 })

const cases = {
  'shapleyValues, 8→10→8→1, 1 row': () => shapleyValues(small, rows(1, 8), { background: rows(1, 8) }),
  'shapleyValues, 8→10→8→1, 100 rows': () => shapleyValues(small, rows(100, 8), { background: rows(1, 8) }),
  'integratedGradients, 784→304→10, 1 row': () => integratedGradients(digits, rows(1, 784)),
  'kernelShap, 784→304→10, 1 row': () => kernelShap(digits, rows(1, 784), { background: rows(1, 784), seed: 1 }),
}

const found = []
for (const [name, explain] of Object.entries(cases)) {
  const once = async () => {
    const started = performance.now()
    await explain()
    return performance.now() - started
  }
  const first = Math.max(await once(), await once())
  // Long calls vary less.
  const rounds = first > 500 ? Math.min(5, Number(options.rounds)) : Number(options.rounds)
  const runs = Math.max(1, Math.round(20 / first))
  const times = []
  for (let round = 0; round < rounds; round++) {
    let sum = 0
    for (let run = 0; run < runs; run++) sum += await once()
    times.push(sum / runs)
  }
  found.push([name, ...[0, 0.25, 0.5, 0.75].map((share) => Number(quantile(times, share).toPrecision(2)))])
}
console.log(
  `${machineLine(machine)}\n\n${table(['', 'least, ms', 'first quartile, ms', 'median, ms', 'third quartile, ms'], found)}`,
)
