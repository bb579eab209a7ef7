// Callbacks that write: checkpoints, logs as CSV and for TensorBoard, and requests to a server.
// modes: simd

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  ArgumentError,
  BackupAndRestore,
  CSVLogger,
  ModelCheckpoint,
  MyelinError,
  RemoteMonitor,
  StateError,
  TensorBoard,
  loadModel,
  type CallbackMethods,
  type CSVLoggerOptions,
  type ModelCheckpointOptions,
} from '../../../src'
import '../../../src/entries/node'
import { weightEndings } from '../../../src/files/containers/format-list'
import { listensTo } from '../../../src/training/callbacks/callback'
import { NameTemplate } from '../../../src/training/callbacks/names'
import { eventsIn, graphsIn } from '../../helpers/events'
import { binaryModel, errorOf, samples, weightsOf } from '../../helpers/training'

const { x, yes } = samples(20)
const made: string[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  made.push(folder)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})
afterAll(() => Promise.all(made.map((each) => rm(each, { recursive: true }))))

/** Sets the logs to the values of the test. */
function script(values: readonly Record<string, number>[]): CallbackMethods {
  return { onEpochEnd: (epoch, logs) => void Object.assign(logs, values[epoch]) }
}

describe('names with numbers', () => {
  it.each<[string, Record<string, number>, string]>([
    ['{epoch:02d}-{val_loss:.2f}', { epoch: 3, valLoss: 0.256 }, '03-0.26'],
    ['{epoch}-{valLoss}', { epoch: 3, valLoss: 0.5 }, '3-0.5'],
    ['a{{b}}{x:8.3f}|{x:08.3f}', { x: -1.5 }, 'a{b}  -1.500|-001.500'],
    ['{x:.1e} {x:e} {x:.0%} {x:.3g} {x:f}', { x: 0.012345 }, '1.2e-02 1.234500e-02 1% 0.0123 0.012345'],
  ])('%s', (template, values, expected) => {
    expect(new NameTemplate(template, 'here').with(values)).toBe(expected)
  })

  it.each([
    ['{epoch', "here: a '{' in '{epoch' has no other half. A brace itself is written twice."],
    ['epoch}', "here: a '}' in 'epoch}' has no other half"],
    ['{epoch:2x}', "here: '{epoch:2x}': ':2x' is not a format of numbers"],
    ['{}', "here: '{}' must begin with the name of a log"],
  ])('%s is not a valid name', (template, message) => {
    expect(() => new NameTemplate(template, 'here')).toThrow(message)
  })

  it('list the available logs if one is missing, and explain d', () => {
    expect(() => new NameTemplate('{valLoss}', 'here').with({ epoch: 1, loss: 2 })).toThrow(
      "here: there is no 'valLoss' for '{valLoss}'. There are: epoch, loss",
    )
    expect(() => new NameTemplate('{loss:d}', 'here').with({ loss: 0.5 })).toThrow(
      "here: '{loss:d}': 'd' is for integers, received 0.5",
    )
  })
})

