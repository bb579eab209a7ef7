// Regularizers by name.

import { Registry, type UserFunction } from '../../core/registry'
import * as named from './named'

export const regularizers = /* @__PURE__ */ new Registry('regularizer', named.Regularizer, () => named, {
  ofFunction: ({ call }: UserFunction<named.RegularizerFunction>) => new named.LambdaRegularizer({ regularizer: call }),
})
