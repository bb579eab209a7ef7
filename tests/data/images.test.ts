// Images: compared with Pillow and Keras on the same files (tests/golden/data); pages are simulated by small stand-ins.
// modes: simd

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { ArgumentError, DataError, StateError, ops, type Tensor } from '../../src'
import { Dataset, fromPixels, imageFolder, readImage, webcamFrames } from '../../src/entries/data'
import golden from '../golden/data.json' with { type: 'json' }

const file = (name: string): string => new URL(`../golden/data/${name}`, import.meta.url).pathname
const temporary = mkdtempSync(join(tmpdir(), 'myelin-images-'))
afterAll(() => rmSync(temporary, { recursive: true }))
afterEach(() => vi.unstubAllGlobals())

const flat = (values: unknown): number[] => (values as unknown[]).flat(3) as number[]

describe('readImage', () => {
  const { 'deep.png': deep, ...others } = golden.images
  it.each(Object.entries(others))('%s, like Pillow', async (name, modes) => {
    for (const [mode, channels] of [
      ['L', 1],
      ['RGB', 3],
      ['RGBA', 4],
    ] as const) {
      const image = await readImage(file(name), { channels })
      const expected = flat(modes[mode])
      expect(image.shape).toEqual([modes.L.length, modes.L[0]!.length, channels])
      const distance = Math.max(...expected.map((value, i) => Math.abs(value - image.data[i]!)))
      expect(distance).toBe(0)
    }
  })

  it('16 bits, scale and dtype', async () => {
    const image = await readImage(file('deep.png'), { channels: 1 })
    flat(deep.deep).forEach((value, i) => expect(image.data[i]).toBeCloseTo(value / 257, 4))
    const scaled = await readImage(readFileSync(file('gray.png')), { channels: 1, scale: 1 / 255 })
    expect(Math.max(...scaled.data)).toBeLessThanOrEqual(1)
    const integers = await readImage(new Blob([readFileSync(file('rgb.png'))]), { dtype: 'int32' })
    expect(integers.dtype).toBe('int32')
    expect([...integers.data]).toEqual(flat(golden.images['rgb.png'].RGB))
  })

  it('reports which image is broken', async () => {
    for (const name of ['rgb.png', 'color.jpg']) {
      const path = join(temporary, `half-${name}`)
      writeFileSync(path, readFileSync(file(name)).subarray(0, 60))
      await expect(readImage(path)).rejects.toThrow(DataError)
      await expect(readImage(path)).rejects.toThrow(new RegExp(`half-${name} is a broken picture`))
    }
    await expect(readImage({ text: 'GIF89a' })).rejects.toThrow('the text is neither a PNG nor a JPEG file')
    await expect(readImage(join(temporary, 'none.png'))).rejects.toThrow(/none\.png/)
    await expect(readImage(file('rgb.png'), { channels: 2 } as never)).rejects.toThrow(/must be 1, 3 or 4, received 2/)
  })

  it('refuses an image whose header has a too large size, before decoding it', async () => {
    const bytes = new Uint8Array(readFileSync(file('gray.png')))
    const view = new DataView(bytes.buffer)
    view.setUint32(16, 9920)
    view.setUint32(20, 14032)
    await expect(readImage(bytes)).rejects.toThrow('a picture of 9920 × 14032 has more than')
  })

  it('resizes to an imageSize, as imageFolder does', async () => {
    const bytes = readFileSync(file('rgb.png'))
    const whole = await readImage(bytes, { scale: 1 / 255 })
    for (const [options, expected] of [
      [{}, {}],
      [{ interpolation: 'bicubic' }, { interpolation: 'bicubic' }],
      [{ cropToAspectRatio: true }, { cropToAspectRatio: true }],
    ] as const) {
      const image = await readImage(bytes, { imageSize: [5, 7], scale: 1 / 255, ...options })
      expect(image.shape).toEqual([5, 7, 3])
      expect(image.data).toEqual(ops.image.resize(whole, [5, 7], expected).data)
    }
    expect((await readImage(bytes, { imageSize: 6, channels: 1, padToAspectRatio: true, dtype: 'int32' })).shape).toEqual([6, 6, 1]) // prettier-ignore
    const pixels = { width: 2, height: 2, data: new Uint8Array(16).fill(7) }
    expect((await readImage(pixels, { imageSize: [1, 3], channels: 1 })).toArray()).toEqual([[[7], [7], [7]]])
    await expect(readImage(bytes, { imageSize: [0, 3] })).rejects.toThrow(/imageSize/)
    await expect(readImage(bytes, { interpolation: 'nearest' })).rejects.toThrow(/interpolation needs an imageSize/)
    await expect(readImage(bytes, { imageSize: 4, cropToAspectRatio: true, padToAspectRatio: true })).rejects.toThrow('exclude each other') // prettier-ignore
    await expect(readImage(bytes, { imageSize: 1e5 })).rejects.toThrow(/at most 67108864 pixels/)
  })

  it('decodes files itself where canvases cannot draw, as in Deno', async () => {
    vi.stubGlobal('createImageBitmap', async () => ({ width: 1, height: 1, close: () => undefined }))
    vi.stubGlobal('OffscreenCanvas', class { getContext = () => null }) // prettier-ignore
    const image = await readImage(file('rgb.png'))
    expect([...image.data]).toEqual(flat(golden.images['rgb.png'].RGB))
    const [batch] = await (await imageFolder(file('animals'), { imageSize: 4 })).toArray()
    expect(batch![0].shape).toEqual([6, 4, 4, 3])
  })

  it('uses the decoder of the browser in a page', async () => {
    const closed = vi.fn()
    const drawnOn = {
      drawImage: vi.fn(),
      getImageData: () => ({ data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) }),
    }
    vi.stubGlobal('createImageBitmap', async (blob: Blob) => ({ width: 2, height: 1, close: closed, size: blob.size }))
    vi.stubGlobal(
      'OffscreenCanvas',
      class {
        getContext = () => drawnOn
      },
    )
    const image = await readImage(new Blob(['anything']))
    expect([image.shape, [...image.data]]).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4, 5, 6],
    ])
    expect(drawnOn.drawImage).toHaveBeenCalledWith(expect.objectContaining({ size: 8 }), 0, 0, 2, 1)
    expect(closed).toHaveBeenCalledOnce()
    vi.stubGlobal('createImageBitmap', async () => Promise.reject(new Error('The source image could not be decoded.')))
    await expect(readImage({ text: 'x' })).rejects.toThrow(
      'the text is a broken picture: The source image could not be decoded.',
    )
  })
})

