// Encodes text as bytes and back, and JSON and XML as ASCII; orders text.

/** Orders text by code points, as Python and UTF-8 do. JavaScript compares UTF-16 units, in which U+1F600 comes before U+FF21. */
export function byCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** The order of text with numbers: `a.2` before `a.10`; without Intl, by code points. */
export function naturalOrder(): (a: string, b: string) => number {
  return typeof Intl === 'object' ? new Intl.Collator('en', { numeric: true }).compare : byCodePoints
}

/** The text with U+FFFD for each unpaired surrogate. The expression has no Unicode property, because some engines do not support them. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (found) =>
    found.length > 1 ? found : '\ufffd',
  )
}

/** JSON in ASCII: other characters are escaped, so that no encoder is needed and unpaired surrogates survive. */
export function escapeNonAscii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** @throws TypeError or URIError if the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (typeof TextDecoder === 'function') return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  // Test environments such as jsdom have no decoder. decodeURIComponent reads percent-encoded UTF-8, such as %e2%82%ac.
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}

/** The text of bytes in UTF-8, without a byte order mark. If the engine has a decoder, bytes that are not UTF-8 become U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  return typeof TextDecoder === 'function' ? new TextDecoder().decode(bytes) : decodeUtf8(bytes).replace(/^\ufeff/, '')
}

/** The bytes of a text in UTF-8, with U+FFFD for unpaired surrogates. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === 'function') return new TextEncoder().encode(text)
  const percents = encodeURIComponent(wellFormed(text))
  const units = percents.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Uint8Array.from(units, (unit) => unit.charCodeAt(0))
}

/** Decodes bytes strictly, with a byte order mark as a character. */
export interface StrictDecoder {
  readonly encoding: string
  decode(bytes: Uint8Array): string
}

/** @throws RangeError for an encoding that the engine does not know; without TextDecoder, UTF-8 is the only one */
export function strictDecoder(encoding: string): StrictDecoder {
  if (typeof TextDecoder === 'function') return new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
  if (!/^utf-?8$/i.test(encoding)) throw new RangeError(`there is no decoder of ${encoding}`)
  return { encoding: 'utf-8', decode: decodeUtf8 }
}

/** XML in ASCII: other characters become numeric references, so that a page without a charset shows them correctly. */
export function asciiXml(xml: string): string {
  return xml.replace(/[^\0-\x7f]/gu, (each) => {
    const code = each.codePointAt(0)!
    // XML does not allow unpaired surrogates, nor the two noncharacters at the end of a plane.
    const isAllowed = (code < 0xd800 || code > 0xdfff) && code !== 0xfffe && code !== 0xffff
    return `&#x${(isAllowed ? code : 0xfffd).toString(16)};`
  })
}
