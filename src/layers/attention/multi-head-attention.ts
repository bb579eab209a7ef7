// MultiHeadAttention and GroupedQueryAttention: several attentions side by side, each on projections of its own.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, configured, count, custom, extents, integer, listOf, nullable, number, option, required } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import type { Tree } from '../../core/tree'
import { flatten, typed } from '../../core/tree'
import { softmax } from '../../ops/activations'
import { multiply, where } from '../../ops/elementwise'
import { einsum } from '../../ops/linalg'
import { SeedGenerator, dropout } from '../../ops/random'
import { repeat, reshape } from '../../ops/shape'
import { Tensor } from '../../ops/tensor'
import type { ApplyOptions } from '../base'
import type { CallContext } from '../context'
import { EinsumDense } from '../core/einsum-dense'
import { constraint, initializer, regularizer } from '../kinds'
import type { InputsOf } from '../layer'
import { Layer } from '../layer'
import { withoutMask } from '../masks'
import type { BatchShape } from '../spec'
import { asBool, both, causalMask, stepMasks, windowMask } from './masks'

/** A sequence that attends to itself, [query, value], or [query, value, key]. */
type Inputs = Tensor | readonly Tensor[]
type Shapes = BatchShape | readonly BatchShape[]

/** e to the power of it is 0 beside any number that is not as negative. */
const MASKED = -1e9

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const projectionOptions = () => ({
  /** The probability with which a weight becomes 0 while training. Default 0. */
  dropout: option(number({ min: 0, max: 1 }), 0),
  /** Whether the projections have biases. Default true. */
  useBias: option(boolean, true),
  /** How far a step sees, on both sides: those fewer steps away. Default null: all. */
  slidingWindow: option(nullable(count), null),
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on each kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** What the kernel is made to fulfil after every update. Default null. */
  kernelConstraint: option(constraint, null),
  /** A penalty on each bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** What the bias is made to fulfil after every update. Default null. */
  biasConstraint: option(constraint, null),
  /** Whether σ of a projection of the query multiplies what the heads give. Default false. */
  useGate: option(boolean, false),
  /** Fixes the numbers that are drawn; from setRandomSeed's when left out. */
  seed: option(nullable(integer()), null),
})

interface Heads {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
}

