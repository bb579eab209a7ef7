// A program of Keras may say each default of a class or an op: it changes nothing, in both spellings. Values that this
// library does not support are refused with a remedy.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  Input,
  Sequential,
  callbacks,
  constraints,
  initializers,
  layers,
  loadModel,
  losses,
  metrics,
  ops,
  optimizers,
  random,
  regularizers,
  schedules,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { flatten, type Tree } from '../../src/core/tree'
import type { SignatureDefault, SignaturesFile } from '../golden/format'
import { readFixture } from '../helpers/golden'

type Parameter = readonly [name: string, initial?: unknown]
type Options = Readonly<Record<string, unknown>>

const { modules } = JSON.parse(readFileSync(new URL('../golden/keras-names.json', import.meta.url), 'utf8')) as {
  readonly modules: Readonly<
    Record<string, Readonly<Record<string, { readonly kind: string; readonly parameters?: readonly Parameter[] }>>>
  >
}

const camelCase = (name: string): string =>
  name.replace(/^\*+|_+$/g, '').replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase())

// ---------------------------------------------------------------- classes

const NAMESPACES: Readonly<Record<string, object>> = {
  layers,
  losses,
  metrics,
  optimizers,
  'optimizers.schedules': schedules,
  initializers,
  regularizers,
  constraints,
  callbacks,
}

const doubled = (x: Tensor): Tensor => ops.multiply(x, 2)

/** Options without a default, made anew for each object. */
const REQUIRED: Readonly<Record<string, () => unknown>> = {
  activation: () => 'relu',
  axes: () => [1, 1],
  backupDir: () => 'run',
  boundaries: () => [1],
  cell: () => new layers.LSTMCell(2),
  cells: () => [new layers.LSTMCell(2)],
  decayRate: () => 0.9,
  decaySteps: () => 10,
  defaultOptimizer: () => 'sgd',
  dims: () => [1],
  equation: () => 'abc,cd->abd',
  factor: () => 0.5,
  filepath: () => 'model.keras',
  filename: () => 'log.csv',
  filters: () => 2,
  firstDecaySteps: () => 3,
  fn: () => losses.meanSquaredError,
  function: () => doubled,
  headDim: () => 4,
  height: () => 4,
  heightFactor: () => 0.1,
  initialLearningRate: () => 0.1,
  innerOptimizer: () => 'sgd',
  inputDim: () => 4,
  keyDim: () => 4,
  kernelSize: () => 3,
  layer: () => new layers.Dense(2),
  layers: () => [new layers.Rescaling(2)],
  learningRate: () => 0.1,
  maxNumber: () => 3,
  monitor: () => 'loss',
  n: () => 2,
  name: () => 'mean',
  numBins: () => 3,
  numClasses: () => 2,
  numHeads: () => 2,
  numKeyValueHeads: () => 1,
  numQueryHeads: () => 2,
  outputDim: () => 3,
  outputShape: () => [null, 2],
  outputSize: () => 2,
  poolSize: () => 2,
  precision: () => 0.5,
  rate: () => 0.5,
  recall: () => 0.5,
  scale: () => 1,
  schedule: () => () => 0.1,
  sensitivity: () => 0.5,
  sequenceLength: () => 3,
  specificity: () => 0.5,
  stddev: () => 0.1,
  swapOn: () => 'epoch',
  targetClassIds: () => [0],
  targetShape: () => [4],
  units: () => 2,
  values: () => [1, 2],
  width: () => 4,
  widthFactor: () => 0.1,
}

/** What a class needs besides its required options, or in their place. */
const ALSO: Readonly<Record<string, Options>> = {
  Bidirectional: { layer: new layers.LSTM(2) },
  CategoryEncoding: { numTokens: 3 },
  Discretization: { numBins: 3 },
  InputLayer: { shape: [3] },
  Loss: {},
  MultiOptimizer: { optimizers: [['sgd']] },
  RandomPosterization: { factor: 4 },
}

