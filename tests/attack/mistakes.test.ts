// Mistakes that were internal errors, or had no effect in silence: each is an error of the library that says what to do.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Add,
  CategoryEncoding,
  Concatenate,
  Dense,
  Discretization,
  Embedding,
  Flatten,
  Hashing,
  Input,
  IntegerLookup,
  Lambda,
  Layer,
  Model,
  MyelinError,
  Permute,
  RepeatVector,
  Reshape,
  Sequential,
  StringLookup,
  TextVectorization,
  ZeroPadding1D,
  activations,
  losses,
  metrics,
  Variable,
  configure,
  generate,
  loadModel,
  modelFromJSON,
  ops,
  saving,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import { camelCase, isClass } from '../../src/core/registry'
import { readKeras, writeKeras } from '../../src/entries/keras'
import { losses as lossClasses } from '../../src/losses/registry'
import { metrics as metricClasses } from '../../src/metrics/registry'
import { errorOf } from '../helpers/training'

const made = (): Sequential => {
  const model = new Sequential([Input({ shape: [4] }), new Dense(3, { activation: 'softmax' })])
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
  return model
}
const x = [[1, 2, 3, 4]]
const anything = <T>(value: unknown): T => value as T

const list: unknown[] = []
list.push(list)
const record: Record<string, unknown> = {}
record['inner'] = record
const deep = Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], 1)

const mistakes: Readonly<Record<string, readonly [message: string, run: () => unknown]>> = {
  'setWeights without weights': [
    'setWeights needs 2 tensors, received undefined',
    () => made().setWeights(anything(undefined)),
  ],
  'setWeights of null': ['setWeights needs 2 tensors', () => made().setWeights(anything(null))],
  'configure, a boolean': [
    "simd must be one of 'auto', 'plain', 'relaxed', received true",
    () => configure(anything({ simd: true })),
  ],
  'configure, an object': ["backend must be one of 'wasm', 'interpreter'", () => configure(anything({ backend: {} }))],
  'Variable without a shape': ['Variable without a tensor', () => new Variable(anything(undefined))],
  'Variable of a text': ["Unknown initializer 'x'", () => new Variable(anything('x'))],
  'Variable of texts': ['Variable without a tensor', () => new Variable(anything(['x']))],
  'Variable of a negative extent': ['Variable without a tensor', () => new Variable([-1])],
  'Variable, a misspelt option': ["Did you mean 'dtype'", () => new Variable([2], anything({ dtyp: 'int32' }))],
  'a model added to itself': ['a model cannot contain itself', () => new Sequential().add(anything(selfAdded()))],
  'a model added to its part': [
    'a model cannot contain itself',
    () => {
      const inner = new Sequential()
      inner.add(new Sequential([inner]))
    },
  ],
  'nested models': ['layers are nested more than 64 deep', () => nested(500).predict([[1, 2]])],
  'nested models, functional': [
    'layers are nested more than 64 deep',
    () => {
      let model: Model = new Sequential([Input({ shape: [2] }), new Dense(2)])
      for (let i = 0; i < 500; i++) {
        const input = Input({ shape: [2] })
        model = new Model({ inputs: input, outputs: model.apply(input) })
      }
      return model.predict([[1, 2]])
    },
  ],
  'optimizer.learning_rate': [
    "Did you mean 'learningRate'",
    () => Object.assign(made().optimizer, { learning_rate: 1 }),
  ],
  'optimizer.lr': ["Did you mean 'learningRate'", () => Object.assign(made().optimizer, { lr: 1 })],
  'trainable of a number': [
    'trainable must be true or false, received 0',
    () => Object.assign(made(), { trainable: 0 }),
  ],
  'softmax of one unit': [
    "Use 'sigmoid' and 'binaryCrossentropy'",
    () => trained(new Dense(1, { activation: 'softmax' }), 'binaryCrossentropy', [[1]]),
  ],
  'softmax of one unit, squares': [
    "Use 'sigmoid'",
    () => trained(new Dense(1, { activation: 'softmax' }), 'mse', [[1]]),
  ],
  'categoricalCrossentropy of one output': [
    "The output 'one' has one unit",
    () => trained(new Dense(1, { name: 'one' }), 'categoricalCrossentropy', [[1]]),
  ],
  'sparseCategoricalCrossentropy of one output': [
    'has one unit',
    () => trained(new Dense(1), 'sparseCategoricalCrossentropy', [0]),
  ],
  'generate without a prompt': [
    'the prompt must be',
    () => generate(anything({}), anything(undefined), anything(undefined)),
  ],
  'loadModel of nothing': ['expected a path or a URL, received undefined', () => loadModel(anything(undefined))],
  'loadModel of a small Blob': ['This is not a saved model', () => loadModel(new Blob([new Uint8Array(4)]))],
  'loadModel of a promise': ['cannot be read', () => loadModel(anything(Promise.resolve('x')))],
  'loadModel, a misspelt option': ["Did you mean 'layers'", () => loadModel('x', anything({ laysers: [] }))],
  'save to a number': ['expected a path or a URL, received 5', () => made().save(anything(5))],
  'save, a misspelt option': [
    'Unknown option of save',
    () => made().save('x.safetensors', anything({ overwrit: true })),
  ],
  'units of a built layer': ['units cannot change any more', () => Object.assign(made().layers[0]!, { units: 9 })],
  'predict of a list within itself': ['nested deeper', () => made().predict(anything(list))],
  'predict of deep lists': ['nested deeper', () => made().predict(anything(deep))],
  'predictOnBatch of a list within itself': ['nested deeper', () => made().predictOnBatch(anything(list))],
  'fit of a list within itself': ['nested', () => made().fit(anything(list), anything(list), { verbose: 0 })],
  'targets within themselves': ['nested', () => made().fit(x, anything(list), { verbose: 0 })],
  'a layer on a list within itself': ['nested', () => new Dense(2).apply(anything(list))],
  'an op of deep lists': ['nested', () => ops.add(anything(deep), 1)],
  'an op with deep lists as an axis': ['axis must be an integer', () => ops.sum([1], anything(deep))],
  'inputs within themselves': [
    'contain themselves',
    () => new Model({ inputs: anything<never>(list), outputs: anything<never>(list) }),
  ],
  'inputs within themselves, a record': [
    'contain themselves',
    () => new Model({ inputs: anything<never>(record), outputs: anything<never>(record) }),
  ],
  'losses within themselves': ['contain themselves', () => made().compile({ loss: anything(list) })],
  'metrics within themselves': ['contain themselves', () => made().compile({ metrics: anything(list) })],
  'JSON within itself': ['This is not a model', () => modelFromJSON(anything(record))],
  'strings within themselves': ['must be a string', () => new StringLookup().adapt(anything(list))],
  'a data set within itself': ['contain themselves', () => Dataset.from(anything<unknown[]>(list)).batch(2).toArray()],
}

