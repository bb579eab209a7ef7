// Whole training runs compared with Keras: everything together.
import { describe, expect, it } from 'vitest'
import { Sequential, tensor, type ValidationData, type Layer } from '../../src'
import { layers } from '../../src/layers/registry'
import type { Described, Rows, TrajectoriesFile, TrajectoryCase } from '../golden/format'
import { TOLERANCE, expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'
import { runnable } from '../helpers/not-yet'

const { data, initialWeights, cases } = readFixture<TrajectoriesFile>('trajectories')

// Keras raises β to the step's power in float32; at a learning rate near 0.1 this affects the weights.
const LARGE_RATE_ADAM = 2e-5

function toleranceOf({ class: className, config }: Described): number {
  return className.startsWith('Adam') && typeof config['learningRate'] === 'object' ? LARGE_RATE_ADAM : TOLERANCE
}

// Outputs without an activation add up the drift of all weights (1.5e-6 each with Adam).
const ADAM_PREDICTIONS = 2e-5

function predictionToleranceOf(optimizer: Described): number {
  return optimizer.class.startsWith('Adam') ? ADAM_PREDICTIONS : TOLERANCE
}

function rowsOf({ data: name, rows: [start, end] }: Rows) {
  const {
    shape: [, ...rest],
    data: all,
  } = data[name]!
  const width = rest.reduce((a, b) => a * b, 1)
  return tensor({ data: Float32Array.from(all.slice(start * width, end * width)), shape: [end - start, ...rest] })
}

function validationOf({ fit: { validationData } }: TrajectoryCase): { validationData?: ValidationData } {
  if (validationData === undefined) return {}
  const { x, y, sampleWeight } = validationData
  return {
    validationData: sampleWeight === undefined ? [rowsOf(x), rowsOf(y)] : [rowsOf(x), rowsOf(y), rowsOf(sampleWeight)],
  }
}

function makeModel(each: TrajectoryCase): Sequential {
  const model = new Sequential(
    each.layers.map((described, i) => {
      const { className, config } = serialized(described)
      return layers.get({ className, config: i === 0 ? { ...config, inputShape: each.inputShape } : config }) as Layer
    }),
  )
  model.setWeights(initialWeights[each.initialWeights]!.map(toTensor))
  const { optimizer, loss, metrics, weightedMetrics } = each.compile
  const named = (metric: string | Described) => (typeof metric === 'string' ? metric : serialized(metric))
  model.compile({
    optimizer: serialized(optimizer),
    loss: serialized(loss),
    metrics: metrics.map(named),
    weightedMetrics: weightedMetrics.map(named),
  })
  return model
}

describe('fit, evaluate and predict agree with Keras', () => {
  it.each(runnable('trajectories', cases, ({ name }) => name))('$name', async (each) => {
    const model = makeModel(each)
    const { fit } = each
    const tolerance = toleranceOf(each.compile.optimizer)
    const weighted = fit.sampleWeight === undefined ? {} : { sampleWeight: rowsOf(fit.sampleWeight) }
    const { history, epoch } = await model.fit(rowsOf(fit.x), rowsOf(fit.y), {
      batchSize: fit.batchSize,
      epochs: fit.epochs,
      shuffle: false,
      verbose: 0,
      ...weighted,
      ...validationOf(each),
      ...(fit.classWeight === undefined ? {} : { classWeight: fit.classWeight }),
    })
    expect(epoch).toEqual(Array.from({ length: fit.epochs }, (_, i) => i))
    expect(Object.keys(history).sort()).toEqual(Object.keys(each.history).sort())
    for (const [name, values] of Object.entries(each.history))
      expectNear(history[name]!, values, `history.${name}`, tolerance)

    const weights = model.getWeights()
    each.finalWeights.forEach((expected, i) => expectTensor(weights[i]!, expected, `final weights ${i}`, tolerance))
    expect(weights).toHaveLength(each.finalWeights.length)

    const evaluated = await model.evaluate(rowsOf(fit.x), rowsOf(fit.y), { batchSize: fit.batchSize, ...weighted })
    expect(Object.keys(evaluated).sort()).toEqual(Object.keys(each.evaluate).sort())
    for (const [name, value] of Object.entries(each.evaluate))
      expectNear([evaluated[name]!], [value], `evaluate.${name}`, tolerance)

    const [start] = fit.x.rows
    const first = rowsOf({ data: fit.x.data, rows: [start, start + 5] })
    expectTensor(
      await model.predict(first),
      each.predictions,
      'predictions',
      predictionToleranceOf(each.compile.optimizer),
    )
    expectTensor(
      model.predictOnBatch(first),
      each.predictions,
      'predictOnBatch',
      predictionToleranceOf(each.compile.optimizer),
    )
    model.dispose()
  })
})
