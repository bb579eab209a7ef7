// Writes penguins.csv from the npm package vega-datasets. Needs no network itself.
//
//   npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
//   node examples/data/make-penguins.mjs package
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const packageFolder = process.argv[2]
if (packageFolder === undefined) {
  throw new Error('usage: node make-penguins.mjs <folder of the unpacked vega-datasets package>')
}

// Column in penguins.csv → field in the source. Palmer penguins says "bill" where the source says "beak".
const columns = {
  species: 'Species',
  island: 'Island',
  bill_length_mm: 'Beak Length (mm)',
  bill_depth_mm: 'Beak Depth (mm)',
  flipper_length_mm: 'Flipper Length (mm)',
  body_mass_g: 'Body Mass (g)',
  sex: 'Sex',
}

// The source has null for an unknown sex, and once ".".
const isKnown = (value) => value !== null && value !== undefined && value !== '.'
const sexNames = { MALE: 'male', FEMALE: 'female' }

const source = JSON.parse(readFileSync(join(packageFolder, 'data', 'penguins.json'), 'utf8'))
const complete = source.filter((row) => Object.values(columns).every((field) => isKnown(row[field])))
if (complete.length !== 333) {
  throw new Error(`expected 333 complete rows, received ${complete.length}`)
}

const lines = complete.map((row) =>
  Object.entries(columns)
    .map(([column, field]) => (column === 'sex' ? sexNames[row[field]] : row[field]))
    .join(','),
)
const target = new URL('penguins.csv', import.meta.url)
writeFileSync(target, [Object.keys(columns).join(','), ...lines].join('\n') + '\n')
console.log(`penguins.csv: ${complete.length} of ${source.length} rows`)
