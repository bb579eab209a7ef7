// The normalizer of SentencePiece: a double-array trie from sequences of bytes to their replacements.

import { encodeUtf8, utf8Text } from '../../core/text'
import { fromBase64 } from '../../core/base64'
import { FormatError } from '../../core/errors'
import { once } from '../../core/once'
import { byWords, withCache } from './cache'

/**
 * The function of a precompiled map.
 * @param base64 the map in the form of SentencePiece: the size of the trie in bytes, the trie, the replacements, each with a 0 behind it
 * @throws FormatError for a map that is damaged
 */
export function precompiled(base64: string, where: string): (text: string) => string {
  const bytes = bytesOf(base64, where)
  if (bytes.length === 0) return (text) => text
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true)
  if (size < 4 || size % 4 !== 0 || size + 4 > bytes.length) {
    throw new FormatError(`${where}: 'precompiled_charsmap' must have a trie, but its size is ${size} bytes`)
  }
  const units = Int32Array.from({ length: size / 4 }, (_, at) => view.getInt32(4 + 4 * at, true))
  const map = new CharacterMap(units, bytes.subarray(4 + size))
  // A space begins a grapheme, so words can be normalized by themselves.
  return byWords((word) => map.normalize(word))
}

function bytesOf(base64: string, where: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(base64)
  } catch {
    throw new FormatError(`${where}: 'precompiled_charsmap' must be base64`)
  }
}

class CharacterMap {
  constructor(
    private readonly units: Int32Array,
    private readonly texts: Uint8Array,
  ) {}

  /** Replaces graphemes of at most five bytes, and characters of the others. */
  normalize(text: string): string {
    let result = ''
    for (const grapheme of graphemesOf(text)) {
      const whole = this.replacementOf(grapheme)
      if (whole !== null) result += whole
      else if (grapheme.length === 1) result += grapheme
      else for (const character of grapheme) result += this.replacementOf(character) ?? character
    }
    return result
  }

  /** The replacement of a character or a short grapheme; null if the map has none. */
  private readonly replacementOf = withCache((text) => {
    const bytes = encodeUtf8(text)
    return bytes.length < 6 ? this.find(bytes) : null
  })

  /** The replacement of the shortest prefix in the trie, which is what SentencePiece's reader in Rust takes for the whole. */
  private find(key: Uint8Array): string | null {
    const { units } = this
    let node = 0
    let unit = units[0]!
    node ^= offsetOf(unit)
    for (const byte of key) {
      if (byte === 0) return null
      node ^= byte
      unit = units[node] ?? 0
      // The label of a unit is its lowest byte; the highest bit marks values.
      if ((unit & 0x8000_00ff) !== byte) return null
      node ^= offsetOf(unit)
      if (((unit >>> 8) & 1) === 1) return this.textAt((units[node] ?? 0) & 0x7fff_ffff)
    }
    return null
  }

  private textAt(begin: number): string {
    const end = this.texts.indexOf(0, begin)
    return utf8Text(this.texts.subarray(begin, end < 0 ? this.texts.length : end))
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6)
}

function graphemesOf(text: string): Iterable<string> {
  // Of ASCII, only CR LF is a grapheme of two characters.
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\u0000-\u007f]*$/.test(text) && !text.includes('\r\n')) return text
  // Engines without Segmenter, such as Hermes, join only marks.
  if (typeof Intl === 'undefined' || Intl.Segmenter === undefined) {
    return text.match(/\r\n|\P{M}[\p{M}\u200d]*|\p{M}+/gu) ?? []
  }
  return segmentsOf(text)
}

/** How many units are segmented at a time: the time of `segment` grows with the square of the length. */
const WINDOW = 64

function* segmentsOf(text: string): Iterable<string> {
  let width = WINDOW
  for (let begin = 0; begin < text.length;) {
    const isEnd = begin + width >= text.length
    const segments = Array.from(segmenterOf().segment(text.slice(begin, begin + width)), ({ segment }) => segment)
    // The last one may go on behind the window.
    if (!isEnd) segments.pop()
    width = segments.length === 0 ? width * 2 : WINDOW
    for (const segment of segments) {
      begin += segment.length
      yield segment
    }
  }
}

const segmenterOf = /* @__PURE__ */ once(() => new Intl.Segmenter('en'))
