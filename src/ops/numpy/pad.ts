// Padding of tensors.

import { anyNumber, operand, unchecked } from '../kinds'
import { arg, op, optional } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { choice, either, nullable } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { requireIntegers, requireList, requireShape } from '../arguments'
import { asTensor, storeNumbers } from '../convert'
import { sliceAlong, takeAlong } from './along'
import { concatenate, flip } from './shape'
import { Tensor } from '../tensor'
import { apply, joined } from '../trace'

export type PadMode = 'constant' | 'edge' | 'reflect' | 'symmetric'

/** The source index of position i, which may be outside an axis of n elements. */
const SOURCES: Readonly<Record<Exclude<PadMode, 'constant'>, (i: number, n: number) => number>> = {
  edge: (i, n) => Math.min(Math.max(i, 0), n - 1),
  // 2 1 | 0 1 2 | 1 0
  reflect: (i, n) => (n === 1 ? 0 : fold(i, 2 * n - 2, (at) => 2 * n - 2 - at, n)),
  // 1 0 | 0 1 2 | 2 1
  symmetric: (i, n) => fold(i, 2 * n, (at) => 2 * n - 1 - at, n),
}

function fold(i: number, period: number, back: (at: number) => number, n: number): number {
  const at = ((i % period) + period) % period
  return at < n ? at : back(at)
}

type Pair = readonly [number, number]
/** Before and after an axis. */
type Width = Pair | readonly [number]

const isNumber = (value: unknown): boolean => typeof value === 'number'

export const pad = op(
  () => [
    arg('x', operand),
    arg('padWidth', unchecked<number | Width | readonly Width[]>()),
    optional('mode', either(anyNumber, choice('constant', 'edge', 'reflect', 'symmetric'), isNumber)),
    optional('constantValues', nullable(anyNumber)),
  ],
  {
    /**
     * Pads a tensor.
     * @param padWidth [before, after] for each axis; or one pair, or one number, for all axes; [n] stands for [n, n]
     * @param mode `constant`: one value. `edge`: the outermost element. `reflect`: mirrored without repeating the outermost
     *   element. `symmetric`: mirrored with it. A number means `constant` with this value. Default constant.
     * @param constantValues the value of `constant`. Default 0.
     * @example ops.pad([1, 2, 3], [[2, 1]], 'reflect')   // [3, 2, 1, 2, 3, 2]
     * @throws ShapeError when the widths do not fit the shape, or an empty axis would have to be repeated
     */
    pad(x, padWidth, mode = 'constant', constantValues = null): Tensor {
      const operand = asTensor(x, 'pad')
      const pairs = pairsOf(operand.shape, padWidth)
      requireShape(
        'pad',
        operand.shape.map((extent, i) => pairs[i]![0] + extent + pairs[i]![1]),
      )
      if (mode !== 'constant' && constantValues !== null)
        throw new ArgumentError(`pad: constantValues requires the mode 'constant', received the mode ${quoted(mode)}`)
      if (typeof mode === 'number') return padConstant(operand, pairs, mode)
      if (mode === 'constant') return padConstant(operand, pairs, constantValues ?? 0)
      return joined(`pad ${mode} ${pairs.join(' ')}`, [operand], ([source]) =>
        // From the last axis to the first: the parts that the first axis adds are then written to their places in the result.
        pairs.reduceRight(
          (value, pair, axis) => (pair[0] + pair[1] === 0 ? value : extend(value, axis, pair, mode)),
          source!,
        ),
      )
    },
  },
)

function pairsOf(shape: Shape, padWidth: unknown): Pair[] {
  if (typeof padWidth === 'number') return pairsOf(shape, [padWidth, padWidth])
  const list = requireList('pad: padding', padWidth)
  const each = list.length > 0 && list.every((item) => typeof item === 'number') ? [list] : list
  const pairs = each.map((pair, i) => requireIntegers(`pad: padding[${i}]`, pair, 0))
  // As NumPy broadcasts it to [axes, 2].
  const fits = pairs.length === 1 || pairs.length === shape.length
  if (fits && pairs.every(({ length }) => length === 1 || length === 2))
    return shape.map((_, axis) => {
      const pair = pairs[pairs.length === 1 ? 0 : axis]!
      return [pair[0]!, pair.at(-1)!]
    })
  throw new ShapeError(
    `pad: expected [before, after] for each axis of ${formatShape(shape)}, received ${quoted(padWidth)}`,
  )
}

function padConstant(x: Tensor, pairs: readonly Pair[], value: number): Tensor {
  const stored = storeNumbers(x.dtype, [value], 'pad: value')[0]!
  const [before, after] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])]
  return apply('pad', [x], { before, after, value: x.dtype === 'float32' ? value : stored })[0]!
}

function extend(x: Tensor, axis: number, [before, after]: Pair, mode: Exclude<PadMode, 'constant'>): Tensor {
  const extent = x.shape[axis]!
  if (extent === 0) throw new ShapeError(`pad: axis ${axis} of ${formatShape(x.shape)} has no element to repeat`)
  // Both ends are mirrored parts of x, unless they are longer than it.
  const skipped = mode === 'reflect' ? 1 : 0
  if (mode !== 'edge' && Math.max(before, after) <= extent - skipped) {
    const mirrored = (start: number, size: number): Tensor[] =>
      size === 0 ? [] : [flip(sliceAlong(x, axis, start, size), axis)]
    return concatenate([...mirrored(skipped, before), x, ...mirrored(extent - skipped - after, after)], axis)
  }
  const sourceOf = SOURCES[mode]
  const length = before + extent + after
  return takeAlong(
    x,
    new Tensor(
      Int32Array.from({ length }, (_, i) => sourceOf(i - before, extent)),
      [length],
      'int32',
    ),
    axis,
  )
}
