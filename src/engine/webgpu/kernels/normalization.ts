// Normalization and its gradient on the GPU: a workgroup for each row, and for the gradients of scale and shift one for some
// neighbouring columns of all rows.

import { extentsOf, type Normalization, type NormalizationGradient } from '../../primitives/normalization'
import { elementsOf } from '../couple'
import { arrayOf, type Emitter, type RecordFields } from '../dispatch'
import type { RoutineKernel } from '../kernel'
import { forColumns, treeOf, ROW_THREADS } from './rows'

/** Declares the first elements of the row and of its weights. */
const ROW = `let first = group * p.columns;
let weights = group / p.rows * p.columns;`

export const normalization: RoutineKernel<Normalization> = {
  lower({ attributes }, { inputs: [x, scale, shift], outputs: [out, mean, inverse], emit }) {
    const { epsilon, isCentered, hasScale, hasShift } = attributes
    const extents = extentsOf(x!.shape, attributes)
    const weights = [hasScale ? scale : undefined, hasShift ? shift : undefined].filter((each) => each !== undefined)
    const scaled = hasScale ? ' * f32At(p.scale + weights + i)' : ''
    const shifted = hasShift ? ' + f32At(p.shift + weights + i)' : ''
    emit.groups(extents.groups * extents.rows, {
      fields: {
        ...extents,
        x,
        scale: hasScale ? scale : undefined,
        shift: hasShift ? shift : undefined,
        out,
        mean,
        inverse,
        epsilon: { float: epsilon },
      },
      threads: ROW_THREADS,
      hooks: { beforeElement: elementsOf([x!], weights), afterElement: elementsOf([out!]) },
      body: `${ROW}
var mean = 0.0;
${isCentered ? `${forColumns('beforeElement(first + i); mean += f32At(p.x + first + i);')}\nmean = rowSum(thread, mean) / f32(p.columns);` : ''}
var squares = 0.0;
${forColumns(`${isCentered ? '' : 'beforeElement(first + i); '}let d = f32At(p.x + first + i) - mean; squares = fma(d, d, squares);`)}
let inverse = rsqrtOf(rowSum(thread, squares) / f32(p.columns) + p.epsilon);
${forColumns(`storeF32(p.out + first + i, (f32At(p.x + first + i) - mean) * inverse${scaled}${shifted}); afterElement(first + i);`)}
if (thread == 0u) { storeF32(p.mean + group, mean); storeF32(p.inverse + group, inverse); }`,
    })
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
    const fields = { ...extents, x, mean, inverse, dy }
    emitRows(groups * rows, { ...fields, scale: hasScale ? rest[0] : undefined, dx }, isCentered, hasScale, emit)
    if (!hasScale) return
    emitWeights(groups, columns, { ...fields, dScale, dShift: hasShift ? dShift : undefined }, hasShift, emit)
  },
}

/** dx = r (u − mean u − z mean (u z)) for u = dy ⊙ scale; mean u is left out if it is not centred. */
function emitRows(count: number, fields: RecordFields, isCentered: boolean, hasScale: boolean, emit: Emitter): void {
  const u = `let u = f32At(p.dy + first + i)${hasScale ? ' * f32At(p.scale + weights + i)' : ''};`
  const z = 'let z = (f32At(p.x + first + i) - mean) * inverse;'
  emit.groups(count, {
    fields,
    threads: ROW_THREADS,
    body: `${ROW}
let mean = f32At(p.mean + group);
let inverse = f32At(p.inverse + group);
var middle = 0.0;
var along = 0.0;
${forColumns(`${u} ${z} middle += u; along = fma(u, z, along);`)}
${isCentered ? 'middle = rowSum(thread, middle) / f32(p.columns);' : 'middle = 0.0;'}
along = rowSum(thread, along) / f32(p.columns);
${forColumns(`${u} ${z} storeF32(p.dx + first + i, inverse * (u - middle - z * along));`)}`,
  })
}

/** The columns of a workgroup, and the threads that share the rows of one. */
const ACROSS = 16
const DEEP = 16

/** dscale = Σ dy z and dshift = Σ dy over rows. */
function emitWeights(groups: number, columns: number, fields: RecordFields, hasShift: boolean, emit: Emitter): void {
  const blocks = Math.ceil(columns / ACROSS)
  emit.groups(groups * blocks, {
    fields: { ...fields, blocks },
    threads: ACROSS * DEEP,
    shared: { part: arrayOf('vec2f', ACROSS * DEEP) },
    body: `let place = group / p.blocks;
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
${treeOf('deep', DEEP, ACROSS, 'part[thread] += part[other];')}
if (deep == 0u && column < p.columns) {
storeF32(p.dScale + place * p.columns + column, part[thread].x);
${hasShift ? 'storeF32(p.dShift + place * p.columns + column, part[thread].y);' : ''}
}`,
  })
}
