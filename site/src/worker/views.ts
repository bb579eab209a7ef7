// The parts of a frame: the answers of a model in the plane, the confusion of classes, its units and weights.

import { Model, tensor, type Layer, type Tensor } from 'myelin'
import { sizeOf, type DataSet } from '../data/form'
import { PLANE } from '../data/points'
import { classNameOf } from './build'
import type { Surface, UnitState, UnitsOfLayer, WeightsOf } from './protocol'
import { xOf } from './run'

const SURFACE_SIDE = 72
const UNIT_SIDE = 28
/** The number of units of a layer that are shown. */
const MOST_UNITS = 32
/** The number of rows on which units are observed. */
const MOST_ROWS = 256
/** The number of test rows whose answers are shown. */
const SHOWN_ANSWERS = 35
/** The number of images in the mean of those that excite a unit most. */
const MOST_EXCITING = 8

function grid(side: number): Tensor {
  const at = (i: number): number => PLANE.low + ((i + 0.5) / side) * (PLANE.high - PLANE.low)
  const points = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const point = i >> 1
    return i % 2 === 0 ? at(point % side) : at(Math.floor(point / side))
  })
  return tensor(points, [side * side, 2])
}
const surfaceGrid = grid(SURFACE_SIDE)
const unitGrid = grid(UNIT_SIDE)

export async function surfaceOf(model: Model): Promise<Surface> {
  const answers = await model.predict(surfaceGrid, { batchSize: 1024, verbose: 0 })
  return { side: SURFACE_SIDE, width: answers.size / SURFACE_SIDE ** 2, values: Float32Array.from(answers.data) }
}

/** The largest class, or class 1 above one half. */
export function classesOf(answers: Tensor): number[] {
  const [rows = 0] = answers.shape
  const width = answers.size / rows
  return Array.from({ length: rows }, (_, row) => {
    if (width === 1) return Number(answers.data[row]! > 0.5)
    let best = 0
    for (let i = 1; i < width; i++) if (answers.data[row * width + i]! > answers.data[row * width + best]!) best = i
    return best
  })
}

/** The confusion matrix, and the answers for the first test rows. */
export async function confusionOf(
  model: Model,
  { form, test }: DataSet,
): Promise<{ readonly confusion: number[]; readonly answers: number[] } | null> {
  if (form.task.kind !== 'classes') return null
  const classes = form.task.names.length
  const counts = Array.from({ length: classes ** 2 }, () => 0)
  const answers = await model.predict(xOf(test, form.inputShape), { batchSize: 256, verbose: 0 })
  const found = classesOf(answers)
  found.forEach((each, row) => counts[test.y[row]! * classes + each]!++)
  return { confusion: counts, answers: found.slice(0, SHOWN_ANSWERS) }
}

/** The hidden layers that make units. */
export function unitLayers(model: Model): Layer[] {
  return model.layers
    .slice(0, -1)
    .filter((layer) => layer.trainableWeights.length > 0 && /^(Dense|Conv)/.test(classNameOf(layer)))
}

const observers = new WeakMap<Model, Model<Tensor, Tensor[]>>()

function observerOf(model: Model, layers: readonly Layer[]): Model<Tensor, Tensor[]> {
  let observer = observers.get(model)
  if (observer === undefined) {
    observer = new Model<Tensor, Tensor[]>({
      inputs: model.input,
      outputs: layers.map((layer) => layer.output) as Tensor[],
    })
    observers.set(model, observer)
  }
  return observer
}

/** The mean over rows and columns of images: [rows, units]. */
function perUnit({ data, shape }: Tensor): {
  readonly values: Float32Array
  readonly rows: number
  readonly units: number
} {
  const rows = shape[0]!
  const units = shape.at(-1)!
  const places = data.length / rows / units
  if (places === 1) return { values: Float32Array.from(data), rows, units }
  const values = new Float32Array(rows * units)
  for (let i = 0; i < data.length; i++) {
    const unit = i % units
    values[Math.floor(i / (places * units)) * units + unit]! += data[i]! / places
  }
  return { values, rows, units }
}

