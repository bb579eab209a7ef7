// Parses and checks data like predict and evaluate, for functions that are not methods of the model.

import { parseInputs, parseSamples, type Inputs } from '../data/samples/parse'
import type { Samples } from '../data/samples/samples'
import type { StepKind } from './batch'
import { Prepared } from './prepared'
import type { TrainingState } from './state'

/** Inputs as predict reads them; builds the model for them. Strings stay strings. */
export function readRows(state: TrainingState, x: unknown): Inputs {
  const inputs = parseInputs(state.layouts.x, x, 'x')
  if (!state.model.built) state.buildFor(inputs, 'predict')
  state.renewPrograms()
  state.model.checkInput(inputs.inputs)
  state.model.checkData(inputs.inputs)
  return inputs
}

/** Like `readRows`, with strings replaced by the numbers of their readers. */
export function readInputs(state: TrainingState, x: unknown): Inputs {
  return state.strings.read(readRows(state, x))
}

/** Inputs and targets for a kind of step; builds the model for them. @throws StateError before compile */
export function readSamples(
  state: TrainingState,
  kind: StepKind,
  method: string,
  x: unknown,
  y: unknown,
): { readonly prepared: Prepared; readonly samples: Samples } {
  const prepared = new Prepared(state, kind, method)
  return { prepared, samples: prepared.accept(parseSamples(prepared, { x, y })) }
}
