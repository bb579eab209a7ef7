// Reads rows of numbers of a CSV file, block by block. Kernels read lines of plain digits, scan.ts reads other lines, and
// lines with quotes are read as text.

import { internalError } from '../../../core/errors'
import { Tensor } from '../../../ops/tensor'
import { collate } from '../../samples/collate'
import { keepsDoubles } from '../../samples/doubles'
import { copyRows, type Block, type Entries, type RowFormat } from '../../samples/row-block'
import { after, until, type Soon } from '../../../core/soon'
import { END, type Cursor } from '../../samples/source'
import { CARRIAGE_RETURN, LINE_FEED, lineEnds, type Lines } from '../blocks'
import { DROPPED } from '../faults'
import { LineKernel, type Numbers } from './kernel'
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

/** The form of elements: only features, or a pair of features and one target or several. */
export type Form = 'features' | 'one' | 'several'

/** Rows whose columns are the features and the targets. */
function formatOf({ featureCount, targetCount }: VectorPlan, form: Form): RowFormat {
  const row = (columns: readonly Entries[], at: number): unknown => {
    const { features, targets } = scannedIn(columns)
    const vector = new Float32Array(featureCount)
    copyRows(features, at, vector, 0, 1, featureCount)
    if (form === 'features') return vector
    if (form === 'one') return [vector, targets[at]]
    return [vector, new Float32Array(targets.subarray(at * targetCount, (at + 1) * targetCount))]
  }
  return {
    key: `csv ${form} ${featureCount} ${targetCount}`,
    widths: [featureCount, targetCount],
    allocate(count, spare) {
      const x: unknown = form === 'features' || !Array.isArray(spare) ? spare : spare[0]
      const isFit = x instanceof Tensor && x.dtype === 'float32' && x.data.length === count * featureCount
      return [isFit ? x.data : new Float32Array(count * featureCount), new Float64Array(count * targetCount)]
    },
    row,
    stack(columns, count, where) {
      if (keepsDoubles())
        return collate(
          Array.from({ length: count }, (_, i) => row(columns, i)),
          where,
        )
      const { features, targets } = scannedIn(columns)
      const size = count * featureCount
      const x = new Tensor(
        features.length === size ? features : features.slice(0, size),
        [count, featureCount],
        'float32',
      )
      if (form === 'features') return x
      const y = new Float32Array(targets.subarray(0, count * targetCount))
      return [x, new Tensor(y, form === 'one' ? [count] : [count, targetCount], 'float32')]
    },
  }
}

/** The columns of this format, which `allocate` makes. */
function scannedIn([features, targets]: readonly Entries[]): Scanned {
  if (features instanceof Float32Array && targets instanceof Float64Array) return { features, targets }
  throw internalError('the columns are not those of features and targets')
}

const NO_NUMBERS: Numbers = { count: 0, features: new Float32Array(0), targets: new Float64Array(0) }

/** The kernel reads at least so many rows, because a call costs as much as some rows. */
const AHEAD = 128

/** A kernel is dropped if the other ways have read more lines than it, by more than this. */
const TRIED = 100

