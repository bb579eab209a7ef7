// Probes: callbacks' observations of the training step. A probe is traced after the step, as part of the same program,
// and sees the step's values: outputs of layers, gradients, weights before and after the update. A step without probes
// is the same program as without callbacks.

import { ArgumentError } from '../core/errors'
import { numberOf } from '../core/numbers'
import { flatten } from '../core/tree'
import { withTap, type Tap } from '../layers/context'
import { add, divide, multiply } from '../ops/numpy/elementwise'
import type { Tensor } from '../ops/tensor'
import { currentTrace, withScope, type Trace } from '../ops/trace'
import type { Variable } from '../ops/variable'

/** The layer that a probe refers to. */
type Watched = object & { toString(): string }

/**
 * What a callback observes in the training step, and how often. `trace` runs once, with symbols, and stores its results
 * in Variables:
 *
 * ```ts
 * class MeanActivity extends Callback {
 *   readonly activity = new Variable([], { name: 'activity', trainable: false })
 *   readonly probes = [
 *     { every: 50, trace: (step) => this.activity.assign(ops.mean(step.outputs(this.model.layers[0])[0])) },
 *   ]
 * }
 * ```
 */
export interface Probe {
  /** The number of steps of fit from one observation to the next, from the first step on. Default 1. */
  readonly every?: number
  /** Whether it observes at present; read before steps. Without it, and with true, it does. */
  readonly isActive?: boolean
  /** Layers for whose outputs `trace` needs gradients. */
  readonly gradientsOf?: readonly Watched[]
  /**
   * A term that is added to the gradient of a weight before the update; null for none. The loss does not change. Traced.
   */
  pull?(weight: Variable): Tensor | null
  /** Adds computations after the update of the weights. Traced. */
  trace?(step: ProbedStep): void
  /**
   * Runs in JavaScript directly after each observed step; may read Variables and change weights. It prevents running
   * many steps at a time.
   * @param step from 0 on, since fit began
   */
  afterStep?(step: number): void
}

/** The values of a traced step. */
export class ProbedStep {
  private readonly heard = new Map<unknown, Tensor[]>()
  private readonly initial = new Map<Variable, Tensor>()
  private readonly found = new Map<Variable, Tensor>()
  private readonly foundOutputs = new Map<Tensor, Tensor>()
  private readonly trace: Trace | null = currentTrace()
  private minimised: Tensor | null = null

  /**
   * @param weights the weights that may be requested
   * @param probes those that are traced in this step
   * @param scale the factor of the loss
   */
  constructor(
    weights: readonly Variable[],
    private readonly probes: readonly Probe[],
    private readonly scale: number,
  ) {
    for (const weight of weights) this.initial.set(weight, weight.value)
  }

  /** Records the outputs of layers. @internal */
  readonly tap: Tap = (layer, _input, output) => {
    // Values inside a loop do not exist outside of it.
    if (currentTrace() === this.trace)
      this.heard.set(layer, [...(this.heard.get(layer) ?? []), ...flatten<Tensor>(output)])
    return output
  }

  /** The gradients that the step uses, and those of the requested outputs. @internal */
  differentiate(loss: Tensor, variables: readonly Variable[]): Tensor[] {
    const wanted = new Set(this.probes.flatMap(({ gradientsOf = [] }) => gradientsOf))
    const outputs = [...wanted]
      .flatMap((layer) => this.heard.get(layer) ?? [])
      .filter(({ dtype }) => dtype === 'float32')
    const all = this.trace!.gradients(loss, [...variables.map((variable) => variable.value), ...outputs])
    const unscale = (value: Tensor): Tensor => (this.scale === 1 ? value : divide(value, this.scale))
    const unscaled = all.map(unscale)
    this.minimised = unscale(loss)
    variables.forEach((variable, i) => this.found.set(variable, unscaled[i]!))
    outputs.forEach((output, i) => this.foundOutputs.set(output, unscaled[variables.length + i]!))
    return variables.map((variable, i) => this.pulled(variable, all[i]!))
  }