/** Classes that are not made from options, and defaults that cannot be said, with the reason. */
const NOT_MADE: Readonly<Record<string, string>> = {
  InputSpec: 'TensorSpec has arguments of its own',
  Input: 'a function',
  Wrapper: 'abstract',
  Layer: 'abstract',
  Loss: 'abstract',
  Metric: 'abstract',
  Optimizer: 'abstract',
  Callback: 'no options',
}
const NOT_SAID: Readonly<Record<string, string>> = {
  'CategoryEncoding num_tokens': 'required here',
  'Discretization num_bins': 'one of two is required',
  'InputLayer shape': 'one of two is required',
  'InputLayer sparse': 'an option of Input',
  'InputLayer ragged': 'an option of Input',
  'InputLayer batch_shape': 'an option of Input',
  'InputLayer input_tensor': 'an option of Input, where it is named tensor',
}

/** Options of the base class of layers, which Keras hides in `**kwargs`. */
const OF_ALL_LAYERS: readonly Parameter[] = [
  ['name', null],
  ['dtype', null],
  ['dtype', 'float32'],
  ['trainable', true],
  ['autocast', true],
  ['activity_regularizer', null],
]

const classes = Object.entries(NAMESPACES).flatMap(([namespace, ours]) =>
  Object.entries(modules[namespace]!).flatMap(([name, { kind, parameters = [] }]) => {
    const of: unknown = Reflect.get(ours, name)
    if (kind !== 'class' || typeof of !== 'function' || NOT_MADE[name] !== undefined) return []
    if (namespace !== 'layers') return [{ name, of, parameters }]
    const channels = parameters.some(([parameter]) => parameter === 'data_format')
    const last: readonly Parameter[] = channels ? [['data_format', 'channels_last']] : []
    return [{ name, of, parameters: [...parameters, ...OF_ALL_LAYERS, ...last] }]
  }),
)

/** The required options of a class. */
function requiredOf(name: string, parameters: readonly Parameter[]): Options {
  if (name === 'MultiOptimizer') return ALSO[name]!
  const names = parameters
    .filter((each) => each.length === 1 && !each[0].startsWith('*'))
    .map(([own]) => camelCase(own))
  return { ...Object.fromEntries(names.map((own) => [own, REQUIRED[own]!()])), ...ALSO[name] }
}

const made = (of: Function, options: Options): { getConfig?: () => Options } =>
  Reflect.construct(of, [options]) as never

/** A configuration without names, which are numbered or those of classes; words in one spelling. */
function configOf(object: { getConfig?: () => Options }): string {
  return JSON.stringify(object.getConfig?.() ?? null, (key, value: unknown) =>
    key === 'name' ? undefined : typeof value === 'string' ? camelCase(value) : value,
  )
}

describe('a class takes each of its defaults', () => {
  it('of many classes', () => {
    expect(classes.length).toBeGreaterThan(290)
  })
  it.each(classes)('$name', ({ name, of, parameters }) => {
    const plain = configOf(made(of, requiredOf(name, parameters)))
    for (const [parameter, ...initial] of parameters) {
      if (initial.length === 0 || NOT_SAID[`${name} ${parameter}`] !== undefined) continue
      for (const key of [parameter, camelCase(parameter)]) {
        const { [camelCase(parameter)]: _, ...others } = requiredOf(name, parameters)
        const said = made(of, { ...others, [key]: initial[0] })
        // 'channels_last' means what null means.
        if (initial[0] !== 'channels_last') expect(configOf(said), `${key}: ${JSON.stringify(initial[0])}`).toBe(plain)
      }
    }
  })
})

describe('Input takes each of its defaults', () => {
  it.each(modules['keras']!['Input']!.parameters!.map(([parameter, initial]) => ({ parameter, initial })))(
    '$parameter',
    ({ parameter, initial }) => {
      const shape = parameter === 'shape' ? {} : { shape: [3] }
      const given = parameter === 'shape' ? { batchShape: [null, 3] } : { [parameter]: initial }
      expect(Input({ ...shape, ...given } as never).shape).toEqual([null, 3])
    },
  )
  it('batchShape is the shape with its batch axis', () => {
    expect(Input({ batchShape: [8, 3] } as never).shape).toEqual([8, 3])
    expect(() => Input({ batchShape: [8, 3], shape: [3] } as never)).toThrow(/either batchShape or shape/)
  })
})

// ---------------------------------------------------------------- ops

const { signatures, calls } = readFixture<SignaturesFile>('signatures')
const SPACES = { ops, image: ops.image, random } as const

