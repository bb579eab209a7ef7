// Every class with declared options, with a way to create and use it on a small input. Tests that iterate over these fail for
// a registered class that is missing here.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import {
  Callback,
  Dense,
  InputLayer,
  SGD,
  Sequential,
  Variable,
  callbacks,
  constraints,
  initializers,
  jit,
  losses,
  metrics,
  optimizers,
  ops,
  regularizers,
  schedules,
  setRandomSeed,
  tensor,
  type Layer,
  type Optimizer,
} from '../../src'
import * as balance from '../../src/entries/balance'
import { Temperature } from '../../src/entries/explain'
import * as thrift from '../../src/entries/thrift'
import { optionsOf } from '../../src/core/options'
import { MyelinError } from '../../src/core/errors'
import { flatten, isBranch, mapTree, type Tree } from '../../src/core/tree'
import { ImageLayer } from '../../src/layers/preprocessing/image-layer'
import type { LayerBase } from '../../src/layers/layer'
import { maskOf } from '../../src/layers/masks'
import { layers } from '../../src/layers/registry'
import { Tensor } from '../../src/ops/tensor'
import { Input, examples } from '../layers/examples'
import { floats, integers } from './data'
import { applyTree } from '../../src/layers/applying'

/** A class, and how a test uses its objects. */
export interface Subject {
  readonly kind: string
  readonly name: string
  readonly of: new (options: object) => object
  /** Options of an ordinary object; each call makes new objects. */
  readonly options: () => Readonly<Record<string, unknown>>
  /** Uses an object; the result shows its effect. */
  readonly use: (made: object) => unknown
  /** Removes what `options` made, if no object can be made of them. */
  readonly discard?: () => void
}

type AnyClass = Subject['of']

/** A result with more elements is only its shape. */
const MOST_LISTED = 1e7

/** Replaces tensors and variables by their numbers. Errors of this library are results, too. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) {
    const { shape, dtype, size } = value
    return { shape, dtype, data: size > MOST_LISTED ? null : Array.from(value.data) }
  }
  if (value instanceof Variable) return plain(value.value)
  if (Array.isArray(value)) return value.map(plain)
  if (isBranch(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
  return value
}

/** The results of several uses, or the errors of this library that end them. */
function each(...uses: readonly (() => unknown)[]): unknown[] {
  return uses.map((use) => {
    try {
      return plain(use())
    } catch (error) {
      if (error instanceof MyelinError) return error.message
      throw error
    }
  })
}

function dataFor(input: Tree<Input>): Tree<Tensor> {
  let seed = 1
  return mapTree(input, ({ shape, dtype, below }) => {
    const full = [2, ...shape]
    const { data } = dtype === 'float32' ? floats(full, -2, 2, seed++) : integers(full, 0, below - 1, seed++)
    return tensor([...data], full, dtype)
  })
}

const texts = ['a b', 'b c a', 'q', '']
/** Layers that read strings: layers/examples.ts has no rows for them. */
const ofStrings: Readonly<Record<string, object>> = {
  Hashing: { numBins: 3 },
  StringLookup: { vocabulary: ['a b', 'q'] },
  TextVectorization: { vocabulary: ['a', 'b', 'c'] },
}

function layerSubjects(): Subject[] {
  return Object.entries(layers.all).flatMap(([name, of]): Subject[] => {
    const rows = Object.hasOwn(ofStrings, name) ? [{ options: ofStrings[name]!, input: null }] : (examples[name] ?? [])
    return rows.map(({ options = {}, input }) => ({
      kind: 'layer',
      name,
      of: of as AnyClass,
      options: () => (typeof options === 'function' ? (options as () => object)() : options) as Record<string, unknown>,
      use: (made) => useLayer(made as LayerBase, input === null ? texts : dataFor(input)),
    }))
  })
}

/** The outputs of a layer for zeros, and for a sequence whose last step is masked. */
function masked(layer: LayerBase, data: unknown) {
  return () => {
    if (!(data instanceof Tensor)) return null
    const zeros = applyTree(layer, ops.zerosLike(data), {})
    const masks = flatten(zeros as Tree<Tensor>).map((leaf) => maskOf(leaf))
    if (data.rank < 3 || !layer.supportsMasking) return [zeros, masks]
    const [batch, steps] = data.shape as [number, number]
    const mask = ops.broadcastTo(ops.less(ops.arange(steps), steps - 1), [batch, steps])
    return [zeros, masks, applyTree(layer, data, { mask })]
  }
}

