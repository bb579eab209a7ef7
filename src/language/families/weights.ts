// The weights of a model and their places in files: which tensor a weight is, which rows of it, and whether it is transposed.

import { sizeOf, type Shape } from '../../core/shapes'
import { FormatError, formatShape, internalError, quoted } from '../../core/errors'
import { LayerNormalization, RMSNormalization } from '../../layers/normalization/layer-normalization'
import type { Variable } from '../../ops/variable'
import { PackedReversibleEmbedding } from '../layers/packed-reversible-embedding'
import type { Matrix } from '../layers/packed-weight'
import { Projection } from '../layers/projection'
import type { StoredTensor } from '../presets/open-weights'
import type { TransformerBlock } from '../layers/transformer-block'
import { BLOCK_PARTS, type BlockPart, type Description, type Places, type SharedPlace } from './description'
import { partOf, projectionOf, type Leaf, type Network } from './transformer'

/** A weight and its place in a file. */
export interface PlacedWeight {
  /** Its rows; those of a vector have one number. */
  readonly matrix: Matrix
  /** The name of the tensor in the file, after the prefix. */
  readonly name: string
  /** Whether the name is complete, without a prefix. */
  readonly isWhole: boolean
  /** The shape of the tensor in the file. */
  readonly shape: Shape
  /** The rows of the tensor that the weight consists of, in their order, as ranges; before a transposition. */
  readonly rows: readonly (readonly [from: number, to: number])[]
  /** Whether the file has [inputs, outputs]. */
  readonly isTransposed: boolean
  /** The number by which the weight is larger than what the file has. */
  readonly offset: number
}

/** The weights of a layer, by the ending of their names in files. */
function matricesOf(layer: Leaf): readonly (readonly [suffix: string, matrix: Matrix | null])[] {
  if (layer instanceof PackedReversibleEmbedding) return [['weight', layer.matrix]]
  if (layer instanceof Projection)
    return [
      ['weight', layer.matrix],
      ['bias', rowsOf(layer.bias)],
    ]
  if (layer instanceof RMSNormalization) return [['weight', rowsOf(layer.scale)]]
  if (layer instanceof LayerNormalization)
    return [
      ['weight', rowsOf(layer.gamma)],
      ['bias', rowsOf(layer.beta)],
    ]
  return [['weight', rowsOf(layer.embeddings)]]
}

/** The rows of a float32 variable. */
function rowsOf(variable: Variable | null): Matrix | null {
  if (variable === null) return null
  const { shape } = variable
  return { outputs: shape[0]!, inputs: sizeOf(shape.slice(1)), format: null, variable }
}

export interface Rows {
  readonly total: number
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

/** The rows of a tensor that several layers share. */
function sharedRows(units: readonly number[], index: number, heads: number | null): Rows {
  const total = units.reduce((sum, each) => sum + each, 0)
  const before = units.slice(0, index).reduce((sum, each) => sum + each, 0)
  if (heads === null) return { total, ranges: [[before, before + units[index]!]] }
  // [heads, layers, size of a head]
  const [stride, start, size] = [total / heads, before / heads, units[index]! / heads]
  return {
    total,
    ranges: Array.from({ length: heads }, (_, head) => [head * stride + start, head * stride + start + size] as const),
  }
}

/** The rows of a shared tensor that belong to one of its layers. */
export function rowsWithin(block: TransformerBlock, { of }: SharedPlace, part: BlockPart, places: Places): Rows {
  const units = of.map((each) => projectionOf(block, each)?.units ?? 0)
  return sharedRows(
    units,
    of.findIndex((each) => each === part),
    places.isByHead === true ? block.numHeads : null,
  )
}

/** All weights of a model with their places in the files of its family. */
export function placedWeights({ blocks, parts, description }: Network, places: Places): PlacedWeight[] {
  const placed: PlacedWeight[] = []
  const put = (layer: Leaf, name: string, rows: Rows | null, isWhole = false): void => {
    const isMatrix = layer instanceof Projection
    for (const [suffix, matrix] of matricesOf(layer)) {
      if (matrix === null) continue
      const { outputs, inputs, format, variable } = matrix
      const isTransposed = isMatrix && suffix === 'weight' && places.isTransposed === true && !isWhole
      const { total, ranges } = rows ?? { total: outputs, ranges: [[0, outputs] as const] }
      const shape = [total, ...(format === null ? variable.shape.slice(1) : [inputs])]
      placed.push({
        matrix,
        name: `${name}.${suffix}`,
        isWhole,
        shape: isTransposed ? shape.toReversed() : shape,
        rows: ranges,
        isTransposed,
        offset: places.scalesFromOne === true && layer instanceof RMSNormalization ? 1 : 0,
      })
    }
  }
  for (const [part, layer] of parts)
    put(
      layer,
      nameOf(places.model[part], part),
      part === 'positions' ? positionRows(description) : null,
      part === 'head',
    )
  blocks.forEach((block, i) => {
    for (const part of BLOCK_PARTS) {
      const [layer, place] = [partOf(block, part), places.parts[part]]
      if (layer === null) continue
      if (place === undefined) throw internalError(`the family has no name for ${part}`)
      const prefix = places.block.replace('#', String(i))
      if (typeof place === 'string') put(layer, prefix + place, null)
      else {
        put(layer, prefix + place.name, rowsWithin(block, place, part, places))
      }
    }
  })
  return placed
}

/** The rows of the table of positions that steps have. */
function positionRows({ positions }: Description): Rows | null {
  return positions === undefined ? null : { total: positions.count, ranges: [[positions.offset, positions.count]] }
}

function nameOf(name: string | undefined, part: string): string {
  if (name === undefined) throw new FormatError(`the family has no name for ${part}`)
  return name
}

/** Tensors of which the normalizations of old files have the names of new ones: weight and bias for gamma and beta. */
export function withPlainNames<Stored>(tensors: ReadonlyMap<string, Stored>): ReadonlyMap<string, Stored> {
  const plain = (name: string): string =>
    name.replace(/LayerNorm\.(gamma|beta)$/, (_, old) => `LayerNorm.${old === 'gamma' ? 'weight' : 'bias'}`)
  return new Map([...tensors].map(([name, tensor]) => [plain(name), tensor]))
}

/** The prefix that the names of a file begin with. */
export function prefixIn(
  tensors: ReadonlyMap<string, unknown>,
  weights: readonly PlacedWeight[],
  { prefixes }: Places,
): string {
  const first = weights.find(({ isWhole }) => !isWhole)!
  return prefixes.find((prefix) => tensors.has(prefix + first.name)) ?? prefixes[0]!
}

/**
 * Checks that a file has every weight with the right shape, before any is read.
 * @throws FormatError naming the first that is missing or has another shape
 */
export function requireWeights(
  tensors: ReadonlyMap<string, StoredTensor>,
  weights: readonly PlacedWeight[],
  prefix: string,
  where: string,
): void {
  for (const { name, isWhole, shape } of weights) {
    const whole = isWhole ? name : prefix + name
    const tensor = tensors.get(whole)
    if (tensor === undefined) throw new FormatError(`${where} has no tensor ${quoted(whole)}, which the config needs`)
    if (formatShape(tensor.shape) !== formatShape(shape))
      throw new FormatError(
        `${where}: ${quoted(whole)} has the shape ${formatShape(tensor.shape)}, the config needs ${formatShape(shape)}`,
      )
  }
}
