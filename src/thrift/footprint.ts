// What a run takes: counted while it goes on, told when it is over.

import { count } from '../core/table'
import { costOf } from '../plan/cost'
import type { Cost } from '../plan/cost'
import { simplify } from '../plan/simplify'
import type { Graph } from '../ir/graph'
import { Meter } from '../runtime/meter'
import { currentRuntime } from '../runtime/current'
import type { Figure, Footprint } from '../training/callbacks/footprint'
import { EnergyMeter } from './energy'

export type { Figure, Footprint } from '../training/callbacks/footprint'

const JOULES_PER_KWH = 3.6e6

export interface CarbonOptions {
  /** g CO₂e for each kWh. */
  readonly intensity: number
  /** g CO₂e of making the hardware: the share of this run. */
  readonly embodied: number
  /** What a data centre uses in all, for each joule that its computers use. */
  readonly pue: number
}

/** What one run of a graph costs. */
interface RunCost extends Cost {
  /** Whether it is a training step: an optimizer made some of its nodes. */
  readonly isStep: boolean
}

const known = new WeakMap<Graph, RunCost>()

/** What one run of a graph costs; counted once. */
export function costOfRun(graph: Graph): RunCost {
  let cost = known.get(graph)
  if (cost === undefined) {
    const { flops, bytes } = costOf(simplify(graph))
    cost = {
      flops,
      bytes,
      isStep: graph.nodes.some(({ scope }) => scope === 'optimizer' || scope.startsWith('optimizer/')),
    }
    known.set(graph, cost)
  }
  return cost
}

/** What was measured. */
export type Totals = Readonly<
  Record<'flops' | 'bytes' | 'runs' | 'steps' | 'seconds' | 'cpuSeconds' | 'joules', number>
>

/** Everything that is computed from now on, until it is closed. */
export class Measurement {
  private readonly meter = new Meter()
  private readonly energy: EnergyMeter
  /** What an earlier measurement of the same run has to be added. */
  private before: Totals = { flops: 0, bytes: 0, runs: 0, steps: 0, seconds: 0, cpuSeconds: 0, joules: 0 }

  constructor(private readonly options: CarbonOptions) {
    this.energy = new EnergyMeter(options.pue, currentRuntime().memory.buffer.byteLength)
  }

  /** FLOPs, bytes, runs, and those among them that updated weights, so far. */
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

  /** Everything so far: from here another measurement may go on. */
  totals(): Totals {
    return {
      ...this.computed(),
      seconds: this.seconds(),
      cpuSeconds: this.before.cpuSeconds + this.energy.cpuSeconds().value,
      joules: this.joules(),
    }
  }

  /** Goes on from the totals of another one. What this one measured so far does not count. */
  goOn(from: Totals): void {
    const own = this.totals()
    const { before } = this
    this.before = Object.fromEntries(
      Object.entries(before).map(([name, value]) => {
        const key = name as keyof Totals
        return [key, from[key] - (own[key] - value)]
      }),
    ) as unknown as Totals
  }

  gramsOf(joules: number): number {
    return (joules / JOULES_PER_KWH) * this.options.intensity
  }

  close(): void {
    this.meter.close()
    this.energy.close()
  }

  /** @param counted steps of fit, where somebody counted them; else the runs of programs that update weights */
  footprint(counted: number | null): Footprint {
    const { energy, options } = this
    const { runs, flops, bytes, steps: updates } = this.computed()
    const steps = counted ?? updates
    const cpu = { ...energy.cpuSeconds(), value: this.totals().cpuSeconds }
    const joules = { ...energy.joules(), value: this.joules() }
    const grams = this.gramsOf(joules.value)
    const each = steps > 0 ? steps : Math.max(1, runs)
    const carbon = `${joules.how} joules, at ${options.intensity} g CO2e/kWh`
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
    // Not for who prints it or looks through it.
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

  /** One line. */
  toString(): string {
    const { steps, runs, flops, cpuSeconds, joules, gCO2e } = this
    const computed = steps.value > 0 ? `${count(steps.value)} steps` : `${count(runs.value)} runs`
    const [cpu, energy, grams] = [
      [cpuSeconds, 's CPU'],
      [joules, 'J'],
      [gCO2e, 'g CO2e'],
    ].map(([figure, unit]) => {
      const { value, how } = figure as Figure
      return `${short(value)} ${unit as string} (${how})`
    })
    return `Footprint: ${computed}, ${prefixed(flops.value)}FLOP, ${cpu}, ${energy}, ${grams}`
  }
}

const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toString())

/** 1.23e9 → `1.23 G` */
export function prefixed(value: number): string {
  const power = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return `${short(value / 1000 ** power)} ${['', 'k', 'M', 'G', 'T', 'P'][power]!}`
}

/** RFC 4180 */
function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
