// The kernel of a loop: its body is planned once, and says which words of it change from turn to turn. Gives carries and
// stacked results their bytes such that nothing is copied in a turn. What a Loop does: assembly/shared/instructions.ts.

import { ALIGNMENT, Copy, Header, Loop, LoopPatch } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import type { Node, Value } from '../ir/graph'
import type { Address, Instruction, Operand, Word } from '../ir/instruction'
import { instruction, isAddress } from '../ir/instruction'
import { operandsOf } from '../ir/region'
import { BYTES_PER_ELEMENT } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import type { FuseOptions } from './fuse'
import { fuse } from './fuse'
import type { Block, Kernel, LowerTarget } from './kernel'
import { basesOf, locatedOnce, lowerAll } from './kernel'
import type { Legal, Locations } from './legalize'
import type { Home, LoopIdentity, MemoryPlan, PlacedBuffer, Stream } from './memory'
import { align, locate, planMemory } from './memory'
import type { LabelledInstruction, TapeInstruction } from '../tape/encode'
import { bodyOffset, instructionOffsets } from '../tape/encode'

/** How a carry is handed on. */
interface Carry {
  readonly parameter: Value
  /** What the body makes of it: by base. */
  readonly next: Value
  readonly bytes: number
  /** The stacked result that holds its value before each turn, and after it; an index of the loop's outputs. */
  readonly before: number | null
  readonly after: number | null
  /** All its values one after another; null when two buffers are used in turn. */
  readonly block: Block | null
  /** Of the second buffer, in the kernel's temporary bytes. */
  readonly spare: number
}

/** The kernel of a legal loop. */
export function loopKernel(node: Node<'loop'>, locations: Locations, options: FuseOptions): Kernel {
  const body = locations.bodyOf(node)
  return new LoopKernel(node, locations, body, fuse(body.graph, body.locations, options))
}

class LoopKernel implements Kernel {
  private readonly identity: LoopIdentity
  readonly nodes: readonly Node[]
  readonly reads: readonly Value[]
  readonly writes: readonly Value[]
  readonly temporaryBytes: number
  readonly blocks: readonly Block[]
  private readonly carries: readonly Carry[]
  private readonly memory: MemoryPlan

  constructor(
    private readonly node: Node<'loop'>,
    locations: Locations,
    private readonly body: Legal,
    private readonly kernels: readonly Kernel[],
  ) {
    this.identity = { reverse: node.attributes.reverse }
    this.nodes = [node]
    this.reads = basesOf(node.inputs, locations)
    this.writes = node.outputs
    const results = body.graph.outputs.map((value) => body.locations.of(value).base)
    this.memory = planMemory(body.graph, kernels, body.locations, new Set([...body.graph.parameters, ...results]))
    let bytes = align(this.memory.workspaceBytes, ALIGNMENT)
    this.carries = operandsOf(node, body.graph.parameters).carries.map((parameter, i) => {
      const carry = this.carryOf(parameter, i, results, bytes)
      if (carry.block === null) bytes += align(carry.bytes, ALIGNMENT)
      return carry
    })
    // Carries of an empty batch have an address, too.
    this.temporaryBytes = Math.max(bytes, ALIGNMENT)
    this.blocks = this.carries.flatMap(({ block }) => (block === null ? [] : [block]))
  }

  private carryOf(parameter: Value, i: number, results: readonly Value[], spare: number): Carry {
    const { carries, length, reverse } = this.node.attributes
    const bytes = BYTES_PER_ELEMENT * sizeOf(parameter.shape)
    const stackedAs = (value: Value): number | null => {
      const index = results.indexOf(value, carries)
      return index < 0 ? null : index
    }
    const next = results[i]!
    const before = stackedAs(parameter)
    const after = stackedAs(next)
    const parts = new Map<Value, number>()
    // Slots in order of address. Going forwards, the first value comes first: before = slots 0 … T−1, after = 1 … T.
    const slots = before === null ? length : length + 1
    const [first, second] = before === null ? [0, 0] : reverse ? [1, 0] : [0, 1]
    if (before !== null) parts.set(this.writes[before]!, bytes * first)
    if (after !== null) parts.set(this.writes[after]!, bytes * second)
    parts.set(this.writes[i]!, reverse ? 0 : bytes * (slots - 1))
    const block = before === null && after === null ? null : { bytes: bytes * slots, parts }
    return { parameter, next, bytes, before, after, block, spare }
  }

