// What a step is given and gives: the rows of a batch, the results of a forward pass, the logs. Types only.

import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

/** The rows of one step, as symbols. */
export interface Batch<In = Tree<Tensor>, Out = Tree<Tensor | null>> {
  /** The inputs, as the model's are. */
  readonly x: In
  /** Targets as the model's outputs are; null where none were given. */
  readonly y: Out
  /** One weight per sample for each output; null where all weigh 1. */
  readonly sampleWeight: Tree<Tensor | null>
}

export interface ForwardOptions {
  /** Whether dropout and its like are active. Default true. */
  training?: boolean
}

/** What the forward pass gives. */
export interface ForwardResult<Out = Tree<Tensor>> {
  /** What the model gave. */
  readonly outputs: Out
  /** The scalar to minimise: the weighted losses of all outputs, penalties of weights, and what layers added. */
  readonly loss: Tensor
  /** The loss of each output that has one, not weighted. */
  readonly losses: readonly Tensor[]
  /** What layers reported with addMetric. */
  readonly reports: readonly { readonly name: string; readonly value: Tensor }[]
}

/** What a step is for: it trains, or it tests as evaluate does. */
export type StepKind = 'train' | 'test'

/** Scalars by name, as a step of one's own returns them. */
export type StepLogs = Readonly<Record<string, Tensor>>
