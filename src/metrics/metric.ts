// Metric: sums that grow batch by batch, and a number made of them. The state is in linear memory, so that
// the sums are part of the training step's tape.

import type { Shape } from '../core/shapes'
import { add } from '../ops/elementwise'
import type { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import type { Config } from '../core/registry'
import { uniqueName } from '../core/registry'

export interface MetricOptions {
  name?: string
}

/** Subclass it, add variables in the constructor, and write `updateState` and `result` with ops. */
export abstract class Metric {
  readonly name: string
  readonly variables: Variable[] = []

  constructor({ name }: MetricOptions = {}) {
    this.name = name ?? uniqueName(this.constructor.name)
  }

  /** Takes in one batch. */
  abstract updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void

  /** The metric of everything taken in since the last reset: a scalar. */
  abstract result(): Tensor

  /** A variable that starts at, and is reset to, zeros. */
  protected addVariable(name: string, shape: Shape = []): Variable {
    const variable = new Variable(shape, { name: `${this.name}/${name}`, trainable: false })
    this.variables.push(variable)
    return variable
  }

  resetState(): void {
    for (const variable of this.variables) variable.view.fill(0)
  }

  getConfig(): Config {
    return { name: this.name }
  }
}

/** variable ← variable + x */
export function accumulate(variable: Variable, x: Tensor): void {
  variable.assign(add(variable.value, x))
}
