import { Dense, Input, LSTM, Model, ops, type Tensor } from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

const [TOKENS, LATENT, START] = [6, 12, 0]

export const run: Program = async (begin) => {
  const numbers = new Numbers(10)
  const source = ops.add(numbers.integers(TOKENS - 1, 64, 5), 1)
  const target = ops.flip(source, 1)
  const oneHot = (x: Tensor): Tensor => ops.oneHot(x, TOKENS)
  const [encoderInputData, decoderTargetData] = [oneHot(source), oneHot(target)]
  const start = (count: number): Tensor => ops.full([count, 1], START, 'int32')
  const decoderInputData = oneHot(ops.concatenate([start(64), ops.slice(target, [0, 0], [64, 4])], 1))

  const encoderInputs = Input({ shape: [null, TOKENS] })
  const [, stateH, stateC] = new LSTM(LATENT, { returnState: true }).applyWithState(encoderInputs)
  const decoderInputs = Input({ shape: [null, TOKENS] })
  const decoderLstm = new LSTM(LATENT, { returnSequences: true, returnState: true })
  const [decoderOutputs] = decoderLstm.applyWithState(decoderInputs, { initialState: [stateH!, stateC!] })
  const decoderDense = new Dense(TOKENS, { activation: 'softmax' })
  const model = new Model({ inputs: [encoderInputs, decoderInputs], outputs: decoderDense.apply(decoderOutputs) })
  begin({ model })
  model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const { history } = await model.fit([encoderInputData, decoderInputData], decoderTargetData, {
    batchSize: 16,
    epochs: 6,
    validationSplit: 0.25,
    shuffle: false,
    verbose: 0,
  })

  // Encoder and decoder for inference, of the trained layers.
  const encoderModel = new Model({ inputs: encoderInputs, outputs: [stateH!, stateC!] })
  const stateInputs = [Input({ shape: [LATENT] }), Input({ shape: [LATENT] })]
  const [outputs, h, c] = decoderLstm.applyWithState(decoderInputs, { initialState: stateInputs })
  const decoderModel = new Model({
    inputs: [decoderInputs, ...stateInputs],
    outputs: [decoderDense.apply(outputs), h!, c!],
  })
  let states: readonly Tensor[] = await encoderModel.predict(rows(encoderInputData, 0, 8))
  let token = oneHot(start(8))
  const decoded: Tensor[] = []
  for (let step = 0; step < 5; step++) {
    const [probabilities, ...next] = (await decoderModel.predict([token, ...states])) as [Tensor, Tensor, Tensor]
    decoded.push(ops.squeeze(probabilities, 1))
    token = oneHot(ops.argmax(probabilities, -1))
    states = next
  }
  return { history, decoded: ops.stack(decoded, 1) }
}
