// Presets in folders, in lists of files and on servers: parts, broken transfers, caches, and damaged files.
// modes: simd

import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeContainer } from '../../../src/files/containers/safetensors'
import { openPreset } from '../../../src/language/presets/open-preset'
import { openWeights } from '../../../src/language/presets/open-weights'
import { folderOf } from '../../helpers/language'

const numbers = Float32Array.from({ length: 3000 }, (_, i) => i / 7)
const weights = encodeContainer([{ name: 'a', shape: [1000, 3], data: numbers }], {})
const config = { model_type: 'llama', text: 'Grüße 🙂' }
const files = { 'config.json': config, 'model.safetensors': weights }

/** How the server behaves. */
interface Manner {
  readonly hasRanges?: boolean
  /** Answers break after this many bytes. */
  readonly breaksAfter?: number
  readonly tag?: () => string
  readonly extra?: (request: IncomingMessage, response: ServerResponse) => boolean
}
let manner: Manner = {}
let requests: IncomingMessage[] = []
let base = ''
const folder = folderOf(files)
const server = createServer((request, response) => {
  requests.push(request)
  if (manner.extra?.(request, response)) return
  const name = decodeURIComponent(request.url!.split('/').at(-1)!)
  let bytes: Buffer
  try {
    bytes = readFileSync(join(folder, name))
  } catch {
    response.writeHead(404).end()
    return
  }
  const tag = `"${manner.tag?.() ?? createHash('sha256').update(bytes).digest('hex')}"`
  const match = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
  const isStale = request.headers['if-range'] !== undefined && request.headers['if-range'] !== tag
  const [from, to] =
    match !== null && manner.hasRanges !== false && !isStale
      ? [Number(match[1]), Math.min(bytes.length, Number(match[2]) + 1)]
      : [0, bytes.length]
  const isPart = to - from < bytes.length
  response.writeHead(isPart ? 206 : 200, {
    etag: tag,
    'content-length': to - from,
    ...(isPart ? { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
  })
  if (manner.breaksAfter !== undefined && to - from > manner.breaksAfter) {
    response.write(bytes.subarray(from, from + manner.breaksAfter), () => setTimeout(() => response.destroy(), 5))
  } else response.end(bytes.subarray(from, to))
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/tiny`
})
afterAll(() => void server.close())
beforeEach(() => {
  manner = {}
  requests = []
})

/** Reads the tensor, in whole and in part. */
async function requireWhole(opened: Awaited<ReturnType<typeof openPreset>>): Promise<void> {
  expect(await opened.json('config.json')).toEqual(config)
  expect(await opened.json('missing.json')).toBeNull()
  const tensor = (await openWeights(opened)).get('a')!
  expect(Array.from(await tensor.read())).toEqual(Array.from(numbers))
  expect(Array.from(await tensor.read(10, 12))).toEqual(Array.from(numbers.subarray(30, 36)))
}

describe('sources', () => {
  it('a folder', async () => requireWhole(await openPreset(folder, 'test')))

  it('files that a user chose', async () => {
    const list = Object.keys(files).map((name) => new File([readFileSync(join(folder, name))], name))
    await requireWhole(await openPreset(list, 'test'))
  })

  it.each([true, false])('a server, ranges %s', async (hasRanges) => {
    manner = { hasRanges }
    await requireWhole(await openPreset(base, 'test', { cache: false }))
    if (hasRanges) expect(requests.filter(({ url }) => url!.endsWith('safetensors')).length).toBeGreaterThan(3)
  })

  it('transfers that break go on where they stopped', async () => {
    manner = { breaksAfter: 4096 }
    const progress: number[] = []
    const onProgress = ({ loaded }: { loaded: number }): void => void progress.push(loaded)
    await requireWhole(await openPreset(base, 'test', { cache: false, onProgress }))
    expect(Math.max(...progress)).toBe(weights.length)
  })

  it('a file that changes meanwhile is an error', async () => {
    let version = 0
    manner = { tag: () => `v${version}` }
    const opened = await openPreset(base, 'test', { cache: false })
    const tensor = (await openWeights(opened)).get('a')!
    version = 1
    await expect(tensor.read()).rejects.toThrow(/has changed on the server/)
  })

  it('the hub: revision, token, and where it leads', async () => {
    manner = { extra: (request, response) => request.method === 'HEAD' && (response.end(), true) }
    const endpoint = new URL(base).origin
    const opened = await openPreset('hf://owner/tiny@v2', 'test', { endpoint, token: 'secret', cache: false })
    await requireWhole(opened)
    expect(requests[0]!.url).toBe('/owner/tiny/resolve/v2/config.json')
    expect(requests.every(({ headers }) => headers.authorization === 'Bearer secret')).toBe(true)
    await expect(openPreset(base, 'test', { token: 'secret' })).rejects.toThrow(/token is for repositories/)
    await expect(openPreset('hf://a/b/c', 'test')).rejects.toThrow(/hf:\/\/owner\/name/)
  })

  it('the hub: no other server gets the token', async () => {
    const tokens: unknown[] = []
    const other = createServer((request, response) => {
      tokens.push(request.headers.authorization)
      response.end(JSON.stringify(config))
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}/blob`
    manner = { extra: (_request, response) => (response.writeHead(302, { location: address }).end(), true) }
    const endpoint = new URL(base).origin
    const opened = await openPreset('hf://owner/tiny', 'test', { endpoint, token: 'secret', cache: false })
    expect(await opened.json('config.json')).toEqual(config)
    expect(requests.map(({ headers }) => headers.authorization)).toContain('Bearer secret')
    expect([...new Set(tokens)]).toEqual([undefined])
    other.close()
  })

  it('the hub: a GGUF file of a repository', async () => {
    const endpoint = new URL(base).origin
    const opening = openPreset('hf://owner/tiny@v2/parts/no.gguf', 'test', { endpoint, cache: false })
    await expect(opening).rejects.toThrow(/v2\/parts\/ has no file 'no.gguf'/)
    expect(requests.at(-1)!.url).toBe('/owner/tiny/resolve/v2/parts/no.gguf')
    await expect(openPreset('hf://owner/tiny/../no.gguf', 'test', { endpoint })).rejects.toThrow(/hf:\/\/owner/)
  })

  it('the errors of servers', async () => {
    manner = { extra: (_request, response) => (response.writeHead(403).end(), true) }
    await expect((await openPreset(base, 'test', { cache: false })).json('config.json')).rejects.toThrow(/403.*token/)
    const control = new AbortController()
    control.abort(new Error('enough'))
    await expect(openPreset(base, 'test', { signal: control.signal })).rejects.toThrow('enough')
    await expect(openPreset(join(folder, 'config.json'), 'test')).rejects.toThrow(/not a folder/)
    await expect(openPreset('/no/such/folder', 'test')).rejects.toThrow(/no\/such\/folder/)
    await expect(openPreset([], 'test')).rejects.toThrow(/empty/)
    await expect(openPreset(5 as never, 'test')).rejects.toThrow(/received 5/)
  })
})

