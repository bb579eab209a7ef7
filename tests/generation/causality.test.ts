// Which models generate takes one step at a time: what it reads from the graph agrees with numbers, for each rule.
// modes: simd, interpreter

import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Add,
  AdditiveAttention,
  Attention,
  AveragePooling1D,
  BatchNormalization,
  Bidirectional,
  Conv1D,
  Dense,
  DepthwiseConv1D,
  Embedding,
  GRU,
  GlobalAveragePooling1D,
  GroupNormalization,
  GroupedQueryAttention,
  Input,
  LSTM,
  Lambda,
  Layer,
  LayerNormalization,
  Masking,
  MaxPooling1D,
  Model,
  MultiHeadAttention,
  PositionEmbedding,
  RMSNormalization,
  SeparableConv1D,
  SimpleRNN,
  TimeDistributed,
  generate,
  initializers,
  ops,
  setRandomSeed,
  Tensor,
} from '../../src'
import { StateError } from '../../src/core/errors'
import { forgetWarnings } from '../../src/core/warnings'
import { packRows, packedBytes, packedShape, type PackedFormat } from '../../src/engine/primitives/packed'
import { packedMatmul, packedTake } from '../../src/ops/nn/packed'
import { CachedScorer, WholeScorer } from '../../src/generation/scorers'

const TOKENS = 13
const SIZE = 8
const STEPS = 12
const BATCH = 2

type Mix = (x: Tensor, tokens: Tensor) => Tensor

const sharp = () => new initializers.RandomNormal({ stddev: 1 })
const heads = (options = {}) => new MultiHeadAttention({ numHeads: 2, keyDim: 4, ...options })
const stepsOf = (x: Tensor): number => x.shape[1]!
const places = (x: Tensor): Tensor => ops.arange(0, stepsOf(x), 1, 'int32')
/** [queries, keys]: whether the key does not come after the query. */
const tri = (x: Tensor): Tensor => ops.greaterEqual(ops.expandDims(places(x), 1), ops.expandDims(places(x), 0))
const scores = (x: Tensor): Tensor => ops.matmul(x, ops.transpose(x, [0, 2, 1]))
const padded = (x: Tensor, before: number, after = 0): Tensor =>
  ops.pad(x, [
    [0, 0],
    [before, after],
    [0, 0],
  ])
const part = (x: Tensor, from: number, to: number): Tensor =>
  ops.slice(x, [0, from, 0], [x.shape[0]!, to - from, x.shape[2]!])
const twice =
  (mix: Mix): Mix =>
  (x, tokens) =>
    mix(ops.add(x, mix(x, tokens)), tokens)
const inLayer =
  (mix: Mix): Mix =>
  (x, tokens) =>
    new Applied(mix).apply([x, tokens])

/** Ops in a layer see whole tensors, with the extents of each call. */
class Applied extends Layer<readonly Tensor[], Tensor> {
  constructor(private readonly mix: Mix) {
    super()
  }
  call([x, tokens]: readonly Tensor[]): Tensor {
    return this.mix(x!, tokens!)
  }
}

/** Causal or masked heads over x, with a mask of pairs from ops. */
class MaskedHeads extends Layer<readonly Tensor[], Tensor> {
  readonly attention = heads()
  constructor(
    private readonly mask: Mix,
    private readonly useCausalMask: boolean,
  ) {
    super()
  }
  call([x, tokens]: readonly Tensor[]): Tensor {
    return this.attention.apply(x!, { useCausalMask: this.useCausalMask, attentionMask: this.mask(x!, tokens!) })
  }
}

/** Counts its calls. */
class Counting extends Layer<Tensor> {
  readonly count = this.addWeight({ name: 'count', shape: [], initializer: 'zeros', trainable: false })
  call(x: Tensor): Tensor {
    this.count.assign(ops.add(this.count, 1))
    return x
  }
}

/** A learnt memory of five steps. */
class Memory extends Layer<Tensor> {
  readonly memory = this.addWeight({ name: 'memory', shape: [1, 5, SIZE], initializer: sharp() })
  readonly attention = heads()
  call(x: Tensor): Tensor {
    const memory = ops.broadcastTo(this.memory, [x.shape[0]!, 5, SIZE])
    return this.attention.apply([x, memory])
  }
}