/** A box in each image, and no second one. */
const boxesFor = ({ shape: [count] }: Tensor): { readonly boxes: Tensor; readonly labels: Tensor } => ({
  boxes: ops.tile(
    tensor([
      [0, 1, 2, 3],
      [0, 0, 0, 0],
    ]),
    [count!, 1, 1],
  ),
  labels: ops.tile(tensor([1, -1]), [count!, 1]),
})

function useLayer(layer: LayerBase, data: unknown): unknown {
  const fresh = (): unknown =>
    data instanceof Tensor || isBranch(data) ? mapTree(data as Tree<unknown>, (leaf) => leaf) : data
  const called = (training: boolean) => () => {
    const output = applyTree(layer, fresh(), { training })
    return [output, flatten(output as Tree<Tensor>).map((leaf) => maskOf(leaf))]
  }
  // Layers of images also take boxes, in the format that an option names.
  const boxed = (training: boolean) => (): unknown =>
    layer instanceof ImageLayer && data instanceof Tensor
      ? applyTree(layer, { images: data, boundingBoxes: boxesFor(data) } as Tree<Tensor>, { training })
      : null
  return [
    layer.name,
    layer.trainable,
    layer instanceof InputLayer ? [layer.spec.shape, layer.spec.dtype, layer.spec.optional] : null,
    ...each(called(false), called(true), called(false), boxed(false), boxed(true)),
    ...each(masked(layer, data), () =>
      new Sequential([layer as Layer]).inputs.map(({ shape, dtype }) => [shape, dtype]),
    ),
    ...each(
      // Losses of a call are known within a traced function.
      () =>
        data instanceof Tensor && data.dtype === 'float32'
          ? jit((x: Tensor) => (applyTree(layer, x, {}), [...layer.losses]))(data)
          : null,
      () => layer.losses,
      () =>
        layer.weights.map((weight) => [
          weight.name,
          weight.trainable,
          weight,
          weight.constraint?.call(ops.multiply(weight.value, -30)) ?? null,
        ]),
    ),
  ]
}

const fractions = tensor([
  [0.7, 0.2, 0.1],
  [0.15, 0.05, 0.8],
  [0.3, 0.45, 0.25],
])
const oneHot = tensor([
  [1, 0, 0],
  [0, 1, 0],
  [0, 1, 0],
])
const numbers = tensor([0, 2, 1])
const signs = ops.subtract(ops.multiply(oneHot, 2), 1)
const amounts = tensor([
  [3, -4, 0.5],
  [1, 2, 0],
  [-0.2, 7, 1.5],
])
/** Pairs of targets and predictions. */
const pairs: readonly (readonly [Tensor, Tensor])[] = [
  [oneHot, fractions],
  [numbers, fractions],
  [signs, amounts],
  [amounts, fractions],
  [numbers, tensor([0, 1, 1])],
  [tensor([1, 0, 1]), tensor([0.6, 0.5, 0.2])],
  [tensor([1, 0, 2]), fractions],
  [tensor([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]), tensor([0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.5, 0.4, 0.3, 0.3, 0.2, 0.1])],
  [
    ops.cast(
      tensor([
        [1, 2, 2],
        [2, 1, 0],
        [1, 1, 0],
      ]),
      'int32',
    ),
    ops.reshape(ops.sin(ops.arange(0, 45, 1, 'float32')), [3, 5, 3]),
  ],
]

