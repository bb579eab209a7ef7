// A model as bytes and back: training continues bit for bit, and only a complete file is accepted.
// modes: simd, interpreter
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assert, asyncProperty, integer, json, nat, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Activation,
  Adam,
  AdamW,
  CosineDecay,
  Dense,
  Dropout,
  ExponentialDecay,
  Flatten,
  FormatError,
  InputLayer,
  Layer,
  LearningRateSchedule,
  Loss,
  Metric,
  MyelinError,
  PiecewiseConstantDecay,
  RMSprop,
  Reshape,
  SGD,
  Sequential,
  initializers,
  loadModel,
  losses,
  metrics,
  ops,
  regularizers,
  setRandomSeed,
  type BatchShape,
  type CallContext,
  type CompileOptions,
  type Config,
  type Optimizer,
  type Tensor,
  type TensorData,
  type Variable,
} from '../../src'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { binaryModel, errorOf, samples, stateOf, weightsOf } from '../helpers/training'

const { x, yes, labels } = samples(24)

/** Dropout, shuffling and a smaller last batch: everything that has state. */
function statefulModel(optimizer: Optimizer): Sequential {
  setRandomSeed(9)
  const model = new Sequential([
    new Dense({ units: 6, activation: 'relu', inputShape: [4], name: 'hidden' }),
    new Dropout({ rate: 0.3, name: 'dropout' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'output' }),
  ])
  model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'], weightedMetrics: ['mae'] })
  return model
}

