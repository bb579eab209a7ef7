// Loads all families of kernels, for tests that build graphs without ops: otherwise the ops load them.

import { needAlgebra, needAttention, needControl, needQuantized, needWindows } from '../../src/ops/families'

needWindows()
needAttention()
needAlgebra()
needQuantized()
needControl()
