// Submits steps to the device without waiting for each: a few submits are in flight, and whether a guard ended a step is read later. A
// step whose guard found a number that is not finite sets a flag, and no later step changes anything.

import { clock } from '../../core/globals'
import type { Gpu } from './device'
import { MAP_READ, USAGE } from './flags'
import type { GpuProgram, Loader } from './program'

/** The submits in flight: the device computes one while the next is recorded. */
export const IN_FLIGHT = 3
/** The largest number of steps in a submit. */
export const MOST_STEPS = 64
/** The milliseconds that a submit should take: browsers end those of a second or two, and a page shares its GPU. */
const SUBMIT_MS = 10
const STATE_BYTES = 16

/** Words on the device, by address. */
export interface QueueState {
  /** Not 0 once a guard has ended a step. */
  readonly flag: number
  /** The steps of this submit that began before. Only steps with a loader count. */
  readonly begun: number
  /** The first row of this submit. */
  readonly position: number
}

interface Submit {
  readonly program: GpuProgram
  readonly times: number
  readonly began: number
  readonly staging: GPUBuffer
  /** The number of its steps from the one that a guard ended to the last; 0 if there is none. */
  readonly failed: Promise<number>
}

export class StepQueue {
  readonly state: QueueState
  private readonly flying: Submit[] = []
  private readonly idle: GPUBuffer[] = []
  /** The number of steps since the one that a guard ended, including it; 0 if there is none. */
  private failed = 0
  /** How many steps of a program the next submit should have. */
  private readonly times = new WeakMap<GpuProgram, number>()
  /** When the last submit ended. */
  private ended = 0

  constructor(private readonly gpu: Gpu) {
    const flag = gpu.memory.allocate(STATE_BYTES)
    this.state = { flag, begun: flag + 4, position: flag + 8 }
    this.clear()
  }

  private clear(): void {
    this.gpu.memory.write(this.state.flag, new Int32Array(STATE_BYTES / 4))
  }

  /** The number of steps of a program that take about 10 ms together. */
  timesOf(program: GpuProgram): number {
    return this.times.get(program) ?? 1
  }

  /**
   * Runs a program several times, after the steps submitted before.
   * @param loader draws the rows of each step; null for one step whose parameters are written
   * @returns 0, or the number of steps from the first that was not finite to the last; those after it changed nothing
   */
  async submit(program: GpuProgram, times: number, loader: Loader | null): Promise<number> {
    const { device, memory } = this.gpu
    const { flag, begun } = this.state
    const staging =
      this.idle.pop() ?? device.createBuffer({ size: STATE_BYTES, usage: USAGE.mapRead | USAGE.copyTarget })
    const encoder = device.createCommandEncoder()
    encoder.clearBuffer(memory.buffer, begun, 4)
    program.record(encoder, times, loader)
    encoder.copyBufferToBuffer(memory.buffer, flag, staging, 0, STATE_BYTES)
    device.queue.submit([encoder.finish()])
    const failed = failedIn(staging, times)
    // A rejection is handled where the submit is awaited.
    failed.catch(() => undefined)
    this.flying.push({ program, times, began: clock(), staging, failed })
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
    const { program, times, began, staging, failed } = this.flying.shift()!
    this.failed += await failed
    this.idle.push(staging)
    const now = clock()
    // It began when the one before it ended, or when it was submitted.
    const perStep = (now - Math.max(began, this.ended)) / times
    this.ended = now
    this.times.set(program, Math.max(1, Math.min(MOST_STEPS, 2 * times, Math.round(SUBMIT_MS / perStep))))
  }

  dispose(): void {
    for (const { staging } of this.flying) staging.destroy()
    for (const staging of this.idle) staging.destroy()
    this.gpu.memory.release(this.state.flag)
  }
}

async function failedIn(staging: GPUBuffer, times: number): Promise<number> {
  await staging.mapAsync(MAP_READ)
  const [flag, begun] = new Uint32Array(staging.getMappedRange())
  staging.unmap()
  // The last step that began is the one that failed. If none was counted, all come after it, or there is only one.
  return flag === 0 ? 0 : times - Math.max(0, begun! - 1)
}
