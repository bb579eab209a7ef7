// A separate module: decodes the bytes of a text that scripts/encode-bytes.mjs made. That script describes the format.
// Contexts have the same names there.

const NUMBER: usize = 32 * 18
const BEFORE: usize = 256 + 3
const LITERAL: usize = 0
const CONTINUED: usize = LITERAL + BEFORE * 256
const REPEATS: usize = CONTINUED + 2 * 256
const SAME_DISTANCE: usize = REPEATS + 2 * BEFORE
const LENGTH: usize = SAME_DISTANCE + 2
const SAME_LENGTH: usize = LENGTH + NUMBER
const DISTANCE: usize = SAME_LENGTH + NUMBER
const CONTEXTS: usize = DISTANCE + 2 * NUMBER

/** The next character. */
let text: usize
/** The size of the interval, and the distance of the text's number from its start. */
let range: u32
let offset: u32

/** Shifts the next digit in. */
@inline
function shift(): void {
  let character = <u32>load<u8>(text++)
  if (character < 63) character = character == 33 ? 92 : 96
  offset = (offset << 6) | (character - 63)
}

// Exported, so that it stays a separate function: the engine soon optimises a function that is called so often, but never
// the loop around it.
export function bit(context: usize): usize {
  const chance = context << 2 // each context of the model is two u16
  const quick = <u32>load<u16>(chance)
  const slow = <u32>load<u16>(chance, 2)
  const part = (range >>> 16) * ((quick + slow) >>> 1)
  const isOne = offset < part
  if (isOne) {
    range = part
    store<u16>(chance, quick + ((0xffff - quick) >>> 2))
    store<u16>(chance, slow + ((0xffff - slow) >>> 6), 2)
  } else {
    offset -= part
    range -= part
    store<u16>(chance, quick - (quick >>> 2))
    store<u16>(chance, slow - (slow >>> 6), 2)
  }
  while (range < 1 << 24) {
    range <<= 6
    shift()
  }
  return usize(isOne)
}

export function number(contexts: usize): usize {
  let length: usize = 0
  while (bit(contexts + length)) length++
  const row = contexts + ((length + 1) << 5)
  let n: usize = 1
  while (length-- > 0) n = (n << 1) | bit(row + (n < 8 ? n : 8 + length))
  return n
}

@inline
function ofLocal(byte: u32): bool {
  return byte - 0x20 < 3
}

/** The context for the byte at `out`: the bytes before it. */
@inline
function before(out: usize): usize {
  const byte = <u32>load<u8>(out - 2)
  return ofLocal(byte) && !ofLocal(load<u8>(out - 3)) ? 256 - 0x20 + byte : load<u8>(out - 1)
}

/**
 * @param from the characters, after the module's first five pages, which hold the model
 * @param out the destination of the bytes, up to `end`, after three zero bytes
 */
export function decode(from: usize, out: usize, end: usize): void {
  text = from
  range = (1 << 30) - 1
  memory.fill(0, 0x80, CONTEXTS << 2)
  for (let i = 0; i < 5; i++) shift()
  let distance: usize = 0
  let repeated: usize = 0
  while (out < end) {
    if (bit(REPEATS + repeated * BEFORE + before(out))) {
      let length: usize = 1
      if (bit(SAME_DISTANCE + repeated)) length = number(SAME_LENGTH)
      else {
        length += number(LENGTH)
        distance = number(length > 2 ? DISTANCE + NUMBER : DISTANCE)
      }
      for (; length > 0; length--) {
        store<u8>(out, load<u8>(out - distance))
        out++
      }
      repeated = 1
    } else {
      const row = LITERAL + (before(out) << 8)
      let expected = repeated ? <usize>load<u8>(out - distance) : 0
      let soFar: usize = 1
      while (soFar < 256) {
        const hint = (expected >>> 7) & 1
        const next = bit((repeated ? CONTINUED + (hint << 8) : row) + soFar)
        if (next != hint) repeated = 0
        expected <<= 1
        soFar = (soFar << 1) | next
      }
      store<u8>(out++, <u8>soFar)
      repeated = 0
    }
  }
}
