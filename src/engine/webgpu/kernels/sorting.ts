// Sorting and searching on the GPU, in NumPy's order: 0 and −0 are equal, NaN comes last, sorts are stable. A bitonic network sorts
// the positions of a row's elements, which distinguish equal elements. A workgroup sorts a block of them; in longer rows, a
// kernel over all pairs compares elements of different blocks.

import { BYTES_PER_ELEMENT, type DType } from '../../../core/dtypes'
import { sizeOf, splitAround } from '../../../core/shapes'
import type { SearchSorted, Sorting } from '../../primitives/sorting'
import { arrayOf, type RecordFields } from '../dispatch'
import type { Sources } from '../functions/sources'
import type { GpuContext, RoutineKernel } from '../kernel'

/** The positions in the memory of a workgroup. */
const BLOCK = 2048
const THREADS = 256

/** The length of a row in the network. */
const padded = (axis: number): number => 2 ** Math.ceil(Math.log2(axis))

/** Declares `keyAt`, an integer in the order of the elements. */
const keyOf = (dtype: DType): Sources => ({
  keyAt:
    dtype === 'float32'
      ? 'fn keyAt(at: u32) -> i32 { let x = f32At(at); return select(order(x), 0x7fffffff, isNaN(x)); }'
      : 'fn keyAt(at: u32) -> i32 { return i32At(at); }',
})

/** Declares where a row starts, and the order of its positions; those after the end of the row come last. */
const orderOf = (dtype: DType, descending: boolean): Sources => ({
  ...keyOf(dtype),
  startOf: 'fn startOf(row: u32) -> u32 { return p.x + row / p.inner * p.axis * p.inner + row % p.inner; }',
  isBefore: `fn isBefore(a: u32, b: u32, start: u32) -> bool {
if (max(a, b) >= p.axis) { return a < b; }
let c = keyAt(start + a * p.inner);
let d = keyAt(start + b * p.inner);
return c ${descending ? '>' : '<'} d || (c == d && a < b);
}`,
})

/** The kernels of one sort. */
class Network {
  private readonly fields: RecordFields
  private readonly functions: Sources
  private readonly rows: number
  private readonly length: number

  constructor(
    private readonly routine: Sorting,
    private readonly context: GpuContext<unknown>,
  ) {
    const {
      inputs: [x],
      outputs: [out],
      temporary,
    } = context
    const { outer, axis, inner } = splitAround(x!.shape, routine.axis)
    const selected = out!.shape[routine.axis]!
    this.rows = outer * inner
    this.length = padded(axis)
    this.fields = {
      x,
      out,
      places: temporary ?? undefined,
      axis,
      inner,
      selected,
      length: this.length,
    }
    this.functions = orderOf(x!.dtype, routine.descending)
  }

  emit(): void {
    const { length } = this
    this.emitBlocks(2, Math.min(length, BLOCK))
    for (let run = 2 * BLOCK; run <= length; run *= 2) {
      for (let distance = run / 2; distance >= BLOCK; distance /= 2) this.emitPairs(run, distance)
      this.emitBlocks(run, run)
    }
  }

  /** The steps of the runs from `first` to `last` whose pairs are in one block. */
  private emitBlocks(first: number, last: number): void {
    const { context, fields, rows, length, routine } = this
    const blocks = Math.ceil(length / BLOCK)
    const result = routine.isValues ? 'memory[startOf(row) + places[i] * p.inner]' : 'places[i]'
    const stored =
      last === length
        ? `if (begin + i < p.selected) { memory[p.out + (row / p.inner * p.selected + begin + i) * p.inner + row % p.inner] = ${result}; }`
        : 'memory[p.places + row * p.length + begin + i] = places[i];'
    const forAll = (statement: string): string => `for (var i = thread; i < size; i += ${THREADS}u) { ${statement} }`
    context.emit.groups(rows * blocks, {
      fields: { ...fields, blocks, first, last },
      threads: THREADS,
      shared: { places: arrayOf('u32', BLOCK) },
      functions: this.functions,
      body: `let row = group / p.blocks;
let start = startOf(row);
let begin = group % p.blocks * ${BLOCK}u;
let size = min(p.length, ${BLOCK}u);
${forAll(`places[i] = ${first === 2 ? 'begin + i' : 'memory[p.places + row * p.length + begin + i]'};`)}
workgroupBarrier();
for (var run = p.first; run <= p.last; run *= 2u) {
for (var distance = min(run, size) / 2u; distance > 0u; distance /= 2u) {
for (var pair = thread; pair < size / 2u; pair += ${THREADS}u) {
let i = pair / distance * distance * 2u + pair % distance;
let a = places[i];
let b = places[i + distance];
if (isBefore(b, a, start) == (((begin + i) & run) == 0u)) { places[i] = b; places[i + distance] = a; }
}
workgroupBarrier();
}
}
${forAll(stored)}`,
    })
  }

  /** One step, whose pairs are in different blocks. */
  private emitPairs(run: number, distance: number): void {
    const { context, fields, rows, length } = this
    context.emit.over((rows * length) / 2, {
      fields: { ...fields, run, distance },
      functions: this.functions,
      body: `let row = index / (p.length / 2u);
let pair = index % (p.length / 2u);
let i = pair / p.distance * p.distance * 2u + pair % p.distance;
let at = p.places + row * p.length + i;
let a = memory[at];
let b = memory[at + p.distance];
if (isBefore(b, a, startOf(row)) == ((i & p.run) == 0u)) { memory[at] = b; memory[at + p.distance] = a; }`,
    })
  }
}

export const sort: RoutineKernel<Sorting> = {
  /** The positions, if they do not fit into one block. */
  temporaryBytes({ axis: along }, [x]) {
    const { outer, axis, inner } = splitAround(x!.shape, along)
    return axis <= BLOCK ? 0 : BYTES_PER_ELEMENT * outer * inner * padded(axis)
  },
  lower: (routine, context) => new Network(routine, context).emit(),
}

export const search: RoutineKernel<SearchSorted> = {
  lower({ isRight }, { inputs: [sorted, values], outputs: [out], emit }) {
    emit.over(sizeOf(values!.shape), {
      fields: { sorted, values, out, length: sizeOf(sorted!.shape) },
      functions: keyOf(values!.dtype),
      body: `let key = keyAt(p.values + index);
var low = 0u;
var high = p.length;
while (low < high) {
let middle = (low + high) / 2u;
if (keyAt(p.sorted + middle) ${isRight ? '<=' : '<'} key) { low = middle + 1u; } else { high = middle; }
}
memory[p.out + index] = low;`,
    })
  },
}
