// The kernel of a loop: its body is planned once, and the addresses of its values change from iteration to
// iteration. Places carries and stacked results so that no iteration copies data.

import { ALIGNMENT } from '../../../assembly/shared/instructions'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Node, Value } from '../ir/graph'
import { offsetBy, type Address, type Operand } from '../ir/operand'
import { operandsOf } from '../ir/region'
import { fuse } from './fuse'
import { basesOf, locatedOnce, type JointResults, type FuseOptions, type Kernel, type Placement } from './kernel'
import type { Legal, Locations } from './locations'
import { locate, planMemory, type Home, type LoopIdentity, type MemoryPlan, type PlacedBuffer } from './memory'
import { align } from './offsets'

/** How a carry is passed on. */
interface Carry {
  readonly parameter: Value
  /** Its new value in the body, as a base. */
  readonly next: Value
  readonly bytes: number
  /** The stacked results with its values before and after each iteration, as indices of the loop's outputs. */
  readonly before: number | null
  readonly after: number | null
  /** All its values one after another; null if two buffers alternate. */
  readonly block: JointResults | null
  /** The offset of the second buffer in the kernel's temporary bytes. */
  readonly spare: number
  /** Whether iterations write the new value over the old one, because none reads it. */
  readonly isOver: boolean
}

/** Bytes that are copied unchanged. */
export interface BytesCopy {
  readonly from: Address
  readonly to: Address
  readonly bytes: number
}

/** The kernel of a legalized loop. */
export function loopKernel(node: Node<'loop'>, locations: Locations, options: FuseOptions): Kernel {
  const body = locations.bodyOf(node)
  const kernels = fuse(body.graph, body.locations, options)
  return new LoopKernel(node, locations, body, kernels, options.rowsOf?.(node, body, kernels) ?? null)
}

export class LoopKernel implements Kernel {
  readonly identity: LoopIdentity
  readonly nodes: readonly Node[]
  readonly reads: readonly Value[]
  readonly writes: readonly Value[]
  readonly temporaryBytes: number
  readonly places = null
  readonly blocks: readonly JointResults[]
  private readonly carries: readonly Carry[]
  private readonly memory: MemoryPlan

  constructor(
    readonly node: Node<'loop'>,
    locations: Locations,
    private readonly body: Legal,
    /** The kernels of the body, in order. */
    readonly kernels: readonly Kernel[],
    /** The rows that the device computes apart: see `FuseOptions`. */
    readonly rows: number | null,
  ) {
    this.identity = { reverse: node.attributes.reverse }
    this.nodes = [node]
    this.reads = basesOf(node.inputs, locations)
    this.writes = node.outputs
    const results = body.graph.outputs.map((value) => body.locations.of(value).base)
    const bound = new Set([...body.graph.parameters, ...results])
    // While one row is at a kernel, another may be at any other kernel, so no two values share bytes.
    const keeps = rows === null ? undefined : () => kernels.length
    this.memory = planMemory(body.graph, kernels, body.locations, bound, keeps)
    let bytes = align(this.memory.workspaceBytes, ALIGNMENT)
    this.carries = operandsOf(node, body.graph.parameters).carries.map((parameter, i) => {
      const carry = this.carryOf(parameter, i, results, bytes)
      if (carry.block === null && !carry.isOver) bytes += align(carry.bytes, ALIGNMENT)
      return carry
    })
    // Carries of an empty batch need an address too.
    this.temporaryBytes = Math.max(bytes, ALIGNMENT)
    this.blocks = this.carries.flatMap(({ block }) => (block === null ? [] : [block]))
  }

