// Runs a loop: reads slices, passes carries on, stacks results. interpret.ts runs each iteration.

import type { NumericArray } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Node } from '../ir/graph'
import type { RunBody } from './loops'
import { bodyOf, operandsOf } from '../ir/region'

/** @returns the node where the run ended early; null after all iterations */
export function interpretLoop(
  node: Node<'loop'>,
  inputs: readonly NumericArray[],
  outputs: readonly NumericArray[],
  run: RunBody,
): Node | null {
  const body = bodyOf(node)
  const { length, reverse, runs } = node.attributes
  const { carries, scanned, captures } = operandsOf(node, inputs)
  const parameters = operandsOf(node, body.parameters)
  let carried = carries
  for (let turn = 0; turn < length; turn++) {
    const at = reverse ? length - 1 - turn : turn
    const slices = parameters.scanned.map(({ shape }, i) => sliceOf(scanned[i]!, sizeOf(shape), at))
    if (runs === 'while' && carried[0]![0] === 0) break
    if (runs === 'where' && slices[0]![0] === 0) continue
    const { results, stoppedAt } = run(body, [...carried, ...slices, ...captures], at)
    if (stoppedAt !== null) return stoppedAt
    carried = results.slice(0, carries.length)
    results.slice(carries.length).forEach((result, i) => outputs[carries.length + i]!.set(result, at * result.length))
  }
  carried.forEach((content, i) => outputs[i]!.set(content))
  return null
}

function sliceOf(data: NumericArray, size: number, at: number): NumericArray {
  return data.subarray(at * size, (at + 1) * size)
}
