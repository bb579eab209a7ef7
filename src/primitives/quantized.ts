// Products of int8 weights with what a layer gets, which becomes integers within ±127 on the way: Dense layers and
// convolutions. The sums are exact, so that every machine gives the same bits.
//
//   q = ⌊x / s⌉, to even, within ±127           s = max |x| / 127 over a row (of a convolution: a sample), or given
//   y = relu(s · scale[f] · Σ q w[f] + bias[f])

import { QUANTIZED_SUMS, Quantize, QuantizedProduct, QuantizedRow } from '../../assembly/shared/instructions'
import { Epilogue, Opcode } from '../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { forEachOffset, rowMajorStrides, sameShape, sizeOf } from '../core/shapes'
import { ABSENT, instruction } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext } from './rule'
import type { LowerContext } from '../ir/instruction'
import { placesOf } from './window'

/** The largest integer that a weight or an activation becomes. */
export const LARGEST = 127
/** Rows whose elements are all smaller count as zeros. */
const TINY = Math.fround(1e-30)

/** Channels that are multiplied at once. */
const STRIP = 8
/** Neighbouring elements whose products are added at once. */
const QUAD = 4
/** The most products of a sum that int32 surely holds. */
export const MOST_PRODUCTS = Math.floor((2 ** 31 - 1) / LARGEST ** 2)

/** What a kernel [… window, channels, filters] sees of an input [batch, … axes, channels]; a matrix has no window. */
export interface Sight {
  readonly window: Shape
  readonly channels: number
  readonly filters: number
  readonly strides: readonly number[]
  readonly dilation: readonly number[]
}

/** A window as runs of neighbouring elements. */
interface Runs {
  readonly taps: number
  readonly run: number
}

/** Taps that lie side by side, along the last axis, are one run. */
function runsOf({ window, channels, dilation }: Sight): Runs {
  const isJoined = window.length > 0 && (dilation.at(-1) === 1 || window.at(-1) === 1)
  const run = isJoined ? window.at(-1)! * channels : channels
  return { run, taps: (sizeOf(window) * channels) / run }
}

/** The shape in which a kernel's weights stand: strips of filters, and of each its bytes. */
export function packedShape(sight: Sight): Shape {
  return [Math.ceil(sight.filters / STRIP), stripBytes(runsOf(sight))]
}

/** A strip has the sums of its filters' weights, then taps, fours of elements, filters, the four. */
function stripBytes({ taps, run }: Runs): number {
  return QUANTIZED_SUMS + taps * Math.ceil(run / QUAD) * STRIP * QUAD
}

/** Where element p of a run of a tap is, for a filter. */
function packedIndex(runs: Runs, tap: number, p: number, filter: number): number {
  const quad = tap * Math.ceil(runs.run / QUAD) + Math.floor(p / QUAD)
  return (
    Math.floor(filter / STRIP) * stripBytes(runs) +
    QUANTIZED_SUMS +
    (quad * STRIP + (filter % STRIP)) * QUAD +
    (p % QUAD)
  )
}

/** Weights [… window, channels, filters] in the order in which they are multiplied. */
export function packWeights(weights: Int8Array, sight: Sight): Int8Array {
  const [strips, bytes] = packedShape(sight) as [number, number]
  const packed = new Int8Array(strips * bytes)
  const words = new DataView(packed.buffer)
  forEachWeight(sight, (at, place, filter) => {
    packed[place] = weights[at]!
    const sum = Math.floor(filter / STRIP) * bytes + 4 * (filter % STRIP)
    words.setInt32(sum, words.getInt32(sum, true) + weights[at]!, true)
  })
  return packed
}

/** The way back. */
export function unpackWeights(packed: ArrayLike<number>, sight: Sight): Int8Array {
  const weights = new Int8Array(sizeOf(sight.window) * sight.channels * sight.filters)
  forEachWeight(sight, (at, place) => (weights[at] = packed[place]!))
  return weights
}