const optimizers: [string, () => Optimizer][] = [
  ['SGD', () => new SGD()],
  ['SGD with nesterov momentum', () => new SGD({ momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
  ['RMSprop', () => new RMSprop()],
  ['RMSprop centered with momentum', () => new RMSprop({ centered: true, momentum: 0.5, rho: 0.8, clipvalue: 0.1 })],
  ['Adam', () => new Adam()],
  [
    'Adam with its options',
    () => new Adam({ learningRate: 0.02, beta1: 0.8, beta2: 0.9, epsilon: 1e-5, clipnorm: 0.5 }),
  ],
  ['AdamW', () => new AdamW({ globalClipnorm: 0.5 })],
  [
    'SGD, exponential decay',
    () =>
      new SGD({
        learningRate: new ExponentialDecay({
          initialLearningRate: 0.1,
          decaySteps: 3,
          decayRate: 0.5,
          staircase: true,
        }),
      }),
  ],
  [
    'Adam, cosine decay',
    () =>
      new Adam({
        learningRate: new CosineDecay({
          initialLearningRate: 0.01,
          decaySteps: 10,
          alpha: 0.1,
          warmupTarget: 0.1,
          warmupSteps: 3,
        }),
      }),
  ],
  [
    'SGD, piecewise',
    () => new SGD({ learningRate: new PiecewiseConstantDecay({ boundaries: [3, 7], values: [0.1, 0.05, 0.01] }) }),
  ],
]

describe('training continues bit for bit', () => {
  it.each(optimizers)('%s', async (_title, make) => {
    const options = { batchSize: 10, verbose: 0 as const, validationData: [x, yes] as const }
    const whole = statefulModel(make())
    const wholeHistory = await whole.fit(x, yes, { ...options, epochs: 6 })
    const first = statefulModel(make())
    await first.fit(x, yes, { ...options, epochs: 3 })
    setRandomSeed(12345)
    const second = await loadModel(await first.save())
    expect(stateOf(second)).toEqual(stateOf(first))
    expect(second.optimizer.learningRate).toBe(first.optimizer.learningRate)
    const rest = await second.fit(x, yes, { ...options, initialEpoch: 3, epochs: 6 })
    expect(stateOf(second)).toEqual(stateOf(whole))
    for (const [name, values] of Object.entries(wholeHistory.history))
      expect(rest.history[name], name).toEqual(values.slice(3))
  })

  it('also if the rate was set by hand', async () => {
    const model = statefulModel(new Adam())
    await model.fit(x, yes, { verbose: 0 })
    model.optimizer.learningRate = 0.25
    expect((await loadModel(await model.save())).optimizer.learningRate).toBe(0.25)
  })

  it('saving changes nothing, and can happen during fit', async () => {
    const model = binaryModel()
    const saved: Uint8Array[] = []
    await model.fit(x, yes, {
      epochs: 3,
      verbose: 0,
      callbacks: [{ onEpochEnd: async () => void saved.push(await model.save()) }],
    })
    const reference = binaryModel()
    await reference.fit(x, yes, { epochs: 3, verbose: 0 })
    expect(stateOf(model)).toEqual(stateOf(reference))
    const resumed = await loadModel(saved[1]!)
    await resumed.fit(x, yes, { initialEpoch: 2, epochs: 3, verbose: 0 })
    expect(weightsOf(resumed)).toEqual(weightsOf(model))
  })
})

describe('a loaded model', () => {
  it('has the same predictions, names and summary', async () => {
    const model = binaryModel()
    const copy = await loadModel(await model.save())
    expect((await copy.predict(x)).data).toEqual((await model.predict(x)).data)
    expect(copy.name).toBe(model.name)
    expect(copy.layers.map(({ name }) => name)).toEqual(['hidden', 'output'])
    expect(await copy.evaluate(x, yes)).toEqual(await model.evaluate(x, yes))
    // Bytes are a function of the model.
    expect(await copy.save()).toEqual(await model.save())
  })

  it('has every layer, initializer and regularizer with its options', async () => {
    const { L1, L2, L1L2 } = regularizers
    const model = new Sequential([
      new InputLayer({ shape: [2, 2], name: 'in' }),
      new Flatten({ name: 'flat' }),
      new Dense({
        units: 6,
        useBias: false,
        activation: 'gelu',
        kernelInitializer: new initializers.HeNormal({ seed: 3 }),
        kernelRegularizer: new L1({ l1: 0.5 }),
        name: 'a',
      }),
      new Activation({ activation: 'softsign', name: 'b' }),
      new Dropout({ rate: 0.25, seed: 4, name: 'c' }),
      new Reshape({ targetShape: [3, -1], name: 'd' }),
      new Dense({
        units: 2,
        biasInitializer: new initializers.Constant({ value: 2 }),
        biasRegularizer: new L2({ l2: 0.25 }),
        activityRegularizer: new L1L2({ l1: 0.1, l2: 0.2 }),
        trainable: false,
        name: 'e',
      }),
    ])
    const copy = await loadModel(await model.save())
    expect(copy.getConfig()).toEqual(model.getConfig())
    const input = ops.reshape(ops.arange(8), [2, 2, 2])
    expect((await copy.predict(input)).data).toEqual((await model.predict(input)).data)
    expect(copy.trainableWeights.map(({ name }) => name)).toEqual(['a/kernel'])
  })

  it.each<[string, CompileOptions]>([
    [
      'BinaryCrossentropy',
      { loss: new losses.BinaryCrossentropy({ labelSmoothing: 0.25, fromLogits: true, reduction: 'sum' }) },
    ],
    ['Huber', { loss: new losses.Huber({ delta: 0.125 }) }],
    [
      'metrics with options',
      {
        loss: 'mse',
        metrics: [
          new metrics.BinaryAccuracy({ threshold: 0.25 }),
          new metrics.Precision({ thresholds: 0.75 }),
          new metrics.Recall({ thresholds: 0.1 }),
          new metrics.AUC({ numThresholds: 7, curve: 'PR' }),
          new metrics.BinaryCrossentropy({ labelSmoothing: 0.5 }),
          'rmse',
        ],
        weightedMetrics: [new metrics.BinaryCrossentropy({ fromLogits: true, name: 'own' })],
      },
    ],
  ])('has the options of compile: %s', async (_title, options) => {
    const model = binaryModel()
    model.compile(options)
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save())
    expect(await copy.evaluate(x, yes)).toEqual(await model.evaluate(x, yes))
  })

  it('has class metrics with options', async () => {
    const model = new Sequential([new Dense({ units: 3, inputShape: [4], activation: 'softmax' })])
    model.compile({
      loss: 'sparseCategoricalCrossentropy',
      metrics: [
        new metrics.SparseTopKCategoricalAccuracy({ k: 2 }),
        new metrics.SparseCategoricalCrossentropy({ fromLogits: true }),
        'accuracy',
      ],
    })
    await model.fit(x, labels, { verbose: 0 })
    const copy = await loadModel(await model.save())
    expect(await copy.evaluate(x, labels)).toEqual(await model.evaluate(x, labels))
  })

  it('that was compiled, but not trained', async () => {
    const model = binaryModel({ optimizer: 'adam' })
    const copy = await loadModel(await model.save())
    await copy.fit(x, yes, { epochs: 2, verbose: 0 })
    await model.fit(x, yes, { epochs: 2, verbose: 0 })
    expect(stateOf(copy)).toEqual(stateOf(model))
  })

  it('that was compiled again after training', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    model.compile({ optimizer: 'rmsprop', loss: 'mse' })
    const copy = await loadModel(await model.save())
    await copy.fit(x, yes, { verbose: 0 })
    await model.fit(x, yes, { verbose: 0 })
    expect(stateOf(copy)).toEqual(stateOf(model))
  })

  it('that was not compiled', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [4] })])
    const copy = await loadModel(await model.save())
    expect(copy.training.compiled).toBeNull()
    expect(weightsOf(copy)).toEqual(weightsOf(model))
  })

  it('without weights yet', async () => {
    const model = new Sequential([new Dense({ units: 2 })])
    model.compile({ loss: 'mse' })
    const copy = await loadModel(await model.save())
    expect(copy.built).toBe(false)
    await copy.fit(
      x,
      x.map(() => [0, 1]),
      { verbose: 0 },
    )
    expect(copy.getWeights().map(({ shape }) => shape)).toEqual([[4, 2], [2]])
  })

  it('with a layer that was frozen after training', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    model.getLayer('hidden').trainable = false
    const copy = await loadModel(await model.save())
    expect(copy.optimizer.iterations.value.item()).toBe(1)
    expect(weightsOf(copy)).toEqual(weightsOf(model))
    await copy.fit(x, yes, { verbose: 0 })
    expect(weightsOf(copy).slice(0, 2)).toEqual(weightsOf(model).slice(0, 2))
    expect(weightsOf(copy).slice(2)).not.toEqual(weightsOf(model).slice(2))
  })

  it('can have layers frozen after loading', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save())
    copy.getLayer('hidden').trainable = false
    await copy.fit(x, yes, { verbose: 0 })
    expect(weightsOf(copy).slice(0, 2)).toEqual(weightsOf(model).slice(0, 2))
    expect(weightsOf(copy).slice(2)).not.toEqual(weightsOf(model).slice(2))
  })

  it('with compile: false has no optimizer', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save(), { compile: false })
    expect(copy.training.compiled).toBeNull()
    expect(weightsOf(copy)).toEqual(weightsOf(model))
    copy.compile({ loss: 'mse' })
    await copy.fit(x, yes, { verbose: 0 })
  })

  it('from a file, by path and by URL, and from an ArrayBuffer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'myelin-'))
    try {
      const path = join(folder, 'model.safetensors')
      const model = binaryModel()
      const bytes = await model.save(path)
      expect(new Uint8Array(await readFile(path))).toEqual(bytes)
      const buffer = bytes.slice().buffer
      for (const source of [path, pathToFileURL(path), buffer]) {
        expect(weightsOf(await loadModel(source))).toEqual(weightsOf(model))
      }
      await writeFile(path, bytes.subarray(0, 100))
      expect(await errorOf(() => loadModel(path))).toBeInstanceOf(FormatError)
      expect((await errorOf(() => loadModel(join(folder, 'none')))).message).toMatch(/ENOENT/)
      expect((await errorOf(() => model.save(join(folder, 'no', 'folder')))).message).toMatch(/ENOENT/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('from bytes at an unaligned offset', async () => {
    const model = binaryModel()
    const bytes = await model.save()
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(weightsOf(await loadModel(shifted.subarray(3)))).toEqual(weightsOf(model))
  })
})

describe('customObjects', () => {
  class Gain extends Layer {
    static readonly className = 'Gain'
    private gain: Variable | null = null
    private readonly start: number
    constructor({ start = 1, ...options }: { name?: string; start?: number } = {}) {
      super(options)
      this.start = start
    }
    override build(shape: BatchShape): void {
      this.gain = this.addWeight({
        name: 'gain',
        shape: [shape.at(-1)!],
        initializer: new initializers.Constant({ value: this.start }),
      })
    }
    call(x: Tensor): Tensor {
      return ops.multiply(x, this.gain!.value)
    }
    override getConfig(): Config {
      return { ...super.getConfig(), start: this.start }
    }
  }
  const cube = (x: Tensor): Tensor => ops.multiply(ops.square(x), x)
  const quartic = (yTrue: Tensor, yPred: Tensor): Tensor =>
    ops.mean(ops.square(ops.square(ops.subtract(yTrue, yPred))), { axis: -1 })
  const farOff = (yTrue: Tensor, yPred: Tensor): Tensor =>
    ops.cast(ops.greater(ops.abs(ops.subtract(yTrue, yPred)), 0.5), 'float32')
  class Scaled extends Loss {
    static readonly className = 'Scaled'
    private readonly factor: number
    constructor({ factor = 2 }: { factor?: number } = {}) {
      super({ name: 'scaled' })
      this.factor = factor
    }
    call(yTrue: Tensor, yPred: Tensor): Tensor {
      return ops.multiply(losses.meanSquaredError(yTrue, yPred), this.factor)
    }
    override getConfig(): Config {
      return { factor: this.factor }
    }
  }
  class Largest extends Metric {
    static readonly className = 'Largest'
    private readonly largest = this.addVariable('largest')
    updateState(_yTrue: Tensor, yPred: Tensor): void {
      this.largest.assign(ops.maximum(this.largest.value, ops.max(yPred)))
    }
    result(): Tensor {
      return this.largest.value
    }
  }
  class Halving extends LearningRateSchedule {
    static readonly className = 'Halving'
    call(step: Tensor): Tensor {
      return ops.power(0.5, ops.cast(step, 'float32'))
    }
    override getConfig(): Config {
      return {}
    }
  }
  class Sevens extends initializers.Initializer {
    static readonly className = 'Sevens'
    call(shape: readonly number[]): Tensor {
      return ops.full(shape, 7)
    }
    override getConfig(): Config {
      return {}
    }
  }
  class Sum extends regularizers.Regularizer {
    static readonly className = 'Sum'
    call(x: Tensor): Tensor {
      return ops.sum(x)
    }
    override getConfig(): Config {
      return {}
    }
  }
  const customObjects = { Gain, cube, quartic, farOff, Scaled, Largest, Halving, Sevens, Sum }

  const make = (options: CompileOptions): Sequential => {
    setRandomSeed(3)
    const model = new Sequential([
      new Dense({ units: 3, activation: cube, inputShape: [4] }),
      new Gain({ start: 0.5, name: 'gain' }),
      new Dense({ units: 1 }),
    ])
    model.compile(options)
    return model
  }

  it.each<[string, () => CompileOptions]>([
    ['layer, activation, loss and metric functions', () => ({ loss: quartic, metrics: [farOff], optimizer: 'sgd' })],
    [
      'loss and metric classes',
      () => ({ loss: new Scaled({ factor: 3 }), metrics: [new Largest({ name: 'largest' })], optimizer: 'sgd' }),
    ],
    ['a schedule', () => ({ loss: 'mse', optimizer: new SGD({ learningRate: new Halving() }) })],
  ])('%s', async (_title, options) => {
    const model = make(options())
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save(), { customObjects })
    expect(copy.layers[1]).toBeInstanceOf(Gain)
    expect(copy.getConfig()).toEqual(model.getConfig())
    expect(await copy.evaluate(x, yes)).toEqual(await model.evaluate(x, yes))
    await model.fit(x, yes, { verbose: 0 })
    await copy.fit(x, yes, { verbose: 0 })
    expect(stateOf(copy)).toEqual(stateOf(model))
  })

  it('initializers and regularizers', async () => {
    const model = new Sequential([
      new Dense({ units: 1, inputShape: [4], kernelInitializer: new Sevens(), kernelRegularizer: new Sum() }),
    ])
    model.compile({ loss: 'mse', optimizer: 'sgd' })
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save(), { customObjects })
    expect(copy.getConfig()).toEqual(model.getConfig())
    expect(weightsOf(copy)).toEqual(weightsOf(model))
  })

  it('a layer of layers', async () => {
    class Residual extends Layer {
      static readonly className = 'Residual'
      private readonly inner = new Dense({ units: 4, activation: 'relu', name: 'inner' })
      private readonly drop = new Dropout({ rate: 0.5, name: 'drop' })
      call(x: Tensor, context: CallContext): Tensor {
        return ops.add(x, this.drop.apply(this.inner.apply(x, context), context))
      }
    }
    const model = new Sequential([new Residual({ name: 'block', inputShape: [4] }), new Dense({ units: 1 })])
    model.compile({ loss: 'mse' })
    await model.fit(x, yes, { verbose: 0 })
    const copy = await loadModel(await model.save(), { customObjects: { Residual } })
    expect(stateOf(copy)).toEqual(stateOf(model))
    await model.fit(x, yes, { verbose: 0 })
    await copy.fit(x, yes, { verbose: 0 })
    expect(stateOf(copy)).toEqual(stateOf(model))
  })

  it.each([
    ['Gain', 'Unknown layer'],
    ['cube', 'Unknown activation'],
    ['quartic', 'Unknown loss'],
    ['farOff', 'Unknown metric'],
  ])('without %s the error names it', async (name, message) => {
    const model = make({ loss: quartic, metrics: [farOff] })
    const { [name as 'Gain']: _left, ...others } = customObjects
    const error = await errorOf(async () => loadModel(await model.save(), { customObjects: others }))
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain(`${message} '${name}'`)
  })
})

