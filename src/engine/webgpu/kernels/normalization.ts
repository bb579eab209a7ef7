// Normalization and its gradient on the GPU: a workgroup for each row, and for the gradients of scale and shift one for some
// neighbouring columns of all rows.

import { extentsOf, type Normalization, type NormalizationGradient } from '../../primitives/normalization'
import { kernelIn, type Dispatch, type RecordFields } from '../dispatch'
import type { GpuContext, RoutineKernel } from '../kernel'
import { ROW_DECLARATIONS, ROW_THREADS } from './rows'

/** A loop of a thread over its columns of a row. */
const forColumns = (statement: string): string =>
  `for (var i = thread; i < p.columns; i += ${ROW_THREADS}u) { ${statement} }`

/** Declares the first elements of the row and of its weights. */
const ROW = `if (group >= p.groups * p.rows) { return; }
let first = group * p.columns;
let weights = group / p.rows * p.columns;`

export const normalization: RoutineKernel<Normalization> = {
  lower({ attributes }, { inputs: [x, scale, shift], outputs: [out, mean, inverse], unless, emit }) {
    const { epsilon, isCentered, hasScale, hasShift } = attributes
    const extents = extentsOf(x!.shape, attributes)
    if (extents.groups * extents.rows * extents.columns === 0) return
    const scaled = hasScale ? ' * f32At(p.scale + weights + i)' : ''
    const shifted = hasShift ? ' + f32At(p.shift + weights + i)' : ''
    emit(
      kernelIn(extents.groups * extents.rows, {
        fields: {
          ...extents,
          x: x!.address,
          ...(hasScale ? { scale: scale!.address } : {}),
          ...(hasShift ? { shift: shift!.address } : {}),
          out: out!.address,
          mean: mean!.address,
          inverse: inverse!.address,
          epsilon: { float: epsilon },
        },
        threads: ROW_THREADS,
        declarations: ROW_DECLARATIONS,
        body: `${ROW}
var mean = 0.0;
${isCentered ? `${forColumns('mean += f32At(p.x + first + i);')}\nmean = rowSum(thread, mean) / f32(p.columns);` : ''}
var squares = 0.0;
${forColumns('let d = f32At(p.x + first + i) - mean; squares = fma(d, d, squares);')}
let inverse = rsqrtOf(rowSum(thread, squares) / f32(p.columns) + p.epsilon);
${forColumns(`storeF32(p.out + first + i, (f32At(p.x + first + i) - mean) * inverse${scaled}${shifted});`)}
if (thread == 0u) { storeF32(p.mean + group, mean); storeF32(p.inverse + group, inverse); }`,
        unless,
      }),
    )
  },
}

export const normalizationGradient: RoutineKernel<NormalizationGradient> = {
  lower({ attributes }, context) {
    const { inputs, outputs, emit } = context
    const { isCentered, hasScale, hasShift } = attributes
    const [x, ...rest] = inputs
    const [mean, inverse, dy] = rest.slice(-3)
    const [dx, dScale, dShift] = outputs
    const extents = extentsOf(x!.shape, attributes)
    const { groups, rows, columns } = extents
    if (groups * columns === 0) return
    const fields = { ...extents, x: x!.address, mean: mean!.address, inverse: inverse!.address, dy: dy!.address }
    if (rows > 0) {
      const scale = hasScale ? { scale: rest[0]!.address } : {}
      emit(ofRows(groups * rows, { ...fields, ...scale, dx: dx!.address }, isCentered, hasScale, context))
    }
    if (hasScale) {
      const shift = hasShift ? { dShift: dShift!.address } : {}
      emit(ofWeights(groups, columns, { ...fields, dScale: dScale!.address, ...shift }, hasShift, context))
    }
  },
}

type Run = Pick<GpuContext<unknown>, 'unless'>

/** dx = r (u − mean u − z mean (u z)) for u = dy ⊙ scale; mean u is left out if it is not centred. */
function ofRows(
  count: number,
  fields: RecordFields,
  isCentered: boolean,
  hasScale: boolean,
  { unless }: Run,
): Dispatch {
  const u = `let u = f32At(p.dy + first + i)${hasScale ? ' * f32At(p.scale + weights + i)' : ''};`
  const z = 'let z = (f32At(p.x + first + i) - mean) * inverse;'
  return kernelIn(count, {
    fields,
    threads: ROW_THREADS,
    declarations: ROW_DECLARATIONS,
    body: `${ROW}
let mean = f32At(p.mean + group);
let inverse = f32At(p.inverse + group);
var middle = 0.0;
var along = 0.0;
${forColumns(`${u} ${z} middle += u; along = fma(u, z, along);`)}
${isCentered ? 'middle = rowSum(thread, middle) / f32(p.columns);' : 'middle = 0.0;'}
along = rowSum(thread, along) / f32(p.columns);
${forColumns(`${u} ${z} storeF32(p.dx + first + i, inverse * (u - middle - z * along));`)}`,
    unless,
  })
}

/** The columns of a workgroup, and the threads that share the rows of one. */
const ACROSS = 16
const DEEP = 16

/** dscale = Σ dy z and dshift = Σ dy over rows. */
function ofWeights(
  groups: number,
  columns: number,
  fields: RecordFields,
  hasShift: boolean,
  { unless }: Run,
): Dispatch {
  const blocks = Math.ceil(columns / ACROSS)
  return kernelIn(groups * blocks, {
    fields: { ...fields, blocks },
    threads: ACROSS * DEEP,
    declarations: `var<workgroup> part: array<vec2f, ${ACROSS * DEEP}>;`,
    body: `let place = group / p.blocks;
if (place >= p.groups) { return; }
let column = group % p.blocks * ${ACROSS}u + thread % ${ACROSS}u;
let deep = thread / ${ACROSS}u;
var sums = vec2f();
if (column < p.columns) {
for (var row = place * p.rows + deep; row < (place + 1u) * p.rows; row += ${DEEP}u) {
let dy = f32At(p.dy + row * p.columns + column);
let z = (f32At(p.x + row * p.columns + column) - f32At(p.mean + row)) * f32At(p.inverse + row);
sums += vec2f(dy * z, dy);
}
}
part[thread] = sums;
workgroupBarrier();
for (var half = ${DEEP / 2}u; half > 0u; half /= 2u) {
if (deep < half) { part[thread] += part[thread + half * ${ACROSS}u]; }
workgroupBarrier();
}
if (deep == 0u && column < p.columns) {
storeF32(p.dScale + place * p.columns + column, part[thread].x);
${hasShift ? 'storeF32(p.dShift + place * p.columns + column, part[thread].y);' : ''}
}`,
    unless,
  })
}