export async function unitsOf(model: Model, { form, train }: DataSet): Promise<UnitsOfLayer[]> {
  const layers = unitLayers(model)
  if (layers.length === 0) return []
  const observer = observerOf(model, layers)
  const width = sizeOf(form.inputShape)
  const rows = Math.min(MOST_ROWS, train.rows)
  const x = train.x.subarray(0, rows * width)
  const observed = await observer.predict(xOf({ x, y: train.y, rows }, form.inputShape), { batchSize: 256, verbose: 0 })
  const mapped = form.kind === 'plane' ? await observer.predict(unitGrid, { batchSize: 1024, verbose: 0 }) : null
  return layers.map((layer, i) => {
    const { values, units } = perUnit(observed[i]!)
    const count = Math.min(units, MOST_UNITS)
    const [responses, size] =
      mapped !== null
        ? [transposed(mapped[i]!, count), UNIT_SIDE ** 2]
        : form.kind === 'image'
          ? [excitingImages(values, units, count, x, form.inputShape), form.inputShape[0]! * form.inputShape[1]!]
          : [correlations(values, units, count, x, width), width]
    const states = statesOf(layer, observed[i]!).slice(0, count)
    return { layer: layer.name, className: classNameOf(layer), count: units, states, responses, size }
  })
}

/** [points, units] → [count, points] */
function transposed({ data, shape }: Tensor, count: number): Float32Array {
  const [points = 0, units = 0] = shape
  return Float32Array.from({ length: count * points }, (_, i) => data[(i % points) * units + Math.floor(i / points)]!)
}

/** The mean of the images that excite each unit the most, in grey. */
function excitingImages(
  activity: Float32Array,
  units: number,
  count: number,
  x: Float32Array,
  [height = 1, width = 1, channels = 1]: readonly number[],
): Float32Array {
  const rows = activity.length / units
  const size = height * width
  const all = new Float32Array(count * size)
  for (let unit = 0; unit < count; unit++) {
    const best = Array.from({ length: rows }, (_, row) => row)
      .filter((row) => activity[row * units + unit] !== 0)
      .sort((a, b) => activity[b * units + unit]! - activity[a * units + unit]!)
      .slice(0, MOST_EXCITING)
    for (const row of best)
      for (let i = 0; i < size * channels; i++)
        all[unit * size + Math.floor(i / channels)]! += x[row * size * channels + i]! / best.length / channels
  }
  return all
}

/** The correlation of each unit with each column; 0 for a unit or a column that does not vary. */
function correlations(
  activity: Float32Array,
  units: number,
  count: number,
  x: Float32Array,
  width: number,
): Float32Array {
  const rows = activity.length / units
  const column = (values: Float32Array, stride: number, at: number): number[] => {
    const entries = Array.from({ length: rows }, (_, row) => values[row * stride + at]!)
    const mean = entries.reduce((sum, each) => sum + each, 0) / rows
    const norm = Math.sqrt(entries.reduce((sum, each) => sum + (each - mean) ** 2, 0)) || 1
    return entries.map((each) => (each - mean) / norm)
  }
  const columns = Array.from({ length: width }, (_, i) => column(x, width, i))
  return Float32Array.from(
    Array.from({ length: count }, (_, unit) => column(activity, units, unit)).flatMap((ofUnit) =>
      columns.map((each) => each.reduce((sum, value, row) => sum + value * ofUnit[row]!, 0)),
    ),
  )
}

/** As UnitHealth defines them: |h| below 1e-6 everywhere; nine tenths of the rows near a limit; a score of at most 0.025. */
function statesOf(layer: Layer, { data, shape }: Tensor): UnitState[] {
  const units = shape.at(-1)!
  const rows = data.length / units
  const { activation } = layer.getConfig() as { activation?: unknown }
  const middle = activation === 'sigmoid' ? 0.5 : 0
  const isLimited = activation === 'sigmoid' || activation === 'tanh'
  const [mean, peak, near] = [new Float64Array(units), new Float64Array(units), new Float64Array(units)]
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]!)
    const unit = i % units
    mean[unit]! += size / rows
    if (size > peak[unit]!) peak[unit] = size
    if (Math.abs(data[i]! - middle) > 0.9 * (1 - middle)) near[unit]! += 1 / rows
  }
  const average = mean.reduce((sum, each) => sum + each, 0) / units
  return Array.from(mean, (each, unit) => {
    if (peak[unit]! < 1e-6) return 'dead'
    if (isLimited && near[unit]! >= 0.9) return 'saturated'
    return each / average <= 0.025 ? 'dormant' : 'active'
  })
}

/** The kernels of all layers. */
export function weightsOf(model: Model): WeightsOf[] {
  return model.trainableWeights
    .filter(({ shape }) => shape.length >= 2)
    .map(({ name, shape, value }) => ({
      name: name.replace(/^model\//, ''),
      shape: [...shape],
      values: Float32Array.from(value.data),
    }))
}