describe('incomplete files', () => {
  const trained = async (): Promise<Uint8Array> => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    return model.save()
  }

  it('truncated anywhere', async () => {
    const bytes = await trained()
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true)
    const lengths = [0, 1, 7, 8, 9, header - 1, header, header + 1, bytes.length - 4, bytes.length - 1]
    for (let length = 16; length < bytes.length; length += 61) lengths.push(length)
    for (const length of lengths) {
      const error = await errorOf(() => loadModel(bytes.slice(0, length)))
      expect(error, `${length} of ${bytes.length} bytes`).toBeInstanceOf(FormatError)
      expect(error.message, `${length} bytes`).toMatch(/truncated|not a saved model/)
    }
  })

  it.each<[string, () => Uint8Array]>([
    ['text', () => new TextEncoder().encode('{"class_name": "Sequential", "config": {"layers": []')],
    ['a long string', () => new TextEncoder().encode('hello world, '.repeat(1000))],
    ['zeros', () => new Uint8Array(64)],
    ['a zip file', () => Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(100))],
  ])('%s', async (_title, bytes) => {
    const error = await errorOf(() => loadModel(bytes()))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/not a saved model|truncated or foreign|not written by this library|not JSON/)
  })

  it('a safetensors file from elsewhere', async () => {
    const foreign = encodeContainer([{ name: 'weight', shape: [2], data: Float32Array.of(1, 2) }], { format: 'pt' })
    const error = await errorOf(() => loadModel(foreign))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/weights, but no model.*loadWeights/)
  })

  /** The same file with another description or other tensors. */
  async function changed(
    edit: (
      description: { [key: string]: unknown },
      tensors: Map<string, { name: string; shape: readonly number[]; data: TensorData }>,
    ) => void,
  ): Promise<Uint8Array> {
    const { metadata, tensors } = decodeContainer(await trained())
    const description: { [key: string]: unknown } = JSON.parse(metadata['description']!)
    const own = new Map(tensors)
    edit(description, own)
    return encodeContainer([...own.values()], { ...metadata, description: JSON.stringify(description) })
  }

  it('of another version', async () => {
    const { metadata, tensors } = decodeContainer(await trained())
    const newer = encodeContainer([...tensors.values()], { ...metadata, version: '99' })
    const error = await errorOf(() => loadModel(newer))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/version 99.*reads versions 2 and 3/)
  })

  it('with a weight of another shape', async () => {
    const bytes = await changed((_description, tensors) => {
      const [key, tensor] = [...tensors][0]!
      tensors.set(key, { ...tensor, shape: [...tensor.shape].reverse() })
    })
    const error = await errorOf(() => loadModel(bytes))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/hidden\/kernel.*\[5, 4\], the model needs \[4, 5\]/)
  })

  it('with a weight of another dtype', async () => {
    const bytes = await changed((_description, tensors) => {
      const [key, tensor] = [...tensors][0]!
      tensors.set(key, { ...tensor, data: Int32Array.from(tensor.data) })
    })
    expect(await errorOf(() => loadModel(bytes))).toBeInstanceOf(FormatError)
  })

  it('without a weight', async () => {
    const bytes = await changed((_description, tensors) => void tensors.delete([...tensors.keys()][1]!))
    const error = await errorOf(() => loadModel(bytes))
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(/lacks '.*hidden\/bias'/)
  })

  it.each<[string, (description: { [key: string]: unknown }) => void]>([
    ['no model', (description) => void delete description['model']],
    ['no layers', (description) => (description['model'] = { className: 'Sequential', config: {} })],
    [
      'a layer without a class',
      (description) => (description['model'] = { className: 'Sequential', config: { layers: [{}] } }),
    ],
    ['another kind of model', (description) => (description['model'] = { className: 'Functional', config: {} })],
    [
      'no units',
      (description) =>
        (description['model'] = { className: 'Sequential', config: { layers: [{ className: 'Dense', config: {} }] } }),
    ],
    ['no optimizer', (description) => (description['compile'] = { loss: 'mse' })],
    ['no loss', (description) => (description['compile'] = { optimizer: { className: 'SGD', config: {} } })],
    [
      'a wrong build shape',
      (description) => {
        const model = description['model']
        if (typeof model !== 'object' || model === null || !('config' in model) || typeof model.config !== 'object')
          throw new Error('no model')
        Object.assign(model.config ?? {}, { buildShape: ['a', {}] })
      },
    ],
  ])('with %s', async (_title, edit) => {
    expect(await errorOf(async () => loadModel(await changed(edit)))).toBeInstanceOf(MyelinError)
  })

  it('random bytes', async () => {
    await assert(
      asyncProperty(uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await errorOf(() => loadModel(bytes))).toBeInstanceOf(FormatError)
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  it('a random header before random bytes', async () => {
    await assert(
      asyncProperty(json(), uint8Array({ maxLength: 50 }), async (text, data) => {
        const header = new TextEncoder().encode(text)
        const bytes = new Uint8Array(8 + header.length + data.length)
        new DataView(bytes.buffer).setUint32(0, header.length, true)
        bytes.set(header, 8)
        bytes.set(data, 8 + header.length)
        expect(await errorOf(() => loadModel(bytes))).toBeInstanceOf(FormatError)
      }),
      { numRuns: 200, seed: 2 },
    )
  })

  it('one damaged byte: a typed error, or a model', async () => {
    const bytes = await trained()
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true)
    await assert(
      asyncProperty(nat(header - 1), integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = bytes.slice()
        damaged[at] = damaged[at]! ^ flip
        const result = await loadModel(damaged).catch((error: unknown) => error)
        if (result instanceof Sequential) result.dispose()
        else expect(result).toBeInstanceOf(MyelinError)
      }),
      { numRuns: 300, seed: 3 },
    )
  })

  it('leave other models and the library unchanged', async () => {
    const model = binaryModel()
    await model.fit(x, yes, { verbose: 0 })
    const before = stateOf(model)
    const bytes = await model.save()
    for (const length of [0, 20, bytes.length - 1]) await errorOf(() => loadModel(bytes.slice(0, length)))
    expect(stateOf(model)).toEqual(before)
    expect(weightsOf(await loadModel(bytes))).toEqual(weightsOf(model))
  })
})

it('a layer and an initializer with the same name are distinguished', async () => {
  const model = new Sequential([
    new Dense({ units: 3, kernelInitializer: 'identity', useBias: false, inputShape: [3] }),
  ])
  const again = (await loadModel(await model.save())) as Sequential
  expect(again.predictOnBatch([[1, 2, 3]]).toArray()).toEqual([[1, 2, 3]])
  expect((again.layers[0] as Dense).kernelInitializer.getConfig()).toEqual({ gain: 1 })
})
