// Dataset.save: what is written is read again, by our readers, and has the form that numpy.load and pandas.read_csv expect.
// modes: simd

import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ArgumentError, DataError, tensor, type Tensor } from '../../src'
import { Dataset, imageFolder, readCsv, readNpz, timeseriesDataset } from '../../src/entries/data'

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

  it('as .csv, with every double as it is', async () => {
    const path = join(folder, 'doubles.csv')
    const doubles = [16777217, 1700000000123, 0.1, 1 / 3, -1.5e300, 2 ** 53, 5e-324]
    const read = (): number[] =>
      readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[0]))
    for (const data of [
      Dataset.from(doubles.map((time) => ({ time, other: [1] }))),
      Dataset.fromTensorSlices({ time: doubles }),
      Dataset.fromTensorSlices({ time: Float64Array.from(doubles) }),
      Dataset.fromTensorSlices({ time: doubles.map((each) => [each, 1]) }).shuffle(1),
    ]) {
      await data.save(path)
      expect(read()).toEqual(doubles)
    }
  })

  it('as they were given, after they were batches', async () => {
    const rows = [1764572400123, 16777217, 0.1, 1234567.891].map((t, i) => ({ t, b: [16777219 + 2 * i, 0.2], c: 'a' }))
    const numbers = rows.map(({ t, b }) => ({ t, b }))
    const [path, npz] = [join(folder, 'rows.csv'), join(folder, 'rows.npz')]
    await Dataset.from(rows).save(path)
    const expected = readFileSync(path, 'utf8')
    const slices = Dataset.fromTensorSlices({
      t: rows.map(({ t }) => t),
      b: rows.map(({ b }) => b),
      c: rows.map(({ c }) => c),
    })
    for (const data of [
      Dataset.from(rows).batch(3).unbatch(),
      Dataset.from(rows).paddedBatch(2).unbatch(),
      Dataset.from(rows).batch(2).unbatch().batch(3).prefetch(1).unbatch(),
      Dataset.from(rows).batch(4).unbatch().shuffle(1),
      slices.batch(3).unbatch(),
      slices
        .batch(3)
        .map((each) => each)
        .unbatch()
        .take(4),
    ] as Dataset<unknown>[]) {
      await data.save(path)
      expect(readFileSync(path, 'utf8')).toBe(expected)
    }
    await expect(Dataset.from(numbers).batch(2).unbatch().save(npz)).rejects.toThrow(/'t' has 1764572400123 in row 0/)
    // Passes that are not saved are float32.
    const [batch] = await Dataset.from(numbers).batch(2).toArray()
    expect((batch as { t: Tensor }).t.data[1]).toBe(16777216)
  })

  it('as windows of a series', async () => {
    const path = join(folder, 'windows.csv')
    const series = [16777217, 16777219, 16777221, 0.1]
    for (const batchSize of [2, null]) {
      const windows = timeseriesDataset(series, { sequenceLength: 2, targets: series, batchSize }) as Dataset<unknown>
      await (batchSize === null ? windows : windows.unbatch()).save(path)
      expect(readFileSync(path, 'utf8')).toBe(
        'x_0,x_1,y\n16777217,16777219,16777217\n16777219,16777221,16777219\n16777221,0.1,16777221\n',
      )
    }
  })

  it('as .npz, with int32 as int32', async () => {
    const path = join(folder, 'int32.npz')
    const y = tensor([3, 16777217], undefined, 'int32')
    for (const data of [Dataset.fromTensorSlices({ y }), Dataset.from([{ y }]).unbatch()]) {
      await data.save(path)
      const found = (await readNpz(path))['y']!
      expect([found.dtype, [...found.data]]).toEqual(['int32', [3, 16777217]])
    }
    await Dataset.from([{ y: tensor(16777217, undefined, 'int32') }]).save(path)
    expect([...(await readNpz(path))['y']!.data]).toEqual([16777217])
  })

  it.each<[string, readonly unknown[], RegExp]>([
    [
      'integers',
      [{ id: 1 }, { id: 16777217 }],
      /'id' has 16777217 in row 1, which a float32 cannot hold: it would become 16777216/,
    ],
    ['halves', [8388608.5], /'x' has 8388608.5 in row 0, .* it would become 8388608/],
    ['amounts', [0.1, 1234567.891], /'x' has 1234567.891 in row 1/],
    ['times', [{ t: [0, 1700000000123] }], /'t' has 1700000000123 in row 0, element 1/],
    ['numbers beyond the range', [1, 1e39], /'x' has 1e\+39 in row 1/],
    ['numbers below the range', [[[1e-50], 0]], /'x' has 1e-50 in row 0/],
  ])('but not as .npz, if a float32 cannot hold %s', async (_name, rows, message) => {
    await expect(Dataset.from(rows).save(join(folder, 'large.npz'))).rejects.toThrow(message)
    expect(readdirSync(folder)).not.toContain('large.npz')
  })

  it('as a new folder of images, or an empty one, never among other pictures', async () => {
    const pictures = (count: number): Dataset<unknown> =>
      Dataset.from(Array.from({ length: count }, (_, i) => [tensor([[[i]]]), 'a']))
    const path = `${folder}/deep/new/`
    mkdirSync(path, { recursive: true })
    await pictures(12).save(path)
    await expect(pictures(3).save(path)).rejects.toThrow(/has files\. Remove them, or name a new folder/)
    expect(readdirSync(join(path, 'a'))).toHaveLength(12)
    expect(readdirSync(join(folder, 'deep'))).toEqual(['new'])
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

it('writes pictures into the empty folder to which a link leads', async () => {
  const picture = { x: tensor([[[0], [255]]]), y: 1 }
  mkdirSync(join(folder, 'linked'))
  symlinkSync(join(folder, 'linked'), join(folder, 'link'))
  symlinkSync(join(folder, 'absent'), join(folder, 'ahead'))
  for (const name of ['link', 'ahead']) {
    await Dataset.from([picture]).save(`${join(folder, name)}/`)
    expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true)
    expect(readdirSync(join(folder, name))).toHaveLength(1)
  }
})
