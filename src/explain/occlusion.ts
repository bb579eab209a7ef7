// Occlusion: how much the output falls when a window of the input is replaced by a baseline.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, formatShape, quoted } from '../core/errors'
import { custom, nullable, option, readOptions } from '../core/options'
import { sizeOf } from '../core/shapes'
import type { Model } from '../models/model'
import { requireInteger, requireIntegers } from '../ops/arguments'
import { greater, where as choose } from '../ops/numpy/elementwise'
import { expandDims, reshape } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import {
  Explained,
  baselineTable,
  copiesOf,
  explainTable,
  rowsOf,
  vector,
  type AnswerOf,
  type BaselineOf,
  type ExplainOptions,
  type Explanation,
  type ReferenceOf,
  type RowsOf,
} from './explained'

export interface OcclusionOptions<In = Tensor, Out = Tensor, Reference = BaselineOf<In>> extends ExplainOptions<Out> {
  /**
   * The size of the window, one number or one per axis. It moves along the features of a vector [features], the steps
   * of a sequence [steps, features], the rows and columns of an image [rows, columns, channels]. All channels or
   * features of a place are replaced together. Default 1.
   */
  readonly window?: number | readonly number[]
  /** The step of the window, one number or one per axis. Default 1. */
  readonly stride?: number | readonly number[]
  /** The replacement. Default 0. For a table, rows of it; default the means of numbers, and no category. */
  readonly baseline?: Reference | null
}

const extents = custom<readonly number[] | number>(
  (value, where) => (Array.isArray(value) ? requireIntegers(where, value, 1) : requireInteger(where, value, 1)),
  () => null,
)
const table = () =>
  merged(explainTable(), baselineTable(), {
    window: option(extents, 1),
    stride: option(nullable(extents), null),
  })

/** The most elements that the masks of one run may have. */
const LARGEST = 2 ** 22

/** A block of places of a row: its start and end along each axis. */
interface Window {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** The axes of a row along which a window moves: all but the last, or the only axis of a vector. */
function placesOf(row: readonly number[]): readonly number[] {
  return row.length > 1 ? row.slice(0, -1) : row
}

function perAxis(
  explained: Explained,
  i: number,
  name: string,
  extents: number | readonly number[],
): readonly number[] {
  const axes = placesOf(explained.rowShape(i))
  const sizes = typeof extents === 'number' ? axes.map(() => extents) : extents
  if (sizes.length === axes.length) return sizes
  const row = formatShape(explained.rowShape(i))
  throw new ArgumentError(
    `occlusion: ${name} must be one size, or ${axes.length} of them for rows of shape ${row} of ${explained.nameOf(i)}, received ${quoted(extents)}`,
  )
}

/** All positions of a window; the last along an axis may be truncated. */
function windowsIn(axes: readonly number[], sizes: readonly number[], strides: readonly number[]): Window[] {
  let found: Window[] = [{ starts: [], ends: [] }]
  axes.forEach((extent, axis) => {
    const [size, stride] = [Math.min(sizes[axis]!, extent), strides[axis]!]
    const count = Math.ceil((extent - size) / stride) + 1
    found = found.flatMap(({ starts, ends }) =>
      Array.from({ length: count }, (_, i) => ({
        starts: [...starts, i * stride],
        ends: [...ends, Math.min(i * stride + size, extent)],
      })),
    )
  })
  return found
}

/** Calls `visit` with the index of each place within a window, counted in row-major order. */
function visitPlaces(axes: readonly number[], { starts, ends }: Window, visit: (place: number) => void): void {
  const walk = (axis: number, at: number): void => {
    if (axis === axes.length) return visit(at)
    for (let i = starts[axis]!; i < ends[axis]!; i++) walk(axis + 1, at * axes[axis]! + i)
  }
  walk(0, 0)
}

/**
 * How much the output falls when a window is replaced by a baseline: f(x) − f(x replaced), averaged over the windows
 * that contain an element. Needs no gradients, so it works for every model and input, including integers.
 *
 *   const { attributions } = await occlusion(model, images, { window: 4, stride: 2 })
 *
 * Each window costs one row of prediction. Several inputs are replaced one at a time. A TableModel takes rows of its table, and its
 * columns are replaced one at a time, each with all numbers that it is encoded by:
 *
 *   const { attributions } = await occlusion(model, rows, { baseline: rows[0] })   // { age: Tensor [rows], … }
 *
 * @throws ArgumentError for windows that do not fit the axes, and for a unit that does not exist; ShapeError for a
 * baseline that does not fit
 * Zeiler & Fergus 2013. Captum: `Occlusion`.
 */
export async function occlusion<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  x: RowsOf<Kind, In>,
  options: OcclusionOptions<In, Out, ReferenceOf<Kind, In>> = {},
): Promise<Explanation<AnswerOf<Kind, In>>> {
  requireArguments('occlusion', arguments, 3)
  const { window, stride, baseline, ...settings } = readOptions('occlusion', table(), options)
  const explained = await Explained.of('occlusion', model, x, settings, 'without gradients')
  const { columns } = explained
  if (columns !== null && (window !== 1 || (stride ?? 1) !== 1))
    throw new ArgumentError(
      `occlusion: ${model} is explained by its columns, each replaced by itself, so window and stride must be left out, received ${quoted(window !== 1 ? window : stride)}`,
    )
  const bases = await explained.readBaselines('baseline', baseline, [1, explained.size])
  const value = new Float32Array(explained.size)
  for await (const { start, count } of explained.ranges(1)) {
    const [scores] = explained.run('', explained.parametersOf({ start, count }), (symbols) => {
      const { units, inputs } = explained.split(symbols)
      return [explained.score(explained.call(inputs), units)]
    })
    value.set(scores!.data, start)
  }
  const attributions: Tensor[] = []
  if (columns !== null) {
    // A window covers all numbers of a column, so each of these numbers has the fall of the whole column.
    const windows = columns.map(({ start, end }) => ({ starts: [start], ends: [end] }))
    const falls = await coverAll(explained, 0, bases[0]!, value, windows)
    const [, width] = falls.shape
    const firsts = columns.map(({ start, end }) =>
      vector(
        Float32Array.from({ length: explained.size }, (_, row) =>
          start === end ? 0 : falls.data[row * width! + start]!,
        ),
      ),
    )
    return { attributions: explained.columnTree(firsts), value: vector(value), units: explained.units }
  }
  for (let i = 0; i < explained.inputs.length; i++) {
    const sizes = perAxis(explained, i, 'window', window)
    const strides = perAxis(explained, i, 'stride', stride ?? 1)
    const windows = windowsIn(placesOf(explained.rowShape(i)), sizes, strides)
    attributions.push(await coverAll(explained, i, bases[i]!, value, windows))
  }
  return { attributions: explained.treeOf(attributions), value: vector(value), units: explained.units }
}