const required: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  IoU: { numClasses: 3, targetClassIds: [0, 1] },
  MeanIoU: { numClasses: 3 },
  OneHotIoU: { numClasses: 3, targetClassIds: [0, 2] },
  OneHotMeanIoU: { numClasses: 3 },
  BinaryIoU: {},
  ConfusionMatrix: { numClasses: 3 },
  PrecisionAtRecall: { recall: 0.5 },
  RecallAtPrecision: { precision: 0.5 },
  SensitivityAtSpecificity: { specificity: 0.5 },
  SpecificityAtSensitivity: { sensitivity: 0.5 },
  MeanMetricWrapper: { fn: (y: Tensor, p: Tensor) => ops.subtract(y, p) },
  LambdaRegularizer: { regularizer: (w: Tensor) => ops.sum(ops.abs(w)) },
  LambdaInitializer: { initializer: (shape: readonly number[]) => ops.full(shape, 2) },
  LambdaConstraint: { constraint: (w: Tensor) => ops.abs(w) },
  L1: { l1: 0.1 },
  STFT: { side: 'real' },
  ExponentialDecay: { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 },
  CosineDecay: { initialLearningRate: 0.1, decaySteps: 10 },
  CosineDecayRestarts: { initialLearningRate: 0.1, firstDecaySteps: 10 },
  InverseTimeDecay: { initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.5 },
  LambdaSchedule: { schedule: (step: Tensor) => ops.multiply(step, 0.1) },
  OneCycle: { maxLearningRate: 0.1, totalSteps: 20 },
  PiecewiseConstantDecay: { boundaries: [3, 10], values: [1, 0.5, 0.1] },
  PolynomialDecay: { initialLearningRate: 0.1, decaySteps: 10 },
  LossScaleOptimizer: { innerOptimizer: 'adam' },
  MultiOptimizer: { optimizers: [['sgd', 'bias'], ['adam']] },
}

function of(kind: string, all: object, isOne: (prototype: unknown) => boolean, use: Subject['use']): Subject[] {
  return Object.entries(all).flatMap(([name, found]: [string, unknown]): Subject[] =>
    typeof found === 'function' &&
    isOne(found.prototype) &&
    // A second name is the same class.
    !('className' in found && found.className !== name) &&
    !/^(?:Loss|Metric|Optimizer|LearningRateSchedule|Initializer|Regularizer|Constraint)$/.test(name)
      ? [{ kind, name, of: found as AnyClass, options: () => required[name] ?? {}, use }]
      : [],
  )
}

const matrix = floats([4, 3], -2, 2, 3).data
const kernel = (): Tensor => tensor([...matrix], [4, 3])

function useOptimizer(optimizer: Optimizer): unknown {
  const weights = [
    new Variable(kernel(), { name: 'dense/kernel' }),
    new Variable(tensor([1, -2, 3]), { name: 'dense/bias' }),
    new Variable(tensor([...floats([4, 4], -1, 1, 8).data], [4, 4]), { name: 'other/embeddings' }),
  ]
  return each(
    () => optimizer.scaleLoss(tensor(3)),
    () => {
      optimizer.build(weights)
      for (let i = 1; i <= 5; i++)
        optimizer.apply(
          weights.map((weight, at) => ops.multiply(ops.sin(ops.multiply(weight.value, i + at)), i === 3 ? 0.001 : 4)),
          weights,
        )
      return [weights, optimizer.variables]
    },
    () => {
      optimizer.finalize(weights)
      return [weights]
    },
  )
}

/** A short fit, and its observable results: logs, weights, files, requests and printed lines. */
async function useCallback(callback: Callback, folder: string): Promise<unknown> {
  const x = floats([24, 4], -1, 1, 5)
  const y = floats([24, 1], -1, 1, 6)
  const model = new Sequential([
    new Dense({ units: 5, activation: 'relu', inputShape: [4], name: 'hidden' }),
    new Dense({ units: 4, activation: 'relu', name: 'second' }),
    new Dense({ units: 4, activation: 'tanh', name: 'middle' }),
    new Dense({ units: 1, name: 'out' }),
  ])
  model.compile({ optimizer: new SGD({ learningRate: 0.2, useEma: true }), loss: 'mse', metrics: ['mae'] })
  const seen: unknown[] = []
  /** A later callback sees what the first has done in an epoch. */
  const later = { onEpochEnd: () => void seen.push(plain(model.weights)) }
  const { fetch } = globalThis
  globalThis.fetch = async (url, init) => (seen.push([url, init?.headers, String(init?.body)]), new Response('{}'))
  const prints = (['log', 'warn', 'info'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...words) => void seen.push(words)),
  )
  try {
    const { history, epoch } = await model.fit(x, y, {
      epochs: 6,
      batchSize: 8,
      verbose: 0,
      validationData: [x, y],
      callbacks: [callback, later],
    })
    return [history, epoch, plain(model.weights), seen, reportedBy(callback), await contents(folder)]
  } catch (error) {
    if (error instanceof MyelinError) return error.message
    throw error
  } finally {
    globalThis.fetch = fetch
    for (const print of prints) print.mockRestore()
  }
}

