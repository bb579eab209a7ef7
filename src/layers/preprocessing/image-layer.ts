// The bases of image layers: one image or a batch, channels in the order of dataFormat, with labels, bounding boxes and
// segmentation masks of the images. The layers define the transformation.

import type { DType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { configured, custom, listOf, nullable, number, option, type Kind } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { isBranch, isRecord } from '../../core/tree'
import type { TensorLike } from '../../ops/convert'
import { boxFormat, converted, cutAtEdges, type BoundingBoxes } from '../../ops/image/bounding-boxes'
import { cast, less } from '../../ops/numpy/elementwise'
import { uniform } from '../../ops/random/draws'
import { SeedGenerator } from '../../ops/random/generator'
import { expandDims, full, moveAxis, squeeze } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { LISTED } from '../forms'
import { Layer, type ApplyOptions } from '../layer'
import type { CallContext } from '../context'
import { dataFormat } from '../kinds'
import { seedOption, streamOf, type Seeded } from '../random'
import { knownShape, type BatchShape } from '../spec'
import type { LayerTraits } from '../traits'
import { tracedOutputSpecs, specsByClass } from '../inference'
import { applyTree } from '../applying'
import { callByClass } from '../running'
import { buildByClass } from '../building'
import { exactly } from '../../core/tuples'

/** How a layer transforms the parts of one batch. Random numbers are drawn once for all parts. */
export interface Transformation {
  /** x [batch, rows, columns, channels] → images of the same or another size. */
  readonly images: (x: Tensor) => Tensor
  /** Default: unchanged. */
  readonly labels?: (y: Tensor) => Tensor
  /**
   * Bounding boxes [batch, boxes, 4] as left, top, right and bottom edges in pixels, with labels; cut at the edges of the
   * images afterwards. Default: unchanged; null if they cannot be transformed.
   */
  readonly boundingBoxes?: ((boxes: BoundingBoxes<Tensor>) => BoundingBoxes<Tensor>) | null
  /** Class numbers of pixels, in the form of images. Default: unchanged. */
  readonly segmentationMasks?: (masks: Tensor) => Tensor
}

/** Images with their labels, boxes and masks. Other entries are passed on. */
export interface ImageRecord<Value = TensorLike> {
  readonly images: Value
  /** [batch, …]; one-hot for layers that mix labels. */
  readonly labels?: Value
  /** In the layer's boundingBoxFormat. */
  readonly boundingBoxes?: BoundingBoxes<Value>
  /** Class numbers, [batch, rows, columns, 1]. */
  readonly segmentationMasks?: Value
  readonly [name: string]: Value | BoundingBoxes<Value> | undefined
}

type ChangedPart<Given> = Given extends BoundingBoxes ? BoundingBoxes<Tensor> : Tensor

/** How the parts of one input change. */
interface Change {
  /** The images after it, in the form of the input. */
  readonly made: Tensor
  /** The images before it, [batch, rows, columns, channels]. */
  readonly batch: Tensor
  /** null for none. */
  readonly transformation: Transformation | null
  readonly inBatch: (x: Tensor) => Tensor
  readonly outOfBatch: (x: Tensor) => Tensor
  /** Changes a part that has the form of images. */
  readonly along: (x: Tensor, change: (x: Tensor) => Tensor) => Tensor
}

const PARTS: Readonly<Record<string, keyof Transformation>> = {
  images: 'images',
  labels: 'labels',
  boundingBoxes: 'boundingBoxes',
  bounding_boxes: 'boundingBoxes',
  segmentationMasks: 'segmentationMasks',
  segmentation_masks: 'segmentationMasks',
}

type Size = readonly [rows: number | null, columns: number | null]

const ImageLayerBase = configured(Layer<Tensor>, () => ({
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  dataFormat: option(dataFormat, null),
  /** The format of bounding boxes in records; see `boundingBoxes.convertFormat`. Default null: records have none. */
  boundingBoxFormat: option(nullable(boxFormat), null),
}))

/** Images → images, in float32 unless a class overrides it. */
export abstract class ImageLayer extends ImageLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<ImageLayer> = {
    form: LISTED,
    callTree(layer, input, context) {
      return isBranch(input) ? layer.transformed(input, context.training) : callByClass(layer, input, context)
    },
    buildTree(layer, specs) {
      if (isBranch(specs)) layer.requireRecord(specs)
      else buildByClass(layer, specs)
    },
    outputTree(layer, specs, options) {
      if (!isBranch(specs)) return specsByClass(layer, specs, options)
      layer.requireRecord(specs)
      return tracedOutputSpecs(layer, specs, options)
    },
    outputDtype: (layer, [dtype]) => layer.imageDtype(dtype ?? 'float32'),
  }

  /**
   * The transformation of a batch; null for none.
   * @param images [batch, rows, columns, channels]
   */
  protected abstract transformation(images: Tensor, training: boolean): Transformation | null

  /** The transformation in training, for a layer that combines others. @internal */
  augmentation(images: Tensor): Transformation {
    return this.transformation(images, true) ?? { images: (x) => x }
  }

  /** The size of the output for an input size. */
  protected sizeFor(size: Size): Size {
    return size
  }

  /** The dtype in which images are transformed and returned. */
  protected imageDtype(_given: DType): DType {
    return 'float32'
  }

  /**
   * Transforms images, [batch, rows, columns, channels] or [rows, columns, channels]; or a record of images, labels,
   * bounding boxes and segmentation masks, all consistently. Random numbers are drawn only with `training`, given here or
   * by the calling layer.
   *
   *   const flip = new RandomFlip({ boundingBoxFormat: 'xyxy' })
   *   flip.apply({ images, boundingBoxes: { boxes, labels } }, { training: true })
   *
   * Boxes become float32 and are cut at the edges of the image; the labels of boxes outside become −1.
   */
  override apply(input: TensorLike, options?: ApplyOptions | CallContext): Tensor
  override apply<Given extends ImageRecord>(
    input: Given,
    options?: ApplyOptions | CallContext,
  ): { readonly [Name in keyof Given]: ChangedPart<Given[Name]> }
  override apply(input: TensorLike | ImageRecord, options: ApplyOptions | CallContext = {}): unknown {
    return applyTree(this, input, options)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    return this.changeOf(x, training).made
  }

  /** @throws ShapeError for a list, and for a record without images */
  private requireRecord(input: object): void {
    if (!Array.isArray(input) && 'images' in input) return
    throw new ShapeError(
      `${this}: the input must be images, or a record { images, labels, boundingBoxes, segmentationMasks }, received ${Array.isArray(input) ? `a list of ${input.length}` : `a record of ${Object.keys(input).join(', ')}`}`,
    )
  }

  /** The transformation of images, and the images that it makes. */
  private changeOf(images: Tensor, training: boolean): Change {
    const isOne = this.lastShape(images.shape).length === 3
    const inBatch = (x: Tensor): Tensor => (isOne ? expandDims(x, 0) : x)
    const outOfBatch = (x: Tensor): Tensor => (isOne ? squeeze(x, 0) : x)
    const dtype = this.imageDtype(images.dtype)
    const inForm = (x: Tensor): Tensor => {
      const batch = inBatch(x)
      return this.isFirst && batch.rank === 4 ? moveAxis(batch, 1, -1) : batch
    }
    const outOfForm = (x: Tensor): Tensor => outOfBatch(this.isFirst && x.rank === 4 ? moveAxis(x, -1, 1) : x)
    const batch = cast(inForm(images), dtype)
    const transformation = this.transformation(batch, training)
    const along = (x: Tensor, change: (x: Tensor) => Tensor): Tensor => cast(outOfForm(change(inForm(x))), x.dtype)
    const value = cast(images, dtype)
    const made = transformation === null ? value : along(value, transformation.images)
    return { made, batch, transformation, inBatch, outOfBatch, along }
  }

  /** A record of images and their other parts, all changed alike. */
  private transformed(parts: object, training: boolean): Record<string, unknown> {
    this.requireRecord(parts)
    const images: unknown = Reflect.get(parts, 'images')
    if (!(images instanceof Tensor)) throw new ShapeError(`${this}: images must be a tensor`)
    const change = this.changeOf(images, training)
    const changed = Object.entries<unknown>({ ...parts }).map(([name, part]) => [
      name,
      this.changedPart(name, part, change),
    ])
    return Object.fromEntries(changed)
  }

  private changedPart(name: string, part: unknown, change: Change): unknown {
    const { transformation, batch, inBatch, outOfBatch } = change
    const kind = PARTS[name]
    if (kind === 'images') return change.made
    if (kind === 'boundingBoxes') {
      const { boxes, labels } = this.requireBoxes(name, part)
      const made = this.changedBoxes({ boxes: inBatch(boxes), labels: inBatch(labels) }, batch, transformation)
      return { boxes: outOfBatch(made.boxes), labels: outOfBatch(made.labels) }
    }
    const changePart = kind === undefined ? undefined : transformation?.[kind]
    if (changePart === undefined || !(part instanceof Tensor)) return part
    return kind === 'labels' ? outOfBatch(changePart(inBatch(part))) : change.along(part, changePart)
  }

  /** @throws ArgumentError without boundingBoxFormat, ShapeError unless there are four numbers and a label for each box */
  private requireBoxes(name: string, part: unknown): BoundingBoxes<Tensor> {
    const where = `${this}: ${name}`
    if (this.boundingBoxFormat === null)
      throw new ArgumentError(`${where} need the option boundingBoxFormat, such as 'xyxy'`)
    const { boxes, labels, ...others } = isRecord(part) ? part : {}
    if (!(boxes instanceof Tensor && labels instanceof Tensor) || Object.keys(others).length > 0)
      throw new ArgumentError(`${where} must be a record { boxes, labels }`)
    const [count, numbers] = boxes.shape.slice(-2)
    const isOne = boxes.rank === 2
    const fits = numbers === 4 && labels.shape[isOne ? 0 : 1] === count
    if (!(isOne || boxes.rank === 3) || !fits)
      throw new ShapeError(
        `${where} must be boxes [batch, boxes, 4] with labels [batch, boxes], or those of one image, received ${formatShape(boxes.shape)} and ${formatShape(labels.shape)}`,
      )
    return { boxes: cast(boxes, 'float32'), labels }
  }

  /** @internal */
  protected changedBoxes(
    { boxes, labels }: BoundingBoxes<Tensor>,
    { shape }: Tensor,
    change: Transformation | null,
  ): BoundingBoxes<Tensor> {
    const transform = change?.boundingBoxes
    if (transform === null) throw new ArgumentError(`${this}: cannot transform bounding boxes; leave them out`)
    if (transform === undefined) return { boxes, labels }
    const format = this.boundingBoxFormat!
    const [, rows, columns] = exactly(shape, 4)
    const [height, width] = exactly(knownShape(this.sizeFor([rows, columns])), 2)
    const edges = converted(boxes, format, 'xyxy', { height: rows, width: columns })
    const made = transform({ boxes: edges, labels })
    const cut = cutAtEdges(made, { height, width })
    return { boxes: converted(cut.boxes, 'xyxy', format, { height, width }), labels: cut.labels }
  }

  private get isFirst(): boolean {
    return this.dataFormat === 'channelsFirst'
  }

  /** The shape of one image or of a batch with the channels last. @throws ShapeError for another number of axes */
  private lastShape(shape: BatchShape): BatchShape {
    if (shape.length !== 3 && shape.length !== 4) {
      const form = this.isFirst ? 'channels, rows, columns' : 'rows, columns, channels'
      throw new ShapeError(`${this}: the input must be [batch, ${form}] or [${form}], received ${formatShape(shape)}`)
    }
    if (!this.isFirst) return shape
    const channels = shape.length - 3
    return [...shape.slice(0, channels), ...shape.slice(channels + 1), shape[channels]!]
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const last = this.lastShape(inputShape)
    const batch = last.slice(0, -3)
    const [rows, columns, channels] = exactly(last.slice(-3), 3)
    const size = this.sizeFor([rows, columns])
    return this.isFirst ? [...batch, channels, ...size] : [...batch, ...size, channels]
  }
}

