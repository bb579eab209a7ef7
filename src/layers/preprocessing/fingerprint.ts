// Hashes of strings, identical to those of Keras and TensorFlow: FarmHash's Fingerprint64, and SipHash-2-4 with a salt.
// Geoff Pike, "FarmHash" (2014); Aumasson & Bernstein, "SipHash: a fast short-input PRF" (2012).

import { encodeUtf8 } from '../../core/text'
const MASK = 0xffffffffffffffffn
const K0 = 0xc3a5c85c97cb3127n
const K1 = 0xb492b66fbe98f273n
const K2 = 0x9ae16a3b2f90404fn

const wrap = (x: bigint): bigint => x & MASK
const rotateRight = (x: bigint, by: bigint): bigint => wrap((x >> by) | (x << (64n - by)))
const rotateLeft = (x: bigint, by: bigint): bigint => rotateRight(x, 64n - by)
const mix = (x: bigint): bigint => x ^ (x >> 47n)

function hashTwo(u: bigint, v: bigint, by: bigint): bigint {
  const a = mix(wrap((u ^ v) * by))
  return wrap(mix(wrap((v ^ a) * by)) * by)
}

/** Hashes bytes to a 64-bit number. */
export function fingerprint64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = (offset: number): bigint => view.getBigUint64(offset, true)
  const { length } = bytes
  const by = wrap(K2 + BigInt(2 * length))
  if (length > 64) return hashLong(at, length)
  if (length > 32) {
    const a = wrap(at(0) * K2),
      b = at(8),
      c = wrap(at(length - 8) * by),
      d = wrap(at(length - 16) * K2)
    const y = wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d)
    const z = hashTwo(y, wrap(a + rotateRight(wrap(b + K2), 18n) + c), by)
    const e = wrap(at(16) * by),
      f = at(24),
      g = wrap((y + at(length - 32)) * by),
      h = wrap((z + at(length - 24)) * by)
    return hashTwo(
      wrap(rotateRight(wrap(e + f), 43n) + rotateRight(g, 30n) + h),
      wrap(e + rotateRight(wrap(f + a), 18n) + g),
      by,
    )
  }
  if (length > 16) {
    const a = wrap(at(0) * K1),
      b = at(8),
      c = wrap(at(length - 8) * by),
      d = wrap(at(length - 16) * K2)
    return hashTwo(
      wrap(rotateRight(wrap(a + b), 43n) + rotateRight(c, 30n) + d),
      wrap(a + rotateRight(wrap(b + K2), 18n) + c),
      by,
    )
  }
  if (length >= 8) {
    const a = wrap(at(0) + K2),
      b = at(length - 8)
    return hashTwo(wrap(rotateRight(b, 37n) * by + a), wrap((rotateRight(a, 25n) + b) * by), by)
  }
  if (length >= 4)
    return hashTwo(
      wrap(BigInt(length) + (BigInt(view.getUint32(0, true)) << 3n)),
      BigInt(view.getUint32(length - 4, true)),
      by,
    )
  if (length === 0) return K2
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8)),
    z = BigInt(length + (bytes[length - 1]! << 2))
  return wrap(mix(wrap(wrap(y * K2) ^ wrap(z * K0))) * K2)
}

type Pair = readonly [bigint, bigint]

