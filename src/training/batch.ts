// The inputs and results of a step: the rows of a batch, the results of a forward pass, the logs. Types only.

import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

/** The rows of one step, as symbols. */
export interface Batch<In = Tree<Tensor>, Out = Tree<Tensor | null>> {
  /** The inputs, in the structure of the model's inputs. */
  readonly x: In
  /** Targets in the structure of the model's outputs; null if there are none. */
  readonly y: Out
  /** One weight per sample for each output; null if all weigh 1. */
  readonly sampleWeight: Tree<Tensor | null>
}

export interface ForwardOptions {
  /** Whether dropout and similar layers are active. Default true. */
  training?: boolean
}

/** The results of the forward pass. */
export interface ForwardResult<Out = Tree<Tensor>> {
  /** The outputs of the model. */
  readonly outputs: Out
  /** The scalar to minimise: the weighted losses of all outputs, penalties on weights, and losses that layers added. */
  readonly loss: Tensor
  /** The unweighted loss of each output that has one. */
  readonly losses: readonly Tensor[]
  /** The values that layers reported with addMetric. */
  readonly reports: readonly { readonly name: string; readonly value: Tensor }[]
}

/** The kind of a step: it trains, or it tests as in evaluate. */
export type StepKind = 'train' | 'test'

/** Scalars by name, returned by a custom step. */
export type StepLogs = Readonly<Record<string, Tensor>>
