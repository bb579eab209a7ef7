// SpectralNormalization in training: the goldens test its predictions.

import { describe, expect, it } from 'vitest'
import {
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  ReLU,
  Sequential,
  SpectralNormalization,
  ops,
  random,
  setRandomSeed,
  tensor,
} from '../../src'

/** The kernel after one step of training, in plain loops. */
function divided(kernel: readonly (readonly number[])[], u: readonly number[], iterations: number): number[][] {
  const unit = (x: readonly number[]): number[] => x.map((each) => each / Math.hypot(...x))
  const rows = (y: readonly number[]): number[] => kernel.map((row) => row.reduce((sum, w, j) => sum + w * y[j]!, 0))
  const columns = (x: readonly number[]): number[] =>
    kernel[0]!.map((_, j) => kernel.reduce((sum, row, i) => sum + row[j]! * x[i]!, 0))
  let [left, right] = [[...u], [] as number[]]
  for (let i = 0; i < iterations; i++) {
    right = unit(rows(left))
    left = unit(columns(right))
  }
  const sigma = columns(right).reduce((sum, each, j) => sum + each * left[j]!, 0)
  return kernel.map((row) => row.map((w) => w / sigma))
}

describe('SpectralNormalization', () => {
  it.each([1, 4])('divides the kernel by the singular value that %i power iterations find', (powerIterations) => {
    const dense = new Dense(2)
    const layer = new SpectralNormalization({ layer: dense, powerIterations })
    layer.ensureBuilt([null, 3])
    const kernel = [
      [3, 1],
      [-2, 0.5],
      [0.25, 4],
    ]
    dense.kernel.assign(tensor(kernel))
    layer.vectorU.assign(tensor([[0.6, -0.8]]))
    layer.apply(ops.ones([1, 3]))
    expect([...dense.kernel.value.data], 'a prediction changes nothing').toEqual(kernel.flat())
    layer.apply(ops.ones([1, 3]), { training: true })
    divided(kernel, [0.6, -0.8], powerIterations)
      .flat()
      .forEach((w, i) => expect(dense.kernel.value.data[i]).toBeCloseTo(w, 5))
  })

  it('keeps the largest singular value near 1 while a model trains', async () => {
    setRandomSeed(3)
    const conv = new Conv2D({ filters: 6, kernelSize: 3 })
    const model = new Sequential([new SpectralNormalization(conv), new ReLU(), new Flatten(), new Dense(1)])
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.fit(random.normal([32, 5, 5, 2]), random.normal([32, 1]), { epochs: 60, verbose: 0 })
    const s = largestSingularValue(conv.kernel.value.data, 18, 6)
    expect(s).toBeGreaterThan(0.9)
    // The optimizer has updated it once since it was divided.
    expect(s).toBeLessThan(1.05)
  })

  it('leaves a kernel of zeros unchanged', () => {
    const dense = new Dense({ units: 2, kernelInitializer: 'zeros' })
    const layer = new SpectralNormalization(dense)
    layer.apply(ops.ones([1, 3]), { training: true })
    expect([...dense.kernel.value.data]).toEqual(new Array(6).fill(0))
  })

  it('divides embeddings, and refuses a layer without a kernel', () => {
    const embedding = new Embedding({ inputDim: 4, outputDim: 2 })
    const layer = new SpectralNormalization(embedding)
    const before = layer.apply(tensor([[1, 2]], undefined, 'int32')).shape
    expect(before).toEqual([1, 2, 2])
    expect(() => new SpectralNormalization(new ReLU()).apply(ops.ones([1, 3]))).toThrow(
      /re_?lu.* has neither a kernel nor embeddings/i,
    )
  })
})

/** The largest singular value of a matrix, by power iteration. */
function largestSingularValue(data: ArrayLike<number>, rows: number, columns: number): number {
  let v = new Array<number>(columns).fill(1)
  let s = 0
  for (let turn = 0; turn < 500; turn++) {
    const u = Array.from({ length: rows }, (_, i) => v.reduce((sum, x, j) => sum + x * data[i * columns + j]!, 0))
    const w = v.map((_, j) => u.reduce((sum, x, i) => sum + x * data[i * columns + j]!, 0))
    s = Math.sqrt(Math.hypot(...w))
    v = w.map((x) => x / Math.hypot(...w))
  }
  return s
}
