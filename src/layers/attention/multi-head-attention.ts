// MultiHeadAttention and GroupedQueryAttention: several attentions in parallel, each on its own projections.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import {
  boolean,
  configured,
  count,
  custom,
  extent,
  extents,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  unread,
} from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { flatten, type Tree } from '../../core/tree'
import { softmax } from '../../ops/nn/activations'
import { attend, flashAttentionKind } from '../../ops/nn/attention'
import { divide, multiply, where } from '../../ops/numpy/elementwise'
import { einsum } from '../../ops/linalg/linalg'
import { dropout } from '../../ops/random/random'
import { sum } from '../../ops/numpy/reduce'
import { expandDims, repeat } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { TensorLike } from '../../ops/convert'
import type { SeparateInputs } from '../call-options'
import { LISTED } from '../forms'
import { withNames, type AttentionInputs } from './named'
import { Layer, type ApplyOptions, type InputsOf } from '../layer'
import { requireExtents, requireMask } from '../checks'
import type { CallContext } from '../context'
import { EinsumDense } from '../core/einsum-dense'
import { constraint, initializer, regularizer } from '../kinds'
import { withoutMask } from '../masks'
import { isBatchShape, specsFrom, type BatchShape } from '../spec'
import { unitAxes, type InnerUnits, type UnitAxis } from '../units'
import {
  ATTENTION_OPTIONS,
  asBool,
  besideScores,
  both,
  causalMask,
  keyMask,
  masksOfPair,
  pairMask,
  stepMasks,
  windowMask,
} from './masks'
import { generatorOf } from '../random'
import type { LayerTraits } from '../traits'
import { tracedOutputSpecs } from '../inference'
import { masksLike } from '../applying'
import { exactly } from '../../core/tuples'

/** One sequence for self-attention, [query, value], or [query, value, key]. */
type Inputs = Tensor | readonly Tensor[]
type Shapes = BatchShape | readonly BatchShape[]

/** Its exponential is 0 relative to that of any score that is not as negative. */
const MASKED = -1e9

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const projectionOptions = () => ({
  /** The probability that an attention weight becomes 0 in training. Default 0. */
  dropout: option(number({ min: 0, max: 1 }), 0),
  /** Whether the projections have biases. Default true. */
  useBias: option(boolean, true),
  /** A step sees only the steps fewer than this many steps away, on both sides. Default null: all steps. */
  slidingWindow: option(nullable(count), null),
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on each kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** Applied to the kernel after every update. Default null. */
  kernelConstraint: option(constraint, null),
  /** A penalty on each bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** Applied to the bias after every update. Default null. */
  biasConstraint: option(constraint, null),
  /** Whether the heads' outputs are multiplied by σ of a projection of the query. Default false. */
  useGate: option(boolean, false),
  /** Changes nothing: there is one implementation, which never stores the scores as a whole. Default null. */
  flashAttention: unread(flashAttentionKind, null),
  /** The seed of the random numbers. Default null: derived from setRandomSeed. */
  seed: option(nullable(integer()), null),
})

/** Bool masks of the steps that count. */
interface Masks {
  /** [batch, query steps] */
  readonly query: Tensor | null
  /** Of value and key, [batch, value steps]. */
  readonly key: Tensor | null
  /** [batch, query steps, value steps], or [batch, heads, query steps, value steps]. */
  readonly pairs: Tensor | null
  readonly isCausal: boolean
}

/** Each [batch, …steps, heads, size]. */
interface Heads {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
}

const HeadsLayerBase = configured(Layer<Inputs, Tensor>, projectionOptions)

