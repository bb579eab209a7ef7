// Data for models with several inputs and outputs: accepted forms, and errors. Every error names the part of the data,
// and changes no weight. models/errors.test.ts tests models with one input and one output.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Dense,
  Flatten,
  Input,
  Model,
  Sequential,
  ShapeError,
  setRandomSeed,
  tensor,
  type CompileOptions,
  type FitOptions,
} from '../../src'
import { typed } from '../../src/core/tree'
import { expectNear } from '../helpers/golden'
import { errorOf, expectError, weightsOf } from '../helpers/training'

const ROWS = 6
const image = Array.from({ length: ROWS }, (_, i) => [Math.sin(i), 1, -0.5, Math.cos(i)])
const tags = Array.from({ length: ROWS }, (_, i) => [i % 3, 1])
const price = image.map(([first]) => [first!])
const kind = image.map((_, i) => i % 3)
const weights = kind.map((k) => 0.5 + k)
const x = { image, tags }
const y = { price, kind }
const LOSSES = { price: 'mse', kind: 'crossentropy' }

/** image, tags → price, kind; as records or as lists; always with the same weights. Any data may be given, as in JavaScript. */
function twoByTwo(options: CompileOptions = {}, form: 'records' | 'lists' = 'records'): Model {
  setRandomSeed(8)
  const [a, b] = [Input({ shape: [4], name: 'image' }), Input({ shape: [2], dtype: 'int32', name: 'tags' })]
  const trunk = new Dense({ units: 3, activation: 'tanh', name: 'trunk' }).apply(a)
  const p = new Dense({ units: 1, name: 'price' }).apply(trunk)
  const k = new Dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(b)
  const model =
    form === 'records'
      ? new Model({ inputs: { image: a, tags: b }, outputs: { price: p, kind: k } })
      : new Model({ inputs: [a, b], outputs: [p, k] })
  const any = typed<Model>(model)
  any.compile({ optimizer: 'adam', loss: LOSSES, ...options })
  return any
}

/** Weights by the names of the layers, whose order follows from the form of the outputs. */
const byLayer = (model: Model): object =>
  Object.fromEntries(model.layers.map((layer) => [layer.name, weightsOf(layer)]))

const quiet = (options: object = {}): FitOptions => ({ verbose: 0, shuffle: false, ...options })
const fit = (model: Model, data: unknown, targets: unknown, options: object = {}) =>
  model.fit(typed(data), typed(targets), quiet(options))

