// Submits steps to the device without waiting for each: a few are in flight, and whether a guard ended one is read later. A step
// whose guard found a number that is not finite sets a flag, and no later step changes anything.

import type { Gpu } from './device'
import type { GpuProgram } from './program'
import { MAP_READ, USAGE } from './flags'

/** The steps in flight: the device computes one while the next is recorded. */
const IN_FLIGHT = 3
/** The word that is not 0 once a guard has ended a step, and room up to the alignment. */
const STATE_BYTES = 16

/** A submitted step. */
interface Step {
  readonly staging: GPUBuffer
  /** Whether a guard had ended it or one before it. */
  readonly ended: Promise<boolean>
}

export class StepQueue {
  /** The address of the flag on the device. */
  readonly state: number
  private readonly flying: Step[] = []
  private readonly idle: GPUBuffer[] = []
  /** The number of steps since the one that a guard ended, including it; 0 if there is none. */
  private failed = 0

  constructor(private readonly gpu: Gpu) {
    this.state = gpu.memory.allocate(STATE_BYTES)
    this.clear()
  }

  private clear(): void {
    this.gpu.memory.write(this.state, new Int32Array(STATE_BYTES / 4))
  }

  /**
   * Runs a program once, after those submitted before.
   * @returns 0, or the number of steps from the first that was not finite to the last; those after it changed nothing
   */
  async submit(program: GpuProgram): Promise<number> {
    const { device, memory } = this.gpu
    const staging =
      this.idle.pop() ?? device.createBuffer({ size: STATE_BYTES, usage: USAGE.mapRead | USAGE.copyTarget })
    const encoder = device.createCommandEncoder()
    program.record(encoder)
    encoder.copyBufferToBuffer(memory.buffer, this.state, staging, 0, STATE_BYTES)
    device.queue.submit([encoder.finish()])
    const ended = flagIn(staging)
    // A rejection is handled where the step is awaited.
    ended.catch(() => undefined)
    this.flying.push({ staging, ended })
    while (this.flying.length > IN_FLIGHT) await this.settleOldest()
    return this.failed > 0 ? this.drain() : 0
  }

  /** Waits for all steps. @returns as submit */
  async drain(): Promise<number> {
    while (this.flying.length > 0) await this.settleOldest()
    const { failed } = this
    if (failed > 0) this.clear()
    this.failed = 0
    return failed
  }

  private async settleOldest(): Promise<void> {
    const { staging, ended } = this.flying.shift()!
    if (await ended) this.failed++
    this.idle.push(staging)
  }

  dispose(): void {
    for (const { staging } of this.flying) staging.destroy()
    for (const staging of this.idle) staging.destroy()
    this.gpu.memory.release(this.state)
  }
}

async function flagIn(staging: GPUBuffer): Promise<boolean> {
  await staging.mapAsync(MAP_READ)
  const [flag] = new Uint32Array(staging.getMappedRange())
  staging.unmap()
  return flag !== 0
}
