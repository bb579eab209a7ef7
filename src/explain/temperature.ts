// Temperature scaling: one number, fitted on data that the model was not trained on, that makes its confidence honest.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { boolean, choice, configured, number, option, required } from '../core/options'
import { sameShape } from '../core/shapes'
import { mapTree, typed } from '../core/tree'
import type { DataOf } from '../data/arrays'
import { ElementwiseLayer } from '../layers/core/elementwise-layer'
import { Input } from '../layers/core/input-layer'
import type { UnitFlow } from '../layers/units'
import { KEEPS } from '../layers/units'
import { Model } from '../models/model'
import { softmax } from '../ops/activations'
import { readTyped } from '../ops/arguments'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { divide, log, log1p, maximum, negative, sigmoid, subtract } from '../ops/elementwise'
import { Tensor } from '../ops/tensor'
import { operandOf } from '../ops/trace'
import { Explained, explainTable, joinRows, logitsOf, nothing } from './explained'
import { classesOf } from './labels'

/** What is fitted. */
export interface TemperatureScaling {
  /** T. Above 1 the model was too sure, below 1 not sure enough. */
  readonly temperature: number
  /** The mean of −ln p(label), before and after. */
  readonly before: number
  readonly after: number
  /** softmax(z / T) of logits [rows, classes]; σ(z / T) of [rows] or [rows, 1], and of those of a sigmoid of several outputs. */
  apply(logits: TensorLike): Tensor
}

/** The same with a model that applies it. */
export interface CalibratedModel<In = Tensor> extends TemperatureScaling {
  /** Gives calibrated probabilities. It shares the layers of the given model, which stays as it is. */
  readonly model: Model<In, Tensor>
}

/** The smallest float32 with all its digits: probabilities below have no logarithm that could be trusted. */
const SMALLEST = 2 ** -126

/**
 * Probabilities at another temperature: softmax(z / T) or σ(z / T), where z are the logits behind the probabilities that come in.
 * What `temperatureScaling` puts behind a model. A file with it is read by `loadModel(file, { customObjects: { Temperature } })`.
 */
export class Temperature extends configured(ElementwiseLayer, () => ({
  /** T. */
  temperature: required(number({ above: 0 })),
  /** What makes probabilities of logits: 'softmax' or 'sigmoid'. Default softmax. */
  activation: option(choice('softmax', 'sigmoid'), 'softmax'),
  /** Whether logits come in, not probabilities. Default false. */
  fromLogits: option(boolean, false),
})) {
  static readonly className = 'Temperature'

  call(x: Tensor): Tensor {
    const { activation, temperature } = this
    // Where the probabilities were made in the same step, their logits are known and exact.
    const logits = this.fromLogits
      ? x
      : (operandOf(x, activation) ?? (activation === 'softmax' ? log(maximum(x, SMALLEST)) : logitOf(x)))
    const cooled = divide(logits, temperature)
    return activation === 'softmax' ? softmax(cooled) : sigmoid(cooled)
  }

  override get unitFlow(): UnitFlow | null {
    return this.activation === 'softmax' ? null : KEEPS
  }
}

/** ln(p / (1 − p)) */
function logitOf(p: Tensor): Tensor {
  return subtract(log(maximum(p, SMALLEST)), log1p(negative(p)))
}

/** T within these: data that the model gets all right would have 0. */
const [COLDEST, HOTTEST] = [0.01, 100]

/**
 * Fits the temperature T that makes softmax(z / T) most probable for the labels (least mean of −ln p), where z are a model's
 * logits. Which class is the largest stays as it is; only the confidence changes. Use rows that the model was not trained on.
 *
 *   const { temperature, model: honest } = await temperatureScaling(model, xValidation, yValidation)
 *   const probabilities = await honest.predict(x)
 *
 * A single output is one of yes or no: σ(z / T); so is each output of a sigmoid of several, which then share T. T lies within
 * 0.01 … 100.
 * @param model one that ends in a softmax, a sigmoid, or in logits; or logits themselves, then the labels follow
 * @param labels class numbers [rows], or one-hot rows; of a sigmoid of several outputs 0 or 1 for each, [rows, outputs]
 * @throws ArgumentError for a model with several outputs, and for numbers that are neither probabilities of classes nor logits;
 *   DataError for a class that there is not; ShapeError for shapes that do not fit
 * Guo et al. 2017, "On calibration of modern neural networks".
 */