abstract class HeadsLayer extends configured(Layer<Inputs, Tensor>, projectionOptions) {
  override readonly supportsMasking = true
  protected query: EinsumDense | null = null
  protected key: EinsumDense | null = null
  protected gate: EinsumDense | null = null
  protected value: EinsumDense | null = null
  protected attentionOutput: EinsumDense | null = null
  private readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)

  /** The axes of a sequence along which steps look at each other, of an input of `rank` axes. */
  protected abstract attentionAxesOf(rank: number): readonly number[]
  protected abstract readonly keyLength: number

  protected shapesOf(inputShape: Shapes): { query: BatchShape; value: BatchShape; key: BatchShape } {
    const list = (Array.isArray(inputShape[0]) ? inputShape : [inputShape, inputShape]) as readonly BatchShape[]
    const [query, value, key = value] = list
    if (list.length < 2 || list.length > 3 || query === undefined || value === undefined || key === undefined) {
      throw new ArgumentError(`${this}: the input must be a sequence, [query, value] or [query, value, key]`)
    }
    if (Math.min(query.length, value.length) < 3) {
      throw new ShapeError(`${this}: the query and the value must be [batch, …steps, features], received ${formatShape(query)} and ${formatShape(value)}`)
    }
    const isAlike = value.length === key.length && value.slice(1, -1).every((extent, i) => extent === key[i + 1])
    if (!isAlike) throw new ShapeError(`${this}: value and key must have the same steps, received ${formatShape(value)} and ${formatShape(key)}`)
    return { query, value, key }
  }

  /** x [batch, …, features] · kernel [features, heads, size] → [batch, …, heads, size] */
  protected projection(name: string, inputShape: BatchShape, heads: number, size: number, activation: 'sigmoid' | null = null): EinsumDense {
    const free = LETTERS.slice(0, inputShape.length - 1)
    const [feature, head, element] = LETTERS.slice(inputShape.length - 1)
    return this.dense(name, `${free}${feature},${feature}${head}${element}->${free}${head}${element}`, [...inputShape.slice(1, -1).map(() => null), heads, size], `${head}${element}`, activation)
  }

  /** x [batch, …, heads, size] · kernel [heads, size, …output] → [batch, …, …output] */
  protected merging(name: string, rank: number, output: readonly number[]): EinsumDense {
    const free = LETTERS.slice(0, rank - 1)
    const bound = LETTERS.slice(rank - 1, rank + 1)
    const made = LETTERS.slice(rank + 1, rank + 1 + output.length)
    return this.dense(name, `${free}${bound},${bound}${made}->${free}${made}`, [...new Array<null>(rank - 2).fill(null), ...output], made, null)
  }

  private dense(name: string, equation: string, outputShape: BatchShape, biasAxes: string, activation: 'sigmoid' | null): EinsumDense {
    const { kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint } = this
    const weights = { kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint }
    return new EinsumDense({ name, equation, outputShape, biasAxes: this.useBias ? biasAxes : null, activation, ...weights })
  }

  /** Repeats keys and values so that each head of the query has its own. */
  protected abstract matched(heads: Heads): Heads

  call(inputs: Inputs, { training, mask, attention }: CallContext): Tensor {
    // The masks count here, and the projections know none.
    const [query, value, key = value] = (inputs instanceof Tensor ? [inputs, inputs] : inputs).map(withoutMask) as [Tensor, Tensor, Tensor?]
    this.shapesOf([query, value, key].map(({ shape }) => shape))
    const heads = this.matched({ query: this.query!.apply(query), key: this.key!.apply(key), value: this.value!.apply(value) })
    const gate = this.gate?.apply(query)
    const axes = this.attentionAxesOf(query.rank)
    const { toScores, toOutput } = equations(heads.query.rank, axes)
    const scores = einsum(toScores, multiply(heads.query, 1 / Math.sqrt(this.keyLength)), heads.key)
    const [rows, columns] = [query, value].map(({ shape }) => axes.map((axis) => shape[axis]!)) as [number[], number[]]
    const seen = this.seenBy(scores, rows, columns, inputs instanceof Tensor ? [mask, mask] : mask, inputs instanceof Tensor ? 2 : inputs.length, attention)
    const over = [...axes.keys()].map((i) => i - axes.length)
    // A row of which nothing is left: as in Keras, the mean of all values, or nothing where the weights are asked for.
    const isExplicit = this.dropout > 0 || attention.returnAttentionScores === true || heads.query.rank !== 4
    const all = softmax(seen === null ? scores : where(seen, scores, MASKED), over)
    const weights = seen !== null && isExplicit ? where(seen, all, 0) : all
    const used = training && this.dropout > 0 ? dropout(weights, this.dropout, { seed: this.generator }) : weights
    const made = einsum(toOutput, used, heads.value)
    const output = this.attentionOutput!.apply(gate === undefined ? made : multiply(made, gate))
    return typed(attention.returnAttentionScores === true ? [output, weights] : output)
  }

  /** Which scores count, as what broadcasts to them; null where all do. */
  private seenBy(scores: Tensor, rows: readonly number[], columns: readonly number[], mask: Tree<Tensor | null>, inputs: number, attention: ApplyOptions): Tensor | null {
    const [ofQuery = null, ofValue = null, ofKey = null] = Array.isArray(mask) ? flatten<Tensor | null>(mask) : []
    let seen = both(stepMasks(ofQuery, ofValue), inputs === 3 ? stepMasks(null, ofKey) : null)
    if (attention.useCausalMask === true) seen = both(seen, causalMask(rows[0]!, columns[0]!))
    if (this.slidingWindow !== null) seen = both(seen, windowMask(rows[0]!, columns[0]!, this.slidingWindow))
    if (attention.attentionMask != null) seen = both(asBool(attention.attentionMask), seen)
    if (seen === null) return null
    // […batch, …query, …value] → […batch, 1, …query, …value]
    const steps = 2 * rows.length
    const missing = scores.rank - seen.rank
    return missing === 0 ? seen : reshape(seen, [...seen.shape.slice(0, seen.rank - steps), ...new Array<number>(missing).fill(1), ...seen.shape.slice(seen.rank - steps)])
  }

  override computeOutputSpec(inputSpec: Parameters<Layer<Inputs, Tensor>['computeOutputSpec']>[0], options: ApplyOptions = {}): ReturnType<Layer<Inputs, Tensor>['computeOutputSpec']> {
    return typed(this.tracedOutputSpec(typed(inputSpec), options))
  }

  override computeMask(_inputs: Inputs, mask: Tree<Tensor | null>): Tree<Tensor | null> {
    return Array.isArray(mask) ? (flatten<Tensor | null>(mask)[0] ?? null) : mask
  }

  /** The output, and the weights of the values [batch, heads, query steps, value steps]. */
  applyWithScores(inputs: InputsOf<Inputs>, options: ApplyOptions = {}): readonly [output: Tensor, scores: Tensor] {
    return typed(this.apply(inputs, { ...options, returnAttentionScores: true }))
  }
}

