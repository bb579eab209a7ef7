// Every loss and metric on the GPU, with the data that are compared with Keras.
// modes: simd

import { describe, expect, it } from 'vitest'
import {
  Input,
  Model,
  SGD,
  customObjectScope,
  losses as library,
  metrics as metricLibrary,
  ops,
  type Metric,
  type Tensor,
} from '../../../src'
import type { ProgramReport } from '../../../src/engine/runtime/accelerator'
import { classesIn } from '../../../src/core/registry'
import { losses } from '../../../src/losses/registry'
import { metrics } from '../../../src/metrics/registry'
import type { Described, LossesFile, MetricsFile } from '../../golden/format'
import { readFixture, serialized, titleOf, toTensor } from '../../helpers/golden'
import { Shift, compareBoth, expectOnGpu, trained, web } from './both'

function shifting([, ...shape]: readonly number[]): Model {
  const x = Input({ shape })
  return new Model({ inputs: x, outputs: new Shift().apply(x) })
}

const { cases } = readFixture<LossesFile>('losses')

/** With weights of samples, if fit accepts weights of their shape: then more is computed. */
const lossCases = cases.filter(({ sampleWeight, mask, loss, yPred }) => {
  const { axis } = loss.config
  const isOfLastAxis = axis === undefined || Array.isArray(axis)
  return mask === undefined && yPred.shape.length > 1 && (sampleWeight !== null) === isOfLastAxis
})

describe.skipIf(web === null)('losses', () => {
  it.each(lossCases.map((each) => [`${titleOf(each.loss)} of ${each.name}`, each] as const))(
    '%s',
    async (_title, each) => {
      const programs = await compareBoth(() => {
        const { className, config } = serialized(each.loss)
        const model = shifting(each.yPred.shape)
        const loss = customObjectScope(classesIn(library), () => losses.get({ className, config }))
        model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss })
        return trained(model, {
          x: toTensor(each.yPred),
          y: toTensor(each.yTrue),
          // Losses of pairs relate the samples of a batch.
          batchSize: each.yPred.shape[0]!,
          fit: { epochs: 3, sampleWeight: each.sampleWeight && toTensor(each.sampleWeight) },
        })
      })
      expectOnGpu(programs, 3)
    },
  )

  it('have a case each', () => {
    const tried = new Set(lossCases.map(({ loss }) => loss.class))
    expect(Object.keys(losses.all).filter((name) => !tried.has(name))).toEqual([])
  })
})

const { data, cases: metricCases } = readFixture<MetricsFile>('metrics')

/** Parts without a kernel that a metric may need: then it is computed on the CPU, and the report names them. */
const missing = /^(sort|argsort|topK|searchsorted) has no kernel on the GPU$/

function expectNamed(programs: readonly ProgramReport[]): void {
  expectOnGpu(
    programs.filter(({ why }) => !missing.test(why)),
    0,
  )
  expect(programs.length).toBeGreaterThan(0)
}

function metricOf(metric: Described): Metric {
  return customObjectScope(classesIn(metricLibrary), () => metrics.get(serialized(metric)))
}

const weighted = metricCases.filter(
  ({ weighted: isWeighted, data: of }) => isWeighted && data[of]![0]!.yPred.shape.length > 1,
)

const meanOfOutputs = (_y: Tensor, outputs: Tensor): Tensor => ops.mean(outputs, -1)

describe.skipIf(web === null)('metrics', () => {
  it.each(weighted.map((each) => [`${titleOf(each.metric)} of ${each.data}`, each] as const))(
    '%s',
    async (_title, each) => {
      const batches = data[each.data]!
      const [first] = batches
      const join = (of: 'yTrue' | 'yPred' | 'sampleWeight'): Tensor =>
        ops.concatenate(batches.map((batch) => toTensor(batch[of])))
      const programs = await compareBoth(async () => {
        const model = shifting(first!.yPred.shape)
        const [plain, ofWeights] = [metricOf(each.metric), metricOf(each.metric)]
        model.compile({ loss: meanOfOutputs, metrics: [plain], weightedMetrics: [ofWeights] })
        const results = await model.evaluate(join('yPred'), join('yTrue'), {
          batchSize: first!.yPred.shape[0]!,
          sampleWeight: join('sampleWeight'),
          verbose: 0,
        })
        return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, [value]]))
      })
      expectNamed(programs)
    },
  )
})
