// Checksums of HDF5 and of zlib.

export function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** Bob Jenkins' hash `lookup3` (hashlittle, initial value 0), the checksum of metadata. */
export function lookup3(bytes: Uint8Array): number {
  const words = new Uint8Array(Math.max(Math.ceil(bytes.length / 12), 1) * 12)
  words.set(bytes)
  let a = (0xdeadbeef + bytes.length) | 0
  let b = a
  let c = a
  if (bytes.length === 0) return c >>> 0
  for (let at = 0; ; at += 12) {
    a = (a + littleEndian(words, at)) | 0
    b = (b + littleEndian(words, at + 4)) | 0
    c = (c + littleEndian(words, at + 8)) | 0
    if (at + 12 >= bytes.length) break
    a = ((a - c) | 0) ^ rotate(c, 4)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 6)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 8)
    b = (b + a) | 0
    a = ((a - c) | 0) ^ rotate(c, 16)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 19)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 4)
    b = (b + a) | 0
  }
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  return ((c ^ b) - rotate(b, 24)) >>> 0
}

/** Fletcher's checksum over big-endian 16-bit words, which a filter appends to a chunk. */
export function fletcher32(bytes: Uint8Array): number {
  let sum = 0
  let sums = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum = (sum + (bytes[i]! << 8) + (bytes[i + 1] ?? 0)) % 65_535
    sums = (sums + sum) % 65_535
  }
  return ((sums << 16) | sum) >>> 0
}

/** Adler's checksum, with which zlib data end. */
export function adler32(bytes: Uint8Array): number {
  let sum = 1
  let sums = 0
  for (const byte of bytes) {
    sum = (sum + byte) % 65_521
    sums = (sums + sum) % 65_521
  }
  return ((sums << 16) | sum) >>> 0
}
