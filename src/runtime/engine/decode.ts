// Bytes from the text that scripts/encode-bytes.mjs makes of them. The loop is assembly/decode.ts.

import { internalError } from '../../core/errors'

export interface TextCode {
  /** assembly/decode.ts, base64. */
  readonly decoder: string
  /** Which byte a character stands for, base64. */
  readonly table: string
  /** The first character that leads a second one. */
  readonly lead: number
}

const PAGE = 65536

type Decode = (table: number, lead: number, text: number, end: number, out: number) => number

/** @throws what the engine throws where a page forbids WebAssembly */
export function decodeBytes(text: string, { decoder, table, lead }: TextCode): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(fromBase64(decoder)))
  const { decode, memory } = exports
  if (!isDecode(decode) || !(memory instanceof WebAssembly.Memory)) throw internalError('the decoder has no function')
  const rows = fromBase64(table)
  // table | text | bytes, of which there are at most as many as characters
  const start = rows.length
  const out = start + text.length
  memory.grow(Math.ceil((out + text.length) / PAGE))
  const bytes = new Uint8Array(memory.buffer)
  bytes.set(rows)
  writeText(text, bytes.subarray(start, out))
  return bytes.slice(out, decode(0, lead, start, out, out))
}

function isDecode(value: unknown): value is Decode {
  return typeof value === 'function'
}

/** Test environments such as jsdom lack the encoder. */
function writeText(text: string, bytes: Uint8Array): void {
  if (typeof TextEncoder === 'function') new TextEncoder().encodeInto(text, bytes)
  else for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}
