// Every reader of data ends with the reason of a signal, at once, and releases its source.
// modes: simd

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  Dataset,
  imageFolder,
  readCsv,
  readImage,
  readJsonLines,
  readNpy,
  readNpz,
  readText,
  timeseriesDataset,
  webcamFrames,
  writeNpy,
  type ByteSource,
} from '../../src/entries/data'
import {
  Dense,
  Discretization,
  IntegerLookup,
  Normalization,
  Sequential,
  StringLookup,
  TextVectorization,
  loadModel,
} from '../../src'

/** Every reader of bytes, from start to end. */
const readers: Readonly<Record<string, (source: ByteSource, signal: AbortSignal) => Promise<unknown>>> = {
  readCsv: (source, signal) => readCsv(source, { signal }).toArray(),
  'readCsv, vectors': (source, signal) => readCsv(source, { signal, features: 'vector' }).toArray(),
  'readCsv, batches': (source, signal) => readCsv(source, { signal, features: 'vector' }).batch(2).toArray(),
  'readCsv, a first pass': (source, signal) => readCsv(source, { signal, types: { a: 'category' } }).toArray(),
  'readCsv, schema': (source, signal) => readCsv(source, { signal, types: { a: 'category' } }).schema(),
  readJsonLines: (source, signal) => readJsonLines(source, { signal }).toArray(),
  'readText, lines': (source, signal) => readText(source, { signal }).toArray(),
  'readText, files': (source, signal) => readText(source, { signal, by: 'file' }).toArray(),
  readNpy: (source, signal) => readNpy(source, { signal }),
  readNpz: (source, signal) => readNpz(source, { signal }),
  readImage: (source, signal) => readImage(source, { signal }),
}
const each = Object.entries(readers)

class Enough extends Error {}
const enough = new Enough('enough')

/** The error of a run that is aborted while it waits. */
async function aborted(run: (signal: AbortSignal) => Promise<unknown>, delay = 30): Promise<unknown> {
  const abort = new AbortController()
  setTimeout(() => abort.abort(enough), delay)
  return run(abort.signal).then(
    () => 'it came to its end',
    (error: unknown) => error,
  )
}

/** Waits until a condition holds, for at most a minute: how many turns a source needs to close depends on the machine's load. */
const until = (holds: () => unknown) =>
  vi.waitFor(async () => expect(await holds()).toBe(true), { timeout: 60_000, interval: 5 })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(each)('%s', (_, read) => {
  it('aborts while a Node stream gives nothing, and destroys it', async () => {
    const stream = new Readable({ read: () => undefined })
    stream.push('"a"\n1\n')
    expect(await aborted((signal) => read(stream, signal))).toBe(enough)
    await until(() => stream.destroyed)
  })

  it('aborts while a web stream gives nothing, and cancels it', async () => {
    let isCancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: (control) => control.enqueue(new TextEncoder().encode('"a"\n1\n')),
      cancel: () => void (isCancelled = true),
    })
    expect(await aborted((signal) => read(stream, signal))).toBe(enough)
    await until(() => isCancelled)
  })

  it('aborts while waiting for a source', async () => {
    expect(await aborted((signal) => read(() => new Promise<never>(() => undefined), signal))).toBe(enough)
  })

  it('aborts while a server does not answer or stalls, and closes the connection', async () => {
    for (const begins of [false, true]) {
      const closed: Promise<unknown>[] = []
      const abort = new AbortController()
      const server = createServer((request, response) => {
        closed.push(new Promise((resolve) => request.socket.once('close', resolve)))
        if (begins) response.write('"a"\n1\n')
        setTimeout(() => abort.abort(enough), 30)
      }).listen(0)
      const { port } = server.address() as AddressInfo
      await expect(read(`http://localhost:${port}/`, abort.signal)).rejects.toBe(enough)
      expect(closed).toHaveLength(1)
      await closed[0]
      server.close()
    }
  })

  it('reads nothing if the signal was already aborted', async () => {
    const opened: string[] = []
    const source = () => (opened.push('opened'), { text: '"a"\n1\n' })
    await expect(read(source, AbortSignal.abort(enough))).rejects.toBe(enough)
    await expect(read({ text: '"a"\n1\n' }, AbortSignal.abort(enough))).rejects.toBe(enough)
    await expect(read(join(folder, 'nothing'), AbortSignal.abort(enough))).rejects.toBe(enough)
    expect(opened).toEqual([])
  })

  it('refuses values that are not signals', async () => {
    const wrong = async (signal: unknown) => read({ text: '"a"\n1\n' }, signal as AbortSignal)
    for (const each of [3, 'stop', {}, new AbortController(), true])
      await expect(wrong(each), String(each)).rejects.toThrow(
        /: signal must be an AbortSignal, such as new AbortController/,
      )
  })
})

