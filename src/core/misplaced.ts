// Recognises what stands in place of a file: the page with which a server answers a wrong path, and the pointer that a checkout
// without Git LFS has. All bytes that users name pass here, before the code of their format.

import { FormatError, quoted } from './errors'

/** The number of bytes that are looked at. */
const LOOKED_AT = 512

/** The start of a page. Weights without a header are any bytes, so that a tag alone is one only with text after it. */
const PAGE = /^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|[!?a-z][\s\x20-\x7e]{10})/i

/**
 * What bytes are in place of a file, and what to do; null for those that can be of a file.
 * @param page the start of a page; null if a file may be one
 */
export function misplaced(bytes: Uint8Array, page: RegExp | null = PAGE): string | null {
  const start = String.fromCharCode(...bytes.subarray(0, LOOKED_AT))
  if (page?.test(start) === true) return 'the server sent a web page: is the path right?'
  return start.startsWith('version https://git-lfs') ? 'this is a pointer of Git LFS. Run git lfs pull' : null
}

/**
 * The bytes, if they can be those of a file without text.
 * @param name of the source, for errors; null for bytes
 * @param where names the call in errors
 * @throws FormatError for a web page, and for a pointer of Git LFS
 */
export function requireContent(bytes: Uint8Array, name: string | null, where: string): Uint8Array {
  const problem = misplaced(bytes)
  if (problem === null) return bytes
  throw new FormatError(`${where}: ${name === null ? '' : `${quoted(name)}: `}${problem}`)
}
