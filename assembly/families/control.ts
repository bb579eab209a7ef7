// The kernel of branches and of loops with a condition: a separate binary, which loads with the ops that need it. The
// loops themselves are Loops of the core.

export * from '../kernels/control'
