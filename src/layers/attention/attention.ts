// Attention and AdditiveAttention: a mean of values, weighted by the scores of their keys for a query.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, configured, integer, nullable, number, option } from '../../core/options'
import { flatten, type Tree } from '../../core/tree'
import { exactly } from '../../core/tuples'
import { softmax } from '../../ops/nn/activations'
import { attend } from '../../ops/nn/attention'
import { add, multiply, subtract, tanh, where } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import { dropout } from '../../ops/random/random'
import { sum } from '../../ops/numpy/reduce'
import { expandDims, squeeze, swapAxes } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { TensorLike } from '../../ops/convert'
import type { SeparateInputs } from '../call-options'
import { LISTED } from '../forms'
import { withNames, type AttentionInputs } from './named'
import { Layer, type ApplyOptions, type InputsOf } from '../layer'
import { requireExtents, requireMask } from '../checks'
import type { CallContext } from '../context'
import { specsFrom, type BatchShape } from '../spec'
import { ATTENTION_OPTIONS, asBool, both, causalMask, keyMask, masksOfPair, pairMask } from './masks'
import { generatorOf } from '../random'
import type { LayerTraits } from '../traits'
import { tracedOutputSpecs } from '../inference'
import { masksLike } from '../applying'

type Inputs = readonly Tensor[]
type Operands = readonly [query: Tensor, value: Tensor, key?: Tensor]

/** Keras's constant. It removes masked steps in every row with at least one step that counts. */
const MASKED = 1e9