/** A frozen square matrix. */
function squareOf(bits: 4 | 8): { packed: Tensor; format: PackedFormat } {
  const format = { outputs: SIZE, inputs: SIZE, bits }
  const bytes = new Int8Array(packedBytes(SIZE, SIZE, bits))
  packRows(
    bytes,
    format,
    0,
    Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i * i)),
  )
  return { packed: new Tensor(bytes, packedShape(format), 'int8'), format }
}

function modelOf(mix: Mix, options = {}): Model<Tensor, Tensor> {
  const inputs = Input({ shape: [null], dtype: 'int32' })
  const x = new Embedding({ inputDim: TOKENS, outputDim: SIZE, embeddingsInitializer: sharp(), ...options }).apply(
    inputs,
  )
  return new Model({ inputs, outputs: new Dense(TOKENS).apply(mix(x, inputs)) })
}

/** No 0, which is padding. */
const sequences = (padding = 0): number[][] =>
  Array.from({ length: BATCH }, (_, i) =>
    Array.from({ length: STEPS }, (_, t) => (t < padding ? 0 : 1 + ((7 * t * t + 5 * i + t) % (TOKENS - 1)))),
  )

/** The largest difference between the scores of single steps and those of the whole sequence. */
async function largestDifference(
  model: Model<Tensor, Tensor>,
  first: number,
  tokens: readonly number[][],
): Promise<number> {
  const [single, whole] = [new CachedScorer(model, BATCH, STEPS, first), new WholeScorer(model)]
  let largest = 0
  try {
    for (let known = Math.max(1, first + 1); known <= STEPS; known++) {
      const sofar = tokens.map((each) => each.slice(0, known))
      const expected = await whole.next(sofar)
      ;(await single.next(sofar)).forEach((row, i) => {
        row.forEach((score, token) => {
          const difference = Math.abs(score - expected[i]![token]!) / Math.max(1, ...expected[i]!.map(Math.abs))
          largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference)
        })
      })
    }
  } finally {
    await single.dispose()
  }
  return largest
}

/** How much the scores of a step change when later steps are added. */
function changeByLaterSteps(model: Model<Tensor, Tensor>): number {
  const [tokens] = sequences() as [number[]]
  const of = (count: number): Float32Array =>
    model.predictOnBatch(ops.convertToTensor([tokens.slice(0, count)], 'int32')).data as Float32Array
  let largest = 0
  const all = of(STEPS)
  for (let count = 2; count < STEPS; count++)
    of(count).forEach((score, i) => (largest = Math.max(largest, Math.abs(score - all[i]!))))
  return largest
}

beforeEach(() => setRandomSeed(11))

