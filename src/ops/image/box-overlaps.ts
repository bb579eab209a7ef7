// Comparisons of bounding boxes: overlaps, and the deltas between anchors and boxes.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, listOf, number, nullable, type Spelled } from '../../core/options'
import { isBranch, type Tree } from '../../core/tree'
import { requireList, requireNumber } from '../arguments'
import type { TensorLike } from '../convert'
import {
  add,
  divide,
  exp,
  less,
  log,
  logicalOr,
  maximum,
  minimum,
  multiply,
  square,
  subtract,
  where,
} from '../numpy/elementwise'
import { arctan } from '../numpy/functions'
import { sliceAlong } from '../numpy/along'
import { max } from '../numpy/reduce'
import { concatenate, squeeze, swapAxes } from '../numpy/shape'
import { Tensor } from '../tensor'
import { convertedFor, edgesOf, readBoxes, type BoundingBoxFormat, type Edges } from './bounding-boxes'

/** Keeps quotients finite. */
const EPSILON = 1e-7

/** The height and the width of an image [height, width, channels]. */
function sizeFrom(here: string, shape: readonly number[] | null | undefined): readonly (number | null)[] {
  if (shape == null) return [null, null]
  const [height, width, channels, ...others] = requireList(`${here}: imageShape`, shape)
  if (channels === undefined || others.length > 0)
    throw new ArgumentError(`${here}: imageShape must be [height, width, channels]`)
  return [requireNumber(`${here}: imageShape[0]`, height), requireNumber(`${here}: imageShape[1]`, width)]
}

/** The extents of the overlap of boxes along one axis; 0 if they do not touch. */
const shared = (a: Tensor, b: Tensor, c: Tensor, d: Tensor): Tensor =>
  maximum(subtract(minimum(b, d), maximum(a, c)), 0)

const areaOf = ([left, top, right, bottom]: Edges): Tensor => multiply(subtract(right, left), subtract(bottom, top))

/**
 * The intersection over union of each pair of boxes, |a ∩ b| / |a ∪ b|: [m, 4] and [n, 4] → [m, n], or for a batch of
 * either, [batch, m, n].
 *
 *   boundingBoxes.computeIou([[0, 0, 2, 2]], [[1, 0, 3, 2]], 'xyxy')   // [[0.3333]]
 *
 * @param useMasking whether pairs with a box whose numbers are all negative get maskVal. Default false
 * @param maskVal default −1
 * @param imageShape [height, width, channels], needed for relative formats
 * @throws ShapeError unless the boxes are [boxes, 4] or [batch, boxes, 4]
 *
 * Keras: `keras.utils.bounding_boxes.compute_iou`.
 */
export function computeIou(
  boxes1: TensorLike,
  boxes2: TensorLike,
  boundingBoxFormat: Spelled<BoundingBoxFormat>,
  useMasking?: boolean,
  maskVal?: number,
  imageShape?: readonly number[] | null,
): Tensor {
  requireArguments('boundingBoxes.computeIou', arguments, 6)
  const here = 'computeIou'
  const isMasked = boolean.read(useMasking ?? false, `${here}: useMasking`)
  const masked = requireNumber(`${here}: maskVal`, maskVal ?? -1)
  const requireBoxes = (boxes: TensorLike): Tensor => {
    const edges = convertedFor(here, boxes, boundingBoxFormat, 'xyxy', ...sizeFrom(here, imageShape))
    if (edges.rank === 2 || edges.rank === 3) return edges
    throw new ShapeError(`${here}: boxes must be [boxes, 4] or [batch, boxes, 4], received ${formatShape(edges.shape)}`)
  }
  const [first, second] = [requireBoxes(boxes1), requireBoxes(boxes2)]
  const a = edgesOf(first)
  const across = (edge: Tensor): Tensor => swapAxes(edge, -1, -2)
  const [left, top, right, bottom] = edgesOf(second)
  const b: Edges = [across(left), across(top), across(right), across(bottom)]
  const both = multiply(shared(a[0], a[2], b[0], b[2]), shared(a[1], a[3], b[1], b[3]))
  const union = subtract(add(areaOf(a), areaOf(b)), both)
  const share = divide(both, add(union, EPSILON))
  if (!isMasked) return share
  const isNone = (boxes: Tensor): Tensor => less(max(boxes, -1, true), 0)
  return where(logicalOr(isNone(first), across(isNone(second))), masked, share)
}

