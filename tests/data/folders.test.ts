// Folders of texts, sounds and images, and WAV files.
// modes: simd

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { encode } from 'fast-png'
import { afterAll, describe, expect, it } from 'vitest'
import { DataError, type Tensor } from '../../src'
import {
  audioDatasetFromDirectory,
  imageDatasetFromDirectory,
  imageFolder,
  readWav,
  textDatasetFromDirectory,
} from '../../src/entries/data'

const root = mkdtempSync(join(tmpdir(), 'folders-'))
afterAll(() => rmSync(root, { recursive: true }))

type Sample = (view: DataView, at: number, value: number) => void
/** How numbers from −1 to 1 are written. */
const formats: Record<string, { kind: number; bits: number; write: Sample; error: number }> = {
  'PCM 8': { kind: 1, bits: 8, write: (v, at, x) => v.setUint8(at, Math.round(x * 127) + 128), error: 1 / 100 },
  'PCM 16': { kind: 1, bits: 16, write: (v, at, x) => v.setInt16(at, Math.round(x * 32767), true), error: 1e-4 },
  'PCM 24': {
    kind: 1,
    bits: 24,
    write: (v, at, x) => {
      const whole = Math.round(x * 8388607)
      v.setUint16(at, whole & 0xffff, true)
      v.setInt8(at + 2, whole >> 16)
    },
    error: 1e-6,
  },
  'PCM 32': { kind: 1, bits: 32, write: (v, at, x) => v.setInt32(at, Math.round(x * 2147483647), true), error: 1e-6 },
  float32: { kind: 3, bits: 32, write: (v, at, x) => v.setFloat32(at, x, true), error: 1e-7 },
}

/** A WAV file with a chunk of another kind and an odd size before the samples. */
function wav(values: readonly number[], name: string, channels = 1, rate = 8000, isExtensible = false): Uint8Array {
  const { kind, bits, write } = formats[name]!
  const width = bits / 8
  const head = isExtensible ? 40 : 16
  const bytes = new Uint8Array(12 + 8 + head + 8 + 4 + 8 + values.length * width)
  const view = new DataView(bytes.buffer)
  const text = (at: number, tag: string): void => [...tag].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)))
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVE')
  text(12, 'fmt ')
  view.setUint32(16, head, true)
  view.setUint16(20, isExtensible ? 0xfffe : kind, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, rate, true)
  view.setUint16(34, bits, true)
  if (isExtensible) view.setUint16(44, kind, true)
  let at = 20 + head
  text(at, 'LIST')
  view.setUint32(at + 4, 3, true)
  at += 12
  text(at, 'data')
  view.setUint32(at + 4, values.length * width, true)
  values.forEach((value, i) => write(view, at + 8 + i * width, value))
  return bytes
}

const values = [0, 0.5, -0.5, 0.99, -0.99, 0.125]

describe('readWav', () => {
  it.each(Object.keys(formats))('reads %s', async (name) => {
    for (const [channels, isExtensible] of [
      [1, false],
      [2, false],
      [3, true],
    ] as const) {
      const { audio, sampleRate } = await readWav(wav(values, name, channels, 44100, isExtensible))
      expect([audio.shape, sampleRate]).toEqual([[6 / channels, channels], 44100])
      audio.data.forEach((value: number, i: number) =>
        expect(Math.abs(value - values[i]!)).toBeLessThan(formats[name]!.error),
      )
    }
  })

  it('refuses truncated and damaged files at every length', async () => {
    const whole = wav(values, 'PCM 16')
    for (let length = 0; length < whole.length; length++)
      await expect(readWav(whole.slice(0, length)), `${length} bytes`).rejects.toBeInstanceOf(DataError)
  })

  it('ends or fails with a DataError for every changed byte', async () => {
    const whole = wav(values, 'PCM 24', 2)
    for (let at = 0; at < 60; at++)
      for (const value of [0, 1, 127, 255]) {
        const changed = whole.slice()
        changed[at] = value
        const result: unknown = await readWav(changed).catch((error: unknown) => error)
        expect(
          result instanceof DataError || (typeof result === 'object' && result !== null && 'audio' in result),
        ).toBe(true)
      }
  })

  it('refuses other formats and infinite samples', async () => {
    const other = wav(values, 'PCM 16')
    new DataView(other.buffer).setUint16(20, 6, true)
    await expect(readWav(other)).rejects.toThrow('received format 6 with 16 bits')
    await expect(readWav(wav([Infinity], 'float32'))).rejects.toThrow('not finite')
    await expect(readWav(new TextEncoder().encode('no sound at all'))).rejects.toThrow('is not a WAV file')
  })
})

