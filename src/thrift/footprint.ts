// The footprint of a run: counted while it runs, reported afterwards.

import { ArgumentError } from '../core/errors'
import { counted } from '../core/table'
import { costOf, type Cost } from '../engine/plan/cost'
import { simplify } from '../engine/plan/simplify'
import type { Graph } from '../engine/ir/graph'
import { Meter } from '../engine/runtime/meter'
import { currentRuntime } from '../engine/runtime/current'
import type { Figure, Footprint } from './figures'
import { EnergyMeter, ESTIMATE } from './energy'
import { SOURCE, intensityOf } from './intensities'

export const JOULES_PER_KWH = 3.6e6

export interface CarbonOptions {
  /** g CO₂e per kWh; null for that of the country, or the world average. */
  readonly intensity: number | null
  /** An ISO 3166-1 code of three letters. */
  readonly country: string | null
  /** g CO₂e of manufacturing the hardware, as the share of this run. */
  readonly embodied: number
  /** The energy of the whole data centre per unit of energy of its computers. */
  readonly pue: number
}

/** The world average of the International Energy Agency for 2018. */
const WORLD = 475

/** g CO₂e per kWh, and where the number comes from. @throws ArgumentError for an intensity beside a country */
function carbonOf({ intensity, country }: CarbonOptions): { readonly grams: number; readonly from: string } {
  if (intensity !== null && country !== null)
    throw new ArgumentError(`intensity and country '${country}' exclude each other: give one of them`)
  const found = country === null ? null : intensityOf(country)
  if (found !== null) return { grams: found.grams, from: ` (${country} ${found.year}: ${SOURCE})` }
  return { grams: intensity ?? WORLD, from: intensity === null ? ' (world average 2018, IEA)' : '' }
}

/** The cost of one run of a graph. */
interface RunCost extends Cost {
  /** Whether it is a training step, which has nodes of an optimizer. */
  readonly isStep: boolean
}

const costs = new WeakMap<Graph, RunCost>()

/** The cost of one run of a graph, counted once per graph. */
export function costOfRun(graph: Graph): RunCost {
  let cost = costs.get(graph)
  if (cost === undefined) {
    const { flops, bytes } = costOf(simplify(graph))
    cost = {
      flops,
      bytes,
      isStep: graph.nodes.some(({ scope }) => scope === 'optimizer' || scope.startsWith('optimizer/')),
    }
    costs.set(graph, cost)
  }
  return cost
}

/** Measured totals. */
export type Totals = Readonly<
  Record<'flops' | 'bytes' | 'runs' | 'steps' | 'seconds' | 'cpuSeconds' | 'joules', number>
>

/** Measures everything computed in this thread until `close`. */
export class Measurement {
  private readonly meter: Meter
  private readonly energy: EnergyMeter
  private readonly carbon: ReturnType<typeof carbonOf>
  /** The totals of an earlier measurement of the same run, to be added. */
  private before: Totals = { flops: 0, bytes: 0, runs: 0, steps: 0, seconds: 0, cpuSeconds: 0, joules: 0 }

  constructor(private readonly options: CarbonOptions) {
    this.carbon = carbonOf(options)
    this.meter = new Meter()
    this.energy = new EnergyMeter(options.pue, currentRuntime().memory.buffer.byteLength)
  }

  /** FLOPs, bytes, runs and runs that updated weights, so far. */
  computed(): Cost & { readonly runs: number; readonly steps: number } {
    let { flops, bytes, runs: all, steps } = this.before
    for (const [graph, runs] of this.meter.runs()) {
      const cost = costOfRun(graph)
      flops += runs * cost.flops
      bytes += runs * cost.bytes
      all += runs
      if (cost.isStep) steps += runs
    }
    return { flops, bytes, runs: all, steps }
  }

  seconds(): number {
    return this.before.seconds + this.energy.seconds()
  }

  joules(): number {
    return this.before.joules + this.energy.joules().value
  }

  /** The totals so far; another measurement can continue from them. */
  totals(): Totals {
    return {
      ...this.computed(),
      seconds: this.seconds(),
      cpuSeconds: this.before.cpuSeconds + this.energy.cpuSeconds().value,
      joules: this.joules(),
    }
  }

