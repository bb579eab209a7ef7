// The smallest page that trains: index.html, from any server of static files. This program runs it in a Chromium without a
// window.
//
// Baseline: a constant answer, half of the points. Result: above 95 %, in 1 s.
// Run it after `npm run build` with `node examples/browser`.

import { runPage } from '../shared/browser.js'
import { claim, outputPath, percent, printPicture, printTable } from '../shared/report.js'

const screenshot = outputPath('browser.png')
const result = await runPage('examples/browser/index.html', { screenshot })
if (result !== null) {
  if (result.error !== undefined) throw new Error(result.error)
  console.log('\nCorrect on 200 new points')
  printTable([
    ['a constant answer', percent(0.5)],
    ['2→16→1', percent(result.accuracy)],
  ])
  printPicture(screenshot)
  claim({ 'at least 92 % of the points are classified correctly': result.accuracy >= 0.92 })
}
