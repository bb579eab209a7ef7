// Small versions of programs that people port from Keras: generative models, custom loops and steps, models rewired from
// their layers.
// modes: simd
import { expect, it } from 'vitest'
import {
  Adam,
  Dense,
  EarlyStopping,
  GRU,
  Input,
  Model,
  ModelCheckpoint,
  SeedGenerator,
  Sequential,
  jit,
  losses,
  metrics,
  ops,
  random,
  setRandomSeed,
  tensor,
  valueAndGrad,
  type Batch,
  type Layer,
  type StepLogs,
  type Tensor,
} from '../../src'
import { weightsOf } from '../helpers/training'

it('a GAN freezes the discriminator after compile, for the generator alone', () => {
  setRandomSeed(1)
  const discriminator = new Sequential([new Dense({ units: 4, activation: 'relu', inputShape: [2] }), new Dense(1)])
  discriminator.compile({ optimizer: 'adam', loss: 'mse' })
  discriminator.trainable = false
  const generator = new Sequential([new Dense({ units: 2, inputShape: [3] })])
  const noise = Input({ shape: [3] })
  const both = new Model({ inputs: noise, outputs: discriminator.apply(generator.apply(noise)) })
  both.compile({ optimizer: 'adam', loss: 'mse' })
  const before = [weightsOf(discriminator), weightsOf(generator)]
  both.trainOnBatch(ops.ones([4, 3]), ops.ones([4, 1]))
  expect(weightsOf(discriminator)).toEqual(before[0])
  expect(weightsOf(generator)).not.toEqual(before[1])
})

it('a sequence model is rewired from model.layers into an encoder', () => {
  const x = Input({ shape: [3, 2] })
  const [output, state] = new GRU({ units: 4, returnState: true }).applyWithState(x)
  const model = new Model({ inputs: x, outputs: new Dense(1).apply(output) })
  const encoder = new Model({ inputs: model.inputs[0]!, outputs: state! })
  const gru = model.layers[1] as Layer
  expect(gru).toBeInstanceOf(GRU)
  const again = Input({ shape: [3, 2] })
  const rewired = new Model({ inputs: again, outputs: (gru.apply(again) as unknown as readonly Tensor[])[1]! })
  const data = tensor([
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ])
  expect(rewired.predictOnBatch(data).toArray()).toEqual(encoder.predictOnBatch(data).toArray())
})

it('EarlyStopping monitors a custom metric with an underscore', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [new metrics.MeanAbsoluteError({ name: 'my_error' })] })
  const stop = new EarlyStopping({ monitor: 'val_my_error', minDelta: 1e6, patience: 1, mode: 'min' })
  const { history } = await model.fit([[1], [2]], [[1], [2]], {
    epochs: 9,
    verbose: 0,
    validationData: [[[3]], [[3]]],
    callbacks: [stop],
  })
  expect(history['my_error']).toHaveLength(2)
})

/** The data of these programs: sines of rising frequency. */
const waves = (rows: number, columns: number): Tensor =>
  ops.sin(ops.reshape(ops.multiply(ops.arange(0, rows * columns, 1, 'float32'), 0.7), [rows, columns]))

class Autoencoder extends Model {
  readonly encoder = new Dense({ units: 4 })
  readonly decoder = new Dense({ units: 6 })
  readonly total = new metrics.Mean({ name: 'total_loss' })
  readonly kl = new metrics.Mean({ name: 'kl_loss' })
  private readonly seeds = new SeedGenerator(3)

  override get metrics() {
    return [this.total, this.kl]
  }

  private parts(x: Tensor): [reconstruction: Tensor, kl: Tensor] {
    const [mean, logVariance] = ops.split(this.encoder.apply(x), 2, -1) as [Tensor, Tensor]
    const noise = random.normal(mean.shape, { seed: this.seeds })
    const z = ops.add(mean, ops.multiply(ops.exp(ops.multiply(logVariance, 0.5)), noise))
    // −½ Σ (1 + ln σ² − μ² − σ²)
    const each = ops.subtract(ops.add(logVariance, 1), ops.add(ops.square(mean), ops.exp(logVariance)))
    return [this.decoder.apply(z), ops.multiply(ops.mean(ops.sum(each, -1)), -0.5)]
  }

  override call(x: Tensor): Tensor {
    return this.parts(x)[0]
  }