  // The loop reads and writes side by side.
  mayShare(): boolean {
    return false
  }

  lower(target: LowerTarget): void {
    const { length } = this.node.attributes
    const homes = this.homes(target)
    const placed = new Map<PlacedBuffer, PlacedBuffer>()
    const bufferOf = (buffer: PlacedBuffer): PlacedBuffer => {
      let result = placed.get(buffer)
      if (result === undefined) {
        result = { ...buffer, home: this.homeOf(buffer.home, homes, target) }
        placed.set(buffer, result)
      }
      return result
    }
    const { scratch, wideTiles } = target
    const body = lowerAll(this.kernels, {
      operand: locatedOnce(this.body.graph, (value) => locate(value, this.memory, this.body.locations, bufferOf)),
      scratch,
      wideTiles,
      temporaryOf: (kernel) => addressIn(this.memory.temporaries.get(kernel), bufferOf),
      block: (block) => addressIn(this.memory.blocks.get(block), bufferOf)!,
    })
    this.carries.forEach((carry, i) => this.copyInitial(carry, i, target))
    target.emitLoop(this.loopOf(body, length), body, this.identity)
    this.carries.forEach((carry) => this.copyResults(carry, target))
  }

  /** Where the values of the body lie that come from outside or go there. */
  private homes(target: LowerTarget): Map<Value, Home> {
    const { reverse, length, carries: carryCount } = this.node.attributes
    const { graph, locations } = this.body
    const homes = new Map<Value, Home>()
    const operands = operandsOf(this.node, this.node.inputs)
    const parameters = operandsOf(this.node, graph.parameters)
    // The slices of the first turn, and from each turn to the next.
    const sliced = ({ address }: Operand, bytes: number): Home =>
      this.linear(offsetBy(address, reverse ? bytes * (length - 1) : 0), reverse ? -bytes : bytes)
    parameters.captures.forEach((parameter, i) => {
      homes.set(parameter, { kind: 'inside', at: target.operand(operands.captures[i]!).address })
    })
    parameters.scanned.forEach((parameter, i) => {
      const operand = target.operand(operands.scanned[i]!)
      homes.set(parameter, sliced(operand, BYTES_PER_ELEMENT * operand.strides[0]!))
    })
    // Carries last: one that is stacked has the bytes that its carry gives it.
    graph.outputs.slice(carryCount).forEach((value, i) => {
      const bytes = BYTES_PER_ELEMENT * sizeOf(value.shape)
      homes.set(locations.of(value).base, sliced(target.operand(this.writes[carryCount + i]!), bytes))
    })
    this.carries.forEach((carry, i) => {
      const { read, written } = this.streamsOf(carry, i, target)
      homes.set(carry.parameter, read)
      homes.set(carry.next, written)
    })
    return homes
  }

