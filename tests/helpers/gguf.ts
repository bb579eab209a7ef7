// Makes GGUF files in tests: any values, also wrong ones.

/** The types of values that tests write. */
export const GGUF = { u32: 4, f32: 6, bool: 7, text: 8, list: 9, u64: 10 } as const

export interface GgufPart {
  /** Keys, types and values. A list is [type, ...elements]. */
  readonly values: readonly (readonly [key: string, type: number, value: unknown])[]
  readonly tensors: readonly GgufTensor[]
}

export interface GgufTensor {
  readonly name: string
  /** Innermost first. */
  readonly extents: readonly number[]
  readonly type?: number
  /** Its place in the data. Default: behind the tensor before. */
  readonly offset?: number
}

/** Bytes that grow. */
class Writer {
  private readonly bytes: number[] = []

  number(value: number, bytes: number): this {
    let rest = BigInt(value)
    for (let i = 0; i < bytes; i++, rest >>= 8n) this.bytes.push(Number(rest & 255n))
    return this
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text)
    this.number(bytes.length, 8)
    for (const byte of bytes) this.bytes.push(byte)
    return this
  }

  float(value: number): this {
    this.bytes.push(...new Uint8Array(new Float32Array([value]).buffer))
    return this
  }

  value(type: number, value: unknown): this {
    if (type === GGUF.text) return this.text(String(value))
    if (type === GGUF.f32) return this.float(Number(value))
    if (type === GGUF.bool) return this.number(Number(value), 1)
    if (type === GGUF.u64) return this.number(Number(value), 8)
    if (type !== GGUF.list) return this.number(Number(value), 4)
    const [inner, ...elements] = value as [number, ...unknown[]]
    this.number(inner, 4).number(elements.length, 8)
    for (const element of elements) this.value(inner, element)
    return this
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes)
  }
}

/** A file whose data are zeros. @param data the bytes of all tensors; default: what float32 numbers need */
export function ggufOf({ values, tensors }: GgufPart, version = 3, data?: number): Uint8Array {
  const writer = new Writer()
    .number(0x46554747, 4)
    .number(version, 4)
    .number(tensors.length, 8)
    .number(values.length, 8)
  for (const [key, type, value] of values) writer.text(key).number(type, 4).value(type, value)
  let at = 0
  for (const { name, extents, type = 0, offset = at } of tensors) {
    writer.text(name).number(extents.length, 4)
    for (const extent of extents) writer.number(extent, 8)
    writer.number(type, 4).number(offset, 8)
    at += Math.ceil((4 * extents.reduce((a, b) => a * b, 1)) / 32) * 32
  }
  const header = writer.done()
  const file = new Uint8Array(Math.ceil(header.length / 32) * 32 + (data ?? at))
  file.set(header)
  return file
}
