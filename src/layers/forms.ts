// Properties that many layers share, as values: the inputs that they accept, and the shape and dtype of the output.

import type { DType } from '../core/dtypes'
import { ShapeError } from '../core/errors'
import { isBranch, type Tree } from '../core/tree'

/** A class declares it as its trait `form`; methods of the class take precedence. */
export interface LayerForm {
  /** Whether the input is one tensor: a list or a record is refused. Default false. */
  readonly takesOne?: boolean
  /** Whether `call` takes several inputs as a list, also if `apply` gets them as separate arguments. Default false. */
  readonly takesList?: boolean
  /** Whether masks of the input are passed on. Default false. */
  readonly masks?: boolean
  /** Whether the output has the shape of the input. Default false: found by tracing. */
  readonly keepsShape?: boolean
  /** The dtype of the output. Default float32. */
  readonly dtype?: (inputs: readonly DType[]) => DType
  /** Why files of other programs cannot have the layer. */
  readonly onlyHere?: string
}

/** Several inputs are a list for `call`. */
export const LISTED: LayerForm = { takesList: true }

/** One tensor → one tensor or several. */
export const TENSOR: LayerForm = { takesOne: true }

function ofInput([dtype]: readonly DType[]): DType {
  return dtype ?? 'float32'
}

/** [batch, …] → [batch, …] in float32. Each class declares whether it keeps units: a softmax has the input's shape, too. */
export const ELEMENTWISE: LayerForm = { takesOne: true, masks: true, keepsShape: true }

/** The same in the input's dtype. */
export const PASSING: LayerForm = { takesOne: true, masks: true, keepsShape: true, dtype: ofInput }

/** The elements of the input, in another shape or order. */
export const REARRANGING: LayerForm = { takesOne: true, dtype: ofInput }

/** @throws ShapeError for a list or a record */
export function requireOne(layer: { toString(): string }, input: Tree<unknown>): void {
  if (!isBranch(input)) return
  const received = Array.isArray(input) ? `a list of ${input.length}` : `a record of ${Object.keys(input).join(', ')}`
  throw new ShapeError(
    `${layer.toString()}: the input must be one tensor, received ${received}. A recurrent layer with returnState gives a list: its output and its states.`,
  )
}
