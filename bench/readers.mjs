// Times readCsv on a file like that of MNIST as CSV: a label and 784 pixels a row. Prints only.
//
//   node bench/readers.mjs [rows]      default 10,000
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Papa from 'papaparse'
import { readCsv } from '../dist/data.js'
import { describeMachine, machineLine } from './machine.mjs'
import { median } from './peers/measure.mjs'
import { table } from './report.mjs'

const rows = Number(process.argv[2] ?? 10_000)
const pixels = 784
const rounds = 5

let state = 1
// Most pixels of a digit are 0.
function pixel() {
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return Math.max(0, ((state >> 8) % 1280) - 1024)
}
const folder = mkdtempSync(join(tmpdir(), 'myelin-readers-'))
const path = join(folder, 'digits.csv')
const lines = Array.from({ length: rows }, (_, row) => [row % 10, ...Array.from({ length: pixels }, pixel)].join(','))
writeFileSync(path, `label,${Array.from({ length: pixels }, (_, i) => `p${i}`).join(',')}\n${lines.join('\n')}\n`)
const megabytes = readFileSync(path).length / 1e6

const vector = { features: 'vector', target: 'label' }
const programs = {
  "features: 'vector'": () => readCsv(path, vector).forEach(() => {}),
  "features: 'vector', batch(32)": () =>
    readCsv(path, vector)
      .batch(32)
      .forEach(() => {}),
  "features: 'record'": () => readCsv(path, { target: 'label' }).forEach(() => {}),
  'Papa Parse, and Number() for every cell': () =>
    Papa.parse(readFileSync(path, 'utf8'), { delimiter: ',', newline: '\n', skipEmptyLines: true }).data.map((row) =>
      Float32Array.from(row, Number),
    ),
}

try {
  const seconds = Object.fromEntries(Object.keys(programs).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(programs)) {
      const start = performance.now()
      await run()
      seconds[name].push((performance.now() - start) / 1000)
    }
  }
  const line = (name) => [
    name,
    (megabytes / median(seconds[name])).toFixed(1),
    Math.round(rows / median(seconds[name])).toLocaleString('en'),
  ]
  console.log(
    `${rows.toLocaleString('en')} rows of ${pixels + 1} numbers, ${megabytes.toFixed(1)} MB; medians of ${rounds} rounds, interleaved. ${machineLine(describeMachine())}\n`,
  )
  console.log(table(['', 'MB/s', 'rows/s'], Object.keys(programs).map(line)))
} finally {
  rmSync(folder, { recursive: true })
}
