// The low-rank branch that LoRA adds to a Projection.

import { matmul } from '../../ops/linalg/linalg'
import { multiply } from '../../ops/numpy/elementwise'
import { transpose } from '../../ops/numpy/shape'
import { dropout } from '../../ops/random/random'
import type { SeedGenerator } from '../../ops/random/generator'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { CallContext } from '../../layers/context'

/** Weights and settings of a branch: s · (dropout(x) · Aᵀ) · Bᵀ. */
export class LoraBranch {
  /**
   * @param a [rank, n]
   * @param b [units, rank]
   * @param scale alpha / rank. It is a variable, so that another adapter of the same rank needs no new program
   */
  constructor(
    readonly a: Variable,
    readonly b: Variable,
    readonly scale: Variable,
    private readonly dropoutRate: number,
    private readonly generator: SeedGenerator | null,
  ) {}

  /** x [batch, …, n] → [batch, …, units] */
  apply(x: Tensor, { training }: CallContext): Tensor {
    const { generator, dropoutRate } = this
    const seen = training && generator !== null ? dropout(x, dropoutRate, { seed: generator }) : x
    return matmul(multiply(matmul(seen, transpose(this.a)), this.scale), transpose(this.b))
  }
}
