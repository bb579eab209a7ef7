// Loads all families of kernels, for tests that build graphs without ops: otherwise the ops load them.

import {
  needAlgebra,
  needAttention,
  needControl,
  needNormalization,
  needPacked,
  needQuantized,
  needWindows,
} from '../../src/ops/families'

needWindows()
needAttention()
needNormalization()
needAlgebra()
needQuantized()
needPacked()
needControl()
