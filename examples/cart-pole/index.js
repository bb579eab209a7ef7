// Balances a pole on a cart by actor-critic learning. The learner sees four numbers in each step, and how long each game lasted.
//
// Baseline: random pushes, 22 steps until the pole falls. Result: 500 of 500 steps (483 to 500 with five seeds), after 1 to
// 3 s of learning. Run it after `npm run build` with `node examples/cart-pole`.

import { setRandomSeed } from 'myelin'
import { plotHistory } from 'myelin/plot'
import { CartPole, MOST_STEPS, play } from '../data/cart-pole.js'
import { generator, mean } from '../data/statistics.js'
import { claim, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'
import { ActorCritic } from './actor-critic.js'

const GAMES = 16
const MOST_UPDATES = 2000
/** Updates between two examinations. */
const EVERY = 50
const { seed } = readOptions({ seed: 1 })

setRandomSeed(seed)
const random = generator(seed)
const games = Array.from({ length: GAMES }, () => new CartPole(random))
const learner = new ActorCritic(games, {
  inputs: CartPole.inputs,
  actions: CartPole.actions,
  random,
  rewardScale: 0.01,
})
const best = (state) => learner.best(state)

// Learns until ten games, played without chance, are as long as possible.
const seconds = stopwatch()
const history = { learning: [], examined: [] }
let updates = 0
while (updates < MOST_UPDATES && history.examined.at(-1) !== MOST_STEPS) {
  const ended = Array.from({ length: EVERY }, () => learner.learn()).flat()
  updates += EVERY
  history.learning.push(mean(ended))
  history.examined.push(mean(play(10, random, best)))
  const [learning, examined] = [history.learning, history.examined].map((each) => each.at(-1).toFixed(0).padStart(3))
  console.log(
    `update ${String(updates).padStart(4)}   steps of a game: ${learning} while learning, ${examined} with the best actions`,
  )
}
console.log(`Learned in ${seconds().toFixed(1)} s, ${updates} updates`)

// Other games.
const learned = mean(play(50, random, best))
const guessed = mean(play(50, random, () => Number(random() < 0.5)))
console.log(`\nSteps until the pole falls, at most ${MOST_STEPS}; means of 50 games`)
printTable([
  ['random pushes', guessed.toFixed(0)],
  ['actor-critic', learned.toFixed(0)],
])
await savePicture('cart-pole', plotHistory(history, { title: 'Steps of a game', xLabel: `${EVERY} updates` }))
claim({ 'the pole stays up for 400 of 500 steps': learned >= 400 })
