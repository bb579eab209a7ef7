// Cyclic redundancy checks of 32 bits.

/** A checksum of bytes, 0 … 2³² − 1. @param before the checksum of the preceding bytes */
type Checksum = (bytes: Uint8Array, before?: number) => number

/** @param polynomial in reversed bit order */
function checksumOf(polynomial: number): Checksum {
  let table: Uint32Array | null = null
  /** The remainder of each byte, computed at first use. */
  const remainders = (): Uint32Array =>
    (table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
      let rest = byte
      for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1
      return rest
    }))
  return (bytes, before = 0) => {
    const known = remainders()
    let rest = ~before
    for (let i = 0; i < bytes.length; i++) rest = known[(rest ^ bytes[i]!) & 0xff]! ^ (rest >>> 8)
    return ~rest >>> 0
  }
}

/** CRC-32, the checksum of zip and PNG. ISO 3309. */
export const crc32 = /* @__PURE__ */ checksumOf(0xedb88320)

/** CRC-32C (Castagnoli), the checksum of event files. RFC 3720, appendix B.4. */
export const crc32c = /* @__PURE__ */ checksumOf(0x82f63b78)