function selfAdded(): Sequential {
  const model = new Sequential()
  model.add(model)
  return model
}

function nested(levels: number): Sequential {
  let layer: Layer = new Dense(2)
  for (let i = 0; i < levels; i++) layer = new Sequential([layer])
  return new Sequential([Input({ shape: [2] }), layer])
}

function trained(last: Layer, loss: string, targets: unknown): Promise<unknown> {
  const model = new Sequential([Input({ shape: [4] }), last])
  model.compile({ optimizer: 'adam', loss })
  return model.fit(x, anything(targets), { verbose: 0 })
}

describe('a mistake is an error of the library', () => {
  it.each(Object.entries(mistakes))('%s', async (_name, [message, run]) => {
    const error = await errorOf(run)
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain(message)
  })
})

describe('what is near to a mistake works', () => {
  it('models of 60 levels, in a file of Keras as well', async () => {
    const model = nested(60)
    const output = await model.predict([[1, 2]])
    const again = await loadModel(await model.save())
    expect((await again.predict([[1, 2]])).data).toEqual(output.data)
    const ofKeras = await readKeras(await writeKeras(model))
    expect((await ofKeras.predict([[1, 2]])).data).toEqual(output.data)
  })

  it('concatenates of 3,000 layers', async () => {
    const input = Input({ shape: [2] })
    const many = Array.from({ length: 3000 }, () => new Add().apply([input, input]))
    const model = new Model({ inputs: input, outputs: new Concatenate().apply(many) })
    expect((await model.predict([[1, 2]])).shape).toEqual([1, 6000])
  })

  it('a softmax of one unit without a loss, and one key of attention', async () => {
    const model = new Sequential([Input({ shape: [4] }), new Dense(1, { activation: 'softmax' })])
    expect((await model.predict(x)).toArray()).toEqual([[1]])
    const attention = new Sequential([
      Input({ shape: [4] }),
      new Dense(4),
      new Lambda((value) => ops.multiply(value, ops.softmax(ops.mean(value, 1, true)))),
    ])
    attention.compile({ loss: 'mse' })
    await attention.fit(x, x, { verbose: 0 })
  })

  it('compile without options', () => {
    expect(() => new Sequential([Input({ shape: [4] }), new Dense(1)]).compile()).not.toThrow()
  })
})