/** Whether this process has a file open. */
async function isOpen(path: string): Promise<boolean> {
  const all = await readdir('/proc/self/fd')
  const targets = await Promise.all(all.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return targets.includes(path)
}

describe('files', () => {
  const rows = 'a,b\n' + '1,2\n'.repeat(2_000_000)
  const passes: Readonly<Record<string, (path: string, signal: AbortSignal) => Dataset<unknown>>> = {
    readCsv: (path, signal) => readCsv(path, { signal }),
    'readCsv, batches': (path, signal) => readCsv(path, { signal, features: 'vector' }).batch(4),
    readJsonLines: (path, signal) => readJsonLines(path, { signal, onError: 'collect' }),
    readText: (path, signal) => readText(path, { signal }),
  }

  it.runIf(process.platform === 'linux').each(Object.entries(passes))(
    '%s closes the file on abort, also while no rows are requested',
    async (name, open) => {
      const path = join(folder, 'rows')
      await writeFile(path, name === 'readJsonLines' ? '[1, 2]\n'.repeat(1_000_000) : rows)
      const abort = new AbortController()
      const iterator = open(path, abort.signal).iterator()
      await iterator.next()
      expect(await isOpen(path)).toBe(true)
      abort.abort(enough)
      await until(async () => !(await isOpen(path)))
      await expect(iterator.next()).rejects.toBe(enough)
    },
  )

  it('a pass over text in memory lets timers run, and gives no row after the abort', async () => {
    let [count, atAbort] = [0, 0]
    const abort = new AbortController()
    setTimeout(() => ((atAbort = count), abort.abort(enough)), 20)
    const all = readText({ text: rows }, { signal: abort.signal }).forEach(() => void count++)
    await expect(all).rejects.toBe(enough)
    expect(count).toBeLessThan(2_000_000)
    expect(count).toBe(atAbort)
  })
})

describe('imageFolder', () => {
  const options = { imageSize: [2, 2] as [number, number], labels: null, batchSize: null }

  it('aborts while it lists folders, and while it reads images', async () => {
    const root = join(folder, 'pictures')
    await mkdir(join(root, 'inner'), { recursive: true })
    await writeFile(join(root, 'inner', 'a.png'), 'no picture')
    const abort = new AbortController()
    const listing = imageFolder(root, { ...options, signal: abort.signal })
    abort.abort(enough)
    await expect(listing).rejects.toBe(enough)
    await expect(imageFolder(join(folder, 'none'), { ...options, signal: abort.signal })).rejects.toBe(enough)

    const later = new AbortController()
    const images = await imageFolder(root, { ...options, signal: later.signal, onError: 'collect' })
    const reading = images.toArray()
    later.abort(enough)
    await expect(reading).rejects.toBe(enough)
    expect(images.errors).toEqual([])
  })
})

describe('Dataset', () => {
  const never = () => new Promise<never>(() => undefined)
  const stages: Readonly<Record<string, (from: Dataset<number>) => Dataset<unknown>>> = {
    map: (from) => from.map(never),
    'map, parallel': (from) => from.map(never, { parallel: 3 }),
    filter: (from) => from.filter(never),
    flatMap: (from) => from.flatMap(never),
    'batch and prefetch': (from) => from.map(never).batch(2).prefetch(2),
    shuffle: (from) => from.map(never).shuffle(3),
    zip: (from) => Dataset.zip([from, from.map(never)]),
    cache: (from) => from.map(never).cache(),
    skip: (from) =>
      from
        .map(never)
        .filter(() => true)
        .skip(1),
    repeat: (from) => from.map(never).repeat(3),
    concatenate: (from) => from.map<number>(never).concatenate(from),
  }

  it.each(Object.entries(stages))('%s: a pass ends on abort, and the source is closed', async (_, stage) => {
    let open = 0
    const from = Dataset.from<number>(async function* () {
      open++
      try {
        yield* [1, 2, 3, 4]
      } finally {
        open--
      }
    })
    expect(await aborted((signal) => stage(from).forEach(() => undefined, { signal }))).toBe(enough)
    await until(() => open === 0)
    expect(await aborted((signal) => stage(from).toArray({ signal }))).toBe(enough)
    expect(
      await aborted((signal) =>
        stage(from)
          .iterator({ taken: 1 }, { signal })
          .next()
          .then(() => never()),
      ),
    ).toBe(enough)
  })

  it('a source with a signal lets timers run, even if a filter drops every element', async () => {
    const dropped = (signal: AbortSignal) =>
      Dataset.from(Dataset.range(2).repeat(), { signal })
        .filter(() => false)
        .forEach(() => undefined)
    expect(await aborted(dropped)).toBe(enough)
  })

  it('a source with a signal ends fit with the reason of the signal', async () => {
    const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const endless = async function* () {
      for (;;) yield [[[1]], [[1]]]
    }
    expect(
      await aborted((signal) => model.fit(Dataset.from(endless, { signal }), { verbose: 0, stepsPerEpoch: 1e9 })),
    ).toBe(enough)
  })

  it('timeseriesDataset and webcamFrames', async () => {
    const windows = (signal: AbortSignal) =>
      timeseriesDataset(new Float32Array(1e6), { sequenceLength: 3, batchSize: null, signal }).toArray()
    await expect(windows(AbortSignal.abort(enough))).rejects.toBe(enough)
    expect(await aborted(windows, 10)).toBe(enough)
    const frames = webcamFrames(
      { ended: false, addEventListener: () => undefined, requestVideoFrameCallback: () => 0 } as never,
      { signal: AbortSignal.timeout(10) },
    )
    await expect(frames.next()).rejects.toThrow(/timeout/)
  })

  it('removes all listeners, and changes no element', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const [add, remove] = [signal.addEventListener, signal.removeEventListener]
    signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add.apply(signal, given))
    const dropped = new Set<unknown>()
    signal.removeEventListener = (...given: Parameters<typeof remove>) => (
      dropped.add(given[1]),
      remove.apply(signal, given)
    )
    const text = '1,2\n3,4\n5,6\n'
    const wanted = await readCsv({ text }, { header: false }).toArray()
    expect(await readCsv({ text }, { header: false, signal }).toArray({ signal })).toEqual(wanted)
    for await (const _ of readCsv({ text }, { header: false, signal })) break
    expect(dropped.size).toBe(listeners)
  })
})

