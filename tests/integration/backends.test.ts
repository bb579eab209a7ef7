// The table's differentiable rows, forward and backward in one graph, on the mode's path and on another one:
// fused against unfused, the interpreter against the kernels.

import '../helpers/families'
import { inject, it } from 'vitest'
import type { GraphBuilder } from '../../src/engine/transforms/builder'
import { gradients } from '../../src/engine/transforms/differentiate'
import type { Graph, Value } from '../../src/engine/ir/graph'
import type { NumericArray } from '../../src/core/dtypes'
import { makeRuntime } from '../../src/engine/runtime/configure'
import { currentRuntime } from '../../src/engine/runtime/current'
import { expectClose } from '../helpers/compare'
import { graphOf, runGraph, weightedSum } from '../helpers/graphs'
import type { Mode, Settings } from '../helpers/modes'
import { withSettings } from '../helpers/with-settings'
import { casesOf, primitiveNames, type PreparedCase } from '../engine/primitives/cases'

const counterparts: Record<Mode, Partial<Settings>> = {
  simd: { fuse: false },
  relaxed: { fuse: false },
  unfused: { fuse: true },
  interpreter: { backend: 'wasm' },
  // The tiles of the other width must agree.
  turbo: { turbo: false },
}
const { settings } = currentRuntime()
const own = makeRuntime(settings)
const other = makeRuntime({ ...settings, ...counterparts[inject('mode')] })

function stepOf(opCase: PreparedCase): Graph {
  return graphOf(opCase.inputs, (builder: GraphBuilder, inputs: readonly Value[]) => {
    const outputs = opCase.emit(builder, inputs)
    const wrt = inputs.filter(({ dtype }) => dtype === 'float32')
    return [...outputs, ...gradients(builder, weightedSum(builder, outputs), wrt, builder.e.scalar(1))]
  })
}

function largest(data: NumericArray): number {
  return Math.max(0, ...Array.from(data, Math.abs))
}

it.each(primitiveNames.filter((name) => casesOf(name).some(({ gradient }) => gradient)))('%s', async (name) => {
  await withSettings(counterparts[inject('mode')], () => {
    for (const opCase of casesOf(name).filter(({ gradient }) => gradient)) {
      const graph = stepOf(opCase)
      const expected = runGraph(own, graph, opCase.inputs)!
      const received = runGraph(other, graph, opCase.inputs)!
      received.forEach((output, i) => {
        const absolute = 2 * (opCase.absolute ?? 0) + 2e-6 * largest(expected[i]!)
        expectClose(
          output,
          expected[i]!,
          { ulp: 2 * (opCase.ulp ?? 0.5), absolute, signedZero: false },
          `${opCase.title}: output ${i}`,
        )
      })
    }
  })
})
