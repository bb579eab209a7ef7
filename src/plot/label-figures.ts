// The figures of an energy label: how good a model is, and what it costs on this machine. energy-label.ts draws them.

import { ArgumentError, DataError, MyelinError } from '../core/errors'
import { takeRows } from '../data/samples/rows'
import { classesOf, largestIn } from '../explain/labels'
import { expectedCalibrationError } from '../explain/reliability'
import { kernelShap } from '../explain/shapley'
import type { Model } from '../models/model'
import { toTensor } from '../ops/convert'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import type { Figure, Footprint } from '../thrift/figures'
import { monitored } from '../thrift/monitored'
import { countDeadUnits } from '../thrift/prune-units'
import { gatherFor } from '../tables/model-rows'
import type { GatheredRows } from '../training/gathered'
import { rowsForTiming, timedInTurn } from '../thrift/timing'
import { attributionRows } from './contributions'

/** How good the answers are. */
export interface LabelQuality {
  /** 'accuracy' for a classifier; otherwise the first metric of the model, or its loss. */
  readonly name: string
  readonly value: number
  /** The 95 % interval of Wilson; null unless it is an accuracy. */
  readonly interval: readonly [low: number, high: number] | null
}

/** How good a model is, and what it costs. */
export interface LabelFigures {
  readonly model: string
  /** The number of rows on which it was measured. */
  readonly rows: number
  readonly quality: LabelQuality
  /** The expected calibration error of its probabilities; null if it has none. */
  readonly calibrationError: number | null
  /** Of one answer of a prediction of `batchSize` rows: the median on this machine. */
  readonly answer: { readonly batchSize: number; readonly seconds: Figure; readonly joules: Figure }
  /** The energy that `fit` used; null if it is not known. */
  readonly training: { readonly seconds: Figure; readonly joules: Figure } | null
  /** The bytes of the file, without the optimizer. */
  readonly bytes: number
  readonly parameters: number
  /** The hidden units, and how many of them are 0 for every row; null if they cannot be measured. */
  readonly units: { readonly all: number; readonly dead: number } | null
  /** The contributions of the features to one answer; null without names of features. */
  readonly why: {
    readonly row: number
    readonly contributions: readonly { readonly name: string; readonly value: number }[]
    readonly answer: number
    readonly average: number
  } | null
}

/** The options of `energyLabel` that the measurements need. */
export interface LabelRequest {
  readonly x: unknown
  readonly y: unknown
  readonly training: Footprint | null
  readonly names: readonly string[] | null
  readonly row: number
  readonly batchSize: number
  readonly seconds: number
  readonly signal: AbortSignal | null
}

const WHERE = 'energyLabel'
/** Rows that stand for absent features. */
const BACKGROUND = 50
/** Two-sided 95 % of the normal distribution. */
const Z = 1.959964

/**
 * The interval of a share, of Wilson 1927: (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n) with z = 1.96. Unlike p ± z · s,
 * it stays in 0 … 1 and is not empty at both ends.
 */
export function wilson(right: number, all: number): readonly [low: number, high: number] {
  const [p, square] = [right / all, Z * Z]
  const middle = p + square / (2 * all)
  const half = Z * Math.sqrt((p * (1 - p)) / all + square / (4 * all * all))
  return [Math.max(0, (middle - half) / (1 + square / all)), Math.min(1, (middle + half) / (1 + square / all))]
}

type Any = Model<unknown, unknown>

