// What a run took, as a callback may report it. Who finds out is in src/thrift.

/** A number, what it counts, and how it is known. */
export interface Figure {
  readonly value: number
  readonly unit: string
  /** 'measured': read from a counter or a clock. 'estimated': computed from other figures by a formula. */
  readonly how: 'measured' | 'estimated'
  /** From what. */
  readonly from: string
}

/** What a run took. */
export interface Footprint {
  /** Updates of the weights; 0 where nothing was trained. */
  readonly steps: Figure
  /** Programs that ran: steps, predictions, evaluations, ops. */
  readonly runs: Figure
  readonly flops: Figure
  readonly bytes: Figure
  /** From beginning to end. */
  readonly seconds: Figure
  readonly cpuSeconds: Figure
  readonly joules: Figure
  readonly gCO2e: Figure
  /** Software carbon intensity: emissions of one step, or of one run where nothing was trained. ISO/IEC 21031. */
  readonly sci: Figure
  toJSON(): Readonly<Record<string, Figure>>
  /** A line for each figure: `figure,value,unit,how,from`. */
  toCSV(): string
}
