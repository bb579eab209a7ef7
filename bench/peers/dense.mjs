// Networks of dense layers with their initial weights, and data. A cold start imports this module and not cases.mjs: all cases
// together leave so much garbage that collecting it falls into the time of what starts next.
import { random } from './random.mjs'

/**
 * @typedef {object} Network  what adapters build from; see networks.mjs for the layers
 * @property {number[]} inputShape  without the batch
 * @property {number} [tokens]  the inputs are integers below this
 * @property {PreparedLayer[]} layers
 * @property {'binaryCrossentropy' | 'sparseCategoricalCrossentropy' | 'mse'} loss
 * @property {number[]} outputShape  without the batch
 *
 * @typedef {{ layer: string, inputShape: number[], outputShape: number[], weights: { shape: number[], data: Float32Array }[],
 *   layers?: PreparedLayer[] } & Record<string, any>} PreparedLayer  weights are row-major, in Keras's order
 */

/**
 * @typedef {object} Dataset
 * @property {number} rows
 * @property {Float32Array | Int32Array} x  [rows, ...inputShape]
 * @property {Float32Array | Int32Array} y  [rows, ...targetShape]: 0 or 1 for binary, the class's index for sparse
 *   categorical, else numbers
 * @property {number[]} targetShape
 */

/** Dense layers. @returns {Network} with Glorot-uniform kernels and zero biases */
export function network(inputs, layers, loss, seed) {
  const next = random(seed)
  let fanIn = inputs
  const prepared = layers.map(({ units, activation }) => {
    const limit = Math.sqrt(6 / (fanIn + units))
    const kernel = {
      shape: [fanIn, units],
      data: Float32Array.from({ length: fanIn * units }, () => (2 * next() - 1) * limit),
    }
    const layer = {
      layer: 'Dense',
      units,
      activation,
      inputShape: [fanIn],
      outputShape: [units],
      weights: [kernel, { shape: [units], data: new Float32Array(units) }],
    }
    fanIn = units
    return layer
  })
  return { inputShape: [inputs], layers: prepared, loss, outputShape: [fanIn] }
}

/** @returns {Dataset} features in [-1, 1), the label decided by a random linear map of them */
export function dataset(rows, inputs, classes, seed) {
  const next = random(seed)
  const x = Float32Array.from({ length: rows * inputs }, () => 2 * next() - 1)
  const map = Float32Array.from({ length: inputs * classes }, () => 2 * next() - 1)
  const y = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    let best = -Infinity
    for (let c = 0; c < classes; c++) {
      let score = 0
      for (let i = 0; i < inputs; i++) score += x[row * inputs + i] * map[i * classes + c]
      if (score > best) {
        best = score
        y[row] = c
      }
    }
  }
  return { rows, x, y, targetShape: [1] }
}

/** Some of the rows. @returns {Dataset} */
export function rowsOf({ rows, x, y, targetShape }, first, count) {
  const part = (values) => values.slice((first * values.length) / rows, ((first + count) * values.length) / rows)
  return { rows: count, x: part(x), y: part(y), targetShape }
}

/** The network of the README, which also starts cold. */
export const seed = {
  batchSize: 32,
  network: network(
    8,
    [
      { units: 10, activation: 'relu' },
      { units: 8, activation: 'relu' },
      { units: 1, activation: 'sigmoid' },
    ],
    'binaryCrossentropy',
    1,
  ),
  data: dataset(256, 8, 2, 2),
}
