// 50,000 changed files: each reader of bytes throws a typed error or returns the content. The tests of each format make models and
// weights of changed files, too, but of fewer, because that takes longer.
// modes: simd

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MyelinError } from '../../src'
import { decodeContainer } from '../../src/files/containers/safetensors'
import { readArchive } from '../../src/files/containers/archive'
import { openHdf5 } from '../../src/files/keras/hdf5/read'
import type { Hdf5Dataset, Hdf5Group } from '../../src/files/keras/hdf5/types'
import { readFile } from '../../src/files/onnx/file'
import { artifactsOf } from '../../src/files/tfjs/artifacts'
import { manifestTensors } from '../../src/files/tfjs/manifest'
import { hasArrays, weightFormats } from '../../src/files/weights/formats'

const goldens = new URL('../golden/', import.meta.url)
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, goldens)))

/** Reads all arrays of a file. */
function visit(member: Hdf5Group | Hdf5Dataset): void {
  if (member.kind === 'dataset') member.read()
  else member.members.forEach(visit)
}

type Reader = readonly [name: string, file: Uint8Array, count: number, read: (bytes: Uint8Array) => unknown]

/** A file of each format of named arrays. */
function arrayFiles(): Promise<Reader[]> {
  const arrays = [
    { name: 'dense/kernel', shape: [2, 2], data: Float32Array.of(0.1, -0, NaN, 3) },
    { name: 'dense/steps', shape: [3], data: Int32Array.of(1, -2, 3) },
  ]
  return Promise.all(
    Object.entries(weightFormats).flatMap(([name, format]) =>
      hasArrays(format)
        ? [(async (): Promise<Reader> => [name, await format.write(arrays), 2_500, format.read])()]
        : [],
    ),
  )
}

/** What each reader does with bytes, a file to change, and how often. */
const readers: readonly Reader[] = [
  ['HDF5', bytesOf('keras/shards/model_00001.weights.h5'), 5_000, async (bytes) => visit(await openHdf5(bytes))],
  ['.keras', bytesOf('keras/3.15/pooling.keras'), 7_500, readArchive],
  ['ONNX', bytesOf('onnx/networks/residual-old.onnx'), 15_000, (bytes) => readFile(bytes, 'changed')],
  ['safetensors of PyTorch', bytesOf('torch/attention.safetensors'), 10_000, decodeContainer],
  ...(await arrayFiles()),
  [
    'model.json',
    bytesOf('tfjs/layers/core.json'),
    7_500,
    async (bytes) => {
      const beside = async (): Promise<Uint8Array> => bytesOf('tfjs/layers/core.bin')
      const { name, weights } = await artifactsOf({ name: 'model.json', bytes, beside, again: null }, {}, 'loadModel')
      return manifestTensors(weights, name)
    },
  ],
]

/** Numbers from 0 to 1: the generator of Lehmer, so that a failure can be repeated. */
function numbers(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** Both parts in one array; `from` of a spread would take most of the time of this file. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

const ODD = [0, 1, 2, 7, 0x7f, 0x80, 0xff]

/** Some bytes are replaced, removed or repeated, and one file in eight ends early. */
function changed(file: Uint8Array, next: () => number): Uint8Array {
  const below = (count: number): number => Math.floor(next() * count)
  let bytes = file.slice()
  for (let change = below(4); change >= 0; change--) {
    const at = below(bytes.length)
    const kind = below(8)
    if (kind === 0) bytes = joined(bytes.subarray(0, at), bytes.subarray(at + 1 + below(6)))
    else if (kind === 1) bytes = joined(bytes.subarray(0, at + 8), bytes.subarray(at))
    else if (kind < 5) bytes[at]! ^= 1 << below(8)
    else bytes[at] = kind === 5 ? below(256) : ODD[below(ODD.length)]!
  }
  return below(8) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes
}

it.each(readers)(
  'changed files: %s',
  async (name, file, count, read) => {
    const next = numbers(name.length + file.length)
    const outcomes = { read: 0, refused: 0 }
    for (let i = 0; i < count; i++) {
      const bytes = changed(file, next)
      try {
        await read(bytes)
        outcomes.read++
      } catch (error) {
        if (!(error instanceof MyelinError)) throw new Error(`${name}, change ${i}: ${String(error)}`, { cause: error })
        outcomes.refused++
      }
    }
    // Changes matter, and not every one.
    expect(outcomes.read).toBeGreaterThan(0)
    expect(outcomes.refused).toBeGreaterThan(count / 10)
  },
  900_000,
)
