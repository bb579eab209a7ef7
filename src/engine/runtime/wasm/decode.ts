// Decodes bytes from the text that scripts/encode-bytes.mjs writes. The decoder is assembly/decode.ts.

import { fromBase64 } from '../../../core/base64'
import { internalError } from '../../../core/errors'

const PAGE = 65536

type Decode = (from: number, out: number, end: number) => void

/**
 * @param size the number of bytes
 * @param decoder assembly/decode.ts, base64
 * @throws the engine's error if a page forbids WebAssembly
 */
export function decodeBytes(text: string, size: number, decoder: string): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(fromBase64(decoder)))
  const { decode, memory } = exports
  if (!isDecode(decode) || !(memory instanceof WebAssembly.Memory)) throw internalError('the decoder has no function')
  // The decoder's model | text | 3 zeros | bytes
  const from = memory.buffer.byteLength
  const out = from + text.length + 3
  const end = out + size
  memory.grow(Math.ceil((end - from) / PAGE))
  const bytes = new Uint8Array(memory.buffer)
  writeText(text, bytes.subarray(from, out))
  decode(from, out, end)
  return bytes.slice(out, end)
}

function isDecode(value: unknown): value is Decode {
  return typeof value === 'function'
}

/** Test environments such as jsdom lack the encoder. */
function writeText(text: string, bytes: Uint8Array): void {
  if (typeof TextEncoder === 'function') new TextEncoder().encodeInto(text, bytes)
  else for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
}
