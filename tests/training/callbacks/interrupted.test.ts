// Runs of fit that are killed at any moment, or whose disk is full, and resumed by the next process: they end like a run without
// interruption. KILLS=200 kills each of three runs that often.
// modes: simd

import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { bundle } from '../../helpers/built'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generator } from '../../helpers/data'

let folder: string
let script: string

/** A process that runs one of these to its end, and reports when training begins. */
const SCRIPT = `
import { writeFileSync } from 'node:fs'
import * as m from ${JSON.stringify(resolve('src/index.ts'))}
import { ContinualBackprop } from ${JSON.stringify(resolve('src/entries/balance.ts'))}
const [kind, folder, every, backups] = process.argv.slice(2)
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
const options = { saveFreq, doubleCheckpoint: kind === 'gathering', deleteCheckpoint: backups === 'deleted' }
const backup = new m.BackupAndRestore({ backupDir: folder + '/backup', ...options })
const { history, epoch } = await model.fit(x, y, {
  epochs: 30, batchSize: 8, verbose: 0, validationData: [x.slice(0, 16), y.slice(0, 16)],
  callbacks: [{ onTrainBegin: () => console.log('training') }, ...callbacks, backup],
}).catch((error) => {
  console.log(error instanceof m.MyelinError && error.message.includes(folder) ? 'refused' : error.stack)
  process.exit(7)
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
  await bundle([entry], outDir, { platform: 'node', minify: true })
  script = join(
    outDir,
    (await readdir(outDir)).find((name) => name.startsWith('run.'))!,
  )
})

afterAll(() => rm(folder, { recursive: true }))

interface Run {
  /** false if the process was killed. */
  readonly ended: boolean
  /** From the beginning of training. */
  readonly milliseconds: number
}

/**
 * Whether a run deletes its backups at its end. A process that may be killed between the end of its run and its own end keeps them,
 * because it would begin another run.
 */
type Backups = 'deleted' | 'kept'

/** Runs it in a process, which is killed `delay` milliseconds after training began. */
async function run(kind: string, place: string, every: string, backups: Backups, delay = Infinity): Promise<Run> {
  const child = spawn(process.execPath, [script, kind, place, every, backups], {
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

/** The event files of TensorBoard in a folder of a run: how many bytes each split has, once for each file. */
async function eventsIn(place: string): Promise<(readonly [split: string, bytes: number])[]> {
  const files = await Promise.all(
    ['train', 'validation'].map(async (split) => {
      const names = await readdir(join(place, 'logs', split)).catch(() => [])
      return Promise.all(
        names.map(async (name) => [split, (await stat(join(place, 'logs', split, name))).size] as const),
      )
    }),
  )
  return files.flat()
}

async function expectSame(place: string, whole: string): Promise<void> {
  expect(await endOf(place)).toEqual(await endOf(whole))
  expect(await filesIn(place)).toEqual(await filesIn(whole))
  expect(await eventsIn(place)).toEqual(await eventsIn(whole))
  for (const name of ['log.csv', 'best.safetensors'])
    expect(await contentOf(place, name), name).toEqual(await contentOf(whole, name))
}

const contentOf = (place: string, name: string): Promise<Buffer | null> => readFile(join(place, name)).catch(() => null)

/** Kills of each run by hand; 0: a few. */
const kills = Number(process.env['KILLS'] ?? 0)

/** A run is killed at the latest after this share of an uninterrupted one, whatever the speed of the machine. */
const SHARE = 0.5

describe('a run that is killed again and again', () => {
  it.each([
    ['plain', '4', 12],
    ['gathering', 'epoch', 6],
    ['renewed', '7', 4],
  ])(
    '%s, saved every %s: ends with the same bits',
    async (kind, every, least) => {
      const random = generator(11)
      const whole = join(folder, `${kind}-whole`)
      await mkdir(whole)
      const { milliseconds } = await run(kind, whole, every, 'kept')
      const interrupted = async (place: string): Promise<number> => {
        await mkdir(place)
        let kills = 0
        while (!(await run(kind, place, every, 'kept', SHARE * milliseconds * random())).ended) kills++
        await expectSame(place, whole)
        return kills
      }
      // Two at a time: most of the time is the start of processes.
      for (let round = 0, count = 0; count < Math.max(least, kills); round++) {
        const each = await Promise.all(['a', 'b'].map((name) => interrupted(join(folder, `${kind}-${round}${name}`))))
        count += each[0]! + each[1]!
      }
    },
    600_000 + 3000 * kills,
  )
})

/** Mounts or remounts a small disk; false if that is not permitted. */
function mounted(place: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place]).status === 0
}

describe('a run on a disk that is full', () => {
  it.for([
    ['plain', '4'],
    ['gathering', 'epoch'],
    ['renewed', '7'],
  ] as const)(
    '%s, saved every %s: ends with an error, and continues when there is room',
    { timeout: 600_000 },
    async ([kind, every], { skip }) => {
      const whole = join(folder, `${kind}-room`)
      await mkdir(whole)
      await run(kind, whole, every, 'deleted')
      let failures = 0
      for (const kilobytes of kills > 0 ? [4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64] : [8, 16, 32]) {
        const place = join(folder, `${kind}-${kilobytes}`)
        await mkdir(place)
        if (!mounted(place, `size=${kilobytes}k`)) return skip('mounting a disk is not permitted')
        try {
          const { status, stdout } = spawnSync(process.execPath, [script, kind, place, every, 'deleted'], {
            encoding: 'utf8',
          })
          if (status !== 0) {
            failures++
            expect(stdout.trim().split('\n').at(-1)).toBe('refused')
            // Nothing but the beginning of what belongs there.
            const [found, expected] = await Promise.all([place, whole].map((at) => contentOf(at, 'log.csv')))
            if (found != null) expect(String(expected).startsWith(String(found))).toBe(true)
          }
          expect(mounted(place, 'remount,size=4m')).toBe(true)
          if (status !== 0) await run(kind, place, every, 'deleted')
          await expectSame(place, whole)
        } finally {
          spawnSync('umount', [place])
        }
      }
      expect(failures).toBeGreaterThan(1)
    },
  )
})
