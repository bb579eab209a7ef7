// Run by byte-products.test.ts in a process with other flags of V8. Prints which products of bytes are right in the
// calls that follow `warmups` calls of quantize, and whether quantize writes bytes.
//
//   node byte-products.mjs BINARY OFFSETS WARMUPS

import { readFileSync } from 'node:fs'

const [binary, offsets, warmups] = process.argv.slice(2)
const { quantize, row } = JSON.parse(offsets)
const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536 })
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(binary)), { env: { memory } })
const bytes = new Int8Array(memory.buffer)
const words = new Int32Array(memory.buffer)
const floats = new Float32Array(memory.buffer)

// One row of positive numbers.
const [instruction, input, integers, record] = [65536, 66000, 70000, 72000]
const columns = 500
for (let i = 0; i < columns; i++) floats[input / 4 + i] = i % 9
for (const [name, value] of Object.entries({ out: integers, scales: record, input, fixed: 0, rows: 1, columns }))
  words[(instruction + quantize[name]) / 4] = value
for (let i = 0; i <= warmups; i++) exports.quantize(instruction, 0, 1)
const writesBytes = words[(record + row.isBytes) / 4] === 1

// Four places of 52 elements within 0 … 3, eight channels: no product saturates, and no result is rounded.
const quads = 13
const [places, placeScales, taps, weights, scales, out] = [80000, 80100, 80200, 81000, 82000, 83000]
const sums = 32
const elements = 84000
for (let place = 0; place < 4; place++) {
  words[places / 4 + place] = elements + 100 * place
  floats[placeScales / 4 + place] = 1
  for (let i = 0; i < 4 * quads; i++) bytes[elements + 100 * place + i] = (7 * i + place) % 4
}
for (let i = 0; i < quads * sums; i++) bytes[weights + sums + i] = ((71 * i) % 255) - 127
floats.fill(1, scales / 4, scales / 4 + 8)

function expected(place) {
  return Array.from({ length: 8 }, (_, channel) => {
    let sum = 0
    for (let i = 0; i < 4 * quads; i++)
      sum +=
        bytes[elements + 100 * place + i] * bytes[weights + sums + Math.floor(i / 4) * sums + 4 * channel + (i % 4)]
    return sum
  })
}
const isRight = (place) => expected(place).every((value, channel) => floats[out / 4 + 8 * place + channel] === value)

exports.quantized_1x8_i8(out, elements, 1, taps, 1, quads, weights, scales, 0, 8, -Infinity, 0)
const one = isRight(0)
floats.fill(0, out / 4, out / 4 + 32)
exports.quantized_4x8_i8(out, 32, places, placeScales, taps, 1, quads, weights, scales, 0, 4, 8, -Infinity, 0)
const four = [0, 1, 2, 3].every(isRight)
console.log(JSON.stringify({ writesBytes, one, four }))
