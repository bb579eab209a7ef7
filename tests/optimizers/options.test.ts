// Options of optimizers that have an effect only with another option.

import { describe, expect, it } from 'vitest'
import { Adam, ArgumentError, Dense, SGD, Sequential, StateError, optimizers } from '../../src/index'
import { ObjectReader } from '../../src/keras/objects'

describe('an option without effect is refused', () => {
  it.each([
    ['nesterov', () => new SGD({ nesterov: true }), 'SGD: nesterov needs momentum'],
    ['emaMomentum', () => new Adam({ emaMomentum: 0.9 }), 'Adam: emaMomentum and emaOverwriteFrequency need useEma'],
    [
      'emaOverwriteFrequency',
      () => new SGD({ emaOverwriteFrequency: 100 }),
      'SGD: emaMomentum and emaOverwriteFrequency need useEma',
    ],
  ])('%s', (_name, make, message) => {
    expect(make).toThrow(ArgumentError)
    expect(make).toThrow(message)
  })

  it('model.loss, which compile sets', () => {
    const model = new Sequential([new Dense(1, { inputShape: [2] })])
    expect(() => Object.assign(model, { loss: 'mse' })).toThrow(StateError)
    expect(() => Object.assign(model, { loss: 'mse' })).toThrow('Call compile again')
  })

  it.each([
    ['SGD', { momentum: 0, nesterov: true }, { momentum: 0, nesterov: false }],
    ['SGD', { momentum: 0.9, nesterov: true }, { momentum: 0.9, nesterov: true }],
    ['Adam', { use_ema: false, ema_momentum: 0.5, ema_overwrite_frequency: 7 }, { useEma: false }],
    [
      'Adam',
      { use_ema: true, ema_momentum: 0.5, ema_overwrite_frequency: 7 },
      { useEma: true, emaMomentum: 0.5, emaOverwriteFrequency: 7 },
    ],
  ])('is left out of a %s in a file of Keras, where it may be: %o', (className, config, expected) => {
    const saved = ObjectReader.value({ class_name: className, config: { name: 'a', ...config } }, {})
    const optimizer = optimizers.deserialize(saved as never)
    expect(optimizer).toMatchObject(expected)
  })
})
