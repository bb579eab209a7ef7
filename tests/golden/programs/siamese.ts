import { BatchNormalization, Dense, Input, Lambda, Model, ops, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

const EPSILON = 1e-7

function euclideanDistance([x, y]: readonly [Tensor, Tensor]): Tensor {
  const sumSquare = ops.sum(ops.square(ops.subtract(x, y)), { axis: 1, keepDims: true })
  return ops.sqrt(ops.maximum(sumSquare, EPSILON))
}

function contrastiveLoss(yTrue: Tensor, yPred: Tensor): Tensor {
  const squarePred = ops.square(yPred)
  const marginSquare = ops.square(ops.maximum(ops.subtract(1, yPred), 0))
  return ops.mean(ops.add(ops.multiply(ops.subtract(1, yTrue), squarePred), ops.multiply(yTrue, marginSquare)))
}

export const run: Program = async (begin) => {
  const numbers = new Numbers(6)
  const [left, right] = [numbers.uniform(64, 6), numbers.uniform(64, 6)]
  const isPositive = (x: Tensor): Tensor => ops.greater(ops.slice(x, [0, 0], [64, 1]), 0)
  const y = ops.cast(ops.notEqual(isPositive(left), isPositive(right)), 'float32')

  const input = Input({ shape: [6] })
  let x = new BatchNormalization().apply(input)
  x = new Dense(10, { activation: 'tanh' }).apply(x)
  x = new Dense(4, { activation: 'tanh' }).apply(x)
  const embeddingNetwork = new Model({ inputs: input, outputs: x })

  const [input1, input2] = [Input({ shape: [6] }), Input({ shape: [6] })]
  const [tower1, tower2] = [embeddingNetwork.apply(input1), embeddingNetwork.apply(input2)]
  const mergeLayer = new Lambda({ function: euclideanDistance as never }).apply([tower1, tower2] as never) as Tensor
  const normalLayer = new BatchNormalization().apply(mergeLayer)
  const outputLayer = new Dense(1, { activation: 'sigmoid' }).apply(normalLayer)
  const siamese = new Model({ inputs: [input1, input2], outputs: outputLayer })
  begin({ siamese })
  siamese.compile({ loss: contrastiveLoss, optimizer: 'rmsprop', metrics: ['accuracy'] })
  const { history } = await siamese.fit([left, right], y, { batchSize: 16, epochs: 4, shuffle: false, verbose: 0 })
  return { history, predictions: await siamese.predict([rows(left, 0, 6), rows(right, 0, 6)]) }
}
