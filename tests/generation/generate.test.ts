// generate: the same tokens as without a cache, random draws, ends of sequences, and errors.
// modes: simd, interpreter

import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Attention,
  BatchNormalization,
  Bidirectional,
  Conv1D,
  Dense,
  Embedding,
  GroupNormalization,
  GroupedQueryAttention,
  Input,
  LSTM,
  Layer,
  LayerNormalization,
  MaxPooling1D,
  Model,
  MultiHeadAttention,
  PositionEmbedding,
  Sequential,
  Softmax,
  TimeDistributed,
  generate,
  generateTokens,
  initializers,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'

const TOKENS = 11
const SIZE = 8

type Attend = (x: Tensor) => Tensor
const heads =
  (options = {}): Attend =>
  (x) =>
    new MultiHeadAttention({ numHeads: 2, keyDim: 4, ...options }).apply(x, { useCausalMask: true })
const grouped =
  (options = {}): Attend =>
  (x) =>
    new GroupedQueryAttention({ numQueryHeads: 4, numKeyValueHeads: 2, headDim: 4, ...options }).apply(x, {
      useCausalMask: true,
    })

const sharp = { embeddingsInitializer: 'randomNormal' } as const
const embedding = (options = {}) => new Embedding({ inputDim: TOKENS, outputDim: SIZE, ...sharp, ...options })

/** Two blocks, with weights large enough that the next token depends on all earlier ones. */
function decoder(
  attend: Attend,
  { steps = null, end = (x) => x, ...options }: { steps?: number | null; end?: Attend; maskZero?: boolean } = {},
): Model<Tensor, Tensor> {
  const inputs = Input({ shape: [steps], dtype: 'int32' })
  let x = embedding(options).apply(inputs)
  x = ops.add(x, new PositionEmbedding({ sequenceLength: 40, ...sharp }).apply(x))
  for (let block = 0; block < 2; block++) {
    x = ops.add(x, attend(new LayerNormalization().apply(x)))
    x = ops.add(x, new Dense({ units: SIZE, activation: 'gelu' }).apply(new LayerNormalization().apply(x)))
  }
  return new Model({ inputs, outputs: end(new Dense(TOKENS).apply(new LayerNormalization().apply(x))) })
}

/** The most probable tokens, computed from the whole sequence each time. */
function likeliest(model: Model<Tensor, Tensor>, prompt: readonly number[], count: number): number[] {
  const made = [...prompt]
  for (let i = 0; i < count; i++) {
    const scores = model.predictOnBatch(tensor([made], [1, made.length], 'int32'))
    made.push(Array.from(ops.argmax(scores, -1).data).at(-1)!)
  }
  return made
}

beforeEach(() => setRandomSeed(7))

describe('generate gives the tokens of the whole sequence', () => {
  it.each([
    ['MultiHeadAttention', heads()],
    ['MultiHeadAttention with another value size and a gate', heads({ valueDim: 3, useGate: true })],
    ['MultiHeadAttention with a sliding window', heads({ slidingWindow: 3 })],
    ['MultiHeadAttention with dropout', heads({ dropout: 0.5 })],
    ['GroupedQueryAttention', grouped()],
    ['GroupedQueryAttention with a sliding window', grouped({ slidingWindow: 4 })],
  ])('with %s', async (_name, attend) => {
    const model = decoder(attend)
    for (const prompt of [[3], [1, 4, 1, 5, 9, 2, 6]]) {
      const expected = likeliest(model, prompt, 12)
      expect(new Set(expected).size, 'different tokens').toBeGreaterThan(2)
      expect(await generate(model, prompt, { maxTokens: 12 })).toEqual(expected)
      expect(await generate(model, prompt, { maxTokens: 12, cache: false })).toEqual(expected)
    }
  })

  it('for prompts of different lengths', async () => {
    const model = decoder(heads())
    const prompts = [[3, 1, 4], [1], [5, 9, 2, 6, 5]]
    expect(await generate(model, prompts, { maxTokens: 9 })).toEqual(
      prompts.map((prompt) => likeliest(model, prompt, 9)),
    )
  })

  it('with masked padding among the tokens', async () => {
    const model = decoder(heads(), { maskZero: true })
    const prompt = [0, 0, 3, 1, 0, 4]
    expect(await generate(model, prompt, { maxTokens: 8 })).toEqual(likeliest(model, prompt, 8))
  })

  it('from probabilities as from logits', async () => {
    const options = { maxTokens: 10, temperature: 1.3, topP: 0.9, seed: 5 }
    const plain = await generate(decoder(heads()), [2, 7], options)
    setRandomSeed(7)
    expect(await generate(decoder(heads(), { end: (x) => new Softmax().apply(x) }), [2, 7], options)).toEqual(plain)
  })

  it('from a model whose input has a fixed length', async () => {
    const prompt = [3, 1, 4]
    const expected = await generate(decoder(heads()), prompt, { maxTokens: 6 })
    setRandomSeed(7)
    expect(await generate(decoder(heads(), { steps: 16 }), prompt, { maxTokens: 6 })).toEqual(expected)
  })

  it('from a class, after its weights changed', async () => {
    class Own extends Model<Tensor, Tensor> {
      table = embedding()
      attention = new MultiHeadAttention({ numHeads: 2, keyDim: 4 })
      end = new Dense(TOKENS)
      override call(x: Tensor): Tensor {
        return this.end.apply(this.attention.apply(this.table.apply(x), { useCausalMask: true }))
      }
    }
    const model = new Own()
    await generate(model, [1, 2], { maxTokens: 3 })
    model.setWeights(model.getWeights().map((weight) => ops.multiply(weight, -1.5)))
    expect(await generate(model, [1, 2], { maxTokens: 8 })).toEqual(likeliest(model, [1, 2], 8))
  })
})