describe('indices that a layer makes', () => {
  const words = { vocabulary: ['a', 'b', 'c'] }
  const makers: Readonly<
    Record<string, readonly [Layer, unknown, shape: number[], dtype: 'string' | 'int32' | 'float32']>
  > = {
    StringLookup: [new StringLookup(words), [['c']], [1], 'string'],
    TextVectorization: [
      new TextVectorization({ vocabulary: ['a', 'b'], outputSequenceLength: 3 }),
      ['b a'],
      [],
      'string',
    ],
    Hashing: [new Hashing({ numBins: 4 }), [['c']], [1], 'string'],
    IntegerLookup: [new IntegerLookup({ vocabulary: [7, 8, 9] }), [[9]], [1], 'int32'],
    Discretization: [new Discretization({ binBoundaries: [0, 1, 2] }), [[5]], [1], 'float32'],
  }

  it.each(Object.entries(makers))('must have room: %s', async (name, [maker, row, shape, dtype]) => {
    const readers = (count: number): Layer[][] => [
      [new Embedding(count, 2)],
      [new Flatten(), new Embedding(count, 2)],
      [new Reshape({ targetShape: [-1] }), new CategoryEncoding({ numTokens: count })],
    ]
    for (const layers of readers(3)) {
      const model = new Sequential([Input({ shape, dtype }), maker, ...layers])
      const error = await errorOf(() => model.predict(anything(row)))
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toMatch(/(inputDim|numTokens) must be at least 4, for the indices 0 … 3 of /)
      expect(error.message).toContain(`${layers.at(-1)!}`)
      expect(error.message).toContain(`${name} "${maker.name}"`)
    }
    for (const layers of readers(4)) {
      const model = new Sequential([Input({ shape, dtype }), maker, ...layers])
      expect(Array.from((await model.predict(anything(row))).data).every(Number.isFinite)).toBe(true)
    }
  })

  const input = () => Input({ shape: [1], dtype: 'string' })
  type Symbols = ReturnType<typeof ops.add>
  it.each<[string, (long: Symbols, short: Symbols) => Symbols]>([
    ['Concatenate', (long, short) => new Concatenate().apply([short, long])],
    ['Concatenate, then Permute', (long, short) => new Permute([1]).apply(new Concatenate().apply([long, short]))],
    ['RepeatVector', (long) => new RepeatVector(2).apply(long)],
    ['ops.concatenate', (long, short) => ops.concatenate([short, long], 1)],
    ['ops.expandDims', (long) => ops.expandDims(long, -1)],
    ['ZeroPadding1D', (long) => new ZeroPadding1D(1).apply(ops.expandDims(long, -1))],
    ['an inner model', (long) => new Sequential([Input({ shape: [1], dtype: 'int32' }), new Flatten()]).apply(long)],
  ])('must have room behind %s', async (_name, between) => {
    const of = (count: number): Model => {
      const [first, second] = [input(), input()]
      const [long, short] = [new StringLookup(words), new StringLookup({ vocabulary: ['x'] })]
      const indices = between(long.apply(first) as Symbols, short.apply(second) as Symbols)
      return new Model({ inputs: [first, second], outputs: new Embedding(count, 2).apply(indices) }) as never
    }
    const rows = [[['c']], [['x']]]
    const error = await errorOf(() => of(3).predict(anything(rows)))
    expect(error.message).toMatch(/inputDim must be at least 4, for the indices 0 … 3 of StringLookup/)
    await of(4).predict(anything(rows))
  })

  it('must have room in fit, and after another adapt', async () => {
    const lookup = new StringLookup()
    await lookup.adapt(['a', 'b'])
    const model = new Sequential([
      Input({ shape: [1], dtype: 'string' }),
      lookup,
      new Embedding({ inputDim: 3, outputDim: 2 }),
      new Flatten(),
      new Dense(1),
    ])
    model.compile({ loss: 'mse' })
    await model.fit([['a'], ['b']], [[1], [2]], { verbose: 0 })
    await lookup.adapt(['a', 'b', 'c'])
    const error = await errorOf(() => model.fit([['a'], ['b']], [[1], [2]], { verbose: 0 }))
    expect(error.message).toContain('inputDim must be at least 4')
  })
})

