// Explanations against those of Captum, SHAP and scikit-learn.

import { describe, expect, it } from 'vitest'
import { Conv2D, Dense, Embedding, Flatten, MaxPooling2D, Sequential, tensor, type Tensor } from '../../src'
import {
  gradCam,
  gradientTimesInput,
  integratedGradients,
  kernelShap,
  occlusion,
  partialDependence,
  saliency,
  sampledShapley,
  shapleyValues,
} from '../../src/entries/explain'
import type { ExplainFile, FixtureTensor } from '../golden/format'
import { expectTensor, readFixture, toTensor } from '../helpers/golden'

const golden = readFixture<ExplainFile>('explain')
/** Of float32 against float64. */
const CLOSE = 1e-5

function given(model: Sequential, weights: readonly FixtureTensor[]): Sequential {
  model.setWeights(weights.map(toTensor))
  return model
}

function sumOf({ data }: Tensor, row: number, rows: number): number {
  const width = data.length / rows
  return Array.from(data.subarray(row * width, (row + 1) * width)).reduce((sum, each) => sum + each, 0)
}

describe('a dense model', () => {
  const { dense } = golden
  const model = (): Sequential =>
    given(
      new Sequential([
        new Dense({ units: 8, activation: 'tanh', inputShape: [6] }),
        new Dense({ units: 5, activation: 'relu' }),
        new Dense({ units: 3 }),
      ]),
      dense.weights,
    )
  const x = toTensor(dense.x)
  const baseline = toTensor(dense.baseline)
  const background = toTensor(dense.background)

  it('has the gradients of Captum', async () => {
    const found = await saliency(model(), x)
    expect([...found.units!.data]).toEqual(dense.units)
    expectTensor(found.attributions, dense.saliency, 'saliency', CLOSE)
    expectTensor((await saliency(model(), x, { signed: true })).attributions, dense.gradient, 'gradient', CLOSE)
    expectTensor(
      (await gradientTimesInput(model(), x)).attributions,
      dense.gradientTimesInput,
      'gradient × input',
      CLOSE,
    )
  })

  it.each(Object.keys(dense.integratedGradients))(
    'has the integrated gradients of Captum, %s points',
    async (points) => {
      const expected = dense.integratedGradients[points]!
      const { attributions, gap, value, baseValue } = await integratedGradients(model(), x, {
        baseline,
        points: Number(points),
      })
      expectTensor(attributions, expected.attributions, 'attributions', CLOSE)
      // Captum's delta is Σ − (f(x) − f(x′)).
      gap.data.forEach((each, row) => expect(each).toBeCloseTo(-expected.delta.data[row]!, 5))
      gap.data.forEach((each, row) =>
        expect(sumOf(attributions, row, 4) + each).toBeCloseTo(value.data[row]! - baseValue.data[row]!, 5),
      )
    },
  )

  it('has the occlusion of Captum', async () => {
    expectTensor((await occlusion(model(), x, { baseline })).attributions, dense.occlusion, 'one', CLOSE)
    expectTensor((await occlusion(model(), x, { window: 2 })).attributions, dense.occlusionOfTwo, 'two', CLOSE)
  })

  it('has the Shapley values of SHAP', async () => {
    const of = { output: 1, background }
    const exact = await shapleyValues(model(), x, of)
    expectTensor(exact.attributions, dense.exact, 'exact', CLOSE)
    expectTensor(exact.baseValue, dense.exactBase, 'base', CLOSE)
    expectTensor((await kernelShap(model(), x, of)).attributions, dense.exact, 'KernelSHAP with all coalitions', CLOSE)
    expectTensor((await kernelShap(model(), x, of)).attributions, dense.kernelShap, "SHAP's KernelSHAP", CLOSE)
    for (const explain of [shapleyValues, kernelShap, sampledShapley] as const) {
      const { attributions, gap, value, baseValue } = await explain(model(), x, of)
      gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-5))
      gap.data.forEach((_, row) =>
        expect(Math.abs(sumOf(attributions, row, 4) - (value.data[row]! - baseValue.data[row]!))).toBeLessThan(1e-5),
      )
    }
  })

  it('comes near the Shapley values of SHAP with samples', async () => {
    const of = { output: 1, background, seed: 7 }
    const scale = Math.max(...dense.exact.data.map(Math.abs))
    const worst = (attributions: Tensor): number =>
      Math.max(...attributions.data.map((each, i) => Math.abs(each - dense.exact.data[i]!)))
    expect(worst((await kernelShap(model(), x, { ...of, samples: 40 })).attributions)).toBeLessThan(0.1 * scale)
    const sampled = await sampledShapley(model(), x, { ...of, permutations: 400 })
    expect(worst(sampled.attributions)).toBeLessThan(0.05 * scale)
    const errors = sampled.standardError.data
    const beyond = sampled.attributions.data.filter(
      (each, i) => Math.abs(each - dense.exact.data[i]!) > 4 * errors[i]! + 1e-5,
    )
    expect(beyond).toHaveLength(0)
  })

  it('has the partial dependence of scikit-learn', async () => {
    const { grid, average, individual } = dense.dependence
    const found = await partialDependence(model(), background, 2, { output: 1, grid: toTensor(grid).data })
    expectTensor(found.average, average, 'average', CLOSE)
    expectTensor(found.individual, individual, 'individual', CLOSE)
  })
})

