// rearrange: axes that are divided, moved and joined by a pattern.

import { operand } from '../kinds'
import { arg, op, others } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { integer, nullAs, recordOf, text } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { asTensor } from '../convert'
import { reshape, transpose } from './shape'
import type { Tensor } from '../tensor'

/** The names of the axes that are one axis of the tensor: `b (h w)` → [['b'], ['h', 'w']]. */
type Groups = readonly (readonly string[])[]

/** One side of a pattern. @throws ArgumentError for anything but names and groups of names, and for a repeated name */
function readSide(side: string): Groups {
  const groups = (side.match(/\([^()]*\)|[^\s()]+|[()]/g) ?? []).map((each) => each.match(/[^\s()]+|^[()]$/g) ?? [''])
  const names = groups.flat()
  const wrong = names.find((name, i) => !/^[a-z]\w*$/i.test(name) || names.indexOf(name) < i)
  if (wrong === undefined) return groups
  const why = names.indexOf(wrong) === names.lastIndexOf(wrong) ? 'is not the name of an axis' : 'is there twice'
  throw new ArgumentError(`rearrange: ${quoted(wrong === '' ? '()' : wrong)} in ${quoted(side.trim())} ${why}`)
}

export const rearrange = op(
  () => [
    arg('tensor', operand),
    arg('pattern', text),
    others('axesLengths', nullAs(recordOf(integer({ min: 0 })), {})),
  ],
  {
    /**
     * Divides, moves and joins axes by a pattern of their names, as einops does: `(h w)` is one axis with the elements of h and
     * w. Each name is on both sides.
     *
     *   ops.rearrange(images, 'b h w c -> b c h w')                        [32, 30, 40, 3] → [32, 3, 30, 40]
     *   ops.rearrange(images, 'b h w c -> b (h w c)')                      [32, 30, 40, 3] → [32, 3600]
     *   ops.rearrange(images, 'b (h p) (w q) c -> b h w (p q c)', { p: 2, q: 2 })       patches of 2 × 2 pixels
     *
     * The dtype stays. Keras: `keras.ops.rearrange`.
     * @param axesLengths the lengths of axes in groups of the left side; one axis of each group may have none
     * @throws ArgumentError for a pattern that is not `names -> the same names`, and for a length of an unknown axis
     * @throws ShapeError for a tensor that the left side does not describe
     */
    rearrange(tensor, pattern, axesLengths = {}): Tensor {
      const value = asTensor(tensor, 'rearrange')
      const sides = pattern.split('->')
      if (sides.length !== 2)
        throw new ArgumentError(
          `rearrange: the pattern must have two sides, such as 'b h w c -> b (h w) c', received ${quoted(pattern)}`,
        )
      const [from, to] = exactly(sides.map(readSide), 2)
      const known = new Map(Object.entries(axesLengths))
      const [names, moved] = [from.flat(), to.flat()]
      const single = [...names, ...moved].find((name) => !(names.includes(name) && moved.includes(name)))
      if (single !== undefined)
        throw new ArgumentError(`rearrange: the axis '${single}' is on one side only of ${quoted(pattern)}`)
      const unused = [...known.keys()].find((name) => !names.includes(name))
      if (unused !== undefined)
        throw new ArgumentError(`rearrange: axesLengths has '${unused}', which is not an axis of ${quoted(pattern)}`)
      if (from.length !== value.rank)
        throw new ShapeError(
          `rearrange: the pattern ${quoted(pattern)} is for ${from.length} axes, received the shape ${formatShape(value.shape)}`,
        )
      const extents = from.flatMap((group, i) => dividedExtent(group, value.shape[i]!, known))
      const divided = reshape(value, extents)
      const order = moved.map((name) => names.indexOf(name))
      const joined = to.map((group) => sizeOf(group.map((name) => extents[names.indexOf(name)]!)))
      return reshape(transpose(divided, order), joined)
    },
  },
)

/** The lengths of the axes of a group. At most one of them is unknown. */
function dividedExtent(group: readonly string[], extent: number, known: ReadonlyMap<string, number>): number[] {
  const open = group.filter((name) => !known.has(name))
  if (open.length > 1)
    throw new ArgumentError(
      `rearrange: axesLengths must have all axes of (${group.join(' ')}) but one; it lacks ${open.join(' and ')}`,
    )
  const rest = sizeOf(group.map((name) => known.get(name) ?? 1))
  const isDivisible = open.length === 0 ? rest === extent : rest > 0 && extent % rest === 0
  if (!isDivisible) {
    const product = group.map((name) => known.get(name) ?? name).join(' · ')
    throw new ShapeError(`rearrange: the axis (${group.join(' ')}) must have ${product} elements, received ${extent}`)
  }
  return group.map((name) => known.get(name) ?? extent / rest)
}
