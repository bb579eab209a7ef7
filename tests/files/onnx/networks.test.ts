// Networks that torch.onnx wrote compute what they compute in torch.

import { describe, expect, it } from 'vitest'
import { Tensor, tensor } from '../../../src'
import { loadOnnx } from '../../../src/entries/onnx'
import { bytesOf, inputsOf, golden, wave, type Golden } from '../../helpers/onnx-networks'

const record = (outputs: unknown, { outputs: names }: Golden): Record<string, Tensor> =>
  outputs instanceof Tensor ? { [Object.keys(names)[0]!]: outputs } : (outputs as Record<string, Tensor>)

function expectOutputs(found: unknown, each: Golden): void {
  for (const [name, expected] of Object.entries(each.outputs)) {
    const { data, shape } = record(found, each)[name]!
    const wanted = tensor(expected)
    expect(shape).toEqual(wanted.shape)
    data.forEach((x, i) => expect(Math.abs(x - wanted.data[i]!)).toBeLessThan(2e-5))
  }
}

describe('networks of torch.onnx', () => {
  it.each(Object.keys(golden))('%s computes what torch computes', async (name) => {
    const model = await loadOnnx<unknown, unknown>(bytesOf(name))
    expectOutputs(await model.predict(inputsOf(golden[name]!) as Tensor), golden[name]!)
    model.dispose()
  })

  it('take several inputs and return several outputs by their names', async () => {
    const model = await loadOnnx<{ input: Tensor; state: Tensor }, { output: Tensor; stateN: Tensor }>(
      bytesOf('streaming-old'),
    )
    const { output, stateN } = await model.predict({ input: wave([3, 16]), state: wave([2, 3, 5]) })
    expect([output.shape, stateN.shape]).toEqual([
      [3, 1],
      [2, 3, 5],
    ])
    await expect(model.predict({ input: wave([3, 16]) } as never)).rejects.toThrow("'state'")
  })

  it('have weights under the names of the file, kernels in the layout of Conv2D', async () => {
    const model = await loadOnnx(bytesOf('residual-training-old'))
    const weights = new Map(model.weights.map((each) => [each.name, each]))
    expect(weights.get('first.weight')!.shape).toEqual([3, 3, 3, 8])
    expect(weights.get('last.weight')!.shape).toEqual([5, 8])
    expect(weights.get('norm.running_mean')!.trainable).toBe(false)
    expect(weights.get('norm.weight')!.trainable).toBe(true)
  })
})