describe('names of functions in files', () => {
  const double = { scaled: (value: ReturnType<typeof ops.add>) => ops.multiply(value, 2) }
  const triple = { scaled: (value: ReturnType<typeof ops.add>) => ops.multiply(value, 3) }
  const relu = (value: ReturnType<typeof ops.add>) => ops.multiply(value, 2)
  const of = (...options: object[]): Sequential =>
    new Sequential([Input({ shape: [4] }), ...options.map((each) => new Dense({ units: 3, ...each }))])

  it.each([
    ['two inline functions', of({ activation: double.scaled }, { activation: triple.scaled }), 'scaled'],
    ['the name of the library', of({ activation: relu }), 'relu'],
  ])('are refused if they would mean another function: %s', async (_name, model, name) => {
    for (const save of [() => model.save(), () => writeKeras(model), () => model.toJSON()]) {
      const error = await errorOf(save)
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toContain(`The function '${name}' cannot be saved`)
      expect(error.message).toContain('const mine')
    }
  })

  it('are refused for losses and metrics', async () => {
    const meanSquaredError = (target: ReturnType<typeof ops.add>, output: ReturnType<typeof ops.add>) =>
      ops.multiply(ops.mean(ops.square(ops.subtract(target, output)), -1), 3)
    const model = of({})
    model.compile({ loss: meanSquaredError })
    expect((await errorOf(() => model.save())).message).toContain("The function 'meanSquaredError' cannot be saved")
    model.compile({ loss: 'mse', metrics: [meanSquaredError] })
    expect((await errorOf(() => model.save())).message).toContain("The function 'meanSquaredError' cannot be saved")
    await model.save(undefined, { includeOptimizer: false })
  })

  it('is refused for the loss cosineSimilarity as a metric, whose sign is the opposite', async () => {
    const model = of({})
    model.compile({ loss: 'mse', metrics: [losses.cosineSimilarity] })
    expect((await errorOf(() => model.save())).message).toContain("'cosineSimilarity' cannot be saved")
  })

  it.each(['accuracy', 'acc', 'crossentropy', 'auc', 'binaryAccuracy', 'mse'])(
    'are refused for a metric that is called %s, also if it is registered',
    async (name) => {
      const own = { [name]: (target: ReturnType<typeof ops.add>) => ops.multiply(ops.mean(target, -1), 7) }[name]!
      const model = of({})
      model.compile({ loss: 'mse', metrics: [own] })
      for (const objects of [{}, { [name]: own }]) {
        const error = await errorOf(() => saving.customObjectScope(objects, () => model.save()))
        expect(error.message).toContain(`The function '${name}' cannot be saved: another one has this name`)
      }
    },
  )

  const named = [...Object.values(metrics), ...Object.values(losses)].filter(
    (of) => typeof of === 'function' && !isClass(of) && metricClasses.classOf(of.name) !== undefined,
  ) as Function[]

  it.each([...new Set(named)].filter((of) => of !== losses.cosineSimilarity).map((of) => [of.name, of] as const))(
    'may be that of the library: %s',
    async (name, own) => {
      const model = of({})
      model.compile({ loss: 'mse', metrics: [own as typeof losses.meanSquaredError] })
      const again = await loadModel(await model.save())
      expect(JSON.stringify(again.training.compiled!.serialize())).toContain(name)
    },
  )

  const ofLosses = Object.keys(lossClasses.all)
    .map((name) => losses.get(camelCase(name)))
    .filter((of): of is typeof losses.huber => typeof of === 'function' && metricClasses.classOf(of.name) === undefined)

  it.each(ofLosses.map((of) => [of.name, of] as const))('may be that of a loss as a metric: %s', async (name, own) => {
    // The class as a number, or as a row.
    const targets = /circle|Generalized/.test(name) ? [[1]] : [[0, 1, 0]]
    const inputs = [[0.2, 0.5, 0.3]]
    const model = new Sequential([Input({ shape: [3] }), new Dense({ units: 3, kernelInitializer: 'identity' })])
    model.compile({ loss: own, metrics: [own], weightedMetrics: [own] })
    const again = await loadModel(await model.save())
    expect(await again.evaluate(inputs, targets)).toEqual(await model.evaluate(inputs, targets))
    expect(JSON.stringify(again.training.compiled!.serialize())).toContain(name)
  })

  it('may be ctc, which has no name: loading asks whose it is', async () => {
    const model = new Sequential([Input({ shape: [6, 4] }), new Dense(4)])
    for (const options of [{ loss: losses.ctc }, { loss: 'mse', metrics: [losses.ctc] }]) {
      model.compile(options)
      const bytes = await model.save()
      expect((await errorOf(() => loadModel(bytes))).message).toContain('Pass it: customObjects: { ctc: losses.ctc }')
      const again = await loadModel(bytes, { customObjects: { ctc: losses.ctc } })
      const files = JSON.stringify(again.training.compiled!.serialize())
      expect(files).toBe(JSON.stringify(model.training.compiled!.serialize()))
    }
  })

  it('is refused if it is that of a loss that has other values', async () => {
    const huber = (target: ReturnType<typeof ops.add>) => ops.multiply(ops.mean(target, -1), 7)
    const model = of({})
    model.compile({ loss: 'mse', metrics: [huber] })
    expect((await errorOf(() => model.save())).message).toContain("The function 'huber' cannot be saved")
  })

  it('may be those of functions of the library', async () => {
    const model = of({ activation: ops.relu }, { activation: activations.relu }, { activation: activations.gelu })
    model.compile({ loss: losses.meanSquaredError, metrics: [losses.meanAbsoluteError] })
    const again = await loadModel(await model.save())
    expect((await again.predict(x)).data).toEqual((await model.predict(x)).data)
  })

  it('may be used by several layers, also after loading', async () => {
    const model = of({ activation: double.scaled }, { activation: double.scaled })
    const again = await loadModel(await model.save(), { customObjects: double })
    const third = await loadModel(await again.save(), { customObjects: double })
    expect((await third.predict(x)).data).toEqual((await model.predict(x)).data)
  })
})