export async function temperatureScaling<In>(
  model: Model<In, Tensor>,
  x: DataOf<In>,
  labels: TensorLike,
): Promise<CalibratedModel<In>>
export async function temperatureScaling(logits: TensorLike, labels: TensorLike): Promise<TemperatureScaling>
export async function temperatureScaling(
  first: unknown,
  second: unknown,
  labels?: TensorLike,
): Promise<TemperatureScaling> {
  if (!(first instanceof Model)) {
    const logits = matrix(toTensor(first as TensorLike, 'temperatureScaling: logits', 'float32'))
    return fitted(
      logits,
      logits.shape.length < 2 || logits.shape[1] === 1 ? 'sigmoid' : 'softmax',
      second as TensorLike,
    )
  }
  if (labels === undefined) throw new ArgumentError('temperatureScaling: needs (model, x, labels), or (logits, labels)')
  const model = typed<Model<Tensor, Tensor>>(first)
  const { logits, activation, isProbable } = await logitsFrom(model, second)
  const scaling = fitted(logits, activation, labels)
  const layer = new Temperature({ temperature: scaling.temperature, activation, fromLogits: !isProbable })
  const inputs =
    model.graph === null
      ? mapTree(model.buildSpec!, ({ shape, dtype }) => Input({ shape: shape.slice(1), dtype }))
      : model.graph.inputs
  const outputs = layer.apply(
    model.graph === null ? typed<Tensor>(model.applyTree(inputs, {})) : typed<Tensor>(model.graph.outputs),
  )
  const calibrated: CalibratedModel<unknown> = {
    ...scaling,
    model: new Model({ inputs: typed<unknown>(inputs), outputs }),
  }
  return calibrated
}

function matrix(logits: Tensor): Tensor {
  if (logits.rank === 1 || logits.rank === 2) return logits
  throw new ShapeError(
    `temperatureScaling: logits must have shape [rows, classes], or [rows], received ${formatShape(logits.shape)}`,
  )
}

interface Logits {
  readonly logits: Tensor
  readonly activation: 'softmax' | 'sigmoid'
  /** Whether the model gives probabilities rather than logits. */
  readonly isProbable: boolean
}

/** What a model's probabilities are made of. */
async function logitsFrom(model: Model<Tensor, Tensor>, x: unknown): Promise<Logits> {
  const settings = readTyped('temperatureScaling', explainTable(), {})
  const explained = Explained.read('temperatureScaling', model, x, { ...settings, output: nothing }, 'numbers')
  const { width } = explained
  const parts: Tensor[][] = []
  for await (const range of explained.ranges(1)) {
    parts.push(
      explained.run('', explained.parametersOf(range), (symbols) => {
        const output = typed<Tensor>(explained.call(explained.split(symbols).inputs))
        return [output, logitsOf(output)]
      }),
    )
  }
  const [outputs, logits] = joinRows(parts) as [Tensor, Tensor]
  const isKnown = outputs.data.some((each: number, i) => each !== logits.data[i])
  const activation = width === 1 ? 'sigmoid' : 'softmax'
  if (!areProbabilities(outputs, width)) {
    if (isKnown) return { logits, activation: 'sigmoid', isProbable: true }
    if (!outputs.data.every((p: number) => p >= 0 && p <= 1)) return { logits: outputs, activation, isProbable: false }
    throw new ArgumentError(
      `temperatureScaling: the outputs of ${model} lie in 0 … 1, but rows do not sum to 1, so it is not known what they are. Possible: a model that ends in softmax, in sigmoid, or in logits; or temperatureScaling(logits, labels)`,
    )
  }
  return {
    logits: isKnown
      ? logits
      : new Tensor(outputs.data.map((p: number) => inverse(p, width)) as Float32Array, outputs.shape, 'float32'),
    activation,
    isProbable: true,
  }
}