/** The interval of a uniform random number; if both bounds are equal, nothing is drawn. */
export type Interval = readonly [low: number, high: number]

/** An interval within bounds: [low, high], or one number f for [−f, f], clipped to the bounds. */
export function interval(min: number, max: number): Kind<Interval, number | readonly number[]> {
  const bound = number({ min, max })
  const both = listOf(bound, 2)
  return custom<Interval, number | readonly number[]>(
    (value, where) => {
      if (typeof value === 'number') return [Math.max(-Math.abs(bound.read(value, where)), min), Math.abs(value)]
      if (!Array.isArray(value))
        throw new ArgumentError(
          `${where} must be a number in [${min}, ${max}] or two of them, received ${quoted(value)}`,
        )
      const [a, b] = exactly(both.read(value, where), 2)
      return [Math.min(a, b), Math.max(a, b)]
    },
    (value) => [...value],
  )
}

/** The least and the largest value of a pixel. */
const valueRange: Kind<Interval, readonly number[]> = /* @__PURE__ */ custom<Interval, readonly number[]>(
  (value, where) => {
    const [a, b] = exactly(listOf(number(), 2).read(value, where), 2)
    if (a === b) throw new ArgumentError(`${where} must be two numbers that differ, received ${quoted(value)}`)
    return [Math.min(a, b), Math.max(a, b)]
  },
  (value) => [...value],
)

