// Dataset.save: what is written is read again, by our readers, and has the form that numpy.load and pandas.read_csv expect.
// modes: simd

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ArgumentError, DataError, tensor } from '../../src'
import { Dataset, imageFolder, readCsv, readNpz } from '../../src/data'

const folder = mkdtempSync(join(tmpdir(), 'myelin-save-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a data set is saved', () => {
  it('as .npz, with the names of its parts', async () => {
    const rows = [
      [[0.1, -2, 3e-8], 1],
      [[4, 5, 6], 0],
    ]
    await Dataset.from(rows).save(join(folder, 'rows.npz'))
    const { x, y } = await readNpz(join(folder, 'rows.npz'))
    expect(x!.toArray()).toEqual(tensor(rows.map(([each]) => each) as number[][]).toArray())
    expect(y!.toArray()).toEqual([1, 0])
    const named = [{ x: { image: tensor([[1, 2]]), age: 3 }, y: true, sampleWeight: 0.5 }]
    await Dataset.from(named).save(pathToFileURL(join(folder, 'named.npz')))
    const arrays = await readNpz(join(folder, 'named.npz'))
    expect(Object.fromEntries(Object.entries(arrays).map(([key, { shape, dtype }]) => [key, [dtype, shape]]))).toEqual({
      'x/image': ['float32', [1, 1, 2]],
      'x/age': ['float32', [1]],
      y: ['bool', [1]],
      sample_weight: ['float32', [1]],
    })
    await Dataset.fromTensorSlices({ x: tensor([[1], [2]]), y: [3, 4] })
      .batch(2)
      .unbatch()
      .save(join(folder, 'batches.npz'))
    expect((await readNpz(join(folder, 'batches.npz')))['x']!.toArray()).toEqual([[1], [2]])
  })

  it('as .csv, with every float32 as it is', async () => {
    const numbers = [0.1, 1 / 3, -16777215, 1.17549435e-38, 3.4028235e38, 1e-45].map(Math.fround)
    const rows = numbers.map((value, i) => ({ pair: [value, i], text: `a "${i}",\n`, missing: Number.NaN }))
    const path = join(folder, 'rows.csv')
    await Dataset.from(rows).save(path)
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe('pair_0,pair_1,text,missing')
    const found = await readCsv(path, { types: { text: 'string' }, missing: { missing: 0 } }).toArray()
    expect(found.map((row) => Math.fround(Number(row['pair_0'])))).toEqual(numbers)
    expect(found.map(({ text }) => text)).toEqual(rows.map(({ text }) => text))
  })

  it('as .csv, with every int32 as it is', async () => {
    const path = join(folder, 'integers.csv')
    const integers = [2 ** 25, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), 123456789]
    await Dataset.from(integers.map((each) => ({ id: tensor([each], [], 'int32') }))).save(path)
    expect(readFileSync(path, 'utf8').trim().split('\n').slice(1).map(Number)).toEqual(integers)
  })

  it('as no images at all if one of them is wrong', async () => {
    const saved = Dataset.from([
      [tensor([[[9]]]), 'a'],
      [tensor([[[9]]]), '..'],
    ]).save(`${folder}/half/`)
    await expect(saved).rejects.toThrow(DataError)
    expect(readdirSync(folder)).not.toContain('half')
  })

  it('as a folder of images', async () => {
    const pictures = Array.from({ length: 12 }, (_, i) => [
      tensor([[[i, 0, 255]], [[7, 20 * i, 1]]]),
      i % 2 === 0 ? 'cat' : 'dog',
    ])
    await Dataset.from(pictures).save(`${folder}/pictures/`)
    expect(readdirSync(join(folder, 'pictures', 'cat'))).toEqual([
      '00.png',
      '02.png',
      '04.png',
      '06.png',
      '08.png',
      '10.png',
    ])
    const again = await imageFolder(join(folder, 'pictures'), { imageSize: [2, 1], batchSize: null, shuffle: false })
    const [[image, label]] = (await again.toArray()) as never as [[{ toArray(): unknown }, unknown]]
    expect(again.classNames).toEqual(['cat', 'dog'])
    expect([image.toArray(), Number(label)]).toEqual([[[[0, 0, 255]], [[7, 0, 1]]], 0])
  })

  it.each<[string, readonly unknown[], string, typeof DataError | typeof ArgumentError, RegExp]>([
    ['into another format', [1], 'rows.txt', ArgumentError, /\.npz, in \.csv, or in \//],
    ['without elements', [], 'none.npz', DataError, /no elements/],
    ['strings as arrays', [{ text: 'a' }], 'text.npz', DataError, /'text' has strings/],
    ['matrices as a table', [{ x: [[1, 2]], y: 1 }], 'm.csv', DataError, /several axes/],
    ['images without a class', [tensor([[[1]]])], 'none/', DataError, /\[image, class\]/],
    ['images with numbers below 1', [[tensor([[[0.5]]]), 1]], 'small/', DataError, /Multiply them by 255/],
    ['images of a class that leaves the folder', [[tensor([[[9]]]), '../a']], 'up/', DataError, /\[image, class\]/],
  ])('but not %s', async (_title, elements, path, kind, message) => {
    const saved = Dataset.from(elements).save(`${folder}/${path}`)
    await expect(saved).rejects.toThrow(kind)
    await expect(saved).rejects.toThrow(message)
  })

  it('but not an endless one', async () => {
    await expect(Dataset.range(3).repeat().save(join(folder, 'e.npz'))).rejects.toThrow(/no end/)
  })
})
