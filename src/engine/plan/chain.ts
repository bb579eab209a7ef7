// Elementwise nodes of one shape that run as one kernel, element by element. fuse.ts decides which nodes belong
// together.

import type { Node, Value } from '../ir/graph'
import { sizeOf, type Shape } from '../../core/shapes'
import { basesOf, type Kernel } from './kernel'
import type { Locations } from './locations'

export class ChainKernel implements Kernel {
  readonly reads: readonly Value[]
  readonly temporaryBytes = 0
  readonly places = null

  constructor(
    readonly nodes: readonly Node[],
    /** The values from outside, in the order of their first use. */
    readonly operands: readonly Value[],
    /** The results that are used outside, in order of the nodes. */
    readonly writes: readonly Value[],
    private readonly locations: Locations,
  ) {
    this.reads = basesOf(operands, locations)
  }

  get shape(): Shape {
    return this.nodes[0]!.outputs[0]!.shape
  }

  // Safe if every read of the bytes is at the element being written, and no later step reads them.
  mayShare(write: Value, read: Value): boolean {
    const size = sizeOf(this.shape)
    const written = this.nodes.indexOf(write.node!)
    return this.operands.every((operand) => {
      if (this.locations.baseOf(operand) !== read) return true
      const aligned = this.locations.isWhole(operand) && sizeOf(operand.shape) === size
      return aligned && !this.nodes.some((node, i) => i > written && node.inputs.includes(operand))
    })
  }
}