const taken: [string, Mix][] = [
  ['nothing', (x) => x],
  ['causal heads', twice((x) => heads().apply(x, { useCausalMask: true }))],
  [
    'causal heads with another value size, a gate and dropout',
    (x) => heads({ valueDim: 3, useGate: true, dropout: 0.5 }).apply(x, { useCausalMask: true }),
  ],
  ['a sliding window', twice((x) => heads({ slidingWindow: 3 }).apply(x, { useCausalMask: true }))],
  [
    'groups of heads',
    twice((x) =>
      new GroupedQueryAttention({ numQueryHeads: 4, numKeyValueHeads: 2, headDim: 4 }).apply(x, {
        useCausalMask: true,
      }),
    ),
  ],
  [
    'heads over query, value and key of the same steps',
    (x) => heads().apply([x, new Dense(SIZE).apply(x), new Dense(5).apply(x)], { useCausalMask: true }),
  ],
  ['Attention', twice((x) => new Attention().apply([x, x], { useCausalMask: true }))],
  ['AdditiveAttention', twice((x) => new AdditiveAttention().apply([x, x], { useCausalMask: true }))],
  [
    'an attention mask from ops',
    (x, tokens) => new MaskedHeads((y) => ops.expandDims(tri(y), 0), false).apply([x, tokens]),
  ],
  [
    'causal heads that also see no padding, by a mask of ids',
    (x, tokens) => new MaskedHeads((_, ids) => ops.expandDims(ops.notEqual(ids, 0), 1), true).apply([x, tokens]),
  ],
  [
    'an attention of ops with −1e9',
    twice(inLayer((x) => ops.matmul(ops.softmax(ops.where(tri(x), scores(x), -1e9)), x))),
  ],
  [
    'an attention of ops with an added mask',
    inLayer((x) => {
      const mask = ops.multiply(ops.cast(ops.logicalNot(tri(x)), 'float32'), -1e9)
      return ops.matmul(ops.softmax(ops.add(ops.multiply(scores(x), 0.3), mask)), x)
    }),
  ],
  [
    'a softmax from its parts',
    inLayer((x) => {
      const all = ops.where(tri(x), scores(x), -1e9)
      const weights = ops.exp(ops.subtract(all, ops.max(all, -1, true)))
      return ops.matmul(ops.divide(weights, ops.sum(weights, -1, true)), x)
    }),
  ],
  ['a linear attention', twice(inLayer((x) => ops.matmul(ops.multiply(scores(x), ops.cast(tri(x), 'float32')), x)))],
  [
    'the same, transposed',
    inLayer((x) =>
      ops.transpose(
        ops.matmul(
          ops.transpose(x, [0, 2, 1]),
          ops.transpose(ops.multiply(scores(x), ops.cast(tri(x), 'float32')), [0, 2, 1]),
        ),
        [0, 2, 1],
      ),
    ),
  ],
  [
    'a bias that grows with the distance',
    inLayer((x) => {
      const distance = ops.cast(ops.subtract(ops.expandDims(places(x), 0), ops.expandDims(places(x), 1)), 'float32')
      const query = ops.reshape(x, [...x.shape.slice(0, 2), 2, SIZE / 2])
      return ops.reshape(
        ops.dotProductAttention(query, query, query, ops.multiply(ops.expandDims(distance, 0), 0.2), null, null, true),
        x.shape,
      )
    }),
  ],
  ['an attention to a learnt memory', twice((x) => new Memory().apply(x))],
  ...([8, 4] as const).map((bits): [string, Mix] => [
    `rows and products of packed weights of ${bits} bits`,
    inLayer((x, tokens) => {
      const { packed, format } = squareOf(bits)
      const rows = packedTake(packed, ops.mod(tokens, SIZE), format)
      const product = packedMatmul(ops.add(x, rows), packed, format)
      return packedMatmul(
        ops.matmul(ops.softmax(ops.where(tri(x), scores(product), -1e9)), x),
        packed,
        format,
        'float32',
      )
    }),
  ]),
  ['PositionEmbedding', (x) => new Add().apply([x, new PositionEmbedding({ sequenceLength: 20 }).apply(x)])],
  [
    'positions that are computed',
    inLayer((x) => ops.add(x, ops.expandDims(ops.sin(ops.cast(places(x), 'float32')), -1))),
  ],
  ['positions that are counted', inLayer((x) => ops.add(x, ops.cumsum(ops.onesLike(x), 1)))],
  [
    'causal convolutions',
    twice((x) => new Conv1D({ filters: SIZE, kernelSize: 3, dilationRate: 2, padding: 'causal' }).apply(x)),
  ],
  [
    'a receptive field beyond the sequence',
    (x) => new Conv1D({ filters: SIZE, kernelSize: 2, dilationRate: 30, padding: 'causal' }).apply(x),
  ],
  [
    'depthwise and separable convolutions',
    (x) =>
      new SeparableConv1D({ filters: SIZE, kernelSize: 1 }).apply(
        inLayer((y) => ops.depthwiseConv(padded(y, 2), ops.ones([3, SIZE, 1]), 1, 'valid'))(x, x),
      ),
  ],
  [
    'convolutions of one step',
    (x) => new DepthwiseConv1D({ kernelSize: 1 }).apply(new Conv1D({ filters: SIZE, kernelSize: 1 }).apply(x)),
  ],
  ['pooling of earlier steps', inLayer((x) => ops.maxPool(padded(x, 2), 3, 1, 'valid'))],
  ['means of earlier steps', inLayer((x) => ops.averagePool(padded(x, 2), 3, 1, 'valid'))],
  ['LSTM', twice((x) => new LSTM({ units: SIZE, returnSequences: true }).apply(x))],
  ['GRU', twice((x) => new GRU({ units: SIZE, returnSequences: true }).apply(x))],
  ['SimpleRNN', (x) => new SimpleRNN({ units: SIZE, returnSequences: true }).apply(x)],
  [
    'the last state of an LSTM beside each step',
    (x) => ops.add(x, ops.expandDims(new LSTM({ units: SIZE }).apply(x), 1)),
  ],
  ['a cumulative sum', twice(inLayer((x) => ops.multiply(ops.cumsum(x, 1), 0.3)))],
  ['a cumulative product', inLayer((x) => ops.cumprod(ops.tanh(x), 1))],
  ['the step before', twice(inLayer((x) => padded(part(x, 0, stepsOf(x) - 1), 1)))],
  [
    'the step before, joined',
    inLayer((x) => ops.concatenate([ops.ones([x.shape[0]!, 1, SIZE]), part(x, 0, stepsOf(x) - 1)], 1)),
  ],
  [
    'a difference to the step before',
    inLayer((x) => {
      const all = padded(x, 1)
      return ops.subtract(part(all, 1, stepsOf(all)), part(all, 0, stepsOf(all) - 1))
    }),
  ],
  ['the first step beside each', inLayer((x) => ops.add(x, part(x, 0, 1)))],
  ['the last step beside each', inLayer((x) => ops.add(x, part(x, stepsOf(x) - 1, stepsOf(x))))],
  ['a sum over all steps beside the last', inLayer((x) => ops.add(x, ops.sum(x, 1, true)))],
  ['a mean over all steps beside the last', inLayer((x) => ops.add(x, ops.divide(ops.sum(x, 1, true), stepsOf(x))))],
  [
    'positions from the end beside the last',
    inLayer((x) => ops.add(x, ops.expandDims(ops.cast(ops.subtract(stepsOf(x), places(x)), 'float32'), -1))),
  ],
  [
    'normalizations of each step',
    (x) => new BatchNormalization().apply(new RMSNormalization().apply(new LayerNormalization().apply(x))),
  ],
  ['layers of each step', (x) => new TimeDistributed({ layer: new Dense(SIZE) }).apply(x)],
  ['a softmax over features', inLayer((x) => ops.softmax(x, -1))],
  [
    'the largest features',
    inLayer((x) => ops.concatenate([ops.cast(ops.topK(x, 3)[1], 'float32'), ops.sort(x, -1)], -1)),
  ],
  ['einsum', inLayer((x) => ops.einsum('bij,jk->bik', x, ops.ones([SIZE, 5])))],
  [
    'heads made by hand',
    inLayer((x) => {
      const apart = ops.transpose(ops.reshape(x, [...x.shape.slice(0, 2), 2, SIZE / 2]), [0, 2, 1, 3])
      const all = ops.where(tri(x), ops.matmul(apart, ops.transpose(apart, [0, 1, 3, 2])), -1e9)
      return ops.reshape(ops.transpose(ops.matmul(ops.softmax(all), apart), [0, 2, 1, 3]), x.shape)
    }),
  ],
  ['Lambda of each step', (x) => new Lambda({ function: (y) => ops.tanh(y as Tensor) }).apply(x) as Tensor],
]

