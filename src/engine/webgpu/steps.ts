// A program as dispatches and loops of dispatches. A loop has the dispatches of one turn; their records differ from turn to turn.

import type { LoopIdentity, Turns } from '../plan/memory'
import type { Word } from '../ir/instruction'
import { Emitter, type Dispatch } from './dispatch'

/** A dispatch with the name of its origin. */
export interface LabelledDispatch extends Dispatch {
  readonly label: string
}

/** Steps that run `length` times. */
export interface LoopStep {
  readonly loop: LoopIdentity
  readonly length: number
  readonly body: readonly Step[]
}

export type Step = LabelledDispatch | LoopStep

/** Appends what is emitted. */
export function emitterTo(steps: Step[], label: string, unless: Word | null): Emitter {
  return new Emitter(unless, (dispatch) => void steps.push({ ...dispatch, label }))
}

/** Visits the dispatches of a run in their order, with the turns of the loops around each. */
export function forEachDispatch(
  steps: readonly Step[],
  visit: (dispatch: LabelledDispatch, turns: Turns) => void,
  turns = new Map<LoopIdentity, number>(),
): void {
  for (const step of steps) {
    if ('loop' in step) {
      const { loop, length, body } = step
      for (let turn = 0; turn < length; turn++) forEachDispatch(body, visit, turns.set(loop, turn))
      turns.delete(loop)
    } else visit(step, turns)
  }
}
