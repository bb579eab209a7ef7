// Trains the same model on the CPU, with `when: 'auto'` and with `when: 'always'`, in a page or in a worker.
import { Dense, Sequential, runtimeInfo, setRandomSeed } from '../../dist/index.js'
import { useWebGPU } from '../../dist/webgpu.js'

const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i), Math.sin(3 * i)])
const labels = rows.map(([a, b, c]) => [a * b + c])

/** The numbers that training leaves: weights, losses and predictions. */
async function trained() {
  setRandomSeed(7)
  const model = new Sequential([new Dense({ units: 6, activation: 'tanh', inputShape: [3] }), new Dense({ units: 1 })])
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const { history } = await model.fit(rows, labels, { epochs: 3, batchSize: 8, verbose: 0 })
  const predicted = await model.predict(rows)
  return [...model.getWeights().flatMap(({ data }) => [...data]), ...history.loss, ...predicted.data]
}

/** What a use of WebGPU gives: its note, where programs ran, and the largest difference from the numbers of the CPU. */
async function used(options, expected) {
  const gpu = await useWebGPU(options)
  const numbers = await trained()
  const { isAvailable, note, programs } = gpu
  const reported = runtimeInfo().gpu?.programs.length ?? 0
  gpu.stop()
  return {
    isAvailable,
    note,
    devices: programs.map(({ device }) => device),
    reported,
    difference: Math.max(...numbers.map((x, i) => Math.abs(x - expected[i]))),
  }
}

export async function compareWithCpu() {
  const expected = await trained()
  const adapter = (await navigator.gpu?.requestAdapter()) ?? null
  return {
    hasAdapter: adapter !== null,
    isFallback: adapter?.info.isFallbackAdapter ?? false,
    auto: await used({}, expected),
    always: await used({ when: 'always' }, expected),
  }
}