abstract class HeadsLayer extends HeadsLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<HeadsLayer> = {
    form: LISTED,
    callOptions: ATTENTION_OPTIONS,
    checkShape(layer, shape, built, path) {
      if (shape.length === built.length) requireExtents(layer, shape, built, [-1], path)
    },
    masksFor(layer, inputs, mask) {
      return masksLike(layer, inputs, Array.isArray(inputs) ? masksOfPair(`${layer}`, inputs.length, mask) : mask)
    },
    checkMask(layer, mask, shape, path) {
      // With several axes of steps, the mask's leading axes are enough.
      const rank = Math.min(Math.max(mask.rank, 2), shape.length - 1)
      requireMask(layer, mask, ['batch', rank > 2 ? '…steps' : 'steps'], shape.slice(0, rank), {
        path,
        mayBroadcast: true,
      })
    },
    readsMask: () => true,
  }
  override readonly supportsMasking = true
  protected query: EinsumDense | null = null
  protected key: EinsumDense | null = null
  protected gate: EinsumDense | null = null
  protected value: EinsumDense | null = null
  protected attentionOutput: EinsumDense | null = null
  private readonly generator = generatorOf(this)

  override apply(inputs: InputsOf<Inputs>, options?: ApplyOptions | CallContext): Tensor
  override apply(...inputs: SeparateInputs): Tensor
  override apply(...inputs: [...TensorLike[], AttentionInputs]): Tensor
  override apply(...args: readonly unknown[]): Tensor {
    return this.applyTo(withNames(this, args))
  }

  /** The projection of the query. Keras: `query_dense`. */
  get queryDense(): EinsumDense {
    return this.requireBuilt(this.query)
  }

  /** The projection of the key. Keras: `key_dense`. */
  get keyDense(): EinsumDense {
    return this.requireBuilt(this.key)
  }

  /** The projection of the value. Keras: `value_dense`. */
  get valueDense(): EinsumDense {
    return this.requireBuilt(this.value)
  }

  /** The projection of the outputs of all heads. Keras: `output_dense`. */
  get outputDense(): EinsumDense {
    return this.requireBuilt(this.attentionOutput)
  }

  /** The axes of an input with `rank` axes along which steps attend to each other. */
  protected abstract attentionAxesOf(rank: number): readonly number[]
  protected abstract readonly keyLength: number

  protected shapesOf(inputShape: Shapes): { query: BatchShape; value: BatchShape; key: BatchShape } {
    const list = isBatchShape(inputShape) ? [inputShape, inputShape] : inputShape
    const [query, value, key = value] = list
    const areShapes = list.every((shape: unknown) => Array.isArray(shape))
    if (!areShapes || list.length > 3 || query === undefined || value === undefined || key === undefined) {
      throw new ArgumentError(`${this}: the input must be a sequence, [query, value] or [query, value, key]`)
    }
    if (Math.min(query.length, value.length) < 3) {
      throw new ShapeError(
        `${this}: the query and the value must be [batch, …steps, features], received ${formatShape(query)} and ${formatShape(value)}`,
      )
    }
    const isAlike = value.length === key.length && value.slice(1, -1).every((extent, i) => extent === key[i + 1])
    if (!isAlike)
      throw new ShapeError(
        `${this}: value and key must have the same steps, received ${formatShape(value)} and ${formatShape(key)}`,
      )
    return { query, value, key }
  }

  /** x [batch, …, features] · kernel [features, heads, size] → [batch, …, heads, size] */
  protected projection(
    name: string,
    inputShape: BatchShape,
    heads: number,
    size: number,
    activation: 'sigmoid' | null = null,
  ): EinsumDense {
    const free = LETTERS.slice(0, inputShape.length - 1)
    const [feature, head, element] = LETTERS.slice(inputShape.length - 1)
    return this.dense(
      name,
      `${free}${feature},${feature}${head}${element}->${free}${head}${element}`,
      [...inputShape.slice(1, -1).map(() => null), heads, size],
      `${head}${element}`,
      activation,
    )
  }

  /** x [batch, …, heads, size] · kernel [heads, size, …output] → [batch, …, …output] */
  protected merging(name: string, rank: number, output: readonly number[]): EinsumDense {
    const free = LETTERS.slice(0, rank - 1)
    const bound = LETTERS.slice(rank - 1, rank + 1)
    const made = LETTERS.slice(rank + 1, rank + 1 + output.length)
    return this.dense(
      name,
      `${free}${bound},${bound}${made}->${free}${made}`,
      [...new Array<null>(rank - 2).fill(null), ...output],
      made,
      null,
    )
  }

  private dense(
    name: string,
    equation: string,
    outputShape: BatchShape,
    biasAxes: string,
    activation: 'sigmoid' | null,
  ): EinsumDense {
    const { kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint } =
      this
    const weights = {
      kernelInitializer,
      kernelRegularizer,
      kernelConstraint,
      biasInitializer,
      biasRegularizer,
      biasConstraint,
    }
    return new EinsumDense({
      name,
      equation,
      outputShape,
      biasAxes: this.useBias ? biasAxes : null,
      activation,
      ...weights,
    })
  }

  /** The axes along which units lie in projections: kernels [features, heads, size], biases [heads, size]. */
  private axesOf(projections: readonly (EinsumDense | null)[], width: number): UnitAxis[] {
    return projections
      .flatMap((layer) => (layer === null ? [] : [...unitAxes(1, layer.kernel), ...unitAxes(0, layer.bias)]))
      .map((axis) => ({ ...axis, width }))
  }

  /** The unit axes of the projections of the query, with `width` heads per unit. */
  protected axesOfQueries(width: number): UnitAxis[] {
    return this.axesOf([this.query, this.gate], width)
  }

  /** The unit axes of the projections of key and value, with one head per unit. */
  protected axesOfValues(): UnitAxis[] {
    return this.axesOf([this.key, this.value], 1)
  }

  /**
   * The layer that consumes these heads, and where they lie in its kernel [heads, size, …output]; `width` heads of the
   * query per unit.
   */
  protected useOfHeads(width: number): Pick<InnerUnits, 'outgoing' | 'user'> {
    const layer = this.requireBuilt(this.attentionOutput)
    return { outgoing: unitAxes(0, layer.kernel).map((axis) => ({ ...axis, width })), user: { layer, axis: -2, width } }
  }

  /** Keys or values [batch, …steps, heads, size], repeated so that each head of the query has its own. */
  protected abstract matched(heads: Tensor): Tensor

  call(inputs: Inputs, context: CallContext): Tensor
  call(inputs: Inputs, { training, mask, attention }: CallContext): Tensor | readonly (Tensor | null)[] {
    // The masks are applied here; the projections do not see them.
    const operands = (inputs instanceof Tensor ? [inputs, inputs] : inputs).map(withoutMask)
    this.shapesOf(operands.map(({ shape }) => shape))
    const [query, value] = exactly(operands.slice(0, 2), 2)
    const key = operands[2] ?? value
    const heads: Heads = { query: this.query!.apply(query), key: this.key!.apply(key), value: this.value!.apply(value) }
    const gate = this.gate?.apply(query)
    const masks = this.masksOf(inputs, mask, attention)
    const isStored =
      (training && this.dropout > 0) || attention.returnAttentionScores === true || heads.query.rank !== 4
    const [made, weights] = isStored
      ? this.throughScores(heads, masks, training, attention)
      : [this.withoutScores(heads, masks), null]
    const output = this.merged(made, gate)
    return attention.returnAttentionScores === true ? [output, weights] : output
  }

  private merged(made: Tensor, gate: Tensor | undefined): Tensor {
    return this.attentionOutput!.apply(gate === undefined ? made : multiply(made, gate))
  }

  /** How many steps before and after itself a step sees. */
  private bandOf({ isCausal }: Masks): { before: number; after: number } {
    const reach = this.slidingWindow === null ? Infinity : this.slidingWindow - 1
    return { before: reach, after: isCausal ? 0 : reach }
  }

  private masksOf(inputs: Inputs, mask: Tree<Tensor | null>, attention: ApplyOptions): Masks {
    const masks = inputs instanceof Tensor ? [mask, mask] : mask
    const [query = null, ofValue = null, ofKey = null] = Array.isArray(masks)
      ? flatten<Tensor | null>(masks).map((each) => each && asBool(each))
      : []
    const key = both(ofValue, !(inputs instanceof Tensor) && inputs.length === 3 ? ofKey : null)
    return { query, key, pairs: attention.attentionMask ?? null, isCausal: attention.useCausalMask === true }
  }

  /**
   * Whether a completely masked row gives 0. Otherwise it gives the mean of all values. Keras also decides this by
   * dropout.
   */
  private get dropsEmptyRows(): boolean {
    return this.dropout > 0
  }

  /** The heads' outputs, [batch, steps, heads, size], from a primitive that stores no scores. */
  private withoutScores({ query, key, value }: Heads, masks: Masks): Tensor {
    const ofKeys = masks.key === null ? null : keyMask(masks.key)
    const [batch, rows, count] = query.shape
    const ofPairs = masks.pairs && pairMask(`${this}`, masks.pairs, [batch!, count!, rows!, key.shape[1]!])
    const mask = both(ofKeys, ofPairs)
    const { result, isEmpty } = attend(`${this}`, query, key, value, {
      scale: 1 / Math.sqrt(this.keyLength),
      mask,
      ...this.bandOf(masks),
    })
    const kept = mask !== null && this.dropsEmptyRows ? where(isEmpty(), 0, result) : result
    if (masks.query === null) return kept
    return where(
      expandDims(expandDims(masks.query, -1), -1),
      kept,
      this.dropsEmptyRows ? 0 : this.matched(divide(sum(value, 1, true), value.shape[1]!)),
    )
  }

  /** The heads' outputs from stored scores, and the weights [batch, heads, …query steps, …value steps]. */
  private throughScores(
    heads: Heads,
    masks: Masks,
    training: boolean,
    attention: ApplyOptions,
  ): [made: Tensor, weights: Tensor] {
    const [query, key, value] = [heads.query, this.matched(heads.key), this.matched(heads.value)]
    const axes = this.attentionAxesOf(query.rank - 1)
    const { toScores, toOutput } = equations(query.rank, axes)
    const scores = einsum(toScores, multiply(query, 1 / Math.sqrt(this.keyLength)), key)
    const [rows, columns] = [axes.map((axis) => query.shape[axis]!), axes.map((axis) => value.shape[axis]!)]
    const seen = this.seenBy(scores, rows, columns, masks)
    const over = [...axes.keys()].map((i) => i - axes.length)
    const isExplicit = this.dropsEmptyRows || attention.returnAttentionScores === true || query.rank !== 4
    const all = softmax(seen === null ? scores : where(seen, scores, MASKED), over)
    const weights = seen !== null && isExplicit ? where(seen, all, 0) : all
    const used = training && this.dropout > 0 ? dropout(weights, this.dropout, { seed: this.generator }) : weights
    return [einsum(toOutput, used, value), weights]
  }

  /** Which scores count, as a mask that broadcasts to them; null if all count. */
  private seenBy(scores: Tensor, rows: readonly number[], columns: readonly number[], masks: Masks): Tensor | null {
    let seen = stepMasks(masks.query, masks.key)
    if (masks.isCausal) seen = both(seen, causalMask(rows[0]!, columns[0]!))
    if (this.slidingWindow !== null) seen = both(seen, windowMask(rows[0]!, columns[0]!, this.slidingWindow))
    const steps = 2 * rows.length
    const beside = seen && besideScores(seen, scores.rank, steps)
    if (beside !== null && beside.shape.some((extent, i) => extent !== 1 && extent !== scores.shape[i])) {
      const received = [masks.query, masks.key]
        .map((mask) => (mask === null ? 'none' : formatShape(mask.shape)))
        .join(' and ')
      throw new ShapeError(
        `${this}: the masks of query and value must broadcast to scores ${formatShape(scores.shape)} of ${steps} axes of steps, received ${received}`,
      )
    }
    return both(masks.pairs && pairMask(`${this}`, masks.pairs, scores.shape, steps), beside)
  }

  override computeOutputSpec(
    inputSpec: Parameters<Layer<Inputs, Tensor>['computeOutputSpec']>[0],
    options: ApplyOptions = {},
  ): ReturnType<Layer<Inputs, Tensor>['computeOutputSpec']> {
    return tracedOutputSpecs(this, specsFrom(inputSpec), options)
  }

  override computeMask(_inputs: Inputs, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return Array.isArray(mask) ? (flatten<Tensor | null>(mask)[0] ?? null) : mask
  }

  /** The output, and the weights of the values [batch, heads, query steps, value steps]. */
  applyWithScores(inputs: InputsOf<Inputs>, options: ApplyOptions = {}): readonly [output: Tensor, scores: Tensor] {
    return exactly(flatten<Tensor>(this.apply(inputs, { ...options, returnAttentionScores: true })), 2)
  }
}

