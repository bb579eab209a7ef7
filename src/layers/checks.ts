// What layers say about inputs that do not fit.

import { ShapeError, formatShape } from '../core/errors'
import type { BatchShape } from './spec'

/**
 * @param layer names itself in the error
 * @param form the axes that there must be, such as ['batch', 'steps', 'features']
 * @throws ShapeError when the input has more or fewer
 */
export function requireRank(layer: { toString(): string }, inputShape: BatchShape, form: readonly string[]): void {
  if (inputShape.length === form.length) return
  throw new ShapeError(`${layer.toString()}: the input must be [${form.join(', ')}], received ${formatShape(inputShape)}.${hintOf(form, inputShape)}`)
}

function hintOf(form: readonly string[], inputShape: BatchShape): string {
  if (form.length === 2 && inputShape.length > 2) return ' Did you forget Flatten?'
  if (form[1] === 'steps' && inputShape.length === 2) return ' A recurrent layer in front of it gives every step with returnSequences: true.'
  return ''
}
