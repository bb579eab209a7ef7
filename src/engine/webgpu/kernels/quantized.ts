// Products of int8 weights on the GPU. A workgroup quantizes a row of activations; then a thread computes each result from integers.

import { QUANTIZED_SUMS } from '../../../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf } from '../../../core/shapes'
import { float } from '../../ir/instruction'
import { offsetBy } from '../../ir/operand'
import {
  LARGEST,
  QUAD,
  runsOf,
  STRIP,
  stripBytes,
  TINY,
  windowsOver,
  type QuantizedContraction,
} from '../../primitives/quantized'
import { required } from '../../primitives/routine'
import type { GpuContext, RoutineKernel } from '../kernel'
import { stridedOffsets } from '../strided'
import { forColumns, ROW_THREADS } from './rows'

/** Declares `nearest`, a quotient with the rounding of its last step corrected: results must not change by a unit of an integer. */
export const nearest = 'fn nearest(a: f32, b: f32) -> f32 { let q = a / b; return q + fma(-q, b, a) / b; }'

/** The integers and the scales of all rows. */
function emitIntegers(rows: number, { inputs: [x, , , , fixed], temporary, emit }: GpuContext<unknown>): void {
  const size = sizeOf(x!.shape)
  const largest =
    fixed === undefined
      ? `${forColumns('largest = maximum(largest, abs(f32At(x + i)));')}\nlargest = rowMax(thread, largest);`
      : `largest = f32At(p.fixed) * ${LARGEST}.0;`
  emit.groups(rows, {
    fields: {
      x,
      integers: required(temporary),
      scales: offsetBy(required(temporary), BYTES_PER_ELEMENT * size),
      fixed,
      columns: size / rows,
      tiny: float(TINY),
    },
    threads: ROW_THREADS,
    functions: { nearest },
    body: `let first = group * p.columns;
let x = p.x + first;
var largest = 0.0;
${largest}
if (thread == 0u) { storeF32(p.scales + group, nearest(largest, ${LARGEST}.0)); }
var factor = 0.0;
if (largest > p.tiny) { factor = nearest(${LARGEST}.0, largest); }
${forColumns(`storeI32(p.integers + first + i, i32(round(clamp(f32At(x + i) * factor, -${LARGEST}.0, ${LARGEST}.0))));`)}`,
  })
}

/** The results of all places. The last integers of a run may be multiplied with zeros behind the weights. */
function emitProducts(
  { sight, relu }: QuantizedContraction,
  rows: number,
  { inputs: [x, weights, weightScales, bias], outputs: [out], temporary, emit }: GpuContext<unknown>,
): void {
  const { places, taps } = windowsOver(x!.shape, sight)
  const runs = runsOf(sight)
  const axes = [...places, ...taps]
  const { fields, code } = stridedOffsets(
    '(place * p.taps + tap)',
    axes.map(([extent]) => extent),
    { x: axes.map(([, stride]) => stride) },
  )
  emit.over(sizeOf(out!.shape), {
    fields: {
      integers: required(temporary),
      scales: offsetBy(required(temporary), BYTES_PER_ELEMENT * sizeOf(x!.shape)),
      weights,
      weightScales,
      bias,
      out,
      filters: sight.filters,
      taps: runs.taps,
      quads: Math.ceil(runs.run / QUAD),
      strip: stripBytes(runs) / BYTES_PER_ELEMENT,
      perScale: sizeOf(out!.shape) / sight.filters / rows,
      ...fields,
    },
    body: `let f = index % p.filters;
let place = index / p.filters;
let weights = p.weights + f / ${STRIP}u * p.strip + ${QUANTIZED_SUMS / BYTES_PER_ELEMENT}u + f % ${STRIP}u;
var sum = 0i;
for (var tap = 0u; tap < p.taps; tap++) {
${code}
for (var quad = 0u; quad < p.quads; quad++) {
let four = bitcast<i32>(memory[weights + (tap * p.quads + quad) * ${STRIP}u]);
for (var i = 0u; i < ${QUAD}u; i++) { sum += i32At(p.integers + x_at + quad * ${QUAD}u + i) * extractBits(four, 8u * i, 8u); }
}
}
let y = f32(sum) * (f32At(p.scales + place / p.perScale) * f32At(p.weightScales + f)) + f32At(p.bias + f);
storeF32(p.out + index, ${relu ? 'relu(y)' : 'y'});`,
  })
}

export const quantizedContraction: RoutineKernel<QuantizedContraction> = {
  /** The integers, and the scales of the rows. */
  temporaryBytes: (routine, [x]) => BYTES_PER_ELEMENT * (sizeOf(x!.shape) + routine.rowsOf(x!.shape)),
  lower(routine, context) {
    const [x] = context.inputs
    if (sizeOf(x!.shape) === 0) return
    const rows = routine.rowsOf(x!.shape)
    emitIntegers(rows, context)
    emitProducts(routine, rows, context)
  },
}
