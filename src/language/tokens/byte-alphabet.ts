// The alphabet of byte-level BPE: a visible character for each byte, as in GPT-2.

import { encodeUtf8 } from '../../core/text'

/** The character of each byte: itself if it is visible in Latin-1, otherwise one from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = alphabet()

function alphabet(): string[] {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    return String.fromCharCode(isVisible ? byte : next++)
  })
}

const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]))

/** The bytes of a text in UTF-8, as characters of the alphabet. */
export function byteText(text: string): string {
  if (/^[!-~]*$/.test(text)) return text
  let result = ''
  for (const byte of encodeUtf8(text)) result += BYTE_CHARACTERS[byte]!
  return result
}

/** The bytes that a token means: those of its characters in the alphabet, or those of its text if it has any other character. */
export function tokenBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = BYTES.get(token[i]!)
    if (byte === undefined) return encodeUtf8(token)
    bytes[i] = byte
  }
  return bytes
}