describe('fromPixels', () => {
  const picture = { width: 1, height: 2, data: Uint8ClampedArray.of(255, 0, 0, 255, 10, 20, 30, 40) }
  it('takes an ImageData, a canvas and drawable elements', () => {
    const canvas = { width: 1, height: 2, getContext: () => ({ getImageData: () => picture }) }
    for (const source of [picture, canvas as unknown as OffscreenCanvas]) {
      expect(fromPixels(source).toArray()).toEqual([[[255, 0, 0]], [[10, 20, 30]]])
      expect(fromPixels(source, { channels: 1 }).toArray()).toEqual([[[76]], [[18]]])
      expect(fromPixels(source, { channels: 4, dtype: 'int32' }).toArray()).toEqual([
        [[255, 0, 0, 255]],
        [[10, 20, 30, 40]],
      ])
    }
    vi.stubGlobal('document', {
      createElement: () => ({ getContext: () => ({ drawImage: () => {}, getImageData: () => picture }) }),
    })
    expect(fromPixels({ naturalWidth: 1, naturalHeight: 2, width: 50 } as HTMLImageElement).shape).toEqual([2, 1, 3])
  })

  it('refuses values without pixels', () => {
    expect(() => fromPixels({ naturalWidth: 0, naturalHeight: 0 } as HTMLImageElement)).toThrow(/no pixels yet/)
    expect(() => fromPixels({ naturalWidth: 3, naturalHeight: 1 } as HTMLImageElement)).toThrow(StateError)
    expect(() => fromPixels({ ...picture, width: 9 })).toThrow(/must have 72 bytes .*received 8/)
    for (const wrong of ['a.png', null, {}]) expect(() => fromPixels(wrong as never)).toThrow(ArgumentError)
  })
})

