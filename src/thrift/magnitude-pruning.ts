// MagnitudePruning: the smallest weights become zero while a model is trained, more and more of them. The masks are cells, and
// what they do is a part of the traced step.

import { ArgumentError } from '../core/errors'
import type { InputsOf } from '../core/options'
import { configured, count, integer, nullable, number, option, required } from '../core/options'
import type { LayerBase } from '../layers/base'
import { Embedding } from '../layers/core/embedding'
import { isNamed, layersOption } from '../layers/kinds'
import { isKernel } from '../layers/units'
import { where } from '../ops/elementwise'
import { Variable } from '../ops/variable'
import { Callback } from '../training/callbacks'
import type { Probe, ProbedStep } from '../training/probes'

const share = number({ min: 0, below: 1 })
const optionTable = () => ({
  /** The share of zeros at the end, in [0, 1). */
  finalSparsity: required(share),
  /** The share of zeros from beginStep on. Default 0. */
  initialSparsity: option(share, 0),
  /** The first step that prunes, from 0 on in each fit. Default 0. */
  beginStep: option(integer({ min: 0 }), 0),
  /** The step from which on finalSparsity holds. Default null: three quarters of the steps of fit. */
  endStep: option(nullable(integer({ min: 0 })), null),
  /**
   * After every how many steps the masks are made anew; the first of them from endStep on makes them for good. Default null: a
   * twentieth of the steps from beginStep to endStep, at most 100.
   */
  every: option(nullable(count), null),
  /** Layers, also by name, whose kernels are pruned. Default null: all but embeddings. */
  layers: layersOption(),
})
export type MagnitudePruningOptions = InputsOf<ReturnType<typeof optionTable>>

/** A weight, and whether an element of it stays or is to be 0. */
interface Masked {
  readonly weight: Variable
  readonly mask: Variable
}

/**
 * Makes the smallest weights of each kernel zero while fit runs, more and more of them, and holds them there: after each update,
 * whatever the optimizer did (momentum, weight decay, averages), they are exactly 0. The share of zeros after step t, with
 * t₀ = beginStep and t₁ = endStep:
 *
 *   s = finalSparsity + (initialSparsity − finalSparsity) · (1 − (t − t₀) / (t₁ − t₀))³
 *
 * Every so many steps those join that are smallest then. What is zero stays zero.
 *
 *   await model.fit(x, y, { epochs: 10, callbacks: [new MagnitudePruning({ finalSparsity: 0.8 })] })
 *
 * Where training ends before the first step that prunes, a warning says so.
 *
 * The zeros are saved as weights. To go on training with them, give the callback again, from the share that is reached:
 * `new MagnitudePruning({ finalSparsity: 0.8, initialSparsity: 0.8 })` chooses the same ones; without it they are trained again.
 *
 * Zhu & Gupta 2017.
 */
export class MagnitudePruning extends configured(Callback, optionTable, 'finalSparsity') {
  static readonly className = 'MagnitudePruning'
  private masked: readonly Masked[] = []
  private reached = 0
  private isDone = false
  private hasChosen = false
  // The same one in every fit, so that its program is.
  private holding: Probe = { trace: (step) => this.hold(step) }

  protected override checkOptions(): void {
    const { initialSparsity, finalSparsity, beginStep, endStep } = this
    if (initialSparsity > finalSparsity) throw new ArgumentError(`MagnitudePruning: initialSparsity must not be above finalSparsity, received ${initialSparsity} and ${finalSparsity}`)
    if (endStep !== null && endStep < beginStep) throw new ArgumentError(`MagnitudePruning: endStep must not be before beginStep, received ${endStep} and ${beginStep}`)
  }

  /** The share of zeros that the masks demand now. */
  get sparsity(): number {
    return this.reached
  }

  get probes(): readonly Probe[] {
    const weights = this.weights()
    if (this.masked.length !== weights.length || this.masked.some(({ weight }, i) => weight !== weights[i])) {
      this.masked = weights.map((weight) => {
        const mask = new Variable(weight.shape, { name: `${weight.name}/mask`, dtype: 'bool', trainable: false })
        return { weight, mask }
      })
      this.holding = { trace: (step) => this.hold(step) }
    }
    // Until the first ones are chosen all weights stay.
    for (const { mask } of this.masked) mask.view.fill(1)
    this.reached = 0
    this.isDone = false
    this.hasChosen = false
    const [begin, end] = this.span
    const every = this.every ?? Math.min(100, Math.max(1, Math.floor((end - begin) / 20)))
    return [this.holding, { every, afterStep: (step) => this.choose(step) }]
  }