describe('data are given', () => {
  it.each<[string, 'records' | 'lists', unknown, unknown, object]>([
    ['by position to a model of records', 'records', [image, tags], [price, kind], {}],
    ['by name to a model of lists', 'lists', x, y, {}],
    ['list to list', 'lists', [image, tags], [price, kind], {}],
    ['in another order of names', 'records', { tags, image }, { kind, price }, {}],
    ['as tensors', 'records', { image: tensor(image), tags: tensor(tags) }, [tensor(price), tensor(kind)], {}],
    [
      'floats that are integers',
      'records',
      { image, tags: { data: Float32Array.from(tags.flat()), shape: [ROWS, 2] } },
      y,
      {},
    ],
  ])('%s', async (_title, form, data, targets, options) => {
    const expected = twoByTwo()
    await fit(expected, x, y)
    const model = twoByTwo({}, form)
    await fit(model, data, targets, options)
    expect(byLayer(model)).toEqual(byLayer(expected))
  })

  it.each<[string, unknown]>([
    ['by name', { kind: weights }],
    ['by position', [null, weights]],
    ['with null for all ones', { price: null, kind: weights }],
    ['as tensors', [null, tensor(weights)]],
  ])('sample weights %s', async (_title, sampleWeight) => {
    const expected = twoByTwo()
    await fit(expected, x, y, { sampleWeight: { price: weights.map(() => 1), kind: weights } })
    const model = twoByTwo()
    await fit(model, x, y, { sampleWeight })
    weightsOf(model).forEach((each, i) => expectNear(each, weightsOf(expected)[i]!, `weights ${i}`, 1e-6))
  })

  it('one list of sample weights applies to all outputs, two lists of numbers to one each', async () => {
    const [one, two, named] = [twoByTwo(), twoByTwo(), twoByTwo()]
    await fit(one, x, y, { sampleWeight: weights })
    await fit(two, x, y, { sampleWeight: [weights, weights] })
    await fit(named, x, y, { sampleWeight: { price: weights, kind: weights } })
    expect(weightsOf(one)).toEqual(weightsOf(named))
    expect(weightsOf(two)).toEqual(weightsOf(named))
  })

  it('by the names of the only input and output, or in a list of one', async () => {
    const make = (): Sequential => {
      setRandomSeed(9)
      const model = new Sequential([new Dense({ units: 1, inputShape: [4], name: 'out' })], { name: 'single' })
      model.compile({ loss: { out: 'mse' }, metrics: { out: ['mae'] }, optimizer: 'sgd' })
      return model
    }
    const plain = make()
    const { history } = await fit(plain, image, price, { sampleWeight: weights })
    expect(Object.keys(history)).toEqual(['loss', 'mae'])
    for (const [data, targets, sampleWeight] of [
      [{ single_input: image }, { out: price }, { out: weights }],
      [[tensor(image)], [tensor(price)], [tensor(weights)]],
    ]) {
      const model = make()
      await fit(model, data, targets, { sampleWeight })
      expect(weightsOf(model)).toEqual(weightsOf(plain))
      expect((await model.predict(typed(data))).data).toEqual((await plain.predict(image)).data)
    }
  })

  it('of a model whose only input and output are in lists: alone, also as { data, shape }', async () => {
    const single = new Sequential([new Dense({ units: 1, inputShape: [4] })], { name: 'single' })
    const { inputs, outputs } = single
    const listed = new Model({ inputs, outputs })
    listed.compile({ loss: 'mse', optimizer: 'sgd' })
    const shaped = (rows: readonly (readonly number[])[]): object => {
      return { data: Float32Array.from(rows.flat()), shape: [rows.length, rows[0]!.length] }
    }
    const answers = async (data: unknown): Promise<unknown> => {
      const [answer] = [await listed.predict(typed(data))].flat()
      return answer!.data
    }
    const expected = await answers(tensor(image))
    expect(await answers(shaped(image))).toEqual(expected)
    expect(await answers({ single_input: image })).toEqual(expected)
    await fit(listed, shaped(image), shaped(price))
  })

  it('and outputs without a loss and metrics need no targets', async () => {
    const model = twoByTwo({ loss: { price: 'mse' } })
    const before = [weightsOf(model.getLayer('kind')), weightsOf(model.getLayer('price'))]
    const { history } = await fit(model, x, { price })
    expect(Object.keys(history)).toEqual(['loss'])
    // The weights of the other output do not affect the loss.
    expect(weightsOf(model.getLayer('kind'))).toEqual(before[0])
    expect(weightsOf(model.getLayer('price'))).not.toEqual(before[1])
    await fit(twoByTwo({ loss: ['mse', null] }, 'lists'), x, [price, null])
  })

  it('for validation: as trees, and split off the end of every leaf', async () => {
    const model = twoByTwo({ optimizer: 'sgd' })
    const { history } = await fit(model, x, y, { validationData: [[image, tags], [price, kind], { kind: weights }] })
    expect(Object.keys(history)).toEqual(['loss', 'priceLoss', 'kindLoss', 'valLoss', 'valPriceLoss', 'valKindLoss'])
    const direct = await model.evaluate(typed(x), typed(y), { sampleWeight: { kind: weights } })
    expectNear([history['valKindLoss']![0]!], [direct['kindLoss']!], 'valKindLoss')
    const halved = twoByTwo({ optimizer: 'sgd' })
    const split = await fit(halved, x, y, { validationSplit: 0.5, sampleWeight: { kind: weights } })
    const last = (rows: readonly unknown[]) => rows.slice(3)
    const rest = await halved.evaluate(
      typed({ image: last(image), tags: last(tags) }),
      typed({ price: last(price), kind: last(kind) }),
      { sampleWeight: { kind: weights.slice(3) } },
    )
    expectNear([split.history['valLoss']![0]!], [rest.loss], 'valLoss of the last half')
  })
})

