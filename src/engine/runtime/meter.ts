// Counts the runs of each program. A run costs one addition and one comparison; programs are only listed while
// a Meter is open.

import type { Graph } from '../ir/graph'

const meters = new Set<Meter>()

/** The runs of one program. */
export class Tally {
  runs = 0

  constructor(readonly graph: Graph) {}

  /** Counts `times` runs. Call it after them. */
  add(times: number): void {
    if (meters.size > 0) for (const meter of meters) meter.list(this)
    this.runs += times
  }
}

/** Lists the programs that ran since it was opened, and how often. Holds their graphs until it is closed. */
export class Meter {
  private readonly before = new Map<Tally, number>()

  constructor() {
    meters.add(this)
  }

  /** @internal */
  list(tally: Tally): void {
    if (!this.before.has(tally)) this.before.set(tally, tally.runs)
  }

  /** The runs of each graph since the Meter was opened. */
  *runs(): Generator<readonly [graph: Graph, runs: number]> {
    for (const [tally, before] of this.before) yield [tally.graph, tally.runs - before]
  }

  close(): void {
    meters.delete(this)
  }
}
