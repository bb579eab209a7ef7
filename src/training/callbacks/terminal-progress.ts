// The progress bar of fit on a terminal with colours, and a sparkline of the loss over the epochs. The entry for Node uses it.

import { nodeProcess } from '../../runtime/platform'
import { barsOf, hasColours, isDumb, painted } from '../../runtime/terminal'
import type { Logs } from './callback'
import { ProgressBar, progress } from './progress'

/** The number of epochs in the sparkline: the last ones. */
const MOST_EPOCHS = 16
const [CYAN, GREY, YELLOW] = [36, 90, 33]

class TerminalProgress extends ProgressBar {
  /** The loss of each epoch: of validation, if there is one. */
  private readonly losses: number[] = []

  override onEpochEnd(epoch: number, logs: Logs): void {
    const loss = logs['valLoss'] ?? logs['loss']
    if (loss !== undefined) this.losses.push(loss)
    super.onEpochEnd(epoch, logs)
  }

  protected override rewrite(text: string): void {
    const line = this.withSparkline(text)
    const shown = line.padEnd(this.painted)
    this.painted = line.length
    this.out!.write(`\r${hasColours() ? coloured(shown) : shown}`)
  }

  /** The text with the sparkline, if it fits into the terminal's line. */
  private withSparkline(text: string): string {
    if (this.losses.length < 2 || isDumb()) return text
    const whole = `${text} ${barsOf(this.losses.slice(-MOST_EPOCHS))}`
    return whole.length < (nodeProcess()?.stdout?.columns ?? 80) ? whole : text
  }
}

function coloured(line: string): string {
  return line
    .replace(/━+/, (bar) => painted(bar, CYAN, true))
    .replace(/─+/, (rest) => painted(rest, GREY, true))
    .replace(/[▁▂▃▄▅▆▇█]+/, (bars) => painted(bars, YELLOW, true))
}

/** Makes fit use it. */
export function useTerminalProgress(): void {
  progress.make = () => new TerminalProgress()
}