  private carryOf(parameter: Value, i: number, results: readonly Value[], spare: number): Carry {
    const { carries, length, reverse, runs } = this.node.attributes
    const bytes = BYTES_PER_ELEMENT * sizeOf(parameter.shape)
    const stackedAs = (value: Value): number | null => {
      const index = results.indexOf(value, carries)
      return index < 0 ? null : index
    }
    const next = results[i]!
    const isOver = runs !== undefined && !this.kernels.some(({ reads }) => reads.includes(parameter))
    const before = stackedAs(parameter)
    const after = stackedAs(next)
    const parts = new Map<Value, number>()
    // Slots in order of address. If the loop runs forwards, the first value comes first: before = slots 0 …
    // T−1, after = 1 … T.
    const slots = before === null ? length : length + 1
    if (before !== null) parts.set(this.writes[before]!, reverse ? bytes : 0)
    if (after !== null) parts.set(this.writes[after]!, before !== null && !reverse ? bytes : 0)
    parts.set(this.writes[i]!, reverse ? 0 : bytes * (slots - 1))
    const block = runs !== undefined || (before === null && after === null) ? null : { bytes: bytes * slots, parts }
    return { parameter, next, bytes, before, after, block, spare, isOver }
  }

  // Iterations read operands after earlier iterations have written results.
  mayShare(): boolean {
    return false
  }

  /** Places the values of the body. @param outside the locations of the loop's operands and results */
  placeBody(outside: Placement): Placement {
    const homes = this.homes(outside)
    const placed = new Map<PlacedBuffer, PlacedBuffer>()
    const bufferOf = (buffer: PlacedBuffer): PlacedBuffer => {
      let result = placed.get(buffer)
      if (result === undefined) {
        result = { ...buffer, home: this.homeOf(buffer.home, homes, outside) }
        placed.set(buffer, result)
      }
      return result
    }
    return {
      operand: locatedOnce(this.body.graph, (value) => locate(value, this.memory, this.body.locations, bufferOf)),
      scratch: outside.scratch,
      temporaryOf: (kernel) => addressIn(this.memory.temporaries.get(kernel), bufferOf),
      block: (block) => addressIn(this.memory.blocks.get(block), bufferOf)!,
    }
  }

  /**
   * The copies before the first iteration: the initial value of each carry whose values before iterations are
   * stacked. If a condition selects the iterations, that of each carry.
   */
  copiesBefore(outside: Placement): BytesCopy[] {
    const { length, reverse, runs } = this.node.attributes
    return this.carries.flatMap(({ before, block, bytes }, i) => {
      const from = outside.operand(this.node.inputs[i]!).address
      if (runs !== undefined) return [{ from, to: outside.operand(this.writes[i]!).address, bytes }]
      if (before === null || block === null) return []
      return [{ from, to: offsetBy(outside.block(block), reverse ? bytes * length : 0), bytes }]
    })
  }

  /** The copies at the end of each iteration that runs, if a condition selects them: the new values of carries. */
  copiesInside({ operand }: Placement): BytesCopy[] {
    if (this.node.attributes.runs === undefined) return []
    return this.carries.flatMap(({ parameter, next, bytes, isOver }) =>
      isOver ? [] : [{ from: operand(next).address, to: operand(parameter).address, bytes }],
    )
  }

  /** The word that decides whether an iteration runs, from the locations of the body's values. */
  conditionIn({ operand }: Placement): Address {
    const { runs, carries } = this.node.attributes
    return operand(this.body.graph.parameters[runs === 'while' ? 0 : carries]!).address
  }

  /** The stacked results that are 0 where an iteration does not run. */
  zeroed(outside: Placement): Operand[] {
    const { runs, carries } = this.node.attributes
    return runs === undefined ? [] : this.writes.slice(carries).map((value) => outside.operand(value))
  }

  /** The copies after the last iteration: results that have their own bytes elsewhere. */
  copiesAfter(outside: Placement): BytesCopy[] {
    return this.carries.flatMap(({ block }) =>
      [...(block?.parts ?? [])].flatMap(([value, offset]) => {
        const from = offsetBy(outside.block(block!), offset)
        const { address: to } = outside.operand(value)
        const isThere = to.buffer === from.buffer && to.offset === from.offset
        return isThere ? [] : [{ from, to, bytes: BYTES_PER_ELEMENT * sizeOf(value.shape) }]
      }),
    )
  }

