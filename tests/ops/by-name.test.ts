// Required arguments of ops by their names: of every public op, eager, traced, and recorded in models that are saved.
// modes: simd

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Input,
  Model,
  MyelinError,
  Tensor,
  activations,
  jit,
  modelFromJSON,
  ops,
  random,
  setRandomSeed,
  tensor,
} from '../../src'
import type { Tree } from '../../src/core/tree'
import { flatten } from '../../src/core/tree'
import { snakeCase } from '../../src/core/registry'
import { parametersOfOps } from '../../scripts/recorded-ops.mjs'

/** Ops without a type of calls by name: functions alone, operands in order at the end, or not in Keras. */
const UNTYPED = ['customGradient', 'vectorize', 'serialize', 'einsum', 'meshgrid', 'switch', 'jvp', 'permutation']

type Op = (...given: readonly unknown[]) => unknown

const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values))
const range = (...shape: number[]): Tensor => {
  const size = shape.reduce((all, extent) => all * extent, 1)
  return tensor({ data: Float32Array.from({ length: size }, (_, i) => (i % 7) + 1), shape })
}
const matrix = tensor([
  [4, 1],
  [1, 3],
])
const images = range(1, 4, 4, 3)
const twice = (x: Tensor): Tensor => ops.multiply(x, 2)

/** An argument of each name. */
const samples: Readonly<Record<string, unknown>> = {
  x: matrix,
  x1: matrix,
  x2: tensor([1, 2]),
  y: tensor([1, 2]),
  a: matrix,
  b: tensor([1, 2]),
  array: matrix,
  variable: matrix,
  inputs: range(1, 4, 4, 2),
  xs: [matrix, matrix],
  images,
  volumes: range(1, 2, 2, 2, 1),
  data: tensor([1, 2, 3]),
  segmentIds: ints(0, 0, 1),
  numSegments: 3,
  shape: [2, 3],
  newshape: [1, 4],
  indices: ints(1, 0),
  values: tensor([1.5, 2.5]),
  q: 0.5,
  k: 1,
  kth: 1,
  n: 2,
  N: 2,
  repeats: 2,
  axis: 0,
  axes: [0],
  axis1: 0,
  axis2: 1,
  source: 0,
  destination: 1,
  shift: 1,
  padWidth: 1,
  indicesOrSections: 2,
  numClasses: 5,
  dtype: 'int32',
  fillValue: 3,
  xMin: 2,
  xMax: 3,
  bins: tensor([0, 2]),
  key: [0, ':'],
  start: 1,
  stop: 4,
  beta: 2,
  alpha: 2,
  counts: 5,
  probabilities: 0.5,
  rate: 0.5,
  minval: 0,
  logits: matrix,
  numSamples: 2,
  length: 4,
  threshold: 2,
  defaultValue: 7,
  target: tensor([
    [0, 1],
    [1, 0],
  ]),
  output: tensor([
    [0.2, 0.8],
    [0.5, 0.5],
  ]),
  maxVal: 1,
  outputSize: 2,
  poolSize: 2,
  kernelSize: 2,
  blockSize: 2,
  kernel: range(2, 2, 2, 2),
  depthwiseKernel: range(2, 2, 2, 1),
  pointwiseKernel: range(1, 1, 2, 2),
  mean: tensor([1, 2]),
  variance: tensor([1, 2]),
  sortedSequence: tensor([1, 2, 3]),
  condition: tensor([[true, false]]),
  condlist: [tensor([true, false])],
  choicelist: [tensor([1, 2])],
  size: 2,
  transform: tensor([1, 0, 0, 0, 1, 0, 0, 0]),
  abs: tensor([1, 2]),
  angle: tensor([0, 1]),
  query: range(1, 2, 1, 2),
  value: range(1, 2, 1, 2),
  f: twice,
  function: twice,
  pyfunc: twice,
  fun: twice,
  primals: [matrix],
  tangents: [matrix],
  elems: matrix,
  elements: matrix,
  init: 0,
  initVal: matrix,
  loopVars: matrix,
  lower: 0,
  upper: 3,
  body: twice,
  bodyFun: (_i: Tensor, x: Tensor) => twice(x),
  cond: (x: Tensor) => ops.less(ops.sum(x), 50),
  pred: true,
  trueFn: () => matrix,
  falseFn: () => twice(matrix),
  index: 1,
  branches: [() => matrix, () => twice(matrix)],
  sequenceLength: 4,
  sequenceStride: 2,
  fftLength: 4,
  updates: tensor([5, 6]),
  startIndices: [0],
  activation: activations.relu,
  tensor: matrix,
  pattern: 'a b -> b a',
  targets: ints(0, 1),
  predictions: matrix,
}