const rangeRows = () => ({
  /** The least and the largest value of a pixel. Default [0, 255]. */
  valueRange: option(valueRange, [0, 255]),
})
type RangeRows = ReturnType<typeof rangeRows>
export type RangeTable = { [Name in keyof RangeRows]: RangeRows[Name] }
export const rangeOption: () => RangeTable = rangeRows

/** Random numbers of a layer of images. */
export class RandomDraws extends SeedGenerator {
  constructor(layer: Seeded) {
    super(...streamOf(layer))
  }

  /** Random numbers of an interval. */
  draw([low, high]: Interval, shape: Shape): Tensor {
    return low === high ? full(shape, low) : uniform(shape, { minval: low, maxval: high, seed: this })
  }

  /** One number for each image, [batch, 1, 1, 1]. */
  drawEach(bounds: Interval, { shape }: Tensor): Tensor {
    return this.draw(bounds, [shape[0]!, 1, 1, 1])
  }

  /** Which images are changed, each with a random probability, [batch, 1, 1, 1]. */
  chosen(probability: Interval, images: Tensor): Tensor {
    return less(this.drawEach([0, 1], images), this.drawEach(probability, images))
  }
}

const RandomImageLayerBase = configured(ImageLayer, seedOption)

/**
 * The base of augmentations: image layers that change images at random in training, each image differently, and
 * otherwise return them unchanged.
 */