interface Equations {
  readonly toScores: string
  readonly toOutput: string
}

/** Einsums over heads [batch, …, heads, size] of `rank` axes: […batch, heads, …query, …value] and back. */
function equations(rank: number, axes: readonly number[]): Equations {
  const query = LETTERS.slice(0, rank)
  let next = rank
  const value = [...query].map((letter, i) => (axes.includes(i) ? LETTERS[next++]! : letter)).join('')
  const kept = [...query].filter((_, i) => i < rank - 1 && !axes.includes(i)).join('')
  const scores = kept + axes.map((axis) => query[axis]).join('') + axes.map((axis) => value[axis]).join('')
  return { toScores: `${query},${value}->${scores}`, toOutput: `${scores},${value}->${query}` }
}

/**
 * Every head projects query, key and value, attends, and all are merged by one more projection:
 * softmax(Q Kᵀ / √keyDim) V. Vaswani et al. 2017.
 *
 *   const attention = new MultiHeadAttention({ numHeads: 4, keyDim: 16 })
 *   attention.apply([query, value])                        each [batch, steps, features]; a key may follow
 *   attention.apply(x, { useCausalMask: true })            a sequence that attends to itself
 *   attention.applyWithScores([query, value])              and the weights [batch, heads, query steps, value steps]
 *
 * Masks of the inputs count: a step of the value that is masked is not seen. The output has the query's mask.
 *
 * Keras: `keras.layers.MultiHeadAttention`.
 */
export class MultiHeadAttention extends configured(HeadsLayer, () => ({
  /** How many heads. */
  numHeads: required(count),
  /** The size of each head's query and key. */
  keyDim: required(count),
  /** The size of each head's value. Default null: keyDim. */
  valueDim: option(nullable(count), null),
  /** The shape of the output for each step. Default null: the query's features. */
  outputShape: option(nullable(custom<readonly number[], number | readonly number[]>((value, where) => extents().read(typeof value === 'number' ? [value] : value, where), (value) => [...value])), null),
  /** The axes of the input along which steps look at each other. Default null: all between the batch and the features. */
  attentionAxes: option(nullable(custom<readonly number[], number | readonly number[]>((value, where) => listOf(integer()).read(typeof value === 'number' ? [value] : value, where), (value) => [...value])), null),
})) {
  static readonly className = 'MultiHeadAttention'

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

  protected matched(heads: Heads): Heads {
    return heads
  }
}

/**
 * MultiHeadAttention in which several heads of the query share a key and a value. Ainslie et al. 2023. Inputs [batch, steps,
 * features], as of MultiHeadAttention.
 *
 * Keras: `keras.layers.GroupQueryAttention`.
 */
export class GroupedQueryAttention extends configured(HeadsLayer, () => ({
  /** The size of each head. */
  headDim: required(count),
  /** How many heads the query has. */
  numQueryHeads: required(count),
  /** How many heads key and value have; they divide those of the query. */
  numKeyValueHeads: required(count),
})) {
  static readonly className = 'GroupedQueryAttention'

  protected override checkOptions(): void {
    if (this.numQueryHeads % this.numKeyValueHeads === 0) return
    throw new ArgumentError(`${this}: numKeyValueHeads must divide numQueryHeads, received ${this.numKeyValueHeads} and ${this.numQueryHeads}`)
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
      throw new ShapeError(`${this}: query and value must be [batch, steps, features], received ${formatShape(query)} and ${formatShape(value)}`)
    }
    this.query = this.projection('query', query, this.numQueryHeads, this.headDim)
    this.key = this.projection('key', key, this.numKeyValueHeads, this.headDim)
    if (this.useGate) this.gate = this.projection('gate', query, this.numQueryHeads, this.headDim, 'sigmoid')
    this.value = this.projection('value', value, this.numKeyValueHeads, this.headDim)
    this.attentionOutput = this.merging('attentionOutput', 3, [query[2]])
  }

  protected matched({ query, key, value }: Heads): Heads {
    const times = this.numQueryHeads / this.numKeyValueHeads
    return times === 1 ? { query, key, value } : { query, key: repeat(key, times, 2), value: repeat(value, times, 2) }
  }
}