describe('webcamFrames', () => {
  const page = () => {
    const stopped = vi.fn()
    let frames = 0
    const context = { drawImage: () => {}, getImageData: () => ({ data: Uint8ClampedArray.of(++frames, 0, 0, 255) }) }
    const video = Object.assign(new EventTarget(), {
      videoWidth: 1,
      videoHeight: 1,
      ended: false,
      play: async () => {},
      requestVideoFrameCallback: (then: () => void) => void setTimeout(then, 1),
    })
    vi.stubGlobal('document', {
      createElement: (name: string) => (name === 'video' ? video : { getContext: () => context }),
    })
    vi.stubGlobal('navigator', {
      mediaDevices: { getUserMedia: async () => ({ getTracks: () => [{ stop: stopped }] }) },
    })
    return { stopped, video }
  }

  it('gives one frame at a time, and switches the camera off when the loop ends', async () => {
    const { stopped } = page()
    const seen: number[] = []
    for await (const frame of webcamFrames()) {
      expect(frame.shape).toEqual([1, 1, 3])
      seen.push(frame.data[0]!)
      if (seen.length === 3) break
    }
    expect(seen).toEqual([1, 2, 3])
    expect(stopped).toHaveBeenCalledOnce()
  })

  it('ends with the video, leaves a given camera on, and works as a Dataset', async () => {
    const { stopped, video } = page()
    const frames = Dataset.from(() => webcamFrames(video as unknown as HTMLVideoElement, { channels: 1 })).map(
      (frame, i) => {
        if (i === 1) {
          video.ended = true
          video.dispatchEvent(new Event('ended'))
        }
        return frame.shape
      },
    )
    expect(await frames.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    expect(stopped).not.toHaveBeenCalled()
  })

  it('reports a missing camera', async () => {
    vi.stubGlobal('navigator', {})
    await expect(webcamFrames().next()).rejects.toThrow(/no camera here/)
  })
})

describe('imageFolder', () => {
  const animals = file('animals')
  const imageSize = [6, 5]

  it('reads the same classes, images and sizes as Keras', async () => {
    const images = await imageFolder(animals, { imageSize, batchSize: null, shuffle: false })
    expect(images.classNames).toEqual(golden.imageFolder.classNames)
    expect(images.files.map((path) => path.slice(animals.length + 1))).toEqual(golden.imageFolder.files)
    expect(images.size).toBe(6)
    const elements = await images.toArray()
    expect(elements.map(([, label]) => label)).toEqual(golden.imageFolder.y)
    elements.forEach(([x], i) =>
      flat(golden.imageFolder.x[i]).forEach((value, j) => expect(x.data[j]).toBeCloseTo(value, 2)),
    )
  })

  it('batches, one-hot labels, no labels, chosen classes', async () => {
    const batches = await (
      await imageFolder(new URL(`file://${animals}`), {
        imageSize,
        batchSize: 4,
        labelMode: 'categorical',
        channels: 1,
      })
    ).toArray()
    expect(batches.map(([x, y]) => [x.shape, y.shape])).toEqual([
      [
        [4, 6, 5, 1],
        [4, 3],
      ],
      [
        [2, 6, 5, 1],
        [2, 3],
      ],
    ])
    const unlabelled = await (await imageFolder(animals, { imageSize, labels: null, dtype: 'int32' })).toArray()
    expect((unlabelled as Tensor[]).map(({ shape, dtype }) => [shape, dtype])).toEqual([[[6, 6, 5, 3], 'int32']])
    const two = await imageFolder(animals, { imageSize, classNames: ['elk', 'cat'], batchSize: null, shuffle: false })
    expect((await two.toArray()).map(([, label]) => label)).toEqual([0, 1, 1])
  })

  it('splits so that every image is in one part', async () => {
    for (const shuffle of [true, false]) {
      const options = { imageSize, validationSplit: 0.34, seed: 3, shuffle }
      const [train, validation] = [
        await imageFolder(animals, { ...options, subset: 'training' }),
        await imageFolder(animals, { ...options, subset: 'validation' }),
      ]
      expect([train.files.length, validation.files.length]).toEqual([4, 2])
      expect([...train.files, ...validation.files].sort()).toEqual(
        golden.imageFolder.files.map((path) => join(animals, path)).sort(),
      )
    }
  })

  it('has an order for every pass, the same for one seed', async () => {
    const labels = async (seed: number) =>
      (await (await imageFolder(animals, { imageSize, batchSize: null, seed })).toArray()).map(([x, y]) => [
        y,
        x.data[5],
      ])
    expect(await labels(1)).toEqual(await labels(1))
    expect(await labels(1)).not.toEqual(await labels(2))
  })

  it('reports a broken file, or skips it', async () => {
    const folder = join(temporary, 'animals')
    cpSync(animals, folder, { recursive: true })
    writeFileSync(join(folder, 'cat', '0.png'), readFileSync(join(folder, 'cat', '0.png')).subarray(0, 50))
    await expect((await imageFolder(folder, { imageSize })).toArray()).rejects.toThrow(/cat.0\.png is a broken picture/)
    const rest = await imageFolder(folder, { imageSize, onError: 'collect', batchSize: null })
    for (let pass = 0; pass < 2; pass++) {
      expect(await rest.toArray()).toHaveLength(5)
      expect(rest.errors.map(({ message }) => message)).toEqual([
        expect.stringMatching(/cat.0\.png is a broken picture/),
      ])
    }
  })

  it('warns once about images that it cannot read, and refuses a folder without others', async () => {
    const folder = join(temporary, 'mixed')
    cpSync(animals, folder, { recursive: true })
    for (const name of ['a.webp', 'b.WEBP', 'c.gif', 'd.bmp', 'notes.txt']) writeFileSync(join(folder, 'cat', name), '')
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    try {
      for (const labels of ['inferred', null] as const)
        expect((await imageFolder(folder, { imageSize, labels })).files).toHaveLength(6)
      await imageFolder(animals, { imageSize })
      expect(warn.mock.calls).toEqual([
        [
          `imageFolder: passes over 4 pictures of ${folder} (.bmp, .gif, .webp). PNG (.png) and JPEG (.jpg, .jpeg) are read. Convert the others first.`,
        ],
      ])
    } finally {
      warn.mockRestore()
    }
    const others = join(temporary, 'others')
    mkdirSync(join(others, 'cat'), { recursive: true })
    writeFileSync(join(others, 'cat', 'a.webp'), '')
    for (const labels of ['inferred', null] as const) {
      await expect(imageFolder(others, { imageSize, labels })).rejects.toThrow(
        /cannot read the 1 picture of .*others \(\.webp\), and there are no others\. PNG/,
      )
    }
  })

  it('refuses invalid options', async () => {
    const refused: [string, object, RegExp][] = [
      [animals, { imageSize, validationSplit: 0.5 }, /go together/],
      [animals, { imageSize, validationSplit: 0.5, subset: 'training' }, /needs a seed/],
      [animals, { imageSize, validationSplit: 0.1, subset: 'validation', seed: 1 }, /leaves no picture/],
      [animals, { imageSize, classNames: ['cow'] }, /'cow' of classNames is no subfolder/],
      [join(animals, 'cat'), { imageSize }, /in subfolders/],
      [animals, { imageSize: [3] }, /an array of 2/],
      [animals, {}, /imageSize/],
    ]
    for (const [path, options, message] of refused)
      await expect(imageFolder(path, options as never)).rejects.toThrow(message)
  })
})
