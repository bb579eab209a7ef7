// A model's methods that check their arguments themselves, for code that does not know the types of its data. Types only.

import type { Logs } from './callbacks'
import type { EvaluateOptions, PredictOptions } from './options'

/** Every model is one. The types of gathered rows, and of users' data that are not read yet, do not follow from its type. */
export interface CheckingModel<Out = unknown> {
  compile(options: object): void
  evaluate(x: unknown, y: unknown, options?: EvaluateOptions): Promise<Logs>
  predict(x: unknown, options?: PredictOptions): Promise<Out>
  predictOnBatch(x: unknown): Out
}
