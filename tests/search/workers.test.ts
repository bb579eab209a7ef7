// The order of events between a search and its workers, with workers that do only what a test says; threads.test.ts has real ones.
// modes: simd

import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ArgumentError, StateError, tensor } from '../../src'
import type { Progress } from '../../src/search/fits'
import { Threads } from '../../src/search/threads'
import { generator } from '../helpers/data'
import { errorOf } from '../helpers/training'

interface Posted {
  readonly id: number
  readonly name: string
  readonly inputs: readonly [trial: number, choice: object, epochs: number]
}

class FakeWorker extends EventEmitter {
  readonly posted: Posted[] = []
  isAlive = true

  postMessage(request: unknown): void {
    structuredClone(request)
    this.posted.push(request as Posted)
  }

  async terminate(): Promise<void> {
    this.exit(1)
  }

  /** What the last request asks for, such as 'train 0 to 1'. */
  get last(): string {
    const { name, inputs } = this.posted.at(-1)!
    return name === 'train' ? `train ${inputs[0]} to ${inputs[2]}` : `${name} ${inputs[0]}`
  }

  begin(): this {
    this.emit('message', { id: this.posted.at(-1)!.id, isBegun: true })
    return this
  }

  /** Begins the last request, and answers it. */
  answer(value: unknown = progressTo(this.posted.at(-1)!.inputs[2])): this {
    this.begin().emit('message', { id: this.posted.at(-1)!.id, value })
    return this
  }

  exit(code: number): void {
    if (this.isAlive) this.emit('exit', code)
    this.isAlive = false
  }
}

function progressTo(until: number): Progress {
  return { logs: [{ loss: Array<number>(until).fill(1) }], epochs: [until], seconds: 0, error: null }
}

/** A search in fake workers, of which `started` are the ones so far. */
function search(width: number, trials: number, signal: AbortSignal | null = null) {
  const started: FakeWorker[] = []
  const samples = { x: tensor([[1]]), y: tensor([[1]]), sampleWeight: null, validationData: null }
  const local = { data: null, validationBatches: null, callbacks: null, signal }
  const make = () => {
    throw new ArgumentError('made')
  }
  const threads = new Threads(width, trials, 'make.js', make, { seed: 1, folds: null, samples, fit: {}, local }, () => {
    started.push(new FakeWorker())
    return started.at(-1)!
  })
  return { threads, started, train: (trial: number, until = 1) => threads.train(trial, {}, until) }
}

