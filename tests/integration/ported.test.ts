// Small versions of programs that people port from Keras: a discriminator frozen after compile, and a sequence model
// rewired from its layers.
// modes: simd
import { expect, it } from 'vitest'
import { Dense, EarlyStopping, GRU, Input, Model, Sequential, metrics, ops, setRandomSeed, tensor } from '../../src'
import type { Layer, Tensor } from '../../src'
import { weightsOf } from '../helpers/training'

it('a GAN freezes the discriminator after compile, for the generator alone', () => {
  setRandomSeed(1)
  const discriminator = new Sequential([new Dense({ units: 4, activation: 'relu', inputShape: [2] }), new Dense(1)])
  discriminator.compile({ optimizer: 'adam', loss: 'mse' })
  discriminator.trainable = false
  const generator = new Sequential([new Dense({ units: 2, inputShape: [3] })])
  const noise = Input({ shape: [3] })
  const both = new Model({ inputs: noise, outputs: discriminator.apply(generator.apply(noise)) })
  both.compile({ optimizer: 'adam', loss: 'mse' })
  const before = [weightsOf(discriminator), weightsOf(generator)]
  both.trainOnBatch(ops.ones([4, 3]), ops.ones([4, 1]))
  expect(weightsOf(discriminator)).toEqual(before[0])
  expect(weightsOf(generator)).not.toEqual(before[1])
})

it('a sequence model is rewired from model.layers into an encoder', () => {
  const x = Input({ shape: [3, 2] })
  const [output, state] = new GRU({ units: 4, returnState: true }).applyWithState(x)
  const model = new Model({ inputs: x, outputs: new Dense(1).apply(output) })
  const encoder = new Model({ inputs: model.inputs[0]!, outputs: state! })
  const gru = model.layers[1] as Layer
  expect(gru).toBeInstanceOf(GRU)
  const again = Input({ shape: [3, 2] })
  const rewired = new Model({ inputs: again, outputs: (gru.apply(again) as unknown as readonly Tensor[])[1]! })
  const data = tensor([
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ])
  expect(rewired.predictOnBatch(data).toArray()).toEqual(encoder.predictOnBatch(data).toArray())
})

it('EarlyStopping monitors a custom metric with an underscore', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [new metrics.MeanAbsoluteError({ name: 'my_error' })] })
  const stop = new EarlyStopping({ monitor: 'val_my_error', minDelta: 1e6, patience: 1, mode: 'min' })
  const { history } = await model.fit([[1], [2]], [[1], [2]], {
    epochs: 9,
    verbose: 0,
    validationData: [[[3]], [[3]]],
    callbacks: [stop],
  })
  expect(history['my_error']).toHaveLength(2)
})