  /** The gradient, scaled like the loss, with the terms of the probes. */
  private pulled(variable: Variable, gradient: Tensor): Tensor {
    const terms = this.probes.map((probe) => probe.pull?.(variable) ?? null).filter((term) => term !== null)
    return terms.reduce((sum, term) => add(sum, this.scale === 1 ? term : multiply(term, this.scale)), gradient)
  }

  /** The loss that the step minimises, with the penalties of regularizers: a scalar. */
  get loss(): Tensor {
    if (this.minimised !== null) return this.minimised
    throw new ArgumentError(
      'A probe asks for the loss of a training step that computes no gradients with this.gradients(loss)',
    )
  }

  /** The outputs of a layer in this step, in training mode: a tensor for each call and each output. */
  outputs(layer: Watched): readonly Tensor[] {
    const outputs = this.heard.get(layer)
    if (outputs !== undefined) return outputs
    throw new ArgumentError(
      `A probe asks for the outputs of ${layer.toString()}, which is not called in the training step, or only within a loop`,
    )
  }

  /** ∂loss/∂output for each of `outputs(layer)`. The layer must be one of the probe's `gradientsOf`. */
  outputGradients(layer: Watched): readonly Tensor[] {
    return this.outputs(layer).map((output) => {
      const gradient = this.foundOutputs.get(output)
      if (gradient !== undefined) return gradient
      throw new ArgumentError(`A probe asks for the gradient of ${layer.toString()}, which it must name in gradientsOf`)
    })
  }

  /** ∂loss/∂weight before clipping; null if the step does not compute it. */
  gradient(weight: Variable): Tensor | null {
    return this.found.get(weight) ?? null
  }

  /** The weight before the step. */
  before(weight: Variable): Tensor {
    return this.initial.get(weight) ?? weight.value
  }

  /** The weight after the step. */
  after(weight: Variable): Tensor {
    return weight.value
  }
}

/** The steps with probes, by the traces that they are part of. */
const probedSteps = new WeakMap<Trace, ProbedStep>()

/** The step with probes that a trace has; undefined if there is none. */
export function probedStepOf(trace: Trace): ProbedStep | undefined {
  return probedSteps.get(trace)
}

/** Traces a step, followed by the computations of the probes. */
export function withProbes<Result>(
  probes: readonly Probe[],
  { weights, scale }: { readonly weights: readonly Variable[]; readonly scale: number },
  step: () => Result,
): Result {
  if (probes.length === 0) return step()
  const probed = new ProbedStep(weights, probes, scale)
  probedSteps.set(currentTrace()!, probed)
  const result = withTap(probed.tap, step)
  withScope('probes', () => probes.forEach((probe) => probe.trace?.(probed)))
  return result
}

/** A string that is equal for equal traced probes: the key of their program. */
export function probesKey(probes: readonly Probe[]): string {
  return probes.map((probe) => ` probe${numberOf(probe)}`).join('')
}

/** Consecutive steps with the same probes. */
export interface ProbedSteps {
  /** The probes of these steps. */
  readonly probes: readonly Probe[]
  /** The number of steps from here on with the same probes, during which nothing runs in JavaScript; ∞ if all are. */
  readonly length: number
}

const ALWAYS: ProbedSteps = { probes: [], length: Infinity }

/** Decides which probes observe which steps. */
export class ProbeSchedule {
  constructor(private readonly probes: readonly Probe[]) {
    for (const { every = 1 } of probes) {
      if (!Number.isSafeInteger(every) || every < 1)
        throw new ArgumentError(`every of a probe must be an integer ≥ 1, received ${every}`)
    }
  }

  at(step: number): ProbedSteps {
    if (this.probes.length === 0) return ALWAYS
    const isDue = ({ every = 1 }: Probe): boolean => step % every === 0
    const active = this.probes.filter(({ isActive = true }) => isActive)
    const probes = active.filter(isDue)
    const ahead = active.map((probe) => {
      const { every = 1 } = probe
      if (every > 1) return isDue(probe) ? 1 : every - (step % every)
      return probe.afterStep === undefined ? Infinity : 1
    })
    return { probes, length: Math.min(...ahead) }
  }
}