describe('generate', () => {
  it('streams tokens', async () => {
    const model = decoder(heads())
    const whole = await generate(model, [3, 1], { maxTokens: 6 })
    const tokens = []
    for await (const token of generateTokens(model, [3, 1], { maxTokens: 6 })) tokens.push(token)
    expect([3, 1, ...tokens]).toEqual(whole)
    const rows = []
    for await (const row of generateTokens(
      model,
      [
        [3, 1],
        [3, 1, 4],
      ],
      { maxTokens: 2 },
    ))
      rows.push(row)
    expect(rows.map((row) => row.map((token) => token === null))).toEqual([
      [false, true],
      [false, false],
      [true, false],
    ])
  })

  it('ends each sequence after its stop token', async () => {
    const model = decoder(heads())
    const [free, other] = [
      await generate(model, [3, 1], { maxTokens: 10 }),
      await generate(model, [5, 9], { maxTokens: 10 }),
    ]
    const stop = free[4]!
    const until = (tokens: number[]) => tokens.slice(0, tokens.indexOf(stop, 2) + 1 || 13)
    expect(
      await generate(
        model,
        [
          [3, 1],
          [5, 9],
        ],
        { maxTokens: 10, stopTokens: stop },
      ),
    ).toEqual([until(free), until(other)])
  })

  it('repeats its draws for a seed, and applies temperature, topK and topP', async () => {
    const model = decoder(heads())
    const drawn = (options: object) => generate(model, [3, 1], { maxTokens: 12, seed: 3, ...options })
    const hot = await drawn({ temperature: 2 })
    expect(await drawn({ temperature: 2 })).toEqual(hot)
    expect(await drawn({ temperature: 2, seed: 4 })).not.toEqual(hot)
    expect(await drawn({ temperature: 2, cache: false })).toEqual(hot)
    const best = await drawn({})
    expect(hot).not.toEqual(best)
    expect(await drawn({ temperature: 2, topK: 1 })).toEqual(best)
    expect(await drawn({ temperature: 2, topP: 1e-6 })).toEqual(best)
    expect(await drawn({ temperature: 1e-4 })).toEqual(best)
  })

  it('ends when its signal aborts', async () => {
    const controller = new AbortController()
    const model = decoder(heads())
    const tokens = []
    for await (const token of generateTokens(model, [3], { maxTokens: 20, signal: controller.signal })) {
      tokens.push(token)
      if (tokens.length === 4) controller.abort()
    }
    expect(tokens).toHaveLength(4)
  })

  it('refuses invalid arguments with a clear error', async () => {
    const model = decoder(heads())
    await expect(generate(model, [], { maxTokens: 3 })).rejects.toThrow(
      'generate: the prompt must be at least one token',
    )
    await expect(generate(model, [[1], []], { maxTokens: 3 })).rejects.toThrow('at least one token')
    await expect(generate(model, [1.5], { maxTokens: 3 })).rejects.toThrow('received 1.5 as a token')
    await expect(generate(model, 'Call me' as never, { maxTokens: 3 })).rejects.toThrow("received 'Call me'")
    await expect(generate(model, [[1], 2] as never, { maxTokens: 3 })).rejects.toThrow('received [[1], 2]')
    await expect(generate(model, tensor([[[1]]]), { maxTokens: 3 })).rejects.toThrow(
      'received a tensor of shape [1, 1, 1]',
    )
    await expect(generate(model, [1], { maxTokens: 3, topQ: 1 } as never)).rejects.toThrow(
      "Unknown option of generate 'topQ'",
    )
    await expect(generate(model, [1], { maxTokens: 100 })).rejects.toThrow(/has places for 40 steps, received 100/)
    const blind = decoder((x) => new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply(x))
    await expect(generate(blind, [1, 2], { maxTokens: 3 })).rejects.toThrow(
      /cannot be computed one step at a time: .*: attention sees the steps that follow. It needs useCausalMask. Pass cache: false/,
    )
  })

  it('takes prompts as typed arrays and tensors', async () => {
    const model = decoder(heads())
    const [one, two] = [
      await generate(model, [3, 1], { maxTokens: 4 }),
      await generate(
        model,
        [
          [3, 1],
          [4, 1],
        ],
        { maxTokens: 4 },
      ),
    ]
    expect(await generate(model, Int32Array.of(3, 1), { maxTokens: 4 })).toEqual(one)
    expect(await generate(model, tensor([3, 1]), { maxTokens: 4 })).toEqual(one)
    expect(await generate(model, [Int32Array.of(3, 1), [4, 1]], { maxTokens: 4 })).toEqual(two)
    expect(
      await generate(
        model,
        tensor(
          [
            [3, 1],
            [4, 1],
          ],
          [2, 2],
          'int32',
        ),
        { maxTokens: 4 },
      ),
    ).toEqual(two)
  })

  it('refuses topK and topP without a temperature', async () => {
    const model = decoder(heads())
    await expect(generate(model, [1], { maxTokens: 3, topK: 5 })).rejects.toThrow(
      /generate: topK limits the tokens to draw from and needs a temperature above 0/,
    )
    await expect(generate(model, [1], { maxTokens: 3, topP: 0.5 })).rejects.toThrow(/generate: topP/)
    expect(await generate(model, [1], { maxTokens: 3, topK: 5, temperature: 0 })).toEqual(likeliest(model, [1], 3))
  })

  it.each([true, false])('refuses tokens outside the vocabulary, with cache: %s', async (cache) => {
    const rising = new Dense({ units: 9, kernelInitializer: 'zeros' })
    const model = new Sequential([new Embedding({ inputDim: 4, outputDim: SIZE, inputShape: [null] }), rising])
    rising.weights[1]!.assign(ops.arange(0, 9, 1, 'float32'))
    await expect(generate(model, [[1], [3, 4]], { maxTokens: 3, cache })).rejects.toThrow(
      /generate: the model cannot take the prompt: Embedding ".*": the indices must be in 0 … 3, received 4/,
    )
    await expect(generate(model, [1], { maxTokens: 3, cache })).rejects.toThrow(
      /generate: the model cannot take token 8, which the model generated: Embedding/,
    )
    // A token that the model never reads may have any value.
    expect(await generate(model, [1], { maxTokens: 1, cache })).toEqual([1, 8])
    expect(await generate(model, [1], { maxTokens: 3, stopTokens: 8, cache })).toEqual([1, 8])
  })
})