describe('adapt', () => {
  const layers = {
    Normalization: [() => new Normalization({}), [[1], [3]], [[1]]],
    Discretization: [() => new Discretization({ numBins: 2 }), [[1], [3]], [[1]]],
    StringLookup: [() => new StringLookup({}), [['a'], ['b']], [['c']]],
    IntegerLookup: [() => new IntegerLookup({}), [[1], [3]], [[5]]],
    TextVectorization: [() => new TextVectorization({}), ['a b', 'c'], ['d']],
  } as const

  it.each(Object.entries(layers))('%s ends on abort, and keeps its previous state', async (_, [make, first, batch]) => {
    const layer = make() as Normalization
    const data = (rows: unknown) => [rows][Symbol.iterator]() as never
    await layer.adapt(data(first))
    const known = JSON.stringify(layer.getConfig())
    const stalled = async function* () {
      yield batch
      await new Promise(() => undefined)
    }
    expect(await aborted((signal) => layer.adapt(stalled as never, { signal }))).toBe(enough)
    await expect(layer.adapt(first as never, { signal: AbortSignal.abort(enough) })).rejects.toBe(enough)
    expect(JSON.stringify(layer.getConfig())).toBe(known)
    await expect(layer.adapt(first as never, { signal: 3 as never })).rejects.toThrow('signal must be an AbortSignal')
    await expect(layer.adapt(first as never, { sgnal: null } as never)).rejects.toThrow('sgnal')
    await layer.adapt((() => [first, batch]) as never, { steps: 1 })
    expect(JSON.stringify(layer.getConfig())).toBe(known)
  })
})

describe('models', () => {
  it('loadModel and loadWeights abort while a server does not answer', async () => {
    const server = createServer(() => undefined).listen(0)
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`
    const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
    expect(await aborted((signal) => loadModel(url, { signal }))).toBe(enough)
    expect(await aborted((signal) => model.loadWeights(url, { signal }))).toBe(enough)
    await expect(model.loadWeights(url, { signal: 3 as never })).rejects.toThrow('signal must be an AbortSignal')
    const path = join(folder, 'x.npy')
    await writeNpy([1, 2], path)
    expect((await readNpy(path, { signal: new AbortController().signal })).toArray()).toEqual([1, 2])
    server.closeAllConnections()
    server.close()
  })
})