const withAt = (rows: readonly number[][], row: number, column: number, value: number) =>
  rows.map((each, i) => each.map((old, j) => (i === row && j === column ? value : old)))

describe('invalid inputs', () => {
  it.each<[string, unknown, new (message: string) => Error, string]>([
    ['one array for a record', image, ArgumentError, 'x: expected an object { image, tags }, received an array'],
    ['nothing', undefined, ArgumentError, 'x: expected an object { image, tags }, received undefined'],
    ['a list that is too short', [image], ArgumentError, 'x: expected an object { image, tags }'],
    ['a missing input', { image }, ArgumentError, "x: expected { image, tags }; 'tags' is missing"],
    ['a null input', { image, tags: null }, DataError, 'x.tags: expected numbers'],
    ['an unknown name', { image, tag: tags }, ArgumentError, "x: expected { image, tags }; 'tag' is not one of them"],
    [
      'text',
      { image, tags: 'red' },
      DataError,
      "x.tags: expected numbers, nested arrays, a typed array or a Tensor, received the string 'red'",
    ],
    ['ragged rows', { image: [...image.slice(1), [1, 2]], tags }, DataError, 'x.image'],
    [
      'unequal numbers of rows',
      { image, tags: tags.slice(1) },
      ShapeError,
      'x.image and x.tags must have the same number of rows, received 6 and 5',
    ],
    [
      'NaN in one row',
      { image: withAt(image, 2, 1, NaN), tags },
      DataError,
      'x.image: every element must be a finite number, received NaN in row 2, element 1',
    ],
    [
      'NaN among integers',
      { image, tags: withAt(tags, 3, 0, NaN) },
      DataError,
      'x.tags: every element must be a finite number, received NaN in row 3',
    ],
    [
      'a fraction instead of an integer',
      { image, tags: withAt(tags, 4, 1, 0.5) },
      DataError,
      'x.tags: every element must be an integer, received 0.5 in row 4',
    ],
    ['no rows', { image: [], tags: [] }, DataError, 'x.image: the data set is empty'],
    [
      'no rows in one',
      { image, tags: { data: new Int32Array(0), shape: [0, 2] } },
      DataError,
      'x.tags: the data set is empty, shape [0, 2]',
    ],
    ['one number', { image, tags: 3 }, ShapeError, 'x.tags: needs a batch axis'],
    ['swapped inputs', [tags, image], DataError, 'x.tags'],
    ['too few columns', { image: tags, tags }, ShapeError, "the input 'image' must be [batch, 4], received [6, 2]"],
  ])('%s', async (_title, data, type, message) => {
    const model = twoByTwo()
    for (const action of [
      () => fit(model, data, y),
      () => model.evaluate(typed(data), typed(y)),
      () => model.predict(typed(data)),
      () => model.predictOnBatch(typed(data)),
      () => model.trainOnBatch(typed(data), typed(y)),
    ])
      expect((await expectError(model, action, type)).message).toContain(message)
    const validated = () => fit(model, x, y, { validationData: [data, y] })
    expect((await expectError(model, validated, type)).message).toContain(
      message.replace(/\bx\b/g, 'validationData[0]'),
    )
  })

  it('a list that is too short for a model of lists', async () => {
    const model = twoByTwo({}, 'lists')
    await expectError(
      model,
      () => fit(model, [image], y),
      ArgumentError,
      'x: expected an array of 2, received an array of 1',
    )
    await expectError(
      model,
      () => fit(model, { image, tag: tags }, y),
      ArgumentError,
      "x: expected { image, tags }; 'tag' is not one of them",
    )
  })

  it.each([[[4, 4, 1]], [[4, 4, 1, 1]]])('one image without the axis of the batch: %j', async (shape) => {
    const model = new Sequential([new Flatten({ inputShape: [4, 4, 1] }), new Dense({ units: 1 })])
    await expect(model.predict({ data: new Float32Array(16), shape })).rejects.toThrow(
      /the input must be \[batch, 4, 4, 1\], received \[4, 4, 1, 1\]\. For one sample, make a batch of 1: ops\.expandDims/,
    )
  })

  it('a name other than that of the only input or output', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [4], name: 'out' })], { name: 'single' })
    model.compile({ loss: 'mse' })
    await expectError(
      model,
      () => fit(model, { img: image }, price),
      ArgumentError,
      "x: expected { single_input }; 'img' is not one of them",
    )
    await expectError(
      model,
      () => fit(model, { single_input: image, tags }, price),
      ArgumentError,
      "x: expected { single_input }; 'tags' is not one of them",
    )
    await expectError(
      model,
      () => fit(model, image, { prize: price }),
      ArgumentError,
      "y: expected { out }; 'prize' is not one of them",
    )
    await expectError(
      model,
      () => fit(model, image, price, { sampleWeight: { on: weights } }),
      ArgumentError,
      "sampleWeight: expected { out }; 'on' is not one of them",
    )
  })
})

