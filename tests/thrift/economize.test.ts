// economize: keeps what pays, and says why it refuses the rest.
// modes: simd
import { describe, expect, it } from 'vitest'
import { DataError, Dense, Layer, Sequential, loadModel, ops, setRandomSeed, tensor, type Tensor } from '../../src'
import { economize, pruneUnits, quantizedLayers } from '../../src/entries/thrift'
import { speedup, timedInTurn, whyNoGain } from '../../src/thrift/timing'
import { floats } from '../helpers/data'

/** A problem with two classes, and a trained model of these sizes. */
async function trained(inputs: number, units: readonly number[], rows = 400) {
  setRandomSeed(1)
  const x = tensor([...floats([rows, inputs], -1, 1, 5).data], [rows, inputs])
  const y = Int32Array.from({ length: rows }, (_, i) => Number(x.data[i * inputs]! + x.data[i * inputs + 1]! > 0))
  const model = new Sequential([
    new Dense({ units: units[0]!, activation: 'relu', inputShape: [inputs] }),
    ...units.slice(1).map((each) => new Dense({ units: each, activation: 'relu' })),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  await model.fit(x, y, { epochs: 20, verbose: 0 })
  return { model, x, y }
}

describe('economize', () => {
  it('makes a wide model cheaper, within the limit on rows kept apart', async () => {
    const { model, x, y } = await trained(64, [256, 256])
    const before = model.getWeights().map(({ data }) => data)
    const { model: small, report } = await economize(model, { x, y, maxLoss: 0.02, seconds: 0.1, seed: 1 })
    expect(model.getWeights().map(({ data }) => data)).toEqual(before)
    expect(small).not.toBe(model)
    expect(report.after.bytes).toBeLessThan(0.3 * report.before.bytes)
    expect(report.after.seconds).toBeLessThan(report.before.seconds)
    const steps = report.rows.filter(({ kept }) => kept)
    expect(steps.length).toBeGreaterThan(0)
    expect(steps.every(({ why, figures }) => why === null && figures !== null)).toBe(true)
    // Every step was tried alone.
    expect(new Set(report.rows.filter(({ how }) => how === 'alone').map(({ step }) => step))).toEqual(
      new Set(['dead units', 'fewer units', 'low rank', 'int8']),
    )
    expect(report.rows.some(({ how }) => how === 'together')).toBe(true)
    for (const { speed, interval, base, figures, gains, why } of report.rows) {
      if (figures === null) continue
      expect(speed).toBe(base!.seconds / figures.seconds)
      expect(gains.includes('faster')).toBe(why === null && interval![0] >= 1.05)
    }
    // Refused steps have reasons.
    const text = String(report)
    const tried = text.split('\n').filter((line) => /, (?:alone|together) /.test(line))
    expect(tried).toHaveLength(report.rows.length)
    for (const line of tried)
      expect(line).toMatch(
        /│ (?:(?:kept|pays, but not chosen): (?:faster|smaller file|faster, smaller file)|.*(?:slower|larger|gain|worse|rank|unit).*) +│$/,
      )
    expect(text).toMatch(/result, on test rows/)
    expect(text).toMatch(/joules are (?:measured|estimated from CPU seconds at 12 W)/)
    expect(JSON.parse(JSON.stringify(report)).after.value).toBe(report.after.value)
    // The result is an ordinary model.
    const again = await loadModel(await small.save(), { customObjects: quantizedLayers })
    expect((await again.predict(x)).data).toEqual((await small.predict(x)).data)
  })

  it('is sure of a gain, or says that it is not', () => {
    const gain = (low: number, median: number, size: number): string | null =>
      whyNoGain({ low, median, high: median }, size, 0.05)
    expect(gain(1.1, 1.3, 1)).toBe(null)
    expect(gain(0.97, 1, 0.9)).toBe(null)
    expect(gain(0.9, 1.3, 1)).toBe('no certain gain: 1.30 × (0.90 to 1.30) the speed, 1.00 × the file')
    expect(gain(0.9, 1.04, 0.98)).toBe('no gain: 1.04 × (0.90 to 1.04) the speed, 0.98 × the file')
    expect(gain(0.4, 0.5, 0.3)).toBe('slower: 0.50 × (0.40 to 0.50) the speed')
    expect(gain(1.1, 1.3, 1.1)).toBe('a larger file: 1.10 ×')
  })

  it('gives the ratio of what it prints, with an interval that follows from the rounds', () => {
    const timing = (rounds: readonly number[]) => ({
      seconds: [...rounds].sort((a, b) => a - b)[(rounds.length - 1) / 2]!,
      rounds,
      joules: 0,
      how: 'estimated' as const,
    })
    // The machine becomes twice as slow half way: both models do.
    const phase = (i: number): number => (i < 20 ? 1 : 2)
    const before = timing(Array.from({ length: 41 }, (_, i) => phase(i) * (10 + (i % 3))))
    const after = timing(Array.from({ length: 41 }, (_, i) => (phase(i) * (10 + (i % 3))) / 1.5))
    const steady = speedup(before, after)
    expect(steady.median).toBe(before.seconds / after.seconds)
    expect([steady.low, steady.median, steady.high]).toEqual([1.5, 1.5, 1.5].map((each) => expect.closeTo(each, 6)))
    // The same model twice, with noise: 1 is within the interval.
    const noisy = (phase: number) => timing(Array.from({ length: 41 }, (_, i) => 10 + 5 * Math.sin(7 * i * i + phase)))
    const same = speedup(noisy(0), noisy(1))
    expect(same.low).toBeLessThan(1)
    expect(same.high).toBeGreaterThan(1)
    expect(whyNoGain(same, 1, 0.05)).toMatch(/gain: .* × \(.* to .*\) the speed/)
    expect(speedup(noisy(0), noisy(1))).toEqual(same)
  })

  it('times bursts, also if a busy machine interrupts the first runs', async () => {
    let runs = 0
    await timedInTurn(
      [
        () => {
          const end = performance.now() + (runs++ < 8 ? 5 : 0)
          while (performance.now() < end);
        },
      ],
      0,
    )
    expect(runs).toBeGreaterThan(1000)
  })

  it('refuses int8 where it does not pay, and the same split gives the same values', async () => {
    const { model, x, y } = await trained(8, [10, 8])
    const options = { x, y, maxLoss: 0, seconds: 0.1, seed: 4 } as const
    const { report } = await economize(model, options)
    const int8 = report.rows.filter(({ step }) => step === 'int8')
    expect(int8.every(({ kept, why }) => !kept && /slower|larger file|gain:|gets worse/.test(why!))).toBe(true)
    const { report: again } = await economize(model, options)
    expect(again.before.value).toBe(report.before.value)
  })

  it('removes dead units first, with the same value', async () => {
    const { model, x, y } = await trained(16, [128])
    const [hidden] = model.layers as [Dense]
    hidden.bias!.assign(ops.where(ops.less(ops.arange(128), 100), -1000, 0))
    const { report } = await economize(model, { x, y, maxLoss: 0, seconds: 0.1, seed: 1 })
    const [dead] = report.rows
    expect(dead).toMatchObject({ step: 'dead units', how: 'alone', kept: true })
    const few = await pruneUnits(model, { dead: true, x })
    expect((few.layers[0] as Dense).units).toBeLessThanOrEqual(28)
  })

  it('returns the given model if nothing pays, with the reasons', async () => {
    class Own extends Layer {
      call(given: Tensor): Tensor {
        return ops.softmax(given)
      }
    }
    const model = new Sequential([new Own({ inputShape: [3] })])
    model.compile({ loss: 'mse' })
    const [x, y] = [floats([40, 3], 0, 1, 1), floats([40, 3], 0, 1, 2)].map(({ data }) =>
      tensor([...data], [40, 3]),
    ) as [Tensor, Tensor]
    const { model: same, report } = await economize(model, { x, y, maxLoss: 0.1, seconds: 0.02 })
    expect(same).toBe(model)
    expect(report.rows.map(({ why, figures }) => [typeof why, figures])).toEqual(
      report.rows.map(() => ['string', null]),
    )
    expect(report.rows.find(({ step }) => step === 'int8')!.why).toContain('no layer that can be quantized')
  })

  it('refuses what it cannot read', async () => {
    const { model, x, y } = await trained(4, [4], 20)
    // @ts-expect-error: a limit is needed
    await expect(economize(model, { x, y })).rejects.toThrow('maxLoss')
    // @ts-expect-error: misspelt
    await expect(economize(model, { x, y, maxLoss: 0, seeds: 1 })).rejects.toThrow("Did you mean 'seed'?")
    await expect(economize(model, { x, y, maxLoss: 0, monitor: 'f1' })).rejects.toThrow("no log 'f1'")
    const raw = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    await expect(economize(raw, { x, y, maxLoss: 0 })).rejects.toThrow('compile')
  })

  it('needs rows for choosing, for judging and for the report', async () => {
    const { model, x, y } = await trained(8, [4])
    const few = { x: tensor([...x.data.subarray(0, 16)], [2, 8]), y: y.subarray(0, 2), maxLoss: 0 }
    await expect(economize(model, few)).rejects.toThrow(/2 rows leave 0 for choosing units, 1 for judging/)
    const all = economize(model, { x, y, maxLoss: 0, validationSplit: 0.5, testSplit: 0.5 })
    await expect(all).rejects.toThrow(/400 rows leave 0 for choosing units.* a smaller validationSplit/)
    await expect(all).rejects.toThrow(DataError)
  })
})
