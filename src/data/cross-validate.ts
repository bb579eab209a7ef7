// Cross-validation: trains and evaluates a model for each fold. data/samples/splits.ts makes the folds.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { labelsOf, takeRows, type Labels, type RowsByName } from './samples/rows'
import { kFold, sameCount, type FoldOptions } from './samples/splits'
import type { Logs } from '../training/callbacks/callback'
import type { FitOptions } from '../training/options'

/** A model as `crossValidate` uses it. */
export interface ValidatedModel {
  fit(x: unknown, y: unknown, options?: FitOptions): Promise<unknown>
  evaluate(x: unknown, y: unknown, options?: { verbose?: 0 }): Promise<Logs>
  dispose(): void
}

export interface CrossValidateOptions extends Omit<FoldOptions, 'stratify'> {
  /** A label for each row, or true to use y. Default: none. */
  stratify?: Labels | boolean | null | undefined
  /** The options of `fit`. Default: no output. */
  fit?: FitOptions | undefined
}

export interface CrossValidation {
  /** The results of `evaluate` for each fold. */
  readonly scores: readonly Logs[]
  readonly mean: Logs
  /** The standard deviation over folds: √ of the mean squared distance to the mean. */
  readonly std: Logs
}

/**
 * Cross-validation: for each fold, a new model is trained on the other folds and evaluated on this one.
 *
 *   const { mean, std } = await crossValidate(() => build(), x, y, { folds: 5, stratify: true, fit: { epochs: 20 } })
 *   console.log(`${mean.accuracy} ± ${std.accuracy}`)
 *
 * scikit-learn: `cross_validate`.
 * @param makeModel creates a compiled model; it gets the fold's index
 * @param x rows, or a record of them for a model with several inputs
 */
export async function crossValidate(
  makeModel: (fold: number) => ValidatedModel | Promise<ValidatedModel>,
  x: RowsByName,
  y: RowsByName,
  options: CrossValidateOptions = {},
): Promise<CrossValidation> {
  requireArguments('crossValidate', arguments, 4)
  const { fit = {}, stratify, ...rest } = options
  const ofFit = Object.keys(rest).find((name) =>
    ['epochs', 'batchSize', 'callbacks', 'verbose', 'classWeight'].includes(name),
  )
  if (ofFit !== undefined)
    throw new ArgumentError(`crossValidate: ${ofFit} is an option of fit: { fit: { ${ofFit}: … } }`)
  if (typeof makeModel !== 'function')
    throw new ArgumentError(
      `crossValidate: makeModel must be a function that returns a compiled model, received ${quoted(makeModel)}`,
    )
  sameCount([x, y], 'crossValidate')
  const labels = stratify === true ? labelsOf(y, 'crossValidate: y') : stratify
  const folds = kFold(x, { ...rest, stratify: labels === false ? null : labels })
  const scores: Logs[] = []
  const used = new Set<ValidatedModel>()
  for (const [fold, { train, test }] of folds.entries()) {
    const model = await makeModel(fold)
    if (used.has(model))
      throw new ArgumentError(
        'crossValidate: makeModel returned one model twice. It must make and compile a new one for each fold.',
      )
    used.add(model)
    try {
      await model.fit(takeRows(x, train), takeRows(y, train), { verbose: 0, ...fit })
      scores.push(await model.evaluate(takeRows(x, test), takeRows(y, test), { verbose: 0 }))
    } finally {
      model.dispose()
    }
  }
  const mean = averaged(scores, (score) => score)
  const variance = averaged(scores, (score, name) => (score - mean[name]!) ** 2)
  return { scores, mean, std: averaged([variance], Math.sqrt) }
}

/** The mean over folds of a function of each score. */
function averaged(scores: readonly Logs[], of: (score: number, name: string) => number): Logs {
  const mean = (name: string): number => scores.reduce((sum, score) => sum + of(score[name]!, name), 0) / scores.length
  const { loss: _, ...others } = scores[0]!
  return { loss: mean('loss'), ...Object.fromEntries(Object.keys(others).map((name) => [name, mean(name)])) }
}
