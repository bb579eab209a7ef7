// ChangeDetector: decides from the training loss whether the data changed. It changes nothing itself: homeostat.ts acts on it.

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

/** The number of windows before the first decision. */
const ENOUGH = 6
/** The weight of the newest window in the running means. */
const SHARE = 0.2
/** The number of standard errors by which a high window exceeds the mean. */
const ERRORS = 4
/** The share of the fall of the loss, l₀ − m, by which a high window exceeds the mean: the first one, and the next one. */
const [LOST_SHARE, STILL_LOST_SHARE] = [0.1, 0.05]

/**
 * Receives the loss, window by window. The data changed if a window and the next one are above
 *
 *     m + max(4 s, (l₀ − m) / 10)   and   m + max(4 s, (l₀ − m) / 20)
 *
 * where m and s are running means of the loss and of its standard error, and l₀ is the loss of the first window. Such a
 * rise is larger than chance explains, and undoes more than a tenth of the progress. One high window is an outlier.
 */
export class ChangeDetector {
  private state: DetectorState = { start: null, windows: 0, mean: 0, error: 0, wasHigh: false }

  /** Adds a window. @returns the change that it completes; null without a change */
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
