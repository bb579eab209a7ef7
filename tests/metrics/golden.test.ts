import { describe, expect, it } from 'vitest'
import { customObjectScope, metrics as library, tensor, type Metric, type TensorLike } from '../../src'
import { classesIn, type Serialized } from '../../src/core/registry'
import { metrics } from '../../src/metrics/registry'
import type { FixtureTensor, MetricsFile } from '../golden/format'
import { expectNear, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { data, cases, means, sums, configs } = readFixture<MetricsFile>('metrics')

/** A metric from a saved configuration, as files have it. */
function metricOf({ className, config }: Serialized): Metric {
  return customObjectScope(classesIn(library), () => metrics.get({ className, config }))
}

describe('metrics agree with Keras after each batch', () => {
  it.each(
    cases.map((each) => ({
      ...each,
      title: `${titleOf(each.metric)} of ${each.data}${each.weighted ? ' weighted' : ''}`,
    })),
  )('$title', (each) => {
    const metric = metricOf(serialized(each.metric))
    const pass = (of: (array: FixtureTensor) => TensorLike): number[] =>
      data[each.data]!.flatMap(({ yTrue, yPred, sampleWeight }) => {
        const weights = each.weighted ? [of(sampleWeight)] : []
        metric.updateState(...([of(yTrue), of(yPred), ...weights] as Parameters<Metric['updateState']>))
        return Array.from(metric.result().data)
      })
    expectNear(pass(toTensor), each.results.flat(), 'results')
    metric.resetState()
    expectNear(
      pass((array) => toTensor(array).toArray()),
      each.results.flat(),
      'results of arrays after a reset',
    )
  })

  const reductions = [
    ...means.map((each) => ({ ...each, Reduction: library.Mean })),
    ...sums.map((each) => ({ ...each, Reduction: library.Sum })),
  ]
  it.each(reductions)('$Reduction.className of $name', ({ updates, Reduction }) => {
    const metric = new Reduction()
    const received = updates.map(({ values, sampleWeight }) => {
      const given = toTensor(values).toArray()
      if (sampleWeight === null) metric.updateState(given)
      else metric.updateState(given, toTensor(sampleWeight).toArray())
      return metric.result().item()
    })
    expectNear(
      received,
      updates.map(({ result }) => result),
      'results',
    )
  })
})

describe('metrics are saved as in Keras', () => {
  it.each(configs)('$class', (described) => {
    const { className, config } = serialized(described)
    const required = Object.fromEntries(
      Object.entries(config).filter(([name]) =>
        /^(numClasses|targetClassIds|specificity|sensitivity|recall|precision)$/.test(name),
      ),
    )
    expect(metricOf({ className, config: className === 'BinaryIoU' ? {} : required }).getConfig()).toMatchObject(config)
  })

  it('all of them', () => {
    expect(configs.filter((each) => !Object.hasOwn(library, each.class))).toEqual([])
    const own = Object.entries(library).filter(
      ([name, each]) => Object.hasOwn(each, 'className') && !configs.some((known) => known.class === name),
    )
    expect(own.map(([name]) => name).sort()).toEqual(['ConfusionMatrix', 'MeanMetricWrapper'])
  })
})

describe('AUC at the ends of its thresholds', () => {
  it.each(['ROC', 'PR'] as const)('predictions of exactly 0 and 1 are separated (%s)', (curve) => {
    const auc = new library.AUC({ curve })
    auc.updateState(tensor([0, 1, 0, 1]), tensor([0, 1, 0, 1]))
    expectNear(auc.result().data, [1], curve)
    auc.updateState(tensor([1, 0]), tensor([0, 1]))
    expect(auc.result().item()).toBeLessThan(0.8)
  })
})

describe('metrics without data', () => {
  it.each([
    'BinaryAccuracy',
    'MeanSquaredError',
    'RootMeanSquaredError',
    'Precision',
    'Recall',
    'AUC',
    'Mean',
    'Sum',
    'F1Score',
    'FBetaScore',
    'R2Score',
    'TruePositives',
    'BinaryIoU',
    'PearsonCorrelation',
  ])('%s is 0', (name) => {
    expect(metrics.get(name).result().item()).toBe(0)
  })
})
