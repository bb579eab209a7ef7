// Finds out properties of functions, such as those of users, by calling them with some numbers. Only for functions that declare nothing:
// activations declare their traits (op.ts), and classes of losses and metrics their formulas.

import type { Units } from './op'
import { Tensor } from './tensor'
import { untraced } from './trace'

type Tried = (x: Tensor) => Tensor

/** Different numbers of several magnitudes, not sorted. */
const TRIED = [0.3, -2.5, 40, -0.01, 1.7, -30, 6.2, 0]
/** The indices of some of them, in another order. */
const CHOSEN = [5, 0, 6, 3]

const row = (x: readonly number[]): Tensor => new Tensor(Float32Array.from(x), [1, x.length], 'float32')
const resultsOf = (f: Tried, x: readonly number[]): ArrayLike<number> => f(row(x)).data

/** How a function computes units, found by trials; `mixed` if it fails for these numbers. */
export function triedUnits(f: Tried): Units {
  try {
    return untraced(() => {
      // f computes each unit by itself if some units in another order have the same results as among all units.
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
    // The function may have a parameter for each unit.
    return 'mixed'
  }
}

/**
 * Whether two functions have the same results for some operands.
 * @param operands the operands of the trial
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

/** `areAlike` for two activations. */
export const areAlikeUnits = (f: Tried, g: Tried): boolean => areAlike(f, g, [row([...TRIED, 1e6, -1e6])])
