// Language models of 135 million random weights beside wllama and transformers.js: one thread, tokens a second after the prompt, and the time of
// a prompt, in a Chromium; ours in this Node, too. Each continues another prompt in each round, in turn.
//
//   python make.py ../../../build/models/language      once: the preset, GGUF and ONNX files
//   node bench/peers/language/run.mjs                   after `npm run build` and `npm ci --prefix bench/peers/language`
//
// The time of a prompt is that of the prompt with one token. That of a token is the rest of the time of the same length of prompt with more.
import { performance } from 'node:perf_hooks'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findChromium, launch } from '../../../examples/shared/browser.js'
import { serve } from '../../../examples/shared/serve.js'
import { describeMachine, machineLine, warnIfBusy } from '../../machine.mjs'
import { table } from '../../report.mjs'
import { median } from '../measure.mjs'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    prompt: { type: 'string', default: '256' },
    tokens: { type: 'string', default: '64' },
    only: { type: 'string', default: '' },
    weights: { type: 'string', default: 'int8,int4' },
  },
})
const [rounds, promptTokens, tokens] = [flags.rounds, flags.prompt, flags.tokens].map(Number)
const FOLDER = 'build/models/language/'
const WORDS = 'the of and to in a is that for it as was with be by on not he'.split(' ')

/** A text of about `count` tokens: each of these words is one token. Other rounds have other texts. */
function promptOf(count, round) {
  return (
    WORDS[round % WORDS.length] +
    Array.from({ length: count - 1 }, (_, i) => ` ${WORDS[(i * 7 + round * i + i * i) % WORDS.length]}`).join('')
  )
}

const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
const [server, browser] = [await serve({ headers }), await launch(findChromium())]

async function inChromium(library, weights) {
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error(library, error.message))
  await page.goto(`${server.address}bench/peers/language/page.html`)
  await page.waitForFunction(() => window.isReady)
  await page.evaluate(
    ([name, kind, folder]) => window.open(name, kind, folder),
    [library, weights, server.address + FOLDER],
  )
  return (text, count) =>
    page.evaluate(
      async ([prompt, most]) => {
        const from = performance.now()
        const before = await window.continued(prompt, most)
        return [performance.now() - from, before]
      },
      [text, count],
    )
}

async function inNode(library, weights) {
  const { opened } = await import('./adapters.mjs')
  const folder = pathToFileURL(fileURLToPath(new URL(`../../../${FOLDER}`, import.meta.url)))
  const continued = await opened(library, weights, folder.href)
  return async (text, count) => {
    const from = performance.now()
    const before = await continued(text, count)
    return [performance.now() - from, before]
  }
}

const runs = [
  ['myelin, Chromium', 'myelin', inChromium],
  ['wllama, Chromium', 'wllama', inChromium],
  ['transformers.js, Chromium', 'transformers', inChromium],
  [`myelin, Node ${process.versions.node}`, 'myelin', inNode],
].filter(([name]) => name.includes(flags.only))

/** The median milliseconds of a prompt and of a token for each run. */
async function measured(weights) {
  const opened = []
  for (const [name, library, where] of runs) {
    console.error(`${weights}: opens ${name}`)
    opened.push({ name, run: await where(library, weights), prompts: [], tokens: [], sizes: new Set() })
  }
  for (let round = 0; round <= rounds; round++)
    for (const each of opened) {
      const [first, size] = await each.run(promptOf(promptTokens, 2 * round), 1)
      const [all] = await each.run(promptOf(promptTokens, 2 * round + 1), 1 + tokens)
      each.sizes.add(size)
      // The first round compiles.
      if (round === 0) continue
      each.prompts.push(first)
      each.tokens.push((all - first) / tokens)
      console.error(
        `${weights}, ${each.name}: prompt of ${size} ${first.toFixed(0)} ms, a token ${((all - first) / tokens).toFixed(2)} ms`,
      )
    }
  return opened.map(({ name, prompts, tokens: each }) => ({ name, prompt: median(prompts), token: median(each) }))
}

const machine = describeMachine()
warnIfBusy(machine)
const rows = []
for (const weights of flags.weights.split(',')) {
  const results = await measured(weights)
  for (const { name, prompt, token } of results) {
    const base = results[0]
    rows.push([
      weights,
      name,
      (1000 / token).toFixed(1),
      `${(token / base.token).toFixed(2)}×`,
      `${prompt.toFixed(0)} ms`,
      `${(prompt / base.prompt).toFixed(2)}×`,
    ])
  }
}
await browser.close()
server.close()
console.log(
  table(
    [
      'weights',
      'library',
      'tokens a second',
      'its time ÷ the first row',
      `prompt of ${promptTokens}`,
      'its time ÷ the first row',
    ],
    rows,
  ),
)
console.log(`\nMedians of ${rounds} interleaved rounds, one thread. ${machineLine(machine)}`)
process.exit()
