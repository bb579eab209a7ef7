// Signals: what the fixtures of Keras do not cover.

import { describe, expect, it } from 'vitest'
import { grad, jit, ops, tensor, type Tensor } from '../../src'
import { melFilters } from '../../src/ops/math/mel'
import { floats } from '../helpers/data'

const signal = (n: number): Tensor => tensor(floats([n], -1, 1, 3))

describe('stft', () => {
  it.each([
    [16, 4, 16],
    [16, 5, 32],
    [12, 6, 30],
  ])('istft restores a signal: %i, %i, %i', (length, stride, size) => {
    const x = signal(100)
    const y = ops.istft(ops.stft(x, length, stride, size), length, stride, size)
    expect(y.size).toBeGreaterThan(90)
    y.data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i]!, 5))
  })

  it('restores sequences that do not overlap', () => {
    const x = signal(64)
    const options = { window: new Array<number>(16).fill(1), center: false }
    const y = ops.istft(ops.stft(x, 16, 16, 16, options), 16, 16, 16, options)
    expect(y.shape).toEqual([64])
    y.data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i]!, 5))
  })

  it('finds the frequency of a sine', () => {
    const x = tensor(Float32Array.from({ length: 256 }, (_, t) => Math.sin((2 * Math.PI * 5 * t) / 64)))
    const { real, imag } = ops.stft(x, 64, 16, 64, { window: 'hamming' })
    const power = ops.add(ops.square(real), ops.square(imag))
    expect([...ops.argmax(ops.slice(power, [3, 0], [8, 33]), -1).data]).toEqual(new Array(8).fill(5))
  })

  it('reads its options by position and by name, also a window that is a tensor', () => {
    const x = signal(40)
    const window = tensor(floats([8], 0, 1, 4))
    const named = ops.stft(x, 8, 4, 8, { window, center: false })
    for (const other of [ops.stft(x, 8, 4, 8, window, false), ops.stft(x, 8, 4, 8, [...window.data], false)])
      expect(other.real.data).toEqual(named.real.data)
    const back = ops.istft(named, 8, 4, 8, { window, center: false, length: 30 })
    expect(ops.istft(named, 8, 4, 8, 30, window, false).data).toEqual(back.data)
    expect(() => ops.stft(x, 8, 4, 8, { centre: false } as object)).toThrow('center')
    expect(() => ops.stft(x, 8, 4, 8, 'blackman' as 'hann')).toThrow('hann')
  })

  it('has a gradient with respect to the window', () => {
    const x = signal(40)
    const loss = (window: Tensor): Tensor => ops.sum(ops.square(ops.stft(x, 8, 4, 8, window).real))
    const window = tensor(floats([8], 0.5, 1, 4))
    const slope = grad(loss)(window)
    const step = 1e-2
    const moved = (by: number): number => Number(loss(ops.add(window, ops.multiply(ops.oneHot(2, 8), by))).data[0])
    expect(slope.data[2]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 2)
  })

  it('is the same inside a compiled function', () => {
    const x = signal(50)
    const { imag } = jit((given: Tensor) => ops.stft(given, 8, 3, 16))(x)
    expect(imag.data).toEqual(ops.stft(x, 8, 3, 16).imag.data)
  })

  it('rejects sizes that do not fit', () => {
    const x = signal(40)
    expect(() => ops.stft(x, 8, 4, 7)).toThrow('fftLength must be at least sequenceLength, received 7 and 8')
    expect(() => ops.stft(x, 64, 4, 64, { center: false })).toThrow('[40] is shorter than one sequence of fftLength 64')
    expect(() => ops.stft(x, 8, 4, 8, [1, 2])).toThrow('must have the shape of a sequence, [8], received [2]')
    expect(() => ops.stft(1, 8, 4, 8)).toThrow('scalar')
    expect(() => ops.istft({ real: [1, 2], imag: [1, 2] }, 2, 1, 2)).toThrow('at least one sequence, received [2]')
    expect(() => ops.extractSequences(x, 0, 1)).toThrow('sequenceLength')
  })
})

describe('mel filters', () => {
  const bands = { count: 20, lowest: 125, highest: 3800 }
  const filters = melFilters(257, 8000, bands)

  it('are triangles that share each frequency between the first and the last peak', () => {
    const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700)
    const step = (mel(3800) - mel(125)) / 21
    ops.sum(filters, 1).data.forEach((total, k) => {
      const at = (mel((k * 4000) / 256) - mel(125)) / step
      const expected = k === 0 ? 0 : Math.max(0, Math.min(1, at, 21 - at))
      expect(total).toBeCloseTo(expected, 5)
    })
  })

  it('are those of Keras', () => {
    // keras.layers.MelSpectrogram().linear_to_mel_weight_matrix(3, 9, 8000, 125., 3800.)
    const expected = [
      0.0, 0.0, 0.0, 0.883477, 0.0, 0.0, 0.29526266, 0.70473737, 0.0, 0.0, 0.6873362, 0.3126638, 0.0, 0.20445827,
      0.79554176, 0.0, 0.0, 0.8038594, 0.0, 0.0, 0.46153945, 0.0, 0.0, 0.16267577, 0.0, 0.0, 0.0,
    ]
    melFilters(9, 8000, { ...bands, count: 3 }).data.forEach((weight, i) => expect(weight).toBeCloseTo(expected[i]!, 5))
  })

  it('reject an empty range', () => {
    expect(() => melFilters(9, 8000, { ...bands, highest: 125 })).toThrow('received 125 and 125')
  })
})
