// Adapters of Python libraries: each runs in a separate process, python/serve.py, and times itself, so that the pipe is
// not included. Such a process has one model at a time. See interface.mjs.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { FIT_EPOCHS, cases } from '../cases.mjs'
import { uses } from '../networks.mjs'
import { startPython } from './process.mjs'

const script = fileURLToPath(new URL('../python/serve.py', import.meta.url))
const BACKENDS = ['jax', 'tensorflow', 'torch']

const base64 = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')

/** Its weights as text. */
const encoded = ({ layers, weights, ...layer }) => ({
  ...layer,
  ...(layers !== undefined
    ? { layers: layers.map(encoded) }
    : { weights: weights.map(({ shape, data }) => ({ shape, data: base64(data) })) }),
})

export function pythonAdapter(python, library, environment, about) {
  let server
  let version
  return {
    ...about,
    package: null,
    get version() {
      return version
    },
    native: true,
    comparable: true,

    async load() {
      server = startPython(python, script, [library], environment)
      ;({ version } = await server.ready)
    },

    /** For processes that are not measured; the others end with this process. */
    end: () => server.end(),

    async build(network, data, batchSize) {
      const { inputShape, tokens, layers, loss } = network
      const { rows, x, y, targetShape } = data
      await server.ask({
        kind: 'build',
        case: {
          inputShape,
          tokens,
          layers: layers.map(encoded),
          loss,
          rows,
          x: base64(x),
          y: base64(y),
          targetShape,
          yIsInteger: y instanceof Int32Array,
          batchSize,
        },
      })
      return {
        fit: (epochs, shuffle) => server.ask({ kind: 'fit', epochs, shuffle }),
        trainOnBatch: (batch) => server.ask({ kind: 'trainOnBatch', batch }),
        predictRow: (row) => server.ask({ kind: 'predictRow', row }),
        predictAll: () => server.ask({ kind: 'predict' }),
        sample: (operation, milliseconds) => server.ask({ kind: 'time', operation, milliseconds, epochs: FIT_EPOCHS }),
        dispose() {},
      }
    },
  }
}

/**
 * The loaded adapters for the libraries of this Python: Keras 3 on the fastest of its backends, and PyTorch.
 * @param {string} python path of the interpreter
 * @returns {Promise<Map<string, import('./interface.mjs').Adapter>>}
 */
export async function pythonAdapters(python) {
  const find = `import importlib.util as u; print(*(m for m in ${JSON.stringify(['keras', ...BACKENDS])} if u.find_spec(m)))`
  const installed = execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim().split(' ')
  const adapters = new Map()
  const backends = BACKENDS.filter((name) => installed.includes(name))
  if (installed.includes('keras') && backends.length > 0) adapters.set(...(await fastestKeras(python, backends)))
  if (installed.includes('torch')) {
    const ordinary =
      'a hand-written loop, `torch.set_num_threads(1)`, Adam with `fused=True`, its fastest; ε as in TensorFlow.js'
    adapters.set(
      'torch',
      pythonAdapter(
        python,
        'torch',
        {},
        { title: 'PyTorch (eager)', note: `Python, native code. Eager, ${ordinary}.` },
      ),
    )
    adapters.set(
      'torch-compiled',
      pythonAdapter(
        python,
        'torch-compiled',
        {},
        {
          title: 'PyTorch (compiled)',
          note: 'The same, but model and loss, forwards and backwards, through `torch.compile` before the clock starts. It leaves recurrent layers as they are.',
          can: ({ network }) => !uses(network, ['LSTM', 'GRU', 'BidirectionalLSTM']),
        },
      ),
    )
    for (const name of ['torch', 'torch-compiled']) await adapters.get(name).load()
  }
  if (adapters.size === 0) throw new Error(`--python ${python}: it has neither Keras 3 with a backend nor PyTorch`)
  return adapters
}

async function fastestKeras(python, backends) {
  const found = []
  // One at a time: they would disturb each other.
  for (const backend of backends) {
    const adapter = pythonAdapter(
      python,
      'keras',
      { KERAS_BACKEND: backend },
      {
        title: `Keras (${backend})`,
        note: `Python, native code. The fastest of its installed backends, ${backend}, on one thread; \`fit\` with \`verbose=0\`.`,
      },
    )
    await adapter.load()
    found.push({ backend, adapter, time: backends.length === 1 ? 0 : await quickTime(adapter) })
  }
  const [{ backend, adapter }, ...slower] = found.toSorted((a, b) => a.time - b.time)
  for (const other of slower) other.adapter.end()
  return [`keras-${backend}`, adapter]
}

async function quickTime(adapter) {
  const { network, data, batchSize } = cases.find(({ operation }) => operation === 'trainOnBatch')
  const model = await adapter.build(network, data, batchSize)
  await model.sample('trainOnBatch', 300)
  return model.sample('trainOnBatch', 300)
}