/**
 * The complete intersection over union of boxes in pairs, […, 4] and […, 4] → […]:
 *
 *   IoU − (distance² of the centres / diagonal² of the box around both) − α v
 *   v = (4 / π²) (arctan(w₂ / h₂) − arctan(w₁ / h₁))²      α = v / (1 − IoU + v)
 *
 * @throws ArgumentError for relative formats, as in Keras
 *
 * Keras: `keras.utils.bounding_boxes.compute_ciou`.
 */
export function computeCiou(
  boxes1: TensorLike,
  boxes2: TensorLike,
  boundingBoxFormat: Spelled<BoundingBoxFormat>,
  imageShape?: readonly number[] | null,
): Tensor {
  requireArguments('boundingBoxes.computeCiou', arguments, 4)
  const here = 'computeCiou'
  const format = choice('xyxy', 'yxyx', 'xywh', 'centerXywh', 'centerYxhw').read(
    boundingBoxFormat,
    `${here}: boundingBoxFormat`,
  )
  const size = sizeFrom(here, imageShape)
  const edgesIn = (boxes: TensorLike): Edges => edgesOf(convertedFor(here, boxes, format, 'xyxy', ...size))
  const [a, b] = [edgesIn(boxes1), edgesIn(boxes2)]
  const extent = (edges: Edges, axis: 0 | 1): Tensor => subtract(edges[axis + 2]!, edges[axis]!)
  const [w1, h1, w2, h2] = [extent(a, 0), add(extent(a, 1), EPSILON), extent(b, 0), add(extent(b, 1), EPSILON)]
  const both = multiply(shared(a[0], a[2], b[0], b[2]), shared(a[1], a[3], b[1], b[3]))
  const union = add(subtract(add(multiply(w1, h1), multiply(w2, h2)), both), EPSILON)
  const iou = divide(both, add(union, EPSILON))
  const around = (axis: 0 | 1): Tensor => subtract(maximum(a[axis + 2]!, b[axis + 2]!), minimum(a[axis]!, b[axis]!))
  const diagonal = add(add(square(around(0)), square(around(1))), EPSILON)
  const between = (axis: 0 | 1): Tensor =>
    multiply(subtract(add(a[axis]!, a[axis + 2]!), add(b[axis]!, b[axis + 2]!)), 0.5)
  const distance = add(square(between(0)), square(between(1)))
  const v = multiply(square(subtract(arctan(divide(w2, h2)), arctan(divide(w1, h1)))), 4 / Math.PI ** 2)
  const alpha = divide(v, add(subtract(v, iou), 1 + EPSILON))
  return squeeze(subtract(iou, add(divide(distance, diagonal), multiply(v, alpha))), -1)
}

type CentreFormat = 'centerXywh' | 'centerYxhw'
const centreFormat = /* @__PURE__ */ choice('centerXywh', 'centerYxhw')

function readVariance(here: string, variance: readonly number[] | null | undefined): Tensor | null {
  const read = nullable(listOf(number(), 4)).read(variance, `${here}: variance`)
  return read === null ? null : new Tensor(Float32Array.from(read), [4], 'float32')
}

const firstTwo = (x: Tensor): Tensor => sliceAlong(x, x.rank - 1, 0, 2)
const lastTwo = (x: Tensor): Tensor => sliceAlong(x, x.rank - 1, 2, 2)

/**
 * The deltas that turn anchors into boxes: (centre − anchor's centre) / anchor's size and ln(size / anchor's size), divided by
 * the variance.
 * @param anchors [boxes, 4]
 * @param boxes [boxes, 4] or [batch, boxes, 4]
 * @param encodingFormat 'centerXywh' or 'centerYxhw', the order of the result. Default centerYxhw
 * @param variance four numbers. Default null: all 1
 * @param imageShape [height, width, channels], needed for relative formats
 *
 * Keras: `keras.utils.bounding_boxes.encode_box_to_deltas`.
 */
