// Times ops on a million elements, with strides, broadcasting and indices, one op at a time and inside a compiled
// function, and compares them with NumPy and jax-js on one thread. Gradients are compared with JAX.
//
//   node bench/operations.mjs               writes results/operations.json and the table in README.md; NODE_BINARIES adds
//                                           other versions of Node
//   node bench/operations.mjs --quick       one short pass; prints only
//   node bench/operations.mjs --only sort --simd relaxed      prints only
//   node bench/operations.mjs --only 'sort|topK' --merge      renews these rows of the results and of the table
//   node bench/operations.mjs --python PATH                   an interpreter with NumPy, and SciPy and JAX if possible
//   node bench/operations.mjs --compiled                      only compiled functions
//   node bench/operations.mjs --cpu                           the least CPU time in place of the median, on a busy machine
//
// jax-js is measured if it is in peers/node_modules (`npm ci` in bench/peers).
//
// The compiled function reads variables and assigns its result to another one, as a training step does, so nothing is
// copied out of linear memory. Alone, an op copies its operands into linear memory and its result out of it.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { loadBuilt, machineLine, measureInEachNode, nodeTitle, publish } from './machine.mjs'
import { cpuTime, interleave, median, ratio } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    merge: { type: 'boolean', default: false },
    simd: { type: 'string', default: 'auto' },
    python: { type: 'string', default: 'python3' },
    cpu: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    compiled: { type: 'boolean', default: false },
    peers: { type: 'string', default: 'numpy,jax,jax-js' },
  },
})
const timing = options.quick ? { rounds: 3, warmUpMs: 15, sampleMs: 5 } : { rounds: 5, warmUpMs: 25, sampleMs: 8 }
if (options.rounds !== undefined) timing.rounds = Number(options.rounds)
const peers = options.peers.split(',')

// Node 20 has relaxed SIMD behind a flag.
if (options.simd === 'relaxed' && Number(process.versions.node.split('.')[0]) < 21)
  setFlagsFromString('--experimental-wasm-relaxed-simd')

const { Variable, configure, jit, ops, runtimeInfo, tensor, valueAndGrad } = await loadBuilt()
configure({ simd: options.simd, threads: 1 })

const N = 1000
let state = 1
/** A uniform number in [0, 1). */
function uniform() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const normal = (...shape) =>
  tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    ),
    shape,
  )
const integers = (low, high, ...shape) =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + Math.floor(uniform() * (high - low))),
    shape,
  )

const a = normal(N, N)
const inputs = {
  a,
  b: normal(N, N),
  c: normal(100, 100, 100),
  v: tensor(a.data, [N * N]),
  row: normal(N),
  column: normal(N, 1),
  middle: normal(100, 1, 100),
  i: integers(-1000, 1000, N, N),
  j: integers(-1000, 1000, N, N),
  k: integers(1, 50, N, N),
  p: ops.greater(a, 0),
  rows: integers(0, N, N),
  along: integers(0, N, N, N),
  places: integers(0, N * N, N * N),
  ids: integers(0, N, N * N),
  classes: integers(0, N, N),
  shifts: integers(0, 8, N, N),
  left: normal(64, 128, 128),
  right: normal(64, 128, 128),
}

const c021 = [0, 2, 1]
/**
 * An op of myelin, and of jax-js, whose functions consume their operands; `x` are the inputs. `traced: false`: the shape
 * of the result depends on data, so it cannot be compiled.
 */
