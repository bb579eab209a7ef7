// Adapters of TensorFlow.js: tfjs-layers on the wasm backend, and on WebGPU. See interface.mjs.
import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { uses } from '../networks.mjs'

const require = createRequire(import.meta.url)

let tf
let layers

/** Of x [batch, steps, features] with itself; tfjs-layers has no attention. */
function attentionLayer({ numHeads, keyDim, isCausal }) {
  return new (class extends layers.layers.Layer {
    static className = 'Attention'

    build(inputShape) {
      const features = inputShape.at(-1)
      this.projections = [0, 1, 2, 3].map((i) => [
        this.addWeight(
          `kernel${i}`,
          i < 3 ? [features, numHeads * keyDim] : [numHeads * keyDim, features],
          'float32',
          layers.initializers.zeros(),
        ),
        this.addWeight(`bias${i}`, [i < 3 ? numHeads * keyDim : features], 'float32', layers.initializers.zeros()),
      ])
      this.built = true
    }

    computeOutputShape(inputShape) {
      return inputShape
    }

    call(inputs) {
      return tf.tidy(() => {
        const x = Array.isArray(inputs) ? inputs[0] : inputs
        const [batch, steps, features] = x.shape
        const project = (rows, i) =>
          tf.add(tf.matMul(rows, this.projections[i][0].read()), this.projections[i][1].read())
        const rows = tf.reshape(x, [batch * steps, features])
        const [q, k, v] = [0, 1, 2].map((i) =>
          tf.transpose(tf.reshape(project(rows, i), [batch, steps, numHeads, keyDim]), [0, 2, 1, 3]),
        )
        let scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(keyDim))
        if (isCausal)
          scores = tf.add(
            scores,
            tf.tensor2d(
              Array.from({ length: steps }, (_, i) => Array.from({ length: steps }, (__, j) => (j > i ? -1e9 : 0))),
            ),
          )
        const y = tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3])
        return tf.reshape(project(tf.reshape(y, [batch * steps, numHeads * keyDim]), 3), [batch, steps, features])
      })
    }
  })({})
}

/** x + a row for each step. */
function placesLayer({ sequenceLength }) {
  return new (class extends layers.layers.Layer {
    static className = 'Places'

    build(inputShape) {
      this.table = this.addWeight('table', [sequenceLength, inputShape.at(-1)], 'float32', layers.initializers.zeros())
      this.built = true
    }

    computeOutputShape(inputShape) {
      return inputShape
    }

    call(inputs) {
      return tf.add(Array.isArray(inputs) ? inputs[0] : inputs, this.table.read())
    }
  })({})
}

