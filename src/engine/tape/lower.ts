// Lowers the kernels of a plan to instructions of the tape, in order.

import { Epilogue } from '../../../assembly/shared/opcodes'
import { isLoop, passesOf } from '../ir/region'
import type { PrimitiveName } from '../ir/attributes'
import type { Operand } from '../ir/operand'
import { rowMajorStrides, sameShape, type Shape } from '../../core/shapes'
import { ChainKernel } from '../plan/chain'
import { SingleKernel, labelOf, type Kernel, type Placement } from '../plan/kernel'
import type { LowerOptions, TapeBuilder } from './builder'
import { lowerChain } from './chain'
import type { LabelledInstruction } from './encode'
import { LoopLowering } from './loops'
import { tapeKernelOf } from './target'

const NOTHING: readonly Operand[] = []

/** An instruction of a kernel. The last one of the kernel lists the kernel's results. */
interface KernelInstruction extends LabelledInstruction {
  made: readonly Operand[]
}

/** The instructions of kernels. They do not refer to the graph, because they are kept as long as their program. */
export function lowerAll(
  kernels: readonly Kernel[],
  placement: Placement,
  options: LowerOptions,
): LabelledInstruction[] {
  const result: KernelInstruction[] = []
  let label = ''
  const builder: TapeBuilder = {
    ...placement,
    ...options,
    emit: ({ opcode, layout, fields, fixedBytes, lists, flops }) =>
      void result.push({ opcode, layout, fields, fixedBytes, lists, flops, label, made: NOTHING }),
    emitLoop: (instruction, body, loop) => void result.push({ ...instruction, label, made: NOTHING, body, loop }),
  }
  kernels.forEach((kernel) => {
    const before = result.length
    label = labelOf(kernel)
    lower(kernel, builder)
    if (result.length > before) result[result.length - 1]!.made = kernel.writes.map((write) => placement.operand(write))
  })
  return result
}

function lower(kernel: Kernel, builder: TapeBuilder): void {
  if (kernel instanceof ChainKernel) return lowerChain(kernel, builder)
  if (kernel instanceof SingleKernel) return lowerSingle(kernel, builder)
  const node = kernel.nodes[0]!
  if (isLoop(node)) passesOf(node, LoopLowering).lower(kernel, builder)
}

function lowerSingle<Name extends PrimitiveName>(kernel: SingleKernel<Name>, builder: TapeBuilder): void {
  const { node, writes, bias, activation } = kernel
  const { operand, scratch, temporaryOf, wideTiles, emit } = builder
  tapeKernelOf(node.name).lower({
    inputs: node.inputs.map(operand),
    outputs: writes.map((write, i) => seenAs(operand(write), node.outputs[i]!.shape)),
    attributes: node.attributes,
    scratch,
    temporary: temporaryOf(kernel),
    wideTiles,
    bias: bias && operand(bias.operand),
    epilogue: activation?.epilogue ?? Epilogue.None,
    emit,
  })
}

/** A contiguous operand with the shape that the kernel gives it; a node that is fused into the kernel may have another. */
function seenAs(operand: Operand, shape: Shape): Operand {
  return sameShape(operand.shape, shape) ? operand : { ...operand, shape, strides: rowMajorStrides(shape) }
}
