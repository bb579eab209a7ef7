// Loops for tests: the same function as a loop node and unrolled, node by node.

import { GraphBuilder } from '../../src/engine/transforms/builder'
import type { LoopAttributes } from '../../src/engine/ir/attributes'
import type { Value } from '../../src/engine/ir/graph'
import { Body } from '../../src/engine/ir/region'
import { loopPasses } from '../../src/engine/tape/loop-passes'

interface LoopOperands {
  readonly carries: readonly Value[]
  readonly scanned: readonly Value[]
  readonly captures: readonly Value[]
  readonly length: number
  readonly reverse?: boolean
  /** See LoopAttributes: the first carry or the first scanned operand is the condition. */
  readonly runs?: LoopAttributes['runs']
}

/** The body of one iteration. */
interface Turn {
  readonly carries: readonly Value[]
  readonly stacked: readonly Value[]
}

type TurnBody = (
  builder: GraphBuilder,
  carries: readonly Value[],
  slices: readonly Value[],
  captures: readonly Value[],
) => Turn

export type MakeLoop = (builder: GraphBuilder, operands: LoopOperands, body: TurnBody) => readonly Value[]

/** [...carries, ...stacked] of a loop. */
export const looped: MakeLoop = (builder, { carries, scanned, captures, length, reverse = false, runs }, body) => {
  const inside = new GraphBuilder()
  const parameters = (values: readonly Value[]): Value[] => values.map((value) => inside.parameter(value))
  const [carried, slices, captured] = [
    parameters(carries),
    scanned.map(({ shape, dtype }) => inside.parameter({ shape: shape.slice(1), dtype })),
    parameters(captures),
  ]
  const turn = body(inside, carried, slices, captured)
  const graph = inside.finish([...turn.carries, ...turn.stacked])
  return builder.emit('loop', [...carries, ...scanned, ...captures], {
    body: new Body(graph, loopPasses),
    length,
    carries: carries.length,
    scanned: scanned.length,
    reverse,
    runs,
  })
}

/** The same without a loop; at least one iteration. Where the condition is false, select discards what the body gives. */
export const unrolled: MakeLoop = (builder, { carries, scanned, captures, length, reverse = false, runs }, body) => {
  const { e } = builder
  let state = carries
  const rows: Value[][] = []
  for (let turn = 0; turn < length; turn++) {
    const t = reverse ? length - 1 - turn : turn
    const slices = scanned.map((x) =>
      e.reshape(
        e.slice(
          x,
          x.shape.map((_, i) => (i === 0 ? t : 0)),
          x.shape.map((n, i) => (i === 0 ? 1 : n)),
        ),
        x.shape.slice(1),
      ),
    )
    const condition = runs === undefined ? null : runs === 'while' ? state[0]! : slices[0]!
    const done = body(builder, state, slices, captures)
    const kept = (next: Value, otherwise: Value): Value =>
      condition === null ? next : e.select(condition, next, otherwise)
    const before = state
    state = done.carries.map((next, i) => kept(next, before[i]!))
    rows[t] = done.stacked.map((y) => e.reshape(kept(y, e.zeros(y)), [1, ...y.shape]))
  }
  return [
    ...state,
    ...rows[0]!.map((_, j) =>
      e.concat(
        rows.map((row) => row[j]!),
        0,
      ),
    ),
  ]
}
