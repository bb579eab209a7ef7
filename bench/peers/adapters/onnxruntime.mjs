// Shared by the adapters of onnxruntime-web and onnxruntime-node: inference of the network as an ONNX model. See
// interface.mjs.
import { onnxModel } from '../onnx.mjs'

/**
 * @param {() => Promise<any>} load
 * @param {object} sessionOptions
 * @param {{ title: string, package: string, note: string, native?: boolean }} about
 * @returns {import('./interface.mjs').Adapter}
 */
export function onnxAdapter(load, sessionOptions, about) {
  let ort
  return {
    ...about,
    comparable: true,
    can: ({ operation }) => operation === 'predict',

    async load() {
      ort = await load()
    },

    async build(network, data) {
      const { inputShape, tokens } = network
      const size = data.x.length / data.rows
      const type = tokens === undefined ? 'float32' : 'int32'
      const session = await ort.InferenceSession.create(onnxModel(network), sessionOptions)
      const predict = async (values, rows) =>
        (await session.run({ x: new ort.Tensor(type, values, [rows, ...inputShape]) })).y.data
      return {
        predictRow: async (row) => (await predict(data.x.subarray(row * size, (row + 1) * size), 1))[0],
        predictAll: () => predict(data.x, data.rows),
        dispose: () => session.release(),
      }
    },
  }
}
