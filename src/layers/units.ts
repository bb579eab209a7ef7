// The layers' declarations of their units, the channels along the last axis of an output: where units lie along the
// axes of weights, and how the units of the input become those of the output. models/unit-groups.ts walks a model's
// graph to find all weights of a unit; code that counts, resets, scales or removes units needs nothing else.

import { mixesUnits, type ActivationFunction } from '../parts/activations'
import type { Variable } from '../ops/variable'

/**
 * Where n units lie along an axis: unit j at j · width … (j + 1) · width − 1, repeated in every block, n · width
 * further on.
 */
export interface UnitSpan {
  /** The number of blocks, such as the gates of a recurrent kernel. Default 1. */
  readonly blocks?: number
  /** The number of adjacent elements of each unit, such as the query heads of a key head in attention. Default 1. */
  readonly width?: number
}

/** Units along an axis of a weight. */
export interface UnitAxis extends UnitSpan {
  readonly weight: Variable
  readonly axis: number
}

/** Units that a layer makes. */
export interface MadeUnits {
  readonly count: number
  /** The options with which the layer makes another number of them. */
  optionsFor(count: number): Readonly<Record<string, unknown>>
  /** The axes of a unit's incoming weights, including its bias. */
  readonly incoming: readonly UnitAxis[]
  /** The axes of weights with which the layer itself uses its units, such as a recurrent kernel. Default none. */
  readonly outgoing?: readonly UnitAxis[]
  /** How often the units occur side by side in the output: twice in a Bidirectional. Default 1. */
  readonly blocks?: number
  /** The last activation of each unit. Default: none, or none with a known limit. */
  readonly activation?: ActivationFunction
  /** Whether each unit depends on all others, so that no single unit can be removed. Default: whether `activation` mixes units, as softmax. */
  readonly mixed?: boolean
}

/** Whether each unit depends on all others. */
export function areMixed({ activation, mixed }: MadeUnits): boolean {
  return mixed ?? (activation !== undefined && mixesUnits(activation))
}

/** Units that a layer makes and uses only itself: the heads of an attention. */
export interface InnerUnits extends MadeUnits {
  /** The inner layer that uses them, and the axis of its input along which they lie, counted from the end: -2. */
  readonly user: UnitSpan & { readonly layer: object; readonly axis: number }
}

/** Every unit is made from all units of the input. */
export interface Made {
  readonly kind: 'makes'
  readonly units: MadeUnits
  /** The axes of weights along which the units of the input lie. */
  readonly from: readonly UnitAxis[]
  /** The axes of weights that a unit of the input has before that, such as a depthwise kernel. Default none. */
  readonly along?: readonly UnitAxis[]
}

export type UnitFlow =
  | Made
  /**
   * Every unit of the input becomes one unit; `along` are the axes of the weights that a unit has; `scales`: whether
   * f(c · x) = c · f(x) for every c > 0, outside of training. Default false.
   */
  | { readonly kind: 'keeps'; readonly along: readonly UnitAxis[]; readonly scales?: boolean }
  /** [batch, …places, units] → [batch, places · units]. The places begin at the axis `from`, by default 1. */
  | { readonly kind: 'flattens'; readonly from?: number }
  /**
   * The inputs have the same shape and are combined element by element; `scales`: whether a common factor of all inputs
   * is a factor of the result.
   */
  | { readonly kind: 'joins'; readonly scales: boolean }
  /** The inputs side by side along the last axis. */
  | { readonly kind: 'concatenates' }

/** A flow that keeps every unit, has no weights, and scales. */
export const KEEPS = { kind: 'keeps', along: [], scales: true } as const satisfies UnitFlow

/** The axes of the weights that are not null. */
export function unitAxes(axis: number, ...weights: readonly (Variable | null)[]): UnitAxis[] {
  return weights.flatMap((weight) =>
    weight === null ? [] : [{ weight, axis: axis < 0 ? axis + weight.shape.length : axis }],
  )
}

/**
 * Whether a weight is a kernel, which multiplies the input. The name decides, because the bias of GRU may have two
 * axes, and the slopes of PReLU as many as the input.
 */
export function isKernel({ name, shape }: Variable): boolean {
  return shape.length >= 2 && !/(?:bias|alpha|gamma|beta)$/i.test(name)
}
