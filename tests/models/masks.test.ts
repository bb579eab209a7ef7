// Masks through whole models: from their origin, through layers and nested models, to losses and metrics.
// layers/contract.test.ts tests how each layer treats a mask; training/functional.golden.test.ts has the numbers of
// Keras.
// modes: simd, interpreter
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  Activation,
  ActivityRegularization,
  Add,
  Average,
  Concatenate,
  Dense,
  Dot,
  Dropout,
  ELU,
  EinsumDense,
  Embedding,
  Flatten,
  Identity,
  Input,
  Lambda,
  Layer,
  LeakyReLU,
  Masking,
  Maximum,
  Minimum,
  Model,
  Multiply,
  PReLU,
  Permute,
  ReLU,
  RepeatVector,
  Reshape,
  SGD,
  Sequential,
  Softmax,
  Subtract,
  maskOf,
  ops,
  setRandomSeed,
  tensor,
  type BatchShape,
  type CallContext,
  type Tensor,
} from '../../src'
import { expectNear } from '../helpers/golden'
import { weightsOf } from '../helpers/training'

const STEPS = 4
const ids = [
  [1, 2, 0, 0],
  [3, 0, 2, 1],
  [2, 1, 1, 0],
]
const counts = ids.map((row) => row.map((id) => Number(id !== 0)))
const none = ids.map((row) => row.map(() => -1))

/** Returns the mask of its input as numbers; −1 everywhere without a mask. */
class ShowMask extends Layer {
  override readonly supportsMasking = true
  call(x: Tensor, { mask }: CallContext): Tensor {
    return mask === null ? ops.full(x.shape.slice(0, 2), -1) : ops.cast(mask as Tensor, 'float32')
  }
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape.slice(0, 2)
  }
}

const words = (outputDim = 3) => new Embedding({ inputDim: 4, outputDim, maskZero: true })
const sequence = () => Input({ shape: [STEPS], dtype: 'int32' })

/** The output of ShowMask at the end of a functional model, in predict, and of the same layers called at once. */
function shown(between: (x: Tensor, start: Tensor) => Tensor): number[][] {
  const x = sequence()
  const model = new Model({ inputs: x, outputs: new ShowMask().apply(between(words().apply(x), x)) })
  return model.predictOnBatch(tensor(ids)).toArray() as number[][]
}

const warnings = () => vi.spyOn(console, 'warn').mockImplementation(() => {})
afterEach(() => vi.restoreAllMocks())

describe('a mask starts', () => {
  it('at an Embedding with maskZero, and at no other', () => {
    expect(shown((x) => x)).toEqual(counts)
    expect(shown((_, start) => new Embedding({ inputDim: 4, outputDim: 2 }).apply(start))).toEqual(none)
  })

  it('at Masking, which sets masked steps to 0', () => {
    const data = [
      [
        [1, 0],
        [7, 7],
        [7, 0],
      ],
      [
        [7, 7],
        [7, 7],
        [0, 2],
      ],
    ]
    const masking = new Masking({ maskValue: 7 })
    const masked = masking.apply(data)
    expect(maskOf(masked)!.toArray()).toEqual([
      [true, false, true],
      [false, false, true],
    ])
    expect(masked.toArray()).toEqual([
      [
        [1, 0],
        [0, 0],
        [7, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 2],
      ],
    ])
    const x = Input({ shape: [3, 2] })
    const model = new Model({
      inputs: x,
      outputs: new ShowMask().apply(new Dense({ units: 2 }).apply(masking.apply(x))),
    })
    expect(model.predictOnBatch(data).toArray()).toEqual([
      [1, 0, 1],
      [0, 0, 1],
    ])
  })
})

