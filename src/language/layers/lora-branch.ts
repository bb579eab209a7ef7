// LoraBranch: the product of two narrow matrices that LoRA adds to a Projection.

import { configured, extent, integer, nullable, number, option, required } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { multiply } from '../../ops/numpy/elementwise'
import { transpose } from '../../ops/numpy/shape'
import { dropout } from '../../ops/random/random'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../../layers/context'
import { TENSOR } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import { generatorOf } from '../../layers/random'
import type { BatchShape } from '../../layers/spec'
import { RandomUniform } from '../../parts/initializers'

const LoraBranchBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of outputs. */
    units: required(extent),
    /** The number of rows of A. */
    rank: required(extent),
    /** The product is multiplied by it: alpha / rank. Default 1. */
    initialScale: option(number(), 1),
    /** The probability that a feature of the input becomes 0 in training. Default 0. */
    dropout: option(number({ min: 0, max: 1 }), 0),
    /** The seed of the random numbers. Default null: derived from setRandomSeed. */
    seed: option(nullable(integer()), null),
  }),
  ['units', 'rank'],
)

/**
 * scale · (dropout(x) · Aᵀ) · Bᵀ: x [batch, …, n] → [batch, …, units], A [rank, n], B [units, rank]. A begins with uniform numbers
 * within ±1/√n, B with zeros, as in peft. Hu et al., "LoRA", 2021.
 */
export class LoraBranch extends LoraBranchBase {
  static readonly className = 'LoraBranch'
  /** @internal */
  static override readonly traits = { form: TENSOR }
  private readonly generator = generatorOf(this)
  private aVariable: Variable | null = null
  /** The branch whose A this one uses, because one module of a file is several layers here; null for one of its own. */
  sharesA: LoraBranch | null = null
  private bVariable: Variable | null = null
  private scaleVariable: Variable | null = null

  /** [rank, n] */
  get a(): Variable {
    return this.sharesA?.a ?? this.requireBuilt(this.aVariable)
  }

  /** [units, rank] */
  get b(): Variable {
    return this.requireBuilt(this.bVariable)
  }

  /** A variable, so that another adapter of the same rank needs no new program. */
  get scale(): Variable {
    return this.requireBuilt(this.scaleVariable)
  }

  override build(inputShape: BatchShape): void {
    const n = inputShape.at(-1)!
    const limit = 1 / Math.sqrt(n)
    const { rank, units, seed } = this
    const initializer = new RandomUniform({ minval: -limit, maxval: limit, ...(seed === null ? {} : { seed }) })
    if (this.sharesA === null) this.aVariable = this.addWeight({ name: 'a', shape: [rank, n], initializer })
    this.bVariable = this.addWeight({ name: 'b', shape: [units, rank], initializer: 'zeros' })
    this.scaleVariable = this.addWeight({ name: 'scale', shape: [], initializer: 'ones', trainable: false })
    this.scaleVariable.assign(this.initialScale)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    const seen = training && this.dropout > 0 ? dropout(x, this.dropout, { seed: this.generator }) : x
    return matmul(multiply(matmul(seen, transpose(this.a)), this.scale), transpose(this.b))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units]
  }
}
