// Times training steps of recurrent layers beside a large product: what a step takes as a multiple of what its products alone
// would take at that rate. Nothing is published: the multiples stand in docs/decisions/0014-loops.md.
//
//   node bench/recurrent.mjs             plain and relaxed SIMD
//   node bench/recurrent.mjs --quick     one short pass
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { predictionProgram, trainingProgram } from './internals.mjs';
import { loadBuilt } from './machine.mjs';
import { interleave, median, ratio } from './peers/measure.mjs';
import { table } from './report.mjs';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const timing = options.quick ? { rounds: 9, warmUpMs: 100, sampleMs: 5 } : { rounds: 99, warmUpMs: 500, sampleMs: 20 };

// Node 20 has relaxed SIMD behind a flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd');
const { Adam, Bidirectional, Dense, GRU, LSTM, Layer, Sequential, Variable, configure, losses, ops, tensor } = await loadBuilt();

const SQUARE = 256;
const content = (shape) => tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i)), shape);
const classes = (shape, step) => tensor(Int32Array.from({ length: shape[0] * shape[1] }, (_, i) => (step * i) % 64), shape, 'int32');

class Product extends Layer {
  constructor() {
    super({ inputShape: [1] });
    this.operands = [0, 1].map(() => new Variable(content([SQUARE, SQUARE]), { trainable: false }));
  }

  call() {
    return ops.matmul(...this.operands.map(({ value }) => value));
  }
}

function product() {
  const model = new Sequential([new Product()]);
  model.predictOnBatch([[0]]);
  return predictionProgram(model, [1, 1]);
}

const short = { x: content([32, 32, 16]), y: content([32, 1]), loss: 'mse' };
const last = (layer) => [layer, new Dense(1)];
// Of its products, forwards and twice backwards, but for the gradient of the input.
const cases = [
  { name: 'LSTM(64), 32 steps of 16', mflop: 118, layers: () => last(new LSTM({ units: 64, inputShape: [32, 16] })), ...short },
  { name: 'GRU(64), the same', mflop: 88, layers: () => last(new GRU({ units: 64, inputShape: [32, 16] })), ...short },
  { name: 'Bidirectional(LSTM(64)), the same', mflop: 235, layers: () => last(new Bidirectional({ layer: new LSTM(64), inputShape: [32, 16] })), ...short },
  {
    name: 'LSTM(128), 64 steps of 64, Dense(64) over all of them',
    mflop: 1174,
    layers: () => [new LSTM({ units: 128, returnSequences: true, inputShape: [64, 64] }), new Dense(64)],
    x: ops.oneHot(classes([32, 64], 7), 64),
    y: classes([32, 64], 11),
    loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
  },
];

function trainingStep({ layers, x, y, loss }) {
  const model = new Sequential(layers());
  model.compile({ optimizer: new Adam({ learningRate: 1e-6 }), loss });
  model.trainOnBatch(x, y);
  return trainingProgram(model);
}

async function multiple(simd, each) {
  configure({ simd, threads: 1 });
  const programs = { step: trainingStep(each), product: product() };
  const samples = await interleave(Object.entries(programs).map(([name, program]) => ({ name, call: () => program.run() })), timing);
  const products = (1e6 * each.mflop) / (2 * SQUARE ** 3);
  return { ms: median(samples.get('step')), times: ratio(samples.get('step'), samples.get('product')) / products };
}

const rows = [];
for (const each of cases) {
  const [plain, relaxed] = [await multiple('plain', each), await multiple('relaxed', each)];
  rows.push([each.name, `${each.mflop} Mflop`, ...[plain, relaxed].map(({ ms, times }) => `${times.toFixed(2)} (${ms.toFixed(2)} ms)`)]);
}
console.log(table(['', 'products', 'plain SIMD', 'relaxed SIMD'], rows));
