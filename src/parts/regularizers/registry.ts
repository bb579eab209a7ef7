// Regularizers by name.

import { Registry } from '../../core/registry'
import * as named from './named'

export const regularizers = /* @__PURE__ */ new Registry('regularizer', named.Regularizer, () => named, {
  ofFunction: (regularizer: named.RegularizerFunction) => new named.LambdaRegularizer({ regularizer }),
})
