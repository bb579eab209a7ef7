// Keras's second names of ops, and its names where they differ from those of this library.

import { resize as resizeImages } from './image/resize'
import { affineTransform as transformImages } from './image/warp'
import { hardSilu, silu } from './nn/activations'
import { batchNorm, layerNorm, rmsNorm } from './nn/normalization'
import { moveAxis } from './numpy/axes'
import { bitwiseNot, leftShift, rightShift } from './numpy/bits'
import { abs } from './numpy/bools'
import { divide, exp } from './numpy/elementwise'
import { max, min } from './numpy/extremes'
import { zeros, zerosLike } from './numpy/filled'
import { logSumExp, variance } from './numpy/reduce'
import { swapAxes } from './numpy/shape'
import { alias } from './op'

/** The same as `abs`. */
export const absolute = alias('absolute', abs)
/** The same as `image.affineTransform`. */
export const affineTransform = alias('affineTransform', transformImages, {})
/** The same as `max`. */
export const amax = alias('amax', max)
/** The same as `min`. */
export const amin = alias('amin', min)
/** The same as `batchNorm`. */
export const batchNormalization = alias('batchNormalization', batchNorm)
/** The same as `bitwiseNot`. */
export const bitwiseInvert = alias('bitwiseInvert', bitwiseNot)
/** The same as `leftShift`. */
export const bitwiseLeftShift = alias('bitwiseLeftShift', leftShift)
/** The same as `rightShift`. */
export const bitwiseRightShift = alias('bitwiseRightShift', rightShift)
/** The same as `zeros`. */
export const empty = alias('empty', zeros)
/** The same as `zerosLike`. */
export const emptyLike = alias('emptyLike', zerosLike)
/** The same as `exp`. */
export const exponential = alias('exponential', exp)
/** The same as `hardSilu`. */
export const hardSwish = alias('hardSwish', hardSilu)
/** The same as `layerNorm`. */
export const layerNormalization = alias('layerNormalization', layerNorm)
/** The same as `logSumExp`. */
export const logsumexp = alias('logsumexp', logSumExp)
/** The same as `moveAxis`. */
export const moveaxis = alias('moveaxis', moveAxis)
/** The same as `image.resize`. */
export const resize = alias('resize', resizeImages, {})
/** The same as `rmsNorm`. */
export const rmsNormalization = alias('rmsNormalization', rmsNorm)
/** The same as `swapAxes`. */
export const swapaxes = alias('swapaxes', swapAxes)
/** The same as `silu`. */
export const swish = alias('swish', silu)
/** The same as `divide`. */
export const trueDivide = alias('trueDivide', divide)
/** The same as `variance`. */
const varOp = alias('var', variance)
export { varOp as var }
