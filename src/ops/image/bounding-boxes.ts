// Bounding boxes: their formats, and what happens to them if an image is cropped, padded or transformed. Overlaps and
// deltas are in box-overlaps.ts.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { choice, type Kind, type Spelled } from '../../core/options'
import { isBranch, type Tree } from '../../core/tree'
import type { DType } from '../../core/dtypes'
import { sliceAlong } from '../numpy/along'
import { asTensor, type TensorLike, toTensor } from '../convert'
import {
  add,
  cast,
  cos,
  divide,
  greater,
  maximum,
  minimum,
  multiply,
  negative,
  sin,
  subtract,
  where,
} from '../numpy/elementwise'
import { tan } from '../numpy/functions'
import { max, min } from '../numpy/reduce'
import { concatenate, reshape, squeeze } from '../numpy/shape'
import type { Tensor } from '../tensor'

/**
 * The four numbers of a box: its left (x), top (y), right and bottom edge; or its left and top edge, width and height;
 * or its centre, width and height. In pixels, with `rel` as shares of the image's width and height.
 */
export type BoundingBoxFormat =
  | 'xyxy'
  | 'yxyx'
  | 'xywh'
  | 'centerXywh'
  | 'centerYxhw'
  | 'relXyxy'
  | 'relYxyx'
  | 'relXywh'
  | 'relCenterXywh'

export const boxFormat: Kind<BoundingBoxFormat, Spelled<BoundingBoxFormat>> = /* @__PURE__ */ choice(
  'xyxy',
  'yxyx',
  'xywh',
  'centerXywh',
  'centerYxhw',
  'relXyxy',
  'relYxyx',
  'relXywh',
  'relCenterXywh',
)

/** Boxes of images, with a class number for each; −1 for no box. */
export interface BoundingBoxes<Value = TensorLike> {
  /** [boxes, 4], or [batch, boxes, 4] */
  readonly boxes: Value
  /** [boxes] or [batch, boxes] */
  readonly labels: Value
}

/** The size of an image in pixels. */
interface ImageSize {
  readonly height: TensorLike
  readonly width: TensorLike
}

/** The edges of boxes, each […, 1]. */
export type Edges = readonly [left: Tensor, top: Tensor, right: Tensor, bottom: Tensor]

/** The edges of boxes in the format 'xyxy'. */
export function edgesOf(boxes: Tensor): Edges {
  const part = (i: number): Tensor => sliceAlong(boxes, boxes.rank - 1, i, 1)
  return [part(0), part(1), part(2), part(3)]
}

/** Boxes in the format 'xyxy'. */
export const boxesOf = (edges: Edges): Tensor => concatenate(edges, -1)

const isRelative = (format: BoundingBoxFormat): boolean => format.startsWith('rel')
const hasSize = (format: BoundingBoxFormat): boolean => /(?:wh|hw)$/i.test(format)
const hasCentre = (format: BoundingBoxFormat): boolean => /center/i.test(format)
/** Exchanges x and y where the format has y first. Applied twice, it changes nothing. */
const xFirst = (format: BoundingBoxFormat, [a, b, c, d]: Edges): Edges =>
  /^(?:rel)?(?:center)?yx/i.test(format) ? [b, a, d, c] : [a, b, c, d]

function scaled([left, top, right, bottom]: Edges, { height, width }: ImageSize, by: typeof multiply): Edges {
  return [by(left, width), by(top, height), by(right, width), by(bottom, height)]
}

function readEdges(format: BoundingBoxFormat, boxes: Tensor): Edges {
  const [x, y, across, down] = xFirst(format, edgesOf(boxes))
  if (!hasSize(format)) return [x, y, across, down]
  if (!hasCentre(format)) return [x, y, add(x, across), add(y, down)]
  const [right, below] = [multiply(across, 0.5), multiply(down, 0.5)]
  return [subtract(x, right), subtract(y, below), add(x, right), add(y, below)]
}

function writeEdges(format: BoundingBoxFormat, edges: Edges): Tensor {
  const [left, top, right, bottom] = edges
  if (!hasSize(format)) return boxesOf(xFirst(format, edges))
  const [width, height] = [subtract(right, left), subtract(bottom, top)]
  const middle = hasCentre(format)
  const x = middle ? add(left, multiply(width, 0.5)) : left
  const y = middle ? add(top, multiply(height, 0.5)) : top
  return boxesOf(xFirst(format, [x, y, width, height]))
}

