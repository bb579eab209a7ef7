// MagnitudePruning: gradually sets the smallest weights to zero during training. The masks are cells, and the masking
// is part of the traced step.

import { warn } from '../core/warnings'
import { BYTES_PER_ELEMENT, type TensorData } from '../core/dtypes'
import { ArgumentError } from '../core/errors'
import { configured, count, integer, nullable, number, option, required, type OptionInputs } from '../core/options'
import { sizeOf } from '../core/shapes'
import type { LayerBase } from '../layers/layer'
import { Embedding } from '../layers/core/embedding'
import { isNamed, layersOption } from '../layers/kinds'
import { isKernel } from '../layers/units'
import { where } from '../ops/numpy/elementwise'
import type { Pack } from '../ops/packed'
import type { Tensor } from '../ops/tensor'
import { currentTrace, type TracedCell } from '../ops/trace'
import { Variable } from '../ops/variable'
import { Callback, type CallbackState } from '../training/callbacks'
import type { Probe, ProbedStep } from '../training/probes'

const share = number({ min: 0, below: 1 })
const optionTable = () => ({
  /** The final share of zeros, in [0, 1). */
  finalSparsity: required(share),
  /** The share of zeros at beginStep. Default 0. */
  initialSparsity: option(share, 0),
  /** The first step that prunes, counted from 0 in each fit. Default 0. */
  beginStep: option(integer({ min: 0 }), 0),
  /** The step at which finalSparsity is reached. Default null: after three quarters of the steps of fit. */
  endStep: option(nullable(integer({ min: 0 })), null),
  /**
   * The number of steps between two updates of the masks; the first update from endStep on is the last. Default null: a
   * twentieth of the steps from beginStep to endStep, at most 100.
   */
  every: option(nullable(count), null),
  /** The layers, or their names, whose kernels are pruned. Default null: all except embeddings. */
  layers: layersOption(),
})
export type MagnitudePruningOptions = OptionInputs<ReturnType<typeof optionTable>>

/** A weight with its mask: false where an element is pruned. */
interface Masked {
  readonly weight: Variable
  readonly mask: Variable
}

const MagnitudePruningBase = configured(Callback, optionTable, ['finalSparsity'])

/**
 * Gradually sets the smallest weights of each kernel to zero during fit and keeps them there: after each update they
 * are exactly 0, whatever the optimizer does (momentum, weight decay, averages). The share of zeros after step t, with
 * t₀ = beginStep and t₁ = endStep:
 *
 *   s = finalSparsity + (initialSparsity − finalSparsity) · (1 − (t − t₀) / (t₁ − t₀))³
 *
 * Each update of the masks adds the smallest remaining weights. Pruned weights stay zero.
 *
 *   await model.fit(x, y, { epochs: 10, callbacks: [new MagnitudePruning({ finalSparsity: 0.8 })] })
 *
 * If training ends before the first step that prunes, a warning is printed.
 *
 * The zeros are saved as weights. To continue training with them, pass the callback again with the sparsity reached so
 * far: `new MagnitudePruning({ finalSparsity: 0.8, initialSparsity: 0.8 })` selects the same weights. Without the
 * callback they are trained again.
 *
 * Zhu & Gupta 2017.
 */
export class MagnitudePruning extends MagnitudePruningBase {
  static readonly className = 'MagnitudePruning'
  private masked: readonly Masked[] = []
  /** The joint masks of weights that are updated together, by the variable that contains all of them. */
  private readonly joined = new Map<TracedCell, Variable>()
  private reached = 0
  private isDone = false
  private hasChosen = false
  // The same object in every fit, so that its program is reused.
  private holding: Probe = { trace: (step) => this.hold(step) }

  protected override checkOptions(): void {
    const { initialSparsity, finalSparsity, beginStep, endStep } = this
    if (initialSparsity > finalSparsity)
      throw new ArgumentError(
        `MagnitudePruning: initialSparsity must not be above finalSparsity, received ${initialSparsity} and ${finalSparsity}`,
      )
    if (endStep !== null && endStep < beginStep)
      throw new ArgumentError(
        `MagnitudePruning: endStep must not be before beginStep, received ${endStep} and ${beginStep}`,
      )
  }

  /** The present target share of zeros. */
  get sparsity(): number {
    return this.reached
  }

  override get probes(): readonly Probe[] {
    const weights = this.weights()
    if (this.masked.length !== weights.length || this.masked.some(({ weight }, i) => weight !== weights[i])) {
      this.masked = weights.map((weight) => {
        const mask = new Variable(weight.shape, { name: `${weight.name}/mask`, dtype: 'bool', trainable: false })
        return { weight, mask }
      })
      this.joined.clear()
      this.holding = { trace: (step) => this.hold(step) }
    }
    // No weight is pruned before the first selection.
    for (const { mask } of this.masked) mask.view.fill(1)
    this.reached = 0
    this.isDone = false
    this.hasChosen = false
    const [begin, end] = this.span
    const every = this.every ?? Math.min(100, Math.max(1, Math.floor((end - begin) / 20)))
    return [this.holding, { every, afterStep: (step) => this.choose(step) }]
  }

