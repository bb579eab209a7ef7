// Programs by signature, up to a number of bytes. Programs in use are not freed too early.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, SGD, Sequential, ops, runtimeInfo } from '../../../src'
import { Tally } from '../../../src/engine/runtime/meter'
import type { Program } from '../../../src/engine/runtime/program'
import { ProgramCache } from '../../../src/engine/runtime/program-cache'

function fake(bytes: number, log: string[], name: string): Program {
  const graph = { parameters: [], cells: new Map(), nodes: [], outputs: [], updates: [], idEnd: 0 }
  return {
    graph,
    tally: new Tally(graph),
    workspaceBytes: 0,
    byteLength: bytes,
    parameter: () => new Float32Array(0),
    run: () => true,
    output: () => new Float32Array(0),
    read: () => Promise.resolve(new Float32Array(0)),
    readCell: () => Promise.resolve(new Float32Array(0)),
    findNonFinite: () => null,
    instructionWords: () => null,
    instructions: null,
    dispose: () => void log.push(name),
  }
}

describe('the cache', () => {
  it('evicts the least recently used program', () => {
    const log: string[] = []
    const cache = new ProgramCache(300)
    for (const name of ['a', 'b', 'c']) cache.get(name, () => fake(100, log, name))
    cache.get('a', () => fake(100, log, 'again'))
    cache.get('d', () => fake(100, log, 'd'))
    expect(log).toEqual(['b'])
    expect([...cache.all.keys()].sort()).toEqual(['a', 'c', 'd'])
  })

  it('keeps a program that is larger than the limit, while it is the last', () => {
    const log: string[] = []
    const cache = new ProgramCache(300)
    cache.get('large', () => fake(1000, log, 'large'))
    expect(log).toEqual([])
    cache.get('next', () => fake(10, log, 'next'))
    expect(log).toEqual(['large'])
  })

  it('frees a program in use only when it is released', () => {
    const log: string[] = []
    const cache = new ProgramCache(100)
    const held = cache.get('held', () => fake(100, log, 'held'))
    cache.hold(held)
    cache.get('other', () => fake(100, log, 'other'))
    expect(log).toEqual([])
    cache.release(held)
    expect(log).toEqual(['held'])
  })
})

describe('a model', () => {
  it('with more and more batch sizes keeps a bounded number of programs', () => {
    const layers = Array.from(
      { length: 16 },
      (_, i) => new Dense({ units: 2, activation: 'gelu', ...(i === 0 ? { inputShape: [2] } : {}) }),
    )
    const model = new Sequential(layers)
    const kept: number[] = []
    const bytes: number[] = []
    for (let size = 1; size <= 600; size++) {
      model.predictOnBatch(ops.ones([size, 2]))
      const { usedBytes, workspaceBytes } = runtimeInfo().memory
      kept.push(model.training.steps.programs.size)
      bytes.push(usedBytes - workspaceBytes)
    }
    // All at first, then as many as fit.
    expect(kept[50]).toBe(51)
    expect(kept.at(-1)).toBe(kept.at(-100))
    expect(kept.at(-1)).toBeLessThan(500)
    expect(bytes.at(-1)! - bytes.at(-100)!).toBeLessThan(0.02 * bytes.at(-1)!)
  })

  it('gives the same predictions, however many other programs ran since', () => {
    const layers = Array.from(
      { length: 16 },
      (_, i) => new Dense({ units: 2, activation: 'gelu', ...(i === 0 ? { inputShape: [2] } : {}) }),
    )
    const model = new Sequential(layers)
    model.compile({ loss: 'mse' })
    const before = model.predictOnBatch([[1, 2]]).toArray()
    const [first] = model.training.steps.programs.keys()
    for (let size = 1; size <= 450; size++) model.testOnBatch(ops.ones([size, 2]), ops.ones([size, 2]))
    expect(model.training.steps.programs.has(first!)).toBe(false)
    expect(model.predictOnBatch([[1, 2]]).toArray()).toEqual(before)
  })

  it('continues training with a program that was evicted and made again', () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
    model.compile({ optimizer: new SGD({ learningRate: 0.01 }), loss: 'mse' })
    const losses = [1, 2, 3, 1, 2, 3].map((rows) => model.trainOnBatch(ops.ones([rows, 1]), ops.ones([rows, 1])).loss)
    for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThan(losses[i - 1]!)
  })
})
