// From the state and the form of the data to a network as data: calls of classes with options. The worker makes the model
// of it, code.ts the text.

import type { Form } from '../data/form'
import type { State, TrainingSpec } from '../state/state'
import { KINDS, type LayerSpec } from './layers'

export type Value = number | string | boolean | Call | readonly Value[]
export interface Call {
  readonly className: string
  readonly options: Readonly<Record<string, Value>>
}

export interface Network {
  readonly inputShape: readonly number[]
  readonly layers: readonly Call[]
  readonly optimizer: Call
  readonly loss: Value
  readonly metrics: readonly string[]
  readonly batchSize: number
  readonly seed: number
  readonly device: TrainingSpec['device']
}

/** The number of epochs after which schedules end. */
const SCHEDULED_EPOCHS = 200

export function networkOf({ layers, training }: Pick<State, 'layers' | 'training'>, form: Form): Network {
  const hidden = hiddenCalls(layers, training, form)
  return {
    inputShape: form.inputShape,
    layers: [...(form.scale === null ? [] : [normalization(form.scale)]), ...hidden, outputCall(form)],
    optimizer: optimizerCall(training, form.trainRows),
    loss: lossOf(training, form),
    metrics: [form.task.kind === 'classes' ? 'accuracy' : 'meanAbsoluteError'],
    batchSize: training.batch,
    seed: training.seed,
    device: training.device,
  }
}

const normalization = ({ mean, variance }: NonNullable<Form['scale']>): Call => ({
  className: 'Normalization',
  options: { mean: mean.map(rounded), variance: variance.map(rounded) },
})
const rounded = (value: number): number => Number(value.toPrecision(6))

/** The layers, with a Flatten between an image and a layer without rows and columns. Spatial layers are left out if there is no image. */
function hiddenCalls(layers: readonly LayerSpec[], { l2 }: TrainingSpec, form: Form): Call[] {
  let shape = form.inputShape
  const flatten = (): Call[] => {
    if (shape.length === 1) return []
    shape = [shape.reduce((product, extent) => product * extent, 1)]
    return [{ className: 'Flatten', options: {} }]
  }
  const penalty: Record<string, Value> = l2 === 0 ? {} : { kernelRegularizer: { className: 'L2', options: { l2 } } }
  const calls = layers.flatMap(({ kind, values }): Call[] => {
    const { className, isSpatial } = KINDS[kind]
    if (isSpatial) {
      const [height = 1, width = 1, channels = 1] = shape
      const size = Number(values['kernelSize'] ?? values['poolSize'])
      // The image is smaller than the window.
      if (shape.length !== 3 || Math.min(height, width) < size) return []
      const isPool = kind === 'pool'
      shape = isPool
        ? [Math.floor(height / size), Math.floor(width / size), channels]
        : [height - size + 1, width - size + 1, Number(values['filters'])]
      return [{ className, options: isPool ? values : { ...values, ...penalty } }]
    }
    if (kind !== 'dense') return [{ className, options: values }]
    const before = flatten()
    shape = [Number(values['units'])]
    return [...before, { className, options: { ...values, ...penalty } }]
  })
  return [...calls, ...flatten()]
}

function outputCall({ task }: Form): Call {
  if (task.kind === 'number') return { className: 'Dense', options: { units: 1 } }
  const isBinary = task.names.length === 2
  return {
    className: 'Dense',
    options: isBinary ? { units: 1, activation: 'sigmoid' } : { units: task.names.length, activation: 'softmax' },
  }
}

function lossOf({ loss }: TrainingSpec, { task }: Form): Value {
  if (task.kind === 'number')
    return loss === 'absolute' ? 'meanAbsoluteError' : loss === 'huber' ? 'huber' : 'meanSquaredError'
  if (task.names.length > 2) return 'sparseCategoricalCrossentropy'
  return loss === 'focal' ? 'binaryFocalCrossentropy' : loss === 'squared' ? 'meanSquaredError' : 'binaryCrossentropy'
}

function optimizerCall({ optimizer, rate, schedule, batch }: TrainingSpec, rows: number): Call {
  const steps = Math.ceil(rows / batch) * SCHEDULED_EPOCHS
  const learningRate: Value =
    schedule === 'constant'
      ? rate
      : schedule === 'cosine'
        ? { className: 'CosineDecay', options: { initialLearningRate: rate, decaySteps: steps } }
        : {
            className: 'ExponentialDecay',
            options: { initialLearningRate: rate, decaySteps: steps / 10, decayRate: 0.7 },
          }
  const classes = { adam: 'Adam', sgd: 'SGD', momentum: 'SGD', rmsprop: 'RMSprop', adamw: 'AdamW', lion: 'Lion' }
  return {
    className: classes[optimizer],
    options: { learningRate, ...(optimizer === 'momentum' ? { momentum: 0.9, nesterov: true } : {}) },
  }
}