const op = (name, ours, jax = null, { traced = true } = {}) => ({ name, ours, jax, traced })
const cases = [
  op(
    'a + b',
    (o, { a, b }) => o.add(a, b),
    (np, { a, b }) => np.add(a, b),
  ),
  op(
    'a + bᵀ',
    (o, { a, b }) => o.add(a, o.transpose(b)),
    (np, { a, b }) => np.add(a, np.transpose(b)),
  ),
  op(
    'aᵀ · bᵀ',
    (o, { a, b }) => o.multiply(o.transpose(a), o.transpose(b)),
    (np, { a, b }) => np.multiply(np.transpose(a), np.transpose(b)),
  ),
  op('a[:, ::2] + 1', (o, { a }) => o.add(o.getItem(a, [':', '::2']), 1)),
  op('a[::2] + 1', (o, { a }) => o.add(o.getItem(a, ['::2']), 1)),
  op(
    'a[:, ::-1] + b',
    (o, { a, b }) => o.add(o.flip(a, 1), b),
    (np, { a, b }) => np.add(np.flip(a, 1), b),
  ),
  op(
    'a[::-1] + b',
    (o, { a, b }) => o.add(o.flip(a, 0), b),
    (np, { a, b }) => np.add(np.flip(a, 0), b),
  ),
  op(
    'a + row',
    (o, { a, row }) => o.add(a, row),
    (np, { a, row }) => np.add(a, row),
  ),
  op(
    'a + column',
    (o, { a, column }) => o.add(a, column),
    (np, { a, column }) => np.add(a, column),
  ),
  op(
    'c + middle',
    (o, { c, middle }) => o.add(c, middle),
    (np, { c, middle }) => np.add(c, middle),
  ),
  op(
    'c + c transposed [0, 2, 1]',
    (o, { c }) => o.add(c, o.transpose(c, c021)),
    (np, { c }) => np.add(c.ref, np.transpose(c, c021)),
  ),
  op(
    'a / b',
    (o, { a, b }) => o.divide(a, b),
    (np, { a, b }) => np.divide(a, b),
  ),
  op(
    '√|a|',
    (o, { a }) => o.sqrt(o.abs(a)),
    (np, { a }) => np.sqrt(np.abs(a)),
  ),
  op(
    'exp',
    (o, { a }) => o.exp(a),
    (np, { a }) => np.exp(a),
  ),
  op(
    'tanh',
    (o, { a }) => o.tanh(a),
    (np, { a }) => np.tanh(a),
  ),
  op(
    'i + j',
    (o, { i, j }) => o.add(i, j),
    (np, { i, j }) => np.add(i, j),
  ),
  op(
    'i · j',
    (o, { i, j }) => o.multiply(i, j),
    (np, { i, j }) => np.multiply(i, j),
  ),
  op(
    'i < j',
    (o, { i, j }) => o.less(i, j),
    (np, { i, j }) => np.less(i, j),
  ),
  op(
    'a < b',
    (o, { a, b }) => o.less(a, b),
    (np, { a, b }) => np.less(a, b),
  ),
  op(
    'a == b',
    (o, { a, b }) => o.equal(a, b),
    (np, { a, b }) => np.equal(a, b),
  ),
  op(
    'maximum',
    (o, { a, b }) => o.maximum(a, b),
    (np, { a, b }) => np.maximum(a, b),
  ),
  op(
    'where(p, a, b)',
    (o, { p, a, b }) => o.where(p, a, b),
    (np, { p, a, b }) => np.where(p, a, b),
  ),
  op(
    'where(a < b, a, row)',
    (o, { a, b, row }) => o.where(o.less(a, b), a, row),
    (np, { a, b, row }) => np.where(np.less(a.ref, b), a, row),
  ),
  op(
    'clip',
    (o, { a }) => o.clip(a, -1, 1),
    (np, { a }) => np.clip(a, -1, 1),
  ),
  op(
    'clip, int32',
    (o, { i }) => o.clip(i, -100, 100),
    (np, { i }) => np.clip(i, -100, 100),
  ),
  op(
    'i & j',
    (o, { i, j }) => o.bitwiseAnd(i, j),
    (np, { i, j }) => np.bitwiseAnd(i, j),
  ),
  op(
    'i ^ j',
    (o, { i, j }) => o.bitwiseXor(i, j),
    (np, { i, j }) => np.bitwiseXor(i, j),
  ),
  op(
    'i << shifts',
    (o, { i, shifts }) => o.leftShift(i, shifts),
    (np, { i, shifts }) => np.leftShift(i, shifts),
  ),
  op(
    'i >> shifts',
    (o, { i, shifts }) => o.rightShift(i, shifts),
    (np, { i, shifts }) => np.rightShift(i, shifts),
  ),
  op(
    'floorDivide',
    (o, { a, b }) => o.floorDivide(a, b),
    (np, { a, b }) => np.floorDivide(a, b),
  ),
  op(
    'floorDivide, int32',
    (o, { i, k }) => o.floorDivide(i, k),
    (np, { i, k }) => np.floorDivide(i, k),
  ),
  op(
    'mod',
    (o, { a, b }) => o.mod(a, b),
    (np, { a, b }) => np.remainder(a, b),
  ),
  op(
    'mod, int32',
    (o, { i, k }) => o.mod(i, k),
    (np, { i, k }) => np.remainder(i, k),
  ),
  op(
    'erf',
    (o, { a }) => o.erf(a),
    (np, { a }, jax) => jax.lax.erf(a),
  ),
  op('i0', (o, { a }) => o.i0(a)),
  op(
    'cast float32 to int32',
    (o, { a }) => o.cast(a, 'int32'),
    (np, { a }) => a.astype('int32'),
  ),
  op(
    'cast int32 to float32',
    (o, { i }) => o.cast(i, 'float32'),
    (np, { i }) => i.astype('float32'),
  ),
  op(
    'round',
    (o, { a }) => o.round(a),
    (np, { a }) => np.round(a),
  ),
  op(
    'isnan',
    (o, { a }) => o.isnan(a),
    (np, { a }) => np.isnan(a),
  ),

  op(
    'sum, first axis',
    (o, { a }) => o.sum(a, 0),
    (np, { a }) => np.sum(a, 0),
  ),
  op(
    'sum, last axis',
    (o, { a }) => o.sum(a, 1),
    (np, { a }) => np.sum(a, 1),
  ),
  op(
    'sum, middle axis',
    (o, { c }) => o.sum(c, 1),
    (np, { c }) => np.sum(c, 1),
  ),
  op(
    'sum, all',
    (o, { a }) => o.sum(a),
    (np, { a }) => np.sum(a),
  ),
  op(
    'sum of a transposed, last axis',
    (o, { a }) => o.sum(o.transpose(a), 1),
    (np, { a }) => np.sum(np.transpose(a), 1),
  ),
  op(
    'sum of c transposed [0, 2, 1], last axis',
    (o, { c }) => o.sum(o.transpose(c, c021), 2),
    (np, { c }) => np.sum(np.transpose(c, c021), 2),
  ),
  op(
    'sum of c, axes 0 and 2',
    (o, { c }) => o.sum(c, [0, 2]),
    (np, { c }) => np.sum(c, [0, 2]),
  ),
  op(
    'sum, int32, last axis',
    (o, { i }) => o.sum(i, 1),
    (np, { i }) => np.sum(i, 1),
  ),
  op(
    'sum, int32, first axis',
    (o, { i }) => o.sum(i, 0),
    (np, { i }) => np.sum(i, 0),
  ),
  op(
    'mean, first axis',
    (o, { a }) => o.mean(a, 0),
    (np, { a }) => np.mean(a, 0),
  ),
  op(
    'max, last axis',
    (o, { a }) => o.max(a, 1),
    (np, { a }) => np.max(a, 1),
  ),
  op(
    'max, first axis',
    (o, { a }) => o.max(a, 0),
    (np, { a }) => np.max(a, 0),
  ),
  op(
    'max, middle axis',
    (o, { c }) => o.max(c, 1),
    (np, { c }) => np.max(c, 1),
  ),
  op(
    'max, int32, first axis',
    (o, { i }) => o.max(i, 0),
    (np, { i }) => np.max(i, 0),
  ),
  op(
    'max of a transposed, last axis',
    (o, { a }) => o.max(o.transpose(a), 1),
    (np, { a }) => np.max(np.transpose(a), 1),
  ),
  op(
    'argmax, last axis',
    (o, { a }) => o.argmax(a, 1),
    (np, { a }) => np.argmax(a, 1),
  ),
  op(
    'argmax, first axis',
    (o, { a }) => o.argmax(a, 0),
    (np, { a }) => np.argmax(a, 0),
  ),
  op(
    'argmax, middle axis',
    (o, { c }) => o.argmax(c, 1),
    (np, { c }) => np.argmax(c, 1),
  ),
  op(
    'argmax, all',
    (o, { a }) => o.argmax(a),
    (np, { a }) => np.argmax(a),
  ),
  op(
    'argmax, int32, first axis',
    (o, { i }) => o.argmax(i, 0),
    (np, { i }) => np.argmax(i, 0),
  ),
  op(
    'any, last axis',
    (o, { p }) => o.any(p, 1),
    (np, { p }) => np.any(p, 1),
  ),
  op(
    'all, first axis',
    (o, { p }) => o.all(p, 0),
    (np, { p }) => np.all(p, 0),
  ),
  op(
    'prod, last axis',
    (o, { a }) => o.prod(a, 1),
    (np, { a }) => np.prod(a, 1),
  ),
  op(
    'prod, first axis',
    (o, { a }) => o.prod(a, 0),
    (np, { a }) => np.prod(a, 0),
  ),
  op(
    'std, last axis',
    (o, { a }) => o.std(a, 1),
    (np, { a }) => np.std(a, 1),
  ),
  op(
    'std, first axis',
    (o, { a }) => o.std(a, 0),
    (np, { a }) => np.std(a, 0),
  ),
  op(
    'std, all',
    (o, { a }) => o.std(a),
    (np, { a }) => np.std(a),
  ),
  op(
    'countNonzero',
    (o, { a }) => o.countNonzero(a),
    (np, { a }) => np.countNonzero(a),
  ),

  op(
    'cumsum, first axis',
    (o, { a }) => o.cumsum(a, 0),
    (np, { a }) => np.cumsum(a, 0),
  ),
  op(
    'cumsum, last axis',
    (o, { a }) => o.cumsum(a, 1),
    (np, { a }) => np.cumsum(a, 1),
  ),
  op('cumsum, all', (o, { v }) => o.cumsum(v)),
  op(
    'cumsum, int32, last axis',
    (o, { i }) => o.cumsum(i, 1),
    (np, { i }) => np.cumsum(i, 1),
  ),
  op(
    'cumprod, last axis',
    (o, { a }) => o.cumprod(a, 1),
    (np, { a }) => np.cumprod(a, 1),
  ),
  op(
    'sort, last axis',
    (o, { a }) => o.sort(a, 1),
    (np, { a }) => np.sort(a, 1),
  ),
  op(
    'sort, first axis',
    (o, { a }) => o.sort(a, 0),
    (np, { a }) => np.sort(a, 0),
  ),
  op(
    'sort, all',
    (o, { v }) => o.sort(v),
    (np, { v }) => np.sort(v),
  ),
  op(
    'sort, int32, all',
    (o, { i }) => o.sort(i, null),
    (np, { i }) => np.sort(i.reshape([-1])),
  ),
  op(
    'sort, rows of 100',
    (o, { c }) => o.sort(c, 2),
    (np, { c }) => np.sort(c, 2),
  ),
  op(
    'argsort, last axis',
    (o, { a }) => o.argsort(a, 1),
    (np, { a }) => np.argsort(a, 1),
  ),
  op(
    'argsort, all',
    (o, { v }) => o.argsort(v),
    (np, { v }) => np.argsort(v),
  ),
  op(
    'topK of 10',
    (o, { a }) => o.topK(a, 10),
    (np, { a }, jax) => jax.lax.topK(a, 10),
  ),
  op('unique, int32', (o, { ids }) => o.unique(ids), null, { traced: false }),
  op('searchsorted', (o, { row, v }) => o.searchsorted(o.sort(row), v)),
  op('median, last axis', (o, { a }) => o.median(a, 1)),

  op(
    'take rows',
    (o, { a, rows }) => o.take(a, rows, 0),
    (np, { a, rows }) => np.take(a, rows, 0),
  ),
  op(
    'take columns',
    (o, { a, rows }) => o.take(a, rows, 1),
    (np, { a, rows }) => np.take(a, rows, 1),
  ),
  op(
    'take elements',
    (o, { v, places }) => o.take(v, places),
    (np, { v, places }) => np.take(v, places, 0),
  ),
  op(
    'takeAlongAxis 1',
    (o, { a, along }) => o.takeAlongAxis(a, along, 1),
    (np, { a, along }) => np.takeAlongAxis(a, along, 1),
  ),
  op(
    'takeAlongAxis 0',
    (o, { a, along }) => o.takeAlongAxis(a, along, 0),
    (np, { a, along }) => np.takeAlongAxis(a, along, 0),
  ),
  op('scatter elements', (o, { v, places }) => o.scatter(o.expandDims(places, 1), v, [N * N])),
  op('scatter rows', (o, { a, rows }) => o.scatter(o.expandDims(rows, 1), a, [N, N])),
  op('segmentSum', (o, { v, ids }) => o.segmentSum(v, ids, N)),
  op('bincount', (o, { ids }) => o.bincount(ids, { minlength: N })),
  op(
    'oneHot',
    (o, { classes }) => o.oneHot(classes, N),
    (np, { classes }, jax) => jax.nn.oneHot(classes, N),
  ),
  op('nonzero', (o, { p }) => o.nonzero(p), null, { traced: false }),
  op(
    'concatenate, first axis',
    (o, { a, b }) => o.concatenate([a, b], 0),
    (np, { a, b }) => np.concatenate([a, b], 0),
  ),
  op(
    'concatenate, last axis',
    (o, { a, b }) => o.concatenate([a, b], 1),
    (np, { a, b }) => np.concatenate([a, b], 1),
  ),
  op(
    'stack, last axis',
    (o, { a, b }) => o.stack([a, b], -1),
    (np, { a, b }) => np.stack([a, b], -1),
  ),
  op(
    'pad',
    (o, { a }) => o.pad(a, 1),
    (np, { a }) => np.pad(a, 1),
  ),
  op('pad, reflect', (o, { a }) => o.pad(a, 8, 'reflect')),
  op(
    'roll, first axis',
    (o, { a }) => o.roll(a, 7, 0),
    (np, { a }) => np.roll(a, 7, 0),
  ),
  op(
    'roll, last axis',
    (o, { a }) => o.roll(a, 7, 1),
    (np, { a }) => np.roll(a, 7, 1),
  ),
  op(
    'flip, first axis',
    (o, { a }) => o.flip(a, 0),
    (np, { a }) => np.flip(a, 0),
  ),
  op(
    'flip, last axis',
    (o, { a }) => o.flip(a, 1),
    (np, { a }) => np.flip(a, 1),
  ),
  op(
    'tile',
    (o, { row }) => o.tile(row, [N, 1]),
    (np, { row }) => np.tile(row, [N, 1]),
  ),
  op('tile, last axis', (o, { c }) => o.tile(o.slice(c, [0, 0, 0], [100, 100, 25]), [1, 1, 4])),
  op('repeat, first axis', (o, { a }) => o.repeat(o.slice(a, [0, 0], [250, N]), 4, 0)),
  op('repeat, last axis', (o, { a }) => o.repeat(o.slice(a, [0, 0], [N, 250]), 4, 1)),
  op(
    'transpose',
    (o, { a }) => o.transpose(a),
    (np, { a }) => np.transpose(a),
  ),
  op(
    'transpose [0, 2, 1]',
    (o, { c }) => o.transpose(c, c021),
    (np, { c }) => np.transpose(c, c021),
  ),
  op(
    'transpose [2, 1, 0]',
    (o, { c }) => o.transpose(c, [2, 1, 0]),
    (np, { c }) => np.transpose(c, [2, 1, 0]),
  ),
  op(
    'transpose [1, 0, 2]',
    (o, { c }) => o.transpose(c, [1, 0, 2]),
    (np, { c }) => np.transpose(c, [1, 0, 2]),
  ),
  op(
    'reshape of transposed',
    (o, { a }) => o.reshape(o.transpose(a), [-1]),
    (np, { a }) => np.transpose(a).reshape([-1]),
  ),
  op('a[:, ::2]', (o, { a }) => o.getItem(a, [':', '::2'])),
  op('a[::-2]', (o, { a }) => o.getItem(a, ['::-2'])),
  op(
    'tril',
    (o, { a }) => o.tril(a),
    (np, { a }) => np.tril(a),
  ),
  op(
    'diff',
    (o, { a }) => o.diff(a),
    (np, { a }) => np.diff(a),
  ),
  op(
    'einsum ij,ij->i',
    (o, { a, b }) => o.einsum('ij,ij->i', a, b),
    (np, { a, b }) => np.einsum('ij,ij->i', a, b),
  ),
  op(
    'einsum ij->ji',
    (o, { a }) => o.einsum('ij->ji', a),
    (np, { a }) => np.einsum('ij->ji', a),
  ),
  op(
    'einsum ij,j->i',
    (o, { a, row }) => o.einsum('ij,j->i', a, row),
    (np, { a, row }) => np.einsum('ij,j->i', a, row),
  ),
  op(
    'einsum ij,i->j',
    (o, { a, row }) => o.einsum('ij,i->j', a, row),
    (np, { a, row }) => np.einsum('ij,i->j', a, row),
  ),
  op(
    'einsum ij,jk->ik, 1000',
    (o, { a, b }) => o.einsum('ij,jk->ik', a, b),
    (np, { a, b }) => np.einsum('ij,jk->ik', a, b),
  ),
  op(
    'einsum bij,bjk->bik, 64 × 128',
    (o, { left, right }) => o.einsum('bij,bjk->bik', left, right),
    (np, { left, right }) => np.einsum('bij,bjk->bik', left, right),
  ),
  op(
    'einsum bij,bkj->bik, 64 × 128',
    (o, { left, right }) => o.einsum('bij,bkj->bik', left, right),
    (np, { left, right }) => np.einsum('bij,bkj->bik', left, right),
  ),
]

