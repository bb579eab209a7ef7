// Damaged and hostile layers-models: a typed error, or the model, but never anything else.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { FormatError, MyelinError } from '../../../src'
import { readTfjs } from '../../../src/entries/tfjs'
import { bytesOf, filesOf, jsonOf } from './goldens'
import { processorTime } from '../../helpers/processor-time'

interface Spec {
  name: string
  shape: number[]
  dtype: string
}
interface Layer {
  class_name: string
  name: string
  config: Record<string, unknown> & { layers: Layer[]; output_layers: unknown[] }
  inbound_nodes: unknown[][][]
}
interface ModelJson {
  modelTopology: Layer
  trainingConfig: { optimizer_config: { config: Record<string, unknown> } }
  weightsManifest: { paths: string[]; weights: Spec[] }[]
}

const encoded = (json: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(json))

async function changed(name: string, change: (json: ModelJson, files: Record<string, Uint8Array>) => void) {
  const json = jsonOf<ModelJson>(`${name}.json`)
  const files = filesOf(name)
  change(json, files)
  return readTfjs(encoded(json), { files })
}

async function requireRefusal(read: Promise<unknown>, message: RegExp): Promise<void> {
  const begin = processorTime()
  const error = await read.then(() => null).catch((each: unknown) => each)
  expect(error).toBeInstanceOf(FormatError)
  expect(String(error)).toMatch(message)
  expect(processorTime() - begin).toBeLessThan(20_000)
}

describe('weights', () => {
  const spec = (json: ModelJson): Spec => json.weightsManifest[0]!.weights[0]!
  it.each<readonly [string, (json: ModelJson, files: Record<string, Uint8Array>) => void, RegExp]>([
    ['of 2^40 elements', (json) => (spec(json).shape = [2 ** 20, 2 ** 20]), /too large/],
    ['of 2^30 elements', (json) => (spec(json).shape = [2 ** 15, 2 ** 15]), /are left in the files/],
    ['without elements', (json) => (spec(json).shape = [0, 2 ** 40]), /two/],
    ['of another shape', (json) => spec(json).shape.reverse(), /must have the shape \[4, 8\], received \[8, 4\]/],
    ['of another name', (json) => (spec(json).name = 'other/kernel'), /no weight 'other\/kernel'.*'one\/kernel'/],
    ['of another layer', (json) => (spec(json).name = 'two/kernel'), /two weights 'two\/kernel'/],
    [
      'in a group of another kind',
      (json) => Object.assign(spec(json), { group: 'optimizer' }),
      /no weight 'one\/kernel'/,
    ],
    ['that are missing', (json) => json.weightsManifest[0]!.weights.shift(), /the weights of a group have/],
    ['in too few bytes', (_json, files) => (files['shards-4of4.bin'] = new Uint8Array(3)), /are left in the files/],
    ['in too many bytes', (_json, files) => (files['shards-4of4.bin'] = new Uint8Array(300)), /its files have/],
    ['in no group', (json) => (json.weightsManifest = []), /larger than the content/],
  ])('%s', async (title, change, message) => {
    if (title === 'without elements') message = /are left|have \d+ bytes/
    await requireRefusal(changed('shards', change), message)
  })
})

describe('a configuration', () => {
  const layer = (json: ModelJson, className: string): Layer =>
    json.modelTopology.config.layers.find(({ class_name: own }) => own === className)!

  it('must have names that are texts', async () => {
    const topology = (name: unknown): object => ({
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Dense', config: { units: 1, batch_input_shape: [null, 1], name } }] },
    })
    for (const name of [{ toString: 1, valueOf: 1 }, [], 5, null])
      await readTfjs(encoded({ modelTopology: topology(name) })).catch((error: unknown) =>
        expect(error).toBeInstanceOf(MyelinError),
      )
  })

  it('must not have calls in a circle', async () => {
    const circle = (json: ModelJson): void => {
      const [add, average] = ['Add', 'Average'].map((name) => layer(json, name)) as [Layer, Layer]
      add.inbound_nodes[0]![0]![0] = average.name
      average.inbound_nodes[0]![0]![0] = add.name
    }
    await requireRefusal(changed('merging', circle), /calls in a circle/)
  })

  it('must refer to its own layers and calls', async () => {
    for (const end of [['none', 0, 0], ['left', 5, 0], ['left', 0, 9], ['left', -1, 0], 'left', {}]) {
      const read = changed('merging', (json) => (json.modelTopology.config.output_layers = [end]))
      await expect(read).rejects.toThrow(MyelinError)
    }
  })

  it('must not be nested without end', async () => {
    const deep = `{"modelTopology":${'{"model_config":'.repeat(100_000)}{}${'}'.repeat(100_000)}}`
    await requireRefusal(readTfjs(new TextEncoder().encode(deep)), /levels/)
  })

  it('must not ask for more weights than the file has', async () => {
    const units = (json: ModelJson): unknown => (json.modelTopology.config.layers[0]!.config['units'] = 1e6)
    await requireRefusal(changed('uint8', units), /larger/)
  })

  it('must not have Python code or unknown classes', async () => {
    const lambda = (json: ModelJson): void => {
      const own = json.modelTopology.config.layers[1]!
      Object.assign(own, { class_name: 'Lambda', config: { name: 'code', function: ['gASV', null, null] } })
    }
    await requireRefusal(changed('uint8', lambda), /'code': the function of a Lambda is Python/)
    const classes = (json: ModelJson): void =>
      json.modelTopology.config.layers.forEach((each, i) => (each.class_name = ['Fancy', 'Odd'][i]!))
    await requireRefusal(changed('uint8', classes), /Fancy \('one'\), Odd \('two'\)/)
  })

  it.each([
    '{}',
    '[]',
    '1',
    'null',
    '{"modelTopology":{}}',
    '{"modelTopology":[]}',
    '{"modelTopology":{"class_name":1}}',
    '',
    '{',
  ])('must be one: %j', async (text) =>
    requireRefusal(readTfjs(new TextEncoder().encode(text)), /modelTopology|not JSON|no weightsManifest/),
  )
})

