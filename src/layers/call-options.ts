// The options of a layer call besides its input: who reads them, and what stands for them while shapes are inferred.

import { ArgumentError, knownName, unknownName } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { flatten, isBranch, mapTree, type Tree } from '../core/tree'
import { toTensor, type TensorLike } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import type { CallContext, CallExtras } from './context'
import { openExtent, type AssumedExtents } from './shape-inference'
import { TensorSpec, type BatchShape } from './spec'
import { originOf } from './symbol'

/** The options of `apply`. */
export interface ApplyOptions extends CallExtras {
  /** Default: that of the calling layer; false outside of all layers. */
  readonly training?: boolean | undefined
  /**
   * Which elements of the input count; null if all do. Default: the masks that the inputs carry. With `initialState`, Keras 3 ignores
   * the mask that a sequence carries; here it counts, as in Keras 2.
   */
  readonly mask?: Tree<Tensor | null> | undefined
  /** The initial states of a recurrent layer, as a list; a single state may be a tensor. */
  readonly initialState?: Tree<TensorLike> | null | undefined
}

/** Several inputs as separate arguments, and the options of the call after them. */
export type SeparateInputs = [
  first: TensorLike,
  second: TensorLike,
  ...others: (TensorLike | ApplyOptions | CallContext | null | undefined)[],
]

/** The options that only some layers accept. */
export type CallOption = Exclude<keyof ApplyOptions, 'training' | 'mask' | 'separate'>

const APPLY_OPTIONS: readonly string[] = Object.keys({
  training: true,
  mask: true,
  initialState: true,
  attentionMask: true,
  useCausalMask: true,
  returnAttentionScores: true,
  countWeights: true,
  separate: true,
  // `reverse` is missing, so that a page without a ReversibleEmbedding does not contain it.
} satisfies Record<Exclude<keyof ApplyOptions, 'reverse'>, true>)

/**
 * @throws ArgumentError for an option that the layer does not read: with a misspelt useCausalMask a step would see
 * later ones; and for a second input, or another value, in place of options
 */
export function readApplyOptions(
  layer: { toString(): string },
  options: ApplyOptions,
  taken: readonly CallOption[],
): ApplyOptions {
  if (typeof options !== 'object' || options === null || isTensor(options) || Array.isArray(options))
    throw new ArgumentError(
      `${layer.toString()}: pass several inputs as a list: apply([a, b]), and options as an object: { training: true }`,
    )
  const known: readonly string[] = ['training', 'mask', 'separate', ...taken]
  if (Object.keys(options).every((key) => known.includes(key))) return options
  return Object.fromEntries(
    Object.entries(options).map(([key, value]: [string, unknown]) => {
      const name = knownName(key, APPLY_OPTIONS)
      if (name === undefined) throw unknownName(`option of a call of ${layer.toString()}`, key, APPLY_OPTIONS)
      const isSaid = value !== undefined && value !== null && value !== false
      if (isSaid && !known.includes(name))
        throw new ArgumentError(
          `${layer.toString()}: takes no ${name}; its call accepts ${known.filter((each) => each !== 'separate').join(', ')}`,
        )
      return [name, value]
    }),
  )
}

/**
 * States as tensors. Plain arrays become tensors: each entry of a list without tensors is one state.
 * @throws DataError for an entry that cannot become a tensor
 */
export function statesFrom(states: unknown, where: string): Tree<Tensor> {
  const isShaped = isBranch(states) && 'data' in states && 'shape' in states
  if (!isBranch(states) || isShaped) return toTensor(states, where)
  const read = (each: unknown, step: string): Tree<Tensor> =>
    Array.isArray(each) && !flatten<unknown>(each).some(isTensor)
      ? toTensor(each, `${where}${step}`)
      : statesFrom(each, `${where}${step}`)
  if (Array.isArray(states)) return states.map((each, i) => read(each, `[${i}]`))
  return Object.fromEntries(Object.entries(states).map(([key, each]) => [key, read(each, `.${key}`)]))
}

function isTensor(leaf: unknown): boolean {
  return leaf instanceof Tensor || leaf instanceof Variable
}

/** The options that are tensors. */
export const TENSOR_OPTIONS = ['mask', 'initialState', 'attentionMask', 'countWeights'] as const

/** The inputs of one trace. */
interface AssumedTypes {
  /** The inputs, then the tensors among the options. */
  readonly types: readonly TensorType[]
  /** The options in which symbols of those types replace the tensors. */
  readonly said: (symbols: readonly Tensor[]) => ApplyOptions
}

/**
 * The types of inputs and options, with `extents` for open ones. A tensor with data stands for any batch size. An
 * extent that is open in an input but known in its mask, or the reverse, is known for both.
 */
export function assumedTypes(specs: Tree<TensorSpec>, extents: AssumedExtents, options: ApplyOptions): AssumedTypes {
  const open = (tensor: Tensor, isPairMask: boolean): TensorSpec => {
    const spec = originOf(tensor)?.spec
    if (spec !== undefined) return spec
    const hasBatch = isPairMask ? tensor.rank > 2 && tensor.shape[0]! > 1 : tensor.rank > 0
    return new TensorSpec([...(hasBatch ? [null] : tensor.shape.slice(0, 1)), ...tensor.shape.slice(1)], tensor.dtype)
  }
  const inputs = flatten(specs)
  const masks = options.mask == null ? [] : flatten(options.mask).map((mask) => mask && open(mask, false))
  const known = (own: BatchShape, other: BatchShape | undefined): Shape =>
    own.map((each, axis) => each ?? other?.[axis] ?? openExtent(axis, extents))
  const tensors = [
    ...new Set(
      TENSOR_OPTIONS.flatMap((name) => flatten<unknown>(options[name] ?? null)).filter(
        (leaf) => leaf instanceof Tensor,
      ),
    ),
  ]
  const more = tensors.map((tensor) => {
    const { shape, dtype } = open(tensor, tensor === options.attentionMask)
    const of = options.mask == null ? -1 : flatten<unknown>(options.mask).indexOf(tensor)
    return { shape: known(shape, inputs[of]?.shape), dtype }
  })
  return {
    types: [...inputs.map(({ shape, dtype }, i) => ({ shape: known(shape, masks[i]?.shape), dtype })), ...more],
    said: (symbols) => {
      const symbolOf = new Map(tensors.map((tensor, i) => [tensor, symbols[inputs.length + i]!]))
      const replaced = TENSOR_OPTIONS.filter((name) => options[name] != null).map((name) => {
        return [
          name,
          mapTree<unknown, unknown>(options[name], (leaf) => (leaf instanceof Tensor ? symbolOf.get(leaf) : leaf)),
        ]
      })
      return { ...options, ...Object.fromEntries(replaced) }
    },
  }
}
