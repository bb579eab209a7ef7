// Loops compared with the same function unrolled: values, gradients and gradients of gradients, in the mode's backend.

import '../../helpers/families'
import type { NumericArray } from '../../../src/core/dtypes'
import { describe, it } from 'vitest'
import type { GraphBuilder } from '../../../src/engine/transforms/builder'
import { gradients } from '../../../src/engine/transforms/differentiate'
import type { Graph, Value } from '../../../src/engine/ir/graph'
import { verify } from '../../../src/engine/transforms/verify'
import { legalize } from '../../../src/engine/plan/legalize'
import { tapeTarget } from '../../../src/engine/tape/target'
import { simplify } from '../../../src/engine/plan/simplify'
import { makeRuntime } from '../../../src/engine/runtime/configure'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { expectClose } from '../../helpers/compare'
import { expectGradient, graphOf, interpretWide, runWatched, weightedSum } from '../../helpers/graphs'
import { loopCases, type LoopCase } from '../../helpers/loop-cases'
import { looped, unrolled, type MakeLoop } from '../../helpers/loops'

const { settings } = currentRuntime()
const runtime = makeRuntime(settings)

const draw = ({ inputs, results }: LoopCase, make: MakeLoop): Graph =>
  graphOf(inputs, (b, values) => results(make, b, values))
const lossOf =
  ({ results }: LoopCase, make: MakeLoop) =>
  (builder: GraphBuilder, inputs: readonly Value[]): Value =>
    weightedSum(builder, results(make, builder, inputs))

describe.each(Object.entries(loopCases))('%s', (name, each) => {
  const { inputs, ulp = 64 } = each

  it('equals the unrolled loop', () => {
    const graph = draw(each, looped)
    verify(graph)
    const simple = simplify(graph)
    verify(simple)
    verify(legalize(simple, tapeTarget).graph)
    const { outputs: expected } = interpretWide(draw(each, unrolled), inputs)
    const check = (received: readonly NumericArray[], where: string): void =>
      received.forEach((output, i) =>
        expectClose(output, expected[i]!, { ulp, absolute: 1e-6, signedZero: false }, `${name}: ${where} ${i}`),
      )
    check(interpretWide(graph, inputs).outputs, 'interpreted')
    check(interpretWide(simple, inputs).outputs, 'simplified')
    check(runWatched(runtime, graph, inputs, name)!, 'run')
  })

  it('has the gradient of the unrolled loop and of finite differences', () => {
    expectGradient(runtime, inputs, lossOf(each, looped), 2e-5, name)
    const slope = (make: MakeLoop) =>
      draw({ ...each, results: (_, b, values) => slopes(b, lossOf(each, make)(b, values), values) }, make)
    const expected = interpretWide(slope(unrolled), inputs).outputs
    interpretWide(slope(looped), inputs).outputs.forEach((output, i) => {
      expectClose(output, expected[i]!, { ulp: 1, absolute: 1e-9, signedZero: false }, `${name}: gradient ${i}`)
    })
  })

  it('has the second derivative', () => {
    const slope = (builder: GraphBuilder, values: readonly Value[]): Value =>
      weightedSum(builder, slopes(builder, lossOf(each, looped)(builder, values), values))
    expectGradient(runtime, inputs, slope, 5e-5, `${name}, twice`)
  })
})

function slopes(builder: GraphBuilder, loss: Value, values: readonly Value[]): Value[] {
  return gradients(
    builder,
    loss,
    values.filter(({ dtype }) => dtype === 'float32'),
    builder.e.scalar(1),
  )
}
