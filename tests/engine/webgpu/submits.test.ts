// What a run costs on the host: the calls of the API, the rows that stay on the device, steps that are submitted together. And what
// else is awaited: jitAsync and generate.
// modes: simd

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as m from '../../../src'
import { jitAsync } from '../../../src/entries/webgpu'
import { setAccelerator } from '../../../src/engine/runtime/accelerator'
import { Gpu } from '../../../src/engine/webgpu/device'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { generator } from '../../helpers/data'
import { testGpu } from './adapter'

const gpu = await testGpu()

/** A device that counts the calls which make objects, write, or submit. */
function counting(device: GPUDevice): { readonly device: GPUDevice; readonly counts: Record<string, number> } {
  const counts: Record<string, number> = {}
  const wrap = <Target extends object>(target: Target, others: Readonly<Record<string, unknown>> = {}): Target =>
    new Proxy(target, {
      get(object, name) {
        if (typeof name === 'string' && name in others) return others[name]
        const value: unknown = Reflect.get(object, name, object)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          counts[String(name)] = (counts[String(name)] ?? 0) + 1
          return Reflect.apply(value, object, args) as unknown
        }
      },
    })
  return { device: wrap(device, { queue: wrap(device.queue) }), counts }
}

describe.skipIf(gpu === null)('a run on the GPU', () => {
  let web: WebGpu
  let counts: Record<string, number>
  beforeAll(() => {
    const counted = counting(gpu!.device)
    counts = counted.counts
    web = new WebGpu(new Gpu(counted.device), 'always', 'the device of the tests', null)
    setAccelerator(web)
  })
  afterAll(() => setAccelerator(null))

  const random = generator(5)
  const floats = (...shape: number[]): m.Tensor =>
    m.tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random() - 0.5),
      shape,
    )

  function classifier(): m.Sequential {
    m.setRandomSeed(1)
    const model = new m.Sequential([
      new m.Dense({ units: 16, activation: 'relu', inputShape: [9] }),
      new m.Dense({ units: 1 }),
    ])
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    return model
  }

  it('makes no object and writes no rows per step, and submits at most once per step', async () => {
    const [x, y] = [floats(256, 9), floats(256, 1)]
    const made: Record<string, number>[] = []
    const model = classifier()
    await model.fit(x, y, {
      epochs: 4,
      batchSize: 4,
      verbose: 0,
      callbacks: { onEpochEnd: () => void made.push({ ...counts }) },
    })
    const inLast = (name: string): number => made[3]![name]! - (made[2]![name] ?? 0)
    // 64 steps. The buffer that weights are read through is made for each epoch.
    expect(inLast('createBuffer')).toBeLessThanOrEqual(2)
    expect(inLast('createBindGroup')).toBe(0)
    expect(inLast('createComputePipelineAsync')).toBe(0)
    expect(inLast('submit')).toBeLessThanOrEqual(64 + 2)
    // One position for each submit, the order of the rows, and the metrics that were reset.
    expect(inLast('writeBuffer')).toBeLessThanOrEqual(inLast('submit') + 20)
  })

  it('gives the same bits however many steps are submitted together', async () => {
    const [x, y] = [floats(130, 9), floats(130, 1)]
    const trained = async (perBatch: boolean): Promise<Float32Array[]> => {
      const model = classifier()
      const callbacks = perBatch ? { onTrainBatchEnd: () => undefined } : {}
      await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0, callbacks })
      return model.getWeights().map(({ data }) => data as Float32Array)
    }
    expect(await trained(false)).toEqual(await trained(true))
  })

  it('counts the steps before one that is not finite, also within a submit', async () => {
    const x = Float32Array.from({ length: 200 * 9 }, () => random())
    const y = floats(200, 1)
    // The third epoch reaches it again, with the same number of steps in each.
    x[9 * 131] = 3e38
    const failed = async (accelerator: WebGpu | null): Promise<{ step: number; weights: Float32Array[] }> => {
      setAccelerator(accelerator)
      const model = classifier()
      model.compile({ optimizer: new m.SGD({ learningRate: 0.01 }), loss: 'meanSquaredError' })
      const error: unknown = await model
        .fit(m.tensor(x, [200, 9]), y, { batchSize: 2, shuffle: false, verbose: 0 })
        .catch((reason: unknown) => reason)
      setAccelerator(web)
      expect(error).toBeInstanceOf(m.NonFiniteError)
      return {
        step: (error as m.NonFiniteError).step,
        weights: model.getWeights().map(({ data }) => data as Float32Array),
      }
    }
    const [device, cpu] = [await failed(web), await failed(null)]
    expect(device.step).toBe(cpu.step)
    expect(device.step).toBe(66)
    device.weights.forEach((each, i) => each.forEach((value, j) => expect(value).toBeCloseTo(cpu.weights[i]![j]!, 5)))
  })

  it('of jitAsync gives the results of jit, and updates variables', async () => {
    const [x, w] = [floats(20, 7), floats(7, 5)]
    const f = (a: m.Tensor, b: m.Tensor): m.Tensor => m.ops.tanh(m.ops.matmul(a, b))
    const expected = m.jit(f)(x, w)
    const before = web.report.programs.length
    const energy = jitAsync(f)
    const [received, again] = await Promise.all([energy(x, w), energy(m.ops.negative(x), w)])
    expect(web.report.programs.slice(before).map(({ device }) => device)).toEqual(['gpu'])
    received.data.forEach((value, i) => expect(value).toBeCloseTo(expected.data[i]!, 5))
    again.data.forEach((value, i) => expect(value).toBeCloseTo(-expected.data[i]!, 5))
    const total = new m.Variable([7, 5])
    const add = jitAsync((b: m.Tensor) => {
      total.assign(m.ops.add(total.value, b))
      return m.ops.sum(total.value)
    })
    await add(w)
    const sum = await add(w)
    expect(total.value.data[3]).toBeCloseTo(2 * w.data[3]!, 6)
    expect(sum.data[0]).toBeCloseTo(2 * Array.from(w.data).reduce((a, b) => a + b, 0), 4)
  })

  it('of generate gives the tokens of the CPU', async () => {
    m.setRandomSeed(4)
    const tokens = m.Input({ shape: [null], dtype: 'int32' })
    const embedded = new m.Embedding({ inputDim: 11, outputDim: 8 }).apply(tokens)
    const attended = new m.MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply(embedded, embedded, {
      useCausalMask: true,
    })
    const outputs = new m.Dense({ units: 11 }).apply(new m.Add().apply([embedded, attended]))
    const model = new m.Model({ inputs: tokens, outputs })
    const prompts = [
      [1, 2, 3, 4],
      [5, 6, 7],
    ]
    const options = { maxTokens: 12, temperature: 0.7, seed: 3 }
    const before = web.report.programs.length
    const received = await m.generate(model, prompts, options)
    const places = web.report.programs.slice(before).map(({ device, why }) => `${device}: ${why}`)
    setAccelerator(null)
    const expected = await m.generate(model, prompts, options)
    setAccelerator(web)
    expect(received).toEqual(expected)
    expect(places).toEqual(["gpu: when is 'always'", "gpu: when is 'always'"])
  })
})
