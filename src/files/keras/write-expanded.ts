// Calls of ops that Keras has only as several of its ops.

import { normalizeName } from '../../core/errors'
import { isRecord } from '../../core/tree'
import { originOf } from '../../layers/symbol'
import { Tensor } from '../../ops/tensor'
import { tensorOf } from '../containers/constants'

/** Calls an op on symbols of the graph. */
export type Caller = (op: string, ...input: readonly unknown[]) => Tensor

/** The last call in place of a call. */
interface Expanded {
  readonly op: string
  readonly input: readonly unknown[]
}

/** Keras takes complex numbers as a pair. */
const ofPair =
  (op: string): Expand =>
  (call, [x, ...others]) =>
    isRecord(x) || Array.isArray(x) ? null : { op, input: [{ real: x, imag: call('zerosLike', x) }, ...others] }

/** Whether a value is a constant that is one number. */
const isScalar = (value: unknown): boolean => value instanceof Tensor && originOf(value) === null && value.rank === 0

/** Keras takes a transformation for each image of a batch, not one for all. */
const ofImages =
  (op: string, points: number, rank: number): Expand =>
  (call, [images, ...others]) => {
    const transforms = others.slice(0, points)
    const areConstant = transforms.every((each) => originOf(each) === null || originOf(each) === undefined)
    if (originOf(images)?.spec.shape.length !== 4 || !areConstant) return null
    const tensors = transforms.map((each) => tensorOf(each, op))
    if (!tensors.every(({ shape }) => shape.length === rank || shape[0] === 1)) return null
    const zeros = call('zerosLike', call('getItem', images, [':', 0, 0, 0]))
    const forEach = call('reshape', zeros, [-1, ...new Array<number>(rank).fill(1)])
    return { op, input: [images, ...tensors.map((each) => call('add', forEach, each)), ...others.slice(points)] }
  }

type Expand = (call: Caller, input: readonly unknown[]) => Expanded | null

const EXPANDED: Readonly<Record<string, Expand>> = {
  // The bounds of Keras's class are numbers.
  clip: (call, input) => {
    const [x, least, most] = inOrder(input, ['x', 'xMin', 'xMax'])
    if ([least, most].every((each) => typeof each === 'number' || isScalar(each))) return null
    return { op: 'minimum', input: [call('maximum', x, least), most] }
  },
  scatterAdd: (call, input) => {
    const [updates, indices, size] = inOrder(input, ['updates', 'indices', 'size'])
    const [values, places] = [tensorOf(updates, 'scatterAdd'), tensorOf(indices, 'scatterAdd')]
    const isConstant = originOf(places) === null
    const rows = isConstant
      ? tensorOf({ data: places.data, shape: [...places.shape, 1] }, 'scatterAdd', 'int32')
      : call('expandDims', places, -1)
    return { op: 'scatter', input: [rows, values, [size, ...values.shape.slice(places.rank)]] }
  },
  // The keys of Keras's class are numbers and slices.
  getItem: (call, input) => {
    const [x, key] = inOrder(input, ['x', 'key'])
    const parts: readonly unknown[] = Array.isArray(key) ? key : [key]
    const at = parts.findIndex((each) => Array.isArray(each) || ArrayBuffer.isView(each) || each instanceof Tensor)
    if (at < 0) return null
    const rank = originOf(x)?.spec.shape.length ?? 0
    const used = parts.filter((each) => each !== null && each !== '...').length
    const axes = parts.slice(0, at).map((each) => (each === '...' ? rank - used : Number(typeof each !== 'number')))
    const axis = axes.reduce((sum, each) => sum + each, 0)
    const isWhole = parts.every((each, i) => i === at || each === ':' || each === '...')
    return { op: 'take', input: [isWhole ? x : call('getItem', x, parts.with(at, ':')), parts[at], axis] }
  },
  'image.affineTransform': ofImages('image.affineTransform', 1, 1),
  'image.perspectiveTransform': ofImages('image.perspectiveTransform', 2, 2),
  fft: ofPair('fft'),
  fft2: ofPair('fft2'),
  ifft2: ofPair('ifft2'),
  irfft: ofPair('irfft'),
  // Keras's class takes vectors.
  histogram: (call, [x, ...others]) => {
    const rank = originOf(x)?.spec.shape.length ?? 1
    return rank === 1 ? null : { op: 'histogram', input: [call('reshape', x, [-1]), ...others] }
  },
  // The size says whether the patches are those of volumes.
  'image.extractPatches3d': (_call, input) => {
    const [volumes, size] = inOrder(input, ['volumes', 'size'])
    if (typeof size !== 'number') return { op: 'image.extractPatches', input }
    return { op: 'image.extractPatches', input: [volumes, [size, size, size], ...input.slice(2)] }
  },
  // Keras's class needs all extents.
  rearrange: (call, input) => {
    const [x, pattern] = inOrder(input, ['tensor', 'pattern'])
    const shape = originOf(x)?.spec.shape ?? []
    if (!shape.includes(null) || typeof pattern !== 'string') return null
    const last = input.at(-1)
    const lengths = isRecord(last) ? last : {}
    const [from = [], to = []] = pattern.split('->').map(groupsOf)
    const [names, moved] = [from.flat(), to.flat()]
    const extents = new Map<string, number>()
    for (const [i, group] of from.entries()) {
      const known = group.filter((name) => name in lengths)
      for (const name of known) extents.set(name, Number(lengths[name]))
      const rest = group.filter((name) => !known.includes(name))
      const extent = shape[i] ?? null
      const size = known.reduce((product, name) => product * Number(lengths[name]), 1)
      // One extent of a shape may be open.
      if (rest.length === 1) extents.set(rest[0]!, extent === null ? -1 : extent / size)
    }
    const open = names.filter((name) => (extents.get(name) ?? -1) < 0)
    if (open.length > 1) return null
    const shapeOf = (groups: readonly string[][]): number[] =>
      groups
        .map((group) => group.reduce((product, name) => product * (extents.get(name) ?? -1), 1))
        .map((each) => Math.max(-1, each))
    const apart = from.every(({ length }) => length === 1)
      ? x
      : call('reshape', x, shapeOf(names.map((name) => [name])))
    const order = moved.map((name) => names.indexOf(name))
    if (to.every(({ length }) => length === 1)) return { op: 'transpose', input: [apart, order] }
    return { op: 'reshape', input: [call('transpose', apart, order), shapeOf(to)] }
  },
}

/** The axes of one side of a pattern: 'b (h w)' is [['b'], ['h', 'w']]. */
const groupsOf = (side: string): string[][] =>
  (side.match(/\([^)]*\)|[^\s()]+/g) ?? []).map((group) => group.match(/[^\s()]+/g) ?? [])

/** Arguments in order, some of which may come by name in an object at the end. */
function inOrder(input: readonly unknown[], names: readonly string[]): unknown[] {
  const last = input.at(-1)
  const named = isRecord(last) && !('data' in last) ? Object.entries(last) : []
  return names.map((name, i) => {
    const entry = named.find(([key]) => normalizeName(key) === normalizeName(name))
    return entry === undefined ? input[i] : entry[1]
  })
}

/** The call in place of which this one is written, after those that `call` makes; null for a call that is written as it is. */
export function expanded(op: string, input: readonly unknown[], call: Caller): Expanded | null {
  return Object.hasOwn(EXPANDED, op) ? EXPANDED[op]!(call, input) : null
}
