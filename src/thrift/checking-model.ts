// A model's methods that check their arguments themselves, for code that does not know the types of its data. Types only.

import type { EvaluateOptions } from '../training/options'
import type { Logs } from '../training/callbacks'

/** Any model is one. The types of gathered rows do not follow from the type of the model. */
export interface CheckingModel {
  compile(options: object): void
  evaluate(x: unknown, y: unknown, options?: EvaluateOptions): Promise<Logs>
  predictOnBatch(x: unknown): unknown
}
