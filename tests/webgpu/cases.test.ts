// Every row of the table of primitives on the GPU, compared with the interpreter in float64.
// modes: simd

import '../helpers/families'
import { describe, expect, it } from 'vitest'
import type { NumericArray } from '../../src/core/dtypes'
import type { Gpu } from '../../src/engine/webgpu/device'
import { missingIn } from '../../src/engine/webgpu/lower'
import { GpuProgram } from '../../src/engine/webgpu/program'
import type { PrimitiveName } from '../../src/engine/ir/attributes'
import type { Graph } from '../../src/engine/ir/graph'
import { expectClose } from '../helpers/compare'
import type { TensorContent } from '../helpers/data'
import { graphOf, interpretWide } from '../helpers/graphs'
import { casesOf, primitiveNames, type CaseInput, type PreparedCase } from '../primitives/cases'
import { testGpu } from './adapter'

const gpu = await testGpu()
const flag = gpu?.memory.allocate(4) ?? 0

async function runOn(device: Gpu, graph: Graph, contents: readonly TensorContent[]): Promise<NumericArray[]> {
  const program = new GpuProgram(device, graph, () => {
    throw new Error('a graph without cells was expected')
  }, flag)
  try {
    await program.compile()
    contents.forEach(({ data, dtype }, i) =>
      program.writeParameter(i, dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data)),
    )
    const encoder = device.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    program.encode(pass)
    pass.end()
    device.device.queue.submit([encoder.finish()])
    return await program.readOutputs()
  } finally {
    program.dispose()
  }
}

/** Products of a denormal number with a large one or Infinity: a device may count denormal operands as 0, and many do. */
const exceptions: ReadonlySet<PrimitiveName> = new Set(['multiply', 'slope', 'gated'])

const withoutDenormals = (input: CaseInput): CaseInput => ({
  ...input,
  data: input.data.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
})

async function check(device: Gpu, opCase: PreparedCase): Promise<void> {
  const { ulp = 0.5, absolute = 0 } = opCase
  const inputs = exceptions.has(opCase.name) ? opCase.inputs.map(withoutDenormals) : opCase.inputs
  const graph = graphOf(inputs, opCase.emit)
  if (missingIn(graph) !== null) return
  const { outputs: expected, stoppedAt } = interpretWide(graph, inputs)
  if (stoppedAt !== null) return
  const received = await runOn(device, graph, inputs)
  received.forEach((output, i) => {
    const exact = graph.outputs[i]!.dtype !== 'float32'
    const tolerance = exact ? { ulp: 0, absolute: 0, signedZero: false } : { ulp: ulp + 4, absolute: absolute * 2 + 1e-37, signedZero: false }
    expectClose(output, expected[i]!, tolerance, `${opCase.name} ${opCase.title}: output ${i}`)
  })
}

describe.skipIf(gpu === null).each(primitiveNames)('%s', (name) => {
  for (const opCase of casesOf(name)) it(opCase.title, () => check(gpu!, opCase))
  it('has a test', () => expect(gpu).not.toBeNull())
})
