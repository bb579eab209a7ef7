// Adapter of myelin, from the built package. See interface.mjs.
import { myelinData, myelinModel } from '../build.mjs'
import { rowsOf } from '../dense.mjs'

/** @type {typeof import('../../../dist/index.js')} */
let myelin

/** @type {import('./interface.mjs').Adapter} */
export default {
  title: 'myelin',
  package: 'myelin',
  note: 'Single tape per step; `fit` with `verbose: 0`.',
  comparable: true,

  async load() {
    // The file that `import 'myelin'` means in Node.
    myelin = await import('../../../dist/node.js')
  },

  async runJob({ rows, labels, epochs, batchSize, units }) {
    await this.load()
    const { Sequential, Dense } = myelin
    const model = new Sequential(
      units.map((n, l) => new Dense({ units: n, activation: l < units.length - 1 ? 'relu' : 'sigmoid' })),
    )
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    await model.fit(rows, labels, { epochs, batchSize, verbose: 0 })
    await model.evaluate(rows, labels, { batchSize })
    return (await model.predict(rows.slice(0, 1))).data[0]
  },

  build(network, data, batchSize) {
    const model = myelinModel(myelin, network)
    model.compile({ optimizer: 'adam', loss: network.loss })
    const all = myelinData(myelin, network, data)
    const part = (first, count) => myelinData(myelin, network, rowsOf(data, first, count))
    const batches = Array.from({ length: data.rows / batchSize }, (_, b) => part(b * batchSize, batchSize))
    const size = data.x.length / data.rows
    const shape = [1, ...network.inputShape]
    const dtype = network.tokens === undefined ? 'float32' : 'int32'

    return {
      fit: (epochs, shuffle) => model.fit(all.x, all.y, { epochs, batchSize, shuffle, verbose: 0 }),
      trainOnBatch(b) {
        return model.trainOnBatch(batches[b].x, batches[b].y).loss
      },
      predictRow(row) {
        const input = myelin.tensor(data.x.subarray(row * size, (row + 1) * size), shape, dtype)
        return model.predictOnBatch(input).data[0]
      },
      predictAll: () => model.predictOnBatch(all.x).data.slice(),
      dispose() {},
    }
  },
}