  private lossOf(x: Tensor): Tensor {
    const [reconstruction, kl] = this.parts(x)
    const loss = ops.add(ops.mean(losses.meanSquaredError(x, reconstruction)), ops.multiply(kl, 0.01))
    this.total.update(loss)
    this.kl.update(kl)
    return loss
  }

  override trainStep({ x }: Batch<Tensor, Tensor>): void {
    const weights = this.trainableWeights
    this.optimizer.apply(this.gradients(this.lossOf(x), weights), weights)
  }

  override testStep({ x }: Batch<Tensor, Tensor>): void {
    this.lossOf(x)
  }
}

it('a variational autoencoder has a custom step and trackers, which callbacks monitor', async () => {
  setRandomSeed(2)
  const model = new Autoencoder()
  model.compile({ optimizer: new Adam({ learningRate: 0.02 }) })
  const x = waves(32, 6)
  const saved: string[] = []
  const checkpoint = new ModelCheckpoint({
    filepath: 'at-{val_kl_loss:.3f}',
    monitor: 'val_total_loss',
    mode: 'min',
    saveBestOnly: true,
    saveWeightsOnly: true,
    onSave: (_bytes, name) => void saved.push(name),
  })
  const stop = new EarlyStopping({ monitor: 'val_kl_loss', mode: 'min', patience: 2, minDelta: 1e6 })
  const { history } = await model.fit(x, {
    epochs: 9,
    batchSize: 8,
    verbose: 0,
    validationData: [x],
    callbacks: [checkpoint, stop],
  } as never)
  expect(Object.keys(history).sort()).toEqual(['kl_loss', 'total_loss', 'val_kl_loss', 'val_total_loss'])
  expect(history['kl_loss']).toHaveLength(3)
  expect(history['total_loss']!.at(-1)).toBeLessThan(history['total_loss']![0]!)
  expect(saved[0]).toBe(`at-${history['val_kl_loss']![0]!.toFixed(3)}`)
})

it('actor and critic share layers and learn in a custom loop', () => {
  setRandomSeed(4)
  const state = Input({ shape: [2] })
  const body = new Dense({ units: 8, activation: 'tanh' }).apply(state)
  const agent = new Model<Tensor, { action: Tensor; value: Tensor }>({
    inputs: state,
    outputs: { action: new Dense({ units: 2, activation: 'softmax' }).apply(body), value: new Dense(1).apply(body) },
  })
  const optimizer = new Adam({ learningRate: 0.05 })
  const huber = new losses.Huber({ reduction: 'sum' })
  /** Action 1 is right where the first number is positive. */
  const step = jit((states: Tensor, actions: Tensor, rewards: Tensor) => {
    const weights = agent.trainableWeights
    const lossAndGradients = valueAndGrad(
      (..._weights: Tensor[]) => {
        const { action, value } = agent.apply(states)
        const values = ops.squeeze(value, -1)
        const advantage = ops.stopGradient(ops.subtract(rewards, values))
        const chosen = ops.sum(ops.multiply(action, ops.oneHot(actions, 2)), -1)
        const actor = ops.negative(ops.sum(ops.multiply(ops.log(chosen), advantage)))
        return ops.add(actor, huber.apply(rewards, values))
      },
      { argnums: weights.map((_, i) => i) },
    )
    const [loss, gradients] = lossAndGradients(...(weights as never[])) as readonly [Tensor, readonly Tensor[]]
    optimizer.apply(gradients, weights)
    return loss
  })
  const states = waves(16, 2)
  const right = Array.from({ length: 16 }, (_, i) => Number(states.data[2 * i]! > 0))
  const policy = () => agent.predictOnBatch(states).action.toArray<number[][]>()
  const share = () => policy().reduce((sum, row, i) => sum + row[right[i]!]!, 0) / 16
  const before = share()
  for (let episode = 0; episode < 60; episode++) {
    const actions = policy().map((row, i) => Number(((episode * 7 + i * 5) % 16) / 16 < row[1]!))
    step(states, tensor(actions, [16], 'int32'), tensor(actions.map((action, i) => Number(action === right[i]))))
  }
  expect(before).toBeLessThan(0.7)
  expect(share()).toBeGreaterThan(0.9)
})

class Student extends Model {
  readonly inner = new Dense({ units: 3 })

  constructor(private readonly teacher: Model) {
    super()
    teacher.trainable = false
  }

  override call(x: Tensor): Tensor {
    return this.inner.apply(x)
  }

