// gather and its adjoint scatterAdd along one axis, and scatterMax. Negative indices count from the end of the
// axis. For an index outside the axis, gather gives NaN, the least int32 or true, as in JAX, and scatter drops
// its slice. Callers that have the data check indices first.

import { Insert, Scatter } from '../../../assembly/shared/instructions'
import { Opcode, Scattering } from '../../../assembly/shared/opcodes'
import type { DType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { instruction, type LowerContext } from '../ir/instruction'
import { elementsOf } from './flops'
import { KernelRoutine } from './routine'
import type { CostContext, InPlace, KernelPrimitive, RefContext, VjpContext } from './rule'
import type { Value } from '../ir/graph'
import { sizeOf, splitAround, type TensorType } from '../../core/shapes'
import type { PrimitiveAttributes } from '../ir/attributes'

function requireIndices(name: string, indices: TensorType): void {
  if (indices.dtype !== 'int32') throw new ArgumentError(`${name}: indices must be int32, received ${indices.dtype}`)
}

/** The result of gather for an index outside the axis. */
export function fillingOf(dtype: DType): number {
  if (dtype === 'float32') return NaN
  return dtype === 'bool' ? 1 : -(2 ** 31)
}

const NAN_BITS = 0x7fc00000

/** The bits of `fillingOf`. */
export function fillingBits(dtype: DType): number {
  return dtype === 'float32' ? NAN_BITS : fillingOf(dtype)
}

// input [outer, axis, inner], indices [count…] → out [outer, count…, inner]
const gather: KernelPrimitive<PrimitiveAttributes['gather']> = {
  kind: 'kernel',
  moves: true,
  infer([x, indices], { axis }) {
    requireIndices('gather', indices!)
    if (x!.shape[axis] === 0) throw new ShapeError(`gather: axis ${axis} of ${formatShape(x!.shape)} is empty`)
    return [{ shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype }]
  },
  vjp: ({ e, inputs: [x, indices], attributes: { axis }, cotangents: [dy] }) => [
    e.scatterAdd(dy!, indices!, axis, x!.shape[axis]!),
    null,
  ],
  flops: () => 0,
  // Reads only the selected part of the operand.
  traffic: ({ inputs: [, indices], outputs: [out] }) => [indices!, out!, out!],
}

/** The position for an index, as kernels compute it; −1 outside the axis. */
export function placeOf(index: number, axis: number): number {
  const place = index < 0 ? index + axis : index
  return place < axis ? Math.max(place, -1) : -1
}

interface ScatterAttributes {
  readonly axis: number
  readonly size: number
}

// updates [outer, count…, inner], indices [count…] → out [outer, size, inner]
function inferScatter(
  name: string,
  [updates, indices]: readonly TensorType[],
  { axis, size }: ScatterAttributes,
): TensorType[] {
  requireIndices(name, indices!)
  if (updates!.dtype === 'bool') throw new ArgumentError(`${name}: updates must be float32 or int32, received bool`)
  const picked = updates!.shape.slice(axis, axis + indices!.shape.length)
  if (formatShape(picked) !== formatShape(indices!.shape)) {
    throw new ShapeError(
      `${name}: updates ${formatShape(updates!.shape)} must contain the indices' shape ${formatShape(indices!.shape)} from axis ${axis} on`,
    )
  }
  const rest = updates!.shape.slice(axis + indices!.shape.length)
  return [{ shape: [...updates!.shape.slice(0, axis), size, ...rest], dtype: updates!.dtype }]
}

export function lowerScatter(
  { inputs: [updates, indices], outputs: [out], emit }: LowerContext<unknown>,
  axis: number,
  scattering: Scattering,
): void {
  emit(
    instruction(Opcode.Scatter, Scatter, {
      out: out!.address,
      updates: updates!.address,
      indices: indices!.address,
      ...splitAround(out!.shape, axis),
      count: sizeOf(indices!.shape),
      scattering,
    }),
  )
}

// Elements without updates are zero.
const scatterAdd: KernelPrimitive<PrimitiveAttributes['scatterAdd']> = {
  kind: 'kernel',
  infer: (inputs, attributes) => inferScatter('scatterAdd', inputs, attributes),
  vjp: ({ e, inputs: [, indices], attributes: { axis }, cotangents: [dy] }) => [
    e.gather(dy!, indices!, axis, true),
    null,
  ],
  flops: ({ inputs: [updates] }) => elementsOf([updates!]),
}

/**
 * Copies base [outer, axis, inner] with a block [outer, count, inner] written at int32 `start`, which is known
 * only at run time. No gradient flows, because the contents come from earlier runs.
 */
export class InsertBlock extends KernelRoutine {
  readonly name = 'insert'

  constructor(readonly axis: number) {
    super()
  }

  override infer([base, block, start]: readonly TensorType[]): readonly TensorType[] {
    requireIndices(this.name, start!)
    const isAlike =
      base!.dtype === block!.dtype &&
      base!.shape.length === block!.shape.length &&
      base!.shape.every((extent, i) => (i === this.axis ? block!.shape[i]! <= extent : block!.shape[i] === extent))
    if (!isAlike || start!.shape.length > 0) {
      throw new ShapeError(
        `${this.name}: ${formatShape(block!.shape)} does not fit into ${formatShape(base!.shape)} along axis ${this.axis}, or ${formatShape(start!.shape)} is not a scalar`,
      )
    }
    return [base!]
  }

  override inPlace(): readonly InPlace[] {
    return [[0, 0]]
  }

  override lower({ inputs: [base, block, start], outputs: [out], emit }: LowerContext<unknown>): void {
    emit(
      instruction(Opcode.Insert, Insert, {
        out: out!.address,
        base: base!.address,
        block: block!.address,
        start: start!.address,
        ...splitAround(base!.shape, this.axis),
        count: block!.shape[this.axis]!,
      }),
    )
  }

  override flops(): number {
    return 0
  }

  override reference({
    inputs: [base, block, start],
    outputs: [out],
    inputTypes: [to, from],
  }: RefContext<unknown>): void {
    const { outer, axis, inner } = splitAround(to!.shape, this.axis)
    const count = from!.shape[this.axis]!
    const first = Math.max(0, Math.min(start![0]!, axis - count))
    out!.set(base!)
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < count * inner; j++) out![(i * axis + first) * inner + j] = block![i * count * inner + j]!
    }
  }
}