export class VectorRows {
  private readonly format: RowFormat
  private lines: Lines | null = null
  /** Rows of lines with quotes. */
  private parsed: Iterator<Scanned> | null = null
  /** Rows in the memory of the kernel, of which the first `returned` were returned. */
  private scanned: Numbers = NO_NUMBERS
  private returned = 0
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
    form: Form,
    private readonly others: OtherWays,
  ) {
    this.format = formatOf(plan, form)
    const { delimiter, slots, featureCount, targetCount, hasHeader, kernels } = plan
    this.isHeader = hasHeader
    const areNumbers = slots.every(({ to, isNumber }) => to === 'nothing' || isNumber)
    const places = slots.map(placeOf)
    this.kernel = areNumbers
      ? (kernels.pop() ?? LineKernel.make({ delimiter, slots: Int32Array.from(places), featureCount, targetCount }))
      : null
  }

  /** Closes the file. */
  close(): Soon<void> {
    if (this.kernel !== null) this.plan.kernels.push(this.kernel)
    this.kernel = null
    this.scanned = NO_NUMBERS
    this.lines = null
    this.parsed = null
    return this.from.close()
  }

  /** The next rows, valid until the next call. */
  block(most: number): Soon<Block | typeof END> {
    let found: Block | null = null
    const search = until(() => {
      found = this.take(most)
      return (
        found !== null ||
        after(this.from.next(), (lines) => {
          if (lines !== END) this.begin(lines)
          return lines === END
        })
      )
    })
    return after(search, () => found ?? END)
  }

  private begin(lines: Lines): void {
    this.lines = lines
    this.position = 0
    this.line = lines.line
    this.counted = 0
    if (lines.isQuoted) this.parsed = this.others.rows(lines, this.isHeader)
    else this.kernel?.load(lines.parts)
    if (lines.isQuoted) this.isHeader = false
    else if (this.isHeader) this.passHeader(lines)
  }

  /** Skips the header and empty lines before it. */
  private passHeader({ bytes }: Lines): void {
    while (this.isHeader && this.position < bytes.length) {
      const end = endOf(bytes, this.position)
      this.isHeader = isEmpty(bytes, this.position, end)
      this.position = Math.min(bytes.length, end + 1)
    }
  }

  /** Rows of the current lines; null if none is left. */
  private take(most: number): Block | null {
    while (this.lines !== null) {
      const rows =
        this.takeScanned(most) ?? (this.parsed === null ? this.takeLine(this.lines) : this.takeParsed(this.parsed))
      if (rows !== null) return rows
    }
    return null
  }

  /** Rows that the kernel can read. It reads ahead without side effects. */
  private takeScanned(most: number): Block | null {
    const { kernel } = this
    if (this.returned === this.scanned.count) {
      if (kernel === null || this.parsed !== null) return null
      kernel.position = this.position
      this.scanned = kernel.scan(Math.max(most, AHEAD))
      this.returned = 0
      this.position = kernel.position
      this.byKernel += this.scanned.count
    }
    const count = Math.min(most, this.scanned.count - this.returned)
    if (count === 0) return null
    const { features, targets } = this.scanned
    const rows = this.rows(features, targets, this.returned, count)
    this.returned += count
    return rows
  }

  private takeParsed(parsed: Iterator<Scanned>): Block | null {
    const next = parsed.next()
    if (next.done !== true) return this.rows(next.value.features, next.value.targets)
    this.parsed = null
    this.lines = null
    return null
  }

  private takeLine(lines: Lines): Block | null {
    const from = this.position
    if (from >= lines.size) {
      this.lines = null
      this.from.recycle?.(lines)
      return null
    }
    const { bytes } = lines
    const to = endOf(bytes, from)
    this.position = Math.min(bytes.length, to + 1)
    if (isEmpty(bytes, from, to)) return null
    if (++this.byOthers > TRIED + this.byKernel) this.kernel = null
    this.line += lineEnds(bytes.subarray(this.counted, from))
    this.counted = from
    const row = this.others.line(lines, from, to, this.line)
    return row === DROPPED ? null : this.rows(row.features, row.targets)
  }

  private rows(features: Float32Array, targets: Float64Array, places = 0, count = 1): Block {
    return { format: this.format, columns: [features, targets], places, count }
  }
}

/** The place of a column for the kernel: see ColumnLayout. */
function placeOf({ to, at }: Slot): number {
  if (to === 'features') return at
  return to === 'targets' ? -2 - at : -1
}

function endOf(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from)
  return end < 0 ? bytes.length : end
}

function isEmpty(bytes: Uint8Array, from: number, to: number): boolean {
  return to === from || (to === from + 1 && bytes[from] === CARRIAGE_RETURN)
}
