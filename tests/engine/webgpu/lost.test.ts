// The loss of a device at every moment of a run: a typed error, the weights that were copied last, and a new device for the next run.
// modes: simd

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import * as m from '../../../src'
import { setAccelerator, type ProgramReport } from '../../../src/engine/runtime/accelerator'
import { DeviceLostError } from '../../../src/engine/webgpu/errors'
import { Gpu } from '../../../src/engine/webgpu/device'
import { WebGpu } from '../../../src/engine/webgpu/webgpu'
import { errorOf } from '../../helpers/training'
import { makeDevice, testGpu } from './adapter'
import { expectAlike, expectOnGpu, numbers, stateOf, type Outcome } from './both'

const gpu = await testGpu()

const ROWS = 20
const x = numbers([ROWS, 4])
const y = numbers([ROWS, 4], 7)
const STEPS = 10
const options = {
  batchSize: 2,
  shuffle: false,
  verbose: 0,
  validationData: [numbers([6, 4], 3), numbers([6, 4], 4)] as [m.Tensor, m.Tensor],
} as const

/** A factor for each feature. Few kernels, because each device compiles them anew. */
class Scale extends m.Layer {
  override build(shape: m.BatchShape): void {
    this.addWeight({ name: 'factor', shape: [shape.at(-1)!], initializer: 'ones' })
  }
  override call(input: m.Tensor): m.Tensor {
    return m.ops.multiply(input, this.weights[0]!)
  }
  override computeOutputShape(shape: m.BatchShape): m.BatchShape {
    return shape
  }
}

function makeModel(): m.Sequential {
  const model = new m.Sequential([new m.InputLayer({ shape: [4] }), new Scale()])
  model.compile({ optimizer: new m.SGD({ learningRate: 0.05, momentum: 0.9 }), loss: 'meanSquaredError' })
  model.optimizer.build(model.trainableWeights)
  return model
}

/** An accelerator whose devices are lost, one after another. */
class Devices {
  /** The devices so far. */
  count = 1
  private constructor(
    readonly web: WebGpu,
    public current: GPUDevice,
  ) {}

  /** @param isReplaced whether there is another device after a loss */
  static async begin(isReplaced = true): Promise<Devices> {
    const first = await makeDevice()
    const renew = async (): Promise<Gpu> => {
      if (!isReplaced) throw new Error('no adapter')
      devices.count++
      devices.current = await makeDevice()
      return new Gpu(devices.current)
    }
    const devices = new Devices(new WebGpu(new Gpu(first), 'always', 'a device that is lost', renew), first)
    return devices
  }

  readonly lose = (): void => this.current.destroy()

  /** Loses the device after so many more submits. */
  loseAfter(submits: number): void {
    const { queue } = this.current
    const submit = queue.submit.bind(queue)
    let left = submits
    queue.submit = (buffers) => {
      submit(buffers)
      if (--left === 0) this.lose()
    }
  }

  /** The programs that `body` prepares. */
  async run(body: () => Promise<unknown>): Promise<{ readonly programs: readonly ProgramReport[] }> {
    const last = this.web.report.programs.at(-1)
    await this.use(body)
    const { programs } = this.web.report
    return { programs: programs.slice(last === undefined ? 0 : programs.lastIndexOf(last) + 1) }
  }

  async use<Result>(body: () => Promise<Result>): Promise<Result> {
    setAccelerator(this.web)
    try {
      return await body()
    } finally {
      setAccelerator(null)
    }
  }
}

let devices: Devices
/** What a run on the CPU leaves after 0, 1 and 2 epochs, and after one more. */
let references: Awaited<ReturnType<typeof reference>>[] = []

beforeAll(async () => {
  if (gpu === null) return
  devices = await Devices.begin()
  references = [await reference(0), await reference(1), await reference(2), await reference(3)]
})

async function reference(epochs: number): Promise<{ readonly now: Outcome; readonly next: Outcome }> {
  const model = makeModel()
  if (epochs > 0) await model.fit(x, y, { ...options, epochs })
  const now = stateOf(model)
  await model.fit(x, y, options)
  return { now, next: stateOf(model) }
}

