// Adapter of brain.js. See interface.mjs.
//
// brain.js has no mini-batches, no choice of loss and no activation per layer. One "step" here is one
// weight update for each of the batch's rows; so it does `batchSize` times as many updates as the others. Its
// optimizer, momentum, is kept: with `praxis: 'adam'` a step takes it about twice as long.

let brain

/** @type {import('./interface.mjs').Adapter} */
export default {
  title: 'brain.js',
  package: 'brain.js',
  note:
    'No mini-batches: one step is one update per row, so 32 (or 128) updates. Squared error, and sigmoid in ' +
    'every layer (it has no softmax, and one activation for all layers). Its default optimizer (momentum), which is cheaper than its Adam. Plain JavaScript (`NeuralNetwork`, not `NeuralNetworkGPU`).',
  comparable: false,
  can: ({ group }) => group === 'dense',

  async load() {
    ;({ default: brain } = await import('brain.js'))
  },

  // Its errorThresh may end the training early; its test corresponds to evaluate.
  async runJob({ rows, labels, epochs, units }) {
    await this.load()
    const net = new brain.NeuralNetwork({ hiddenLayers: units.slice(0, -1), activation: 'sigmoid' })
    const patterns = rows.map((input, i) => ({ input, output: labels[i] }))
    net.train(patterns, { iterations: epochs, errorThresh: 1e-12 })
    net.test(patterns)
    return net.run(rows[0])[0]
  },

  build(network, data, batchSize) {
    const [inputs] = network.inputShape
    const outputs = network.layers.at(-1).units
    const options = { activation: 'sigmoid', learningRate: 0.1, errorThresh: 1e-12 }
    const net = new brain.NeuralNetwork({ hiddenLayers: network.layers.slice(0, -1).map((layer) => layer.units) })
    // Plain arrays: it treats a typed array as an object with named features.
    const patterns = Array.from({ length: data.rows }, (_, r) => ({
      input: Array.from(data.x.subarray(r * inputs, (r + 1) * inputs)),
      output: outputs === 1 ? [data.y[r]] : Array.from({ length: outputs }, (_, c) => Number(data.y[r] === c)),
    }))
    // Sets the sizes, the activation and the slots; its random weights are then replaced by the case's.
    const { preparedData } = net.prepTraining(patterns, { ...options, iterations: 1 })
    network.layers.forEach(({ units, inputShape: [fanIn], weights: [kernel, bias] }, l) => {
      for (let u = 0; u < units; u++) {
        for (let i = 0; i < fanIn; i++) net.weights[l + 1][u][i] = kernel.data[i * units + u]
        net.biases[l + 1][u] = bias.data[u]
      }
    })

    return {
      // `train` visits the rows in order: it has no shuffling.
      fit: (epochs) => net.train(patterns, { ...options, iterations: epochs }),
      trainOnBatch(b) {
        let error = 0
        for (let r = b * batchSize; r < (b + 1) * batchSize; r++) error += net.trainPattern(preparedData[r], true)
        return error / batchSize
      },
      predictRow: (row) => net.run(patterns[row].input)[0],
      predictAll: () => Float32Array.from(patterns.flatMap(({ input }) => Array.from(net.run(input)))),
      dispose() {},
    }
  },
}
