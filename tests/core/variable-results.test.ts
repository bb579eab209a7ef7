// Variables where user code returns a result, and where a number is expected.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Dense,
  Input,
  Lambda,
  Layer,
  Loss,
  Metric,
  Model,
  Sequential,
  StateError,
  Variable,
  initializers,
  jit,
  ops,
  tensor,
  type Batch,
  type Tensor,
} from '../../src'

const x = tensor([[1], [2], [3], [4]])
const y = tensor([[2], [4], [6], [8]])

/** What the code of a user in JavaScript returns, without types. */
const asTensor = (variable: Variable): Tensor => variable as never

class Calls extends Metric {
  private readonly count = this.addWeight({ name: 'count', initializer: 'zeros' })

  updateState(): void {
    this.count.assign(ops.add(this.count, 1))
  }

  result(): Tensor {
    return asTensor(this.count)
  }
}

class Sum extends Layer {
  private readonly total = this.addWeight({ name: 'total', shape: [], initializer: 'zeros', trainable: false })

  call(input: Tensor): Tensor {
    this.total.assignAdd(ops.sum(input))
    return asTensor(this.total)
  }
}

describe('a Variable as a result', () => {
  const compiled = (metric: Metric): Sequential => {
    const model = new Sequential([new Dense(1, { inputShape: [1] })])
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [metric] })
    return model
  }

  it('of a metric is its value, in every kind of step', async () => {
    const model = compiled(new Calls({ name: 'calls' }))
    const { history } = await model.fit(x, y, { batchSize: 2, epochs: 2, verbose: 0 })
    expect(history['calls']).toEqual([2, 2])
    expect((await model.evaluate(x, y, { batchSize: 1, verbose: 0 }))['calls']).toBe(4)
    model.resetMetrics()
    expect(model.trainOnBatch(x, y)['calls']).toBe(1)
    expect(model.testOnBatch(x, y)['calls']).toBeGreaterThan(0)
    const metric = new Calls({ name: 'calls' })
    expect(metric.statelessResult([5]).item()).toBe(5)
  })

  it('of anything else than numbers is an error that names the metric', async () => {
    class Other extends Calls {
      override result(): Tensor {
        return 'much' as never
      }
    }
    await expect(compiled(new Other({ name: 'other' })).fit(x, y, { verbose: 0 })).rejects.toThrow(
      /Metric 'other': the result/,
    )
  })

  it('of a layer is its value', () => {
    const layer = new Sum()
    expect(layer.apply(ops.ones([2, 2])).toArray()).toBe(4)
    const kept = layer.apply(ops.ones([2, 2]))
    layer.apply(ops.ones([2, 2]))
    expect(kept.toArray()).toBe(8)
    expect(
      jit((given: Tensor) => new Lambda(() => asTensor(new Variable(tensor([1, 2])))).apply(given))(x).toArray(),
    ).toEqual([1, 2])
    class Pair extends Layer<Tensor, { a: Tensor; b: readonly Tensor[] }> {
      readonly scale = new Variable(tensor([3]))

      call(input: Tensor): { a: Tensor; b: readonly Tensor[] } {
        return { a: input, b: [asTensor(this.scale)] }
      }
    }
    expect(new Pair().apply(x).b[0]!.toArray()).toEqual([3])
    const symbol = Input({ shape: [1] })
    const model = new Model({ inputs: symbol, outputs: new Pair().apply(symbol).b[0]! })
    expect(model.outputShape).toEqual([1])
  })

  it('of a loss, of computeLoss, of a step and of addLoss is its value', async () => {
    const weight = new Variable(tensor([2]), { name: 'own' })
    class Own extends Loss {
      call(): Tensor {
        return asTensor(weight)
      }
    }
    expect(new Own().apply(x, x).item()).toBe(2)
    class Both extends Model<Tensor, Tensor> {
      readonly scale = this.addWeight({ name: 'scale', shape: [], initializer: 'ones' })

      override call(input: Tensor): Tensor {
        this.addLoss(asTensor(this.scale))
        return ops.multiply(input, this.scale)
      }

      override computeLoss(): Tensor {
        return asTensor(this.scale)
      }

      override trainStep(batch: Batch<Tensor, Tensor>): { scale: Tensor } {
        super.trainStep(batch)
        return { scale: asTensor(this.scale) }
      }
    }
    const model = new Both()
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { history } = await model.fit(x, y, { batchSize: 4, epochs: 2, verbose: 0 })
    expect(history['loss']![0]).toBe(1)
    expect(history['scale']![1]).toBeCloseTo(0.98)
  })
})

