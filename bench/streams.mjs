// Training from streamed batches: whether memory stays constant, and the speed compared with arrays.
//
//   node bench/streams.mjs                  2 GiB of generated batches, then the speeds
//   node bench/streams.mjs --gib 0.25       fewer
//   node bench/streams.mjs --rows 100000    a shorter table, whose epochs are timed; default 400,000
//
// The model is 784→128→10 with Adam, batches of 32; for the table 28→64→32→1, batches of 256. Exits with 1 if memory grows by
// more than 64 MiB after the first tenth.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from './machine.mjs'
import { median } from './peers/measure.mjs'
import { table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    gib: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '9' },
    rows: { type: 'string', default: '400000' },
  },
})
const machine = describeMachine()
warnIfBusy(machine)
const { Adam, Dense, Sequential, setRandomSeed } = await loadBuilt()
const { Dataset, readCsv } = await import('../dist/data.js')

const [PIXELS, CLASSES, BATCH] = [784, 10, 32]
const ALLOWED = 64

function makeModel() {
  setRandomSeed(1)
  const model = new Sequential([
    new Dense({ units: 128, activation: 'relu', inputShape: [PIXELS] }),
    new Dense({ units: CLASSES, activation: 'softmax' }),
  ])
  model.compile({ optimizer: new Adam(), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

/** Every batch is new, like batches read from a disk. */
function* batches(count) {
  for (let i = 0; i < count; i++) {
    const x = Float32Array.from({ length: BATCH * PIXELS }, (_, at) => ((i * 31 + at * 17) % 256) / 255)
    const y = Int32Array.from({ length: BATCH }, (_, at) => (i + at) % CLASSES)
    yield [{ data: x, shape: [BATCH, PIXELS] }, y]
  }
}

const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20)

async function measureMemory(gib) {
  const count = Math.ceil((gib * 2 ** 30) / (4 * BATCH * PIXELS))
  const seen = []
  const tenth = Math.ceil(count / 10)
  let done = 0
  await makeModel().fit(() => batches(count), {
    verbose: 0,
    callbacks: [{ onTrainBatchEnd: () => void (++done % tenth === 0 && seen.push(mebibytes())) }],
  })
  console.log(
    `${gib} GiB in ${count} batches: ${seen[0]} MiB resident after a tenth, at most ${Math.max(...seen)} after it`,
  )
  return Math.max(...seen) - seen[0]
}

async function measureSpeed(rounds) {
  const size = 6400
  const pixels = Float32Array.from({ length: size * PIXELS }, (_, at) => ((at * 7919) % 5 === 0 ? (at * 31) % 256 : 0))
  const labels = Int32Array.from({ length: size }, (_, i) => i % CLASSES)
  const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
  const path = join(folder, 'digits.csv')
  const header = [...Array.from({ length: PIXELS }, (_, i) => `p${i}`), 'label'].join()
  writeFileSync(
    path,
    [
      header,
      ...Array.from(labels, (label, i) => `${pixels.subarray(i * PIXELS, (i + 1) * PIXELS).join()},${label}`),
    ].join('\n'),
  )
  const x = { data: pixels, shape: [size, PIXELS] }
  const csv = readCsv(path, { features: 'vector', target: 'label' }).batch(BATCH)
  const rows = Dataset.fromTensorSlices({ x, y: labels })
  const ways = {
    'arrays in memory': (model) => model.fit(x, labels, { batchSize: BATCH, verbose: 0 }),
    'a Dataset of their rows, shuffled': (model) => model.fit(rows.shuffle(1000).batch(BATCH), { verbose: 0 }),
    'the CSV file, parsed in every epoch': (model) => model.fit(csv, { verbose: 0 }),
    'the CSV file, cached after the first epoch': (
      (cached) => (model) =>
        model.fit(cached, { verbose: 0 })
    )(csv.cache()),
  }
  const entries = Object.entries(ways).map(([name, run]) => ({ name, run, model: makeModel(), times: [] }))
  for (let round = -1; round < rounds; round++) {
    for (const { run, model, times } of entries) {
      const start = performance.now()
      await run(model)
      if (round >= 0) times.push((performance.now() - start) / Math.ceil(size / BATCH))
    }
  }
  rmSync(folder, { recursive: true })
  const at = entries[0].times
  console.log(
    table(
      ['784→128→10, 32 rows a step, from', 'µs a step', 'speed'],
      entries.map(({ name, times }) => [
        name,
        (1000 * median(times)).toFixed(0),
        `${(100 * median(times.map((time, i) => at[i] / time))).toFixed(0)} %`,
      ]),
    ),
  )
}

const COLUMNS = 28

function makeTableModel() {
  setRandomSeed(1)
  const model = new Sequential([
    new Dense({ units: 64, activation: 'relu', inputShape: [COLUMNS] }),
    new Dense({ units: 32, activation: 'relu' }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: new Adam(), loss: 'binaryCrossentropy' })
  return model
}

/** An epoch over a table with many short rows, where stages between the file and the model cost most. */
async function measureTable(size, rounds) {
  const x = Float32Array.from({ length: size * COLUMNS }, (_, at) => Math.round(1e4 * Math.sin(at * at)) / 1e4)
  const y = Float32Array.from({ length: size }, (_, i) => Number(x[i * COLUMNS] > x[i * COLUMNS + 1]))
  const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
  const path = join(folder, 'table.csv')
  writeFileSync(path, `${[...Array.from({ length: COLUMNS }, (_, i) => `x${i}`), 'label'].join()}\n`)
  for (let from = 0; from < size; from += 10_000) {
    const lines = Array.from({ length: Math.min(10_000, size - from) }, (_, i) => {
      const row = x.subarray((from + i) * COLUMNS, (from + i + 1) * COLUMNS)
      return `${Array.from(row, (each) => each.toFixed(4)).join()},${y[from + i]}\n`
    })
    appendFileSync(path, lines.join(''))
  }
  const csv = readCsv(path, { features: 'vector', target: 'label' })
  const data = { data: x, shape: [size, COLUMNS] }
  const fitted = (batches) => makeTableModel().fit(batches, { verbose: 0 })
  const ways = {
    'fit, arrays in memory': () => makeTableModel().fit(data, y, { batchSize: 256, verbose: 0 }),
    'fit, a Dataset of their rows, shuffle(10_000)': () =>
      fitted(Dataset.fromTensorSlices({ x: data, y }).shuffle(10_000).batch(256)),
    'fit, the CSV file': () => fitted(csv.batch(256)),
    'fit, the CSV file, shuffle(10_000)': () => fitted(csv.shuffle(10_000).batch(256)),
    'the CSV file, read only': () => csv.batch(256).forEach(() => {}),
    'the CSV file, read and shuffled only': () =>
      csv
        .shuffle(10_000)
        .batch(256)
        .forEach(() => {}),
  }
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = performance.now()
      await run()
      if (round >= 0) times[name].push(performance.now() - start)
    }
  }
  rmSync(folder, { recursive: true })
  console.log(
    table(
      [`${size.toLocaleString('en')} rows of ${COLUMNS} numbers and a label, batches of 256`, 's an epoch'],
      Object.entries(times).map(([name, each]) => [name, (median(each) / 1000).toFixed(2)]),
    ),
  )
}

const growth = await measureMemory(Number(options.gib))
await measureSpeed(Number(options.rounds))
await measureTable(Number(options.rows), Number(options.rounds))
console.log(machineLine(machine))
if (growth > ALLOWED) {
  console.error(`The memory grew by ${growth} MiB; at most ${ALLOWED} are allowed.`)
  process.exitCode = 1
}
