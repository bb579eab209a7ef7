// Encodes JSON text as bytes and back, and XML as ASCII. File formats are in formats/.

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

/** XML in ASCII: other characters become numeric references, so that a page without a charset shows them correctly. */
export function asciiXml(xml: string): string {
  return xml.replace(/[^\0-\x7f]/gu, (each) => {
    const code = each.codePointAt(0)!
    // XML does not allow unpaired surrogates, nor the two noncharacters at the end of a plane.
    const isAllowed = (code < 0xd800 || code > 0xdfff) && code !== 0xfffe && code !== 0xffff
    return `&#x${(isAllowed ? code : 0xfffd).toString(16)};`
  })
}
