// Functions of layers along the spatial axes of images, sequences and volumes: their option, and the application of a
// function of [batch, …spatial axes, channels] to [batch, channels, …spatial axes].

import { ShapeError, formatShape } from '../core/errors'
import { option } from '../core/options'
import { moveAxis } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { requireRank } from './checks'
import { dataFormat } from './kinds'
import type { BatchShape } from './spec'
import { KEEPS, type UnitFlow } from './units'

const spatialRows = () => ({
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  dataFormat: option(dataFormat, null),
})
type SpatialRows = ReturnType<typeof spatialRows>
export type SpatialTable = { [Name in keyof SpatialRows]: SpatialRows[Name] }
export const spatialOptions: () => SpatialTable = spatialRows

interface Spatial {
  readonly dataFormat: 'channelsLast' | 'channelsFirst' | null
  toString(): string
}

const NAMES: readonly (readonly string[])[] = [[], ['steps'], ['rows', 'columns'], ['depth', 'rows', 'columns']]

export function isChannelsFirst({ dataFormat }: Pick<Spatial, 'dataFormat'>): boolean {
  return dataFormat === 'channelsFirst'
}

/** The units of a layer that keeps each channel apart: they are along the last axis. */
export function flowOfChannels(layer: Pick<Spatial, 'dataFormat'>): UnitFlow | null {
  return isChannelsFirst(layer) ? null : KEEPS
}

/** An input shape with the channels last. @throws ShapeError for another number of axes */
export function channelsLast(layer: Spatial, rank: number, inputShape: BatchShape): BatchShape {
  const spatial = NAMES[rank]!
  const isFirst = isChannelsFirst(layer)
  requireRank(layer, inputShape, isFirst ? ['batch', 'channels', ...spatial] : ['batch', ...spatial, 'channels'])
  const [batch = null, first = null, ...rest] = inputShape
  return isFirst ? [batch, ...rest, first] : inputShape
}

/** The channels of an input shape. @throws ShapeError if they are open */
export function channelsOf(layer: Spatial, rank: number, inputShape: BatchShape): number {
  const channels = channelsLast(layer, rank, inputShape).at(-1)
  if (channels != null) return channels
  throw new ShapeError(`${layer.toString()}: the channels must be known, received ${formatShape(inputShape)}`)
}

/** The result of a function of [batch, …spatial, channels]. */
export function alongSpace(layer: Spatial, rank: number, x: Tensor, call: (x: Tensor) => Tensor): Tensor {
  channelsLast(layer, rank, x.shape)
  if (!isChannelsFirst(layer)) return call(x)
  const y = call(moveAxis(x, 1, -1))
  return y.rank === x.rank ? moveAxis(y, -1, 1) : y
}

/** The shape of that result. */
export function shapeAlongSpace(
  layer: Spatial,
  rank: number,
  inputShape: BatchShape,
  shape: (inputShape: BatchShape) => BatchShape,
): BatchShape {
  const output = shape(channelsLast(layer, rank, inputShape))
  if (!isChannelsFirst(layer) || output.length !== inputShape.length) return output
  return [output[0]!, output.at(-1)!, ...output.slice(1, -1)]
}
