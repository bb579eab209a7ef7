// A stream that drifts: the slowly-changing regression of Dohare et al. 2024. After every task some bits of the input are
// drawn again. Two networks continue to learn: one by backpropagation alone, one with continual backprop.

import { Dense, SGD, Sequential, setRandomSeed, type Model } from 'myelin'
import { ContinualBackprop } from 'myelin/balance'
import { INPUTS, TASK, slowTasks } from '../../../examples/data/slowly-changing.js'
import type { StreamPoint } from './protocol'

const RATE = 0.01

interface Learner {
  readonly model: Model
  readonly callbacks: readonly ContinualBackprop[]
}

export class Stream {
  private readonly data = slowTasks(7)
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
    const { x, y } = this.data.next().value
    const errors: number[] = []
    for (const { model, callbacks } of this.learners) {
      const { history } = await model.fit(x, y, {
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
