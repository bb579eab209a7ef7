// Reads the handwritten digits of mnist.bin.gz, and draws some as text. README.md describes the file.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const HEADER_BYTES = 16
const SIDE = 28
/** The digits are in random order, so the last ones can be held out. */
const TRAIN_COUNT = 8000

/**
 * The contents of the file, in two parts:
 *   x  { data, shape }: ink from 0 to 1; `shape` is that of one digit, for example [784] or [28, 28, 1]
 *   y  the digit, 0 … 9
 */
export function readDigits(shape) {
  const file = gunzipSync(readFileSync(new URL('mnist.bin.gz', import.meta.url)))
  const count = file.readUInt32LE(4)
  const labels = file.subarray(HEADER_BYTES, HEADER_BYTES + count)
  const ink = Float32Array.from(file.subarray(HEADER_BYTES + count), (byte) => byte / 255)
  const part = (start, end) => ({
    x: { data: ink.subarray(start * SIDE * SIDE, end * SIDE * SIDE), shape: [end - start, ...shape] },
    y: labels.subarray(start, end),
    count: end - start,
  })
  return { train: part(0, TRAIN_COUNT), test: part(TRAIN_COUNT, count) }
}

/** The ink of digit i, from data as above or from a tensor of the same layout. */
export function digitAt({ data }, i) {
  return data.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)
}

/** Digits side by side, as text. One line shows two rows of pixels, because characters are twice as high as wide. */
export function drawDigits(digits, captions) {
  const lines = Array.from({ length: SIDE / 2 }, (_, line) =>
    digits.map((ink) =>
      Array.from({ length: SIDE }, (_, column) => {
        const at = 2 * line * SIDE + column
        return ' .:-=+*#%@'[Math.round((9 * (ink[at] + ink[at + SIDE])) / 2)]
      }).join(''),
    ),
  )
  return [...lines, captions].map((line) => line.map((part) => part.padEnd(SIDE)).join('  ')).join('\n')
}

/** The share of test digits whose most similar mean of the training digits, by squared distance, is that of their class. */
export function centroidAccuracy(train, test) {
  const size = SIDE * SIDE
  const means = Array.from({ length: 10 }, (_, digit) => {
    const mean = new Float32Array(size)
    let count = 0
    train.y.forEach((label, i) => {
      if (label !== digit) return
      count++
      digitAt(train.x, i).forEach((ink, at) => (mean[at] += ink))
    })
    return mean.map((sum) => sum / count)
  })
  const distance = (a, b) => a.reduce((sum, ink, at) => sum + (ink - b[at]) ** 2, 0)
  const right = test.y.filter((label, i) => {
    const distances = means.map((mean) => distance(digitAt(test.x, i), mean))
    return distances.indexOf(Math.min(...distances)) === label
  })
  return right.length / test.count
}