export abstract class RandomImageLayer extends RandomImageLayerBase {
  protected readonly generator = new RandomDraws(this)

  /** The transformation in training. @param images [batch, rows, columns, channels] */
  protected abstract augment(images: Tensor): Transformation

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    return training ? this.augment(images) : null
  }

  /** Random numbers of an interval. */
  protected draw(bounds: Interval, shape: Shape): Tensor {
    return this.generator.draw(bounds, shape)
  }

  /** One number for each image, [batch, 1, 1, 1]. */
  protected drawEach(bounds: Interval, images: Tensor): Tensor {
    return this.generator.drawEach(bounds, images)
  }

  /** Which images are changed, each with a random probability, [batch, 1, 1, 1]. */
  protected chosen(probability: Interval, images: Tensor): Tensor {
    return this.generator.chosen(probability, images)
  }
}

/** The option of layers that change an image with a probability. */
const probabilityRows = () => ({
  /** The probability: f for a random one in [0, f], or [low, high]. Default 1. */
  factor: option(interval(0, 1), 1),
})
type ProbabilityRows = ReturnType<typeof probabilityRows>
export type ProbabilityTable = { [Name in keyof ProbabilityRows]: ProbabilityRows[Name] }
export const probabilityOption: () => ProbabilityTable = probabilityRows
