// The reference of each kernel as a plain loop: kernels are tested against it, and the interpreter runs it.
// Only the interpreter imports this file, so applications without it do not bundle the references. The function
// of an elementwise primitive is in its record, because the planner folds constants with it.

import { merged } from '../../core/merged'
import { TargetKind } from '../../../assembly/shared/opcodes'
import type { DType, NumericArray } from '../../core/dtypes'
import {
  broadcastStrides,
  forEachOffset,
  rowMajorStrides,
  splitAround,
  type Shape,
  type TensorType,
} from '../../core/shapes'
import { threefryUniform } from '../../core/threefry'
import type { AxesAttributes, AxisAttributes, NoAttributes, PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import { STRIP } from './contraction'
import { rowsOf } from './cross-entropy'
import type { Rules } from './'
import { fillingOf, placeOf } from './indexing'
import { concatStarts, padStart } from './movement'
import { routineOf } from './routine'
import { factorOf, squareOf, stateOf } from './special'
import type { RefContext } from './rule'
import { windowReferences } from './window-references'

/** Writes every element of every output. */
export type Reference<Attributes> = (context: RefContext<Attributes>) => void

type ReferenceName = {
  [Name in PrimitiveName]: Rules[Name] extends { readonly kind: 'kernel' | 'composed' } ? Name : never
}[PrimitiveName]

// a [… m,k] · b [… k,n] → out [… m,n]
function matmul({
  inputs: [a, b],
  outputs: [out],
  inputTypes: [aType, bType],
  outputTypes: [type],
}: RefContext<NoAttributes>): void {
  const m = type!.shape.at(-2)!

  const n = type!.shape.at(-1)!
  const k = aType!.shape[aType!.shape.length - 1]!
  const batch = type!.shape.slice(0, -2)
  const starts = (operand: TensorType): number[] => {
    const strides = rowMajorStrides(operand.shape)
    const offsets: number[] = []
    forEachOffset(batch, broadcastStrides(operand.shape.slice(0, -2), strides.slice(0, -2), batch), 0, (at) =>
      offsets.push(at),
    )
    return offsets
  }
  const aStarts = starts(aType!)
  const bStarts = starts(bType!)
  for (let i = 0; i < aStarts.length; i++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0
        for (let p = 0; p < k; p++) sum += a![aStarts[i]! + row * k + p]! * b![bStarts[i]! + p * n + column]!
        out![(i * m + row) * n + column] = sum
      }
    }
  }
}

/** The offsets of the elements of some axes, relative to the first one. */
function offsetsAlong(shape: Shape, axes: readonly number[]): number[] {
  const strides = rowMajorStrides(shape)
  const offsets: number[] = []
  forEachOffset(
    axes.map((axis) => shape[axis]!),
    axes.map((axis) => strides[axis]!),
    0,
    (at) => offsets.push(at),
  )
  return offsets
}

/** The result for an empty axis. */
type Start = number | { readonly [Type in Exclude<DType, 'int8' | 'string'>]: number }

// out [kept axes] = fold over the others
function reduction(
  { inputs: [x], outputs: [out], inputTypes: [type], attributes: { axes } }: RefContext<AxesAttributes>,
  start: Start,
  fold: (accumulator: number, x: number) => number,
  isMean = false,
): void {
  const { shape, dtype } = type!
  const folded = offsetsAlong(shape, axes)
  offsetsAlong(
    shape,
    shape.map((_, i) => i).filter((i) => !axes.includes(i)),
  ).forEach((at, i) => {
    let accumulator =
      typeof start === 'number' ? start : start[dtype === 'int8' || dtype === 'string' ? 'int32' : dtype]
    for (const offset of folded) accumulator = fold(accumulator, x![at + offset]!)
    out![i] = isMean ? accumulator / folded.length : accumulator
  })
}

function argReduction(
  { inputs: [x], outputs: [out], inputTypes: [type], attributes }: RefContext<AxisAttributes>,
  better: (candidate: number, best: number) => boolean,
): void {
  const { outer, axis, inner } = splitAround(type!.shape, attributes.axis)
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      let best = 0
      for (let a = 1; a < axis; a++) {
        const candidate = x![(i * axis + a) * inner + j]!
        const incumbent = x![(i * axis + best) * inner + j]!
        // The first NaN counts as the extreme.
        if (better(candidate, incumbent) || (Number.isNaN(candidate) && !Number.isNaN(incumbent))) best = a
      }
      out![i * inner + j] = best
    }
  }
}

// y of x − max x and Σ e^(x − max x)
function rowSoftmax(
  { inputs: [x], outputs: [out], inputTypes: [type] }: RefContext<NoAttributes>,
  finish: (shifted: number, sum: number) => number,
): void {
  const { outer: rows, axis: columns } = splitAround(type!.shape, type!.shape.length - 1)
  for (let row = 0; row < rows; row++) {
    const start = row * columns
    let max = -Infinity
    for (let i = start; i < start + columns; i++) max = Math.max(max, x![i]!)
    let sum = 0
    for (let i = start; i < start + columns; i++) sum += Math.exp(x![i]! - max)
    for (let i = start; i < start + columns; i++) out![i] = finish(x![i]! - max, sum)
  }
}