/** The error of a run that loses the device. */
async function lossOf(run: () => Promise<unknown>): Promise<DeviceLostError> {
  const error = await devices.use(() => errorOf(run))
  expect(error).toBeInstanceOf(DeviceLostError)
  return error as DeviceLostError
}

/** Expects the weights after so many epochs, that the CPU uses them, and that the next run has a new device. */
async function expectUsable(model: m.Sequential, epochs: number): Promise<void> {
  const { now, next } = references[epochs]!
  expectAlike(stateOf(model), now)
  expect(model.predictOnBatch(x).shape).toEqual([ROWS, 4])
  const { count } = devices
  const { programs } = await devices.run(() => model.fit(x, y, options))
  expect(devices.count).toBe(count + 1)
  expectOnGpu(programs, 2)
  expectAlike(stateOf(model), next)
}

/** Calls `lose` at the given number only. */
const at =
  (moment: number, lose: () => void) =>
  (number: number): void => {
    if (number === moment) lose()
  }
/** Calls `lose` in the second epoch only. */
const second = (lose: () => void, event: 'onTrainBatchBegin' | 'onTrainBatchEnd', batch: number): m.CallbackMethods => {
  let epoch = 0
  return {
    onEpochBegin: (number) => void (epoch = number),
    [event]: (number: number) => void (epoch === 1 && number === batch && lose()),
  }
}

describe.skipIf(gpu === null)('a device is lost in fit', () => {
  /** With the epochs whose weights are left, and the steps after them that had begun; null if only epochs are listened to. */
  it.each<[string, (lose: () => void) => m.CallbackMethods, number, number | null]>([
    ['when training begins', (onTrainBegin) => ({ onTrainBegin }), 0, null],
    ['when the first epoch begins', (lose) => ({ onEpochBegin: at(0, lose) }), 0, null],
    ['before the first step', (lose) => ({ onTrainBatchBegin: at(0, lose) }), 0, 1],
    ['after the first step', (lose) => ({ onTrainBatchEnd: at(0, lose) }), 0, 2],
    ['before the fourth step', (lose) => ({ onTrainBatchBegin: at(3, lose) }), 0, 4],
    ['after the fourth step', (lose) => ({ onTrainBatchEnd: at(3, lose) }), 0, 5],
    ['before the last step of an epoch', (lose) => ({ onTrainBatchBegin: at(9, lose) }), 0, 10],
    ['after the last step of an epoch', (lose) => ({ onTrainBatchEnd: at(9, lose) }), 0, 10],
    ['when the validation begins', (onTestBegin) => ({ onTestBegin }), 1, null],
    ['before a step of the validation', (lose) => ({ onTestBatchBegin: at(1, lose) }), 1, 0],
    ['after a step of the validation', (lose) => ({ onTestBatchEnd: at(1, lose) }), 1, 0],
    ['when the validation ends', (onTestEnd) => ({ onTestEnd }), 1, null],
    ['when an epoch ends', (lose) => ({ onEpochEnd: at(0, lose) }), 1, null],
    ['when the second epoch begins', (lose) => ({ onEpochBegin: at(1, lose) }), 1, null],
    ['before a step of the second epoch', (lose) => second(lose, 'onTrainBatchBegin', 6), 1, 7],
    ['after a step of the second epoch', (lose) => second(lose, 'onTrainBatchEnd', 9), 1, 10],
  ])('%s', async (_title, listen, epochs, steps) => {
    const model = makeModel()
    const callbacks = listen(devices.lose)
    const { lostSteps } = await lossOf(() => model.fit(x, y, { ...options, epochs: 2, callbacks }))
    if (steps === null) expect(lostSteps).toBeLessThanOrEqual(STEPS)
    else expect(lostSteps).toBe(steps)
    await expectUsable(model, epochs)
  })

  it('not at all if the run is over', async () => {
    const model = makeModel()
    await devices.use(() => model.fit(x, y, { ...options, epochs: 2, callbacks: { onTrainEnd: devices.lose } }))
    await expectUsable(model, 2)
  })

  it.each([1, 2, 3, 5, 8, 11, 13, 15])('after the submit number %i, when nothing listens', async (submits) => {
    const model = makeModel()
    let ended = 0
    let begun = 0
    const callbacks = { onEpochBegin: () => void begun++, onEpochEnd: () => void ended++ }
    devices.loseAfter(submits)
    const { lostSteps } = await lossOf(() => model.fit(x, y, { ...options, epochs: 3, callbacks }))
    expect(lostSteps).toBeLessThanOrEqual(STEPS)
    // Only a validation loses no step of training: its weights are those after the epoch.
    await expectUsable(model, lostSteps === 0 ? begun : ended)
  })

  it('with what BackupAndRestore has saved, from which the next run continues', async () => {
    const backupDir = await mkdtemp(join(tmpdir(), 'myelin-'))
    const run = (model: m.Model, lose: () => void): Promise<unknown> => {
      const callbacks = [second(lose, 'onTrainBatchEnd', 7), new m.BackupAndRestore({ backupDir, saveFreq: 4 })]
      return model.fit(x, y, { ...options, epochs: 2, callbacks })
    }
    const [first, next] = [makeModel(), makeModel()]
    await lossOf(() => run(first, devices.lose))
    await devices.use(() => run(next, () => undefined))
    await rm(backupDir, { recursive: true, force: true })
    expectAlike(stateOf(next), references[2]!.now)
  })

  it('while two models train, which both continue on one new device', async () => {
    const [a, b] = [makeModel(), makeModel()]
    const callbacks = { onEpochEnd: at(0, devices.lose) }
    await Promise.all([
      lossOf(() => a.fit(x, y, { ...options, epochs: 2, callbacks })),
      lossOf(() => b.fit(x, y, { ...options, epochs: 1000 })),
    ])
    const { count } = devices
    await devices.use(() => Promise.all([a, b].map((model) => model.fit(x, y, options))))
    expect(devices.count).toBe(count + 1)
    expectAlike(stateOf(a), references[1]!.next)
  })

  it('while kernels are compiled', async () => {
    const own = await Devices.begin()
    const device = own.current
    const compile = device.createComputePipelineAsync.bind(device)
    device.createComputePipelineAsync = (descriptor) => {
      own.lose()
      return compile(descriptor)
    }
    const model = makeModel()
    const error = await own.use(() => errorOf(() => model.fit(x, y, { ...options, epochs: 2 })))
    expect(error).toBeInstanceOf(DeviceLostError)
    expect((error as DeviceLostError).lostSteps).toBe(0)
    expectAlike(stateOf(model), references[0]!.now)
  })
})