/** What a callback reports itself, without figures that depend on the time. */
function reportedBy(callback: Callback): unknown {
  if (callback instanceof balance.UnitHealth) return callback.records
  if (callback instanceof thrift.EmissionsTracker && callback.footprint !== null) {
    const { gCO2e, joules, sci, steps } = callback.footprint
    const manufacture = sci.value * steps.value - gCO2e.value
    return [(gCO2e.value / joules.value).toPrecision(4), manufacture.toFixed(4)]
  }
  return null
}

async function contents(folder: string): Promise<unknown> {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(folder, name)).catch(() => null)
      const title = name.replace(/\d{6,}[^/]*/g, 'N')
      if (!name.endsWith('.csv')) return [title, bytes?.length ?? null]
      return [title, withoutMeasurements(String(bytes))]
    }),
  )
}

/** A log without the columns of the one of EmissionsTracker that depend on the time or the machine. */
function withoutMeasurements(log: string): unknown {
  const rows = log.split('\n').map((row) => row.split(','))
  if (rows[0]![0] !== 'timestamp') return log
  const kept = ['project_name', 'country_iso_code', 'pue'].map((name) => rows[0]!.indexOf(name))
  return rows.map((row) => kept.map((column) => row[column]))
}

/** Options of callbacks; `in` is a separate folder for each. */
const ofCallbacks: Readonly<Record<string, (folder: string) => Readonly<Record<string, unknown>>>> = {
  BackupAndRestore: (folder) => ({ backupDir: join(folder, 'backup'), deleteCheckpoint: false }),
  CSVLogger(folder) {
    writeFileSync(join(folder, 'log.csv'), 'epoch,loss\n')
    return { filename: join(folder, 'log.csv') }
  },
  ModelCheckpoint: (folder) => ({ filepath: join(folder, '{epoch}.safetensors') }),
  TensorBoard: (folder) => ({ logDir: join(folder, 'logs') }),
  LearningRateScheduler: () => ({ schedule: (epoch: number) => 0.1 / (epoch + 1) }),
  MagnitudePruning: () => ({ finalSparsity: 0.5, endStep: 12 }),
  ContinualBackprop: () => ({ maturity: 3, replacementRate: 0.2 }),
  ReDo: () => ({ every: 5 }),
  ShrinkAndPerturb: () => ({ every: 5 }),
  Budget: () => ({ flops: 1e7 }),
  StopWhenUneconomic: () => ({ perFlop: 1e-9 }),
  UnitHealth: () => ({ every: 4 }),
  SynapticScaling: () => ({ every: 4 }),
}

/** Runs a function in a folder, where relative paths belong, and removes the folder. */
async function within<Result>(folder: string, run: () => Promise<Result>): Promise<Result> {
  const former = process.cwd()
  process.chdir(folder)
  try {
    return await run()
  } finally {
    process.chdir(former)
    await rm(folder, { recursive: true })
  }
}

function callbackSubjects(): Subject[] {
  const all = { ...callbacks, ...balance, ...thrift }
  return Object.entries(all).flatMap(([name, found]: [string, unknown]): Subject[] => {
    const isOne = typeof found === 'function' && found.prototype instanceof Callback
    if (!isOne || Object.keys(optionsOf(found as object)).length === 0) return []
    let folder = ''
    return [
      {
        kind: 'callback',
        name,
        of: found as AnyClass,
        options() {
          folder = mkdtempSync(join(tmpdir(), 'myelin-subject-'))
          return ofCallbacks[name]?.(folder) ?? {}
        },
        use: (made) => within(folder, () => useCallback(made as Callback, folder)),
        discard: () => rmSync(folder, { recursive: true }),
      },
    ]
  })
}

