// Random tensors as users call them: `import { random } from 'myelin'`. See ops.ts.

import type * as plain from '../../ops/random/random'
import type { ByName } from '../by-name/types'

export * from '../../ops/random/random'

export declare const categorical: ByName<typeof plain.categorical, 'logits numSamples'>
export declare const binomial: ByName<typeof plain.binomial, 'shape counts probabilities'>
export declare const beta: ByName<typeof plain.beta, 'shape alpha beta'>
export declare const gamma: ByName<typeof plain.gamma, 'shape alpha'>
export declare const uniform: ByName<typeof plain.uniform, 'shape'>
export declare const normal: ByName<typeof plain.normal, 'shape'>
export declare const truncatedNormal: ByName<typeof plain.truncatedNormal, 'shape'>
export declare const randint: ByName<typeof plain.randint, 'shape minval'>
export declare const dropout: ByName<typeof plain.dropout, 'inputs rate'>
