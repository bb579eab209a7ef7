// The relaxed binary out of the plain one, in place: scripts/multiply-add.mjs made both, of the same length.

/** Bytes of the plain binary, −1 for any byte, and what stands there in the relaxed one. */
export type Fusion = readonly [plain: readonly number[], relaxed: readonly number[]]

/** The place in a fusion of a byte that is rare, and so soon found. */
const RARE = 3

export function fuse(bytes: Uint8Array, fusions: readonly Fusion[]): void {
  for (const [plain, relaxed] of fusions) {
    const rare = plain[RARE]!
    for (let at = bytes.indexOf(rare); at >= 0; at = bytes.indexOf(rare, at + 1)) {
      const start = at - RARE
      if (plain.every((byte, i) => byte < 0 || byte === bytes[start + i])) bytes.set(relaxed, start)
    }
  }
}
