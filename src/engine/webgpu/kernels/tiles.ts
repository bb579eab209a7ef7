// Products on the GPU: a workgroup computes a tile of the result. Operands travel through workgroup memory, and each thread keeps
// a square of sums in registers. What an element of an operand is, the caller says as WGSL: an element of a matrix, or of a
// convolution's window. A long product with a small result is divided into slices of its depth, which are added afterwards, always
// in the same order.

import { BYTES_PER_ELEMENT } from '../../../core/dtypes'
import { sizeOf } from '../../../core/shapes'
import type { Node } from '../../ir/graph'
import type { Address } from '../../ir/operand'
import { elementsOf } from '../couple'
import { arrayOf, type Emitter, type Hooks, type RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import { expressionOf } from '../elementwise'
import type { GpuContext } from '../kernel'

/** The sizes of products: out [matrices, m, n] = left [matrices, m, k] · right [matrices, k, n]. */
export interface ProductSize {
  readonly matrices: number
  readonly m: number
  readonly n: number
  readonly k: number
}

/** An operand of a product, as WGSL. */
interface Factor {
  /** An expression of `matrix`: what the function gets as `origin`. */
  readonly from: string
  /** The body of a function of `origin`, `wide` (a row of the left operand, a column of the right one) and `deep`. */
  readonly element: string
  /** Whether neighbours along the depth, not along the other axis, are neighbours in memory. */
  readonly isDeep: boolean
}

export interface TiledProduct {
  readonly size: ProductSize
  readonly fields: RecordFields
  /** Statements before the factors' `from`. */
  readonly setup?: string
  readonly left: Factor
  readonly right: Factor
  /** The distances between neighbouring rows and matrices of the result; its columns are neighbours. */
  readonly outRow: number
  readonly outMatrix: number
  /** The distance of the bias of neighbouring matrices, if it is a row. */
  readonly biasMatrix: number
}

const DEPTH = 16
/** The threads of a workgroup, in a square. */
const SIDE = 16
/** A slice is at least so deep. */
const SLICE = 256
const MOST_SLICES = 32
/** With so many tiles, a device is busy without slices. */
const ENOUGH_TILES = 96

/** The sums of a thread along each axis: large tiles read less, small tiles leave fewer threads without work. */
const sumsFor = ({ m, n }: ProductSize): 2 | 4 => (m >= 48 && n >= 48 ? 4 : 2)
const VECTORS = { 2: 'vec2f', 4: 'vec4f' } as const

const tilesOf = (size: ProductSize): number =>
  size.matrices * Math.ceil(size.m / (SIDE * sumsFor(size))) * Math.ceil(size.n / (SIDE * sumsFor(size)))

/** The number of slices of a product's depth. */
function slicesOf(size: ProductSize): number {
  if (size.k < 2 * SLICE) return 1
  return Math.max(1, Math.min(MOST_SLICES, Math.floor(ENOUGH_TILES / tilesOf(size)), Math.floor(size.k / SLICE)))
}

/** The bytes for the sums of the slices; 0 without slices. */
export function sliceBytes(size: ProductSize): number {
  const slices = slicesOf(size)
  return slices === 1 ? 0 : BYTES_PER_ELEMENT * slices * size.matrices * size.m * size.n
}

/** The statements of an epilogue: x becomes what follows the product. */
function activated(activation: readonly Node[]): string {
  return activation.map((node) => `x = ${expressionOf(node, ['x'])};`).join(' ')
}

interface Finish {
  readonly fields: RecordFields
  readonly hooks: Hooks
  /** Statements for the sum x in column c of row r of `matrix`. */
  readonly code: string
}

/** What follows the sums of a product. */
function finish(context: GpuContext<unknown>, product: TiledProduct): Finish {
  const { bias, activation, outputs } = context
  const { outRow, outMatrix, biasMatrix } = product
  const isRow =
    bias !== null && (sizeOf(bias.shape) <= product.size.n || sizeOf(bias.shape) < sizeOf(outputs[0]!.shape))
  const at = isRow ? 'matrix * p.biasMatrix + c' : 'to'
  return {
    fields: { out: outputs[0], outRow, outMatrix, bias: bias ?? undefined, biasMatrix: isRow ? biasMatrix : undefined },
    code: `let to = matrix * p.outMatrix + r * p.outRow + c;
${bias === null ? '' : `x += f32At(p.bias + ${at});`} ${activated(activation)}
storeF32(p.out + to, x);
afterElement(to);`,
    hooks: { afterElement: elementsOf([outputs[0]!]) },
  }
}

/** Lines for the numbers 0 … `count` − 1. */
export const times = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** Loads a factor's part of a tile: neighbouring threads read neighbours in memory. */
function loads(name: 'left' | 'right', { isDeep }: Factor, sums: number): string {
  const tile = SIDE * sums
  const [first, most] = name === 'left' ? ['row', 'p.m'] : ['column', 'p.n']
  return times((DEPTH * tile) / (SIDE * SIDE), (e) => {
    const number = `(thread + ${SIDE * SIDE * e}u)`
    const [deep, wide] = isDeep
      ? [`${number} % ${DEPTH}u`, `${number} / ${DEPTH}u`]
      : [`${number} / ${tile}u`, `${number} % ${tile}u`]
    return `{ let d = ${deep}; let w = ${wide}; var x = 0.0; if (${first} + w < ${most} && deep + d < last) { x = ${name}Element(${name}From, ${first} + w, deep + d); } ${name}Tile[d * ${SIDE}u + w / ${sums}u][w % ${sums}u] = x; }`
  })
}

/** The functions that read an element of a factor. */
const elements = ({ left, right }: TiledProduct): Sources => ({
  leftElement: `fn leftElement(origin: u32, wide: u32, deep: u32) -> f32 { ${left.element} }`,
  rightElement: `fn rightElement(origin: u32, wide: u32, deep: u32) -> f32 { ${right.element} }`,
})

/** @param store the statements that store the sum x of row r and column c */
function bodyOf({ setup = '', left, right }: TiledProduct, sums: 2 | 4, store: string): string {
  const tile = SIDE * sums
  const vector = VECTORS[sums]
  return `let tile = group / (p.rows * p.columns);
let matrix = tile % p.matrices;
let slice = tile / p.matrices;
let row = group / p.columns % p.rows * ${tile}u;
let column = group % p.columns * ${tile}u;
let y = thread / ${SIDE}u;
let z = thread % ${SIDE}u;
${setup}
let leftFrom = ${left.from};
let rightFrom = ${right.from};
${times(sums, (i) => `var sum${i} = ${vector}();`)}
let last = min(p.k, (slice + 1u) * p.each);
for (var deep = slice * p.each; deep < last; deep += ${DEPTH}u) {
${loads('left', left, sums)}
${loads('right', right, sums)}
workgroupBarrier();
for (var d = 0u; d < ${DEPTH}u; d++) {
let a = leftTile[d * ${SIDE}u + y];
let b = rightTile[d * ${SIDE}u + z];
${times(sums, (i) => `sum${i} = fma(${vector}(a[${i}]), b, sum${i});`)}
}
workgroupBarrier();
}
${times(
  sums,
  (i) => `for (var j = 0u; j < ${sums}u; j++) {
let r = row + y * ${sums}u + ${i}u;
let c = column + z * ${sums}u + j;
if (r < p.m && c < p.n) {
var x = sum${i}[j];
${store}
}
}`,
)}`
}

const STORE_SLICE = 'storeF32(p.sums + ((slice * p.matrices + matrix) * p.m + r) * p.n + c, x);'

/** Emits a product with its bias and epilogue. */
export function emitProduct(context: GpuContext<unknown>, product: TiledProduct): void {
  const { size } = product
  const { temporary, isByRow, emit } = context
  const { matrices, m, n, k } = size
  const slices = slicesOf(size)
  const sums = sumsFor(size)
  const tile = SIDE * sums
  const rows = Math.ceil(m / tile)
  const columns = Math.ceil(n / tile)
  const end = finish(context, product)
  if (isByRow) return emitElements(product, end, emit)
  const isSliced = slices > 1
  const { fields, hooks } = isSliced ? { fields: { sums: temporary! }, hooks: {} } : end
  const each = isSliced ? Math.ceil(k / slices / DEPTH) * DEPTH : k
  emit.groups(rows * columns * matrices * slices, {
    fields: { m, n, k, rows, columns, matrices, each, ...fields, ...product.fields },
    threads: SIDE * SIDE,
    shared: { leftTile: arrayOf(VECTORS[sums], DEPTH * SIDE), rightTile: arrayOf(VECTORS[sums], DEPTH * SIDE) },
    functions: elements(product),
    hooks,
    body: bodyOf(product, sums, isSliced ? STORE_SLICE : end.code),
  })
  if (isSliced) emitSums(size, slices, temporary!, end, emit)
}

/** Statements that declare the column, row and matrix of an element of the result. */
const PLACE = `let c = index % p.n;
let r = index / p.n % p.m;
let matrix = index / p.n / p.m;`

/** The sums of slices, with what follows the product. */
function emitSums({ matrices, m, n }: ProductSize, slices: number, sums: Address, end: Finish, emit: Emitter): void {
  emit.over(matrices * m * n, {
    fields: { sums, slices, m, n, ...end.fields },
    hooks: end.hooks,
    body: `var x = 0.0;
for (var i = 0u; i < p.slices; i++) { x += f32At(p.sums + i * p.count + index); }
${PLACE}
${end.code}`,
  })
}

/** A product with a thread for each element of the result. Its sums have the order of those in tiles. */
function emitElements(product: TiledProduct, end: Finish, emit: Emitter): void {
  const { size, fields, setup = '', left, right } = product
  const { matrices, m, n, k } = size
  emit.over(matrices * m * n, {
    fields: { m, n, k, ...end.fields, ...fields },
    functions: elements(product),
    hooks: end.hooks,
    body: `${PLACE}
${setup}
let leftFrom = ${left.from};
let rightFrom = ${right.from};
var x = 0.0;
for (var deep = 0u; deep < p.k; deep++) { x = fma(leftElement(leftFrom, r, deep), rightElement(rightFrom, c, deep), x); }
${end.code}`,
  })
}