const images = ops.ones([1, 6, 6, 3])
const row = tensor([0.5, 1, 2, 3])
const labels = tensor(Int32Array.of(1, 2), [1, 2])
const add2 = (a: Tensor, b: Tensor): Tensor => ops.add(a, b)

/** The required arguments of ops that the calls of the golden do not have. */
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  adaptive_average_pool: [images, 2],
  adaptive_max_pool: [images, 2],
  allclose: [row, row],
  append: [row, row],
  argpartition: [row, 1],
  array_split: [row, 2],
  associative_scan: [add2, row],
  average_pool: [images, 2],
  batch_normalization: [images, [0, 0, 0], [1, 1, 1], -1],
  binary_crossentropy: [row, row],
  categorical_crossentropy: [[row.data], [row.data]].map(([each]) => tensor([Array.from(each!)])),
  conv: [images, ops.ones([2, 2, 3, 1])],
  conv_transpose: [images, ops.ones([2, 2, 1, 3])],
  correlate: [row, row],
  ctc_decode: [ops.ones([1, 4, 3]), [4]],
  ctc_loss: [labels, ops.ones([1, 4, 3]), [2], [4]],
  depth_to_space: [ops.ones([1, 2, 2, 4]), 2],
  depthwise_conv: [images, ops.ones([2, 2, 3, 1])],
  dot_product_attention: [ops.ones([1, 2, 1, 3]), ops.ones([1, 2, 1, 3]), ops.ones([1, 2, 1, 3])],
  empty: [[2]],
  bincount: [tensor(Int32Array.of(1, 1, 3)), { minlength: 4 }],
  fold: [ops.ones([1, 4, 9]), 4, 2],
  max: [row],
  meshgrid: [row, row],
  min: [row],
  full_like: [row, 1],
  geomspace: [1, 8],
  identity: [2],
  irfft: [[row, row]],
  istft: [[ops.ones([3, 3]), ops.ones([3, 3])], 4, 2, 4],
  jvp: [(x: Tensor) => ops.square(x), [row], [row]],
  max_pool: [images, 2],
  multi_hot: [labels, 3],
  nanpercentile: [row, 50],
  nanquantile: [row, 0.5],
  percentile: [row, 50],
  scan: [(sum: Tensor, x: Tensor) => [ops.add(sum, x), x], tensor(0), row],
  segment_max: [row, [0, 0, 1, 1], 2],
  segment_min: [row, [0, 0, 1, 1], 2],
  segment_sum: [row, [0, 0, 1, 1], 2],
  segment_prod: [row, [0, 0, 1, 1], 2],
  select: [[ops.greater(row, 1)], [row]],
  separable_conv: [images, ops.ones([2, 2, 3, 1]), ops.ones([1, 1, 3, 1])],
  space_to_depth: [images, 2],
  sparse_categorical_crossentropy: [[1], tensor([[0.5, 0.5]])],
  unfold: [ops.ones([1, 3, 4, 4]), 2],
  vectorize: [(x: Tensor) => ops.square(x)],
  view: [row],
  while_loop: [(i: Tensor) => ops.less(i, 3), (i: Tensor) => ops.add(i, 1), tensor(Int32Array.of(0), [])],
  cholesky_inverse: [ops.eye(2)],
  svd: [ops.eye(2)],
  affine_transform: [images, [1, 0, 0, 0, 1, 0, 0, 0]],
  crop_images: [images, { topCropping: 1, leftCropping: 1, targetHeight: 2, targetWidth: 2 }],
  elastic_transform: [images, { seed: 1 }],
  extract_patches: [images, 2],
  extract_patches_3d: [ops.ones([1, 2, 2, 2, 1]), 2],
  gaussian_blur: [images],
  hsv_to_rgb: [images],
  rgb_to_grayscale: [images],
  rgb_to_hsv: [images],
  sobel_edges: [images],
  map_coordinates: [row, [[0.5]], 1],
  pad_images: [images, { topPadding: 1, leftPadding: 1, targetHeight: 8, targetWidth: 8 }],
  perspective_transform: [
    images,
    ...[0, 1].map(() =>
      tensor([
        [0, 0],
        [5, 0],
        [0, 5],
        [5, 5],
      ]),
    ),
  ],
  resize: [images, 3],
  scale_and_translate: [images, [1, 6, 6, 3], [1, 1], [0, 0], [1, 2], 'linear'],
  ssim: [ops.ones([1, 12, 12, 1]), ops.ones([1, 12, 12, 1])],
  beta: [[2], 1, 1],
  binomial: [[2], 3, 0.5],
  categorical: [tensor([[0.5, 0.5]]), 3],
  dropout: [row, 0.5],
  gamma: [[2], 1],
  normal: [[2]],
  randint: [[2], 0, 5],
  shuffle: [row],
  truncated_normal: [[2]],
  uniform: [[2]],
}

