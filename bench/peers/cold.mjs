// One cold start in a fresh process: `node cold.mjs <adapter>` prints the milliseconds from the import of the library
// to the end of its first training step. The start of Node is not included.
import { performance } from 'node:perf_hooks'
import { seed } from './dense.mjs'

// The adapter imports its library in `load`, not before.
const { default: adapter } = await import(`./adapters/${process.argv[2]}.mjs`)
const { network, data, batchSize } = seed

const start = performance.now()
await adapter.load()
await adapter.build(network, data, batchSize).trainOnBatch(0)
console.log(performance.now() - start)
process.exit()
