// The number of dispatches of a training step. Each takes some microseconds, which is most of the time of a small step.
// modes: simd

import { afterAll, expect, it } from 'vitest'
import * as m from '../../../src'
import type { Graph } from '../../../src/engine/ir/graph'
import { CPU, setAccelerator, type Device } from '../../../src/engine/runtime/accelerator'
import { planGpu } from '../../../src/engine/webgpu/lower'
import { forEachDispatch } from '../../../src/engine/webgpu/steps'

const FLAG = { buffer: { id: -1, byteLength: 4 }, offset: 0 }

/** The labels of the dispatches of a training step, in order. */
async function dispatchesOf(model: m.Model, x: m.Tensor, y: m.Tensor): Promise<readonly string[]> {
  const graphs = new Set<Graph>()
  const prepare: Device['prepare'] = (program) => void graphs.add(program.graph)
  setAccelerator({ report: { note: '', programs: [] }, deviceOf: () => ({ ...CPU, prepare }) })
  await model.fit(x, y, { batchSize: x.shape[0]!, epochs: 1, verbose: 0 })
  const step = [...graphs].find(({ updates }) => updates.length > 0)!
  const labels: string[] = []
  forEachDispatch(planGpu(step, FLAG).steps, ({ label }) => labels.push(label))
  if (process.env['PRINT_DISPATCHES'] === '1') console.log([labels.length, ...labels].join('\n'))
  return labels
}

afterAll(() => setAccelerator(null))

const zeros = (...shape: number[]): m.Tensor => m.ops.zeros(shape)
const classes = (rows: number): m.Tensor => m.ops.cast(m.ops.zeros([rows]), 'int32')

function classifier(layers: readonly m.Layer[]): m.Model {
  const model = new m.Sequential([...layers])
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
  return model
}

it('an MLP', async () => {
  const model = classifier([
    new m.Dense({ units: 128, activation: 'relu', inputShape: [784] }),
    new m.Dense({ units: 10, activation: 'softmax' }),
  ])
  expect((await dispatchesOf(model, zeros(32, 784), classes(32))).length).toBeLessThanOrEqual(9)
})

it('a CNN', async () => {
  const model = classifier([
    new m.Conv2D({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
    new m.MaxPooling2D(),
    new m.Conv2D({ filters: 64, kernelSize: 3, activation: 'relu' }),
    new m.MaxPooling2D(),
    new m.Flatten(),
    new m.Dense({ units: 128, activation: 'relu' }),
    new m.Dense({ units: 10, activation: 'softmax' }),
  ])
  expect((await dispatchesOf(model, zeros(32, 28, 28, 1), classes(32))).length).toBeLessThanOrEqual(18)
})

it('a block of a GPT', async () => {
  const x = m.Input({ shape: [32, 64] })
  const normal = new m.LayerNormalization().apply(x)
  const attended = new m.Add().apply([
    x,
    new m.MultiHeadAttention({ numHeads: 4, keyDim: 16 }).apply(normal, normal, { useCausalMask: true }),
  ])
  const wide = new m.Dense({ units: 256, activation: 'gelu' }).apply(new m.LayerNormalization().apply(attended))
  const y = new m.Add().apply([attended, new m.Dense({ units: 64 }).apply(wide)])
  const model = new m.Model({ inputs: x, outputs: y })
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  expect((await dispatchesOf(model, zeros(8, 32, 64), zeros(8, 32, 64))).length).toBeLessThanOrEqual(23)
})

// All turns of a pass are one dispatch: see src/engine/webgpu/scan.ts.
it('an LSTM over 100 steps', async () => {
  const model = new m.Sequential([new m.LSTM({ units: 32, inputShape: [100, 8] }), new m.Dense({ units: 1 })])
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  expect((await dispatchesOf(model, zeros(16, 100, 8), zeros(16, 1))).length).toBeLessThanOrEqual(10)
})
