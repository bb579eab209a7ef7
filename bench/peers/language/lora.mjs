// A LoRA step of the language model of make.py, 4 rows of 128 tokens, adapters of rank 8 beside query, key and value of all 30 blocks: over weights
// of 8 bits, and in PyTorch with peft over float32, one thread each, in turn.
//
//   node bench/peers/language/lora.mjs --python venv/bin/python
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { configure } from '../../../dist/node.js'
import { CausalLM } from '../../../dist/language.js'
import { describeMachine, machineLine, warnIfBusy } from '../../machine.mjs'
import { table } from '../../report.mjs'
import { median } from '../measure.mjs'

const { values: flags } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, rounds: { type: 'string', default: '5' } },
})
const rounds = Number(flags.rounds)
const preset = fileURLToPath(new URL('../../../build/models/language/preset', import.meta.url))

const machine = describeMachine()
warnIfBusy(machine)
configure({ threads: 1 })
const lm = await CausalLM.fromPreset(preset, { weights: 'int8' })
lm.enableLora(8, { targets: ['query', 'key', 'value'] })
lm.compile({ optimizer: 'adamw' })
const sentence = 'The whale the boat and the sea are in the book that I read for you. '
const ids = lm.tokenizer.encode(sentence.repeat(60)).slice(0, 4 * 128)
const text = lm.tokenizer.decode(ids)
const step = async () => {
  const from = performance.now()
  await lm.fit([text], { sequenceLength: 128, batchSize: 4, verbose: 0 })
  return performance.now() - from
}

const python = spawn(flags.python, [fileURLToPath(new URL('lora.py', import.meta.url)), preset], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
})
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
const answer = async () => JSON.parse((await lines.next()).value)
const theirStep = () => {
  python.stdin.write('step\n')
  return answer()
}
await answer()

const [ours, theirs] = [[], []]
let theirMemory = 0
for (let round = 0; round <= rounds; round++) {
  const [own, other] = [await step(), await theirStep()]
  // The first round compiles.
  if (round === 0) continue
  ours.push(own)
  theirs.push(other.milliseconds)
  theirMemory = other.kilobytes / 1024
}
python.stdin.end()
const memory = process.resourceUsage().maxRSS / 1024
const seconds = (times) => `${(median(times) / 1000).toFixed(2)} s`
console.log(
  table(
    ['', 'a step', 'largest resident memory'],
    [
      ['myelin, int8', seconds(ours), `${memory.toFixed(0)} MiB`],
      ['PyTorch, float32', seconds(theirs), `${theirMemory.toFixed(0)} MiB`],
      ['PyTorch ÷ myelin', `${(median(theirs) / median(ours)).toFixed(2)}×`, `${(theirMemory / memory).toFixed(2)}×`],
    ],
  ),
)
console.log(`\nMedians of ${rounds} interleaved rounds, one thread. ${machineLine(machine)}`)
process.exit()
