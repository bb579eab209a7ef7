// Files that h5py wrote are read as h5py reads them, or refused with the path and the cause.
// modes: simd

import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../../src'
import { openHdf5 } from '../../../../src/files/keras/hdf5/read'
import { described, fixture, type Described } from './helpers'

const golden = new URL('../../../golden/', import.meta.url)
const contents = JSON.parse(readFileSync(new URL('hdf5.json', golden), 'utf8')) as Record<string, Described | string>

describe('readHdf5', () => {
  it.each(Object.keys(contents))('reads %s.h5 as h5py does', async (name) => {
    const content = contents[name]!
    expect(described(await openHdf5(fixture(name)))).toEqual(typeof content === 'string' ? contents[content] : content)
  })

  it.each(readdirSync(new URL('hdf5/refused/', golden)))('refuses %s', async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(`hdf5/refused/${name}`, golden)))
    const error = await openHdf5(bytes)
      .then(described)
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(FormatError)
  })
})