/** Target i of a row as a distribution; zeros for a class that does not exist. */
function targetAt(kind: TargetKind, targets: NumericArray, row: number, columns: number): (column: number) => number {
  if (kind === TargetKind.Distributions) return (column) => targets[row * columns + column]!
  return (column) => Number(targets[row] === column)
}

// x [rows, columns], t → loss [rows] = −Σ t ln p,  p [rows, columns] = softmax x
function crossEntropy(
  { inputs: [x, targets], outputs: [loss, p], inputTypes: [type] }: RefContext<NoAttributes>,
  kind: TargetKind,
): void {
  const { rows, columns } = rowsOf(type!.shape)
  for (let row = 0; row < rows; row++) {
    const start = row * columns
    const target = targetAt(kind, targets!, row, columns)
    let max = -Infinity
    for (let i = start; i < start + columns; i++) max = Math.max(max, x![i]!)
    let sum = 0
    for (let i = start; i < start + columns; i++) sum += Math.exp(x![i]! - max)
    let value = 0
    for (let i = 0; i < columns; i++) {
      const shifted = x![start + i]! - max
      if (kind === TargetKind.Distributions || target(i) !== 0) value -= target(i) * (shifted - Math.log(sum))
      p![start + i] = factorOf(Math.exp(shifted)) / sum
    }
    loss![row] = value
  }
}

// p [rows, columns], t, scale [rows] → dx [rows, columns] = (p Σt − t) scale
function crossEntropyGradient(
  { inputs: [p, targets, scale], outputs: [out], inputTypes: [type] }: RefContext<NoAttributes>,
  kind: TargetKind,
): void {
  const { rows, columns } = rowsOf(type!.shape)
  for (let row = 0; row < rows; row++) {
    const target = targetAt(kind, targets!, row, columns)
    let sum = 0
    for (let i = 0; i < columns; i++) sum += target(i)
    for (let i = 0; i < columns; i++) {
      const exists = kind === TargetKind.Distributions || sum !== 0
      out![row * columns + i] = exists ? (p![row * columns + i]! * sum - target(i)) * scale![row]! : 0
    }
  }
}

type References<Name extends keyof PrimitiveAttributes> = {
  readonly [Each in Name]: Reference<PrimitiveAttributes[Each]>
}

