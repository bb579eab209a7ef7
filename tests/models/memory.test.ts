// Training does not grow: neither in linear memory nor on the JavaScript heap.
// modes: simd, interpreter
import { describe, expect, inject, it } from 'vitest'
import {
  BatchNormalization,
  Conv1D,
  Dense,
  Input,
  LSTM,
  MaxPooling1D,
  Model,
  MultiHeadAttention,
  loadModel,
  ops,
  runtimeInfo,
  tensor,
} from '../../src'
import { heapSizes, type HeapSizes } from '../helpers/heap'
import { settingsOf } from '../helpers/modes'
import { binaryModel, errorOf, samples } from '../helpers/training'

// The interpreter allocates each step's results on the JavaScript heap; fewer steps are enough.
const STEPS = settingsOf[inject('mode')].backend === 'interpreter' ? 400 : 10_000
const { x, yes } = samples(40)

/** The sizes as soon as they fit, or after many collections: an engine may collect later than it is asked to. */
async function sizesWhen(fits: (sizes: HeapSizes) => boolean): Promise<HeapSizes> {
  let sizes = await heapSizes()
  for (let again = 0; again < 50 && !fits(sizes); again++) sizes = await heapSizes()
  return sizes
}

async function expectFlat(before: HeapSizes): Promise<void> {
  const after = await sizesWhen(
    (sizes) => sizes.buffers - before.buffers < 64 * 1024 && sizes.javascript - before.javascript < 500 * 1024,
  )
  expect(after.linear).toBe(before.linear)
  expect(after.buffers - before.buffers).toBeLessThan(64 * 1024)
  // Less than 50 bytes for each of 10,000 steps would be 500 kB.
  expect(after.javascript - before.javascript).toBeLessThan(500 * 1024)
}

describe('memory is flat', () => {
  it(`over ${STEPS} steps of fit`, async () => {
    const model = binaryModel()
    const perEpoch = 10
    const run = (steps: number) =>
      model.fit(x, yes, { batchSize: 40 / perEpoch, epochs: Math.ceil(steps / perEpoch), verbose: 0 })
    await run(STEPS / 10)
    const before = await heapSizes()
    const reserved = runtimeInfo().memory.reservedBytes
    await run(STEPS)
    expect(model.optimizer.iterations.value.item()).toBe(STEPS / 10 + STEPS)
    await expectFlat(before)
    expect(runtimeInfo().memory.reservedBytes).toBe(reserved)
  })

  it(`over ${STEPS / 2} steps of convolution, recurrence and attention`, async () => {
    const signal = Input({ shape: [4, 3] })
    const seen = new Conv1D({ filters: 4, kernelSize: 2, padding: 'same' }).apply(signal)
    const heads = new MultiHeadAttention({ numHeads: 2, keyDim: 2, dropout: 0.1 }).apply(
      new BatchNormalization().apply(seen),
    )
    const state = new LSTM({ units: 3, dropout: 0.1, stateful: true }).apply(
      new MaxPooling1D({ poolSize: 2 }).apply(heads),
    )
    const model = new Model({ inputs: signal, outputs: new Dense({ units: 1 }).apply(state) })
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    const inputs = ops.reshape(tensor(x.flat().slice(0, 96)), [8, 4, 3])
    const targets = tensor(yes.slice(0, 8))
    const run = (steps: number) => model.fit(inputs, targets, { batchSize: 4, epochs: steps / 2, verbose: 0 })
    await run(STEPS / 20)
    const before = await heapSizes()
    await run(STEPS / 2)
    await expectFlat(before)
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
    await expectFlat(before)
  })

  it('over models that are made and disposed: dispose frees everything', async () => {
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
    const after = await sizesWhen(({ linear }) => linear - before.linear < 4096)
    expect(after.linear - before.linear).toBeLessThan(4096)
  })

  it('also without dispose, when they are garbage-collected', async () => {
    const once = async (): Promise<void> => {
      await binaryModel().fit(x, yes, { verbose: 0 })
    }
    for (let i = 0; i < 5; i++) await once()
    const before = await heapSizes()
    for (let i = 0; i < 20; i++) await once()
    const after = await sizesWhen(({ linear }) => linear - before.linear < 8192)
    expect(after.linear - before.linear).toBeLessThan(8192)
  })
})
