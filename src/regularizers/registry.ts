// Regularizers by name.

import { Registry } from '../core/registry'
import { L1, L1L2, L2, Regularizer } from './index'

const isRegularizer = (value: unknown): value is Regularizer => value instanceof Regularizer

export const regularizers = new Registry<Regularizer>('regularizer', isRegularizer)
  .add('L1', (config) => new L1(config))
  .add('L2', (config) => new L2(config))
  // By name alone Keras means l1 = l2 = 0.01.
  .add('L1L2', (config) => new L1L2({ l1: 0.01, l2: 0.01, ...config }))