interface Equations {
  readonly toScores: string
  readonly toOutput: string
}

/**
 * The einsum equations over heads [batch, …, heads, size] with `rank` axes: to scores […batch, heads, …query, …value],
 * and back to heads.
 */
function equations(rank: number, axes: readonly number[]): Equations {
  const query = LETTERS.slice(0, rank)
  let next = rank
  const value = [...query].map((letter, i) => (axes.includes(i) ? LETTERS[next++]! : letter)).join('')
  const kept = [...query].filter((_, i) => i < rank - 1 && !axes.includes(i)).join('')
  const scores = kept + axes.map((axis) => query[axis]).join('') + axes.map((axis) => value[axis]).join('')
  return { toScores: `${query},${value}->${scores}`, toOutput: `${scores},${value}->${query}` }
}

const MultiHeadAttentionBase = configured(
  HeadsLayer,
  () => ({
    /** The number of heads. */
    numHeads: required(extent),
    /** The size of each head's query and key. */
    keyDim: required(extent),
    /** The size of each head's value. Default null: keyDim. */
    valueDim: option(nullable(extent), null),
    /** The shape of the output for each step. Default null: the query's features. */
    outputShape: option(
      nullable(
        custom<readonly number[], number | readonly number[]>(
          (value, where) => extents().read(typeof value === 'number' ? [value] : value, where),
          (value) => [...value],
        ),
      ),
      null,
    ),
    /**
     * The axes of the input along which steps attend to each other. Default null: all between the batch and the features.
     */
    attentionAxes: option(
      nullable(
        custom<readonly number[], number | readonly number[]>(
          (value, where) => listOf(integer()).read(typeof value === 'number' ? [value] : value, where),
          (value) => [...value],
        ),
      ),
      null,
    ),
  }),
  ['numHeads', 'keyDim', 'valueDim', 'dropout', 'useBias', 'outputShape', 'attentionAxes', 'slidingWindow'],
)

