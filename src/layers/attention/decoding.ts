// A sequence that is seen step by step: what layers keep of the steps before, and which step a call begins with. Ambient, as
// what is being called is: nothing has to be handed on. Chooses no tokens: see generation/.

import { add, less, lessEqual, logicalAnd, subtract } from '../../ops/elementwise'
import { arange, concatenate, reshape, zeros } from '../../ops/shape'
import { Tensor } from '../../ops/tensor'
import { apply } from '../../ops/trace'
import { Variable } from '../../ops/variable'
import { InsertBlock } from '../../primitives/indexing'
import { isProbing } from '../context'
import { both } from './masks'

let current: Decoding | null = null

/** The sequence that is being seen step by step; null outside of that. */
export function currentDecoding(): Decoding | null {
  return isProbing() ? null : current
}

function during<Result>(decoding: Decoding, body: () => Result): Result {
  const outer = current
  current = decoding
  try {
    return body()
  } finally {
    current = outer
  }
}

/**
 * The index of the first step of a call in the whole sequence: 0, but in `generate`, which shows a model one step after another.
 * A layer of your own that depends on where a step stands asks for it:
 *
 *   const places = ops.add(ops.arange(0, x.shape[1], 1, 'int32'), firstStep())
 *
 * @returns 0, or an int32 scalar
 */
export function firstStep(): Tensor | 0 {
  return currentDecoding()?.start ?? 0
}

/** Keys and values [batch, steps, heads, size], and which of their steps count, [batch, steps]; null for all. */
export interface Kept {
  readonly key: Tensor
  readonly value: Tensor
  readonly mask: Tensor | null
}

/** Room for the keys and values of every attention of a model. */
export class Decoding {
  /** What the attentions of one pass keep, in the order of their calls, which is the same in every pass. */
  private readonly kept: { readonly [Part in keyof Kept]: Variable | null }[] = []
  private calls = 0
  /** How many steps were seen. */
  private readonly position = new Variable([], { name: 'position', dtype: 'int32', trainable: false })
  start: Tensor | 0 = 0

  /** @param length the most steps */
  constructor(readonly length: number) {}

  /** Traces a pass over the next steps; a first one begins anew. */
  pass<Result>(isFirst: boolean, steps: number, body: () => Result): Result {
    this.calls = 0
    this.start = isFirst ? 0 : this.position.value
    const result = during(this, body)
    this.position.assign(add(this.start === 0 ? new Tensor(new Int32Array(1), [], 'int32') : this.start, steps))
    return result
  }

  /**
   * Keeps keys and values of this pass, and gives all so far: in a first pass those alone, later as many steps as there is room
   * for, with a mask of those that were seen.
   * @param reach how many steps back one sees, itself included
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
