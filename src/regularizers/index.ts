// Penalties on weights and activations, added to the loss. Names, defaults and formulas are Keras's.

import { ArgumentError } from '../core/errors'
import { abs, add, multiply, square } from '../ops/elementwise'
import { sum } from '../ops/reduce'
import { full } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import type { Config, Serialized } from '../core/registry'

/** A scalar penalty of a tensor, written with ops. */
export abstract class Regularizer {
  abstract call(x: Tensor): Tensor
  abstract getConfig(): Config
}

export type RegularizerIdentifier = string | Regularizer | Serialized

function requireFactor(name: string, factor: number): number {
  if (Number.isFinite(factor) && factor >= 0) return factor
  throw new ArgumentError(`${name}: the factor must be a finite number ≥ 0, received ${factor}`)
}

/** l1 · Σ|x| + l2 · Σx² */
export class L1L2 extends Regularizer {
  static readonly className: string = 'L1L2'
  readonly l1: number
  readonly l2: number

  constructor({ l1 = 0, l2 = 0 }: { l1?: number; l2?: number } = {}) {
    super()
    this.l1 = requireFactor('L1L2', l1)
    this.l2 = requireFactor('L1L2', l2)
  }

  call(x: Tensor): Tensor {
    const terms: Tensor[] = []
    if (this.l1 !== 0) terms.push(multiply(sum(abs(x)), this.l1))
    if (this.l2 !== 0) terms.push(multiply(sum(square(x)), this.l2))
    return terms.length === 0 ? full([], 0) : terms.reduce((a, b) => add(a, b))
  }

  getConfig(): Config {
    return { l1: this.l1, l2: this.l2 }
  }
}

/** l1 · Σ|x| */
export class L1 extends L1L2 {
  static override readonly className = 'L1'
  constructor({ l1 = 0.01 }: { l1?: number } = {}) {
    super({ l1 })
  }
  override getConfig(): Config {
    return { l1: this.l1 }
  }
}

/** l2 · Σx² */
export class L2 extends L1L2 {
  static override readonly className = 'L2'
  constructor({ l2 = 0.01 }: { l2?: number } = {}) {
    super({ l2 })
  }
  override getConfig(): Config {
    return { l2: this.l2 }
  }
}
