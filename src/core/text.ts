// Text of JSON as bytes and back, XML in ASCII. Knows no format: see formats/.

/** JSON in ASCII: what is not stands as an escape, so that it needs no encoder and no half of a pair is lost. */
export function escapeNonAscii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** @throws TypeError or URIError where the bytes are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (typeof TextDecoder === 'function') return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  // Test environments such as jsdom have no decoder. decodeURIComponent reads UTF-8, written %e2%82%ac.
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}

/** XML in ASCII: other characters stand as numbers, so that a page without a charset shows them as they are. */
export function asciiXml(xml: string): string {
  return xml.replace(/[^\0-\x7f]/gu, (each) => {
    const code = each.codePointAt(0)!
    // Half of a pair, and two characters at the end of a plane, are not allowed in XML.
    const isAllowed = (code < 0xd800 || code > 0xdfff) && code !== 0xfffe && code !== 0xffff
    return `&#x${(isAllowed ? code : 0xfffd).toString(16)};`
  })
}