describe('a model is taken step by step, with the scores of the whole sequence, through', () => {
  it.each(taken)('%s', async (_name, mix) => {
    const model = modelOf(mix)
    for (const first of [0, 2, 5])
      expect(await largestDifference(model, first, sequences()), `after ${first}`).toBeLessThan(3e-4)
  })

  it('masks of padding before the sequence', async () => {
    const masked: Mix[] = [
      twiceMasked((x) => heads().apply(x, { useCausalMask: true })),
      (x) => new LSTM({ units: SIZE, returnSequences: true }).apply(x),
      (x) => new GRU({ units: SIZE, returnSequences: true }).apply(new Masking({ maskValue: 0 }).apply(x)),
    ]
    for (const mix of masked)
      for (const first of [0, 4])
        expect(await largestDifferenceAfter(modelOf(mix, { maskZero: true }), first, 2)).toBeLessThan(3e-4)
  })
})

const twiceMasked =
  (mix: (x: Tensor) => Tensor): Mix =>
  (x) =>
    mix(mix(x))

/** As largestDifference, without the steps of padding, whose scores are not defined. */
async function largestDifferenceAfter(model: Model<Tensor, Tensor>, first: number, padding: number): Promise<number> {
  const [single, whole] = [new CachedScorer(model, BATCH, STEPS, first), new WholeScorer(model)]
  let largest = 0
  const tokens = sequences(padding)
  for (let known = Math.max(1, first + 1); known <= STEPS; known++) {
    const sofar = tokens.map((each) => each.slice(0, known))
    const [made, expected] = [await single.next(sofar), await whole.next(sofar)]
    if (known <= padding) continue
    made.forEach((row, i) =>
      row.forEach((score, token) => (largest = Math.max(largest, Math.abs(score - expected[i]![token]!)))),
    )
  }
  await single.dispose()
  return largest
}

