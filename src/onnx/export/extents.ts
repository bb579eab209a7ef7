// Extents that are open: how numbers of a traced graph follow from them. A model is traced for several values of every open
// extent. A number that differs between the traces is a · s + c for an open extent s, or for the product of two.

import type { Shape } from '../../core/shapes'
import type { BatchShape } from '../../layers/spec'

/** A number of a graph, in each trace. */
export type Numbers = readonly number[]

/** An open extent of the inputs, or one that follows from them in no simple way, such as that of a pool. */
export interface OpenExtent {
  readonly name: string
  /** What has it: an input by its position, or a value by its name. */
  readonly source: number | string
  readonly axis: number
  readonly values: Numbers
}

/** factor · Π of + offset */
export interface Formula {
  readonly factor: number
  readonly of: readonly OpenExtent[]
  readonly offset: number
}

export const isFixed = (numbers: Numbers): boolean => numbers.every((each) => each === numbers[0])

export const sameNumbers = (a: Numbers, b: Numbers): boolean => a.every((each, i) => each === b[i])

/** The numbers of several lists in each trace, by their places. */
export function acrossTraces(lists: readonly (readonly number[])[]): Numbers[] {
  return lists[0]!.map((_, i) => lists.map((list) => list[i]!))
}

/** How numbers follow from open extents; null if they do in no simple way. */
export function formulaOf(numbers: Numbers, open: readonly OpenExtent[]): Formula | null {
  const products = open.flatMap((a, i) => open.slice(i).map((b) => [a, b]))
  for (const of of [...open.map((each) => [each]), ...products]) {
    const base = numbers.map((_, trace) => of.reduce((product, { values }) => product * values[trace]!, 1))
    const factor = (numbers[1]! - numbers[0]!) / (base[1]! - base[0]!)
    const offset = numbers[0]! - factor * base[0]!
    if (!Number.isInteger(factor) || !Number.isInteger(offset)) continue
    if (numbers.every((each, trace) => each === factor * base[trace]! + offset)) return { factor, of, offset }
  }
  return null
}

/** The shapes of the inputs in each trace, and the open extents that differ. */
export interface Probes {
  readonly open: readonly OpenExtent[]
  readonly traces: readonly (readonly Shape[])[]
}

const BATCHES: Numbers = [2, 3, 5, 7]
/** Odd and even, so that a half is no formula. */
const LENGTHS: Numbers = [24, 37, 29, 51]
/** For functions that need more, such as a convolution with a window of 400. */
const LONGER = 25

/** Ways to trace a model, the best first. `BATCH` names the first axis of all inputs. */
export function* probesFor(shapes: readonly BatchShape[], names: readonly string[]): Generator<Probes> {
  const isLong = shapes.some((shape) => shape.includes(null, 1))
  const isOpen = shapes.some((shape) => shape.includes(null))
  const count = isLong ? BATCHES.length : isOpen ? BATCHES.length - 1 : 1
  const batch = (source: number): OpenExtent => ({ name: 'batch', source, axis: 0, values: BATCHES.slice(0, count) })
  // Extents of their own, then one for all, as inputs may have to agree.
  for (const [isShared, scale] of isLong
    ? ([
        [false, 1],
        [true, 1],
        [false, LONGER],
        [true, LONGER],
      ] as const)
    : ([[true, 1]] as const)) {
    const open: OpenExtent[] = []
    const placed = shapes.map((shape, input) =>
      shape.map((extent, axis): OpenExtent | number => {
        if (extent !== null) return extent
        const found =
          axis === 0
            ? open.find(({ name }) => name === 'batch')
            : isShared
              ? open.find(({ name }) => name === 'length')
              : undefined
        if (found !== undefined) return found
        const more = open.length
        const values = LENGTHS.map((each, trace) => each * scale + 4 * more * (trace + 1))
        const made =
          axis === 0
            ? batch(input)
            : { name: isShared ? 'length' : `${names[input]}_${axis}`, source: input, axis, values }
        open.push(made)
        return made
      }),
    )
    const traces = Array.from({ length: count }, (_, trace) =>
      placed.map((shape) => shape.map((each) => (typeof each === 'number' ? each : each.values[trace]!))),
    )
    yield { open, traces }
  }
}
