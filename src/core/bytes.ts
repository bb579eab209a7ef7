// Joins arrays of bytes.

/**
 * The bytes of all parts, one after the other.
 * @param size of the result, if zeros follow the parts
 */
export function concatBytes(
  parts: readonly ArrayLike<number>[],
  size: number = parts.reduce((sum, { length }) => sum + length, 0),
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
