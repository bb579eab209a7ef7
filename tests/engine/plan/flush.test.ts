// Which values of a step count as 0 where they have vanished.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Variable, grad, ops, type Tensor } from '../../../src'
import type { Graph } from '../../../src/engine/ir/graph'
import { bodyOf, isLoop } from '../../../src/engine/ir/region'
import { trace } from '../../../src/ops/trace'
import { flushVanished } from '../../../src/engine/plan/flush'

const matrix = { shape: [4, 4], dtype: 'float32' } as const

/** The names of what is flushed, with the kind of flush, in the graph and its loops. */
function flushes({ nodes }: Graph): string[] {
  return nodes.flatMap((node) => {
    if (isLoop(node)) return flushes(bodyOf(node)).map((each) => `loop: ${each}`)
    return node.name.startsWith('flush') ? [`${node.name} ${node.inputs[0]!.node!.name}`] : []
  })
}

function flushed(body: (x: Tensor) => Tensor): string[] {
  return flushes(flushVanished(trace([matrix], ([x]) => [body(x!)]).graph))
}

describe('factors', () => {
  it.each<[string, (x: Tensor) => Tensor, string[]]>([
    ['σ before a product', (x) => ops.matmul(ops.sigmoid(x), x), ['flushFactor sigmoid']],
    [
      'through views and parts',
      (x) => ops.matmul(ops.transpose(ops.concatenate([ops.exp(x), x], 1)), x),
      ['flushFactor exp'],
    ],
    ['a sum of products', (x) => ops.matmul(ops.add(ops.multiply(x, x), x), x), ['flushFactor add']],
    ['softmax', (x) => ops.matmul(ops.softmax(x), x), ['flushFactor softmax']],
    ['σ alone', (x) => ops.sigmoid(x), []],
    ['what cannot vanish', (x) => ops.matmul(ops.add(x, 1), x), []],
    [
      'carried from one iteration to the next',
      (x) => ops.foriLoop(0, 3, (_i, h) => ops.tanh(ops.matmul(h, x)), x),
      ['loop: flushFactor tanh'],
    ],
    [
      'read after a loop',
      (x) =>
        ops.matmul(
          ops.foriLoop(0, 3, (_i, h) => ops.multiply(h, x), x),
          x,
        ),
      ['loop: flushFactor multiply'],
    ],
  ])('%s', (_name, body, expected) => expect(flushed(body)).toEqual(expected))
})

describe('slopes of functions, in gradients', () => {
  it.each<[string, (x: Tensor) => Tensor, string[]]>([
    ['softplus', (x) => ops.softplus(x), ['flushFactor sigmoid']],
    ['exp', (x) => ops.exp(x), ['flushFactor exp']],
    ['silu', (x) => ops.silu(x), ['flushFactor sigmoid']],
    ['mish', (x) => ops.mish(x), ['flushFactor tanhSoftplus', 'flushFactor sigmoid']],
    ['a product after exp', (x) => ops.multiply(ops.exp(x), 1e20), []],
    ['a logarithm after softplus', (x) => ops.log(ops.softplus(x)), []],
  ])('%s', (_name, f, expected) =>
    expect(flushed((x) => grad((each: Tensor) => ops.sum(f(each)))(x))).toEqual(expected),
  )
})

it('a gate is a factor where its product is one', () => {
  const silu = (x: Tensor) => ops.silu(x)
  expect(flushed((x) => ops.matmul(silu(x), x))).toEqual(['flushFactor sigmoid', 'flushFactor gated'])
  expect(flushed(silu)).toEqual([])
})

describe('what is kept', () => {
  it('by a loop for its next iteration', () => {
    expect(flushed((x) => ops.foriLoop(0, 3, (_i, h) => ops.multiply(h, x), x))).toEqual(['loop: flushState multiply'])
  })

  it('in a variable', () => {
    const kept = new Variable([4, 4])
    const { graph } = trace([matrix], ([x]) => {
      kept.assign(ops.multiply(kept.value, x!))
      return []
    })
    expect(flushes(flushVanished(graph))).toEqual(['flushState multiply'])
  })
})

it('the results of a graph, and what depends on proportions, read the number itself', () => {
  const { graph } = trace([matrix], ([x]) => {
    const small = ops.sigmoid(x!)
    return [small, ops.log(small), ops.matmul(small, x!), ops.add(small, 1)]
  })
  const { nodes, outputs } = flushVanished(graph)
  const reads = (name: string) => nodes.find((node) => node.name === name)!.inputs[0]!.node!.name
  expect(outputs[0]!.node!.name).toBe('sigmoid')
  expect([reads('log'), reads('matmul'), reads('add')]).toEqual(['sigmoid', 'flushFactor', 'flushFactor'])
})