describe('a convolutional model', () => {
  const { cnn } = golden
  const model = (): Sequential =>
    given(
      new Sequential([
        new Conv2D({
          filters: 4,
          kernelSize: 3,
          padding: 'same',
          activation: 'tanh',
          inputShape: [9, 8, 2],
          name: 'early',
        }),
        new MaxPooling2D(),
        new Conv2D({ filters: 5, kernelSize: 3, activation: 'relu', name: 'late' }),
        new Flatten(),
        new Dense({ units: 3 }),
      ]),
      cnn.weights,
    )
  const x = toTensor(cnn.x)

  it('has the gradients of Captum', async () => {
    const found = await saliency(model(), x)
    expect([...found.units!.data]).toEqual(cnn.units)
    expectTensor(found.attributions, cnn.saliency, 'saliency', CLOSE)
    expectTensor((await gradientTimesInput(model(), x)).attributions, cnn.gradientTimesInput, 'gradient × input', CLOSE)
  })

  it('has the integrated gradients of Captum', async () => {
    const { attributions, gap } = await integratedGradients(model(), x)
    expectTensor(attributions, cnn.integratedGradients.attributions, 'attributions', CLOSE)
    gap.data.forEach((each, row) => expect(each).toBeCloseTo(-cnn.integratedGradients.delta.data[row]!, 5))
  })

  it('has the occlusion of Captum', async () => {
    expectTensor(
      (await occlusion(model(), x, { window: [3, 2], stride: [2, 1] })).attributions,
      cnn.occlusion,
      'occlusion',
      CLOSE,
    )
    expectTensor(
      (await occlusion(model(), x, { window: [3, 2], stride: [2, 1], batchSize: 5 })).attributions,
      cnn.occlusion,
      'few at once',
      CLOSE,
    )
  })

  it('has the heat maps of Captum', async () => {
    const { heatMap, coarse, layer } = await gradCam(model(), x)
    expect(layer).toBe('late')
    expectTensor(coarse, cnn.gradCam.coarse, 'coarse', CLOSE)
    expectTensor(heatMap, cnn.gradCam.heatMap, 'heat map', CLOSE)
    expectTensor((await gradCam(model(), x, { layer: 'early', output: 0 })).coarse, cnn.gradCamEarly, 'early', CLOSE)
  })
})

it('has the integrated gradients of an Embedding of Captum', async () => {
  const { tokens } = golden
  const model = given(
    new Sequential([
      new Embedding({ inputDim: 12, outputDim: 3, inputShape: [4] }),
      new Flatten(),
      new Dense({ units: 6, activation: 'tanh' }),
      new Dense({ units: 2 }),
    ]),
    tokens.weights,
  )
  const { attributions, gap } = await integratedGradients(model, tensor(tokens.x, [3, 4], 'int32'), {
    output: 1,
    baseline: 0,
  })
  expectTensor(attributions, tokens.integratedGradients, 'attributions', CLOSE)
  gap.data.forEach((each) => expect(Math.abs(each)).toBeLessThan(1e-4))
})
