import { describe, it } from 'vitest'
import { metrics as library } from '../../src/index'
import { metrics } from '../../src/metrics/registry'
import type { MetricsFile } from '../golden/format'
import { expectNear, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { data, cases, means } = readFixture<MetricsFile>('metrics')

describe('metrics agree with Keras after each batch', () => {
  it.each(cases.map((each) => ({ ...each, title: `${titleOf(each.metric)} of ${each.data}${each.weighted ? ' weighted' : ''}` })))('$title', (each) => {
    const metric = metrics.get(serialized(each.metric))
    const pass = (): number[] =>
      data[each.data]!.map(({ yTrue, yPred, sampleWeight }) => {
        metric.updateState(toTensor(yTrue), toTensor(yPred), each.weighted ? toTensor(sampleWeight) : undefined)
        return metric.result().item()
      })
    expectNear(pass(), each.results, 'results')
    metric.resetState()
    expectNear(pass(), each.results, 'results after a reset')
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
