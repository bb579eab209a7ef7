// Processor time, which other processes on the machine do not lengthen as they do wall-clock time.

/** Milliseconds of processor time that this process has used. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
