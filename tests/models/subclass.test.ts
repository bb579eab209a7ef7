// Subclassed models: layers in properties, a call, and custom steps.
import { describe, expect, it } from 'vitest'
import {
  Adam,
  Attention,
  Dense,
  Dropout,
  GroupedQueryAttention,
  Input,
  Layer,
  Model,
  MultiHeadAttention,
  SGD,
  Sequential,
  cloneModel,
  grad,
  jit,
  loadModel,
  metrics,
  ops,
  random,
  setRandomSeed,
  tensor,
  disassemble,
  type Batch,
  type Config,
  type CustomObjects,
  type Tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { samples, weightsOf } from '../helpers/training'

const { x, yes, numbers } = samples(24)
const quiet = { verbose: 0 } as const

class Two extends Model {
  first = new Dense({ units: 5, activation: 'relu', name: 'first' })
  blocks = { a: [new Dense({ units: 4, name: 'a0' })], b: new Map([['x', new Dense({ units: 4, name: 'bx' })]]) }
  last = new Dense({ units: 1, name: 'last' })
  override call(input: Tensor): Tensor {
    const hidden = this.first.apply(input)
    return this.last.apply(ops.add(this.blocks.a[0]!.apply(hidden), this.blocks.b.get('x')!.apply(hidden)))
  }
}

/** A small model for custom steps. */
class OneDense extends Model {
  net = new Dense({ units: 1, name: 'net' })
  override call(input: Tensor): Tensor {
    return this.net.apply(input)
  }
}

describe('a custom class', () => {
  it('is trained, saved and loaded without further methods', async () => {
    setRandomSeed(3)
    const model = new Two()
    model.compile({ optimizer: new Adam({ learningRate: 0.02 }), loss: 'mse' })
    const { history } = await model.fit(x, numbers, { ...quiet, epochs: 20 })
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]! / 3)
    expect(model.weights).toHaveLength(8)
    const copy = await loadModel(await model.save(), { customObjects: { Two } })
    expect(copy).toBeInstanceOf(Two)
    expect((await copy.predict(x)).data).toEqual((await model.predict(x)).data)
    await model.fit(x, numbers, quiet)
    await copy.fit(x, numbers, quiet)
    expect(weightsOf(copy)).toEqual(weightsOf(model))
  })

  it('inherits training: a nested Dropout drops and a nested addLoss counts, without passing arguments on', async () => {
    class Inner extends Layer {
      drop = new Dropout(0.99)
      call(input: Tensor): Tensor {
        this.addLoss(tensor(7))
        this.addMetric('seven', tensor(7))
        return this.drop.apply(input)
      }
    }
    class Outer extends Model {
      inner = new Inner()
      head = new Dense({ units: 1, kernelInitializer: 'ones' })
      override call(input: Tensor): Tensor {
        return this.head.apply(this.inner.apply(input))
      }
    }
    const model = new Outer()
    model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' })
    const zeros = x.map(() => [0])
    const trained = model.trainOnBatch(ops.ones([24, 4]), zeros)
    const tested = model.testOnBatch(ops.ones([24, 4]), zeros)
    expect(tested.loss).toBeCloseTo(16 + 7, 4)
    expect(tested['seven']).toBe(7)
    expect(Math.abs(trained.loss - 23)).toBeGreaterThan(1)
  })

  it('refuses a layer with weights that is not a property', async () => {
    class Leaky extends Model {
      #hidden = new Dense({ units: 1, name: 'secret' })
      override call(input: Tensor): Tensor {
        return this.#hidden.apply(input)
      }
    }
    class Tracked extends Model {
      #hidden = this.track(new Dense({ units: 1 }))
      override call(input: Tensor): Tensor {
        return this.#hidden.apply(input)
      }
    }
    await expect(new Leaky({ name: 'leaky' }).predict(x)).rejects.toThrow(
      /Dense "secret" is called inside Leaky "leaky" but does not belong to it.*track/,
    )
    const tracked = new Tracked()
    await tracked.predict(x)
    expect(tracked.weights).toHaveLength(2)
  })

  it('has its own step, and metrics in properties', async () => {
    class Own extends Model {
      net = new Dense({ units: 1, name: 'net' })
      error = new metrics.Mean({ name: 'error' })
      override call(input: Tensor): Tensor {
        return this.net.apply(input)
      }
      override trainStep({ x: input, y }: Batch<Tensor, Tensor>) {
        const output = this.net.apply(input)
        const loss = ops.mean(ops.square(ops.subtract(y, output)))
        this.optimizer.build(this.trainableWeights)
        this.optimizer.apply(this.gradients(loss))
        this.error.update(ops.abs(ops.subtract(y, output)))
        return { loss, twice: ops.multiply(loss, 2) }
      }
    }
    const model = new Own()
    model.compile({ optimizer: new SGD({ learningRate: 0.05 }) })
    const { history } = await model.fit(x, numbers, { ...quiet, epochs: 5, batchSize: 24 })
    expect(Object.keys(history).sort()).toEqual(['loss', 'twice'])
    expect(history['twice']![0]).toBeCloseTo(2 * history['loss']![0]!, 4)
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]!)
  })

  it('has its own step and a tracker of the loss, which the built-in test step updates', async () => {
    class Own extends OneDense {
      tracker = new metrics.Mean({ name: 'loss' })
      override trainStep({ x: input, y }: Batch<Tensor, Tensor>) {
        const loss = ops.mean(ops.square(ops.subtract(y, this.call(input))))
        this.optimizer.apply(this.gradients(loss, this.trainableWeights), this.trainableWeights)
        this.tracker.update(loss)
      }
    }
    const model = new Own()
    model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'mse' })
    const { history } = await model.fit(x, numbers, { ...quiet, epochs: 3, validationData: [x, numbers] })
    expect(Object.keys(history).sort()).toEqual(['loss', 'valLoss'])
    expect(history['loss']!.every((each) => each > 0)).toBe(true)
    const { loss } = await model.evaluate(x, numbers, { verbose: 0 })
    expect(history['valLoss']!.at(-1)).toBeCloseTo(loss, 5)
    const error = ops.mean(ops.square(ops.subtract(ops.reshape(numbers, [-1, 1]), await model.predict(x))))
    expect(loss).toBeCloseTo(error.item(), 5)
  })

  it('has its own step, with a penalty on a gradient through attention', () => {
    const sequences = ops.sin(ops.reshape(ops.arange(24), [2, 4, 3]))
    const layers = [
      () => new MultiHeadAttention({ numHeads: 2, keyDim: 4 }),
      () => new GroupedQueryAttention({ headDim: 4, numQueryHeads: 4, numKeyValueHeads: 2 }),
      () => new Attention({ useScale: true }),
    ]
    class Penalized extends Model {
      attention
      constructor(
        attention: MultiHeadAttention | GroupedQueryAttention | Attention,
        readonly isStored: boolean,
      ) {
        super()
        this.attention = attention
      }
      override call(input: Tensor): Tensor {
        const options = { useCausalMask: true }
        return this.isStored
          ? this.attention.applyWithScores([input, input], options)[0]
          : this.attention.apply([input, input], options)
      }
      override trainStep({ x: input }: Batch<Tensor, Tensor>) {
        const slope = grad((at: Tensor) => ops.sum(ops.square(this.call(at))))(input)
        const loss = ops.mean(ops.square(ops.subtract(slope, 1)))
        this.optimizer.build(this.trainableWeights)
        this.optimizer.apply(this.gradients(loss))
        return { loss }
      }
    }
    for (const layer of layers) {
      const models = [false, true].map((isStored) => {
        setRandomSeed(7)
        const model = new Penalized(layer(), isStored)
        model.compile({ optimizer: new SGD({ learningRate: 0.01 }) })
        model.predictOnBatch(sequences)
        return model
      }) as [Penalized, Penalized]
      const [losses, expected] = models.map((model) =>
        Array.from({ length: 4 }, () => model.trainOnBatch(sequences, sequences).loss),
      ) as [number[], number[]]
      losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected[i]!, 5))
      expect(losses[3]).toBeLessThan(losses[0]!)
      models[0]
        .getWeights()
        .forEach((weight, i) =>
          expectNear(weight.data, models[1].getWeights()[i]!.data, `${models[0].attention}: weight ${i}`),
        )
    }
  })

  it('has its own step, whose logs differ from those of the built-in test step', async () => {
    class Own extends OneDense {
      override trainStep(batch: Batch<Tensor, Tensor>) {
        super.trainStep(batch)
        return { loss: tensor(77), only: tensor(5) }
      }
    }
    const model = new Own()
    model.compile({ optimizer: new SGD({ learningRate: 0.05 }), loss: 'mse' })
    const before = await model.evaluate(x, numbers)
    const { history } = await model.fit(x, numbers, { ...quiet, epochs: 5, validationData: [x, numbers] })
    expect(history['loss']).toEqual(Array(5).fill(77))
    expect(history['valLoss']!.at(-1)!).toBeLessThan(before.loss)
    expect(Object.keys(await model.evaluate(x, numbers))).toEqual(['loss'])
    expect(model.testOnBatch(x, numbers).loss).toBeCloseTo(history['valLoss']!.at(-1)!, 4)
    expect(model.trainOnBatch(x, numbers)).toEqual({ loss: 77, only: 5 })
  })

  it('has its own step, and freezes all its layers after the first fit', async () => {
    class Own extends OneDense {
      override trainStep(batch: Batch<Tensor, Tensor>) {
        super.trainStep(batch)
      }
    }
    const model = new Own()
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit(x, numbers, quiet)
    const before = weightsOf(model)
    model.net.trainable = false
    await model.fit(x, numbers, quiet)
    expect(weightsOf(model)).toEqual(before)
    model.net.trainable = true
    await model.fit(x, numbers, quiet)
    expect(weightsOf(model)).not.toEqual(before)
  })

  it('has its own step, which must be traced and return scalar tensors', async () => {
    const stepThat = (answer: () => unknown) => {
      class Own extends OneDense {
        override trainStep(batch: Batch<Tensor, Tensor>) {
          super.trainStep(batch)
          return answer() as never
        }
      }
      const model = new Own()
      model.compile({ optimizer: 'sgd', loss: 'mse' })
      return model.fit(x, numbers, quiet)
    }
    await expect(stepThat(() => Promise.resolve({}))).rejects.toThrow('cannot be async')
    await expect(stepThat(() => ({ loss: 1 }))).rejects.toThrow("'loss' must be a scalar tensor, received 1")
    await expect(stepThat(() => 3)).rejects.toThrow('received number')
    await expect(stepThat(() => ({ loss: tensor([1, 2]) }))).rejects.toThrow(
      'must be a scalar tensor, received shape [2]',
    )
  })

  it('a GAN: two optimizers and a gradient penalty in one step', async () => {
    setRandomSeed(1)
    type Data = { real: Tensor; noise: Tensor; mix: Tensor }
    class Gan extends Model<Data, Tensor> {
      generator = new Sequential(
        [new Dense({ units: 8, activation: 'tanh', inputShape: [2] }), new Dense({ units: 1 })],
        { name: 'generator' },
      )
      critic = new Sequential([new Dense({ units: 8, activation: 'tanh', inputShape: [1] }), new Dense({ units: 1 })], {
        name: 'critic',
      })
      generatorOptimizer = new SGD({ learningRate: 0.01 })
      criticOptimizer = new Adam({ learningRate: 0.002 })
      override call({ noise }: Data): Tensor {
        return this.generator.apply(noise)
      }
      lossesOf({ real, noise, mix }: Data): { criticLoss: Tensor; generatorLoss: Tensor } {
        const fake = this.generator.apply(noise)
        const between = ops.add(ops.multiply(mix, real), ops.multiply(ops.subtract(1, mix), fake))
        const slope = grad((input) => ops.sum(this.critic.apply(input)))(between)
        const norm = ops.sqrt(ops.add(ops.sum(ops.square(slope), { axis: -1 }), 1e-6))
        const penalty = ops.mean(ops.square(ops.subtract(norm, 1)))
        const [onFake, onReal] = [fake, real].map((each) => ops.mean(this.critic.apply(each)))
        return {
          criticLoss: ops.add(ops.subtract(onFake!, onReal!), ops.multiply(penalty, 10)),
          generatorLoss: ops.negative(onFake!),
        }
      }
      override trainStep({ x: data }: Batch<Data, Tensor>) {
        const { criticLoss, generatorLoss } = this.lossesOf(data)
        const [criticVariables, generatorVariables] = [this.critic.trainableWeights, this.generator.trainableWeights]
        const criticGradients = this.gradients(criticLoss, criticVariables)
        const generatorGradients = this.gradients(generatorLoss, generatorVariables)
        this.criticOptimizer.build(criticVariables)
        this.criticOptimizer.apply(criticGradients)
        this.generatorOptimizer.build(generatorVariables)
        this.generatorOptimizer.apply(generatorGradients)
        return { criticLoss, generatorLoss }
      }
    }
    const gan = new Gan()
    gan.compile({})
    const data = {
      real: random.normal([16, 1], { mean: 3, seed: 1 }),
      noise: random.normal([16, 2], { seed: 2 }),
      mix: random.uniform([16, 1], { seed: 3 }),
    }
    const lossOf = (which: 'criticLoss' | 'generatorLoss'): number =>
      jit((real: Tensor, noise: Tensor, mix: Tensor) => gan.lossesOf({ real, noise, mix })[which])(
        data.real,
        data.noise,
        data.mix,
      ).item()
    const before = weightsOf(gan)
    const expected = { criticLoss: lossOf('criticLoss'), generatorLoss: lossOf('generatorLoss') }
    // ∂ generatorLoss / ∂ the last bias of the generator, by differences; SGD moves against it.
    const bias = gan.generator.weights.at(-1)!
    const at = (value: number): number => {
      bias.assign(tensor([value]))
      return lossOf('generatorLoss')
    }
    const slope = (at(0.01) - at(-0.01)) / 0.02
    bias.assign(tensor([0]))
    const logs = gan.trainOnBatch(data)
    expectNear([logs['criticLoss']!, logs['generatorLoss']!], [expected.criticLoss, expected.generatorLoss], 'losses')
    expect(bias.value.item()).toBeCloseTo(-0.01 * slope, 5)
    // Except the critic's last bias, which contributes equally to both sides.
    weightsOf(gan)
      .slice(0, -1)
      .forEach((weight, i) => expect(weight, `weight ${i}`).not.toEqual(before[i]))
    const { history } = await gan.fit(data, null, { ...quiet, epochs: 30 })
    expect(history['criticLoss']!.at(-1)).toBeLessThan(history['criticLoss']![0]!)
    expect((await gan.predict(data)).shape).toEqual([16, 1])
    expect([...disassemble(gan).keys()].map((key) => key.split(' ')[0])).toEqual(['train', 'predict'])
  })
})

