// Kernels of rows give the same results on a device with subgroups and on one without.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../src/engine/ir/graph'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { moduleOf } from '../../../src/engine/webgpu/module'
import { expectClose } from '../../helpers/compare'
import { floats } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { makeGpu } from './adapter'
import { runOn } from './run-on'

const devices = { without: await makeGpu(false), with: await makeGpu(true) }

const body = (builder: GraphBuilder, [x]: readonly Value[]): readonly Value[] => [
  builder.emitOne('softmax', [x!], {}),
  builder.emitOne('logSoftmax', [x!], {}),
]

it('only a module that combines rows uses subgroups', () => {
  const rows = 'fn run(group: u32, thread: u32) { memory[0] = u32(rowSum(thread, 1.0)); }'
  expect(moduleOf(rows, true)).toContain('enable subgroups;')
  expect(moduleOf(rows, false)).not.toContain('subgroup')
  expect(moduleOf('fn run(group: u32, thread: u32) {}', true)).not.toContain('subgroup')
})

describe.each(['without', 'with'] as const)('%s subgroups', (name) => {
  const gpu = devices[name]
  // Fewer columns than threads of a subgroup, than threads of a workgroup, and more than both.
  it.skipIf(gpu === null).each([1, 3, 63, 64, 65, 200])('rows of %i', async (columns) => {
    const x = floats([5, columns], -9, 9)
    const graph = graphOf([x], body)
    const { outputs: expected } = interpretWide(graph, [x])
    const { outputs } = await runOn(gpu!, graph, [x])
    outputs.forEach((each, i) =>
      expectClose(each, expected[i]!, { ulp: 8, absolute: 1e-5, signedZero: false }, `output ${i}`),
    )
  })

  it.skipIf(gpu === null)('a row with NaN', async () => {
    const numbers = floats([2, 70], -1, 1)
    const x = { ...numbers, data: numbers.data.map((each, i) => (i === 69 ? Number.NaN : each)) }
    const { outputs } = await runOn(gpu!, graphOf([x], body), [x])
    expect([...outputs[0]!].map(Number.isNaN)).toEqual(Array.from({ length: 140 }, (_, i) => i < 70))
  })
})
