// Written files: they are read as what was written, h5py reads them (tests/golden/hdf5_written.py), and their bytes do not
// change.
// modes: simd

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  assert,
  constantFrom,
  dictionary,
  integer,
  letrec,
  oneof,
  property,
  string,
  tuple,
  type Arbitrary,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../../../src'
import { openHdf5, readHdf5 } from '../../../../src/files/keras/hdf5/read'
import type { Hdf5Array, Hdf5DatasetContent, Hdf5GroupContent, Hdf5Type } from '../../../../src/files/keras/hdf5/types'
import { writeHdf5 } from '../../../../src/files/keras/hdf5/write'
import { described, fixture, fixtures } from './helpers'

type Members = { [name: string]: Hdf5GroupContent | Hdf5DatasetContent }

function group(members: Members, attributes: { [name: string]: Hdf5Array } = {}): Hdf5GroupContent {
  return { kind: 'group', members: new Map(Object.entries(members)), attributes: new Map(Object.entries(attributes)) }
}

function dataset(array: Hdf5Array, attributes: { [name: string]: Hdf5Array } = {}): Hdf5DatasetContent {
  const dtype = array.type === 'bfloat16' ? { dtype: scalar('bfloat16') } : {}
  return { kind: 'dataset', read: () => array, attributes: new Map(Object.entries({ ...attributes, ...dtype })) }
}

function text(...values: string[]): Hdf5Array {
  return { type: 'string', shape: [values.length], values }
}

function scalar(value: string): Hdf5Array {
  return { type: 'string', shape: [], values: [value] }
}

/** If this names a folder, written files and their content as JSON are stored there for hdf5_written.py. */
const folder = process.env['HDF5_FOLDER']

function written(name: string, content: Hdf5GroupContent): Uint8Array {
  const bytes = writeHdf5(content)
  if (folder !== undefined) {
    writeFileSync(join(folder, `${name}.h5`), bytes)
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(described(content)))
  }
  return bytes
}

function sample(): Hdf5GroupContent {
  const floats = Float32Array.of(0, 1, -2.5, 0.1, 65504, 1e-7)
  const coarse = Float32Array.of(0, 1, -2.5, 2 ** -14, 0.1875, 65280)
  return group(
    {
      dense: group({ vars: group({ 0: dataset({ type: 'float32', shape: [2, 3], values: floats }) }) }),
      half: dataset({ type: 'float16', shape: [6], values: coarse }),
      brain: dataset({ type: 'bfloat16', shape: [3, 2], values: coarse }),
      double: dataset({ type: 'float64', shape: [2], values: Float64Array.of(Math.PI, -0) }),
      step: dataset({ type: 'int64', shape: [], values: Float64Array.of(2 ** 53 - 1) }),
      unsigned: dataset({ type: 'uint64', shape: [2], values: Float64Array.of(0, 7) }),
      bool: dataset({ type: 'bool', shape: [2], values: Uint8Array.of(1, 0) }, { note: scalar('of two') }),
      bytes: dataset({ type: 'int8', shape: [1, 2], values: Int8Array.of(-128, 127) }),
      empty: dataset({ type: 'float32', shape: [0, 4], values: new Float32Array(0) }),
      text: dataset(scalar('Grüße 🙂')),
      texts: dataset(text('one', '', 'drei ß')),
      many: group(
        Object.fromEntries(
          Array.from({ length: 300 }, (_, i) => [
            `m${i}`,
            dataset({ type: 'uint16', shape: [], values: Uint16Array.of(i) }),
          ]),
        ),
      ),
      nothing: group({}),
      größe: group({}),
    },
    {
      keras_version: scalar('3.15.1'),
      none: scalar(''),
      layer_names: text('dense', 'dense_1'),
      weight_names: { type: 'float64', shape: [0], values: new Float64Array(0) },
      model_config: scalar(JSON.stringify({ config: 'x'.repeat(100_000) })),
      naïve: { type: 'bool', shape: [], values: Uint8Array.of(1) },
    },
  )
}