/**
 * Every head attends on its own projections of query, key and value; a last projection merges the heads:
 * softmax(Q Kᵀ / √keyDim) V. Vaswani et al. 2017.
 *
 *   const attention = new MultiHeadAttention({ numHeads: 4, keyDim: 16 })
 *   attention.apply([query, value])                        each [batch, steps, features]; a key may follow
 *   attention.apply(x, { useCausalMask: true })            a sequence that attends to itself
 *   attention.applyWithScores([query, value])              and the weights [batch, heads, query steps, value steps]
 *
 * Masks of the inputs are used: masked steps of the value get no weight. The output has the query's mask.
 *
 * Keras: `keras.layers.MultiHeadAttention`.
 */
export class MultiHeadAttention extends MultiHeadAttentionBase {
  static readonly className = 'MultiHeadAttention'
  /** @internal */
  static override readonly traits: LayerTraits<MultiHeadAttention> = {
    /** One unit per head. */
    innerUnits: (layer) => [
      {
        count: layer.numHeads,
        optionsFor: (numHeads) => ({ numHeads }),
        incoming: [...layer.axesOfQueries(1), ...layer.axesOfValues()],
        ...layer.useOfHeads(1),
      },
    ],
  }

  protected get keyLength(): number {
    return this.keyDim
  }

