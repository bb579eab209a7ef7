// Encodes bytes as a text that is as short as possible and valid in any JavaScript string. Repetitions are encoded by
// length and distance (LZ77), and every binary decision is arithmetic-coded with its probability: the method of LZMA,
// with a simpler model. assembly/decode.ts decodes it with the same model.
//
//   token    0 literal              a byte
//            1 1 length             a repetition at the last distance
//            1 0 length−1 distance  a repetition of at least two bytes
//   literal  eight bits, the highest first. The probability of each depends on those before it and on the
//            preceding context; right after a repetition, on the byte that would have continued it, while the bits agree
//   number   1 or more: a 1 for each bit after its highest, then a 0, then these bits. The first three depend on those
//            before
//   text     the digits of one number in base 64: the position of this file in the interval of all files. Each bit
//            narrows the interval to a part proportional to the bit's probability
//
// The preceding context is the byte before; after the index of a local, which predicts nothing, it is the instruction
// that uses the local.
//
// Measured for a binary of 92.5 kB: this 18.3 kB, xz 18.5, gzip 24.1.

/**
 * Contexts, which select the probability of a bit. A number has 32 for its length, and as many for the bits of each
 * length.
 */
const NUMBER = 32 * 18
const BEFORE = 256 + 3
const LITERAL = 0 // [preceding context, bits so far]
const CONTINUED = LITERAL + BEFORE * 256 // [expected bit, bits so far]
const REPEATS = CONTINUED + 2 * 256 // [after a repetition, preceding context]
const SAME_DISTANCE = REPEATS + 2 * BEFORE // [after a repetition]
const LENGTH = SAME_DISTANCE + 2
const SAME_LENGTH = LENGTH + NUMBER
const DISTANCE = SAME_LENGTH + NUMBER // [longer than two bytes]
const CONTEXTS = DISTANCE + 2 * NUMBER

/** The probability of a 1, in units of 2⁻¹⁶: the mean of a fast and a slow running estimate. */
class Chances {
  quick = new Uint16Array(CONTEXTS).fill(0x8080)
  slow = new Uint16Array(CONTEXTS).fill(0x8080)

  of(context) {
    return (this.quick[context] + this.slow[context]) >>> 1
  }

  learn(context, bit) {
    const { quick, slow } = this
    quick[context] += bit ? (0xffff - quick[context]) >> 2 : -(quick[context] >> 2)
    slow[context] += bit ? (0xffff - slow[context]) >> 6 : -(slow[context] >> 6)
  }
}

/** local.get, local.set, local.tee */
const ofLocal = (byte) => byte >= 0x20 && byte <= 0x22

function before(bytes, at) {
  return ofLocal(bytes[at - 2]) && !ofLocal(bytes[at - 3]) ? 256 + bytes[at - 2] - 0x20 : (bytes[at - 1] ?? 0)
}

// The bits of a literal: calls `each` with the context and the bit, and returns the sum of its results.

function literalBits(bytes, at, repeated, distance, each) {
  const row = LITERAL + 256 * before(bytes, at)
  const expected = bytes[at - distance]
  let sum = 0
  let asExpected = repeated === 1
  for (let k = 7, soFar = 1; k >= 0; k--) {
    const bit = (bytes[at] >> k) & 1
    const hint = (expected >> k) & 1
    sum += each((asExpected ? CONTINUED + 256 * hint : row) + soFar, bit)
    asExpected &&= bit === hint
    soFar = 2 * soFar + bit
  }
  return sum
}

function numberBits(contexts, number, each) {
  const length = 31 - Math.clz32(number)
  let sum = 0
  for (let k = 0; k < length; k++) sum += each(contexts + k, 1)
  sum += each(contexts + length, 0)
  const row = contexts + 32 * (length + 1)
  for (let k = length - 1, soFar = 1; k >= 0; k--) {
    const bit = (number >> k) & 1
    sum += each(row + (soFar < 8 ? soFar : 8 + k), bit)
    soFar = 2 * soFar + bit
  }
  return sum
}

const repeatsBit = (bytes, at, repeated, bit, each) => each(REPEATS + BEFORE * repeated + before(bytes, at), bit)
const distanceContexts = (length) => DISTANCE + (length > 2 ? NUMBER : 0)

/**
 * The digits of a position in an interval that is narrowed bit by bit. A carry may still propagate through digits that
 * are 63.
 */
class Digits {
  digits = []
  low = 0
  range = 2 ** 30 - 1
  last = -1
  full = 0

  narrow(chance, bit) {
    const part = (this.range >>> 16) * chance
    if (bit) this.range = part
    else {
      this.low += part
      this.range -= part
    }
    while (this.range < 2 ** 24) {
      this.range *= 64
      this.shift()
    }
  }

  shift() {
    const carry = this.low >= 2 ** 30 ? 1 : 0
    const digit = Math.floor(this.low / 2 ** 24) % 64
    if (digit === 63 && !carry) this.full++
    else {
      if (this.last >= 0) this.digits.push(this.last + carry)
      for (; this.full > 0; this.full--) this.digits.push((63 + carry) % 64)
      this.last = digit
    }
    this.low = (this.low % 2 ** 24) * 64
  }

