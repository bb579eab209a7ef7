// Models of one op that Keras wrote, for every op and many of its options: read, they predict the same, and so they do if they are
// written and read again. KERAS_FILES=FOLDER keeps the written files for the real Keras: see write.test.ts.
// modes: simd

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Tensor, type Model } from '../../../src'
import { writeArchive } from '../../../src/files/containers/archive'
import { encodeUtf8 } from '../../../src/core/text'
import { typed, flatten, type Tree } from '../../../src/core/tree'
import type { DType } from '../../../src/core/dtypes'
import { readKeras, writeKeras } from '../../../src/entries/keras'
import type { Hdf5GroupContent } from '../../../src/files/keras/hdf5/types'
import { writeHdf5 } from '../../../src/files/keras/hdf5/write'
import { branch, groupAt, textOf } from '../../../src/files/keras/write-branch'

interface Plain {
  readonly shape: number[]
  readonly dtype: string
  readonly data: (number | string)[]
}

interface Golden {
  readonly name: string
  readonly x: readonly Plain[]
  readonly y: readonly Plain[]
  /** The configuration in a `.keras` file, and in a `.h5` file; Keras does not write each model to both. */
  readonly config: string
  readonly legacy: string | null
}

const file = new URL('../../golden/keras/operations.json.gz', import.meta.url)
const { keras: version, models } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
  readonly keras: string
  readonly models: readonly Golden[]
}
const folder = process.env['KERAS_FILES']

const numbers = (data: Plain['data']): number[] =>
  data.map((each) => (typeof each === 'number' ? each : Number(each.replace('inf', 'Infinity'))))

function tensorOf({ shape, dtype, data }: Plain): Tensor {
  const values = numbers(data)
  const array =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'bool'
        ? Int8Array.from(values)
        : Int32Array.from(values)
  return new Tensor(array, shape, dtype as DType)
}

/** A `.keras` file without weights. */
function archive(config: string): Promise<Uint8Array> | Uint8Array {
  return writeArchive(
    new Map([
      ['metadata.json', encodeUtf8(JSON.stringify({ keras_version: version }))],
      ['config.json', encodeUtf8(config)],
      ['model.weights.h5', writeHdf5(branch() as Hdf5GroupContent)],
    ]),
  )
}

/** A `.h5` file without weights. */
function legacyFile(config: string): Uint8Array {
  const root = branch()
  root.attributes.set('keras_version', textOf(version))
  root.attributes.set('model_config', textOf(config))
  groupAt(root, 'model_weights').attributes.set('layer_names', { type: 'string', shape: [0], values: [] })
  return writeHdf5(root as Hdf5GroupContent)
}

type AnyModel = Model<never, unknown>

/** The outputs in order, with complex numbers as their parts. */
function outputsOf(model: AnyModel, { x }: Golden): Tensor[] {
  const inputs = x.map(tensorOf)
  return flatten(model.predictOnBatch((inputs.length === 1 ? inputs[0] : inputs) as never) as Tree<Tensor>)
}

/** Vectors whose signs are a choice. */
const WITHOUT_SIGN = /^(?:eigh|svd)/

function expectSame(received: readonly Tensor[], { name, y }: Golden): void {
  const sign = WITHOUT_SIGN.test(name) ? Math.abs : (each: number): number => each
  expect(received.map(({ shape }) => shape)).toEqual(y.map(({ shape }) => shape))
  y.forEach(({ data }, i) => {
    const wanted = numbers(data)
    const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs))
    wanted.map(sign).forEach((each, j) => {
      const own = sign(received[i]!.data[j]!)
      const isNear = Object.is(own, each) || own === each || Math.abs(own - each) <= 2e-5 * scale
      expect(isNear, `output ${i}, element ${j}: expected ${each}, received ${own}`).toBe(true)
    })
  })
}

describe('models of one op', () => {
  it.each(models.map((golden) => ({ name: golden.name, golden })))('$name', async ({ name, golden }) => {
    const { config, legacy } = golden
    const files = [await archive(config), ...(legacy === null ? [] : [legacyFile(legacy)])]
    for (const bytes of files) {
      const model = await readKeras<never, unknown>(bytes)
      expectSame(outputsOf(model, golden), golden)
      const written = {
        keras: await writeKeras(typed(model)),
        h5: await writeKeras(typed(model), null, { format: 'h5' }),
      }
      for (const again of Object.values(written))
        expectSame(outputsOf(await readKeras<never, unknown>(again), golden), golden)
      if (folder === undefined) continue
      for (const [extension, content] of Object.entries(written))
        writeFileSync(join(folder, `op_${name}.${extension}`), content)
      writeFileSync(join(folder, `op_${name}.json`), JSON.stringify({ x: golden.x, y: golden.y }))
    }
  })
})
