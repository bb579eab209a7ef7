// A ball bounces in a box without a floor, and a paddle keeps it in play: the game of this example. All sizes are shares of
// the box.

export const PADDLE = 0.22
const [SPEED, BALL] = [0.05, 0.045]
/** A game ends after this number of hits at the latest. */
export const MOST_HITS = 20

export class Game {
  static inputs = 5
  /** Left, stay, right. */
  static actions = 3

  /** @param random returns numbers in [0, 1) */
  constructor(random) {
    this.random = random
    this.reset()
  }

  reset() {
    this.paddle = 0.5
    this.serve(this.random(), 0.2)
    this.hits = 0
  }

  /** Sends the ball downwards, or after a hit upwards, in a random direction. */
  serve(x, y, sign = 1) {
    const angle = 0.9 * (2 * this.random() - 1)
    Object.assign(this, { x, y, dx: BALL * Math.sin(angle), dy: sign * BALL * Math.cos(angle) })
  }

  /** The state that the bot sees: positions and velocities, scaled to about 1. */
  get state() {
    const { x, y, dx, dy, paddle } = this
    return Float32Array.of(4 * (x - paddle), 2 * paddle - 1, 2 * y - 1, dx / BALL, dy / BALL)
  }

  /** Moves paddle and ball. The reward is 1 for a hit, −1 for a ball that is lost. */
  step(action) {
    this.paddle = Math.min(1, Math.max(0, this.paddle + SPEED * (action - 1)))
    this.x += this.dx
    this.y += this.dy
    if (this.x < 0 || this.x > 1) this.dx = Math.abs(this.dx) * (this.x < 0 ? 1 : -1)
    if (this.y < 0) this.dy = Math.abs(this.dy)
    if (this.y < 1) return { reward: 0, isOver: false, isCut: false }
    if (Math.abs(this.x - this.paddle) > PADDLE / 2) return { reward: -1, isOver: true, isCut: false }
    this.serve(this.x, 1, -1)
    this.hits++
    return { reward: 1, isOver: false, isCut: this.hits === MOST_HITS }
  }
}

/** The mean number of hits in a game, where `choose` returns the action for a state. */
export function meanHits(games, random, choose) {
  let hits = 0
  for (let i = 0; i < games; i++) {
    const game = new Game(random)
    for (let ended = false; !ended;) {
      const { isOver, isCut } = game.step(choose(game.state))
      ended = isOver || isCut
    }
    hits += game.hits
  }
  return hits / games
}
