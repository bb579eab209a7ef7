// What a function does that declares nothing, such as a user's: found by trying it on some numbers. Activations declare their traits
// (op.ts), and classes of losses and metrics their formulas.

import type { Units } from './op'
import { Tensor } from './tensor'
import { untraced } from './trace'

type Tried = (x: Tensor) => Tensor

/** Numbers of several sizes, all different, with their neighbours in no order. */
const TRIED = [0.3, -2.5, 40, -0.01, 1.7, -30, 6.2, 0]
/** Some of them, in another order. */
const CHOSEN = [5, 0, 6, 3]

const row = (x: readonly number[]): Tensor => new Tensor(Float32Array.from(x), [1, x.length], 'float32')
const resultsOf = (f: Tried, x: readonly number[]): ArrayLike<number> => f(row(x)).data

/** What trials show of a function: `mixed` also for one that does not take these numbers. */
export function triedUnits(f: Tried): Units {
  try {
    return untraced(() => {
      // Whether f gives for some units in any order what it gives for them among all.
      const all = resultsOf(f, TRIED)
      const some = resultsOf(
        f,
        CHOSEN.map((i) => TRIED[i]!),
      )
      const isApart =
        some.length === CHOSEN.length &&
        CHOSEN.every((i, j) => Object.is(some[j], all[i]) || Math.abs(some[j]! - all[i]!) <= 1e-6 * Math.abs(all[i]!))
      if (!isApart) return 'mixed'
      // A power of 2 changes no digits.
      const quarter = resultsOf(
        f,
        TRIED.map((x) => x / 4),
      )
      return TRIED.every((_, i) => quarter[i] === 0.25 * all[i]!) ? 'scaled' : 'apart'
    })
  } catch {
    // Such as one with a parameter for each unit.
    return 'mixed'
  }
}

/**
 * Whether a function gives for some numbers what another gives.
 * @param operands those on which they are tried. Default: one row
 */
export function areAlike<Operands extends readonly Tensor[]>(
  f: (...operands: Operands) => Tensor,
  g: (...operands: Operands) => Tensor,
  operands: NoInfer<Operands>,
): boolean {
  try {
    return untraced(() => String(f(...operands).data) === String(g(...operands).data))
  } catch {
    return false
  }
}

/** Whether two activations are alike. */
export const areAlikeUnits = (f: Tried, g: Tried): boolean => areAlike(f, g, [row([...TRIED, 1e6, -1e6])])
