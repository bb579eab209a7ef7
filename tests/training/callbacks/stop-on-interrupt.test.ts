// Processes that receive SIGINT while they train: they keep what they learned, and a second one ends them.
// modes: simd

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { bundle } from '../../helpers/built'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { BackupAndRestore, StateError, StopOnInterrupt } from '../../../src'
import { binaryModel, errorOf, samples, weightsOf } from '../../helpers/training'

const { x, yes } = samples(20)
const listeners = (): number => process.listenerCount('SIGINT')

/** What a press of Ctrl-C calls in this process. */
const press = (): void => void process.emit('SIGINT')
const pressAt = (step: number) => ({ onTrainBatchEnd: (batch: number) => void (batch === step && press()) })

describe('in this process', () => {
  const quietly = async <Result>(
    body: () => Promise<Result>,
  ): Promise<{ result: Result; said: readonly unknown[] }> => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    // With another listener the second press is left to StopOnInterrupt, and the test process survives the first.
    const other = (): void => {}
    process.on('SIGINT', other)
    try {
      return { result: await body(), said: warn.mock.calls.map(([text]) => text as unknown) }
    } finally {
      process.off('SIGINT', other)
      warn.mockRestore()
    }
  }

  it('fit ends after the running step, with its weights, its history and one line', async () => {
    const [model, same] = [binaryModel(), binaryModel()]
    const stop = new StopOnInterrupt()
    const ends: unknown[] = []
    const callbacks = [stop, pressAt(2), { onTrainEnd: (logs: unknown) => void ends.push(logs) }]
    const { result, said } = await quietly(() =>
      model.fit(x, yes, { epochs: 50, batchSize: 2, verbose: 0, shuffle: false, callbacks }),
    )
    expect(result.history['loss']).toHaveLength(1)
    expect(stop.interrupted).toBe(true)
    expect(ends).toHaveLength(1)
    expect(said).toEqual([expect.stringContaining('StopOnInterrupt: fit ends after this step and keeps the weights')])
    await same.fit(x.slice(0, 6), yes.slice(0, 6), { batchSize: 2, verbose: 0, shuffle: false })
    expect(weightsOf(model)).toEqual(weightsOf(same))
    // The next fit is another run.
    await model.fit(x, yes, { epochs: 2, verbose: 0, callbacks: [stop] })
    expect(stop.interrupted).toBe(false)
  })

  it('a validation, and waiting for data, end at once', async () => {
    const stop = new StopOnInterrupt()
    let batches = 0
    const during = { onTestBatchEnd: () => void (++batches === 2 && press()) }
    const options = { epochs: 5, verbose: 0, validationData: [x, yes], validationBatchSize: 1 } as const
    const { result } = await quietly(() => binaryModel().fit(x, yes, { ...options, callbacks: [stop, during] }))
    expect(batches).toBeLessThan(20)
    expect(Object.keys(result.history)).not.toContain('valLoss')
    async function* endless() {
      yield { x: x.slice(0, 2), y: yes.slice(0, 2) }
      setTimeout(press, 5)
      await new Promise(() => {})
    }
    const streamed = await quietly(() => binaryModel().fit(endless, { epochs: 5, verbose: 0, callbacks: [stop] }))
    expect(streamed.result.history['loss']).toHaveLength(1)
  })

  it('a press between two epochs, and before the first, begins no further epoch', async () => {
    for (const when of ['onEpochEnd', 'onTrainBegin'] as const) {
      const { result } = await quietly(() =>
        binaryModel().fit(x, yes, { epochs: 5, verbose: 0, callbacks: [new StopOnInterrupt(), { [when]: press }] }),
      )
      expect(result.history['loss'] ?? [], when).toHaveLength(when === 'onEpochEnd' ? 1 : 0)
    }
  })

  it('the listener is there while fit runs, also if it ends by an error', async () => {
    const before = listeners()
    const seen: number[] = []
    const counting = { onEpochEnd: () => void seen.push(listeners()) }
    await binaryModel().fit(x, yes, { verbose: 0, callbacks: [new StopOnInterrupt(), counting] })
    expect(seen).toEqual([before + 1])
    expect(listeners()).toBe(before)
    const failing = { onTrainBatchEnd: () => Promise.reject(new Error('mine')) }
    const error = await errorOf(() =>
      binaryModel().fit(x, yes, { verbose: 0, callbacks: [new StopOnInterrupt(), failing] }),
    )
    expect(error.message).toBe('mine')
    expect(listeners()).toBe(before)
    const fail = () => {
      throw new Error('mine')
    }
    for (const event of ['setModel', 'setParams', 'onTrainBegin', 'onTrainEnd'] as const) {
      // Before StopOnInterrupt in the list, and after it.
      for (const order of [0, 1]) {
        const callbacks = [new StopOnInterrupt(), { [event]: fail }]
        const thrown = await errorOf(() =>
          binaryModel().fit(x, yes, { verbose: 0, callbacks: order === 0 ? callbacks : callbacks.toReversed() }),
        )
        expect(thrown.message, event).toBe('mine')
        expect(listeners(), event).toBe(before)
      }
    }
    // A host may refuse to join the user's signal with that of StopOnInterrupt, such as a signal of another realm.
    const any = vi.spyOn(AbortSignal, 'any').mockImplementation(fail)
    const { signal: joined } = new AbortController()
    const refused = binaryModel().fit(x, yes, { verbose: 0, signal: joined, callbacks: [new StopOnInterrupt()] })
    await expect(refused).rejects.toThrow('mine')
    any.mockRestore()
    expect(listeners()).toBe(before)
    const controller = new AbortController()
    const aborting = { onTrainBatchEnd: () => controller.abort(new Error('enough')) }
    const { signal } = controller
    const aborted = binaryModel().fit(x, yes, { verbose: 0, signal, callbacks: [new StopOnInterrupt(), aborting] })
    await expect(aborted).rejects.toThrow('enough')
    expect(listeners()).toBe(before)
  })

  it('the loss of an epoch with a step that is not finite is NaN, also if its handler throws the reason of the end', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const ends = {
      onNonFinite() {
        controller.abort(new Error('enough'))
        press()
        signal.throwIfAborted()
      },
    }
    const { result } = await quietly(() =>
      binaryModel().fit([...x.slice(0, 2), [3e38, 3e38, 3e38, 3e38]], yes.slice(0, 3), {
        batchSize: 2,
        verbose: 0,
        shuffle: false,
        signal,
        callbacks: [new StopOnInterrupt(), ends],
      }),
    )
    expect(result.history['loss']).toEqual([NaN])
  })

  it('a backup is kept, from which the run continues as if it had not ended', async () => {
    const kept = new Map<string, Uint8Array>()
    const store = {
      read: (name: string) => kept.get(name) ?? null,
      write: (name: string, bytes: Uint8Array) => void kept.set(name, bytes.slice()),
      remove: (name: string) => void kept.delete(name),
    }
    const backup = () => new BackupAndRestore({ backupDir: 'run', store })
    const options = { epochs: 4, batchSize: 2, verbose: 0 } as const
    let steps = 0
    const pressing = { onTrainBatchEnd: () => void (++steps === 14 && press()) }
    await quietly(() =>
      binaryModel().fit(x, yes, { ...options, callbacks: [new StopOnInterrupt(), pressing, backup()] }),
    )
    expect(kept.size).toBe(1)
    const [resumed, whole] = [binaryModel(), binaryModel()]
    const { history } = await resumed.fit(x, yes, { ...options, callbacks: [new StopOnInterrupt(), backup()] })
    await whole.fit(x, yes, options)
    expect(history['loss']).toHaveLength(4)
    expect(weightsOf(resumed)).toEqual(weightsOf(whole))
    expect(kept.size).toBe(0)
  })
})