describe('audioDatasetFromDirectory', () => {
  it('gives sounds of one length with their classes', async () => {
    const folder = join(root, 'sounds')
    for (const [name, sound] of [
      ['no/a.wav', [0.5, 0.25]],
      ['yes/b.wav', [1, 1, 1, 1]],
    ] as const) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), wav(sound, 'float32'))
    }
    const data = await audioDatasetFromDirectory(folder, { outputSequenceLength: 3, shuffle: false })
    expect(data.classNames).toEqual(['no', 'yes'])
    const [[x, y]] = (await data.toArray()) as [[Tensor, Tensor]]
    expect(x.toArray()).toEqual([
      [[0.5], [0.25], [0]],
      [[1], [1], [1]],
    ])
    expect(y.toArray()).toEqual([0, 1])
    const oneHot = await audioDatasetFromDirectory(folder, {
      outputSequenceLength: 2,
      labelMode: 'categorical',
      shuffle: false,
    })
    expect(((await oneHot.toArray()) as [[Tensor, Tensor]])[0][1].toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
    const binary = await audioDatasetFromDirectory(folder, {
      outputSequenceLength: 2,
      labelMode: 'binary',
      shuffle: false,
    })
    expect(((await binary.toArray()) as [[Tensor, Tensor]])[0][1].toArray()).toEqual([[0], [1]])
    const plain = await audioDatasetFromDirectory(folder, { outputSequenceLength: 2, labels: null, shuffle: false })
    expect(((await plain.toArray()) as [Tensor])[0].shape).toEqual([2, 2, 1])
    // Without a length, the shorter ones of a batch end with zeros, as in Keras.
    const padded = await audioDatasetFromDirectory(folder, { labels: null, shuffle: false })
    expect(((await padded.toArray()) as [Tensor])[0].toArray()).toEqual([
      [[0.5], [0.25], [0], [0]],
      [[1], [1], [1], [1]],
    ])
    await expect((await audioDatasetFromDirectory(folder, { samplingRate: 16000 })).toArray()).rejects.toThrow(
      '8000 samples per second',
    )
    await expect(audioDatasetFromDirectory(join(root, 'sounds', 'no'))).rejects.toThrow('has no .wav')
    await expect(audioDatasetFromDirectory(folder, { outputSequenceLength: 1e13 })).rejects.toThrow(
      'outputSequenceLength must be an integer ≤ 268435456',
    )
  })
})

describe('textDatasetFromDirectory', () => {
  it('gives texts with their classes, cut and split', async () => {
    const folder = join(root, 'texts')
    for (let i = 0; i < 10; i++) {
      const name = `${i % 2 === 0 ? 'neg' : 'pos'}/${i}.txt`
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), `text ${i} é`)
    }
    const all = (await (await textDatasetFromDirectory(folder, { shuffle: false, batchSize: null })).toArray()) as [
      string,
      number,
    ][]
    expect(all.map(([text]) => text).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `text ${i} é`))
    for (const [text, label] of all) expect(label).toBe(Number(text[5]) % 2)
    const options = { validationSplit: 0.3, seed: 4, batchSize: null, maxLength: 6 }
    const parts = await Promise.all(
      (['training', 'validation'] as const).map(async (subset) =>
        (await textDatasetFromDirectory(folder, { ...options, subset })).toArray(),
      ),
    )
    expect(parts.map(({ length }) => length)).toEqual([7, 3])
    expect((parts.flat() as [string][]).map(([text]) => text).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `text ${i}`),
    )
    const both = await textDatasetFromDirectory(folder, { ...options, subset: 'both' })
    expect(await Promise.all(both.map((part) => part.toArray()))).toEqual(parts)
    // Keras's spelling, with defaults.
    const said = { batch_size: null, max_length: 6, follow_links: false, verbose: true, format: 'tf', shuffle: false }
    expect(await (await textDatasetFromDirectory(folder, said as object)).toArray()).toHaveLength(10)
    await expect(textDatasetFromDirectory(folder, { followLinks: true })).rejects.toThrow('are not followed')
    writeFileSync(join(folder, 'neg', 'bad.txt'), new Uint8Array([0xff, 0xfe, 0x80]))
    await expect((await textDatasetFromDirectory(folder)).toArray()).rejects.toThrow()
  })
})