  private streamsOf(carry: Carry, i: number, target: LowerTarget): { read: Home; written: Home } {
    const { length, reverse } = this.node.attributes
    const { block, bytes, before } = carry
    const initial = target.operand(this.node.inputs[i]!).address
    if (block === null) {
      // Two buffers in turn, such that the last turn writes the result.
      const result = target.operand(this.writes[i]!).address
      const spare = offsetBy(target.temporaryOf(this)!, carry.spare)
      const [even, odd] = length % 2 === 1 ? [result, spare] : [spare, result]
      return {
        read: this.moving(initial, even, odd, 0),
        written: this.moving(even, odd, even, 0),
      }
    }
    const start = target.block(block)
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

  private homeOf(home: Home, homes: ReadonlyMap<Value, Home>, target: LowerTarget): Home {
    if (home.kind === 'bound') return homes.get(home.value)!
    if (home.kind === 'workspace') return { kind: 'inside', at: offsetBy(target.temporaryOf(this)!, home.offset) }
    return home
  }

  /** The first value of a carry whose values before each turn are stacked is the first of these. */
  private copyInitial({ block, before, bytes }: Carry, i: number, target: LowerTarget): void {
    if (before === null || block === null) return
    const { length, reverse } = this.node.attributes
    copyWords(
      target,
      target.operand(this.node.inputs[i]!).address,
      offsetBy(target.block(block), reverse ? bytes * length : 0),
      bytes,
    )
  }

  /** Results that have bytes of their own elsewhere. */
  private copyResults({ block }: Carry, target: LowerTarget): void {
    if (block === null) return
    for (const [value, offset] of block.parts) {
      const from = offsetBy(target.block(block), offset)
      const { address } = target.operand(value)
      if (address.buffer !== from.buffer || address.offset !== from.offset)
        copyWords(target, from, address, BYTES_PER_ELEMENT * sizeOf(value.shape))
    }
  }

  private loopOf(body: readonly LabelledInstruction[], count: number): Instruction {
    const moved: { readonly at: number; readonly stream: Stream }[] = []
    forEachWord(body, 0, (at, word) => {
      const stream = isAddress(word) ? streamIn(word, this.identity) : null
      if (stream !== null) moved.push({ at, stream })
    })
    const start = Loop.size + LoopPatch.size * moved.length
    const lists = moved.flatMap(({ at, stream: { first, odd, even, step } }): Word[] => [
      start + at,
      first,
      odd,
      even,
      step,
    ])
    return instruction(Opcode.Loop, Loop, { count, patchCount: moved.length }, lists)
  }
}

function addressIn(buffer: PlacedBuffer | undefined, bufferOf: (buffer: PlacedBuffer) => PlacedBuffer): Address | null {
  return buffer === undefined ? null : { buffer: bufferOf(buffer), offset: 0 }
}

function offsetBy({ buffer, offset }: Address, bytes: number): Address {
  return { buffer, offset: offset + bytes }
}

function copyWords(target: LowerTarget, input: Address, out: Address, bytes: number): void {
  if (bytes === 0) return
  target.emit(instruction(Opcode.Copy, Copy, { out, input, rank: 1 }, [bytes / BYTES_PER_ELEMENT, 1, 1]))
}

/** Every word of instructions and of what is in their bodies, with its byte from the start of the first. */
function forEachWord(
  instructions: readonly TapeInstruction[],
  start: number,
  visit: (at: number, word: Word) => void,
): void {
  const offsets = instructionOffsets(instructions, start)
  instructions.forEach((each, i) => {
    const at = offsets[i]!
    each.fields.forEach((word, j) => visit(at + Header.size + 4 * j, word))
    each.lists.forEach((word, j) => visit(at + each.fixedBytes + 4 * j, word))
    if (each.body !== undefined) forEachWord(each.body, at + bodyOffset(each), visit)
  })
}

/** How an address moves in a loop; null when that loop does not move it. */
function streamIn(address: Address, loop: LoopIdentity): Stream | null {
  let { buffer, offset } = address
  for (;;) {
    if (!isPlaced(buffer)) return null
    const { home } = buffer
    if (home.kind === 'moving') {
      const { stream } = home
      if (stream.loop !== loop) return null
      const { first, odd, even } = stream
      return { ...stream, first: offsetBy(first, offset), odd: offsetBy(odd, offset), even: offsetBy(even, offset) }
    }
    if (home.kind !== 'inside') return null
    offset += home.at.offset
    buffer = home.at.buffer
  }
}

function isPlaced(buffer: Address['buffer']): buffer is PlacedBuffer {
  return 'home' in buffer
}
