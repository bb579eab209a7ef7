// Temperature scaling: a single number, fitted on held-out data, that calibrates the confidence of a classifier.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, ShapeError, formatShape, internalError } from '../core/errors'
import { boolean, choice, configured, number, option, readOptions, required } from '../core/options'
import { sameShape } from '../core/shapes'
import { mapTree, type Tree } from '../core/tree'
import { Input } from '../layers/core/input-layer'
import { KEEPS } from '../layers/units'
import { isTableModel } from '../tables/is-table-model'
import { Model } from '../models/model'
import { dataFor } from '../tables/model-rows'
import type { ClassValue, TableModel } from '../tables/table-model'
import { softmax } from '../ops/nn/activations'
import { toTensor, type TensorLike } from '../ops/convert'
import { divide, log, log1p, maximum, negative, sigmoid, subtract } from '../ops/numpy/elementwise'
import { Tensor } from '../ops/tensor'
import { operandOf } from '../ops/trace'
import { Explained, explainTable, joinOutputs, logitsOf, nothing, type RowsOf } from './explained'
import { classesOf } from './labels'
import { tensorFrom } from './user-data'
import { ELEMENTWISE } from '../layers/forms'
import { Layer } from '../layers/layer'
import type { LayerTraits } from '../layers/traits'
import { buildSpecOf } from '../layers/weight-lists'
import { applyTree } from '../layers/applying'

/** The result of the fit. */
export interface TemperatureScaling {
  /** T. Above 1 the model was overconfident, below 1 underconfident. */
  readonly temperature: number
  /** The mean of −ln p(label), before and after scaling. */
  readonly before: number
  readonly after: number
  /**
   * softmax(z / T) for logits [rows, classes]; σ(z / T) for [rows] or [rows, 1], and for a sigmoid of several outputs.
   */
  apply(logits: TensorLike): Tensor
}

/** A temperature, and a model that applies it. */
export interface CalibratedModel<In = Tensor, Kind = Model<In, Tensor>> extends TemperatureScaling {
  /**
   * Outputs calibrated probabilities. It shares the layers of `model`, which is unchanged. For a TableModel, a TableModel
   * of the same table.
   */
  readonly model: Kind extends TableModel ? TableModel : Model<In, Tensor>
}

/** The smallest normal float32: below it, probabilities lose precision, and so do their logarithms. */
const SMALLEST = 2 ** -126

const TemperatureBase = configured(Layer<Tensor>, () => ({
  /** T. */
  temperature: required(number({ above: 0 })),
  /** The function from logits to probabilities: 'softmax' or 'sigmoid'. Default softmax. */
  activation: option(choice('softmax', 'sigmoid'), 'softmax'),
  /** Whether the input is logits instead of probabilities. Default false. */
  fromLogits: option(boolean, false),
}))

/**
 * Rescales probabilities to another temperature: softmax(z / T) or σ(z / T), where z are the logits of the incoming
 * probabilities. `temperatureScaling` appends this layer to a model. To load a file that contains it: `loadModel(file,
 * { customObjects: { Temperature } })`.
 */
export class Temperature extends TemperatureBase {
  static readonly className = 'Temperature'
  /** @internal */
  static override readonly traits: LayerTraits<Temperature> = {
    form: ELEMENTWISE,
    unitFlow: (layer) => (layer.activation === 'softmax' ? null : { ...KEEPS, scales: false }),
  }

  call(x: Tensor): Tensor {
    const { activation, temperature } = this
    // If the same trace computes the probabilities, their exact logits are known.
    const logits = this.fromLogits
      ? x
      : (operandOf(x, activation) ?? (activation === 'softmax' ? log(maximum(x, SMALLEST)) : logitOf(x)))
    const cooled = divide(logits, temperature)
    return activation === 'softmax' ? softmax(cooled) : sigmoid(cooled)
  }
}