describe('ModelCheckpoint', () => {
  /** The names that are saved in a run with these logs. */
  async function saved(
    options: Omit<ModelCheckpointOptions, 'filepath'> & { filepath?: string },
    values: readonly number[],
    log = 'valLoss',
  ): Promise<string[]> {
    const names: string[] = []
    const checkpoint = new ModelCheckpoint({
      filepath: '{epoch}',
      onSave: (_bytes, name) => void names.push(name),
      ...options,
    })
    await binaryModel().fit(x, yes, {
      epochs: values.length,
      batchSize: 8,
      verbose: 0,
      callbacks: [script(values.map((value) => ({ [log]: value }))), checkpoint],
    })
    return names
  }

  it('saves the whole model after every epoch, also in missing folders', async () => {
    const model = binaryModel()
    const weights: number[][][] = []
    await model.fit(x, yes, {
      epochs: 2,
      verbose: 0,
      callbacks: [
        { onEpochEnd: () => void weights.push(weightsOf(model)) },
        new ModelCheckpoint(join(folder, 'all/{epoch:02d}.safetensors')),
      ],
    })
    expect(await readdir(join(folder, 'all'))).toEqual(['01.safetensors', '02.safetensors'])
    const loaded = await loadModel(join(folder, 'all/01.safetensors'))
    expect(weightsOf(loaded)).toEqual(weights[0])
    expect(loaded.optimizer.iterations.value.item()).toBe(1)
  })

  it('saves only weights', async () => {
    const [model, other] = [binaryModel(), binaryModel({ seed: 2 })]
    await model.fit(x, yes, {
      verbose: 0,
      callbacks: [new ModelCheckpoint({ filepath: join(folder, 'weights'), save_weights_only: true } as never)],
    })
    await other.loadWeights(join(folder, 'weights'))
    expect(weightsOf(other)).toEqual(weightsOf(model))
    expect((await errorOf(() => loadModel(join(folder, 'weights')))).message).toContain('has weights, but no model')
  })

  it.each([...Object.values(weightEndings).map((ending) => `new/w${ending}`), 'new/1-0.25'])(
    'writes weights to %s in the format of the ending',
    async (name) => {
      const [model, other] = [binaryModel(), binaryModel({ seed: 2 })]
      const path = join(folder, name)
      const callbacks = [new ModelCheckpoint({ filepath: path, saveWeightsOnly: true })]
      await model.fit(x, yes, { verbose: 0, callbacks })
      const bytes = new Uint8Array(await readFile(path))
      expect(bytes).toEqual(await (name.endsWith('25') ? model.saveWeights() : model.saveWeights(path)))
      await other.loadWeights(path)
      expect(weightsOf(other)).toEqual(weightsOf(model))
    },
  )

  it.each(['new/m.keras', 'new/m.h5', 'new/m.safetensors', 'new/m'])(
    'writes models to %s in the format of the ending',
    async (name) => {
      const model = binaryModel()
      const path = join(folder, name)
      await model.fit(x, yes, { verbose: 0, callbacks: [new ModelCheckpoint(path)] })
      expect(new Uint8Array(await readFile(path))).toEqual(await model.save(path))
      const loaded = await loadModel(path)
      expect(weightsOf(loaded)).toEqual(weightsOf(model))
      expect(loaded.optimizer.iterations.value.item()).toBe(1)
    },
  )

  it('refuses at once the endings that do not fit', () => {
    for (const filepath of ['{epoch}.keras', 'a.ONNX', 'a.hdf5', 'a/', 'a/model.json'])
      expect(() => new ModelCheckpoint({ filepath, saveWeightsOnly: true })).toThrow(
        `ends in one of ${Object.values(weightEndings).join(', ')}`,
      )
    for (const filepath of ['{epoch}.keras', 'a.weights.h5', 'a.npz'])
      expect(() => new ModelCheckpoint({ filepath, onSave: () => {} })).toThrow('is a file of another format')
  })

  it.each<[ModelCheckpointOptions | object, number[], string[], string?]>([
    [{}, [3, 2, 4], ['1', '2', '3']],
    [{ saveBestOnly: true }, [3, 2, 4, 1.5], ['1', '2', '4']],
    [{ saveBestOnly: true, mode: 'max' }, [3, 2, 4], ['1', '3']],
    [{ saveBestOnly: true, monitor: 'val_auc' }, [0.3, 0.2, 0.4], ['1', '3'], 'valAuc'],
    [{ saveBestOnly: true, initialValueThreshold: 2.5 }, [3, 2, 4], ['2']],
    [{ saveBestOnly: true }, [NaN, 2, 3], ['2']],
    // 3 batches per epoch; every second one.
    [{ saveFreq: 2, filepath: '{epoch}-{batch}' }, [0, 0], ['1-2', '2-1', '2-3']],
  ])('%o of %o saves %o', async (options, values, expected, log) => {
    expect(await saved(options, values, log)).toEqual(expected)
  })

  it('remembers its best in the next fit', async () => {
    const names: string[] = []
    const checkpoint = new ModelCheckpoint({
      filepath: '{valLoss}',
      saveBestOnly: true,
      onSave: (_bytes, name) => void names.push(name),
    })
    for (const value of [2, 3, 1])
      await binaryModel().fit(x, yes, { verbose: 0, callbacks: [script([{ valLoss: value }]), checkpoint] })
    expect(names).toEqual(['2', '1'])
    expect(checkpoint.best).toBe(1)
  })

  it('saves even if the monitored log is missing, and reports it once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(await saved({ saveBestOnly: true }, [1, 1], 'other')).toEqual(['1', '2'])
    expect(warn.mock.calls).toEqual([
      ["ModelCheckpoint: there is no 'valLoss' to monitor. There are: loss, accuracy, other"],
    ])
  })

  it('reports with verbose', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await saved({ saveBestOnly: true, verbose: 1 }, [2, 3])
    expect(log.mock.calls.flat()).toEqual([
      'Epoch 1: ModelCheckpoint: valLoss is 2, better than none',
      'Epoch 1: ModelCheckpoint: saves 1',
      'Epoch 2: ModelCheckpoint: valLoss is 3, not better than 2',
    ])
  })

  it('keeps bytes in a store', async () => {
    const store = new Map<string, Uint8Array>()
    const model = binaryModel()
    await model.fit(x, yes, {
      verbose: 0,
      callbacks: [
        new ModelCheckpoint({
          filepath: 'm{epoch}',
          store: {
            read: (name) => store.get(name) ?? null,
            write: (name, bytes) => void store.set(name, bytes),
            remove: (name) => void store.delete(name),
          },
        }),
      ],
    })
    expect(weightsOf(await loadModel(store.get('m1')!))).toEqual(weightsOf(model))
  })

  it('lets steps run many at a time if batches do not matter', () => {
    expect(listensTo(new ModelCheckpoint('m'), 'onTrainBatchBegin', 'onTrainBatchEnd')).toBe(false)
  })

  it.each<[unknown, string]>([
    [{}, 'ModelCheckpoint: needs filepath'],
    [{ filepath: '{epoch' }, "ModelCheckpoint: filepath: a '{'"],
    [
      { filepath: 'm', saveFreq: 0 },
      "ModelCheckpoint: saveFreq must be 'epoch' or a number of batches ≥ 1, received 0",
    ],
    [
      { filepath: 'm', saveFreq: 'batch' },
      "ModelCheckpoint: saveFreq must be 'epoch' or a number of batches ≥ 1, received 'batch'",
    ],
    [{ filepath: 'm', mode: 'up' }, "ModelCheckpoint: mode must be 'auto' or 'min' or 'max', received 'up'"],
    [
      { filepath: 'm', store: new Map() },
      'ModelCheckpoint: store must be an object with read, write, remove, such as new BrowserStore()',
    ],
    [{ filepath: 'm', onSave: 3 }, 'ModelCheckpoint: onSave must be a function'],
    [
      { filepath: 'm', onSave: () => {}, store: { read() {}, write() {}, remove() {} } },
      'ModelCheckpoint: onSave and store exclude each other',
    ],
  ])('refuses %o', (options, message) => {
    expect(() => new ModelCheckpoint(options as ModelCheckpointOptions)).toThrow(message)
    expect(() => new ModelCheckpoint(options as ModelCheckpointOptions)).toThrow(ArgumentError)
  })

  it('reports in a page that there are no files', () => {
    vi.stubGlobal('process', undefined)
    expect(() => new ModelCheckpoint('m')).toThrow(StateError)
    expect(() => new ModelCheckpoint({ filepath: 'm', onSave: () => {} })).not.toThrow()
  })
})