const otherReferences: References<Exclude<ReferenceName, keyof ReturnType<typeof windowReferences>>> = {
  // a [m,k] · b [n/8, k, 8] → [m,n]
  matmulStrips({ inputs: [a, b], outputs: [out], inputTypes: [aType], outputTypes: [type] }) {
    const n = type!.shape[1]!
    const k = aType!.shape[1]!
    out!.forEach((_, i) => {
      const [row, column] = [Math.floor(i / n), i % n]
      const strip = Math.floor(column / STRIP) * k * STRIP + (column % STRIP)
      let sum = 0
      for (let p = 0; p < k; p++) sum += a![row * k + p]! * b![strip + p * STRIP]!
      out![i] = sum
    })
  },

  matmul,
  routine: (context) => routineOf(context.attributes).reference(context),
  sum: (context) => {
    const wraps = context.inputTypes[0]!.dtype !== 'float32'
    reduction(context, 0, (sum, x) => (wraps ? (sum + x) | 0 : sum + x))
  },
  mean: (context) => reduction(context, 0, (sum, x) => sum + x, true),
  max: (context) => reduction(context, { float32: -Infinity, int32: -(2 ** 31), bool: 0 }, Math.max),
  min: (context) => reduction(context, { float32: Infinity, int32: 2 ** 31 - 1, bool: 1 }, Math.min),
  argMax: (context) => argReduction(context, (candidate, best) => candidate > best),
  argMin: (context) => argReduction(context, (candidate, best) => candidate < best),
  softmax: (context) => rowSoftmax(context, (shifted, sum) => Math.exp(shifted) / sum),
  logSoftmax: (context) => rowSoftmax(context, (shifted, sum) => shifted - Math.log(sum)),
  classCrossEntropy: (context) => crossEntropy(context, TargetKind.Classes),
  crossEntropy: (context) => crossEntropy(context, TargetKind.Distributions),
  classCrossEntropyGradient: (context) => crossEntropyGradient(context, TargetKind.Classes),
  crossEntropyGradient: (context) => crossEntropyGradient(context, TargetKind.Distributions),

  // input [outer, axis, inner], indices [count…] → out [outer, count…, inner]
  gather({ inputs: [x, indices], outputs: [out], inputTypes: [type], attributes }) {
    const { outer, axis, inner } = splitAround(type!.shape, attributes.axis)
    const filling = attributes.zeros === true ? 0 : fillingOf(type!.dtype)
    const count = indices!.length
    for (let i = 0; i < outer; i++) {
      for (let c = 0; c < count; c++) {
        const place = placeOf(indices![c]!, axis)
        for (let j = 0; j < inner; j++)
          out![(i * count + c) * inner + j] = place < 0 ? filling : x![(i * axis + place) * inner + j]!
      }
    }
  },

  // updates [outer, count…, inner], indices [count…] → out [outer, size, inner]
  scatterAdd({ inputs: [updates, indices], outputs: [out], outputTypes: [type], attributes }) {
    const { outer, axis, inner } = splitAround(type!.shape, attributes.axis)
    const count = indices!.length
    out!.fill(0)
    for (let i = 0; i < outer; i++) {
      for (let c = 0; c < count; c++) {
        const place = placeOf(indices![c]!, axis)
        if (place < 0) continue
        const to = (i * axis + place) * inner
        for (let j = 0; j < inner; j++) out![to + j] = out![to + j]! + updates![(i * count + c) * inner + j]!
      }
    }
  },

  concat({ inputs, outputs: [out], inputTypes, outputTypes: [type], attributes: { axis } }) {
    const starts = concatStarts(inputTypes, axis)
    const strides = rowMajorStrides(type!.shape)
    inputs.forEach((input, i) =>
      forEachOffset(inputTypes[i]!.shape, strides, starts[i]!, (at, index) => (out![at] = input[index]!)),
    )
  },

  pad({ inputs: [x], outputs: [out], inputTypes: [from], outputTypes: [to], attributes }) {
    const strides = rowMajorStrides(to!.shape)
    out!.fill(attributes.value)
    forEachOffset(from!.shape, strides, padStart(strides, attributes.before), (at, index) => (out![at] = x![index]!))
  },

  // out = base, and out[starts …] += block
  sliceAdd({ inputs: [base, block], outputs: [out], inputTypes: [to, from], attributes: { starts } }) {
    const strides = rowMajorStrides(to!.shape)
    out!.set(base!)
    forEachOffset(
      from!.shape,
      strides,
      padStart(strides, starts),
      (at, index) => (out![at] = out![at]! + block![index]!),
    )
  },

  uniform: ({ inputs: [key], outputs: [out], attributes: { stream } }) =>
    threefryUniform(key![0]!, key![1]!, stream, out!, key![2]),

  // The interpreter calls the primitive's `ends`, because only the interpreter can end the run.
  guard: () => {},

  sgd({ inputs: [p, g, rate, v], outputs: [pOut, vOut], attributes: { momentum, nesterov, weightDecay } }) {
    const lr = factorOf(rate![0]!)
    for (let i = 0; i < p!.length; i++) {
      const decayed = p![i]! * (1 - lr * weightDecay)
      const step = -lr * factorOf(g![i]!)
      if (v === undefined || vOut === undefined) {
        pOut![i] = stateOf(decayed + step)
        continue
      }
      const velocity = stateOf(momentum * v[i]! + step)
      pOut![i] = stateOf(decayed + (nesterov ? momentum * velocity + step : velocity))
      vOut[i] = velocity
    }
  },

  rmsprop({ inputs, outputs, attributes: { rho, momentum, epsilon, centered, weightDecay } }) {
    const [p, g, rate, square, ...rest] = inputs
    const [pOut, squareOut, ...restOut] = outputs
    const lr = factorOf(rate![0]!)
    const average = centered ? 0 : -1
    const velocity = momentum > 0 ? average + 1 : -1
    for (let i = 0; i < p!.length; i++) {
      const decayed = p![i]! * (1 - lr * weightDecay)
      const s = stateOf(rho * square![i]! + (1 - rho) * squareOf(g![i]!))
      let denominator = s + epsilon
      if (centered) {
        const a = stateOf(rho * rest[average]![i]! + (1 - rho) * g![i]!)
        denominator = Math.max(s - a * a, 0) + epsilon
        restOut[average]![i] = a
      }
      let update = (lr * factorOf(g![i]!)) / Math.sqrt(denominator)
      if (momentum > 0) {
        update = stateOf(update + momentum * rest[velocity]![i]!)
        restOut[velocity]![i] = update
      }
      squareOut![i] = s
      pOut![i] = decayed - update
    }
  },

  adam({ inputs: [p, g, rate, m, v, iterations], outputs: [pOut, mOut, vOut], attributes }) {
    const { beta1, beta2, epsilon, weightDecay } = attributes
    const lr = factorOf(rate![0]!)
    const t = Math.max(iterations![0]!, 0) + 1
    const alpha = (lr * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
    for (let i = 0; i < p!.length; i++) {
      const mean = stateOf(m![i]! + (1 - beta1) * (g![i]! - m![i]!))
      const variance = stateOf(v![i]! + (1 - beta2) * (squareOf(g![i]!) - v![i]!))
      pOut![i] = p![i]! * (1 - lr * weightDecay) - (alpha * mean) / (Math.sqrt(variance) + epsilon)
      mOut![i] = mean
      vOut![i] = variance
    }
  },
}

const references: { readonly [Name in PrimitiveName]?: Reference<PrimitiveAttributes[Name]> } = merged(
  windowReferences(),
  otherReferences,
)

/** undefined for primitives that are not kernels. */
export function referenceOf<Name extends PrimitiveName>(name: Name): Reference<PrimitiveAttributes[Name]> | undefined {
  return references[name]
}