/** The largest update for each index; −∞ or the least int32 if there are none. Ties share the gradient equally. */
export class ScatterMax extends KernelRoutine implements ScatterAttributes {
  readonly name = 'scatterMax'

  constructor(
    readonly axis: number,
    readonly size: number,
  ) {
    super()
  }

  override infer(inputs: readonly TensorType[]): readonly TensorType[] {
    return inferScatter(this.name, inputs, this)
  }

  // dx = dy at its index / the number of ties, where x is the largest.
  override vjp({
    e,
    inputs: [x, indices],
    outputs: [y],
    cotangents: [dy],
  }: VjpContext<unknown>): readonly (Value | null)[] {
    const hit = e.cast(e.equal(x!, e.gather(y!, indices!, this.axis)), 'float32')
    const ties = e.scatterAdd(hit, indices!, this.axis, this.size)
    const shared = e.divide(dy!, e.select(e.equal(ties, 0), 1, ties))
    return [e.multiply(hit, e.gather(shared, indices!, this.axis, true)), null]
  }

  override lower(context: LowerContext<unknown>): void {
    lowerScatter(context, this.axis, context.inputs[0]!.dtype === 'int32' ? Scattering.MaxI32 : Scattering.Max)
  }

  override flops({ inputs: [updates] }: CostContext<unknown>): number {
    return elementsOf([updates!])
  }

  override reference({ inputs: [updates, indices], outputs: [out], outputTypes: [type] }: RefContext<unknown>): void {
    const { outer, axis, inner } = splitAround(type!.shape, this.axis)
    out!.fill(type!.dtype === 'int32' ? -(2 ** 31) : -Infinity)
    for (let i = 0; i < outer; i++) {
      indices!.forEach((index, j) => {
        const row = placeOf(index, axis)
        if (row < 0) return
        for (let k = 0; k < inner; k++) {
          const at = (i * axis + row) * inner + k
          out![at] = Math.max(out![at]!, updates![(i * indices!.length + j) * inner + k]!)
        }
      })
    }
  }
}

export const indexing = { gather, scatterAdd }
