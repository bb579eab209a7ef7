// Penalties on weights and activations, added to the loss. Names, defaults and formulas are Keras's.

import type { InputsOf } from '../core/options'
import { Configured, configured, number, option } from '../core/options'
import type { Serialized } from '../core/registry'
import { abs, add, multiply, square } from '../ops/elementwise'
import { sum } from '../ops/reduce'
import { full } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'

/** A scalar penalty of a tensor, written with ops. */
export abstract class Regularizer extends Configured {
  /** @param kept what `keep` made for the weight; undefined where the penalty is one on activations */
  abstract call(x: Tensor, kept?: readonly Variable[]): Tensor

  /** What a penalty on a weight has to know besides its value: made together with the weight, and saved with the model. */
  keep?(weight: Variable): readonly Variable[]
}

export type RegularizerIdentifier = string | Regularizer | Serialized

// factor · Σ|x|
const absolute = (x: Tensor, factor: number): Tensor => multiply(sum(abs(x)), factor)
// factor · Σx²
const squared = (x: Tensor, factor: number): Tensor => multiply(sum(square(x)), factor)

const factor = number({ min: 0 })

const l1Options = () => ({
  /** Default 0.01. */
  l1: option(factor, 0.01),
})
export type L1Options = InputsOf<ReturnType<typeof l1Options>>

/** l1 · Σ|x| */
export class L1 extends configured(Regularizer, l1Options, 'l1') {
  static readonly className = 'L1'
  call(x: Tensor): Tensor {
    return absolute(x, this.l1)
  }
}

const l2Options = () => ({
  /** Default 0.01. */
  l2: option(factor, 0.01),
})
export type L2Options = InputsOf<ReturnType<typeof l2Options>>

/** l2 · Σx² */
export class L2 extends configured(Regularizer, l2Options, 'l2') {
  static readonly className = 'L2'
  call(x: Tensor): Tensor {
    return squared(x, this.l2)
  }
}

const l1l2Options = () => ({
  /** Default 0, by name alone 0.01. */
  l1: option(factor, 0),
  /** Default 0, by name alone 0.01. */
  l2: option(factor, 0),
})
export type L1L2Options = InputsOf<ReturnType<typeof l1l2Options>>

/** l1 · Σ|x| + l2 · Σx² */
export class L1L2 extends configured(Regularizer, l1l2Options) {
  static readonly className = 'L1L2'

  /** An empty configuration is a name alone, by which Keras means l1 = l2 = 0.01. @internal */
  static fromConfig(config: L1L2Options): L1L2 {
    return new L1L2(Object.keys(config).length === 0 ? { l1: 0.01, l2: 0.01 } : config)
  }

  call(x: Tensor): Tensor {
    const terms: Tensor[] = []
    if (this.l1 !== 0) terms.push(absolute(x, this.l1))
    if (this.l2 !== 0) terms.push(squared(x, this.l2))
    return terms.length === 0 ? full([], 0) : terms.reduce((a, b) => add(a, b))
  }
}