describe('CSVLogger', () => {
  async function written(
    options: Omit<CSVLoggerOptions, 'filename'>,
    values: readonly Record<string, number>[],
    times = 1,
  ): Promise<string> {
    const filename = join(folder, 'logs/log.csv')
    for (let time = 0; time < times; time++) {
      const keep: CallbackMethods = {
        onEpochEnd: (_epoch, logs) => Object.keys(logs).forEach((name) => Reflect.deleteProperty(logs, name)),
      }
      await binaryModel().fit(x, yes, {
        epochs: values.length,
        verbose: 0,
        callbacks: [keep, script(values), new CSVLogger({ filename, ...options })],
      })
    }
    return readFile(filename, 'utf8')
  }

  it('writes a header and a line for each epoch, columns in alphabetical order', async () => {
    expect(
      await written({}, [
        { loss: 0.5, accuracy: 1, valLoss: 2 },
        { loss: 0.25, accuracy: 0, valLoss: 1e-7 },
      ]),
    ).toBe('epoch,accuracy,loss,valLoss\n0,1,0.5,2\n1,0,0.25,1e-7\n')
  })

  it('has columns for validation even if the first epoch has none, and NA for missing values', async () => {
    expect(await written({ separator: ';' }, [{ loss: 1 }, { loss: 2, valLoss: 3 }])).toBe(
      'epoch;loss;valLoss\n0;1;NA\n1;2;3\n',
    )
  })

  it('is overwritten, or appended to without a second header', async () => {
    expect(await written({}, [{ loss: 1 }], 2)).toBe('epoch,loss,valLoss\n0,1,NA\n')
    expect(await written({ append: true }, [{ loss: 2 }], 2)).toBe('epoch,loss,valLoss\n0,1,NA\n0,2,NA\n0,2,NA\n')
  })

  it('quotes values that would break a line', async () => {
    expect(await written({}, [{ 'a,b': 1, 'say "x"': 2, plain: 3, 'two\nlines': 4, valLoss: 5 }])).toBe(
      'epoch,"a,b",plain,"say ""x""","two\nlines",valLoss\n0,1,3,2,4,5\n',
    )
    expect(await written({ separator: '.' }, [{ 'a,b': 0.5, valLoss: 2 }])).toBe('epoch.a,b.valLoss\n0."0.5".2\n')
  })

  it('refuses invalid options', () => {
    expect(() => new CSVLogger('')).toThrow('CSVLogger: filename must be a non-empty string')
    expect(() => new CSVLogger({ filename: 'a', append: 1 as never })).toThrow(ArgumentError)
  })
})

