// All mutable state of the training of one model: the compile options, the programs of the current layers, the last
// step on a single batch, the order of rows, and the lock. The other modules of this folder keep no state between calls.

import { StateError } from '../core/errors'
import type { CustomObjects } from '../core/registry'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { unflatten } from '../core/tree'
import type { Inputs } from '../data/samples/parse'
import type { Samples } from '../data/samples/samples'
import { metricsIn } from '../layers/members'
import { specOf } from '../layers/spec'
import { listsOf, release, type WeightLists, buildSpecOf } from '../layers/weight-lists'
import type { Metric } from '../metrics/metric'
import { nextSeed } from '../ops/random/seed'
import type { Variable } from '../ops/variable'
import { withRuntime } from '../engine/runtime/current'
import type { Program } from '../engine/runtime/program'
import type { StepKind } from './batch'
import { Compiled, type CompileOptions } from './compiled'
import { layoutsOf, namesOfOutputs, type Layouts } from './layouts'
import { RunLock } from './run-lock'
import type { TrainedModel } from './step'
import { Steps } from './steps'
import { StringInputs } from './string-inputs'

/** The last step on a single batch. The next batch of the same types runs the same program. */
export interface LastStep {
  readonly samples: Samples
  readonly program: Program
  /** The shapes of the outputs, with which targets are compared. */
  readonly expected: readonly Shape[]
  readonly compiled: Compiled
  readonly lists: WeightLists
  /** The runtime's epoch: it changes when weights are moved. */
  readonly epoch: number
}

/** The last prediction from one tensor to one tensor. */
interface LastPrediction {
  readonly program: Program
  readonly shape: Shape
  readonly dtype: DType
  /** Whether a layer checks the data. */
  readonly isChecked: boolean
}

interface LastSteps {
  train: LastStep | null
  test: LastStep | null
  predict: LastPrediction | null
}

const NOTHING: Readonly<LastSteps> = { train: null, test: null, predict: null }

export class TrainingState {
  /** null before compile. */
  compiled: Compiled | null = null
  /** The programs of the current layers. */
  steps: Steps
  /** The last step of each kind on one batch; their programs are in `steps`. */
  private lastSteps: LastSteps = { ...NOTHING }
  readonly lock: RunLock
  /** The seed of the order of rows, and the number of epochs drawn from it. */
  readonly shuffleState = { seed: nextSeed(), epoch: 0 }
  /** Converts string inputs to numbers. */
  readonly strings: StringInputs
  /** The weights, and the lists of the model, for which `steps` were made. */
  private trained: readonly Variable[] | null = null
  private lists: WeightLists | null = null
  private constants = 0
  /** The layouts of the data, and the graph or the build specs for which they are valid. */
  private known: { readonly of: object | null; readonly layouts: Layouts } | null = null

  constructor(readonly model: TrainedModel) {
    this.steps = new Steps(model)
    this.lock = new RunLock(model)
    this.strings = new StringInputs(model)
  }

  get metrics(): readonly Metric[] {
    return this.compiled?.listed ?? metricsIn(this.model.allLayers)
  }

  compile(options: CompileOptions, customObjects: CustomObjects): void {
    this.lock.requireIdle('compile')
    const { model } = this
    this.compiled = this.inOwnRuntime(
      () =>
        new Compiled(
          options,
          () => this.outputNames,
          () => metricsIn(model.allLayers),
          !model.hasOwnStep,
          customObjects,
        ),
    )
    this.resetPrograms()
  }

  requireCompiled(method: string): Compiled {
    if (this.compiled !== null) return this.compiled
    throw new StateError(
      `${this.model}: call compile() before ${method}, for example model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`,
    )
  }

  /** Runs `body` in the runtime of the model's weights, even if configure() has selected another one. */
  inOwnRuntime<Result>(body: () => Result): Result {
    const [weight] = this.model.weights
    return weight === undefined ? body() : withRuntime(weight.runtime, body)
  }

