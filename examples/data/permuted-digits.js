// A sequence of tasks, each the same digits with their pixels in another order.

import { readDigits } from './digits.js'
import { generator, shuffled } from './statistics.js'

export const PIXELS = 784

// All 10,000 digits: nothing is held out, since the experiments measure how fast each task is learnt.
const { train, test } = readDigits([PIXELS])
export const COUNT = train.count + test.count
const ink = new Float32Array(COUNT * PIXELS)
ink.set(train.x.data)
ink.set(test.x.data, train.x.data.length)
const y = Uint8Array.from([...train.y, ...test.y])

/** An endless sequence of tasks. */
export function* permutedDigits(seed) {
  const random = generator(seed)
  for (;;) {
    const order = shuffled(PIXELS, random)
    const data = new Float32Array(ink.length)
    for (let start = 0; start < data.length; start += PIXELS) {
      for (let i = 0; i < PIXELS; i++) data[start + i] = ink[start + order[i]]
    }
    yield { x: { data, shape: [COUNT, PIXELS] }, y }
  }
}
