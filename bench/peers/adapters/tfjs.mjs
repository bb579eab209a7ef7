// Adapter of TensorFlow.js: tfjs-layers on the wasm backend. See interface.mjs.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

const require = createRequire(import.meta.url);

let tf;
let layers;

/** @type {import('./interface.mjs').Adapter} */
export default {
  title: 'TensorFlow.js',
  package: '@tensorflow/tfjs-layers',
  note: 'tfjs-core + tfjs-layers on backend-wasm with SIMD; it switches its threads off in Node. `fit` with `verbose: 0`.',
  comparable: true,

  async load() {
    // The packages' Node entry points are CommonJS.
    tf = require('@tensorflow/tfjs-core');
    layers = require('@tensorflow/tfjs-layers');
    const wasm = require('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
    await tf.setBackend('wasm');
    await tf.ready();
    if (tf.getBackend() !== 'wasm') throw new Error(`tfjs: expected the wasm backend, received ${tf.getBackend()}`);
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs: its wasm backend runs without SIMD');
  },

  async runJob({ rows, labels, epochs, batchSize, units }) {
    await this.load();
    const model = layers.sequential({
      layers: units.map((n, l) => layers.layers.dense({ units: n, activation: l < units.length - 1 ? 'relu' : 'sigmoid', ...(l === 0 && { inputShape: [rows[0].length] }) })),
    });
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const x = tf.tensor2d(rows);
    const y = tf.tensor2d(labels);
    await model.fit(x, y, { epochs, batchSize, verbose: 0 });
    await model.evaluate(x, y, { batchSize })[0].data();
    return (await model.predict(tf.tensor2d(rows.slice(0, 1))).data())[0];
  },

  build(network, data, batchSize) {
    const { inputs } = network;
    const { rows } = data;
    const model = layers.sequential({
      layers: network.layers.map((layer, l) =>
        layers.layers.dense(l === 0 ? { ...layer, inputShape: [inputs] } : { ...layer }),
      ),
    });
    model.compile({ optimizer: 'adam', loss: network.loss });
    const initial = model.getWeights().map((w, k) => tf.tensor(network.weights[k], w.shape));
    model.setWeights(initial);
    initial.forEach((w) => w.dispose());

    const x = tf.tensor(data.x, [rows, inputs]);
    const y = tf.tensor(data.y, [rows, 1]);
    const batches = Array.from({ length: rows / batchSize }, (_, b) => ({
      x: tf.slice(x, [b * batchSize, 0], [batchSize, inputs]),
      y: tf.slice(y, [b * batchSize, 0], [batchSize, 1]),
    }));

    return {
      fit: (epochs, shuffle) => model.fit(x, y, { epochs, batchSize, shuffle, verbose: 0 }),
      trainOnBatch: (b) => model.trainOnBatch(batches[b].x, batches[b].y),
      predictRow(row) {
        const input = tf.tensor(data.x.subarray(row * inputs, (row + 1) * inputs), [1, inputs]);
        const output = model.predict(input);
        const value = output.dataSync()[0];
        input.dispose();
        output.dispose();
        return value;
      },
      predictAll: () => tf.tidy(() => model.predict(x).dataSync().slice()),
      dispose() {
        model.dispose();
        for (const t of [x, y, ...batches.flatMap((b) => [b.x, b.y])]) t.dispose();
      },
    };
  },
};