describe('invalid targets', () => {
  it.each<[string, unknown, new (message: string) => Error, string]>([
    ['none', undefined, ArgumentError, 'y: targets are missing'],
    ['one array for a record', price, ArgumentError, 'y: expected an object { price, kind }, received an array'],
    ['too many', [price, kind, kind], ArgumentError, 'y: expected an object { price, kind }'],
    ['an unknown name', { price, kid: kind }, ArgumentError, "y: expected { price, kind }; 'kid' is not one of them"],
    ['a missing output', { price }, ArgumentError, 'y.kind: targets are missing'],
    ['a null output', [null, kind], ArgumentError, 'y.price: targets are missing'],
    [
      'another number of rows',
      { price, kind: kind.slice(2) },
      ShapeError,
      'x and y.kind must have the same number of rows, received 6 and 4',
    ],
    [
      'an unknown class',
      { price, kind: kind.map((k) => k + 1) },
      DataError,
      'y.kind: crossentropy: targets must be class numbers 0 … 2, received 3 in row 2',
    ],
    [
      'NaN',
      { price: withAt(price, 5, 0, NaN), kind },
      DataError,
      'y.price: every element must be a finite number, received NaN in row 5',
    ],
    [
      'another shape',
      { price: image, kind },
      ShapeError,
      "y.price: meanSquaredError: targets must have the model's output shape [batch, 1], received [6, 4]",
    ],
  ])('%s', async (_title, targets, type, message) => {
    const model = twoByTwo()
    for (const action of [
      () => fit(model, x, targets),
      () => model.evaluate(typed(x), typed(targets)),
      () => model.trainOnBatch(typed(x), typed(targets)),
    ]) {
      expect((await expectError(model, action, type)).message).toContain(message)
    }
    const validated = () => fit(model, x, y, { validationData: [x, targets] })
    expect((await expectError(model, validated, type)).message).toContain(
      message.replace(/\bx and/, 'validationData[0] and').replace(/\by\b/, 'validationData[1]'),
    )
  })

  it('metrics of an output without targets', async () => {
    const model = twoByTwo({ loss: { price: 'mse' }, metrics: { kind: ['accuracy'] } })
    await expectError(model, () => fit(model, x, { price }), ArgumentError, "'kind' has metrics but no targets")
  })
})

