// JSON as ASCII, and UTF-8 with and without a decoder: environments such as jsdom have none.
// modes: simd

import { describe, expect, it, vi } from 'vitest'
import { Dense, Sequential, loadModel } from '../../src'
import { asciiXml, decodeUtf8, escapeNonAscii } from '../../src/core/text'

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
