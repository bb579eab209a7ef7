// Every row of the table of primitives on the GPU, compared with the interpreter in float64.
// modes: simd

import '../../helpers/families'
import { describe, expect, it } from 'vitest'
import type { PrimitiveName } from '../../../src/engine/ir/attributes'
import type { Gpu } from '../../../src/engine/webgpu/device'
import { loadKernels } from '../../../src/engine/webgpu/kernels/routines'
import { missingIn } from '../../../src/engine/webgpu/lower'
import { expectClose } from '../../helpers/compare'
import { graphOf, interpretWide } from '../../helpers/graphs'
import { casesOf, primitiveNames, type CaseInput, type PreparedCase } from '../primitives/cases'
import { testGpu } from './adapter'
import { runOn } from './run-on'

const gpu = await testGpu()

/** Products of a denormal number with a large one or Infinity: a device may count denormal operands as 0, and many do. */
const exceptions: ReadonlySet<PrimitiveName> = new Set(['multiply', 'slope', 'gated'])

const withoutDenormals = (input: CaseInput): CaseInput => ({
  ...input,
  data: input.data.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
})

/** A product that cancels with the bias has the error of its scale, which is a quotient. */
const cancelling = ({ title }: PreparedCase): number => (title.startsWith('quantized') ? 3e-7 : 0)

async function check(device: Gpu, opCase: PreparedCase): Promise<void> {
  const { ulp = 0.5, absolute = 0 } = opCase
  const inputs = exceptions.has(opCase.name) ? opCase.inputs.map(withoutDenormals) : opCase.inputs
  const graph = graphOf(inputs, opCase.emit)
  await loadKernels(graph)
  if (missingIn(graph) !== null) return
  const { outputs: expected, stoppedAt } = interpretWide(graph, inputs)
  const { outputs, isEnded } = await runOn(device, graph, inputs)
  expect(isEnded).toBe(stoppedAt !== null)
  if (isEnded) return
  outputs.forEach((output, i) => {
    const exact = graph.outputs[i]!.dtype !== 'float32'
    const tolerance = exact
      ? { ulp: 0, absolute: 0, signedZero: false }
      : { ulp: ulp + 4, absolute: absolute * 2 + 1e-37 + cancelling(opCase), signedZero: false }
    expectClose(output, expected[i]!, tolerance, `${opCase.name} ${opCase.title}: output ${i}`)
  })
}

describe.skipIf(gpu === null).each(primitiveNames)('%s', (name) => {
  for (const opCase of casesOf(name)) it(opCase.title, () => check(gpu!, opCase))
  it('has a test', () => expect(gpu).not.toBeNull())
})
