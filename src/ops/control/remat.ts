// Functions whose values are computed again in the backward pass, so that they need no memory in between. The function becomes the body
// of a loop of one iteration, which disappears from the plan; its pass for the gradient copies the body.

import { callback } from '../kinds'
import { arg, opOf } from '../op'
import type { Node, Value } from '../../engine/ir/graph'
import { bodyOf } from '../../engine/ir/region'
import { After } from '../../engine/primitives/after'
import { AllLoopPasses } from '../../engine/tape/loop-passes'
import { Cotangents } from '../../engine/transforms/cotangents'
import { backward, dependents } from '../../engine/transforms/differentiate'
import type { BackwardPass } from '../../engine/transforms/loops'
import type { GraphBuilder } from '../../engine/transforms/builder'
import { putBack, takeResults, type Results } from '../signature'
import { currentTrace } from '../trace'
import { RegionTrace } from './region'
import type { UntypedFunction } from '../arguments'

/** The signature of `remat`. */
interface Remat {
  /**
   * The same function, with another trade of memory for time: its inner values are not kept for the gradient, but computed again when
   * the gradient needs them. Values and gradients are the same bits. Outside of traced functions it changes nothing.
   * @param f a function of tensors
   * @example
   * const block = ops.remat((x: Tensor) => feedForward.apply(norm.apply(x)))
   * Chen et al., "Training deep nets with sublinear memory cost", 2016. Keras: `keras.remat`.
   */
  <Arguments extends readonly unknown[], Result>(f: (...inputs: Arguments) => Result): (...inputs: Arguments) => Result
}

export const remat = opOf<Remat>(() => [arg('f', callback)], {
  remat(f: UntypedFunction) {
    return (...inputs: readonly unknown[]) => {
      const outer = currentTrace()
      if (outer === null) return f(...inputs)
      let results: Results | null = null
      const tensors = new RegionTrace(outer).once(new RematPasses(), () => {
        results = takeResults('remat', f(...inputs))
        return results.tensors
      })
      return putBack(results!.structure, tensors)
    }
  },
})

/** The gradient computes the body again, from operands that count as available only now. */
class RematPasses extends AllLoopPasses {
  override readonly pullBack = (node: Node<'loop'>, { back, carriers, cotangents }: BackwardPass): void => {
    const received = node.outputs.map((output) => cotangents.total(output))
    const reason = received.find((each) => each !== null)
    if (reason === undefined || reason === null) return
    const body = bodyOf(node)
    const again = node.inputs.map((input) => (isKept(input) ? input : back.e.routine(new After(), [input, reason])[0]!))
    const { outputs, nodes } = copied(back, body, again)
    const wanted = node.inputs.flatMap((input, i) => (carriers.has(input) ? [[input, again[i]!] as const] : []))
    const inner = new Cotangents(back)
    outputs.forEach((output, i) => {
      const cotangent = received[i]
      if (cotangent != null) inner.add(output, cotangent)
    })
    const reached = dependents(nodes, new Set(wanted.map(([, value]) => value)))
    backward({ owner: back, back, carriers: reached, cotangents: inner }, nodes)
    for (const [input, value] of wanted) {
      const total = inner.total(value)
      if (total !== null) cotangents.add(input, total)
    }
  }
}

/** Whether a value is in memory anyhow: a parameter, a cell, a constant. */
function isKept({ node }: Value): boolean {
  return node === null || node.name === 'constant'
}

/** The body once more, on other operands. */
function copied(
  back: GraphBuilder,
  { parameters, nodes, outputs }: ReturnType<typeof bodyOf>,
  operands: readonly Value[],
): { readonly outputs: readonly Value[]; readonly nodes: readonly Node[] } {
  const values = new Map<Value, Value>(parameters.map((parameter, i) => [parameter, operands[i]!]))
  const made: Node[] = []
  for (const each of nodes) {
    back.scope = each.scope
    const results = back.copy(
      each,
      each.inputs.map((input) => values.get(input)!),
    )
    each.outputs.forEach((output, i) => values.set(output, results[i]!))
    const node = results[0]?.node
    if (node != null && !made.includes(node)) made.push(node)
  }
  return { outputs: outputs.map((output) => values.get(output)!), nodes: made }
}