/** Boxes […, 4] in another format. The size is read only if one of the two formats is relative. */
export function converted(
  boxes: Tensor,
  source: BoundingBoxFormat,
  target: BoundingBoxFormat,
  size: ImageSize,
): Tensor {
  if (source === target) return boxes
  const edges = readEdges(source, boxes)
  const [from, to] = [isRelative(source), isRelative(target)]
  return writeEdges(target, from === to ? edges : scaled(edges, size, from ? multiply : divide))
}

/** Boxes in 'xyxy', cut at the edges of an image; the labels of those outside become −1. */
export function cutAtEdges(
  { boxes, labels }: BoundingBoxes<Tensor>,
  { height, width }: ImageSize,
): BoundingBoxes<Tensor> {
  const [left, top, right, bottom] = edgesOf(boxes)
  const within = (x: Tensor, most: TensorLike): Tensor => minimum(maximum(x, 0), most)
  const cut: Edges = [within(left, width), within(top, height), within(right, width), within(bottom, height)]
  const area = multiply(subtract(cut[2], cut[0]), subtract(cut[3], cut[1]))
  const isInside = greater(labels.rank === boxes.rank ? area : squeeze(area, -1), 0)
  return { boxes: boxesOf(cut), labels: where(isInside, labels, -1) }
}

/**
 * Boxes around the corners of boxes [batch, boxes, 4] in 'xyxy', each of which is moved.
 * @param move x and y of corners [batch, boxes, 4] → the moved x and y
 */
export function aroundMoved(boxes: Tensor, move: (x: Tensor, y: Tensor) => readonly [x: Tensor, y: Tensor]): Tensor {
  const [left, top, right, bottom] = edgesOf(boxes)
  const [x, y] = move(concatenate([left, right, right, left], -1), concatenate([top, top, bottom, bottom], -1))
  return boxesOf([min(x, -1, true), min(y, -1, true), max(x, -1, true), max(y, -1, true)])
}

/** Boxes as float32. @throws ShapeError unless they are […, 4] */
export function readBoxes(where: string, boxes: unknown): Tensor {
  const value = cast(toTensor(boxes, where), 'float32')
  if (value.shape.at(-1) === 4) return value
  throw new ShapeError(`${where}: boxes must be […, 4], received ${formatShape(value.shape)}`)
}

/** @throws ArgumentError if a size is missing that a relative format needs */
function requireSizeFor(
  where: string,
  formats: readonly BoundingBoxFormat[],
  height: TensorLike | null | undefined,
  width: TensorLike | null | undefined,
): ImageSize {
  if (height != null && width != null) return { height, width }
  const relative = formats.find(isRelative)
  if (relative !== undefined) throw new ArgumentError(`${where}: the format '${relative}' needs height and width`)
  return { height: 1, width: 1 }
}

/** Converts boxes from a format to another one. */
export function convertedFor(
  where: string,
  boxes: TensorLike,
  source: unknown,
  target: unknown,
  height?: TensorLike | null,
  width?: TensorLike | null,
): Tensor {
  const formats = [boxFormat.read(source, `${where}: source`), boxFormat.read(target, `${where}: target`)] as const
  return converted(readBoxes(where, boxes), ...formats, requireSizeFor(where, formats, height, width))
}

/**
 * Converts boxes to another format.
 *
 *   boundingBoxes.convertFormat([[10, 20, 30, 40]], 'xyxy', 'xywh')   // [[10, 20, 20, 20]]
 *
 * @param boxes […, 4], or a record { boxes, labels }
 * @param height of the image, in pixels; needed between relative and absolute formats
 * @param width of the image, in pixels; needed between relative and absolute formats
 * @param dtype of the result: float32
 * @throws ShapeError unless the boxes are […, 4]; ArgumentError for an unknown format or a missing size
 *
 * Keras: `keras.utils.bounding_boxes.convert_format`, which also needs the size between two relative formats.
 */