function forEachWeight(sight: Sight, visit: (at: number, packed: number, filter: number) => void): void {
  const runs = runsOf(sight)
  const { filters } = sight
  for (let tap = 0; tap < runs.taps; tap++) {
    for (let p = 0; p < runs.run; p++) {
      for (let f = 0; f < filters; f++) visit((tap * runs.run + p) * filters + f, packedIndex(runs, tap, p, f), f)
    }
  }
}

/** Where windows begin, and where their runs do from there. */
function windowsOver(
  x: Shape,
  sight: Sight,
): { axes: readonly (readonly [extent: number, stride: number])[]; offsets: readonly number[] } {
  const { window, channels, strides, dilation } = sight
  if (window.length === 0) return { axes: [[sizeOf(x.slice(0, -1)), channels]], offsets: [0] }
  const own = rowMajorStrides(x)
  const inner = own.slice(1, -1)
  const axes = placesOf(x, window, { strides, dilation }).map(
    (extent, i) => [extent, i === 0 ? own[0]! : inner[i - 1]! * strides[i - 1]!] as const,
  )
  const tapsOf = runsOf(sight).run === channels ? window : window.slice(0, -1)
  const offsets: number[] = []
  forEachOffset(
    tapsOf,
    tapsOf.map((_, i) => inner[i]! * dilation[i]!),
    0,
    (at) => offsets.push(at),
  )
  return { axes, offsets }
}

const fround = Math.fround

/** x float32, weights int8 as `packWeights` puts them, scales [filters], bias [filters], perhaps the scale of x [1] → y float32 */
export class QuantizedContraction extends KernelRoutine {
  readonly name = 'quantizedContraction'
  override readonly takesInt8 = true

  /** @param relu whether what is below 0 becomes 0 */
  constructor(
    readonly sight: Sight,
    readonly relu: boolean,
  ) {
    super()
  }

  /** Whatever has a scale of its own: a row of a matrix, a sample of a convolution. */
  private rowsOf(x: Shape): number {
    return this.sight.window.length === 0 ? sizeOf(x.slice(0, -1)) : x[0]!
  }

  override infer([x, weights, scales, bias, fixed]: readonly TensorType[]): readonly TensorType[] {
    const { window, channels, filters, strides, dilation } = this.sight
    const fits = window.length === 0 ? x!.shape.length >= 1 : x!.shape.length === window.length + 2
    if (x!.dtype !== 'float32' || !fits || x!.shape.at(-1) !== channels) {
      throw new ShapeError(
        `${this.name}: the operand must be float32 with ${channels} channels, received ${x!.dtype} ${formatShape(x!.shape)}`,
      )
    }
    const packed = packedShape(this.sight)
    if (weights!.dtype !== 'int8' || !sameShape(weights!.shape, packed)) {
      throw new ShapeError(
        `${this.name}: the weights must be int8 ${formatShape(packed)}, received ${weights!.dtype} ${formatShape(weights!.shape)}`,
      )
    }
    for (const each of [scales!, bias!]) {
      if (each.dtype !== 'float32' || !sameShape(each.shape, [filters]))
        throw new ShapeError(
          `${this.name}: scales and bias must be float32 [${filters}], received ${each.dtype} ${formatShape(each.shape)}`,
        )
    }
    if (fixed !== undefined && (fixed.dtype !== 'float32' || sizeOf(fixed.shape) !== 1)) {
      throw new ShapeError(
        `${this.name}: the scale of the operand must be one float32, received ${fixed.dtype} ${formatShape(fixed.shape)}`,
      )
    }
    if (sizeOf(window) * channels > MOST_PRODUCTS)
      throw new ArgumentError(
        `${this.name}: at most ${MOST_PRODUCTS} products of a sum are exact, received ${sizeOf(window) * channels}`,
      )
    const places = window.length === 0 ? x!.shape.slice(0, -1) : placesOf(x!.shape, window, { strides, dilation })
    return [{ shape: [...places, filters], dtype: 'float32' }]
  }

  /** Two bytes for every element, and what is known of each row behind them. */
  private scalesAt({ shape }: TensorType): number {
    return Math.ceil((2 * sizeOf(shape) + 16) / 16) * 16
  }

