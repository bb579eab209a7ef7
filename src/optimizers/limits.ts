// Limits within which float32 updates of finite weights stay finite.

/** The largest magnitude of a gradient's element: its square, 2^126, is finite. */
export const GRADIENT_LIMIT = 2 ** 63

/** The largest learning rate: its product with the largest gradient, 9e33, is finite. */
export const LEARNING_RATE_LIMIT = 1e15
