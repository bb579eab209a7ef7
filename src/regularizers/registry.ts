// Regularizers by name.

import { Registry } from '../core/registry'
import * as named from './named'

export const regularizers = new Registry('regularizer', named.Regularizer, () => named, {
  ofFunction: (regularizer: named.RegularizerFunction) => new named.LambdaRegularizer({ regularizer }),
})