/** ln(p / (1 − p)) */
function logitOf(p: Tensor): Tensor {
  return subtract(log(maximum(p, SMALLEST)), log1p(negative(p)))
}

/** The range of T: a model that classifies all rows correctly would have T = 0. */
const [COLDEST, HOTTEST] = [0.01, 100]

/**
 * Fits the temperature T that maximises the likelihood of the labels under softmax(z / T) (least mean of −ln p), where
 * z are a model's logits. The predicted class stays the same; only the confidence changes. Use rows that the model was
 * not trained on.
 *
 *   const { temperature, model: calibrated } = await temperatureScaling(model, xValidation, yValidation)
 *   const probabilities = await calibrated.predict(x)
 *
 * A TableModel takes rows of its table and the name of its target, and `calibrated` is a TableModel as well.
 *
 * A single output is the probability of class 1, σ(z / T); so is each output of a sigmoid of several, which share T. T
 * lies within 0.01 … 100.
 * @param model a model that ends in softmax, in sigmoid, or in logits; or the logits themselves, followed by the labels
 * @param labels class numbers [rows], or one-hot rows; for a sigmoid of several outputs 0 or 1 for each, [rows,
 * outputs]
 * @throws ArgumentError for a model with several outputs, and for numbers that are neither class probabilities nor
 * logits; DataError for a class that does not exist; ShapeError for shapes that do not fit
 * Guo et al. 2017, "On calibration of modern neural networks".
 */
export async function temperatureScaling<In, Kind extends Model<In>>(
  model: Kind & Model<In>,
  x: RowsOf<Kind, In>,
  labels: Kind extends TableModel ? TensorLike | readonly ClassValue[] | string : TensorLike,
): Promise<CalibratedModel<In, Kind>>
export async function temperatureScaling(logits: TensorLike, labels: TensorLike): Promise<TemperatureScaling>
export async function temperatureScaling(
  first: unknown,
  second: unknown,
  labels?: unknown,
): Promise<TemperatureScaling> {
  requireArguments('temperatureScaling', arguments, 3)
  if (!(first instanceof Model)) {
    const logits = matrix(tensorFrom(first, 'temperatureScaling: logits', 'float32'))
    return fitted(logits, logits.shape.length < 2 || logits.shape[1] === 1 ? 'sigmoid' : 'softmax', second)
  }
  if (labels === undefined) throw new ArgumentError('temperatureScaling: needs (model, x, labels), or (logits, labels)')
  if (isTableModel(first) && first.classNames === null)
    throw new ArgumentError(
      `temperatureScaling: ${first} predicts numbers, which have no confidence. It calibrates the probabilities of classes.`,
    )
  const data = await dataFor('temperatureScaling', first, second, labels)
  const { logits, activation, isProbable } = await logitsFrom(first, data.x)
  const scaling = fitted(logits, activation, data.y)
  const layer = new Temperature({ temperature: scaling.temperature, activation, fromLogits: !isProbable })
  const { inputs, outputs } = endsOf(first)
  const calibrated: CalibratedModel<unknown> = {
    ...scaling,
    model: modelLike(first, { inputs, outputs: layer.apply(outputs) }),
  }
  return calibrated
}

/** The symbols of a model's inputs and of its only output. A custom class gets new ones. */
function endsOf(model: Model): { readonly inputs: Tree<Tensor>; readonly outputs: Tensor } {
  const { graph } = model
  if (graph !== null) return { inputs: graph.inputs, outputs: onlySymbol(graph.outputs) }
  const inputs = mapTree(buildSpecOf(model)!, ({ shape, dtype }) => Input({ shape: shape.slice(1), dtype }))
  return { inputs, outputs: onlySymbol(applyTree(model, inputs, {})) }
}

function onlySymbol(outputs: Tree<Tensor>): Tensor {
  if (outputs instanceof Tensor) return outputs
  throw internalError('temperatureScaling: several outputs')
}

