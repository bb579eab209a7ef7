// docs/data.md and docs/tables.md: their code, run unchanged on the files that they describe.
// modes: simd

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import * as myelin from '../../src'
import * as data from '../../src/data'
import * as explain from '../../src/explain'
import * as plot from '../../src/plot'
import { readDocument, runBlocks, testedBlocks } from '../helpers/documented'

it('has code that runs unchanged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-document-'))
  // Its paths are in that folder.
  const there = (path: unknown): unknown => (typeof path === 'string' ? join(folder, path) : path)
  const placed = Object.fromEntries(
    ['readCsv', 'readText', 'readJsonLines', 'readImage', 'imageFolder', 'readNpz', 'writeNpz'].map((name) => {
      const own = Reflect.get(data, name) as (...given: unknown[]) => unknown
      return [name, (...given: unknown[]) => own(...given.map(there))]
    }),
  )
  const document = readDocument('docs/data.md')
  const flats = /^`flats\.csv`:\n\n```\n([\s\S]*?)```/m.exec(document)![1]!
  try {
    writeFileSync(join(folder, 'flats.csv'), flats)
    writeFileSync(join(folder, 'new-flats.csv'), flats.split('\n').slice(0, 4).join('\n'))
    writeFileSync(join(folder, 'digits.csv'), 'label,p0,p1\n7,0,255\n1,51,0\n')
    writeFileSync(join(folder, 'poem.txt'), 'one\n\ntwo\n')
    writeFileSync(join(folder, 'reviews.jsonl'), '{"stars":5}\n{"stars":3}\n{"stars":1}\n')
    cpSync(new URL('../golden/data/animals', import.meta.url).pathname, join(folder, 'animals'), { recursive: true })
    const features = Array.from({ length: 40 }, (_, i) => [i / 40, i % 3])
    const made = await runBlocks(
      testedBlocks(document),
      { ...myelin, ...data, ...placed },
      { features, classes: features.map((_, i) => Number(i > 25)) },
      [
        'first',
        'columns',
        'vocabulary',
        'means',
        'numbers',
        'unseen',
        'batch',
        'history',
        'loss',
        'rents',
        'pixels',
        'labels',
        'lines',
        'praise',
        'photo',
        'grey',
        'train',
        'validation',
        'x',
        'y',
        'xTest',
        'yTest',
        'mean',
        'std',
        'windows',
      ],
    )
    expect(made.first).toEqual([{ rooms: 2, area: 54.5, built: 893980800000, heating: 1 }, 720])
    expect(made.vocabulary).toEqual({ heating: ['district, new', 'gas', 'pump'] })
    expect(made.columns).toHaveLength(5)
    expect(made.means.area).toBeCloseTo((54.5 + 81 + 102.5) / 3)
    expect(await made.unseen.toArray()).toMatchObject([{}, {}, { x: [1, made.means.area, 1] }])
    expect(made.numbers.toArray()).toEqual([2, 1, 2])
    expect([made.batch.x.shape, made.batch.y.shape]).toEqual([[4, 3], [4]])
    expect([made.pixels.toArray(), made.labels.toArray()]).toEqual([
      [
        [0, 1],
        [expect.closeTo(0.2), 0],
      ],
      [7, 1],
    ])
    expect(made.history.history.valLoss).toHaveLength(20)
    expect(made.loss).toBeGreaterThan(0)
    expect(made.rents.shape).toEqual([3, 1])
    expect(await made.lines.toArray()).toEqual(['one', 'two'])
    expect(made.praise).toEqual([true, false])
    expect([made.photo.shape, made.grey.shape]).toEqual([
      [4, 9, 3],
      [4, 9, 1],
    ])
    expect([made.train.files.length, made.validation.files.length, made.train.classNames]).toEqual([
      4,
      2,
      ['cat', 'dog', 'elk'],
    ])
    expect([made.x.toArray(), made.y.toArray()]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [0, 1],
    ])
    expect([made.xTest.length, made.yTest.length]).toEqual([8, 8])
    expect(Object.keys(made.mean)).toEqual(['loss', 'accuracy'])
    expect(made.std.loss).toBeGreaterThanOrEqual(0)
    const [[x, goals]] = await made.windows.toArray()
    expect([x.shape, goals.shape]).toEqual([[73, 14], [73]])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('docs/tables.md has code that runs unchanged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-tables-'))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const document = readDocument('docs/tables.md')
  const passengers = /^`passengers\.csv`:\n\n```\n([\s\S]*?)```/m.exec(document)![1]!
  const read = (source: unknown, options: object): unknown =>
    data.readCsv((typeof source === 'string' ? join(folder, source) : source) as never, options)
  try {
    writeFileSync(join(folder, 'passengers.csv'), passengers)
    myelin.setRandomSeed(1)
    const made = await runBlocks(
      testedBlocks(document),
      { ...myelin, ...data, ...explain, ...plot, readCsv: read },
      {},
      ['answer', 'worth', 'why', 'numbers', 'own', 'same', 'prices', 'answerTo'],
    )
    const ask = async (row: object): Promise<unknown> =>
      (await made.answerTo(new Request('https://localhost', { method: 'POST', body: JSON.stringify(row) }))).json()
    const passenger = { class: 1, sex: 'female', age: null, boarded: '1912-04-10' }
    expect(await ask(passenger)).toEqual(made.answer)
    expect(await ask({ ...passenger, age: 'old' })).toEqual({
      error: expect.stringContaining("column 'age': expected a number, received 'old'"),
    })
    expect(made.answer).toMatchObject({
      label: 'yes',
      probabilities: { no: expect.any(Number), yes: expect.any(Number) },
    })
    expect(made.same).toEqual(made.answer)
    expect(Object.keys(made.worth.importances)).toEqual(['class', 'sex', 'age', 'boarded'])
    expect(made.why.attributions.sex.shape).toEqual([1])
    expect(made.numbers).toEqual(['class', 'age'])
    expect(Object.keys(made.own.table.columns)).toEqual(['class', 'sex', 'age'])
    expect(made.prices).toEqual([{ brot: 'Weizen', preis: 1234.5 }, { brot: 'Roggen', preis: 3.25 }]) // prettier-ignore
    expect(log.mock.calls.flat().join('\n')).toContain("target 'survived': classification (2 classes: no, yes)")
  } finally {
    log.mockRestore()
    rmSync(folder, { recursive: true })
  }
})