async function coverAll(
  explained: Explained,
  i: number,
  base: Tensor,
  value: Float32Array,
  windows: readonly Window[],
): Promise<Tensor> {
  const row = explained.rowShape(i)
  const axes = placesOf(row)
  const places = sizeOf(axes)
  const together = Math.max(
    1,
    Math.min(windows.length, explained.settings.batchSize, Math.floor(LARGEST / Math.max(1, sizeOf(row)))),
  )
  const falls = new Float64Array(explained.size * places)
  const covers = new Float64Array(places)
  for (const window of windows) visitPlaces(axes, window, (place) => covers[place]!++)
  for (let first = 0; first < windows.length; first += together) {
    const some = windows.slice(first, first + together)
    const masks = new Float32Array(some.length * places)
    some.forEach((window, k) => visitPlaces(axes, window, (place) => (masks[k * places + place] = 1)))
    const mask = new Tensor(masks, [some.length, 1, ...axes, ...row.slice(axes.length).map(() => 1)], 'float32')
    for await (const range of explained.ranges(some.length)) {
      const { start, count } = range
      const parameters = [
        ...explained.parametersOf(range),
        mask,
        base.shape[0] === 1 ? base : rowsOf(base, start, count),
      ]
      const [scores] = explained.run(`cover ${i}`, parameters, (symbols) => {
        const { units, inputs, rest } = explained.split(symbols)
        const [mask, base] = [rest[0]!, rest[1]!]
        const covered = choose(greater(mask, 0), expandDims(base, 0), expandDims(inputs[i]!, 0))
        const variants = inputs.map((input, at) =>
          at === i ? reshape(covered, [some.length * count, ...row]) : copiesOf(input, some.length),
        )
        return [explained.score(explained.call(variants), units === null ? null : copiesOf(units, some.length))]
      })
      some.forEach((window, k) => {
        for (let r = 0; r < count; r++) {
          const fall = value[start + r]! - scores!.data[k * count + r]!
          visitPlaces(axes, window, (place) => (falls[(start + r) * places + place]! += fall))
        }
      })
    }
  }
  // A stride larger than the window leaves places that no window contains.
  const each = places === 0 ? 0 : sizeOf(row) / places
  const data = Float32Array.from({ length: explained.size * places * each }, (_, at) => {
    const place = Math.floor(at / each)
    const count = covers[place % places]!
    return count === 0 ? 0 : falls[place]! / count
  })
  return new Tensor(data, [explained.size, ...row], 'float32')
}
