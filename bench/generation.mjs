// Measures generate before the first token: what a model needs besides its prompt, as a multiple of one prediction of it.
//
//   node bench/generation.mjs                 a small transformer: 4 blocks of 384, 16,384 tokens, a prompt of 128
//   node bench/generation.mjs --blocks 30 --features 576 --tokens 49152 --prompt 256
//   node bench/generation.mjs --json          the numbers alone, for guard.mjs
//
// The model is new in each round, because whatever a model needs once is part of the time of its first token.
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { describeMachine, loadBuilt, machineLine, warnIfBusy } from './machine.mjs'
import { median } from './peers/measure.mjs'
import { formatMilliseconds, table } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    blocks: { type: 'string', default: '4' },
    features: { type: 'string', default: '384' },
    tokens: { type: 'string', default: '16384' },
    prompt: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
  },
})
const [blocks, features, tokens, prompt, rounds] = ['blocks', 'features', 'tokens', 'prompt', 'rounds'].map((name) =>
  Number(options[name]),
)
const HEAD = 64
const ADDED = 8

const {
  Add,
  Dense,
  Embedding,
  GroupedQueryAttention,
  Input,
  Model,
  PositionEmbedding,
  RMSNormalization,
  generateTokens,
  tensor,
} = await loadBuilt()

function transformer() {
  const input = Input({ shape: [null], dtype: 'int32' })
  let x = new Embedding({ inputDim: tokens, outputDim: features }).apply(input)
  x = new Add().apply([x, new PositionEmbedding({ sequenceLength: prompt + 2 * ADDED }).apply(x)])
  const normal = () => new RMSNormalization().apply(x)
  const [numQueryHeads, numKeyValueHeads] = [features / HEAD, features / HEAD / 3]
  for (let block = 0; block < blocks; block++) {
    const attention = new GroupedQueryAttention({ numQueryHeads, numKeyValueHeads, headDim: HEAD, useBias: false })
    x = new Add().apply([x, attention.apply(normal(), { useCausalMask: true })])
    const wide = new Dense({ units: 4 * features, activation: 'silu' }).apply(normal())
    x = new Add().apply([x, new Dense({ units: features }).apply(wide)])
  }
  return new Model({ inputs: input, outputs: new Dense({ units: tokens }).apply(normal()) })
}

/** The milliseconds of each token. */
async function generated(model, ids) {
  const times = []
  let from = performance.now()
  for await (const _ of generateTokens(model, ids, { maxTokens: ADDED })) {
    times.push(performance.now() - from)
    from = performance.now()
  }
  return times
}

const timed = (body) => {
  const from = performance.now()
  body()
  return performance.now() - from
}
const ids = Array.from({ length: prompt }, (_, i) => (i * 7919 + 13) % tokens)
const measured = []
for (let round = 0; round < rounds; round++) {
  const model = transformer()
  const [first, ...rest] = await generated(model, ids)
  const [again] = await generated(model, ids)
  const ofPrompt = tensor([ids], [1, prompt], 'int32')
  model.predictOnBatch(ofPrompt)
  const whole = median([1, 2, 3].map(() => timed(() => model.predictOnBatch(ofPrompt))))
  measured.push({ first, again, token: median(rest), whole, ratio: first / whole })
}
// The least ratio: other processes can only make the first token later.
const best = measured.reduce((a, b) => (b.ratio < a.ratio ? b : a))

if (options.json) console.log(JSON.stringify(best))
else {
  const machine = describeMachine()
  warnIfBusy(machine)
  console.log(
    table(
      [
        '',
        'first token',
        'first token of the next call',
        'each further token',
        'one prediction of the prompt',
        'first token / prediction',
      ],
      [
        [
          `${blocks} blocks of ${features}, ${tokens} tokens, a prompt of ${prompt}`,
          ...[best.first, best.again, best.token, best.whole].map(formatMilliseconds),
          best.ratio.toFixed(2),
        ],
      ],
    ),
  )
  console.log(machineLine(machine))
}