describe('invalid sample weights', () => {
  it.each<[string, unknown, new (message: string) => Error, string]>([
    [
      'an unknown name',
      { kid: weights },
      ArgumentError,
      "sampleWeight: expected { price, kind }; 'kid' is not one of them",
    ],
    ['too few', [1, 2], ShapeError, 'sampleWeight must have shape [6], received [2]'],
    ['too few for one', { kind: [1] }, ShapeError, 'sampleWeight.kind must have shape [6], received [1]'],
    ['NaN', { kind: weights.map(() => NaN) }, DataError, 'sampleWeight.kind: every element must be a finite number'],
    [
      'more than one for a sample',
      { kind: tags },
      ShapeError,
      'sampleWeight.kind must have shape [6], received [6, 2]',
    ],
    [
      'three lists for two outputs',
      [weights, weights, weights],
      ShapeError,
      'sampleWeight must have shape [6], received [3, 6]',
    ],
  ])('%s', async (_title, sampleWeight, type, message) => {
    const model = twoByTwo()
    for (const action of [
      () => fit(model, x, y, { sampleWeight }),
      () => model.evaluate(typed(x), typed(y), { sampleWeight: typed(sampleWeight) }),
    ]) {
      expect((await expectError(model, action, type)).message).toContain(message)
    }
    const validated = () => fit(model, x, y, { validationData: [x, y, sampleWeight] })
    expect((await expectError(model, validated, type)).message).toContain(
      message.replace('sampleWeight', 'validationData[2]'),
    )
  })

  it('weights with other steps than the output', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3, 4] })])
    model.compile({ loss: 'mse', optimizer: 'sgd' })
    const [steps, targets] = [
      tensor(image.map((row) => [row, row, row])),
      tensor(
        image.map(() => [
          [1, 2],
          [1, 2],
          [1, 2],
        ]),
      ),
    ]
    const wrong = (sampleWeight: number[][]) => () => model.fit(steps, targets, quiet({ sampleWeight }))
    await expectError(model, wrong(tags), ShapeError, 'sampleWeight must have shape [6] or [6, 3], received [6, 2]')
    await model.fit(steps, targets, quiet({ sampleWeight: image.map(() => [1, 0, 2]) }))
    await expectError(
      model,
      () => model.fit(steps, targets, quiet({ classWeight: { 0: 1 } })),
      ArgumentError,
      'classWeight is for targets with one class per sample, received [6, 3, 2]',
    )
  })

  it('classWeight for targets that are not classes', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
    model.compile({ loss: 'mse' })
    const wrong = (y: number[], classWeight: FitOptions['classWeight']) => () =>
      model.fit([[1], [2]], y, quiet({ classWeight }))
    await expectError(
      model,
      wrong([3, 2.5], { 0: 2 }),
      ArgumentError,
      'classWeight is for targets that are class numbers, received 2.5 in row 1. Give sampleWeight instead.',
    )
    for (const [given, received] of [
      [new Map([[0, 2]]), 'an object (Map)'],
      [2, '2'],
      ['balanced', "'balanced'"],
    ] as const) {
      await expectError(
        model,
        wrong([0, 1], given as never),
        ArgumentError,
        `classWeight must be weights by class numbers, such as { 0: 1, 1: 3 }, received ${received}`,
      )
    }
    await model.fit([[1], [2]], [-1, 1], quiet({ classWeight: { [-1]: 2 } }))
    await model.fit([[1], [2]], [0.1, 0.9], quiet({ classWeight: { 0: 2 } }))
  })

  it('classWeight with several outputs', async () => {
    const model = twoByTwo()
    const wrong = (classWeight: FitOptions['classWeight'], ...parts: string[]) =>
      expectError(model, () => fit(model, x, y, { classWeight }), ArgumentError, ...parts)
    await wrong({ 0: 2 }, 'there are 2 outputs', '{ price, kind }')
    await wrong({ prise: { 0: 2 } }, "names 'prise', which is not an output. The outputs are: price, kind")
    await wrong([{ 0: 2 }], 'one entry for each of the 2 outputs, received 1')
  })

  it('classWeight by output weighs like sampleWeight', async () => {
    const trained = async (options: FitOptions) => {
      setRandomSeed(3)
      const model = twoByTwo()
      await fit(model, x, y, options)
      return weightsOf(model)
    }
    const expected = await trained({ sampleWeight: { price: null, kind: kind.map((each) => (each === 1 ? 3 : 1)) } })
    expect(await trained({ classWeight: { kind: { 1: 3 } } })).toEqual(expected)
    expect(await trained({ classWeight: [null, { 1: 3 }] })).toEqual(expected)
    expect(await trained({})).not.toEqual(expected)
  })
})

