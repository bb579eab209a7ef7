// Matrix products on the GPU: a workgroup computes a tile of the result. Operands travel through workgroup memory, and each
// thread keeps a square of sums in registers.

import { broadcastStrides, sizeOf, type Shape } from '../../../core/shapes'
import type { NoAttributes } from '../../ir/attributes'
import type { Node } from '../../ir/graph'
import type { Word } from '../../ir/instruction'
import type { Address, Operand } from '../../ir/operand'
import { kernelIn, type Dispatch } from '../dispatch'
import { expressionOf } from '../elementwise'
import type { GpuContext, GpuKernel } from '../kernel'
import { stridedOffsets } from '../strided'

/** The statements of an epilogue: x becomes what follows the product. */
export function activated(activation: readonly Node[]): string {
  return activation.map((node) => `x = ${expressionOf(node, ['x'])};`).join(' ')
}

/** One product for each of `batch` pairs of matrices: out [batch, m, n] = a [batch, m, k] · b [batch, k, n]. */
interface Product {
  readonly batch: Shape
  readonly m: number
  readonly n: number
  readonly k: number
  readonly out: Address
  readonly a: Address
  readonly b: Address
  /** The strides of each operand along the batch, its rows and its columns. */
  readonly aStrides: readonly number[]
  readonly bStrides: readonly number[]
  /** A row that is added to each row, or a matrix for each. */
  readonly bias: { readonly address: Address; readonly row: number } | null
  readonly activation: readonly Node[]
  readonly unless: Word | null
}

/** The columns of a that are in workgroup memory at a time. */
const DEPTH = 16
/** The threads of a workgroup, in a square. */
const SIDE = 16

/** The sums of a thread along each axis: large tiles read less, small tiles leave fewer threads without work. */
const sumsFor = (m: number, n: number): number => (m >= 48 && n >= 48 ? 4 : 2)

export function product({ batch, m, n, k, out, a, b, aStrides, bStrides, bias, activation, unless }: Product): Dispatch {
  const sums = sumsFor(m, n)
  const tile = SIDE * sums
  const rank = batch.length
  const offsets = stridedOffsets('matrix', batch, { a: aStrides.slice(0, rank), b: bStrides.slice(0, rank) })
  const [aRow, aColumn] = aStrides.slice(rank)
  const [bRow, bColumn] = bStrides.slice(rank)
  const vector = `vec${sums}f`
  const times = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n')
  // Neighbouring threads read neighbouring elements.
  const load = (e: number): string => {
    const number = `(thread + ${256 * e}u)`
    const [aDeep, aWide] = aColumn === 1 ? [`${number} % 16u`, `${number} / 16u`] : [`${number} / ${tile}u`, `${number} % ${tile}u`]
    const [bDeep, bWide] = bColumn === 1 ? [`${number} / ${tile}u`, `${number} % ${tile}u`] : [`${number} % 16u`, `${number} / 16u`]
    return `{ let d = ${aDeep}; let w = ${aWide}; var x = 0.0; if (row + w < p.m && deep + d < p.k) { x = f32At(aFrom + (row + w) * p.aRow + (deep + d) * p.aColumn); } aTile[d * ${SIDE}u + w / ${sums}u][w % ${sums}u] = x; }
{ let d = ${bDeep}; let w = ${bWide}; var x = 0.0; if (column + w < p.n && deep + d < p.k) { x = f32At(bFrom + (deep + d) * p.bRow + (column + w) * p.bColumn); } bTile[d * ${SIDE}u + w / ${sums}u][w % ${sums}u] = x; }`
  }
  const withBias = bias === null ? '' : 'x += f32At(p.bias + (matrix * p.m + r) * p.biasRow + c);'
  const rows = Math.ceil(m / tile)
  const columns = Math.ceil(n / tile)
  return kernelIn(rows * columns * sizeOf(batch), {
    fields: {
      m,
      n,
      k,
      rows,
      columns,
      matrices: sizeOf(batch),
      out,
      a,
      b,
      aRow: aRow!,
      aColumn: aColumn!,
      bRow: bRow!,
      bColumn: bColumn!,
      ...(bias === null ? {} : { bias: bias.address, biasRow: bias.row }),
      ...offsets.fields,
    },
    threads: SIDE * SIDE,
    declarations: `var<workgroup> aTile: array<${vector}, ${DEPTH * SIDE}>;
var<workgroup> bTile: array<${vector}, ${DEPTH * SIDE}>;`,
    body: `let matrix = group / (p.rows * p.columns);
if (matrix >= p.matrices) { return; }
let row = group / p.columns % p.rows * ${tile}u;
let column = group % p.columns * ${tile}u;
let y = thread / ${SIDE}u;
let z = thread % ${SIDE}u;
${offsets.code}
let aFrom = p.a + a_at;
let bFrom = p.b + b_at;
${times(sums, (i) => `var sum${i} = ${vector}();`)}
for (var deep = 0u; deep < p.k; deep += ${DEPTH}u) {
${times((DEPTH * tile) / 256, load)}
workgroupBarrier();
for (var d = 0u; d < ${DEPTH}u; d++) {
let left = aTile[d * ${SIDE}u + y];
let right = bTile[d * ${SIDE}u + z];
${times(sums, (i) => `sum${i} = fma(${vector}(left[${i}]), right, sum${i});`)}
}
workgroupBarrier();
}
${times(sums, (i) => `for (var j = 0u; j < ${sums}u; j++) {
let r = row + y * ${sums}u + ${i}u;
let c = column + z * ${sums}u + j;
if (r < p.m && c < p.n) { var x = sum${i}[j]; ${withBias} ${activated(activation)} storeF32(p.out + (matrix * p.m + r) * p.n + c, x); }
}`)}`,
    unless,
  })
}

/** The strides of an operand of a product along the batch, its rows and its columns. */
function matrixStrides({ shape, strides }: Operand, batch: Shape): number[] {
  return [...broadcastStrides(shape.slice(0, -2), strides.slice(0, -2), batch), ...strides.slice(-2)]
}

/** The bias as a kernel adds it. */
export function biasOf({ bias, outputs: [out] }: GpuContext<unknown>): Product['bias'] {
  if (bias === null) return null
  return { address: bias.address, row: sizeOf(bias.shape) === out!.shape.at(-1) && sizeOf(out!.shape) !== sizeOf(bias.shape) ? 0 : out!.shape.at(-1)! }
}

const matmul: GpuKernel<NoAttributes> = {
  accepts: () => true,
  fusesEpilogue: true,
  fusesAddend: true,
  lower(context) {
    const {
      inputs: [a, b],
      outputs: [out],
      activation,
      unless,
      emit,
    } = context
    const [m, n] = out!.shape.slice(-2) as [number, number]
    const batch = out!.shape.slice(0, -2)
    if (sizeOf(out!.shape) === 0) return
    emit(
      product({
        batch,
        m,
        n,
        k: a!.shape.at(-1)!,
        out: out!.address,
        a: a!.address,
        b: b!.address,
        aStrides: matrixStrides(a!, batch),
        bStrides: matrixStrides(b!, batch),
        bias: biasOf(context),
        activation,
        unless,
      }),
    )
  },
}

export const contraction = { matmul }
