// Training does not grow: neither in linear memory nor on the JavaScript heap.
import { describe, expect, inject, it } from 'vitest'
import { loadModel, runtimeInfo } from '../../src'
import { heapSizes } from '../helpers/heap'
import { settingsOf } from '../helpers/modes'
import { binaryModel, errorOf, samples } from '../helpers/training'

// The interpreter allocates each step's results on the JavaScript heap; fewer steps tell as much.
const STEPS = settingsOf[inject('mode')].backend === 'interpreter' ? 400 : 10_000
const { x, yes } = samples(40)

describe('memory is flat', () => {
  it(`over ${STEPS} steps of fit`, async () => {
    const model = binaryModel()
    const perEpoch = 10
    const run = (steps: number) => model.fit(x, yes, { batchSize: 40 / perEpoch, epochs: Math.ceil(steps / perEpoch), verbose: 0 })
    await run(STEPS / 10)
    const before = await heapSizes()
    const reserved = runtimeInfo().memory.reservedBytes
    await run(STEPS)
    const after = await heapSizes()
    expect(model.optimizer.iterations.value.item()).toBe(STEPS / 10 + STEPS)
    expect(after.linear).toBe(before.linear)
    expect(runtimeInfo().memory.reservedBytes).toBe(reserved)
    expect(after.buffers - before.buffers).toBeLessThan(64 * 1024)
    // Less than 50 bytes for each step would be 500 kB.
    expect(after.javascript - before.javascript).toBeLessThan(500 * 1024)
  })

  it('over many calls of trainOnBatch, predictOnBatch and evaluate', async () => {
    const model = binaryModel()
    const run = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        model.trainOnBatch(x, yes)
        model.predictOnBatch(x)
        if (i % 10 === 0) await model.evaluate(x, yes, { batchSize: 7 })
      }
    }
    await run(STEPS / 50)
    const before = await heapSizes()
    await run(STEPS / 10)
    const after = await heapSizes()
    expect(after.linear).toBe(before.linear)
    expect(after.buffers - before.buffers).toBeLessThan(64 * 1024)
    expect(after.javascript - before.javascript).toBeLessThan(500 * 1024)
  })

  it('over models that come and go: dispose gives everything back', async () => {
    const once = async (): Promise<void> => {
      const model = binaryModel()
      await model.fit(x, yes, { verbose: 0 })
      const copy = await loadModel(await model.save())
      await errorOf(() => model.fit([[1]], [1], { verbose: 0 }))
      model.dispose()
      copy.dispose()
    }
    for (let i = 0; i < 5; i++) await once()
    const before = await heapSizes()
    for (let i = 0; i < 20; i++) await once()
    expect((await heapSizes()).linear - before.linear).toBeLessThan(4096)
  })

  it('also without dispose, when they are garbage-collected', async () => {
    const once = async (): Promise<void> => {
      await binaryModel().fit(x, yes, { verbose: 0 })
    }
    for (let i = 0; i < 5; i++) await once()
    const before = await heapSizes()
    for (let i = 0; i < 20; i++) await once()
    expect((await heapSizes()).linear - before.linear).toBeLessThan(8192)
  })
})