describe('a mask continues', () => {
  const sameMask = (_x: Tensor, mask: unknown) => mask as Tensor
  it.each<[string, () => Layer]>([
    ['Dense', () => new Dense({ units: 2, activation: 'relu' })],
    ['Activation', () => new Activation('tanh')],
    ['Dropout', () => new Dropout(0.5)],
    ['ActivityRegularization', () => new ActivityRegularization({ l1: 0.1 })],
    ['Identity', () => new Identity()],
    ['ReLU', () => new ReLU()],
    ['LeakyReLU', () => new LeakyReLU()],
    ['ELU', () => new ELU()],
    ['PReLU', () => new PReLU({ sharedAxes: [1] })],
    ['Lambda that declares it', () => new Lambda({ function: (x) => ops.multiply(x, 2), mask: sameMask })],
    ['Sequential', () => new Sequential([new Dense({ units: 2 }), new ReLU()])],
  ])('through %s', (_title, make) => {
    const warn = warnings()
    expect(shown((x) => make().apply(x))).toEqual(counts)
    const embedded = words().apply(tensor(ids, [3, STEPS], 'int32'))
    expect(maskOf(make().apply(embedded))!.toArray()).toEqual(counts.map((row) => row.map(Boolean)))
    expect(warn).not.toHaveBeenCalled()
  })

  it.each<[string, () => Layer<readonly Tensor[]>]>([
    ['Add', () => new Add()],
    ['Subtract', () => new Subtract()],
    ['Multiply', () => new Multiply()],
    ['Average', () => new Average()],
    ['Maximum', () => new Maximum()],
    ['Minimum', () => new Minimum()],
    ['Concatenate', () => new Concatenate()],
  ])('through %s', (_title, make) => {
    expect(shown((x) => make().apply([x, new Dense({ units: 3 }).apply(x)]))).toEqual(counts)
  })

  it('after a merging layer if every input has one', () => {
    expect(
      shown((x, start) => new Add().apply([x, new Embedding({ inputDim: 4, outputDim: 3 }).apply(start)])),
    ).toEqual(none)
    // A step that counts in any of them counts.
    const other = (start: Tensor) => words().apply(ops.subtract(start, 1))
    const either = ids.map((row) => row.map((id) => Number(id !== 0 || id - 1 !== 0)))
    expect(shown((x, start) => new Add().apply([x, other(start)]))).toEqual(either)
  })

  it('along the concatenated axis', () => {
    const x = sequence()
    const embedding = words()
    const model = new Model({
      inputs: x,
      outputs: new ShowMask().apply(new Concatenate({ axis: 1 }).apply([embedding.apply(x), embedding.apply(x)])),
    })
    expect(model.predictOnBatch(tensor(ids)).toArray()).toEqual(counts.map((row) => [...row, ...row]))
  })
})

describe('a mask ends', () => {
  it.each<[string, () => Layer]>([
    ['Flatten', () => new Flatten()],
    ['Reshape', () => new Reshape([2, 6])],
    ['Permute', () => new Permute([2, 1])],
    ['EinsumDense', () => new EinsumDense({ equation: 'abc,cd->abd', outputShape: [null, 2] })],
    [
      'a custom layer',
      () =>
        new (class Plain extends Layer {
          call(x: Tensor): Tensor {
            return ops.square(x)
          }
        })(),
    ],
    ['Lambda', () => new Lambda((x) => ops.square(x))],
  ])('at %s, with one warning that names it', (_title, make) => {
    const warn = warnings()
    const layer = make()
    const embedded = words().apply(tensor(ids, [3, STEPS], 'int32'))
    expect(maskOf(layer.apply(embedded))).toBeNull()
    expect(maskOf(layer.apply(embedded))).toBeNull()
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]![0]).toBe(
      `${layer}: its input has a mask, which this layer does not pass on. Later layers, losses and metrics do not see it.`,
    )
  })

  it('at ops and at Dot, which have no steps, without a warning', () => {
    const warn = warnings()
    expect(shown((x) => ops.multiply(x, 2))).toEqual(none)
    expect(shown((x) => new Dot({ axes: 2 }).apply([x, x]))).toEqual(none)
    expect(warn).not.toHaveBeenCalled()
  })

  it('only where there was one', () => {
    const warn = warnings()
    new RepeatVector(2).apply([[1, 2]])
    new Flatten().apply([[[1], [2]]])
    expect(warn).not.toHaveBeenCalled()
  })
})

describe('an explicit mask', () => {
  it('overrides that of the input, on data and on symbols', () => {
    const embedded = words().apply(tensor(ids, [3, STEPS], 'int32'))
    const said = tensor([
      [false, true, true, true],
      [true, true, true, true],
      [false, false, false, false],
    ])
    expect(new ShowMask().apply(embedded, { mask: said }).toArray()).toEqual([
      [0, 1, 1, 1],
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ])
    expect(new ShowMask().apply(embedded, { mask: null }).toArray()).toEqual(none)
    expect(maskOf(new Dense({ units: 1 }).apply(embedded, { mask: said }))!.toArray()).toEqual(said.toArray())
    expect(shown((x, start) => new Dense({ units: 2 }).apply(x, { mask: ops.equal(start, 2) }))).toEqual(
      ids.map((row) => row.map((id) => Number(id === 2))),
    )
  })

  it('works for a layer that returns its input, and for a nested model', () => {
    const embedded = words().apply(tensor(ids, [3, STEPS], 'int32'))
    const said = tensor(ids.map((row) => row.map((id) => id > 1)))
    const input = Input({ shape: [STEPS, 3] })
    for (const layer of [
      new Identity(),
      new Dropout(0.5),
      new Model({ inputs: input, outputs: new Dense({ units: 2 }).apply(input) }),
      new Sequential([new Identity()]),
    ]) {
      expect(maskOf(layer.apply(embedded, { mask: said }))!.toArray()).toEqual(said.toArray())
    }
    expect(maskOf(embedded)!.toArray(), 'that of the input').toEqual(counts.map((row) => row.map(Boolean)))
  })

  it('masks Softmax', () => {
    const x = tensor([[1, 2, 3]])
    const [a, b] = [Math.exp(1), Math.exp(3)]
    expectNear(
      new Softmax().apply(x, { mask: tensor([[true, false, true]]) }).data,
      [a / (a + b), 0, b / (a + b)],
      'softmax',
    )
  })
})

