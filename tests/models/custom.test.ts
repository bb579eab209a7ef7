// Custom layers, losses and metrics, written only with ops, compared with the built-in ones.
import { describe, expect, it } from 'vitest'
import {
  Callback,
  Dense,
  Dropout,
  Initializer,
  Layer,
  LearningRateSchedule,
  Loss,
  Metric,
  Model,
  Optimizer,
  Regularizer,
  SGD,
  Sequential,
  losses,
  metrics,
  ops,
  setRandomSeed,
  tensor,
  type BatchShape,
  type CallContext,
  type CompileOptions,
  type Tensor,
  type UpdateInput,
  type UpdateResult,
  type Variable,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { binaryModel, samples, weightsOf } from '../helpers/training'

const { x, yes, numbers } = samples(20)

class OwnDense extends Layer {
  private kernel: Variable | null = null
  private bias: Variable | null = null
  constructor(
    private readonly units: number,
    options: { name?: string } = {},
  ) {
    super(options)
  }
  override build(inputShape: BatchShape): void {
    this.kernel = this.addWeight({ name: 'kernel', shape: [inputShape.at(-1)!, this.units] })
    this.bias = this.addWeight({ name: 'bias', shape: [this.units], initializer: 'zeros' })
  }
  call(x: Tensor): Tensor {
    return ops.tanh(ops.add(ops.matmul(x, this.kernel!), this.bias!))
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units]
  }
}

/** A residual block: a layer made of layers. */
class Residual extends Layer {
  private readonly inner = new Dense({ units: 4, activation: 'relu', name: 'inner' })
  private readonly drop = new Dropout({ rate: 0.5, name: 'drop' })
  call(x: Tensor, context: CallContext): Tensor {
    return ops.add(x, this.drop.apply(this.inner.apply(x, context), context))
  }
}

async function trained(middle: () => Layer, loss: NonNullable<CompileOptions['loss']> = 'mse') {
  setRandomSeed(21)
  const model = new Sequential([middle(), new Dense({ units: 1 })])
  model.compile({ optimizer: new SGD({ learningRate: 0.1, momentum: 0.5 }), loss, metrics: ['mae'] })
  const { history } = await model.fit(x, numbers, { epochs: 3, batchSize: 8, verbose: 0 })
  return { weights: weightsOf(model), history, model }
}

describe('layers', () => {
  it('a custom Dense trains like the built-in one', async () => {
    const own = await trained(() => new OwnDense(5))
    const builtIn = await trained(() => new Dense({ units: 5, activation: 'tanh' }))
    own.weights.forEach((weight, i) => expectNear(weight, builtIn.weights[i]!, `weights ${i}`, 1e-6))
    expectNear(own.history['loss']!, builtIn.history['loss']!, 'loss', 1e-6)
    expect(own.model.layers[0]!.countParams()).toBe(25)
  })

  it('a layer of layers has their weights and their state', async () => {
    const { model } = await trained(() => new Residual({ name: 'block' }))
    expect(model.weights.map(({ name }) => name)).toEqual([
      'block/inner/kernel',
      'block/inner/bias',
      expect.stringMatching(/kernel/),
      expect.stringMatching(/bias/),
    ])
    expect(model.stateVariables).toHaveLength(1)
    const before = weightsOf(model)
    await model.fit(x, numbers, { verbose: 0 })
    expect(weightsOf(model)[0]).not.toEqual(before[0])
  })

  it('a non-trainable weight changes only if the layer assigns it', async () => {
    class Counter extends Layer {
      private fixed: Variable | null = null
      private calls: Variable | null = null
      override build(): void {
        this.fixed = this.addWeight({ name: 'fixed', shape: [], initializer: 'ones', trainable: false })
        this.calls = this.addWeight({ name: 'calls', shape: [], initializer: 'zeros', trainable: false })
      }
      call(x: Tensor, { training }: CallContext): Tensor {
        if (training) this.calls!.assign(ops.add(this.calls!.value, 1))
        return ops.multiply(x, this.fixed!)
      }
    }
    const { model } = await trained(() => new Counter())
    await model.evaluate(x, numbers)
    expect(weightsOf(model).slice(0, 2)).toEqual([[1], [9]])
    expect(model.layers[0]!.nonTrainableWeights).toHaveLength(2)
    expect(model.layers[0]!.trainableWeights).toEqual([])
  })

  it('addLoss adds to the loss', async () => {
    class Costly extends Layer {
      call(x: Tensor, context: CallContext): Tensor {
        context.addLoss(ops.full([], 2))
        return x
      }
    }
    const plain = binaryModel()
    const layers = plain.layers
    const costly = new Sequential([...layers, new Costly()])
    costly.compile({ loss: 'binaryCrossentropy' })
    expectNear([costly.testOnBatch(x, yes).loss], [plain.testOnBatch(x, yes).loss + 2], 'loss')
  })

  it('receive the training flag in call', async () => {
    class Doubling extends Layer {
      call(x: Tensor, { training }: CallContext): Tensor {
        return training ? ops.multiply(x, 2) : x
      }
    }
    const model = new Sequential([new Doubling(), new Dense({ units: 1, kernelInitializer: 'ones' })])
    model.compile({ loss: 'mse', optimizer: new SGD({ learningRate: 0 }) })
    expect(model.trainOnBatch([[1]], [[0]]).loss).toBe(4)
    expect(model.testOnBatch([[1]], [[0]]).loss).toBe(1)
    expect(model.predictOnBatch([[1]]).item()).toBe(1)
  })

  it('can be called on concrete data', () => {
    const layer = new OwnDense(2)
    expect(layer.apply([[1, 2, 3]]).shape).toEqual([1, 2])
    expect(layer.getWeights().map(({ shape }) => shape)).toEqual([[3, 2], [2]])
  })
})

