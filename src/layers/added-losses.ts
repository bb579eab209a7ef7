// The losses that layers added in their last call, for custom training loops. Within a step of fit they are in the
// context.

import { nextNumber } from '../core/numbers'
import type { Tensor } from '../ops/tensor'
import { currentTrace } from '../ops/trace'
import type { CallContext } from './context'
import { listsOf } from './weight-lists'

/** A loss and its position among all losses. */
interface Added {
  readonly at: number
  readonly loss: Tensor
}

/** By layer. */
type Table = WeakMap<object, Added[]>

/** By trace, so that symbols are freed together with their trace. */
const tables = new WeakMap<object, Table>()
/** The key for immediate execution, without a trace. */
const untraced = {}

/** Runs the outermost call of a layer. Its losses replace those of the previous call. */
export function keepingLosses<Result>(layer: object, context: CallContext, call: () => Result): Result {
  const first = context.losses.length
  const result = call()
  const trace = currentTrace() ?? untraced
  const losses = context.losses.slice(first)
  let table = tables.get(trace)
  if (table === undefined && losses.length === 0) return result
  if (table === undefined) tables.set(trace, (table = new WeakMap()))
  const sublayers = new Set(listsOf(layer).layers)
  for (const each of sublayers) table.delete(each)
  losses.forEach((loss, i) => {
    const origin = context.lossOrigins[first + i] ?? null
    // A layer that is created during the call does not belong to the layer.
    const owner = origin !== null && sublayers.has(origin) ? origin : layer
    const added = table.get(owner) ?? []
    table.set(owner, [...added, { at: nextNumber(), loss }])
  })
  return result
}

/** The losses that these layers added in their last call, in the order in which they were added. */
export function addedLosses(layers: readonly object[]): Tensor[] {
  const table = tables.get(currentTrace() ?? untraced)
  if (table === undefined) return []
  return layers
    .flatMap((layer) => table.get(layer) ?? [])
    .sort((a, b) => a.at - b.at)
    .map(({ loss }) => loss)
}