describe('a configuration that contains itself', () => {
  class Knot extends Layer {
    override call(value: unknown) {
      return value as ReturnType<typeof ops.add>
    }
    override getConfig() {
      const config: Record<string, unknown> = { ...super.getConfig() }
      config['self'] = { config }
      return config as ReturnType<Layer['getConfig']>
    }
  }

  it.each([
    ['a layer', () => new Sequential([Input({ shape: [4] }), new Dense(3), new Knot({ name: 'granny' })])],
    [
      'a layer of an inner model',
      () => new Sequential([Input({ shape: [4] }), new Sequential([new Dense(3), new Knot({ name: 'granny' })])]),
    ],
  ])('is refused with the name of %s', async (_name, model) => {
    for (const save of [() => model().save(), () => writeKeras(model())]) {
      const error = await errorOf(save)
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toContain("save: the configuration of 'granny' contains itself")
    }
  })

  it('is refused for a metric', async () => {
    class Own extends metrics.Mean {
      override getConfig() {
        const config: Record<string, unknown> = { ...super.getConfig() }
        config['self'] = config
        return config as ReturnType<metrics.Mean['getConfig']>
      }
    }
    const model = made()
    model.compile({ loss: 'mse', metrics: [new Own()] })
    const error = await errorOf(() => model.save())
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain("the configuration of 'own' contains itself")
  })
})

