// Formats of weights, by their list: what every format of named arrays guarantees, which files each format recognises, and the documents
// that name them.
// modes: simd

import { describe, expect, it } from 'vitest'
import { Dense, Sequential } from '../../../src'
import { writeWeights } from '../../../src/entries/weights'
import { keysOf } from '../../../src/core/keys'
import * as list from '../../../src/files/containers/format-list'
import { hasArrays, requireWeightFormat, weightFormatIn, weightFormats } from '../../../src/files/weights/formats'
import { checkArrayFormat } from '../../helpers/array-format'
import { readDocument } from '../../helpers/documented'

const { foreignKind, listOfEndings, weightEndings } = list
const formats = keysOf(weightEndings)

describe.each(formats.filter((name) => hasArrays(weightFormats[name])))('%s', (name) => {
  it('gives the same arrays again, recognises its files alone, and refuses parts of them', async () => {
    const format = weightFormats[name]
    if (hasArrays(format)) await checkArrayFormat(format, name, list, weightFormatIn)
  })
})

describe.each(formats)('%s', (name) => {
  const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])

  it('is found by the ending of a path, also in capitals, and by the content', async () => {
    for (const path of [`a${weightEndings[name]}`, `a/b.c${weightEndings[name].toUpperCase()}`])
      expect(requireWeightFormat(path, 'save')).toBe(name)
    const bytes = await writeWeights(model, null, { format: name })
    const reader = weightFormats[weightFormatIn(bytes)]
    // Both formats of HDF5 have one reader.
    expect(hasArrays(reader)).toBe(hasArrays(weightFormats[name]))
    if (hasArrays(reader)) expect(reader).toBe(weightFormats[name])
    // loadModel names the method that reads it.
    if (name !== 'safetensors') expect(foreignKind(bytes)).toMatch(/model\.loadWeights\.$/)
  })

  it.each(['docs/weights.md', 'docs/files.md', 'src/models/model.ts'])('is named in %s', (path) => {
    expect(readDocument(path)).toContain(weightEndings[name])
  })

  it('takes a mapping only if it has named arrays', async () => {
    const error = writeWeights(model, null, { format: name, mapping: {} })
    await expect(error).rejects.toThrow(
      hasArrays(weightFormats[name]) ? 'the mapping lacks weights' : 'a mapping is for',
    )
  })
})

it('the error for another ending lists all of them', () => {
  expect(() => requireWeightFormat('a.bin', 'save')).toThrow(`must be one of ${listOfEndings()}`)
})
