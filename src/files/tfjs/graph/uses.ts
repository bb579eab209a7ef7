// Which tensors of a graph are weights, from their shapes and from the operators that read them.

import { sizeOf, type Shape } from '../../../core/shapes'
import type { Definition } from './definition'

/** Operands that are averages of a data set, which optimizers do not train. */
const AVERAGES: Readonly<Record<string, readonly number[]>> = {
  FusedBatchNorm: [3, 4],
  FusedBatchNormV2: [3, 4],
  FusedBatchNormV3: [3, 4],
  // Where it fuses a normalization.
  _FusedConv2D: [4, 5],
}

/** Operands that are weights also where they have one element. */
const KERNELS: Readonly<Record<string, readonly number[]>> = {
  Conv2D: [1],
  Conv3D: [1],
  Conv2DBackpropInput: [1],
  DepthwiseConv2dNative: [1],
  FusedDepthwiseConv2dNative: [1],
  MatMul: [1],
  BatchMatMulV2: [1],
  _FusedConv2D: [1],
  _FusedMatMul: [1],
}

/** Whether a float tensor is a weight. Exporters write constants of formulas as [] or [1, 1]; a bias of one unit is [1]. */
export function isLearned(shape: Shape, uses: Uses | undefined): boolean {
  const size = sizeOf(shape)
  return size > 1 || (size === 1 && (shape.length === 1 || (shape.length > 1 && uses?.isKernel === true)))
}

export interface Uses {
  readonly isKernel: boolean
  /** Whether all uses are averages. */
  readonly isAverage: boolean
}

/** How the results of Const nodes are used, also behind Identity. */
export function usesOf({ nodes }: Definition): ReadonlyMap<string, Uses> {
  const origins = new Map<string, string>()
  const found = new Map<string, Uses>()
  for (const { name, op, inputs } of nodes) {
    if (op === 'Const') origins.set(name, name)
    else if (op === 'Identity' && inputs.length > 0) {
      const origin = origins.get(inputs[0]!.name)
      if (origin !== undefined) origins.set(name, origin)
    } else {
      inputs.forEach((operand, i) => {
        const origin = origins.get(operand.name)
        if (origin === undefined) return
        const before = found.get(origin) ?? { isKernel: false, isAverage: true }
        const isAt = (table: typeof KERNELS): boolean => Object.hasOwn(table, op) && table[op]!.includes(i)
        found.set(origin, {
          isKernel: before.isKernel || isAt(KERNELS),
          isAverage: before.isAverage && isAt(AVERAGES),
        })
      })
    }
  }
  return found
}