  /** @throws ArgumentError for layers that are not there, and where there is nothing to prune */
  private weights(): Variable[] {
    const { layers, model } = this
    const isMeant = (layer: LayerBase): boolean => layers === null ? !(layer instanceof Embedding) : layers.some((each) => isNamed(each, layer))
    const unknown = layers?.find((each) => !model.allLayers.some((layer) => isNamed(each, layer)))
    if (unknown !== undefined) throw new ArgumentError(`MagnitudePruning: there is no layer ${String(unknown)}. There are: ${model.allLayers.slice(1).map(({ name }) => name).join(', ')}`)
    const trained = new Set(model.trainableWeights)
    const chosen = model.allLayers.filter((layer) => layer !== (model as unknown)).filter(isMeant)
    const found = new Set(chosen.flatMap((layer) => (layers === null ? layer.ownWeights : layer.weights)).filter((weight) => trained.has(weight) && isKernel(weight)))
    if (found.size > 0) return [...found]
    throw new ArgumentError('MagnitudePruning: there are no kernels to prune: trainable weights of two axes or more')
  }

  private hold(step: ProbedStep): void {
    for (const { weight, mask } of this.masked) weight.assign(where(mask.value, step.after(weight), 0))
  }

  /** From which step to which the share of zeros rises. */
  private get span(): readonly [begin: number, end: number] {
    const { beginStep, endStep } = this
    const { epochs, steps } = this.params!
    if (endStep === null && steps === null) throw new ArgumentError('MagnitudePruning: how many steps there are is not known before the data end. Say endStep, or stepsPerEpoch of fit.')
    return [beginStep, Math.max(beginStep, endStep ?? Math.floor(0.75 * epochs * steps!))]
  }

  /** Zeros that are there already must not be trained by the first step. */
  onTrainBegin(): void {
    if (this.beginStep === 0) this.maskAll(this.initialSparsity)
  }

  private choose(step: number): void {
    const { finalSparsity, initialSparsity } = this
    const [begin, end] = this.span
    if (step < begin || this.isDone) return
    this.hasChosen = true
    this.isDone = step >= end
    const left = this.isDone ? 0 : 1 - (step - begin) / (end - begin)
    this.maskAll(finalSparsity + (initialSparsity - finalSparsity) * left ** 3)
  }

  private maskAll(sparsity: number): void {
    this.reached = sparsity
    for (const masked of this.masked) maskSmallest(masked, sparsity)
  }

  /** Averages, which take the place of the weights when training ends, know no masks. */
  onTrainEnd(): void {
    const { model: { optimizer }, beginStep, every, reached, finalSparsity } = this
    if (!this.hasChosen && reached < finalSparsity) {
      const rhythm = every === null ? '' : `, every ${every} steps`
      console.warn(`MagnitudePruning: training ended before the first step that prunes (beginStep ${beginStep}${rhythm}), so the share of zeros is ${reached}, not ${finalSparsity}`)
    }
    for (const { weight, mask } of this.masked) {
      keepMasked(weight, mask)
      const average = optimizer.slotsOf(weight).get('average')
      if (average !== undefined) keepMasked(average, mask)
    }
  }
}

function keepMasked({ view }: Variable, { view: mask }: Variable): void {
  for (let i = 0; i < view.length; i++) if (mask[i] === 0) view[i] = 0
}

/** The smallest weights become zero: as many as the share says, of equal ones the first. */
function maskSmallest({ weight, mask }: Masked, sparsity: number): void {
  const { view } = weight
  const zeros = Math.round(sparsity * view.length)
  const sizes = Float32Array.from(view, Math.abs).sort()
  const limit = zeros === 0 ? -1 : sizes[zeros - 1]!
  let ties = zeros - lowerBound(sizes, limit)
  const { view: own } = mask
  for (let i = 0; i < view.length; i++) {
    const size = Math.abs(view[i]!)
    own[i] = size < limit || (size === limit && ties-- > 0) ? 0 : 1
  }
  keepMasked(weight, mask)
}

/** How many of sorted numbers are below a limit. */
function lowerBound(sorted: Float32Array, limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}
