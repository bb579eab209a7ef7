// The statistics of a layer's units after an epoch. unit-health.ts computes them.

/** The statistics of the units of one layer in an epoch. Shares are parts of the units, 0 … 1. */
export interface LayerHealth {
  /** The layer; several if an Add joins their units. */
  readonly layer: string
  readonly units: number
  /** The share that never fired: |h| < 1e-6 in every observed row. */
  readonly dead: number
  /** The share that was near a limit of its activation in nine of ten rows; null if the activation has no limits. */
  readonly saturated: number | null
  /** The share with mean|h| ≤ τ · (its mean over the units); it includes dead units. */
  readonly dormant: number
  /** mean|h|, over units and rows. */
  readonly activity: number
  /** The standard deviation of mean|h| among the units. */
  readonly spread: number
  /**
   * The utility of a unit, mean|h| · Σ|w_out|: its mean over the units, and the standard deviation among them; null if no
   * layer uses the units.
   */
  readonly utility: number | null
  readonly utilitySpread: number | null
  /**
   * The number of largest singular values that make up 99 % of their sum, for the last rows of the epoch; null if none
   * are kept. It is at most `rankRows`, so from few rows it is a lower bound.
   */
  readonly rank: number | null
  /** The number of rows behind `rank`. With fewer than four for each unit, tables show it as `≥`. */
  readonly rankRows: number
  /** The norm of the incoming weights: its root mean square over the observed steps. */
  readonly weightNorm: number
  /** The same of their gradients; null if the weights are not trained. */
  readonly gradientNorm: number | null
  /** The same of their change in a step. */
  readonly updateNorm: number
  /** updateNorm / weightNorm */
  readonly updateRatio: number
}

/** The number of rows for each unit from which `rank` is no longer a lower bound. */
export const ENOUGH_ROWS = 4

/** The statistics of a model's units in one epoch. */
export interface HealthRecord {
  /** The number of the epoch, from 0. */
  readonly epoch: number
  readonly layers: readonly LayerHealth[]
}

declare global {
  interface MyelinReports {
    /** The statistics of units for each epoch: see UnitHealth. */
    readonly health: readonly HealthRecord[]
  }
}