  /** The locations of the body's values that are inputs or results of the loop. */
  private homes(outside: Placement): Map<Value, Home> {
    const { reverse, length, carries: carryCount } = this.node.attributes
    const { graph, locations } = this.body
    const homes = new Map<Value, Home>()
    const operands = operandsOf(this.node, this.node.inputs)
    const parameters = operandsOf(this.node, graph.parameters)
    // The slice of the first iteration, and the step to that of the next.
    const sliced = ({ address }: Operand, bytes: number): Home =>
      this.linear(offsetBy(address, reverse ? bytes * (length - 1) : 0), reverse ? -bytes : bytes)
    parameters.captures.forEach((parameter, i) => {
      homes.set(parameter, { kind: 'inside', at: outside.operand(operands.captures[i]!).address })
    })
    parameters.scanned.forEach((parameter, i) => {
      const operand = outside.operand(operands.scanned[i]!)
      homes.set(parameter, sliced(operand, BYTES_PER_ELEMENT * operand.strides[0]!))
    })
    // Carries come last: a stacked carry has the bytes of the carry's block.
    graph.outputs.slice(carryCount).forEach((value, i) => {
      const bytes = BYTES_PER_ELEMENT * sizeOf(value.shape)
      homes.set(locations.of(value).base, sliced(outside.operand(this.writes[carryCount + i]!), bytes))
    })
    this.carries.forEach((carry, i) => {
      const { read, written } = this.streamsOf(carry, i, outside)
      homes.set(carry.parameter, read)
      homes.set(carry.next, written)
    })
    return homes
  }

  private streamsOf(carry: Carry, i: number, outside: Placement): { read: Home; written: Home } {
    const { length, reverse, runs } = this.node.attributes
    const { block, bytes, before } = carry
    const initial = outside.operand(this.node.inputs[i]!).address
    const result = outside.operand(this.writes[i]!).address
    const spare = offsetBy(outside.temporaryOf(this)!, carry.spare)
    // The result always has the current value, because it is not known which iteration is the last.
    if (runs !== undefined)
      return { read: { kind: 'inside', at: result }, written: { kind: 'inside', at: carry.isOver ? result : spare } }
    if (block === null) {
      // Two alternating buffers, chosen so that the last iteration writes the result.
      const [even, odd] = length % 2 === 1 ? [result, spare] : [spare, result]
      return {
        read: this.moving(initial, even, odd, 0),
        written: this.moving(even, odd, even, 0),
      }
    }
    const start = outside.block(block)
    const step = reverse ? -bytes : bytes
    if (before !== null) {
      const first = offsetBy(start, reverse ? bytes * length : 0)
      return { read: this.linear(first, step), written: this.linear(offsetBy(first, step), step) }
    }
    const first = offsetBy(start, reverse ? bytes * (length - 1) : 0)
    return {
      read: this.moving(initial, first, offsetBy(first, -step), 2 * step),
      written: this.linear(first, step),
    }
  }

  private linear(first: Address, step: number): Home {
    return this.moving(first, offsetBy(first, step), first, 2 * step)
  }

  private moving(first: Address, odd: Address, even: Address, step: number): Home {
    return { kind: 'moving', stream: { loop: this.identity, first, odd, even, step } }
  }

  private homeOf(home: Home, homes: ReadonlyMap<Value, Home>, outside: Placement): Home {
    if (home.kind === 'bound') return homes.get(home.value)!
    if (home.kind === 'workspace') return { kind: 'inside', at: offsetBy(outside.temporaryOf(this)!, home.offset) }
    return home
  }
}

function addressIn(buffer: PlacedBuffer | undefined, bufferOf: (buffer: PlacedBuffer) => PlacedBuffer): Address | null {
  return buffer === undefined ? null : { buffer: bufferOf(buffer), offset: 0 }
}
