// Decoding of a sequence step by step: the keys and values that layers keep of earlier steps, and the index of the
// first step of a call. The state is ambient, like the context of a layer call, so that no layer passes it on. Tokens
// are chosen in generation/.

import { requireArguments } from '../../core/arguments'
import { scoped } from '../../core/scope'
import { add, less, lessEqual, logicalAnd, subtract } from '../../ops/numpy/elementwise'
import { arange, concatenate, reshape, zeros } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { apply } from '../../ops/trace'
import { Variable } from '../../ops/variable'
import { InsertBlock } from '../../primitives/indexing'
import { isInferring } from '../context'
import { both } from './masks'

const decoding = scoped<Decoding | null>(null)

/** The decoding that is running; null outside of one. */
export function currentDecoding(): Decoding | null {
  return isInferring() ? null : decoding.current
}

/**
 * The index of a call's first step within the whole sequence: 0, except in `generate`, which feeds a model step by
 * step. A custom layer that depends on positions calls it:
 *
 *   const places = ops.add(ops.arange(0, x.shape[1], 1, 'int32'), firstStep())
 *
 * @returns 0, or an int32 scalar
 */
export function firstStep(): Tensor | 0 {
  requireArguments('firstStep', arguments, 0)
  return currentDecoding()?.start ?? 0
}

/** Keys and values [batch, steps, heads, size], and a mask of their steps, [batch, steps]; null if all count. */
export interface Kept {
  readonly key: Tensor
  readonly value: Tensor
  readonly mask: Tensor | null
}

/** Memory for the keys and values of all attention layers of a model. */
export class Decoding {
  /** What the attention layers of one pass keep, in the order of their calls, which is the same in every pass. */
  private readonly kept: { readonly [Part in keyof Kept]: Variable | null }[] = []
  private calls = 0
  /** The number of steps so far. */
  private readonly position = new Variable([], { name: 'position', dtype: 'int32', trainable: false })
  start: Tensor | 0 = 0

  /** @param length the maximum number of steps */
  constructor(readonly length: number) {}

  /** Traces a pass over the next steps; the first pass starts a new sequence. */
  pass<Result>(isFirst: boolean, steps: number, body: () => Result): Result {
    this.calls = 0
    this.start = isFirst ? 0 : this.position.value
    const result = decoding.within(this, body)
    this.position.assign(add(this.start === 0 ? new Tensor(new Int32Array(1), [], 'int32') : this.start, steps))
    return result
  }

  /**
   * Stores the keys and values of this pass and returns all of the sequence: in the first pass only these, later all
   * `length` steps, with a mask of those that the pass may see.
   * @param reach how many steps a step sees, from itself backwards
   */
  extend(given: Kept, reach: number): Kept {
    const index = this.calls++
    if (this.start === 0) {
      const room = (x: Tensor | null): Variable | null =>
        x && new Variable([x.shape[0]!, this.length, ...x.shape.slice(2)], { dtype: x.dtype, trainable: false })
      const kept = (this.kept[index] ??= { key: room(given.key), value: room(given.value), mask: room(given.mask) })
      for (const part of ['key', 'value', 'mask'] as const) {
        const x = given[part]
        if (x !== null)
          kept[part]!.assign(
            this.length === x.shape[1]
              ? x
              : concatenate([x, zeros([x.shape[0]!, this.length - x.shape[1]!, ...x.shape.slice(2)], x.dtype)], 1),
          )
      }
      return given
    }
    const kept = this.kept[index]!
    const [steps, now] = [arange(0, this.length, 1, 'int32'), this.start]
    const written = (variable: Variable, x: Tensor): Tensor => {
      const value = apply('routine', [variable.value, x, now], { routine: new InsertBlock(1) })[0]!
      variable.assign(value)
      return value
    }
    const seen = both(lessEqual(steps, now), reach === Infinity ? null : less(subtract(now, steps), reach))!
    const mask =
      given.mask === null ? reshape(seen, [1, this.length]) : logicalAnd(written(kept.mask!, given.mask), seen)
    return { key: written(kept.key!, given.key), value: written(kept.value!, given.value), mask }
  }
}
