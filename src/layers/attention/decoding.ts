// The index of a call's first step, for layers that depend on positions.

import { requireArguments } from '../../core/arguments'

/**
 * The index of a call's first step within the whole sequence: 0, because a model is called on whole sequences. Also `generate`
 * derives single steps from the call on a whole sequence, so layers need not ask for it:
 *
 *   const places = ops.add(ops.arange(0, x.shape[1], 1, 'int32'), firstStep())   the same as without it
 *
 * @returns 0
 */
export function firstStep(): 0 {
  requireArguments('firstStep', arguments, 0)
  return 0
}