/** The logit of a probability, up to what is the same for all classes. */
function inverse(p: number, width: number): number {
  const known = Math.min(1 - 2 ** -24, Math.max(SMALLEST, p))
  return width === 1 ? Math.log(known) - Math.log1p(-known) : Math.log(Math.max(SMALLEST, p))
}

/** Whether rows of numbers are such as a softmax gives, or single ones such as a sigmoid gives. */
function areProbabilities({ data }: Tensor, width: number): boolean {
  if (data.some((p: number) => !(p >= 0 && p <= 1))) return false
  if (width === 1) return true
  for (let row = 0; row < data.length; row += width) {
    let sum = 0
    for (let i = row; i < row + width; i++) sum += data[i]!
    if (Math.abs(sum - 1) > 1e-3) return false
  }
  return true
}

function fitted(logits: Tensor, activation: 'softmax' | 'sigmoid', labels: TensorLike): TemperatureScaling {
  const classes =
    activation === 'sigmoid' && logits.size !== logits.shape[0]
      ? eachOf(labels, logits)
      : classesOf('temperatureScaling', labels, logits)
  // σ(z) is the softmax of [0, z].
  const width = activation === 'sigmoid' ? 2 : logits.shape[1]!
  const z =
    activation === 'sigmoid'
      ? Float64Array.from({ length: 2 * classes.length }, (_, i) => (i % 2 === 0 ? 0 : logits.data[i >> 1]!))
      : Float64Array.from(logits.data)
  const at = (β: number): Likelihood => likelihood(z, width, classes, β)
  // −ln p is convex in β = 1 / T, so its slope is 0 in one place.
  let [low, high] = [1 / HOTTEST, 1 / COLDEST]
  if (at(low).slope >= 0) high = low
  else if (at(high).slope <= 0) low = high
  for (let turn = 0; turn < 60 && high / low > 1 + 1e-12; turn++) {
    const middle = Math.sqrt(low * high)
    if (at(middle).slope < 0) low = middle
    else high = middle
  }
  const β = Math.sqrt(low * high)
  const temperature = 1 / β
  const layer = new Temperature({ temperature, activation, fromLogits: true })
  return {
    temperature,
    before: at(1).loss,
    after: at(β).loss,
    apply: (given) => layer.apply(matrix(toTensor(given, 'temperatureScaling: logits', 'float32'))),
  }
}

/** Yes or no for each of several outputs, row by row. */
function eachOf(labels: TensorLike, { shape }: Tensor): Int32Array {
  const given = toTensor(labels, 'temperatureScaling: labels')
  if (!sameShape(given.shape, shape))
    throw new ShapeError(
      `temperatureScaling: labels must be 0 or 1 for each output of the sigmoid, ${formatShape(shape)}, received ${formatShape(given.shape)}`,
    )
  const wrong = given.data.findIndex((label: number) => label !== 0 && label !== 1)
  if (wrong >= 0)
    throw new DataError(
      `temperatureScaling: labels must be 0 or 1 for each output of the sigmoid, received ${given.data[wrong]} in row ${Math.floor(wrong / shape[1]!)}`,
    )
  return Int32Array.from(given.data)
}

interface Likelihood {
  /** The mean of ln Σ exp(βz) − βz_y. */
  readonly loss: number
  /** Its derivative by β: the mean of Σ p z − z_y. */
  readonly slope: number
}

function likelihood(z: Float64Array, width: number, classes: Int32Array, β: number): Likelihood {
  let [loss, slope] = [0, 0]
  classes.forEach((label, row) => {
    const start = row * width
    let largest = -Infinity
    for (let i = 0; i < width; i++) largest = Math.max(largest, z[start + i]!)
    let [sum, weighed] = [0, 0]
    for (let i = 0; i < width; i++) {
      const each = Math.exp(β * (z[start + i]! - largest))
      sum += each
      weighed += each * z[start + i]!
    }
    loss += Math.log(sum) + β * (largest - z[start + label]!)
    slope += weighed / sum - z[start + label]!
  })
  return { loss: loss / classes.length, slope: slope / classes.length }
}