/** Measures all figures on the rows of the request and on this machine. */
export async function labelFigures(model: Any, request: LabelRequest): Promise<LabelFigures> {
  const { training, batchSize, seconds, signal } = request
  const rows = await gatherFor(model, request.x, request.y, { where: WHERE, needsTargets: true, signal })
  const aborts = signal === null ? {} : { signal }
  const outputs: unknown = await model.predict(rows.x, { verbose: 0, ...aborts })
  const classified = classesIn(outputs, rows.y)
  const quality = classified === null ? await evaluated(model, rows, signal) : accuracyOf(classified)
  const probabilities =
    classified !== null && classified.outputs.data.every((p: number) => p >= 0 && p <= 1 + 1e-4) ? classified : null
  const timed = rowsForTiming(rows, batchSize)
  const [timing] = await timedInTurn([() => model.predictOnBatch(timed)], seconds, signal)
  const { how } = timing!
  const from = how === 'measured' ? 'RAPL: whole processors' : 'CPU seconds × 12 W, and memory'
  const dead = await countDeadUnits(model, rows.x, { batchSize: 256, signal })
  const { length: bytes } = await model.save(undefined, { includeOptimizer: false })
  return {
    model: model.name,
    rows: rows.size,
    quality,
    calibrationError:
      probabilities === null ? null : expectedCalibrationError(probabilities.outputs, probabilities.classes),
    answer: {
      batchSize,
      seconds: { value: timing!.seconds / batchSize, unit: 's', how: 'measured', from: 'the clock' },
      joules: { value: timing!.joules / batchSize, unit: 'J', how, from },
    },
    training: training === null ? null : { seconds: training.seconds, joules: training.joules },
    bytes,
    parameters: model.countParams(),
    units: dead === null ? null : { all: dead.units, dead: dead.dead },
    why: request.names === null ? null : await whyOf(model, rows, { ...request, names: request.names }),
  }
}

interface Classified {
  readonly outputs: Tensor
  readonly classes: Int32Array
}

/** The true classes of a classifier's outputs; null if the targets are not classes. */
function classesIn(outputs: unknown, targets: GatheredRows['y']): Classified | null {
  if (!(outputs instanceof Tensor) || outputs.rank > 2 || !(targets instanceof Tensor)) return null
  const [, width = 1] = outputs.shape
  const isShare = (value: number): boolean => value >= 0 && value <= 1
  // Numbers that are not between 0 and 1 are not the probability of a class.
  if (width === 1 && !outputs.data.every(isShare)) return null
  try {
    if (width > 1 && targets.shape[1] === width && !isOneHot(targets.data, width)) return null
    return { outputs, classes: classesOf(WHERE, targets, outputs) }
  } catch (error) {
    if (error instanceof MyelinError) return null
    throw error
  }
}

function isOneHot(data: ArrayLike<number>, width: number): boolean {
  for (let start = 0; start < data.length; start += width) {
    let ones = 0
    for (let i = start; i < start + width; i++) {
      if (data[i] === 1) ones++
      else if (data[i] !== 0) return false
    }
    if (ones !== 1) return false
  }
  return true
}

function accuracyOf({ outputs: { data, shape }, classes }: Classified): LabelQuality {
  const [rows = 0, width = 1] = shape
  let right = 0
  for (let row = 0; row < rows; row++) {
    const answer = width > 1 ? largestIn(data, row * width, width) : Number(data[row]! >= 0.5)
    if (answer === classes[row]) right++
  }
  return { name: 'accuracy', value: right / rows, interval: wilson(right, rows) }
}

async function evaluated(model: Any, { x, y }: GatheredRows, signal: AbortSignal | null): Promise<LabelQuality> {
  const logs = await model.evaluate(x, y, signal === null ? {} : { signal })
  const { name, value } = monitored(logs, { where: WHERE, monitor: null, mode: 'auto' })
  return { name, value, interval: null }
}

/** The Shapley values of one row, relative to other rows of x. */
async function whyOf(
  model: Any,
  { x, size }: GatheredRows,
  { row, names, signal }: Pick<LabelRequest, 'row' | 'signal'> & { readonly names: readonly string[] },
): Promise<LabelFigures['why']> {
  if (!(x instanceof Tensor) || x instanceof StringTensor || x.rank !== 2)
    throw new ArgumentError(`${WHERE}: names are those of the features of x [rows, features]. Leave them out.`)
  if (row >= size) throw new DataError(`${WHERE}: row must be in 0 … ${size - 1}, received ${row}`)
  const all = toTensor(x, `${WHERE}: x`, 'float32')
  const step = Math.max(1, Math.floor(size / BACKGROUND))
  const others = Array.from({ length: Math.min(size, BACKGROUND) }, (_, i) => i * step)
  const found = await kernelShap(model, takeRows(all, [row]), {
    background: takeRows(all, others),
    seed: 0,
    ...(signal === null ? {} : { signal }),
  })
  const { at } = attributionRows(WHERE, found.attributions, names)
  return {
    row,
    contributions: names.map((name, i) => ({ name, value: at(0, i) })),
    answer: found.value.data[0]!,
    average: found.baseValue.data[0]!,
  }
}
