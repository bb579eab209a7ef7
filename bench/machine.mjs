// Describes where and in which versions of Node numbers were measured, and warns when the machine is busy. Measures
// nothing.
//
// A program whose table shows several versions of Node side by side is a function that measures, followed by
//
//   const report = await measureInEachNode(import.meta.url, measure);
//   const columns = report.runs.map((run) => `${nodeTitle(run)}: median`); // 'Node 20, plain: median', …
//   publish(name, report, [table(columns, …), '', machineLine(report)].join('\n'));
//
// `NODE_BINARIES=path/to/node24,path/to/node26 node program.mjs` then measures in this Node, Node 24 and Node 26, one
// at a time, each in a separate process; without NODE_BINARIES, in this Node only. A program that interleaves its
// processes uses `nodeBinaries()` instead.
import { execFileSync, fork } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { replaceTable } from './report.mjs'

const at = (path) => new URL(path, import.meta.url)

/** The built package. @returns {Promise<typeof import('../dist/index.js')>} */
export async function loadBuilt() {
  if (!existsSync(at('../dist/index.js'))) throw new Error('dist/index.js is missing. Run `npm run build` first')
  return import('../dist/index.js')
}

/** The description of machine and versions in a report. */
export function describeMachine() {
  return {
    version: JSON.parse(readFileSync(at('../package.json'), 'utf8')).version,
    cpu: cpus()[0].model.trim(),
    logicalCpus: cpus().length,
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0],
  }
}

/** This Node and those of NODE_BINARIES, paths separated by commas. @returns {{ path: string, version: string, v8: string }[]} */
export function nodeBinaries() {
  const paths = [process.execPath, ...(process.env.NODE_BINARIES?.split(',').filter(Boolean) ?? [])]
  return paths.map((path) => {
    const [version, v8] = execFileSync(path, ['-p', '`${process.version} ${process.versions.v8}`'], {
      encoding: 'utf8',
    })
      .trim()
      .split(' ')
    return { path, version, v8 }
  })
}

/** Set to the variant to measure in the processes that measureInEachNode starts: they report to their parent. */
const MEASURES = 'BENCH_MEASURES'

/**
 * Runs the program again in each of nodeBinaries(), with the same arguments. Those processes run only `measure`: this
 * call does not return there, so the rest of the program must follow it.
 * @template T
 * @param {string} program  import.meta.url of the program
 * @param {(variant: string) => Promise<T>} measure  its result must survive JSON; `simd`, if it has one, is printed as
 *   well
 * @param {string[]} variants  each in a separate process, because a running process cannot switch
 * @returns {Promise<Omit<ReturnType<typeof describeMachine>, 'node' | 'v8'> & { runs: ({ node: string, v8: string } &
 *   T)[] }>}
 */
export async function measureInEachNode(program, measure, variants = ['']) {
  if (process.env[MEASURES] !== undefined) {
    const { node, v8 } = describeMachine()
    const run = { node, v8, ...(await measure(process.env[MEASURES])) }
    await new Promise((sent) => process.send(run, sent))
    // Idle workers and open handles must not keep the process alive.
    process.exit()
  }
  const { node: _node, v8: _v8, ...machine } = describeMachine()
  warnIfBusy(machine)
  const runs = []
  for (const { path, version } of nodeBinaries()) {
    for (const variant of variants) {
      console.error(`Node ${version} ${variant}`.trimEnd())
      runs.push(await runOf(fileURLToPath(program), path, variant))
    }
  }
  return { ...machine, runs }
}

function runOf(script, execPath, variant) {
  return new Promise((resolve, reject) => {
    const child = fork(script, process.argv.slice(2), { execPath, env: { ...process.env, [MEASURES]: variant } })
    let run
    child.on('message', (message) => (run = message))
    child.on('error', reject)
    // Not 'exit', which may come before the message.
    child.on('close', (code, signal) => {
      // The process has printed the error itself.
      if (code > 0) process.exit(code)
      if (run === undefined)
        reject(new Error(`${script} in ${execPath} ended without a report${signal ? `: ${signal}` : ''}`))
      else resolve(run)
    })
  })
}

/** The heading of a run's columns or rows. @param {{ node: string, simd?: string }} run */
export function nodeTitle({ node, simd }) {
  return `Node ${node.slice(1).split('.')[0]}${simd === undefined ? '' : `, ${simd}`}`
}

/** One line under a table, from a report of measureInEachNode or from describeMachine. */
export function machineLine({ version, cpu, logicalCpus, platform, ...rest }) {
  const { runs = [rest] } = rest
  const nodes = [...new Set(runs.map(({ node, v8 }) => `Node ${node} (V8 ${v8})`))].join(', ')
  const line = `myelin ${version}, ${cpu}, ${logicalCpus} logical CPUs, ${platform}, ${nodes}.`
  const levels = new Set(runs.map(({ simd }) => simd))
  return levels.has('plain') && levels.has('relaxed') ? `${line} ${WHY_LEVELS_DIFFER}` : line
}

const WHY_LEVELS_DIFFER =
  "*plain*, *relaxed*: which of myelin's SIMD binaries runs when nothing is set; Node 20 has relaxed SIMD behind a flag only, so it runs the plain one."

/** Call it before measuring: above this fraction of the CPUs the medians are not worth publishing. */
export function warnIfBusy({ loadBefore }) {
  if (loadBefore > 0.5) {
    console.error(`warning: other processes use the CPU (load ${loadBefore.toFixed(1)}): do not publish these times`)
  }
}

/** Writes results/<name>.json and the table <name> of README.md. */
export function publish(name, report, markdown) {
  mkdirSync(at('results/'), { recursive: true })
  writeFileSync(at(`results/${name}.json`), `${JSON.stringify(report, null, 2)}\n`)
  replaceTable(at('README.md'), name, markdown)
  console.error(`written: bench/results/${name}.json and the table in bench/README.md`)
}
