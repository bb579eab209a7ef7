// Times training steps of attention and of an embedding beside a large product: what share of a step its products alone would
// take at that rate. Nothing is published: the shares stand in docs/decisions/0016-attention.md.
//
//   node bench/transformer.mjs                     plain and relaxed SIMD
//   node bench/transformer.mjs --quick             one short pass
//   node bench/transformer.mjs --profile encoder   what each instruction of a step takes
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { instructionsOf, predictionProgram, trainingProgram } from './internals.mjs';
import { loadBuilt } from './machine.mjs';
import { interleave, median, ratio } from './peers/measure.mjs';
import { table } from './report.mjs';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' }, simd: { type: 'string', default: 'relaxed' } } });
const timing = options.quick ? { rounds: 9, warmUpMs: 200, sampleMs: 5 } : { rounds: 49, warmUpMs: 1000, sampleMs: 40 };

// Node 20 has relaxed SIMD behind a flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd');
const { Adam, Dense, Embedding, GlobalAveragePooling1D, Input, Layer, LayerNormalization, Model, MultiHeadAttention, Sequential, Variable, configure, losses, ops, tensor } =
  await loadBuilt();

const SQUARE = 256;
const content = (shape) => tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i)), shape);
const numbers = (shape, below, step) => tensor(Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (step * i) % below), shape, 'int32');

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

/** Adds to each of `count` steps of a sequence what the model has learnt about its place. */
class Positions extends Layer {
  build([, count, features]) {
    this.places = this.addWeight({ name: 'places', shape: [count, features], initializer: 'randomNormal' });
  }

  call(x) {
    return ops.add(x, this.places);
  }
}

const attentionOf = (x, heads) => new MultiHeadAttention({ numHeads: heads, keyDim: x.shape.at(-1) / heads });
const feedForward = (x, hidden) => new Dense(x.shape.at(-1)).apply(new Dense({ units: hidden, activation: 'gelu' }).apply(x));

/** norm(x + attention x), then norm(x + feed-forward x): Vaswani et al. 2017. */
function encoder() {
  const inputs = Input({ shape: [64, 128] });
  const attended = new LayerNormalization().apply(ops.add(inputs, attentionOf(inputs, 4).apply(inputs)));
  return new Model({ inputs, outputs: new LayerNormalization().apply(ops.add(attended, feedForward(attended, 512))) });
}

/** Twice x + attention(norm x), then x + feed-forward(norm x): Radford et al. 2019. */
function gpt() {
  const inputs = Input({ shape: [32], dtype: 'int32' });
  let x = new Positions().apply(new Embedding({ inputDim: 65, outputDim: 64 }).apply(inputs));
  for (let layer = 0; layer < 2; layer++) {
    x = ops.add(x, attentionOf(x, 4).apply(new LayerNormalization().apply(x), { useCausalMask: true }));
    x = ops.add(x, feedForward(new LayerNormalization().apply(x), 256));
  }
  return new Model({ inputs, outputs: new Dense(65).apply(new LayerNormalization().apply(x)) });
}

const embed = () => new Sequential([new Embedding({ inputDim: 10_000, outputDim: 32, inputShape: [64] }), new GlobalAveragePooling1D(), new Dense({ units: 1 })]);

// Of its products, forwards and twice backwards.
const cases = {
  encoder: { name: 'transformer block: 64 steps of 128, 4 heads, 512 between; batch 16', mflop: 1208, model: encoder, x: content([16, 64, 128]), y: content([16, 64, 128]), loss: 'mse' },
  gpt: {
    name: '2 causal blocks: 32 steps of 64, 4 heads, 256 between, 65 tokens; batch 32',
    mflop: 680,
    model: gpt,
    x: numbers([32, 32], 65, 7),
    y: numbers([32, 32], 65, 11),
    loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
  },
  embed: { name: 'Embedding(10000, 32), average, Dense(1): 64 steps; batch 32', mflop: 0, model: embed, x: numbers([32, 64], 10_000, 7919), y: content([32, 1]), loss: 'mse' },
};

function trainingStep({ model: make, x, y, loss }) {
  const model = make();
  model.compile({ optimizer: new Adam({ learningRate: 1e-6 }), loss });
  model.trainOnBatch(x, y);
  return trainingProgram(model);
}

async function share(simd, each) {
  configure({ simd, threads: 1 });
  const programs = { step: trainingStep(each), product: product() };
  const samples = await interleave(Object.entries(programs).map(([name, program]) => ({ name, call: () => program.run() })), timing);
  const products = (1e6 * each.mflop) / (2 * SQUARE ** 3);
  return { ms: median(samples.get('step')), share: products / ratio(samples.get('step'), samples.get('product')) };
}

/** The instructions of a step with the milliseconds of each, longest first, and what they would take by their products. */
async function profile(each) {
  configure({ simd: options.simd, threads: 1 });
  const parts = instructionsOf(trainingStep(each)).map((part, i) => ({ ...part, name: String(i) }));
  const samples = await interleave([...parts, { name: 'product', call: ((program) => () => program.run())(product()) }], { rounds: 15, warmUpMs: 30, sampleMs: 2 });
  const ms = (name) => Math.min(...samples.get(name));
  const total = parts.reduce((sum, { name }) => sum + ms(name), 0);
  const limit = ((1e6 * each.mflop) / (2 * SQUARE ** 3)) * ms('product');
  const rows = parts.map((part) => ({ ...part, ms: ms(part.name) })).sort((a, b) => b.ms - a.ms);
  console.log(table(['instruction', 'ms', '%'], rows.slice(0, 60).map(({ name, opcode, label, ms }) => [`${name} ${opcode} ${label}`, ms.toFixed(3), ((100 * ms) / total).toFixed(1)])));
  const byOpcode = Object.entries(Object.groupBy?.(rows, ({ opcode }) => opcode) ?? {}).map(([opcode, of]) => `${opcode} ${of.reduce((sum, { ms }) => sum + ms, 0).toFixed(2)}`);
  console.log(`${total.toFixed(2)} ms, products alone ${limit.toFixed(2)} ms: ${(limit / total).toFixed(2)}; ${byOpcode.join(', ')}`);
}

if (options.profile !== undefined) await profile(cases[options.profile]);
else {
  const rows = [];
  for (const each of Object.values(cases)) {
    const [plain, relaxed] = [await share('plain', each), await share('relaxed', each)];
    rows.push([each.name, `${each.mflop} Mflop`, ...[plain, relaxed].map(({ ms, share }) => `${share.toFixed(2)} (${ms.toFixed(2)} ms)`)]);
  }
  console.log(table(['', 'products', 'plain SIMD', 'relaxed SIMD'], rows));
}