describe('generate', () => {
  it.each([NaN, Infinity, -Infinity])('refuses scores of %d', async (score) => {
    const model = new Sequential([
      Input({ shape: [null], dtype: 'int32' }),
      new Embedding({ inputDim: 5, outputDim: 4 }),
      new Dense(5),
    ])
    const [table, kernel, bias] = model.getWeights()
    model.setWeights([table!, ops.multiply(kernel!, 0), ops.add(bias!, score)])
    for (const temperature of [0, 1]) {
      const error = await errorOf(() => generate(model, [1, 2], { maxTokens: 3, temperature }))
      expect(error).toBeInstanceOf(MyelinError)
      expect(error.message).toContain(`the score of token 0 is ${score}`)
    }
  })
})

describe('dispose', () => {
  const parts = (): readonly [Dense, Sequential, Sequential] => {
    const shared = new Dense(2)
    return [
      shared,
      new Sequential([Input({ shape: [2] }), shared, new Dense(2)]),
      new Sequential([Input({ shape: [2] }), shared, new Dense(1)]),
    ]
  }

  it.each([false, true])('leaves layers of other models, trained: %s', async (isTrained) => {
    const [, one, other] = parts()
    if (isTrained) {
      one.compile({ loss: 'mse' })
      await one.fit([[1, 2]], [[1, 2]], { verbose: 0 })
    }
    const output = await other.predict([[1, 2]])
    one.dispose()
    one.dispose()
    expect((await other.predict([[1, 2]])).data).toEqual(output.data)
    expect((await errorOf(() => one.predict([[1, 2]]))).message).toContain('disposed')
    other.dispose()
    expect((await errorOf(() => other.predict([[1, 2]]))).message).toContain('disposed')
  })

  it('leaves layers of a functional model, and models within others', async () => {
    const input = Input({ shape: [2] })
    const hidden = new Dense(3).apply(input)
    const encoder = new Model({ inputs: input, outputs: hidden })
    const whole = new Model({ inputs: input, outputs: new Dense(2).apply(hidden) })
    whole.dispose()
    await encoder.predict([[1, 2]])
    const outer = new Sequential([Input({ shape: [2] }), encoder])
    encoder.dispose()
    await outer.predict([[1, 2]])
    outer.dispose()
    expect((await errorOf(() => encoder.predict([[1, 2]]))).message).toContain('disposed')
  })
})

describe('arguments that a method does not read', () => {
  it.each([
    ['predictOnBatch', [[[1, 2, 3, 4]]]],
    ['summary', [{ printFn: () => undefined }]],
    ['save', [undefined, {}]],
  ] as const)('%s', async (name, read) => {
    const model = made()
    const call = async (...given: readonly unknown[]): Promise<unknown> => Reflect.apply(model[name], model, given)
    await call(...read)
    await expect(call(...read, { batchSize: 1 })).rejects.toThrow(
      `${name} takes ${read.length} argument${read.length === 1 ? '' : 's'}, received ${read.length + 1}: it would ignore [an object`,
    )
  })

  // Options by position, as in Keras, so that an object after the options is read by name.
  it.each([
    ['fit', [[[1, 2, 3, 4]], [[1, 0, 0]], { verbose: 0 }], 'batchSize is given twice'],
    ['evaluate', [[[1, 2, 3, 4]], [[1, 0, 0]], { verbose: 0 }], 'batchSize is given twice'],
    ['predict', [[[1, 2, 3, 4]], { verbose: 0 }], 'batchSize is given twice'],
    ['trainOnBatch', [[[1, 2, 3, 4]], [[1, 0, 0]], {}], "Unknown option of trainOnBatch 'batchSize'"],
    ['testOnBatch', [[[1, 2, 3, 4]], [[1, 0, 0]], {}], "Unknown option of testOnBatch 'batchSize'"],
  ] as const)('%s, with options twice', async (name, read, message) => {
    const model = made()
    const call = async (...given: readonly unknown[]): Promise<unknown> => Reflect.apply(model[name], model, given)
    await call(...read)
    await expect(call(...read, { batchSize: 1 })).rejects.toThrow(message)
  })
})