/** Layers of sub-paths, and other classes with options. */
function others(): Subject[] {
  const vectors = new Input([4])
  const layerOf = (name: string, found: unknown, input: Input, options: object = {}): Subject => ({
    kind: 'layer',
    name,
    of: found as AnyClass,
    options: () => options as Record<string, unknown>,
    use: (made) => useLayer(made as LayerBase, dataFor(input)),
  })
  return [
    layerOf('KWinnersTakeAll', balance.KWinnersTakeAll, vectors, { k: 2 }),
    layerOf('IntrinsicPlasticity', balance.IntrinsicPlasticity, vectors),
    layerOf('Temperature', Temperature, vectors, { temperature: 2 }),
    layerOf('QuantizedDense', thrift.QuantizedDense, vectors, { units: 3 }),
    layerOf('QuantizedConv1D', thrift.QuantizedConv1D, new Input([3, 4]), { filters: 2, kernelSize: 2 }),
    layerOf('QuantizedConv2D', thrift.QuantizedConv2D, new Input([4, 5, 2]), { filters: 2, kernelSize: 2 }),
    {
      kind: 'memory',
      name: 'ReservoirReplay',
      of: balance.ReservoirReplay as AnyClass,
      options: () => ({ capacity: 3 }),
      use(made) {
        const replay = made as balance.ReservoirReplay
        return each(
          () => replay.add(floats([6, 2], -1, 1, 1), floats([6, 1], -1, 1, 2)),
          () => replay.sample(4),
        )
      },
    },
  ]
}

/** All classes with options. */
export function subjects(): Subject[] {
  return [
    ...layerSubjects(),
    ...of(
      'loss',
      losses,
      (each) => each instanceof losses.Loss,
      (made) =>
        each(
          ...pairs.flatMap(([y, p]) => [
            () => (made as losses.Loss).apply(y, p),
            () => (made as losses.Loss).apply(y, p, [1, 2, 0.5]),
          ]),
        ),
    ),
    ...of(
      'metric',
      metrics,
      (each) => each instanceof metrics.Metric,
      (made) => {
        const metric = made as metrics.Metric
        return [
          metric.name,
          ...each(
            ...pairs.map(([y, p]) => () => {
              metric.resetState()
              metric.apply(y, p)
              metric.apply(y, p, [1, 2, 0.5])
              return [metric.result(), metric.variables]
            }),
          ),
        ]
      },
    ),
    ...of(
      'optimizer',
      optimizers,
      (each) => each instanceof optimizers.Optimizer,
      (made) => useOptimizer(made as Optimizer),
    ),
    ...of(
      'schedule',
      schedules,
      (each) => each instanceof schedules.LearningRateSchedule,
      (made) =>
        each(
          ...[0, 1, 5, 8, 13, 20, 1000].map(
            (step) => () => (made as schedules.LearningRateSchedule).call(tensor(step)),
          ),
        ),
    ),
    ...of(
      'initializer',
      initializers,
      (each) => each instanceof initializers.Initializer,
      (made) => {
        const initializer = made as initializers.Initializer
        return each(...[[4, 3], [3, 3], [2, 2, 4, 3], [3], [4, 1, 3]].map((shape) => () => initializer.call(shape)))
      },
    ),
    ...of(
      'regularizer',
      { ...regularizers, KLSparsity: balance.KLSparsity, L2Init: balance.L2Init },
      (each) => each instanceof regularizers.Regularizer,
      (made) => {
        const regularizer = made as regularizers.Regularizer
        return each(
          () => regularizer.call(kernel()),
          () => regularizer.call(ops.reshape(kernel(), [2, 2, 3, 1])),
          () => {
            const layer = new Dense({ units: 3, kernelRegularizer: regularizer })
            layer.ensureBuilt([null, 4])
            layer.kernel.assign(kernel())
            return layer.losses
          },
        )
      },
    ),
    ...of(
      'constraint',
      { ...constraints, DalesPrinciple: balance.DalesPrinciple },
      (each) => each instanceof constraints.Constraint,
      (made) => {
        const constraint = made as constraints.Constraint
        return each(
          () => constraint.call(kernel()),
          () => constraint.call(ops.reshape(kernel(), [2, 1, 2, 3])),
        )
      },
    ),
    ...others(),
    ...callbackSubjects(),
  ]
}

/** Makes and uses an object with equal random numbers each time. */
export function tried({ of, options, use, discard }: Subject, other: object = {}): unknown {
  setRandomSeed(7)
  const settings = options()
  let made: object
  try {
    made = new of({ ...settings, ...other })
  } catch (error) {
    discard?.()
    throw error
  }
  return use(made)
}