describe('compile', () => {
  it.each<[string, object, string]>([
    [
      'a loss for an unknown output',
      { loss: { prize: 'mse' } },
      "compile: loss names 'prize', which is not an output. The outputs are: price, kind",
    ],
    ['too few losses', { loss: ['mse'] }, 'compile: loss must have one entry for each of the 2 outputs, received 1'],
    [
      'several losses for one output',
      { loss: { price: ['mse', 'mae'], kind: 'ce' } },
      "compile: the output 'price' has one loss, received several",
    ],
    ['a weight for an unknown output', { lossWeights: { prize: 1 } }, "compile: lossWeights names 'prize'"],
    ['too few weights', { lossWeights: [1] }, 'compile: lossWeights must have one entry for each of the 2 outputs'],
    [
      'a weight that is not a number',
      { lossWeights: { price: NaN } },
      'compile: lossWeights must be finite numbers, received NaN',
    ],
    [
      'one list of metrics',
      { metrics: ['mae'] },
      'compile: metrics must have one entry for each of the 2 outputs, received 1',
    ],
    [
      'metrics for an unknown output',
      { weightedMetrics: { kid: 'accuracy' } },
      "compile: weightedMetrics names 'kid', which is not an output. The outputs are: price, kind",
    ],
    [
      'a misspelt name',
      { loss: { price: 'mse', kind: 'crossentrop' } },
      "Unknown loss 'crossentrop'. Did you mean 'crossentropy'?",
    ],
  ])('refuses %s immediately', async (_title, options, message) => {
    const model = twoByTwo()
    const error = await errorOf(() => model.compile({ loss: LOSSES, ...options }))
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain(message)
  })

  it.each<[string, CompileOptions, string[]]>([
    ['losses', {}, ['loss', 'priceLoss', 'kindLoss']],
    ['one loss of two', { loss: { kind: 'ce' } }, ['loss']],
    [
      'one loss for all',
      {
        loss: (a, b) => {
          void a
          return b
        },
      },
      ['loss', 'priceLoss', 'kindLoss'],
    ],
    [
      'metrics by name',
      { metrics: { kind: ['accuracy', 'crossentropy'], price: 'mae' } },
      ['loss', 'priceLoss', 'kindLoss', 'priceMae', 'kindAccuracy', 'kindCrossentropy'],
    ],
    [
      'metrics by position',
      { metrics: [['mae', 'mse'], null] },
      ['loss', 'priceLoss', 'kindLoss', 'priceMae', 'priceMse'],
    ],
    [
      'the same metric twice',
      { metrics: { price: ['mae', 'mae'] } },
      ['loss', 'priceLoss', 'kindLoss', 'priceMae', 'priceMae_1'],
    ],
    ['weighted metrics', { weightedMetrics: { kind: 'acc' } }, ['loss', 'priceLoss', 'kindLoss', 'kindAcc']],
    [
      'the same metric weighted and unweighted',
      { metrics: [null, ['accuracy']], weightedMetrics: { kind: ['accuracy', 'accuracy'] } },
      ['loss', 'priceLoss', 'kindLoss', 'kindAccuracy', 'kindWeightedAccuracy', 'kindWeightedAccuracy_1'],
    ],
  ])('names the logs of %s, in fit and in evaluate', async (_title, options, keys) => {
    for (const form of ['records', 'lists'] as const) {
      const model = twoByTwo(options, form)
      const { history } = await fit(model, x, y)
      expect(Object.keys(history)).toEqual(keys)
      expect(Object.keys(await model.evaluate(typed(x), typed(y)))).toEqual(keys)
    }
  })

  it('weighs the losses in the sum and not in the separate logs', async () => {
    const model = twoByTwo({ lossWeights: { price: 0.25, kind: 3 } })
    const { loss, priceLoss, kindLoss } = await model.evaluate(typed(x), typed(y))
    expectNear([loss!], [0.25 * priceLoss! + 3 * kindLoss!], 'loss')
    const both = await twoByTwo({ lossWeights: 2 }).evaluate(typed(x), typed(y))
    expectNear([both.loss], [2 * (priceLoss! + kindLoss!)], 'loss, twice')
  })
})
