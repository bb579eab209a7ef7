// Calls of functions with a hostile number in each place where a user can give a size, a count or a length. Ops are called
// as in the stored signatures, with each argument replaced in turn.

import {
  Dense,
  Embedding,
  GRU,
  Input,
  Model,
  Sequential,
  generate,
  ops,
  padSequences,
  random,
  tensor,
  type Tensor,
} from '../../src'
import * as balance from '../../src/entries/balance'
import {
  Dataset,
  classWeights,
  crossValidate,
  kFold,
  timeseriesDataset,
  toCategorical,
  trainTestSplit,
} from '../../src/entries/data'
import * as explain from '../../src/entries/explain'
import { gridSearch, randomSearch } from '../../src/entries/search'
import * as thrift from '../../src/entries/thrift'
import { camelKey } from '../../src/core/errors'
import type { SignaturesFile, StoredTensor } from '../golden/format'
import { floats } from './data'
import { readFixture } from './golden'

/** One call; `at` replaces a number. */
export interface HostileCall {
  readonly name: string
  readonly run: (at: never) => unknown
}

const isStored = (value: unknown): value is StoredTensor =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value

function argumentOf(value: unknown): unknown {
  if (isStored(value)) return tensor({ ...value, data: value.data.map(Number) })
  return Array.isArray(value) ? value.map(argumentOf) : value
}

const SPELLED: Readonly<Record<string, string>> = {
  var: 'variance',
  batchNormalization: 'batchNorm',
  layerNormalization: 'layerNorm',
  rmsNormalization: 'rmsNorm',
  moveaxis: 'moveAxis',
  swapaxes: 'swapAxes',
  logsumexp: 'logSumExp',
}

function callsOfOps(): HostileCall[] {
  const { calls } = readFixture<SignaturesFile>('signatures')
  const seen = new Set<string>()
  return calls.flatMap(({ op, given: stored }): HostileCall[] => {
    const name = SPELLED[camelKey(op)] ?? camelKey(op)
    const found: unknown = Reflect.get(ops, name)
    const plain: unknown = Reflect.get(ops, name)
    if (typeof found !== 'function' || typeof plain !== 'function' || seen.has(name)) return []
    seen.add(name)
    const count = Math.max(stored.length, 5)
    return Array.from({ length: count }, (_, at) => ({
      name: `ops.${name}, argument ${at}`,
      run: (value: never) => {
        const inputs = stored.map(argumentOf)
        inputs[at] = value
        return Reflect.apply(found, undefined, inputs) as unknown
      },
    }))
  })
}

