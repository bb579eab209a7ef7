// Times how a fresh process reaches full speed: from the call of compile() until steps have their final duration.
// Imports and the start of Node are not included: see peers/cold.mjs.
//
//   node bench/warmup.mjs            writes results/warmup.json and the table in README.md
//   NODE_BINARIES=path/to/node24 node bench/warmup.mjs     this Node and that one
//   node bench/warmup.mjs --quick    fewer and shorter processes; prints only
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, nodeBinaries, publish, warnIfBusy } from './machine.mjs'
import { median } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

/** Full speed is reached where this many steps have a median of at most TOLERANCE times the steady one. */
const WINDOW = 9
const TOLERANCE = 1.3
const GOAL_MS = 20

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    processes: { type: 'string', default: '9' },
    'duration-ms': { type: 'string', default: '2000' },
    /** Internal: the task of this process, as JSON. */
    child: { type: 'string' },
  },
})
const processes = options.quick ? 3 : Number(options.processes)
const durationMs = options.quick ? 800 : Number(options['duration-ms'])

/**
 * @typedef {object} Task
 * @property {import('./peers/cases.mjs').Network['layers']} layers
 * @property {import('./peers/cases.mjs').Network['loss']} loss
 * @property {number} batchSize
 * @property {number} rows
 * @property {number} inputs
 * @property {string} file  float32: x [rows, inputs], then y [rows, 1]
 */

/**
 * Compiles and fits. Returns the end of each step, in ms after the call of compile().
 * @param {Task} task
 */
async function trainFresh({ layers, loss, batchSize, rows, inputs, file }) {
  const bytes = readFileSync(file)
  const data = new Float32Array(bytes.length / 4)
  new Uint8Array(data.buffer).set(bytes)
  const { Dense, Sequential, runtimeInfo, tensor } = await loadBuilt()
  const model = new Sequential(
    layers.map((layer, l) => new Dense(l === 0 ? { ...layer, inputShape: [inputs] } : { ...layer })),
  )
  const x = tensor(data.subarray(0, rows * inputs), [rows, inputs])
  const y = tensor(data.subarray(rows * inputs), [rows, 1])

  // fit checks whether to stop after every step, and once more after every epoch. Observing these checks costs a few
  // nanoseconds; a callback for batches would use another loop, which reads the loss after each step.
  const checkedAt = new Float64Array(1 << 22)
  let questions = 0
  let deadline = Infinity
  Object.defineProperty(model, 'stopTraining', {
    get: () => (checkedAt[questions++] = performance.now()) > deadline || questions === checkedAt.length,
    set() {},
    // Not enumerable, because a model searches its enumerable properties for layers.
    enumerable: false,
  })

  const start = performance.now()
  deadline = start + durationMs
  model.compile({ optimizer: 'adam', loss })
  const { history } = await model.fit(x, y, { batchSize, epochs: 1e9, verbose: 0 })

  const perEpoch = rows / batchSize + 1
  if (questions < checkedAt.length && Math.ceil(questions / perEpoch) !== history.loss.length) {
    throw new Error(
      `${history.loss.length} epochs: expected ${perEpoch} checks in each, received ${questions} in all. Has fit's loop changed?`,
    )
  }
  if (!(history.loss.at(-1) < history.loss[0]))
    throw new Error(`the loss does not fall: ${history.loss[0]} → ${history.loss.at(-1)}`)
  // Without the checks after epochs: the first step of an epoch begins when the last one ended.
  const ends = Array.from(checkedAt.subarray(0, questions - 1), (end) => end - start).filter(
    (_, i) => (i + 1) % perEpoch !== 0,
  )
  return { simd: runtimeInfo().simd, threads: runtimeInfo().threads, ...reachesFullSpeed(ends) }
}

