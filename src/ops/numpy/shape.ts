// Ops that rearrange elements: views cost nothing, joins and padding copy once. Also ops that create constant
// tensors.

import {
  axes as axesKind,
  axis,
  operand,
  operands,
  shape as shapeKind,
  unchecked,
  whole,
  wholeOrWholes,
} from '../kinds'
import { arg, op, optional } from '../op'
import { commonType, dtypes, type DType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { addMethods } from '../../core/methods'
import { nullable } from '../../core/options'
import { normalizeAxis, sameShape, sizeOf, type Shape } from '../../core/shapes'
import { readIndices, sliceAlong, takeAlong } from './along'
import {
  requireDType,
  requireInteger,
  requireIntegers,
  requireList,
  requireNumber,
  requireShape,
  resolveAxes,
} from '../arguments'
import { asNumbers, asTensor, numbersOf, storeNumbers, type Numbers, type TensorLike } from '../convert'
import { cast } from './elementwise'
import { Tensor } from '../tensor'
import { apply, joined } from '../trace'

export const reshape = op(
  () => [arg('x', operand), arg('newshape', unchecked<Shape>())],
  {
    /**
     * The same elements in another shape. One extent may be −1 and is then computed.
     * @throws ShapeError when the number of elements differs
     */
    reshape(x, newshape): Tensor {
      const value = asTensor(x, 'reshape')
      const full = inferShape(value.size, newshape)
      return sameShape(full, value.shape) ? value : apply('reshape', [value], { shape: full })[0]!
    },
  },
  { rearranges: true },
)

/** Replaces a −1 by the extent that makes the sizes equal. */
export function inferShape(size: number, shape: Shape): number[] {
  const extents = requireList('reshape: the shape', shape)
  const open = extents.indexOf(-1)
  const known = requireShape(
    'reshape',
    extents.filter((_, i) => i !== open),
  )
  if (open < 0) return known
  const rest = sizeOf(known)
  if (rest === 0 || requireInteger('reshape: the size', size, 0) % rest !== 0) {
    throw new ShapeError(`reshape: ${size} elements do not fit into ${formatShape(shape)}`)
  }
  return shape.map((extent, i) => (i === open ? size / rest : extent))
}

/** Permutes the axes. Reverses them when `axes` is omitted. */
export function transpose(x: TensorLike, axes?: readonly number[] | null): Tensor {
  const value = asTensor(x, 'transpose')
  const rank = value.shape.length
  const permutation =
    axes === undefined || axes === null
      ? value.shape.map((_, i) => rank - 1 - i)
      : requireIntegers('transpose: axes', axes).map((axis) => normalizeAxis('transpose', axis, rank))
  const isIdentity = permutation.length === rank && permutation.every((axis, i) => axis === i)
  return isIdentity ? value : apply('transpose', [value], { permutation })[0]!
}

/** Moves one axis to another position. The other axes keep their order. */
export function moveAxis(x: TensorLike, from: number, to: number): Tensor {
  const value = asTensor(x, 'moveAxis')
  const rank = value.shape.length
  const order = value.shape.map((_, i) => i)
  const [axis] = order.splice(normalizeAxis('moveAxis', from, rank), 1)
  order.splice(normalizeAxis('moveAxis', to, rank), 0, axis!)
  return transpose(value, order)
}

export const swapAxes = op(
  () => [arg('x', operand), arg('axis1', axis), arg('axis2', axis)],
  {
    /** Swaps two axes. */
    swapAxes(x, axis1, axis2): Tensor {
      const value = asTensor(x, 'swapAxes')
      const first = normalizeAxis('swapAxes', axis1, value.rank)
      const second = normalizeAxis('swapAxes', axis2, value.rank)
      const order = [...value.shape.keys()]
      order[first] = second
      order[second] = first
      return transpose(value, order)
    },
  },
  { rearranges: true },
)

/** Adds an extent of 1 at `axis`. */
export function expandDims(x: TensorLike, axis: number): Tensor {
  const value = asTensor(x, 'expandDims')
  const shape = [...value.shape]
  shape.splice(normalizeAxis('expandDims', axis, shape.length + 1), 0, 1)
  return reshape(value, shape)
}

export const squeeze = op(
  () => [arg('x', operand), optional('axis', axesKind)],
  {
    /** Removes axes of extent 1: those in `axis`, or all of them. */
    squeeze(x, axis = null): Tensor {
      const value = asTensor(x, 'squeeze')
      const axes =
        axis === null
          ? value.shape.flatMap((extent, i) => (extent === 1 ? [i] : []))
          : resolveAxes('squeeze', axis, value.rank)
      if (axes.some((each) => value.shape[each] !== 1)) {
        throw new ShapeError(`squeeze: the axes [${axes.join(', ')}] of ${formatShape(value.shape)} must all be 1`)
      }
      return reshape(
        value,
        value.shape.filter((_, i) => !axes.includes(i)),
      )
    },
  },
  { rearranges: true },
)

// The methods `reshape` and `squeeze` of tensors are added here, because tensor.ts must not import this file.
addMethods(Tensor.prototype, {
  reshape(this: Tensor, newshape: Shape): Tensor {
    return reshape(this, newshape)
  },
  squeeze(this: Tensor, axis?: number | readonly number[] | null): Tensor {
    return squeeze(this, axis)
  },
})

/** A block of `sizes` elements that starts at `starts`. A size of −1 reaches to the end of the axis. */
export function slice(x: TensorLike, starts: readonly number[], sizes: readonly number[]): Tensor {
  const value = asTensor(x, 'slice')
  const from = requireIntegers('slice: starts', starts, 0)
  const counts = requireIntegers('slice: sizes', sizes, -1)
  if (from.length !== value.rank || counts.length !== value.rank) {
    throw new ShapeError(
      `slice: needs a start and a size for each axis of ${formatShape(value.shape)}, received ${quoted(starts)} and ${quoted(sizes)}`,
    )
  }
  return apply('slice', [value], {
    starts: from,
    sizes: counts.map((size, i) => (size === -1 ? value.shape[i]! - from[i]! : size)),
  })[0]!
}

/** The elements of a list as tensors. @throws ArgumentError if it has none */
export function listOfTensors(where: string, xs: readonly TensorLike[]): Tensor[] {
  const values = requireList(`${where}: the operand`, xs).map((_, i) => asTensor(xs[i]!, where))
  if (values.length === 0) throw new ArgumentError(`${where}: expected at least one tensor, received none`)
  return values
}

export const concatenate = op(
  () => [arg('xs', operands), optional('axis', axis)],
  {
    /**
     * Joins tensors along an existing axis. Mixed dtypes are converted to the highest: bool < int32 < float32.
     * Default axis 0.
     */
    concatenate(xs, axis = 0): Tensor {
      const values = listOfTensors('concatenate', xs)
      const at = normalizeAxis('concatenate', axis, values[0]!.rank)
      const dtype = commonType(values.map((value) => value.dtype))
      return apply(
        'concat',
        values.map((value) => cast(value, dtype)),
        { axis: at },
      )[0]!
    },
  },
  { rearranges: true },
)

export const stack = op(
  () => [arg('x', operands), optional('axis', axis)],
  {
    /** Joins tensors of the same shape along a new axis. */
    stack(x, axis = 0): Tensor {
      const values = listOfTensors('stack', x)
      const at = normalizeAxis('stack', axis, values[0]!.rank + 1)
      const different = values.find(({ shape }) => !sameShape(shape, values[0]!.shape))
      if (different !== undefined) {
        throw new ShapeError(
          `stack: the shapes must be equal, received ${formatShape(values[0]!.shape)} and ${formatShape(different.shape)}`,
        )
      }
      return joined(`stack ${at}`, values, (tensors) =>
        concatenate(
          tensors.map((value) => expandDims(value, at)),
          at,
        ),
      )
    },
  },
  { rearranges: true },
)

export const split = op(
  () => [arg('x', operand), arg('indicesOrSections', wholeOrWholes(1, 0)), optional('axis', axis)],
  {
    /**
     * Splits an axis into parts: `split(x, 3)` into 3 equal parts, `split(x, [2, 5])` before elements 2 and 5.
     * @throws ShapeError when the axis cannot be split that way
     */
    split(x, indicesOrSections, axis = 0): Tensor[] {
      const value = asTensor(x, 'split')
      const at = normalizeAxis('split', axis, value.rank)
      const extent = value.shape[at]!
      const bounds = [0, ...cuts(indicesOrSections, extent, at), extent]
      return bounds.slice(1).map((end, i) => sliceAlong(value, at, bounds[i]!, end - bounds[i]!))
    },
  },
)

/** Limits the number of parts: an empty axis can be split into any number of them. */
export const MOST_PARTS = 65536

/** The positions at which an axis of `extent` elements is split. */
function cuts(sections: number | readonly number[], extent: number, axis: number): readonly number[] {
  if (typeof sections !== 'number') {
    if (sections.every((index, i) => index <= extent && index >= (sections[i - 1] ?? 0))) return sections
    throw new ShapeError(`split: the indices must increase from 0 to ${extent}, received ${quoted(sections)}`)
  }
  if (extent % sections !== 0 || sections > MOST_PARTS)
    throw new ShapeError(`split: ${extent} elements of axis ${axis} cannot be split into ${sections} equal parts`)
  return Array.from({ length: sections - 1 }, (_, i) => ((i + 1) * extent) / sections)
}

export const unstack = op(() => [arg('x', operand), optional('num', nullable(whole(0))), optional('axis', axis)], {
  /**
   * The slices along an axis, without that axis. The inverse of `stack`.
   * @param num the expected number of slices, which is checked. Default null: no check
   */
  unstack(x, num = null, axis = 0): Tensor[] {
    const value = asTensor(x, 'unstack')
    const at = normalizeAxis('unstack', axis, value.rank)
    const extent = value.shape[at]!
    if (num !== null && num !== extent)
      throw new ShapeError(`unstack: axis ${at} of ${formatShape(value.shape)} has ${extent} slices, not ${num}`)
    return Array.from({ length: extent }, (_, i) => squeeze(sliceAlong(value, at, i, 1), at))
  },
})

export const flip = op(
  () => [arg('x', operand), optional('axis', axesKind)],
  {
    /** Reverses the order of elements along axes; along all axes when omitted. */
    flip(x, axis = null): Tensor {
      const value = asTensor(x, 'flip')
      return apply('reverse', [value], { axes: resolveAxes('flip', axis, value.rank) })[0]!
    },
  },
  { rearranges: true },
)

export const broadcastTo = op(
  () => [arg('x', operand), arg('shape', shapeKind)],
  {
    /** Repeats axes of extent 1 until x has the shape `shape`. */
    broadcastTo(x, shape): Tensor {
      return apply('broadcastTo', [asTensor(x, 'broadcastTo')], { shape })[0]!
    },
  },
  { rearranges: true },
)

export const repeat = op(
  () => [arg('x', operand), arg('repeats', unchecked<Numbers>()), optional('axis', nullable(axis))],
  {
    /**
     * Repeats each element `repeats` times: repeat([1, 2], 3) = [1, 1, 1, 2, 2, 2].
     * @param repeats one number for all elements, or one per element along the axis; also as a tensor
     * @param axis of x; if omitted, x is flattened in row-major order
     */
    repeat(x, repeats, axis = null): Tensor {
      const operand = asTensor(x, 'repeat')
      const value = axis === null ? reshape(operand, [operand.size]) : operand
      const at = axis === null ? 0 : normalizeAxis('repeat', axis, value.rank)
      const extent = value.shape[at]!
      const every = numbersOf(repeats)
      const counts = typeof every === 'number' ? [every] : requireIntegers('repeat: repeats', every, 0)
      if (counts.length !== 1) {
        if (counts.length !== extent)
          throw new ShapeError(
            `repeat: axis ${at} of ${formatShape(value.shape)} needs ${extent} repeats, received ${quoted(counts)}`,
          )
        const length = counts.reduce((a, b) => a + b, 0)
        requireShape('repeat', [...value.shape.filter((_, i) => i !== at), length])
        const indices = new Int32Array(length)
        let from = 0
        counts.forEach((count, i) => indices.fill(i, from, (from += count)))
        return extent === 0 ? value : takeAlong(value, new Tensor(indices, [indices.length], 'int32'), at)
      }
      const count = requireInteger('repeat: repeats', counts[0], 0)
      const wide = requireShape('repeat', [...value.shape.slice(0, at + 1), count, ...value.shape.slice(at + 1)])
      return joined(`repeat ${count} ${at}`, [value], ([x]) =>
        reshape(
          broadcastTo(expandDims(x!, at + 1), wide),
          value.shape.map((size, i) => (i === at ? size * count : size)),
        ),
      )
    },
  },
  { rearranges: true },
)

export const tile = op(
  () => [arg('x', operand), arg('repeats', wholeOrWholes(0))],
  {
    /**
     * Repeats the whole tensor: tile([1, 2], 2) = [1, 2, 1, 2]. `repeats` aligns with the last axes, as in
     * broadcasting.
     */
    tile(x, repeats): Tensor {
      const value = asTensor(x, 'tile')
      const counts = typeof repeats === 'number' ? [repeats] : repeats
      const rank = Math.max(counts.length, value.rank)
      const shape = [...new Array<number>(rank - value.rank).fill(1), ...value.shape]
      const all = [...new Array<number>(rank - counts.length).fill(1), ...counts]
      // [a, b] → [1, a, 1, b] → [ra, a, rb, b] → [ra·a, rb·b]
      const wide = requireShape(
        'tile',
        shape.flatMap((extent, i) => [all[i]!, extent]),
      )
      return joined(`tile ${all.join()}`, [value], ([x]) => {
        const apart = reshape(
          x!,
          shape.flatMap((extent) => [1, extent]),
        )
        return reshape(
          broadcastTo(apart, wide),
          shape.map((extent, i) => all[i]! * extent),
        )
      })
    },
  },
  { rearranges: true },
)

export const take = op(() => [arg('x', operand), arg('indices', operand), optional('axis', nullable(axis))], {
  /**
   * Picks slices along an axis: result[…, i, …] = x[…, indices[i], …]. Negative indices count from the end.
   *
   * A traced function cannot check index values. As in Keras on JAX, an index outside the axis then gives NaN, the least
   * int32 or true, and has no gradient.
   * @param axis of x; if omitted, x is flattened in row-major order
   * @throws DataError for an index outside the axis, when the indices are data
   * @example ops.take([10, 20, 30], [0, -1])   // [10, 30]
   */
  take(x, indices, axis = null): Tensor {
    const operand = asTensor(x, 'take')
    const value = axis === null ? reshape(operand, [operand.size]) : operand
    const at = axis === null ? 0 : normalizeAxis('take', axis, value.rank)
    return takeAlong(value, readIndices('take', indices, value.shape[at]!), at)
  },
})

export const scatterAdd = op(
  () => [arg('updates', operand), arg('indices', operand), arg('size', whole(0)), optional('axis', axis)],
  {
    /**
     * The adjoint of `take`: adds updates, by index, to zeros of extent `size` along `axis`. Updates with equal indices add
     * up; negative indices count from the end. In a traced function, slices whose index is outside the axis are dropped.
     * int32 stays int32.
     * @throws DataError for an index outside the axis, when the indices are data
     */
    scatterAdd(updates, indices, size, axis = 0): Tensor {
      const value = asNumbers(updates, 'scatterAdd')
      const index = readIndices('scatterAdd', indices, size)
      const at = normalizeAxis('scatterAdd', axis, value.rank)
      const extent = requireInteger('scatterAdd: size', size, index.size === 0 ? 0 : 1)
      requireShape('scatterAdd', [...value.shape.slice(0, at), extent, ...value.shape.slice(at + index.rank)])
      return apply('scatterAdd', [value, index], { axis: at, size: extent })[0]!
    },
  },
)

/** A tensor whose elements are all `value`. */
export function full(shape: Shape, value: number, dtype?: DType | null): Tensor {
  const extents = requireShape('full', shape)
  const type = requireDType('full', dtype ?? 'float32')
  const element = storeNumbers(type, [requireNumber('full: value', value)], 'full')[0]!
  return new Tensor(new dtypes[type].array(sizeOf(extents)).fill(element), extents, type)
}

/** Zeros. The dtype is float32 by default. Keras: `keras.ops.zeros`. */
export const zeros = (shape: Shape, dtype?: DType | null): Tensor => full(shape, 0, dtype)
/** Ones. The dtype is float32 by default. Keras: `keras.ops.ones`. */
export const ones = (shape: Shape, dtype?: DType | null): Tensor => full(shape, 1, dtype)
/** Zeros with the shape of x, and with its dtype unless `dtype` is set. */
export const zerosLike = (x: TensorLike, dtype?: DType | null): Tensor => likewise('zerosLike', x, 0, dtype)
/** Ones with the shape of x, and with its dtype unless `dtype` is set. */
export const onesLike = (x: TensorLike, dtype?: DType | null): Tensor => likewise('onesLike', x, 1, dtype)

function likewise(where: string, x: TensorLike, value: number, dtype: DType | null | undefined): Tensor {
  const like = asTensor(x, where)
  return full(like.shape, value, dtype ?? like.dtype)
}

/**
 * start, start + step, … below stop. With one argument: 0, 1, … below that number.
 * @param dtype default int32 if all numbers are integers, else float32
 * @example ops.arange(3)   // [0, 1, 2]
 */
export function arange(start: number, stop?: number | null, step?: number | null, dtype?: DType | null): Tensor {
  const [from, to] = stop === undefined || stop === null ? [0, start] : [start, stop]
  const by = step ?? 1
  if (by === 0) throw new ArgumentError('arange: step must not be 0')
  const type = requireDType(
    'arange',
    dtype ?? ([from, to, by].every((each) => (each | 0) === each) ? 'int32' : 'float32'),
  )
  const [length] = requireShape('arange', [Math.max(0, Math.ceil((to - from) / by))])
  const elements = Float64Array.from({ length: length! }, (_, i) => from + i * by)
  return new Tensor(storeNumbers(type, elements, 'arange'), [length!], type)
}

/**
 * [rows, columns] with ones on diagonal k, which is k columns right of the main diagonal. Default k 0: the
 * identity matrix.
 */
export function eye(rows: number, columns?: number | null, k = 0, dtype?: DType | null): Tensor {
  const [m, n] = requireShape('eye', [rows, columns ?? rows])
  const type = requireDType('eye', dtype ?? 'float32')
  const data = new dtypes[type].array(m * n)
  for (let i = Math.max(0, -k); i < m && i + k < n; i++) data[i * n + i + k] = 1
  return new Tensor(data, [m, n], type)
}
