// The update rules that users can choose by name; registry.ts and index.ts of the optimizers read this module. Names,
// defaults and formulas are Keras's. An elementwise rule is one instruction over all weights that lie side by side.

export * from './adam'
export * from './adaptive'
export * from './descent'
export * from './shaped'