/** Ops that no stored call has, and further places. */
const more: Readonly<Record<string, (at: never) => unknown>> = {
  'zeros, square': (at) => ops.zeros([at, at]),
  full: (at) => ops.full([2, at], 1),
  ones: (at) => ops.ones([at]),
  eye: (at) => ops.eye(at),
  'eye, columns and k': (at) => ops.eye(2, at, at),
  arange: (at) => ops.arange(0, at),
  'arange, step': (at) => ops.arange(0, 1, at),
  'arange, small step': (at) => ops.arange(0, 1, 1 / (at as number)),
  linspace: (at) => ops.linspace(0, 1, at),
  'linspace of tensors': (at) => ops.linspace([0, 1], [1, 2], at),
  logspace: (at) => ops.logspace(0, 1, at),
  repeat: (at) => ops.repeat([1, 2], at),
  'repeat, each': (at) => ops.repeat([1, 2], [1, at]),
  'repeat, axis': (at) => ops.repeat([[1, 2]], 2, at),
  tile: (at) => ops.tile([1, 2], [at, at]),
  pad: (at) => ops.pad([1, 2], at),
  'pad, reflect': (at) => ops.pad([1, 2], [[1, at]], 'reflect'),
  oneHot: (at) => ops.oneHot([0], at),
  'oneHot, index': (at) => ops.oneHot([at], 3),
  broadcastTo: (at) => ops.broadcastTo([1], [at]),
  reshape: (at) => ops.reshape([1, 2], [at, -1]),
  scatter: (at) => ops.scatter([[0]], [1], [at]),
  scatterAdd: (at) => ops.scatterAdd([1], [0], at),
  segmentSum: (at) => ops.segmentSum([1, 2], [0, 1], at),
  segmentMax: (at) => ops.segmentMax([1, 2], [0, 1], at),
  segmentProd: (at) => ops.segmentProd([1, 2], [0, 1], at),
  unravelIndex: (at) => ops.unravelIndex([0, 1], [2, at]),
  'unique, size': (at) => ops.unique([1, 2], { size: at }),
  argpartition: (at) => ops.argpartition([1, 2], at),
  percentile: (at) => ops.nanpercentile([1, 2], at),
  ldexp: (at) => ops.ldexp([1, 2], at),
  bincount: (at) => ops.bincount(tensor([0, 1], [2], 'int32'), { minlength: at }),
  histogram: (at) => ops.histogram([1, 2, 3], at),
  vander: (at) => ops.vander([1, 2], at),
  tri: (at) => ops.tri(at),
  triu: (at) => ops.triu(ops.ones([3, 3]), at),
  diag: (at) => ops.diag([1, 2], at),
  rot90: (at) => ops.rot90(ops.ones([2, 2]), at),
  roll: (at) => ops.roll([1, 2, 3], at),
  topK: (at) => ops.topK([1, 2, 3], at),
  split: (at) => ops.split([1, 2, 3, 4], at),
  'split of nothing': (at) => ops.split(ops.zeros([0]), at),
  rfft: (at) => ops.rfft([1, 2, 3], at),
  'outer product': () => ops.multiply(ops.zeros([100_000, 1]), ops.zeros([1, 100_000])),
  'matrix product': () => ops.matmul(ops.zeros([100_000, 1]), ops.zeros([1, 100_000])),
  meshgrid: () => ops.meshgrid(ops.zeros([100_000]), ops.zeros([100_000])),
  foriLoop: (at) => ops.foriLoop(0, at, (_i, x) => x, tensor(1)),
  scan: (at) => ops.scan((carry: Tensor) => [carry, carry], tensor(1), null, { length: at }),
  'random.normal': (at) => random.normal([at]),
  'random.uniform': (at) => random.uniform([at, at]),
  'random.truncatedNormal': (at) => random.truncatedNormal([2, at]),
  'random.randint': (at) => random.randint([at], 0, 3),
  'random.randint, bounds': (at) => random.randint([2], 0, at),
  resize: (at) => ops.resize(ops.zeros([1, 2, 2, 1]), [at, at]),
  maxPool: (at) => ops.maxPool(ops.zeros([1, 4, 4, 1]), at, { strides: at }),
  'averagePool, same': (at) => ops.averagePool(ops.zeros([1, 4, 4, 1]), at, { strides: 1, padding: 'same' }),
  'conv, strides': (at) => ops.conv(ops.zeros([1, 4, 4, 1]), ops.zeros([2, 2, 1, 1]), { strides: at }),
  'conv, dilation': (at) =>
    ops.conv(ops.zeros([1, 4, 4, 1]), ops.zeros([2, 2, 1, 1]), { padding: 'same', dilationRate: at }),
  convTranspose: (at) => ops.convTranspose(ops.zeros([1, 4, 4, 1]), ops.zeros([2, 2, 1, 1]), { strides: at }),
  'tensor of a shape': (at) => tensor({ data: [1, 2], shape: [at, at] }),
}

function model(): Sequential {
  const made = new Sequential([new Dense({ units: 3, activation: 'relu', inputShape: [2] }), new Dense({ units: 1 })])
  made.compile({ optimizer: 'sgd', loss: 'mse' })
  return made
}

function language(): Model {
  const tokens = Input({ shape: [null], dtype: 'int32' })
  const hidden = new GRU({ units: 4, returnSequences: true }).apply(
    new Embedding({ inputDim: 5, outputDim: 3 }).apply(tokens),
  )
  return new Model({ inputs: tokens, outputs: new Dense({ units: 5, activation: 'softmax' }).apply(hidden) })
}

const x = floats([6, 2], -1, 1, 1)
const y = floats([6, 1], -1, 1, 2)
const ended = () => AbortSignal.timeout(100)
const quiet = { verbose: 0 } as const
const rows = () => Dataset.range(5)

