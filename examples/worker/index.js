// A page that trains in a worker, and draws the answers of the network meanwhile: index.html and worker.js. In the middle
// the data change, and the page shows how a Homeostat reacts. Open it from any server of static files; this program
// runs it in a Chromium without a window.
//
// Baseline: a straight line, 50 to 60 % of the points. Result: above 99 %, also after the change, in 4 s, while the page
// draws frame after frame.
// Run it after `npm run build` with `node examples/worker`.

import { writeFileSync } from 'node:fs'
import { runPage } from '../shared/browser.js'
import { claim, outputPath, percent, printPicture, printTable, readOptions } from '../shared/report.js'

const { seed } = readOptions({ seed: 1 })
const result = await runPage(`examples/worker/index.html?seed=${seed}`, { screenshot: outputPath('worker.png') })
if (result !== null) {
  const { error, accuracy, baseline, count, frames, reports, svg, log, units } = result
  if (error !== undefined) throw new Error(error)
  console.log(`\nCorrect on ${count} other points, while the page drew ${frames} frames`)
  printTable([
    ['a straight line', percent(baseline)],
    ['2→32→32→1', percent(accuracy)],
  ])
  const renewed = units.flat().filter((times) => times > 0).length
  console.log(`\nHomeostat renewed ${renewed} of ${units.flat().length} units:\n${log}`)
  const path = outputPath('worker.svg')
  writeFileSync(path, svg)
  printPicture(path)
  claim({
    'at least 95 % of the points are classified correctly': accuracy >= 0.95,
    'a straight line classifies at most 75 %': baseline <= 0.75,
    'the page was told of every third epoch, and drew meanwhile': reports === 40 && frames > 1,
    'each act of the Homeostat has a reason':
      log === '' || log.split('\n').every((line) => /^step [\d,]+: \w+.*: ./.test(line)),
  })
}
