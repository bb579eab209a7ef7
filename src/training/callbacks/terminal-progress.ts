// The progress of fit on a terminal: a rewritten line with the time that is left, colours, and a sparkline of the loss over the
// epochs. The entries for Node and Deno use it.

import { LiveLine, bar, type TerminalStyle } from '../../engine/runtime/live-line'
import { barsOf } from '../../engine/runtime/terminal'
import type { Logs } from './callback'
import { ProgressBar, formatDuration, formatLogs, progress } from './progress'

/** The number of epochs in the sparkline: the last ones. */
const MOST_EPOCHS = 16
/** The width of the bar where there is little room. */
const SHORT = 8
/** The minimum time between two repaints, in ms. */
const REPAINT = 80

class TerminalProgress extends ProgressBar {
  /** The loss of each epoch: of validation, if there is one. */
  private readonly losses: number[] = []
  private readonly live: LiveLine | null
  private lastPaint = 0
  private runStart = 0
  /** The current epoch, and the number of those that ended in this run. */
  private epoch = 0
  private ended = 0

  constructor(private readonly style: TerminalStyle) {
    super()
    this.live = this.out?.isTTY === true ? new LiveLine(this.out, style) : null
  }

  private get isLive(): boolean {
    return this.params?.verbose === 1 && this.live !== null
  }

  override onEpochBegin(epoch: number): void {
    super.onEpochBegin(epoch)
    this.epoch = epoch
    this.lastPaint = this.epochStart
    if (this.ended === 0) this.runStart = this.epochStart
    if (this.isLive) this.line(`Epoch ${epoch + 1}/${this.params!.epochs}`)
  }

  override due(now: number): boolean {
    return this.isLive && now - this.lastPaint >= REPAINT
  }

  override paint(done: number, logs: Logs, now: number): void {
    this.lastPaint = now
    const { steps } = this.params!
    const elapsed = now - this.epochStart
    // The number of batches may be unknown until they are read.
    const isKnown = steps !== null && steps !== Infinity
    const left = isKnown ? (elapsed / done) * (steps - done) : null
    const time = left === null ? formatDuration(elapsed) : `ETA ${formatDuration(left)}`
    const run = this.leftOfRun(elapsed, left)
    const before = `${done}/${isKnown ? steps : '?'}`
    const after = `${time}${run === null ? '' : ` (run ${formatDuration(run)})`}`
    const pace = `${formatDuration(elapsed / done)}/step`
    const bars = isKnown ? [bar(done / steps), bar(done / steps, SHORT)] : []
    const values = formatLogs(logs)
    this.live!.rewrite(
      this.withSparkline([
        ...bars.map((each) => `${before} ${each} ${after} ${pace}${values}`),
        `${before} ${after} ${pace}${values}`,
        `${before} ${after}${values}`,
      ]),
    )
  }

  /**
   * The time until all epochs have ended, in ms; null for the last epoch, and where nothing tells it.
   * @param elapsed of this epoch
   * @param left of this epoch, without its validation; null if unknown
   */
  private leftOfRun(elapsed: number, left: number | null): number | null {
    const { epoch, ended } = this
    const others = this.params!.epochs - epoch - 1
    if (others < 1 || others === Infinity) return null
    if (ended === 0) return left === null ? null : left + others * (elapsed + left)
    // An epoch takes as long as the ones before it, with their validations.
    const each = (this.epochStart - this.runStart) / ended
    return Math.max(left ?? 0, each - elapsed) + others * each
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.ended++
    const loss = logs['valLoss'] ?? logs['loss']
    if (loss !== undefined) this.losses.push(loss)
    if (!this.isLive) return super.onEpochEnd(epoch, logs)
    const steps = this.params!.steps ?? this.taken
    const before = `${this.taken}/${Math.max(steps, this.taken)}`
    const share = this.taken / steps
    const after = `${this.pace}${formatLogs(logs)}`
    const texts = [bar(share), bar(share, SHORT)].map((each) => `${before} ${each} ${after}`)
    this.live!.end(this.withSparkline([...texts, `${before} ${after}`]))
  }

  /** The texts, the longest also with the sparkline behind it. */
  private withSparkline(texts: readonly string[]): readonly string[] {
    if (this.losses.length < 2 || this.style.isDumb()) return texts
    return [`${texts[0]} ${barsOf(this.losses.slice(-MOST_EPOCHS))}`, ...texts]
  }
}

/** Makes fit use it. */
export function useTerminalProgress(style: TerminalStyle): void {
  progress.make = () => new TerminalProgress(style)
}