describe('nested and shared models', () => {
  it('receive masks, and return the masks they make', () => {
    const inner = new Sequential([words(3), new Dense({ units: 3 })])
    expect(shown((_, start) => inner.apply(start))).toEqual(counts)
    const input = Input({ shape: [STEPS, 3] })
    const block = new Model({ inputs: input, outputs: new Dense({ units: 3 }).apply(input) })
    expect(shown((x) => block.apply(block.apply(x)))).toEqual(counts)
  })

  it('end a mask if one of their layers does', () => {
    warnings()
    const input = Input({ shape: [STEPS, 3] })
    const block = new Model({ inputs: input, outputs: new Reshape([STEPS, 3]).apply(input) })
    expect(shown((x) => block.apply(x))).toEqual(none)
  })

  it('keep the masks of several outputs separate', () => {
    const input = Input({ shape: [STEPS, 3] })
    const both = new Model({
      inputs: input,
      outputs: { kept: new Dense({ units: 3 }).apply(input), lost: ops.square(input) },
    })
    expect(shown((x) => both.apply(x).kept)).toEqual(counts)
    expect(shown((x) => both.apply(x).lost)).toEqual(none)
  })

  it('and shared layers use the mask of each call', () => {
    const dense = new Dense({ units: 3 })
    expect(shown((x) => dense.apply(dense.apply(x)))).toEqual(counts)
    expect(
      shown((x, start) => {
        dense.apply(x)
        return dense.apply(new Embedding({ inputDim: 4, outputDim: 3 }).apply(start))
      }),
    ).toEqual(none)
  })
})

const targets = [
  [[0.5], [-1], [9], [9]],
  [[2], [9], [0.25], [-0.5]],
  [[1], [-2], [0], [9]],
]
const rowWeights = [1, 0.5, 3]
const stepWeights = [
  [1, 2, 9, 9],
  [0.5, 9, 1, 0],
  [3, 1, 0.5, 9],
]

/** Words → one number per step; the default learning rate is 0. */
function tagger(options: object = {}, learningRate = 0): Sequential {
  setRandomSeed(12)
  const model = new Sequential([
    new Embedding({ inputDim: 4, outputDim: 3, maskZero: true, inputShape: [STEPS] }),
    new Dense({ units: 1 }),
  ])
  model.compile({
    optimizer: new SGD({ learningRate }),
    loss: 'mse',
    metrics: ['mae'],
    weightedMetrics: ['mae'],
    ...options,
  })
  return model
}

/** Σ w v / Σ of the divisors, over the unmasked steps. */
function meanOf(
  value: (row: number, step: number) => number,
  weight: (row: number, step: number) => number,
  divisor: (row: number, step: number) => number = () => 1,
): number {
  let [sum, total] = [0, 0]
  counts.forEach((row, i) =>
    row.forEach((isCounted, j) => {
      sum += isCounted * weight(i, j) * value(i, j)
      total += isCounted * divisor(i, j)
    }),
  )
  return sum / total
}

