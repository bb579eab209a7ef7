// Elementwise nodes of one shape as one dispatch: a thread computes all nodes for one element.

import type { DType } from '../../core/dtypes'
import { broadcastStrides, sizeOf } from '../../core/shapes'
import type { Value } from '../ir/graph'
import type { Word } from '../ir/instruction'
import type { Operand } from '../ir/operand'
import type { ChainKernel } from '../plan/chain'
import type { Placement } from '../plan/kernel'
import { isContiguous } from '../primitives/rule'
import type { ChainLimits } from '../plan/target'
import { elementsOf } from './couple'
import type { Elements, Emitter } from './dispatch'
import { expressionOf } from './elementwise'
import { stridedOffsets } from './strided'

/** A thread reads an operand of any layout; a record has room for these. */
export const CHAIN_LIMITS: ChainLimits = { operands: 16, steps: 64, copies: () => false }

/** WGSL that reads an element as the type that expressions compute with. */
export const loaded = (dtype: DType, at: string): string => (dtype === 'float32' ? `f32At(${at})` : `i32At(${at})`)
/** WGSL that stores an element. */
export const stored = (dtype: DType, at: string, x: string): string =>
  dtype === 'float32' ? `storeF32(${at}, ${x});` : `storeI32(${at}, ${x});`

/** The elements of a chain: its results, and the operands that it reads only element by element. */
function elementsIn({ operands, writes, shape }: ChainKernel, operand: Placement['operand']): Elements {
  const read = operands.map(operand)
  const isAlone = ({ shape: own, strides }: Operand): boolean =>
    sizeOf(own) === sizeOf(shape) && isContiguous(own, strides)
  const others = read.filter((each) => !isAlone(each))
  return elementsOf([...writes.map(operand), ...read.filter(isAlone)], others)
}

export function lowerChain(kernel: ChainKernel, { operand }: Placement, emit: Emitter): void {
  const { nodes, shape, writes } = kernel
  const names = new Map<Value, string>()
  const fields: Record<string, Word> = {}
  const lines: string[] = []
  const strides: Record<string, number[]> = {}
  kernel.operands.forEach((value, i) => {
    const { address, shape: from, strides: steps } = operand(value)
    fields[`x${i}`] = address
    strides[`x${i}`] = broadcastStrides(from, steps, shape)
    names.set(value, `v${i}`)
  })
  const offsets = stridedOffsets('index', shape, strides)
  kernel.operands.forEach(({ dtype }, i) => lines.push(`let v${i} = ${loaded(dtype, `p.x${i} + x${i}_at`)};`))
  nodes.forEach((node, i) => {
    lines.push(
      `let n${i} = ${expressionOf(
        node,
        node.inputs.map((input) => names.get(input)!),
      )};`,
    )
    names.set(node.outputs[0]!, `n${i}`)
  })
  writes.forEach((value, i) => {
    fields[`y${i}`] = operand(value).address
    lines.push(stored(value.dtype, `p.y${i} + index`, names.get(value)!))
  })
  const elements = elementsIn(kernel, operand)
  emit.over(sizeOf(shape), {
    fields: { ...fields, ...offsets.fields },
    elements,
    hooks: { afterElement: elements },
    body: `${offsets.code}\n${lines.join('\n')}\nafterElement(index);`,
  })
}
