// Losses beyond their numbers: names, refused targets, pairs of embeddings, saturated predictions.
import { describe, expect, it } from 'vitest'
import { Dense, Reshape, Sequential, ShapeError, grad, loadModel, losses, ops, tensor, type Tensor } from '../../src'
import { getLoss } from '../../src/losses/registry'
import { expectNear } from '../helpers/golden'

describe('a loss by name', () => {
  it.each([
    ['bce', 'BinaryCrossentropy'],
    ['BCE', 'BinaryCrossentropy'],
    ['kld', 'KLDivergence'],
    ['KLD', 'KLDivergence'],
    ['mae', 'MeanAbsoluteError'],
    ['mse', 'MeanSquaredError'],
    ['mape', 'MeanAbsolutePercentageError'],
    ['MAPE', 'MeanAbsolutePercentageError'],
    ['msle', 'MeanSquaredLogarithmicError'],
    ['kl_divergence', 'KLDivergence'],
    ['klDivergence', 'KLDivergence'],
    ['KLDivergence', 'KLDivergence'],
    ['log_cosh', 'LogCosh'],
    ['logcosh', 'LogCosh'],
    ['cosineSimilarity', 'CosineSimilarity'],
    ['squared_hinge', 'SquaredHinge'],
    ['categorical_focal_crossentropy', 'CategoricalFocalCrossentropy'],
    ['categorical_generalized_cross_entropy', 'CategoricalGeneralizedCrossEntropy'],
    ['Dice', 'Dice'],
    ['tversky', 'Tversky'],
    ['circle', 'Circle'],
  ])('%s is %s', (name, className) => {
    expect(getLoss(name).constructor).toHaveProperty('className', className)
  })

  it('is logged in one spelling', () => {
    expect(new losses.KLDivergence().name).toBe('klDivergence')
    expect(new losses.CTC().name).toBe('ctc')
    expect(new losses.CategoricalGeneralizedCrossEntropy().name).toBe('categoricalGeneralizedCrossEntropy')
  })
})

describe('invalid targets are refused', () => {
  const model = (loss: losses.LossIdentifier, units = 3): Sequential => {
    const made = new Sequential([new Dense({ units, inputShape: [1], activation: 'sigmoid' })])
    made.compile({ loss })
    return made
  }

  it.each<[losses.LossIdentifier, number[] | number[][], string]>([
    ['poisson', [[1, 0, -2]], 'poisson: targets must be ≥ 0, received -2 in row 0'],
    ['klDivergence', [[0.5, 0.5, 2]], 'klDivergence: targets must be between 0 and 1, received 2 in row 0'],
    ['dice', [[1, 0, 3]], 'dice: targets must be between 0 and 1, received 3'],
    ['binaryFocalCrossentropy', [[1, 0, 3]], 'binaryFocalCrossentropy: targets must be between 0 and 1, received 3'],
    ['hinge', [[1, 0, -1]], 'hinge: targets must be −1 and 1, or else 0 and 1, received 0 in row 0'],
    ['hinge', [[1, 0, 0.5]], 'hinge: targets must be −1 and 1, or else 0 and 1, received 0.5 in row 0'],
    [
      'categoricalHinge',
      [2],
      "categoricalHinge: targets must have the model's output shape [batch, 3], received [1]. For class numbers use sparseCategoricalCrossentropy.",
    ],
    ['categoricalFocalCrossentropy', [2], 'For class numbers use sparseCategoricalCrossentropy.'],
    ['categoricalGeneralizedCrossEntropy', [[0, 1, 0]], 'For one-hot targets use categoricalCrossentropy.'],
    [
      'categoricalGeneralizedCrossEntropy',
      [3],
      'categoricalGeneralizedCrossEntropy: targets must be class numbers 0 … 2, received 3 in row 0',
    ],
    ['circle', [[0, 1, 0]], 'circle: targets must have one class number for each embedding: [batch], received [1, 3]'],
    ['circle', [0.5], 'circle: targets must be class numbers, received 0.5 in row 0'],
    [
      'mape',
      [[1, 2]],
      "meanAbsolutePercentageError: targets must have the model's output shape [batch, 3], received [1, 2]",
    ],
  ])('%s', (loss, y, message) => {
    expect(() => model(loss).trainOnBatch([[1]], y)).toThrow(message)
  })

  it.each<[losses.LossIdentifier, number[] | number[][]]>([
    ['hinge', [[1, 0, 1]]],
    ['squaredHinge', [[1, -1, 1]]],
    ['categoricalGeneralizedCrossEntropy', [2]],
    ['categoricalGeneralizedCrossEntropy', [[2]]],
    ['kld', [[0.5, 0.5, 0]]],
    ['tversky', [[0.5, 1, 0]]],
    ['logCosh', [[5, -5, 0]]],
  ])('others are accepted: %s %j', (loss, y) => {
    expect(model(loss).trainOnBatch([[1]], y).loss).toBeTypeOf('number')
  })

  it('one number for each of two classes is not a column', () => {
    const made = model('categoricalGeneralizedCrossEntropy')
    const column = made.testOnBatch([[1], [2]], [[2], [0]]).loss
    expect(made.testOnBatch([[1], [2]], [2, 0]).loss).toBe(column)
  })
})

