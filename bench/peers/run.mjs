// Compares the libraries: checks that they compute the same results, times them interleaved, and reports.
//
//   node run.mjs                     everything; writes ../results/peers.json and ../results/peers-layers.json, the tables in
//                                    ../README.md and, ratios only, those in ../../docs/speed.md and ../../README.md
//   node run.mjs --tables            measures nothing: writes the tables from ../results
//   node run.mjs --cases layers      the cases of one table, dense or layers; writes that one
//   node run.mjs --cases seed-fit    some of the cases; prints only
//   node run.mjs --only tfjs,jax     some of the libraries; prints only
//   node run.mjs --rounds 15 --sample-ms 400 --warm-up-ms 4000
//   node run.mjs --quick             checks, and one short round: for trying out an adapter; prints only
//   node run.mjs --turbo             myelin with turbo, which needs Node 24; prints only
//   node run.mjs --python PATH       also Keras 3 and PyTorch, whichever that interpreter has
//   NODE_BINARIES=path/to/node24 node run.mjs     in both versions of Node, side by side
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { pythonAdapters } from './adapters/python.mjs'
import { check, LAYER_TOLERANCE, LEARNT_TOLERANCE, PREDICTION_TOLERANCE, TOLERANCE } from './check.mjs'
import { interleave, median, ratio } from './measure.mjs'
import { sizeOf } from './size.mjs'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from '../machine.mjs'
import { formatMilliseconds, replaceTable, table } from '../report.mjs'

const ALL = ['myelin', 'tfjs', 'jax', 'brain', 'ort-web', 'ort-node']
/** The columns of the table of other networks, and of the one in the project's README. */
const NARROW = ['myelin', 'tfjs', 'jax', 'torch']
const BRIEF = ['myelin', 'tfjs', 'jax', 'brain', 'ort-web', 'torch']
const NONE = '–'
const COLD_START = 'Cold start: import → first training step'
const WHOLE_JOB = 'A whole job in a fresh process: import, `fit` of 768 rows × 10 epochs, `evaluate`, `predict`'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    'sample-ms': { type: 'string', default: '200' },
    'warm-up-ms': { type: 'string', default: '2000' },
    'cold-starts': { type: 'string', default: '7' },
    quick: { type: 'boolean', default: false },
    turbo: { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
    python: { type: 'string' },
  },
})
const chosen = choose('--only', options.only, ALL)
const GROUPS = ['dense', 'layers']
/** What cold.mjs and job.mjs train. */
const coldStartCase = cases.find(({ id }) => id === 'seed-train-on-batch')
const idsOf = (group) => cases.filter((c) => c.group === group).map(({ id }) => id)
const wanted = options.cases
  ?.split(',')
  .flatMap((name) => (GROUPS.includes(name) ? idsOf(name) : [name]))
  .join(',')
const chosenCases = choose(
  '--cases',
  wanted,
  cases.map((c) => c.id),
).map((id) => cases.find((c) => c.id === id))
/** The tables with at least one chosen case. */
const groups = GROUPS.filter((group) => chosenCases.some((c) => c.group === group))
const isComplete = (group) =>
  chosen.length === ALL.length &&
  idsOf(group).every((id) => chosenCases.some((c) => c.id === id)) &&
  !options.quick &&
  !options.turbo
const timing = options.quick
  ? { rounds: 1, warmUpMs: 50, sampleMs: 20 }
  : { rounds: Number(options.rounds), warmUpMs: Number(options['warm-up-ms']), sampleMs: Number(options['sample-ms']) }
const coldStarts = options.quick ? 1 : Number(options['cold-starts'])

function choose(flag, list, known) {
  if (list === undefined) return known
  const names = list.split(',')
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length) throw new Error(`${flag} knows ${known.join(', ')}; received ${unknown.join(', ')}`)
  return known.filter((name) => names.includes(name))
}

/** The installed version, which is also the pinned one. */
function versionOf(adapter) {
  if (adapter.package === null) return adapter.version
  const path = adapter.package === 'myelin' ? '../../package.json' : `node_modules/${adapter.package}/package.json`
  return JSON.parse(readFileSync(new URL(path, import.meta.url))).version
}

/** A library skips cases that it does not support, and predictions that cannot be checked. */
function takesPart(adapter, testCase) {
  return (adapter.can?.(testCase) ?? true) && (adapter.comparable || testCase.checkSteps > 0)
}

/** The milliseconds that a script prints for a library in a fresh process. */
function freshProcess(file, name) {
  const script = fileURLToPath(new URL(file, import.meta.url))
  return Number(execFileSync(process.execPath, [script, name], { encoding: 'utf8' }).trim().split('\n').at(-1))
}