export function encodeBoxToDeltas(
  anchors: TensorLike,
  boxes: TensorLike,
  anchorFormat: Spelled<BoundingBoxFormat>,
  boxFormat: Spelled<BoundingBoxFormat>,
  encodingFormat?: Spelled<CentreFormat>,
  variance?: readonly number[] | null,
  imageShape?: readonly number[] | null,
): Tensor {
  requireArguments('boundingBoxes.encodeBoxToDeltas', arguments, 7)
  const here = 'encodeBoxToDeltas'
  const scale = readVariance(here, variance)
  const target = centreFormat.read(encodingFormat ?? 'centerYxhw', `${here}: encodingFormat`)
  const size = sizeFrom(here, imageShape)
  const anchor = convertedFor(here, anchors, anchorFormat, target, ...size)
  const box = convertedFor(here, boxes, boxFormat, target, ...size)
  const anchorExtent = maximum(lastTwo(anchor), EPSILON)
  const boxExtent = maximum(lastTwo(box), EPSILON)
  const away = divide(subtract(firstTwo(box), firstTwo(anchor)), anchorExtent)
  const deltas = concatenate([away, log(divide(boxExtent, anchorExtent))], -1)
  return scale === null ? deltas : divide(deltas, scale)
}

/**
 * The boxes that result from anchors and deltas: the inverse of `encodeBoxToDeltas`.
 * @param anchors [boxes, 4], or a record of them for each level
 * @param boxesDelta [boxes, 4] or [batch, boxes, 4], or a record of them with the same names
 * @param encodedFormat 'centerXywh' or 'centerYxhw', the order of the deltas. Default centerYxhw
 * @param variance four numbers, by which the deltas are multiplied. Default null: all 1
 * @param imageShape [height, width, channels], needed for relative formats
 *
 * Keras: `keras.utils.bounding_boxes.decode_deltas_to_boxes`.
 */
export function decodeDeltasToBoxes(
  anchors: TensorLike,
  boxesDelta: TensorLike,
  anchorFormat: Spelled<BoundingBoxFormat>,
  boxFormat: Spelled<BoundingBoxFormat>,
  encodedFormat?: Spelled<CentreFormat>,
  variance?: readonly number[] | null,
  imageShape?: readonly number[] | null,
): Tensor
export function decodeDeltasToBoxes<Level extends string>(
  anchors: Readonly<Record<Level, TensorLike>>,
  boxesDelta: Readonly<Record<Level, TensorLike>>,
  anchorFormat: Spelled<BoundingBoxFormat>,
  boxFormat: Spelled<BoundingBoxFormat>,
  encodedFormat?: Spelled<CentreFormat>,
  variance?: readonly number[] | null,
  imageShape?: readonly number[] | null,
): Readonly<Record<Level, Tensor>>
export function decodeDeltasToBoxes(
  anchors: TensorLike | Readonly<Record<string, TensorLike>>,
  boxesDelta: TensorLike | Readonly<Record<string, TensorLike>>,
  anchorFormat: unknown,
  boxFormat: unknown,
  encodedFormat?: unknown,
  variance?: readonly number[] | null,
  imageShape?: readonly number[] | null,
): Tree<Tensor> {
  requireArguments('boundingBoxes.decodeDeltasToBoxes', arguments, 7)
  const here = 'decodeDeltasToBoxes'
  const scale = readVariance(here, variance)
  const source = centreFormat.read(encodedFormat ?? 'centerYxhw', `${here}: encodedFormat`)
  const size = sizeFrom(here, imageShape)
  const decode = (anchors: TensorLike, delta: unknown): Tensor => {
    const anchor = convertedFor(here, anchors, anchorFormat, source, ...size)
    const deltas = readBoxes(here, delta)
    const moved = scale === null ? deltas : multiply(deltas, scale)
    const extent = lastTwo(anchor)
    const box = [add(multiply(firstTwo(moved), extent), firstTwo(anchor)), multiply(exp(lastTwo(moved)), extent)]
    return convertedFor(here, concatenate(box, -1), source, boxFormat, ...size)
  }
  if (!isLevels(anchors)) return decode(anchors, boxesDelta)
  if (!isLevels(boxesDelta))
    throw new ArgumentError(`${here}: the anchors are a record of levels, so the deltas must be one, too`)
  const wrong = Object.keys({ ...anchors, ...boxesDelta }).find((level) => !(level in anchors && level in boxesDelta))
  if (wrong !== undefined) throw new ArgumentError(`${here}: level '${wrong}' needs anchors and deltas`)
  return Object.fromEntries(Object.entries(anchors).map(([level, boxes]) => [level, decode(boxes, boxesDelta[level]!)]))
}

function isLevels(value: unknown): value is Readonly<Record<string, TensorLike>> {
  return isBranch(value) && !Array.isArray(value) && !('data' in value)
}