describe('invalid options are refused', () => {
  it.each([
    [() => new losses.CategoricalGeneralizedCrossEntropy({ q: 1 }), 'q must be a finite number in (0, 1), received 1'],
    [
      () => new losses.BinaryFocalCrossentropy({ gama: 2 } as object),
      "Unknown option of BinaryFocalCrossentropy 'gama'. Did you mean 'gamma'?",
    ],
    [() => new losses.Dice({ axis: 0.5 }), 'Dice: axis must be an integer, received 0.5'],
    [() => losses.tversky([1], [1], { alpha: -1 }), 'tversky: alpha must be a finite number ≥ 0, received -1'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })
})

describe('losses report what they cannot compare', () => {
  const [y, p] = [
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 1],
      [1, 1],
    ],
  ]
  const mse = new losses.MeanSquaredError()
  const probabilities = [[0.25, 0.25, 0.5]]
  it.each([
    [() => mse.apply(y, p, [1, 2, 3]), "Loss 'meanSquaredError': sampleWeight must have shape [2], received [3]"],
    [
      () => mse.apply(y, p, null, [true, true, false]),
      "Loss 'meanSquaredError': mask must have shape [2], received [3]",
    ],
    [
      () => mse.apply([y], [p], [[1, 2, 3]]),
      'sampleWeight must have shape [1, 2], or that of its first axes, received [1, 3]',
    ],
    [
      () =>
        mse.apply(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          p,
        ),
      /^Loss 'meanSquaredError': .* Targets are \[2, 3\], predictions \[2, 2\]\.$/,
    ],
    [
      () => new losses.CategoricalFocalCrossentropy({ alpha: [0.1, 0.2] }).apply([[0, 0, 1]], probabilities),
      "Loss 'categoricalFocalCrossentropy': categoricalFocalCrossentropy: alpha must have a weight for each of 3 classes, received [0.1, 0.2]",
    ],
    [
      () => losses.circle([0, 1], p, { refLabels: [0, 1, 1] }),
      'circle: refLabels must be one class number for each of the embeddings [2, 2], received [3]',
    ],
    [
      () => losses.circle([0, 1], p, { refEmbeddings: [[1, 0]] }),
      'circle: refLabels must be one class number for each of the embeddings [1, 2], received [2, 1]',
    ],
    [
      () => losses.circle([0, 1, 2], p),
      'circle: yTrue must be one class number for each of the embeddings [2, 2], received [3]',
    ],
    [() => losses.dice(y, p, { axis: 2 }), 'dice: the axis must be in −2 … 1, received 2'],
    [() => losses.tversky(y, p, { axis: [0, 5] }), 'tversky: the axis must be in −2 … 1, received 5'],
    [() => losses.cosineSimilarity(y, p, { axis: 3 }), 'cosineSimilarity: the axis must be in −2 … 1, received 3'],
    [
      () => new losses.CTC().apply([[1, 2]], ops.zeros([1, 4, 3]), null, [[true, true]]),
      "Loss 'ctc': ctc: mask must have the shape [batch, steps] of yPred, [1, 4], received [1, 2]",
    ],
    [
      () => losses.ctc([[1, 2]], ops.zeros([2, 4, 3])),
      'ctc: yTrue and yPred must have the same number of rows, received [1, 2] and [2, 4, 3]',
    ],
  ])('%#', (compare, message) => {
    expect(compare).toThrow(ShapeError)
    expect(compare).toThrow(message)
  })

  it('a loss that returns no tensor', () => {
    class Nothing extends losses.Loss {
      static readonly className = 'Nothing'
      call() {
        return null as never
      }
    }
    expect(() => new Nothing().apply(y, p)).toThrow("Loss 'nothing': must return a Tensor, received null")
  })

  it('null means no weight, and no mask', () => {
    expect(mse.apply(y, p, null, null).item()).toBe(mse.apply(y, p).item())
    expect(losses.ctc([[1]], ops.zeros([1, 2, 2]), null).item()).toBe(losses.ctc([[1]], ops.zeros([1, 2, 2])).item())
  })

  it('one alpha applies to all classes', () => {
    const of = (alpha: number | number[]): number =>
      new losses.CategoricalFocalCrossentropy({ alpha }).apply([[0, 0, 1]], probabilities).item()
    expect(of([0.5])).toBe(of(0.5))
  })
})

