// Whether a metric is a score or an error, as its name tells.

/** Scores: more is better. */
const SCORES =
  /acc|auc|precision|recall|score|sensitivity|specificity|correlation|similarity|io_?u(?![a-z])|true_?(?:pos|neg)/i
/** Errors: less is better. */
const ERRORS = /error|loss|entropy|divergence|hinge|poisson|false_?(?:pos|neg)|^(?:mse|mae|rmse|mape|msle|bce|kld|ce)$/i

/** Whether more of the metric of a name, in any spelling, is better; null where the name does not tell. */
export function isScore(name: string): boolean | null {
  if (SCORES.test(name)) return true
  return ERRORS.test(name) ? false : null
}
