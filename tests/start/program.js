// What every environment builds and runs: trains the seed network, reads a CSV, saves and loads. kit.mjs writes the first two lines
// anew where there is no import.

import { Dense, Sequential, loadModel, runtimeInfo, setRandomSeed } from 'myelin'
import { readCsv } from 'myelin/data'

function check(isTrue, what) {
  if (!isTrue) throw new Error(`expected ${what}`)
}

/** @returns what was found, as text */
export async function start() {
  setRandomSeed(1)
  const x = Array.from({ length: 64 }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(i * 8 + j)))
  const y = x.map((row) => [row[0] * row[1] > 0 ? 1 : 0])
  const model = new Sequential([
    new Dense({ units: 10, activation: 'tanh', inputShape: [8] }),
    new Dense({ units: 8, activation: 'tanh' }),
    new Dense({ units: 1, activation: 'sigmoid' }),
  ])
  model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' })
  const { loss } = (await model.fit(x, y, { epochs: 30, batchSize: 8, verbose: 0 })).history
  check(loss.at(-1) < loss[0], `a smaller loss than ${loss[0]}, received ${loss.at(-1)}`)

  const text = 'kind,size,"a ""note"""\nred,1.5,"x, y"\nblue,2,"two\nlines"\n'
  const rows = await readCsv({ text }, { types: { kind: 'category' } }).toArray()
  const expected = [
    { kind: 1, size: 1.5, 'a "note"': 'x, y' },
    { kind: 0, size: 2, 'a "note"': 'two\nlines' },
  ]
  check(JSON.stringify(rows) === JSON.stringify(expected), `the rows of the CSV, received ${JSON.stringify(rows)}`)

  const file = await model.save()
  const copy = await loadModel(file, { layers: [Dense] })
  const [before, after] = [await model.predict(x), await copy.predict(x)].map((each) => each.toArray().join())
  check(before === after, 'the same predictions from the saved file')
  return `loss ${loss[0].toFixed(3)} → ${loss.at(-1).toFixed(3)}, ${runtimeInfo().backend} ${runtimeInfo().simd}`
}
