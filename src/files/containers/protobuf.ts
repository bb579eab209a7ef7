// Writes fields of protocol buffers. files/onnx/wire.ts reads them.

import { encodeUtf8 } from '../../core/text'

/** How the content of a field is encoded; stored with the field's number at its start. */
export const enum Wire {
  Varint = 0,
  Double = 1,
  Bytes = 2,
  Float = 5,
}

/** 7 bits per byte, the low ones first; the high bit marks that more follow. */
export function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

/** A field: its number and the encoding of its content, then the content. */
export function field(number: number, wire: Wire, content: readonly number[]): number[] {
  return [...varint(number * 8 + wire), ...content]
}

/** A field that contains bytes: their number, then the bytes. */
export function message(number: number, content: readonly number[]): number[] {
  return field(number, Wire.Bytes, [...varint(content.length), ...content])
}

/** A field that contains text. */
export function text(number: number, value: string): number[] {
  return message(number, [...encodeUtf8(value)])
}
