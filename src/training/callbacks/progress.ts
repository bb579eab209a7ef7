// The progress of fit in a log: a line per epoch. terminal-progress.ts shows it on terminals.

import { clock } from '../../core/globals'
import { printable } from '../../core/errors'
import { nodeProcess } from '../../engine/runtime/platform'
import { Callback, type Logs } from './callback'

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
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

export class ProgressBar extends Callback {
  protected epochStart = 0
  /** The steps of the last epoch. */
  protected taken = 0
  protected readonly out: Output | null = nodeProcess()?.stdout ?? null

  override onEpochBegin(_epoch: number): void {
    this.epochStart = clock()
  }

  /** Whether a repaint is due; called after every step. */
  due(_now: number): boolean {
    return false
  }

  /** Repaints the line of the current epoch. */
  paint(_done: number, _logs: Logs, _now: number): void {}

  /** Sets the number of steps of the epoch. */
  took(steps: number): void {
    this.taken = steps
  }

  /** `12s 30ms/step` */
  protected get pace(): string {
    const elapsed = clock() - this.epochStart
    return `${formatDuration(elapsed)} ${formatDuration(elapsed / this.taken)}/step`
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.line(`Epoch ${epoch + 1}/${this.params!.epochs} - ${this.pace}${formatLogs(logs)}`)
  }

  protected line(text: string): void {
    if (this.out === null) console.log(text)
    else this.out.write(`${text}\n`)
  }
}

/** Makes the progress bar of fit. The entries for Node and Deno replace it: see terminal-progress.ts. */
export const progress = { make: (): ProgressBar => new ProgressBar() }
