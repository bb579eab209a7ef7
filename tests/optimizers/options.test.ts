// Options of optimizers that have an effect only with another option.

import { describe, expect, it } from 'vitest'
import { Dense, Sequential, StateError, optimizers } from '../../src'
import { ObjectReader } from '../../src/files/keras/objects'

describe('an option without effect', () => {
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
  ])('changes nothing in a %s of a file of Keras, where it may be: %o', (className, config, expected) => {
    const saved = ObjectReader.value({ class_name: className, config: { name: 'a', ...config } }, {})
    const optimizer = optimizers.deserialize(saved as never)
    expect(optimizer).toMatchObject(expected)
  })
})
