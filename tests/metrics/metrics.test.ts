// Metrics beyond their numbers: names, logs of vectors and matrices, confusion matrices, errors.
import { describe, expect, it } from 'vitest'
import {
  Dense,
  EarlyStopping,
  Masking,
  Metric,
  MyelinError,
  SGD,
  Sequential,
  loadModel,
  metrics,
  ops,
  tensor,
  type Tensor,
} from '../../src'
import { UNKNOWN_SHAPES } from '../../src/losses/targets'
import { isScore } from '../../src/metrics/direction'
import { getMetric } from '../../src/metrics/registry'
import { expectNear } from '../helpers/golden'

const x = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 0],
]

/** Returns its input. */
function identity(units = 3): Sequential {
  const model = new Sequential([new Dense({ units, inputShape: [units], useBias: false })])
  model.setWeights([ops.eye(units)])
  return model
}

describe('a metric by name', () => {
  it.each([
    ['mape', 'MeanAbsolutePercentageError'],
    ['msle', 'MeanSquaredLogarithmicError'],
    ['kl_divergence', 'KLDivergence'],
    ['f1_score', 'F1Score'],
    ['f1Score', 'F1Score'],
    ['fbeta_score', 'FBetaScore'],
    ['r2_score', 'R2Score'],
    ['R2Score', 'R2Score'],
    ['true_positives', 'TruePositives'],
    ['log_cosh_error', 'LogCoshError'],
    ['pearson_correlation', 'PearsonCorrelation'],
    ['concordanceCorrelation', 'ConcordanceCorrelation'],
    ['binary_io_u', 'BinaryIoU'],
    ['sum', 'Sum'],
    ['squaredHinge', 'SquaredHinge'],
  ])('%s is %s', (name, className) => {
    expect(getMetric(name, UNKNOWN_SHAPES).constructor).toHaveProperty('className', className)
  })

  it('suits outputs of one number per sample, with and without an axis for it', () => {
    for (const output of [[5], [5, 1]])
      expect(getMetric('accuracy', { target: [5], output })).toBeInstanceOf(metrics.BinaryAccuracy)
    expect(getMetric('accuracy', { target: [5], output: [5, 5] })).toBeInstanceOf(metrics.SparseCategoricalAccuracy)
  })

  it('needs options if its name cannot express them', () => {
    expect(() => getMetric('mean_io_u', UNKNOWN_SHAPES)).toThrow(
      "The metric 'mean_io_u' must be passed as an object, such as new metrics.MeanIoU(…), not by name.",
    )
    expect(() => getMetric('meanSquarredError', UNKNOWN_SHAPES)).toThrow("Did you mean 'meanSquaredError'?")
  })
})

describe('the direction of a metric', () => {
  it('is defined for every name', () => {
    const errors = Object.values(metrics)
      .flatMap((each) => ('className' in each && isScore(each.className) === false ? [each.className] : []))
      .sort()
    expect(errors).toEqual([
      'BinaryCrossentropy',
      'CategoricalCrossentropy',
      'CategoricalHinge',
      'FalseNegatives',
      'FalsePositives',
      'Hinge',
      'KLDivergence',
      'LogCoshError',
      'MeanAbsoluteError',
      'MeanAbsolutePercentageError',
      'MeanSquaredError',
      'MeanSquaredLogarithmicError',
      'Poisson',
      'RootMeanSquaredError',
      'SparseCategoricalCrossentropy',
      'SquaredHinge',
    ])
    const neither = Object.values(metrics)
      .flatMap((each) => ('className' in each && isScore(each.className) === null ? [each.className] : []))
      .sort()
    expect(neither).toEqual(['ConfusionMatrix', 'Mean', 'MeanMetricWrapper', 'Sum'])
    expect(['kld', 'mape', 'valLoss', 'mean_squared_error'].map(isScore)).toEqual([false, false, false, false])
    expect(['valF1Score_2', 'mean_io_u', 'valMeanIoU', 'true_positives', 'r2Score', 'acc'].map(isScore)).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
    ])
    expect(isScore('previous')).toBe(null)
  })

  it('is used by callbacks', async () => {
    const model = identity(1)
    model.compile({
      loss: 'mse',
      metrics: [new metrics.F1Score({ threshold: 0.5 })],
      optimizer: new SGD({ learningRate: 0 }),
    })
    const stop = new EarlyStopping({ monitor: 'f1Score', baseline: 0.5, patience: 2 })
    const { history } = await model.fit([[1], [0]], [[1], [0]], { epochs: 6, verbose: 0, callbacks: [stop] })
    expect(history['f1Score']!.length).toBe(3)
    // As a score, 1 is better than the baseline; as an error it would be worse from the start.
    expect(stop.stoppedEpoch).toBe(2)
  })
})

