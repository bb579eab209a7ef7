// Deep Q-learning: a network estimates what each action is worth, learns from remembered steps in random order, and is
// measured against a slower copy of itself (Mnih et al. 2015; double Q-learning, van Hasselt et al. 2016).
// The game is that of examples/cart-pole.
//
// Baseline: random pushes, 22 steps until the pole falls. Result: 484 to 500 of 500 steps with six seeds, after 3,500 to
// 12,000 steps of learning, 2 to 8 s. Run it after `npm run build` with `node examples/dqn`.

import {
  Adam,
  Dense,
  Normalization,
  Sequential,
  cloneModel,
  jit,
  losses,
  ops,
  setRandomSeed,
  valueAndGrad,
} from 'myelin'
import { plotHistory } from 'myelin/plot'
import { CartPole, MOST_STEPS, play } from '../data/cart-pole.js'
import { generator, mean } from '../data/statistics.js'
import { claim, printTable, readOptions, savePicture, stopwatch } from '../shared/report.js'

const { inputs, actions } = CartPole
const DISCOUNT = 0.99
const MEMORY = 20_000
const BATCH = 128
/** Steps with random actions at the beginning, and over which the share of random actions falls to the least. */
const [WARM_UP, EXPLORING, LEAST_RANDOM] = [500, 5000, 0.05]
const MOST_STEPS_OF_ALL = 20_000
/** Steps between two examinations. */
const EVERY = 500
const GOAL = 480
const { seed } = readOptions({ seed: 1 })

setRandomSeed(seed)
const random = generator(seed)
const network = new Sequential([
  // Position, velocity, angle and angular velocity: all about 1.
  new Normalization({ mean: [0, 0, 0, 0], variance: [1.5, 1, 0.02, 1.5], inputShape: [inputs] }),
  new Dense({ units: 64, activation: 'relu' }),
  new Dense({ units: 64, activation: 'relu' }),
  new Dense({ units: actions }),
])
const slow = cloneModel(network)
slow.setWeights(network.getWeights())

// One update: the value of an action should be its reward and the discounted value of what follows.
const optimizer = new Adam({ learningRate: 0.0005 })
const huber = new losses.Huber()
const update = jit((states, taken, rewards, next, goesOn) => {
  const following = ops.oneHot(ops.argmax(network.apply(next), -1), actions)
  const worth = ops.sum(ops.multiply(slow.apply(next), following), -1)
  const targets = ops.stopGradient(ops.add(rewards, ops.multiply(ops.multiply(DISCOUNT, goesOn), worth)))
  const [loss, gradients] = valueAndGrad(() => {
    const values = ops.sum(ops.multiply(network.apply(states), ops.oneHot(taken, actions)), -1)
    return huber.apply(targets, values)
  })(network.trainableWeights)
  optimizer.apply(gradients, network.trainableWeights)
  // The copy follows the network by one percent.
  slow.weights.forEach((weight, i) =>
    weight.assign(ops.add(ops.multiply(0.99, weight.value), ops.multiply(0.01, network.weights[i].value))),
  )
  return loss
})
const valuesOf = jit((states) => network.apply(states))
const best = (state) => {
  const { data } = valuesOf({ data: state, shape: [1, inputs] })
  return data.indexOf(Math.max(...data))
}

// The memory is a ring of the last steps.
const memory = {
  states: new Float32Array(MEMORY * inputs),
  next: new Float32Array(MEMORY * inputs),
  taken: new Int32Array(MEMORY),
  rewards: new Float32Array(MEMORY),
  goesOn: new Float32Array(MEMORY),
}
function remember(step, state, action, { isOver }, next) {
  const at = step % MEMORY
  memory.states.set(state, at * inputs)
  memory.next.set(next, at * inputs)
  memory.taken[at] = action
  // The only reward is the penalty of a fall.
  memory.rewards[at] = isOver ? -1 : 0
  memory.goesOn[at] = isOver ? 0 : 1
}
function sample(count) {
  const rows = Array.from({ length: BATCH }, () => Math.floor(random() * count))
  const wide = (data) => {
    const chosen = new Float32Array(BATCH * inputs)
    rows.forEach((row, i) => chosen.set(data.subarray(row * inputs, (row + 1) * inputs), i * inputs))
    return { data: chosen, shape: [BATCH, inputs] }
  }
  const narrow = (data) => data.constructor.from(rows, (row) => data[row])
  return [wide(memory.states), narrow(memory.taken), narrow(memory.rewards), wide(memory.next), narrow(memory.goesOn)]
}

const seconds = stopwatch()
const history = { examined: [] }
const game = new CartPole(random)
let steps = 0
while (steps < MOST_STEPS_OF_ALL && !(history.examined.at(-1) >= GOAL)) {
  const chance = steps < WARM_UP ? 1 : Math.max(LEAST_RANDOM, 1 - (steps - WARM_UP) / EXPLORING)
  const { state } = game
  const action = random() < chance ? Math.floor(random() * actions) : best(state)
  const outcome = game.step(action)
  remember(steps++, state, action, outcome, game.state)
  if (outcome.isOver || outcome.isCut) game.reset()
  if (steps > WARM_UP) update(...sample(Math.min(steps, MEMORY)))
  if (steps % EVERY > 0) continue
  history.examined.push(mean(play(10, random, best)))
  console.log(
    `step ${String(steps).padStart(5)}   ${(100 * chance).toFixed(0).padStart(3)} % of the actions are random; ${history.examined.at(-1).toFixed(0).padStart(3)} steps of a game with the best`,
  )
}
console.log(`Learned in ${seconds().toFixed(1)} s, ${steps} steps`)

const learned = mean(play(50, random, best))
const guessed = mean(play(50, random, () => Number(random() < 0.5)))
console.log(`\nSteps until the pole falls, at most ${MOST_STEPS}; means of 50 games`)
printTable([
  ['random pushes', guessed.toFixed(0)],
  ['Q-learning', learned.toFixed(0)],
])
await savePicture('dqn', plotHistory(history, { title: 'Steps of a game', xLabel: `${EVERY} steps of learning` }))
claim({ 'the pole stays up for 300 of 500 steps': learned >= 300 })
