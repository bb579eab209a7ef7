// Reads rows of numbers of a CSV file into existing arrays, as many as requested. Kernels read lines of plain digits,
// scan.ts reads other lines, and lines with quotes are read as text.

import { Tensor } from '../../../ops/tensor'
import { cursor, lending } from '../../cursors'
import type { Cursor, Soon } from '../../source'
import { END, after, until } from '../../source'
import type { Lines } from '../blocks'
import { CARRIAGE_RETURN, LINE_FEED, lineEnds } from '../blocks'
import { DROPPED } from '../faults'
import { LineKernel } from './kernel'
import type { Scanned, Slot } from './scan'

/** How the rows of a file are laid out. */
export interface VectorPlan {
  readonly delimiter: number
  readonly slots: readonly Slot[]
  readonly featureCount: number
  readonly targetCount: number
  /** Whether the first line has names. */
  readonly hasHeader: boolean
  /** Kernels that no pass is using. */
  readonly kernels: LineKernel[]
}

/** How to read lines that are not plain digits. Each is a row, DROPPED, or an error. */
export interface OtherWays {
  /** The line from `from` to `to` of a block without quotes. */
  line(block: Lines, from: number, to: number, line: number): Scanned | typeof DROPPED
  /** The rows of a block with quotes. */
  rows(block: Lines, hasHeader: boolean): Iterator<Scanned>
}

/** A kernel is dropped if the other ways have read more lines than it, by more than this. */
const TRIED = 100

export class VectorRows {
  private block: Lines | null = null
  /** Rows of a block with quotes. */
  private parsed: Iterator<Scanned> | null = null
  private kernel: LineKernel | null
  private position = 0
  /** The line number at `counted`. */
  private line = 0
  private counted = 0
  private isHeader: boolean
  private byKernel = 0
  private byOthers = 0

  constructor(
    private readonly from: Cursor<Lines>,
    private readonly plan: VectorPlan,
    private readonly others: OtherWays,
  ) {
    const { delimiter, slots, featureCount, targetCount, hasHeader, kernels } = plan
    this.isHeader = hasHeader
    const areNumbers = slots.every(({ to, isNumber }) => to === 'nothing' || isNumber)
    const places = slots.map(({ to, at }) => (to === 'features' ? at : to === 'targets' ? -2 - at : -1))
    this.kernel = areNumbers
      ? (kernels.pop() ?? LineKernel.make({ delimiter, slots: Int32Array.from(places), featureCount, targetCount }))
      : null
  }

  /** Closes the file. */
  close(): Soon<void> {
    if (this.kernel !== null) this.plan.kernels.push(this.kernel)
    this.kernel = null
    this.block = null
    this.parsed = null
    return this.from.close()
  }

  /**
   * Writes up to `most` rows into arrays, starting at their row `first`.
   * @returns the number of rows written: fewer at the end of the file
   */
  read(out: Scanned, first: number, most: number): Soon<number> {
    let filled = 0
    const done = until(() => {
      filled += this.take(out, first + filled, most - filled)
      return (
        filled === most ||
        after(this.from.next(), (block) => {
          if (block !== END) this.begin(block)
          return block === END
        })
      )
    })
    return after(done, () => filled)
  }

  private begin(block: Lines): void {
    this.block = block
    this.position = 0
    this.line = block.line
    this.counted = 0
    if (block.isQuoted) this.parsed = this.others.rows(block, this.isHeader)
    else this.kernel?.load(block.parts)
    if (block.isQuoted) this.isHeader = false
    else if (this.isHeader) this.passHeader(block)
  }

  /** Skips the header and empty lines before it. */
  private passHeader({ bytes }: Lines): void {
    while (this.isHeader && this.position < bytes.length) {
      const end = endOf(bytes, this.position)
      this.isHeader = isEmpty(bytes, this.position, end)
      this.position = Math.min(bytes.length, end + 1)
    }
  }

  /** Takes rows of the current block. */
  private take(out: Scanned, first: number, most: number): number {
    let taken = 0
    while (taken < most && this.block !== null) {
      taken +=
        this.parsed === null
          ? this.takeLines(this.block, out, first + taken, most - taken)
          : this.takeParsed(this.parsed, out, first + taken)
    }
    return taken
  }

