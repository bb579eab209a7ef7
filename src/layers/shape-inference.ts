// The specs of a function's results, inferred by tracing it for several values of the extents that are open.

import { flatten, mapTree, type Tree } from '../core/tree'
import { restoreSeedState, seedState } from '../ops/random/seed'
import type { Tensor } from '../ops/tensor'
import { TensorSpec } from './spec'

/** The values of open extents in one trace. */
export interface AssumedExtents {
  /** Along the first axis of a tensor. */
  readonly batch: number
  /** Along its other axes. */
  readonly length: number
}

/**
 * An extent of a result is known if it is the same in all traces. A batch of 1 would be broadcast and squeezed. With the
 * lengths 2 and 3, axes that were exchanged still agree, and a part of fixed size differs from the whole axis. With 240
 * and 480, windows fit, and the results of pools, strides and remainders differ; both are multiples of many numbers of
 * parts.
 */
const EXTENTS: readonly AssumedExtents[] = [
  { batch: 2, length: 2 },
  { batch: 3, length: 3 },
  { batch: 2, length: 240 },
  { batch: 3, length: 480 },
]

/** Larger lengths, for functions that refuse those above, such as a convolution with a window of 400. */
const LONGER_EXTENTS: readonly AssumedExtents[] = [
  { batch: 2, length: 2240 },
  { batch: 3, length: 4480 },
]

/** The value of an open extent along an axis. */
export function openExtent(axis: number, { batch, length }: AssumedExtents): number {
  return axis === 0 ? batch : length
}

/**
 * Traces a function for different values of the open extents. If only the batch is open, each trace must succeed;
 * otherwise a function may refuse lengths, because it may need a length of some size.
 * @param specs of the inputs
 * @param traced traces the function, and throws for extents that it refuses
 * @param most the number of results that are needed at most
 * @param batches open batches of these extents are tried if no other fits: those of constants
 * @returns a single result without open extents, otherwise 2 or more, or `most`
 * @throws the last error for one of the usual lengths, if fewer traces succeed
 */
export function tracedForExtents<Result>(
  specs: readonly TensorSpec[],
  traced: (extents: AssumedExtents) => Result,
  most = EXTENTS.length,
  batches: () => readonly number[] = () => [],
): readonly Result[] {
  const isOpen = specs.some(({ shape }) => shape.includes(null))
  const least = Math.min(most, isOpen ? 2 : 1)
  if (!specs.some(({ shape }) => shape.includes(null, 1))) {
    try {
      return EXTENTS.slice(0, least).map(traced)
    } catch (error) {
      // A batch of 1 would be broadcast.
      for (const batch of batches().filter((each) => each > 1)) {
        try {
          return [traced({ batch, length: batch })]
        } catch {}
      }
      throw error
    }
  }
  const results: Result[] = []
  let refusal: unknown = null
  let seeds = seedState()
  const tryAll = (tried: readonly AssumedExtents[], enough: number): void => {
    for (const extents of tried) {
      if (results.length >= enough) return
      try {
        results.push(traced(extents))
        if (results.length <= 2) seeds = seedState()
      } catch (error) {
        refusal = error
      }
    }
  }
  tryAll(EXTENTS, most)
  const usual = refusal
  tryAll(LONGER_EXTENTS, least)
  // The number of traces does not change later random numbers.
  restoreSeedState(seeds)
  if (results.length < least) throw usual
  return results
}

/** The specs that agree with all results: an extent is open where they differ. */
export function commonSpecs([first, ...others]: readonly Tree<Tensor>[]): Tree<TensorSpec> {
  const rest = others.map((each) => flatten<Tensor>(each))
  let at = 0
  return mapTree(first!, ({ shape, dtype }) => {
    const same = rest.map((leaves) => leaves[at]?.shape)
    at++
    return new TensorSpec(
      shape.map((extent, axis) => (same.every((other) => other?.[axis] === extent) ? extent : null)),
      dtype,
    )
  })
}