const WeighedAttentionBase = configured(Layer<Inputs, Tensor>, () => ({
  /** The probability that an attention weight becomes 0 in training. Default 0. */
  dropout: option(number({ min: 0, max: 1 }), 0),
  /** The seed of the random numbers. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
}))

/** softmax(score(query, key)) · value: inputs [query, value] or [query, value, key], each [batch, steps, features]. */
abstract class WeighedAttention extends WeighedAttentionBase {
  /** @internal */
  static override readonly traits: LayerTraits<WeighedAttention> = {
    form: LISTED,
    callOptions: ATTENTION_OPTIONS,
    masksFor(layer, inputs, mask) {
      return masksLike(layer, inputs, masksOfPair(`${layer}`, layer.checked(inputs).length, mask))
    },
    checkMask(layer, mask, shape, path) {
      requireMask(layer, mask, ['batch', 'steps'], shape.slice(0, -1), { path, mayBroadcast: true })
    },
    readsMask: () => true,
  }
  override readonly supportsMasking = true
  private readonly generator = generatorOf(this)

  override apply(inputs: InputsOf<Inputs>, options?: ApplyOptions | CallContext): Tensor
  override apply(...inputs: SeparateInputs): Tensor
  override apply(...inputs: [...TensorLike[], AttentionInputs]): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(withNames(this, args))
  }

  /** [batch, query steps, value steps] */
  protected abstract scores(query: Tensor, key: Tensor): Tensor

  call(inputs: Inputs, context: CallContext): Tensor
  call(inputs: Inputs, { training, mask, attention }: CallContext): Tensor | readonly Tensor[] {
    const operands = this.checked(inputs)
    const [query, value, key = value] = operands
    this.requireAlike(operands)
    const [queryMask = null, valueMask = null] = Array.isArray(mask) ? flatten<Tensor | null>(mask) : []
    const isStored = (training && this.dropout > 0) || attention.returnAttentionScores === true
    if (!isStored && this.isProduct && [query, key, value].every(({ rank }) => rank === 3)) {
      return this.where(queryMask, this.withoutScores(query, key, value, valueMask, attention))
    }
    const scores = this.scores(query, key)
    const causal = attention.useCausalMask === true ? causalMask(query.shape.at(-2)!, key.shape.at(-2)!) : null
    const allowed = attention.attentionMask == null ? null : pairMask(`${this}`, attention.attentionMask, scores.shape)
    const seen = both(both(valueMask === null ? null : expandDims(asBool(valueMask), -2), causal), allowed)
    const weights = softmax(seen === null ? scores : where(seen, scores, subtract(scores, MASKED)))
    const used = training && this.dropout > 0 ? dropout(weights, this.dropout, { seed: this.generator }) : weights
    const result = matmul(used, value)
    const output = this.where(queryMask, result)
    return attention.returnAttentionScores === true ? [output, weights] : output
  }

  private where(queryMask: Tensor | null, result: Tensor): Tensor {
    return queryMask === null ? result : where(expandDims(asBool(queryMask), -1), result, 0)
  }

  /** Whether the scores are scaledQuery · keyᵀ, so that a primitive can compute the output without storing them. */
  protected readonly isProduct: boolean = false

  protected scaledQuery(query: Tensor): Tensor {
    return query
  }

  private withoutScores(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    valueMask: Tensor | null,
    attention: ApplyOptions,
  ): Tensor {
    const ofValue = valueMask === null ? null : keyMask(asBool(valueMask))
    const allowed =
      attention.attentionMask == null
        ? null
        : expandDims(pairMask(`${this}`, attention.attentionMask, [query.shape[0]!, query.shape[1]!, key.shape[1]!]), 1)
    const [q, k, v] = [this.scaledQuery(query), key, value].map((each) => expandDims(each, 2))
    return squeeze(
      attend(`${this}`, q!, k!, v!, {
        scale: 1,
        mask: both(ofValue, allowed),
        after: attention.useCausalMask === true ? 0 : Infinity,
      }).result,
      2,
    )
  }

  private checked(inputs: unknown): Operands {
    if (areOperands(inputs)) return inputs
    throw new ArgumentError(`${this}: the input must be [query, value] or [query, value, key]`)
  }

  private requireAlike(inputs: Operands): void {
    const [{ shape: query }, { shape: value }, third] = inputs
    const key = third?.shape ?? value
    const fronts = [query, value, key].map((shape) => shape.slice(0, -2).join())
    const isAlike =
      query.length >= 2 &&
      fronts.every((front) => front === fronts[0]) &&
      value.length === query.length &&
      key.length === query.length
    if (isAlike && key.at(-2) === value.at(-2) && key.at(-1) === query.at(-1)) return
    const shapes = third === undefined ? [query, value] : [query, value, key]
    const received = shapes.map(formatShape).join(', ')
    throw new ShapeError(
      `${this}: the inputs must be query [batch, steps, features], value [batch, value steps, n] and key [batch, value steps, features], received ${received}`,
    )
  }

  override computeOutputShape(inputShape: readonly BatchShape[]): BatchShape {
    const [query, value] = inputShape
    return [...query!.slice(0, -1), value!.at(-1)!]
  }

  override computeOutputSpec(
    inputSpec: Parameters<Layer<Inputs, Tensor>['computeOutputSpec']>[0],
    options: ApplyOptions = {},
  ): ReturnType<Layer<Inputs, Tensor>['computeOutputSpec']> {
    return tracedOutputSpecs(this, specsFrom(inputSpec), options)
  }

  override computeMask(_inputs: Inputs, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return Array.isArray(mask) ? (flatten<Tensor | null>(mask)[0] ?? null) : null
  }

  /** The output, and the weights of the values [batch, query steps, value steps]. */
  applyWithScores(inputs: InputsOf<Inputs>, options: ApplyOptions = {}): readonly [output: Tensor, scores: Tensor] {
    return exactly(flatten<Tensor>(this.apply(inputs, { ...options, returnAttentionScores: true })), 2)
  }
}

const AttentionBase = configured(
  WeighedAttention,
  () => ({
    /** Whether a learnt factor multiplies the scores. Default false. */
    useScale: option(boolean, false),
    /** 'dot': query · key. 'concat': a learnt factor times Σ tanh(query + key). Default dot. */
    scoreMode: option(choice('dot', 'concat'), 'dot'),
  }),
  ['useScale', 'scoreMode', 'dropout', 'seed'],
)

/**
 * softmax(query · keyᵀ) · value for inputs [query, value] or [query, value, key], each [batch, steps, features];
 * without a key, the value is also the key. Steps that the value's mask leaves out get no weight; outputs that the
 * query's mask leaves out are 0. Luong et al. 2015.
 *
 *   new Attention().apply([query, value], { useCausalMask: true })
 *
 * Keras: `keras.layers.Attention`.
 */
export class Attention extends AttentionBase {
  static readonly className = 'Attention'
  /** @internal */
  static override readonly traits: LayerTraits<Attention> = {
    constructorOptions: ['scoreMode'],
  }
  private scaleVariable: Variable | null = null
  private concatVariable: Variable | null = null

  /** null without useScale. */
  get scale(): Variable | null {
    return this.scaleVariable
  }

  /** null unless scoreMode is 'concat'. */
  get concatScoreWeight(): Variable | null {
    return this.concatVariable
  }

  override build(): void {
    if (this.useScale) this.scaleVariable = this.addWeight({ name: 'scale', shape: [], initializer: 'ones' })
    if (this.scoreMode === 'concat')
      this.concatVariable = this.addWeight({ name: 'concatScoreWeight', shape: [], initializer: 'ones' })
  }

  private scaled(x: Tensor): Tensor {
    return this.scaleVariable === null ? x : multiply(x, this.scaleVariable)
  }

  protected override readonly isProduct = this.scoreMode === 'dot'

  protected override scaledQuery(query: Tensor): Tensor {
    return this.scaled(query)
  }

  protected scores(query: Tensor, key: Tensor): Tensor {
    if (this.concatVariable === null) return matmul(this.scaledQuery(query), swapAxes(key, -2, -1))
    return multiply(sum(tanh(this.scaled(add(expandDims(query, -2), expandDims(key, -3)))), -1), this.concatVariable)
  }
}

const AdditiveAttentionBase = configured(
  WeighedAttention,
  () => ({
    /** Whether each feature has a learnt factor. Default true. */
    useScale: option(boolean, true),
  }),
  ['useScale', 'dropout'],
)

/**
 * softmax(Σ scale · tanh(query + key)) · value, with the inputs and masks of Attention. Bahdanau et al. 2015. Keras:
 * `keras.layers.AdditiveAttention`.
 */
export class AdditiveAttention extends AdditiveAttentionBase {
  static readonly className = 'AdditiveAttention'
  /** @internal */
  static override readonly traits: LayerTraits<AdditiveAttention> = {
    checkShape(layer, shape, built, path) {
      // With a separate key, the value may have any number of features.
      if (layer.useScale && path === '[0]') requireExtents(layer, shape, built, [-1], path)
    },
  }
  private scaleVariable: Variable | null = null

  /** [features]; null without useScale. */
  get scale(): Variable | null {
    return this.scaleVariable
  }

  override build(inputShape: readonly BatchShape[]): void {
    // A file may name the layer where there is a single input.
    const query: unknown = inputShape[0]
    const shape = Array.isArray(query) ? (query as BatchShape) : []
    const features = shape.at(-1)
    if (features == null)
      throw new ShapeError(`${this}: the features of the query must be known, received ${formatShape(shape)}`)
    if (this.useScale) this.scaleVariable = this.addWeight({ name: 'scale', shape: [features] })
  }

  protected scores(query: Tensor, key: Tensor): Tensor {
    const reach = tanh(add(expandDims(query, -2), expandDims(key, -3)))
    return sum(this.scaleVariable === null ? reach : multiply(reach, this.scaleVariable), -1)
  }
}

/** Whether the input of an attention layer is [query, value] or [query, value, key]. */
function areOperands(inputs: unknown): inputs is Operands {
  const isList = Array.isArray(inputs) && inputs.every((each) => each instanceof Tensor)
  return isList && (inputs.length === 2 || inputs.length === 3)
}