describe('a model is refused whose scores change by later steps, through', () => {
  it.each<[string, Mix, RegExp]>([
    [
      'heads that see all steps',
      (x) => heads().apply(x),
      /attention sees the steps that follow\. It needs useCausalMask/,
    ],
    ['Attention that sees all steps', (x) => new Attention().apply([x, x]), /steps that follow/],
    ['a window on both sides', (x) => heads({ slidingWindow: 3 }).apply(x), /attention sees the steps that follow/],
    [
      'Bidirectional',
      (x) => new Bidirectional({ layer: new LSTM({ units: 4, returnSequences: true }) }).apply(x),
      /runs from the last step|reverse/,
    ],
    [
      'an LSTM backwards',
      (x) => new LSTM({ units: SIZE, returnSequences: true, goBackwards: true }).apply(x),
      /last step|reverse/,
    ],
    [
      'a convolution with padding on both sides',
      (x) => new Conv1D({ filters: SIZE, kernelSize: 3, padding: 'same' }).apply(x),
      /reads steps that follow: only padding before the steps/,
    ],
    [
      'pooling with padding on both sides',
      (x) => new MaxPooling1D({ poolSize: 3, strides: 1, padding: 'same' }).apply(x),
      /after the last step/,
    ],
    [
      'averages with padding on both sides',
      (x) => new AveragePooling1D({ poolSize: 2, strides: 1, padding: 'same' }).apply(x),
      /after the last step/,
    ],
    [
      'a mean over all steps, read by later layers',
      (x) =>
        heads().apply(ops.add(x, ops.expandDims(new GlobalAveragePooling1D().apply(x), 1)), { useCausalMask: true }),
      /mean is over all steps/,
    ],
    [
      'a sum over all steps, read by later layers',
      inLayer((x) => ops.cumsum(ops.add(x, ops.sum(x, 1, true)), 1)),
      /running reads what depends on steps that follow/,
    ],
    ['GroupNormalization', (x) => new GroupNormalization({ groups: 2 }).apply(x), /is over all steps/],
    [
      'LayerNormalization over the steps',
      inLayer((x) => ops.transpose(ops.layerNormalization(ops.transpose(x, [0, 2, 1])), [0, 2, 1])),
      /is over all steps/,
    ],
    [
      'BatchNormalization over the steps in a batch',
      inLayer((x) => ops.divide(x, ops.std(x, 1, true))),
      /mean is over all steps/,
    ],
    ['a softmax over the steps', inLayer((x) => ops.softmax(x, 1)), /softmax is over all steps/],
    ['flip', inLayer((x) => ops.flip(x, 1)), /reverse reverses the steps/],
    ['roll', inLayer((x) => ops.roll(x, 1, 1)), /concat reads what depends on steps that follow/],
    ['the next step', inLayer((x) => padded(part(x, 1, stepsOf(x)), 0, 1)), /pads after the last step/],
    ['a cumulative sum from the end', inLayer((x) => ops.flip(ops.cumsum(ops.flip(x, 1), 1), 1)), /reverse|last step/],
    ['the largest of all steps', inLayer((x) => ops.subtract(x, ops.max(x, 1, true))), /max is over all steps/],
    ['a product over all steps', inLayer((x) => ops.matmul(ops.softmax(scores(x)), x)), /softmax is over all steps/],
    [
      'a user layer with the kernel of all steps',
      inLayer((x) =>
        ops.transpose(ops.matmul(ops.transpose(x, [0, 2, 1]), ops.ones([stepsOf(x), stepsOf(x)])), [0, 2, 1]),
      ),
      /matmul is over all steps/,
    ],
  ])('%s', async (_name, mix, why) => {
    const model = modelOf(mix)
    expect(changeByLaterSteps(model), 'the scores change').toBeGreaterThan(1e-4)
    await expect(largestDifference(model, 2, sequences())).rejects.toThrow(
      /generate: .* cannot be computed one step at a time/,
    )
    await expect(largestDifference(model, 2, sequences())).rejects.toThrow(why)
  })

  it.each<[string, Mix, RegExp]>([
    [
      'masks of pairs from ids',
      (x, tokens) =>
        new MaskedHeads((_, ids) => ops.equal(ops.expandDims(ids, 1), ops.expandDims(ids, 2)), true).apply([x, tokens]),
      /attention may hide a step from itself/,
    ],
    [
      'a mask that shows the next step',
      inLayer((x) =>
        ops.matmul(
          ops.softmax(
            ops.where(
              ops.greaterEqual(ops.expandDims(ops.add(places(x), 1), 1), ops.expandDims(places(x), 0)),
              scores(x),
              -1e9,
            ),
          ),
          x,
        ),
      ),
      /softmax has a mask that is not known to hide/,
    ],
    [
      'a mask of numbers from ids',
      inLayer((x, tokens) => {
        const hidden = ops.multiply(ops.cast(ops.equal(ops.expandDims(tokens, 1), 0), 'float32'), -1e9)
        return ops.matmul(ops.softmax(ops.add(ops.where(tri(x), scores(x), -1e9), hidden)), x)
      }),
      /softmax has a mask that is not known to hide/,
    ],
    [
      'a mask of pairs from ids alone',
      (x, tokens) =>
        new MaskedHeads((_, ids) => ops.greaterEqual(ops.expandDims(ids, 2), ops.expandDims(ids, 1)), false).apply([
          x,
          tokens,
        ]),
      /attention has a mask that is not known to hide/,
    ],
    [
      'a factor of the number of steps',
      inLayer((x) => ops.multiply(x, 1 / stepsOf(x))),
      /constant depends on the number of steps/,
    ],
    [
      'a gather of other steps',
      inLayer((x) => ops.take(x, ops.maximum(ops.subtract(places(x), 1), 0), 1)),
      /gather mixes steps/,
    ],
    ['a sort of the steps', inLayer((x) => ops.sort(x, 1)), /routine|sort.* is not known to treat each step alone/],
    ['the values of the largest features', inLayer((x) => ops.topK(x, 3)[0]), /depends on the number of steps/],
    ['every second step, repeated', inLayer((x) => part(ops.repeat(x, 2, 1), 0, stepsOf(x))), /several elements|steps/],
    ['a variable that changes', (x) => new Counting().apply(x), /changes a variable/],
  ])('is computed as a whole, with a warning, if its graph does not show it: %s', async (_name, mix, why) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    forgetWarnings()
    const model = modelOf(mix)
    await expect(largestDifference(model, 0, sequences())).rejects.toThrow(why)
    const prompt = [3, 1, 4]
    const whole = await generate(model, prompt, { maxTokens: 5, cache: false })
    expect(warn).not.toHaveBeenCalled()
    expect(await generate(model, prompt, { maxTokens: 5 })).toEqual(whole)
    expect(await generate(model, prompt, { maxTokens: 5 })).toEqual(whole)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/does not show .* cache: false to do this without a warning/),
    )
    warn.mockRestore()
  })

  it('steps that are needed before they are known, unless the prompt has them', async () => {
    const model = modelOf(inLayer((x) => ops.add(x, part(x, 1, 2))))
    await expect(largestDifference(model, 0, sequences())).rejects.toThrow(/slice needs step 1 from the first step on/)
    expect(await largestDifference(model, 2, sequences())).toBeLessThan(3e-4)
  })
})

