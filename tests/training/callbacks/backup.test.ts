// BackupAndRestore within one process: which state is restored, and which backups are refused. interrupted.test.ts
// tests that killed processes end with the same bits.
// modes: simd

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Adam,
  ArgumentError,
  BackupAndRestore,
  BatchNormalization,
  Callback,
  Dense,
  Dropout,
  EarlyStopping,
  FormatError,
  LSTM,
  Model,
  Reshape,
  SGD,
  Sequential,
  StateError,
  setRandomSeed,
  tensor,
  type BackupAndRestoreOptions,
  type ByteStore,
  type CallbackMethods,
  type CallbackState,
  type FitOptions,
  type History,
} from '../../../src'
import { ContinualBackprop, ReDo, ShrinkAndPerturb, SynapticScaling, UnitHealth } from '../../../src/entries/balance'
import { Budget, EmissionsTracker, MagnitudePruning, StopWhenUneconomic } from '../../../src/entries/thrift'
import { Dataset } from '../../../src/entries/data'
import { binaryModel, errorOf, samples, stateOf, weightsOf } from '../../helpers/training'

const { x, yes } = samples(40)
const made: string[] = []
let folder: string
let backupDir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  backupDir = join(folder, 'backup')
  made.push(folder)
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => Promise.all(made.map((each) => rm(each, { recursive: true }))))

class Interruption extends Error {}

/** Ends fit with an error after `steps` steps. */
function interruptAfter(steps: number): CallbackMethods {
  let done = 0
  return {
    onTrainBatchEnd: () => {
      if (++done === steps) throw new Interruption()
    },
  }
}

type Make = () => { readonly model: Sequential; readonly callbacks: readonly Callback[] }

const OPTIONS: FitOptions = { epochs: 6, batchSize: 8, verbose: 0, validationData: [x, yes] }

async function fitWith(
  { model, callbacks }: ReturnType<Make>,
  more: readonly CallbackMethods[],
  options: FitOptions = OPTIONS,
): Promise<History> {
  return model.fit(x, yes, { ...options, callbacks: [...callbacks, ...more] })
}

/**
 * A run, and one that is interrupted after `steps` steps and resumed by new objects. Returns their final states, and
 * the calls of both.
 */
async function bothEnds(make: Make, options: Omit<BackupAndRestoreOptions, 'backupDir'>, steps: number) {
  const whole = make()
  const wholeHistory = await fitWith(whole, [interruptAfter(Infinity)])
  const first = make()
  await expect(
    fitWith(first, [new BackupAndRestore({ backupDir, ...options }), interruptAfter(steps)]),
  ).rejects.toThrow(Interruption)
  // This process continues: measurements must not run forever.
  for (const callback of first.callbacks as readonly CallbackMethods[]) await callback.onTrainEnd?.(null)
  const second = make()
  const backup = new BackupAndRestore({ backupDir, ...options })
  const history = await fitWith(second, [backup, interruptAfter(Infinity)])
  return { whole, wholeHistory, second, history, backup }
}

const make: Make = () => ({ model: binaryModel({ optimizer: new Adam({ learningRate: 0.01 }) }), callbacks: [] })

