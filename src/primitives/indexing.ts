// gather and its adjoint scatterAdd, along one axis. An index outside the axis means the nearest valid one;
// whoever has the data checks it before.

import { Gather, Insert, ScatterAdd } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import { instruction } from '../ir/instruction'
import { elementsOf } from './flops'
import type { KernelPrimitive } from './rule'
import type { TensorType } from '../core/shapes'
import { sizeOf, splitAround } from '../core/shapes'
import type { AxisAttributes, PrimitiveAttributes } from './attributes'

function requireIndices(name: string, indices: TensorType): void {
  if (indices.dtype !== 'int32') throw new ArgumentError(`${name}: indices must be int32, received ${indices.dtype}`)
}

// input [outer, axis, inner], indices [count…] → out [outer, count…, inner]
const gather: KernelPrimitive<AxisAttributes> = {
  kind: 'kernel',
  infer([x, indices], { axis }) {
    requireIndices('gather', indices!)
    if (x!.shape[axis] === 0) throw new ShapeError(`gather: axis ${axis} of ${formatShape(x!.shape)} is empty`)
    return [
      { shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype },
    ]
  },
  vjp: ({ e, inputs: [x, indices], attributes: { axis }, cotangents: [dy] }) => [
    e.scatterAdd(dy!, indices!, axis, x!.shape[axis]!),
    null,
  ],
  lower({ inputs: [x, indices], outputs: [out], attributes: { axis }, emit }) {
    emit(
      instruction(Opcode.Gather, Gather, {
        out: out!.address,
        input: x!.address,
        indices: indices!.address,
        ...splitAround(x!.shape, axis),
        count: sizeOf(indices!.shape),
      }),
    )
  },
  flops: () => 0,
  // of the operand only what is picked
  traffic: ({ inputs: [, indices], outputs: [out] }) => [indices!, out!, out!],
}

// updates [outer, count…, inner], indices [count…] → out [outer, size, inner], zero where nothing is added
const scatterAdd: KernelPrimitive<PrimitiveAttributes['scatterAdd']> = {
  kind: 'kernel',
  infer([updates, indices], { axis, size }) {
    requireIndices('scatterAdd', indices!)
    if (updates!.dtype !== 'float32') {
      throw new ArgumentError(`scatterAdd: updates must be float32, received ${updates!.dtype}`)
    }
    const picked = updates!.shape.slice(axis, axis + indices!.shape.length)
    if (formatShape(picked) !== formatShape(indices!.shape)) {
      throw new ShapeError(
        `scatterAdd: updates ${formatShape(updates!.shape)} must hold the indices' shape ${formatShape(indices!.shape)} from axis ${axis} on`,
      )
    }
    const rest = updates!.shape.slice(axis + indices!.shape.length)
    return [{ shape: [...updates!.shape.slice(0, axis), size, ...rest], dtype: 'float32' }]
  },
  vjp: ({ e, inputs: [, indices], attributes: { axis }, cotangents: [dy] }) => [e.gather(dy!, indices!, axis), null],
  lower({ inputs: [updates, indices], outputs: [out], attributes: { axis }, emit }) {
    emit(
      instruction(Opcode.ScatterAdd, ScatterAdd, {
        out: out!.address,
        updates: updates!.address,
        indices: indices!.address,
        ...splitAround(out!.shape, axis),
        count: sizeOf(indices!.shape),
      }),
    )
  },
  flops: ({ inputs: [updates] }) => elementsOf([updates!]),
}

// base [outer, axis, inner] → the same, but for block [outer, count, inner] from int32 `start` on, which is known only when it runs
const insert: KernelPrimitive<AxisAttributes> = {
  kind: 'kernel',
  infer([base, block, start], { axis }) {
    requireIndices('insert', start!)
    const isAlike = base!.dtype === block!.dtype && base!.shape.length === block!.shape.length && base!.shape.every((extent, i) => (i === axis ? block!.shape[i]! <= extent : block!.shape[i] === extent))
    if (!isAlike || start!.shape.length > 0) {
      throw new ShapeError(`insert: ${formatShape(block!.shape)} does not fit into ${formatShape(base!.shape)} along axis ${axis}, or ${formatShape(start!.shape)} is no scalar`)
    }
    return [base!]
  },
  // What is kept of earlier runs has no gradient.
  vjp: null,
  inPlace: [[0, 0]],
  lower({ inputs: [base, block, start], outputs: [out], attributes: { axis }, emit }) {
    emit(
      instruction(Opcode.Insert, Insert, {
        out: out!.address, base: base!.address, block: block!.address, start: start!.address,
        ...splitAround(base!.shape, axis), count: block!.shape[axis]!,
      }),
    )
  },
  flops: () => 0,
}

export const indexing = { gather, scatterAdd, insert }
