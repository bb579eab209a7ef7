import { Adam, Dense, EarlyStopping, Input, LSTM, Model, ops, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(4)
  const noise = numbers.uniform(120, 3)
  const raw = ops.add(noise, ops.multiply(ops.roll(noise, 1, 0), 0.5))
  const target = ops.slice(raw, [0, 0], [120, 1])

  const known = rows(raw, 0, 90)
  const features = ops.divide(ops.subtract(raw, ops.mean(known, 0)), ops.std(known, 0))
  const [past, ahead] = [12, 3]
  const windows = (first: number, last: number): [x: Tensor, y: Tensor] => {
    const starts = Array.from({ length: last - past - ahead - first }, (_, i) => first + i)
    const steps = ops.add(ops.expandDims(starts, 1), ops.arange(0, past, 2, 'int32'))
    return [ops.take(features, ops.cast(steps, 'int32'), 0), rows(target, first + past + ahead - 1, last - 1)]
  }
  const [xTrain, yTrain] = windows(0, 90)
  const [xVal, yVal] = windows(90, 120)

  const inputs = Input({ shape: xTrain.shape.slice(1) })
  const lstmOut = new LSTM(8).apply(inputs)
  const model = new Model({ inputs, outputs: new Dense(1).apply(lstmOut) })
  begin({ model })
  model.compile({ optimizer: new Adam({ learningRate: 0.1 }), loss: 'mse' })
  const stopping = new EarlyStopping({ monitor: 'valLoss', minDelta: 0, patience: 2, restoreBestWeights: true })
  const { history } = await model.fit(xTrain, yTrain, {
    epochs: 12,
    batchSize: 25,
    validationData: [xVal, yVal],
    callbacks: [stopping],
    shuffle: false,
    verbose: 0,
  })
  return { history, predictions: await model.predict(rows(xVal, 0, 5)) }
}
