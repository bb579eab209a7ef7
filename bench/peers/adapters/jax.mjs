// Adapters of jax-js, on the wasm backend and on WebGPU: the network as plain functions, one jitted function per training step. See interface.mjs.
//
// Adam is written out inside the jitted step, so that loss, gradient and update are one compiled graph: the
// form that suits jax-js best. Every array that is used twice needs `.ref`: its functions consume their arguments.

import { jaxNetwork } from './jax-layers.mjs'

let jax

/** Networks that it does not train: minutes a step, and a gradient of `take` that it does not compile. */
const UNTRAINED = ['cnnbn', 'embed']

/** The numbers of an array; a promise of them on a GPU, which cannot wait. */
const read = (array) => (jax.defaultDevice() === 'webgpu' ? array.data() : array.dataSync())
const firstOf = (values) => (values instanceof Promise ? values.then(([first]) => first) : values[0])

async function loadOn(device) {
  jax = await import('@jax-js/jax')
  const devices = await jax.init(device)
  if (!devices.includes(device)) throw new Error(`jax-js: expected the ${device} backend, received ${devices}`)
  jax.defaultDevice(device)
}

/** What does not depend on the backend. */
const common = {
  title: 'jax-js',
  package: '@jax-js/jax',
  comparable: true,

  build(network, data, batchSize) {
    const { numpy: np, nn, jit, tree, valueAndGrad } = jax
    const { inputShape } = network
    const { rows } = data
    const binary = network.loss === 'binaryCrossentropy'
    const squared = network.loss === 'mse'
    const outputs = network.outputShape.at(-1)
    const array = (values, shape) =>
      np.array(values instanceof Int32Array ? values : Float32Array.from(values)).reshape(shape)
    const isImage = inputShape.length === 3
    const { params, states, forward: apply } = jaxNetwork(jax, network)

    // p: weights; x [rows, …] → [rows, …, outputs], before the last activation of probabilities
    const logits = (p, x, training) => apply(p, isImage ? np.transpose(x, [0, 3, 1, 2]) : x, training)
    function loss(p, x, y) {
      const z = logits(p, x, true)
      if (squared) return np.mean(np.square(z.sub(y)))
      return binary
        ? np.mean(nn.softplus(z.ref).sub(z.mul(y))) // log(1 + eᶻ) − z·y
        : np.mean(np.sum(nn.logSoftmax(z).mul(y), -1)).mul(-1) // y is one-hot
    }
    const lossAndGradient = valueAndGrad(loss)
    const step = jit((p, m, v, t, x, y) => {
      const [value, gradient] = lossAndGradient(tree.ref(p), x, y)
      const rate = np
        .sqrt(np.subtract(1, np.power(0.999, t.ref)))
        .div(np.subtract(1, np.power(0.9, t)))
        .mul(0.001)
      const next = p.map((w, k) => {
        const g = gradient[k]
        const mk = m[k].mul(0.9).add(g.ref.mul(0.1))
        const vk = v[k].mul(0.999).add(np.square(g).mul(0.001))
        const wk = w.sub(mk.ref.mul(rate.ref).div(np.sqrt(vk.ref).add(1e-7)))
        return [wk, mk, vk]
      })
      rate.dispose()
      return [next.map((n) => n[0]), next.map((n) => n[1]), next.map((n) => n[2]), value]
    })
    const forward = jit((p, x) => {
      const z = logits(p, x, false)
      if (squared) return z
      return binary ? nn.sigmoid(z) : nn.softmax(z)
    })

    let p = params
    let m = p.map((w) => np.zeros(w.shape))
    let v = p.map((w) => np.zeros(w.shape))
    let t = 0

    const isClass = !binary && !squared
    const labels = isClass
      ? Float32Array.from({ length: data.y.length * outputs }, (_, i) =>
          Number(data.y[Math.floor(i / outputs)] === i % outputs),
        )
      : data.y
    const part = (values, b) =>
      values.subarray((b * batchSize * values.length) / rows, ((b + 1) * batchSize * values.length) / rows)
    const size = data.x.length / rows
    const batches = Array.from({ length: rows / batchSize }, (_, b) => ({
      x: array(part(data.x, b), [batchSize, ...inputShape]),
      y: array(part(labels, b), [batchSize, ...network.outputShape]),
    }))

    function trainOnBatch(b) {
      let value
      ;[p, m, v, value] = step(p, m, v, np.array(++t), batches[b].x.ref, batches[b].y.ref)
      // Reading the loss also submits the kernels of p, m and v. Otherwise they pile up and each step gets slower.
      return firstOf(read(value))
    }

    return {
      // On a GPU, the next step is prepared while one runs.
      async fit(epochs) {
        let last
        for (let epoch = 0; epoch < epochs; epoch++) {
          for (let b = 0; b < batches.length; b++) {
            const loss = trainOnBatch(b)
            if (last instanceof Promise) await last
            last = loss
          }
        }
        return last
      },
      trainOnBatch,
      predictRow(row) {
        const x = array(data.x.subarray(row * size, (row + 1) * size), [1, ...inputShape])
        return firstOf(read(forward(tree.ref(p), x)))
      },
      predictAll: () => read(forward(tree.ref(p), array(data.x, [rows, ...inputShape]))),
      dispose() {
        tree.dispose([p, m, v, batches, states])
        step.dispose()
        forward.dispose()
      },
    }
  },
}

/** @type {import('./interface.mjs').Adapter} */
export default {
  ...common,
  note:
    'No layers, no `fit`: a hand-written loop over batches made in advance, not shuffled, around one jitted step ' +
    '(loss, gradient, Adam), its loss read after each step; recurrences are written out step by step, and moving averages of batch normalisation are not updated. A step of the larger convolutions takes minutes, and one of the large embedding does not compile. Backend wasm; without threads, because Node has no global Worker.',

  load: () => loadOn('wasm'),

  can: ({ operation, reference }) => operation === 'predict' || !UNTRAINED.includes(reference),
}

/**
 * On `navigator.gpu`. In a process either this one or the other is loaded.
 * @type {import('./interface.mjs').Adapter & { product: Function }}
 */
export const onWebGpu = {
  ...common,
  note: 'A hand-written loop around one jitted step (loss, gradient, Adam), its loss read while the next step is prepared. Recurrences are written out step by step, and moving averages of batch normalisation are not updated.',
  load: () => loadOn('webgpu'),

  /** The sum of the numbers of `count` products of the same matrices. */
  product(a, b, n) {
    const { numpy: np, jit } = jax
    const [x, y] = [a, b].map((values) => np.array(values).reshape([n, n]))
    const next = jit((total, lhs, rhs) => total.add(np.sum(np.matmul(lhs, rhs))))
    return {
      async run(count) {
        let total = np.array(0)
        for (let i = 0; i < count; i++) total = next(total, x.ref, y.ref)
        return (await total.data())[0]
      },
      dispose() {
        x.dispose()
        y.dispose()
        next.dispose()
      },
    }
  },
}