describe('a new Variable', () => {
  it('has a number, the value of another, or what an initializer gives', () => {
    expect(new Variable(3).value.toArray()).toBe(3)
    expect(new Variable(3, { dtype: 'int32' }).dtype).toBe('int32')
    expect(new Variable(new Variable(tensor([1, 2]))).value.toArray()).toEqual([1, 2])
    expect(new Variable('ones', { shape: [2] }).value.toArray()).toEqual([1, 1])
    expect(new Variable('random_normal' as 'randomNormal', { shape: [2, 3], name: 'w' }).shape).toEqual([2, 3])
    expect(new Variable(new initializers.Constant({ value: 7 }), { shape: [1] }).value.toArray()).toEqual([7])
    expect(new Variable([2, 3]).value.size).toBe(6)
    expect(() => new Variable('zeros')).toThrow('an initializer needs the option shape')
    expect(() => new Variable('nothing', { shape: [1] })).toThrow("Unknown initializer 'nothing'")
    expect(() => new Variable(tensor(1), { shape: [1] })).toThrow('shape is for an initializer')
    expect(() => new Variable({} as never)).toThrow(ArgumentError)
  })
})

describe('a Variable as a number', () => {
  it('is the number of a scalar', () => {
    const model = new Sequential([new Dense(1, { inputShape: [1] })])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    model.trainOnBatch(x, y)
    const { iterations } = model.optimizer
    expect(Number(iterations)).toBe(1)
    expect((iterations as never) > 0).toBe(true)
    expect((iterations as never as number) + 1).toBe(2)
    expect(Number(new Variable(tensor(true)))).toBe(1)
    expect(`${new Variable(tensor([1, 2]), { name: 'w' })}`).toBe('Variable "w" float32 [2]')
  })

  it('is refused for other shapes, and inside a traced function', () => {
    const vector = new Variable(tensor([1]))
    expect(() => Number(vector)).toThrow(ArgumentError)
    expect(() => Number(vector)).toThrow('Operators do not work on tensors')
    const scalar = new Variable(tensor(1))
    expect(() => jit(() => ops.add(Number(scalar), 1))()).toThrow(StateError)
  })
})

describe('the logs of a step', () => {
  it('are what the step returns, without the metrics of the model', async () => {
    class Tracked extends Model<Tensor, Tensor> {
      readonly inner = new Dense(1)
      readonly total = new Calls({ name: 'total_loss' })
      readonly kl = new Calls({ name: 'kl_loss' })

      override call(input: Tensor): Tensor {
        return this.inner.apply(input)
      }

      override trainStep(batch: Batch<Tensor, Tensor>): { loss: Tensor; kl_loss: Tensor } {
        this.forward(batch)
        for (const metric of [this.total, this.kl]) metric.updateState()
        return { loss: this.total.result(), kl_loss: this.kl.result() }
      }
    }
    const model = new Tracked()
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const { history } = await model.fit(x, y, { batchSize: 2, epochs: 2, verbose: 0 })
    expect(history).toEqual({ loss: [2, 2], kl_loss: [2, 2] })
    expect(Object.keys(model.trainOnBatch(x, y))).toEqual(['loss', 'kl_loss'])
  })
})
