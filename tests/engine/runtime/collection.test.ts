// An unused runtime is collected: its linear memory, and the workers of its threads.
// modes: simd, interpreter

import { describe, expect, inject, it } from 'vitest'
import { Dense, Sequential, configure, ops, random, tensor, threadsReady } from '../../../src'
import { poolOf } from '../../helpers/threads'
import type { ThreadPool } from '../../../src/engine/runtime/threads/pool'
import { currentRuntime } from '../../../src/engine/runtime/current'
import { collectGarbage } from '../../helpers/gc'
import { settingsOf } from '../../helpers/modes'
import { withSettings } from '../../helpers/with-settings'

const settings = settingsOf[inject('mode')]

/** Uses a separate runtime temporarily; returns the object to watch. */
async function inPassing(use: () => void | Promise<void>): Promise<WeakRef<object>> {
  return withSettings({ fuse: !settings.fuse }, async () => {
    await use()
    return new WeakRef(currentRuntime().memory)
  })
}

/** Whether it is garbage-collected. */
async function isCollected(watched: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 20; i++) {
    await collectGarbage()
    if (watched.deref() === undefined) return true
  }
  return false
}

describe('the linear memory of a runtime is collected', () => {
  it('when it was not used', async () => {
    expect(await isCollected(await inPassing(() => {}))).toBe(true)
  })

  it('after one eager op', async () => {
    expect(await isCollected(await inPassing(() => void ops.add(1, 2).item()))).toBe(true)
  })

  it('after random numbers, a gradient and a model that was trained', async () => {
    const watched = await inPassing(async () => {
      random.normal([3])
      const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      await model.fit(tensor([[1, 2]]), tensor([[3]]), { verbose: 0 })
      await model.predict([[1, 2]])
    })
    expect(await isCollected(watched)).toBe(true)
  })

  it('but not while one of its models lives', async () => {
    const models: Sequential[] = []
    const watched = await inPassing(() => {
      const model = new Sequential([new Dense({ units: 1, inputShape: [2], kernelInitializer: 'ones' })])
      model.predictOnBatch([[1, 2]])
      models.push(model)
    })
    expect(await isCollected(watched)).toBe(false)
    expect(models[0]!.predictOnBatch([[1, 2]]).item()).toBe(3)
  })
})

describe.runIf(settings.backend === 'wasm')('the workers of a runtime end', () => {
  async function threaded(): Promise<ThreadPool> {
    configure({ threads: 2 })
    await threadsReady()
    const pool = poolOf(currentRuntime())
    expect(pool).toMatchObject({ isRunning: true, workers: [expect.anything()] })
    return pool
  }

  it('at once when configure makes another one and nothing was made in this one', async () => {
    const pool = await threaded()
    configure({ threads: 1 })
    expect(pool).toMatchObject({ isRunning: false, note: 'its runtime is no longer used' })
  })

  it('at once when everything made in it was disposed', async () => {
    const pool = await threaded()
    currentRuntime().createStorage(64).dispose()
    currentRuntime().workspaceFor(64)
    configure({ threads: 1 })
    expect(pool.isRunning).toBe(false)
  })

  it('when the last model in it is collected, and not before', async () => {
    const pool = await threaded()
    const models = [new Sequential([new Dense({ units: 1, inputShape: [2] })])]
    models[0]!.predictOnBatch([[1, 2]])
    configure({ threads: 1 })
    for (let i = 0; i < 3; i++) await collectGarbage()
    expect(pool.isRunning).toBe(true)
    models.pop()
    await expect
      .poll(async () => {
        await collectGarbage()
        return pool.note
      })
      .toBe('its runtime was collected')
  })
})
