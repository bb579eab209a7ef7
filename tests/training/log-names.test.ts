// Names of logs with underscores, in all code that reads logs by name.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  CSVLogger,
  Dense,
  EarlyStopping,
  ModelCheckpoint,
  ReduceLROnPlateau,
  Sequential,
  metrics,
  type CallbackMethods,
  type Logs,
} from '../../src'
import { gridSearch } from '../../src/entries/search'
import { StopWhenUneconomic, pruneUnits } from '../../src/entries/thrift'
import { NameTemplate, logOf, valName, withoutVal } from '../../src/training/callbacks/names'
import { samples } from '../helpers/training'

const { x, numbers } = samples(12)
const validationData = [x, numbers] as const

/** A model whose metric has this name. */
function modelWith(name: string): Sequential {
  const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
  const metric = new metrics.MeanAbsoluteError({ name })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: [metric] })
  return model
}

/** Puts a value into the logs of each epoch. */
function script(name: string, values: readonly number[]): CallbackMethods {
  return { onEpochEnd: (epoch: number, logs: Logs) => void (logs[name] = values[epoch]!) }
}

/** Names, and their other spellings. */
const SPELLINGS: readonly (readonly [name: string, val: string, others: readonly string[]])[] = [
  ['loss', 'valLoss', ['val_loss']],
  ['kl_loss', 'val_kl_loss', ['valKlLoss', 'val_klLoss']],
  ['klLoss', 'valKlLoss', ['val_kl_loss']],
  ['KL_loss', 'val_KL_loss', []],
  ['KL', 'valKL', ['val_KL']],
  ['accuracy_1', 'valAccuracy_1', ['val_accuracy_1']],
  ['meanIoU', 'valMeanIoU', ['val_mean_io_u']],
  ['my_outLoss', 'valMy_outLoss', ['val_my_out_loss']],
  ['f1_score_0', 'val_f1_score_0', ['valF1Score_0']],
]

