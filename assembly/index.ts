// The exports of the core binary; the other binaries are in families/. Kernels and steps are exported although JS calls
// only `run`: asc would inline a function that is called from one place, and the engine would never optimise code
// inside the tape loop.

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