const whole = ints(1, 2, 3)
const corners = tensor([
  [
    [0, 0],
    [0, 3],
    [3, 0],
    [3, 3],
  ],
])
const ofWhole = { x: whole, y: ints(3, 2, 1), x1: whole, x2: ints(3, 2, 1) }
const count = { x: 4 }
const ofVectors = { x1: tensor([1, 2, 3]), x2: tensor([0, 1]) }
const ofMatrices = { x: matrix, y: matrix, x1: matrix, x2: matrix }

/** Arguments of single ops, where those of all do not fit. */
const own: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  tensordot: ofMatrices,
  vdot: ofMatrices,
  psnr: ofMatrices,
  cdist: ofMatrices,
  correlate: ofVectors,
  sparseCategoricalCrossentropy: { target: ints(1, 0) },
  ctcLoss: {
    target: tensor([[1]], [1, 1], 'int32'),
    output: range(1, 3, 2),
    targetLength: ints(1),
    outputLength: ints(3),
  },
  ctcDecode: { inputs: range(1, 3, 2), sequenceLengths: ints(3) },
  depthToSpace: { x: range(1, 2, 2, 4) },
  spaceToDepth: { x: images },
  fold: { x: range(1, 4, 1) },
  unfold: { x: range(1, 1, 3, 3) },
  broadcastTo: { x: tensor([1, 2, 3]) },
  stack: { x: [matrix, matrix] },
  vander: { x: whole },
  scatter: { indices: tensor([[0], [1]], [2, 1], 'int32'), shape: [3] },
  scatterUpdate: { inputs: tensor([1, 2, 3]), indices: tensor([[0], [1]], [2, 1], 'int32') },
  slice: { inputs: tensor([1, 2, 3]), startIndices: [1], shape: [2] },
  sliceUpdate: { inputs: tensor([1, 2, 3]) },
  dotProductAttention: { key: range(1, 2, 1, 2) },
  map: { xs: matrix },
  scan: { f: (carry: Tensor, x: Tensor) => [ops.add(carry, ops.sum(x)), x], xs: matrix },
  bitwiseAnd: ofWhole,
  bitwiseNot: ofWhole,
  bitwiseInvert: ofWhole,
  bitwiseOr: ofWhole,
  bitwiseXor: ofWhole,
  leftShift: ofWhole,
  bitwiseLeftShift: ofWhole,
  rightShift: ofWhole,
  bitwiseRightShift: ofWhole,
  gcd: ofWhole,
  lcm: ofWhole,
  dsplit: { x: range(1, 1, 2) },
  bartlett: count,
  hanning: count,
  hamming: count,
  blackman: count,
  kaiser: count,
  mapCoordinates: {
    inputs: matrix,
    coordinates: tensor([
      [0, 1],
      [1, 0.5],
    ]),
    order: 1,
  },
  perspectiveTransform: { startPoints: corners, endPoints: corners },
  ssim: { image1: range(1, 12, 12, 1), image2: range(1, 12, 12, 1) },
  scaleAndTranslate: {
    outputShape: [1, 2, 2, 3],
    scale: tensor([0.5, 0.5]),
    translation: tensor([0, 0]),
    spatialDims: [1, 2],
    method: 'linear',
  },
  stft: { x: range(8) },
  istft: { x: { real: range(2, 3), imag: range(2, 3) } },
}

/** Options without which an op refuses the call. */
const needed: Readonly<Record<string, object>> = {
  cropImages: { topCropping: 1, targetHeight: 2, leftCropping: 1, targetWidth: 2 },
  padImages: { topPadding: 1, targetHeight: 6, leftPadding: 1, targetWidth: 6 },
  randint: { maxval: 9 },
}

/** The public ops, with a required argument for each name. The operands of einsum, all in order, follow its only name. */
const all = (
  [
    ['ops', ops],
    ['ops.image', ops.image],
    ['random', random],
    ['activations', activations],
  ] as const
).flatMap(([path, namespace]) =>
  [...parametersOfOps(path)]
    .filter(([op, text]) => text !== '' && op !== 'einsum')
    .map(([op, text]) => {
      const every = text.split(' ')
      const required = every.filter((each) => !each.startsWith('?'))
      const names = required.map((each) => each.replace('*', ''))
      const chosen = { ...samples, ...own[op] }
      const found = Reflect.get(namespace, op) as Op
      return {
        title: `${path}.${op}`,
        call: (...given: readonly unknown[]): unknown => {
          setRandomSeed(3)
          return found(...given)
        },
        names,
        given: names.map((name) => chosen[name]),
        options: needed[op] ?? {},
        isTree: required.map((each) => each.startsWith('*')),
      }
    }),
)
type Case = (typeof all)[number]