describe('names of logs', () => {
  it.each([
    ['loss', 'Loss'],
    ['mae', 'Mae'],
  ])('%s and %s are refused at compile, as both have the same name in validation', (name, other) => {
    const given = [name, other]
      .filter((each) => each !== 'loss')
      .map((each) => new metrics.MeanAbsoluteError({ name: each }))
    const model = new Sequential([new Dense({ units: 1, inputShape: [4] })])
    for (const key of ['metrics', 'weightedMetrics'])
      expect(() => model.compile({ optimizer: 'sgd', loss: 'mse', [key]: given })).toThrow(
        `compile: the metrics '${name}' and '${other}' are both val${other} in the logs of validation. Give one of them another name.`,
      )
  })

  it.each(SPELLINGS)('%s is %s in validation', async (name, val, others) => {
    expect(valName(name)).toBe(val)
    expect(withoutVal(val, [name])).toBe(name)
    const { history } = await modelWith(name === 'loss' ? 'mae' : name).fit(x, numbers, { validationData, verbose: 0 })
    expect(Object.keys(history)).toContain(val)
    for (const spelled of [val, ...others]) {
      expect(logOf(history, spelled)).toBe(history[val])
      expect(new NameTemplate(`{${spelled}:.4f}`, 'here').with({ [val]: history[val]![0]! })).toBe(
        history[val]![0]!.toFixed(4),
      )
    }
  })

  it('prefers the exact name over another spelling', () => {
    expect(logOf({ klLoss: 1, kl_loss: 2 }, 'kl_loss')).toBe(2)
    expect(logOf({ kl_loss: 2, klLoss: 1 }, 'klLoss')).toBe(1)
    expect(logOf<unknown>({ loss: 1 }, 'constructor')).toBeUndefined()
  })

  it.each(['kl_loss', 'klLoss', 'val_kl_loss', 'valKlLoss'])('callbacks monitor %s', async (monitor) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const model = modelWith('kl_loss')
    const stopping = new EarlyStopping({ monitor, patience: 1 })
    const uneconomic = new StopWhenUneconomic({ monitor, perFlop: 1e-30 })
    const saved: string[] = []
    const checkpoint = new ModelCheckpoint({
      filepath: `{epoch}-{${monitor}:.1f}`,
      monitor,
      saveBestOnly: true,
      onSave: (_bytes, name) => void saved.push(name),
    })
    const plateau = new ReduceLROnPlateau({ monitor, factor: 0.5, patience: 1 })
    const values = [3, 2, 2.5, 2.25, 1]
    const { epoch, history } = await model.fit(x, numbers, {
      epochs: 5,
      validationData,
      verbose: 0,
      callbacks: [
        script(monitor.startsWith('val') ? 'val_kl_loss' : 'kl_loss', values),
        checkpoint,
        plateau,
        uneconomic,
        stopping,
      ],
    })
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
    expect(epoch).toEqual([0, 1, 2])
    expect(saved).toEqual(['1-3.0', '2-2.0'])
    expect(history['learningRate']!.map((rate) => rate / Math.fround(0.01))).toEqual([1, 1, 1])
    expect(model.optimizer.learningRate).toBeCloseTo(0.005, 8)
  })

  it.each([
    ['kl_accuracy', [1, 2, 3], 3],
    ['val_kl_accuracy', [1, 2, 3], 3],
    ['kl_error', [1, 2, 3], 2],
  ])("mode 'auto' of %s", async (monitor, values, epochs) => {
    const { epoch } = await modelWith('kl_loss').fit(x, numbers, {
      epochs: 3,
      verbose: 0,
      callbacks: [script(monitor, values), new EarlyStopping({ monitor })],
    })
    expect(epoch).toHaveLength(epochs)
  })

  it('CSVLogger has a column for each', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'names-'))
    try {
      const file = join(folder, 'log.csv')
      await modelWith('kl_loss').fit(x, numbers, {
        epochs: 2,
        validationData,
        validationFreq: 2,
        verbose: 0,
        callbacks: [new CSVLogger(file)],
      })
      const [head, first, second] = (await readFile(file, 'utf8')).split('\n')
      expect(head).toBe('epoch,kl_loss,loss,val_kl_loss,valLoss')
      expect(first!.split(',').slice(3)).toEqual(['NA', 'NA'])
      expect(second!.split(',').slice(3).map(Number).every(Number.isFinite)).toBe(true)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([
    ['val_kl_loss', 'val_kl_loss'],
    ['valKlLoss', 'val_kl_loss'],
    ['kl_loss', 'kl_loss'],
    ['val_mse_of_all', 'val_mse_of_all'],
  ])('a search compares by %s', async (monitor, key) => {
    const own = key.replace(/^val_/, '')
    const result = await gridSearch(
      () => modelWith(own),
      { units: [1, 2] },
      { x, y: numbers, validationSplit: 0.5, monitor, mode: 'min' },
    )
    for (const { score, logs } of result.trials) expect(score).toBe(logs[key]!.at(-1))
  })

  it('a search infers the direction of a name with underscores, and that it needs validation data', async () => {
    const make = () => modelWith('mse')
    await expect(gridSearch(make, { units: [1] }, { x, y: numbers, monitor: 'val_mse' })).rejects.toThrow(
      "'val_mse' needs data to validate on",
    )
    const { rises } = await gridSearch(
      make,
      { units: [1] },
      { x, y: numbers, validationSplit: 0.5, monitor: 'val_mse' },
    )
    expect(rises).toBe(false)
  })

  it('pruneUnits measures with one', async () => {
    const model = new Sequential([new Dense({ units: 3, inputShape: [4] }), new Dense({ units: 1 })])
    const metric = new metrics.MeanAbsoluteError({ name: 'l1_error' })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: [metric] })
    for (const monitor of ['l1_error', 'l1Error'])
      expect(await pruneUnits(model, { maxLoss: 100, monitor, x, y: numbers })).toBeDefined()
  })
})
