// Recognises bytes that are not the wanted file: the page that a server sends for a wrong path, and the pointer that a checkout without
// Git LFS contains. All files that users name are checked here, before the code of their format reads them.

import { FormatError, quoted } from './errors'

/** The number of bytes that are examined. */
const LOOKED_AT = 512

/** The start of a page. Weights without a header can begin with the bytes of a tag, so a tag counts only with text after it. */
const PAGE = /^(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|[!?a-z][\s\x20-\x7e]{10})/i

/**
 * What the bytes are instead of the wanted file, and what to do; null for bytes that can be the file.
 * @param page the start of a page; null if the file may be a page
 */
export function misplaced(bytes: Uint8Array, page: RegExp | null = PAGE): string | null {
  const start = String.fromCharCode(...bytes.subarray(0, LOOKED_AT))
  if (page?.test(start) === true) return 'the server sent a web page: is the path right?'
  return start.startsWith('version https://git-lfs') ? 'this is a pointer of Git LFS. Run git lfs pull' : null
}

/**
 * The bytes, if they can be a binary file.
 * @param name of the source, for errors; null for bytes
 * @param where names the call in errors
 * @throws FormatError for a web page, and for a pointer of Git LFS
 */
export function requireContent(bytes: Uint8Array, name: string | null, where: string): Uint8Array {
  const problem = misplaced(bytes)
  if (problem === null) return bytes
  throw new FormatError(`${where}: ${name === null ? '' : `${quoted(name)}: `}${problem}`)
}
