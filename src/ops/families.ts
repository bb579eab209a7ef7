// Features that load with the ops that use them: rules, kernels of the tape and their binaries. An application
// that calls no such op does not bundle them, so each op that needs a family requests it first.

import { convolutions } from '../primitives/convolution'
import { pooling } from '../primitives/pooling'
import { addWindowRules } from '../primitives'
import { algebra } from '../runtime/engine/binaries/algebra'
import { control } from '../runtime/engine/binaries/control'
import { attention } from '../runtime/engine/binaries/attention'
import { convolution } from '../runtime/engine/binaries/convolution'
import { normalization } from '../runtime/engine/binaries/normalization'
import { quantized } from '../runtime/engine/binaries/quantized'
import { addBinary } from '../runtime/engine/families'
import { convolutions as convolutionKernels } from '../tape/kernels/convolution'
import { pooling as poolingKernels } from '../tape/kernels/pooling'
import { addWindowKernels } from '../tape/target'

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
