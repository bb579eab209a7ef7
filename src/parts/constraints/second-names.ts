// Keras's second names of constraints.

export { MaxNorm as maxNorm, MinMaxNorm as minMaxNorm, NonNeg as nonNeg, UnitNorm as unitNorm } from './named'
