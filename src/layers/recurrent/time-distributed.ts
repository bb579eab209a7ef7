// TimeDistributed: applies any layer to each step of a sequence.

import { ShapeError, formatShape } from '../../core/errors'
import { flatten, mapTree, unflatten, type Tree } from '../../core/tree'
import { swapAxes } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { requireMask } from '../checks'
import type { ApplyOptions } from '../call-options'
import type { CallContext } from '../context'
import { requireOne } from '../forms'
import { Wrapper } from '../core/wrapper'
import { scanLayers, type RecurrentStep } from '../loop'
import { remade } from '../remade'
import { TensorSpec, type BatchShape, type SpecsOf } from '../spec'
import { unitFlowOf } from '../declared-units'
import { type LayerTraits, inputDtypeOf, traitsOf } from '../traits'
import { outputSpecs } from '../inference'

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
  /** @internal */
  static override readonly traits: LayerTraits<TimeDistributed> = {
    readsMask: () => true,
    checkShape(layer, shape) {
      layer.requireSteps(shape)
    },
    checkMask(layer, mask, shape) {
      const beginning = { shape: mask.shape.slice(0, 2) }
      requireMask(layer, mask.rank < 2 ? mask : beginning, ['batch', 'steps', '…'], shape.slice(0, 2))
    },
    /** The unit flow of the inner layer; the steps are one more axis before its places. */
    unitFlow(timeDistributed) {
      const flow = unitFlowOf(timeDistributed.layer)
      if (flow?.kind === 'flattens') return { ...flow, from: (flow.from ?? 1) + 1 }
      if (flow?.kind !== 'makes') return flow
      const { units } = flow
      return {
        ...flow,
        units: { ...units, optionsFor: (count) => ({ layer: remade(timeDistributed.layer, units.optionsFor(count)) }) },
      }
    },
    validateInput({ layer }, input) {
      traitsOf(layer).validateInput?.(layer, input)
    },
    inputDtype: (timeDistributed) => inputDtypeOf(timeDistributed.layer),
  }
  override readonly supportsMasking = true

  override build(_inputShape: BatchShape, spec: TensorSpec): void {
    this.layer.ensureBuilt(this.ofOneStep(spec))
  }

  call(x: Tensor, context: CallContext): Tensor
  call(x: Tensor, context: CallContext): Tree<Tensor> {
    requireOne(this, x)
    const [mask = null] = flatten(context.mask)
    const masks = mask !== null && mask.rank > 2 && this.layer.supportsMasking ? [mask] : []
    let structure: Tree<Tensor> = x
    const turn = (_: readonly Tensor[], [step, counts]: readonly Tensor[]): RecurrentStep => {
      structure = this.layer.apply(step!, { mask: counts ?? null })
      return { state: [], outputs: flatten(structure) }
    }
    const { outputs } = scanLayers(
      context,
      turn,
      [],
      [x, ...masks].map((each) => swapAxes(each, 0, 1)),
    )
    return unflatten(
      structure,
      outputs.map((each) => swapAxes(each, 0, 1)),
    )
  }

  override computeOutputSpec(spec: TensorSpec, options?: ApplyOptions): SpecsOf<Tensor>
  override computeOutputSpec(spec: TensorSpec, { training }: ApplyOptions = {}): Tree<TensorSpec> {
    const steps = this.requireSpec(spec).shape[1]!
    return mapTree<TensorSpec, TensorSpec>(
      outputSpecs(this.layer, this.ofOneStep(spec), { training }),
      ({ shape: [batch = null, ...rest], dtype }) => new TensorSpec([batch, steps, ...rest], dtype),
    )
  }

  private ofOneStep(spec: Tree<TensorSpec>): TensorSpec {
    const { shape, dtype } = this.requireSpec(spec)
    this.requireSteps(shape)
    const [batch = null, , ...rest] = shape
    return new TensorSpec([batch, ...rest], dtype)
  }

  /** @throws ShapeError for a list or a record */
  private requireSpec(spec: Tree<TensorSpec>): TensorSpec {
    if (spec instanceof TensorSpec) return spec
    requireOne(this, spec)
    throw new ShapeError(`${this}: the input must be one tensor`)
  }

  private requireSteps(shape: BatchShape): void {
    if (shape.length < 3)
      throw new ShapeError(
        `${this}: the input must be [batch, steps, …] with at least 3 axes, received ${formatShape(shape)}`,
      )
  }
}
