// JSON as ASCII, and UTF-8 with and without a decoder: environments such as jsdom have none.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import { Dense, Sequential, loadModel } from '../../src'
import { asciiXml, decodeUtf8, encodeUtf8, escapeNonAscii, strictDecoder, utf8Text } from '../../src/core/text'

const texts = ['', 'plain "quotes" \\ \n', 'Größe µ 層 🧠', '\u2028\0\x7f\x80']

describe('escapeNonAscii', () => {
  it.each([...texts, 'half \ud83e'])('keeps the JSON value: %j', (text) => {
    const escaped = escapeNonAscii(JSON.stringify(text))
    expect([...escaped].every((letter) => letter.charCodeAt(0) < 128)).toBe(true)
    expect(JSON.parse(escaped)).toBe(text)
  })
})

describe.each([true, false])('decodeUtf8, with a decoder: %j', (hasDecoder) => {
  const decode = (bytes: Uint8Array): string => {
    if (!hasDecoder) vi.stubGlobal('TextDecoder', undefined)
    try {
      return decodeUtf8(bytes)
    } finally {
      vi.unstubAllGlobals()
    }
  }

  it.each(texts)('reads %j', (text) => {
    expect(decode(Buffer.from(text))).toBe(text)
  })

  it('refuses invalid UTF-8', () => {
    for (const bytes of [[0xff], [0xc3], [0xe2, 0x82]]) expect(() => decode(Uint8Array.from(bytes))).toThrow()
  })
})

describe.each([true, false])("with the engine's encoder and decoder: %j", (isThere) => {
  const within = <Result>(body: () => Result): Result => {
    if (!isThere) for (const name of ['TextEncoder', 'TextDecoder']) vi.stubGlobal(name, undefined)
    try {
      return body()
    } finally {
      vi.unstubAllGlobals()
    }
  }

  it.each([...texts, 'half \ud83e', '\udd80\ud83e '])('encodeUtf8 of %j', (text) => {
    expect([...within(() => encodeUtf8(text))]).toEqual([...Buffer.from(text)])
  })

  it.each(texts)('utf8Text of %j, without a byte order mark', (text) => {
    expect(within(() => utf8Text(Buffer.from(`\ufeff${text}`)))).toBe(text)
  })

  it('strictDecoder knows UTF-8, keeps a byte order mark and refuses other bytes', () => {
    const decoder = within(() => strictDecoder('UTF-8'))
    expect(decoder.encoding).toBe('utf-8')
    expect(within(() => decoder.decode(Buffer.from('\ufeffé')))).toBe('\ufeffé')
    expect(() => within(() => decoder.decode(Uint8Array.of(0xff)))).toThrow()
    expect(() => within(() => strictDecoder('klingon'))).toThrow(RangeError)
  })
})

it('a model is saved and loaded without TextEncoder and TextDecoder', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [2], kernelInitializer: 'ones', name: 'Größe 🧠' })])
  vi.stubGlobal('TextEncoder', undefined)
  vi.stubGlobal('TextDecoder', undefined)
  try {
    const copy = await loadModel(await model.save())
    expect(copy.layers[0]!.name).toBe('Größe 🧠')
    expect(copy.getWeights()[0]!.toArray()).toEqual([[1], [1]])
  } finally {
    vi.unstubAllGlobals()
  }
})

it('XML in ASCII: other characters become numbers, and forbidden ones are replaced', () => {
  expect(asciiXml('<a b="\u2212">\u00e4\u{1f600}</a>')).toBe('<a b="&#x2212;">&#xe4;&#x1f600;</a>')
  expect(asciiXml('\ud83d|\ude00|\ufffe|\uffff')).toBe('&#xfffd;|&#xfffd;|&#xfffd;|&#xfffd;')
})
