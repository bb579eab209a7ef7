// Writes src/data/digits.bin: 1,500 digits of examples/data/mnist.bin.gz at half their size. First the labels, a byte each,
// then the pixels in 16 levels, two in each byte.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readDigits } from '../examples/data/digits.js'

const COUNT = 1500
const [SIDE, HALF] = [28, 14]
const { train } = readDigits([SIDE, SIDE])
const bytes = new Uint8Array(COUNT * (1 + HALF ** 2 / 2))
for (let digit = 0; digit < COUNT; digit++) {
  bytes[digit] = train.y[digit]
  for (let pixel = 0; pixel < HALF ** 2; pixel++) {
    const [row, column] = [2 * Math.floor(pixel / HALF), 2 * (pixel % HALF)]
    const at = digit * SIDE ** 2 + row * SIDE + column
    const { data } = train.x
    const level = Math.round((15 * (data[at] + data[at + 1] + data[at + SIDE] + data[at + SIDE + 1])) / 4)
    bytes[COUNT + digit * (HALF ** 2 / 2) + (pixel >> 1)] |= pixel % 2 === 0 ? level << 4 : level
  }
}
writeFileSync(fileURLToPath(new URL('src/data/digits.bin', import.meta.url)), bytes)
console.log(`src/data/digits.bin: ${COUNT} digits, ${bytes.length} bytes`)
