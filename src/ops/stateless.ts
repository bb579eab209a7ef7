// Runs code that reads and assigns variables as a function of their values, for jit, grad and loops that keep all state in trees.

import { ArgumentError } from '../core/errors'
import type { TensorLike } from './convert'
import type { Tensor } from './tensor'
import type { Variable } from './variable'

/**
 * Runs `body` while the variables have other values, and then restores their values.
 * @param where names the values in errors
 * @returns what `body` returns, and the values that the variables have after it
 * @throws ArgumentError for another number of values; ShapeError for one that does not fit
 */
export function stateless<Result>(
  where: string,
  variables: readonly Variable[],
  values: readonly TensorLike[],
  body: () => Result,
): [result: Result, values: Tensor[]] {
  if (values?.length !== variables.length)
    throw new ArgumentError(
      `${where} must be ${variables.length} values, received ${values?.length}. Before build there are none.`,
    )
  const before = variables.map(({ value }) => value)
  try {
    variables.forEach((variable, i) => variable.assign(values[i]!))
    return [body(), variables.map(({ value }) => value)]
  } finally {
    variables.forEach((variable, i) => variable.assign(before[i]!))
  }
}

/**
 * Assigns values to variables, all or none.
 * @throws ArgumentError for another number of values; ShapeError for one that does not fit
 */
export function assignAll(where: string, variables: readonly Variable[], values: readonly TensorLike[]): void {
  stateless(where, variables, values, () => null)[1].forEach((value, i) => variables[i]!.assign(value))
}
