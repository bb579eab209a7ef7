// Runs of fit that are killed at any moment, and resumed by the next process: they end like a run without interruption.
// modes: simd

import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'tsdown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generator } from '../../helpers/data'

let folder: string
let script: string

/** A process that runs one of these to its end, and reports when training begins. */
const SCRIPT = `
import { writeFileSync } from 'node:fs'
import * as m from ${JSON.stringify(resolve('src/index.ts'))}
import { ContinualBackprop } from ${JSON.stringify(resolve('src/balance.ts'))}
const [kind, folder, every] = process.argv.slice(2)
m.setRandomSeed(5)
const x = Array.from({ length: 48 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(1 + 3 * i + 7 * j * (i % 5))))
const y = x.map((row) => [Number(row[0] + row[2] > row[4])])
const dense = (units, activation, more = {}) => new m.Dense({ units, activation, ...more })
const inputShape = [6]
const plans = {
  plain: () => ({
    layers: [dense(8, 'relu', { inputShape }), new m.BatchNormalization({}), new m.Dropout({ rate: 0.3 }), dense(1, 'sigmoid')],
    optimizer: 'adam',
    callbacks: [
      new m.ReduceLROnPlateau({ monitor: 'loss', patience: 2, factor: 0.5, cooldown: 1 }),
      new m.EarlyStopping({ patience: 9, restoreBestWeights: true }),
      new m.CSVLogger(folder + '/log.csv'),
    ],
  }),
  gathering: () => ({
    layers: [dense(8, 'tanh', { inputShape, kernelRegularizer: 'l2' }), new m.GaussianNoise({ stddev: 0.1 }), dense(1, 'sigmoid')],
    optimizer: new m.SGD({ learningRate: 0.1, momentum: 0.9, useEma: true, gradientAccumulationSteps: 3 }),
    callbacks: [
      new m.LearningRateScheduler((epoch, rate) => rate * 0.97),
      new m.SwapEMAWeights({ swapOnEpoch: true }),
      new m.ModelCheckpoint({ filepath: folder + '/best.safetensors', saveBestOnly: true, initialValueThreshold: 9 }),
    ],
  }),
  renewed: () => ({
    layers: [new m.Reshape({ targetShape: [3, 2], inputShape }), new m.LSTM({ units: 5, stateful: true }), dense(6, 'relu'), dense(1, 'sigmoid')],
    optimizer: new m.RMSprop({ learningRate: 0.01 }),
    callbacks: [new ContinualBackprop({ replacementRate: 0.02, maturity: 5, layers: ['second'] }), new m.TensorBoard({ logDir: folder + '/logs', updateFreq: 5 })],
  }),
}
const { layers, optimizer, callbacks } = plans[kind]()
if (kind === 'renewed') layers[2] = dense(6, 'relu', { name: 'second' })
const model = new m.Sequential(layers)
model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] })
const saveFreq = every === 'epoch' ? every : Number(every)
const backup = new m.BackupAndRestore({ backupDir: folder + '/backup', saveFreq, doubleCheckpoint: kind === 'gathering' })
const { history, epoch } = await model.fit(x, y, {
  epochs: 30, batchSize: 8, verbose: 0, validationData: [x.slice(0, 16), y.slice(0, 16)],
  callbacks: [{ onTrainBegin: () => console.log('training') }, ...callbacks, backup],
})
const weights = model.getWeights().map(({ data }) => Array.from(data))
const slots = model.optimizer.variables.map(({ value }) => Array.from(value.data))
writeFileSync(folder + '/end.json', JSON.stringify({ weights, slots, history, epoch }))
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const entry = join(folder, 'run.js')
  await writeFile(entry, SCRIPT)
  // One small file: most of the time is the start of processes.
  const outDir = join(folder, 'built')
  await build({
    entry,
    outDir,
    format: 'esm',
    platform: 'node',
    minify: true,
    dts: false,
    config: false,
    logLevel: 'silent',
  })
  script = join(
    outDir,
    (await readdir(outDir)).find((name) => name.startsWith('run.'))!,
  )
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

interface Run {
  /** false if the process was killed. */
  readonly ended: boolean
  /** From the beginning of training. */
  readonly milliseconds: number
}

/** Runs it in a process, which is killed `delay` milliseconds after training began. */
async function run(kind: string, place: string, every: string, delay: number): Promise<Run> {
  const child = spawn(process.execPath, [script, kind, place, every], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let began = 0
  child.stdout.once('data', () => {
    began = performance.now()
    if (delay < Infinity) setTimeout(() => child.kill('SIGKILL'), delay)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      const milliseconds = performance.now() - began
      if (signal === 'SIGKILL') resolve({ ended: false, milliseconds })
      else if (code === 0) resolve({ ended: true, milliseconds })
      else reject(new Error(`exit code ${code}`))
    })
  })
}

async function endOf(place: string): Promise<unknown> {
  return JSON.parse(await readFile(join(place, 'end.json'), 'utf8'))
}

/** The files that a run leaves, except unfinished writes of killed processes. */
async function filesIn(place: string): Promise<string[]> {
  return (await readdir(place)).filter((name) => !name.endsWith('.tmp'))
}

/** A run is killed at the latest after this share of an uninterrupted one, whatever the speed of the machine. */
const SHARE = 0.5

describe('a run that is killed again and again', () => {
  it.each([
    ['plain', '4', 24],
    ['gathering', 'epoch', 10],
    ['renewed', '7', 4],
  ])(
    '%s, saved every %s: ends with the same bits',
    async (kind, every, least) => {
      const random = generator(11)
      const whole = join(folder, `${kind}-whole`)
      await mkdir(whole)
      const { milliseconds } = await run(kind, whole, every, Infinity)
      const interrupted = async (place: string): Promise<number> => {
        await mkdir(place)
        let kills = 0
        while (!(await run(kind, place, every, SHARE * milliseconds * random())).ended) kills++
        expect(await endOf(place), `after ${kills} kills`).toEqual(await endOf(whole))
        expect(await filesIn(place)).toEqual(await filesIn(whole))
        for (const name of ['log.csv', 'best.safetensors']) {
          const read = (at: string) => readFile(join(at, name)).catch(() => null)
          expect(await read(place), name).toEqual(await read(whole))
        }
        return kills
      }
      // Two at a time: most of the time is the start of processes.
      for (let round = 0, kills = 0; kills < least; round++) {
        const each = await Promise.all(['a', 'b'].map((name) => interrupted(join(folder, `${kind}-${round}${name}`))))
        kills += each[0]! + each[1]!
      }
    },
    600_000,
  )
})
