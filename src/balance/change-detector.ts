// ChangeDetector: decides from the loss of training whether the data changed. What follows from it is in homeostat.ts.

/** The loss in some consecutive steps. */
export interface LossWindow {
  readonly mean: number
  readonly variance: number
  readonly steps: number
}

/** The loss before and after a change. */
export interface Change {
  readonly before: number
  readonly after: number
}

/** What a detector has seen, as plain numbers. */
export interface DetectorState {
  /** The mean loss of the first window, l₀; null before it. */
  readonly start: number | null
  /** The windows since the last change, with running means: m of the loss, s² of the squared standard error. */
  readonly windows: number
  readonly mean: number
  readonly error: number
  /** Whether the last window was too high. */
  readonly wasHigh: boolean
}

/** The number of windows that a judgement needs. */
const ENOUGH = 6
/** The weight of the newest window in the running means. */
const SHARE = 0.2
/** A window is too high if it is more than this many standard errors above the mean, */
const ERRORS = 4
/** and has lost more than this share of what training has gained; the next one, more than that. */
const [LOST_SHARE, STILL_LOST_SHARE] = [0.1, 0.05]

/**
 * Receives the loss, window by window. The data changed if a window and the next one are above
 *
 *     m + max(4 s, (l₀ − m) / 10)   and   m + max(4 s, (l₀ − m) / 20)
 *
 * where m and s are running means of the loss and of its standard error, and l₀ is the loss of the first window: it is
 * more than chance, and more than a tenth of what training has gained. One high window is an outlier.
 */
export class ChangeDetector {
  private state: DetectorState = { start: null, windows: 0, mean: 0, error: 0, wasHigh: false }

  /** The change that a window shows; null for none. */
  see({ mean: loss, variance, steps }: LossWindow): Change | null {
    const { start, windows, mean, error, wasHigh } = this.state
    const begin = { start: start ?? loss, windows: 1, mean: loss, error: variance / steps, wasHigh: false }
    if (windows === 0) {
      this.state = begin
      return null
    }
    const share = wasHigh ? STILL_LOST_SHARE : LOST_SHARE
    const isHigh = windows >= ENOUGH && loss > mean + Math.max(ERRORS * Math.sqrt(error), share * (start! - mean))
    if (isHigh) {
      this.state = wasHigh ? begin : { ...this.state, wasHigh: true }
      return wasHigh ? { before: mean, after: loss } : null
    }
    const newest = Math.max(SHARE, 1 / (windows + 1))
    this.state = {
      start,
      windows: windows + 1,
      mean: mean + newest * (loss - mean),
      error: error + newest * (variance / steps - error),
      wasHigh: false,
    }
    return null
  }

  getState(): DetectorState {
    return this.state
  }

  setState(state: DetectorState): void {
    this.state = state
  }
}
