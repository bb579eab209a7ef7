// What is measured on GPUs: products, and networks with their data. As data, for Node and for pages; measures nothing.
import { bare, conv, dense, gptLayers, normalized, pool, preparedFrom, residualBlock } from '../peers/networks.mjs'
import { random } from '../peers/random.mjs'

/** The steps of one epoch, so that a library can submit several at once. */
const STEPS = 32
/** To count calls: a driver in software may run the steps. */
const COUNTED = { steps: 16, batchSize: 2 }

const classes = { loss: 'sparseCategoricalCrossentropy' }
const image = { inputShape: [28, 28, 1], ...classes }
const residual = (size, filters) => ({
  inputShape: [size, size, 3],
  layers: [
    ...normalized(conv(filters, bare)),
    ...residualBlock(filters),
    pool,
    ...residualBlock(filters),
    { layer: 'GlobalAveragePooling2D' },
    dense(10, 'softmax'),
  ],
  ...classes,
})
const gpt = ({ blocks, tokens, steps, features }) => ({
  inputShape: [steps],
  tokens,
  layers: gptLayers({ blocks, tokens, steps, features }),
  ...classes,
})

/**
 * @typedef {object} Row
 * @property {string} title
 * @property {number} [n]      the rows and columns of a product
 * @property {number} [count]  the number of products that are timed together
 * @property {object} [network]  see peers/networks.mjs
 * @property {object} [counted]  a smaller one with the same calls, for drivers in software
 * @property {number} [batchSize]
 */

const product = (n, count) => [`product-${n}`, { title: `Product ${n}³`, n, count }]

/** @type {Record<string, Row>} */
export const rows = {
  ...Object.fromEntries([product(256, 64), product(512, 32), product(1024, 16), product(2048, 4), product(4096, 1)]),
  mlp: {
    title: 'MLP 784→128→10, batch 128',
    network: { inputShape: [784], layers: [dense(128, 'relu'), dense(10, 'softmax')], ...classes },
    batchSize: 128,
  },
  cnn: {
    title: 'CNN 32c3-p-64c3-p-128-10, batch 64',
    network: {
      ...image,
      layers: [
        conv(32, { activation: 'relu' }),
        pool,
        conv(64, { activation: 'relu' }),
        pool,
        { layer: 'Flatten' },
        dense(128, 'relu'),
        dense(10, 'softmax'),
      ],
    },
    batchSize: 64,
  },
  resnet: {
    title: 'Residual blocks, 32×32×3, 2 of 64 channels, batch 32',
    network: residual(32, 64),
    counted: residual(12, 16),
    batchSize: 32,
  },
  gpt2: {
    title: 'GPT, 2 blocks, 64 steps of 128, batch 16',
    network: gpt({ blocks: 2, tokens: 65, steps: 64, features: 128 }),
    counted: gpt({ blocks: 2, tokens: 65, steps: 16, features: 32 }),
    batchSize: 16,
  },
  gpt6: {
    title: 'GPT, 6 blocks, 128 steps of 256, batch 16',
    network: gpt({ blocks: 6, tokens: 256, steps: 128, features: 256 }),
    counted: gpt({ blocks: 6, tokens: 65, steps: 16, features: 32 }),
    batchSize: 16,
  },
  lstm: {
    title: 'LSTM(128), 32 steps of 64, batch 64',
    network: { inputShape: [32, 64], layers: [{ layer: 'LSTM', units: 128 }, dense(1)], loss: 'mse' },
    batchSize: 64,
  },
}

/**
 * The numbers of a row, the same in every run.
 * @param {string} id
 * @param {{ isCounted?: boolean }} [options]  whether only calls are counted: smaller batches and networks, fewer steps
 */
export function preparedRow(id, { isCounted = false } = {}) {
  const { title, n, count, network: full, counted = full, ...row } = rows[id]
  const network = isCounted ? counted : full
  const seed = 1 + Object.keys(rows).indexOf(id)
  if (n !== undefined) {
    const next = random(seed)
    const [a, b] = [0, 1].map(() => Float32Array.from({ length: n * n }, next))
    return { title, n, a, b, count: isCounted ? Math.min(count, 8) : count }
  }
  const { steps, batchSize } = isCounted ? COUNTED : { steps: STEPS, batchSize: row.batchSize }
  const all = preparedFrom({ ...network, batchSize: steps * batchSize }, seed)
  const one = preparedFrom({ ...network, batchSize }, seed)
  return { title, steps, batchSize, network: all.network, data: all.data, batch: one.data }
}

/**
 * What a library does for a row: `train` and `predict`, or `product`, each a call with the number of its units.
 * @param {{ build: Function, product: Function }} library  an adapter, see peers/adapters/interface.mjs
 * @param {ReturnType<typeof preparedRow>} prepared
 * @returns {Promise<{ calls: Record<string, { call: () => Promise<any>, units: number }>, dispose: () => void }>}
 */
export async function buildRow(library, prepared) {
  if (prepared.n !== undefined) {
    const { a, b, n, count } = prepared
    const { run, dispose } = library.product(a, b, n)
    return { calls: { product: { call: () => run(count), units: count } }, dispose }
  }
  const { network, data, batch, batchSize, steps } = prepared
  const model = await library.build(network, data, batchSize)
  const predicting = await library.build(network, batch, batchSize)
  return {
    calls: {
      predict: { call: async () => predicting.predictAll(), units: 1 },
      train: { call: async () => model.fit(1, false), units: steps },
    },
    dispose() {
      model.dispose()
      predicting.dispose()
    },
  }
}

/** The calls of rows, in the order of tables. */
export const CALLS = ['product', 'train', 'predict']

/**
 * Builds a row, runs each call once, which compiles it, and once more to count.
 * @param {{ take: () => Record<string, number> }} counter  see counts.mjs
 * @returns {Promise<Awaited<ReturnType<typeof buildRow>> & { answers: Record<string, any>, counts: Record<string, Record<string, number>> }>}
 *   the `answers` of the calls, and their `counts` for one unit
 */
export async function countedRow(library, prepared, counter) {
  const row = await buildRow(library, prepared)
  const [answers, counts] = [{}, {}]
  for (const [name, { call, units }] of Object.entries(row.calls)) {
    answers[name] = await call()
    counter.take()
    await call()
    counts[name] = Object.fromEntries(Object.entries(counter.take()).map(([kind, n]) => [kind, n / units]))
  }
  return { ...row, answers, counts }
}
