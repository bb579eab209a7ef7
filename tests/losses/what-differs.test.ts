// What docs/from-keras.md says of results that differ from Keras.

import { describe, expect, it } from 'vitest'
import { Activation, Input, Sequential, ops, tensor } from '../../src'

async function lossOf(activation: string, loss: string, logits: number[], target: number[]): Promise<number> {
  const model = new Sequential([Input([logits.length]), new Activation(activation)])
  model.compile({ loss })
  return (await model.evaluate([logits], [target], { verbose: 0 }))['loss']!
}

describe('results that differ from Keras', () => {
  it('crossentropies of saturated answers count in full', async () => {
    expect(await lossOf('sigmoid', 'binaryCrossentropy', [-40], [1])).toBeCloseTo(40, 5)
    expect(await lossOf('softmax', 'categoricalCrossentropy', [-40, 0], [1, 0])).toBeCloseTo(40, 5)
  })

  it('sparsemax sums to 1', () => {
    for (const x of [
      [4.37406205, 5.88077495, 5.40490461],
      [1.07214123, -3.6249559, -0.0133624, 1.96942481],
      [-3.54504893, -5.30553557, -2.89156269, -9.3190104, -3.42683687],
    ])
      expect(ops.sum(ops.sparsemax(tensor(x))).item()).toBeCloseTo(1, 6)
  })

  it('affineTransform does not read the last two numbers of a transform', () => {
    const image = ops.reshape(ops.arange(16), [1, 4, 4, 1])
    const moved = (last: readonly number[]) =>
      ops.image.affineTransform(image, tensor([1, 0, 1, 0, 1, 0, ...last])).toArray()
    expect(moved([0.1, 0.2])).toEqual(moved([0, 0]))
  })
})
