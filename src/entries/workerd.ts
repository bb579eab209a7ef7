// The entry for workerd, Cloudflare's runtime: the names of `myelin`, with kernels that are modules of their own. A Worker may not
// compile bytes: its host compiles what it imports. Programs for workerd are bundles, so models know all formats of files after a call of
// loadModel, or of a function of `saving`: see models/file-loader.ts.

import algebra from '../kernels/algebra.wasm'
import algebraRelaxed from '../kernels/algebra.relaxed.wasm'
import attention from '../kernels/attention.wasm'
import attentionRelaxed from '../kernels/attention.relaxed.wasm'
import control from '../kernels/control.wasm'
import controlRelaxed from '../kernels/control.relaxed.wasm'
import convolution from '../kernels/convolution.wasm'
import convolutionRelaxed from '../kernels/convolution.relaxed.wasm'
import core from '../kernels/core.wasm'
import coreRelaxed from '../kernels/core.relaxed.wasm'
import normalization from '../kernels/normalization.wasm'
import normalizationRelaxed from '../kernels/normalization.relaxed.wasm'
import packed from '../kernels/packed.wasm'
import packedRelaxed from '../kernels/packed.relaxed.wasm'
import quantized from '../kernels/quantized.wasm'
import quantizedRelaxed from '../kernels/quantized.relaxed.wasm'
import { addModules } from '../engine/runtime/wasm/wasm'

addModules('plain', { algebra, attention, control, convolution, core, normalization, packed, quantized })
addModules('relaxed', {
  algebra: algebraRelaxed,
  attention: attentionRelaxed,
  control: controlRelaxed,
  convolution: convolutionRelaxed,
  core: coreRelaxed,
  normalization: normalizationRelaxed,
  packed: packedRelaxed,
  quantized: quantizedRelaxed,
})

export * from '..'