export function convertFormat(
  boxes: TensorLike,
  source: Spelled<BoundingBoxFormat>,
  target: Spelled<BoundingBoxFormat>,
  height?: TensorLike | null,
  width?: TensorLike | null,
  dtype?: DType,
): Tensor
export function convertFormat<Given extends BoundingBoxes>(
  boxes: Given,
  source: Spelled<BoundingBoxFormat>,
  target: Spelled<BoundingBoxFormat>,
  height?: TensorLike | null,
  width?: TensorLike | null,
  dtype?: DType,
): Omit<Given, 'boxes'> & { readonly boxes: Tensor }
export function convertFormat(
  boxes: TensorLike | BoundingBoxes,
  source: unknown,
  target: unknown,
  height?: TensorLike | null,
  width?: TensorLike | null,
  dtype?: DType,
): Tree<unknown> {
  requireArguments('boundingBoxes.convertFormat', arguments, 6)
  choice('float32').read(dtype ?? 'float32', 'convertFormat: dtype')
  const convert = (boxes: TensorLike): Tensor => convertedFor('convertFormat', boxes, source, target, height, width)
  return isRecord(boxes) ? { ...boxes, boxes: convert(boxes.boxes) } : convert(boxes)
}

function isRecord(boxes: TensorLike | BoundingBoxes): boxes is BoundingBoxes {
  return isBranch(boxes) && 'boxes' in boxes
}

/** @throws ArgumentError for a format that the function does not accept */
function requireFormat<Format extends BoundingBoxFormat>(
  where: string,
  format: Spelled<BoundingBoxFormat> | undefined,
  ...known: readonly Format[]
): Format {
  return choice(...known).read(format ?? 'xyxy', `${where}: boundingBoxFormat`)
}

/**
 * Cuts boxes at the edges of the image. The labels of boxes outside become −1.
 * @param boundingBoxes { boxes, labels }; labels may be left out
 * @param height of the image, in pixels; not needed for 'relXyxy'
 * @param width of the image, in pixels; not needed for 'relXyxy'
 * @param boundingBoxFormat 'xyxy' or 'relXyxy'. Default xyxy
 * @throws ArgumentError for another format or a missing size
 *
 * Keras: `keras.utils.bounding_boxes.clip_to_image_size`.
 */
export function clipToImageSize<Given extends { readonly boxes: TensorLike; readonly labels?: TensorLike | null }>(
  boundingBoxes: Given,
  height?: TensorLike | null,
  width?: TensorLike | null,
  boundingBoxFormat?: Spelled<BoundingBoxFormat>,
): { readonly [Name in keyof Given]: Name extends 'boxes' | 'labels' ? Tensor : Given[Name] }
export function clipToImageSize(
  boundingBoxes: { readonly boxes: TensorLike; readonly labels?: TensorLike | null },
  height?: TensorLike | null,
  width?: TensorLike | null,
  boundingBoxFormat?: Spelled<BoundingBoxFormat>,
): object {
  requireArguments('boundingBoxes.clipToImageSize', arguments, 4)
  const here = 'clipToImageSize'
  if (!isBranch(boundingBoxes) || !('boxes' in boundingBoxes))
    throw new ArgumentError(`${here}: expected a record { boxes, labels }`)
  const format = requireFormat(here, boundingBoxFormat, 'xyxy', 'relXyxy')
  if (format === 'xyxy' && (height == null || width == null))
    throw new ArgumentError(`${here}: the format 'xyxy' needs height and width`)
  const boxes = readBoxes(here, boundingBoxes.boxes)
  const size = format === 'xyxy' ? { height: height!, width: width! } : { height: 1, width: 1 }
  const known = boundingBoxes.labels == null ? null : asTensor(boundingBoxes.labels, here)
  // Missing labels are replaced by any number of each box, which the result leaves out.
  const labels = known ?? squeeze(sliceAlong(boxes, boxes.rank - 1, 0, 1), -1)
  const cut = cutAtEdges({ boxes, labels }, size)
  return { ...boundingBoxes, ...(known === null ? { boxes: cut.boxes } : cut) }
}

/**
 * Boxes relative to a part of the image, cut at its edges.
 *
 *   boundingBoxes.crop([[10, 20, 50, 60]], 10, 20, 40, 30)   // [[0, 10, 30, 40]]
 *
 * @param boxes […, 4] as 'xyxy'
 * @param top the first row of the part
 * @param left the first column of the part
 * @param boundingBoxFormat 'xyxy'. Default xyxy
 *
 * Keras: `keras.utils.bounding_boxes.crop`.
 */
export function crop(
  boxes: TensorLike,
  top: TensorLike,
  left: TensorLike,
  height: TensorLike,
  width: TensorLike,
  boundingBoxFormat?: 'xyxy',
): Tensor {
  requireArguments('boundingBoxes.crop', arguments, 6)
  requireFormat('crop', boundingBoxFormat, 'xyxy')
  const [a, b, c, d] = edgesOf(readBoxes('crop', boxes))
  const within = (x: Tensor, start: TensorLike, most: TensorLike): Tensor =>
    minimum(maximum(subtract(x, start), 0), most)
  return boxesOf([within(a, left, width), within(b, top, height), within(c, left, width), within(d, top, height)])
}