  protected attentionAxesOf(rank: number): readonly number[] {
    if (this.attentionAxes === null) return Array.from({ length: rank - 2 }, (_, i) => i + 1)
    return this.attentionAxes.map((axis) => normalizeAxis(`${this}`, axis, rank))
  }

  override build(inputShape: Shapes): void {
    const { query, value, key } = this.shapesOf(inputShape)
    const size = this.valueDim ?? this.keyDim
    this.query = this.projection('query', query, this.numHeads, this.keyDim)
    this.key = this.projection('key', key, this.numHeads, this.keyDim)
    if (this.useGate) this.gate = this.projection('gate', query, this.numHeads, size, 'sigmoid')
    this.value = this.projection('value', value, this.numHeads, size)
    this.attentionOutput = this.merging('attentionOutput', query.length, this.outputShape ?? [this.featuresOf(query)])
  }

  private featuresOf(shape: BatchShape): number {
    const features = shape.at(-1)
    if (features != null) return features
    throw new ShapeError(`${this}: the features of the query must be known, received ${formatShape(shape)}`)
  }

  protected matched(heads: Tensor): Tensor {
    return heads
  }
}

const GroupedQueryAttentionBase = configured(
  HeadsLayer,
  () => ({
    /** The size of each head. */
    headDim: required(extent),
    /** The number of heads of the query. */
    numQueryHeads: required(extent),
    /** The number of heads of key and value; it must divide numQueryHeads. */
    numKeyValueHeads: required(extent),
  }),
  ['headDim', 'numQueryHeads', 'numKeyValueHeads', 'dropout', 'useBias'],
)

