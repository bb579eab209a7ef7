// Turns the plain binary into the relaxed one, in place: scripts/multiply-add.mjs makes both with the same
// length.

/** Bytes of the plain binary, −1 for any byte, and their replacement in the relaxed binary. */
export type Fusion = readonly [plain: readonly number[], relaxed: readonly number[]]

/** The position in a fusion of a rare byte, which is fast to find. */
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