describe('losses', () => {
  const squared = (yTrue: Tensor, yPred: Tensor): Tensor =>
    ops.mean(ops.square(ops.subtract(yTrue, yPred)), { axis: -1 })
  class Squared extends Loss {
    call(yTrue: Tensor, yPred: Tensor): Tensor {
      return squared(yTrue, yPred)
    }
  }

  it.each<[string, () => Parameters<typeof trained>[1]]>([
    ['function', () => squared],
    ['subclass', () => new Squared()],
  ])('a %s trains like the built-in one', async (_title, loss) => {
    const own = await trained(() => new Dense({ units: 5 }), loss())
    const builtIn = await trained(() => new Dense({ units: 5 }))
    own.weights.forEach((weight, i) => expectNear(weight, builtIn.weights[i]!, `weights ${i}`, 1e-6))
    expectNear(own.history['loss']!, builtIn.history['loss']!, 'loss', 1e-6)
  })

  it('a function may return a scalar', () => {
    const model = binaryModel()
    model.compile({ loss: (yTrue, yPred) => ops.mean(ops.abs(ops.subtract(yTrue, yPred))), metrics: ['mae'] })
    const { loss, mae } = model.trainOnBatch(x, yes)
    expectNear([loss], [mae!], 'loss')
  })

  it('apply sample weights', () => {
    const model = binaryModel()
    model.compile({ loss: squared })
    const weighted = model.testOnBatch(x, yes, { sampleWeight: x.map((_, i) => (i < 10 ? 2 : 0)) })
    expectNear([weighted.loss], [model.testOnBatch(x.slice(0, 10), yes.slice(0, 10)).loss], 'loss')
  })
})

describe('metrics', () => {
  class Worst extends Metric {
    private readonly worst = this.addVariable('worst')
    updateState(yTrue: Tensor, yPred: Tensor): void {
      this.worst.assign(ops.maximum(this.worst.value, ops.max(ops.abs(ops.subtract(yTrue, yPred)))))
    }
    result(): Tensor {
      return this.worst.value
    }
  }
  const offBy = (yTrue: Tensor, yPred: Tensor): Tensor => ops.abs(ops.subtract(yTrue, yPred))

  it('a function is averaged like the built-in one, a subclass keeps its own state', async () => {
    setRandomSeed(1)
    const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    model.compile({
      loss: 'mse',
      optimizer: 'sgd',
      metrics: [offBy, 'mae', new Worst({ name: 'worst' })],
      weightedMetrics: [offBy],
    })
    const { history } = await model.fit(x, numbers, {
      epochs: 2,
      batchSize: 8,
      validationData: [x, numbers],
      verbose: 0,
    })
    expectNear(history['offBy']!, history['mae']!, 'offBy')
    expectNear(history['weightedOffBy']!, history['mae']!, 'weightedOffBy')
    const predictions = (await model.predict(x)).data
    expectNear(
      [history['valWorst']![1]!],
      [Math.max(...numbers.map(([y], i) => Math.abs(y! - predictions[i]!)))],
      'valWorst',
    )
  })

  it('resetState starts again', () => {
    const metric = new Worst()
    metric.updateState(ops.zeros([2]), ops.full([2], 5))
    expect(metric.result().item()).toBe(5)
    metric.resetState()
    expect(metric.result().item()).toBe(0)
  })

  it('MeanMetricWrapper averages a function', () => {
    const metric = new metrics.MeanMetricWrapper(offBy, { name: 'off' })
    metric.updateState(ops.zeros([2]), tensor([1, 3]))
    metric.updateState(ops.zeros([1]), tensor([8]))
    expect(metric.result().item()).toBe(4)
    expect(metric.name).toBe('off')
  })

  it('two with the same name are distinguished', () => {
    const model = binaryModel()
    model.compile({ loss: 'mse', metrics: ['mae', 'mae', new metrics.MeanAbsoluteError({ name: 'mae' })] })
    expect(Object.keys(model.testOnBatch(x, yes))).toEqual(['loss', 'mae', 'mae_1', 'mae_2'])
  })
})

