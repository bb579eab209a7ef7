// Times imageFolder: pictures of 160 × 160 to 64 × 64, PNG and JPEG, beside Pillow. Prints only.
//
//   node bench/images.mjs [--python PATH]      an interpreter with Pillow and NumPy
//
// guard.mjs calls `slowImages`, which needs neither Pillow nor an idle machine.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { inflateSync } from 'node:zlib'
import { describeMachine, machineLine } from './machine.mjs'
import { table } from './report.mjs'

const at = (name) => fileURLToPath(new URL(`pictures/${name}`, import.meta.url))
const KINDS = ['png', 'jpg']
const [COUNT, ROUNDS] = [200, 9]

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

async function cpuOf(run) {
  const start = cpuSeconds()
  await run()
  return cpuSeconds() - start
}

/** The data of the single IDAT chunk after the header of 33 bytes. */
function packedPixels(png) {
  const start = png.indexOf('IDAT')
  return png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4))
}

/** The most time that a picture may take, in that of decompressing the PNG. On an x64 machine with Node 20 it is 2 and 0.9; without kernels it was 3 for both. */
const MOST = { png: 4, jpg: 2 }

/** What is slower than it should be, for guard.mjs: texts. */
export async function slowImages() {
  const { readImage } = await import('../dist/data.js')
  const packed = packedPixels(readFileSync(at('photo.png')))
  const programs = {
    unit: async () => inflateSync(packed),
    ...Object.fromEntries(
      KINDS.map((kind) => {
        const bytes = new Uint8Array(readFileSync(at(`photo.${kind}`)))
        return [kind, () => readImage(bytes, { imageSize: [64, 64] })]
      }),
    ),
  }
  const least = { unit: Infinity, png: Infinity, jpg: Infinity }
  for (let round = 0; round < 20; round++)
    for (const [name, run] of Object.entries(programs)) {
      const seconds = await cpuOf(async () => {
        for (let i = 0; i < 40; i++) await run()
      })
      least[name] = Math.min(least[name], seconds)
    }
  const ratios = KINDS.map((kind) => [kind, least[kind] / least.unit])
  console.log(
    `images: ${ratios.map(([kind, ratio]) => `${kind} ${ratio.toFixed(1)} ≤ ${MOST[kind]}`).join(', ')} × the time of decompressing the PNG`,
  )
  return ratios
    .filter(([kind, ratio]) => ratio > MOST[kind])
    .map(
      ([kind, ratio]) =>
        `a ${kind} of 160 × 160 takes ${ratio.toFixed(1)} times as long as its pixels as PNG to decompress, at most ${MOST[kind]} expected`,
    )
}

async function main() {
  const { values } = parseArgs({ options: { python: { type: 'string' } } })
  const { imageFolder } = await import('../dist/data.js')
  const root = mkdtempSync(join(tmpdir(), 'myelin-images-'))
  const folderOf = (kind) => join(root, kind)
  for (const kind of KINDS) {
    mkdirSync(join(folderOf(kind), 'all'), { recursive: true })
    for (let i = 0; i < COUNT; i++) copyFileSync(at(`photo.${kind}`), join(folderOf(kind), 'all', `${i}.${kind}`))
  }
  const python =
    values.python === undefined ? null : spawn(values.python, [fileURLToPath(new URL('images.py', import.meta.url))])
  python?.stderr.pipe(process.stderr)
  const answers = python === null ? null : createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  const pillow = async (kind) => {
    python.stdin.write(`${folderOf(kind)}\n`)
    return Number((await answers.next()).value)
  }
  const ours = async (kind) => {
    const images = await imageFolder(folderOf(kind), { imageSize: [64, 64], labels: null, shuffle: false })
    return cpuOf(() => images.forEach(() => {}))
  }
  try {
    const least = {}
    for (let round = 0; round < ROUNDS; round++)
      for (const kind of KINDS) {
        const seconds = [await ours(kind), python === null ? NaN : await pillow(kind)]
        least[kind] = seconds.map((each, i) => Math.min(each, least[kind]?.[i] ?? Infinity))
      }
    const perSecond = (seconds) => (Number.isNaN(seconds) ? '–' : Math.round(COUNT / seconds).toLocaleString('en'))
    const rows = KINDS.map((kind) => {
      const [ours, other] = least[kind]
      return [kind, perSecond(ours), perSecond(other), Number.isNaN(other) ? '–' : (other / ours).toFixed(2)]
    })
    console.log(
      `${COUNT} pictures of 160 × 160 to 64 × 64; the least CPU times of ${ROUNDS} interleaved rounds. ${machineLine(describeMachine())}\n`,
    )
    console.log(table(['', 'imageFolder, images/s', 'Pillow, images/s', 'share of Pillow'], rows))
  } finally {
    python?.kill()
    rmSync(root, { recursive: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
