// What is not the engine's TypeError or RangeError, but an error of this library that says what to do.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  BackupAndRestore,
  Dense,
  FormatError,
  Sequential,
  StateError,
  loadModel,
  metrics,
  type MyelinError,
} from '../../src'
import { printable, restate } from '../../src/core/errors'
import { warn, warnOnce } from '../../src/core/warnings'
import { Dataset, readCsv } from '../../src/entries/data'
import { writeKeras } from '../../src/entries/keras'
import { createWasmMemory } from '../../src/engine/runtime/memory'
import { storedBytes } from '../../src/engine/runtime/store'
import { formatLogs } from '../../src/training/callbacks/progress'
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'

const compiled = (): Sequential => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  return model
}

async function errorOf(body: () => unknown): Promise<MyelinError> {
  try {
    await body()
  } catch (error) {
    return error as MyelinError
  }
  throw new Error('nothing was thrown')
}

describe('data sets', () => {
  it.each([null, 5, 'x'])('iterator(%j)', (position) => {
    expect(() => Dataset.range(3).iterator(position as never)).toThrow(ArgumentError)
    expect(() => Dataset.range(3).iterator(position as never)).toThrow(/expected a position/)
  })

  it('elements that contain themselves', async () => {
    const element: Record<string, unknown> = { a: 1 }
    element['x'] = element
    for (const body of [
      () => Dataset.from([element]).batch(1).toArray(),
      () => Dataset.fromTensorSlices(element),
      () => Dataset.from([element]).unbatch().toArray(),
      () =>
        compiled().fit(
          Dataset.from([1])
            .map(() => element)
            .batch(1) as never,
          { verbose: 0 },
        ),
    ])
      expect((await errorOf(body)).message).toMatch(/contain themselves/)
  })

  it('thousands that are made of each other', async () => {
    const steps: ((data: Dataset<number>) => Dataset<number>)[] = [
      (data) => data.repeat(1),
      (data) => data.skip(0),
      (data) => data.map((x) => x),
      (data) => data.shuffle(2),
    ]
    for (const step of steps) {
      let data = Dataset.range(2) as Dataset<number>
      for (let i = 0; i < 30_000; i++) data = step(data)
      const error = await errorOf(() => data.toArray())
      expect(error).toBeInstanceOf(StateError)
      expect(error.message).toMatch(/nested too deeply/)
      expect(await errorOf(() => compiled().fit(data.batch(1) as never, { verbose: 0 }))).toBeInstanceOf(StateError)
    }
  })
})