/** The arguments from the i-th on by name, with the options, and those before in order. */
const namedFrom = (i: number, { names, options }: Case, given: readonly unknown[]): unknown[] => [
  ...given.slice(0, i),
  { ...Object.fromEntries(names.slice(i).map((name, j) => [name, given[i + j]])), ...options },
]
const inOrder = ({ options }: Case, given: readonly unknown[]): unknown[] =>
  Object.keys(options).length === 0 ? [...given] : [...given, options]

/** What a call gives, with tensors as numbers; or the message of its error. */
function outcome(call: () => unknown): unknown {
  try {
    return flatten<unknown>(call() as Tree<unknown>).map((each) =>
      each instanceof Tensor
        ? [each.dtype, each.shape, [...each.data]]
        : typeof each === 'function'
          ? 'a function'
          : each,
    )
  } catch (error) {
    if (!(error instanceof MyelinError)) throw error
    return error.message
  }
}

describe('required arguments by name', () => {
  it('of all ops', () => {
    expect(all.length).toBeGreaterThan(400)
  })

  it.each(all)('$title gives the same', (each) => {
    const { call, names, given } = each
    const expected = outcome(() => call(...inOrder(each, given)))
    expect(expected).toBeInstanceOf(Array)
    names.forEach((_, i) =>
      expect(
        outcome(() => call(...namedFrom(i, each, given))),
        `from ${i} on`,
      ).toEqual(expected),
    )
    const spelled = { ...each, names: names.map(snakeCase) }
    expect(outcome(() => call(...namedFrom(0, spelled, given)))).toEqual(expected)
  })

  it.each(all)('$title gives the same in a traced function', (each) => {
    const at = each.given.findIndex((one) => one instanceof Tensor)
    const traced = (args: (given: readonly unknown[]) => unknown[]): unknown =>
      outcome(() =>
        jit((x: Tensor) => each.call(...args(at < 0 ? each.given : each.given.with(at, x))) as Tensor)(
          at < 0 ? 0 : (each.given[at] as Tensor),
        ),
      )
    const expected = traced((given) => inOrder(each, given))
    each.names.forEach((_, i) =>
      expect(
        traced((given) => namedFrom(i, each, given)),
        `from ${i} on`,
      ).toEqual(expected),
    )
  })

  it.each(all)('$title is refused with a name twice, missing or unknown', (each) => {
    const { title, call, names, given, isTree, options } = each
    const named = { ...Object.fromEntries(names.map((name, i) => [name, given[i]])), ...options }
    const without = (name: string): object => Object.fromEntries(Object.entries(named).filter(([key]) => key !== name))
    const refuses = (args: readonly unknown[], message: string): void => {
      expect(() => call(...args)).toThrow(ArgumentError)
      expect(() => call(...args)).toThrow(message)
    }
    const short = title.replace('ops.image', 'image')
    names.forEach((name, i) => {
      // What follows the branches of switch are operands.
      if (title !== 'ops.switch')
        refuses([...given, { [name]: given[i] }], `${short}: ${name} is given twice, in order and by name`)
      if (isTree[0]) return
      refuses([without(name)], `${short}: needs ${name}, in order or by name`)
      if (snakeCase(name) !== name)
        refuses([{ ...named, [snakeCase(name)]: given[i] }], `${short}: ${name} is given twice, in two spellings`)
    })
    // A record in the only place is the tree.
    if (isTree[0]) return
    expect(() => call({ ...named, bogus: 1 })).toThrow(MyelinError)
    // Keras has no permutation, which takes its options in order.
    if (title !== 'random.permutation') expect(() => call({ ...named, bogus: 1 })).toThrow('bogus')
  })
})

