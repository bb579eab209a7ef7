// Attention: a mean of values, weighted by the similarity of their keys to a query, for several heads.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { always, boolean, idle, nullable, number } from '../../core/options'
import { exactly } from '../../core/tuples'
import { AttentionKernel } from '../../engine/primitives/attention'
import { asTensor, type TensorLike } from '../convert'
import { needAttention } from '../families'
import { operand, operandOrNull } from '../kinds'
import { cast, equal } from '../numpy/elementwise'
import { expandDims, reshape, transpose } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

export interface AttentionOptions {
  /** Added to the scores; broadcasts to [batch, heads, query steps, key steps]. Default null. */
  readonly bias?: TensorLike | null
  /** Whether a query step may attend to a key step; broadcasts like `bias`. Default null: everywhere. */
  readonly mask?: TensorLike | null
  /** Multiplies query · key. Default null: 1 / √size. */
  readonly scale?: number | null
  /** Whether no step attends to keys of later steps. Default false. */
  readonly isCausal?: boolean
  /** Changes nothing: there is one implementation, which never stores the scores as a whole. Default null. */
  readonly flashAttention?: boolean | null
  /** Must be null: the kernel does not limit scores. Default null. */
  readonly attnLogitsSoftCap?: null
}

/** @internal */
export const flashAttentionKind = /* @__PURE__ */ (() =>
  idle(nullable(boolean), [null, false], 'there is one implementation, which never stores the scores as a whole'))()

export const dotProductAttention = op(
  () => [
    arg('query', operand),
    arg('key', operand),
    arg('value', operand),
    optional('bias', operandOrNull),
    optional('mask', operandOrNull),
    optional('scale', nullable(number())),
    optional('isCausal', boolean),
    optional('flashAttention', flashAttentionKind),
    optional('attnLogitsSoftCap', always([null], 'the kernel does not limit scores')),
  ],
  {
    /**
     * softmax(scale · query · keyᵀ + bias) · value for each head. Neighbouring heads of the query may share one head of key
     * and value. The scores are never stored as a whole, so memory grows linearly with the number of steps, except for the
     * gradient of a bias. A step that may attend to nothing gets the mean of all values.
     * @param query [batch, query steps, heads, size]
     * @param key [batch, key steps, heads or a divisor of them, size]
     * @param value [batch, key steps, heads of key, value size]
     * @param bias added to the scores. Default null
     * @param mask whether a query step may attend to a key step. Default null: everywhere
     * @param scale multiplies query · key. Default null: 1 / √size
     * @param isCausal whether no step attends to keys of later steps. Default false
     * @param flashAttention changes nothing: there is one implementation. Default null
     * @param attnLogitsSoftCap must be null: the kernel does not limit scores
     * @returns [batch, query steps, heads, value size]
     * @throws ShapeError when the shapes do not fit each other, or mask and bias do not fit them
     * @example ops.dotProductAttention(query, key, value, { isCausal: true })
     * Dao et al., "FlashAttention", 2022. Keras: `keras.ops.dot_product_attention`.
     */
    dotProductAttention(
      query,
      key,
      value,
      bias = null,
      mask = null,
      scale = null,
      isCausal = false,
      _flashAttention?,
      _attnLogitsSoftCap?,
    ): Tensor {
      const where = 'dotProductAttention'
      const [q, k, v] = exactly(
        [query, key, value].map((each) => cast(asTensor(each, where), 'float32')),
        3,
      )
      return attend(where, q, k, v, {
        scale: scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1),
        mask: mask === null ? null : cast(asTensor(mask, where), 'bool'),
        bias: bias === null ? null : cast(asTensor(bias, where), 'float32'),
        after: isCausal ? 0 : Infinity,
      }).result
    },
  },
)

const isDivisor = (divisor: number, of: number): boolean => of % divisor === 0

interface Attended {
  readonly scale: number
  readonly mask?: Tensor | null
  readonly bias?: Tensor | null
  /** How many steps back, and how many ahead, a query step attends to. Default Infinity. */
  readonly before?: number
  readonly after?: number
}

interface AttentionResult {
  /** [batch, query steps, heads, value size] */
  readonly result: Tensor
  /**
   * Whether a step may attend to nothing, so that its result is the mean of all values: [batch, query steps,
   * heads, 1].
   */
  isEmpty(): Tensor
}

/** @param where names the op or the layer in errors */
export function attend(
  where: string,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { scale, mask = null, bias = null, before = Infinity, after = Infinity }: Attended,
): AttentionResult {
  const { shape } = query
  const [batch, columns, keyHeads] = key.shape
  const isAlike =
    [query, key, value].every(({ rank }) => rank === 4) &&
    shape[0] === batch &&
    value.shape[0] === batch &&
    shape[3] === key.shape[3] &&
    value.shape[1] === columns &&
    value.shape[2] === keyHeads &&
    isDivisor(keyHeads!, shape[2]!)
  if (!isAlike) {
    throw new ShapeError(
      `${where}: expected query [batch, steps, heads, size], and key and value [batch, other steps, heads or a divisor of them, size], received ${[query, key, value].map((each) => formatShape(each.shape)).join(', ')}`,
    )
  }
  const scores = [shape[0]!, shape[2]!, shape[1]!, columns!]
  const others = [
    [mask, 'mask'],
    [bias, 'bias'],
  ] as const
  const inputs = others.flatMap(([term, what]) => {
    if (term === null) return []
    const extents = [...new Array<number>(Math.max(0, 4 - term.rank)).fill(1), ...term.shape]
    if (extents.length === 4 && extents.every((extent, i) => extent === 1 || extent === scores[i]))
      return [reshape(term, extents)]
    throw new ShapeError(
      `${where}: the ${what} must broadcast to [batch, heads, query steps, key steps], here ${formatShape(scores)}, received ${formatShape(term.shape)}`,
    )
  })
  if (!Number.isFinite(scale)) throw new ArgumentError(`${where}: scale must be a finite number, received ${scale}`)
  needAttention()
  const [result, logSum] = apply('routine', [query, key, value, ...inputs], {
    routine: new AttentionKernel({ scale, before, after, hasMask: mask !== null, hasBias: bias !== null }),
  })
  return { result: result!, isEmpty: () => expandDims(transpose(equal(logSum!, Infinity), [0, 2, 1]), -1) }
}
