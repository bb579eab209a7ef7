// Tensors whose rows are drawn repeatedly, kept in linear memory: the Gather kernel copies them to a program's
// inputs much faster than JavaScript copies short rows. Does not decide which rows are drawn, or when.

import { Gather } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { instruction, type Instruction } from '../ir/instruction'
import { BYTES_PER_ELEMENT, dtypes, type NumericArray } from '../../core/dtypes'
import type { PermutationKey } from '../../core/permute'
import { encode, tapeBytes } from '../tape/encode'
import type { KernelExports } from './wasm/wasm'
import type { Program } from './program'
import type { Runtime, Storage } from './runtime'
import { TapeBackend, tapeBackendOf } from './tape-backend'

/** The elements of a tensor [size, width]. */
export interface Rows {
  readonly data: NumericArray
  readonly width: number
}

const GATHER_WORDS = Gather.size / BYTES_PER_ELEMENT

/** Whether a runtime can keep rows: the interpreter has no kernel that draws them. */
export function keepsRows({ backend }: Runtime): boolean {
  return backend instanceof TapeBackend
}

export class ResidentRows {
  private readonly content: readonly Storage[]
  private readonly drawn: Storage
  /** A tape with one Gather per tensor. */
  private readonly tape: Storage
  private readonly kernels: KernelExports
  private readonly runTape: (tape: number) => number
  private words = new Int32Array(0)
  private epoch = -1

  /** @param size the number of rows of every tensor */
  constructor(
    readonly runtime: Runtime,
    private readonly rows: readonly Rows[],
    private readonly size: number,
  ) {
    this.kernels = tapeBackendOf(runtime).kernels
    this.runTape = this.kernels.run
    this.drawn = runtime.createStorage(dtypes.int32.bytes * size)
    this.content = rows.map(({ data }) => runtime.createStorage(data.byteLength))
    // The rows to draw are set before each load.
    const gathers = rows.map((_, i) => this.gather(i, 0, 0))
    this.tape = runtime.createStorage(tapeBytes(gathers))
    // After all allocations, because the memory may grow until then.
    rows.forEach(({ data }, i) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      new Uint8Array(runtime.memory.buffer, this.content[i]!.address, bytes.length).set(bytes)
    })
    const words = encode(gathers, ({ offset }) => offset)
    runtime.view('int32', this.tape.address, words.length).set(words)
  }

  /** Draws the rows in another order from now on. */
  shuffle(key: PermutationKey): void {
    this.kernels.permute(this.drawn.address, this.size, ...key)
  }

  /** The number of tensors. */
  get tensors(): number {
    return this.rows.length
  }

  /** The address of the index of the first row to draw. */
  get orderAddress(): number {
    return this.drawn.address
  }

  /** out [count, width] ← the first `count` rows of tensor i in the current order */
  gather(i: number, out: number, count: number): Instruction {
    return instruction(Opcode.Gather, Gather, {
      out,
      indices: this.drawn.address,
      count,
      input: this.content[i]!.address,
      outer: 1,
      axis: this.size,
      inner: this.rows[i]!.width,
      filling: 0,
    })
  }

  /** parameter i of the program [count, width] ← rows order[start … start + count − 1] of tensor i */
  load(program: Pick<Program, 'parameter'>, start: number, count: number): void {
    const indices = this.drawn.address + dtypes.int32.bytes * start
    for (let i = 0; i < this.content.length; i++) {
      const { byteOffset } = program.parameter(i)
      if (this.epoch !== this.runtime.epoch) this.refresh()
      const at = GATHER_WORDS * i
      this.words[at + Gather.out / BYTES_PER_ELEMENT] = byteOffset
      this.words[at + Gather.indices / BYTES_PER_ELEMENT] = indices
      this.words[at + Gather.count / BYTES_PER_ELEMENT] = count
    }
    this.runTape(this.tape.address)
  }

  private refresh(): void {
    this.epoch = this.runtime.epoch
    this.words = new Int32Array(this.runtime.memory.buffer, this.tape.address, GATHER_WORDS * this.content.length)
  }

  dispose(): void {
    for (const storage of [this.drawn, this.tape, ...this.content]) storage.dispose()
  }
}