/** Lets everything happen that waits for no worker. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

const message = async (progress: Promise<Progress>) => (await progress).error?.message

describe('a worker that ends', () => {
  it('after it began a trial: the trial has failed, with the logs of its earlier rounds', async () => {
    const { started, train } = search(1, 2)
    const first = train(0)
    started[0]!.answer()
    expect(await first).toEqual(progressTo(1))
    const second = train(0, 2)
    started[0]!.begin().exit(3)
    expect(await second).toMatchObject({ ...progressTo(1), seconds: expect.any(Number), error: expect.any(StateError) })
    expect(await message(second)).toBe('a worker of the search ended with exit code 3')
    expect(started.length).toBe(1)
    void train(1)
    expect(started[1]!.last).toBe('train 1 to 1')
  })

  it('before it began: another one gets the trial, at most three in all', async () => {
    const { started, train } = search(1, 9)
    const progress = train(0)
    for (const at of [0, 1, 2]) {
      expect(started[at]!.last).toBe('train 0 to 1')
      started[at]!.exit(1)
      await settled()
    }
    expect(await message(progress)).toBe('a worker of the search ended with exit code 1, and none of 3 began the trial')
    expect(started.length).toBe(3)
  })

  it('right after its answer: the trial has not failed, and is trained again for its next round', async () => {
    const { started, train } = search(1, 2)
    const first = train(0)
    started[0]!.answer().exit(3)
    expect(await first).toEqual(progressTo(1))
    const second = train(0, 2)
    expect(started[1]!.last).toBe('train 0 to 1')
    started[1]!.answer()
    await settled()
    expect(started[1]!.last).toBe('train 0 to 2')
    started[1]!.answer()
    expect(await second).toEqual(progressTo(2))
  })

  it('with an error that arrives before its answer: the answer counts', async () => {
    const { started, train } = search(1, 2)
    const progress = train(0)
    started[0]!.emit('error', new Error('late'))
    started[0]!.answer().exit(1)
    expect(await progress).toEqual(progressTo(1))
  })

  it.each([
    [new Error('JS heap out of memory'), 'JS heap out of memory'],
    [null, 'null was thrown, which is not an Error'],
  ])('with the error %s: its message is the reason', async (error, expected) => {
    const { started, train } = search(1, 2)
    const progress = train(0)
    started[0]!.begin().emit('error', error)
    started[0]!.exit(1)
    expect(await message(progress)).toBe(`a worker of the search failed: ${expected}`)
  })

  it('while others wait for it: they move, however often another trial is the reason', async () => {
    const { started, train } = search(1, 7)
    const bad = [train(0), train(1), train(2), train(3), train(4)]
    const good = train(5)
    for (const at of [0, 1, 2, 3, 4]) {
      expect(started[at]!.posted.map(({ inputs }) => inputs[0])).toEqual([at])
      started[at]!.begin().exit(3)
      await settled()
    }
    started[5]!.answer()
    expect(await good).toEqual(progressTo(1))
    for (const each of bad) expect(await message(each)).toBe('a worker of the search ended with exit code 3')
  })

  it('while it trains a trial again: the trial has failed if it had begun, and moves if not', async () => {
    for (const hadBegun of [true, false]) {
      const { started, train } = search(1, 5)
      const first = train(0)
      started[0]!.answer().exit(0)
      await first
      const second = train(0, 2)
      if (hadBegun) started[1]!.begin()
      started[1]!.exit(4)
      await settled()
      if (hadBegun) expect(await message(second)).toBe('a worker of the search ended with exit code 4')
      else expect(started[2]!.last).toBe('train 0 to 1')
    }
  })

  it('as soon as it starts, always: every trial fails, and as many workers are replaced as there are trials', async () => {
    const { started, train } = search(2, 10)
    for (let trial = 0; trial < 10; trial++) {
      const progress = train(trial)
      for (let i = 0; i < 5; i++) {
        for (const worker of started) worker.exit(9)
        await settled()
      }
      expect(await message(progress)).toBe(
        'a worker of the search ended with exit code 9, and none of 3 began the trial',
      )
    }
    expect(started.length).toBe(12)
  })

  it('with a message that cannot be read: it is terminated, and its trial has failed', async () => {
    const { started, train } = search(1, 2)
    const progress = train(0)
    started[0]!.begin().emit('messageerror', new Error('unreadable'))
    expect(await message(progress)).toBe('a worker of the search failed: unreadable')
  })
})

describe('requests', () => {
  it('reach a worker one at a time; an answer to none is ignored', async () => {
    const { started, train } = search(1, 3)
    const both = [train(0), train(1)]
    expect(started[0]!.posted.length).toBe(1)
    started[0]!.emit('message', { id: 77, value: progressTo(9) })
    started[0]!.answer()
    started[0]!.emit('message', { id: 0, value: progressTo(9) })
    started[0]!.answer()
    expect(await Promise.all(both)).toEqual([progressTo(1), progressTo(1)])
  })

  it('that cannot be posted are refused, and the next is posted', async () => {
    const { threads, started, train } = search(1, 3)
    const error = await errorOf(() => threads.train(0, { units: () => 1 }, 1))
    expect(error.name).toBe('DataCloneError')
    const next = train(1)
    started[0]!.answer()
    expect(await next).toEqual(progressTo(1))
  })

  it('to drop a trial end with the worker', async () => {
    const { threads, started, train } = search(1, 3)
    const first = train(0)
    started[0]!.answer()
    await first
    const dropped = threads.drop(0)
    expect(started[0]!.last).toBe('drop 0')
    started[0]!.exit(1)
    await dropped
    await threads.drop(0)
    expect(started.length).toBe(1)
  })

  it('for the winner train it again if its worker ended; if it ends meanwhile, that is the error', async () => {
    const { threads, started, train } = search(1, 3)
    const first = train(0)
    started[0]!.answer().exit(0)
    await first
    const winner = errorOf(() => threads.winner(0, {}, 1))
    started[1]!.answer()
    await settled()
    expect(started[1]!.last).toBe('winner 0')
    started[1]!.begin().exit(5)
    expect((await winner).message).toBe('a worker of the search ended with exit code 5')
    const again = errorOf(() => threads.winner(0, {}, 1))
    started[2]!.answer()
    await settled()
    started[2]!.answer({ tensors: [], shuffle: {} })
    expect((await again).message).toBe('made')
  })
})

describe('a search that is aborted or over', () => {
  it.each([new Error('enough'), null])('rejects with the reason %s, and starts no more workers', async (reason) => {
    const controller = new AbortController()
    const { threads, started, train } = search(2, 9, controller.signal)
    const lost = train(0)
    started[0]!.answer()
    await lost
    started[0]!.exit(0)
    const running = [train(1), train(2)].map((each) => each.catch((error: unknown) => [error]))
    controller.abort(reason)
    expect(await Promise.all(running)).toEqual([[reason], [reason]])
    const count = started.length
    for (const trial of [0, 1, 5]) expect(await train(trial, 2).catch((error: unknown) => [error])).toEqual([reason])
    expect([started.length, started.some(({ isAlive }) => isAlive)]).toEqual([count, false])
    await threads.close()
  })

  it('rejects what is open when it closes', async () => {
    const { threads, started, train } = search(1, 9)
    const open = errorOf(() => train(0))
    await threads.close()
    expect((await open).message).toBe('the search is over')
    expect((await errorOf(() => train(1))).message).toBe('the search is over')
    expect(started.length).toBe(1)
  })
})

it('in any order of events, every request ends, and only trials that a worker had begun or could not begin fail', async () => {
  for (let seed = 0; seed < 600; seed++) {
    const random = generator(seed)
    const [width, trials] = [1 + Math.floor(3 * random()), 1 + Math.floor(7 * random())]
    const { started, train, threads } = search(width, trials)
    const culprits = new Set<number>()
    let open = 0
    const failed = new Map<number, string>()
    const lane = async (each: IterableIterator<number>): Promise<void> => {
      for (const trial of each)
        for (const until of [1, 2, 4]) {
          if (failed.has(trial)) break
          open++
          const progress = await train(trial, until)
          open--
          if (progress.error !== null) failed.set(trial, progress.error.message)
          else expect(progress).toEqual(progressTo(until))
        }
    }
    const left = Array.from({ length: trials }, (_, i) => i).values()
    const done = Promise.all(Array.from({ length: width }, () => lane(left)))
    const begun = new Map<FakeWorker, number>()
    let events = 0
    for (; ; events++) {
      await settled()
      if (open === 0) break
      expect(events, `seed ${seed}`).toBeLessThan(1000)
      const alive = started.filter(({ isAlive }) => isAlive)
      const worker = alive[Math.floor(random() * alive.length)]!
      const { id, inputs } = worker.posted.at(-1) ?? { id: -1, inputs: [-1] as const }
      const isOpen = id >= 0 && begun.get(worker) !== -2 - id
      const action = random()
      if (action < 0.15) {
        if (isOpen && begun.get(worker) === id) culprits.add(inputs[0])
        worker.exit(3)
      } else if (isOpen && action < 0.5) {
        worker.begin()
        begun.set(worker, id)
      } else if (isOpen) {
        worker.answer()
        begun.set(worker, -2 - id)
      }
    }
    await done
    expect(started.length).toBeLessThanOrEqual(width + trials)
    for (const [trial, reason] of failed)
      expect(culprits.has(trial) !== reason.includes('none of 3'), `seed ${seed}: ${reason}`).toBe(true)
    for (const culprit of culprits) expect(failed.has(culprit)).toBe(true)
    await threads.close()
  }
})