// The default of tfjs for the gates is a cheaper approximation; its default initializer takes seconds.
const lstm = (options) =>
  layers.layers.lstm({ ...options, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros' })

/** Layers that tfjs does not make by name with Keras's options. */
const make = {
  BidirectionalLSTM: (options) => layers.layers.bidirectional({ layer: lstm(options), mergeMode: 'concat' }),
  GlobalAveragePooling2D: () => layers.layers.globalAveragePooling2d({}),
  GlobalAveragePooling1D: () => layers.layers.globalAveragePooling1d({}),
  LSTM: lstm,
  MaxPooling2D: () => layers.layers.maxPooling2d({ poolSize: 2 }),
  MultiHeadAttention: attentionLayer,
  PositionEmbedding: placesLayer,
}

/** The output of the layers, with the network's weights. */
function apply(input, list) {
  return list.reduce((value, { layer: kind, layers: inner, inputShape: _, outputShape: __, weights, ...options }) => {
    if (kind === 'Residual') return layers.layers.add().apply([value, apply(value, inner)])
    const name = kind[0].toLowerCase() + kind.slice(1).replace('2D', '2d')
    const layer = make[kind]?.(options) ?? layers.layers[name](options)
    const output = layer.apply(value)
    const tensors = layer.weights.map((variable, k) => tf.tensor(weights[k].data, variable.shape))
    layer.setWeights(tensors)
    tensors.forEach((t) => t.dispose())
    return output
  }, input)
}

/** A network as a model of tfjs-layers. */
function modelOf({ inputShape, tokens, layers: list }) {
  const input = layers.input({ shape: inputShape, dtype: tokens === undefined ? 'float32' : 'int32' })
  return layers.model({ inputs: input, outputs: apply(input, list) })
}

/** A network as the files of a layers-model: model.json, and its weights. */
export async function savedModel(network) {
  const model = modelOf(network)
  const files = {}
  await model.save({
    async save({ modelTopology, weightSpecs, weightData, format }) {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
      files.json = JSON.stringify({ format, modelTopology, weightsManifest })
      files.weights = new Uint8Array(weightData)
      return { modelArtifactsInfo: { dateSaved: new Date() } }
    },
  })
  model.dispose()
  return files
}

function loadPackages() {
  // The packages' Node entry points are CommonJS.
  tf = require('@tensorflow/tfjs-core')
  layers = require('@tensorflow/tfjs-layers')
}

/** What does not depend on the backend. */
const common = {
  comparable: true,

  build(network, data, batchSize) {
    const { inputShape, tokens } = network
    const { rows } = data
    const dtype = tokens === undefined ? 'float32' : 'int32'
    const model = modelOf(network)
    model.compile({ optimizer: 'adam', loss: network.loss === 'mse' ? 'meanSquaredError' : network.loss })

    const x = tf.tensor(data.x, [rows, ...inputShape], dtype)
    // With as many axes as the output.
    const isClass = data.targetShape.length < network.outputShape.length
    const y = tf.tensor(Float32Array.from(data.y), [rows, ...data.targetShape, ...(isClass ? [1] : [])])
    const size = data.x.length / rows
    const part = (all, b) => tf.slice(all, b * batchSize, batchSize)
    const batches = Array.from({ length: rows / batchSize }, (_, b) => ({ x: part(x, b), y: part(y, b) }))

    return {
      fit: (epochs, shuffle) => model.fit(x, y, { epochs, batchSize, shuffle, verbose: 0 }),
      trainOnBatch: (b) => model.trainOnBatch(batches[b].x, batches[b].y),
      predictRow(row) {
        const one = tf.tensor(data.x.subarray(row * size, (row + 1) * size), [1, ...inputShape], dtype)
        const output = model.predict(one)
        const value = output.dataSync()[0]
        one.dispose()
        output.dispose()
        return value
      },
      async predictAll() {
        const output = model.predict(x, { batchSize })
        const values = await output.data()
        output.dispose()
        return values
      },
      dispose() {
        model.dispose()
        for (const t of [x, y, ...batches.flatMap((b) => [b.x, b.y])]) t.dispose()
      },
    }
  },
}

/** @type {import('./interface.mjs').Adapter} */
export default {
  ...common,
  title: 'TensorFlow.js',
  package: '@tensorflow/tfjs-layers',
  note: 'tfjs-core + tfjs-layers on backend-wasm with SIMD; it switches its threads off in Node. `fit` with `verbose: 0`. This backend has no gradient of convolutions and embeddings, its GRU is not that of the others, and attention is written in its core ops.',

  async load() {
    loadPackages()
    const wasm = require('@tensorflow/tfjs-backend-wasm')
    wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
    await tf.setBackend('wasm')
    await tf.ready()
    if (tf.getBackend() !== 'wasm') throw new Error(`tfjs: expected the wasm backend, received ${tf.getBackend()}`)
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs: its wasm backend runs without SIMD')
  },

  async runJob({ rows, labels, epochs, batchSize, units }) {
    await this.load()
    const model = layers.sequential({
      layers: units.map((n, l) =>
        layers.layers.dense({
          units: n,
          activation: l < units.length - 1 ? 'relu' : 'sigmoid',
          ...(l === 0 && { inputShape: [rows[0].length] }),
        }),
      ),
    })
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    const x = tf.tensor2d(rows)
    const y = tf.tensor2d(labels)
    await model.fit(x, y, { epochs, batchSize, verbose: 0 })
    await model.evaluate(x, y, { batchSize })[0].data()
    return (await model.predict(tf.tensor2d(rows.slice(0, 1))).data())[0]
  },

  can: ({ operation, network }) =>
    !uses(network, operation === 'predict' ? ['GRU'] : ['GRU', 'Conv2D', 'DepthwiseConv2D', 'Embedding']),
}

/**
 * On `navigator.gpu`. In a process either this one or the other is loaded.
 * @type {import('./interface.mjs').Adapter & { product: Function }}
 */
export const onWebGpu = {
  ...common,
  title: 'TensorFlow.js',
  package: '@tensorflow/tfjs-backend-webgpu',
  note: 'tfjs-core + tfjs-layers on backend-webgpu. `fit` with `verbose: 0`. Attention is written in its core ops.',

  async load() {
    loadPackages()
    require('@tensorflow/tfjs-backend-webgpu')
    if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs: its WebGPU backend does not start')
  },

  /** The sum of the numbers of `count` products of the same matrices. */
  product(a, b, n) {
    const [x, y] = [a, b].map((values) => tf.tensor(values, [n, n]))
    return {
      async run(count) {
        const sum = tf.tidy(() => {
          let total = tf.scalar(0)
          for (let i = 0; i < count; i++) total = tf.add(total, tf.sum(tf.matMul(x, y)))
          return total
        })
        const [value] = await sum.data()
        sum.dispose()
        return value
      },
      dispose: () => tf.dispose([x, y]),
    }
  },
}
