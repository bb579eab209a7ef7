// Changed configurations of every class, in files of Keras and of TensorFlow.js: a model, or an error of this library, within a second.
// CONFIG_MUTATIONS=100000 tries more.
// modes: simd

import { expect, it, vi } from 'vitest'
import { Model, MyelinError, ReLU, Sequential, loadModel } from '../../../src'
import { writeKeras } from '../../../src/entries/keras'
import type { Json } from '../../../src/core/registry'
import { readArchive, writeArchive } from '../../../src/files/containers/archive'
import { filesIn, jsonOf } from './goldens'
import { VALUES } from './mutations'

type Fields = { [key: string]: Json }
type Path = readonly string[]

const mutations = Number(process.env['CONFIG_MUTATIONS'] ?? 500)

/** Besides those that are of no use: sizes that would take all memory or time, and long texts and lists. */
const LARGE: readonly Json[] = [
  1000,
  1e5,
  3e6,
  2 ** 26,
  2 ** 28,
  2 ** 31,
  1e9,
  1e300,
  -1e-300,
  [1e4, 1e4],
  [8000, 8000],
  [1, 1e9],
  [1e9, 1e9, 1e9],
  [-1, 7],
  'same',
  'causal',
  'one_hot',
  'multi_hot',
  'channels_first',
  'a'.repeat(20_000),
  Array.from({ length: 3000 }, (_, i) => i),
  Array.from({ length: 1000 }, () => [1, 1]),
]
const values = [...(VALUES as readonly Json[]), ...LARGE]

const encoded = (value: Json): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value))

const weights = (await readArchive(await writeKeras(new Sequential([new ReLU({ inputShape: [4] })])))).get(
  'model.weights.h5',
)!
const kerasFile = (config: Json): Uint8Array =>
  writeArchive(
    new Map([
      ['metadata.json', encoded({ keras_version: '3.15.1' })],
      ['config.json', encoded(config)],
      ['model.weights.h5', weights],
    ]),
  )
const tfjsFile = (config: Json): Uint8Array =>
  encoded({ format: 'layers-model', modelTopology: config, weightsManifest: [] })

const input = (shape: readonly number[], dtype: string): Json => ({
  class_name: 'InputLayer',
  config: { batch_shape: [null, ...shape], dtype, name: 'in' },
})
const sequential = (layers: readonly Json[], compile: Fields = {}): Fields => ({
  class_name: 'Sequential',
  config: { name: 's', layers },
  ...compile,
})

const savedOf = (name: string): Json[] =>
  jsonOf<{ cases: readonly { saved: Json }[] }>(`configs/${name}.json`).cases.map(({ saved }) => saved)

const SHAPES = [[4], [5, 4], [6, 6, 3], [4, 4, 4, 2], [3, 4, 4, 2], []]

/** A layer after an input that it takes. */
async function afterInput(layer: Json): Promise<Fields> {
  for (const dtype of ['float32', 'int32', 'string']) {
    for (const shape of SHAPES) {
      const config = sequential([input(shape, dtype), layer])
      const error: unknown = await loadModel(kerasFile(config)).catch((reason: unknown) => reason)
      if (error instanceof Model || (error instanceof Error && error.message.includes('do not fit the model')))
        return config
    }
  }
  return sequential([layer])
}

async function cases(): Promise<readonly Fields[]> {
  const layers = filesIn('configs', '.json').flatMap((path) => /configs\/(layers-\w+)/.exec(path)?.[1] ?? [])
  const made: Fields[] = []
  for (const name of layers) for (const layer of savedOf(name)) made.push(await afterInput(layer))
  const relu = [input([4], 'float32'), { class_name: 'ReLU', config: { name: 'r' } }]
  const compiled = (options: Fields): Fields =>
    sequential(relu, { compile_config: { optimizer: { class_name: 'SGD', config: {} }, loss: 'mse', ...options } })
  const dense = (option: string, value: Json): Fields =>
    sequential([input([4], 'float32'), { class_name: 'Dense', config: { units: 3, name: 'd', [option]: value } }])
  return [
    ...made,
    ...savedOf('losses').map((loss) => compiled({ loss })),
    ...savedOf('metrics').map((metric) => compiled({ metrics: [metric] })),
    ...savedOf('optimizers').map((optimizer) => compiled({ optimizer })),
    ...savedOf('schedules').map((rate) =>
      compiled({ optimizer: { class_name: 'SGD', config: { learning_rate: rate } } }),
    ),
    ...savedOf('initializers').map((each) => dense('kernel_initializer', each)),
    ...savedOf('regularizers').map((each) => dense('kernel_regularizer', each)),
    ...savedOf('constraints').map((each) => dense('kernel_constraint', each)),
  ]
}

function places(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries<Json>(value as Fields).flatMap(([key, each]) => places(each, [...path, key]))]
}

const at = (value: Json, path: Path): Json =>
  path.reduce<Json>((found, key) => (found as Fields | null)?.[key] ?? null, value)

/** The generator of Lehmer, so that a failure can be repeated. */
let state = 20_261
const below = (count: number): number =>
  Math.floor(((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) * count)

function changed(config: Json): Json {
  const all = places(config)
  const copy: Json = structuredClone(config)
  for (let change = below(3); change >= 0; change--) {
    const path = all[below(all.length)]!
    const parent = at(copy, path.slice(0, -1)) as Fields | null
    const key = path.at(-1)
    if (key === undefined || typeof parent !== 'object' || parent === null) continue
    const kind = below(10)
    if (kind === 0) delete parent[key]
    else parent[key] = structuredClone(kind < 3 ? at(config, all[below(all.length)]!) : values[below(values.length)]!)
  }
  return copy
}

it(`${mutations} changed configurations give a model or an error of this library`, async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const all = await cases()
  expect(all.length).toBeGreaterThan(700)
  const outcomes = { read: 0, refused: 0 }
  for (let i = 0; i < mutations; i++) {
    const config = changed(all[below(all.length)]!)
    const started = process.cpuUsage()
    const memory = process.memoryUsage().rss
    try {
      await loadModel(below(3) === 0 ? tfjsFile(config) : kerasFile(config))
      outcomes.read++
    } catch (error) {
      const isExpected = error instanceof MyelinError && !error.message.startsWith('internal')
      if (!isExpected)
        throw new Error(`change ${i}: ${String(error)}: ${JSON.stringify(config).slice(0, 2000)}`, { cause: error })
      outcomes.refused++
    }
    const seconds = process.cpuUsage(started).user / 1e6
    const grown = process.memoryUsage().rss - memory
    if (seconds > 3 || grown > 2 ** 28)
      throw new Error(`change ${i}: ${seconds} s, ${grown} bytes: ${JSON.stringify(config).slice(0, 2000)}`)
  }
  expect(outcomes.read).toBeGreaterThan(mutations / 20)
  expect(outcomes.refused).toBeGreaterThan(mutations / 4)
}, 900_000)
