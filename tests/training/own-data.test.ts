// Custom steps in a functional model take data that the graph does not: records, batches without targets, further
// inputs.
import { describe, expect, it } from 'vitest'
import {
  Dense,
  Embedding,
  Input,
  Model,
  SGD,
  Sequential,
  ops,
  tensor,
  type Batch,
  type StepLogs,
  type Tensor,
} from '../../src'

const rows = (n: number, width = 2): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: width }, (_, j) => Math.sin(i + 3 * j)))

type Step<In> = (this: Model<Tensor, Tensor>, batch: Batch<In, Tensor>) => StepLogs

/** A functional model with the given steps. */
function own<In>(train: Step<In>, test: Step<In> | null = null): Model<Tensor, Tensor> {
  class Own extends Model<Tensor, Tensor> {
    override trainStep(batch: Batch<Tensor, Tensor>): StepLogs {
      return train.call(this, batch as never)
    }
  }
  class OwnTest extends Own {
    override testStep(batch: Batch<Tensor, Tensor>): StepLogs | void {
      return test?.call(this, batch as never)
    }
  }
  const x = Input({ shape: [2] })
  const model = new (test === null ? Own : OwnTest)({ inputs: x, outputs: new Dense({ units: 1 }).apply(x) })
  model.compile({ optimizer: new SGD({ learningRate: 0.1 }), loss: 'mse' })
  return model
}

function descend(model: Model<Tensor, Tensor>, loss: Tensor): StepLogs {
  const weights = model.trainableWeights
  model.optimizer.apply(model.gradients(loss, weights), weights)
  return { own: loss }
}

interface Pair {
  readonly left: Tensor
  readonly right: Tensor
}
const distance = (model: Model<Tensor, Tensor>, { left, right }: Pair): Tensor =>
  ops.mean(ops.square(ops.subtract(model.apply(left), ops.add(model.apply(right), 1))))
const contrastive: Step<Pair> = function ({ x }) {
  return descend(this, distance(this, x))
}
const contrasted: Step<Pair> = function ({ x }) {
  return { own: distance(this, x) }
}
const pair = { left: rows(8), right: rows(8).reverse() }

describe('a functional model with custom steps', () => {
  it('trains and evaluates on records that its steps read', async () => {
    const model = own(contrastive, contrasted)
    const before = (await model.evaluate(pair as never))['own']!
    const { history } = await model.fit(pair as never, null, {
      epochs: 3,
      batchSize: 4,
      validationBatchSize: 8,
      verbose: 0,
      validationData: [pair as never, null as never],
    })
    expect(history['own']).toHaveLength(3)
    expect(history['valOwn']!.at(-1)).toBeCloseTo((await model.evaluate(pair as never))['own']!, 5)
    expect(history['valOwn']!.at(-1)).toBeLessThan(before)
    expect(Object.keys(model.trainOnBatch(pair as never))).toContain('own')
    expect(Object.keys(model.testOnBatch(pair as never))).toContain('own')
    expect((await model.predict(rows(3))).shape).toEqual([3, 1])
  })

  it('takes such records as batches', async () => {
    const model = own(contrastive, contrasted)
    const batches = function* (): Generator<unknown> {
      yield { left: rows(4), right: rows(4) }
      yield { left: rows(4), right: rows(4) }
    }
    const { history } = await model.fit(batches as never, { verbose: 0, epochs: 2, validationData: batches as never })
    expect(history['valOwn']).toHaveLength(2)
    expect(Object.keys(await model.evaluate(batches as never))).toContain('own')
  })

  it('takes lists, other shapes, and no targets', async () => {
    const list = own<readonly Tensor[]>(function ({ x: [a, b], y }) {
      expect(y).toBeNull()
      return descend(this, ops.mean(ops.square(this.apply(ops.add(a!, b!)))))
    })
    await list.fit([tensor(rows(8)), tensor(rows(8))] as never, { verbose: 0 })
    const halves = own<Tensor>(function ({ x, y }) {
      expect(y).toBeNull()
      const [a, b] = ops.split(x, 2, 1)
      return descend(this, ops.mean(ops.square(ops.subtract(this.apply(a!), this.apply(b!)))))
    })
    await halves.fit(rows(8, 4), { verbose: 0 })
    expect(halves.trainOnBatch(rows(8, 4))['own']).toBeGreaterThan(0)
  })

  it('takes targets that are not outputs', async () => {
    const model = own<Tensor>(function ({ x, y }) {
      const { up, down } = y as unknown as Record<string, Tensor>
      const p = this.apply(x)
      return descend(this, ops.mean(ops.square(ops.subtract(p, ops.subtract(up!, down!)))))
    })
    await model.fit(rows(4), { up: rows(4, 1), down: rows(4, 1) } as never, { verbose: 0 })
  })

  it('converts data that fit the graph', async () => {
    const seen: unknown[] = []
    class Own extends Model<Tensor, Tensor> {
      override trainStep({ x }: Batch<Tensor, Tensor>): StepLogs {
        seen.push([x.dtype, x.shape])
        return descend(this, ops.mean(ops.square(this.apply(x))))
      }
    }
    const ids = Input({ shape: [3], dtype: 'int32', name: 'ids' })
    const model = new Own({ inputs: ids, outputs: new Embedding({ inputDim: 4, outputDim: 1 }).apply(ids) })
    model.compile({ optimizer: 'sgd' })
    for (const x of [[[1, 2, 3]], { ids: [[1, 2, 3]] }, [tensor([[1, 2, 3]])]]) model.trainOnBatch(x as never)
    expect(seen).toEqual(seen.map(() => ['int32', [1, 3]]))
    expect(() => model.trainOnBatch([[1, 2, 9]])).toThrow('the indices must be in 0 … 3, received 9')
  })

  it('follows the graph for evaluate if testStep is the built-in one, and for predict always', async () => {
    const model = own(contrastive)
    await model.fit(pair as never, null, { verbose: 0 })
    await expect(model.evaluate(pair as never, rows(8, 1))).rejects.toThrow("'left' is not one of them")
    await expect(own(contrastive, contrasted).predict(pair as never)).rejects.toThrow("'left' is not one of them")
    await expect(model.predict(rows(2, 5))).rejects.toThrow('the input must be [batch, 2], received [2, 5]')
  })

  it('lets layers report inputs they cannot take', () => {
    const model = own<Tensor>(function ({ x }) {
      return descend(this, ops.mean(this.apply(x)))
    })
    expect(() => model.trainOnBatch(rows(2, 5))).toThrow(/must be 2, received \[2, 5\]/)
  })

  it('also for Sequential', async () => {
    class Own extends Sequential {
      override trainStep({ x }: Batch<Tensor, Tensor>): StepLogs {
        const { left, right } = x as unknown as Pair
        return descend(this, ops.mean(ops.square(ops.subtract(this.apply(left), this.apply(right)))))
      }
    }
    const model = new Own([new Dense({ units: 1, inputShape: [2] })])
    model.compile({ optimizer: 'sgd' })
    const { history } = await model.fit(pair as never, { verbose: 0 })
    expect(history['own']).toHaveLength(1)
  })
})