describe('the state of an optimizer', () => {
  it.each<readonly [string, (json: ModelJson) => void, RegExp]>([
    [
      'of another optimizer',
      (json) => (json.trainingConfig.optimizer_config = { class_name: 'Adagrad', config: {} } as never),
      /state/,
    ],
    ['that begins with something else', (json) => (ofOptimizer(json)[0]!.dtype = 'float32'), /state/],
    [
      'in another order',
      (json) => {
        const specs = json.weightsManifest[0]!.weights
        specs.push(...specs.splice(specs.length - 12, 1))
      },
      /state/,
    ],
  ])('%s is left out with a warning', async (_title, change, message) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    try {
      const model = await changed('training/adam', change)
      expect(model.optimizer.iterations.value.item()).toBe(0)
      expect(warn).toHaveBeenCalledTimes(1)
      expect(warn).toHaveBeenCalledWith(expect.stringMatching(message))
    } finally {
      warn.mockRestore()
    }
  })

  const ofOptimizer = (json: ModelJson): Spec[] =>
    json.weightsManifest[0]!.weights.filter((spec) => 'group' in spec && spec.group === 'optimizer')

  it('is not read without compile', async () => {
    const json = jsonOf<ModelJson>('training/adam.json')
    json.trainingConfig.optimizer_config = { class_name: 'Adagrad', config: {} } as never
    const model = await readTfjs(encoded(json), { files: filesOf('training/adam'), compile: false })
    expect(() => model.optimizer).toThrow(MyelinError)
  })
})

describe('changed bytes', () => {
  const names = ['nested', 'recurrent', 'training/adam', 'float16', 'shards']

  it('of model.json give a typed error or a model', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
            fc.constantFrom(...'019"[]{},:anx-_'),
          ),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        async (name, edits) => {
          const json = bytesOf(`${name}.json`)
          for (const [at, character] of edits) json[Math.floor(at * json.length)] = character.charCodeAt(0)
          const begin = processorTime()
          await readTfjs(json, { files: filesOf(name) }).catch((error: unknown) =>
            expect(error).toBeInstanceOf(MyelinError),
          )
          expect(processorTime() - begin).toBeLessThan(20_000)
        },
      ),
      { numRuns: 200, seed: 19 },
    )
  })

  it('of the structure of model.json give a typed error or a model', async () => {
    const values = [
      null,
      true,
      0,
      -1,
      1.5,
      2 ** 40,
      '',
      'x',
      '__proto__',
      [],
      {},
      [[]],
      [1, 2],
      { class_name: 'Dense', config: {} },
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(1e6),
        fc.constantFrom(...values),
        fc.constantFrom('replace', 'remove', 'repeat'),
        async (name, where, value, kind) => {
          const json = jsonOf<object>(`${name}.json`)
          const places = placesIn(json)
          const [parent, key] = places[where % places.length]!
          if (kind === 'replace') Reflect.set(parent, key, structuredClone(value))
          else if (kind === 'remove') Reflect.deleteProperty(parent, key)
          else if (Array.isArray(parent)) parent.push(structuredClone(parent[Number(key)]))
          await readTfjs(encoded(json), { files: filesOf(name) }).catch((error: unknown) =>
            expect(error).toBeInstanceOf(MyelinError),
          )
        },
      ),
      { numRuns: 400, seed: 23 },
    )
  })

  it('of the weights are other weights, or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(1e6),
        fc.nat(255),
        fc.integer({ min: -3, max: 3 }),
        async (name, at, byte, more) => {
          const files: Record<string, Uint8Array> = filesOf(name)
          const file = Object.keys(files)[at % Object.keys(files).length]!
          const bytes = new Uint8Array(Math.max(0, files[file]!.length + more))
          bytes.set(files[file]!.subarray(0, bytes.length))
          if (bytes.length > 0) bytes[at % bytes.length] = byte
          files[file] = bytes
          const read = readTfjs(bytesOf(`${name}.json`), { files })
          if (more === 0) await read
          else await expect(read).rejects.toThrow(FormatError)
        },
      ),
      { numRuns: 60, seed: 29 },
    )
  })
})

/** All members of a tree. */
function placesIn(tree: object): [parent: object, key: string][] {
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) => [
    [tree, key] as [object, string],
    ...(typeof value === 'object' && value !== null ? placesIn(value) : []),
  ])
}
