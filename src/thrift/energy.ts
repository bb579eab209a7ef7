// Joules: read from the processor's own counter where the system lets us, else estimated from the time that processors were
// busy.

import type { NodeModules } from '../runtime/platform'
import { nodeModule, nodeProcess } from '../runtime/platform'
import { yielded } from '../training/pace'
import type { Figure } from '../training/callbacks/footprint'

/** Watts of a busy core, and of a GB of memory: Green Algorithms (Lannelongue, Grealey and Inouye 2021), as for a CPU that is not known. */
export const WATTS_PER_CORE = 12
export const WATTS_PER_GB = 0.3725

type Files = NodeModules['node:fs']

/** A part of a processor that counts its microjoules, from 0 again when `range` is reached. */
interface Domain {
  readonly path: string
  readonly range: number
  last: number
  joules: number
}

/** RAPL as Linux shows it: the energy of whole processors since it was opened, whoever used them. */
export class Rapl {
  private constructor(
    private readonly files: Files,
    private readonly domains: readonly Domain[],
  ) {}

  /** null where there is no counter, or it may not be read. */
  static open(folder = '/sys/class/powercap'): Rapl | null {
    const files = nodeModule('node:fs')
    if (files === null) return null
    try {
      // intel-rapl:0:1 is a part of intel-rapl:0.
      const names = files.readdirSync(folder).filter((name) => /^intel-rapl:\d+$/.test(name))
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

  /** Joules since it was opened. To be asked at least once in each round of the counter: some twenty minutes. */
  read(): number {
    for (const domain of this.domains) {
      const now = Number(this.files.readFileSync(domain.path, 'utf8'))
      domain.joules += (now - domain.last + (now < domain.last ? domain.range : 0)) / 1e6
      domain.last = now
    }
    return this.domains.reduce((sum, { joules }) => sum + joules, 0)
  }
}

type Known<Value> = Pick<Figure, 'how' | 'from'> & { readonly value: Value }

/** Seconds that processors worked: of all threads of this process; in a page, those that were not left to others. */
export class BusyClock {
  private readonly cpu = nodeProcess()?.cpuUsage()
  private readonly start = performance.now() - yielded.milliseconds

  read(): Known<number> {
    if (this.cpu === undefined) {
      return {
        value: (performance.now() - yielded.milliseconds - this.start) / 1000,
        how: 'measured',
        from: 'the clock, less the turns that others had',
      }
    }
    const { user, system } = nodeProcess()!.cpuUsage(this.cpu)
    return { value: (user + system) / 1e6, how: 'measured', from: 'cpuUsage() of Node: all threads of the process' }
  }
}

/** How often a counter that may come round is looked at, in ms. */
const LOOK = 60_000

/** Energy since it was made. */
export class EnergyMeter {
  private readonly clock = new BusyClock()
  private readonly start = performance.now()
  private readonly timer: ReturnType<typeof setInterval> | null
  private readonly memory: number

  /**
   * @param pue what a data centre uses in all, for each joule that its computers use
   * @param memory bytes that an estimate counts
   */
  constructor(
    private readonly pue: number,
    memory: number,
    private readonly rapl: Rapl | null = Rapl.open(),
  ) {
    this.memory = nodeProcess()?.memoryUsage.rss() ?? memory
    this.timer = rapl === null ? null : setInterval(() => rapl.read(), LOOK)
    this.timer?.unref?.()
  }

  seconds(): number {
    return (performance.now() - this.start) / 1000
  }

  cpuSeconds(): Known<number> {
    return this.clock.read()
  }

  joules(): Known<number> {
    const { pue, rapl } = this
    const times = pue === 1 ? '' : `, × PUE ${pue}`
    if (rapl !== null)
      return {
        value: pue * rapl.read(),
        how: 'measured',
        from: `RAPL: the whole processors, whoever used them${times}`,
      }
    const gigabytes = this.memory / 1e9
    const watts = WATTS_PER_CORE * this.cpuSeconds().value + WATTS_PER_GB * gigabytes * this.seconds()
    return {
      value: pue * watts,
      how: 'estimated',
      from: `Green Algorithms: ${WATTS_PER_CORE} W a busy core + ${WATTS_PER_GB} W a GB of ${gigabytes.toFixed(2)} GB${times}`,
    }
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer)
  }
}