describe('a failed write', () => {
  it('does not count as the best: the next model need not be better than one that was lost', async () => {
    let isFull = true
    const saved: string[] = []
    const checkpoint = new ModelCheckpoint({
      filepath: '{epoch}',
      monitor: 'loss',
      saveBestOnly: true,
      onSave: (_bytes, name) => {
        if (isFull) throw new Error('the disk is full')
        saved.push(name)
      },
    })
    const model = binaryModel()
    const options = { verbose: 0, callbacks: [script([{ loss: 1 }]), checkpoint] } as const
    await expect(model.fit(x, yes, options)).rejects.toThrow('the disk is full')
    expect(checkpoint.best).toBeNull()
    isFull = false
    await model.fit(x, yes, { ...options, callbacks: [script([{ loss: 2 }]), checkpoint] })
    expect(saved).toEqual(['1'])
    expect(checkpoint.best).toBe(2)
  })

  it.each<[string, (path: string) => CallbackMethods]>([
    ['ModelCheckpoint', (path) => new ModelCheckpoint(path)],
    ['CSVLogger', (path) => new CSVLogger(path)],
    ['TensorBoard', (path) => new TensorBoard(path)],
    ['BackupAndRestore', (path) => new BackupAndRestore({ backupDir: path, deleteCheckpoint: false })],
  ])('reports %s and the path, and has the cause', async (name, make) => {
    // A file at the path of a folder.
    await writeFile(join(folder, 'file'), '')
    const error = await errorOf(() =>
      binaryModel().fit(x, yes, { verbose: 0, callbacks: make(join(folder, 'file/below')) }),
    )
    expect(error).toBeInstanceOf(MyelinError)
    expect(error.message).toContain(`${name}: '${join(folder, 'file/below')}`)
    expect(error.message).toContain('cannot be written: ')
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST|ENOENT/) })
  })
})