function reachesFullSpeed(ends) {
  const times = ends.slice(1).map((end, i) => end - ends[i])
  if (times.length < 4 * WINDOW) throw new Error(`only ${ends.length} steps: too few for a steady state`)
  const steadyMs = median(times.slice(times.length >> 1))
  const running = (step) => median(times.slice(step, step + WINDOW))
  let step = 0
  while (running(step) > TOLERANCE * steadyMs && step < times.length - WINDOW) step++
  return {
    steps: ends.length,
    firstStepMs: ends[0],
    secondStepMs: times[0],
    steadyMs,
    fullSpeedMs: ends[step],
    fullSpeedStep: step + 1,
    // The running median at steps 1, 2, 4, 8, …, for drawing.
    course: Array.from({ length: Math.floor(Math.log2(times.length - WINDOW)) + 1 }, (_, i) => ({
      step: 2 ** i,
      atMs: Number(ends[2 ** i - 1].toPrecision(5)),
      medianMs: Number(running(2 ** i - 1).toPrecision(4)),
    })),
  }
}

if (options.child !== undefined) {
  console.log(JSON.stringify(await trainFresh(JSON.parse(options.child))))
  process.exit()
}

// Not in the timed processes: making networks and data leaves garbage, so that their first step would include a
// collection of 5 ms.
const { cases, dataset } = await import('./peers/cases.mjs')
const folder = mkdtempSync(join(tmpdir(), 'myelin-warmup-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** @returns {Task} */
function taskOf(caseId, batchSize, rows, classes, seed) {
  const { inputs, layers, loss } = cases.find(({ id }) => id === caseId).network
  const { x, y } = dataset(rows, inputs, classes, seed)
  const file = join(folder, caseId)
  writeFileSync(file, Buffer.concat([x, y].map(({ buffer }) => new Uint8Array(buffer))))
  return { layers, loss, batchSize, rows, inputs, file }
}

const models = [
  { title: '8→10→8→1, batch 32', task: taskOf('seed-fit', 32, 256, 2, 2) },
  { title: '784→128→10, batch 128', task: taskOf('mnist-train-on-batch', 128, 1024, 10, 4) },
]

function outputOf(path, args) {
  try {
    return execFileSync(path, args, { encoding: 'utf8', timeout: durationMs + 8000 })
  } catch (error) {
    // Node 24 occasionally hangs in process.exit, waiting for a thread of V8. The measurements are printed by then.
    if (error.code === 'ETIMEDOUT' && error.stdout !== '') return error.stdout
    throw error
  }
}

const machine = describeMachine()
warnIfBusy(machine)
const binaries = nodeBinaries()
const runs = binaries.flatMap((binary) => models.map((model) => ({ binary, model, samples: [] })))
const self = fileURLToPath(import.meta.url)
for (let round = 0; round < processes; round++) {
  for (const { binary, model, samples } of runs) {
    const args = [self, '--child', JSON.stringify(model.task), '--duration-ms', String(durationMs)]
    samples.push(JSON.parse(outputOf(binary.path, args)))
  }
}

const report = {
  ...machine,
  processes,
  durationMs,
  window: WINDOW,
  tolerance: TOLERANCE,
  goalMs: GOAL_MS,
  rows: runs.map(({ binary, model, samples }) => ({
    model: model.title,
    node: binary.version,
    simd: samples[0].simd,
    threads: samples[0].threads,
    ...Object.fromEntries(
      ['firstStepMs', 'secondStepMs', 'steadyMs', 'fullSpeedMs', 'fullSpeedStep'].map((key) => [
        key,
        median(samples.map((s) => s[key])),
      ]),
    ),
    samples,
  })),
}
const markdown = [
  table(
    [
      '',
      'Node',
      'first step done',
      'full speed after',
      'and steps',
      'second step',
      'steady step',
      `goal ${GOAL_MS} ms`,
    ],
    report.rows.map((row) => [
      row.model,
      `${row.node}, ${row.simd}`,
      formatMilliseconds(row.firstStepMs),
      formatMilliseconds(row.fullSpeedMs),
      String(row.fullSpeedStep),
      formatMilliseconds(row.secondStepMs),
      formatMilliseconds(row.steadyMs),
      row.fullSpeedMs <= GOAL_MS ? 'met' : 'missed',
    ]),
  ),
  '',
  `Wall time from the call of \`compile()\`, steps inside \`fit\`; full speed: ${WINDOW} steps with a median of at most ${TOLERANCE} times that of the second half of ${durationMs / 1000} s. Medians of ${processes} fresh processes. ${machineLine({ ...machine, runs: binaries.map(({ version, v8 }) => ({ node: version, v8 })) })}`,
].join('\n')
console.log(markdown)
if (!options.quick) publish('warmup', report, markdown)
