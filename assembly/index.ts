// The exports of the core binary; the other binaries are in families/. Kernels are exported although JS calls only `run`: asc
// would inline a function that is called from one place, and the engine would never optimise code inside the tape loop.
// scripts/build-wasm.mjs puts the steps, which are called step_NAME, into the table.

export { lead, pause, run, runLoop, runOne, runPart, serve, setTurn, shareLoop } from './tape'
export { abandon, meet } from './barrier'
export { partBorder, rowPartBorder } from './parts'
export * from './kernels/chain'
export * from './kernels/steps/unary'
export * from './kernels/steps/arithmetic'
export * from './kernels/steps/integers'
export * from './kernels/gemm'
export * from './kernels/arg-reduce'
export * from './kernels/reduce'
export * from './kernels/softmax'
export * from './kernels'
export * from './kernels/move'
export * from './kernels/random'
export * from './kernels/permute'
export * from './kernels/optim'
export * from './kernels/guard'
