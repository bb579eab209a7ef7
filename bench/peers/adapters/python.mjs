// Adapters of Python libraries: each runs in a process of its own, python/serve.py, and takes its own time, so that
// what goes through the pipe is not in it. See interface.mjs.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FIT_EPOCHS, cases } from '../cases.mjs';

const script = fileURLToPath(new URL('../python/serve.py', import.meta.url));
const BACKENDS = ['jax', 'tensorflow', 'torch'];

/** A process that answers one request after the other. */
function start(python, library, environment) {
  const child = spawn(python, [script, library], { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${library} in ${python} ended\n${errors}`);
    return JSON.parse(value);
  };
  return {
    ready: read(),
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return (await read()).value;
    },
    end: () => child.stdin.end(),
  };
}

const base64 = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

function pythonAdapter(python, library, environment, about) {
  let version;
  return {
    ...about,
    package: null,
    get version() {
      return version;
    },
    comparable: true,
    operations: ['fit', 'trainOnBatch'],

    async load() {
      const process = start(python, library, environment);
      ({ version } = await process.ready);
      process.end();
    },

    async build(network, data, batchSize) {
      const server = start(python, library, environment);
      await server.ready;
      const { inputs, layers, loss, weights } = network;
      await server.ask({
        kind: 'build',
        case: { inputs, layers, loss, weights: weights.map(base64), rows: data.rows, x: base64(data.x), y: base64(data.y), batchSize },
      });
      const predictAll = () => server.ask({ kind: 'predict' });
      const outputs = layers.at(-1).units;
      return {
        fit: (epochs, shuffle) => server.ask({ kind: 'fit', epochs, shuffle }),
        trainOnBatch: (batch) => server.ask({ kind: 'trainOnBatch', batch }),
        // Not timed.
        predictRow: async (row) => (await predictAll())[row * outputs],
        predictAll,
        sample: (operation, milliseconds) => server.ask({ kind: 'time', operation, milliseconds, epochs: FIT_EPOCHS }),
        dispose: server.end,
      };
    },
  };
}

/**
 * The adapters for what this Python has: Keras 3 on the fastest of its backends, and PyTorch.
 * @param {string} python path of the interpreter
 * @returns {Promise<Map<string, import('./interface.mjs').Adapter>>}
 */
export async function pythonAdapters(python) {
  const find = `import importlib.util as u; print(*(m for m in ${JSON.stringify(['keras', ...BACKENDS])} if u.find_spec(m)))`;
  const installed = execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim().split(' ');
  const adapters = new Map();
  const backends = BACKENDS.filter((name) => installed.includes(name));
  if (installed.includes('keras') && backends.length > 0) {
    const times = [];
    // One after the other: they would disturb each other.
    for (const backend of backends) times.push(backends.length === 1 ? 0 : await quickTime(keras(python, backend)));
    const fastest = backends[times.indexOf(Math.min(...times))];
    adapters.set('keras', keras(python, fastest));
  }
  if (installed.includes('torch')) {
    adapters.set(
      'torch',
      pythonAdapter(python, 'torch', {}, {
        title: 'PyTorch',
        note: 'Python, native code. Eager, a hand-written loop, `torch.set_num_threads(1)`; not compiled. ε of its Adam as in TensorFlow.js.',
      }),
    );
  }
  if (adapters.size === 0) throw new Error(`--python ${python}: it has neither Keras 3 with a backend nor PyTorch`);
  return adapters;
}

function keras(python, backend) {
  return pythonAdapter(python, 'keras', { KERAS_BACKEND: backend }, {
    title: `Keras (${backend})`,
    note: `Python, native code. The fastest of its installed backends, ${backend}, on one thread; \`fit\` with \`verbose=0\`.`,
  });
}

async function quickTime(adapter) {
  const { network, data, batchSize } = cases.find(({ operation }) => operation === 'trainOnBatch');
  const model = await adapter.build(network, data, batchSize);
  await model.sample('trainOnBatch', 300);
  const time = await model.sample('trainOnBatch', 300);
  model.dispose();
  return time;
}