const SCRIPT = `
import * as m from ${JSON.stringify(resolve('src/index.ts'))}
const [kind] = process.argv.slice(2)
m.setRandomSeed(1)
const x = Array.from({ length: 512 }, (_, i) => [Math.sin(i), Math.cos(i)])
const y = x.map(([a, b]) => [Number(a > b)])
const model = new m.Sequential([new m.Dense({ units: 16, activation: 'relu', inputShape: [2] }), new m.Dense({ units: 1, activation: 'sigmoid' })])
model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' })
const before = model.getWeights()[0].data[0]
const stop = new m.StopOnInterrupt()
const { history } = await model.fit(x, y, {
  epochs: 1e6, batchSize: 8, verbose: 0,
  callbacks: [stop, {
    onTrainBegin: () => console.log('training'),
    onTrainEnd: () => kind === 'slow' && new Promise((resolve) => setTimeout(resolve, 60_000)),
  }],
})
console.log(JSON.stringify({ interrupted: stop.interrupted, epochs: history.loss.length, isTrained: model.getWeights()[0].data[0] !== before, listeners: process.listenerCount('SIGINT') }))
`

describe('a process', () => {
  let [folder, script] = ['', '']
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'myelin-'))
    const [entry, outDir] = [join(folder, 'run.js'), join(folder, 'built')]
    await writeFile(entry, SCRIPT)
    await bundle([entry], outDir, { platform: 'node' })
    script = join(
      outDir,
      (await readdir(outDir)).find((name) => name.startsWith('run.'))!,
    )
  })
  afterAll(() => rm(folder, { recursive: true }))

  interface Ended {
    readonly code: number | null
    readonly signal: string | null
    readonly out: string
    readonly errors: string
  }
  /** @param presses called with the process once it trains, and after each line on stderr */
  const run = (kind: string, presses: (child: ChildProcess, line: number) => void): Promise<Ended> => {
    const child = spawn(process.execPath, [script, kind], { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, errors, line] = ['', '', 0]
    child.stdout.once('data', () => void setTimeout(() => presses(child, line++), 200))
    child.stdout.on('data', (text) => void (out += String(text)))
    child.stderr.on('data', (text) => {
      errors += String(text)
      presses(child, line++)
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code, signal, out, errors }))
    })
  }

  it('that receives SIGINT goes on after fit, with the trained weights', { timeout: 60_000 }, async () => {
    const { code, out, errors } = await run('quick', (child, line) => void (line === 0 && child.kill('SIGINT')))
    expect(code).toBe(0)
    expect(errors.trim().split('\n')).toEqual([expect.stringContaining('StopOnInterrupt: fit ends after this step')])
    const end = JSON.parse(out.split('\n')[1]!) as { epochs: number }
    expect(end).toMatchObject({ interrupted: true, isTrained: true, listeners: 0 })
    expect(end.epochs).toBeGreaterThan(0)
  })

  it('that receives another one ends', { timeout: 60_000 }, async () => {
    const { code, signal, out } = await run('slow', (child) => void child.kill('SIGINT'))
    expect(code === 130 || signal === 'SIGINT').toBe(true)
    expect(out.trim()).toBe('training')
  })

  it('has a main thread, and others receive no signal', { timeout: 60_000 }, async () => {
    const worker = new Worker(script, { argv: ['quick'], stdout: true })
    const error = await new Promise<Error>((resolve) => void worker.on('error', resolve))
    await worker.terminate()
    expect(error.message).toContain('StopOnInterrupt: only the main thread of Node, Deno or Bun receives Ctrl-C')
  })
})

it('a page is told that it has no signals', async () => {
  vi.stubGlobal('process', undefined)
  try {
    const stop = new StopOnInterrupt()
    expect(() => stop.interruption.begin(null)).toThrow(StateError)
  } finally {
    vi.unstubAllGlobals()
  }
})
