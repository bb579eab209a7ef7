// A server that predicts under load: requests that arrive while a prediction runs are answered together by the next one.
// 64 clients ask at the same time, from another thread.
//
// Baseline: the same server with a prediction for each request. Result: each answer is the one that the model gives alone.
// In this library a row costs nearly as little alone as in a batch, so here most of the time is spent on HTTP, and batches
// change little: measure before you batch.
// Run it after `npm run build` with `node examples/server`.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loadModel } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { digitAt, readDigits } from '../data/digits.js'
import { claim, percent, printTable, readOptions, savePicture } from '../shared/report.js'

const { requests, clients } = readOptions({ requests: 2000, clients: 64 })
/** The network of examples/data, which Keras trained, reads the digits 0 to 4. */
const model = await loadModel(fileURLToPath(new URL('../data/digits-0-4.keras', import.meta.url)))
const [SIDE, CLASSES] = [28, 5]
const SIZE = SIDE ** 2

/** Predicts rows in batches: each has all rows that wait, up to `most`. */
class Batcher {
  waiting = []
  /** Milliseconds in the model. */
  milliseconds = 0
  batches = []

  constructor(most) {
    this.most = most
    // A step is compiled for each size of a batch, so there are few sizes.
    for (let size = 1; size <= most; size *= 2) this.predict(Array.from({ length: size }, () => new Float32Array(SIZE)))
  }

  predict(rows) {
    const size = 2 ** Math.ceil(Math.log2(rows.length))
    const data = new Float32Array(size * SIZE)
    rows.forEach((row, i) => data.set(row, i * SIZE))
    const answers = model.predictOnBatch({ data, shape: [size, SIDE, SIDE, 1] }).data
    return rows.map((_, i) => answers.subarray(i * CLASSES, (i + 1) * CLASSES))
  }

  /** A promise of the probabilities for one row. */
  ask(row) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ row, resolve, reject })
      // Runs after the requests that have arrived by now are in the queue.
      if (this.waiting.length === 1) setImmediate(() => this.run())
    })
  }

  run() {
    const batch = this.waiting.splice(0, this.most)
    if (this.waiting.length > 0) setImmediate(() => this.run())
    this.batches.push(batch.length)
    try {
      const started = performance.now()
      const answers = this.predict(batch.map(({ row }) => row))
      this.milliseconds += performance.now() - started
      batch.forEach(({ resolve }, i) => resolve(answers[i]))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

/** The bytes of a picture in; the digit and its probability out. */
function listen(batcher) {
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    if (bytes.length !== SIZE) return response.writeHead(400).end(`Expected ${SIZE} bytes, received ${bytes.length}`)
    const probabilities = await batcher.ask(Float32Array.from(bytes, (ink) => ink / 255))
    const probability = Math.max(...probabilities)
    response.end(JSON.stringify({ digit: probabilities.indexOf(probability), probability }))
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

/** Asks a server, and returns the answers, milliseconds of each request, and requests per second. */
async function load(batcher, images) {
  const server = await listen(batcher)
  const worker = new Worker(new URL('load.js', import.meta.url), {
    workerData: { port: server.address().port, images, requests, clients },
  })
  const [result] = await once(worker, 'message')
  server.close()
  return {
    ...result,
    perSecond: requests / result.seconds,
    batch: requests / batcher.batches.length,
    model: (1000 * batcher.milliseconds) / requests,
  }
}

const { test } = readDigits([SIDE, SIDE, 1])
const rows = [...test.y.keys()].filter((i) => test.y[i] < CLASSES)
const images = rows.map((i) => Uint8Array.from(digitAt(test.x, i), (ink) => Math.round(255 * ink)))

console.log(`${requests} requests by ${clients} clients at the same time`)
await load(new Batcher(1), images.slice(0, 10)) // warms up
const results = {}
for (const [name, most] of [
  ['one by one', 1],
  ['in batches', 64],
]) {
  results[name] = await load(new Batcher(most), images)
  console.log(`${name}: ${results[name].perSecond.toFixed(0)} requests per second`)
}

const quantile = ({ milliseconds }, share) => milliseconds[Math.min(requests - 1, Math.floor(share * requests))]
console.log()
printTable([
  ['', 'requests per second', 'rows in a prediction', 'µs in the model', 'ms, median', 'ms, 99 of 100'],
  ...Object.entries(results).map(([name, result]) => [
    name,
    result.perSecond.toFixed(0),
    result.batch.toFixed(1),
    result.model.toFixed(0),
    quantile(result, 0.5).toFixed(1),
    quantile(result, 0.99).toFixed(1),
  ]),
])

// The expected answers.
const expected = await model.predict(
  {
    data: Float32Array.from(
      images.flatMap((image) => [...image]),
      (ink) => ink / 255,
    ),
    shape: [images.length, SIDE, SIDE, 1],
  },
  { verbose: 0 },
)
const isSame = Object.values(results).every(({ answers }) =>
  answers.every(
    ({ digit, probability }, i) => Math.abs(expected.data[(i % images.length) * CLASSES + digit] - probability) < 1e-4,
  ),
)
const { answers, batch } = results['in batches']
const accuracy = answers.filter(({ digit }, i) => digit === test.y[rows[i % rows.length]]).length / requests
console.log(`${percent(accuracy)} of the digits are read correctly`)
const shares = Array.from({ length: 99 }, (_, i) => (i + 1) / 100)
const latencies = Object.fromEntries(
  Object.entries(results).map(([name, result]) => [name, shares.map((share) => quantile(result, share))]),
)
await savePicture(
  'server',
  plotHistory(latencies, { title: 'Milliseconds until the answer', xLabel: 'of 100 requests, fastest first' }),
)
claim({
  'every answer is the one that the model gives alone': isSame,
  'at least 95 % of the digits are read': accuracy >= 0.95,
  'under load a prediction answers at least 2 requests': batch >= 2,
})
