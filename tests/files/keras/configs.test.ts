// The configuration that Keras writes for an object gives the same object here: every class, with every option that fixtures have.
// modes: simd

import { describe, expect, it } from 'vitest'
import { layersByName } from '../../../src/layers/registry'
import { ObjectReader } from '../../../src/files/keras/objects'
import { customObjectScope } from '../../../src/models/scope'
import { kinds } from '../../../src/files/own/kinds'
import type { Config, Json } from '../../../src/core/registry'
import { filesIn, jsonOf } from './goldens'

interface Described {
  readonly class: string
  readonly config: Readonly<Record<string, Json>>
}
interface Case {
  readonly described: Described
  readonly saved: Json
}

/** { class, config } of fixtures as { className, config }. */
function own(value: Json): Json {
  if (Array.isArray(value)) return value.map(own)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => [key === 'class' ? 'className' : key, own(each)] as const)
  return Object.fromEntries(entries)
}

/** Numbers of float32 in six digits. */
function rounded(value: Json | undefined): Json {
  if (typeof value === 'number') return Number(value.toPrecision(6))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value ?? null
  const entries = Object.entries(value).filter(([key]) => key !== 'name')
  return Object.fromEntries(entries.map(([key, each]) => [key, rounded(each)]))
}

/** Options that Keras does not save, or saves in another form. */
const NOT_SAVED = new Set([
  'Huber.delta',
  'SparseCategoricalCrossentropy.axis',
  'CosineSimilarity.axis',
  'Identity.gain',
  'LSTM.implementation',
  'GRU.implementation',
  // A list of one axis.
  'Normalization.axis',
  // [0, x] of a number x.
  'RandomContrast.factor',
])

const files = filesIn('configs', '.json').map((path) => ({ path, kind: /configs\/(\w+)/.exec(path)![1]! }))

describe.each(files)('$path', ({ path, kind }) => {
  const { registry } = kinds()[kind]!
  it.each(jsonOf<{ cases: readonly Case[] }>(path).cases)('$described', ({ described, saved }) => {
    customObjectScope(layersByName(), () => {
      const configOf = (identifier: unknown): Config => registry.get(identifier).getConfig()
      const received = configOf(ObjectReader.value(saved, layersByName()))
      const expected = configOf({ className: described.class, config: own(described.config) })
      for (const option of Object.keys(described.config))
        if (!NOT_SAVED.has(`${described.class}.${option}`))
          expect(rounded(received[option]), option).toEqual(rounded(expected[option]))
    })
  })
})