/** In one Node: checks, times, and starts in new processes. Ratios refer to the first adapter's numbers. */
async function measure() {
  const adapters = new Map()
  if (options.turbo) (await loadBuilt()).configure({ turbo: true })
  for (const name of chosen) {
    const { default: adapter } = await import(`./adapters/${name}.mjs`)
    await adapter.load()
    adapters.set(name, adapter)
  }
  if (options.python !== undefined) {
    for (const [name, adapter] of await pythonAdapters(options.python)) adapters.set(name, adapter)
  }
  const results = []
  const first = adapters.values().next().value
  for (const testCase of chosenCases)
    if (takesPart(first, testCase)) results.push(await measureCase(testCase, adapters))
  return {
    ...(chosen.includes('myelin') && { simd: (await loadBuilt()).runtimeInfo().simd }),
    libraries: Object.fromEntries(
      [...adapters].map(([name, a]) => [
        name,
        { title: a.title, package: a.package, version: versionOf(a), native: a.native ?? false, note: a.note },
      ]),
    ),
    cases: results,
    ...(groups.includes('dense') && {
      coldStart: measureFreshProcesses(
        'cold.mjs',
        chosen.filter((name) => takesPart(adapters.get(name), coldStartCase)),
      ),
      job: measureFreshProcesses(
        'job.mjs',
        chosen.filter((name) => adapters.get(name).runJob !== undefined),
      ),
    }),
  }
}

async function measureCase(testCase, adapters) {
  const { id, group, name: caseName, title, operation, network, data, batchSize, unitsPerCall } = testCase
  console.error(id)
  const present = [...adapters].filter(([, adapter]) => takesPart(adapter, testCase))
  const checks = {}
  for (const [name, adapter] of present) {
    checks[name] = await check(adapter, testCase)
    console.error(`  ${name}: ${verdict(checks[name])}`)
  }

  const models = []
  for (const [name, adapter] of present) models.push({ name, model: await adapter.build(network, data, batchSize) })
  const samples = await interleave(
    models.map(({ name, model }) => ({
      name,
      call: () => testCase.call(model),
      sample: model.sample && ((milliseconds) => model.sample(operation, milliseconds)),
    })),
    timing,
  )
  const times = {}
  const first = samples.get(models[0].name)
  for (const { name, model } of models) {
    const rounds = samples.get(name).map((ms) => ms / unitsPerCall)
    times[name] = {
      medianMs: median(rounds),
      minMs: Math.min(...rounds),
      maxMs: Math.max(...rounds),
      ratio: ratio(samples.get(name), first),
      roundsMs: rounds,
    }
    console.error(
      `  ${name}: ${formatMilliseconds(times[name].medianMs)} (${formatMilliseconds(times[name].minMs)} – ${formatMilliseconds(times[name].maxMs)})`,
    )
    await model.dispose()
  }
  return { id, group, name: caseName, title, checks, times }
}

function measureFreshProcesses(file, names) {
  console.error(file)
  const starts = Object.fromEntries(names.map((name) => [name, []]))
  for (const name of names) freshProcess(file, name) // fills the disk cache
  for (let round = 0; round < coldStarts; round++) {
    for (const name of names) starts[name].push(freshProcess(file, name))
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      { medianMs: median(starts[name]), ratio: ratio(starts[name], starts[names[0]]), roundsMs: starts[name] },
    ]),
  )
}

function verdict(result) {
  if ('largest' in result) return `predictions differ by at most ${result.largest.toExponential(1)}`
  const { before, after, reference, difference } = result
  const judged =
    difference === null ? 'falls' : `reference ${reference.toFixed(6)}, difference ${difference.toExponential(1)}`
  return `loss ${before.toFixed(6)} → ${after.toFixed(6)} (${judged})`
}

function toMarkdown(report) {
  const libraries = librariesOf(report)
  const title = Object.values(libraries)[0].title
  return [
    comparison(report, libraries, (text, factor) =>
      factor === null ? `**${text}**` : `${text} (${formatRatio(factor)})`,
    ),
    '',
    `Medians of ${report.rounds} interleaved rounds; in brackets how many times ${title}'s. ${machineLine(report)}`,
    '',
    ...Object.values(libraries).map(({ title, note }) => `- ${title}: ${note}`),
  ].join('\n')
}

/** For docs/speed.md: this library's numbers, and the others' as multiples of them. */
function toShortMarkdown(report) {
  const libraries = librariesOf(report)
  const native = Object.values(libraries).flatMap(({ title, native: isNative }) => (isNative ? [title] : []))
  return [
    comparison(report, libraries, (text, factor) => (factor === null ? text : formatRatio(factor))),
    '',
    `The other libraries' numbers as multiples of myelin's; 1.0× is as fast, or as large. All have one thread. Native code, not WebAssembly: ${native.join(', ')}. ${machineLine(report)}`,
  ].join('\n')
}

