// The largest error of a primitive of one operand over a dense sweep of float32, in units in the last place, against float64.

import type { PrimitiveName } from '../../../src/engine/ir/attributes'
import { elementwise, type UnaryName } from '../../../src/engine/primitives/elementwise'
import type { Runtime } from '../../../src/engine/runtime/runtime'
import { ulpError } from '../../helpers/compare'
import { exactly, generator, type TensorContent } from '../../helpers/data'
import { graphOf, runGraph } from '../../helpers/graphs'

type Rule = (typeof elementwise)[UnaryName]
type Contract = (typeof contracts)[number]

interface Found {
  readonly ulp: number
  /** The operand. */
  readonly at: number
}

/** The primitives of one operand in float32, with the errors that their records state. */
export const contracts = Object.entries(elementwise)
  .filter((entry): entry is [UnaryName, Rule] => entry[1].operands === 1 && entry[0] !== 'cast')
  .filter(([name]) => name !== 'logicalNot')
  .map(([name, record]) => {
    const { ulp = 0.5, absolute = 0, range = [-10, 10] } = record
    const truth = (x: number): number => record.scalar([x], [{ shape: [], dtype: 'float32' }], {})
    return { name, truth, ulp, absolute, from: range[0], to: range[1] }
  })

/** Operands with the largest errors of tanh and sigmoid, from a search of all float32. */
const WORST = [4.182971000671387, 6.991095542907715, -16.642534255981445]

const DENSE = 30_000
const WHOLE = 30_000

/** Evenly spaced in [from, to], then bit patterns spread over all finite float32. */
function sweep({ from, to }: Contract): Float32Array {
  const random = generator(5)
  const x = new Float32Array(DENSE + WHOLE)
  for (let i = 0; i < DENSE; i++) x[i] = from + ((to - from) * (i + random())) / DENSE
  const bits = new Uint32Array(x.buffer)
  for (let i = 0; i < WHOLE; i++) {
    const pattern = Math.floor(((i + random()) / WHOLE) * 0x7f800000)
    bits[DENSE + i] = i % 2 === 0 ? pattern : pattern + 0x80000000
  }
  return x
}

/** The largest error, without those that are allowed in addition. */
export function worst(
  x: ArrayLike<number>,
  received: ArrayLike<number>,
  truth: (i: number) => number,
  absolute = 0,
): Found {
  let found = { ulp: 0, at: NaN }
  for (let i = 0; i < x.length; i++) {
    const ulp = ulpError(received[i]!, truth(i))
    if (ulp > found.ulp && !(Math.abs(received[i]! - truth(i)) <= absolute)) found = { ulp, at: x[i]! }
  }
  return found
}

export function results(runtime: Runtime, name: PrimitiveName, operands: readonly TensorContent[]): ArrayLike<number> {
  const graph = graphOf(operands, (builder, inputs) => builder.emit(name as 'add', inputs, {}))
  return runGraph(runtime, graph, operands)![0]!
}

export function largestError(runtime: Runtime, contract: Contract): Found {
  const x = [...sweep(contract), ...WORST]
  const y = results(runtime, contract.name, [exactly(x)])
  return worst(x, y, (i) => contract.truth(x[i]!), contract.absolute)
}
