// The errors of the device.

import { StateError } from '../../core/errors'

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The device was lost during a run: its driver was reset, it was removed, or another program destroyed it. */
export class DeviceLostError extends StateError {
  override name = 'DeviceLostError'
  constructor(
    reason: string,
    /** The steps of training that are lost: those since weights were last copied to the CPU. */
    readonly lostSteps: number,
  ) {
    super(
      `The GPU was lost: ${reason === '' ? 'the driver gave no reason' : reason}. ${weightsAfter(lostSteps)} The next run asks for a new device.`,
    )
  }
}

function weightsAfter(lostSteps: number): string {
  if (lostSteps === 0) return 'No step of training is lost.'
  const steps = lostSteps === 1 ? '1 step' : `${lostSteps} steps`
  return `The weights are those of ${steps} before, when they were last copied to the CPU: at the end of an epoch, or at the last save of BackupAndRestore.`
}
