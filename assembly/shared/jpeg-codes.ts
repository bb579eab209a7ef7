// A table of the Huffman codes of a JPEG file, in bytes: src/data/readers/jpeg/codes.ts fills it, and assembly/jpeg.ts reads it, too.

/** For the next 8 bits, uint16: length · 256 + symbol, or 0 for a longer code. */
export const SHORT = 0
/** By length, 0 to 16, int32: the first code that is too large. */
export const END = 512
/** By length, int32: what to add to a code for the position of its symbol. */
export const SHIFT = 580
/** In the order of their codes, uint8. */
export const SYMBOLS = 648
/** The most symbols (B.2.4.2). */
export const MOST_SYMBOLS = 256
export const CODES_SIZE = 904

/**
 * Faults, which a block returns instead of the difference of its first coefficient, which is smaller: a code that is not in
 * the table …
 */
export const CODE_FAULT = 65536
/** … or more than 64 coefficients. */
export const BLOCK_FAULT = 65537
