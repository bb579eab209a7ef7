// Runs assembly/csv.ts in a separate memory: lines of bytes go in, numbers come out. Knows neither files nor names of
// columns.

import { KernelModule, MARGIN, reserve, type KernelExports } from '../kernel-memory'
import { csvModule } from './csv-binary'

interface Exports extends KernelExports {
  readonly stopped: WebAssembly.Global<'i32'>
  setUp(
    delimiter: number,
    columns: number,
    slots: number,
    spans: number,
    spanCount: number,
    cells: number,
    features: number,
    featureCount: number,
    targets: number,
    targetCount: number,
  ): void
  survey(from: number, to: number, quote: number): number
  scan(from: number, to: number, most: number): number
}

/** The roles of a line's columns. */
export interface ColumnLayout {
  /** The character code of the delimiter. */
  readonly delimiter: number
  /** By column: an index among the features, −1 for an unused column, −2 − i for target i. */
  readonly slots: Int32Array
  readonly featureCount: number
  readonly targetCount: number
}

/** The numbers of the lines read. */
export interface Numbers {
  readonly count: number
  /** Row by row; the next call overwrites them. */
  readonly features: Float32Array
  readonly targets: Float64Array
}

/** The number of bytes of features read at once, small enough for the processor's second-level cache. */
const OUTPUT = 1 << 18

const kernelModule = /* @__PURE__ */ new KernelModule<Exports>(csvModule)

/** Parses lines of numbers. */
export class LineKernel {
  private readonly kernels: Exports
  private readonly featuresAt: number
  private readonly targetsAt: number
  private readonly input: number
  /** The maximum number of rows of a call. */
  private readonly most: number
  private end = 0
  private at = 0

  /** null if the engine cannot run it, or if digits may contain the delimiter. */
  static make(layout: ColumnLayout): LineKernel | null {
    const isClear = !'0123456789.+-'.includes(String.fromCharCode(layout.delimiter))
    const kernels = isClear ? kernelModule.instance() : null
    return kernels === null ? null : new LineKernel(kernels, layout)
  }

  private constructor(
    kernels: Exports,
    private readonly layout: ColumnLayout,
  ) {
    const { delimiter, slots, featureCount, targetCount } = layout
    const spans = spansOf(slots)
    this.kernels = kernels
    this.most = Math.max(1, Math.min(1024, Math.floor(OUTPUT / (4 * featureCount))))
    let free = kernels.FREE.value
    const take = (bytes: number): number => {
      const at = Math.ceil(free / 16) * 16
      free = at + bytes
      return at
    }
    const slotsAt = take(4 * slots.length)
    const spansAt = take(4 * spans.length)
    const cellsAt = take(4 * slots.length + MARGIN)
    this.featuresAt = take(4 * featureCount * this.most)
    this.targetsAt = take(8 * targetCount * this.most)
    // The kernels read a few bytes before the input.
    this.input = take(MARGIN) + MARGIN
    reserve(kernels, this.input)
    const words = new Int32Array(kernels.memory.buffer)
    words.set(slots, slotsAt / 4)
    words.set(spans, spansAt / 4)
    kernels.setUp(
      delimiter,
      slots.length,
      slotsAt,
      spansAt,
      spans.length / 3,
      cellsAt,
      this.featuresAt,
      featureCount,
      this.targetsAt,
      targetCount,
    )
  }

  /** Starts with other, whole lines. */
  load(parts: readonly Uint8Array[]): void {
    const { kernels, input } = this
    const size = parts.reduce((sum, part) => sum + part.length, 0)
    reserve(kernels, input + size + MARGIN)
    const bytes = new Uint8Array(kernels.memory.buffer)
    this.end = parts.reduce((at, part) => (bytes.set(part, at), at + part.length), input)
    bytes.fill(0, this.end, this.end + MARGIN)
    this.at = input
  }

  /** The number of bytes of the lines that are read. */
  get position(): number {
    return this.at - this.input
  }

  /** Continues with the line that begins there. */
  set position(bytes: number) {
    this.at = Math.min(this.end, this.input + bytes)
  }

  /** The next lines; none if the line at `position` contains something other than numbers, or if no line is left. */
  scan(most: number): Numbers {
    const {
      kernels,
      layout: { featureCount, targetCount },
      featuresAt,
      targetsAt,
    } = this
    const count = kernels.scan(this.at, this.end, Math.min(most, this.most))
    this.at = kernels.stopped.value
    const { buffer } = kernels.memory
    return {
      count,
      features: new Float32Array(buffer, featuresAt, count * featureCount),
      targets: new Float64Array(buffer, targetsAt, count * targetCount),
    }
  }
}

/** Runs of adjacent columns that are adjacent among the features, too: first column, first feature, length. */
function spansOf(slots: Int32Array): number[] {
  const spans: { column: number; feature: number; count: number }[] = []
  slots.forEach((slot, at) => {
    if (slot < 0) return
    const last = spans.at(-1)
    if (last !== undefined && at === last.column + last.count && slot === last.feature + last.count) last.count++
    else spans.push({ column: at, feature: slot, count: 1 })
  })
  return spans.flatMap(({ column, feature, count }) => [column, feature, count])
}

/** The number of line ends in some bytes, and whether they contain a quote; null if the kernel cannot run. */
export function survey(
  bytes: Uint8Array,
  quote: number,
): { readonly lines: number; readonly isQuoted: boolean } | null {
  const surveyor = kernelModule.shared()
  if (surveyor === null) return null
  const from = surveyor.FREE.value
  reserve(surveyor, from + bytes.length + MARGIN)
  new Uint8Array(surveyor.memory.buffer, from).set(bytes)
  const found = surveyor.survey(from, from + bytes.length, quote)
  return { lines: found < 0 ? ~found : found, isQuoted: found < 0 }
}
