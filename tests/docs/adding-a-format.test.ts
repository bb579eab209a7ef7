// The edits of docs/adding-a-format.md: the compiler asks for each row that is missing, and all of them together, in a copy of the
// sources, are a format that models write and read.
// modes: simd

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type * as List from '../../src/files/containers/format-list'
import type * as Library from '../../src/entries/node'
import type * as Weights from '../../src/entries/weights'
import type * as Formats from '../../src/files/weights/formats'
import { checkArrayFormat } from '../helpers/array-format'
import { readDocument } from '../helpers/documented'
import { SourceCopy, compilerOf, editsOf } from '../helpers/page-edits'

const KINDS = ['ending', 'test', 'kind', 'file', 'row'] as const
type Kind = (typeof KINDS)[number]
const edits = editsOf('docs/adding-a-format.md', KINDS)
const fileOf = (kind: Kind): string => edits.find((edit) => edit.kind === kind)!.file

/** The first lines of the tables. */
const TABLES: Readonly<Partial<Record<Kind, RegExp>>> = {
  ending: /^export const weightEndings = \{\n/m,
  kind: /^export const weightKinds: .* = \{\n/m,
  row: /^export const weightFormats: .* = \{\n/m,
}

/** The files with some edits: a row goes into its table and its import to the top, a test to the end, and a file is new. */
function textsWith(kinds: readonly Kind[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { kind, file, code } of edits.filter((edit) => kinds.includes(edit.kind))) {
    const text = kind === 'file' ? '' : (texts.get(file) ?? readDocument(file))
    const table = TABLES[kind]
    const [, imports, row] = /^((?:import .*\n)*)([^]*)$/.exec(code)!
    if (table !== undefined) expect(text).toMatch(table)
    texts.set(file, table === undefined ? `${text}\n${code}` : imports! + text.replace(table, (start) => start + row!))
  }
  return texts
}

it('there are five', () => {
  expect(edits.map(({ kind }) => kind)).toEqual(KINDS)
})

describe('the compiler', () => {
  const compile = compilerOf([...new Set(edits.map(({ file }) => file))])
  const missing = `Property 'jsonLines' is missing in type`

  it.each<[string, Kind[], Kind[]]>([
    ['ending', ['ending'], ['kind', 'row']],
    ['recognition', ['ending', 'test', 'kind'], ['row']],
    ['reader and writer', ['ending', 'test', 'kind', 'file'], ['row']],
    ['row', [...KINDS], []],
  ])('asks for the tables that lack the format after the step %s', (_title, made, wanted) => {
    const reports = compile(textsWith(made))
    expect(reports.split('\n').filter((line) => line.includes(missing))).toHaveLength(wanted.length)
    for (const kind of wanted) expect(reports).toContain(`${fileOf(kind)}: ${missing}`)
    if (wanted.length === 0) expect(reports).toBe('')
    expect(readDocument('docs/adding-a-format.md')).toContain(`\`${missing}\``)
  })
})

describe('a copy of the sources with the edits', () => {
  const copy = new SourceCopy('adding-a-format')
  let folder: string
  let library: typeof Library
  let list: typeof List
  /** The name and the path of the page, which the types of these sources lack. */
  const name = 'jsonLines' as List.WeightFormat
  const path = (): string => join(folder, 'net.jsonl')

  beforeAll(async () => {
    copy.make(['src', 'assembly'], textsWith(KINDS))
    folder = mkdtempSync(join(tmpdir(), 'adding-a-format-'))
    library = (await copy.load('src/entries/node.ts')) as typeof Library
    list = (await copy.load('src/files/containers/format-list.ts')) as typeof List
  }, 120_000)
  afterAll(() => {
    copy.remove()
    rmSync(folder, { recursive: true })
  })

  const made = (units = 2): Library.Sequential =>
    new library.Sequential([
      new library.Dense({ units: 3, inputShape: [4] }),
      new library.BatchNormalization(),
      new library.Dense({ units }),
    ])
  const numbers = (model: Library.Sequential): number[][] => model.getWeights().map(({ data }) => Array.from(data))

  it('has the laws of all formats of named arrays', async () => {
    const { weightFormatIn, weightFormats } = (await copy.load('src/files/weights/formats.ts')) as typeof Formats
    const format = weightFormats[name]
    await checkArrayFormat(format as Extract<typeof format, { read: unknown }>, name, list, weightFormatIn)
  })

  it('saves and loads weights by the ending and by the content', async () => {
    const [model, other] = [made(), made()]
    const bytes = await model.saveWeights(path())
    expect(new Uint8Array(readFileSync(path()))).toEqual(new Uint8Array(bytes))
    expect(numbers(other)).not.toEqual(numbers(model))
    await other.loadWeights(path())
    expect(numbers(other)).toEqual(numbers(model))
    const { writeWeights } = (await copy.load('src/entries/weights.ts')) as typeof Weights
    expect(await writeWeights(model, null, { format: name })).toEqual(bytes)
  })

  it('takes a mapping and skipMismatch', async () => {
    const [model, other, larger] = [made(), made(), made(5)]
    await model.saveWeights(path())
    await other.loadWeights(path(), { mapping: (array) => array })
    expect(numbers(other)).toEqual(numbers(model))
    const kept = numbers(larger)
    const told = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await larger.loadWeights(path(), { skipMismatch: true })
    expect(told).toHaveBeenCalledOnce()
    told.mockRestore()
    expect(numbers(larger)).toEqual([...numbers(model).slice(0, -2), ...kept.slice(-2)])
  })

  it('refuses damaged files, and the model keeps its weights', async () => {
    const model = made()
    const bytes = await made().saveWeights()
    const text = new TextDecoder().decode(await made().saveWeights(path()))
    const before = numbers(model)
    const damaged: [string, RegExp][] = [
      [text.slice(0, -1), /its first line does not fit/],
      [text.replace('"float32"', '"float33"'), /line 2 is not an array/],
      [text.replace('"shape":[4,3]', '"shape":[4,4]'), /has 12 numbers, and the shape \[4, 4\]/],
      [text.replace('"data":[', '"data":[null,').replace('"shape":[4,3]', '"shape":[13]'), /has null, which is not/],
      [text.replace('"data":', '"data"'), /line 2, is not JSON/],
      [text.replace(/^(.*\n)(.*\n).*\n/, '$1$2$2'), /twice/],
    ]
    for (const [content, message] of damaged) {
      writeFileSync(path(), content)
      const error = model.loadWeights(path())
      await expect(error).rejects.toThrow(library.FormatError)
      await expect(error).rejects.toThrow(message)
    }
    expect(numbers(model)).toEqual(before)
    await model.loadWeights(bytes)
  })

  it('is named by errors', async () => {
    const bytes = await made().saveWeights(path())
    await expect(library.loadModel(bytes)).rejects.toThrow(
      'it is weights as lines of JSON (.jsonl). Make the same model here and load its weights with model.loadWeights.',
    )
    await expect(made().saveWeights(join(folder, 'net.bin'))).rejects.toThrow(/one of .*\.jsonl/)
    expect(() => new library.ModelCheckpoint({ filepath: 'a.onnx', saveWeightsOnly: true })).toThrow('.jsonl')
    const { writeWeights } = (await copy.load('src/entries/weights.ts')) as typeof Weights
    await expect(writeWeights(made(), null, { format: 'nothing' as never })).rejects.toThrow("'jsonLines'")
    await expect(writeWeights(made(), null, { format: 'h5', mapping: {} })).rejects.toThrow('.jsonl')
  })
})
