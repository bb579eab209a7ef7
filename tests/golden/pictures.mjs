// Adds to pictures.json the checksums of what a build of this library reads from its files: run it before a change of the decoders
// or of resizing that must keep every bit, or after one that changes them. Node 20, whose results are those of the plain binary.
//
//   node pictures.mjs [dist/data.js]

import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { crc32 } from 'node:zlib'

const built = resolve(process.argv[2] ?? new URL('../../dist/data.js', import.meta.url).pathname)
const { imageFolder, readImage } = await import(pathToFileURL(built))
const path = new URL('pictures.json', import.meta.url)
const files = JSON.parse(readFileSync(path, 'utf8'))
const sum = ({ data }) => crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
const folder = mkdtempSync(join(tmpdir(), 'myelin-pictures-'))
for (const [name, file] of Object.entries(files)) {
  const bytes = Buffer.from(file.bytes, 'base64')
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, name), bytes)
  const pixels = {}
  for (const channels of [1, 3, 4]) {
    const whole = await readImage(new Uint8Array(bytes), { channels })
    const sums = [sum(whole), sum(await readImage(new Uint8Array(bytes), { channels, scale: 1 / 255 }))]
    for (const options of [
      { imageSize: [8, 11] },
      { imageSize: 64, scale: 1 / 255 },
      { imageSize: [16, 9], cropToAspectRatio: true },
      { imageSize: 20, padToAspectRatio: true, dtype: 'int32' },
    ]) {
      const images = await imageFolder(join(folder, name), { labels: null, batchSize: null, channels, ...options })
      const [image] = await images.toArray()
      sums.push(sum(image))
    }
    pixels[channels] = sums
  }
  file.pixels = pixels
}
rmSync(folder, { recursive: true })
writeFileSync(path, `${JSON.stringify(files, null, 0).replaceAll('},"', '},\n"')}\n`)
process.exit()
