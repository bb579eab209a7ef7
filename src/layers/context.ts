// What a call of a layer knows besides its input, and which layers are being called. The context is ambient: a layer that
// is called inside another one inherits training and adds to the same losses, without anything being handed on.

import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'

/** What the layers of one run report. */
interface Reports {
  readonly losses: Tensor[]
  /** The layer that added each loss. */
  readonly from: unknown[]
  readonly metrics: { readonly name: string; readonly value: Tensor }[]
}

/** What a call of an attention layer may be told. */
export interface AttentionCall {
  /** Which steps of the query may look at which of the value, [batch, query, value] or what broadcasts to it. Default: all. */
  readonly attentionMask?: Tensor | null | undefined
  /** Whether no step sees what comes after it. Default false. */
  readonly useCausalMask?: boolean | undefined
  /** Whether the scores are given as well: [output, scores]. Default false. */
  readonly returnAttentionScores?: boolean | undefined
}

/** What else a call may be told, for the layers that take it. */
export interface SaidToCall extends AttentionCall {
  /** How much each element of the input counts, for CategoryEncoding that counts. */
  readonly countWeights?: Tensor | null | undefined
}

/** What a call knows besides its input. */
export class CallContext {
  private readonly reports: Reports

  constructor(
    /** Whether dropout and its like are active. */
    readonly training: boolean,
    /** The mask of the input: true where an element counts; null where all do. A tree for a tree of inputs. */
    readonly mask: Tree<Tensor | null> = null,
    /** The first state of a recurrent layer, when the caller gave one. */
    readonly initialState: Tree<Tensor> | null = null,
    outer?: CallContext,
    /** What the layer was told besides. */
    readonly said: SaidToCall = {},
  ) {
    this.reports = outer?.reports ?? { losses: [], from: [], metrics: [] }
  }

  /** What an attention layer was told. */
  get attention(): AttentionCall {
    return this.said
  }

  /** Adds a scalar to the loss of this step. */
  addLoss(penalty: Tensor): void {
    this.reports.losses.push(penalty)
    this.reports.from.push(current?.layer ?? null)
  }

  /** Reports the mean of a value under a name, in logs and history. */
  addMetric(name: string, value: Tensor): void {
    this.reports.metrics.push({ name, value })
  }

  /** Everything that layers added. */
  get losses(): readonly Tensor[] {
    return this.reports.losses
  }

  /** The layers that added them, in the same order. */
  get lossOrigins(): readonly unknown[] {
    return this.reports.from
  }

  /** Everything that layers reported. */
  get metrics(): readonly { readonly name: string; readonly value: Tensor }[] {
    return this.reports.metrics
  }
}

/** A layer that is being called, and the one that called it. */
interface Frame<Layer> {
  readonly layer: Layer | null
  readonly context: CallContext
}

let current: Frame<unknown> | null = null
let path: readonly string[] = []
let probing = false

/** The innermost call; null outside of all. */
export function currentFrame(): Frame<unknown> | null {
  return current
}

/** Runs `body` as the call of a layer; null for the start of a run. */
export function withFrame<Result>(layer: unknown, context: CallContext, body: () => Result): Result {
  const outer = current
  current = { layer, context }
  try {
    return body()
  } finally {
    current = outer
  }
}

/** Runs `body` as if no layer was being called. */
export function withoutFrame<Result>(body: () => Result): Result {
  const outer = current
  current = null
  try {
    return body()
  } finally {
    current = outer
  }
}

/** Sees what a call of a layer gives, and says what it is to give instead. */
export type Tap = (layer: unknown, input: Tree<unknown>, output: Tree<Tensor>) => Tree<Tensor>

let tap: Tap | null = null

/** Runs `body` with every call of a layer seen by `own`, those within other layers first. */
export function withTap<Result>(own: Tap, body: () => Result): Result {
  const outer = tap
  tap = own
  try {
    return body()
  } finally {
    tap = outer
  }
}

/** What a layer gives, after whoever looks at its calls; not where only shapes or costs are asked for. */
export const tapped: Tap = (layer, input, output) => (tap === null || probing ? output : tap(layer, input, output))

/** Runs `body` to find out shapes or costs only: what it computes is thrown away. */
export function whileProbing<Result>(body: () => Result): Result {
  const outer = probing
  probing = true
  try {
    return withoutFrame(body)
  } finally {
    probing = outer
  }
}

/** Whether only shapes or costs are asked for. */
export function isProbing(): boolean {
  return probing
}

/** Runs `body` one level deeper in the path by which weights are named. */
export function withinPath<Result>(name: string, body: () => Result): Result {
  const outer = path
  path = [...outer, name]
  try {
    return body()
  } finally {
    path = outer
  }
}

/** The names of the layers that are being built or called, from the outside in. */
export function currentPath(): readonly string[] {
  return path
}
