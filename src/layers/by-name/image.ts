// `ops.image`, typed. The build and the tests replace this module: see ../recorded/ops.ts.

import type * as plain from '../../ops/image'
import type { ByName } from './types'

export * from '../../ops/image'

export declare const mapCoordinates: ByName<typeof plain.mapCoordinates, 'inputs coordinates order'>
export declare const perspectiveTransform: ByName<typeof plain.perspectiveTransform, 'images startPoints endPoints'>
export declare const ssim: ByName<typeof plain.ssim, 'image1 image2'>
export declare const extractPatches: ByName<typeof plain.extractPatches, 'images size'>
export declare const extractPatches3d: ByName<typeof plain.extractPatches3d, 'volumes size'>
export declare const resize: ByName<typeof plain.resize, 'images size'>
export declare const scaleAndTranslate: ByName<
  typeof plain.scaleAndTranslate,
  'images outputShape scale translation spatialDims method'
>
export declare const affineTransform: ByName<typeof plain.affineTransform, 'images transform'>
