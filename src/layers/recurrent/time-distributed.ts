// TimeDistributed: applies any layer to each step of a sequence.

import { ShapeError, formatShape } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import type { Shape } from '../../core/shapes'
import { flatten, mapTree, typed, unflatten, type Tree } from '../../core/tree'
import { swapAxes } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../layer'
import { requireMask } from '../checks'
import type { CallContext } from '../context'
import { requireOne } from '../forms'
import { Wrapper } from '../core/wrapper'
import { scanLayers, type RecurrentStep } from '../loop'
import { remade } from '../remade'
import { TensorSpec, type BatchShape, type SpecsOf } from '../spec'
import { unitFlowOf, type UnitFlow } from '../units'

/**
 * y_t = layer(x_t): x [batch, steps, …] → y [batch, steps, …]. The layer sees one step at a time, so that batch
 * statistics are those of each step; work that is independent between steps, such as the product of a Dense, is done
 * for all steps at once.
 *
 *   new TimeDistributed(new Dense(8))
 *
 * A mask of the steps, [batch, steps], becomes the output's mask. A mask with more axes is also passed to the layer,
 * step by step.
 *
 * Keras: `keras.layers.TimeDistributed`.
 */
export class TimeDistributed extends Wrapper {
  static readonly className = 'TimeDistributed'

  override get readsMask(): boolean {
    return true
  }
  override readonly supportsMasking = true

  override build(_inputShape: BatchShape, spec: TensorSpec): void {
    this.layer.ensureBuilt(this.ofOneStep(spec))
  }

  protected override checkShape(shape: BatchShape): void {
    this.requireSteps(shape)
  }

  protected override checkMask(mask: Tensor, shape: Shape): void {
    const beginning = { shape: mask.shape.slice(0, 2) }
    requireMask(this, mask.rank < 2 ? mask : beginning, ['batch', 'steps', '…'], shape.slice(0, 2))
  }

  call(x: Tensor, context: CallContext): Tensor {
    requireOne(this, x)
    const [mask = null] = flatten(context.mask)
    const own = mask !== null && mask.rank > 2 && this.layer.supportsMasking ? [mask] : []
    let structure: Tree<Tensor> = x
    const turn = (_: readonly Tensor[], [step, counts]: readonly Tensor[]): RecurrentStep => {
      structure = this.layer.apply(step!, { mask: counts ?? null })
      return { state: [], outputs: flatten(structure) }
    }
    const { outputs } = scanLayers(
      context,
      turn,
      [],
      [x, ...own].map((each) => swapAxes(each, 0, 1)),
    )
    return typed(
      unflatten(
        structure,
        outputs.map((each) => swapAxes(each, 0, 1)),
      ),
    )
  }

  override computeOutputSpec(spec: TensorSpec, options: ApplyOptions = {}): SpecsOf<Tensor> {
    const steps = spec.shape[1]!
    const { training } = options
    const made: Tree<TensorSpec> = this.layer.outputSpecs(this.ofOneStep(spec), { training })
    return typed(
      mapTree(made, ({ shape: [batch = null, ...rest], dtype }) => new TensorSpec([batch, steps, ...rest], dtype)),
    )
  }

  /** The unit flow of the inner layer; the steps are one more axis before its places. */
  override get unitFlow(): UnitFlow | null {
    const flow = unitFlowOf(this.layer)
    if (flow?.kind === 'flattens') return { ...flow, from: (flow.from ?? 1) + 1 }
    if (flow?.kind !== 'makes') return flow
    const { units } = flow
    return {
      ...flow,
      units: { ...units, optionsFor: (count) => ({ layer: remade(this.layer, units.optionsFor(count)) }) },
    }
  }

  private ofOneStep(spec: TensorSpec): TensorSpec {
    requireOne(this, spec)
    const { shape, dtype } = spec
    this.requireSteps(shape)
    const [batch, , ...rest] = shape as readonly [number | null, number | null, ...(number | null)[]]
    return new TensorSpec([batch, ...rest], dtype)
  }

  private requireSteps(shape: BatchShape): void {
    if (shape.length < 3)
      throw new ShapeError(
        `${this}: the input must be [batch, steps, …] with at least 3 axes, received ${formatShape(shape)}`,
      )
  }

  override validateInput(input: Tensor): void {
    this.layer.validateInput?.(input)
  }

  /** @internal */
  override get inputDtype(): DType {
    return this.layer.inputDtype
  }
}
