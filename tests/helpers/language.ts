// Tiny language models for tests: weights by a rule that tests/golden/causal_lm.py has as well, and presets in temporary folders.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { sizeOf, type Shape } from '../../src/core/shapes'
import { encodeContainer } from '../../src/files/containers/safetensors'
import { F32 } from '../../src/files/containers/numbers'
import { storedTensor, type StoredTensor } from '../../src/language/presets/stored-tensor'

/** Numbers in ±scale, from the name of a tensor and the index of an element. */
export function drawnWeights(name: string, shape: Shape, scale: number): Float32Array {
  let seed = 2166136261
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619)
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + seed) | 0
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    x ^= x >>> 16
    return ((x >>> 0) / 2 ** 32 - 0.5) * 2 * scale
  })
}

/** The weights of a model whose matrices lie in ±0.25, vectors in ±0.1, and scales around 1. */
export function drawnTensors(shapes: Readonly<Record<string, Shape>>, scale = 0.25) {
  return Object.entries(shapes).map(([name, shape]) => {
    const data = drawnWeights(name, shape, shape.length > 1 ? scale : 0.1)
    if (shape.length === 1 && name.endsWith('weight')) for (let i = 0; i < data.length; i++) data[i]! += 1
    return { name, shape, data }
  })
}

/** The same weights, as if they were in a file. */
export function drawnStore(shapes: Readonly<Record<string, Shape>>): Map<string, StoredTensor> {
  return new Map(
    drawnTensors(shapes).map(({ name, shape, data }) => {
      const bytes = new Uint8Array(data.buffer)
      const file = {
        name,
        size: bytes.length,
        read: (start: number, end: number) => Promise.resolve(bytes.slice(start, end)),
      }
      return [name, storedTensor(file, { name, shape, kind: F32, at: 0, bytes: bytes.length })]
    }),
  )
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A temporary folder with files: bytes, or values that become JSON. */
export function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-language-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content))
  }
  return folder
}

/** The files of a model of sentence-transformers, and the shapes of the tensors of each file with weights. */
export interface SentencePreset {
  readonly files: Readonly<Record<string, unknown>>
  readonly shapes: Readonly<Record<string, Readonly<Record<string, Shape>>>>
}

/** The folder of such a model with drawn weights. Files of a second argument replace some, null leaves one out. */
export function sentenceFolder(
  { files, shapes }: SentencePreset,
  others: Readonly<Record<string, unknown>> = {},
): string {
  const weights = Object.entries(shapes).map(([name, of]) => [
    name,
    encodeContainer(drawnTensors(of), { format: 'pt' }),
  ])
  const all = Object.entries({ ...files, ...Object.fromEntries(weights), ...others })
  return folderOf(Object.fromEntries(all.filter(([, content]) => content !== null)))
}

/** The folder of a model with drawn weights. */
export function presetOf(
  config: Readonly<Record<string, unknown>>,
  shapes: Readonly<Record<string, Shape>>,
  others: Readonly<Record<string, unknown>>,
): string {
  return folderOf({
    'config.json': config,
    'model.safetensors': encodeContainer(drawnTensors(shapes), { format: 'pt' }),
    ...others,
  })
}
