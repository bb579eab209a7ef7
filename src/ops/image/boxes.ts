// The functions of bounding boxes, as in `keras.utils.bounding_boxes`.

export { computeCiou, computeIou, decodeDeltasToBoxes, encodeBoxToDeltas } from './box-overlaps'
export { affineTransform, clipToImageSize, convertFormat, crop, pad } from './bounding-boxes'
export type { BoundingBoxFormat, BoundingBoxes } from './bounding-boxes'
