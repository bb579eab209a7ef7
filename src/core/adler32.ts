// The checksum of zlib data. RFC 1950.

/** Adler's checksum, the last bytes of zlib data. */
export function adler32(bytes: Uint8Array): number {
  let sum = 1
  let sums = 0
  for (let at = 0; at < bytes.length;) {
    for (const end = Math.min(at + PIECE, bytes.length); at < end; at++) {
      sum += bytes[at]!
      sums += sum
    }
    sum %= 65_521
    sums %= 65_521
  }
  return ((sums << 16) | sum) >>> 0
}

/** Sums of this many bytes, and the sums of these sums, stay below 2³¹. */
const PIECE = 180
