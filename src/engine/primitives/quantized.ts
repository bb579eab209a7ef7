// Products of int8 weights with activations, which are quantized to integers within ±127: Dense layers and convolutions.
// Integer sums are exact, so every machine gives the same bits.
//
//   q = ⌊x / s⌉, to even, within ±127           s = max |x| / 127 over a row (for a convolution: a sample), or an operand
//   y = relu(s · scale[f] · Σ q w[f] + bias[f])

import { QUANTIZED_SUMS, Quantize, QuantizedProduct, QuantizedRow } from '../../../assembly/shared/instructions'
import { Epilogue, Opcode } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { forEachOffset, rowMajorStrides, sameShape, sizeOf, type Shape, type TensorType } from '../../core/shapes'
import { ABSENT, instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine, required } from './routine'
import type { CostContext, RefContext } from './rule'
import { placesOf } from './window'

/** The largest integer to which a weight or an activation is quantized. */
export const LARGEST = 127
/** Rows whose magnitudes are all smaller count as zeros. */
export const TINY = Math.fround(1e-30)

/** The number of filters that are multiplied at once. */
export const STRIP = 8
/** The number of neighbouring elements whose products are added at once. */
export const QUAD = 4
/** The largest number of products whose sum always fits int32. */
export const MOST_PRODUCTS = Math.floor((2 ** 31 - 1) / LARGEST ** 2)

/**
 * How a kernel [… window, channels, filters] reads an input [batch, … axes, channels]. A matrix has an empty
 * window.
 */
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

/** The runs of a window: adjacent taps along the last axis form one run. */
export function runsOf({ window, channels, dilation }: Sight): Runs {
  const isJoined = window.length > 0 && (dilation.at(-1) === 1 || window.at(-1) === 1)
  const run = isJoined ? window.at(-1)! * channels : channels
  return { run, taps: (sizeOf(window) * channels) / run }
}

/** The shape of packed weights: [strips of filters, bytes of a strip]. */
export function packedShape(sight: Sight): readonly [strips: number, bytes: number] {
  return [Math.ceil(sight.filters / STRIP), stripBytes(runsOf(sight))]
}

/** A strip stores the sums of its filters' weights, then [taps, groups of four elements, filters, four]. */
export function stripBytes({ taps, run }: Runs): number {
  return QUANTIZED_SUMS + taps * Math.ceil(run / QUAD) * STRIP * QUAD
}

/** The index of element p of a run of a tap, for a filter. */
function packedIndex(runs: Runs, tap: number, p: number, filter: number): number {
  const quad = tap * Math.ceil(runs.run / QUAD) + Math.floor(p / QUAD)
  return (
    Math.floor(filter / STRIP) * stripBytes(runs) +
    QUANTIZED_SUMS +
    (quad * STRIP + (filter % STRIP)) * QUAD +
    (p % QUAD)
  )
}

/** Packs weights [… window, channels, filters] in the order in which they are multiplied. */
export function packWeights(weights: Int8Array, sight: Sight): Int8Array {
  const [strips, bytes] = packedShape(sight)
  const packed = new Int8Array(strips * bytes)
  const words = new DataView(packed.buffer)
  forEachWeight(sight, (at, place, filter) => {
    packed[place] = weights[at]!
    const sum = Math.floor(filter / STRIP) * bytes + 4 * (filter % STRIP)
    words.setInt32(sum, words.getInt32(sum, true) + weights[at]!, true)
  })
  return packed
}

/** The inverse of `packWeights`. */
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

/** The extent of an axis and the distance of its elements. */
type Step = readonly [extent: number, stride: number]

/** The axes along which windows start, and those along which the runs of a window start. */
export function windowsOver(
  x: Shape,
  sight: Sight,
): { readonly places: readonly Step[]; readonly taps: readonly Step[] } {
  const { window, channels, strides, dilation } = sight
  if (window.length === 0) return { places: [[sizeOf(x.slice(0, -1)), channels]], taps: [] }
  const steps = rowMajorStrides(x)
  const inner = steps.slice(1, -1)
  const places = placesOf(x, window, { strides, dilation }).map(
    (extent, i) => [extent, i === 0 ? steps[0]! : inner[i - 1]! * strides[i - 1]!] as const,
  )
  const tapsOf = runsOf(sight).run === channels ? window : window.slice(0, -1)
  return { places, taps: tapsOf.map((extent, i) => [extent, inner[i]! * dilation[i]!] as const) }
}

/** Calls `visit` with the offset of every element of the axes. */
function forEachStep(axes: readonly Step[], visit: (offset: number, index: number) => void): void {
  forEachOffset(
    axes.map(([extent]) => extent),
    axes.map(([, stride]) => stride),
    0,
    visit,
  )
}

/** The offsets of the runs of a window. */
function runOffsets(taps: readonly Step[]): number[] {
  const offsets: number[] = []
  forEachStep(taps, (at) => offsets.push(at))
  return offsets
}

const fround = Math.fround

/**
 * x float32, weights int8 from `packWeights`, scales [filters], bias [filters], optionally the scale of x [1] →
 * y float32.
 */
export class QuantizedContraction extends KernelRoutine {
  readonly name = 'quantizedContraction'
  override readonly takesInt8 = true
  override readonly multiplies = true

  /** @param relu whether negative results become 0 */
  constructor(
    readonly sight: Sight,
    readonly relu: boolean,
  ) {
    super()
  }

  /** The number of activation scales: one per row of a matrix, or per sample of a convolution. */
  rowsOf(x: Shape): number {
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
        `${this.name}: the scale of the operand must be one float32 number, received ${fixed.dtype} ${formatShape(fixed.shape)}`,
      )
    }
    if (sizeOf(window) * channels > MOST_PRODUCTS)
      throw new ArgumentError(
        `${this.name}: a sum of products is exact only up to ${MOST_PRODUCTS} products, received ${sizeOf(window) * channels}`,
      )
    const places = window.length === 0 ? x!.shape.slice(0, -1) : placesOf(x!.shape, window, { strides, dilation })
    return [{ shape: [...places, filters], dtype: 'float32' }]
  }

  /** Each row of a matrix, or each sample of a convolution, has a separate scale. */
  override keepsAxis([x]: readonly TensorType[], operand: number, axis: number): boolean {
    return operand === 0 && (this.sight.window.length === 0 ? axis < x!.shape.length - 1 : axis === 0)
  }

  /** The offset of the rows' records, which follow two bytes for every element. */
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
    const windows = windowsOver(x!.shape, sight)
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
          rank: windows.places.length,
          ...runsOf(sight),
          channels: sight.filters,
          perScale: places / rows,
          columns,
          epilogue: this.relu ? Epilogue.Relu : Epilogue.None,
          scratch,
        },
        [...windows.places.flat(), ...runOffsets(windows.taps)],
      ),
    )
  }

  /** @throws ArgumentError: rounding has no gradient */
  override vjp(): never {
    throw new ArgumentError(
      'No gradient flows through int8 layers. Train or explain the original model, or the model that quantizationAware returns for it.',
    )
  }

  // × and + per product; |x|, the maximum, × and rounding per element; × and + per result.
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
    const windows = windowsOver(type!.shape, sight)
    const offsets = runOffsets(windows.taps)
    const places = out!.length / filters
    forEachStep(windows.places, (start, place) => {
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
    })
  }
}

/** Rounds ties to the even neighbour. */
export function roundToEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
}
