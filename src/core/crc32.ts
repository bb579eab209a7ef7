// CRC-32, the checksum of zip and PNG (ISO 3309).

/** The polynomial in reversed bit order. */
const POLYNOMIAL = 0xedb88320

let table: Uint32Array | null = null

/** The remainder of each byte, computed at first use. */
function remainders(): Uint32Array {
  return (table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1
    return rest
  }))
}

/** The checksum of bytes, 0 … 2³² − 1. */
export function crc32(bytes: Uint8Array): number {
  const known = remainders()
  let rest = 0xffffffff
  for (let i = 0; i < bytes.length; i++) rest = known[(rest ^ bytes[i]!) & 0xff]! ^ (rest >>> 8)
  return ~rest >>> 0
}