describe('files and labels of a folder', () => {
  const folder = join(root, 'labels')
  // In the order of Python's os.walk, by the path of the folder; U+FF21 comes before U+1F600.
  const names = ['z.txt', 'a/1.txt', 'a/2.txt', 'a-b/1.txt', 'a/b/1.txt', 'b/\uff21.txt', 'b/\u{1f600}.txt']
  for (const name of names) {
    mkdirSync(join(folder, dirname(name)), { recursive: true })
    writeFileSync(join(folder, name), `\u{1f600}${name}`)
  }
  const read = (options: object) => textDatasetFromDirectory(folder, { shuffle: false, batchSize: 10, ...options })

  it('are in the order of Keras', async () => {
    const paths = names.map((name) => join(folder, name))
    const all = await read({ labels: null })
    expect(all.files).toEqual(paths)
    expect(all.classNames).toEqual([])
    expect((await read({ labelMode: null })).files).toEqual(paths)
    const classes = await read({})
    expect(classes.classNames).toEqual(['a', 'a-b', 'b'])
    expect(classes.files).toEqual(['a/1.txt', 'a/2.txt', 'a/b/1.txt', 'a-b/1.txt', 'b/\uff21.txt', 'b/\u{1f600}.txt'].map((name) => join(folder, name))) // prettier-ignore
  })

  it('are labelled by a list', async () => {
    const given = await read({ labels: [7, 7, 2, 2, 10, 10, 7] })
    expect(given.classNames).toEqual(['2', '7', '10'])
    const [[, numbers]] = (await given.toArray()) as [[unknown, Tensor]]
    expect(numbers.toArray()).toEqual([7, 7, 2, 2, 10, 10, 7])
    const rows = await read({ labels: [0, 1, 2, 1, 0, 2, 2], labelMode: 'categorical' })
    const [[, oneHot]] = (await rows.toArray()) as [[unknown, Tensor]]
    expect(oneHot.toArray().slice(0, 3)).toEqual([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) // prettier-ignore
  })

  it('refuse lists of other lengths, classes without subfolders, and numbers that are no class', async () => {
    await expect(read({ labels: [1, 2] })).rejects.toThrow(/for each of the 7 texts, received 2/)
    await expect(read({ labels: [0, 1, 2, 1, 0, 2, 5], labelMode: 'categorical' })).rejects.toThrow(/from 0 to 3 .* received 5/) // prettier-ignore
    for (const options of [{ labels: null }, { labelMode: null }, { labels: [0, 0, 0, 0, 0, 0, 0] }])
      await expect(read({ ...options, classNames: ['a'] })).rejects.toThrow(/classNames are for labels: 'inferred'/)
    await expect(read({ classNames: ['a', 'a'] })).rejects.toThrow(/'a' twice/)
  })

  it('are cut between characters', async () => {
    const [batch] = (await (await read({ labels: null, maxLength: 2 })).toArray()) as [string[]]
    expect([...batch].slice(0, 2)).toEqual(['\u{1f600}z', '\u{1f600}a'])
  })
})

describe('images in proportion', () => {
  const folder = join(root, 'images')
  mkdirSync(join(folder, 'a'), { recursive: true })
  // 2 × 4: the columns are 10, 20, 30, 40.
  const data = Uint8Array.from({ length: 8 }, (_, i) => 10 * ((i % 4) + 1))
  writeFileSync(join(folder, 'a', 'x.png'), encode({ width: 4, height: 2, data, channels: 1, depth: 8 }))
  const image = async (options: object): Promise<unknown> => {
    const [first] = (await (
      await imageFolder(folder, {
        imageSize: [2, 2],
        labels: null,
        colorMode: 'grayscale',
        interpolation: 'nearest',
        batchSize: null,
        ...options,
      })
    ).toArray()) as Tensor[]
    return first!.toArray()
  }

  it('are cut, padded or stretched', async () => {
    expect(await image({ cropToAspectRatio: true })).toEqual([
      [[20], [30]],
      [[20], [30]],
    ])
    expect(await image({ padToAspectRatio: true, imageSize: [4, 4] })).toEqual([
      [[0], [0], [0], [0]],
      [[10], [20], [30], [40]],
      [[10], [20], [30], [40]],
      [[0], [0], [0], [0]],
    ])
    expect(await image({})).toEqual([
      [[20], [40]],
      [[20], [40]],
    ])
    // tf.image.resize_with_pad rounds 1.5 rows, and half of the other 1.5, down.
    expect(await image({ padToAspectRatio: true, imageSize: 3 })).toEqual([
      [[10], [30], [40]],
      [[0], [0], [0]],
      [[0], [0], [0]],
    ])
    await expect(image({ cropToAspectRatio: true, padToAspectRatio: true })).rejects.toThrow('exclude each other')
    await expect(image({ channels: 3 })).rejects.toThrow('1 channels, received channels 3')
  })

  it("have Keras's default size", async () => {
    const [batch] = (await (await imageDatasetFromDirectory(folder, { labels: null })).toArray()) as Tensor[]
    expect(batch!.shape).toEqual([1, 256, 256, 3])
    const given: object = { image_size: [2, 3], label_mode: null, data_format: 'channels_last', color_mode: 'rgb' }
    const [small] = (await (await imageDatasetFromDirectory(folder, given as { labels: null })).toArray()) as Tensor[]
    expect(small!.shape).toEqual([1, 2, 3, 3])
  })

  it("have both parts with the subset 'both'", async () => {
    const many = join(root, 'many')
    mkdirSync(join(many, 'a'), { recursive: true })
    for (let i = 0; i < 5; i++)
      writeFileSync(join(many, 'a', `${i}.png`), encode({ width: 4, height: 2, data, channels: 1, depth: 8 }))
    const options = { imageSize: [2, 2], validationSplit: 0.4, seed: 1 }
    const [train, validation] = await imageDatasetFromDirectory(many, { ...options, subset: 'both' })
    expect([train.files.length, validation.files.length]).toEqual([3, 2])
    expect(new Set([...train.files, ...validation.files]).size).toBe(5)
  })
})
