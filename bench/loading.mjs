// Times how long CausalLM.fromPreset takes for a model of 135 million weights in BF16 (the shape of SmolLM2-135M, random weights),
// beside reading its file from the page cache, and the largest resident memory. Each measurement is a process of its own, in turn.
//
//   node bench/loading.mjs              makes the model in a temporary folder, 270 MB, and prints the table
//   node bench/loading.mjs FOLDER       of another preset with one model.safetensors; --rounds 7
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { table } from './report.mjs'

const MiB = 2 ** 20
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' }, one: { type: 'string' } },
})

/** What a process measures: it returns milliseconds. */
const measurements = {
  'readFileSync, whole file': (folder) => timed(() => readFileSync(join(folder, 'model.safetensors'))),
  'readFile, whole file': (folder) => timed(() => readFile(join(folder, 'model.safetensors'))),
  'ranges of 1 MiB into the same memory': (folder) => timed(() => readRanges(join(folder, 'model.safetensors'))),
  "fromPreset, weights: 'int4'": (folder) => load(folder, 'int4'),
  "fromPreset, weights: 'int8'": (folder) => load(folder, 'int8'),
  'fromPreset, float32': (folder) => load(folder, 'float32'),
}

async function timed(body) {
  const started = performance.now()
  await body()
  return performance.now() - started
}

function readRanges(path) {
  const file = openSync(path)
  const bytes = new Uint8Array(MiB)
  while (readSync(file, bytes, 0, bytes.length, null) > 0);
  closeSync(file)
}

async function load(folder, weights) {
  const { CausalLM } = await import('../dist/language.js')
  return timed(() => CausalLM.fromPreset(folder, { weights }))
}

/** Tokens of one byte, and merges of letters up to 49152 tokens. */
function tokenizerOf(size) {
  const printable = [...Array(256).keys()].map((byte) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : 0,
  )
  let spare = 256
  const tokens = printable.map((byte) => String.fromCharCode(byte === 0 ? spare++ : byte))
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const merges = []
  let longer = letters
  while (tokens.length < size) {
    longer = longer.flatMap((token) => letters.map((letter) => [token, letter]))
    for (const pair of longer.slice(0, size - tokens.length)) {
      merges.push(pair)
      tokens.push(pair.join(''))
    }
    longer = longer.map((pair) => pair.join(''))
  }
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: bytes,
    decoder: bytes,
    model: { type: 'BPE', vocab, merges },
  }
}

function makePreset() {
  const folder = mkdtempSync(join(tmpdir(), 'loading-'))
  const [width, layers, heads, keyHeads, middle, vocabulary] = [576, 30, 9, 3, 1536, 49152]
  const config = {
    model_type: 'llama',
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    intermediate_size: middle,
    vocab_size: vocabulary,
    max_position_embeddings: 8192,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
  }
  const keys = (width / heads) * keyHeads
  const block = {
    'input_layernorm.weight': [width],
    'post_attention_layernorm.weight': [width],
    'self_attn.q_proj.weight': [width, width],
    'self_attn.k_proj.weight': [keys, width],
    'self_attn.v_proj.weight': [keys, width],
    'self_attn.o_proj.weight': [width, width],
    'mlp.gate_proj.weight': [middle, width],
    'mlp.up_proj.weight': [middle, width],
    'mlp.down_proj.weight': [width, middle],
  }
  const shapes = { 'model.embed_tokens.weight': [vocabulary, width], 'model.norm.weight': [width] }
  for (let i = 0; i < layers; i++)
    for (const [name, shape] of Object.entries(block)) shapes[`model.layers.${i}.${name}`] = shape
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerOf(vocabulary)))
  writeWeights(join(folder, 'model.safetensors'), shapes)
  return folder
}

function writeWeights(path, shapes) {
  let end = 0
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = end
    end += 2 * shape.reduce((product, extent) => product * extent, 1)
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }]
  })
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = openSync(path, 'w')
  writeSync(file, Buffer.concat([length, header]))
  // Normal numbers with a deviation of 0.02, repeated.
  const floats = Float32Array.from({ length: MiB + 12 }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()))
    return 0.02 * radius * Math.cos(2 * Math.PI * Math.random())
  })
  const words = new Uint32Array(floats.buffer)
  const bytes = new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer)
  for (let at = 0; at < end; at += bytes.length) writeSync(file, bytes, 0, Math.min(bytes.length, end - at))
  closeSync(file)
}

if (options.one !== undefined) {
  const ms = await measurements[options.one](positionals[0])
  const peak = process.resourceUsage().maxRSS / 1024
  console.log(JSON.stringify({ ms, peak, now: process.memoryUsage.rss() / MiB }))
} else {
  const folder = positionals[0] ?? makePreset()
  const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]
  const run = (name) =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), folder, '--one', name], { encoding: 'utf8' }),
    )
  const found = new Map(Object.keys(measurements).map((name) => [name, []]))
  for (let round = 0; round < Number(options.rounds); round++) for (const [name, runs] of found) runs.push(run(name))
  const results = [...found].map(([name, runs]) => ({ name, ms: median(runs.map(({ ms }) => ms)), runs }))
  const [whole, , ranges] = results.map(({ ms }) => ms)
  console.log(`${cpus()[0].model}, Node ${process.versions.node}`)
  console.log(
    table(
      ['', 'ms', '÷ whole file', '÷ ranges', 'largest resident memory', 'at the end'],
      results.map(({ name, ms, runs }) => [
        name,
        ms.toFixed(0),
        (ms / whole).toFixed(2),
        (ms / ranges).toFixed(1),
        `${median(runs.map(({ peak }) => peak)).toFixed(0)} MiB`,
        `${median(runs.map(({ now }) => now)).toFixed(0)} MiB`,
      ]),
    ),
  )
  if (positionals.length === 0) rmSync(folder, { recursive: true })
}
