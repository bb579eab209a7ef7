// The model of the search: one hidden layer over the eight numbers of a penguin. It is a separate module, so that threads can read it.

import { Adam, Dense, Sequential } from 'myelin'

export default function make({ units, learningRate }) {
  const model = new Sequential([
    new Dense({ units, activation: 'relu', inputShape: [8] }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: new Adam({ learningRate }), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  return model
}
