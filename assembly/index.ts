// What the binary exports. Kernels and steps are exported although JS calls `run` only: a function that is called
// from one place is inlined there, and code inside the tape loop would never be optimised.

export { run, runOne } from './tape'
export * from './kernels/chain'
export * from './kernels/steps'
export * from './kernels/gemm'
export * from './kernels/reduce'
export * from './kernels/softmax'
export * from './kernels/index'
export * from './kernels/move'
export * from './kernels/random'
export * from './kernels/optim'
export * from './kernels/guard'