function hashLong(at: (offset: number) => bigint, length: number): bigint {
  const weak = (offset: number, a0: bigint, b0: bigint): Pair => {
    const w = at(offset),
      x = at(offset + 8),
      y = at(offset + 16),
      z = at(offset + 24)
    const a = wrap(a0 + w)
    const b = rotateRight(wrap(b0 + a + z), 21n)
    const sum = wrap(a + x + y)
    return [wrap(sum + z), wrap(b + rotateRight(sum, 44n) + a)]
  }
  let x = 81n,
    y = wrap(81n * K1 + 113n),
    z = wrap(mix(wrap(y * K2 + 113n)) * K2)
  let v: Pair = [0n, 0n],
    w: Pair = [0n, 0n]
  x = wrap(x * K2 + at(0))
  const rest = (length - 1) & 63
  let offset = 0
  const turn = (by: bigint, byW: bigint, byV: bigint): void => {
    x = wrap(rotateRight(wrap(x + y + v[0] + at(offset + 8)), 37n) * by)
    y = wrap(rotateRight(wrap(y + v[1] + at(offset + 48)), 42n) * by)
    x ^= wrap(w[1] * byW)
    y = wrap(y + v[0] * byV + at(offset + 40))
    z = wrap(rotateRight(wrap(z + w[0]), 33n) * by)
    v = weak(offset, wrap(v[1] * by), wrap(x + w[0]))
    w = weak(offset + 32, wrap(z + w[1]), wrap(y + at(offset + 16)))
    ;[x, z] = [z, x]
  }
  for (const end = Math.floor((length - 1) / 64) * 64; offset !== end; offset += 64) turn(K1, 1n, 1n)
  const by = wrap(K1 + ((z & 0xffn) << 1n))
  offset = length - 64
  const first = wrap(w[0] + BigInt(rest))
  v = [wrap(v[0] + first), v[1]]
  w = [wrap(first + v[0]), w[1]]
  turn(by, 9n, 9n)
  return hashTwo(wrap(hashTwo(v[0], w[0], by) + mix(y) * K0 + z), wrap(hashTwo(v[1], w[1], by) + x), by)
}

/** SipHash-2-4 with a key of two 64-bit words. */
export function sipHash(bytes: Uint8Array, key: readonly [bigint, bigint]): bigint {
  let v0 = 0x736f6d6570736575n ^ key[0],
    v1 = 0x646f72616e646f6dn ^ key[1]
  let v2 = 0x6c7967656e657261n ^ key[0],
    v3 = 0x7465646279746573n ^ key[1]
  const rounds = (count: number): void => {
    for (; count > 0; count--) {
      v0 = wrap(v0 + v1)
      v1 = rotateLeft(v1, 13n) ^ v0
      v0 = rotateLeft(v0, 32n)
      v2 = wrap(v2 + v3)
      v3 = rotateLeft(v3, 16n) ^ v2
      v0 = wrap(v0 + v3)
      v3 = rotateLeft(v3, 21n) ^ v0
      v2 = wrap(v2 + v1)
      v1 = rotateLeft(v1, 17n) ^ v2
      v2 = rotateLeft(v2, 32n)
    }
  }
  const take = (word: bigint): void => {
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length & ~7
  for (let at = 0; at < whole; at += 8) take(view.getBigUint64(at, true))
  let last = BigInt(bytes.length & 0xff) << 56n
  for (let i = whole; i < bytes.length; i++) last |= BigInt(bytes[i]!) << BigInt(8 * (i - whole))
  take(last)
  v2 ^= 0xffn
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}

/** The bucket of a string, among `buckets`. */
export function bucketOf(text: string, buckets: number, salt: readonly [number, number] | null = null): number {
  const bytes = encodeUtf8(text)
  const hash = salt === null ? fingerprint64(bytes) : sipHash(bytes, [BigInt(salt[0]), BigInt(salt[1])])
  return Number(hash % BigInt(buckets))
}

/** FarmHash64 of a string. */
export const fingerprintOf = (text: string): bigint => fingerprint64(encodeUtf8(text))

/** The fingerprint of two fingerprints, as TensorFlow's FingerprintCat64. */
export function concatenatedFingerprint(a: bigint, b: bigint): bigint {
  const factor = 0xc6a4a7935bd1e995n
  const mixed = (x: bigint): bigint => x ^ (x >> 47n)
  const times = (x: bigint): bigint => BigInt.asUintN(64, x * factor)
  return mixed(times(mixed(times(a ^ factor ^ times(mixed(times(b)))))))
}
