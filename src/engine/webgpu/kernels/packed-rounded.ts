// The words of packed weights on the GPU, and products whose activations are rounded to integers by groups. A group of a strip is 8 scales,
// with 4 bits 8 minima, and quads of neighbouring inputs, each for 8 outputs in turn (primitives/packed.ts).

import { PACKED_GROUP, PACKED_STRIP } from '../../../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { float } from '../../ir/instruction'
import { offsetBy } from '../../ir/operand'
import { groupsOf, type PackedFormat } from '../../primitives/packed'
import { LARGEST, TINY } from '../../primitives/quantized'
import { required } from '../../primitives/routine'
import { elementsOf } from '../couple'
import { arrayOf, type RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { GpuContext } from '../kernel'
import { nearest } from './quantized'
import { ROW_THREADS } from './rows'
import { times } from './tiles'

const STRIP = PACKED_STRIP
const QUADS = 8

/** The words of a group of a strip: first the scales, with 4 bits the minima, then the quads. */
export const firstQuad = ({ bits }: PackedFormat): number => (bits === 4 ? 2 : 1) * STRIP
export const groupWords = (format: PackedFormat): number =>
  firstQuad(format) + (STRIP * PACKED_GROUP * format.bits) / 32
export const stripWords = (format: PackedFormat): number => groupsOf(format.inputs) * groupWords(format)

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

/** How a product of few rows is divided. */
interface FewRows {
  readonly format: PackedFormat
  /** The rows that the text has: a power of 2. */
  readonly rows: number
  /** The groups of a row that a workgroup keeps. */
  readonly kept: number
}

/** Statements that round `count` groups of each row, from group `first` on. */
function roundKept({ format: { bits }, kept }: FewRows): string {
  const overQuads = (statements: string): string => `for (var r = 0u; r < p.rows; r++) {
for (var i = thread; i < count * ${QUADS}u; i += ${ROW_THREADS}u) {
let own = r * ${kept * QUADS}u + i;
let at = r * ${kept}u + i / ${QUADS}u;
let four = fourAt(r, first * ${PACKED_GROUP}u + 4u * i);
${statements}
}
}
workgroupBarrier();`
  return `${overQuads(`largest[own] = largestOf(four);${bits === 8 ? '' : ' atomicStore(&sums[at], 0i);'}`)}
${overQuads(`var most = 0.0;
for (var j = 0u; j < ${QUADS}u; j++) { most = maximum(most, largest[own - i % ${QUADS}u + j]); }
let quad = quadOf(four, factorOf(most));
quads[own] = quad;
${bits === 8 ? '' : `atomicAdd(&sums[at], ${SUM_OF_QUAD('quad')});`}
if (i % ${QUADS}u == 0u) { scales[at] = scaleOf(most); }`)}`
}

/** Statements that add to y0, y1 … of a thread the products of its groups among those that are kept. */
function multiplyKept({ format, rows, kept }: FewRows): string {
  const hasMinima = format.bits === 4
  const each = (line: (r: number) => string): string => times(rows, line)
  const product = (r: number): string => {
    const at = `${r * kept * QUADS}u + g * ${QUADS}u + q`
    return `c${r} += dot4(w0, quads[${at}])${hasMinima ? ` + dot4(w1, quads[${at} + ${QUADS / 2}u])` : ''};`
  }
  const without = (r: number): string =>
    hasMinima ? ` y${r} -= scales[${r * kept}u + g] * f32(atomicLoad(&sums[${r * kept}u + g])) * m;` : ''
  return `for (var g = part; g < count; g += ${PARTS}u) {
let at = weights + (first + g) * ${groupWords(format)}u;
let d = f32At(at);
${hasMinima ? `let m = f32At(at + ${STRIP}u);` : ''}
${each((r) => `var c${r} = 0i;`)}
for (var q = 0u; q < ${hasMinima ? QUADS / 2 : QUADS}u; q++) {
${quadsIn(format, `memory[at + ${firstQuad(format)}u + q * ${STRIP}u]`, 'w')}
${each(product)}
}
${each((r) => `y${r} = fma(f32(c${r}), scales[${r * kept}u + g] * d, y${r});${without(r)}`)}
}`
}

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
  const most = 2 ** Math.ceil(Math.log2(rows))
  const few: FewRows = { format, rows: most, kept: KEPT_GROUPS / most }
  const groups = groupsOf(inputs)
  emit.groups(Math.ceil(outputs / STRIP), {
    fields: { x, weights, out, inputs, outputs, rows, groups, strip: stripWords(format), tiny: float(TINY) },
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
${times(most, (r) => `var y${r} = 0.0;`)}
for (var first = 0u; first < p.groups; first += ${few.kept}u) {
let count = min(${few.kept}u, p.groups - first);
${roundKept(few)}
${multiplyKept(few)}
workgroupBarrier();
}
${times(most, (r) => `largest[${r * ROW_THREADS}u + thread] = y${r};`)}
workgroupBarrier();
let column = group * ${STRIP}u + lane;
if (part < p.rows && column < p.outputs) {
var y = 0.0;
for (var i = 0u; i < ${PARTS}u; i++) { y += largest[part * ${ROW_THREADS}u + i * ${STRIP}u + lane]; }
storeF32(p.out + part * p.outputs + column, y);
afterElement(part * p.outputs + column);
}`,
  })
}

/** The bytes that a product needs: with many rows of each group the quads, the scale, and the scale times the sum. */
export function roundedBytes(rows: number, { inputs }: PackedFormat): number {
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

/** How a product of many rows is divided. */
interface Tile {
  readonly format: PackedFormat
  /** The rows of a tile, and of a thread. */
  readonly rows: number
  readonly each: 2 | 4
}

/** Statements that copy a group of the weights and of the rows of a tile to the memory of the workgroup. */
function loadTile({ format, rows }: Tile): string {
  const words = groupWords(format)
  const half = '0x0f0f0f0fu'
  const stored =
    format.bits === 8
      ? 'weightQuads[to] = word;'
      : `weightQuads[to] = word & ${half}; weightQuads[to + ${(QUADS / 2) * APART}u] = (word >> 4u) & ${half};`
  return `for (var number = thread; number < ${4 * words}u; number += ${SIDE * SIDE}u) {
let j = number / ${words}u;
let i = number % ${words}u;
let column = j * ${STRIP}u + i % ${STRIP}u;
if (strip + j < p.strips) {
let word = memory[p.weights + (strip + j) * p.strip + g * ${words}u + i];
if (i < ${firstQuad(format)}u) { scalesOfWeights[i / ${STRIP}u * ${COLUMNS}u + column] = bitcast<f32>(word); } else {
let to = (i - ${firstQuad(format)}u) / ${STRIP}u * ${APART}u + column;
${stored}
}
}
}
for (var i = thread; i < ${rows * QUADS}u; i += ${SIDE * SIDE}u) {
var quad = 0u;
if (row + i / ${QUADS}u < p.rows) { quad = memory[p.quads + (g * p.rows + row) * ${QUADS}u + i]; }
rowQuads[i % ${QUADS}u * ${APART}u + i / ${QUADS}u] = quad;
}
workgroupBarrier();`
}

/** A vector of an expression for each of the four strips. */
const ofStrips = (type: string, each: (j: number) => string): string => `${type}(${[0, 1, 2, 3].map(each).join(', ')})`

/** Statements that add to y0, y1 … of a thread the products of a group of its rows. */
function multiplyTile({ format, each }: Tile): string {
  const hasMinima = format.bits === 4
  const scales = (from: number): string => ofStrips('vec4f', (j) => `scalesOfWeights[${from + j * STRIP}u + lane]`)
  return `${times(each, (i) => `var c${i} = vec4i();`)}
for (var q = 0u; q < ${QUADS}u; q++) {
${times(4, (j) => `let b${j} = weightQuads[q * ${APART}u + ${j * STRIP}u + lane];`)}
${times(each, (i) => `let a${i} = rowQuads[q * ${APART}u + own + ${i}u]; c${i} += ${ofStrips('vec4i', (j) => `dot4(a${i}, b${j})`)};`)}
}
let d = ${scales(0)};
${hasMinima ? `let m = ${scales(COLUMNS)};` : ''}
${times(
  each,
  (i) => `if (row + own + ${i}u < p.rows) {
let at = g * p.rows + row + own + ${i}u;
y${i} = fma(vec4f(c${i}), f32At(p.scales + at) * d, y${i});
${hasMinima ? `y${i} -= f32At(p.sums + at) * m;` : ''}
}`,
)}
workgroupBarrier();`
}

/** Statements that store y0, y1 … of a thread. */
const storeTile = ({ each }: Tile): string =>
  times(
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
  )

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
  const { inputs, outputs } = format
  const columns = Math.ceil(outputs / COLUMNS)
  const each = columns * Math.ceil(rows / (4 * SIDE)) >= ENOUGH_TILES ? 4 : 2
  const tile: Tile = { format, rows: each * SIDE, each }
  const sizes = { outputs, rows, columns, groups: groupsOf(inputs), strips: Math.ceil(outputs / STRIP) }
  emit.groups(columns * Math.ceil(rows / tile.rows), {
    fields: { ...emitRounded(format, rows, context), weights, out, ...sizes, strip: stripWords(format) },
    threads: SIDE * SIDE,
    shared: {
      weightQuads: arrayOf('u32', QUADS * APART),
      rowQuads: arrayOf('u32', QUADS * APART),
      scalesOfWeights: arrayOf('f32', 2 * COLUMNS),
    },
    hooks: { afterElement: elementsOf([out!]) },
    body: `let row = group / p.columns * ${tile.rows}u;
let strip = group % p.columns * 4u;
let lane = thread % ${SIDE}u;
let own = thread / ${SIDE}u * ${each}u;
${times(each, (i) => `var y${i} = vec4f();`)}
for (var g = 0u; g < p.groups; g++) {
${loadTile(tile)}
${multiplyTile(tile)}
}
${storeTile(tile)}`,
  })
}

/** Emits x · Wᵀ with x rounded. */
export function emitRoundedProduct(format: PackedFormat, rows: number, context: GpuContext<unknown>): void {
  if (rows <= FEW_ROWS) emitFewRows(format, rows, context)
  else emitTiles(format, rows, context)
}