describe('sources', () => {
  it.each([
    ['http://', ArgumentError, /'http:\/\/' is not an address/],
    ['file://host/x', ArgumentError, /is not the path of a file/],
    ['ftp://host/x', ArgumentError, /an address of a kind that is not supported/],
    ['x'.repeat(300), StateError, /cannot be read/],
    ['blob:nodedata:none', StateError, /could not be read/],
    ['data:text/plain,abc', FormatError, /3 bytes/],
  ])('%s', async (source, kind, message) => {
    const error = await errorOf(() => loadModel(source))
    expect(error).toBeInstanceOf(kind)
    expect(error.message).toMatch(message)
  })

  it('a response without an end', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue({ length: 2 ** 31 } as never),
    })
    vi.stubGlobal('fetch', async () => new Response(endless))
    const large = { ok: true, status: 200, headers: new Headers(), body: endless }
    vi.stubGlobal('fetch', async () => large)
    try {
      await expect(loadModel('http://localhost/model')).rejects.toThrow(/more than 1073741824 bytes/)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('stores', () => {
  it('that return an ArrayBuffer work, others are an error', async () => {
    const kept = new Map<string, Uint8Array>()
    const store = {
      read: (name: string) => (kept.has(name) ? kept.get(name)!.slice().buffer : null) as never,
      write: (name: string, bytes: Uint8Array) => void kept.set(name, bytes),
      remove: (name: string) => void kept.delete(name),
    }
    const fit = async (epochs: number): Promise<number> => {
      const callback = new BackupAndRestore({ backupDir: 'x', store, deleteCheckpoint: false })
      let count = 0
      const callbacks = [callback, { onEpochBegin: () => void count++ }]
      await compiled().fit([[1, 2]], [1], { epochs, verbose: 0, callbacks })
      return count
    }
    await fit(1)
    expect(await fit(3)).toBe(2)
    expect(() => storedBytes('text', 'a')).toThrow(/must return a Uint8Array, or null/)
  })
})

describe('models', () => {
  it('add and pop during fit', async () => {
    const model = compiled()
    const during = (body: () => void) => model.fit([[1, 2]], [1], { verbose: 0, callbacks: [{ onEpochBegin: body }] })
    await expect(during(() => model.add(new Dense({ units: 1 })))).rejects.toThrow(
      /add while fit or evaluate is running/,
    )
    await expect(during(() => void model.pop())).rejects.toThrow(/pop while fit or evaluate is running/)
    expect(model.layers).toHaveLength(1)
  })

  it('names with control characters are escaped where they are printed', () => {
    const name = 'a\n\x1b[31mred\u202e'
    const lines: string[] = []
    new Sequential([new Dense({ units: 1, inputShape: [2], name })], { name }).summary({
      printFn: (line) => lines.push(line),
    })
    for (const character of ['\x1b', '\u202e']) expect(lines.join('\n')).not.toContain(character)
    expect(lines.join('\n')).toContain(String.raw`a\n\u001b[31mred\u202e`)
    const layer = new Dense({ units: 1, name })
    expect(String(layer)).toBe(String.raw`Dense "a\n\u001b[31mred\u202e"`)
    expect(new ArgumentError(`two\nlines\x1b[2J`).message).toBe('two\nlines\\u001b[2J')
    expect(printable('plain – text ✓')).toBe('plain – text ✓')
    const error = new ArgumentError('first')
    restate(error, `${name}: second`)
    expect(error.message).toBe('a\n\\u001b[31mred\\u202e: second')
    const printed = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    warn(`the weight ${name}`)
    warnOnce(`once ${name}`)
    expect(printed.mock.calls.flat().join('')).not.toContain('\x1b')
    printed.mockRestore()
    expect(formatLogs({ loss: 1, [name]: 1 })).not.toContain('\x1b')
  })

  it('memory that the system refuses', () => {
    const refused = vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
      throw new RangeError('could not allocate memory')
    } as never)
    try {
      expect(createWasmMemory).toThrow(StateError)
      expect(createWasmMemory).toThrow(/ulimit -v.*interpreter/)
    } finally {
      refused.mockRestore()
    }
  })
})

describe('files that cost more than they have', () => {
  it('with thousands of metrics are refused', async () => {
    const model = compiled()
    const parts = unzipSync((await writeKeras(model)) as Uint8Array)
    const config = JSON.parse(strFromU8(parts['config.json']!)) as { compile_config: { metrics: unknown } }
    config.compile_config.metrics = Array.from({ length: 20_000 }, () => 'mae')
    const bytes = zipSync({ ...parts, 'config.json': strToU8(JSON.stringify(config)) })
    await expect(loadModel(bytes)).rejects.toThrow(/20000 metrics, more than 4096. Load it with compile: false/)
    expect((await loadModel(bytes, { compile: false })).layers).toHaveLength(1)
  })

  it('are never written with more metrics than are read', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
    const many = Array.from({ length: 4097 }, (_, i) => new metrics.Mean({ name: `m${i}` }))
    model.compile({ loss: 'mse', metrics: many })
    const message = /4097 metrics, more than the 4096 of a file/
    await expect(model.save()).rejects.toThrow(message)
    await expect(writeKeras(model)).rejects.toThrow(message)
  })

  it('with millions of doubled quotes in a cell are read', async () => {
    const read = async (text: string): Promise<unknown> =>
      (await readCsv({ text }, { types: { a: 'string' } }).toArray())[0]
    const count = 3_000_000
    expect(await read(`a\r\n"${'""'.repeat(count)}"\r\n`)).toEqual({ a: '"'.repeat(count) })
    const odd = `x${'""'.repeat(40_000)}y""`
    expect(await read(`a,b\n"${odd}",1\n`)).toMatchObject({ a: odd.replaceAll('""', '"') })
    expect(await read('a,b\r\n"x\r\ny",1\r\n')).toMatchObject({ a: 'x\r\ny' })
  })
})
