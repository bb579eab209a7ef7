// An actor-critic learner for games with a few actions: one network with two outputs, the probabilities of the actions
// and the value of the state. It plays several games at once; every STEPS steps of all games are one update, compiled
// by `jit`. Mnih et al. 2016 (A2C), with the advantages of Schulman et al. 2016 (GAE). examples/bot uses it in a page.

import { Adam, Dense, Input, Model, jit, ops, valueAndGrad } from 'myelin'

const STEPS = 16
const DISCOUNT = 0.99
/** How far ahead rewards count in an advantage: 0 one step, 1 the whole game. */
const LAMBDA = 0.95
/** How strongly the actions are kept random. */
const ENTROPY = 0.01

export class ActorCritic {
  /**
   * @param games objects with `state`, `step(action)` → { reward, isOver, isCut } and `reset()`
   * @param random returns numbers in [0, 1)
   * @param rewardScale multiplies rewards, so that their discounted sums are about 1
   */
  constructor(games, { inputs, actions, random, units = 64, learningRate = 0.004, rewardScale = 1 }) {
    Object.assign(this, { games, inputs, actions, random, rewardScale })
    const state = Input({ shape: [inputs] })
    let hidden = new Dense({ units, activation: 'tanh' }).apply(state)
    hidden = new Dense({ units, activation: 'tanh' }).apply(hidden)
    const logits = new Dense({ units: actions, kernelInitializer: 'zeros' }).apply(hidden)
    const value = new Dense({ units: 1, kernelInitializer: 'zeros' }).apply(hidden)
    this.model = new Model({ inputs: state, outputs: { logits, value } })

    const optimizer = new Adam({ learningRate })
    const weights = this.model.trainableWeights
    this.optimizer = optimizer
    this.answer = jit((states) => {
      const { logits, value } = this.model.apply(states)
      return { probabilities: ops.softmax(logits), value }
    })
    this.update = jit((states, taken, advantages, returns) => {
      const [loss, gradients] = valueAndGrad(() => {
        const { logits, value } = this.model.apply(states)
        const logs = ops.logSoftmax(logits)
        const chosen = ops.sum(ops.multiply(logs, ops.oneHot(taken, actions)), -1)
        const gain = ops.mean(ops.multiply(chosen, advantages))
        const entropy = ops.negative(ops.mean(ops.sum(ops.multiply(ops.exp(logs), logs), -1)))
        const error = ops.mean(ops.square(ops.subtract(ops.squeeze(value, -1), returns)))
        return ops.subtract(ops.multiply(0.5, error), ops.add(gain, ops.multiply(ENTROPY, entropy)))
      })(weights)
      optimizer.apply(gradients, weights)
      return loss
    })
  }

  /** The states of all games: [games, inputs]. */
  states() {
    const data = new Float32Array(this.games.length * this.inputs)
    this.games.forEach(({ state }, i) => data.set(state, i * this.inputs))
    return { data, shape: [this.games.length, this.inputs] }
  }

  /** The best action for a state. */
  best(state) {
    const { data } = this.answer({ data: state, shape: [1, this.inputs] }).probabilities
    return data.indexOf(Math.max(...data))
  }

  /** Plays STEPS steps of all games and makes one update. Returns the rewards of the games that ended. */
  learn() {
    const { games, inputs, actions, random } = this
    const count = games.length
    const rows = STEPS * count
    const [states, taken] = [new Float32Array(rows * inputs), new Int32Array(rows)]
    const [rewards, values, ends] = [new Float32Array(rows), new Float32Array(rows + count), new Uint8Array(rows)]
    const finished = []
    for (let step = 0; step < STEPS; step++) {
      const now = this.states()
      states.set(now.data, step * count * inputs)
      const { probabilities, value } = this.answer(now)
      values.set(value.data, step * count)
      games.forEach((game, i) => {
        const at = step * count + i
        let rest = random()
        while (taken[at] < actions - 1 && (rest -= probabilities.data[i * actions + taken[at]]) >= 0) taken[at]++
        const { reward, isOver, isCut } = game.step(taken[at])
        rewards[at] = this.rewardScale * reward
        game.total = (game.total ?? 0) + reward
        if (!isOver && !isCut) return
        // A game that was cut would have continued: the value of its last state stands for the rest.
        if (isCut) rewards[at] += DISCOUNT * this.answer({ data: game.state, shape: [1, inputs] }).value.item()
        ends[at] = 1
        finished.push(game.total)
        game.total = 0
        game.reset()
      })
    }
    values.set(this.answer(this.states()).value.data, rows)

    // A(t) = δ(t) + γλ A(t + 1), where δ = r + γ V(t + 1) − V(t)
    const [advantages, returns] = [new Float32Array(rows), new Float32Array(rows)]
    for (let i = 0; i < count; i++) {
      for (let at = rows - count + i, next = 0; at >= 0; at -= count) {
        const goesOn = 1 - ends[at]
        next = rewards[at] + DISCOUNT * goesOn * values[at + count] - values[at] + DISCOUNT * LAMBDA * goesOn * next
        advantages[at] = next
        returns[at] = next + values[at]
      }
    }
    const mean = advantages.reduce((sum, each) => sum + each, 0) / rows
    const deviation = Math.sqrt(advantages.reduce((sum, each) => sum + (each - mean) ** 2, 0) / rows) + 1e-6
    const scaled = advantages.map((each) => (each - mean) / deviation)
    this.update({ data: states, shape: [rows, inputs] }, taken, scaled, returns)
    return finished
  }
}