  /** Continues from the totals of another measurement. Replaces what this one has measured so far. */
  goOn(from: Totals): void {
    const { before } = this
    const now = this.totals()
    const rebased = (name: keyof Totals): number => from[name] - (now[name] - before[name])
    this.before = {
      flops: rebased('flops'),
      bytes: rebased('bytes'),
      runs: rebased('runs'),
      steps: rebased('steps'),
      seconds: rebased('seconds'),
      cpuSeconds: rebased('cpuSeconds'),
      joules: rebased('joules'),
    }
  }

  gramsOf(joules: number): number {
    return (joules / JOULES_PER_KWH) * this.carbon.grams
  }

  close(): void {
    this.meter.close()
    this.energy.close()
  }

  /** @param counted steps of fit if the caller counted them; null for the runs of programs that update weights */
  footprint(counted: number | null): Footprint {
    const { energy, options } = this
    const { runs, flops, bytes, steps: updates } = this.computed()
    const steps = counted ?? updates
    const cpu = { ...energy.cpuSeconds(), value: this.totals().cpuSeconds }
    const joules = { ...energy.joules(), value: this.joules() }
    const grams = this.gramsOf(joules.value)
    const each = steps > 0 ? steps : Math.max(1, runs)
    const carbon = `${joules.how} joules, at ${this.carbon.grams} g CO2e/kWh${this.carbon.from}`
    return new Figures({
      steps: {
        value: steps,
        unit: 'steps',
        how: 'measured',
        from: counted === null ? 'runs of programs that update weights' : "the optimizer's count",
      },
      runs: { value: runs, unit: 'runs', how: 'measured', from: 'the count of every program' },
      flops: { value: flops, unit: 'FLOP', how: 'estimated', from: 'operations of every program, times its runs' },
      bytes: {
        value: bytes,
        unit: 'B',
        how: 'estimated',
        from: 'operands and results of every operation, times its runs',
      },
      seconds: { value: this.seconds(), unit: 's', how: 'measured', from: 'the clock' },
      cpuSeconds: { ...cpu, unit: 's' },
      joules: { ...joules, unit: 'J' },
      gCO2e: { value: grams, unit: 'g', how: 'estimated', from: carbon },
      sci: {
        value: (grams + options.embodied) / each,
        unit: steps > 0 ? 'g/step' : 'g/run',
        how: 'estimated',
        from: `(E · I + M) / R with M = ${options.embodied} g: ${carbon}`,
      },
    })
  }
}

type Names = Exclude<keyof Footprint, 'toJSON' | 'toCSV'>

class Figures implements Footprint {
  declare readonly steps: Figure
  declare readonly runs: Figure
  declare readonly flops: Figure
  declare readonly bytes: Figure
  declare readonly seconds: Figure
  declare readonly cpuSeconds: Figure
  declare readonly joules: Figure
  declare readonly gCO2e: Figure
  declare readonly sci: Figure

  constructor(private readonly figures: Readonly<Record<Names, Figure>>) {
    Object.assign(this, figures)
    // Not enumerable, to keep it out of printed output and loops over properties.
    Object.defineProperty(this, 'figures', { enumerable: false })
  }

  toJSON(): Readonly<Record<string, Figure>> {
    return this.figures
  }

  toCSV(): string {
    const rows = Object.entries(this.figures).map(([name, { value, unit, how, from }]) => [
      name,
      String(value),
      unit,
      how,
      from,
    ])
    return [['figure', 'value', 'unit', 'how', 'from'], ...rows]
      .map((row) => `${row.map(csvField).join(',')}\n`)
      .join('')
  }

  /** One line of text. */
  toString(): string {
    const { steps, runs, flops, cpuSeconds, joules, gCO2e } = this
    const computed = steps.value > 0 ? counted(steps.value, 'step') : counted(runs.value, 'run')
    const text = ({ value, how }: Figure, unit: string, method = ''): string =>
      `${short(value)} ${unit} (${how}${how === 'estimated' ? method : ''})`
    const figures = [text(cpuSeconds, 's CPU'), text(joules, 'J', `: ${ESTIMATE}`), text(gCO2e, 'g CO2e')]
    return `Footprint: ${computed}, ${prefixed(flops.value)}FLOP, ${figures.join(', ')}`
  }
}

const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toString())

/** 1.23e9 → `1.23 G` */
export function prefixed(value: number): string {
  const power = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return `${short(value / 1000 ** power)} ${['', 'k', 'M', 'G', 'T', 'P'][power]!}`
}

/** RFC 4180 */
export function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