describe('TensorBoard', () => {
  it("writes the logs of epochs under Keras's tags, and weights", async () => {
    const model = binaryModel()
    const { history } = await model.fit(x, yes, {
      epochs: 3,
      verbose: 0,
      validationData: [x, yes],
      callbacks: [new TensorBoard({ logDir: folder, histogramFreq: 2 })],
    })
    const [train, validation] = [await eventsIn(join(folder, 'train')), await eventsIn(join(folder, 'validation'))]
    const steps = (values: readonly number[], first = 0) => values.map((value, i) => [i + first, Math.fround(value)])
    expect(train['epoch_loss']).toEqual(steps(history['loss']!))
    expect(train['epoch_learning_rate']).toEqual(steps([0.001, 0.001, 0.001]))
    expect(validation['epoch_accuracy']).toEqual(steps(history['valAccuracy']!))
    expect(validation['evaluation_loss_vs_iterations']).toEqual(steps(history['valLoss']!, 1))
    expect(train['hidden/kernel/histogram']).toEqual([
      [0, null],
      [2, null],
    ])
    expect(Object.keys(train).filter((tag) => tag.startsWith('batch'))).toEqual([])
    expect(Object.keys(train).filter((tag) => tag.includes('val'))).toEqual([])
  })

  it.each([
    ['batch', [1, 2, 3, 4, 5, 6]],
    [2, [2, 4, 6]],
    ['epoch', undefined],
  ] as const)('writes logs of batches every %s', async (updateFreq, steps) => {
    await binaryModel().fit(x, yes, {
      epochs: 2,
      batchSize: 8,
      verbose: 0,
      callbacks: [new TensorBoard({ logDir: folder, updateFreq, writeStepsPerSecond: true })],
    })
    const train = await eventsIn(join(folder, 'train'))
    expect(train['batch_loss']?.map(([step]) => step)).toEqual(steps)
    expect(train['epoch_steps_per_second']!.every(([, speed]) => speed! > 0)).toBe(true)
  })

  it.each([
    [true, 1],
    [undefined, 1],
    [false, 0],
  ])('writes the graph once, with writeGraph: %s', async (writeGraph, count) => {
    const callbacks = [new TensorBoard({ logDir: folder, writeGraph })]
    await binaryModel().fit(x, yes, { epochs: 2, verbose: 0, validationData: [x, yes], callbacks })
    expect(await graphsIn(join(folder, 'train'))).toBe(count)
    expect(await graphsIn(join(folder, 'validation'))).toBe(0)
    expect((await eventsIn(join(folder, 'train')))['epoch_loss']).toHaveLength(2)
  })

  it('has a separate file for every fit', async () => {
    const callback = new TensorBoard(folder)
    for (let i = 0; i < 2; i++) await binaryModel().fit(x, yes, { verbose: 0, callbacks: [callback] })
    expect(await readdir(join(folder, 'train'))).toHaveLength(2)
  })

  it('refuses invalid options', () => {
    expect(() => new TensorBoard({ updateFreq: 0 })).toThrow(
      "TensorBoard: updateFreq must be 'epoch', 'batch' or a number of batches ≥ 1, received 0",
    )
    expect(() => new TensorBoard({ histogramFreq: -1 })).toThrow(ArgumentError)
  })
})

describe('RemoteMonitor', () => {
  async function received(options: object): Promise<[string | undefined, string | undefined, string][]> {
    const requests: [string | undefined, string | undefined, string][] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (piece: Buffer) => (body += piece.toString()))
      request.on('end', () => {
        requests.push([request.url, request.headers['content-type'], body])
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await binaryModel().fit(x, yes, {
      verbose: 0,
      callbacks: [script([{ loss: 1, accuracy: 0.5 }]), new RemoteMonitor({ root, ...options })],
    })
    await new Promise((resolve) => server.close(resolve))
    return requests
  }

  it('sends a form, or JSON', async () => {
    const json = '{"epoch":0,"loss":1,"accuracy":0.5}'
    expect(await received({})).toEqual([
      [
        '/publish/epoch/end/',
        'application/x-www-form-urlencoded;charset=UTF-8',
        new URLSearchParams({ data: json }).toString(),
      ],
    ])
    expect(await received({ path: '/here', sendAsJson: true })).toEqual([['/here', 'application/json', json]])
  })

  it('continues if nobody answers', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const { epoch } = await binaryModel().fit(x, yes, {
      verbose: 0,
      callbacks: [new RemoteMonitor({ root: 'http://127.0.0.1:1' })],
    })
    expect(epoch).toEqual([0])
    expect(String(warn.mock.calls[0])).toContain('RemoteMonitor: http://127.0.0.1:1 could not be reached')
    expect(() => new RemoteMonitor({ headers: { a: 1 } as never })).toThrow(
      'RemoteMonitor: headers must be a record of texts',
    )
  })
})