describe('the cache', () => {
  it('fetches a file once, and again when it has changed', async () => {
    const cache = folderOf({})
    await requireWhole(await openPreset(base, 'test', { cache }))
    const bodies = (): number => requests.filter(({ headers }) => headers.range !== 'bytes=0-0').length
    const first = bodies()
    await requireWhole(await openPreset(base, 'test', { cache }))
    expect(bodies()).toBe(first)
    manner = { tag: () => 'other' }
    await requireWhole(await openPreset(base, 'test', { cache }))
    expect(bodies()).toBeGreaterThan(first)
  })

  it('continues a part that another process left', async () => {
    const cache = folderOf({})
    await requireWhole(await openPreset(base, 'test', { cache }))
    const whole = readdirSync(cache).find((name) => name.includes('model.safetensors'))!
    rmSync(join(cache, whole))
    writeFileSync(join(cache, `${whole}.part`), weights.subarray(0, 5000))
    requests = []
    await requireWhole(await openPreset(base, 'test', { cache }))
    expect(requests.map(({ headers }) => headers.range)).toContain(`bytes=5000-${weights.length - 1}`)
    expect(readdirSync(cache).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('fetches a part again that is damaged', async () => {
    const cache = folderOf({})
    await requireWhole(await openPreset(base, 'test', { cache }))
    const whole = readdirSync(cache).find((name) => name.includes('model.safetensors'))!
    rmSync(join(cache, whole))
    writeFileSync(join(cache, `${whole}.part`), new Uint8Array(5000).fill(9))
    await requireWhole(await openPreset(base, 'test', { cache }))
    writeFileSync(join(cache, whole), 'too short')
    await requireWhole(await openPreset(base, 'test', { cache }))
    expect(readdirSync(cache).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('may be filled by several at once', async () => {
    const cache = folderOf({})
    for (const tag of [undefined, () => 'the same']) {
      manner = tag === undefined ? { breaksAfter: 4096 } : { tag, breaksAfter: 4096 }
      await Promise.all(Array.from({ length: 4 }, async () => requireWhole(await openPreset(base, 'test', { cache }))))
    }
  })

  it('refuses content with another sum than the server states', async () => {
    manner = { tag: () => '0'.repeat(64) }
    const cache = folderOf({})
    const opened = await openPreset(base, 'test', { cache })
    await expect(opened.json('config.json')).rejects.toThrow(/SHA-256/)
    expect(readdirSync(cache)).toEqual([])
  })
})

describe('damaged files', () => {
  const open = async (content: Readonly<Record<string, unknown>>) =>
    openWeights(await openPreset(folderOf(content), 'test'))
  const headed = (header: unknown, data = new Uint8Array(0)): Uint8Array => {
    const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
    const bytes = new Uint8Array(8 + json.length + data.length)
    new DataView(bytes.buffer).setUint32(0, json.length, true)
    bytes.set(json, 8)
    bytes.set(data, 8 + json.length)
    return bytes
  }
  const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  })

  it.each([
    ['truncated data', weights.subarray(0, 9000), /ends at byte/],
    ['truncated header', weights.subarray(0, 20), /header should end/],
    ['nothing', new Uint8Array(3), /3 bytes/],
    ['a long header', Uint8Array.from([255, 255, 255, 255, 0, 0, 0, 0]), /header should end/],
    ['no JSON', headed('{ nonsense'), /not JSON/],
    ['a name twice', headed('{"a":{},"a":{}}'), /twice/],
    ['no type', headed({ a: entry(3 as never, [1], 0, 4) }, new Uint8Array(4)), /no type of numbers/],
    ['another size', headed({ a: entry('F32', [2], 0, 4) }, new Uint8Array(4)), /has 4 bytes/],
    ['a negative place', headed({ a: entry('F32', [1], -4, 0) }, new Uint8Array(4)), /place/],
    ['a huge shape', headed({ a: entry('F32', [2 ** 40, 2 ** 40], 0, 4) }, new Uint8Array(4)), /bytes|place/],
    ['lists without end', headed('['.repeat(1e6)), /more than 400 levels/],
    [
      'overlaps beside a hole',
      headed({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, new Uint8Array(16)),
      /'b' overlap/,
    ],
    ['overlaps', headed({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 0, 8) }, new Uint8Array(8)), /overlap/],
  ])('%s', async (_name, bytes, message) => {
    await expect(open({ 'model.safetensors': bytes })).rejects.toThrow(message)
  })

  it('numbers that cannot be weights end the reading of their tensor alone', async () => {
    const header = { a: entry('F8_E4M3', [1], 0, 1), b: entry('F32', [1], 1, 5) }
    const tensors = await open({ 'model.safetensors': headed(header, new Uint8Array(5)) })
    expect(Array.from(await tensors.get('b')!.read())).toEqual([0])
    await expect(tensors.get('a')!.read()).rejects.toThrow(/'a' has numbers of the type 'F8_E4M3'; supported: F32/)
  })

  it('indices that lead elsewhere', async () => {
    const index = (weight_map: unknown) => ({ 'model.safetensors.index.json': { weight_map } })
    await expect(open(index({ a: '../secret.safetensors' }))).rejects.toThrow(/file of this folder/)
    await expect(open(index({ a: 'gone.safetensors' }))).rejects.toThrow(/missing/)
    await expect(open({ ...index({ b: 'one.safetensors' }), 'one.safetensors': weights })).rejects.toThrow(
      /no such tensor/,
    )
    await expect(open({ 'model.safetensors.index.json': [] })).rejects.toThrow(/weight_map/)
    const good = await open({ ...index({ a: 'one.safetensors' }), 'one.safetensors': weights })
    expect((await good.get('a')!.read(0, 1)).length).toBe(3)
  })

  it('pickles are refused, and missing weights named', async () => {
    await expect(open({ 'pytorch_model.bin': new Uint8Array(4) })).rejects.toThrow(/executes code.*safe_serialization/s)
    await expect(open({})).rejects.toThrow(/no model.safetensors/)
  })

  it('random bytes end in typed errors', async () => {
    let state = 7
    const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32
    for (let round = 0; round < 200; round++) {
      const bytes = weights.slice()
      for (let i = 0; i < 3; i++) bytes[Math.floor(random() * 100)] = Math.floor(random() * 256)
      const outcome = await open({ 'model.safetensors': bytes }).then(
        () => 'read',
        (error: Error) => error.name,
      )
      expect(['read', 'FormatError']).toContain(outcome)
    }
  })
})

it('numbers of 16 and 64 bits', async () => {
  const bytes = Uint8Array.from([
    0x80,
    0x3f,
    0x20,
    0xc0,
    0x00,
    0x3c,
    0x01,
    0x00,
    ...new Uint8Array(new Float64Array([Math.PI]).buffer),
  ])
  const header = {
    b: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] },
    h: { dtype: 'F16', shape: [2, 1], data_offsets: [4, 8] },
    d: { dtype: 'F64', shape: [], data_offsets: [8, 16] },
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const file = new Uint8Array(8 + json.length + bytes.length)
  new DataView(file.buffer).setUint32(0, json.length, true)
  file.set(json, 8)
  file.set(bytes, 8 + json.length)
  const tensors = await openWeights(await openPreset(folderOf({ 'model.safetensors': file }), 'test'))
  expect(Array.from(await tensors.get('b')!.read())).toEqual([1, -2.5])
  expect(Array.from(await tensors.get('h')!.read(1, 2))).toEqual([2 ** -24])
  expect(Array.from(await tensors.get('d')!.read())).toEqual([Math.fround(Math.PI)])
})