it('takes time that is proportional to the graph, whatever its ops share', async () => {
  const model = modelOf(
    inLayer((x) => {
      let all = scores(x)
      let seen = tri(x)
      for (let i = 0; i < 60; i++) {
        all = ops.multiply(all, ops.sigmoid(all))
        seen = ops.logicalAnd(seen, ops.logicalOr(seen, ops.greater(all, i)))
      }
      return ops.matmul(ops.softmax(ops.where(ops.logicalAnd(tri(x), seen), all, -1e9)), x)
    }),
  )
  await expect(largestDifference(model, 2, sequences())).rejects.toThrow('may hide a step from itself')
})

it('takes no combination of them whose scores differ', async () => {
  let [state, accepted] = [7, 0]
  const next = (below: number): number => (state = (state * 48271) % 2147483647) % below
  for (let round = 0; round < 40; round++) {
    const chosen = Array.from({ length: 2 + next(2) }, () => taken[next(taken.length)]!)
    const model = modelOf((x, tokens) =>
      chosen.reduce((y, [, mix]) => ops.tanh(new Dense(SIZE).apply(mix(y, tokens))), x),
    )
    try {
      const difference = await largestDifference(model, [0, 3][next(2)]!, sequences())
      expect(difference, chosen.map(([name]) => name).join(', ')).toBeLessThan(1e-3)
      accepted++
    } catch (error) {
      // Refused, for example a sum over all steps that later layers read.
      if (!(error instanceof StateError)) throw error
    }
  }
  expect(accepted).toBeGreaterThan(20)
}, 60_000)
