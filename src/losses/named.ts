// The losses that users can choose by name; registry.ts reads this module. Every bundle that contains compile() has these
// classes. Further classes, which index.ts exports, are listed in registry.ts.

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