  override temporaryBytes([x]: readonly TensorType[]): number {
    return this.scalesAt(x!) + QuantizedRow.size * this.rowsOf(x!.shape)
  }

  override lower({
    inputs: [x, weights, scales, bias, fixed],
    outputs: [out],
    temporary,
    scratch,
    emit,
  }: LowerContext<unknown>): void {
    if (sizeOf(out!.shape) === 0) return
    const { sight } = this
    const integers = required(temporary)
    const ownScales = { buffer: integers.buffer, offset: integers.offset + this.scalesAt(x!) }
    const rows = this.rowsOf(x!.shape)
    const columns = sizeOf(x!.shape) / rows
    emit(
      instruction(Opcode.Quantize, Quantize, {
        out: integers,
        scales: ownScales,
        input: x!.address,
        fixed: fixed?.address ?? ABSENT,
        rows,
        columns,
      }),
    )
    const { axes, offsets } = windowsOver(x!.shape, sight)
    const places = sizeOf(out!.shape) / sight.filters
    emit(
      instruction(
        Opcode.QuantizedProduct,
        QuantizedProduct,
        {
          out: out!.address,
          input: integers,
          scales: ownScales,
          weights: weights!.address,
          weightScales: scales!.address,
          bias: bias!.address,
          places,
          rank: axes.length,
          ...runsOf(sight),
          channels: sight.filters,
          perScale: places / rows,
          columns,
          epilogue: this.relu ? Epilogue.Relu : Epilogue.None,
          scratch,
        },
        [...axes.flat(), ...offsets],
      ),
    )
  }

  /** @throws ArgumentError: rounding has no slope */
  override vjp(): never {
    throw new ArgumentError(
      'No gradient flows through int8 layers. Train or explain the model that was quantized, or one that quantizationAware made of it.',
    )
  }

  // × and + for every product; |x|, the maximum, ×, rounding for every element; × and + for every result
  override flops({ inputs: [x], outputs: [out] }: CostContext<unknown>): number {
    const { window, channels } = this.sight
    return elementsOf([out!]) * (2 * sizeOf(window) * channels + 2 + Number(this.relu)) + 4 * elementsOf([x!])
  }

  override reference({
    inputs: [x, weights, scales, bias, fixed],
    outputs: [out],
    inputTypes: [type],
  }: RefContext<unknown>): void {
    const { sight } = this
    const { filters } = sight
    const runs = runsOf(sight)
    const rows = this.rowsOf(type!.shape)
    const columns = x!.length / Math.max(1, rows)
    const integers = new Int32Array(x!.length)
    const ownScales = new Float32Array(rows)
    for (let row = 0; row < rows; row++) {
      const start = row * columns
      let largest = fixed === undefined ? 0 : fround(fixed[0]! * LARGEST)
      if (fixed === undefined)
        for (let i = start; i < start + columns; i++) largest = Math.max(largest, Math.abs(fround(x![i]!)))
      ownScales[row] = largest / LARGEST
      const factor = largest > TINY ? fround(LARGEST / largest) : 0
      for (let i = start; i < start + columns; i++)
        integers[i] = roundToEven(Math.max(-LARGEST, Math.min(LARGEST, fround(fround(x![i]!) * factor))))
    }
    const { axes, offsets } = windowsOver(type!.shape, sight)
    const places = out!.length / filters
    forEachOffset(
      axes.map(([extent]) => extent),
      axes.map(([, stride]) => stride),
      0,
      (start, place) => {
        const scale = ownScales[Math.floor((place * rows) / places)]!
        for (let f = 0; f < filters; f++) {
          let sum = 0
          offsets.forEach((offset, tap) => {
            for (let p = 0; p < runs.run; p++)
              sum += integers[start + offset + p]! * weights![packedIndex(runs, tap, p, f)]!
          })
          const y = fround(fround(fround(sum) * fround(scale * scales![f]!)) + bias![f]!)
          out![place * filters + f] = this.relu && y < 0 ? 0 : y
        }
      },
    )
  }
}

/** Ties go to the even neighbour. */
export function roundToEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
}