/** The gradient of Σ f(x) · w with respect to the first operand. */
const gradient = (name, names, f, jax) => ({
  name: `gradient of ${name}`,
  names,
  traced: true,
  isGradient: true,
  ours: (o, x) => valueAndGrad((first, ...rest) => f(o, first, ...rest))(...names.map((each) => x[each])),
  jax,
})
cases.push(
  gradient(
    'sort',
    ['a', 'b'],
    (o, x, w) => o.sum(o.multiply(o.sort(x, 1), w)),
    (np, x, w) => np.sort(x, 1).mul(w).sum(),
  ),
  gradient('topK of 10', ['a', 'b'], (o, x, w) => o.sum(o.multiply(o.topK(x, 10)[0], o.slice(w, [0, 0], [N, 10])))),
  gradient(
    'cumsum, last axis',
    ['a', 'b'],
    (o, x, w) => o.sum(o.multiply(o.cumsum(x, 1), w)),
    (np, x, w) => np.cumsum(x, 1).mul(w).sum(),
  ),
  gradient(
    'cumsum, first axis',
    ['a', 'b'],
    (o, x, w) => o.sum(o.multiply(o.cumsum(x, 0), w)),
    (np, x, w) => np.cumsum(x, 0).mul(w).sum(),
  ),
  gradient('segmentSum', ['v', 'row', 'ids'], (o, x, w, ids) => o.sum(o.multiply(o.segmentSum(x, ids, N), w))),
  gradient(
    'take rows',
    ['a', 'b', 'rows'],
    (o, x, w, rows) => o.sum(o.multiply(o.take(x, rows, 0), w)),
    (np, x, w, rows) => np.take(x, rows, 0).mul(w).sum(),
  ),
  gradient(
    'max, last axis',
    ['a', 'row'],
    (o, x, w) => o.sum(o.multiply(o.max(x, 1), w)),
    (np, x, w) => np.max(x, 1).mul(w).sum(),
  ),
  gradient(
    'prod, last axis',
    ['a', 'row'],
    (o, x, w) => o.sum(o.multiply(o.prod(x, 1), w)),
    (np, x, w) => np.prod(x, 1).mul(w).sum(),
  ),
  gradient(
    'std, last axis',
    ['a', 'row'],
    (o, x, w) => o.sum(o.multiply(o.std(x, 1), w)),
    (np, x, w) => np.std(x, 1).mul(w).sum(),
  ),
  gradient(
    'a + row',
    ['row', 'a', 'b'],
    (o, r, a, w) => o.sum(o.multiply(o.add(a, r), w)),
    (np, r, a, w) => np.add(a, r).mul(w).sum(),
  ),
)