/** For a narrow screen: the newest Node, and some of the libraries. */
function toNarrowMarkdown(report, columns = NARROW) {
  const run = report.runs.at(-1)
  const [first, ...others] = columns.filter((name) => run.libraries[name] !== undefined)
  const row = (title, results) => [
    title,
    formatMilliseconds(results[first].medianMs),
    ...others.map((other) => (results[other] === undefined ? NONE : formatRatio(results[other].ratio))),
  ]
  const rows = run.cases.map(({ name, title, times }) => row(name ?? title, times))
  if (run.coldStart !== undefined) rows.push(row(COLD_START, run.coldStart))
  return [
    table(['', ...[first, ...others].map((name) => run.libraries[name].title)], rows),
    '',
    `The other libraries' times as multiples of myelin's, on one thread${others.includes('torch') ? '; PyTorch is native code' : ''}. ${NONE}: not possible there. ${nodeTitle(run)}. ${machineLine({ ...report, runs: [run] })}`,
  ].join('\n')
}

/** Libraries of all runs: the fastest backend of Keras may differ between them. */
function librariesOf({ runs }) {
  return Object.assign({}, ...runs.map(({ libraries }) => libraries))
}

/**
 * One line per case and Node.
 * @param cell text of a number and its ratio to the first library's, null for that library itself → content of a cell
 */
function comparison({ runs, size }, libraries, cell) {
  const names = Object.keys(libraries)
  const line = (title, node, results, textOf, ratioOf) => [
    title,
    node,
    ...names.map((name, i) =>
      results[name] === undefined ? NONE : cell(textOf(results[name]), i === 0 ? null : ratioOf(results[name])),
    ),
  ]
  // The title is printed once, for the first Node.
  const lines = (title, resultsOf) =>
    runs.map((run, i) =>
      line(
        i === 0 ? title : '',
        nodeTitle(run),
        resultsOf(run),
        ({ medianMs }) => formatMilliseconds(medianMs),
        ({ ratio: factor }) => factor,
      ),
    )
  const wholes = () => [
    ...lines(COLD_START, ({ coldStart: starts }) => starts),
    ...(runs[0].job === undefined ? [] : lines(WHOLE_JOB, ({ job }) => job)),
    line(
      'Size as published, gzipped',
      '',
      size,
      ({ gzip }) => `${Math.round(gzip / 1000).toLocaleString('en-US')} kB`,
      ({ gzip }) => gzip / size[names[0]].gzip,
    ),
  ]
  return table(
    ['', '', ...names.map((name) => `${libraries[name].title} ${libraries[name].version}`)],
    [
      ...runs[0].cases.flatMap(({ title }, i) => lines(title, ({ cases: results }) => results[i].times)),
      ...(runs[0].coldStart === undefined ? [] : wholes()),
    ],
  )
}

function formatRatio(factor) {
  if (factor >= 10) return `${Math.round(factor)}×`
  return `${factor.toFixed(factor < 0.95 ? 2 : 1)}×`
}

/** The part of a report that one table shows: its cases, and the libraries that take part in them. */
function reportOf(group, { runs, size, ...rest }) {
  const isDense = group === 'dense'
  return {
    ...rest,
    runs: runs.map(({ coldStart, job, libraries, cases: all, ...run }) => {
      const cases = all.filter((c) => c.group === group)
      return {
        ...run,
        libraries: Object.fromEntries(
          Object.entries(libraries).filter(([name]) => cases.some(({ times }) => times[name] !== undefined)),
        ),
        cases,
        ...(isDense && { coldStart, job }),
      }
    }),
    ...(isDense && { size }),
  }
}

const TABLES = {
  dense: {
    name: 'peers',
    speed: toShortMarkdown,
    tolerances: { tolerance: TOLERANCE, predictionTolerance: PREDICTION_TOLERANCE },
  },
  layers: {
    name: 'peers-layers',
    speed: toNarrowMarkdown,
    tolerances: { tolerance: LAYER_TOLERANCE, learntTolerance: LEARNT_TOLERANCE },
  },
}

/** Writes the ratios of a report into the documents that show them. */
function publishRatios(group, report) {
  const { name, speed } = TABLES[group]
  const inProject = (path) => new URL(`../../${path}`, import.meta.url)
  replaceTable(inProject('docs/speed.md'), name, speed(report))
  if (group === 'dense') replaceTable(inProject('README.md'), name, toNarrowMarkdown(report, BRIEF))
  console.error(`written: the ratios of ${name}`)
}

if (options.tables) {
  for (const group of groups) {
    const results = new URL(`../results/${TABLES[group].name}.json`, import.meta.url)
    publishRatios(group, JSON.parse(readFileSync(results, 'utf8')))
  }
} else {
  const measured = {
    ...(await measureInEachNode(import.meta.url, measure)),
    rounds: timing.rounds,
    size: Object.fromEntries(chosen.map((name) => [name, sizeOf(name)]).filter(([, size]) => size !== null)),
  }
  for (const group of groups) {
    const { name, speed, tolerances } = TABLES[group]
    const report = { ...reportOf(group, measured), ...tolerances }
    const markdown = toMarkdown(report)
    console.log(`${markdown}\n\n${speed(report)}\n`)
    if (!isComplete(group)) continue
    publish(name, report, markdown)
    publishRatios(group, report)
  }
}
