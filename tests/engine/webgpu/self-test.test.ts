// The self-test: a device that computes a family of kernels wrongly is found, and only programs with this family are refused.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../../src/core/shapes'
import type { Graph } from '../../../src/engine/ir/graph'
import { PackedMatmul, packedShape } from '../../../src/engine/primitives/packed'
import { Choices } from '../../../src/engine/webgpu/choices'
import type { Gpu } from '../../../src/engine/webgpu/device'
import { allNodes } from '../../../src/engine/webgpu/family'
import { loadKernels } from '../../../src/engine/webgpu/kernels/routines'
import { SelfTest } from '../../../src/engine/webgpu/self-test'
import { compile } from '../../../src/engine/runtime/runtime'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { exactly, floats } from '../../helpers/data'
import { graphOf } from '../../helpers/graphs'
import { looped } from '../../helpers/loops'
import { loopCases } from '../../helpers/loop-cases'
import { testGpu } from './adapter'

const gpu = await testGpu()

function packedGraph(bits: 4 | 8): Graph {
  const format = { outputs: 8, inputs: 32, bits }
  const shape = packedShape(format)
  const bytes = exactly(Array<number>(sizeOf(shape)).fill(0), 'int8', shape)
  const routine = new PackedMatmul(format, 'rounded')
  return graphOf([floats([2, 32], -1, 1), bytes], ({ e }, operands) => e.routine(routine, operands))
}

/** A device whose driver computes some WGSL wrongly: that with `found` as if it had `replaced` in its place. */
function wrongDevice(device: Gpu, found: string, replaced: string): Gpu & { readonly changed: { count: number } } {
  const changed = { count: 0 }
  const pipeline = (code: string) => {
    if (code.includes(found)) changed.count++
    return device.pipeline(code.replaceAll(found, replaced))
  }
  return Object.create(device, { pipeline: { value: pipeline }, changed: { value: changed } })
}

describe.skipIf(gpu === null)('the self-test', () => {
  it.each([8, 4] as const)('finds products of %i bits right', async (bits) => {
    const test = new SelfTest(gpu!)
    const graph = packedGraph(bits)
    const late = await loadKernels(graph)
    expect(late).toHaveLength(2)
    expect(await test.wrongIn(graph, late)).toBeNull()
    expect([...test.wrong]).toEqual([])
  })

  it.each([
    ['the minimum of 4 bits', '- f32At(at + 8u)', '+ f32At(at + 8u)'],
    [
      'the sum of a product of few rows',
      'for (var i = 0u; i < 8u; i++) { y +=',
      'for (var i = 1u; i < 8u; i++) { y +=',
    ],
  ])('finds a driver that computes %s wrongly', async (_name, found, replaced) => {
    const device = wrongDevice(gpu!, found, replaced)
    const test = new SelfTest(device)
    const graph = packedGraph(4)
    const late = await loadKernels(graph)
    expect(await test.wrongIn(graph, late)).toBe('packed products of 4 bits')
    expect(device.changed.count).toBeGreaterThan(0)
    // Other programs run.
    const sums = graphOf([floats([3, 4], -1, 1)], ({ e }, [x]) => [e.sum(x!, [0])])
    expect(await test.wrongIn(sums, await loadKernels(sums))).toBeNull()
    expect([...test.wrong]).toEqual(['packed products of 4 bits'])
  })

  it('keeps a program with a wrong family on the CPU', async () => {
    const device = wrongDevice(gpu!, '- f32At(at + 8u)', '+ f32At(at + 8u)')
    const reports: ConstructorParameters<typeof Choices>[2] = []
    const choices = new Choices(device, 'always', reports)
    for (const bits of [8, 4] as const) {
      const program = compile(currentRuntime(), packedGraph(bits))
      expect(await choices.choose(program)).toBe(bits === 8)
      program.dispose()
    }
    expect(reports.map(({ why }) => why)).toEqual([
      "when is 'always'",
      'this device computes packed products of 4 bits wrongly',
    ])
    expect([...choices.wrong]).toEqual(['packed products of 4 bits'])
  })

  it('finds families that only loops have', async () => {
    const names = ['exp', 'tanh', 'log', 'sigmoid']
    const graphs = Object.values(loopCases).map(({ inputs, results }) =>
      graphOf(inputs, (builder, values) => results(looped, builder, values)),
    )
    const inner = graphs.filter(
      (graph) =>
        !graph.nodes.some(({ name }) => names.includes(name)) &&
        allNodes(graph).some(({ name }) => names.includes(name)),
    )
    expect(inner.length).toBeGreaterThan(0)
    const device = wrongDevice(gpu!, 'sigmoidOf(', '0.5 * sigmoidOf(')
    expect(await new SelfTest(device).wrongIn(inner[0]!, [])).toBe('elementwise functions')
  })
})
