// Products of packed weights of 8 and 4 bits on the GPU, and rows of packed tables. Weights are read as words: a group of a strip is 8
// scales, with 4 bits 8 minima, and quads of neighbouring inputs, each for 8 outputs in turn (primitives/packed.ts).

import { PACKED_GROUP, PACKED_STRIP } from '../../../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf, type Shape, type TensorType } from '../../../core/shapes'
import { fillingBits } from '../../primitives/indexing'
import { float } from '../../ir/instruction'
import { offsetBy } from '../../ir/operand'
import { groupsOf, type PackedFormat, type PackedMatmul, type PackedRows } from '../../primitives/packed'
import { LARGEST, TINY } from '../../primitives/quantized'
import { required } from '../../primitives/routine'
import { elementsOf } from '../couple'
import { arrayOf, type RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { GpuContext, RoutineKernel } from '../kernel'
import { nearest } from './quantized'
import { ROW_THREADS } from './rows'
import { emitProduct, sliceBytes, times, type ProductSize } from './tiles'

const STRIP = PACKED_STRIP
const QUADS = 8

/** The words of a group of a strip: first the scales, with 4 bits the minima, then the quads. */
const firstQuad = ({ bits }: PackedFormat): number => (bits === 4 ? 2 : 1) * STRIP
const groupWords = (format: PackedFormat): number => firstQuad(format) + (STRIP * PACKED_GROUP * format.bits) / 32
const stripWords = (format: PackedFormat): number => groupsOf(format.inputs) * groupWords(format)

const rowsIn = (shape: Shape): number => sizeOf(shape.slice(0, -1))

/** Statements that declare `weight`, that of an output and an input of the matrix at `origin`. */
function weightAt(format: PackedFormat, output: string, input: string): string {
  const at = `let at = origin + ${output} / ${STRIP}u * p.strip + ${input} / ${PACKED_GROUP}u * ${groupWords(format)}u + ${output} % ${STRIP}u;`
  if (format.bits === 8)
    return `${at}
let four = bitcast<i32>(memory[at + ${firstQuad(format)}u + ${input} % ${PACKED_GROUP}u / 4u * ${STRIP}u]);
let weight = f32At(at) * f32(extractBits(four, 8u * (${input} % 4u), 8u));`
  return `${at}
let eight = memory[at + ${firstQuad(format)}u + ${input} % ${PACKED_GROUP / 2}u / 4u * ${STRIP}u];
let weight = f32At(at) * f32(extractBits(eight, 8u * (${input} % 4u) + ${input} % ${PACKED_GROUP}u / ${PACKED_GROUP / 2}u * 4u, 4u)) - f32At(at + ${STRIP}u);`
}

export const packedTake: RoutineKernel<PackedRows> = {
  lower({ format }, { inputs: [weights, ids], outputs: [out], emit }) {
    const { inputs, outputs } = format
    emit.over(sizeOf(out!.shape), {
      fields: {
        weights,
        ids,
        out,
        inputs,
        outputs,
        strip: stripWords(format),
        filling: fillingBits('float32'),
      },
      hooks: { afterElement: elementsOf([out!]) },
      body: `let place = placeOf(i32At(p.ids + index / p.inputs), p.outputs);
if (place < 0i) { memory[p.out + index] = p.filling; } else {
let origin = p.weights;
let output = u32(place);
let input = index % p.inputs;
${weightAt(format, 'output', 'input')}
storeF32(p.out + index, weight);
}
afterElement(index);`,
    })
  },
}

/** A product of numbers that are not rounded, as tiles of weights that are made as they are read. */
function exactSize({ format: { inputs, outputs }, kind }: PackedMatmul, x: Shape): ProductSize {
  const [k, n] = kind === 'transposed' ? [outputs, inputs] : [inputs, outputs]
  return { matrices: 1, m: rowsIn(x), n, k }
}

function emitExact(routine: PackedMatmul, context: GpuContext<unknown>): void {
  const { format, kind } = routine
  const [x, weights] = context.inputs
  const size = exactSize(routine, x!.shape)
  const [output, input] = kind === 'transposed' ? ['deep', 'wide'] : ['wide', 'deep']
  emitProduct(context, {
    size,
    fields: { x, weights, strip: stripWords(format) },
    left: { from: 'p.x', element: 'return f32At(origin + wide * p.k + deep);', isDeep: true },
    // Neighbouring threads read neighbouring outputs of a strip.
    right: {
      from: 'p.weights',
      element: `${weightAt(format, output, input)}\nreturn weight;`,
      isDeep: kind === 'transposed',
    },
    outRow: size.n,
    outMatrix: 0,
    biasMatrix: 0,
  })
}

/** What rounding needs: `scaleOf` and `factorOf` the largest of a group, and `quadOf` four numbers and a factor. */
const rounding: Sources = {
  nearest,
  scaleOf: `fn scaleOf(largest: f32) -> f32 { return nearest(largest, ${LARGEST}.0); }`,
  factorOf: `fn factorOf(largest: f32) -> f32 {
if (largest > p.tiny) { return nearest(${LARGEST}.0, largest); }
return 0.0;
}`,
  quadOf: `fn quadOf(x: vec4f, factor: f32) -> u32 {
let q = vec4u(vec4i(round(clamp(x * factor, vec4f(-${LARGEST}.0), vec4f(${LARGEST}.0))))) & vec4u(255u);
return q.x | (q.y << 8u) | (q.z << 16u) | (q.w << 24u);
}`,
  // Four neighbours of a row of x, with zeros behind its end.
  fourAt: `fn fourAt(row: u32, input: u32) -> vec4f {
var four = vec4f();
for (var i = 0u; i < 4u; i++) { if (input + i < p.inputs) { four[i] = f32At(p.x + row * p.inputs + input + i); } }
return four;
}`,
  largestOf: `fn largestOf(x: vec4f) -> f32 {
let y = abs(x);
return maximum(maximum(y.x, y.y), maximum(y.z, y.w));
}`,
}

const SUM_OF_QUAD = (quad: string): string => `dot4(${quad}, 0x01010101u)`

/** Statements that declare the quads of one word of weights, or of 4 bits of two: those in its low and its high halves. */
const quadsIn = ({ bits }: PackedFormat, word: string, name: string): string =>
  bits === 8
    ? `let ${name}0 = ${word};`
    : `let ${name} = ${word}; let ${name}0 = ${name} & 0x0f0f0f0fu; let ${name}1 = (${name} >> 4u) & 0x0f0f0f0fu;`

/** The most rows of which every workgroup rounds all numbers itself, instead of a dispatch before. */
const FEW_ROWS = 8
/** The groups of all rows that a workgroup keeps. */
const KEPT_GROUPS = 64
/** The threads that share the groups of an output. */
const PARTS = ROW_THREADS / STRIP

/**
 * A product of few rows: a workgroup for each strip. It rounds as many groups as it keeps; then each thread multiplies every eighth of them,
 * in order, with an output's weights. The sums of the threads of an output are added in order.
 */
function emitFewRows(format: PackedFormat, rows: number, context: GpuContext<unknown>): void {
  const {
    inputs: [x, weights],
    outputs: [out],
    emit,
  } = context
  const { inputs, outputs, bits } = format
  // Rows of the kernel: the next power of 2.
  const most = 2 ** Math.ceil(Math.log2(rows))
  const kept = KEPT_GROUPS / most
  const words = groupWords(format)
  const each = (line: (r: number) => string): string => times(most, line)
  const quads = bits === 8 ? QUADS : QUADS / 2
  const sum = bits === 8 ? '' : `atomicAdd(&sums[r * ${kept}u + i / ${QUADS}u], ${SUM_OF_QUAD('quad')});`
  const minimum = bits === 8 ? '' : ` let m = f32At(at + ${STRIP}u);`
  const without = (r: number): string =>
    bits === 8 ? '' : ` y${r} -= scales[${r * kept}u + g] * f32(atomicLoad(&sums[${r * kept}u + g])) * m;`
  emit.groups(Math.ceil(outputs / STRIP), {
    fields: {
      x,
      weights,
      out,
      inputs,
      outputs,
      rows,
      groups: groupsOf(inputs),
      strip: stripWords(format),
      tiny: float(TINY),
    },
    threads: ROW_THREADS,
    shared: {
      quads: arrayOf('u32', KEPT_GROUPS * QUADS),
      largest: arrayOf('f32', KEPT_GROUPS * QUADS),
      scales: arrayOf('f32', KEPT_GROUPS),
      ...(bits === 4 && { sums: { type: `array<atomic<i32>, ${KEPT_GROUPS}>`, bytes: 4 * KEPT_GROUPS } }),
    },
    functions: rounding,
    hooks: { afterElement: elementsOf([out!]) },
    body: `let lane = thread % ${STRIP}u;
let part = thread / ${STRIP}u;
let weights = p.weights + group * p.strip + lane;
${each((r) => `var y${r} = 0.0;`)}
for (var first = 0u; first < p.groups; first += ${kept}u) {
let count = min(${kept}u, p.groups - first);
for (var r = 0u; r < p.rows; r++) {
for (var i = thread; i < count * ${QUADS}u; i += ${ROW_THREADS}u) {
largest[r * ${kept * QUADS}u + i] = largestOf(fourAt(r, first * ${PACKED_GROUP}u + 4u * i));
${bits === 8 ? '' : `atomicStore(&sums[r * ${kept}u + i / ${QUADS}u], 0i);`}
}
}
workgroupBarrier();
for (var r = 0u; r < p.rows; r++) {
for (var i = thread; i < count * ${QUADS}u; i += ${ROW_THREADS}u) {
let own = r * ${kept * QUADS}u + i;
var most = 0.0;
for (var j = 0u; j < ${QUADS}u; j++) { most = maximum(most, largest[own - i % ${QUADS}u + j]); }
let quad = quadOf(fourAt(r, first * ${PACKED_GROUP}u + 4u * i), factorOf(most));
quads[own] = quad;
${sum}
if (i % ${QUADS}u == 0u) { scales[r * ${kept}u + i / ${QUADS}u] = scaleOf(most); }
}
}
workgroupBarrier();
for (var g = part; g < count; g += ${PARTS}u) {
let at = weights + (first + g) * ${words}u;
let d = f32At(at);${minimum}
${each((r) => `var c${r} = 0i;`)}
for (var q = 0u; q < ${quads}u; q++) {
${quadsIn(format, `memory[at + ${firstQuad(format)}u + q * ${STRIP}u]`, 'w')}
${each((r) => {
  const at = `${r * kept * QUADS}u + g * ${QUADS}u + q`
  return `c${r} += dot4(w0, quads[${at}])${bits === 8 ? '' : ` + dot4(w1, quads[${at} + ${QUADS / 2}u])`};`
})}
}
${each((r) => `y${r} = fma(f32(c${r}), scales[${r * kept}u + g] * d, y${r});${without(r)}`)}
}
workgroupBarrier();
}
${each((r) => `largest[${r * ROW_THREADS}u + thread] = y${r};`)}
workgroupBarrier();
let r = part;
let column = group * ${STRIP}u + lane;
if (r < p.rows && column < p.outputs) {
var y = 0.0;
for (var i = 0u; i < ${PARTS}u; i++) { y += largest[r * ${ROW_THREADS}u + i * ${STRIP}u + lane]; }
storeF32(p.out + r * p.outputs + column, y);
afterElement(r * p.outputs + column);
}`,
  })
}

/** The bytes of the rounded numbers of many rows: of each group the quads, the scale, and the scale times the sum. */
function roundedBytes(rows: number, { inputs }: PackedFormat): number {
  return rows <= FEW_ROWS ? 0 : BYTES_PER_ELEMENT * rows * groupsOf(inputs) * (QUADS + 2)
}

/** The rounded numbers of all rows, [groups, rows, quads], their scales and sums, [groups, rows]. */
function emitRounded(format: PackedFormat, rows: number, context: GpuContext<unknown>): RecordFields {
  const {
    inputs: [x],
    temporary,
    emit,
  } = context
  const groups = groupsOf(format.inputs)
  const quads = required(temporary)
  const scales = offsetBy(quads, BYTES_PER_ELEMENT * rows * groups * QUADS)
  const sums = offsetBy(scales, BYTES_PER_ELEMENT * rows * groups)
  emit.over(rows * groups, {
    fields: { x, quads, scales, sums, inputs: format.inputs, rows, tiny: float(TINY) },
    functions: rounding,
    body: `let row = index % p.rows;
let input = index / p.rows * ${PACKED_GROUP}u;
var most = 0.0;
for (var i = 0u; i < ${QUADS}u; i++) { most = maximum(most, largestOf(fourAt(row, input + 4u * i))); }
let factor = factorOf(most);
var sum = 0i;
for (var i = 0u; i < ${QUADS}u; i++) {
let quad = quadOf(fourAt(row, input + 4u * i), factor);
sum += ${SUM_OF_QUAD('quad')};
memory[p.quads + index * ${QUADS}u + i] = quad;
}
let scale = scaleOf(most);
storeF32(p.scales + index, scale);
storeF32(p.sums + index, scale * f32(sum));`,
  })
  return { quads, scales, sums }
}

/** The columns of a tile: four strips. */
const COLUMNS = 4 * STRIP
/** The threads along each axis of a tile. */
const SIDE = 8
/** With so many tiles, a device is busy. */
const ENOUGH_TILES = 96
/** The distances of quads in workgroup memory, so that neighbouring threads use different banks. */
const APART = COLUMNS + STRIP

/**
 * A product of many rows: a workgroup for each tile of the result, with a thread for 4 columns, one of each strip, of 2 or 4 rows. Groups
 * are added in order.
 */
function emitTiles(format: PackedFormat, rows: number, context: GpuContext<unknown>): void {
  const {
    inputs: [, weights],
    outputs: [out],
    emit,
  } = context
  const { inputs, outputs, bits } = format
  const columns = Math.ceil(outputs / COLUMNS)
  const each = columns * Math.ceil(rows / (4 * SIDE)) >= ENOUGH_TILES ? 4 : 2
  const tile = each * SIDE
  const words = groupWords(format)
  const threads = SIDE * SIDE
  const half = bits === 4
  const strips = ['x', 'y', 'z', 'w'] as const
  const products = (row: number, name: string): string => strips.map((_, j) => `dot4(a${row}, ${name}${j})`).join(', ')
  const stored = half
    ? `weightQuads[at] = eight & 0x0f0f0f0fu; weightQuads[at + ${(QUADS / 2) * APART}u] = (eight >> 4u) & 0x0f0f0f0fu;`
    : 'weightQuads[at] = eight;'
  emit.groups(columns * Math.ceil(rows / tile), {
    fields: {
      ...emitRounded(format, rows, context),
      weights,
      out,
      outputs,
      rows,
      columns,
      groups: groupsOf(inputs),
      strips: Math.ceil(outputs / STRIP),
      strip: stripWords(format),
    },
    threads,
    shared: {
      weightQuads: arrayOf('u32', QUADS * APART),
      rowQuads: arrayOf('u32', QUADS * APART),
      scalesOfWeights: arrayOf('f32', 2 * COLUMNS),
    },
    hooks: { afterElement: elementsOf([out!]) },
    body: `let row = group / p.columns * ${tile}u;
let strip = group % p.columns * 4u;
let lane = thread % ${SIDE}u;
let own = thread / ${SIDE}u * ${each}u;
${times(each, (i) => `var y${i} = vec4f();`)}
for (var g = 0u; g < p.groups; g++) {
for (var number = thread; number < ${4 * words}u; number += ${threads}u) {
let j = number / ${words}u;
let i = number % ${words}u;
if (strip + j < p.strips) {
let eight = memory[p.weights + (strip + j) * p.strip + g * ${words}u + i];
if (i < ${firstQuad(format)}u) { scalesOfWeights[i / ${STRIP}u * ${COLUMNS}u + j * ${STRIP}u + i % ${STRIP}u] = bitcast<f32>(eight); } else {
let at = (i - ${firstQuad(format)}u) / ${STRIP}u * ${APART}u + j * ${STRIP}u + i % ${STRIP}u;
${stored}
}
}
}
for (var i = thread; i < ${tile * QUADS}u; i += ${threads}u) {
var quad = 0u;
if (row + i / ${QUADS}u < p.rows) { quad = memory[p.quads + (g * p.rows + row) * ${QUADS}u + i]; }
rowQuads[i % ${QUADS}u * ${APART}u + i / ${QUADS}u] = quad;
}
workgroupBarrier();
${times(each, (i) => `var c${i} = vec4i();`)}
for (var q = 0u; q < ${QUADS}u; q++) {
${times(4, (j) => `let b${j} = weightQuads[q * ${APART}u + ${j * STRIP}u + lane];`)}
${times(each, (i) => `let a${i} = rowQuads[q * ${APART}u + own + ${i}u]; c${i} += vec4i(${products(i, 'b')});`)}
}
let d = vec4f(${strips.map((_, j) => `scalesOfWeights[${j * STRIP}u + lane]`).join(', ')});
${half ? `let m = vec4f(${strips.map((_, j) => `scalesOfWeights[${COLUMNS + j * STRIP}u + lane]`).join(', ')});` : ''}
${times(
  each,
  (i) => `if (row + own + ${i}u < p.rows) {
let at = g * p.rows + row + own + ${i}u;
y${i} = fma(vec4f(c${i}), f32At(p.scales + at) * d, y${i});
${half ? `y${i} -= f32At(p.sums + at) * m;` : ''}
}`,
)}
workgroupBarrier();
}
${times(
  each,
  (i) => `for (var j = 0u; j < 4u; j++) {
let r = row + own + ${i}u;
let column = (strip + j) * ${STRIP}u + lane;
if (r < p.rows && column < p.outputs) {
let to = r * p.outputs + column;
storeF32(p.out + to, y${i}[j]);
afterElement(to);
}
}`,
)}`,
  })
}

export const packedMatmul: RoutineKernel<PackedMatmul> = {
  temporaryBytes(routine, [x]: readonly TensorType[]) {
    if (routine.kind !== 'rounded') return sliceBytes(exactSize(routine, x!.shape))
    return roundedBytes(rowsIn(x!.shape), routine.format)
  },
  lower(routine, context) {
    const { format, kind } = routine
    const rows = rowsIn(context.inputs[0]!.shape)
    if (rows === 0) return
    if (kind !== 'rounded') emitExact(routine, context)
    else if (rows <= FEW_ROWS) emitFewRows(format, rows, context)
    else emitTiles(format, rows, context)
  },
}