describe('logs', () => {
  it('have a number for each element of a vector, and omit a matrix', async () => {
    const model = identity()
    const confusion = new metrics.ConfusionMatrix({ numClasses: 3 })
    model.compile({
      loss: 'mse',
      metrics: ['f1Score', new metrics.F1Score({ average: 'macro', name: 'f1' }), confusion],
    })
    const y = [
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 1],
      [1, 0, 0],
    ]
    const logs = await model.evaluate(x, y)
    expect(Object.keys(logs)).toEqual(['loss', 'f1Score_0', 'f1Score_1', 'f1Score_2', 'f1'])
    expectNear(
      [logs['f1Score_0']!, logs['f1Score_1']!, logs['f1Score_2']!, logs['f1']!],
      [1, 0, 2 / 3, 5 / 9],
      'scores',
    )
    expect(confusion.result().toArray()).toEqual([
      [2, 0, 0],
      [0, 0, 0],
      [0, 1, 1],
    ])
    const { history } = await model.fit(x, y, { epochs: 2, verbose: 0, validationData: [x, y] })
    expect(Object.keys(history)).toContain('valF1Score_2')
  })

  it('have a vector or matrix of one element under its own name', async () => {
    class Square extends Metric {
      updateState(): void {}
      result(): Tensor {
        return ops.ones([1, 1])
      }
    }
    const model = identity(1)
    model.compile({ loss: 'mse', metrics: [new metrics.F1Score({ threshold: 0.5 }), new Square()] })
    expect(Object.keys(await model.evaluate([[1], [0]], [[1], [0]]))).toEqual(['loss', 'f1Score', 'square'])
  })
})

it('a number over all samples is weighted, also by a mask', async () => {
  const spread = (y: Tensor, p: Tensor) => ops.mean(ops.square(ops.subtract(y, p)))
  const model = new Sequential([new Masking({ inputShape: [2, 1] })])
  model.compile({ loss: 'mse', metrics: [spread], weightedMetrics: [spread] })
  // Batches of spread 1 and 4: with three unmasked steps, and with two of weight 2.
  const logs = await model.evaluate(
    [
      [[1], [2]],
      [[0], [1]],
      [[3], [3]],
      [[0], [0]],
    ],
    [
      [[2], [3]],
      [[1], [2]],
      [[1], [1]],
      [[2], [2]],
    ],
    { batchSize: 2, sampleWeight: [1, 1, 2, 2] },
  )
  expectNear([logs['spread']!, logs['weightedSpread']!], [(3 * 1 + 2 * 4) / 5, (3 * 1 + 4 * 4) / 7], 'spread')
})

