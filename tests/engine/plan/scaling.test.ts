// Planning time is proportional to the number of nodes. Times are the minimum of several runs, and limits are ratios,
// so that a busy or a slow machine changes nothing.

import { expect, inject, it } from 'vitest'
import { GraphBuilder } from '../../../src/engine/transforms/builder'
import type { Graph } from '../../../src/engine/ir/graph'
import { planTape } from '../../../src/engine/tape'
import { encode } from '../../../src/engine/tape/encode'
import { denseStep, recurrentStep } from './training-graphs'
import { processorTime } from '../../helpers/processor-time'

const slab = { address: 0, byteLength: 0 }

/** Many chains of one small shape, open at the same time. */
function manyChains(count: number): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const x = builder.parameter({ shape: [16], dtype: 'float32' })
  let sum = x
  for (let i = 0; i < count; i++) sum = e.add(e.sum(e.reshape(e.sin(e.multiply(x, i)), [4, 4]), [0, 1]), sum)
  return builder.finish([sum])
}

/** Views of views of a constant. */
function manyViews(count: number): Graph {
  const builder = new GraphBuilder()
  const { e } = builder
  const x = builder.parameter({ shape: [2, 3], dtype: 'float32' })
  let two = e.broadcastTo(e.scalar(2), [2, 3])
  let sum = x
  for (let i = 0; i < count; i++) {
    two = builder.emitOne('transpose', [two], { permutation: [1, 0] })
    sum = e.multiply(i % 2 === 0 ? e.transposeMatrix(two) : two, sum)
  }
  return builder.finish([sum])
}

/** The least processor time of several runs, in milliseconds. */
function leastTime(runs: number, body: () => unknown): number {
  let least = Infinity
  for (let i = 0; i < runs; i++) {
    const start = processorTime()
    body()
    least = Math.min(least, processorTime() - start)
  }
  return least
}

const planned = (graph: Graph) => (): unknown => encode(planTape(graph, { fuse: true }).instructions, () => 0)

const kinds = {
  'dense layers': (n: number) => denseStep(8, new Array<number>(n).fill(4), 'tanh', slab),
  'an unrolled recurrence': (n: number) => recurrentStep(4, n, 3, 4, slab),
  'small chains': manyChains,
  'views of a constant': manyViews,
}
const names = Object.keys(kinds) as (keyof typeof kinds)[]

// The planner is the same in every mode.
const once = it.skipIf(inject('mode') !== 'simd')

once.each(names)('%s: six times the nodes take about six times as long', (name) => {
  const make = kinds[name]
  const [small, large] = [make(100), make(600)]
  // Six small ones against a large one: both leave the same amount to the garbage collector.
  const six = (): void => {
    for (let i = 0; i < 6; i++) planned(small)()
  }
  const ratio = large.nodes.length / (6 * small.nodes.length)
  leastTime(2, six)
  // Quadratic time would be six times as much. Repeated, in case other work had the machine.
  let [least, most] = [Infinity, Infinity]
  for (let round = 0; round < 12 && !(most < 3 * ratio * least); round++) {
    least = Math.min(least, leastTime(2, six))
    most = Math.min(most, leastTime(2, planned(large)))
  }
  expect(most / least).toBeLessThan(3 * ratio)
})

/** Text, maps and small objects, as in the planner: the unit of the budgets. */
function fixedWork(): number {
  const seen = new Map<string, { readonly shape: readonly number[] }>()
  for (let i = 0; i < 10_000; i++) {
    const shape = [i % 7, i % 11, 3].map((extent) => extent + 1)
    seen.set(`${i} ${JSON.stringify({ shape })}`, { shape })
  }
  return seen.size
}

once('a thousand nodes cost no more than a fixed piece of work', () => {
  const graph = denseStep(8, new Array<number>(130).fill(4), 'tanh', slab)
  leastTime(3, planned(graph))
  leastTime(3, fixedWork)
  const measure = (): number => (1000 / graph.nodes.length) * (leastTime(8, planned(graph)) / leastTime(8, fixedWork))
  let measured = measure()
  for (let again = 0; again < 6 && measured > 6; again++) measured = Math.min(measured, measure())
  expect(measured).toBeLessThan(6)
})
