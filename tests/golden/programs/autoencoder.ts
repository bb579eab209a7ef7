import { Conv2D, Conv2DTranspose, Input, MaxPooling2D, Model, ops } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(5)
  const large = ops.repeat(ops.repeat(numbers.uniform(40, 4, 4, 1), 2, 1), 2, 2)
  const clean = ops.cast(ops.greater(large, 0), 'float32')
  const noisy = ops.clip(ops.add(clean, ops.multiply(numbers.uniform(40, 8, 8, 1), 0.4)), 0, 1)

  const input = Input({ shape: [8, 8, 1] })
  // Encoder
  let x = new Conv2D({ filters: 6, kernelSize: [3, 3], activation: 'relu', padding: 'same' }).apply(input)
  x = new MaxPooling2D({ poolSize: [2, 2], padding: 'same' }).apply(x)
  x = new Conv2D({ filters: 6, kernelSize: [3, 3], activation: 'relu', padding: 'same' }).apply(x)
  x = new MaxPooling2D({ poolSize: [2, 2], padding: 'same' }).apply(x)
  // Decoder
  const enlarging = { filters: 6, kernelSize: [3, 3], strides: 2, activation: 'relu', padding: 'same' } as const
  x = new Conv2DTranspose(enlarging).apply(x)
  x = new Conv2DTranspose(enlarging).apply(x)
  x = new Conv2D({ filters: 1, kernelSize: [3, 3], activation: 'sigmoid', padding: 'same' }).apply(x)
  const autoencoder = new Model({ inputs: input, outputs: x })
  begin({ autoencoder })
  autoencoder.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' })
  const { history } = await autoencoder.fit(rows(noisy, 0, 32), rows(clean, 0, 32), {
    epochs: 3,
    batchSize: 8,
    validationData: [rows(noisy, 32), rows(clean, 32)],
    shuffle: false,
    verbose: 0,
  })
  return { history, predictions: await autoencoder.predict(rows(noisy, 32, 35)) }
}
