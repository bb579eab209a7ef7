import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  Adam,
  ArgumentError,
  BackupAndRestore,
  BatchNormalization,
  Dense,
  ReLU,
  SGD,
  Sequential,
  setRandomSeed,
  tensor,
} from '../../src'
import { Homeostat } from '../../src/entries/balance'
import { ChangeDetector } from '../../src/balance/change-detector'
import { generator } from '../helpers/data'
import { errorOf, weightsOf } from '../helpers/training'

const INPUTS = 8

/** Rows, and whether a weighted sum is positive; another task has other weights. */
function rows(count: number, task: number) {
  const random = generator(10 + task)
  const weights = Array.from({ length: INPUTS }, () => 2 * random() - 1)
  const x = Array.from({ length: count }, () => Array.from({ length: INPUTS }, () => 2 * random() - 1))
  const y = x.map((row) => [Number(row.reduce((sum, value, i) => sum + value * weights[i]!, 0) > 0)])
  return { x, y }
}

function network(optimizer: SGD | Adam = new Adam({ learningRate: 0.01 })) {
  setRandomSeed(4)
  const model = new Sequential([
    new Dense({ units: 12, activation: 'relu', inputShape: [INPUTS], name: 'hidden' }),
    new Dense({ units: 1, activation: 'sigmoid', name: 'out' }),
  ])
  model.compile({ optimizer, loss: 'binaryCrossentropy' })
  return model
}

type Data = ReturnType<typeof rows>

/** 100 steps an epoch. */
const fit = (model: Sequential, { x, y }: Data, epochs: number, callbacks: readonly object[]) =>
  model.fit(x, y, { epochs, batchSize: 4, verbose: 0, callbacks })

const [first, second] = [rows(400, 1), rows(400, 2)]

describe('ChangeDetector', () => {
  /** The windows at which it reports a change. */
  function changesIn(losses: readonly number[], variance = 0.32): number[] {
    const detector = new ChangeDetector()
    return losses.flatMap((mean, i) => (detector.see({ mean, variance, steps: 32 }) === null ? [] : [i]))
  }
  const flat = (value: number, count: number): number[] => new Array<number>(count).fill(value)

  it('needs a window above m + max(4 s, (l₀ − m) / 10), and one above half of it', () => {
    // s = 0.1, l₀ − m = 0: the limit is 1.4.
    expect(changesIn([...flat(1, 8), 1.41, 1.41])).toEqual([9])
    expect(changesIn([...flat(1, 8), 1.39, 1.39])).toEqual([])
    expect(changesIn([...flat(1, 8), 9, 1, 9, 1])).toEqual([])
    // l₀ = 11, and m is nearly 1 after many windows: the limits are nearly 2 and 1.5.
    const learnt = [11, ...flat(1, 60)]
    expect(changesIn([...learnt, 2.01, 1.51], 0)).toEqual([62])
    expect(changesIn([...learnt, 2.01, 1.49], 0)).toEqual([])
    expect(changesIn([...learnt, 1.99, 1.99], 0)).toEqual([])
  })

  it('needs six windows, also after a change', () => {
    expect(changesIn([...flat(1, 5), ...flat(9, 2)])).toEqual([])
    expect(changesIn([...flat(1, 6), ...flat(9, 7), ...flat(90, 2)])).toEqual([7, 14])
    expect(changesIn([...flat(1, 6), ...flat(9, 4), ...flat(90, 2)])).toEqual([7])
  })

  it('finds nothing in a loss that falls with noise', () => {
    const random = generator(3)
    const noise = () => (random() + random() + random() - 1.5) * 2 * Math.sqrt(0.32 / 32)
    for (let run = 0; run < 50; run++)
      expect(changesIn(Array.from({ length: 200 }, (_, i) => 3 / (1 + i / 5) + noise()))).toEqual([])
  })
})

