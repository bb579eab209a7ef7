// A block along one axis, for ops that cut an operand into parts. Checks nothing: what users call is in shape.ts.

import type { Tensor } from './tensor'
import { apply } from './trace'

/** Elements start … start + size − 1 of one axis, all of the others. */
export function sliceAlong(x: Tensor, axis: number, start: number, size: number): Tensor {
  const starts = x.shape.map((_, i) => (i === axis ? start : 0))
  return apply('slice', [x], { starts, sizes: x.shape.map((extent, i) => (i === axis ? size : extent)) })[0]!
}
