// What callbacks that watch a log have in common: its name, and whether it should rise.

import { camelKey } from '../../core/errors'
import { choice, custom, text } from '../../core/options'
import { isScore } from '../../metrics/direction'

/** The name of a log in either spelling: 'val_loss' is 'valLoss'. */
export const logName = custom<string>((value, where) => camelKey(text.read(value, where)), (value) => value)

/** Whether a log should rise or fall; 'auto': what its name says. */
export const mode = choice('auto', 'min', 'max')

/** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. */
export function shouldRise(monitor: string, how: 'auto' | 'min' | 'max'): boolean {
  return how === 'max' || (how === 'auto' && isScore(monitor) === true)
}