describe('the circle loss', () => {
  const embeddings = ops.normalize([
    [1, 0.5],
    [1, 0.25],
    [-1, 0.5],
    [0.25, 1],
  ])

  it('skips embeddings without a pair, and has a gradient nevertheless', () => {
    const loss = new losses.Circle()
    const [pair, alone] = [loss.apply([0, 0, 1, 2], embeddings), loss.apply([0, 1, 2, 3], embeddings)]
    expectNear(
      pair.data,
      [ops.mean(losses.circle([0, 0, 1, 2], embeddings).data.slice(0, 2)).item()],
      'mean of the pair',
    )
    expect(alone.item()).toBe(0)
    for (const labels of [
      [0, 0, 1, 2],
      [0, 1, 2, 3],
    ]) {
      const gradient = grad((x: Tensor) => loss.apply(labels, x))(embeddings)
      expect(gradient.data.every(Number.isFinite)).toBe(true)
    }
  })

  it('compares with references', () => {
    const self = losses.circle([0, 0, 1, 1], embeddings, { removeDiagonal: false })
    const same = losses.circle([0, 0, 1, 1], embeddings, {
      removeDiagonal: false,
      refLabels: [0, 0, 1, 1],
      refEmbeddings: embeddings,
    })
    expect(same.toArray()).toEqual(self.toArray())
    const others = losses.circle(
      [0, 1],
      [
        [1, 0],
        [0, 1],
      ],
      {
        refLabels: [[1], [0], [1]],
        refEmbeddings: [
          [1, 0],
          [1, 0],
          [0, 1],
        ],
        removeDiagonal: false,
        gamma: 1,
      },
    )
    // Of the first: a pair at distance 0, others at 0 and 1: ln e^(−0.16) + ln(e^(1.4·0.6) + e^(0.4·−0.4))
    expectNear(others.data.slice(0, 1), [Math.log1p(Math.exp(-0.16) * (Math.exp(0.84) + Math.exp(-0.16)))], 'first')
  })
})

describe('focal losses of certain predictions are finite', () => {
  it.each<[string, (x: Tensor) => Tensor]>([
    ['logits', (x) => losses.binaryFocalCrossentropy([[1, 0, 1]], x, { fromLogits: true })],
    ['a sigmoid', (x) => losses.binaryFocalCrossentropy([[1, 0, 1]], ops.sigmoid(x))],
    ['logits of classes', (x) => losses.categoricalFocalCrossentropy([[0, 1, 0]], x, { fromLogits: true })],
    ['a softmax', (x) => losses.categoricalFocalCrossentropy([[0, 1, 0]], ops.softmax(x))],
  ])('%s', (_what, loss) => {
    const gradient = grad((x: Tensor) => ops.sum(loss(x)))(tensor([[90, -90, -200]]))
    expect(gradient.data.every(Number.isFinite)).toBe(true)
    expect(loss(tensor([[90, -90, -200]])).data.every(Number.isFinite)).toBe(true)
  })
})

it('losses with options are restored', async () => {
  const model = new Sequential([
    new Dense({ units: 4, inputShape: [2], activation: 'sigmoid' }),
    new Reshape({ targetShape: [2, 2] }),
  ])
  for (const loss of [
    new losses.Tversky({ alpha: 0.25, beta: 0.75, axis: [1, 2] }),
    new losses.Dice({ axis: 1 }),
    new losses.CosineSimilarity({ axis: 1 }),
    new losses.CategoricalFocalCrossentropy({ alpha: [0.25, 0.75], gamma: 1 }),
    new losses.BinaryFocalCrossentropy({ applyClassBalancing: true }),
  ]) {
    model.compile({ loss })
    const y = [
      [
        [1, 0],
        [0, 1],
      ],
    ]
    const copy = await loadModel(await model.save())
    expect(await copy.evaluate([[1, 2]], y)).toEqual(await model.evaluate([[1, 2]], y))
  }
})
