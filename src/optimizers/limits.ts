// What float32 can compute an update with. Within these limits the update of a finite weight is finite.

/** The largest magnitude of an element of a gradient: its square is finite, 2^126. */
export const GRADIENT_LIMIT = 2 ** 63

/** The largest learning rate: times the largest gradient it is finite, 9e33. */
export const LEARNING_RATE_LIMIT = 1e15