describe.skipIf(gpu === null)('a device is lost', () => {
  it.each(['evaluate', 'predict'] as const)('in %s, which loses no step', async (method) => {
    const model = makeModel()
    await model.fit(x, y, options)
    const callbacks = { onTestBatchEnd: at(2, devices.lose), onPredictBatchEnd: at(2, devices.lose) }
    const { message } = await lossOf(() =>
      method === 'evaluate'
        ? model.evaluate(x, y, { batchSize: 2, verbose: 0, callbacks })
        : model.predict(x, { batchSize: 2, callbacks }),
    )
    expect(message).toContain('No step of training is lost.')
    await expectUsable(model, 1)
  })

  it('and sync has the same error', async () => {
    const model = makeModel()
    const found: Error[] = []
    const onTrainBatchEnd = async (batch: number): Promise<void> => {
      if (batch !== 4) return
      devices.lose()
      found.push(await errorOf(() => devices.web.sync()))
    }
    await lossOf(() => model.fit(x, y, { ...options, callbacks: { onTrainBatchEnd } }))
    expect(found[0]).toBeInstanceOf(DeviceLostError)
    expect((found[0] as DeviceLostError).lostSteps).toBe(5)
    await expectUsable(model, 0)
  })

  it('and there is no other: the next run is on the CPU, and the note names the reason', async () => {
    const own = await Devices.begin(false)
    const model = makeModel()
    const callbacks = { onEpochEnd: at(0, own.lose) }
    const error = await own.use(() => errorOf(() => model.fit(x, y, { ...options, epochs: 2, callbacks })))
    expect(error).toBeInstanceOf(DeviceLostError)
    const { programs } = await own.run(() => model.fit(x, y, options))
    expect(programs.map(({ device, why }) => `${device}: ${why}`)).toEqual(
      Array(2).fill('wasm: the device was lost, and there is no other'),
    )
    expect(own.web.report.note).toContain('the device was lost')
    expectAlike(stateOf(model), references[1]!.next)
  })
})