  override computeLoss(x: Tensor, y: Tensor | null, yPred: Tensor, sampleWeight: Tensor | null = null): Tensor {
    const soft = ops.softmax(ops.divide(this.teacher.apply(x), 3))
    const distilled = ops.mean(losses.klDivergence(soft, ops.softmax(ops.divide(yPred, 3))))
    return ops.add(ops.multiply(super.computeLoss(x, y, yPred, sampleWeight), 0.1), ops.multiply(distilled, 9))
  }

  override trainStep({ x, y, sampleWeight }: Batch<Tensor, Tensor>): StepLogs {
    const yPred = this.apply(x, { training: true })
    const loss = this.computeLoss(x, y as Tensor, yPred, sampleWeight as Tensor | null)
    const weights = this.inner.trainableWeights
    this.optimizer.apply(this.gradients(loss, weights), weights)
    this.computeMetrics(x, y as Tensor, yPred)
    return { distillation: loss }
  }
}

it('a student learns from a teacher, with metrics of compile in a custom step', async () => {
  setRandomSeed(5)
  const teacher = new Sequential([new Dense({ units: 3, inputShape: [4] })])
  const student = new Student(teacher)
  student.compile({
    optimizer: new Adam({ learningRate: 0.05 }),
    loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ['sparseCategoricalAccuracy'],
  })
  expect(student.metrics.map(({ name }) => name)).toContain('sparseCategoricalAccuracy')
  const x = waves(24, 4)
  const y = ops.argmax(teacher.predictOnBatch(x), -1)
  const before = weightsOf(teacher)
  const { history } = await student.fit(x, y, { epochs: 30, batchSize: 8, verbose: 0 })
  expect(Object.keys(history)).toEqual(expect.arrayContaining(['sparseCategoricalAccuracy', 'distillation']))
  expect(history['sparseCategoricalAccuracy']!.at(-1)).toBeGreaterThan(0.9)
  expect(history['distillation']!.at(-1)).toBeLessThan(history['distillation']![0]! / 2)
  expect(weightsOf(teacher)).toEqual(before)
})

class Listing extends Model {
  readonly inner = new Dense({ units: 1 })

  override call(x: Tensor): Tensor {
    return this.inner.apply(x)
  }

  override trainStep({ x, y }: Batch<Tensor, Tensor>): void {
    const yPred = this.apply(x, { training: true })
    const loss = this.computeLoss(x, y as Tensor, yPred)
    this.optimizer.apply(this.gradients(loss, this.trainableWeights), this.trainableWeights)
    for (const metric of this.metrics)
      if (metric.name === 'loss') (metric as metrics.Mean).update(loss)
      else metric.apply(y as Tensor, yPred)
  }
}

it('a custom step updates each of model.metrics', async () => {
  const [own, plain] = [new Listing(), new Sequential([new Dense({ units: 1, inputShape: [2] })])]
  for (const each of [own, plain])
    each.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'], weightedMetrics: ['mape'] })
  expect(own.metrics.map(({ name }) => name)).toEqual(['loss', 'mae', 'mape'])
  const [x, y] = [waves(8, 2), waves(8, 1)]
  own.predictOnBatch(x)
  own.setWeights(plain.getWeights())
  const options = { epochs: 2, batchSize: 4, verbose: 0, shuffle: false } as const
  const [first, second] = [await own.fit(x, y, options), await plain.fit(x, y, options)]
  expect(first.history).toEqual(second.history)
})

it('metrics of compile are listed before the first batch, and stay the same objects', () => {
  const mae = new metrics.MeanAbsoluteError()
  const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [mae, 'mse', 'accuracy'] })
  const before = model.metrics
  expect(before.map(({ name }) => name)).toEqual(['loss', 'meanAbsoluteError', 'mse'])
  expect(before[1]).toBe(mae)
  model.testOnBatch([[1, 2]], [[1]])
  expect(model.metrics.map(({ name }) => name)).toEqual(['loss', 'meanAbsoluteError', 'mse', 'accuracy'])
  expect(model.metrics[2]).toBe(before[2])
  const x = Input({ shape: [2] })
  const two = new Model({
    inputs: x,
    outputs: [new Dense({ units: 1, name: 'a' }).apply(x), new Dense({ units: 1, name: 'b' }).apply(x)],
  })
  two.compile({ optimizer: 'sgd', loss: 'mse', metrics: { b: ['mae'] } })
  expect(two.metrics.map(({ name }) => name)).toEqual(['loss', 'mae'])
})
