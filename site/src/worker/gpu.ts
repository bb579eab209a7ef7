// The GPU of this worker. Its code is loaded when the page first asks for it.

import type { WebGPUUse } from 'myelin/webgpu'
import type { TrainingSpec } from '../state/state'
import type { OnGpu } from './protocol'

type Program = WebGPUUse['programs'][number]

let use: Pick<WebGPUUse, 'note' | 'programs' | 'stop'> | null = null
/** The last program before the present run. */
let last: Program | undefined

/** Makes the next run train there. */
export async function trainOn(device: TrainingSpec['device']): Promise<void> {
  if (device === 'cpu') {
    use?.stop()
    use = null
    return
  }
  use ??= await found()
  last = use.programs.at(-1)
}

async function found(): Promise<NonNullable<typeof use>> {
  try {
    const { useWebGPU } = await import('myelin/webgpu')
    return await useWebGPU()
  } catch (error) {
    // Offline, or a driver that fails: the page trains on the CPU.
    const reason = error instanceof Error ? error.message : String(error)
    return { note: `the GPU cannot be used: ${reason}`, programs: [], stop: () => undefined }
  }
}

/** Where the present run trains; null on the CPU. */
export function onGpu(): OnGpu | null {
  if (use === null) return null
  const { note, programs } = use
  const step = programs.slice(programs.indexOf(last!) + 1).reduce<Program | null>(moreUpdates, null)
  return { note, step: step && { device: step.device, why: step.why } }
}

/** A training step changes more variables than other programs. */
const moreUpdates = (most: Program | null, each: Program): Program =>
  most === null || each.updates > most.updates ? each : most
