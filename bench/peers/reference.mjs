// A plain float64 MLP with Keras's losses and Adam, with which every library is compared. Never timed, and deliberately
// the obvious loops.

/** @typedef {import('./dense.mjs').Network} Network */

const RATE = 1e-3
const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-7

const activate = {
  relu: (row) => row.map((z) => Math.max(z, 0)),
  sigmoid: (row) => row.map((z) => 1 / (1 + Math.exp(-z))),
  softmax: (row) => {
    const top = Math.max(...row)
    const e = row.map((z) => Math.exp(z - top))
    const sum = e.reduce((a, b) => a + b, 0)
    return e.map((v) => v / sum)
  },
}

/** Every layer's output for one row; the first is the row itself. */
function forward({ layers }, row) {
  const outputs = [row]
  layers.forEach(({ units, activation, weights: [{ data: kernel }, { data: bias }] }, l) => {
    const input = outputs[l]
    const z = Array.from(bias)
    for (let i = 0; i < input.length; i++) {
      for (let u = 0; u < units; u++) z[u] += input[i] * kernel[i * units + u]
    }
    outputs.push(activate[activation](z))
  })
  return outputs
}

/** The output of `network` for all rows, flat. */
export function predict(network, data) {
  const out = []
  for (let r = 0; r < data.rows; r++) {
    const [inputs] = network.inputShape
    const row = Array.from(data.x.subarray(r * inputs, (r + 1) * inputs))
    out.push(...forward(network, row).at(-1))
  }
  return out
}

/** Mean loss of probabilities [rows, outputs] against the labels; the same code for every library's output. */
export function meanLoss(network, data, probabilities) {
  const outputs = network.layers.at(-1).units
  let sum = 0
  for (let r = 0; r < data.rows; r++) {
    const label = data.y[r]
    const p =
      network.loss === 'binaryCrossentropy'
        ? label === 1
          ? probabilities[r]
          : 1 - probabilities[r]
        : probabilities[r * outputs + label]
    sum -= Math.log(Math.max(p, EPSILON))
  }
  return sum / data.rows
}

/**
 * Trains a float64 copy of `network` for `steps` batches taken in order, wrapping round.
 * @returns {Network}
 */
export function train(network, data, batchSize, steps) {
  const [inputs] = network.inputShape
  const layers = network.layers.map((layer) => ({
    ...layer,
    weights: layer.weights.map(({ shape, data: w }) => ({ shape, data: Float64Array.from(w) })),
  }))
  const trained = { ...network, layers }
  const weights = layers.flatMap((layer) => layer.weights.map(({ data: w }) => w))
  const m = weights.map((w) => new Float64Array(w.length))
  const v = weights.map((w) => new Float64Array(w.length))

  for (let step = 1; step <= steps; step++) {
    const gradients = weights.map((w) => new Float64Array(w.length))
    const start = ((step - 1) * batchSize) % data.rows
    for (let r = start; r < start + batchSize; r++) {
      const outputs = forward(trained, Array.from(data.x.subarray(r * inputs, (r + 1) * inputs)))
      // d loss / d z of sigmoid + binary and of softmax + categorical cross-entropy: p − y
      let delta = outputs.at(-1).map((p, c) => {
        const target = network.loss === 'binaryCrossentropy' ? data.y[r] : Number(data.y[r] === c)
        return (p - target) / batchSize
      })
      for (let l = layers.length - 1; l >= 0; l--) {
        const { units } = layers[l]
        const input = outputs[l]
        const kernel = weights[2 * l]
        const back = new Array(input.length).fill(0)
        for (let i = 0; i < input.length; i++) {
          for (let u = 0; u < units; u++) {
            gradients[2 * l][i * units + u] += input[i] * delta[u]
            back[i] += kernel[i * units + u] * delta[u]
          }
        }
        for (let u = 0; u < units; u++) gradients[2 * l + 1][u] += delta[u]
        // Hidden layers are relu: d relu(z) = [output > 0] d output
        delta = back.map((d, i) => (input[i] > 0 ? d : 0))
      }
    }
    // Kingma & Ba 2015, section 2, with the two bias corrections in one rate, as in Keras
    const rate = (RATE * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step)
    weights.forEach((w, k) => {
      for (let i = 0; i < w.length; i++) {
        const g = gradients[k][i]
        m[k][i] += (1 - BETA1) * (g - m[k][i])
        v[k][i] += (1 - BETA2) * (g * g - v[k][i])
        w[i] -= (rate * m[k][i]) / (Math.sqrt(v[k][i]) + EPSILON)
      }
    })
  }
  return trained
}
