// Parameters that many ops of this folder have.

import { boolean, nullable } from '../../core/options'
import { anyNumber, axes, axis, dtype, operand } from '../kinds'
import { arg, optional } from '../op'

/** The parameters of an op that reduces axes. */
export const reduction = () => [arg('x', operand), optional('axis', axes), optional('keepDims', boolean)] as const

/** The parameters of an op that reduces axes, with an additional element. */
export const reductionFrom = () => [...reduction(), optional('initial', nullable(anyNumber))] as const

/** The parameters of an op that reduces one axis, or all elements in row-major order. */
export const reductionOfOne = () =>
  [arg('x', operand), optional('axis', nullable(axis)), optional('keepDims', boolean)] as const

/** The parameters of an op that accumulates along one axis, or over all elements in row-major order. */
export const runningOfOne = () =>
  [arg('x', operand), optional('axis', nullable(axis)), optional('dtype', nullable(dtype))] as const