describe('Homeostat', () => {
  it('changes no bit while the data stay the same', async () => {
    const [plain, watched] = [network(), network()]
    const homeostat = new Homeostat()
    await fit(plain, first, 15, [])
    const { reports } = await fit(watched, first, 15, [homeostat])
    expect(weightsOf(watched)).toEqual(weightsOf(plain))
    expect(homeostat.log.filter(({ act }) => act !== 'prune')).toEqual([])
    expect(reports.homeostat).toEqual(homeostat.log)
  })

  it('decays and renews when the data change, rests when they no longer do, and says why', async () => {
    const model = network()
    const homeostat = new Homeostat()
    await fit(model, first, 6, [homeostat])
    expect(String(homeostat)).toBe('')
    const { reports } = await fit(model, second, 30, [homeostat])
    const acts = reports.homeostat!
    expect(acts).toEqual(homeostat.log)
    expect(acts[0]).toMatchObject({ act: 'decay', layer: null, units: [] })
    expect(acts[0]!.reason).toMatch(/^the data changed: the loss rose from 0\.\d+ to \d\.\d+\. λ = 0\.001$/)
    const at = acts[0]!.step
    expect(at).toBeGreaterThan(600)
    expect(at).toBeLessThan(600 + 4 * 32)
    const rest = acts.find(({ act }) => act === 'rest')!
    expect(rest.step).toBeGreaterThan(5 * at)
    expect(rest.step).toBeLessThan(5 * at + 64)
    expect(String(homeostat).split('\n')[0]).toBe(`step ${at}: decay: ${acts[0]!.reason}`)
    expect(String(homeostat).split('\n')).toHaveLength(acts.length)
  })

  it('renews dormant units while the data change: new w_in, w_out = 0', async () => {
    const model = network(new SGD({ learningRate: 0.1 }))
    const [hidden, out] = model.layers as [Dense, Dense]
    const homeostat = new Homeostat()
    await fit(model, first, 6, [homeostat])
    await fit(model, second, 2, [homeostat])
    expect(homeostat.log.map(({ act }) => act)).toContain('decay')
    const before = homeostat.log.length
    hidden.bias!.view[2] = hidden.bias!.view[5] = -100
    await fit(model, second, 2, [homeostat])
    // The next fit begins with it: no step has changed the units since.
    const [kernel, bias] = [[...hidden.kernel.view], [...hidden.bias!.view]]
    const still = new SGD({ learningRate: 0 })
    model.compile({ optimizer: still, loss: 'binaryCrossentropy' })
    await fit(model, second, 1, [homeostat])
    const renewed = homeostat.log.slice(before).filter(({ act }) => act === 'renew')
    expect(renewed[0]!.layer).toBe('hidden')
    const units = renewed.flatMap((act) => act.units)
    expect(units).toContain(2)
    expect(units).toContain(5)
    expect(homeostat.replaced['hidden']).toBe(
      homeostat.log.reduce((sum, act) => sum + (act.act === 'renew' ? act.units.length : 0), 0),
    )
    for (let unit = 0; unit < 12; unit++) {
      const isNew = [2, 5].includes(unit) || units.includes(unit)
      expect(out.kernel.view[unit] === 0, `w_out of ${unit}`).toBe(isNew)
      expect(hidden.bias!.view[unit] === bias[unit], `bias of ${unit}`).toBe(!isNew)
      expect(hidden.kernel.view[unit] === kernel[unit], `w_in of ${unit}`).toBe(!isNew)
    }
  })

  it('shrinks weights as L2 with λ = 0.001 does, except those of normalisation', async () => {
    const rate = 0.1
    const make = () => {
      setRandomSeed(4)
      const model = new Sequential([
        new Dense({ units: 12, inputShape: [INPUTS], name: 'hidden' }),
        new BatchNormalization({ name: 'norm' }),
        new ReLU(),
        new Dense({ units: 1, activation: 'sigmoid', name: 'out' }),
      ])
      model.compile({ optimizer: new SGD({ learningRate: rate }), loss: 'binaryCrossentropy' })
      return model
    }
    const [model, twin] = [make(), make()]
    const homeostat = new Homeostat()
    await fit(model, first, 6, [homeostat])
    await fit(model, second, 2, [homeostat])
    const start = weightsOf(model)
    twin.setWeights(model.getWeights())
    const one = { x: second.x.slice(0, 4), y: second.y.slice(0, 4) }
    await fit(twin, one, 1, [])
    const before = homeostat.log.length
    await fit(model, one, 1, [homeostat])
    // The fit begins with a check, which finds nothing to renew.
    expect(homeostat.log).toHaveLength(before)
    const [pulled, plain] = [weightsOf(model), weightsOf(twin)]
    model.weights.forEach(({ name }, i) =>
      pulled[i]!.forEach((value, j) => {
        const pull = name.startsWith('norm') ? 0 : rate * 2 * 1e-3 * start[i]![j]!
        expect(value, `${name} ${j}`).toBeCloseTo(plain[i]![j]! - pull, 6)
      }),
    )
    expect(start[2]!.some((gamma) => Math.abs(gamma) > 0.5)).toBe(true)
  })

  it('repairs a layer of which half is dead, and names dead units that a smaller model does not need', async () => {
    const run = async (dead: number) => {
      const model = network(new SGD({ learningRate: 0.05 }))
      const { bias } = model.layers[0] as Dense
      bias!.assign(tensor(Array.from({ length: 12 }, (_, i) => (i < dead ? -100 : 0.5))))
      const homeostat = new Homeostat()
      await fit(model, first, 11, [homeostat])
      return { log: homeostat.log, bias: [...bias!.view] }
    }
    const half = await run(6)
    expect(half.log).toMatchObject([{ act: 'renew', layer: 'hidden', units: [0, 1, 2, 3, 4, 5] }])
    expect(half.log[0]!.reason).toMatch(/half of the layer or more never fired in 1000 steps/)
    expect(half.bias.every((value) => value > -10)).toBe(true)
    const few = await run(2)
    expect(few.log).toMatchObject([{ act: 'prune', layer: 'hidden', units: [0, 1] }])
    expect(few.bias.slice(0, 2)).toEqual([-100, -100])
  })

  it('prints its acts on request', async () => {
    const print = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const homeostat = new Homeostat({ verbose: 1 })
    const model = network()
    await fit(model, first, 6, [homeostat])
    await fit(model, second, 2, [homeostat])
    const lines = print.mock.calls.map(([line]) => String(line))
    print.mockRestore()
    expect(lines.length).toBeGreaterThan(0)
    expect(lines).toEqual(
      String(homeostat)
        .split('\n')
        .map((line) => `Homeostat: ${line}`),
    )
  })

  it('continues in another process as without interruption', async () => {
    const backupDir = await mkdtemp(join(tmpdir(), 'myelin-'))
    // The second half of the epochs has other labels.
    const changing = (epochs: number) => ({
      x: Array.from({ length: epochs }, (_, i) => (i < epochs / 2 ? first : second).x).flat(),
      y: Array.from({ length: epochs }, (_, i) => (i < epochs / 2 ? first : second).y).flat(),
    })
    const { x, y } = changing(24)
    const run = async (stop: number, callbacks: readonly object[]) => {
      const homeostat = new Homeostat()
      const model = network()
      const { bias } = model.layers[0] as Dense
      bias!.view[2] = bias!.view[5] = -100
      let steps = 0
      const end = {
        onTrainBatchEnd() {
          if (++steps === stop) throw new Error('stop')
        },
      }
      const made = model.fit(x, y, {
        batchSize: 4,
        shuffle: false,
        verbose: 0,
        callbacks: [homeostat, ...callbacks, end],
      })
      await made.catch((error: Error) => expect(error.message).toBe('stop'))
      return { weights: weightsOf(model), log: homeostat.log }
    }
    const backup = () => new BackupAndRestore({ backupDir, saveFreq: 50 })
    const whole = await run(Infinity, [])
    expect(whole.log.map(({ act }) => act)).toEqual(expect.arrayContaining(['decay', 'renew']))
    await run(1777, [backup()])
    const resumed = await run(Infinity, [backup()])
    await rm(backupDir, { recursive: true, force: true })
    expect(resumed.log).toEqual(whole.log)
    expect(resumed.weights).toEqual(whole.weights)
  })

  it('refuses models without hidden units, and unknown options', async () => {
    const flat = new Sequential([new Dense({ units: 1, inputShape: [INPUTS] })])
    flat.compile({ optimizer: 'sgd', loss: 'mse' })
    expect((await errorOf(() => fit(flat, first, 1, [new Homeostat()]))).message).toMatch(
      /Homeostat: the model .* has no hidden units/,
    )
    for (const options of [{ verbose: 2 }, { layers: [3] }, { rate: 1 }])
      expect(() => new Homeostat(options as object)).toThrow(ArgumentError)
  })
})
