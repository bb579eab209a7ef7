// Bytes as text that can stand in any JavaScript file as it is: printable ASCII, without the characters that a string, a
// template or a page reads otherwise. Most bytes take one character, so that gzip finds the same repetitions as in the
// bytes. Reading it back is assembly/decode.ts.
//
//   rank of a byte: how many come more often       alphabet: ┌──── 85 characters ────┬─ 2 ─┐
//     rank < 85   the character of that number               │ a byte each           │ } ~ │
//     otherwise   one of the two that lead, and              └───────────────────────┴─────┘
//                 any of the 87: 85 + 87·lead + number
//
// Measured, both binaries, gzipped: the bytes 28.3 kB, this 28.4 kB, base64 40.5 kB, "\x" escapes 35.3 kB.

const AVOIDED = '"$&\'<>\\`'
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((character) => !AVOIDED.includes(character))
const LEADS = 2
const SINGLES = ALPHABET.length - LEADS
const ROW = 128

/** The code of the first character that leads a second one; the others come after it. */
export const lead = ALPHABET[SINGLES].charCodeAt(0)

/**
 * A code in which the bytes that are frequent in `samples` are short.
 * @param {readonly Uint8Array[]} samples
 * @returns {{ table: Uint8Array, encode: (bytes: Uint8Array) => string }}
 *   table [1 + leads, 128]: which byte a character stands for, alone and after each lead
 */
export function textCode(samples) {
  const counts = new Array(256).fill(0)
  for (const sample of samples) for (const byte of sample) counts[byte]++
  const ranked = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a])
  const table = new Uint8Array((1 + LEADS) * ROW)
  const texts = []
  ranked.forEach((byte, rank) => {
    const [row, number] = rank < SINGLES ? [0, rank] : [1 + Math.floor((rank - SINGLES) / ALPHABET.length), (rank - SINGLES) % ALPHABET.length]
    texts[byte] = (row === 0 ? '' : ALPHABET[SINGLES + row - 1]) + ALPHABET[number]
    table[ROW * row + ALPHABET[number].charCodeAt(0)] = byte
  })
  return { table, encode: (bytes) => Array.from(bytes, (byte) => texts[byte]).join('') }
}
