// The cost of callbacks that watch or renew units, compared with plain training: the ratio of the medians of CPU time,
// all ways in turn.
//
//   node bench/balance.mjs              9 rounds
//   node bench/balance.mjs --rounds 3   fewer
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from './machine.mjs'
import { cpuTime, median } from './peers/measure.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } })
const machine = describeMachine()
warnIfBusy(machine)
const { Adam, Dense, SGD, Sequential, random, setRandomSeed } = await loadBuilt()
const { ContinualBackprop, Homeostat, ReDo, UnitHealth } = await import('../dist/balance.js')

const shapes = [
  { name: '784→128→10, batch 32', sizes: [784, 128, 10], rows: 6400, batchSize: 32, optimizer: () => new Adam() },
  { name: '20→5→1, batch 32', sizes: [20, 5, 1], rows: 64_000, batchSize: 32, optimizer: () => new SGD(0.01) },
  { name: '20→5→1, batch 1', sizes: [20, 5, 1], rows: 20_000, batchSize: 1, optimizer: () => new SGD(0.01) },
  {
    name: '20→5→1, batch 32, 10 steps an epoch',
    sizes: [20, 5, 1],
    rows: 320,
    batchSize: 32,
    epochs: 200,
    optimizer: () => new SGD(0.01),
  },
]
const ways = {
  plain: () => [],
  'UnitHealth, every 50': () => [new UnitHealth()],
  'UnitHealth, every step': () => [new UnitHealth({ every: 1 })],
  ReDo: () => [new ReDo()],
  ContinualBackprop: () => [new ContinualBackprop()],
  Homeostat: () => [new Homeostat()],
}

const rows = []
for (const { name, sizes, rows: count, batchSize, epochs = 1, optimizer } of shapes) {
  const [inputs, units, outputs] = sizes
  const x = random.normal([count, inputs], { seed: 1 })
  const y = random.normal([count, outputs], { seed: 2 })
  const runs = Object.entries(ways).map(([way, callbacks]) => {
    setRandomSeed(1)
    const model = new Sequential([
      new Dense({ units, activation: 'relu', inputShape: [inputs] }),
      new Dense({ units: outputs }),
    ])
    model.compile({ optimizer: optimizer(), loss: 'mse' })
    const made = callbacks()
    return { way, times: [], fit: () => model.fit(x, y, { batchSize, epochs, verbose: 0, callbacks: made }) }
  })
  for (const { fit } of runs) await fit()
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { fit, times } of runs) {
      const started = cpuTime()
      await fit()
      times.push(cpuTime() - started)
    }
  }
  const [plain, ...others] = runs.map(({ times }) => median(times))
  const steps = (epochs * count) / batchSize
  rows.push([
    name,
    `${((1000 * plain) / steps).toFixed(1)} µs`,
    ...others.map((each) => `${(each / plain).toFixed(2)} ×`),
  ])
}
console.log(`${machineLine(machine)}\n\n${table(['', 'plain step', ...Object.keys(ways).slice(1)], rows)}`)