/** A model between these symbols. It has the class and the table of a TableModel, which is not imported: few bundles need it. */
function modelLike(model: Model, ends: { readonly inputs: unknown; readonly outputs: Tensor }): Model<unknown, Tensor> {
  if (!isTableModel(model)) return new Model(ends)
  const made: unknown = Reflect.construct(model.constructor, [{ ...ends, table: model.table }])
  if (made instanceof Model) return made
  throw internalError(`${String(model)} cannot be constructed from its table`)
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
  /** Whether the model outputs probabilities instead of logits. */
  readonly isProbable: boolean
}

/** The logits of a model's outputs. */
async function logitsFrom(model: Model, x: unknown): Promise<Logits> {
  const settings = readOptions('temperatureScaling', explainTable(), {})
  const explained = Explained.read('temperatureScaling', model, x, { ...settings, output: nothing }, 'numbers')
  const { width } = explained
  const parts: Tensor[][] = []
  for await (const range of explained.ranges(1)) {
    parts.push(
      explained.run('', explained.parametersOf(range), (symbols) => {
        const output = explained.onlyOutput(explained.call(explained.split(symbols).inputs))
        return [output, logitsOf(output)]
      }),
    )
  }
  const joined = joinOutputs(parts)
  const [outputs, logits] = [joined[0]!, joined[1]!]
  const isKnown = outputs.data.some((each: number, i) => each !== logits.data[i])
  const activation = width === 1 ? 'sigmoid' : 'softmax'
  if (!areProbabilities(outputs, width)) {
    if (isKnown) return { logits, activation: 'sigmoid', isProbable: true }
    if (!outputs.data.every((p: number) => p >= 0 && p <= 1)) return { logits: outputs, activation, isProbable: false }
    throw new ArgumentError(
      `temperatureScaling: the outputs of ${model} lie in 0 … 1, but rows do not sum to 1, so they are neither class probabilities nor clearly logits. Pass a model that ends in softmax, in sigmoid, or in logits; or use temperatureScaling(logits, labels)`,
    )
  }
  return {
    logits: isKnown
      ? logits
      : new Tensor(
          Float32Array.from(outputs.data, (p) => inverse(p, width)),
          outputs.shape,
          'float32',
        ),
    activation,
    isProbable: true,
  }
}

/** The logit of a probability, up to a constant that is the same for all classes. */
function inverse(p: number, width: number): number {
  const known = Math.min(1 - 2 ** -24, Math.max(SMALLEST, p))
  return width === 1 ? Math.log(known) - Math.log1p(-known) : Math.log(Math.max(SMALLEST, p))
}

/** Whether the rows can be outputs of a softmax, or single values outputs of a sigmoid. */
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

function fitted(logits: Tensor, activation: 'softmax' | 'sigmoid', labels: unknown): TemperatureScaling {
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
    apply: (values) => layer.apply(matrix(toTensor(values, 'temperatureScaling: logits', 'float32'))),
  }
}

/** 0 or 1 for each of several outputs, row by row. */
function eachOf(labels: unknown, { shape }: Tensor): Int32Array {
  const targets = tensorFrom(labels, 'temperatureScaling: labels')
  if (!sameShape(targets.shape, shape))
    throw new ShapeError(
      `temperatureScaling: labels must be 0 or 1 for each output of the sigmoid, ${formatShape(shape)}, received ${formatShape(targets.shape)}`,
    )
  const wrong = targets.data.findIndex((label: number) => label !== 0 && label !== 1)
  if (wrong >= 0)
    throw new DataError(
      `temperatureScaling: labels must be 0 or 1 for each output of the sigmoid, received ${targets.data[wrong]} in row ${Math.floor(wrong / shape[1]!)}`,
    )
  return Int32Array.from(targets.data)
}

interface Likelihood {
  /** The mean of ln Σ exp(βz) − βz_y. */
  readonly loss: number
  /** Its derivative with respect to β: the mean of Σ p z − z_y. */
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