describe('other classes', () => {
  it('an optimizer', async () => {
    class SignDescent extends Optimizer {
      constructor() {
        super({ learningRate: 0.125 })
      }
      protected declareSlots(): readonly string[] {
        return ['steps']
      }
      protected update({ parameters, gradient, learningRate, slots }: UpdateInput): UpdateResult {
        return {
          parameters: ops.subtract(parameters, ops.multiply(ops.sign(gradient), learningRate)),
          slots: [ops.add(slots[0]!, ops.abs(ops.sign(gradient)))],
        }
      }
    }
    const model = new Sequential([new Dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })])
    model.compile({ loss: 'mse', optimizer: new SignDescent() })
    expect(model).toBeInstanceOf(Model)
    for (let i = 0; i < 3; i++) model.trainOnBatch([[1, -1]], [[9]])
    expect(weightsOf(model)).toEqual([[0.375, -0.375], [0.375]])
    expect(model.optimizer.variables.slice(2).map(({ value }) => value.toArray())).toEqual([[[3], [3]], [3]])
  })

  it('an initializer and a regularizer', () => {
    class Threes extends Initializer {
      call(shape: readonly number[]): Tensor {
        return ops.full(shape, 3)
      }
      override getConfig() {
        return {}
      }
    }
    class SumOf extends Regularizer {
      call(weight: Tensor): Tensor {
        return ops.sum(weight)
      }
      override getConfig() {
        return {}
      }
    }
    const model = new Sequential([
      new Dense({
        units: 1,
        inputShape: [2],
        kernelInitializer: new Threes(),
        kernelRegularizer: new SumOf(),
        useBias: false,
      }),
    ])
    model.compile({ loss: 'mse', optimizer: new SGD({ learningRate: 1 }) })
    expect(model.trainOnBatch([[0, 0]], [[0]]).loss).toBe(6)
    expect(weightsOf(model)).toEqual([[2, 2]])
  })

  it('a schedule', () => {
    class Doubling extends LearningRateSchedule {
      call(step: Tensor): Tensor {
        return ops.multiply(ops.power(2, ops.cast(step, 'float32')), 0.125)
      }
      override getConfig() {
        return {}
      }
    }
    const model = new Sequential([new Dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros', useBias: false })])
    // d mean|ŷ − y| / d kernel = −1 as long as the prediction is too small.
    model.compile({ loss: new losses.MeanAbsoluteError(), optimizer: new SGD({ learningRate: new Doubling() }) })
    const rates = [0, 1, 2].map(() => {
      const rate = model.optimizer.learningRate
      model.trainOnBatch([[1]], [[100]])
      return rate
    })
    expect(rates).toEqual([0.125, 0.25, 0.5])
    expectNear(weightsOf(model)[0]!, [0.875], 'kernel', 1e-6)
  })

  it('a callback that changes the learning rate', async () => {
    class Halve extends Callback {
      override onEpochEnd(): void {
        this.model.optimizer.learningRate /= 2
      }
    }
    const model = binaryModel({ optimizer: new SGD({ learningRate: 0.5 }) })
    await model.fit(x, yes, { epochs: 3, verbose: 0, callbacks: [new Halve()] })
    expect(model.optimizer.learningRate).toBe(0.0625)
  })
})
