// Energy: read from the processor's counter where the system allows it, else estimated from the busy time of
// processors.

import { clock } from '../core/globals'
import { nodeModule, nodeProcess, type NodeModules } from '../engine/runtime/platform'
import { yielded } from '../data/samples/pace'
import type { Figure } from './figures'

/**
 * Watts per busy core, and per GB of memory: the values of Green Algorithms (Lannelongue, Grealey and Inouye 2021) for
 * an unknown CPU.
 */
export const WATTS_PER_CORE = 12
export const WATTS_PER_GB = 0.3725

/** How joules are estimated, in short. */
export const ESTIMATE = `CPU seconds × ${WATTS_PER_CORE} W`

type Files = NodeModules['node:fs']

/** A part of a processor that counts its microjoules; the counter wraps at `range`. */
interface Domain {
  readonly path: string
  readonly range: number
  last: number
  joules: number
}

/** RAPL on Linux: the energy of whole processors since `open`, including that of other processes. */
export class Rapl {
  private constructor(
    private readonly files: Files,
    private readonly domains: readonly Domain[],
  ) {}

  /** null if there is no counter or it is not readable. */
  static open(folder = '/sys/class/powercap'): Rapl | null {
    const files = nodeModule('node:fs')
    if (files === null) return null
    try {
      // intel-rapl:0:1 is a part of intel-rapl:0, and processors are parts of psys, the whole computer.
      const isProcessor = (name: string): boolean =>
        files.readFileSync(`${folder}/${name}/name`, 'utf8').startsWith('package')
      const names = files.readdirSync(folder).filter((name) => /^intel-rapl:\d+$/.test(name) && isProcessor(name))
      const numberIn = (path: string): number => Number(files.readFileSync(path, 'utf8'))
      const domains = names.map((name): Domain => {
        const path = `${folder}/${name}/energy_uj`
        return { path, range: numberIn(`${folder}/${name}/max_energy_range_uj`), last: numberIn(path), joules: 0 }
      })
      const isRead =
        domains.length > 0 && domains.every(({ range, last }) => Number.isFinite(range) && Number.isFinite(last))
      return isRead ? new Rapl(files, domains) : null
    } catch {
      return null
    }
  }

  /** Joules since `open`. Must be called at least once per wrap of the counter, about every twenty minutes. */
  read(): number {
    for (const domain of this.domains) {
      const now = Number(this.files.readFileSync(domain.path, 'utf8'))
      domain.joules += (now - domain.last + (now < domain.last ? domain.range : 0)) / 1e6
      domain.last = now
    }
    return this.domains.reduce((sum, { joules }) => sum + joules, 0)
  }
}

/** Why no counter of energy is read, by platform. */
const NO_COUNTER: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'RAPL is absent, or only for the superuser',
  android: 'RAPL is absent, or only for the superuser',
  darwin: 'macOS gives its counters only to powermetrics of the superuser',
  win32: 'Windows gives its counters only to drivers',
}

/** Why joules are estimated on this platform. */
export function whyEstimated(platform: NodeJS.Platform | null = nodeProcess()?.platform ?? null): string {
  return platform === null ? 'a page has no counter' : (NO_COUNTER[platform] ?? `no counter is known on ${platform}`)
}

/** A figure without its unit. */
type Reading<Value> = Pick<Figure, 'how' | 'from'> & { readonly value: Value }

/**
 * Busy seconds: CPU time of all threads of this process; in a page, the clock without the time yielded to other tasks.
 */
class BusyClock {
  private readonly cpu = nodeProcess()?.cpuUsage()
  private readonly start = clock() - yielded.milliseconds

  read(): Reading<number> {
    if (this.cpu === undefined) {
      return {
        value: (clock() - yielded.milliseconds - this.start) / 1000,
        how: 'measured',
        from: 'the clock, without the time yielded to other tasks',
      }
    }
    const { user, system } = nodeProcess()!.cpuUsage(this.cpu)
    return { value: (user + system) / 1e6, how: 'measured', from: 'cpuUsage() of Node: all threads of the process' }
  }
}

/** The largest memory of the process since construction, in bytes. */
class PeakMemory {
  private readonly host = nodeProcess()
  private largest: number
  /** The peak of the whole process before, in kB. */
  private readonly before = this.host?.resourceUsage?.().maxRSS ?? 0

  /** @param assumed bytes where the process does not report its memory */
  constructor(assumed: number) {
    this.largest = this.host?.memoryUsage.rss() ?? assumed
  }

  /** Exact if the peak of the process is since construction; otherwise the largest of the reads. */
  read(): number {
    const { host, before } = this
    if (host === null) return this.largest
    const peak = host.resourceUsage?.().maxRSS ?? 0
    this.largest = Math.max(this.largest, host.memoryUsage.rss(), peak > before ? 1024 * peak : 0)
    return this.largest
  }
}

/** The interval in ms at which a counter that may wrap is read. */
const LOOK = 60_000
/** The interval in ms at which memory is read. */
const LOOK_AT_MEMORY = 1000

/** The energy used since construction. */
export class EnergyMeter {
  private readonly clock = new BusyClock()
  private readonly start = clock()
  private readonly timer: ReturnType<typeof setInterval>
  private readonly memory: PeakMemory

  /**
   * @param pue the energy of the whole data centre per unit of energy of its computers
   * @param memory bytes that the estimate assumes where the process does not report its memory
   */
  constructor(
    private readonly pue: number,
    memory: number,
    private readonly rapl: Rapl | null = Rapl.open(),
  ) {
    this.memory = new PeakMemory(memory)
    this.timer =
      rapl === null ? setInterval(() => this.memory.read(), LOOK_AT_MEMORY) : setInterval(() => rapl.read(), LOOK)
    this.timer.unref?.()
  }

  seconds(): number {
    return (clock() - this.start) / 1000
  }

  cpuSeconds(): Reading<number> {
    return this.clock.read()
  }

  joules(): Reading<number> {
    const { pue, rapl } = this
    const times = pue === 1 ? '' : `, × PUE ${pue}`
    if (rapl !== null)
      return {
        value: pue * rapl.read(),
        how: 'measured',
        from: `RAPL: whole processors, including other processes${times}`,
      }
    const gigabytes = this.memory.read() / 1e9
    const watts = WATTS_PER_CORE * this.cpuSeconds().value + WATTS_PER_GB * gigabytes * this.seconds()
    return {
      value: pue * watts,
      how: 'estimated',
      from: `Green Algorithms: ${ESTIMATE} + ${WATTS_PER_GB} W per GB of ${gigabytes.toFixed(2)} GB${times}; ${whyEstimated()}`,
    }
  }

  close(): void {
    clearInterval(this.timer)
  }
}
