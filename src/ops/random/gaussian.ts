// Normal numbers from uniform ones. Does not draw: see random.ts.

import { add, erfinv, multiply } from '../numpy/elementwise'
import type { Tensor } from '../tensor'

/** stddev · √2 erf⁻¹(2u − 1) for u uniform in [0, 1): normal with mean 0. */
export function gaussian(u: Tensor, stddev: number): Tensor {
  // The numbers are multiples of 2⁻²³; adding half a step keeps 2u − 1 away from −1.
  return multiply(erfinv(add(multiply(u, 2), 2 ** -23 - 1)), stddev * Math.SQRT2)
}
