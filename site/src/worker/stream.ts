// A stream that drifts: the slowly-changing regression of Dohare et al. 2024. After every task some bits of the input are
// drawn again, and two networks go on learning: one by backpropagation alone, one with continual backprop.

import type { Model } from 'myelin'
import { Dense, SGD, Sequential, setRandomSeed, tensor } from 'myelin'
import { ContinualBackprop } from 'myelin/balance'
import { generator } from '../data/points'
import type { StreamPoint } from './protocol'

const TASK = 10_000
const INPUTS = 20
/** Bits that are fixed during a task; the others are drawn for each example. */
const SLOW = 15
const TARGET_UNITS = 100
const THRESHOLD = 0.7
const RATE = 0.01

/** The signed sum of 100 units, each of which fires when about 70 % of its inputs match its pattern. */
function targetOf(random: () => number): (bits: readonly number[]) => number {
  const sign = (): number => (random() < 0.5 ? 1 : -1)
  const units = Array.from({ length: TARGET_UNITS }, () => {
    const weights = Array.from({ length: INPUTS }, sign)
    const bias = sign()
    const negative = weights.filter((weight) => weight < 0).length + bias / 2
    return { weights, threshold: THRESHOLD * (INPUTS + 1) - negative - bias, effect: sign() }
  })
  const base = sign()
  return (bits) =>
    units.reduce(
      (total, { weights, threshold, effect }) =>
        weights.reduce((sum, weight, i) => sum + weight * bits[i]!, 0) > threshold ? total + effect : total,
      base,
    )
}

interface Learner {
  readonly model: Model
  readonly callbacks: readonly ContinualBackprop[]
}

export class Stream {
  private readonly random = generator(7)
  private readonly target = targetOf(this.random)
  private readonly learners: readonly Learner[]
  private tasks = 0

  constructor() {
    this.learners = [false, true].map((isRenewed) => {
      setRandomSeed(7)
      const model = new Sequential([
        new Dense({ units: 5, activation: 'relu', kernelInitializer: 'heUniform', inputShape: [INPUTS] }),
        new Dense({ units: 1, kernelInitializer: 'lecunUniform' }),
      ])
      model.compile({ optimizer: new SGD({ learningRate: RATE }), loss: 'meanSquaredError' })
      return { model, callbacks: isRenewed ? [new ContinualBackprop()] : [] }
    })
  }

  /** Both networks learn the next task, one example at a time. */
  async next(): Promise<StreamPoint> {
    const { random, target } = this
    const slow = Array.from({ length: SLOW }, () => Number(random() < 0.5))
    const patterns = Array.from({ length: 2 ** (INPUTS - SLOW) }, (_, pattern) => {
      const bits = [...slow, ...Array.from({ length: INPUTS - SLOW }, (_, i) => (pattern >> i) & 1)]
      return { bits, value: target(bits) }
    })
    const [x, y] = [new Float32Array(TASK * INPUTS), new Float32Array(TASK)]
    for (let i = 0; i < TASK; i++) {
      const { bits, value } = patterns[Math.floor(random() * patterns.length)]!
      x.set(bits, i * INPUTS)
      y[i] = value
    }
    const errors: number[] = []
    for (const { model, callbacks } of this.learners) {
      const { history } = await model.fit(tensor(x, [TASK, INPUTS]), tensor(y, [TASK, 1]), {
        batchSize: 1,
        shuffle: false,
        verbose: 0,
        callbacks: [...callbacks],
      })
      errors.push(history['loss']![0]!)
    }
    this.tasks++
    return { examples: this.tasks * TASK, plain: errors[0]!, renewed: errors[1]! }
  }

  dispose(): void {
    this.learners.forEach(({ model }) => model.dispose())
  }
}