describe('a resumed run', () => {
  // 5 steps per epoch.
  it.each<[Omit<BackupAndRestoreOptions, 'backupDir'>, number, number, number]>([
    [{}, 13, 2, 0],
    [{ saveFreq: 4 }, 14, 2, 2],
    [{ saveFreq: 5 }, 11, 2, 0],
    // The last step of an epoch, whose validation did not finish.
    [{ saveFreq: 3 }, 16, 3, 0],
    [{ saveFreq: 1 }, 3, 0, 2],
  ])('%o, interrupted at step %i: continues at epoch %i, batch %i', async (options, steps, epoch, batch) => {
    const { whole, wholeHistory, second, history, backup } = await bothEnds(make, options, steps)
    expect(backup.takenUp).toMatchObject({ epoch, batch, stopped: false })
    expect(stateOf(second.model)).toEqual(stateOf(whole.model))
    expect(history.history).toEqual(wholeHistory.history)
    expect(history.epoch).toEqual([0, 1, 2, 3, 4, 5])
    expect(await readdir(folder)).toEqual([])
  })

  it('keeps the order of rows without shuffling, and the state of layers', async () => {
    const stateful: Make = () => {
      setRandomSeed(1)
      const model = new Sequential([
        new Reshape({ targetShape: [2, 2], inputShape: [4] }),
        new LSTM({ units: 3, stateful: true }),
        new BatchNormalization(),
        new Dropout({ rate: 0.4 }),
        new Dense({ units: 1, activation: 'sigmoid' }),
      ])
      model.compile({
        optimizer: new SGD({ learningRate: 0.1, momentum: 0.9, gradientAccumulationSteps: 2, useEma: true }),
        loss: 'binaryCrossentropy',
      })
      return { model, callbacks: [] }
    }
    const options = { ...OPTIONS, shuffle: false }
    const whole = stateful()
    await fitWith(whole, [], options)
    await expect(
      fitWith(stateful(), [new BackupAndRestore({ backupDir, saveFreq: 3 }), interruptAfter(17)], options),
    ).rejects.toThrow(Interruption)
    const second = stateful()
    await fitWith(second, [new BackupAndRestore({ backupDir, saveFreq: 3 })], options)
    // Automatic names are numbered.
    expect(Object.values(stateOf(second.model))).toEqual(Object.values(stateOf(whole.model)))
  })

  const hidden = { layers: ['hidden'] }
  const others: [string, () => Callback[], (callback: never) => unknown][] = [
    [
      'ContinualBackprop',
      () => [new ContinualBackprop({ replacementRate: 0.1, maturity: 2, ...hidden })],
      ({ replaced, utilities }: ContinualBackprop) => [replaced, utilities],
    ],
    ['ReDo', () => [new ReDo({ threshold: 0.9, every: 4, ...hidden })], ({ replaced }: ReDo) => replaced],
    ['SynapticScaling', () => [new SynapticScaling({ every: 4, rate: 0.5 })], () => null],
    ['ShrinkAndPerturb', () => [new ShrinkAndPerturb({ every: 4 })], () => null],
    [
      'UnitHealth',
      () => [new UnitHealth({ every: 2 })],
      ({ records }: UnitHealth) => JSON.parse(JSON.stringify(records)),
    ],
    [
      'MagnitudePruning',
      () => [new MagnitudePruning({ finalSparsity: 0.5, every: 4 })],
      ({ sparsity }: MagnitudePruning) => sparsity,
    ],
    [
      'EarlyStopping',
      () => [new EarlyStopping({ monitor: 'valLoss', minDelta: 0.02, patience: 1, restoreBestWeights: true })],
      ({ stoppedEpoch, bestEpoch }: EarlyStopping) => [stoppedEpoch, bestEpoch],
    ],
    ['Budget', () => [new Budget({ flops: 45_000 })], ({ ended }: Budget) => ended],
    [
      'StopWhenUneconomic',
      () => [new StopWhenUneconomic({ perFlop: 1e-9, patience: 6 })],
      ({ epochs }: StopWhenUneconomic) => epochs.map(({ epoch, gain }) => [epoch, gain]),
    ],
    ['EmissionsTracker', () => [new EmissionsTracker()], ({ footprint }: EmissionsTracker) => footprint!.steps.value],
  ]
  it.each(others)('restores %s', async (_name, callbacks, told) => {
    const own: Make = () => ({ ...make(), callbacks: callbacks() })
    const { whole, wholeHistory, second, history } = await bothEnds(own, { saveFreq: 3 }, 14)
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model))
    expect(history.history).toEqual(wholeHistory.history)
    expect(told(second.callbacks[0] as never)).toEqual(told(whole.callbacks[0] as never))
  })

  it('restores a custom callback: numbers, texts, tensors, and values that JSON does not support', async () => {
    class Own extends Callback {
      kept: CallbackState = null
      calls: string[] = []
      override getState(): CallbackState {
        return { numbers: [NaN, -Infinity, -0, 0.1], text: 'ü', none: null, is: true, tensor: tensor([[1, 2]]) }
      }
      override setState(state: CallbackState): void {
        this.kept = state
        this.calls.push('setState')
      }
      override onTrainBegin(): void {
        this.calls.push('onTrainBegin')
      }
      override onEpochBegin(epoch: number): void {
        this.calls.push(`onEpochBegin ${epoch}`)
      }
    }
    const { second } = await bothEnds(() => ({ ...make(), callbacks: [new Own()] }), { saveFreq: 2 }, 23)
    const { kept, calls } = second.callbacks[0] as Own
    expect(kept).toMatchObject({
      numbers: [NaN, -Infinity, -0, 0.1],
      text: 'ü',
      none: null,
      is: true,
      tensor: { shape: [1, 2] },
    })
    // Epoch 4 had begun.
    expect(calls).toEqual(['onTrainBegin', 'setState', 'onEpochBegin 5'])
  })

  it('stays stopped if it was stopped', async () => {
    const model = binaryModel()
    const stopping: CallbackMethods = {
      onEpochEnd: (epoch) => void (model.stopTraining = epoch === 1),
      onTrainEnd: () => {
        throw new Interruption()
      },
    }
    await expect(fitWith({ model, callbacks: [] }, [stopping, new BackupAndRestore(backupDir)])).rejects.toThrow(
      Interruption,
    )
    const { epoch } = await fitWith({ model: binaryModel(), callbacks: [] }, [new BackupAndRestore(backupDir)])
    expect(epoch).toEqual([0, 1])
  })

  it('keeps the backup, and continues to more epochs', async () => {
    const options = { backupDir, deleteCheckpoint: false }
    await fitWith(make(), [new BackupAndRestore(options)], { ...OPTIONS, epochs: 2 })
    expect(await readdir(backupDir)).toEqual(['backup.safetensors'])
    const [whole, second] = [make(), make()]
    await fitWith(whole, [])
    const { epoch } = await fitWith(second, [new BackupAndRestore(options)])
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model))
    expect(epoch).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('keeps the optimizers of a custom step', async () => {
    class Own extends Model {
      layer = new Dense({ units: 1, inputShape: [4], activation: 'sigmoid' })
      second = new SGD({ learningRate: 0.1, momentum: 0.9 })
      override call(input: never) {
        return this.layer.apply(input)
      }
      override trainStep(batch: never): void {
        const result = this.forward(batch)
        const weights = this.trainableWeights
        this.second.apply(this.gradients(result.loss, weights), weights)
        this.updateMetrics(batch, result)
      }
    }
    const own: Make = () => {
      setRandomSeed(1)
      const model = new Own()
      model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy' })
      return { model: model as unknown as Sequential, callbacks: [] }
    }
    const { whole, second } = await bothEnds(own, { saveFreq: 3 }, 14)
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model))
  })

  it('is kept in a store', async () => {
    const bytes = new Map<string, Uint8Array>()
    const store: ByteStore = {
      read: (name) => bytes.get(name) ?? null,
      write: (name, content) => void bytes.set(name, content),
      remove: (name) => void bytes.delete(name),
    }
    const { whole, second } = await bothEnds(make, { store, doubleCheckpoint: true }, 13)
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model))
    expect([...bytes.keys()]).toEqual([])
    await expect(
      fitWith(make(), [
        new BackupAndRestore({ backupDir: 'digits', store, doubleCheckpoint: true }),
        interruptAfter(13),
      ]),
    ).rejects.toThrow(Interruption)
    expect([...bytes.keys()].sort()).toEqual(['digits/backup-1.safetensors', 'digits/backup.safetensors'])
  })

  const rows = () => Dataset.fromTensorSlices({ x, y: yes })
  it.each<[string, () => Parameters<Sequential['fit']>[0] | Dataset<unknown>, FitOptions]>([
    ['a dataset', () => rows().shuffle(40, { seed: 2 }).batch(8), {}],
    [
      'batches from promises',
      () =>
        rows()
          .shuffle(10, { seed: 2 })
          .map(async (row) => row)
          .prefetch(2)
          .batch(8),
      {},
    ],
    ['endless data', () => rows().shuffle(40, { seed: 2 }).repeat().batch(8), { stepsPerEpoch: 7 }],
    ['epochs that end within a pass', () => rows().shuffle(40, { seed: 2 }).batch(8), { stepsPerEpoch: 3 }],
    ['arrays, and epochs that end within a pass', () => x, { stepsPerEpoch: 3, batchSize: 8 }],
  ])('continues at the same position: %s', async (_title, data, options) => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    for (const saveFreq of [4, 'epoch'] as const) {
      for (const steps of [3, 6, 9, 15]) {
        const run = async ({ model, callbacks }: ReturnType<Make>, more: readonly CallbackMethods[]) => {
          const all = { epochs: 6, verbose: 0, ...options, callbacks: [...callbacks, ...more] } as const
          return Array.isArray(data()) ? model.fit(x, yes, all) : model.fit(data() as never, null, all)
        }
        const whole = make()
        await run(whole, [])
        await expect(
          run(make(), [new BackupAndRestore({ backupDir, saveFreq }), interruptAfter(steps)]),
        ).rejects.toThrow(Interruption)
        const second = make()
        await run(second, [new BackupAndRestore({ backupDir, saveFreq })])
        expect(weightsOf(second.model), `${saveFreq}, ${steps}`).toEqual(weightsOf(whole.model))
      }
    }
  })

  it('runs steps many at a time between two backups', async () => {
    const { model } = make()
    let runs = 0
    const counting: CallbackMethods = { stepsAhead: () => (runs++, Infinity) }
    await fitWith({ model, callbacks: [] }, [new BackupAndRestore({ backupDir, saveFreq: 64 }), counting], {
      ...OPTIONS,
      epochs: 200,
      batchSize: 1,
    })
    expect(runs).toBeLessThan((200 * 40) / 2)
  })
})