/** Defaults that cannot be said by name, with the reason. */
const NOT_BY_NAME: Readonly<Record<string, string>> = {
  'multi_hot num_classes': 'shapes do not depend on data, so it must be given',
  'segment_max num_segments': 'shapes do not depend on data, so it must be given',
  'segment_min num_segments': 'shapes do not depend on data, so it must be given',
  'segment_prod num_segments': 'shapes do not depend on data, so it must be given',
  'segment_sum num_segments': 'shapes do not depend on data, so it must be given',
  'scan xs': 'an operand',
  'where x1': 'an operand',
  'where x2': 'an operand',
  ...Object.fromEntries(
    ['top_cropping', 'left_cropping', 'target_height', 'target_width'].map((each) => [
      `crop_images ${each}`,
      'required with others',
    ]),
  ),
  ...Object.fromEntries(
    ['top_padding', 'left_padding', 'target_height', 'target_width'].map((each) => [
      `pad_images ${each}`,
      'required with others',
    ]),
  ),
}
/** Names of options that differ. */
const SPELLED: Readonly<Record<string, string>> = { keepdims: 'keepDims' }

// The first calls have the required arguments only.
const inCalls = new Map([...calls].reverse().map(({ op, given }) => [op, given]))

function argumentsOf(op: string, required: number): readonly unknown[] {
  const own = ARGUMENTS[op]
  if (own !== undefined) return own
  const given = inCalls.get(op)?.slice(0, required)
  return given?.map((each) => asArgument(each)) ?? new Array<Tensor>(required).fill(row)
}

function asArgument(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asArgument)
  return typeof value === 'object' && value !== null && 'data' in value
    ? tensor({ ...value, data: (value as { data: readonly unknown[] }).data.map(Number) } as never)
    : value
}

const optional = Object.entries(SPACES).flatMap(([space, functions]) =>
  Object.entries(signatures[space as keyof typeof signatures] ?? {}).flatMap(([op, parameters]) => {
    const of: unknown = Reflect.get(functions, camelCase(op))
    if (typeof of !== 'function') return []
    const required = parameters.filter((each) => each.length === 1 && !each[0].startsWith('*')).length
    return parameters.flatMap(([parameter, ...initial]) => {
      const key = `${op} ${parameter}`
      if (initial.length === 0 || NOT_BY_NAME[key] !== undefined) return []
      return [
        { title: `${space}.${op} ${parameter}`, op, of, required, parameter, initial: initial[0] as SignatureDefault },
      ]
    })
  }),
)

describe('an op takes each of its defaults by name', () => {
  it('of many ops', () => {
    expect(optional.length).toBeGreaterThan(250)
  })
  it.each(optional)('$title', ({ op, of, required, parameter, initial }) => {
    const given = argumentsOf(op, required)
    const own = SPELLED[parameter]
    for (const key of own === undefined ? [parameter, camelCase(parameter)] : [own]) {
      const options = Object.fromEntries([[key, initial]])
      const last = given.at(-1)
      const isByName = typeof last === 'object' && last !== null && Object.getPrototypeOf(last) === Object.prototype
      const all = isByName ? [...given.slice(0, -1), { ...last, ...options }] : [...given, options]
      const found: unknown = Reflect.apply(of, undefined, all)
      const leaves = flatten<unknown>(found as Tree<unknown>)
      expect(leaves.length).toBeGreaterThan(0)
    }
  })
})