  end() {
    for (let i = 0; i < 6; i++) this.shift()
    return this.digits
  }
}

const SEARCHED = 3000
/** The block size in bytes for which the cheapest tokens are searched together, with the bit costs at its start. */
const BLOCK = 512

/** For each position, the repetitions that begin there: the nearest of each length, shorter ones first. */
function repetitions(bytes) {
  const last = new Map()
  const previous = new Int32Array(bytes.length)
  return Array.from(bytes, (byte, at) => {
    const pair = 256 * byte + bytes[at + 1]
    const found = []
    let longest = 1
    for (
      let from = last.get(pair) ?? -1, left = SEARCHED;
      from >= 0 && left > 0 && longest < BLOCK;
      from = previous[from], left--
    ) {
      if (bytes[from + longest] !== bytes[at + longest]) continue
      const length = common(bytes, from, at)
      if (length <= longest) continue
      longest = length
      found.push({ length, distance: at - from })
    }
    previous[at] = last.get(pair) ?? -1
    last.set(pair, at)
    return found
  })
}

/** The number of equal bytes at `from` and `at`, within a block. */
function common(bytes, from, at) {
  let length = 0
  while (length < BLOCK && at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++
  return length
}

/**
 * The cheapest tokens for a block: the shortest path from its beginning to its end.
 * @returns {{ length: number, distance: number }[]} a distance of 0 is a literal
 */
function tokensOf(bytes, start, found, state, chances) {
  const size = Math.min(BLOCK, bytes.length - start)
  const price = (context, bit) => -Math.log2((bit ? chances.of(context) : 65536 - chances.of(context)) / 65536)
  const lengths = Array.from({ length: size }, (_, i) => [
    numberBits(LENGTH, i || 1, price),
    numberBits(SAME_LENGTH, i + 1, price),
  ])
  /** The cheapest path to each position. */
  const ways = Array.from({ length: size + 1 }, () => ({ cost: Infinity }))
  ways[0] = { ...state, cost: 0 }
  const offer = (from, length, distance, cost) => {
    const way = ways[from + length]
    if (cost < way.cost)
      ways[from + length] = {
        cost,
        from,
        length,
        distance,
        repeated: distance > 0 ? 1 : 0,
        last: distance || ways[from].last,
      }
  }
  for (let i = 0; i < size; i++) {
    const at = start + i
    const { cost, repeated, last } = ways[i]
    offer(i, 1, 0, cost + repeatsBit(bytes, at, repeated, 0, price) + literalBits(bytes, at, repeated, last, price))
    const repeats = cost + repeatsBit(bytes, at, repeated, 1, price)
    const same = repeats + price(SAME_DISTANCE + repeated, 1)
    if (last > 0)
      for (let length = Math.min(common(bytes, at - last, at), size - i); length > 0; length--)
        offer(i, length, last, same + lengths[length - 1][1])
    const other = repeats + price(SAME_DISTANCE + repeated, 0)
    let length = 2
    for (const { length: longest, distance } of found[at]) {
      const distances = [
        numberBits(distanceContexts(2), distance, price),
        numberBits(distanceContexts(3), distance, price),
      ]
      for (; length <= Math.min(longest, size - i); length++)
        offer(i, length, distance, other + lengths[length - 1][0] + distances[length > 2 ? 1 : 0])
    }
  }
  const tokens = []
  for (let at = size; at > 0; at = ways[at].from) tokens.push(ways[at])
  return tokens.reverse()
}

// ASCII from ? to ~. A backslash or a backtick would change or end the string that contains it.
const ALPHABET = Array.from({ length: 64 }, (_, digit) =>
  String.fromCharCode(63 + digit)
    .replace('\\', '!')
    .replace('`', '#'),
)

/** @param {Uint8Array} bytes @returns {string} */
export function encodeBytes(bytes) {
  const found = repetitions(bytes)
  const chances = new Chances()
  const digits = new Digits()
  const code = (context, bit) => {
    digits.narrow(chances.of(context), bit)
    chances.learn(context, bit)
    return 0
  }
  let state = { repeated: 0, last: 0 }
  let at = 0
  while (at < bytes.length) {
    const tokens = tokensOf(bytes, at, found, state, chances)
    // The second half of a block is encoded again, together with the following one.
    const end = at + BLOCK < bytes.length ? at + BLOCK / 2 : bytes.length
    for (const { length, distance } of tokens) {
      if (at >= end) break
      const { repeated, last } = state
      repeatsBit(bytes, at, repeated, distance > 0 ? 1 : 0, code)
      if (distance === 0) literalBits(bytes, at, repeated, last, code)
      else {
        const isSame = distance === last
        code(SAME_DISTANCE + repeated, isSame ? 1 : 0)
        if (isSame) numberBits(SAME_LENGTH, length, code)
        else {
          numberBits(LENGTH, length - 1, code)
          numberBits(distanceContexts(length), distance, code)
        }
      }
      state = { repeated: distance > 0 ? 1 : 0, last: distance || last }
      at += length
    }
  }
  return digits
    .end()
    .map((digit) => ALPHABET[digit])
    .join('')
}