describe('callbacks that evaluate', () => {
  const make = () => {
    setRandomSeed(5)
    const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] })
    return model
  }

  it('in the middle of an epoch do not change the metrics of fit', async () => {
    const plain = await make().fit(x, numbers, { ...quiet, epochs: 2, batchSize: 4, shuffle: false })
    const model = make()
    const watched = await model.fit(x, numbers, {
      ...quiet,
      epochs: 2,
      batchSize: 4,
      shuffle: false,
      callbacks: [{ onTrainBatchEnd: async () => void (await model.evaluate(x, numbers)) }],
    })
    expect(watched.history).toEqual(plain.history)
  })

  it('without await do not lock the model', async () => {
    const model = make()
    const results: number[] = []
    const { history } = await model.fit(x, numbers, {
      ...quiet,
      epochs: 3,
      shuffle: false,
      callbacks: [{ onEpochEnd: () => void model.evaluate(x, numbers).then(({ loss }) => results.push(loss)) }],
    })
    await model.fit(x, numbers, quiet)
    await model.evaluate(x, numbers)
    expect(results).toHaveLength(3)
    expect(history['loss']).toHaveLength(3)
    expect(yes).toHaveLength(24)
  })
})

describe('files', () => {
  it.each([
    ['function', () => 1],
    ['Float32Array', Float32Array.of(1)],
    ['Map', new Map()],
  ])('refuse a configuration that contains a %s', async (word, value) => {
    class Keeps extends OneDense {
      override getConfig() {
        return { ...super.getConfig(), own: value as never }
      }
    }
    const model = new Keeps()
    await model.predict(x)
    await expect(model.save()).rejects.toThrow(`'own' in a configuration is a ${word}`)
  })

  it('of a layer that was built before it became part of another layer', async () => {
    class Holder extends Layer {
      inner: Dense
      constructor(options: { name?: string; inner?: Dense } = {}) {
        super({ name: options.name ?? 'holder' })
        this.inner = options.inner ?? new Dense({ units: 3, name: 'inner' })
      }
      call(input: Tensor): Tensor {
        return this.inner.apply(input)
      }
    }
    const inner = new Dense({ units: 3, name: 'inner' })
    inner.apply(x)
    const model = new Sequential([new Holder({ inner }), new Dense({ units: 1 })])
    const expected = await model.predict(x)
    const copy = await loadModel(await model.save(), { customObjects: { Holder } })
    expect((await copy.predict(x)).data).toEqual(expected.data)
    const other = new Sequential([new Holder(), new Dense({ units: 1 })])
    other.ensureBuilt([null, 4])
    await other.loadWeights(await model.saveWeights())
    expect((await other.predict(x)).data).toEqual(expected.data)
    await other.loadWeights(await model.save())
    expect((await other.predict(x)).data).toEqual(expected.data)
  })

  it('of a functional class, independent of its source text', async () => {
    class Said extends Model {
      /** Unlike a constructor (which this class does not have). */
      text = 'constructor ()'
    }
    let made = 0
    class Own extends Model {
      constructor(units: number) {
        const [inner, input] = [new Dense({ units, name: 'inner' }), Input({ shape: [4] })]
        super({ inputs: input, outputs: inner.apply(input) })
        made++
      }
    }
    const input = Input({ shape: [4] })
    const said = new Said({ inputs: input, outputs: new Dense({ units: 2 }).apply(input) })
    const copy = await loadModel(await said.save(), { customObjects: { Said } })
    expect(copy).toBeInstanceOf(Said)
    expect((await copy.predict(x)).data).toEqual((await said.predict(x)).data)
    const own = new Own(3)
    expect(own.getConfig()).not.toHaveProperty('calls')
    expect(own.getConfig()).not.toHaveProperty('calls')
    expect(made).toBe(1)
    expect(said.getConfig()).toHaveProperty('calls')
  })

  it('of a functional class with its own getConfig, whether or not it has a constructor', async () => {
    class Tagged extends Model {
      tag = 'new'
      override getConfig(): Config {
        return { ...super.getConfig(), tag: this.tag }
      }
      static override fromConfig({ tag, ...config }: Config, objects?: CustomObjects): never {
        return Object.assign(super.fromConfig(config, objects) as Tagged, { tag }) as never
      }
    }
    class Constructed extends Tagged {
      isConstructed = false
      constructor(options: { inputs: Tensor; outputs: Tensor }) {
        super(options)
        this.isConstructed = true
      }
    }
    const inputs = Input({ shape: [4] })
    const outputs = new Dense({ units: 2 }).apply(inputs)
    for (const Of of [Tagged, Constructed]) {
      const model = Object.assign(new Of({ inputs, outputs }), { tag: 'old' })
      const loaded = await loadModel(await model.save(), { customObjects: { [Of.name]: Of } })
      expect((loaded as Tagged).tag).toBe('old')
      expect((await loaded.predict(x)).data).toEqual((await model.predict(x)).data)
      expect((await cloneModel(model).predict(x)).shape).toEqual([24, 2])
    }
  })

  it('of a class that makes its graph in its constructor, by its own options', async () => {
    class Doubled extends Layer {
      override call(input: Tensor): Tensor {
        return ops.multiply(input, 2)
      }
    }
    let made = 0
    class Own extends Model {
      constructor(_options: object = {}) {
        made++
        const input = Input({ shape: [4] })
        super({ inputs: input, outputs: new Dense({ units: 2, name: 'own' }).apply(new Doubled().apply(input)) })
      }
    }
    const own = new Own()
    expect(own.getConfig()).not.toHaveProperty('calls')
    // Made once by the caller; tried once.
    expect(made).toBe(2)
    const loaded = await loadModel(await own.save(), { customObjects: { Own } })
    expect((await loaded.predict(x)).data).toEqual((await own.predict(x)).data)
  })
})
