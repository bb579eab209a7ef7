// A bot learns to keep a ball in play, in a page that shows the game: index.html. The learner is that of
// examples/cart-pole. Open it from any server of static files; this program runs it in a Chromium without a window.
//
// Baseline: random moves, 0.2 hits of 20 in a game. Result: 15 to 20 hits, after 100 to 500 updates, in 2 s.
// Run it after `npm run build` with `node examples/bot`.

import { runPage } from '../shared/browser.js'
import { claim, outputPath, printPicture, printTable, readOptions } from '../shared/report.js'

const { seed } = readOptions({ seed: 1 })
const screenshot = outputPath('bot.png')
const result = await runPage(`examples/bot/index.html?seed=${seed}`, { screenshot })
if (result !== null) {
  console.log('\nHits in a game, at most 20; means of 100 games')
  printTable([
    ['random moves', result.guessed.toFixed(1)],
    [`after ${result.updates} updates`, result.learned.toFixed(1)],
  ])
  printPicture(screenshot)
  claim({ 'the bot hits the ball 12 of 20 times': result.learned >= 12 })
}