/** Scores of an embedding after one layer or op that mixes steps; a last kernel of zeros hides the mixing. */
function mixer(mix: Attend, isShown = true): Model<Tensor, Tensor> {
  const inputs = Input({ shape: [null], dtype: 'int32' })
  const x = new Embedding({
    inputDim: TOKENS,
    outputDim: SIZE,
    embeddingsInitializer: new initializers.RandomNormal({ stddev: 1 }),
  }).apply(inputs)
  return new Model({
    inputs,
    outputs: new Dense({ units: TOKENS, kernelInitializer: isShown ? 'glorotUniform' : 'zeros' }).apply(mix(x)),
  })
}

describe('the cache', () => {
  it.each<[string, Attend]>([
    [
      'an attention whose keys and values come from the query',
      (x) =>
        new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply([x, new Dense(SIZE).apply(x), new Dense(5).apply(x)], {
          useCausalMask: true,
        }),
    ],
    [
      'the same with groups of heads',
      (x) =>
        new GroupedQueryAttention({ numQueryHeads: 4, numKeyValueHeads: 2, headDim: 4 }).apply(
          [x, new Dense(SIZE).apply(x)],
          { useCausalMask: true },
        ),
    ],
    [
      'layers that process each step separately',
      (x) =>
        new TimeDistributed({ layer: new Dense(SIZE) }).apply(
          new BatchNormalization().apply(new Conv1D({ filters: SIZE, kernelSize: 1 }).apply(x)),
        ),
    ],
    [
      'causal convolutions',
      (x) => new Conv1D({ filters: 8, kernelSize: 2, dilationRate: 4, padding: 'causal' }).apply(x),
    ],
    ['LSTM', (x) => new LSTM({ units: SIZE, returnSequences: true }).apply(x)],
    ['Attention', (x) => new Attention().apply([x, x], { useCausalMask: true })],
    ['ops.cumsum', (x) => ops.cumsum(x, 1)],
  ])('takes %s', async (_name, mix) => {
    const model = mixer(mix)
    expect(await generate(model, [1, 2], { maxTokens: 10 })).toEqual(likeliest(model, [1, 2], 10))
  })

  it.each<[string, Attend, RegExp]>([
    [
      'a convolution with padding on both sides',
      (x) => new Conv1D({ filters: 8, kernelSize: 3, padding: 'same' }).apply(x),
      /conv1d.*: convolution reads steps that follow/,
    ],
    [
      'Bidirectional',
      (x) => new Bidirectional({ layer: new LSTM({ units: SIZE, returnSequences: true }) }).apply(x),
      /bidirectional/,
    ],
    ['GroupNormalization', (x) => new GroupNormalization({ groups: 2 }).apply(x), /group_normalization/],
    [
      'pooling',
      (x) => new MaxPooling1D({ poolSize: 2, strides: 1, padding: 'same' }).apply(x),
      /max_pooling1d.*: pad pads after the last step/,
    ],
    [
      'an attention over lists that is not causal',
      (x) => new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply([x, new Dense(SIZE).apply(x)]),
      /multi_head_attention.*: attention sees the steps that follow\. It needs useCausalMask/,
    ],
    ['ops.flip', (x) => ops.flip(x, 1), /reverse reverses the steps/],
    [
      'a subtraction of the same value from all steps',
      (x) => ops.subtract(x, ops.mean(x, 1, true)),
      /mean is over all steps/,
    ],
  ])('refuses %s', async (_name, mix, why) => {
    // Weights do not matter, also those that hide what a layer does.
    for (const isShown of [true, false]) {
      const model = mixer(mix, isShown)
      const refused = expect(generate(model, [1, 2], { maxTokens: 14 })).rejects
      await refused.toThrow(
        /generate: .* cannot be computed one step at a time: .* Pass cache: false, or change the model/,
      )
      await expect(generate(model, [1, 2], { maxTokens: 14 })).rejects.toThrow(why)
      expect(await generate(model, [1, 2], { maxTokens: 4, cache: false })).toEqual(likeliest(model, [1, 2], 4))
    }
  })

  it('decides again after the model changed', async () => {
    const model = new Sequential([embedding(), new Dense(TOKENS)])
    expect(await generate(model, [1, 2], { maxTokens: 10 })).toEqual(likeliest(model, [1, 2], 10))
    model.add(new Conv1D({ filters: TOKENS, kernelSize: 2, padding: 'causal' }))
    expect(await generate(model, [1, 2], { maxTokens: 10 })).toEqual(likeliest(model, [1, 2], 10))
    model.add(new Conv1D({ filters: TOKENS, kernelSize: 2, padding: 'same' }))
    await expect(generate(model, [1, 2], { maxTokens: 4 })).rejects.toThrow('reads steps that follow')
  })

  it('does not touch the weights to find out what the model is', async () => {
    const model = decoder(heads())
    const [sets, gets] = [vi.spyOn(model, 'setWeights'), vi.spyOn(model, 'getWeights')]
    await generate(
      model,
      Array.from({ length: 20 }, (_, i) => i % TOKENS),
      { maxTokens: 3 },
    )
    expect(sets).not.toHaveBeenCalled()
    expect(gets).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('accepts padding masks that reach every attention, and refuses those that are lost', async () => {
    const padded = (isKept: boolean): Model<Tensor, Tensor> => {
      const inputs = Input({ shape: [null], dtype: 'int32' })
      let x = embedding({ maskZero: true }).apply(inputs)
      for (let block = 0; block < 2; block++) x = isKept ? heads()(x) : ops.add(x, heads()(x))
      return new Model({ inputs, outputs: new Dense(TOKENS).apply(x) })
    }
    const prompts = [
      [0, 3, 1],
      [0, 0, 3],
      [2, 0, 0, 5],
    ]
    const kept = padded(true)
    expect(await generate(kept, prompts, { maxTokens: 9 })).toEqual(prompts.map((prompt) => likeliest(kept, prompt, 9)))
    await expect(generate(padded(false), prompts, { maxTokens: 9 })).rejects.toThrow('a padding mask is lost')
  })

  it('leaves the weights as they are, in success and failure', async () => {
    for (const model of [decoder(heads()), mixer((x) => ops.flip(x, 1))]) {
      const before = model.getWeights().map(({ data }) => data)
      await generate(model, [1, 2], { maxTokens: 6 }).catch(() => null)
      expect(model.getWeights().map(({ data }) => data)).toEqual(before)
    }
  })

  it('numbers the steps for a layer that counts them from 0', async () => {
    class Places extends Layer<Tensor> {
      call(x: Tensor): Tensor {
        const places = ops.cast(ops.arange(0, x.shape[1]!, 1, 'int32'), 'float32')
        return ops.add(x, ops.expandDims(ops.sin(places), -1))
      }
    }
    const placed = decoder((x) => heads()(new Places().apply(x)))
    expect(await generate(placed, [1, 2, 3], { maxTokens: 9 })).toEqual(likeliest(placed, [1, 2, 3], 9))
  })
})
