// The activations of layers as functions, with the defaults of keras.activations: `activations.gelu(x)` is exact. See ops.ts.

import type * as plain from '../../activations/functions'
import type { ByName } from '../by-name/types'

export * from '../../activations/functions'
export { deserialize, get } from '../activations-by-name'

export declare const threshold: ByName<typeof plain.threshold, 'x threshold defaultValue'>