describe('what is not supported is refused with what to do', () => {
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['channelsFirst of an op', () => ops.image.sobelEdges(images, 'channels_first' as never), /moveaxis\(x, 1, -1\)/],
    [
      'channelsFirst by name',
      () => ops.conv(images, ops.ones([2, 2, 3, 1]), { dataFormat: 'channelsFirst' as never }),
      /moveaxis/,
    ],
    ['loraRank', () => new layers.Dense({ units: 2, loraRank: 4 as never }), /enableLora/],
    [
      'weights of Embedding',
      () => new layers.Embedding({ inputDim: 2, outputDim: 2, weights: [[1]] as never }),
      /Constant\(table\)/,
    ],
    ['ragged', () => Input({ shape: [2], ragged: true as never }), /no ragged tensors/],
    ['retstep', () => ops.linspace(0, 1, { retstep: true as never }), /does not depend on an option/],
  ]
  it.each(cases)('%s', (_name, call, message) => {
    expect(call).toThrow(message)
  })
  it('is in no configuration', () => {
    const dense = new layers.Dense({ units: 2, loraRank: null, autocast: true })
    expect(Object.keys(dense.getConfig())).not.toContain('loraRank')
    expect('autocast' in dense).toBe(false)
    expect(dense.loraRank).toBe(null)
  })
})

// ---------------------------------------------------------------- methods of models

/** The defaults of Keras 3.15.1 in inspect.signature; verbose is set, so that nothing is printed. */
const METHODS = {
  compile: {
    optimizer: 'rmsprop',
    loss: null,
    lossWeights: null,
    metrics: null,
    weightedMetrics: null,
    runEagerly: false,
    stepsPerExecution: 1,
    jitCompile: 'auto',
    autoScaleLoss: true,
  },
  fit: {
    batchSize: null,
    epochs: 1,
    verbose: 0,
    callbacks: null,
    validationSplit: 0,
    validationData: null,
    shuffle: true,
    classWeight: null,
    sampleWeight: null,
    initialEpoch: 0,
    stepsPerEpoch: null,
    validationSteps: null,
    validationBatchSize: null,
    validationFreq: 1,
  },
  evaluate: { batchSize: null, verbose: 0, sampleWeight: null, steps: null, callbacks: null },
  predict: { batchSize: null, verbose: 0, steps: null, callbacks: null },
  trainOnBatch: { sampleWeight: null, classWeight: null },
  testOnBatch: { sampleWeight: null },
} as const

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const inSnakeCase = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [snakeCase(name), value]))

describe.each([
  ['camelCase', (options: Options) => options],
  ['snake_case', inSnakeCase],
])('the defaults of methods in %s', (_spelling, spelled) => {
  it('change nothing', async () => {
    const make = (options: Options): Sequential => {
      setRandomSeed(1)
      const model = new Sequential([new layers.Dense({ units: 1, inputShape: [2], kernelInitializer: 'ones' })])
      model.compile({ ...options, loss: 'mse' })
      return model
    }
    const [x, y] = [Array.from({ length: 40 }, (_, i) => [i / 40, 1]), Array.from({ length: 40 }, (_, i) => [i])]
    const results = async (model: Sequential, of: (name: keyof typeof METHODS) => Options): Promise<unknown[]> => {
      const history = await model.fit(x, y, of('fit'))
      return [
        history.history,
        await model.evaluate(x, y, of('evaluate')),
        ((await model.predict(x, of('predict'))) as Tensor).toArray(),
        model.trainOnBatch(x, y, of('trainOnBatch')),
        model.testOnBatch(x, y, of('testOnBatch')),
      ]
    }
    const said = await results(make(spelled(METHODS.compile)), (name) => spelled(METHODS[name]))
    const plain = await results(make({}), (name) => (name === 'fit' ? { verbose: 0 } : {}))
    expect(said).toEqual(plain)
  })
})

it('options of Keras with one supported value say what to do about others', async () => {
  const model = new Sequential([new layers.Dense({ units: 1, inputShape: [2] })])
  model.compile({ loss: 'mse', jitCompile: true })
  expect(await model.evaluate([[1, 2]], [[1]], { returnDict: true })).toHaveProperty('loss')
  expect(model.trainOnBatch([[1, 2]], [[1]], { returnDict: true })).toHaveProperty('loss')
  await expect(Reflect.apply(model.evaluate, model, [[[1, 2]], [[1]], { return_dict: false }])).rejects.toThrow(
    'evaluate: returnDict must be true: results are records by name, such as { loss: 0.5 }',
  )
  const bytes = await model.save(undefined, { overwrite: true })
  expect((await loadModel(bytes, { safeMode: true })).layers).toHaveLength(1)
})
