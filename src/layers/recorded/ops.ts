// Every op as users call it: `import { ops } from 'myelin'`. The build and the tests replace this module: it then wraps each
// op with `recorded` of ../core/operation.ts, in a constant of its own, so that a bundle has only the ops that it uses
// (scripts/recorded-ops.mjs).

import type * as plain from '../../ops'
import type * as control from '../by-name/control'
import type { ByName } from '../by-name/types'

export * from '../../ops'
export * as image from '../by-name/image'

// Those that take arguments by name, which TypeScript does not know from the functions: a test asks for a line.
export declare const cast: ByName<typeof plain.cast, 'x dtype'>
export declare const clip: ByName<typeof plain.clip, 'x xMin xMax'>
export declare const threshold: ByName<typeof plain.threshold, 'x threshold defaultValue'>
export declare const multiHot: ByName<typeof plain.multiHot, 'inputs numClasses'>
export declare const oneHot: ByName<typeof plain.oneHot, 'x numClasses'>
export declare const binaryCrossentropy: ByName<typeof plain.binaryCrossentropy, 'target output'>
export declare const categoricalCrossentropy: ByName<typeof plain.categoricalCrossentropy, 'target output'>
export declare const sparseCategoricalCrossentropy: ByName<typeof plain.sparseCategoricalCrossentropy, 'target output'>
export declare const ctcLoss: ByName<typeof plain.ctcLoss, 'target output targetLength outputLength'>
export declare const ctcDecode: ByName<typeof plain.ctcDecode, 'inputs sequenceLengths'>
export declare const depthToSpace: ByName<typeof plain.depthToSpace, 'x blockSize'>
export declare const fold: ByName<typeof plain.fold, 'x outputSize kernelSize'>
export declare const spaceToDepth: ByName<typeof plain.spaceToDepth, 'x blockSize'>
export declare const unfold: ByName<typeof plain.unfold, 'x kernelSize'>
export declare const psnr: ByName<typeof plain.psnr, 'x1 x2 maxVal'>
export declare const adaptiveAveragePool: ByName<typeof plain.adaptiveAveragePool, 'inputs outputSize'>
export declare const adaptiveMaxPool: ByName<typeof plain.adaptiveMaxPool, 'inputs outputSize'>
export declare const broadcastTo: ByName<typeof plain.broadcastTo, 'x shape'>
export declare const repeat: ByName<typeof plain.repeat, 'x repeats'>
export declare const reshape: ByName<typeof plain.reshape, 'x newshape'>
export declare const scatterAdd: ByName<typeof plain.scatterAdd, 'updates indices size'>
export declare const split: ByName<typeof plain.split, 'x indicesOrSections'>
export declare const swapAxes: ByName<typeof plain.swapAxes, 'x axis1 axis2'>
export declare const take: ByName<typeof plain.take, 'x indices'>
export declare const tile: ByName<typeof plain.tile, 'x repeats'>
export declare const pad: ByName<typeof plain.pad, 'x padWidth'>
export declare const rearrange: ByName<typeof plain.rearrange, 'tensor pattern'>
export declare const expandDims: ByName<typeof plain.expandDims, 'x axis'>
export declare const roll: ByName<typeof plain.roll, 'x shift'>
export declare const takeAlongAxis: ByName<typeof plain.takeAlongAxis, 'x indices'>
export declare const tri: ByName<typeof plain.tri, 'N'>
export declare const eye: ByName<typeof plain.eye, 'N'>
export declare const linspace: ByName<typeof plain.linspace, 'start stop'>
export declare const logspace: ByName<typeof plain.logspace, 'start stop'>
export declare const geomspace: ByName<typeof plain.geomspace, 'start stop'>
export declare const argpartition: ByName<typeof plain.argpartition, 'x kth'>
export declare const digitize: ByName<typeof plain.digitize, 'x bins'>
export declare const searchsorted: ByName<typeof plain.searchsorted, 'sortedSequence values'>
export declare const topK: ByName<typeof plain.topK, 'x k'>
export declare const segmentSum: ByName<typeof plain.segmentSum, 'data segmentIds numSegments'>
export declare const segmentMax: ByName<typeof plain.segmentMax, 'data segmentIds numSegments'>
export declare const segmentMin: ByName<typeof plain.segmentMin, 'data segmentIds numSegments'>
export declare const segmentProd: ByName<typeof plain.segmentProd, 'data segmentIds numSegments'>
export declare const scatter: ByName<typeof plain.scatter, 'indices values shape'>
export declare const scatterUpdate: ByName<typeof plain.scatterUpdate, 'inputs indices updates'>
export declare const sliceUpdate: ByName<typeof plain.sliceUpdate, 'inputs startIndices updates'>
export declare const polar: ByName<typeof plain.polar, 'abs angle'>
export declare const extractSequences: ByName<typeof plain.extractSequences, 'x sequenceLength sequenceStride'>
export declare const istft: ByName<typeof plain.istft, 'x sequenceLength sequenceStride fftLength'>
export declare const stft: ByName<typeof plain.stft, 'x sequenceLength sequenceStride fftLength'>
export declare const dotProductAttention: ByName<typeof plain.dotProductAttention, 'query key value'>
export declare const conv: ByName<typeof plain.conv, 'inputs kernel'>
export declare const convTranspose: ByName<typeof plain.convTranspose, 'inputs kernel'>
export declare const depthwiseConv: ByName<typeof plain.depthwiseConv, 'inputs kernel'>
export declare const separableConv: ByName<typeof plain.separableConv, 'inputs depthwiseKernel pointwiseKernel'>
export declare const resize: ByName<typeof plain.resize, 'images size'>
export declare const affineTransform: ByName<typeof plain.affineTransform, 'images transform'>
export declare const batchNorm: ByName<typeof plain.batchNorm, 'x mean variance'>
export declare const moments: ByName<typeof plain.moments, 'x axes'>
export declare const averagePool: ByName<typeof plain.averagePool, 'inputs poolSize'>
export declare const maxPool: ByName<typeof plain.maxPool, 'inputs poolSize'>
export declare const saturateCast: ByName<typeof plain.saturateCast, 'x dtype'>
export declare const slice: ByName<typeof plain.slice, 'inputs startIndices shape'>
export declare const moveAxis: ByName<typeof plain.moveAxis, 'x source destination'>
export declare const full: ByName<typeof plain.full, 'shape fillValue'>
export declare const zeros: ByName<typeof plain.zeros, 'shape'>
export declare const ones: ByName<typeof plain.ones, 'shape'>
export declare const arange: ByName<typeof plain.arange, 'start'>
export declare const fullLike: ByName<typeof plain.fullLike, 'x fillValue'>
export declare const identity: ByName<typeof plain.identity, 'n'>
export declare const arraySplit: ByName<typeof plain.arraySplit, 'x indicesOrSections'>
export declare const hsplit: ByName<typeof plain.hsplit, 'x indicesOrSections'>
export declare const vsplit: ByName<typeof plain.vsplit, 'x indicesOrSections'>
export declare const dsplit: ByName<typeof plain.dsplit, 'x indicesOrSections'>
export declare const kaiser: ByName<typeof plain.kaiser, 'x beta'>
export declare const moveaxis: ByName<typeof plain.moveaxis, 'x source destination'>
export declare const empty: ByName<typeof plain.empty, 'shape'>
export declare const swapaxes: ByName<typeof plain.swapaxes, 'x axis1 axis2'>
export declare const batchNormalization: ByName<typeof plain.batchNormalization, 'x mean variance'>
export declare const inTopK: ByName<typeof plain.inTopK, 'targets predictions k'>
export declare const select: ByName<typeof plain.select, 'condlist choicelist'>
export declare const unravelIndex: ByName<typeof plain.unravelIndex, 'indices shape'>
export declare const getItem: ByName<typeof plain.getItem, 'x key'>
export declare const quantile: ByName<typeof plain.quantile, 'x q'>
export declare const percentile: ByName<typeof plain.percentile, 'x q'>
export declare const nanquantile: ByName<typeof plain.nanquantile, 'x q'>
export declare const nanpercentile: ByName<typeof plain.nanpercentile, 'x q'>

export declare const associativeScan: typeof plain.associativeScan & control.AssociativeScanByName
export declare const cond: typeof plain.cond & control.CondByName
export declare const foriLoop: typeof plain.foriLoop & control.ForiLoopByName
export declare const map: typeof plain.map & control.MapByName
export declare const scan: typeof plain.scan & control.ScanByName
export declare const vectorizedMap: typeof plain.vectorizedMap & control.VectorizedMapByName
export declare const whileLoop: typeof plain.whileLoop & control.WhileLoopByName
