// What the core binary exports; the other binaries are in families/. Kernels and steps are exported although JS calls `run` only: a function that is called
// from one place is inlined there, and code inside the tape loop would never be optimised.

export { lead, pause, run, runLoop, runOne, runPart, serve, setTurn, shareLoop } from './tape'
export { abandon, meet } from './barrier'
export { partBorder, rowPartBorder } from './parts'
export * from './kernels/chain'
export * from './kernels/steps'
export * from './kernels/gemm'
export * from './kernels/arg-reduce'
export * from './kernels/reduce'
export * from './kernels/softmax'
export * from './kernels/index'
export * from './kernels/move'
export * from './kernels/random'
export * from './kernels/permute'
export * from './kernels/optim'
export * from './kernels/guard'