describe('losses and metrics', () => {
  const found = (model: Sequential) => model.predictOnBatch(ids).toArray() as number[][][]

  it('skip masked elements, in training, in validation and in evaluate', async () => {
    const model = tagger()
    const p = found(model)
    const error = (i: number, j: number) => p[i]![j]![0]! - targets[i]![j]![0]!
    const mse = meanOf(
      (i, j) => error(i, j) ** 2,
      () => 1,
    )
    const mae = meanOf(
      (i, j) => Math.abs(error(i, j)),
      () => 1,
    )
    const { history } = await model.fit(ids, targets, { verbose: 0, validationData: [ids, targets] })
    for (const [key, expected] of Object.entries({ loss: mse, mae, weightedMae: mae, valLoss: mse, valMae: mae }))
      expectNear(history[key]!, [expected], key)
    const logs = await model.evaluate(ids, targets)
    expectNear([logs.loss, logs['mae']!], [mse, mae], 'evaluate')
    expectNear([model.testOnBatch(ids, targets).loss], [mse], 'testOnBatch')
  })

  it.each([
    ['of samples', rowWeights, (i: number) => rowWeights[i]!],
    ['of steps', stepWeights, (i: number, j: number) => stepWeights[i]![j]!],
  ] as const)('weights %s multiply unmasked elements', async (_title, sampleWeight, weight) => {
    const model = tagger()
    const p = found(model)
    const error = (i: number, j: number) => p[i]![j]![0]! - targets[i]![j]![0]!
    const { history } = await model.fit(ids, targets, { verbose: 0, sampleWeight: tensor(sampleWeight as number[]) })
    // The loss is divided by the number of unmasked steps, the metric by their weights.
    expectNear(history['loss']!, [meanOf((i, j) => error(i, j) ** 2, weight)], 'loss')
    expectNear(
      history['mae']!,
      [
        meanOf(
          (i, j) => Math.abs(error(i, j)),
          () => 1,
        ),
      ],
      'mae',
    )
    expectNear(history['weightedMae']!, [meanOf((i, j) => Math.abs(error(i, j)), weight, weight)], 'weightedMae')
  })

  it('of classes', async () => {
    const model = new Sequential([
      new Embedding({ inputDim: 4, outputDim: 3, maskZero: true, inputShape: [STEPS] }),
      new Dense({ units: 3, activation: 'softmax' }),
    ])
    model.compile({ loss: 'crossentropy', metrics: ['accuracy'] })
    const labels = ids.map((row, i) => row.map((_, j) => (i + j) % 3))
    const p = found(model)
    const largest = (row: readonly number[]) => row.indexOf(Math.max(...row))
    const logs = await model.evaluate(ids, labels)
    expectNear(
      [logs.loss],
      [
        meanOf(
          (i, j) => -Math.log(p[i]![j]![labels[i]![j]!]!),
          () => 1,
        ),
      ],
      'loss',
    )
    expectNear(
      [logs['accuracy']!],
      [
        meanOf(
          (i, j) => Number(largest(p[i]![j]!) === labels[i]![j]),
          () => 1,
        ),
      ],
      'accuracy',
    )
  })

  it('are 0 if everything is masked, and train nothing', async () => {
    const model = tagger({}, 0.1)
    const before = weightsOf(model)
    const { history } = await model.fit([[0, 0, 0, 0]], [targets[0]!], { verbose: 0 })
    expect([history['loss'], history['mae']]).toEqual([[0], [0]])
    expect(weightsOf(model)).toEqual(before)
  })

  it('masked elements do not affect training', async () => {
    const other = targets.map((row, i) => row.map((step, j) => (counts[i]![j] === 1 ? step : [-1000])))
    const [a, b] = [tagger({}, 0.1), tagger({}, 0.1)]
    await a.fit(ids, targets, { verbose: 0, epochs: 3, shuffle: false, batchSize: 2 })
    await b.fit(ids, other, { verbose: 0, epochs: 3, shuffle: false, batchSize: 2 })
    weightsOf(a).forEach((weights, i) => expectNear(weights, weightsOf(b)[i]!, `weights ${i}`, 1e-6))
    expect(weightsOf(a)).not.toEqual(weightsOf(tagger()))
  })

  it('receive the mask of each output, also of a subclassed model', async () => {
    class Two extends Model<Tensor, { each: Tensor; whole: Tensor }> {
      readonly words = words()
      readonly each = new Dense({ units: 1 })
      readonly whole = new Dense({ units: 1 })
      override call(x: Tensor) {
        const embedded = this.words.apply(x)
        return { each: this.each.apply(embedded), whole: this.whole.apply(ops.mean(embedded, { axis: 1 })) }
      }
    }
    const model = new Two()
    model.compile({ loss: { each: 'mse', whole: 'mse' }, metrics: { each: ['mae'], whole: ['mae'] } })
    const x = tensor(ids, [3, STEPS], 'int32')
    const whole = [[1], [2], [3]]
    const p = model.predictOnBatch(x)
    const [each, one] = [p.each.toArray() as number[][][], p.whole.toArray() as number[][]]
    const logs = await model.evaluate(x, { whole, each: targets })
    expectNear(
      [logs['eachLoss']!],
      [
        meanOf(
          (i, j) => (each[i]![j]![0]! - targets[i]![j]![0]!) ** 2,
          () => 1,
        ),
      ],
      'eachLoss',
    )
    expectNear(
      [logs['eachMae']!],
      [
        meanOf(
          (i, j) => Math.abs(each[i]![j]![0]! - targets[i]![j]![0]!),
          () => 1,
        ),
      ],
      'eachMae',
    )
    expectNear(
      [logs['wholeLoss']!],
      [one.reduce((sum, [value], i) => sum + (value! - whole[i]![0]!) ** 2, 0) / 3],
      'wholeLoss',
    )
  })
})
