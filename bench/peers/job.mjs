// A typical whole job, once, in a fresh process: `node job.mjs <adapter>` prints the milliseconds from the import of
// the library to the prediction. Nested arrays of 768 rows; 10 epochs in batches of 32, evaluate, predict one row.
// The start of Node is not included.
import { performance } from 'node:perf_hooks'
import { dataset } from './dense.mjs'

const ROWS = 768
const INPUTS = 8
const { x, y } = dataset(ROWS, INPUTS, 2, 2)
const job = {
  rows: Array.from({ length: ROWS }, (_, row) => Array.from(x.subarray(row * INPUTS, (row + 1) * INPUTS))),
  labels: Array.from(y, (label) => [label]),
  epochs: 10,
  batchSize: 32,
  units: [10, 8, 1],
}

// The adapter imports its library in `runJob`, not before.
const { default: adapter } = await import(`./adapters/${process.argv[2]}.mjs`)
const start = performance.now()
const prediction = await adapter.runJob(job)
const elapsed = performance.now() - start
if (!(prediction >= 0 && prediction <= 1)) throw new Error(`${process.argv[2]}: predicted ${prediction}`)
console.log(elapsed)
process.exit()
