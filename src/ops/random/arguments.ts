// The options of random ops.

import { choice, nullable, option } from '../../core/options'
import { seedKind } from './generator'

/** The option of every random op. */
export const seedTable = /* @__PURE__ */ (() => ({ seed: option(seedKind, null) }))()

/** The options of ops with real results. */
export const floatTable = /* @__PURE__ */ (() => ({
  dtype: option(nullable(choice('float32')), null),
  seed: option(seedKind, null),
}))()

/** The options of ops with integer results. */
export const integerTable = /* @__PURE__ */ (() => ({
  dtype: option(choice('int32'), 'int32'),
  seed: option(seedKind, null),
}))()
