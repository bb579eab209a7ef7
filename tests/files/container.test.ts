// The container: violations of the safetensors format are refused, and no damage of our own files goes undetected.
// modes: simd
import { array, assert, constantFrom, integer, nat, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dense, FormatError, InputLayer, Layer, Sequential, clearSession, loadModel, setRandomSeed } from '../../src'
import { repeatedKey } from '../../src/core/json'
import { xxh32 } from '../../src/core/xxh32'
import { decodeContainer, encodeContainer } from '../../src/files/containers/safetensors'
import { expectTable } from '../helpers/documented'
import { binaryModel, samples, weightsOf } from '../helpers/training'

/** A valid or invalid container of another tool. */
function container(header: string | object, data: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 8)
  for (let i = 0; i < data; i++) bytes[8 + json.length + i] = i
  return bytes
}

const floats = (begin: number, end: number) => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
})

/** The content of a file; null if it is refused. @throws any error other than FormatError */
function said(bytes: Uint8Array): unknown {
  try {
    const { metadata, tensors } = decodeContainer(bytes)
    return [
      { ...metadata },
      Array.from(
        tensors.values(),
        ({ name, shape, data }) => [name, shape, data.constructor.name, [...data]] as const,
      ).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return null
  }
}

async function trained(): Promise<Uint8Array> {
  // The length of a file depends on the number in the model's name.
  clearSession()
  const { x, yes } = samples(24)
  const model = binaryModel()
  await model.fit(x, yes, { verbose: 0 })
  return model.save()
}

describe('violations of the format', () => {
  it.each<[string, string | object, number, RegExp]>([
    [
      'a duplicate name',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /has 'a' twice/,
    ],
    [
      'a duplicate name, once escaped',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
      /has 'a' twice/,
    ],
    ['a duplicate shape', '{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}}', 4, /has 'shape' twice/],
    ['duplicate metadata', '{"__metadata__":{"k":"1"},"__metadata__":{"k":"2"}}', 0, /has '__metadata__' twice/],
    ['a hole between tensors', { a: floats(0, 4), b: floats(8, 12) }, 12, /'b' begin at 8, after a hole: expected 4/],
    ['a hole before the first', { a: floats(4, 8) }, 8, /'a' begin at 4, after a hole: expected 0/],
    [
      'tensors that overlap',
      { a: floats(0, 8), b: floats(4, 12) },
      12,
      /'b' begin at 4, within another tensor: expected 8/,
    ],
    ['two tensors over the same bytes', { a: floats(0, 8), b: floats(0, 8) }, 8, /within another tensor/],
    ['an empty tensor in the middle of another', { a: floats(0, 8), b: floats(4, 4) }, 8, /within another tensor/],
    ['bytes after the last', { a: floats(0, 4) }, 5, /1 bytes too many/],
    ['data without tensors', {}, 4, /4 bytes too many/],
    ['fewer bytes than elements', { a: { dtype: 'F32', shape: [2], data_offsets: [0, 7] } }, 7, /entry of 'a'/],
    ['an end before its start', { a: { dtype: 'F32', shape: [0], data_offsets: [4, 0] } }, 4, /entry of 'a'/],
    ['metadata that are not strings', { __metadata__: { n: 1 } }, 0, /not all strings/],
    ['a space before the object', ' {}', 0, /not a JSON object/],
  ])('%s', (_title, header, data, message) => {
    expect(() => decodeContainer(container(header, data))).toThrow(message)
    expect(() => decodeContainer(container(header, data))).toThrow(FormatError)
  })

  it('valid variations are read: any order, empty tensors, unaligned data, spaces after the object', () => {
    const bytes = container(
      `${JSON.stringify({ c: floats(3, 11), none: floats(3, 3), a: { dtype: 'I8', shape: [3], data_offsets: [0, 3] } })}  `,
      11,
    )
    const { tensors } = decodeContainer(bytes)
    expect([...tensors.get('a')!.data]).toEqual([0, 1, 2])
    expect(tensors.get('none')!.shape).toEqual([0])
    expect(new Uint8Array((tensors.get('c')!.data as Float32Array).slice().buffer)).toEqual(
      Uint8Array.of(3, 4, 5, 6, 7, 8, 9, 10),
    )
  })

  it.each(['F16', 'BF16', 'F64', 'I64', 'U8', 'BOOL', 'F8_E4M3'])('numbers of %s are reported', (dtype) => {
    expect(() => decodeContainer(container({ a: { dtype, shape: [0], data_offsets: [0, 0] } }, 0))).toThrow(
      new RegExp(`'a' has numbers of ${dtype}.*F32, I32, I8`),
    )
  })

  it('two tensors with the same name are not written', () => {
    const one = { name: 'a', shape: [1], data: Float32Array.of(1) }
    expect(() => encodeContainer([one, one], {})).toThrow(/two weights would have the name 'a'/)
  })

  it('weights whose own names look numbered keep separate paths', async () => {
    class Odd extends Layer {
      override build(): void {
        for (const name of ['a_1', 'a', 'b/a', 'a_2']) this.addWeight({ name, shape: [1], initializer: 'ones' })
      }
      override call(x: never): never {
        return x
      }
    }
    const make = (): Sequential => new Sequential([new InputLayer({ shape: [1] }), new Odd()])
    const [from, to] = [make(), make()]
    from.setWeights([[1], [2], [3], [4]])
    await to.loadWeights(await from.saveWeights())
    expect(weightsOf(to)).toEqual(weightsOf(from))
  })
})

describe('a duplicate key', () => {
  it('is found at any depth, and only where it is a key', () => {
    expect(repeatedKey('{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}],"d":"\\"a\\":1,\\\\","e":"a"}')).toBeNull()
    expect(repeatedKey('[{"x":[1,{"y":1,"z":"}","y":2}]}]')).toBe('y')
    expect(repeatedKey('{"":1,"":2}')).toBe('')
    expect(repeatedKey('{"\\\\":1,"\\u005c":2}')).toBe('\\')
    expect(repeatedKey('{"__proto__":1,"__proto__":1}')).toBe('__proto__')
  })
})

describe('the checksum', () => {
  it('is XXH32', () => {
    const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
    expect(xxh32(ascii(''))).toBe(0x02cc5d05)
    expect(xxh32(ascii('a'))).toBe(0x550d7456)
    expect(xxh32(ascii('abc'))).toBe(0x32d153ff)
    expect(xxh32(ascii('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f)
    expect(xxh32(ascii('I want an unsigned 32-bit seed!'), 1)).not.toBe(xxh32(ascii('I want an unsigned 32-bit seed!')))
    const odd = new Uint8Array([0, ...ascii('abcdefghijklmnopqrstuvwxyz')]).subarray(1)
    expect(xxh32(odd)).toBe(0x63a14d5f)
  })

  it('docs/checks.md has the numbers of damaged files', async () => {
    const bytes = await trained()
    const whole = JSON.stringify(said(bytes))
    const changed = (i: number, ...by: readonly number[]): Uint8Array =>
      Uint8Array.from([...bytes.subarray(0, i), ...by, ...bytes.subarray(i + 1)])
    const { length } = bytes
    const kinds: readonly (readonly [string, number, (i: number) => Uint8Array])[] = [
      // 7 and 8 are coprime: bits at every position of a byte.
      [
        'every seventh bit is flipped',
        Math.floor((8 * length) / 7),
        (i) => changed((7 * i) >> 3, bytes[(7 * i) >> 3]! ^ (1 << ((7 * i) & 7))),
      ],
      ['the file ends early', length, (i) => bytes.subarray(0, i)],
      ['a byte is removed', length, (i) => changed(i)],
      ['a byte is repeated', length, (i) => changed(i, bytes[i]!, bytes[i]!)],
    ]
    expect(whole).not.toBe('null')
    const rows = kinds.map(([kind, count, make]) => {
      let [refused, same] = [0, 0]
      for (let i = 0; i < count; i++) {
        const content = said(make(i))
        if (content === null) refused++
        else if (JSON.stringify(content) === whole) same++
      }
      return [kind, count, refused, same, count - refused - same]
    })
    expect(rows.map((row) => row.at(-1))).toEqual(kinds.map(() => 0))
    expectTable('docs/checks.md', 'damage', ['change', 'files', 'refused', 'same content', 'another content'], rows)
  }, 600_000)

  const edits = array(
    record({
      how: constantFrom('flip', 'cut', 'copy', 'insert', 'swap', 'digit'),
      at: nat(1e6),
      from: nat(1e6),
      length: integer({ min: 1, max: 40 }),
      by: integer({ min: 1, max: 255 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  type Edit = { how: string; at: number; from: number; length: number; by: number }

  function edited(bytes: Uint8Array, { how, at, from, length, by }: Edit): Uint8Array {
    const [i, j] = [at % bytes.length, from % bytes.length]
    const piece = bytes.slice(j, j + length)
    if (how === 'cut') return Uint8Array.from([...bytes.subarray(0, i), ...bytes.subarray(i + length)])
    if (how === 'insert') return Uint8Array.from([...bytes.subarray(0, i), ...piece, ...bytes.subarray(i)])
    const other = bytes.slice()
    if (how === 'flip') other[i]! ^= by
    if (how === 'swap') [other[i], other[j]] = [other[j]!, other[i]!]
    if (how === 'copy') other.set(piece.subarray(0, bytes.length - i), i)
    // Changes a digit next to `at` to another, which is still valid JSON.
    const digit = other.findIndex((byte, k) => k >= i && byte >= 0x30 && byte <= 0x39)
    if (how === 'digit' && digit >= 0) other[digit] = 0x30 + (by % 10)
    return other
  }

  it('no mutation gives another content', async () => {
    const bytes = await trained()
    const whole = said(bytes)
    assert(
      property(edits, (list) => {
        const content = said(list.reduce(edited, bytes))
        if (content !== null) expect(content).toEqual(whole)
      }),
      { numRuns: 700, seed: 5 },
    )
  })

  it('reports a damaged file', async () => {
    const bytes = await trained()
    bytes[bytes.length - 5]! ^= 1
    await expect(loadModel(bytes)).rejects.toThrow(/damaged: its checksum differs/)
    await expect(binaryModel().loadWeights(bytes)).rejects.toThrow(FormatError)
    const text = new TextDecoder('latin1').decode(await trained())
    const renamed = Uint8Array.from(text.replace('"xxh32"', '"xxh33"'), (letter) => letter.charCodeAt(0))
    await expect(loadModel(renamed)).rejects.toThrow(/damaged: its metadata have 'xxh33'/)
  })

  it('files without one are read, and files that another tool reordered', async () => {
    setRandomSeed(3)
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    const { metadata, tensors } = decodeContainer(await model.save())
    const { xxh32: sum, ...old } = metadata
    expect(sum).toMatch(/^[0-9a-f]{8}$/)
    const rewritten = (own: object): Uint8Array => {
      const sorted = [...tensors.values()].reverse()
      let at = 0
      const entries = sorted.map(({ name, shape, data }) => {
        const begin = at
        at += data.byteLength
        return [name, { data_offsets: [begin, at], shape, dtype: 'F32' }]
      })
      const bytes = container({ ...Object.fromEntries(entries), __metadata__: own }, at)
      let place = bytes.length - at
      for (const { data } of sorted) {
        bytes.set(new Uint8Array(data.slice().buffer), place)
        place += data.byteLength
      }
      return bytes
    }
    for (const own of [old, metadata]) expect(weightsOf(await loadModel(rewritten(own)))).toEqual(weightsOf(model))
  })

  it('a model reads every tensor of its file, and one for each position', async () => {
    const { metadata, tensors } = decodeContainer(await binaryModel().save())
    const { xxh32: _, ...own } = metadata
    const own0 = [...tensors.values()][0]!
    const withTensor = (name: string): Uint8Array => encodeContainer([...tensors.values(), { ...own0, name }], own)
    await expect(loadModel(withTensor('spare'))).rejects.toThrow(/damaged: its model does not read 'spare'/)
    await expect(loadModel(withTensor('weights/99/spare'))).rejects.toThrow(
      /its model does not read 'weights\/99\/spare'/,
    )
    // The position decides, not the rest of the name, so the second would replace the first.
    const second = withTensor(own0.name.replace(/\w+$/, 'other'))
    await expect(loadModel(second)).rejects.toThrow(/damaged: its model does not read 'weights\/0\/.*other'/)
    await expect(binaryModel().loadWeights(second)).rejects.toThrow(/does not read 'weights\/0\/.*other'/)
  })
})