  /** @throws ArgumentError for unknown layers, and if there is nothing to prune */
  private weights(): Variable[] {
    const { layers, model } = this
    const isMeant = (layer: LayerBase): boolean =>
      layers === null ? !(layer instanceof Embedding) : layers.some((each) => isNamed(each, layer))
    const unknown = layers?.find((each) => !model.allLayers.some((layer) => isNamed(each, layer)))
    if (unknown !== undefined)
      throw new ArgumentError(
        `MagnitudePruning: there is no layer ${String(unknown)}. There are: ${model.allLayers
          .slice(1)
          .map(({ name }) => name)
          .join(', ')}`,
      )
    const trained = new Set(model.trainableWeights)
    // The first one is the model.
    const chosen = model.allLayers.slice(1).filter(isMeant)
    const found = new Set(
      chosen
        .flatMap((layer) => (layers === null ? layer.ownWeights : layer.weights))
        .filter((weight) => trained.has(weight) && isKernel(weight)),
    )
    if (found.size > 0) return [...found]
    throw new ArgumentError(
      'MagnitudePruning: there are no kernels to prune, which are trainable weights of two axes or more',
    )
  }

  /** Weights that are updated as one pack are masked as one: masking them separately would add copies. */
  private hold(step: ProbedStep): void {
    const trace = currentTrace()!
    for (const pack of new Set(this.masked.map(({ weight }) => trace.packOf(weight)))) {
      const members = this.masked.filter(({ weight }) => trace.packOf(weight) === pack)
      const mask = pack === null ? null : this.joinedMask(pack, members)
      if (pack !== null && mask !== null) trace.updatePack(pack, where(mask.value, trace.readPack(pack), 0))
      else for (const { weight, mask: each } of members) weight.assign(where(each.value, step.after(weight), 0))
    }
  }

  /**
   * The mask of all weights of a pack, of which `members` are masked; null if one of them is part of another pack's mask.
   */
  private joinedMask({ whole, parts }: Pack<TracedCell>, members: readonly Masked[]): Variable | null {
    const known = this.joined.get(whole)
    if (known !== undefined) return known
    if (members.some(({ mask }) => [...this.joined.values()].some(({ storage }) => storage === mask.storage)))
      return null
    const made = new Variable(whole.shape, { name: `${whole.name}/mask`, dtype: 'bool', trainable: false })
    made.view.fill(1)
    let at = 0
    for (const part of parts) {
      members.find(({ weight }) => weight === part)?.mask.adopt(made.storage, BYTES_PER_ELEMENT * at)
      at += sizeOf(part.shape)
    }
    this.joined.set(whole, made)
    return made
  }

  /** The steps between which the share of zeros rises. */
  private get span(): readonly [begin: number, end: number] {
    const { beginStep, endStep } = this
    const { epochs, steps } = this.params!
    if (endStep === null && steps === null)
      throw new ArgumentError(
        'MagnitudePruning: the number of steps is unknown for these data. Give endStep, or stepsPerEpoch in fit.',
      )
    return [beginStep, Math.max(beginStep, endStep ?? Math.floor(0.75 * epochs * steps!))]
  }

  /** Existing zeros must not be trained by the first step. */
  override onTrainBegin(): void {
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

  override getState(): CallbackState {
    const { masked, reached, isDone, hasChosen } = this
    return { masks: masked.map(({ mask }) => mask.value), reached, isDone, hasChosen }
  }

  override setState({ masks, ...state }: { readonly masks: readonly Tensor[] }): void {
    Object.assign(this, state)
    masks.forEach((mask, i) => this.masked[i]?.mask.assign(mask))
  }

  private maskAll(sparsity: number): void {
    this.reached = sparsity
    for (const masked of this.masked) maskSmallest(masked, sparsity)
  }

  /** Averages that replace the weights when training ends are not masked by the steps. */
  override onTrainEnd(): void {
    const {
      model: { optimizer },
      beginStep,
      every,
      reached,
      finalSparsity,
    } = this
    if (!this.hasChosen && reached < finalSparsity) {
      const rhythm = every === null ? '' : `, every ${every} steps`
      warn(
        `MagnitudePruning: training ended before the first step that prunes (beginStep ${beginStep}${rhythm}), so the sparsity is ${reached}, not ${finalSparsity}`,
      )
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

/** Sets the smallest weights to zero, of equal ones the first. */
function maskSmallest({ weight, mask }: Masked, sparsity: number): void {
  const { view } = weight
  const sizes = sizesOf(view)
  const { limit, ties } = smallest(sizes, Math.round(sparsity * sizes.length))
  const { view: bits } = mask
  let left = ties
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i]!
    bits[i] = size < limit || (size === limit && left-- > 0) ? 0 : 1
  }
  keepMasked(weight, mask)
}

/** |w| as integers of the same order: the bits of a float32 without the sign. */
function sizesOf({ buffer, byteOffset, length }: TensorData): Uint32Array {
  const bits = new Uint32Array(buffer, byteOffset, length)
  return bits.map((each) => each & 0x7fffffff)
}

const LOW_BITS = 16

/**
 * The `count` smallest of some 31-bit numbers: those below `limit`, and the first `ties` of those equal to it. Numbers
 * are counted by their high bits; only those that share the limit's high bits are sorted.
 */
function smallest(sizes: Uint32Array, count: number): { limit: number; ties: number } {
  if (count === 0) return { limit: 0, ties: 0 }
  const counts = new Uint32Array(1 << (31 - LOW_BITS))
  for (const size of sizes) counts[size >>> LOW_BITS]!++
  let high = 0
  let below = 0
  while (below + counts[high]! < count) below += counts[high++]!
  const alike = sizes.filter((size) => size >>> LOW_BITS === high).sort()
  const limit = alike[count - below - 1]!
  return { limit, ties: count - below - alike.indexOf(limit) }
}
