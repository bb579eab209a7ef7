// fit runs many steps in one call of the engine if no callback listens to single batches: with the same results to the
// last bit.
// modes: simd, relaxed, interpreter

import { describe, expect, it } from 'vitest'
import { Dense, NonFiniteError, Sequential, setRandomSeed, type CallbackMethods } from '../../src'
import { currentRuntime } from '../../src/engine/runtime/current'
import type { Storage } from '../../src/engine/runtime/runtime'

const listener: CallbackMethods = { onTrainBatchEnd: () => {} }

function rows(count: number, width: number): number[][] {
  return Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => Math.sin(3 * i + 7 * j)))
}

async function trained(size: number, batchSize: number, callbacks: readonly CallbackMethods[], y = rows(size, 1)) {
  setRandomSeed(7)
  const model = new Sequential([new Dense({ units: 9, activation: 'tanh' }), new Dense({ units: 1 })])
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] })
  const history = model.fit(rows(size, 5), y, { batchSize, epochs: 3, verbose: 0, callbacks })
  return { model, history }
}

const weightsOf = (model: Sequential): number[][] => model.getWeights().map(({ data }) => [...data])

describe('many steps in one call', () => {
  it.each([
    [64, 8],
    [65, 8],
    [7, 8],
    [8, 8],
    [1, 1],
    [200, 1],
  ])('%i rows in batches of %i: the same as step by step', async (size, batchSize) => {
    const alone = await trained(size, batchSize, [listener])
    const together = await trained(size, batchSize, [])
    expect((await together.history).history).toEqual((await alone.history).history)
    expect(weightsOf(together.model)).toEqual(weightsOf(alone.model))
  })

  it('stops at the non-finite step, and reports which one', async () => {
    const y = rows(64, 1)
    // Its square is infinite.
    y[37] = [3e38]
    const failed = async (callbacks: readonly CallbackMethods[]) => {
      const { model, history } = await trained(64, 4, callbacks, y)
      const error = await history.then(
        () => null,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(NonFiniteError)
      return { message: (error as NonFiniteError).message, weights: weightsOf(model) }
    }
    const together = await failed([])
    expect(together).toEqual(await failed([listener]))
    expect(together.message).toMatch(/at step \d+: /)
  })

  it('looks up its addresses again when the memory grows between two calls', async () => {
    // Until the memory is a larger buffer: the free part of the old one depends on the tests before this one.
    const grow: CallbackMethods = {
      onEpochEnd: () => {
        const { memory } = currentRuntime()
        const before = memory.buffer
        const room: Storage[] = []
        while (memory.buffer === before) room.push(currentRuntime().createStorage(2 ** 24))
        for (const storage of room) storage.dispose()
        grown += 1
      },
    }
    let grown = 0
    const alone = await trained(40, 4, [listener])
    const reference = await alone.history
    const { model, history } = await trained(40, 4, [grow])
    expect((await history).history).toEqual(reference.history)
    expect(weightsOf(model)).toEqual(weightsOf(alone.model))
    expect(grown).toBe(3)
  })
})
