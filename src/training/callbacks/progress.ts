// The progress of fit on a terminal (a rewritten line with ETA) or in a log (a line per epoch).

import { printable } from '../../core/errors'
import { nodeProcess } from '../../runtime/platform'
import type { Logs } from './callback'
import { Callback } from './callback'

const BAR_WIDTH = 20
/** The minimum time between two repaints, in ms. */
const REPAINT = 80

interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** `12s`, `3:05`, `450us`: a readable duration from ms. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)}us`
  if (ms < 1000) return `${Math.round(ms)}ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  const most = minutes < 60 ? minutes : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}`
  return `${most}:${pad(seconds % 60)}`
}

function pad(x: number): string {
  return String(x).padStart(2, '0')
}

/** `0.4321`, `4.3210e-4` */
export function formatLog(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(4) : value.toFixed(4)
}

/** ` - loss: 0.4321 - accuracy: 0.8750` */
export function formatLogs(logs: Logs): string {
  return Object.entries(logs)
    .map(([name, value]) => ` - ${printable(name)}: ${formatLog(value)}`)
    .join('')
}

function bar(done: number, total: number): string {
  const filled = Math.round((BAR_WIDTH * done) / total)
  return '━'.repeat(filled) + '─'.repeat(BAR_WIDTH - filled)
}

export class ProgressBar extends Callback {
  private epochStart = 0
  private lastPaint = 0
  protected painted = 0
  /** The steps of the current epoch so far. */
  private done = 0
  protected readonly out: Terminal | null = nodeProcess()?.stdout ?? null

  private get live(): boolean {
    return this.params?.verbose === 1 && this.out?.isTTY === true
  }

  override onEpochBegin(epoch: number): void {
    this.epochStart = performance.now()
    this.lastPaint = this.epochStart
    if (this.params?.verbose === 1) this.line(`Epoch ${epoch + 1}/${this.params.epochs}`)
  }

  /** Whether a repaint is due; called after every step. */
  due(now: number): boolean {
    return this.live && now - this.lastPaint >= REPAINT
  }

  /** Repaints the line of the current epoch. */
  paint(done: number, logs: Logs, now: number): void {
    this.lastPaint = now
    const { steps } = this.params!
    const each = (now - this.epochStart) / done
    const pace = `${formatDuration(each)}/step${formatLogs(logs)}`
    // The number of batches may be unknown until they are read.
    if (steps === null || steps === Infinity)
      return this.rewrite(`${done}/? ${formatDuration(now - this.epochStart)} ${pace}`)
    this.rewrite(`${done}/${steps} ${bar(done, steps)} ETA ${formatDuration(each * (steps - done))} ${pace}`)
  }

  /** Sets the number of steps of the epoch. */
  took(steps: number): void {
    this.done = steps
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { epochs, verbose } = this.params!
    const steps = this.params!.steps ?? this.done
    const elapsed = performance.now() - this.epochStart
    const pace = `${formatDuration(elapsed)} ${formatDuration(elapsed / steps)}/step`
    if (verbose === 2) return this.line(`Epoch ${epoch + 1}/${epochs} - ${pace}${formatLogs(logs)}`)
    const text = `${steps}/${steps} ${bar(1, 1)} ${pace}${formatLogs(logs)}`
    if (!this.live) return this.line(text)
    this.rewrite(text)
    this.out!.write('\n')
    this.painted = 0
  }

  protected rewrite(text: string): void {
    this.out!.write(`\r${text.padEnd(this.painted)}`)
    this.painted = text.length
  }

  private line(text: string): void {
    if (this.out === null) console.log(text)
    else this.out.write(`${text}\n`)
  }
}

/** Makes the progress bar of fit. The entry for Node replaces it: see terminal-progress.ts. */
export const progress = { make: (): ProgressBar => new ProgressBar() }
