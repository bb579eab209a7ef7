// What a layer call knows besides its input, and which layers are being called. The context is ambient: an inner layer
// inherits training and adds to the same losses without any argument.

import { scoped } from '../core/scope'
import type { Tree } from '../core/tree'
import type { Tensor } from '../ops/tensor'
import { place, valueOf } from '../ops/variable'

/** The losses and metrics that the layers report in one run. */
interface Reports {
  readonly losses: Tensor[]
  /** The layer that added each loss. */
  readonly from: (object | null)[]
  readonly metrics: { readonly name: string; readonly value: Tensor }[]
}

/** The options of a call of an attention layer. */
export interface AttentionCall {
  /**
   * Which steps of the query may attend to which of the value, [batch, query, value] or a shape that broadcasts to it.
   * Default: all.
   */
  readonly attentionMask?: Tensor | null | undefined
  /** Whether no step sees later steps. Default false. */
  readonly useCausalMask?: boolean | undefined
  /** Whether the attention weights are returned as well: [output, scores]. Default false. */
  readonly returnAttentionScores?: boolean | undefined
}

/** All further options of a call, for the layers that accept them. */
export interface CallExtras extends AttentionCall {
  /** The weight of each element of the input, for a CategoryEncoding that counts. */
  readonly countWeights?: Tensor | null | undefined
  /** Whether a ReversibleEmbedding maps vectors to scores. Default false. */
  readonly reverse?: boolean | undefined
  /** Whether the inputs were separate arguments, as `apply` records it. @internal */
  readonly separate?: boolean | undefined
}

/** What a layer call knows besides its input. */
export class CallContext {
  private readonly reports: Reports

  constructor(
    /** Whether dropout and similar layers are active. */
    readonly training: boolean,
    /** The mask of the input: true where an element counts; null if all count. A tree for a tree of inputs. */
    readonly mask: Tree<Tensor | null> = null,
    /** The initial state of a recurrent layer, if the caller gave one. */
    readonly initialState: Tree<Tensor> | null = null,
    outer?: CallContext,
    /** The further options of the call. */
    readonly extras: CallExtras = {},
  ) {
    this.reports = outer?.reports ?? { losses: [], from: [], metrics: [] }
  }

  /** The options of an attention layer. */
  get attention(): AttentionCall {
    return this.extras
  }

  /** Adds a scalar to the loss of this step. */
  addLoss(penalty: Tensor): void {
    this.reports.losses.push(valueOf(penalty))
    this.reports.from.push(calls.current.frame?.layer ?? null)
  }

  /** Reports the mean of a value under a name, in logs and the history. */
  addMetric(name: string, value: Tensor): void {
    this.reports.metrics.push({ name, value: valueOf(value) })
  }

  /** All losses that layers added. */
  get losses(): readonly Tensor[] {
    return this.reports.losses
  }

  /** The layers that added the losses, in the same order. */
  get lossOrigins(): readonly (object | null)[] {
    return this.reports.from
  }

  /** All metrics that layers reported. */
  get metrics(): readonly { readonly name: string; readonly value: Tensor }[] {
    return this.reports.metrics
  }
}

/** A layer call in progress, and the one around it. */
interface Frame {
  readonly layer: object | null
  readonly context: CallContext
}

/** What holds while layers are called. */
interface Calls {
  readonly frame: Frame | null
  readonly tap: Tap | null
  /** Whether only shapes or costs are inferred. */
  readonly isInferring: boolean
  /** The steps of the sequences of which calls have a part; 0 if they have all steps. */
  readonly sequenceLength: number
}

const calls = scoped<Calls>({ frame: null, tap: null, isInferring: false, sequenceLength: 0 })

function within<Result>(changed: Partial<Calls>, body: () => Result): Result {
  return calls.within({ ...calls.current, ...changed }, body)
}

/** The innermost layer call; null outside of all calls. */
export function currentFrame(): Frame | null {
  return calls.current.frame
}

/** Runs `body` as a call of `layer`; null starts a run. */
export function withFrame<Result>(layer: object | null, context: CallContext, body: () => Result): Result {
  return within({ frame: { layer, context } }, body)
}

/** Runs `body` as if no layer call were in progress. */
export function withoutFrame<Result>(body: () => Result): Result {
  return within({ frame: null }, body)
}

/** Sees the output of a layer call, and returns what replaces it. */
export type Tap = (layer: unknown, input: Tree<unknown>, output: Tree<Tensor>) => Tree<Tensor>

/** Runs `body` while `tap` sees every layer call, inner layers first. */
export function withTap<Result>(tap: Tap, body: () => Result): Result {
  return within({ tap }, body)
}

/** The output of a layer call after the taps; unchanged while only shapes or costs are inferred. */
export const tapped: Tap = (layer, input, output) => {
  const { tap, isInferring } = calls.current
  return tap === null || isInferring ? output : tap(layer, input, output)
}

/** Runs `body` only to infer shapes or costs: its results are discarded. */
export function whileInferring<Result>(body: () => Result): Result {
  return within({ frame: null, isInferring: true }, body)
}

/** Whether only shapes or costs are being inferred. */
export function isInferring(): boolean {
  return calls.current.isInferring
}

/** Runs `body`, whose calls have a part of sequences of this length, such as the first steps of a text that grows. */
export function withinSequence<Result>(length: number, body: () => Result): Result {
  return within({ sequenceLength: length }, body)
}

/** The steps of whole sequences. @param steps those that a call has */
export function sequenceLength(steps: number): number {
  return Math.max(steps, calls.current.sequenceLength)
}

/**
 * Runs `body` one level deeper in the paths of layers and weights.
 * @param isNamed whether the names of weights have the level, too: they begin below the outermost model
 */
export function withinPath<Result>(name: string, body: () => Result, isNamed = true): Result {
  const { path, names } = place.current
  return place.within({ path: [...path, name], names: isNamed ? [...names, name] : names }, body)
}

/** The names of the layers that are being built or called, from the outside in; without that of the outermost model. */
export function currentPath(): readonly string[] {
  return place.current.names
}
