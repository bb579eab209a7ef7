// Metrics as functions: their means are the metrics that Keras gives, and their shapes those of Keras's functions.
// modes: simd

import { describe, expect, it } from 'vitest'
import { metrics, ops, type Tensor } from '../../src'
import type { MetricsFile } from '../golden/format'
import { expectNear, readFixture, serialized, titleOf, toTensor } from '../helpers/golden'

const { data, cases } = readFixture<MetricsFile>('metrics')
const {
  binaryAccuracy,
  categoricalAccuracy,
  concordanceCorrelation,
  pearsonCorrelation,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} = metrics

type Options = Readonly<Record<string, never>>
const functions: Readonly<Record<string, (y: Tensor, p: Tensor, options: Options) => Tensor>> = {
  BinaryAccuracy: binaryAccuracy,
  CategoricalAccuracy: (y, p) => categoricalAccuracy(y, p),
  SparseCategoricalAccuracy: (y, p) => sparseCategoricalAccuracy(y, p),
  TopKCategoricalAccuracy: topKCategoricalAccuracy,
  SparseTopKCategoricalAccuracy: sparseTopKCategoricalAccuracy,
  PearsonCorrelation: pearsonCorrelation,
  ConcordanceCorrelation: concordanceCorrelation,
}

const tested = cases.filter(({ metric, weighted }) => !weighted && Object.hasOwn(functions, metric.class))

describe('the mean of a function is the metric of the first batch', () => {
  it('every function has a case', () => {
    expect(new Set(tested.map(({ metric }) => metric.class))).toEqual(new Set(Object.keys(functions)))
  })

  it.each(tested.map((each) => ({ ...each, title: `${titleOf(each.metric)} of ${each.data}` })))('$title', (each) => {
    const { className, config } = serialized(each.metric)
    const { name: _name, dtype: _dtype, ...options } = config
    const { yTrue, yPred } = data[each.data]![0]!
    const values = functions[className]!(toTensor(yTrue), toTensor(yPred), options as Options)
    expectNear(ops.mean(values).data, [each.results[0]!].flat(), 'mean')
  })
})

describe('results of Keras', () => {
  const scores = [
    [0.2, 0.8],
    [0.4, 0.6],
  ]
  it('values and shapes', () => {
    expect(binaryAccuracy([1, 0], [[0.6], [0.6]]).toArray()).toEqual([[1], [0]])
    expect(binaryAccuracy([[1, 0]], [[0.6, 0.6]], 0.7).toArray()).toEqual([[0, 1]])
    expect(binaryAccuracy([[1, 0]], [[0.6, 0.6]], { threshold: 0.7 }).toArray()).toEqual([[0, 1]])
    const oneHot = [
      [0, 1],
      [1, 0],
    ]
    expect(categoricalAccuracy([oneHot], [scores]).toArray()).toEqual([[1, 0]])
    expect(topKCategoricalAccuracy([oneHot], [scores], 1).toArray()).toEqual([[1, 0]])
    expect(topKCategoricalAccuracy(oneHot, scores).toArray()).toEqual([1, 1])
    for (const classes of [
      [1, 0],
      [[1], [0]],
    ]) {
      expect(sparseCategoricalAccuracy(classes, scores).toArray()).toEqual([1, 0])
      expect(sparseTopKCategoricalAccuracy(classes, scores, 1).toArray()).toEqual(
        classes.map((each) => (Array.isArray(each) ? [each[0]] : each)),
      )
    }
    const sorted = [
      [0, 2, 1],
      [0, 2, 1],
      [1, 2, 0],
    ]
    expect(sparseTopKCategoricalAccuracy([2, 1, 0], sorted, 2, true).toArray()).toEqual([1, 0, 0])
    expect(sparseTopKCategoricalAccuracy([2, 1, 0], sorted, { k: 2, fromSortedIds: true }).toArray()).toEqual([1, 0, 0])
  })

  it('correlations along an axis', () => {
    const [y, p] = [
      [
        [1, 2, 3],
        [1, 1, 4],
      ],
      [
        [1, 3, 4],
        [2, 0, 1],
      ],
    ]
    expectNear(pearsonCorrelation(y!, p!).data, [0.9819805, 0], 'axis −1')
    expectNear(concordanceCorrelation(y!, p!).data, [0.7500002, 0], 'axis −1')
    // Keras gives NaN for the constant target.
    expectNear(pearsonCorrelation(y!, p!, 0).data, [0, 1, -1], 'axis 0')
    expectNear(concordanceCorrelation(y!, p!, { axis: 0 }).data, [0, 0.6, -0.42857146], 'axis 0')
  })

  it('other arguments are refused', () => {
    expect(() => topKCategoricalAccuracy([[1]], [[1]], 0)).toThrow('topKCategoricalAccuracy')
    expect(() => binaryAccuracy([1], [1], 'half' as never)).toThrow('threshold')
    expect(() => sparseTopKCategoricalAccuracy([1], [[1, 2]], { k: 1 }, true)).toThrow('inside the options object')
    expect(() => pearsonCorrelation([1], [1], 3)).toThrow('the axis must be in −1 … 0')
    expect(() => pearsonCorrelation([1], [1], 'x' as never)).toThrow('pearsonCorrelation: axis must be an i')
  })
})
