// generate: the same tokens as from computing everything anew, what is drawn, where it ends, and what it refuses.
// modes: simd, interpreter

import { beforeEach, describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import {
  Dense, Embedding, GroupedQueryAttention, Input, LSTM, Layer, LayerNormalization, Model, MultiHeadAttention, PositionEmbedding, Softmax,
  firstStep, generate, generateTokens, ops, setRandomSeed, tensor,
} from '../../src'

const TOKENS = 11
const SIZE = 8

type Attend = (x: Tensor) => Tensor
const heads = (options = {}): Attend => (x) => new MultiHeadAttention({ numHeads: 2, keyDim: 4, ...options }).apply(x, { useCausalMask: true })
const grouped = (options = {}): Attend => (x) => new GroupedQueryAttention({ numQueryHeads: 4, numKeyValueHeads: 2, headDim: 4, ...options }).apply(x, { useCausalMask: true })

const sharp = { embeddingsInitializer: 'randomNormal' } as const
const embedding = (options = {}) => new Embedding({ inputDim: TOKENS, outputDim: SIZE, ...sharp, ...options })

/** Two blocks, with weights large enough that what comes next depends on all that was before. */
function decoder(attend: Attend, { steps = null, end = (x) => x, ...options }: { steps?: number | null; end?: Attend; maskZero?: boolean } = {}): Model<Tensor, Tensor> {
  const inputs = Input({ shape: [steps], dtype: 'int32' })
  let x = embedding(options).apply(inputs)
  x = ops.add(x, new PositionEmbedding({ sequenceLength: 40, ...sharp }).apply(x))
  for (let block = 0; block < 2; block++) {
    x = ops.add(x, attend(new LayerNormalization().apply(x)))
    x = ops.add(x, new Dense({ units: SIZE, activation: 'gelu' }).apply(new LayerNormalization().apply(x)))
  }
  return new Model({ inputs, outputs: end(new Dense(TOKENS).apply(new LayerNormalization().apply(x))) })
}

/** The likeliest tokens, from the whole sequence each time. */
function likeliest(model: Model<Tensor, Tensor>, prompt: readonly number[], count: number): number[] {
  const made = [...prompt]
  for (let i = 0; i < count; i++) {
    const scores = model.predictOnBatch(tensor([made], [1, made.length], 'int32'))
    made.push(Array.from(ops.argmax(scores, -1).data).at(-1)!)
  }
  return made
}

beforeEach(() => setRandomSeed(7))

describe('generate gives what the whole sequence gives', () => {
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
    expect(await generate(model, prompts, { maxTokens: 9 })).toEqual(prompts.map((prompt) => likeliest(model, prompt, 9)))
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
    for await (const row of generateTokens(model, [[3, 1], [3, 1, 4]], { maxTokens: 2 })) rows.push(row)
    expect(rows.map((row) => row.map((token) => token === null))).toEqual([[false, true], [false, false], [true, false]])
  })

  it('ends behind a stop token, each sequence by itself', async () => {
    const model = decoder(heads())
    const [free, other] = [await generate(model, [3, 1], { maxTokens: 10 }), await generate(model, [5, 9], { maxTokens: 10 })]
    const stop = free[4]!
    const until = (tokens: number[]) => tokens.slice(0, (tokens.indexOf(stop, 2) + 1 || 13))
    expect(await generate(model, [[3, 1], [5, 9]], { maxTokens: 10, stopTokens: stop })).toEqual([until(free), until(other)])
  })

  it('draws the same for a seed, and by temperature, topK and topP', async () => {
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

  it('ends when its signal says so', async () => {
    const controller = new AbortController()
    const model = decoder(heads())
    const tokens = []
    for await (const token of generateTokens(model, [3], { maxTokens: 20, signal: controller.signal })) {
      tokens.push(token)
      if (tokens.length === 4) controller.abort()
    }
    expect(tokens).toHaveLength(4)
  })

  it('refuses what it cannot do, in words', async () => {
    const model = decoder(heads())
    await expect(generate(model, [], { maxTokens: 3 })).rejects.toThrow('generate: the prompt must be a list of at least one token')
    await expect(generate(model, [[1], []], { maxTokens: 3 })).rejects.toThrow('at least one token')
    await expect(generate(model, [1.5], { maxTokens: 3 })).rejects.toThrow('an integer')
    await expect(generate(model, [1], { maxTokens: 3, topQ: 1 } as never)).rejects.toThrow("Unknown option of generate 'topQ'")
    await expect(generate(model, [1], { maxTokens: 100 })).rejects.toThrow(/has places for 40 steps, received 100/)
    const blind = decoder((x) => new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply(x))
    await expect(generate(blind, [1, 2], { maxTokens: 3 })).rejects.toThrow(/generate keeps keys and values of attention over .* with useCausalMask/)
  })

  it('tells a layer that mixes steps, or does not know where it stands', async () => {
    const recurrent = decoder((x) => new LSTM({ units: SIZE, returnSequences: true }).apply(x))
    await expect(generate(recurrent, [1, 2, 3], { maxTokens: 3 })).rejects.toThrow(/generate: .* gives other scores for a step by itself.*cache: false/)
    expect(await generate(recurrent, [1, 2, 3], { maxTokens: 3, cache: false })).toEqual(likeliest(recurrent, [1, 2, 3], 3))

    class Places extends Layer<Tensor> {
      constructor(private readonly asks: boolean) {
        super()
      }
      call(x: Tensor): Tensor {
        const first = this.asks ? firstStep() : 0
        const places = ops.cast(ops.add(ops.arange(0, x.shape[1]!, 1, 'int32'), first), 'float32')
        return ops.add(x, ops.expandDims(ops.sin(places), -1))
      }
    }
    const placed = (asks: boolean) => decoder((x) => heads()(new Places(asks).apply(x)))
    await expect(generate(placed(false), [1, 2, 3], { maxTokens: 3 })).rejects.toThrow(/without asking firstStep/)
    expect(await generate(placed(true), [1, 2, 3], { maxTokens: 3 })).toHaveLength(6)
  })
})
