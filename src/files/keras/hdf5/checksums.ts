// Checksums of HDF5.

export function littleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** Bob Jenkins' hash `lookup3` (hashlittle, initial value 0), the checksum of metadata. */
export function lookup3(bytes: Uint8Array): number {
  if (bytes.length === 0) return 0xdeadbeef
  const lastAt = Math.floor((bytes.length - 1) / 12) * 12
  const last = new Uint8Array(12)
  last.set(bytes.subarray(lastAt))
  let a = (0xdeadbeef + bytes.length) | 0
  let b = a
  let c = a
  for (let at = 0; ; at += 12) {
    // The last words are filled with zeros.
    const [words, from] = at === lastAt ? [last, 0] : [bytes, at]
    a = (a + littleEndian(words, from)) | 0
    b = (b + littleEndian(words, from + 4)) | 0
    c = (c + littleEndian(words, from + 8)) | 0
    if (at === lastAt) break
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
  for (let at = 0; at < bytes.length;) {
    for (const end = Math.min(at + 2 * PIECE, bytes.length); at < end; at += 2) {
      sum += (bytes[at]! << 8) | (at + 1 < bytes.length ? bytes[at + 1]! : 0)
      sums += sum
    }
    sum %= 65_535
    sums %= 65_535
  }
  return ((sums << 16) | sum) >>> 0
}

/** Sums of this many numbers of 16 bits, and the sums of these sums, stay below 2³¹. */
const PIECE = 180
