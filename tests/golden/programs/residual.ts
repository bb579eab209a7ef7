import {
  Add,
  BatchNormalization,
  Conv2D,
  Dense,
  GlobalAveragePooling2D,
  Input,
  LayerNormalization,
  Model,
  ReLU,
  SGD,
  SeparableConv2D,
  losses,
  ops,
  schedules,
} from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

export const run: Program = async (begin) => {
  const numbers = new Numbers(11)
  const x = numbers.uniform(60, 12, 12, 3)
  const y = ops.argmax(ops.mean(ops.slice(x, [0, 3, 3, 0], [60, 6, 6, 3]), [1, 2]), -1)

  const inputs = Input({ shape: [12, 12, 3], name: 'img' })
  let h = new Conv2D({ filters: 6, kernelSize: 3, useBias: false }).apply(inputs)
  h = new BatchNormalization().apply(h)
  const block1Output = new ReLU().apply(h)
  const same = { filters: 6, kernelSize: 3, activation: 'relu', padding: 'same' } as const
  h = new SeparableConv2D(same).apply(block1Output)
  h = new Conv2D(same).apply(h)
  const block2Output = new Add().apply([h, block1Output])
  h = new Conv2D({ filters: 8, kernelSize: 3, strides: 2 }).apply(block2Output)
  h = new LayerNormalization().apply(h)
  h = new GlobalAveragePooling2D().apply(h)
  const model = new Model({ inputs, outputs: new Dense(3).apply(h), name: 'toy_resnet' })
  begin({ model })
  const schedule = new schedules.CosineDecay({ initialLearningRate: 0.05, decaySteps: 24, alpha: 0.1 })
  model.compile({
    optimizer: new SGD({ learningRate: schedule, momentum: 0.9, nesterov: true }),
    loss: new losses.SparseCategoricalCrossentropy({ fromLogits: true }),
    metrics: ['acc'],
  })
  const { history } = await model.fit(x, y, {
    batchSize: 10,
    epochs: 4,
    validationSplit: 0.2,
    shuffle: false,
    verbose: 0,
  })
  return { history, predictions: await model.predict(rows(x, 0, 5)) }
}