/**
 * Boxes in an image that was padded at the top and at the left.
 * @param boxes […, 4] as 'xyxy'
 * @param top the rows above the image
 * @param left the columns to its left
 * @param height is not read, as in Keras: boxes are not cut
 * @param width is not read, as in Keras
 * @param boundingBoxFormat 'xyxy'. Default xyxy
 *
 * Keras: `keras.utils.bounding_boxes.pad`.
 */
export function pad(
  boxes: TensorLike,
  top: TensorLike,
  left: TensorLike,
  _height?: TensorLike | null,
  _width?: TensorLike | null,
  boundingBoxFormat?: 'xyxy',
): Tensor {
  requireArguments('boundingBoxes.pad', arguments, 6)
  requireFormat('pad', boundingBoxFormat, 'xyxy')
  const [a, b, c, d] = edgesOf(readBoxes('pad', boxes))
  return boxesOf([add(a, left), add(b, top), add(c, left), add(d, top)])
}

/**
 * Boxes around rotated, moved, scaled and sheared boxes, for each image of a batch. With A = shear · rotation, of
 * determinant 1, and the centre c:
 *
 *   (x′, y′) = scale · A⁻¹ · (x − c − t) + c
 *
 * @param boxes [batch, boxes, 4] as 'xyxy'
 * @param angle in degrees, [batch] or one number, as each of the following
 * @param translateX t, as a share of width − 1
 * @param translateY t, as a share of height − 1
 * @param scale the factor
 * @param shearX in degrees
 * @param shearY in degrees
 * @param height of the image, in pixels
 * @param width of the image, in pixels
 * @param centerX of the transformation, as a share of width − 1. Default ½
 * @param centerY of the transformation, as a share of height − 1. Default ½
 * @param boundingBoxFormat 'xyxy'. Default xyxy
 * @throws ShapeError unless the boxes are [batch, boxes, 4]
 *
 * Keras: `keras.utils.bounding_boxes.affine_transform`.
 */
export function affineTransform(
  boxes: TensorLike,
  angle: TensorLike,
  translateX: TensorLike,
  translateY: TensorLike,
  scale: TensorLike,
  shearX: TensorLike,
  shearY: TensorLike,
  height: TensorLike,
  width: TensorLike,
  centerX?: TensorLike | null,
  centerY?: TensorLike | null,
  boundingBoxFormat?: 'xyxy',
): Tensor {
  requireArguments('boundingBoxes.affineTransform', arguments, 12)
  const here = 'affineTransform'
  requireFormat(here, boundingBoxFormat, 'xyxy')
  const value = readBoxes(here, boxes)
  if (value.rank !== 3)
    throw new ShapeError(`${here}: boxes must be [batch, boxes, 4], received ${formatShape(value.shape)}`)
  const each = (set: TensorLike): Tensor => {
    const one = cast(asTensor(set, here), 'float32')
    return reshape(one, [one.size, 1, 1])
  }
  const radians = (degrees: TensorLike): Tensor => multiply(each(degrees), -Math.PI / 180)
  const [turn, across, down] = [radians(angle), radians(shearX), radians(shearY)]
  const place = (share: TensorLike, extent: TensorLike): Tensor => multiply(each(share), subtract(each(extent), 1))
  const [cx, cy] = [place(centerX ?? 0.5, width), place(centerY ?? 0.5, height)]
  const x0 = subtract(cx, place(translateX, width))
  const y0 = subtract(cy, place(translateY, height))
  const rest = subtract(turn, down)
  const a = divide(cos(rest), cos(down))
  const b = add(multiply(a, tan(across)), sin(turn))
  const c = negative(divide(sin(rest), cos(down)))
  const d = subtract(cos(turn), multiply(c, tan(across)))
  const factor = each(scale)
  return aroundMoved(value, (x, y) => {
    const [right, below] = [subtract(x, x0), subtract(y, y0)]
    return [
      add(multiply(subtract(multiply(d, right), multiply(b, below)), factor), cx),
      add(multiply(subtract(multiply(a, below), multiply(c, right)), factor), cy),
    ]
  })
}