/**
 * MultiHeadAttention in which several heads of the query share a key and a value. Ainslie et al. 2023. Inputs [batch,
 * steps, features], as for MultiHeadAttention.
 *
 * Keras: `keras.layers.GroupQueryAttention`.
 */
export class GroupedQueryAttention extends GroupedQueryAttentionBase {
  static readonly className = 'GroupedQueryAttention'
  /** @internal */
  static override readonly traits: LayerTraits<GroupedQueryAttention> = {
    /**
     * A unit is a head of key and value with the query heads that share it. If there is only one, the units are the query
     * heads.
     */
    innerUnits(layer) {
      const { numKeyValueHeads: groups, numQueryHeads: heads, headsOfGroup: width } = layer
      if (groups === 1)
        return [
          {
            count: heads,
            optionsFor: (numQueryHeads) => ({ numQueryHeads }),
            incoming: layer.axesOfQueries(1),
            ...layer.useOfHeads(1),
          },
        ]
      const optionsFor = (count: number) => ({ numKeyValueHeads: count, numQueryHeads: count * width })
      return [
        {
          count: groups,
          optionsFor,
          incoming: [...layer.axesOfQueries(width), ...layer.axesOfValues()],
          ...layer.useOfHeads(width),
        },
      ]
    },
  }

  protected override checkOptions(): void {
    if (this.numQueryHeads % this.numKeyValueHeads === 0) return
    throw new ArgumentError(
      `${this}: numKeyValueHeads must divide numQueryHeads, received ${this.numKeyValueHeads} and ${this.numQueryHeads}`,
    )
  }

  protected get keyLength(): number {
    return this.headDim
  }

  protected attentionAxesOf(): readonly number[] {
    return [1]
  }

  override build(inputShape: Shapes): void {
    const { query, value, key } = this.shapesOf(inputShape)
    if (query.length !== 3 || value.length !== 3 || query[2] == null) {
      throw new ShapeError(
        `${this}: query and value must be [batch, steps, features], received ${formatShape(query)} and ${formatShape(value)}`,
      )
    }
    this.query = this.projection('query', query, this.numQueryHeads, this.headDim)
    this.key = this.projection('key', key, this.numKeyValueHeads, this.headDim)
    if (this.useGate) this.gate = this.projection('gate', query, this.numQueryHeads, this.headDim, 'sigmoid')
    this.value = this.projection('value', value, this.numKeyValueHeads, this.headDim)
    this.attentionOutput = this.merging('attentionOutput', 3, [query[2]])
  }

  /** How many heads of the query share a key and a value. */
  private get headsOfGroup(): number {
    return this.numQueryHeads / this.numKeyValueHeads
  }

  protected matched(heads: Tensor): Tensor {
    const times = this.headsOfGroup
    return times === 1 ? heads : repeat(heads, times, 2)
  }
}
