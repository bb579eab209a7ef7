// EinsumDense: a fully connected layer over any axes, written as an equation.

import { merged } from '../../core/merged'
import { ArgumentError } from '../../core/errors'
import { always, configured, custom, extents, nullable, option, required, text, unread } from '../../core/options'
import { add } from '../../ops/numpy/elementwise'
import { einsum } from '../../ops/linalg/linalg'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireSameRank } from '../checks'
import { activation, constraint, initializer, kernelOptions, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import { einsumShapes, parseEquation, type EinsumShapes } from './einsum-equation'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const shape = /* @__PURE__ */ extents(null)

const EinsumDenseBase = configured(
  Layer<Tensor>,
  () =>
    merged(
      {
        /** Like `ab,bc->ac`, `...ab,bc->...ac` or `ab...,bc->ac...`: input, kernel → output. */
        equation: required(text),
        /**
         * The output's shape without the batch axis and the axes of an ellipsis; null for an extent that comes from the
         * input.
         */
        outputShape: required(
          custom<BatchShape, number | BatchShape>(
            (value, where) => shape.read(typeof value === 'number' ? [value] : value, where),
            (value) => value,
          ),
        ),
        /** Applied to the result. Default linear. */
        activation: option(activation, null),
        /** The letters of the output axes that the bias has. Default null: no bias. */
        biasAxes: option(nullable(text), null),
        /** Default glorotUniform. */
        kernelInitializer: option(initializer, 'glorotUniform'),
        /** Default zeros. */
        biasInitializer: option(initializer, 'zeros'),
        /** A penalty on the kernel. Default null. */
        kernelRegularizer: option(regularizer, null),
        /** Applied to the kernel after every update. Default null. */
        kernelConstraint: option(constraint, null),
        /** A penalty on the bias. Default null. */
        biasRegularizer: option(regularizer, null),
        /** Applied to the bias after every update. Default null. */
        biasConstraint: option(constraint, null),
      },
      kernelOptions(),
      {
        /** Must be null: there are no packed kernels. Default null. */
        gptqUnpackedColumnSize: unread(always([null], 'there are no packed kernels'), null),
      },
    ),
  ['equation', 'outputShape', 'activation', 'biasAxes'],
)

/**
 * activation(einsum(equation, x, kernel) + bias). The equation names the axes of x, kernel and output by letters:
 *
 *   new EinsumDense({ equation: 'ab,bc->ac', outputShape: 64, biasAxes: 'c' })            a Dense of 64 units
 *   new EinsumDense({ equation: 'abc,cd->abd', outputShape: [null, 64], biasAxes: 'd' })  the same for each step
 *   new EinsumDense({ equation: '...x,xy->...y', outputShape: 64, biasAxes: 'y' })        over any axes before the last
 *
 * Keras: `keras.layers.EinsumDense`.
 * @throws ArgumentError for an equation of another form; ShapeError for an input that does not fit it
 */
export class EinsumDense extends EinsumDenseBase {
  static readonly className = 'EinsumDense'
  /** @internal */
  static override readonly traits: LayerTraits<EinsumDense> = {
    form: TENSOR,
    requiredInputs: (layer) => layer.buildShape && { ndim: layer.buildShape.length },
    checkShape(layer, shape, built) {
      layer.shapesFor(shape)
      const { input, kernel, ellipsis } = parseEquation(String(layer), layer.equation)
      // Then the bias has an axis for each axis under the ellipsis.
      if (ellipsis === 'right' && layer.biasAxes !== null) requireSameRank(layer, shape, built)
      const bound = [...input].flatMap((letter, i) =>
        kernel.includes(letter) || layer.biasAxes?.includes(letter) === true ? [i] : [],
      )
      requireExtents(layer, shape, built, ellipsis === 'left' ? bound.map((i) => i - input.length) : bound)
    },
  }
  private kernelVariable: Variable | null = null
  private biasVariable: Variable | null = null

  protected override checkOptions(): void {
    const { output } = parseEquation(String(this), this.equation)
    const other = [...(this.biasAxes ?? '')].find((letter) => !output.includes(letter))
    if (other !== undefined)
      throw new ArgumentError(`${this}: ${other} of biasAxes is not in the output of '${this.equation}'`)
  }

  /** Its axes are the letters between the comma and the arrow. */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  /** null without biasAxes. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  private shapesFor(inputShape: BatchShape): EinsumShapes {
    return einsumShapes(
      String(this),
      parseEquation(String(this), this.equation),
      this.outputShape,
      this.biasAxes,
      inputShape,
    )
  }

  override build(inputShape: BatchShape): void {
    const { kernel, bias, inputAxes, outputAxes } = this.shapesFor(inputShape)
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: kernel,
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
      constraint: this.kernelConstraint,
      fans: { inputAxes, outputAxes },
    })
    if (bias === null) return
    this.biasVariable = this.addWeight({
      name: 'bias',
      shape: bias,
      initializer: this.biasInitializer,
      regularizer: this.biasRegularizer,
      constraint: this.biasConstraint,
    })
  }

  call(x: Tensor): Tensor {
    const product = einsum(this.equation, x, this.kernel)
    return this.activation(this.biasVariable === null ? product : add(product, this.biasVariable))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return this.shapesFor(inputShape).output
  }
}
