// Functions of Keras 2 that Keras 3 changed.

import { add, clip, multiply } from '../ops/numpy/elementwise'
import type { Tensor } from '../ops/tensor'

/** The name under which configurations have the function; a minifier may change that of the function itself. */
export const FORMER_HARD_SIGMOID = 'formerHardSigmoid'

/**
 * min(max(0.2 x + 0.5, 0), 1): `hard_sigmoid` of Keras 2, which models in its files use. Keras 3 has relu6(x + 3) / 6 under that name. A
 * model with it is loaded from a file of this library with `customObjects: { formerHardSigmoid }`.
 */
export function formerHardSigmoid(x: Tensor): Tensor {
  return clip(add(multiply(x, 0.2), 0.5), 0, 1)
}