describe('types', () => {
  it.each([
    ['ops', 'recorded/ops'],
    ['ops.image', 'by-name/image'],
    ['random', 'recorded/random'],
    ['activations', 'recorded/activations'],
  ])('of %s have a line for each op with arguments that are not operands alone', (path, file) => {
    const operands = [
      'x',
      'xs',
      'y',
      'a',
      'array',
      'inputs',
      'images',
      'variable',
      'condition',
      'x1 x2',
      'x y',
      'a b',
      '*x',
      '*variable',
    ]
    const wanted = [...parametersOfOps(path)].flatMap(([op, names]) => {
      if (operands.includes(names) || UNTYPED.includes(op)) return []
      const generic = names.includes('*') || op === 'cond'
      return [
        generic
          ? `export declare const ${op}: typeof plain.${op} & control.${op[0]!.toUpperCase()}${op.slice(1)}ByName`
          : `export declare const ${op}: ByName<typeof plain.${op}, '${names}'>`,
      ]
    })
    const found = readFileSync(`src/layers/${file}.ts`, 'utf8')
      .replaceAll(/(?<=<)\n\s+|\n(?=>)/g, '')
      .replaceAll(/,\n\s+/g, ', ')
      .match(/^export declare const .*$/gm)
    expect(found!.sort()).toEqual(wanted.sort())
  })
})

it('records stay operands and trees', () => {
  const one = { data: [1, 2], shape: [2] }
  expect((ops.add as Op)(one, one)).toMatchObject({ shape: [2] })
  expect((ops.reshape as Op)(one, { newshape: [2, 1] })).toMatchObject({ shape: [2, 1] })
  expect(ops.conj({ real: 1, imag: 2 })).toHaveProperty('imag')
  const [xs, ys] = [tensor([1, 2]), tensor([3, 4])]
  const sums = ops.map((each: { xs: Tensor; ys: Tensor }) => ops.add(each.xs, each.ys), { xs, ys })
  expect(sums.toArray()).toEqual([4, 6])
  expect(ops.stopGradient({ x: xs })).toHaveProperty('x')
  expect([ops.isTensor({ a: xs }), (ops.isTensor as Op)({ x: xs })]).toEqual([false, true])
  expect((ops.switch as Op)(0, [(each: { index: Tensor }) => each.index, () => xs], { index: ys })).toMatchObject({
    shape: [2],
  })
})

it('a record with a name of another parameter is a tree', () => {
  const add = (carry: Tensor, { xs }: { xs: Tensor }): [Tensor, Tensor] => [ops.add(carry, xs), xs]
  const tree = { xs: tensor([1, 2]), b: tensor([1, 2]) }
  expect(ops.scan(add, 0, tree)[0].toArray()).toBe(3)
  const total = (ops.scan as Op)({
    f: (c: Tensor, x: Tensor) => [ops.add(c, x), null],
    init: 0,
    xs: tree.xs,
    reverse: true,
  })
  expect(total).toMatchObject([{ shape: [] }, null])
})

// ---------------------------------------------------------------- models

/** The model of a call on a symbol in place of the first tensor, as JSON without the numbers in the names of its layers. */
function saved(each: Case, args: (given: readonly unknown[]) => unknown[]): string {
  const at = each.given.findIndex((one) => one instanceof Tensor)
  const { shape, dtype } = each.given[at] as Tensor
  const inputs = Input({ shape: shape.slice(1), batchSize: shape[0]!, dtype, name: 'x' })
  try {
    const outputs = each.call(...args(each.given.with(at, inputs))) as Tensor
    return JSON.stringify(new Model({ inputs, outputs, name: 'model' })).replaceAll(/(_\d+)+"/g, '"')
  } catch (error) {
    if (!(error instanceof MyelinError)) throw error
    return error.message
  }
}

describe('models with calls by name', () => {
  const onSymbols = all.filter(({ given }) => given.some((one) => one instanceof Tensor && one.rank > 0))
  const isModel = (json: string): boolean => json.startsWith('{')

  it.each(onSymbols)('$title is saved and loaded as the call in order', async (each) => {
    const expected = saved(each, (given) => inOrder(each, given))
    each.names.forEach((_, i) =>
      expect(
        saved(each, (given) => namedFrom(i, each, given)),
        `from ${i} on`,
      ).toBe(expected),
    )
    if (!isModel(expected)) return
    const loaded = modelFromJSON(saved(each, (given) => namedFrom(0, each, given)))
    const x = each.given.find((one) => one instanceof Tensor) as Tensor
    setRandomSeed(3)
    const found = outcome(() => loaded.apply(x))
    expect(found).toEqual(outcome(() => each.call(...inOrder(each, each.given))))
  })

  it('are models of most ops', () => {
    const models = onSymbols.filter((each) => isModel(saved(each, (given) => namedFrom(0, each, given))))
    expect(models.length).toBeGreaterThan(300)
  })
})