describe('a backup that cannot be used', () => {
  /** The last two backups of an interrupted run, after its first epoch and its second, the last damaged by `damage`. */
  async function damaged(options: object, damage: (bytes: Buffer) => Uint8Array): Promise<void> {
    await expect(
      fitWith(make(), [new BackupAndRestore({ backupDir, ...options }), interruptAfter(13)]),
    ).rejects.toThrow(Interruption)
    // The first backup was written before the first step.
    const path = join(backupDir, 'doubleCheckpoint' in options ? 'backup-1.safetensors' : 'backup.safetensors')
    await writeFile(path, damage(await readFile(path)))
  }
  const damages: [string, (bytes: Buffer) => Uint8Array, RegExp][] = [
    ['is truncated', (bytes) => bytes.subarray(0, bytes.length - 9), /truncated/],
    ['is empty', () => new Uint8Array(), /not a saved model: it has 0 bytes/],
    ['has a flipped bit', (bytes) => ((bytes[bytes.length - 3]! ^= 1), bytes), /damaged: its checksum differs/],
    ['is text', () => Buffer.from('hello, this is a text'), /not a saved model/],
  ]

  it.each(damages)('because it %s: reports it, with advice', async (_title, damage, words) => {
    await damaged({}, damage)
    const { model } = make()
    const before = weightsOf(model)
    const error = await errorOf(() =>
      fitWith({ model, callbacks: [] }, [new BackupAndRestore(backupDir), interruptAfter(99)]),
    )
    expect(error).toBeInstanceOf(FormatError)
    expect(error.message).toMatch(words)
    expect(error.message).toContain(`BackupAndRestore: ${backupDir}/backup.safetensors: `)
    expect(error.message).toContain('Remove it to start from the beginning.')
    expect(weightsOf(model)).toEqual(before)
  })

  it.each(damages)('because it %s: the previous one is used, with doubleCheckpoint', async (_title, damage) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const options = { doubleCheckpoint: true }
    await damaged(options, damage)
    const [whole, second] = [make(), make()]
    await fitWith(whole, [])
    const backup = new BackupAndRestore({ backupDir, ...options })
    await fitWith(second, [backup, interruptAfter(99)])
    expect(backup.takenUp!.epoch).toBe(1)
    expect(weightsOf(second.model)).toEqual(weightsOf(whole.model))
    expect(String(warn.mock.calls[0])).toContain('The run continues from the backup before it.')
  })

  it('because it is a model', async () => {
    await damaged({}, (bytes) => bytes)
    await make().model.save(join(backupDir, 'backup.safetensors'))
    expect(
      (await errorOf(() => fitWith(make(), [new BackupAndRestore(backupDir), interruptAfter(99)]))).message,
    ).toContain('This is not a saved run of fit')
  })

  it('because the model, the callbacks or the data differ: nothing is changed', async () => {
    await damaged({ saveFreq: 4 }, (bytes) => bytes)
    const refused = async (
      model: Sequential,
      callbacks: readonly CallbackMethods[],
      options: FitOptions = OPTIONS,
    ): Promise<string> => {
      const before = weightsOf(model)
      const error = await errorOf(() => fitWith({ model, callbacks: [] }, callbacks, options))
      expect(error).toBeInstanceOf(FormatError)
      expect(weightsOf(model)).toEqual(before)
      return error.message
    }
    const backup = () => new BackupAndRestore({ backupDir, saveFreq: 4 })
    const wide = new Sequential([new Dense({ units: 7, inputShape: [4] }), new Dense({ units: 1 })])
    wide.compile({ optimizer: new Adam(), loss: 'meanSquaredError', metrics: ['accuracy'] })
    expect(await refused(wide, [backup(), interruptAfter(99)])).toMatch(
      /The saved run is a different one\. '.*' has shape \[4, 5\], the model needs \[4, 7\]/,
    )
    expect(await refused(binaryModel({ optimizer: 'sgd' }), [backup(), interruptAfter(99)])).toContain(
      'which does not exist in this run',
    )
    expect(await refused(make().model, [backup(), new EarlyStopping(), interruptAfter(99)])).toContain(
      'The run was saved with callbacks ["History"], this run has ["EarlyStopping","History"]',
    )
    expect(await refused(make().model, [backup(), interruptAfter(99)], { ...OPTIONS, batchSize: 4 })).toContain(
      'The run was saved with batchSize 8, this run has 4',
    )
  })

  it('because getState returns values that a file cannot contain', async () => {
    const error = await errorOf(() =>
      fitWith(make(), [{ getState: () => new Map() as never }, new BackupAndRestore(backupDir)]),
    )
    expect(error).toBeInstanceOf(ArgumentError)
    expect(error.message).toContain('getState of a callback must return plain data and tensors, received Map')
  })

  it('refuses invalid options', () => {
    expect(() => new BackupAndRestore('')).toThrow('BackupAndRestore: backupDir must be a non-empty string')
    expect(() => new BackupAndRestore({ backupDir, saveFreq: 0 })).toThrow(
      "BackupAndRestore: saveFreq must be 'epoch' or a number of batches ≥ 1, received 0",
    )
    expect(() => new BackupAndRestore({ backupDir, store: {} as never })).toThrow(
      'BackupAndRestore: store must be an object with read, write, remove',
    )
    vi.stubGlobal('process', undefined)
    expect(() => new BackupAndRestore(backupDir)).toThrow(StateError)
    vi.unstubAllGlobals()
  })
})
