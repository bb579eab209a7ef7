// A pole on a cart, which is pushed to the left or to the right in every step: the equations of Barto, Sutton and
// Anderson (1983) with the constants of Gymnasium's CartPole-v1. The pole may not fall, the cart may not leave its track.

const GRAVITY = 9.8
const POLE_MASS = 0.1
const TOTAL_MASS = 1.1
/** Half of the pole's length. */
const LENGTH = 0.5
const FORCE = 10
/** Seconds of a step. */
const STEP = 0.02
const MOST_ANGLE = (12 * Math.PI) / 180
const MOST_POSITION = 2.4
/** A game ends after this number of steps at the latest. */
export const MOST_STEPS = 500

export class CartPole {
  static inputs = 4
  static actions = 2

  /** @param random returns numbers in [0, 1) */
  constructor(random) {
    this.random = random
    this.reset()
  }

  /** Begins a game near the upright position. */
  reset() {
    this.state = Float32Array.from({ length: 4 }, () => 0.1 * this.random() - 0.05)
    this.steps = 0
  }

  /**
   * Pushes to the left, 0, or to the right, 1. The reward is 1 per step.
   *   isOver   the pole fell, or the cart left its track
   *   isCut    the game ended only because of its length
   */
  step(action) {
    const [position, velocity, angle, spin] = this.state
    const force = action === 1 ? FORCE : -FORCE
    const swing = (force + POLE_MASS * LENGTH * spin ** 2 * Math.sin(angle)) / TOTAL_MASS
    const angular =
      (GRAVITY * Math.sin(angle) - Math.cos(angle) * swing) /
      (LENGTH * (4 / 3 - (POLE_MASS * Math.cos(angle) ** 2) / TOTAL_MASS))
    const linear = swing - (POLE_MASS * LENGTH * angular * Math.cos(angle)) / TOTAL_MASS
    this.state = Float32Array.of(
      position + STEP * velocity,
      velocity + STEP * linear,
      angle + STEP * spin,
      spin + STEP * angular,
    )
    this.steps++
    const isOver = Math.abs(this.state[0]) > MOST_POSITION || Math.abs(this.state[2]) > MOST_ANGLE
    return { reward: 1, isOver, isCut: !isOver && this.steps >= MOST_STEPS }
  }
}

/** The rewards of whole games, one for each. @param choose returns the action for a state */
export function play(games, random, choose) {
  return Array.from({ length: games }, () => {
    const game = new CartPole(random)
    for (let reward = 0; ;) {
      const step = game.step(choose(game.state))
      reward += step.reward
      if (step.isOver || step.isCut) return reward
    }
  })
}
