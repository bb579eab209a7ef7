// Adapter of myelin, from the built package. See interface.mjs.

/** @type {typeof import('../../../dist/index.js')} */
let myelin;

/** @type {import('./interface.mjs').Adapter} */
export default {
  title: 'myelin',
  package: 'myelin',
  note: 'Single tape per step; `fit` with `verbose: 0`.',
  comparable: true,

  async load() {
    myelin = await import('../../../dist/index.js');
  },

  async runJob({ rows, labels, epochs, batchSize, units }) {
    await this.load();
    const { Sequential, Dense } = myelin;
    const model = new Sequential(units.map((n, l) => new Dense({ units: n, activation: l < units.length - 1 ? 'relu' : 'sigmoid' })));
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    await model.fit(rows, labels, { epochs, batchSize, verbose: 0 });
    await model.evaluate(rows, labels, { batchSize });
    return (await model.predict(rows.slice(0, 1))).data[0];
  },

  build(network, data, batchSize) {
    const { Sequential, Dense, tensor } = myelin;
    const { inputs, rows } = { inputs: network.inputs, rows: data.rows };
    const model = new Sequential(
      network.layers.map(
        (layer, l) => new Dense(l === 0 ? { ...layer, inputShape: [inputs] } : { ...layer }),
      ),
    );
    model.compile({ optimizer: 'adam', loss: network.loss });
    let fanIn = inputs;
    const initial = [];
    network.layers.forEach(({ units }, l) => {
      initial.push(tensor(network.weights[2 * l], [fanIn, units]), tensor(network.weights[2 * l + 1], [units]));
      fanIn = units;
    });
    model.setWeights(initial);

    const x = tensor(data.x, [rows, inputs]);
    const y = tensor(data.y, [rows, 1]);
    const batches = Array.from({ length: rows / batchSize }, (_, b) => ({
      x: tensor(data.x.slice(b * batchSize * inputs, (b + 1) * batchSize * inputs), [batchSize, inputs]),
      y: tensor(data.y.slice(b * batchSize, (b + 1) * batchSize), [batchSize, 1]),
    }));

    return {
      fit: (epochs, shuffle) => model.fit(x, y, { epochs, batchSize, shuffle, verbose: 0 }),
      trainOnBatch(b) {
        return model.trainOnBatch(batches[b].x, batches[b].y).loss;
      },
      predictRow(row) {
        const input = tensor(data.x.subarray(row * inputs, (row + 1) * inputs), [1, inputs]);
        return model.predictOnBatch(input).data[0];
      },
      predictAll: () => model.predictOnBatch(x).data.slice(),
      dispose() {},
    };
  },
};
