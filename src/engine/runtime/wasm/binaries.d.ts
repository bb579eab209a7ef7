// What scripts/build-wasm.mjs writes into binaries.js. The package has that file as it is.

import type { Binary } from './families'
import type { Fusion } from './fuse'

/** assembly/decode.ts, base64. */
export const decoder: string
/** What differs in the relaxed variants. */
export const fusions: readonly Fusion[]

/** The loop over a tape, and the kernels that most programs need. */
export const core: Binary
/** The families of kernels: a file each in assembly/families. */
export const algebra: Binary
export const attention: Binary
export const control: Binary
export const convolution: Binary
export const normalization: Binary
export const packed: Binary
export const quantized: Binary