/** The tensors of a result, which may be a list of lists. */
const tensorsOf = (result) => (Array.isArray(result) ? result.flatMap(tensorsOf) : [result])

const variables = Object.fromEntries(
  Object.entries(inputs).map(([name, value]) => [name, new Variable(value, { name, trainable: false })]),
)

/** A compiled function that reads variables and assigns its results to others. */
function compiled({ ours }) {
  const results = tensorsOf(ours(ops, inputs)).map((each) => new Variable(each, { trainable: false }))
  return jit(() => {
    tensorsOf(ours(ops, variables)).forEach((each, i) => results[i].assign(each))
    return []
  })
}

/** NumPy and JAX in a separate process. */
function python() {
  const child = spawn(options.python, [fileURLToPath(new URL('./peers/python/operations.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    /** Milliseconds of one call, or null. */
    async time(library, name, milliseconds) {
      child.stdin.write(`${JSON.stringify({ library, case: name, milliseconds, cpu: options.cpu })}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${options.python} has ended: see --python`)
      return JSON.parse(value)?.milliseconds ?? null
    },
    close: () => child.kill(),
  }
}

/** A package of bench/peers, not of this project. */
const JAX = './peers/node_modules/@jax-js/jax/dist/index.js'

async function loadJax() {
  if (!peers.includes('jax-js')) return null
  try {
    const jax = await import(new URL(JAX, import.meta.url).href)
    await jax.init('wasm')
    jax.defaultDevice('wasm')
    const { numpy: np } = jax
    const arrays = Object.fromEntries(
      Object.entries(inputs).map(([name, { data, shape, dtype }]) => {
        const array = np.array(data).reshape([...shape])
        return [name, dtype === 'bool' ? np.notEqual(array, 0) : array]
      }),
    )
    return { jax, arrays }
  } catch (error) {
    console.error(`without jax-js: ${error.message}`)
    return null
  }
}

/** A call of jax-js that waits for its result; null if jax-js lacks the op or fails. */
async function jaxCall({ jax, arrays }, each) {
  if (each.jax === null || each.jax === undefined) return null
  const names =
    each.names ??
    Object.keys(arrays).filter((name) => new RegExp(`\\b${name}\\b`).test(each.jax.toString().split('=>')[0]))
  const f = each.isGradient
    ? jax.jit(jax.valueAndGrad((...x) => each.jax(jax.numpy, ...x)))
    : jax.jit((...x) => each.jax(jax.numpy, Object.fromEntries(names.map((name, i) => [name, x[i]])), jax))
  const call = async () => {
    const result = tensorsOf(f(...names.map((name) => arrays[name].ref)))
    await Promise.all(result.map((array) => array.blockUntilReady()))
    for (const array of result) array.dispose()
  }
  try {
    const start = performance.now()
    await call()
    // Minutes for a row are not worth a number.
    return performance.now() - start > 8000 ? null : call
  } catch {
    return null
  }
}

async function measure() {
  const chosen = cases.filter(({ name }) => options.only.split('|').some((part) => name.includes(part)))
  if (chosen.length === 0) throw new Error(`--only ${options.only}: no case has this in its name`)
  const others = peers.includes('numpy') ? python() : null
  const jaxJs = await loadJax()
  const rows = []
  for (const each of chosen) {
    const contenders = each.traced && options.compiled ? [] : [{ name: 'eager', call: () => each.ours(ops, inputs) }]
    if (each.traced) contenders.push({ name: 'traced', call: compiled(each) })
    const library = each.isGradient ? 'jax' : 'numpy'
    const isPresent =
      others !== null && peers.includes(library) && (await others.time(library, each.name, timing.warmUpMs)) !== null
    if (isPresent)
      contenders.push({ name: 'python', sample: (milliseconds) => others.time(library, each.name, milliseconds) })
    const call = jaxJs === null ? null : await jaxCall(jaxJs, each)
    if (call !== null) contenders.push({ name: 'jax-js', call })
    const samples = await interleave(contenders, options.cpu ? { ...timing, clock: cpuTime } : timing)
    const row = { name: each.name, library }
    for (const [name, times] of samples) row[name] = options.cpu ? Math.min(...times) : median(times)
    const best = each.traced ? 'traced' : 'eager'
    for (const peer of ['python', 'jax-js']) {
      if (!samples.has(peer)) continue
      const than = (ours) => (options.cpu ? row[peer] / row[ours] : ratio(samples.get(peer), samples.get(ours)))
      row[`${peer} ×`] = than(best)
      if (samples.has('eager')) row[`${peer} × eager`] = than('eager')
    }
    rows.push(row)
    console.error(cellsOf(row).join('  '))
  }
  others?.close()
  return { simd: runtimeInfo().simd, rounds: timing.rounds, rows }
}

const factor = (value) => (value === undefined ? '–' : `${value.toFixed(2)}×`)
const time = (value) => (value === undefined ? '–' : formatMilliseconds(value))
const cellsOf = (row) => [
  row.name,
  time(row.eager),
  time(row.traced),
  time(row.python),
  factor(row['python × eager']),
  factor(row.traced === undefined ? undefined : row['python ×']),
  factor(row['jax-js ×']),
]
const head = ['', 'alone', 'compiled', 'NumPy', 'NumPy ×, alone', 'NumPy ×, compiled', 'jax-js ×']

/** A report in which rows that were not measured are those of the former one. */
function mergedWithFormer(report) {
  const former = JSON.parse(readFileSync(new URL('results/operations.json', import.meta.url), 'utf8'))
  const runs = report.runs.map((run, i) => {
    const known = [...former.runs[i].rows, ...run.rows]
    const rows = cases.flatMap(({ name }) => known.findLast((row) => row.name === name) ?? [])
    return { ...run, rounds: Math.min(former.runs[i].rounds, run.rounds), rows }
  })
  return { ...report, runs }
}

const measured = await measureInEachNode(import.meta.url, measure)
const report = options.merge ? mergedWithFormer(measured) : measured
const markdown = [
  ...report.runs.flatMap((run) => [`**${nodeTitle(run)}**`, '', table(head, run.rows.map(cellsOf)), '']),
  `One thread, ${options.cpu ? 'the least CPU times' : 'medians'} of ${options.merge ? 'at least ' : ''}${report.runs[0].rounds} interleaved rounds. × is the time of the other library divided by myelin's; jax-js with a compiled function. Rows of gradients compare with JAX in place of NumPy. ${machineLine(report)}`,
].join('\n')
console.log(markdown)
if (!options.quick && !options.compiled && (options.only === '' || options.merge) && options.simd === 'auto')
  publish('operations', report, markdown)
