// Products of packed weights of 8 and 4 bits on the GPU, and rows of packed tables.

import { PACKED_GROUP, PACKED_STRIP as STRIP } from '../../../../assembly/shared/instructions'
import { sizeOf, type Shape, type TensorType } from '../../../core/shapes'
import { fillingBits } from '../../primitives/indexing'
import type { PackedFormat, PackedMatmul, PackedRows } from '../../primitives/packed'
import { elementsOf } from '../couple'
import type { GpuContext, RoutineKernel } from '../kernel'
import { emitRoundedProduct, firstQuad, groupWords, roundedBytes, stripWords } from './packed-rounded'
import { emitProduct, sliceBytes, type ProductSize } from './tiles'

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

export const packedMatmul: RoutineKernel<PackedMatmul> = {
  temporaryBytes(routine, [x]: readonly TensorType[]) {
    if (routine.kind !== 'rounded') return sliceBytes(exactSize(routine, x!.shape))
    return roundedBytes(rowsIn(x!.shape), routine.format)
  },
  lower(routine, context) {
    const { format, kind } = routine
    const rows = rowsIn(context.inputs[0]!.shape)
    if (rows === 0) return
    if (kind === 'rounded') emitRoundedProduct(format, rows, context)
    else emitExact(routine, context)
  },
}
