// Progbar: a line of progress that is rewritten.

import { ArgumentError, quoted } from '../../core/errors'
import { clock } from '../../core/globals'
import {
  Configured,
  configured,
  count,
  custom,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  text,
  type OptionInputs,
} from '../../core/options'
import { LiveLine, bar } from '../../engine/runtime/live-line'
import { nodeProcess } from '../../engine/runtime/platform'
import { formatDuration, formatLog } from '../../training/callbacks/progress'

const verbosity = custom<0 | 1 | 2>(
  (value, where) => {
    if (value === 0 || value === 1 || value === 2) return value
    throw new ArgumentError(`${where} must be 0, 1 or 2, received ${quoted(value)}`)
  },
  (value) => value,
)

const progbarOptions = () => ({
  /** The number of steps; null if it is unknown. */
  target: required(nullable(integer({ min: 0 }))),
  /** The width of the bar in characters. Default 20. */
  width: option(count, 20),
  /** 0 silent, 1 a line that is rewritten, 2 a line at the end. Default 1. */
  verbose: option(verbosity, 1),
  /** The least time between two repaints, in seconds. Default 0.05. */
  interval: option(number({ min: 0 }), 0.05),
  /** The names of values that are shown as they are, and not averaged over steps. Default none. */
  statefulMetrics: option(nullable(listOf(text)), null),
  /** The name of the unit that is counted. Default 'step'. */
  unitName: option(text, 'step'),
})
export type ProgbarOptions = OptionInputs<ReturnType<typeof progbarOptions>>

/** Values of a step by name, or pairs of name and value. */
export type ProgbarValues = Readonly<Record<string, number>> | readonly (readonly [name: string, value: number])[]

const ProgbarBase = configured(Configured, progbarOptions, [
  'target',
  'width',
  'verbose',
  'interval',
  'statefulMetrics',
  'unitName',
])

/**
 * A progress bar on the terminal, with means of values:
 *
 *   const bar = new utils.Progbar(100)
 *   for (let i = 1; i <= 100; i++) bar.update(i, { loss: step() })
 *
 * Keras: `keras.utils.Progbar`.
 */
export class Progbar extends ProgbarBase {
  private readonly sums = new Map<string, readonly [sum: number, count: number]>()
  private readonly start = clock()
  private live: LiveLine | null = null
  private lastPaint = -Infinity
  /** The number of steps so far. */
  private seen = 0

  /**
   * Shows a number of steps.
   * @param current the number of steps so far
   * @param values of the steps since the last call; their means are shown
   * @param finalize whether this is the end. Default: whether `current` is at least `target`
   */
  update(current: number, values: ProgbarValues = {}, finalize: boolean | null = null): void {
    if (!(Number.isFinite(current) && current >= 0))
      throw new ArgumentError(`Progbar: update needs a number of steps ≥ 0, received ${quoted(current)}`)
    const isEnd = finalize ?? (this.target !== null && current >= this.target)
    const steps = Math.max(1, current - this.seen)
    const pairs = Array.isArray(values) ? (values as readonly (readonly [string, number])[]) : Object.entries(values)
    for (const [name, value] of pairs) {
      if (typeof value !== 'number')
        throw new ArgumentError(`Progbar: the value of '${name}' must be a number, received ${quoted(value)}`)
      const [sum, number] = this.sums.get(name) ?? [0, 0]
      const isStateful = this.statefulMetrics?.includes(name) === true
      this.sums.set(name, isStateful ? [value, 1] : [sum + value * steps, number + steps])
    }
    this.seen = current
    const now = clock()
    if (this.verbose === 0 || (!isEnd && (this.verbose === 2 || now - this.lastPaint < this.interval * 1000))) return
    this.lastPaint = now
    this.paint(isEnd, now - this.start)
  }

  /** Shows `steps` more steps. */
  add(steps: number, values: ProgbarValues = {}): void {
    this.update(this.seen + steps, values)
  }

  private paint(isEnd: boolean, elapsed: number): void {
    const { target, width, seen, unitName } = this
    const bars = target === null ? '' : ` ${bar(target === 0 ? 1 : seen / target, width)}`
    const each = elapsed / Math.max(1, seen)
    const left = isEnd || target === null ? formatDuration(elapsed) : `ETA ${formatDuration(each * (target - seen))}`
    const means = Array.from(this.sums, ([name, [sum, number]]) => ` - ${name}: ${formatLog(sum / number)}`).join('')
    const rest = ` ${left} ${formatDuration(each)}/${unitName}${means}`
    const texts = [bars, ''].map((shown) => `${seen}/${target ?? '?'}${shown}${rest}`)
    const out = nodeProcess()?.stdout
    if (this.verbose === 1 && out?.isTTY === true) {
      const live = (this.live ??= new LiveLine(out))
      if (isEnd) live.end(texts)
      else live.rewrite(texts)
    } else if (isEnd && out !== undefined) out.write(`${texts[0]}\n`)
    else if (isEnd) console.log(texts[0])
  }
}
