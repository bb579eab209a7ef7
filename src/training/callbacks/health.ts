// What is known of the units of a layer after an epoch. Who finds it out is in balance/unit-health.ts.

/** How the units of one layer did in an epoch. Shares are parts of the units, 0 … 1. */
export interface LayerHealth {
  /** The layer; several where Add joins their units. */
  readonly layer: string
  readonly units: number
  /** The share that never fired: |h| < 1e-6 in every row that was seen. */
  readonly dead: number
  /** The share that was near a limit of its activation in nine rows of ten; null where the activation has no limits. */
  readonly saturated: number | null
  /** The share of mean|h| ≤ τ · (its mean over the units): dead units are among them. */
  readonly dormant: number
  /** mean|h|, over units and rows. */
  readonly activity: number
  /** The standard deviation of mean|h| among the units. */
  readonly spread: number
  /** How many of the largest singular values make up 99 % of their sum, of a sample of rows; null where none is kept. */
  readonly rank: number | null
  /** The root mean square, over the steps seen, of the norms: of the weights of the units' inputs, */
  readonly weightNorm: number
  /** of their gradients (null where there are none), */
  readonly gradientNorm: number | null
  /** and of what a step changed. */
  readonly updateNorm: number
  /** updateNorm / weightNorm */
  readonly updateRatio: number
}

/** How the units of a model did in one epoch. */
export interface HealthRecord {
  /** The number of the epoch, from 0. */
  readonly epoch: number
  readonly layers: readonly LayerHealth[]
}
