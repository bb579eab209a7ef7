// Extents that are open: how numbers of a traced graph follow from them. A model is traced for several values of every open
// extent. A number that differs between the traces is a · s + c for an open extent s, or for the product of two.

import type { Shape } from '../../../core/shapes'
import type { BatchShape } from '../../../layers/spec'

/** A number of a graph, in each trace. */
export type Numbers = readonly number[]

/** An open extent of the inputs, or one that is not a simple function of them, such as that of a pool. */
export interface OpenExtent {
  readonly name: string
  /** The tensor that has it: an input by its position, or a value by its name. */
  readonly source: number | string
  readonly axis: number
  readonly values: Numbers
}

/** (factor · Π of + offset) / divisor */
export interface Formula {
  readonly factor: number
  readonly of: readonly OpenExtent[]
  readonly offset: number
  readonly divisor: number
}

export const isFixed = (numbers: Numbers): boolean => numbers.every((each) => each === numbers[0])

export const sameNumbers = (a: Numbers, b: Numbers): boolean => a.every((each, i) => each === b[i])

/** The numbers of several lists in each trace, by their places. */
export function acrossTraces(lists: readonly (readonly number[])[]): Numbers[] {
  return lists[0]!.map((_, i) => lists.map((list) => list[i]!))
}

const MOST_PARTS = 64

/** The formula of numbers in open extents; null if there is no simple one. */
export function formulaOf(numbers: Numbers, open: readonly OpenExtent[]): Formula | null {
  const products = open.flatMap((a, i) => open.slice(i).map((b) => [a, b]))
  for (const of of [...open.map((each) => [each]), ...products]) {
    const base = numbers.map((_, trace) => of.reduce((product, { values }) => product * values[trace]!, 1))
    const [rise, run] = [numbers[1]! - numbers[0]!, base[1]! - base[0]!]
    const divisor = Math.abs(run) / divisorOf(Math.abs(rise), Math.abs(run))
    const factor = (rise * divisor) / run
    const offset = numbers[0]! * divisor - factor * base[0]!
    if (!(divisor <= MOST_PARTS)) continue
    if (numbers.every((each, trace) => each * divisor === factor * base[trace]! + offset))
      return { factor, of, offset, divisor }
  }
  return null
}

/** The greatest common divisor. */
const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b))

/** The shapes of the inputs in each trace, and the open extents that differ. */
export interface TraceShapes {
  readonly open: readonly OpenExtent[]
  readonly traces: readonly (readonly Shape[])[]
}

/** Values of an open extent, and what is added for each extent before it. */
interface Values {
  readonly first: Numbers
  readonly more: Numbers
}

const BATCHES: Values = { first: [2, 3, 5, 7], more: [0, 0, 0, 0] }
/** Odd and even, so that no formula with a half fits. */
const LENGTHS: Values = { first: [24, 37, 29, 51], more: [4, 8, 12, 16] }
const PARTS: Values = { first: [6, 10, 7, 9], more: [1, 3, 2, 5] }
const times = ({ first, more }: Values, scale: number): Values => ({
  first: first.map((each) => each * scale),
  more: more.map((each) => each * scale),
})
/**
 * Lengths to try, in order. Long ones are for functions with large windows, such as a convolution with a window of 400; short ones for
 * tables of few positions. Multiples of 2 to 32 are for functions that accept only multiples, such as a U-Net; the smallest multiple that
 * works comes first.
 */
const MOST_LENGTHS: readonly Values[] = [
  LENGTHS,
  times(LENGTHS, 25),
  ...[1, 2, 4, 8, 16, 32].map((scale) => times(PARTS, scale)),
]

/**
 * Ways to trace a model, the best first. The first axis of all inputs is the batch. The extents are chosen so that none is a simple
 * function of others.
 */
export function* traceShapesFor(shapes: readonly BatchShape[], names: readonly string[]): Generator<TraceShapes> {
  if (!shapes.some((shape) => shape.includes(null, 1))) {
    yield placed(
      shapes,
      BATCHES.first.slice(0, shapes.some((shape) => shape.includes(null)) ? 3 : 1),
      () => 'batch',
      BATCHES,
    )
    return
  }
  const apart = (input: number, axis: number): string => (axis === 0 ? 'batch' : `${names[input]}_${axis}`)
  // Inputs may have to agree.
  const together = (_: number, axis: number): string => (axis === 0 ? 'batch' : 'length')
  for (const lengths of MOST_LENGTHS) {
    yield placed(shapes, BATCHES.first, apart, lengths)
    yield placed(shapes, BATCHES.first, together, lengths)
  }
  // The batch may be another axis of a state.
  yield placed(shapes, LENGTHS.first, () => 'batch', LENGTHS)
}

function placed(
  shapes: readonly BatchShape[],
  batches: Numbers,
  nameOf: (input: number, axis: number) => string,
  lengths: Values,
): TraceShapes {
  const open: OpenExtent[] = []
  const extents = shapes.map((shape, source) =>
    shape.map((extent, axis): Numbers => {
      if (extent !== null) return batches.map(() => extent)
      const name = nameOf(source, axis)
      const found = open.find((each) => each.name === name)
      if (found !== undefined) return found.values
      const before = open.filter((each) => each.name !== 'batch').length
      const values =
        name === 'batch' ? batches : lengths.first.map((each, trace) => each + before * lengths.more[trace]!)
      open.push({ name, source, axis, values })
      return values
    }),
  )
  return { open, traces: batches.map((_, trace) => extents.map((shape) => shape.map((numbers) => numbers[trace]!))) }
}
