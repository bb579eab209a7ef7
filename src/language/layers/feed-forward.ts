// FeedForward: two linear layers with a nonlinear function between them, optionally gated.

import { configured } from '../../core/options'
import { multiply } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { TENSOR } from '../../layers/forms'
import { Layer } from '../../layers/layer'
import type { BatchShape } from '../../layers/spec'
import type { LayerTraits } from '../../layers/traits'
import { ACTIVATIONS, feedForwardOptions } from './options'
import { Projection } from './projection'

const FeedForwardBase = configured(Layer<Tensor>, feedForwardOptions, ['intermediateDim', 'activation'])

/**
 * down(activation(up(x))), or with isGated down(activation(gate(x)) · up(x)): [batch, steps, features] → the same shape. Shazeer,
 * "GLU variants improve transformer", 2020.
 *
 *   new FeedForward({ intermediateDim: 1536, activation: 'silu', isGated: true })
 */
export class FeedForward extends FeedForwardBase {
  static readonly className = 'FeedForward'
  /** @internal */
  static override readonly traits: LayerTraits<FeedForward> = { form: TENSOR }
  override readonly supportsMasking = true
  readonly gate = this.isGated ? this.inner('gate') : null
  readonly up = this.inner('up')
  /** Made in build, because its units are the features of the input. */
  down: Projection | null = null

  private inner(name: string): Projection {
    return this.projection(this.intermediateDim, name)
  }

  private projection(units: number, name: string): Projection {
    return new Projection({ units, useBias: this.useFeedForwardBias, storage: this.storage, name })
  }

  override build(inputShape: BatchShape): void {
    this.down = this.projection(inputShape.at(-1)!, 'down')
    this.up.ensureBuilt(inputShape)
    this.gate?.ensureBuilt(inputShape)
    this.down.ensureBuilt([...inputShape.slice(0, -1), this.intermediateDim])
  }

  call(x: Tensor): Tensor {
    const activate = ACTIVATIONS[this.activation]
    const up = this.up.apply(x)
    return this.down!.apply(this.gate === null ? activate(up) : multiply(activate(this.gate.apply(x)), up))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}
