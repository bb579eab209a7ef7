import { describe, expect, it } from 'vitest'
import { metrics as library, tensor } from '../../src'
import { metrics } from '../../src/metrics/registry'
import type { MetricsFile } from '../golden/format'
import { expectNear, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { data, cases, means } = readFixture<MetricsFile>('metrics')

describe('metrics agree with Keras after each batch', () => {
  it.each(cases.map((each) => ({ ...each, title: `${titleOf(each.metric)} of ${each.data}${each.weighted ? ' weighted' : ''}` })))('$title', (each) => {
    const metric = metrics.get(serialized(each.metric))
    const pass = (): number[] =>
      data[each.data]!.flatMap(({ yTrue, yPred, sampleWeight }) => {
        metric.updateState(toTensor(yTrue), toTensor(yPred), each.weighted ? toTensor(sampleWeight) : undefined)
        return Array.from(metric.result().data)
      })
    expectNear(pass(), each.results.flat(), 'results')
    metric.resetState()
    expectNear(pass(), each.results.flat(), 'results after a reset')
  })

  it.each(means)('Mean of $name', ({ updates }) => {
    const mean = new library.Mean()
    const received = updates.map(({ values, sampleWeight }) => {
      mean.update(toTensor(values), sampleWeight === null ? undefined : toTensor(sampleWeight))
      return mean.result().item()
    })
    expectNear(received, updates.map(({ result }) => result), 'results')
  })
})

describe('AUC at the ends of its thresholds', () => {
  it.each(['ROC', 'PR'] as const)('predictions of exactly 0 and 1 count as far apart (%s)', (curve) => {
    const auc = new library.AUC({ curve })
    auc.updateState(tensor([0, 1, 0, 1]), tensor([0, 1, 0, 1]))
    expectNear(auc.result().data, [1], curve)
    auc.updateState(tensor([1, 0]), tensor([0, 1]))
    expect(auc.result().item()).toBeLessThan(0.8)
  })
})

describe('metrics without data', () => {
  it.each(['BinaryAccuracy', 'MeanSquaredError', 'RootMeanSquaredError', 'Precision', 'Recall', 'AUC', 'Mean'])('%s is 0', (name) => {
    expect(metrics.get(name).result().item()).toBe(0)
  })
})
