// The resources of a run, as EmissionsTracker reports them. footprint.ts measures them.

/** A number with its unit, and how it was obtained. */
export interface Figure {
  readonly value: number
  readonly unit: string
  /** 'measured': read from a counter or a clock. 'estimated': computed from other figures by a formula. */
  readonly how: 'measured' | 'estimated'
  /** The source of the number. */
  readonly from: string
}

/** The resources of a run. */
export interface Footprint {
  /** Updates of the weights; 0 without training. */
  readonly steps: Figure
  /** Programs that ran: steps, predictions, evaluations, ops. */
  readonly runs: Figure
  readonly flops: Figure
  readonly bytes: Figure
  /** The duration of the run. */
  readonly seconds: Figure
  readonly cpuSeconds: Figure
  readonly joules: Figure
  readonly gCO2e: Figure
  /** Software carbon intensity: emissions per step, or per run without training. ISO/IEC 21031. */
  readonly sci: Figure
  toJSON(): Readonly<Record<string, Figure>>
  /** A line for each figure: `figure,value,unit,how,from`. */
  toCSV(): string
}

declare global {
  interface MyelinReports {
    /** The resources of training: see EmissionsTracker. */
    readonly footprint: Footprint
  }
}
