// From where on numbers count as 0 in steps of models: see docs/decisions/0033-vanished-numbers.md. Powers of two.

/** 2⁻⁶³: below, a factor of a product counts as 0. The product of two others is at least 2⁻¹²⁶, so it is not denormal. */
export const LEAST_FACTOR = 1.0842021724855044e-19
/** 2⁻⁵⁰: below, a gradient adds nothing to a mean of squares; the square would count as 0. */
export const LEAST_SQUARED = 8.881784197001252e-16
/** 2⁻¹⁰⁰: below, state counts as 0: weights, what optimizers keep of them, carries of loops, running means. A decay rate times it is not denormal. */
export const LEAST_STATE = 7.888609052210118e-31
