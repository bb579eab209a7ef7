// Regularizers by name.

import { Registry } from '../core/registry'
import type { RegularizerFunction } from './index'
import { L1, L1L2, L2, LambdaRegularizer, OrthogonalRegularizer, Regularizer } from './index'

const isRegularizer = (value: unknown): value is Regularizer => value instanceof Regularizer

export const regularizers = new Registry<Regularizer>(
  'regularizer',
  isRegularizer,
  () => ({ L1, L2, L1L2, OrthogonalRegularizer, LambdaRegularizer }),
  { ofFunction: (regularizer: RegularizerFunction) => new LambdaRegularizer({ regularizer }) },
)
