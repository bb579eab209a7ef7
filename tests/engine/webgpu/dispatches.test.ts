// The number of dispatches of a training step. Each takes some microseconds, which is most of the time of a small step.
// modes: simd

import { afterAll, expect, it } from 'vitest'
import * as m from '../../../src'
import type { Graph } from '../../../src/engine/ir/graph'
import { CPU, setAccelerator, type Device } from '../../../src/engine/runtime/accelerator'
import { loadKernels } from '../../../src/engine/webgpu/kernels/routines'
import { planGpu } from '../../../src/engine/webgpu/lower'
import { forEachDispatch } from '../../../src/engine/webgpu/steps'
import { Projection, TransformerBlock, type WeightKind } from '../../../src/entries/language'
import { Decoding } from '../../../src/generation/decoding'

const FLAG = { buffer: { id: -1, byteLength: 4 }, offset: 0 }

/** The graphs of the programs that `body` runs. */
async function graphsOf(body: () => Promise<unknown>): Promise<Graph[]> {
  const graphs = new Set<Graph>()
  const prepare: Device['prepare'] = (program) => void graphs.add(program.graph)
  setAccelerator({ report: { note: '', programs: [] }, deviceOf: () => ({ ...CPU, prepare }) })
  await body()
  return [...graphs]
}

/** The labels of the dispatches of a training step, in order. */
async function dispatchesOf(model: m.Model, x: m.Tensor, y: m.Tensor): Promise<readonly string[]> {
  const graphs = await graphsOf(() => model.fit(x, y, { batchSize: x.shape[0]!, epochs: 1, verbose: 0 }))
  return labelsOf(graphs.find(({ updates }) => updates.length > 0)!)
}

async function labelsOf(step: Graph): Promise<readonly string[]> {
  await loadKernels(step)
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

/** The dispatches of one token of a model with so many blocks of SmolLM2-135M. */
async function decodeDispatches(blocks: number, storage: WeightKind): Promise<number> {
  const tokens = m.Input({ shape: [null], dtype: 'int32' })
  let x = new m.Embedding({ inputDim: 64, outputDim: 576 }).apply(tokens)
  for (let i = 0; i < blocks; i++) {
    const block = new TransformerBlock({
      numHeads: 9,
      numKeyValueHeads: 3,
      headDim: 64,
      intermediateDim: 1536,
      activation: 'silu',
      isGated: true,
      normalization: 'rms',
      rotaryFrequencies: Array.from({ length: 32 }, (_, pair) => 10_000 ** (-pair / 32)),
      storage,
    })
    x = block.apply(x)
  }
  const normal = new m.RMSNormalization({}).apply(x)
  const model = new m.Model({ inputs: tokens, outputs: new Projection({ units: 64, storage }).apply(normal) })
  const [step] = await graphsOf(async () => {
    const decoding = new Decoding(model, 1, 128)
    await decoding.next([[1]])
    await decoding.dispose()
  })
  const labels = await labelsOf(step!)
  model.dispose()
  return labels.length
}

it.each([
  ['float32', 15],
  ['int8', 11],
  ['int4', 11],
] as const)('a token of a block of a Llama with %s weights', async (storage, most) => {
  const [one, two] = [await decodeDispatches(1, storage), await decodeDispatches(2, storage)]
  expect(two - one).toBeLessThanOrEqual(most)
})
