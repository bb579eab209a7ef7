// Recognises what stands in place of a file: the page with which a server answers a wrong path, and the pointer that a checkout
// without Git LFS has. All bytes that users name pass here, before the code of their format.

import { FormatError, quoted } from './errors'

/**
 * What a reader does with markup: files of most formats never begin with it, a table may have it in its first cell, but is no whole
 * page, and a text may be a page.
 */
export type Markup = 'refused' | 'cells' | 'allowed'

/** The number of bytes that are looked at. */
const LOOKED_AT = 512
/** The number of characters of a page in errors. */
const SHOWN = 40

/** The start of a page. Weights without a header are any bytes, so that a tag alone is one only with text after it. */
const PAGE = /^(?:\xef\xbb\xbf)?\s*(<(?:!doctype|html|\?xml|[!?a-z][\s\x20-\x7e]{10}).*)/i
const WHOLE_PAGE = /^(?:\xef\xbb\xbf)?\s*(<(?:!doctype\s+html|html[\s>]).*)/i

/** What bytes are in place of a file, and what to do; null for those that can be of a file. */
export function misplaced(bytes: Uint8Array, markup: Markup = 'refused'): string | null {
  const start = String.fromCharCode(...bytes.subarray(0, LOOKED_AT))
  if (start.startsWith('version https://git-lfs'))
    return 'this is a pointer of Git LFS, not the file itself. Run git lfs pull where it is checked out'
  const page = markup === 'allowed' ? null : (markup === 'cells' ? WHOLE_PAGE : PAGE).exec(start)
  return page === null
    ? null
    : `the server sent a web page: is the path right? It begins with ${quoted(page[1]!.slice(0, SHOWN))}`
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
