// Infers from the name of a metric whether it is a score or an error.

/** Scores: higher is better. */
const SCORES =
  /acc|auc|precision|recall|score|sensitivity|specificity|correlation|similarity|io_?u(?![a-z])|true_?(?:pos|neg)/i
/** Errors: lower is better. */
const ERRORS = /error|loss|entropy|divergence|hinge|poisson|false_?(?:pos|neg)|^(?:mse|mae|rmse|mape|msle|bce|kld|ce)$/i

/** Whether higher is better for a metric name, in any spelling; null if the name does not tell. */
export function isScore(name: string): boolean | null {
  if (SCORES.test(name)) return true
  return ERRORS.test(name) ? false : null
}