  /** The layouts of the data that the model expects, as far as they are known. */
  get layouts(): Layouts {
    const { model } = this
    const of = model.graph ?? (buildSpecOf(model) as object | null)
    // Before the model is built, a layer may still be inserted at the front.
    if (of === null || this.known?.of !== of) this.known = { of, layouts: layoutsOf(this.model) }
    return this.known.layouts
  }

  get outputNames(): readonly string[] {
    return this.layouts.y.names
  }

  /** Learns the outputs of a custom class from its first inputs. A Sequential has a graph when it is built. */
  learnOutputs({ x, inputs }: Inputs): void {
    const { model } = this
    if (model.graph !== null) return
    const outputs = this.steps.outputSpecs(x, inputs)
    const y = { structure: outputs, names: namesOfOutputs(outputs, []) }
    this.known = { of: buildSpecOf(model), layouts: { x: this.layouts.x, y } }
  }

  /** Builds the model for inputs. */
  buildFor({ x, inputs }: Inputs, kind: StepKind | 'predict'): void {
    const { model } = this
    // A custom step may call the model with other data than the inputs.
    if (kind === 'predict' || !(model.hasOwnStep || hasOwn(model, kind)))
      model.ensureBuilt(unflatten(x, inputs.map(specOf)))
  }

  /** Whether the programs were compiled for the current layers. */
  get isCurrent(): boolean {
    return this.lists === listsOf(this.model)
  }

  /** Drops the programs if a weight was frozen or added since they were made. */
  renewPrograms(): void {
    // A run whose steps have begun continues with its own programs.
    const lists = listsOf(this.model)
    if (this.lock.isStepping || this.lists === lists) return
    const weights = lists.trainableWeights
    const { trained } = this
    const isStale = this.constants !== lists.constants
    this.constants = lists.constants
    if (
      isStale ||
      trained === null ||
      weights.length !== trained.length ||
      weights.some((weight, i) => weight !== trained[i])
    ) {
      if (trained !== null || this.steps.programs.size > 0) this.resetPrograms()
      // If a custom step creates the first weights, they are known after it.
      this.trained = weights.length > 0 || this.model.built ? weights : null
    }
    this.lists = lists
  }

  /** Drops the programs, because the layers changed. */
  resetPrograms(): void {
    this.steps.dispose()
    this.steps = new Steps(this.model)
    this.lastSteps = { ...NOTHING }
    this.lists = null
  }

  /** Creates the optimizer's slots for the current trainable weights, which moves the weights. */
  buildOptimizer({ optimizer }: Compiled): void {
    const { model } = this
    if (model.hasOwnStep) return
    const weights = this.trained ?? model.trainableWeights
    if (optimizer.isBuiltFor(weights)) return
    this.resetPrograms()
    optimizer.build(weights, model.weights)
  }

  /** The last step of each kind. */
  get last(): Readonly<LastSteps> {
    return this.lastSteps
  }

  /** Stores a step as the last of its kind. Its program is not evicted. */
  remember<Kind extends keyof LastSteps>(kind: Kind, last: NonNullable<LastSteps[Kind]>): void {
    const { steps, lastSteps } = this
    steps.hold(last.program)
    const before = lastSteps[kind]
    if (before !== null) steps.release(before.program)
    lastSteps[kind] = last
  }

  dispose(): void {
    this.lock.requireIdle('dispose')
    this.resetPrograms()
    const { model, compiled } = this
    const variables = [...model.weights, ...model.stateVariables, ...(compiled?.optimizer.variables ?? [])]
    const kept = new Set(release(model))
    const disposed = variables.filter((variable) => !kept.has(variable))
    const storages = new Set(disposed.map((variable) => variable.storage))
    // They may lie beside weights of this model.
    for (const each of kept) if (storages.has(each.storage)) each.adopt(each.runtime.createStorage(each.byteLength), 0)
    for (const storage of storages) {
      storage.dispose()
      storage.runtime.invalidate()
    }
  }
}

/** Whether a custom step reads the data, which may then have any form. */
export function hasOwn(model: TrainedModel, kind: StepKind): boolean {
  return kind === 'train' ? model.hasOwnStep : model.hasOwnTestStep
}
