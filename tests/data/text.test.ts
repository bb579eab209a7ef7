// readJsonLines and readText: every line once, and the reports of bad ones.
// modes: simd

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src'
import { RowError, readJsonLines, readText } from '../../src/entries/data'

const folder = mkdtempSync(join(tmpdir(), 'myelin-text-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pieces = (content: string, length: number) => () => {
  const bytes = new TextEncoder().encode(content)
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.slice(i * length, (i + 1) * length))
}

describe('readJsonLines', () => {
  it('gives every value once, for any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        async (values, length, end) => {
          const lines = values.map((value) => JSON.stringify(value))
          expect(await readJsonLines(pieces(lines.join(end), length)).toArray()).toEqual(
            lines.map((line) => JSON.parse(line) as unknown),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('reports a bad line, or collects it', async () => {
    const text = '{"a":1}\n{"a":2\n\n{"a":3}\n'
    await expect(readJsonLines({ text }).toArray()).rejects.toMatchObject({
      name: 'RowError',
      file: 'the text',
      line: 2,
      value: '{"a":2',
    })
    const values = readJsonLines<{ a: number }>({ text }, { onError: 'collect' })
    for (let pass = 0; pass < 2; pass++) {
      expect(await values.toArray()).toEqual([{ a: 1 }, { a: 3 }])
      expect(values.errors.map(({ line }) => line)).toEqual([2])
    }
    expect(values.errors[0]).toBeInstanceOf(RowError)
    expect(await readJsonLines({ text: '' }).toArray()).toEqual([])
  })
})

describe('readText', () => {
  const [one, two] = [join(folder, 'one.txt'), join(folder, 'two.txt')]
  writeFileSync(one, '\ufeffa\r\nb\n\nc')
  writeFileSync(two, 'd\n')

  it('lines and files, from one source or several', async () => {
    expect(await readText(one).toArray()).toEqual(['a', 'b', '', 'c'])
    expect(await readText([one, two]).toArray()).toEqual(['a', 'b', '', 'c', 'd'])
    expect(await readText([one, two], { by: 'file' }).toArray()).toEqual(['a\r\nb\n\nc', 'd\n'])
    expect(await readText({ text: 'x\ny' }, { by: 'file' }).toArray()).toEqual(['x\ny'])
    expect(await readText(() => [Uint8Array.of(0xfc)], { encoding: 'windows-1252' }).toArray()).toEqual(['ü'])
    expect(await readText(new Blob(['a\nb'])).toArray()).toEqual(['a', 'b'])
  })

  it('reports the line that is not text', async () => {
    await expect(readText(() => [Uint8Array.of(97, 10, 0xff)]).toArray()).rejects.toMatchObject({
      line: 2,
      message: expect.stringMatching(/not utf-8/),
    })
    expect(() => readText([])).toThrow(ArgumentError)
    expect(() => readText(() => [Uint8Array.of(97, 0)], { encoding: 'utf-16' })).toThrow(/cannot be separated/)
  })
})
