// Reads penguins.csv as numbers: four measurements, species and island → whether the bird is male. README.md describes
// the file.

import { readFileSync } from 'node:fs'
import { random } from 'myelin'

const MEASUREMENTS = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g']
const CATEGORIES = ['species', 'island']

/**
 * The birds in two parts, in a random order that is the same in every run:
 *   birds  as in the file, by column name
 *   x, y   rows of numbers
 * and the names of the columns of x. The test part is held out: nothing is computed from it, not even the scale of a
 * column.
 */
export function readPenguins({ seed, testPart }) {
  const text = readFileSync(new URL('penguins.csv', import.meta.url), 'utf8')
  const [header, ...lines] = text.trim().split('\n')
  const columns = header.split(',')
  const birds = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [columns[i], value])))
  // The file is sorted by species.
  const shuffled = Array.from(random.permutation(birds.length, seed), (i) => birds[i])
  const testCount = Math.round(testPart * shuffled.length)
  const train = shuffled.slice(testCount)
  const test = shuffled.slice(0, testCount)

  // Features of similar size: measurements in standard deviations from the mean, both computed from the training birds.
  const scales = MEASUREMENTS.map((name) => {
    const values = train.map((bird) => Number(bird[name]))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    return (bird) => (Number(bird[name]) - mean) / Math.sqrt(variance)
  })
  // Categories as one column per level except the first, which is all zeros: 3 species → 2 columns, 3 islands → 2.
  const levels = CATEGORIES.flatMap((name) => {
    const [, ...rest] = [...new Set(train.map((bird) => bird[name]))].sort()
    return rest.map((level) => ({ name, level }))
  })
  const toInputs = (bird) => [
    ...scales.map((scale) => scale(bird)),
    ...levels.map(({ name, level }) => Number(bird[name] === level)),
  ]
  const part = (some) => ({ birds: some, x: some.map(toInputs), y: some.map((bird) => [Number(bird.sex === 'male')]) })
  return { train: part(train), test: part(test), names: [...MEASUREMENTS, ...levels.map(({ level }) => level)] }
}
