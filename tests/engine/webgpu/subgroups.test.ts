// Kernels of rows and of packed weights give the same results on a device with subgroups and products of bytes, and on one without.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../../src/engine/ir/graph'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { PackedMatmul, packRows, packedShape } from '../../../src/engine/primitives/packed'
import { moduleOf } from '../../../src/engine/webgpu/module'
import { expectClose } from '../../helpers/compare'
import { exactly, floats } from '../../helpers/data'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { makeGpu } from './adapter'
import { runOn } from './run-on'

const devices = { without: await makeGpu(false), with: await makeGpu(true) }

const body = (builder: GraphBuilder, [x]: readonly Value[]): readonly Value[] => [
  builder.emitOne('softmax', [x!], {}),
  builder.emitOne('logSoftmax', [x!], {}),
]

it('only a module that needs subgroups or products of bytes uses them', () => {
  const rows = 'fn run(group: u32, thread: u32) { memory[0] = u32(rowSum(thread, 1.0)); }'
  const [all, none] = [true, false].map((each) => ({ subgroups: each, byteProducts: each }))
  expect(moduleOf(rows, all!)).toContain('enable subgroups;')
  expect(moduleOf(rows, none!)).not.toContain('subgroup')
  expect(moduleOf('fn run(group: u32, thread: u32) {}', all!)).not.toContain('subgroup')
  const products = 'fn run(group: u32, thread: u32) { memory[0] = u32(dot4(memory[1], memory[2])); }'
  expect(moduleOf(products, all!)).toContain('dot4I8Packed')
  expect(moduleOf(products, none!)).not.toContain('dot4I8Packed')
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

  // One row, a few, and a tile of many; the largest integers.
  it.skipIf(gpu === null).each([1, 3, 20])('%i rows by packed weights', async (rows) => {
    for (const bits of [4, 8] as const) {
      const format = { outputs: 11, inputs: 70, bits }
      const bytes = new Int8Array(packedShape(format).reduce((a, b) => a * b))
      packRows(
        bytes,
        format,
        0,
        Float32Array.from({ length: 770 }, (_, i) => (i % 3) - 1),
      )
      const inputs = [floats([rows, 70], -1, 1), exactly([...bytes], 'int8', packedShape(format))]
      const routine = new PackedMatmul(format, 'rounded')
      const graph = graphOf(inputs, ({ e }, operands) => e.routine(routine, operands))
      const [expected] = interpretWide(graph, inputs).outputs
      const { outputs } = await runOn(gpu!, graph, inputs)
      expectClose(outputs[0]!, expected!, { ulp: 8, absolute: 1e-5, signedZero: false }, `${bits} bits`)
    }
  })
})
