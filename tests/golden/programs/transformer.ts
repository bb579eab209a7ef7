import {
  Dense,
  Embedding,
  GlobalAveragePooling1D,
  Input,
  Layer,
  LayerNormalization,
  Model,
  MultiHeadAttention,
  Sequential,
  ops,
  type Tensor,
} from '../../../src'
import { Numbers, rows } from './drawn'
import type { Program } from './program'

class TransformerBlock extends Layer<Tensor> {
  readonly att: MultiHeadAttention
  readonly ffn: Sequential
  readonly layernorm1 = new LayerNormalization({ epsilon: 1e-6 })
  readonly layernorm2 = new LayerNormalization({ epsilon: 1e-6 })

  constructor(embedDim: number, numHeads: number, ffDim: number) {
    super()
    this.att = new MultiHeadAttention({ numHeads, keyDim: embedDim })
    this.ffn = new Sequential([new Dense(ffDim, { activation: 'relu' }), new Dense(embedDim)])
  }

  call(inputs: Tensor): Tensor {
    const attnOutput = this.att.apply([inputs, inputs])
    const out1 = this.layernorm1.apply(ops.add(inputs, attnOutput))
    return this.layernorm2.apply(ops.add(out1, this.ffn.apply(out1)))
  }
}

class TokenAndPositionEmbedding extends Layer<Tensor> {
  readonly tokenEmb: Embedding
  readonly posEmb: Embedding

  constructor(maxlen: number, vocabSize: number, embedDim: number) {
    super()
    this.tokenEmb = new Embedding({ inputDim: vocabSize, outputDim: embedDim })
    this.posEmb = new Embedding({ inputDim: maxlen, outputDim: embedDim })
  }

  call(x: Tensor): Tensor {
    const positions = ops.arange(0, x.shape.at(-1)!, 1)
    return ops.add(this.tokenEmb.apply(x), this.posEmb.apply(positions))
  }
}

export const run: Program = async (begin) => {
  const numbers = new Numbers(3)
  const x = numbers.integers(30, 64, 8)
  const y = ops.cast(ops.less(ops.take(x, 0, 1), ops.take(x, -1, 1)), 'int32')

  const inputs = Input({ shape: [8], dtype: 'int32' })
  let h = new TokenAndPositionEmbedding(8, 30, 12).apply(inputs)
  h = new TransformerBlock(12, 2, 16).apply(h)
  h = new GlobalAveragePooling1D().apply(h)
  h = new Dense(10, { activation: 'relu' }).apply(h)
  const model = new Model({ inputs, outputs: new Dense(2, { activation: 'softmax' }).apply(h) })
  begin({ model })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  const { history } = await model.fit(rows(x, 0, 48), rows(y, 0, 48), {
    batchSize: 16,
    epochs: 3,
    validationData: [rows(x, 48), rows(y, 48)],
    shuffle: false,
    verbose: 0,
  })
  return { history, predictions: await model.predict(rows(x, 48)) }
}
