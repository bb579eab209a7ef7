// This library as an adapter for rows.mjs, from any of its builds: that of Node, that of a page. Where its programs run is the
// caller's choice.
import { myelinData, myelinModel } from '../peers/build.mjs'

/** @param {object} myelin  a build of this library: its exports */
export function myelinAdapter(myelin) {
  const { Layer, Sequential, ops, tensor } = myelin

  /** The sum of the numbers of a product, added to the input. */
  class Product extends Layer {
    constructor(a, b, n) {
      super({ inputShape: [1] })
      this.values = [a, b].map((values) => tensor(values, [n, n]))
    }

    build() {
      const add = (value, i) => {
        const weight = this.addWeight({ name: `operand${i}`, shape: value.shape, trainable: false })
        weight.assign(value)
        return weight
      }
      this.operands = this.values.map(add)
    }

    call(x) {
      const [a, b] = this.operands
      return ops.add(x, ops.sum(ops.matmul(a.value, b.value)))
    }
  }

  return {
    build(network, data, batchSize) {
      const model = myelinModel(myelin, network)
      model.compile({ optimizer: 'adam', loss: network.loss })
      const { x, y } = myelinData(myelin, network, data)
      return {
        model,
        fit: (epochs, shuffle) => model.fit(x, y, { epochs, batchSize, shuffle, verbose: 0 }),
        predictAll: async () => (await model.predict(x, { batchSize })).data,
        dispose: () => model.dispose(),
      }
    },

    /** `evaluate` with a row for each product, because it reads only one number of them. */
    product(a, b, n) {
      const model = new Sequential([new Product(a, b, n)])
      model.compile({ optimizer: 'sgd', loss: 'meanAbsoluteError' })
      return {
        model,
        async run(count) {
          const zeros = tensor(new Float32Array(count), [count, 1])
          const { loss } = await model.evaluate(zeros, zeros, { batchSize: 1, verbose: 0 })
          return count * loss
        },
        dispose: () => model.dispose(),
      }
    },
  }
}

/**
 * The floating-point operations of one step, prediction or product.
 * @param {{ myelin: object, ledger: Function }} library  of the builds of `myelin` and `myelin/thrift`
 * @param {ReturnType<typeof import('./rows.mjs').preparedRow>} prepared
 * @param {string} call
 */
export function flopsOf({ myelin, ledger }, { n, network, batch, batchSize }, call) {
  if (n !== undefined) return 2 * n ** 3
  const { model, dispose } = myelinAdapter(myelin).build(network, batch, batchSize)
  const { training, prediction } = ledger(model, { batchSize })
  dispose()
  return call === 'train' ? training.flops : prediction.flops
}