describe('ConfusionMatrix', () => {
  const counted = (
    options: Omit<metrics.ConfusionMatrixOptions, 'numClasses'>,
    ...batches: Parameters<metrics.ConfusionMatrix['apply']>[]
  ) => {
    const metric = new metrics.ConfusionMatrix({ numClasses: 2, ...options })
    for (const batch of batches) metric.apply(...batch)
    return metric.result().toArray()
  }

  it('infers the form of targets', () => {
    expect(
      counted({}, [
        [0, 1, 1],
        [0.25, 0.75, 0.5],
      ]),
    ).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(
      counted({}, [
        [[0], [1], [1]],
        [[0.25], [0.75], [0.5]],
      ]),
    ).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(
      counted({}, [
        [0, 1, 1],
        [
          [3, 1],
          [1, 2],
          [2, 1],
        ],
      ]),
    ).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(
      counted({}, [
        [
          [1, 0],
          [0, 1],
          [0, 1],
        ],
        [
          [3, 1],
          [1, 2],
          [2, 1],
        ],
      ]),
    ).toEqual([
      [1, 0],
      [1, 1],
    ])
  })

  it('counts over batches, with weights, without masked elements', () => {
    expect(
      counted(
        {},
        [
          [0, 1],
          [0, 1],
        ],
        [
          [1, 1],
          [0, 1],
        ],
      ),
    ).toEqual([
      [1, 0],
      [1, 2],
    ])
    expect(
      counted({}, [
        [0, 1],
        [0, 1],
        [0.5, 3],
      ]),
    ).toEqual([
      [0.5, 0],
      [0, 3],
    ])
    expect(counted({}, [[0, 1], [0, 1], undefined, [true, false]])).toEqual([
      [1, 0],
      [0, 0],
    ])
    const steps = [
      [0, 1],
      [1, 1],
    ]
    const scores = [
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [0, 1],
      ],
    ]
    expect(counted({}, [steps, scores, [2, 3]])).toEqual([
      [2, 0],
      [3, 5],
    ])
    expect(
      counted({}, [
        steps,
        scores,
        undefined,
        [
          [true, true],
          [false, true],
        ],
      ]),
    ).toEqual([
      [1, 0],
      [0, 2],
    ])
  })

  it('normalizes rows, columns or all; empty ones stay 0', () => {
    const batch: [number[], number[]] = [
      [1, 1, 1, 1],
      [0, 1, 1, 1],
    ]
    expect(counted({ normalize: 'true' }, batch)).toEqual([
      [0, 0],
      [0.25, 0.75],
    ])
    expect(counted({ normalize: 'predicted' }, batch)).toEqual([
      [0, 0],
      [1, 1],
    ])
    expect(counted({ normalize: 'all' }, batch)).toEqual([
      [0, 0],
      [0.25, 0.75],
    ])
    expect(counted({ normalize: 'all' })).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('refuses more classes than it has, whose samples would be lost', () => {
    const scores = [
      [1, 0, 0],
      [0, 0, 1],
    ]
    const message = "Metric 'confusionMatrix': numClasses is 2, received 3 classes in [2, 3]"
    expect(() => counted({}, [[0, 1], scores])).toThrow(message)
    expect(() => counted({}, [scores, scores])).toThrow(message)
    expect(() => new metrics.ConfusionMatrix({ numClasses: 1 }).apply([0, 1], [0, 1])).toThrow(
      'binary targets have two classes, received numClasses 1',
    )
    expect(() => new metrics.MeanIoU({ numClasses: 2, sparseYPred: false }).apply([0, 1], scores)).toThrow(
      "Metric 'meanIoU': numClasses is 2, received 3 classes in [2, 3]",
    )
    // Values that are not class numbers are not counted.
    expect(
      counted({}, [
        [0, 255, -1],
        [
          [1, 0],
          [0, 1],
          [0, 1],
        ],
      ]),
    ).toEqual([
      [1, 0],
      [0, 0],
    ])
  })

  it('refuses predictions that do not match the targets', () => {
    expect(() =>
      counted({}, [
        [0, 1, 1],
        [
          [1, 0],
          [0, 1],
        ],
      ]),
    ).toThrow('one class number is needed for each target, received [3] and [2]')
  })
})

describe('IoU', () => {
  it('takes classes along another axis, fractional weights, and one for each image', () => {
    const metric = new metrics.MeanIoU({ numClasses: 2, sparseYPred: false, axis: 1 })
    const scores = [
      [
        [1, 0],
        [0, 1],
      ],
      [
        [0, 0],
        [1, 1],
      ],
    ]
    metric.updateState(
      tensor([
        [0, 1],
        [0, 1],
      ]),
      tensor(scores),
      tensor([1, 0.5]),
    )
    // class 0: 1 / (1 + 0.5), class 1: 1.5 / 2
    expectNear(metric.result().data, [(1 / 1.5 + 1.5 / 2) / 2], 'mean')
  })

  it('refuses classes that do not exist', () => {
    expect(() => new metrics.IoU({ numClasses: 3, targetClassIds: [0, 3] })).toThrow(
      'IoU: targetClassIds must be class numbers 0 … 2, received 3',
    )
    expect(() => new metrics.BinaryIoU({ targetClassIds: [2] })).toThrow(
      'BinaryIoU: targetClassIds must be class numbers 0 … 1, received 2',
    )
    expect(() => new metrics.MeanIoU({} as never)).toThrow('MeanIoU: needs numClasses')
  })
})

describe('scores of rows', () => {
  it.each([metrics.F1Score, metrics.R2Score])('%o refuse other shapes', (Score) => {
    const metric = new (Score as new () => metrics.Metric)()
    expect(() =>
      metric.apply(
        [1, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    ).toThrow(
      'targets and predictions must be [batch, outputs], received [2] and [2, 2]. Class numbers must be made one-hot rows.',
    )
    metric.apply([[1, 0]], [[1, 0]])
    expect(() => metric.apply([[1]], [[1]])).toThrow(
      'targets and predictions must be [batch, 2], received [1, 1] and [1, 1].',
    )
    expect(() => metric.apply([[1]], [[1, 2]])).toThrow('received [1, 1] and [1, 2]')
  })

  it('are named in the error of a step', () => {
    const model = identity()
    model.compile({ loss: 'sparseCategoricalCrossentropy', metrics: ['f1Score'] })
    expect(() => model.testOnBatch(x, [0, 1, 2, 0])).toThrow(
      "Metric 'f1Score': targets and predictions must be [batch, outputs], received [4] and [4, 3]. Class numbers must be made one-hot rows.",
    )
  })

  it('weigh elements separately, without masked ones', () => {
    const metric = new metrics.F1Score({ threshold: 0.5 })
    metric.apply(
      [
        [1, 1],
        [0, 1],
      ],
      [
        [1, 1],
        [1, 0],
      ],
      [
        [1, 1],
        [3, 0],
      ],
    )
    expectNear(metric.result().data, [2 / (2 + 3), 1], 'by element')
    metric.resetState()
    metric.apply(
      [
        [1, 1],
        [0, 1],
      ],
      [
        [1, 1],
        [1, 0],
      ],
      undefined,
      [true, false],
    )
    expectNear(metric.result().data, [1, 1], 'masked')
  })

  it('are 0 for constant targets, and unadjusted for too few samples', () => {
    const constant = new metrics.R2Score()
    constant.apply([[2], [2]], [[2], [2]])
    expect(constant.result().item()).toBe(0)
    constant.apply([[2]], [[5]])
    expect(constant.result().item()).toBe(0)
    const [plain, adjusted] = [new metrics.R2Score(), new metrics.R2Score({ numRegressors: 2 })]
    const take = (y: number[], p: number[][]): void => [plain, adjusted].forEach((metric) => metric.apply(y, p))
    take([1, 2, 4], [[1], [2], [3]])
    expect(adjusted.result().item()).toBe(plain.result().item())
    take([5], [[5]])
    expectNear(adjusted.result().data, [1 - (1 - plain.result().item()) * 3], 'adjusted')
  })
})

describe('binary counts', () => {
  const p = [
    [0.125, 0.25, 0.625],
    [0.75, 0.125, 0.125],
    [0.25, 0.625, 0.125],
  ]
  const made = [
    new metrics.AUC(),
    new metrics.AUC({ multiLabel: true }),
    new metrics.Precision(),
    new metrics.Recall({ classId: 1 }),
    new metrics.TruePositives(),
    new metrics.FalsePositives(),
    new metrics.TrueNegatives(),
    new metrics.FalseNegatives(),
    new metrics.PrecisionAtRecall({ recall: 0.5 }),
    new metrics.RecallAtPrecision({ precision: 0.5 }),
    new metrics.SensitivityAtSpecificity({ specificity: 0.5 }),
    new metrics.SpecificityAtSensitivity({ sensitivity: 0.5 }),
  ].map((metric) => ({ name: metric.name, metric }))

  it.each(made)('$name refuse class numbers beside several outputs', ({ name, metric }) => {
    const message = `Metric '${name}': targets and predictions must be of one shape, received [3] and [3, 3]. Class numbers must be made one-hot rows.`
    expect(() => metric.apply([0, 1, 2], p)).toThrow(message)
    expect(() => metric.apply([[0], [1], [2]], p)).toThrow(message.replace('[3]', '[3, 1]'))
    metric.apply(
      [
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
      ],
      p,
    )
    expect(metric.result().size).toBe(1)
  })

  it('f1Score of a column refuses them, too', () => {
    expect(() => new metrics.F1Score().apply([[0], [1], [2]], p)).toThrow(
      'received [3, 1] and [3, 3]. Class numbers must be made one-hot rows.',
    )
  })

  it('take a list as a column', () => {
    for (const [y, column] of [
      [
        [1, 0],
        [[0.75], [0.25]],
      ],
      [
        [[1], [0]],
        [0.75, 0.25],
      ],
    ] as const) {
      const metric = new metrics.Precision()
      metric.apply(y, column)
      metric.updateState(tensor(y), tensor(column))
      expect(metric.result().item()).toBe(1)
    }
  })

  it('are named in errors of weights, masks, classes and topK', () => {
    const precision =
      (options: metrics.ThresholdOptions, ...rest: [weights?: number[] | null, mask?: boolean[]]) =>
      () =>
        new metrics.Precision(options).apply(
          [
            [0, 1],
            [1, 0],
          ],
          [
            [0, 1],
            [1, 0],
          ],
          ...rest,
        )
    expect(precision({}, [1, 2, 3])).toThrow(
      "Metric 'precision': sampleWeight must have shape [2, 2], or that of its first axes, received [3]",
    )
    expect(precision({}, null, [true, false, true])).toThrow(
      "Metric 'precision': mask must have shape [2, 2], or that of its first axes, received [3]",
    )
    expect(precision({ classId: 9 })).toThrow("Metric 'precision': classId 9 needs predictions")
    expect(precision({ topK: 9 })).toThrow(
      "Metric 'precision': topK 9 needs predictions with at least as many classes, received [2, 2]",
    )
    expect(precision({ topK: 2 }, null)).not.toThrow()
    expect(() => new metrics.MeanSquaredError().apply([[1], [2]], [[1], [2]], [1, 2, 3])).toThrow(
      "Metric 'meanSquaredError': sampleWeight must have shape [2], received [3]",
    )
    expect(() => new metrics.F1Score().apply([[0, 1]], [[0, 1]], [1, 2])).toThrow(
      "Metric 'f1Score': sampleWeight must have shape",
    )
    expect(() => new metrics.MeanIoU({ numClasses: 2 }).apply([0, 1], [0, 1], [1, 2, 3])).toThrow(
      "Metric 'meanIoU': sampleWeight must have shape [2], received [3]",
    )
  })
})

describe('correlations', () => {
  it('over the batch, and 0 where one side is constant', () => {
    const overBatch = new metrics.PearsonCorrelation({ axis: 0 })
    overBatch.apply([1, 2, 3], [[2], [4], [6]])
    expectNear(overBatch.result().data, [1], 'pearson')
    const concordance = new metrics.ConcordanceCorrelation({ axis: 0 })
    concordance.apply([1, 2, 3], [[2], [4], [6]])
    expectNear(concordance.result().data, [(2 * 4) / 3 / (2 / 3 + 8 / 3 + 4)], 'concordance')
    const constant = new metrics.PearsonCorrelation()
    constant.apply([[1, 2]], [[3, 3]])
    expect(constant.result().item()).toBe(0)
  })
})

describe('points of a curve', () => {
  it('refuse values outside [0, 1], and require one', () => {
    expect(() => new metrics.PrecisionAtRecall({ recall: 1.5 })).toThrow(
      'PrecisionAtRecall: recall must be a finite number in [0, 1], received 1.5',
    )
    expect(() => new metrics.PrecisionAtRecall({} as never)).toThrow('PrecisionAtRecall: needs recall')
  })

  it('are 0 if no threshold reaches the value', () => {
    const metric = new metrics.RecallAtPrecision({ precision: 0.9 })
    metric.apply([0, 1], [0.75, 0.25])
    expect(metric.result().item()).toBe(0)
  })
})

it('metrics with options are restored', async () => {
  const model = identity()
  model.compile({
    loss: 'mse',
    metrics: [
      new metrics.FBetaScore({ beta: 2, average: 'weighted', threshold: 0.25 }),
      new metrics.R2Score({ classAggregation: 'varianceWeightedAverage', numRegressors: 1 }),
      new metrics.OneHotIoU({ numClasses: 3, targetClassIds: [0, 2] }),
      new metrics.OneHotMeanIoU({ numClasses: 3, ignoreClass: 1 }),
      new metrics.SensitivityAtSpecificity({ specificity: 0.75, numThresholds: 5 }),
      new metrics.FalsePositives({ thresholds: [0.25, 0.5] }),
      new metrics.CosineSimilarity({ axis: 0 }),
      new metrics.ConfusionMatrix({ numClasses: 3, normalize: 'all' }),
      'pearsonCorrelation',
    ],
  })
  const y = ops.oneHot([0, 2, 2, 1], 3)
  const copy = await loadModel(await model.save())
  expect(await copy.evaluate(x, y)).toEqual(await model.evaluate(x, y))
})

describe('MeanMetricWrapper', () => {
  const worst = (y: Tensor, p: Tensor): Tensor => ops.max(ops.abs(ops.subtract(y, p)), 1)
  const compiled = (fn: (y: Tensor, p: Tensor) => Tensor): Sequential => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [2], kernelInitializer: 'ones' })])
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [new metrics.MeanMetricWrapper(fn, { name: 'own' })] })
    return model
  }
  const data = [[[1, 2]], [[1, 4]]] as const

  it('is saved by the name of its function', async () => {
    const model = compiled(worst)
    const bytes = await model.save()
    const copy = await loadModel(bytes, { customObjects: { worst } })
    expect(copy.testOnBatch(...data)).toEqual(model.testOnBatch(...data))
    await expect(loadModel(bytes)).rejects.toThrow(/Unknown function 'worst' .*customObjects/)
  })

  it('without a name explains on saving what to do', async () => {
    const model = compiled((y, p) => worst(y, p))
    expect(model.testOnBatch(...data)['own']).toBe(2)
    await expect(model.save()).rejects.toThrow(/without a name .* cannot be saved/)
  })

  it('needs a function', () => {
    expect(() => Reflect.construct(metrics.MeanMetricWrapper, [{}])).toThrow(MyelinError)
    expect(() => Reflect.construct(metrics.MeanMetricWrapper, [])).toThrow(MyelinError)
  })
})
