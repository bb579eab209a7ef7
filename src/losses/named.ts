// The losses that users can choose by name: what registry.ts reads. Every bundle that contains compile() has these classes; those
// that index.ts exports besides are listed in registry.ts.

export { Circle } from './circle'
export {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  KLDivergence,
  SparseCategoricalCrossentropy,
} from './crossentropies'
export { CategoricalHinge, Hinge, SquaredHinge } from './hinge'
export {
  CosineSimilarity,
  Huber,
  LogCosh,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  Poisson,
} from './regression'
export { Dice, Tversky } from './segmentation'
