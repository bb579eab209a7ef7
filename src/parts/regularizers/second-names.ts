// Keras's second names of regularizers.

export { L1 as l1, L1L2 as l1L2, L2 as l2, OrthogonalRegularizer as orthogonalRegularizer } from './named'