describe('writeHdf5', () => {
  it('writes what readHdf5 reads', () => {
    expect(described(readHdf5(written('sample', sample())))).toEqual(described(sample()))
  })

  it('writes the bytes that h5py was verified to read', () => {
    expect(createHash('sha256').update(writeHdf5(sample())).digest('hex')).toBe(
      'f944b106be1046a7dfe530636a3b7c9e18ed2e266fade3b2a626bf562888671d',
    )
  })

  it.each(fixtures)('writes the content of %s again', async (name) => {
    const root = await openHdf5(fixture(name))
    // An array of strings is written with one length, which these exceed.
    const content =
      name === 'large-attributes'
        ? { ...root, attributes: new Map([...root.attributes].filter(([name]) => name !== 'huge')) }
        : root
    expect(described(readHdf5(written(name, content)))).toEqual(described(content))
  })

  it('writes random trees', () => {
    let count = 0
    assert(
      property(tree, (content) => {
        expect(described(readHdf5(written(`random-${count++}`, content)))).toEqual(described(content))
      }),
      { numRuns: 25 },
    )
  })

  it.each<['float16' | 'bfloat16', number[], number[]]>([
    [
      'float16',
      [0.1, 65519, 65520, -1e9, 2 ** -25, 3 * 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -0, NaN],
      [0.0999755859375, 65504, Infinity, -Infinity, 0, 2 ** -23, 1, 1 + 2 ** -9, -0, NaN],
    ],
    [
      'bfloat16',
      [0.1, 3.4028234e38, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 2 ** -140, -0, NaN, -Infinity],
      [0.10009765625, Infinity, 1, 1 + 2 ** -6, 0, -0, NaN, -Infinity],
    ],
  ])('rounds to the nearest %s, ties to even', (type, values, expected) => {
    const array = dataset({ type, shape: [values.length], values: Float32Array.from(values) })
    expect(described(readHdf5(writeHdf5(group({ array })))).members!['array']).toEqual(
      described(dataset({ type, shape: [values.length], values: Float32Array.from(expected) })),
    )
  })

  it('writes large attributes side by side, and refuses one above 64 kB', () => {
    const large = (size: number): Hdf5Array => ({ type: 'uint8', shape: [size], values: new Uint8Array(size) })
    const content = group({}, Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`a${i}`, large(65_000)])))
    expect(described(readHdf5(written('large', content)))).toEqual(described(content))
    expect(() => writeHdf5(group({ g: group({}, { a: large(65_530) }) }))).toThrow(
      'HDF5: /g @a: uint8 [65530] has 65569 bytes, more than 65528. Split it.',
    )
  })

  const float = (shape: number[], values = new Float32Array(1)): Hdf5Array => ({ type: 'float32', shape, values })
  it.each<[string, Hdf5GroupContent, string]>([
    ['a slash in a name', group({ 'a/b': group({}) }), "a member of '/' cannot have the name 'a/b'"],
    ['an empty name', group({ g: group({ '': group({}) }) }), "a member of '/g/' cannot have the name ''"],
    ['the name .', group({ '.': group({}) }), "cannot have the name '.'"],
    ['half of a surrogate pair', group({ '\ud800': group({}) }), 'half of a surrogate pair'],
    ['a zero in a text', group({}, { a: scalar('a\0b') }), 'it contains U+0000'],
    ['too few values', group({ d: dataset(float([2])) }), '/d: 1 values for the shape [2]'],
    ['values of another type', group({ d: dataset({ ...float([1]), type: 'int32' }) }), 'must be a Int32Array'],
    ['numbers as strings', group({ d: dataset({ ...float([1]), type: 'string' }) }), 'expected strings'],
    [
      'a fraction as int64',
      group({ d: dataset({ type: 'int64', shape: [], values: Float64Array.of(0.5) }) }),
      '0.5 is not',
    ],
    ['−1 as uint64', group({ d: dataset({ type: 'uint64', shape: [], values: Float64Array.of(-1) }) }), '-1 is not'],
    [
      'an attribute of bfloat16',
      group({}, { a: { ...float([1]), type: 'bfloat16' } }),
      'cannot have the type bfloat16',
    ],
  ])('refuses %s', (_, content, message) => {
    expect(() => writeHdf5(content)).toThrow(ArgumentError)
    expect(() => writeHdf5(content)).toThrow(message)
  })
})

const arrays = {
  float16: Float32Array,
  bfloat16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: Float64Array,
  uint64: Float64Array,
  bool: Uint8Array,
} as const satisfies { [type in Exclude<Hdf5Type, 'string'>]: unknown }

const name = string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => !/[/\0]|^\.$/.test(name))
const words = string({ unit: 'binary', maxLength: 20 }).filter((word) => !word.includes('\0'))
const shapes = constantFrom<number[]>([], [0], [1], [5], [2, 3], [3, 0, 2], [2, 1, 2, 2])

function random(types: readonly Hdf5Type[]): Arbitrary<Hdf5Array> {
  return tuple(constantFrom(...types), shapes, integer({ min: 0, max: 1000 }), words).map(
    ([type, shape, seed, word]) => {
      const count = shape.reduce((a, b) => a * b, 1)
      if (type === 'string')
        return { type, shape, values: Array.from({ length: count }, (_, i) => [...word].slice(i).join('')) }
      // Numbers that every type can store.
      return {
        type,
        shape,
        values: arrays[type].from(
          Array.from({ length: count }, (_, i) => (type === 'bool' ? (seed + i) % 2 : (seed + i) % 100)),
        ),
      }
    },
  )
}

const all: readonly Hdf5Type[] = [...(Object.keys(arrays) as (keyof typeof arrays)[]), 'string']
const attributes = dictionary(name, random(all.filter((type) => type !== 'bfloat16')), { maxKeys: 10 })
const { tree } = letrec<{ tree: Hdf5GroupContent; dataset: Hdf5DatasetContent; member: Members[string] }>((tie) => ({
  tree: tuple(dictionary(name, tie('member'), { maxKeys: 20 }), attributes).map(([members, values]) =>
    group(members, values),
  ),
  dataset: tuple(random(all), attributes).map(([array, values]) => dataset(array, values)),
  member: oneof({ maxDepth: 3, depthIdentifier: 'tree' }, tie('dataset'), tie('tree')),
}))
