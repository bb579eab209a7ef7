// The slowly-changing regression problem: a function of 20 bits, 15 of which stay the same for a task of 10,000 examples.
//
// Dohare et al., Loss of plasticity in deep continual learning, Nature 632:768, 2024. The target and its bias and the
// distribution of weights are those of the authors' published programs.

import { generator } from './statistics.js'

/** The examples of a task. */
export const TASK = 10_000
/** Bits of an example. */
export const INPUTS = 20
/** Bits that are fixed during a task; the others are redrawn for each example. */
const SLOW = 15
const TARGET_UNITS = 100
const THRESHOLD = 0.7

/**
 * A function of 20 bits: the signed sum of 100 units, each of which fires when about 70 % of its inputs match its
 * pattern.
 */
function targetOf(random) {
  const sign = () => (random() < 0.5 ? 1 : -1)
  const units = Array.from({ length: TARGET_UNITS }, () => {
    const weights = Array.from({ length: INPUTS }, sign)
    const bias = sign()
    const negative = weights.filter((weight) => weight < 0).length + bias / 2
    return { weights, threshold: THRESHOLD * (INPUTS + 1) - negative - bias, effect: sign() }
  })
  const base = sign()
  return (bits) =>
    units.reduce((total, { weights, threshold, effect }) => {
      return weights.reduce((sum, weight, i) => sum + weight * bits[i], 0) > threshold ? total + effect : total
    }, base)
}

/** The slow bits of the next task. */
const changes = {
  all: (slow, random) => slow.map(() => Number(random() < 0.5)),
  one(slow, random) {
    const flipped = Math.floor(random() * SLOW)
    return slow.map((bit, i) => (i === flipped ? 1 - bit : bit))
  },
}

/**
 * An endless sequence of tasks.
 *   flip   all: all slow bits are redrawn, as in the published runs; one: one of them flips, as in the text
 *
 * @param {number} seed
 * @param {'all' | 'one'} flip
 * @returns {Generator<Record<'x' | 'y', { data: Float32Array, shape: number[] }>, never>}
 */
export function* slowTasks(seed, flip = 'all') {
  const random = generator(seed)
  const target = targetOf(random)
  for (let slow = changes.all(Array(SLOW).fill(0), random); ; slow = changes[flip](slow, random)) {
    const patterns = Array.from({ length: 2 ** (INPUTS - SLOW) }, (_, pattern) => {
      const bits = [...slow, ...Array.from({ length: INPUTS - SLOW }, (_, i) => (pattern >> i) & 1)]
      return { bits, value: target(bits) }
    })
    const x = new Float32Array(TASK * INPUTS)
    const y = new Float32Array(TASK)
    for (let i = 0; i < TASK; i++) {
      const { bits, value } = patterns[Math.floor(random() * patterns.length)]
      x.set(bits, i * INPUTS)
      y[i] = value
    }
    yield { x: { data: x, shape: [TASK, INPUTS] }, y: { data: y, shape: [TASK, 1] } }
  }
}