/** Functions that train, read and explain. Runs of any length are legal, so they get a signal that ends them. */
const others: Readonly<Record<string, (at: never) => unknown>> = {
  'fit epochs': (at) => model().fit(x, y, { ...quiet, epochs: at, signal: ended() }),
  'fit initialEpoch': (at) => model().fit(x, y, { ...quiet, initialEpoch: at }),
  'fit batchSize': (at) => model().fit(x, y, { ...quiet, batchSize: at }),
  'fit stepsPerEpoch': (at) => model().fit(x, y, { ...quiet, stepsPerEpoch: at, signal: ended() }),
  'fit validationFreq': (at) => model().fit(x, y, { ...quiet, validationData: [x, y], validationFreq: at }),
  'fit validationBatchSize': (at) => model().fit(x, y, { ...quiet, validationData: [x, y], validationBatchSize: at }),
  'fit validationSteps': (at) => model().fit(x, y, { ...quiet, validationData: [x, y], validationSteps: at }),
  'fit validationSplit': (at) => model().fit(x, y, { ...quiet, validationSplit: at }),
  'fit classWeight': (at) => model().fit(x, ops.ones([6, 1]), { ...quiet, classWeight: { 1: at } }),
  'evaluate batchSize': (at) => model().evaluate(x, y, { ...quiet, batchSize: at }),
  'evaluate steps': (at) => model().evaluate(x, y, { ...quiet, steps: at }),
  'predict batchSize': (at) => model().predict(x, { batchSize: at }),
  'predict steps': (at) => model().predict(x, { steps: at }),
  'generate maxTokens': (at) => generate(language(), [[1, 2]], { maxTokens: at, signal: ended() }),
  'generate temperature': (at) => generate(language(), [[1, 2]], { maxTokens: 2, temperature: at }),
  'generate topK': (at) => generate(language(), [[1, 2]], { maxTokens: 2, temperature: 1, topK: at }),
  'generate stopTokens': (at) => generate(language(), [[1, 2]], { maxTokens: 2, stopTokens: at }),
  'generate prompt': (at) => generate(language(), [[1, at]], { maxTokens: 2 }),
  'Input shape': (at) => new Dense(2).apply(Input({ shape: [at] })),
  'Input batchSize': (at) => new Dense(2).apply(Input({ shape: [2], batchSize: at })),
  padSequences: (at) => padSequences([[1], [2, 3]], { maxlen: at }),
  'padSequences value': (at) => padSequences([[1], [2, 3]], { value: at }),
  toCategorical: (at) => toCategorical([0, 1], at),
  'toCategorical label': (at) => toCategorical([0, at]),
  'classWeights label': (at) => classWeights([0, at, 1]),
  'kFold rows': (at) => kFold(at, { folds: 2 }),
  'kFold folds': (at) => kFold(6, { folds: at }),
  'trainTestSplit testSize': (at) => trainTestSplit(x, y, { testSize: at }),
  'crossValidate folds': (at) => crossValidate(model, x, y, { folds: at } as never),
  'timeseries sequenceLength': (at) => timeseriesDataset([1, 2, 3, 4], { sequenceLength: at }).toArray(),
  'timeseries sequenceStride': (at) =>
    timeseriesDataset([1, 2, 3], { sequenceLength: 2, sequenceStride: at }).toArray(),
  'timeseries samplingRate': (at) => timeseriesDataset([1, 2, 3], { sequenceLength: 2, samplingRate: at }).toArray(),
  'timeseries batchSize': (at) => timeseriesDataset([1, 2, 3], { sequenceLength: 2, batchSize: at }).toArray(),
  'timeseries indices': (at) => timeseriesDataset([1, 2, 3], { sequenceLength: 2, startIndex: at, endIndex: at }),
  'Dataset.range': (at) => Dataset.range(at).take(2).toArray(),
  'Dataset.range, step': (at) => Dataset.range(0, 3, at).toArray(),
  'Dataset.batch': (at) => rows().batch(at).toArray(),
  'Dataset.paddedBatch': (at) =>
    rows()
      .map((n) => [n])
      .paddedBatch(2, { padToMultipleOf: at })
      .toArray(),
  'Dataset.paddedBatch, size': (at) =>
    rows()
      .map((n) => [n])
      .paddedBatch(at)
      .toArray(),
  'Dataset.bucketByLength': (at) =>
    rows()
      .bucketByLength((n) => n, { boundaries: [at], batchSize: at })
      .toArray(),
  'Dataset.window': (at) => rows().window(at, { dropRemainder: false }).toArray(),
  'Dataset.window, shift and stride': (at) => rows().window(2, { shift: at, stride: at }).toArray(),
  'Dataset.shuffle': (at) => rows().shuffle(at).toArray(),
  'Dataset.repeat': (at) => rows().repeat(at).take(7).toArray(),
  'Dataset.repeat of nothing': (at) => rows().take(0).repeat(at).toArray(),
  'Dataset.take': (at) => rows().take(at).toArray(),
  'Dataset.skip': (at) => rows().skip(at).toArray(),
  'Dataset.repeat and skip': (at) => rows().repeat().skip(at).take(2).toArray({ signal: ended() }),
  'Dataset.prefetch': (at) => rows().prefetch(at).toArray(),
  'Dataset.map, parallel': (at) =>
    rows()
      .map(async (n) => n, { parallel: at })
      .toArray(),
  'Dataset.iterator': (at) => rows().shuffle(3).iterator({ pass: at, taken: at }).next(),
  'gridSearch, combinations': () =>
    gridSearch(model, Object.fromEntries([...'abcdefgh'].map((name) => [name, Array(10).fill(1)])), { x, y }),
  'gridSearch epochs': (at) => gridSearch(model, { a: [1] }, { x, y, epochs: at, monitor: 'loss', signal: ended() }),
  'gridSearch folds': (at) => gridSearch(model, { a: [1] }, { x, y, folds: at }),
  'gridSearch workers': (at) =>
    gridSearch(new URL('file:///nowhere.mjs'), { a: [1] }, { x, y, workers: at, signal: ended() }),
  'gridSearch halving': (at) =>
    gridSearch(model, { a: [1, 2] }, { x, y, epochs: 2, monitor: 'loss', halving: { factor: at, minEpochs: at } }),
  'randomSearch trials': (at) =>
    randomSearch(model, { a: { min: 0, max: 1 } }, { x, y, trials: at, monitor: 'loss', signal: ended() }),
  'randomSearch range': (at) =>
    randomSearch(model, { a: { min: 0, max: at, integer: true } }, { x, y, trials: 1, monitor: 'loss' }),
  smoothGrad: (at) => explain.smoothGrad(model(), x, { samples: at }),
  'smoothGrad noise': (at) => explain.smoothGrad(model(), x, { samples: 2, noise: at }),
  integratedGradients: (at) => explain.integratedGradients(model(), x, { points: at }),
  occlusion: (at) => explain.occlusion(model(), x, { window: at, stride: at }),
  shapleyValues: (at) => explain.shapleyValues(model(), x, { background: x, batchSize: at }),
  kernelShap: (at) => explain.kernelShap(model(), x, { background: x, samples: at }),
  sampledShapley: (at) => explain.sampledShapley(model(), x, { background: x, permutations: at }),
  partialDependence: (at) => explain.partialDependence(model(), x, 0, { grid: at }),
  'partialDependence, feature': (at) => explain.partialDependence(model(), x, at),
  permutationImportance: (at) => explain.permutationImportance(model(), x, y, { repeats: at, batchSize: at }),
  'saliency, output': (at) => explain.saliency(model(), x, { output: at, batchSize: at }),
  expectedCalibrationError: (at) => explain.expectedCalibrationError([0.2, 0.7], [0, 1], { bins: at }),
  reliabilityDiagram: (at) => explain.reliabilityDiagram([0.2, 0.7], [0, 1], { bins: at }),
  attributionBars: (at) => explain.attributionBars([1, 2, 3], { most: at, row: at }),
  balanceSynapses: (at) => balance.balanceSynapses(model(), { sweeps: at, tolerance: 0 }),
  consolidate: (at) => balance.consolidate(model(), x, y, { samples: at }),
  pruneUnits: (at) => thrift.pruneUnits(model(), { keep: at } as never),
  lowRank: (at) => thrift.lowRank(model(), { rank: at } as never),
  ledger: (at) => thrift.ledger(model(), { batchSize: at }),
  distill: (at) => thrift.distill(model(), model(), { temperature: at, alpha: at }),
  'setWeights of a size': (at) => model().setWeights([ops.zeros([at, 3])]),
}

/** All calls. */
export function hostileCalls(): HostileCall[] {
  return [
    ...callsOfOps(),
    ...[...Object.entries(more), ...Object.entries(others)].map(([name, run]) => ({ name, run })),
  ]
}