  private takeParsed(parsed: Iterator<Scanned>, out: Scanned, at: number): number {
    const next = parsed.next()
    if (next.done !== true) return this.put(next.value, out, at)
    this.parsed = null
    this.block = null
    return 0
  }

  private takeLines(block: Lines, out: Scanned, at: number, most: number): number {
    const { kernel } = this
    if (kernel !== null) {
      kernel.position = this.position
      const { count, features, targets } = kernel.scan(most)
      this.position = kernel.position
      this.byKernel += count
      if (count > 0) {
        out.features.set(features, at * this.plan.featureCount)
        out.targets.set(targets, at * this.plan.targetCount)
        return count
      }
    }
    if (this.position < block.size) return this.takeLine(block, out, at)
    this.block = null
    this.from.recycle?.(block)
    return 0
  }

  private takeLine(block: Lines, out: Scanned, at: number): number {
    const { bytes } = block
    const from = this.position
    const to = endOf(bytes, from)
    this.position = Math.min(bytes.length, to + 1)
    if (isEmpty(bytes, from, to)) return 0
    if (++this.byOthers > TRIED + this.byKernel) this.kernel = null
    this.line += lineEnds(bytes.subarray(this.counted, from))
    this.counted = from
    const row = this.others.line(block, from, to, this.line)
    return row === DROPPED ? 0 : this.put(row, out, at)
  }

  private put(row: Scanned, out: Scanned, at: number): number {
    out.features.set(row.features, at * this.plan.featureCount)
    out.targets.set(row.targets, at * this.plan.targetCount)
    return 1
  }
}

function endOf(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from)
  return end < 0 ? bytes.length : end
}

function isEmpty(bytes: Uint8Array, from: number, to: number): boolean {
  return to === from || (to === from + 1 && bytes[from] === CARRIAGE_RETURN)
}

/** The form of elements: only features, or a pair of features and one target or several. */
export type Form = 'features' | 'one' | 'several'

/** One row as an element. */
function elementOf({ features, targets }: Scanned, form: Form): unknown {
  return form === 'features' ? features : [features, form === 'one' ? targets[0] : Float32Array.from(targets)]
}

/** The rows as elements. */
export function vectorElements(
  rows: VectorRows,
  { featureCount, targetCount }: VectorPlan,
  form: Form,
): Cursor<unknown> {
  return cursor(rows, () => {
    const row = { features: new Float32Array(featureCount), targets: new Float64Array(targetCount) }
    return after(rows.read(row, 0, 1), (count) => (count === 0 ? END : elementOf(row, form)))
  })
}

/** Batches of rows, stacked as by `batch`. */
export function vectorBatches(
  rows: VectorRows,
  plan: VectorPlan,
  form: Form,
  size: number,
  keepsRest: boolean,
): Cursor<unknown> {
  const { featureCount, targetCount } = plan
  const targets = new Float64Array(size * targetCount)
  const stacked = (data: Float32Array, count: number): unknown => {
    const features = new Tensor(
      count === size ? data : data.slice(0, count * featureCount),
      [count, featureCount],
      'float32',
    )
    if (form === 'features') return features
    const own = Float32Array.from(targets.subarray(0, count * targetCount))
    return [features, new Tensor(own, form === 'one' ? [count] : [count, targetCount], 'float32')]
  }
  /** The memory of a returned batch, otherwise new memory. */
  const memory = (spare: unknown): Float32Array => {
    const { data } = ((form === 'features' ? spare : (spare as readonly unknown[] | undefined)?.[0]) ??
      {}) as Partial<Tensor>
    return data instanceof Float32Array && data.length === size * featureCount
      ? data
      : new Float32Array(size * featureCount)
  }
  return lending((spare) =>
    cursor(rows, () => {
      const features = memory(spare())
      return after(rows.read({ features, targets }, 0, size), (count) =>
        count === size || (count > 0 && keepsRest) ? stacked(features, count) : END,
      )
    }),
  )
}
