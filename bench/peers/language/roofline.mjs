// The time of a token of the language model of make.py as a share of the memory's speed: the bytes of its weights, at the speed at which a
// loop of vectors reads memory, divided by the time of a token. Both are measured in turn, in one thread.
//
//   node bench/peers/language/roofline.mjs          after `npm run build`; --rounds 7, --tokens 64, --context 64,256
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { configure } from '../../../dist/node.js'
import { CausalLM } from '../../../dist/language.js'
import { instantiateKernels } from '../../internals.mjs'
import { describeMachine, machineLine, warnIfBusy } from '../../machine.mjs'
import { table } from '../../report.mjs'
import { median } from '../measure.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    tokens: { type: 'string', default: '64' },
    context: { type: 'string', default: '64,256' },
  },
})
const [rounds, tokens] = [flags.rounds, flags.tokens].map(Number)
const preset = fileURLToPath(new URL('../../../build/models/language/preset', import.meta.url))

const machine = describeMachine()
warnIfBusy(machine)
configure({ threads: 1 })

/** Reads more than the caches hold, with the kernel that finds the largest of a long row of numbers. @returns bytes per millisecond */
const readSpeed = (() => {
  const { memory, exports } = instantiateKernels('relaxed', ['core', 'quantized'])
  const bytes = 256 * 2 ** 20
  const from = memory.buffer.byteLength
  memory.grow(bytes / 65536)
  new Float32Array(memory.buffer, from).fill(1)
  return () => {
    const started = performance.now()
    exports.largest_f32(from, bytes / 4)
    return bytes / (performance.now() - started)
  }
})()

/** The milliseconds of a token that follows `context` tokens. */
async function tokenTime(lm, context, round) {
  const words = lm.tokenizer.decode(Array.from({ length: context }, (_, i) => 300 + ((i * 37 + round * 101) % 5000)))
  let [count, first] = [0, 0]
  const onToken = () => {
    if (++count === 1) first = performance.now()
  }
  await lm.generate(words, { maxTokens: tokens + 1, temperature: 0, stopTokens: [], onToken })
  return (performance.now() - first) / tokens
}

const rows = []
for (const weights of ['int8', 'int4']) {
  const lm = await CausalLM.fromPreset(preset, { weights })
  const bytes = lm.model.weights.reduce((sum, { byteLength }) => sum + byteLength, 0)
  for (const context of flags.context.split(',').map(Number)) {
    const [times, speeds] = [[], []]
    for (let round = 0; round <= rounds; round++) {
      const [speed, time] = [readSpeed(), await tokenTime(lm, context, round)]
      // The first round compiles.
      if (round === 0) continue
      speeds.push(speed)
      times.push(time)
    }
    const shares = times.map((time, i) => bytes / speeds[i] / time)
    rows.push([
      weights,
      `${context}`,
      `${(bytes / 1e6).toFixed(0)} MB`,
      `${(median(speeds) / 1e6).toFixed(1)} GB/s`,
      `${median(times).toFixed(2)} ms`,
      `${median(shares).toFixed(2)} (${Math.min(...shares).toFixed(2)} to ${Math.max(...shares).toFixed(2)})`,
    ])
  }
  await lm.dispose?.()
}
console.log(table(['weights', 'tokens before', 'bytes', 'memory', 'a token', "share of the memory's speed"], rows))
console.log(`\nMedians of ${rounds} interleaved rounds, one thread. ${machineLine(machine)}`)
process.exit()
