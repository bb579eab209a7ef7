// A compiled model, prepared for one kind of step: declares the form of its data, checks samples against layers and
// losses, and compiles programs for them. Independent of runners and loops.

import { warn } from '../core/warnings'
import { ArgumentError, ShapeError, formatShape, restate } from '../core/errors'
import type { Shape } from '../core/shapes'
import { flatten, isBranch, structureOf } from '../core/tree'
import { UNKNOWN_LAYOUT, type Layout } from '../data/samples/layout'
import type { DataForm, Inputs } from '../data/samples/parse'
import type { Samples } from '../data/samples/samples'
import type { Tensor } from '../ops/tensor'
import type { Program } from '../engine/runtime/program'
import type { StepKind } from './batch'
import type { Logs } from './callbacks/callback'
import type { Compiled } from './compiled'
import { readLogs } from './logs'
import type { Probe } from './probes'
import type { StepPrograms } from './runner'
import { hasOwn, type TrainingState } from './state'
import type { TrainedModel } from './step'
import type { BatchTypes, Steps } from './steps'

/** Warns if the built-in step changes no weight. @param method what is called, such as `fit` */
export function warnIfNothingToTrain(model: TrainedModel, method: string): void {
  if (model.hasOwnStep || model.trainableWeights.length > 0) return
  const why = model.weights.length === 0 ? 'the model has no weights' : 'all weights are frozen'
  warn(`${model}: ${method} has nothing to train: ${why}`)
}

export class Prepared implements DataForm, StepPrograms {
  readonly compiled: Compiled
  /** Whether a custom step reads the data, which may then have any form. */
  readonly takesAny: boolean
  /** Whether outputs and targets are compared: not for a custom step, which may use them in any way. */
  private readonly checksTargets: boolean
  readonly needsTargets: boolean

  /** @throws StateError before compile */
  constructor(
    private readonly state: TrainingState,
    readonly kind: StepKind,
    method: string,
  ) {
    const { model } = state
    this.compiled = state.requireCompiled(method)
    this.takesAny = hasOwn(model, kind)
    this.checksTargets = !model.hasOwnStep && !this.takesAny
    this.needsTargets = this.checksTargets && this.compiled.options.loss !== null
  }

  get model(): TrainedModel {
    return this.state.model
  }

  /** The current programs. */
  get steps(): Steps {
    return this.state.steps
  }

  get outputNames(): readonly string[] {
    return this.state.outputNames
  }

  get inputs(): Layout {
    return this.state.layouts.x
  }

  get targets(): Layout | null {
    const { y } = this.state.layouts
    return y === UNKNOWN_LAYOUT && this.checksTargets ? null : this.needed(y)
  }

  learnTargets(inputs: Inputs): Layout {
    const { state } = this
    state.buildFor(inputs, this.kind)
    state.renewPrograms()
    state.learnOutputs(inputs)
    return this.needed(state.layouts.y)
  }

  /** The layout of the targets; if there are several outputs, with those that need targets. */
  private needed(layout: Layout): Layout {
    if (!isBranch(layout.structure) || !this.needsTargets) return layout
    return { ...layout, needed: this.compiled.needed(flatten(layout.structure).length) }
  }

  /**
   * Builds the model for samples, and checks them.
   * @returns the samples with strings replaced by numbers, whose extents may determine those of the outputs
   */
  accept(samples: Samples): Samples {
    const { state } = this
    if (!state.model.built) state.buildFor(samples, this.kind)
    state.renewPrograms()
    this.checkInputs(samples)
    const read = state.strings.read(samples)
    if (this.checksTargets) this.checkTargets(samples, this.outputShapes(read))
    return read
  }

  /** Checks the types of the inputs and their content. */
  private checkInputs(samples: Samples): void {
    if (!this.takesAny) this.model.checkInput(samples.inputs)
    this.checkContent(samples)
  }

  /** Checks the content of the inputs. A custom step may take other inputs than the layers, which are not checked. */
  checkContent({ x, inputs }: Samples): void {
    const { model } = this
    if (!model.checksData) return
    if (!this.takesAny || structureOf(x) === structureOf(this.inputs.structure)) model.checkData(inputs)
  }

  /** The shapes of the outputs for samples without strings; empty if they are not compared with targets. */
  outputShapes({ x, inputs, readers }: Samples): readonly Shape[] {
    if (!this.checksTargets) return []
    return flatten(this.steps.outputSpecs(x, inputs, readers)).map(({ shape }) => shape.map((extent) => extent ?? 1))
  }

  /** @param expected the shapes of the outputs */
  checkTargets({ targets, weights, names }: Samples, expected: readonly Shape[]): void {
    if (!this.checksTargets) return
    const losses = this.compiled.lossesFor(
      expected,
      targets.map((target) => target?.shape ?? null),
    )
    // The name of an output's data in errors: `y` for a model with one output, otherwise `y.price`.
    const placeOf = (where: string, i: number): string =>
      expected.length === 1 ? where : `${where}.${this.outputNames[i] ?? i}`
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!
      if (weight !== null && weight.rank > 1) requireWeights(weight, expected[i], () => placeOf(names.sampleWeight, i))
    }
    for (let i = 0; i < losses.length; i++) {
      const loss = losses[i]!
      if (loss === null) continue
      const target = targets[i] ?? null
      if (target === null) throw new ArgumentError(`${placeOf(names.y, i)}: targets are missing`)
      try {
        loss.checkTargets(target, expected[i]!)
      } catch (error) {
        if (error instanceof Error) restate(error, `${placeOf(names.y, i)}: ${error.message}`)
        throw error
      }
    }
  }

  program(types: BatchTypes, probes: readonly Probe[] = []): Program {
    const { steps, compiled } = this
    return this.kind === 'train' ? steps.train(compiled, types, probes) : steps.test(compiled, types)
  }

  hold(program: Program): void {
    this.steps.hold(program)
  }

  release(program: Program): void {
    this.steps.release(program)
  }

  /** The results of the loss and all metrics since they were reset. */
  get logs(): Logs {
    return readLogs(this.kind, this.steps, this.compiled)
  }
}

/** A weight belongs to a sample or to one of its steps: to one vector along the last axis of an output. */
function requireWeights({ rank, shape }: Tensor, output: Shape | undefined, name: () => string): void {
  if (output === undefined) return
  const steps = output.slice(1, -1)
  if (rank <= steps.length + 1 && shape.slice(1).every((extent, axis) => extent === steps[axis])) return
  const [rows] = shape
  const each = steps.length === 0 ? '' : ` or ${formatShape([rows!, ...steps])}`
  throw new ShapeError(`${name()} must have shape [${rows}]${each}, received ${formatShape(shape)}`)
}
