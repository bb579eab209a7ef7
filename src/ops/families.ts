// Features that load with the ops that use them: rules, kernels of the tape and their binaries. An application
// that calls no such op does not bundle them, so each op that needs a family requests it first.

import { convolutions } from '../engine/primitives/convolution'
import { pooling } from '../engine/primitives/pooling'
import { addWindowRules } from '../engine/primitives'
import {
  algebra,
  attention,
  control,
  convolution,
  normalization,
  packed,
  quantized,
} from '../engine/runtime/wasm/binaries'
import { addBinary } from '../engine/runtime/wasm/families'
import { convolutions as convolutionKernels } from '../engine/tape/kernels/convolution'
import { pooling as poolingKernels } from '../engine/tape/kernels/pooling'
import { addWindowKernels } from '../engine/tape/target'

/** Convolution and pooling. */
export function needWindows(): void {
  if (!addBinary(convolution)) return
  addWindowRules({ ...convolutions, ...pooling })
  addWindowKernels({ ...convolutionKernels, ...poolingKernels })
}

/** Attention without stored scores. */
export function needAttention(): void {
  addBinary(attention)
}

/** Normalization of rows. */
export function needNormalization(): void {
  addBinary(normalization)
}

/** Factorizations, Fourier transforms, sorting, running sums and shifts. */
export function needAlgebra(): void {
  addBinary(algebra)
}

/** Branches and loops with a condition. */
export function needControl(): void {
  addBinary(control)
}

/** Products of int8 weights. */
export function needQuantized(): void {
  addBinary(quantized)
}

/** Products of packed weights of 8 and 4 bits. */
export function needPacked(): void {
  addBinary(packed)
}
