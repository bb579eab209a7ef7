// Checks of one row of the table: its result, compared with the interpreter in float64; its gradients, compared with finite
// differences; and that nothing else is written.

import { expect } from 'vitest'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Value } from '../../../src/engine/ir/graph'
import type { Runtime } from '../../../src/engine/runtime/runtime'
import { expectClose } from '../../helpers/compare'
import { expectGradient, graphOf, interpretWide, runWatched, weightedSum } from '../../helpers/graphs'
import type { PreparedCase } from './cases'

function checkForward(runtime: Runtime, opCase: PreparedCase): void {
  const { inputs, ulp = 0.5, absolute = 0, signedZero = false } = opCase
  const where = `${opCase.name} ${opCase.title}`
  const graph = graphOf(inputs, opCase.emit)
  const { outputs: expected, stoppedAt } = interpretWide(graph, inputs)
  const received = runWatched(runtime, graph, inputs, where)
  expect(received === null, `${where}: ended by a guard`).toBe(stoppedAt !== null)
  received?.forEach((output, i) => {
    const exact = graph.outputs[i]!.dtype !== 'float32'
    const tolerance = exact ? { ulp: 0, absolute: 0, signedZero } : { ulp, absolute, signedZero }
    expectClose(output, expected[i]!, tolerance, `${where}: output ${i}`)
  })
}

function lossOf(opCase: PreparedCase) {
  return (builder: GraphBuilder, inputs: readonly Value[]): Value => weightedSum(builder, opCase.emit(builder, inputs))
}

/** Σ w · ∂loss/∂x: its gradient contains second derivatives. */
function slopeOf(opCase: PreparedCase) {
  return (builder: GraphBuilder, inputs: readonly Value[]): Value => {
    const wrt = inputs.filter(({ dtype }) => dtype === 'float32')
    return weightedSum(builder, gradients(builder, lossOf(opCase)(builder, inputs), wrt, builder.e.scalar(1)))
  }
}

/** @param runtime with its own memory: every byte of it is compared after each run */
export function checkCase(runtime: Runtime, opCase: PreparedCase): void {
  checkForward(runtime, opCase)
  if (opCase.gradient === true) expectGradient(runtime, opCase.inputs, lossOf(opCase), 1e-5, opCase.title)
  if (opCase.secondGradient === true)
    expectGradient(runtime, opCase.inputs, slopeOf(opCase), 3e-5, `${opCase.title}, twice`)
}
