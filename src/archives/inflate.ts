// DEFLATE data, decompressed with a limit. RFC 1951.

/**
 * Decompresses data.
 * @param most the number of bytes that the result may have
 * @param excess makes the error for more
 * @returns the bytes, and whether the data have an end
 */
export type Inflate = (
  data: Uint8Array,
  most: number,
  excess: () => Error,
) => { readonly bytes: Uint8Array; readonly isComplete: boolean }

/** At most 4 MB decompressed. */
const PIECE = 4096

/** Loads fflate, whose function throws its own errors for damaged data. */
export async function loadInflate(): Promise<Inflate> {
  const { Inflate } = await import('fflate')
  return (data, most, excess) => {
    const result = new Uint8Array(most)
    let size = 0
    let isComplete = false
    const stream = new Inflate((piece, isLast) => {
      if (size + piece.length > most) throw excess()
      result.set(piece, size)
      size += piece.length
      isComplete ||= isLast
    })
    // Pieces, so that data that expand too much are noticed early.
    for (let at = 0; at < data.length; at += PIECE)
      stream.push(data.subarray(at, at + PIECE), at + PIECE >= data.length)
    return { bytes: result.subarray(0, size), isComplete }
  }
}
