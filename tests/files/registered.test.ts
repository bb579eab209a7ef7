// Every class that files can name: it is exported, and an object of it is saved and loaded. A class passes by being
// exported; one with required options needs a line in `needed`. Layers have a separate test: layers/contract.test.ts.
// modes: simd

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as myelin from '../../src'
import { getActivation } from '../../src/parts/activations'
import { classesIn, serialize, type Config, type Serialized } from '../../src/core/registry'
import { Conv1D, Dense, Sequential, loadModel, ops } from '../../src'
import type { InitializerIdentifier } from '../../src/parts/initializers'
import type { LossIdentifier } from '../../src/losses'
import type { MetricIdentifier } from '../../src/metrics'
import type { OptimizerIdentifier } from '../../src/optimizers/registry'
import { errorOf } from '../helpers/training'

/** A model of one layer, not trained. */
function modelOf(
  options: { loss?: LossIdentifier; metric?: MetricIdentifier; optimizer?: OptimizerIdentifier },
  layer: Dense | Conv1D = new Dense({ units: 2, inputShape: [2] }),
): Sequential {
  const model = new Sequential([layer], { name: 'one' })
  const { loss = 'mse', metric, optimizer = 'sgd' } = options
  model.compile({ loss, optimizer, metrics: metric === undefined ? null : [metric] })
  return model
}

const initialized = (kernelInitializer: InitializerIdentifier): Sequential =>
  modelOf({}, new Dense({ units: 2, inputShape: [2], kernelInitializer }))
const dense = (options: object): Sequential => modelOf({}, new Dense({ units: 2, inputShape: [2], ...options }))

const rising = (shape: readonly number[]) => ops.zeros(shape)
const spread = (w: myelin.Tensor) => ops.sum(w)
const symmetric = (w: myelin.Tensor) => w
const warmup = () => 0.1
const worst = (y: myelin.Tensor) => y
const customObjects = { rising, spread, symmetric, warmup, worst }

/** A family: its folder, its classes and a model with one of their objects. */
interface Family {
  readonly folder: string
  readonly classes: Readonly<Record<string, unknown>>
  model(object: never): Sequential
}

const scheduleNames = Object.keys(classesIn(myelin.schedules))
const optimizerClasses = Object.fromEntries(
  Object.entries(classesIn(myelin.optimizers)).filter(
    ([name]) => !scheduleNames.includes(name) && name !== 'ParameterGroup',
  ),
)
const families: readonly Family[] = [
  {
    folder: 'initializers',
    classes: classesIn(myelin.initializers),
    model: (own: myelin.Initializer) =>
      own instanceof myelin.initializers.STFT
        ? modelOf({}, new Conv1D({ filters: 2, kernelSize: 2, inputShape: [4, 1], kernelInitializer: own }))
        : initialized(own),
  },
  {
    folder: 'regularizers',
    classes: classesIn(myelin.regularizers),
    model: (kernelRegularizer) => dense({ kernelRegularizer }),
  },
  {
    folder: 'constraints',
    classes: classesIn(myelin.constraints),
    model: (kernelConstraint) => dense({ kernelConstraint }),
  },
  { folder: 'losses', classes: classesIn(myelin.losses), model: (loss) => modelOf({ loss }) },
  { folder: 'metrics', classes: classesIn(myelin.metrics), model: (metric) => modelOf({ metric }) },
  { folder: 'optimizers', classes: optimizerClasses, model: (optimizer) => modelOf({ optimizer }) },
  {
    folder: 'optimizers',
    classes: classesIn(myelin.schedules),
    model: (learningRate) => modelOf({ optimizer: new myelin.SGD({ learningRate }) }),
  },
]

const decay = { initialLearningRate: 0.1, decaySteps: 10 }
const counted = { numClasses: 2 }
/** The required options of the classes that have some. */
const needed: Readonly<Record<string, object>> = {
  LambdaInitializer: { initializer: rising },
  LambdaRegularizer: { regularizer: spread },
  LambdaConstraint: { constraint: symmetric },
  LambdaSchedule: { schedule: warmup },
  MeanMetricWrapper: { fn: worst },
  ConfusionMatrix: counted,
  MeanIoU: counted,
  OneHotMeanIoU: counted,
  IoU: { ...counted, targetClassIds: [0] },
  OneHotIoU: { ...counted, targetClassIds: [0] },
  PrecisionAtRecall: { recall: 0.5 },
  RecallAtPrecision: { precision: 0.5 },
  SensitivityAtSpecificity: { specificity: 0.5 },
  SpecificityAtSensitivity: { sensitivity: 0.5 },
  LossScaleOptimizer: { innerOptimizer: 'adam' },
  MultiOptimizer: { optimizers: [['adam', 'kernel'], ['sgd']] },
  CosineDecay: decay,
  PolynomialDecay: decay,
  ExponentialDecay: { ...decay, decayRate: 0.5 },
  InverseTimeDecay: { ...decay, decayRate: 0.5 },
  CosineDecayRestarts: { initialLearningRate: 0.1, firstDecaySteps: 10 },
  OneCycle: { maxLearningRate: 0.1, totalSteps: 10 },
  PiecewiseConstantDecay: { boundaries: [1], values: [0.1, 0.2] },
}

type AnyClass = new (options: object) => { getConfig(): Config }

const rows = families.flatMap(({ folder, classes, model }) =>
  Object.entries(classes).map(([name, own]) => ({ folder, name, own: own as AnyClass, model })),
)

describe.each(rows)('$folder: $name', ({ name, own, model }) => {
  it('is saved and loaded', async () => {
    const saved: Serialized = serialize(new own(needed[name] ?? {}))
    expect(saved.className).toBe(name)
    const made = myelin.customObjectScope(customObjects, () => new own(saved.config))
    const original = model(made as never)
    const text = JSON.stringify(original)
    const loaded = await loadModel(await original.save(), { customObjects })
    expect(JSON.stringify(loaded)).toBe(text)
    expect(await loaded.save()).toEqual(await original.save())
  })
})

it('every activation is saved and loaded', async () => {
  const { message } = await errorOf(async () => getActivation('no activation has this name'))
  const names = /Known: (.*)$/.exec(message)![1]!.split(', ')
  expect(names).toContain('hardSilu')
  for (const name of names) {
    const model = dense({ activation: name })
    const loaded = await loadModel(await model.save())
    expect(JSON.stringify(loaded)).toBe(JSON.stringify(model))
  }
})

describe('every class with a name for files is exported', () => {
  const folders = [...new Set(families.map(({ folder }) => folder)), 'layers']
  it.each(folders)('%s', async (folder) => {
    const place = ['initializers', 'regularizers', 'constraints'].includes(folder) ? `parts/${folder}` : folder
    const files = readdirSync(new URL(`../../src/${place}`, import.meta.url), { recursive: true, encoding: 'utf8' })
    const modules: object[] = await Promise.all(
      files
        .filter((file) => file.endsWith('.ts'))
        .map(
          (file) => import(/* @vite-ignore */ `../../src/${place}/${file.replaceAll('\\', '/')}`) as Promise<object>,
        ),
    )
    const declared = new Set(modules.flatMap((module) => Object.keys(classesIn(module))))
    const exported = Object.keys(classesIn(Reflect.get(myelin, folder) as object))
    // What ops record is no layer that users make.
    expect([...declared].filter((name) => name !== 'Operation').sort()).toEqual(exported.sort())
  })
})
